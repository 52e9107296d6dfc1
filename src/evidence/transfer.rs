//! Transfers: what happened from the transfer command to its last reply.

use serde::{Deserialize, Serialize};

use super::{Answer, Connect, DataTls, Mode, Via};

/// One LIST, RETR or STOR over a data connection of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Transfer {
    /// How the data port was asked for.
    pub mode: Mode,
    /// Which address the data connection went to.
    pub via: Via,
    /// The command as sent: `LIST`, `RETR /path` or `STOR name`.
    pub command: String,
    /// The data connection.
    pub data: Connect,
    /// The segment size that the server was held to, in bytes; `None` for the usual one.
    #[serde(default)]
    pub segment: Option<u16>,
    /// TLS on the data connection; `None` for one in clear.
    #[serde(default)]
    pub tls: Option<DataTls>,
    /// The first reply: 125 or 150 (RFC 959 §5.4), or a refusal.
    #[serde(default)]
    pub preliminary: Option<Answer>,
    /// The last reply: 226 or 250 when all went well; `None` if the first one ended it.
    #[serde(default)]
    pub completion: Option<Answer>,
    /// Bytes received on the data connection; of an upload those that the system took to send.
    pub bytes: u64,
    /// Milliseconds from the command to the first byte.
    #[serde(default)]
    pub first_byte_ms: Option<f64>,
    /// Milliseconds from the command to the end.
    pub elapsed_ms: f64,
    /// How the data connection ended.
    #[serde(default)]
    pub end: Option<DataEnd>,
    /// Bytes that the server said it would send (SIZE, or the number in its 150); of an upload those that were to be sent.
    #[serde(default)]
    pub expected_bytes: Option<u64>,
    /// Whether we ended it: a listing without an end proves as much by its first megabytes.
    #[serde(default)]
    pub capped: bool,
    /// The start of what was received, where it is no listing but another service's greeting.
    #[serde(default)]
    pub foreign_greeting: Option<String>,
    /// What an upload has beside; `None` for a listing or a download.
    #[serde(default)]
    pub upload: Option<Upload>,
}

/// What an upload has beside the facts of every transfer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Upload {
    /// The file's name, in the directory that the session was in.
    pub file: String,
    /// What SIZE said of it afterwards, in TYPE I (RFC 3659 §4); `None` if that was not asked.
    #[serde(default)]
    pub stored: Option<Answer>,
    /// What became of the file.
    pub fate: Fate,
}

/// What became of a file that an upload wrote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "fate", rename_all = "kebab-case")]
pub enum Fate {
    /// The server refused the upload before there could be a file.
    NotBegun,
    /// The server confirmed that it removed it.
    Removed,
    /// The answer to DELE, which is no confirmation.
    Answered {
        /// The answer.
        answer: Answer,
    },
    /// The server could not be asked to remove it: no session was to be had, or the time was up.
    NotAsked,
}

impl Upload {
    /// Bytes that the server holds, as far as it told.
    #[must_use]
    pub fn stored_bytes(&self) -> Option<u64> {
        let reply = self.stored.as_ref()?.reply().filter(|reply| reply.code == 213)?;
        reply.text().trim().parse().ok()
    }
}

/// How a data connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "end", rename_all = "kebab-case")]
pub enum DataEnd {
    /// The server closed it in order; of an upload: after our end, or it confirmed that all is there.
    Closed,
    /// A TCP reset.
    Reset,
    /// Still open, and nothing came for so long.
    Stalled {
        /// Milliseconds without a byte.
        silent_ms: f64,
    },
    /// Its TLS handshake failed.
    Unsecured,
}

impl Transfer {
    /// Whether it was finished in order: the data ended and the server confirmed with 226 or 250.
    #[must_use]
    pub fn completed(&self) -> bool {
        if self.capped {
            return self.foreign_greeting.is_none();
        }
        self.end == Some(DataEnd::Closed)
            && matches!(self.completion.as_ref().and_then(Answer::code), Some(226 | 250))
            && self.expected_bytes.is_none_or(|expected| self.bytes >= expected)
            && !self.stored_short()
            && self.foreign_greeting.is_none()
    }

    /// Whether it proves that its way works: finished, and without our help.
    #[must_use]
    pub fn proves(&self) -> bool {
        self.completed() && self.segment.is_none()
    }

    /// Whether it failed at TLS: the handshake itself, or the server's word afterwards that it will not have it.
    #[must_use]
    pub fn failed_at_tls(&self) -> bool {
        let Some(tls) = &self.tls else { return false };
        // Where the server gave no sign of life at all it may never have seen the connection.
        let begun = self.preliminary.as_ref().and_then(Answer::code).is_some_and(|code| code < 200);
        let broken = tls
            .handshake
            .as_ref()
            .is_some_and(|handshake| !handshake.done() && (handshake.answered() || begun))
            && !matches!(self.end, Some(DataEnd::Stalled { .. }));
        broken || (self.bytes == 0 && !self.completed() && self.refusal().is_some_and(refuses_tls))
    }

    /// Whether bytes stopped flowing although the server had begun.
    #[must_use]
    pub fn stalled(&self) -> bool {
        let began =
            self.bytes > 0 || self.preliminary.as_ref().is_some_and(|answer| answer.reply().is_some());
        began && matches!(self.end, Some(DataEnd::Stalled { .. })) && self.foreign_greeting.is_none()
    }

    /// Whether the server has less of an upload than was sent, by its own word.
    #[must_use]
    pub fn stored_short(&self) -> bool {
        self.upload.as_ref().and_then(Upload::stored_bytes).is_some_and(|stored| stored < self.bytes)
    }

    /// Whether the server may have begun to write: of an upload that it did not refuse at once. vsftpd makes the file
    /// before it looks for the data connection and its TLS (425, 522).
    #[must_use]
    pub fn may_have_written(&self) -> bool {
        let refused = self.preliminary.as_ref().and_then(Answer::code).filter(|code| *code >= 400);
        self.upload.is_some() && refused.is_none_or(|code| matches!(code, 420..=429 | 522))
    }

    /// Whether our own deadline ended it: neither side had said its last.
    #[must_use]
    pub fn unfinished(&self) -> bool {
        self.data.open()
            && self.end.is_none()
            && self.completion.is_none()
            && !self.preliminary.as_ref().is_some_and(Answer::negative)
            && !self.capped
            && self.preliminary.as_ref().is_none_or(|answer| answer.reply().is_some())
    }

    /// The first refusal (a reply of 400 or more) among its replies.
    #[must_use]
    pub fn refusal(&self) -> Option<&crate::ftp::Reply> {
        [&self.preliminary, &self.completion]
            .into_iter()
            .flatten()
            .filter(|answer| answer.negative())
            .find_map(Answer::reply)
    }

    /// Bytes a second, over the time from the command to the end.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    pub fn rate(&self) -> f64 {
        self.bytes as f64 / (self.elapsed_ms.max(0.001) / 1000.0)
    }
}

/// Words of servers that do not take the TLS of a data connection: vsftpd 522, `FileZilla` Server 425, `ProFTPD` 425, AWS
/// Transfer 522; the codes alone stand for other things too.
fn refuses_tls(reply: &crate::ftp::Reply) -> bool {
    const WORDS: &[&str] = &[
        "session reuse",
        "not resumed",
        "cached tls session",
        "ssl connection failed",
        "tls connection failed",
        "unable to build data connection: operation not permitted",
        "tls session",
        "tls handshake",
    ];
    matches!(reply.code, 421 | 425 | 426 | 450 | 522) && WORDS.iter().any(|words| reply.says(words))
}
