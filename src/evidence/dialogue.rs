//! The control dialogue as facts.

use serde::{Deserialize, Serialize};

use crate::ftp::Reply;

/// What came back after a command, or instead of a greeting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// The server closed the connection (`reset`: by a TCP reset) before a whole reply.
    Closed {
        /// Whether by a reset instead of an orderly end.
        reset: bool,
    },
    /// Bytes that are no FTP reply (RFC 959 §4.2), or too many of them.
    Garbled {
        /// What was wrong with them.
        problem: String,
    },
    /// A reply.
    Reply(Reply),
    /// Nothing within the time given.
    Silence {
        /// Milliseconds waited.
        waited_ms: f64,
    },
}

impl Answer {
    /// The reply, if one came.
    #[must_use]
    pub fn reply(&self) -> Option<&Reply> {
        match self {
            Self::Reply(reply) => Some(reply),
            _ => None,
        }
    }

    /// The reply code, if a reply came.
    #[must_use]
    pub fn code(&self) -> Option<u16> {
        self.reply().map(|reply| reply.code)
    }

    /// Whether a reply with a code of 200 to 299 came.
    #[must_use]
    pub fn positive(&self) -> bool {
        self.code().is_some_and(|code| (200..300).contains(&code))
    }

    /// Whether a reply with a code of 400 to 599 came.
    #[must_use]
    pub fn negative(&self) -> bool {
        self.code().is_some_and(|code| code >= 400)
    }

    /// The answer in words: the reply as received, or what came in its place.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Closed { reset: false } => "the server closed the connection".to_owned(),
            Self::Closed { reset: true } => "the connection was reset".to_owned(),
            Self::Garbled { problem } => problem.clone(),
            Self::Reply(reply) => format!("\"{}\"", reply.last_line()),
            Self::Silence { waited_ms } => {
                format!("no answer within {}", super::connect::duration(*waited_ms))
            }
        }
    }
}

/// One line of the dialogue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Entry {
    /// Milliseconds from the start of the run.
    pub at_ms: f64,
    /// Who said it.
    pub from: Speaker,
    /// The line without its line end; never a password.
    pub line: String,
}

/// Who a line of the dialogue is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Speaker {
    /// pasvcheck.
    Client,
    /// pasvcheck, about the connection: opened, closed, data connections.
    Note,
    /// The server.
    Server,
}

/// A control connection that ended before we ended it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Loss {
    /// The command whose reply was awaited, without its argument.
    pub after: Option<String>,
    /// How it ended: closed, reset, or silence.
    pub how: Answer,
    /// The last reply before the end: a server that gives up often says why one reply earlier.
    #[serde(default)]
    pub last_reply: Option<Reply>,
    /// The command that this reply answered.
    #[serde(default)]
    pub last_command: Option<String>,
    /// Clear text that came in the middle of a TLS session: vsftpd writes its last words so.
    #[serde(default)]
    pub in_clear: Option<String>,
}
