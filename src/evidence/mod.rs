//! What was seen: plain data, no judgement and no I/O.
//!
//! Every fact says what happened, how it failed, or (`None`, an empty list) that it was not asked. What a fact *means*
//! is decided by the rules of [`crate::checks`] in one pure step, so a saved report can be diagnosed again
//! (`--from report.json`) and a bug report becomes a fixture.

mod audit;
mod connect;
mod dialogue;
mod idle;
mod offer;
mod path;
mod policy;
mod standin;
mod survey;
mod tls;
mod transfer;

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::ftp::Reply;

pub use audit::{
    AddressSetting, Audit, ConfigFile, Configuration, Effect, Firewall, HostState, Listener, Passage, Passes,
    Place, PublicLookup, RangeOrigin, RangeSetting, Remark, RemarkKind, Resolved, ServerConfig, Setting,
    holds_secret,
};
pub(crate) use connect::duration;
pub use connect::{Connect, IcmpError, Outcome};
pub use dialogue::{Answer, Entry, Loss, Speaker};
pub use idle::IdleTest;
pub use offer::{Announced, ColdProbe, Mode, Offer, Patience, PortRange, PortRangeError, Via, Visit};
pub use path::{Hop, PathFacts, Walk};
pub use policy::{PolicyFacts, Waiver};
pub use standin::{Access, Proof, ProofSpan, Refusal, SentReply, StandIn, proof_spans};
pub use survey::{PortState, RangeSource, Span, Survey, spans};
pub use tls::{
    Certificate, Chain, ControlTls, DataTls, Handshake, HandshakeOutcome, OldTls, Trust, Validity,
};
pub use transfer::{DataEnd, Fate, Transfer, Upload};

/// Everything that one run saw of one target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Evidence {
    /// What the user asked about.
    pub target: Target,
    /// What the user told us, as far as it changes what a fact means.
    #[serde(default)]
    pub told: Told,
    /// What is known of this host.
    #[serde(default)]
    pub client: Client,
    /// How the name became addresses; `None` if it never came to that.
    #[serde(default)]
    pub resolution: Option<Resolution>,
    /// One entry for each address of the target, in the order in which they were checked.
    #[serde(default)]
    pub endpoints: Vec<Endpoint>,
    /// What an audit read; `None` if this was no audit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<Audit>,
    /// Which checks ran, on what, and how long they took.
    #[serde(default)]
    pub steps: Vec<Step>,
}

/// The target as the user named it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Target {
    /// Host name or address literal.
    pub host: String,
    /// Control port, 1–65535.
    pub port: u16,
}

/// What the user told us beforehand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct Told {
    /// The passive port range that the administrator believes in (`--range`).
    #[serde(default)]
    pub range: Option<PortRange>,
    /// The address that the server should announce (`--public-address`).
    #[serde(default)]
    pub public_address: Option<IpAddr>,
    /// Whether credentials of a named user were to be used (`--user`).
    #[serde(default)]
    pub named_user: bool,
    /// Whether the user expects no public address (`--public-address none`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_public_address: bool,
    /// What the policy file asks for (`--policy`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyFacts>,
    /// Whether a bad certificate was to be gone past (`--insecure`).
    #[serde(default)]
    pub insecure: bool,
    /// Whether the target's own addresses alone were to be contacted, as the exporter does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own_addresses_only: bool,
    /// Days before the end of a certificate from which on it is worth a warning (`--cert-days`); 0 for the usual 21.
    #[serde(default)]
    pub cert_days: u32,
    /// What the user said of TLS, where that was more than `auto`.
    #[serde(default)]
    pub tls: Option<String>,
}

/// Facts about the host that the check runs on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Client {
    /// The networks of this host's own interfaces, as `address/prefix`.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub networks: Vec<IpNet>,
}

/// How the target's name was turned into addresses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Resolution {
    /// Who answered in the end: `literal`, `dns`, `system` or `given` (`--resolve`).
    pub source: ResolutionSource,
    /// What came of it.
    pub outcome: ResolutionOutcome,
    /// What the resolver said first, where the system's own resolver had to be asked instead.
    #[serde(default)]
    pub fallback_because: Option<String>,
    /// Milliseconds that it took.
    pub elapsed_ms: f64,
}

/// Who turned the name into addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ResolutionSource {
    /// The DNS servers of the system's configuration or of `--dns`, or the hosts file.
    Dns,
    /// The user, by `--resolve`.
    Given,
    /// Nobody: the target is an address.
    Literal,
    /// The operating system's own resolver.
    System,
}

