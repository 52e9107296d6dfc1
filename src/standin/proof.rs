//! The token protocol between a check and the stand-in: what is said, and how it is proven. Pure.
//!
//! ```text
//! control   C: SITE PASVCHECK HELLO <client's nonce>
//! no secret S: 200 PASVCHECK OPEN <session> <token>           the token is the session's key
//! secret    S: 350 PASVCHECK PROVE <session> <server's nonce>
//!           C: SITE PASVCHECK PROVE <HMAC(secret, client, nonces, session)>
//!           S: 200 PASVCHECK KNOWN <HMAC(secret, server, nonces, session)>
//!                                                             the key is HMAC(secret, session, nonces, session)
//! each port C: PASVCHECK <session>
//!           S: PASVCHECK <its own port> <the address that it sees> <HMAC(key, data, session, port, address)>
//! control   C: SITE PASVCHECK REPORT
//!           S: 211- control <address>, sent <hex of a 227 or 229 as it was sent> ..., mac <HMAC(key, report, all of it)>
//! ```
//!
//! Replies are echoed in hexadecimal, so that a device which rewrites addresses in a dialogue does not find them there too.
//! The secret itself never crosses the network, and neither end believes the other without it.

use std::fmt::{self, Write as _};
use std::net::IpAddr;

use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};

/// What the greeting of a stand-in holds.
pub const GREETING: &str = "pasvcheck stand-in";

/// Its line in the answer to FEAT: name and version of this protocol.
pub const FEATURE: &str = "PASVCHECK 1";

/// The first word of every message.
pub const WORD: &str = "PASVCHECK";

/// Longest line on a data connection.
pub const LONGEST_LINE: usize = 192;

/// Characters of a secret: short ones are guessed from one recorded dialogue.
const SECRET_LENGTH: std::ops::RangeInclusive<usize> = 12..=256;

/// Why a text cannot be the shared secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Too short or too long.
    #[error(
        "a secret has 12 to 256 characters, and this one has {0}; `openssl rand -hex 16` makes a good one"
    )]
    Length(usize),
}

/// What the stand-in and the check both know. It is shown nowhere.
#[derive(Clone)]
pub struct SharedSecret(hmac::Key);

impl SharedSecret {
    /// Takes a secret; blanks around it do not count, since files end with a line break.
    pub fn new(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        let length = text.chars().count();
        if !SECRET_LENGTH.contains(&length) {
            return Err(SecretError::Length(length));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes())))
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret(***)")
    }
}

/// Chance, as 32 hexadecimal digits; `None` where the system gives none.
#[must_use]
pub fn nonce() -> Option<String> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(hex(&bytes))
}

/// Whether a text has the form of a [`nonce`].
#[must_use]
pub fn is_nonce(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What both ends know of each other once the greeting is over.
#[derive(Clone, Debug)]
pub struct Handshake<'a> {
    /// The secret.
    pub secret: &'a SharedSecret,
    /// The client's nonce.
    pub client: &'a str,
    /// The server's nonce.
    pub server: &'a str,
    /// The session's name.
    pub session: &'a str,
}

impl Handshake<'_> {
    fn parts(&self, role: &str) -> String {
        format!("{role} {} {} {}", self.client, self.server, self.session)
    }

    /// What a side says to prove that it knows the secret.
    #[must_use]
    pub fn proof(&self, side: Side) -> String {
        hex(hmac::sign(&self.secret.0, self.parts(side.word()).as_bytes()).as_ref())
    }

    /// Whether the other side's proof is right.
    #[must_use]
    pub fn agrees(&self, side: Side, proof: &str) -> bool {
        let Some(proof) = bytes(proof) else { return false };
        hmac::verify(&self.secret.0, self.parts(side.word()).as_bytes(), &proof).is_ok()
    }

    /// The key of the session. It is never said.
    #[must_use]
    pub fn key(&self) -> SessionKey {
        let key = hmac::sign(&self.secret.0, self.parts("session").as_bytes());
        SessionKey { session: self.session.to_owned(), key: hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()) }
    }
}

/// Whose proof it is: one cannot be sent back as the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The check.
    Client,
    /// The stand-in.
    Server,
}

impl Side {
    fn word(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

/// A session's name and key: with it, answers of the stand-in can be told from those of others.
#[derive(Clone)]
pub struct SessionKey {
    session: String,
    key: hmac::Key,
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionKey({}, ***)", self.session)
    }
}

/// What a port said of itself, proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortAnswer {
    /// The port that the connection arrived at.
    pub port: u16,
    /// The address that it came from, as the stand-in saw it.
    pub from: IpAddr,
}

