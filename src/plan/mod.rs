//! What will be done: targets, limits, which checks, what may be contacted. Plain data, printed by `--dry-run`.

mod target;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use target::{Request, TargetError};

use crate::evidence::{PolicyFacts, PortRange, Target};
use crate::ftp::{Argument, Secret};
use crate::net::survey::Rate;
use crate::net::tls::TlsOptions;
use crate::standin::SharedSecret;
use crate::threshold::Thresholds;

/// Everything that one run will do.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// Whom to check.
    pub target: Target,
    /// The directory of an `ftp://` URL, entered before the listing.
    #[serde(serialize_with = "shown_argument")]
    pub directory: Option<Argument>,
    /// As whom to log in.
    pub login: Credentials,
    /// What to do about TLS.
    pub tls: TlsPlan,
    /// The passive range that the administrator believes in.
    pub range: Option<PortRange>,
    /// Whether every port of the range is surveyed.
    pub scan: bool,
    /// How fast a survey may go.
    #[serde(serialize_with = "shown_rate")]
    pub rate: Rate,
    /// The address that the server should announce.
    pub public_address: Option<IpAddr>,
    /// What the policy file asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyFacts>,
    /// What a stand-in (`pasvcheck serve`) has to be told before it gives proofs.
    #[serde(skip)]
    pub stand_in_secret: Option<SharedSecret>,
    /// The file to fetch.
    #[serde(serialize_with = "shown_argument")]
    pub download: Option<Argument>,
    /// Bytes to upload, to a file of our own that is removed afterwards.
    pub upload: Option<u64>,
    /// How long the control connection is kept silent, to see whether it lives on.
    #[serde(serialize_with = "shown_seconds")]
    pub idle: Option<Duration>,
    /// Which address families to check.
    pub families: Families,
    /// Whether private addresses named by the server may be contacted from anywhere.
    pub follow_private: bool,
    /// Whether the target's own addresses alone may be contacted, whatever a reply names: for services that check whom others
    /// name.
    pub own_addresses_only: bool,
    /// The checks that run, in order.
    pub checks: Vec<&'static str>,
    /// How long to wait for what.
    pub limits: Limits,
    /// How long the check and its data connections may take.
    pub thresholds: Thresholds,
    /// Words of the targets file that the report carries along.
    pub labels: BTreeMap<String, String>,
}

/// The port of implicit FTPS: it waits for a TLS hello and never greets in clear (IANA `ftps`).
pub const IMPLICIT_TLS_PORT: u16 = 990;

/// The pace of a survey where none is given: a thousand connects a second.
pub const DEFAULT_RATE: Rate = Rate::PerSecond(1000);

/// Most bytes that an upload may have: enough to measure any path, and bearable for a disk.
pub const UPLOAD_LIMIT: u64 = 1 << 30;

/// As whom to log in.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case", tag = "as")]
pub enum Credentials {
    /// `anonymous` with a mail address for a password, as RFC 1635 has it.
    Anonymous,
    /// A named user.
    Named {
        /// The name.
        #[serde(serialize_with = "shown")]
        user: Argument,
        /// The password.
        #[serde(skip)]
        password: Secret,
    },
}

/// What to do about TLS.
#[derive(Clone, Debug, Serialize)]
pub struct TlsPlan {
    /// Whether and how.
    pub mode: TlsUse,
    /// Whether a named user's password is sent although the certificate is bad.
    pub insecure: bool,
    /// Days before the end of a certificate from which on it is worth a warning.
    pub cert_days: u32,
    /// Whether a named user's password may cross the network in clear to compare both ways. Anonymous logins always are.
    pub compare_cleartext: bool,
    /// Roots and certificate of the user.
    #[serde(skip)]
    pub options: Arc<TlsOptions>,
}

impl Default for TlsPlan {
    fn default() -> Self {
        Self {
            mode: TlsUse::Auto,
            insecure: false,
            cert_days: CERT_DAYS,
            compare_cleartext: false,
            options: Arc::default(),
        }
    }
}

/// Days before the end of a certificate from which on it is worth a warning: three weeks, by when automatic renewal has
/// failed.
pub const CERT_DAYS: u32 = 21;

/// Whether and how TLS is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsUse {
    /// Where the server offers it; implicit on port 990. A named user's password is never sent in clear to a server that
    /// offers TLS.
    #[default]
    Auto,
    /// AUTH TLS, or nothing (RFC 4217).
    Explicit,
    /// TLS from the first byte, as on port 990.
    Implicit,
    /// Stay in clear, whatever the server offers.
    Off,
    /// As `Auto`, and nothing without it.
    Required,
}

impl TlsUse {
    /// As on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Explicit => "explicit",
            Self::Implicit => "implicit",
            Self::Off => "off",
            Self::Required => "required",
        }
    }
}

/// Which address families to check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Families {
    /// IPv4 and IPv6.
    #[default]
    Both,
    /// IPv4 alone.
    Ipv4,
    /// IPv6 alone.
    Ipv6,
}

impl Families {
    /// Whether addresses of this kind are wanted.
    #[must_use]
    pub fn wants(self, address: IpAddr) -> bool {
        match self {
            Self::Both => true,
            Self::Ipv4 => address.is_ipv4(),
            Self::Ipv6 => address.is_ipv6(),
        }
    }
}