/// What resolving the name led to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum ResolutionOutcome {
    /// At least one address.
    Addresses {
        /// In the order of the answer.
        addresses: Vec<IpAddr>,
    },
    /// The name exists and has no address (no A and no AAAA record).
    NoAddress,
    /// The name does not exist.
    NoSuchName,
    /// A DNS server answered with a failure, `SERVFAIL` for instance.
    ServerFailure {
        /// The response code in words.
        code: String,
    },
    /// No DNS server answered.
    ResolverSilent {
        /// What was seen instead of an answer.
        error: String,
    },
}

/// One address of the target and what was seen there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Endpoint {
    /// The address.
    pub address: IpAddr,
    /// Why this endpoint was left alone; it is not judged then.
    #[serde(default)]
    pub skipped: Option<String>,
    /// This host's own address on the control connection.
    #[serde(default)]
    pub local_address: Option<IpAddr>,
    /// The connect to the control port.
    #[serde(default)]
    pub control: Option<Connect>,
    /// The first thing that the server said.
    #[serde(default)]
    pub greeting: Option<Greeting>,
    /// What a TLS hello on a fresh connection brought, if one was sent.
    #[serde(default)]
    pub tls_hello: Option<TlsHello>,
    /// The answer to FEAT (RFC 2389 §3).
    #[serde(default)]
    pub features: Option<Answer>,
    /// TLS on the control connection; `None` if it was not tried.
    #[serde(default)]
    pub tls: Option<ControlTls>,
    /// How the login went.
    #[serde(default)]
    pub login: Option<Login>,
    /// Each passive offer (PASV or EPSV), in order.
    #[serde(default)]
    pub offers: Vec<Offer>,
    /// Connects to ports that no listener was announced on at that moment.
    #[serde(default)]
    pub cold: Vec<ColdProbe>,
    /// What is known of the way there; `None` if it was not walked.
    #[serde(default)]
    pub path: Option<PathFacts>,
    /// The survey of the passive range, if there was one.
    #[serde(default)]
    pub survey: Option<Survey>,
    /// Each transfer that was tried.
    #[serde(default)]
    pub transfers: Vec<Transfer>,
    /// The same server asked in clear text, where the session itself ran under TLS; `None` if that was not done.
    #[serde(default)]
    pub cleartext: Option<Cleartext>,
    /// What became of the control connection in a silence (`--idle`).
    #[serde(default)]
    pub idle: Vec<IdleTest>,
    /// Replies that no command asked for, as they came between others.
    #[serde(default)]
    pub unasked: Vec<Reply>,
    /// Each time the control connection was lost.
    #[serde(default)]
    pub losses: Vec<Loss>,
    /// Control connections that were opened, reconnects included.
    #[serde(default)]
    pub sessions: u32,
    /// The dialogue, line by line, without the password.
    #[serde(default)]
    pub dialogue: Vec<Entry>,
}

/// A second, short session in clear text, to compare: what a device on the way may do to a dialogue that it can read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Cleartext {
    /// The first thing that the server said; `None` if there was no connection.
    #[serde(default)]
    pub greeting: Option<Answer>,
    /// How the login went.
    #[serde(default)]
    pub login: Option<Login>,
    /// Its passive offers.
    #[serde(default)]
    pub offers: Vec<Offer>,
    /// Its listing, where one was needed.
    #[serde(default)]
    pub transfers: Vec<Transfer>,
    /// Each time its control connection was lost.
    #[serde(default)]
    pub losses: Vec<Loss>,
}

/// What the server said first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Greeting {
    /// The reply, silence, or whatever else came.
    pub answer: Answer,
    /// Milliseconds from the open connection to the greeting, or that were waited for it.
    pub elapsed_ms: f64,
    /// Milliseconds to the greeting of a second connection, or that were waited for it: asked where the first was late.
    /// `None` if it was not asked, or gave no greeting.
    #[serde(default)]
    pub repeated_ms: Option<f64>,
    /// The start of what was received, where it was no FTP reply.
    #[serde(default)]
    pub received: Option<String>,
    /// The refusal of a first try, where a second one a moment later was answered (our own earlier connection may
    /// still have counted).
    #[serde(default)]
    pub refused_before: Option<String>,
}

impl Greeting {
    /// Whether it is a mail server's, which begins with 220 too (RFC 5321 §4.2) and names its protocol.
    #[must_use]
    pub fn is_mail(&self) -> bool {
        let mail =
            |reply: &crate::ftp::Reply| reply.code == 220 && (reply.says("ESMTP") || reply.says(" SMTP "));
        self.answer.reply().is_some_and(mail)
    }
}