impl SessionKey {
    /// The key of a session without a secret: the token that was handed over.
    #[must_use]
    pub fn of_token(session: &str, token: &str) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes());
        Self { session: session.to_owned(), key }
    }

    /// The line that asks a port for its proof.
    #[must_use]
    pub fn question(&self) -> String {
        format!("{WORD} {}\n", self.session)
    }

    /// A port's answer.
    #[must_use]
    pub fn answer(&self, answer: PortAnswer) -> String {
        format!("{WORD} {} {} {}\n", answer.port, answer.from, self.mac(&self.parts(answer)))
    }

    /// Reads a port's answer; `None` if it is anything else, or another session's.
    #[must_use]
    pub fn read_answer(&self, line: &str) -> Option<PortAnswer> {
        let mut words = line.trim_end().split(' ');
        if words.next() != Some(WORD) {
            return None;
        }
        let answer = PortAnswer { port: words.next()?.parse().ok()?, from: words.next()?.parse().ok()? };
        self.is_mac_of(&self.parts(answer), words.next()?).then_some(answer)
    }

    fn parts(&self, answer: PortAnswer) -> String {
        format!("data {} {} {}", self.session, answer.port, answer.from)
    }

    /// The lines of a report, its MAC at the end.
    #[must_use]
    pub fn report(&self, control: IpAddr, sent: &[String]) -> Vec<String> {
        let mut lines = vec![format!("control {control}")];
        lines.extend(sent.iter().map(|reply| format!("sent {}", hex(reply.as_bytes()))));
        let mac = self.mac(&format!("report {} {}", self.session, lines.join(" ")));
        lines.push(format!("mac {mac}"));
        lines
    }

    /// Reads a report: the address of the control connection as the stand-in saw it, and the replies as it sent them.
    #[must_use]
    pub fn read_report(&self, lines: &[&str]) -> Option<(IpAddr, Vec<String>)> {
        let lines: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
        let (last, told) = lines.split_last()?;
        let text = format!("report {} {}", self.session, told.join(" "));
        if !self.is_mac_of(&text, last.strip_prefix("mac ")?) {
            return None;
        }
        let (first, rest) = told.split_first()?;
        let control = first.strip_prefix("control ")?.parse().ok()?;
        let sent = rest.iter().map(|line| String::from_utf8(bytes(line.strip_prefix("sent ")?)?).ok());
        Some((control, sent.collect::<Option<_>>()?))
    }

    fn mac(&self, text: &str) -> String {
        hex(hmac::sign(&self.key, text.as_bytes()).as_ref())
    }

    fn is_mac_of(&self, text: &str, mac: &str) -> bool {
        bytes(mac).is_some_and(|mac| hmac::verify(&self.key, text.as_bytes(), &mac).is_ok())
    }
}

/// The session that a question on a data connection names.
#[must_use]
pub fn asked_session(line: &str) -> Option<&str> {
    let session = line.trim_end().strip_prefix(WORD)?.strip_prefix(' ')?;
    is_nonce(session).then_some(session)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if !hex.len().is_multiple_of(2) || hex.len() > 4096 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(token: &str) -> SessionKey {
        SessionKey::of_token("00112233445566778899aabbccddeeff", token)
    }

    #[test]
    fn a_port_is_believed_for_its_own_port_and_session_alone() {
        let (ours, other) = (key("one"), key("two"));
        let answer = PortAnswer { port: 50_000, from: "2001:db8::7".parse().unwrap() };
        let line = ours.answer(answer);
        assert!(line.len() < LONGEST_LINE);
        assert_eq!(ours.read_answer(&line), Some(answer));
        assert_eq!(other.read_answer(&line), None);
        assert_eq!(ours.read_answer(&line.replace("50000", "50001")), None);
        assert_eq!(ours.read_answer(&line.replace("::7", "::8")), None);
        for nonsense in ["", "PASVCHECK", "220 ready", "PASVCHECK 50000 192.0.2.1 zz", "PASVCHECK x y é"] {
            assert_eq!(ours.read_answer(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn both_sides_prove_the_secret_and_neither_proof_is_the_other() {
        let (right, wrong) =
            (SharedSecret::new("a long secret").unwrap(), SharedSecret::new("another secret").unwrap());
        let shake = |secret| Handshake { secret, client: "c", server: "s", session: "n" };
        let proof = shake(&right).proof(Side::Client);
        assert!(shake(&right).agrees(Side::Client, &proof));
        assert!(!shake(&right).agrees(Side::Server, &proof));
        assert!(!shake(&wrong).agrees(Side::Client, &proof));
        assert!(!shake(&right).agrees(Side::Client, "no hex"));
        assert!(!format!("{right:?}").contains("long"));
    }

    #[test]
    fn a_report_is_read_back_or_not_believed() {
        let key = key("one");
        let sent = vec!["227 Entering Passive Mode (192,0,2,1,195,80).".to_owned()];
        let lines = key.report("198.51.100.2".parse().unwrap(), &sent);
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        assert!(!lines.concat().contains("192,0,2,1"), "a device would find it");
        assert_eq!(key.read_report(&lines), Some(("198.51.100.2".parse().unwrap(), sent)));
        let changed: Vec<String> = lines.iter().map(|line| line.replace("100.2", "100.3")).collect();
        assert_eq!(key.read_report(&changed.iter().map(String::as_str).collect::<Vec<_>>()), None);
    }

    #[test]
    fn short_secrets_are_refused() {
        assert_eq!(SharedSecret::new(" short \n").unwrap_err(), SecretError::Length(5));
        assert!(SharedSecret::new("0123456789ab\n").is_ok());
    }

    #[test]
    fn nonces_differ() {
        let (one, two) = (nonce().unwrap(), nonce().unwrap());
        assert!(is_nonce(&one) && one != two);
        assert_eq!(asked_session(&format!("PASVCHECK {one}\r\n")), Some(one.as_str()));
        assert_eq!(asked_session("PASVCHECK x"), None);
    }
}
