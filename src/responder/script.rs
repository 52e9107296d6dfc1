//! What can be ordered: the scenario file's side of the responder.
//!
//! Every table refuses keys that it does not know, and every key has a default that makes a healthy server.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::action::{Action, Actions};
use super::persona::Persona;
use super::ports::Ports;
use super::tls::Tls;

/// Why a script cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// Not of the form `A-B`.
    #[error("`{0}` is no port range: write \"A-B\" or \"A-B sequential\", with A not above B")]
    Range(String),
    /// Not pairs of hexadecimal digits.
    #[error("`{0}` is not made of pairs of hexadecimal digits")]
    Hex(String),
    /// `usual = true` beside a text.
    #[error("`usual` lets the persona answer, so it cannot stand beside `lines`, `raw` or `raw_hex`")]
    UsualWithText,
    /// A command that would never match.
    #[error("`{0}`: commands in [replies] are written in upper case")]
    LowerCase(String),
    /// A pseudo-command that does not exist.
    #[error("`{0}` names no moment of a transfer: there are {known}", known = MOMENTS.join(", "))]
    Moment(String),
    /// A command without an answer.
    #[error("`{0}` has an empty list of answers; for silence write {{}}")]
    NoAnswer(String),
    /// The text is no TOML, or a key or value is wrong.
    #[error("{0}")]
    Toml(String),
}

/// The moments of a transfer that can be answered as if they were commands.
pub(super) const MOMENTS: [&str; 5] =
    ["DATA-ABORTED", "DATA-BEGIN", "DATA-END", "DATA-REFUSED", "DATA-TIMEOUT"];

/// A whole server.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Script {
    /// Whose words it uses.
    pub persona: Persona,
    /// The address family that the client is meant to be using; the socket is on loopback all the same.
    pub family: Family,
    /// Where to listen, instead of a free port on loopback.
    pub listen: Option<SocketAddr>,
    /// Instead of the persona's greeting.
    pub greeting: Option<Action>,
    /// Instead of the persona's replies.
    pub replies: Replies,
    /// Passive mode.
    pub passive: Passive,
    /// Who may log in.
    pub login: Login,
    /// Data connections and what they carry.
    pub data: Data,
    /// Bounds and sudden ends.
    pub limits: Limits,
    /// TLS; none without it.
    pub tls: Option<Tls>,
    /// Another protocol altogether.
    pub speaks: Option<Speaks>,
}

impl Script {
    /// Reads a script that stands alone in a file.
    pub fn from_toml(text: &str) -> Result<Self, ScriptError> {
        toml::from_str(text).map_err(|error| ScriptError::Toml(error.to_string()))
    }
}

/// The address family of the client's connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IPv4.
    #[default]
    Ipv4,
    /// IPv6: PASV is refused, or answered with nonsense, as the persona does.
    Ipv6,
}

/// Answers by command. The n-th use, counted over all sessions, takes the n-th answer; the last one repeats.
///
/// A key is a command (`PASV`), a command with its argument (`AUTH TLS`, which wins), `GREETING`, or a moment of a
/// transfer: `DATA-BEGIN` (150), `DATA-END` (226), `DATA-REFUSED` (a foreign source), `DATA-TIMEOUT` (nobody came) and
/// `DATA-ABORTED` (426). An answer to a command replaces all that the command does: no transfer follows a scripted LIST.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replies(BTreeMap<String, Vec<Action>>);

impl Replies {
    /// Adds answers to a command.
    pub fn insert(&mut self, command: &str, answers: Vec<Action>) -> Result<(), ScriptError> {
        let verb = command.split(' ').next().unwrap_or_default();
        if verb.chars().any(|letter| letter.is_ascii_lowercase()) {
            return Err(ScriptError::LowerCase(command.to_owned()));
        }
        if command.starts_with("DATA-") && !MOMENTS.contains(&command) {
            return Err(ScriptError::Moment(command.to_owned()));
        }
        if answers.is_empty() {
            return Err(ScriptError::NoAnswer(command.to_owned()));
        }
        self.0.insert(command.to_owned(), answers);
        Ok(())
    }

    /// The key that a command is answered under, if it is.
    pub(super) fn key<'a>(&'a self, verb: &str, argument: &str) -> Option<&'a str> {
        let whole = |key: &str| {
            let (key_verb, key_argument) = key.split_once(' ').unwrap_or((key, ""));
            key_verb == verb && !key_argument.is_empty() && key_argument.eq_ignore_ascii_case(argument)
        };
        let keys = || self.0.keys().map(String::as_str);
        keys().find(|key| whole(key)).or_else(|| keys().find(|key| *key == verb))
    }

    /// The n-th answer under a key, the last for every use beyond.
    pub(super) fn answer(&self, key: &str, use_number: usize) -> Option<&Action> {
        let answers = self.0.get(key)?;
        answers.get(use_number).or_else(|| answers.last())
    }
}

impl<'de> Deserialize<'de> for Replies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut replies = Self::default();
        for (command, Actions(answers)) in BTreeMap::<String, Actions>::deserialize(deserializer)? {
            replies.insert(&command, answers).map_err(Error::custom)?;
        }
        Ok(replies)
    }
}

/// Passive mode.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Passive {
    /// Addresses for the 227, one after the other; none: the address that the client is connected to.
    #[serde(deserialize_with = "one_or_many")]
    pub advertise: Vec<String>,
    /// The ports that are announced.
    pub ports: Ports,
    /// Announced instead of the port, whatever it is: 0, 65536.
    pub announce_port: Option<u32>,
    /// Announce the port that is really bound: for clients without a scripted network.
    pub real_ports: bool,
    /// Whether PASV is offered.
    pub pasv: bool,
    /// Whether EPSV is offered.
    pub epsv: bool,
    /// After so many offers, counted over all sessions, no port is free.
    pub exhausted_after: Option<usize>,
}

