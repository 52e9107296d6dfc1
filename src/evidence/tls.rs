//! What was seen of TLS: handshakes, certificates, and how the session was protected (RFC 4217).

use serde::{Deserialize, Serialize};

use super::Answer;
use super::connect::duration;

/// TLS on the control connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ControlTls {
    /// Whether TLS began with the first byte (implicit FTPS) and not after AUTH.
    pub implicit: bool,
    /// The command that asked for it, `AUTH TLS` or `AUTH SSL`; `None` for implicit TLS.
    #[serde(default)]
    pub command: Option<String>,
    /// The answer to it.
    #[serde(default)]
    pub answer: Option<Answer>,
    /// The handshake, if it came to one.
    #[serde(default)]
    pub handshake: Option<Handshake>,
    /// The certificates that the server showed.
    #[serde(default)]
    pub chain: Option<Chain>,
    /// What a server that takes no version of ours would have spoken.
    #[serde(default)]
    pub old: Option<OldTls>,
    /// The answer to PBSZ 0 (RFC 4217 §8).
    #[serde(default)]
    pub pbsz: Option<Answer>,
    /// The answer to PROT P (RFC 4217 §9).
    #[serde(default)]
    pub prot: Option<Answer>,
    /// The answer to PROT C, where it was asked: whether the server takes data in clear.
    #[serde(default)]
    pub prot_clear: Option<Answer>,
    /// The answer to an anonymous login under TLS that was refused, after which the session went on in clear.
    #[serde(default)]
    pub login_refused: Option<Answer>,
    /// Why the session went no further: our own decision.
    #[serde(default)]
    pub stopped: Option<String>,
}

impl ControlTls {
    /// Whether the control connection was secured.
    #[must_use]
    pub fn secured(&self) -> bool {
        self.handshake.as_ref().is_some_and(Handshake::done)
    }

    /// Whether data connections were to be secured too.
    #[must_use]
    pub fn private_data(&self) -> bool {
        self.secured() && self.prot.as_ref().is_some_and(Answer::positive)
    }
}

/// One TLS handshake.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Handshake {
    /// What came of it.
    #[serde(flatten)]
    pub outcome: HandshakeOutcome,
    /// Whether a session of the control connection was there to be resumed, and was offered.
    pub offered_session: bool,
    /// Milliseconds from our hello to the end of it.
    pub elapsed_ms: f64,
}

/// What came of a TLS handshake.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "handshake", rename_all = "kebab-case")]
pub enum HandshakeOutcome {
    /// The server sent a fatal alert (RFC 8446 §6).
    Alert {
        /// Its name as in the RFC: `handshake_failure`.
        alert: String,
    },
    /// The connection ended.
    Closed {
        /// Whether by a reset.
        reset: bool,
    },
    /// It succeeded.
    Done {
        /// `TLS 1.3`.
        version: String,
        /// The cipher suite's name.
        cipher: String,
        /// Whether an earlier session was resumed.
        resumed: bool,
    },
    /// It failed on our side.
    Failed {
        /// Why, in words.
        error: String,
    },
    /// Something that is no TLS came instead.
    NotTls {
        /// The start of it.
        received: String,
    },
    /// Nothing came within the time given.
    Silent {
        /// Milliseconds waited.
        waited_ms: f64,
    },
}

impl Handshake {
    /// Whether it succeeded.
    #[must_use]
    pub fn done(&self) -> bool {
        matches!(self.outcome, HandshakeOutcome::Done { .. })
    }

    /// Whether a session was resumed.
    #[must_use]
    pub fn resumed(&self) -> bool {
        matches!(self.outcome, HandshakeOutcome::Done { resumed: true, .. })
    }

    /// Whether the other side reacted to our hello at all.
    #[must_use]
    pub fn answered(&self) -> bool {
        !matches!(self.outcome, HandshakeOutcome::Silent { .. } | HandshakeOutcome::Closed { .. })
    }

    /// The outcome in words: `TLS 1.3, resumed`.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.outcome {
            HandshakeOutcome::Alert { alert } => format!("the server's alert {alert}"),
            HandshakeOutcome::Closed { reset: false } => "the server closed the connection".to_owned(),
            HandshakeOutcome::Closed { reset: true } => "the connection was reset".to_owned(),
            HandshakeOutcome::Done { version, resumed, .. } => {
                format!("{version}{}", if *resumed { ", session resumed" } else { ", full handshake" })
            }
            HandshakeOutcome::Failed { error } => error.clone(),
            HandshakeOutcome::NotTls { received } => format!("no TLS but \"{received}\""),
            HandshakeOutcome::Silent { waited_ms } => format!("no answer within {}", duration(*waited_ms)),
        }
    }
}

/// The certificates of a full handshake, first the server's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Chain {
    /// The name that was expected: the target's.
    pub expected_name: String,
    /// The certificates, at most ten.
    pub certificates: Vec<Certificate>,
    /// Whether a root that this host trusts vouches for them, dates and name aside.
    pub trust: Trust,
    /// Whether the first one is for the expected name.
    pub name_matches: bool,
}

impl Chain {
    /// The server's own certificate.
    #[must_use]
    pub fn own(&self) -> Option<&Certificate> {
        self.certificates.first()
    }

    /// Whether a client that checks certificates goes on.
    #[must_use]
    pub fn good(&self) -> bool {
        let in_time = self.own().is_some_and(|own| own.validity == Validity::Now);
        self.trust == Trust::Trusted && self.name_matches && in_time
    }
}

/// Whether certificates lead to a root that this host trusts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "trust", rename_all = "kebab-case")]
pub enum Trust {
    /// They do.
    Trusted,
    /// They do not.
    Untrusted {
        /// Why, in words.
        reason: String,
    },
}

/// What stands in a certificate (RFC 5280).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Certificate {
    /// The subject, `CN=ftp.example.com`.
    pub subject: String,
    /// The issuer.
    pub issuer: String,
    /// The names and addresses that it is for (subjectAltName, or the common name without any).
    pub names: Vec<String>,
    /// First moment of validity, RFC 3339.
    pub not_before: String,
    /// Last moment of validity, RFC 3339.
    pub not_after: String,
    /// Whole days until then, seen from the run; negative once it is over.
    pub days_left: i64,
    /// Where the run lies within the validity.
    pub validity: Validity,
    /// Kind and size of the key: `EC 256`, `RSA 2048`.
    pub key: String,
    /// SHA-256 of the whole, as hexadecimal digits.
    pub sha256: String,
}

impl Certificate {
    /// Whether it vouches for itself.
    #[must_use]
    pub fn self_signed(&self) -> bool {
        self.subject == self.issuer
    }
}

/// Where a moment lies within the validity of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Validity {
    /// It was over before.
    Expired,
    /// It had not begun.
    NotYet,
    /// Inside.
    Now,
}

/// The answer of a server to a hello that old versions may answer too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OldTls {
    /// The version that it chose: `TLS 1.0`.
    pub version: String,
    /// The number of the cipher suite that it chose (IANA), as four hexadecimal digits.
    pub cipher: String,
}

/// TLS on a data connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DataTls {
    /// Whether the control connection's session was to be resumed, or a full handshake made on purpose.
    pub reuse: bool,
    /// The handshake; `None` if it was not over when the transfer ended.
    #[serde(default)]
    pub handshake: Option<Handshake>,
    /// Whether the server showed another certificate than on the control connection.
    #[serde(default)]
    pub other_certificate: bool,
    /// Whether the server announced the end (`close_notify`, RFC 8446 §6.1); many do not.
    #[serde(default)]
    pub close_notify: Option<bool>,
}
