//! The dialogue on a control connection: a small FTP server, and the way to the proofs.

use std::fmt::Write as _;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::proof::{FEATURE, GREETING, Handshake, SessionKey, Side, is_nonce, nonce};
use super::server::{Event, Shared};

/// No session lives longer, and none is silent for longer.
const LONGEST_SESSION: Duration = Duration::from_secs(30 * 60);
const LONGEST_SILENCE: Duration = Duration::from_secs(300);

/// Bytes of a command line, its end included.
const LONGEST_COMMAND: usize = 512;

/// How long a transfer waits for its connection.
const DATA_PATIENCE: Duration = Duration::from_secs(5);

/// Wrong secrets or passwords after which a session ends, and the pause after each.
const MOST_FAILURES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// Passive replies that are remembered for the report.
const MOST_REPLIES: usize = 64;

/// Holds one session from the greeting to its end.
pub(super) async fn hold(stream: TcpStream, peer: IpAddr, shared: Arc<Shared>, events: mpsc::Sender<Event>) {
    // Replies are written whole; waiting for more to send would only slow them.
    let _ = stream.set_nodelay(true);
    let Ok(local) = stream.local_addr() else { return };
    let mut session = Session {
        stream,
        local: local.ip().to_canonical(),
        peer,
        shared,
        events,
        heard: Vec::new(),
        user: None,
        logged_in: false,
        failures: 0,
        offered: None,
        sent: Vec::new(),
        hello: None,
        key: None,
        chance: Chance::new(),
    };
    let _ = timeout(LONGEST_SESSION, session.run()).await;
}

struct Session {
    stream: TcpStream,
    local: IpAddr,
    peer: IpAddr,
    shared: Arc<Shared>,
    events: mpsc::Sender<Event>,
    heard: Vec<u8>,
    user: Option<String>,
    logged_in: bool,
    failures: u32,
    /// The port of the last offer, until a transfer uses it.
    offered: Option<u16>,
    /// Passive replies as they were sent.
    sent: Vec<String>,
    /// The client's nonce, ours, and the name of the session to be.
    hello: Option<(String, String, String)>,
    /// Name and key, once proofs are allowed.
    key: Option<(String, SessionKey)>,
    chance: Chance,
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some((name, _)) = &self.key {
            self.shared.forget(name);
        }
    }
}

impl Session {
    async fn run(&mut self) -> io::Result<()> {
        self.say(&format!("220 {GREETING}: there is no FTP server here yet.")).await?;
        while let Some(line) = self.hear().await? {
            let (verb, argument) = line.split_once(' ').unwrap_or((&line, ""));
            let (verb, argument) = (verb.to_ascii_uppercase(), argument.trim());
            if verb == "QUIT" {
                return self.say("221 Goodbye.").await;
            }
            self.answer(&verb, argument).await?;
            if self.failures >= MOST_FAILURES {
                return self.say("421 Too many failures.").await;
            }
        }
        Ok(())
    }

    async fn answer(&mut self, verb: &str, argument: &str) -> io::Result<()> {
        match verb {
            "USER" => {
                self.user = Some(argument.to_ascii_lowercase());
                self.say("331 Any password will do for anonymous.").await
            }
            "PASS" => self.login().await,
            "FEAT" => self.say(&format!("211-Features:\r\n EPSV\r\n {FEATURE}\r\n PASV\r\n211 End")).await,
            "SYST" => self.say("215 UNIX Type: L8").await,
            "NOOP" => self.say("200 Fine.").await,
            "AUTH" => self.say("502 There is no TLS here.").await,
            _ if !self.logged_in => self.say("530 Log in as anonymous first.").await,
            "TYPE" | "MODE" | "STRU" | "OPTS" => self.say("200 As you like.").await,
            "PWD" => self.say("257 \"/\" is all there is").await,
            "CWD" | "CDUP" => self.say("250 There is one directory.").await,
            "PASV" => self.offer(false).await,
            "EPSV" => self.offer(true).await,
            "LIST" | "NLST" | "MLSD" => self.list(verb).await,
            "RETR" | "SIZE" | "MDTM" => self.say("550 There are no files here.").await,
            "SITE" => self.site(argument).await,
            _ => self.say("502 A stand-in does not know that.").await,
        }
    }

    async fn login(&mut self) -> io::Result<()> {
        match self.user.as_deref() {
            Some("anonymous" | "ftp") => {
                self.logged_in = true;
                self.say("230 Welcome to an empty directory.").await
            }
            Some(_) => self.fail("530 There are no accounts here: log in as anonymous.").await,
            None => self.say("503 USER comes first.").await,
        }
    }

    async fn fail(&mut self, reply: &str) -> io::Result<()> {
        self.failures += 1;
        sleep(PAUSE).await;
        self.say(reply).await
    }

    /// PASV (RFC 959 §4.1.2) or EPSV (RFC 2428 §3). Every port of the range listens already.
    async fn offer(&mut self, extended: bool) -> io::Result<()> {
        let port = self.chance.pick(self.shared.range.min, self.shared.range.len());
        let address = self.shared.public_address.map_or(self.local, IpAddr::V4);
        let reply = match (extended, self.local, address) {
            (true, ..) => format!("229 Entering Extended Passive Mode (|||{port}|)"),
            (false, IpAddr::V4(_), IpAddr::V4(address)) => {
                let [a, b, c, d] = address.octets();
                format!("227 Entering Passive Mode ({a},{b},{c},{d},{},{}).", port >> 8, port & 255)
            }
            _ => return self.say("522 PASV knows no IPv6: use EPSV.").await,
        };
        self.offered = Some(port);
        if self.sent.len() >= MOST_REPLIES {
            self.sent.remove(0);
        }
        self.sent.push(reply.clone());
        self.say(&reply).await
    }