impl Default for Passive {
    fn default() -> Self {
        Self {
            advertise: Vec::new(),
            ports: Ports::default(),
            announce_port: None,
            real_ports: false,
            pasv: true,
            epsv: true,
            exhausted_after: None,
        }
    }
}

/// A string or a list of strings.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a string or a list of strings")]
    enum Written {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Written::deserialize(deserializer)? {
        Written::One(text) => vec![text],
        Written::Many(texts) => texts,
    })
}

/// Who may log in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Login {
    /// Whether `anonymous` and `ftp` may, with any password.
    pub anonymous: bool,
    /// Names and passwords of the others.
    pub users: BTreeMap<String, String>,
    /// No login without TLS.
    pub needs_tls_login: bool,
    /// No transfer without TLS.
    pub needs_tls_data: bool,
}

impl Default for Login {
    fn default() -> Self {
        Self { anonymous: true, users: BTreeMap::new(), needs_tls_login: false, needs_tls_data: false }
    }
}

/// Data connections and what they carry.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fault that is ordered on its own")]
pub struct Data {
    /// What LIST sends, as it stands; without it, the files in the style of the persona.
    pub listing: Option<Vec<String>>,
    /// Absolute paths and sizes of the files that there are.
    pub files: BTreeMap<String, u64>,
    /// Whether STOR and DELE are allowed.
    pub writable: bool,
    /// `false`: the kernel opens the connection, and the server never hears of it.
    pub accept: bool,
    /// How long a transfer waits for its connection, instead of the persona's patience.
    pub accept_timeout_ms: Option<u64>,
    /// Take every data connection for one from a foreign address.
    pub refuse_source: bool,
    /// No byte after so many; the connection stays open.
    pub stall_after: Option<u64>,
    /// Close after so many, and claim success; of an upload no more is kept.
    pub truncate_after: Option<u64>,
    /// Cut the connection by a reset after so many.
    pub reset_after: Option<u64>,
    /// Bytes a second.
    pub rate: Option<u64>,
    /// The 226 never comes, nor anything after it.
    pub no_completion: bool,
    /// Instead of the persona's 226.
    pub completion: Option<Action>,
    /// 125 in place of 150.
    pub start_code_125: bool,
    /// Another service answers at the announced port with this greeting; the FTP server never sees the connection.
    pub unsolicited: Option<String>,
}

impl Default for Data {
    fn default() -> Self {
        let files = [("/image.iso", 1_048_576), ("/notes.txt", 220), ("/readme.txt", 1024)];
        Self {
            listing: None,
            files: files.into_iter().map(|(path, size)| (path.to_owned(), size)).collect(),
            writable: false,
            accept: true,
            accept_timeout_ms: None,
            refuse_source: false,
            stall_after: None,
            truncate_after: None,
            reset_after: None,
            rate: None,
            no_completion: false,
            completion: None,
            start_code_125: false,
            unsolicited: None,
        }
    }
}

/// Bounds and sudden ends.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// So many control connections at a time; the next gets the persona's 421. Never more than 64.
    pub sessions: Option<usize>,
    /// Close after the reply to so many commands.
    pub close_after_commands: Option<usize>,
    /// Close instead of answering this command.
    pub close_on: Option<String>,
}

/// What speaks if it is not FTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaks {
    /// An SSH server's banner.
    Ssh,
    /// A web server: silent until spoken to.
    Http,
    /// A mail server, whose 220 looks like FTP's.
    Smtp,
    /// A port that waits for a TLS hello, and rejects it with an alert.
    Tls,
    /// Nothing.
    Silent,
    /// Bytes without sense.
    Garbage,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_script_is_a_healthy_server() {
        let script = Script::from_toml("").unwrap();
        assert!(script.passive.pasv && script.passive.epsv && script.data.accept && script.login.anonymous);
        assert_eq!(script.data.files.len(), 3);
    }

    #[test]
    fn unknown_keys_are_refused_everywhere() {
        let texts = [
            "persno = 'iis'",
            "[passive]\nadvertize = 'x'",
            "[login]\nuser = 'x'",
            "[data]\nstall = 1",
            "[limits]\nsession = 1",
            "[replies]\nPASV = [{ line = 'x' }]",
        ];
        for text in texts {
            let error = Script::from_toml(text).unwrap_err().to_string();
            assert!(error.contains("unknown field"), "{text}: {error}");
        }
    }

    #[test]
    fn replies_that_could_never_match_are_refused() {
        for text in ["pasv = '227 x'", "'auth TLS' = '234 x'", "DATA-START = '150 x'", "PASV = []"] {
            assert!(Script::from_toml(&format!("[replies]\n{text}")).is_err(), "{text}");
        }
    }

    #[test]
    fn reply_with_argument_wins() {
        let script = Script::from_toml("[replies]\nAUTH = '500 no'\n'AUTH TLS' = '234 yes'").unwrap();
        assert_eq!(script.replies.key("AUTH", "tls"), Some("AUTH TLS"));
        assert_eq!(script.replies.key("AUTH", "SSL"), Some("AUTH"));
        assert_eq!(script.replies.key("PASV", ""), None);
    }

    #[test]
    fn advertised_addresses_may_be_a_list() {
        let script = Script::from_toml("[passive]\nadvertise = ['192.0.2.1', '192.0.2.2']").unwrap();
        assert_eq!(script.passive.advertise.len(), 2);
    }
}
