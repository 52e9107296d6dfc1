//! Commands: what we say, one whole CRLF line at a time (strict firewalls cut a session over less).

use std::fmt;

use crate::evidence::Mode;

/// An argument that is safe to put into a command line: no CR, LF or NUL, which would start a command of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument(String);

/// Why a text cannot be an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it holds a line break or a NUL, which would be sent as a command of its own")]
pub struct ArgumentError;

impl Argument {
    /// Takes the text if it is safe.
    pub fn new(text: impl Into<String>) -> Result<Self, ArgumentError> {
        let text = text.into();
        if text.contains(['\r', '\n', '\0']) { Err(ArgumentError) } else { Ok(Self(text)) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a file that an upload writes and removes again: `pasvcheck-….tmp`. There is no other way to make one, so
/// that no command of ours can write over or remove somebody else's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName(Argument);

impl FileName {
    /// A name from the time (nanoseconds since 1970) and the process id: two checks at the same moment, also on two
    /// hosts, do not meet.
    #[must_use]
    pub fn new(nanoseconds: u128, process: u32) -> Self {
        Self(Argument(format!("pasvcheck-{nanoseconds:x}-{process:x}.tmp")))
    }

    /// Whether a name is one that [`new`](Self::new) makes.
    #[must_use]
    pub fn is_ours(name: &str) -> bool {
        let middle = name.strip_prefix("pasvcheck-").and_then(|rest| rest.strip_suffix(".tmp"));
        middle.is_some_and(|middle| middle.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The name for commands that only look.
    #[must_use]
    pub fn argument(&self) -> Argument {
        self.0.clone()
    }
}

/// A password. It is shown nowhere: neither `Debug` nor `Display` have it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Argument);

impl Secret {
    /// Takes the password if it can be sent.
    pub fn new(text: impl Into<String>) -> Result<Self, ArgumentError> {
        Argument::new(text).map(Self)
    }

    /// The text with every occurrence of the password replaced, for what a server echoes.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        let secret = self.0.as_str();
        if secret.is_empty() { text.to_owned() } else { text.replace(secret, "***") }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// The commands that pasvcheck knows. There is no PORT and no `EPSV ALL`; what writes names a [`FileName`] of our own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `AUTH SSL`, the older name, which some servers alone know.
    AuthSsl,
    /// `AUTH TLS` (RFC 4217 §4).
    AuthTls,
    /// `CSID`, which makes `ProFTPD` tell its version.
    Csid,
    /// `CWD` (RFC 959 §4.1.1).
    Cwd(Argument),
    /// `DELE` (RFC 959 §4.1.3), of a file that we wrote.
    Dele(FileName),
    /// `FEAT` (RFC 2389 §3).
    Feat,
    /// `LIST` (RFC 959 §4.1.3), of the current directory.
    List,
    /// `NOOP` (RFC 959 §4.1.3).
    Noop,
    /// `PASS` (RFC 959 §4.1.1).
    Pass(Secret),
    /// `PASV` (RFC 959 §4.1.2) or `EPSV` without argument (RFC 2428 §3).
    Passive(Mode),
    /// `PBSZ 0`: no buffer, which TLS needs none of, and still it has to be said (RFC 4217 §8).
    Pbsz,
    /// `PROT C`: data connections in clear (RFC 4217 §9).
    ProtClear,
    /// `PROT P`: data connections under TLS (RFC 4217 §9).
    ProtPrivate,
    /// `QUIT` (RFC 959 §4.1.1).
    Quit,
    /// `RETR` (RFC 959 §4.1.3).
    Retr(Argument),
    /// `SITE` (RFC 959 §4.1.3), which only pasvcheck's own stand-in is asked.
    Site(Argument),
    /// `SIZE` (RFC 3659 §4).
    Size(Argument),
    /// `STOR` (RFC 959 §4.1.3), of a file of our own naming.
    Stor(FileName),
    /// `SYST` (RFC 959 §4.1.3).
    Syst,
    /// `TYPE I` (RFC 959 §4.1.2): SIZE counts the bytes of this type.
    TypeImage,
    /// `USER` (RFC 959 §4.1.1).
    User(Argument),
}

impl Command {
    /// The verb alone, fit for any report.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        match self {
            Self::AuthSsl | Self::AuthTls => "AUTH",
            Self::Csid => "CSID",
            Self::Cwd(_) => "CWD",
            Self::Dele(_) => "DELE",
            Self::Feat => "FEAT",
            Self::List => "LIST",
            Self::Noop => "NOOP",
            Self::Pass(_) => "PASS",
            Self::Passive(mode) => mode.verb(),
            Self::Pbsz => "PBSZ",
            Self::ProtClear | Self::ProtPrivate => "PROT",
            Self::Quit => "QUIT",
            Self::Retr(_) => "RETR",
            Self::Site(_) => "SITE",
            Self::Size(_) => "SIZE",
            Self::Stor(_) => "STOR",
            Self::Syst => "SYST",
            Self::TypeImage => "TYPE",
            Self::User(_) => "USER",
        }
    }

    /// The line as it may be shown: a password is never in it.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Pass(_) => "PASS ***".to_owned(),
            other => other.line(),
        }
    }

    /// The bytes that go to the server.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        format!("{}\r\n", self.line()).into_bytes()
    }