    /// A listing, with which an ordinary client or check can see that passive mode works.
    async fn list(&mut self, verb: &str) -> io::Result<()> {
        let Some(port) = self.offered.take() else { return self.say("425 Use PASV or EPSV first.").await };
        let Some((mut data, from)) = self.shared.arrivals.take(port, DATA_PATIENCE).await else {
            return self.say("425 No data connection came.").await;
        };
        if from.ip().to_canonical() != self.peer {
            // The words of vsftpd: what most servers do with such a connection.
            return self.say("425 Security: Bad IP connecting.").await;
        }
        self.say("150 Here it comes.").await?;
        let listing = match verb {
            "NLST" => "empty\r\n",
            "MLSD" => "type=dir;modify=20240101000000;perm=el; empty\r\n",
            _ => "drwxr-xr-x   2 0        0            4096 Jan 01 00:00 empty\r\n",
        };
        let sent = timeout(DATA_PATIENCE, async {
            data.write_all(listing.as_bytes()).await?;
            data.shutdown().await
        });
        match sent.await {
            Ok(Ok(())) => self.say("226 That was all.").await,
            _ => self.say("426 The data connection broke.").await,
        }
    }

    async fn site(&mut self, argument: &str) -> io::Result<()> {
        let words: Vec<&str> = argument.split_ascii_whitespace().collect();
        match words.as_slice() {
            ["PASVCHECK", "HELLO", client] if is_nonce(client) => self.hello(client).await,
            ["PASVCHECK", "PROVE", proof] => self.check(proof).await,
            ["PASVCHECK", "REPORT"] => self.report().await,
            _ => self.say("502 A stand-in does not know that.").await,
        }
    }

    async fn hello(&mut self, client: &str) -> io::Result<()> {
        let (Some(session), Some(token)) = (nonce(), nonce()) else {
            return self.say("451 This system gives no random numbers.").await;
        };
        if self.shared.secret.is_some() {
            let reply = format!("350 PASVCHECK PROVE {session} {token}");
            self.hello = Some((client.to_owned(), token, session));
            return self.say(&reply).await;
        }
        let reply = format!("200 PASVCHECK OPEN {session} {token}");
        self.admit(session.clone(), SessionKey::of_token(&session, &token));
        self.say(&reply).await
    }

    async fn check(&mut self, proof: &str) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        let (Some((client, server, session)), Some(secret)) = (self.hello.take(), &shared.secret) else {
            return self.say("503 PASVCHECK HELLO comes first.").await;
        };
        let shake = Handshake { secret, client: &client, server: &server, session: &session };
        if !shake.agrees(Side::Client, proof) {
            let _ = self.events.try_send(Event::Refused(self.peer));
            return self.fail("530 PASVCHECK REFUSED").await;
        }
        let reply = format!("200 PASVCHECK KNOWN {}", shake.proof(Side::Server));
        self.admit(session.clone(), shake.key());
        self.say(&reply).await
    }

    fn admit(&mut self, session: String, key: SessionKey) {
        if let Some((old, _)) = self.key.take() {
            self.shared.forget(&old);
        }
        self.shared.admit(&session, key.clone(), self.peer);
        self.key = Some((session, key));
        let _ = self.events.try_send(Event::Known(self.peer));
    }

    async fn report(&mut self) -> io::Result<()> {
        let Some((_, key)) = &self.key else { return self.say("503 PASVCHECK HELLO comes first.").await };
        let mut text = "211-PASVCHECK report\r\n".to_owned();
        for line in key.report(self.peer, &self.sent) {
            let _ = write!(text, " {line}\r\n");
        }
        let proven = self.shared.proven(self.peer);
        let _ = self.events.try_send(Event::Proven(self.peer, proven));
        self.say(&(text + "211 End")).await
    }

    async fn say(&mut self, reply: &str) -> io::Result<()> {
        let bytes = format!("{reply}\r\n");
        match timeout(LONGEST_SILENCE, self.stream.write_all(bytes.as_bytes())).await {
            Ok(written) => written,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// The next command without its line end; `None` at the end of the connection, of patience, or of a line's length.
    async fn hear(&mut self) -> io::Result<Option<String>> {
        loop {
            if let Some(end) = self.heard.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.heard.drain(..=end).collect();
                return Ok(Some(String::from_utf8_lossy(&line).trim().to_owned()));
            }
            if self.heard.len() >= LONGEST_COMMAND {
                self.say("500 That line is too long.").await?;
                return Ok(None);
            }
            let mut buffer = [0; LONGEST_COMMAND];
            match timeout(LONGEST_SILENCE, self.stream.read(&mut buffer)).await {
                Ok(Ok(0)) => return Ok(None),
                Ok(read) => self.heard.extend_from_slice(&buffer[..read?]),
                Err(_) => {
                    self.say("421 Silent for too long.").await?;
                    return Ok(None);
                }
            }
        }
    }
}

/// Ports in an order that nobody can foresee, for as long as a session lasts.
struct Chance(u64);

impl Chance {
    fn new() -> Self {
        let seed = nonce().and_then(|text| u64::from_str_radix(&text[..16], 16).ok());
        Self(seed.unwrap_or(1).max(1))
    }

    /// One of `count` ports from `first` on (Marsaglia's xorshift).
    fn pick(&mut self, first: u16, count: u32) -> u16 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let step = (self.0 >> 24) % u64::from(count.max(1));
        first.saturating_add(u16::try_from(step).unwrap_or_default())
    }
}