/// How long to wait for what. Deadlines nest: a connect ends before its check, a check before the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// The whole run.
    #[serde(with = "in_seconds")]
    pub run: Duration,
    /// Resolving the name. A resolver with two servers takes 5 s for the first of them.
    #[serde(with = "in_seconds")]
    pub resolve: Duration,
    /// One connect, at the most (`--timeout`).
    #[serde(with = "in_seconds")]
    pub connect: Duration,
    /// The greeting: servers that look our name up, or ask an ident service, take 30 s.
    #[serde(with = "in_seconds")]
    pub greeting: Duration,
    /// Silence before the greeting after which the port is asked whether it expects TLS.
    #[serde(with = "in_seconds")]
    pub greeting_before_tls: Duration,
    /// One reply.
    #[serde(with = "in_seconds")]
    pub reply: Duration,
    /// One TLS handshake.
    #[serde(with = "in_seconds")]
    pub handshake: Duration,
    /// The reply to PASS: a failed login is delayed on purpose, up to 12 s by Pure-FTPd.
    #[serde(with = "in_seconds")]
    pub login: Duration,
    /// A data connect that decides nothing by its silence; two round trips are added.
    #[serde(with = "in_seconds")]
    pub quick: Duration,
    /// A data connect whose silence counts: SYNs go out at 0, 1 and 3 s (RFC 6298 §2), so two may be lost. Two round
    /// trips are added.
    #[serde(with = "in_seconds")]
    pub patient: Duration,
    /// The same for a second decision on the same path, where one SYN may be lost.
    #[serde(with = "in_seconds")]
    pub second: Duration,
    /// The first sign of a transfer: a reply or a byte.
    #[serde(with = "in_seconds")]
    pub first_sign: Duration,
    /// A pause in a transfer after which it counts as stalled.
    #[serde(with = "in_seconds")]
    pub stall: Duration,
    /// The closing reply after the data has ended.
    #[serde(with = "in_seconds")]
    pub completion: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let ms = Duration::from_millis;
        Self {
            run: ms(60_000),
            resolve: ms(8_000),
            connect: ms(5_000),
            greeting: ms(35_000),
            greeting_before_tls: ms(5_000),
            reply: ms(10_000),
            handshake: ms(10_000),
            login: ms(20_000),
            quick: ms(350),
            patient: ms(3_200),
            second: ms(1_200),
            first_sign: ms(12_000),
            stall: ms(10_000),
            completion: ms(10_000),
        }
    }
}

impl Limits {
    /// All limits shortened by a factor, but none below `floor`. For scenarios, where nothing is far away.
    #[must_use]
    pub fn scaled(self, factor: f64, floor: Duration) -> Self {
        let scale = |duration: Duration| duration.mul_f64(factor).max(floor);
        Self {
            run: self.run,
            resolve: scale(self.resolve),
            connect: scale(self.connect),
            greeting: scale(self.greeting),
            greeting_before_tls: scale(self.greeting_before_tls),
            reply: scale(self.reply),
            handshake: scale(self.handshake),
            login: scale(self.login),
            quick: scale(self.quick),
            patient: scale(self.patient),
            second: scale(self.second),
            first_sign: scale(self.first_sign),
            stall: scale(self.stall),
            completion: scale(self.completion),
        }
    }
}

impl Plan {
    /// The default check of a target.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self {
            target,
            directory: None,
            login: Credentials::Anonymous,
            tls: TlsPlan::default(),
            range: None,
            scan: false,
            rate: DEFAULT_RATE,
            public_address: None,
            policy: None,
            stand_in_secret: None,
            download: None,
            upload: None,
            idle: None,
            families: Families::Both,
            follow_private: false,
            own_addresses_only: false,
            checks: crate::checks::network().map(|check| check.name).collect(),
            limits: Limits::default(),
            thresholds: Thresholds::default(),
            labels: BTreeMap::new(),
        }
    }

    /// Whether TLS begins with the first byte.
    #[must_use]
    pub fn implicit_tls(&self) -> bool {
        let usual = self.target.port == IMPLICIT_TLS_PORT;
        match self.tls.mode {
            TlsUse::Implicit => true,
            TlsUse::Auto | TlsUse::Required => usual,
            TlsUse::Explicit | TlsUse::Off => false,
        }
    }

    /// Whether a check of that name runs.
    #[must_use]
    pub fn runs(&self, check: &str) -> bool {
        self.checks.contains(&check)
    }
}

fn shown<S: serde::Serializer>(argument: &Argument, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(argument.as_str())
}

#[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
fn shown_argument<S: serde::Serializer>(argument: &Option<Argument>, to: S) -> Result<S::Ok, S::Error> {
    argument.as_ref().map(Argument::as_str).serialize(to)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference to the field")]
fn shown_rate<S: serde::Serializer>(rate: &Rate, to: S) -> Result<S::Ok, S::Error> {
    match rate {
        Rate::Max => to.serialize_str("max"),
        Rate::PerSecond(rate) => to.serialize_u32(*rate),
    }
}

#[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
fn shown_seconds<S: serde::Serializer>(duration: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
    duration.map(|duration| duration.as_secs_f64()).serialize(to)
}

mod in_seconds {
    use std::time::Duration;

    pub(super) fn serialize<S: serde::Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(duration.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_nest() {
        let limits = Limits::default();
        for (name, part) in [
            ("resolve", limits.resolve),
            ("connect", limits.connect),
            ("greeting", limits.greeting),
            ("login", limits.login),
            ("transfer", limits.first_sign + limits.stall + limits.completion),
        ] {
            assert!(part < limits.run, "{name}");
        }
        assert!(
            limits.quick < limits.second && limits.second < limits.patient && limits.patient < limits.connect
        );
    }

    #[test]
    fn a_verdict_on_silent_ports_comes_within_eight_seconds() {
        // Three PASV and two EPSV visits, then the two that decide; what is left is for the dialogue.
        let limits = Limits::default();
        assert!(limits.quick * 5 + limits.patient + limits.second < Duration::from_secs(7));
    }
}