    fn line(&self) -> String {
        match self {
            Self::AuthSsl => "AUTH SSL".to_owned(),
            Self::AuthTls => "AUTH TLS".to_owned(),
            Self::Pbsz => "PBSZ 0".to_owned(),
            Self::ProtClear => "PROT C".to_owned(),
            Self::ProtPrivate => "PROT P".to_owned(),
            Self::Csid => "CSID Name=pasvcheck;".to_owned(),
            Self::Cwd(directory) => format!("CWD {}", directory.as_str()),
            Self::Dele(file) => format!("DELE {}", file.as_str()),
            Self::Pass(secret) => format!("PASS {}", secret.0.as_str()),
            Self::Retr(path) => format!("RETR {}", path.as_str()),
            Self::Site(words) => format!("SITE {}", words.as_str()),
            Self::Size(path) => format!("SIZE {}", path.as_str()),
            Self::Stor(file) => format!("STOR {}", file.as_str()),
            Self::TypeImage => "TYPE I".to_owned(),
            Self::User(name) => format!("USER {}", name.as_str()),
            other => other.verb().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_are_refused() {
        for text in ["a\r\nDELE x", "a\nb", "a\rb", "a\0b"] {
            assert_eq!(Argument::new(text), Err(ArgumentError));
            assert!(Secret::new(text).is_err());
        }
    }

    #[test]
    fn a_password_is_sent_and_never_shown() {
        let secret = Secret::new("hunter2").unwrap();
        let command = Command::Pass(secret.clone());
        assert_eq!(command.bytes(), b"PASS hunter2\r\n");
        assert_eq!(command.shown(), "PASS ***");
        assert!(!format!("{command:?}").contains("hunter2"));
        assert_eq!(secret.scrub("530 hunter2 is wrong, hunter2"), "530 *** is wrong, ***");
        assert_eq!(Secret::new("").unwrap().scrub("230 in"), "230 in");
    }

    #[test]
    fn commands_are_whole_lines() {
        let file = FileName::new(0x1234, 0xab);
        assert_eq!(Command::Stor(file.clone()).bytes(), b"STOR pasvcheck-1234-ab.tmp\r\n");
        assert!(FileName::is_ours(file.as_str()) && !FileName::is_ours("pasvcheck-1;reboot.tmp"));
        assert_eq!(Command::Dele(file).shown(), "DELE pasvcheck-1234-ab.tmp");
        assert_eq!(Command::Passive(Mode::Epsv).bytes(), b"EPSV\r\n");
        assert_eq!(Command::Retr(Argument::new("a b").unwrap()).bytes(), b"RETR a b\r\n");
    }
}