/// What a TLS hello brought (RFC 8446 §4.1.2; sent to a port that keeps silent).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TlsHello {
    /// A TLS handshake or alert record: the port speaks TLS.
    Answered,
    /// Something that is no TLS record.
    NotTls,
    /// Nothing, or the connection was closed.
    Unanswered,
}

/// How the login went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Login {
    /// The user name that was sent, `anonymous` by default.
    pub user: String,
    /// The answer to USER.
    #[serde(default)]
    pub user_answer: Option<Answer>,
    /// The answer to PASS; `None` when it was not sent.
    #[serde(default)]
    pub pass_answer: Option<Answer>,
    /// The answer to AUTH TLS, asked to learn whether TLS is offered before a password is sent (RFC 4217 §4).
    #[serde(default)]
    pub auth_tls: Option<Answer>,
    /// Why the credentials were kept back.
    #[serde(default)]
    pub withheld: Option<String>,
    /// Whether a named user's password crossed the network in clear.
    #[serde(default)]
    pub password_in_clear: bool,
}

impl Login {
    /// Whether the server let us in: 230, or 232 (RFC 2228 §5.3), or 202 after PASS.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        [&self.user_answer, &self.pass_answer]
            .into_iter()
            .flatten()
            .any(|answer| matches!(answer.code(), Some(230 | 232 | 202)))
    }
}

/// One check on one endpoint (or on the whole target), as it ran.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Step {
    /// The check's name, `passive-reply` for instance.
    pub check: String,
    /// The endpoint; `None` for a check of the whole target.
    #[serde(default)]
    pub endpoint: Option<IpAddr>,
    /// Milliseconds from the start of the run.
    pub started_ms: f64,
    /// Milliseconds that it took.
    pub duration_ms: f64,
    /// Why it did not run.
    #[serde(default)]
    pub skipped: Option<String>,
    /// Whether the time ran out while it was under way.
    #[serde(default)]
    pub out_of_time: bool,
}

impl Endpoint {
    /// An endpoint of which nothing is known yet.
    #[must_use]
    pub fn new(address: IpAddr) -> Self {
        Self {
            address,
            skipped: None,
            local_address: None,
            control: None,
            greeting: None,
            tls_hello: None,
            features: None,
            tls: None,
            login: None,
            offers: Vec::new(),
            cold: Vec::new(),
            path: None,
            survey: None,
            transfers: Vec::new(),
            cleartext: None,
            idle: Vec::new(),
            unasked: Vec::new(),
            losses: Vec::new(),
            sessions: 0,
            dialogue: Vec::new(),
        }
    }

    /// Whether the control connection opened.
    #[must_use]
    pub fn control_open(&self) -> bool {
        self.control.as_ref().is_some_and(|connect| connect.outcome == Outcome::Open)
    }

    /// Whether an FTP server greeted with 220 (RFC 959 §5.4).
    #[must_use]
    pub fn greeted(&self) -> bool {
        self.greeting
            .as_ref()
            .is_some_and(|greeting| greeting.answer.code() == Some(220) && !greeting.is_mail())
    }

    /// Whether its session, and its data, ran under TLS.
    #[must_use]
    pub fn under_tls(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.secured() && tls.login_refused.is_none())
    }

    /// Whether the login succeeded.
    #[must_use]
    pub fn logged_in(&self) -> bool {
        self.login.as_ref().is_some_and(Login::succeeded)
    }

    /// Round-trip time of the control connection in milliseconds.
    #[must_use]
    pub fn rtt_ms(&self) -> Option<f64> {
        self.control
            .as_ref()
            .filter(|connect| connect.outcome == Outcome::Open)
            .map(|connect| connect.elapsed_ms)
    }

    /// Transfers that were finished, by mode and way.
    #[must_use]
    pub fn completed(&self, mode: Mode, via: Via) -> bool {
        self.transfers
            .iter()
            .any(|transfer| transfer.mode == mode && transfer.via == via && transfer.completed())
    }

    /// Offers of one mode.
    #[must_use = "an iterator does nothing by itself"]
    pub fn offers_of(&self, mode: Mode) -> impl DoubleEndedIterator<Item = &Offer> {
        self.offers.iter().filter(move |offer| offer.mode == mode)
    }
}

impl Evidence {
    /// Endpoints that were not left alone.
    pub fn checked(&self) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.iter().filter(|endpoint| endpoint.skipped.is_none())
    }
}
