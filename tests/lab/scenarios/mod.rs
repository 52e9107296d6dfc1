//! The scenarios, as data: what is configured, and what must and must not be found.
//!
//! One file for each heading of the mission, one for set-ups in which nothing may be raised, one for doing no harm and
//! one for the slow link, and one for what comes before a deployment. A case runs once on each server in `on`.

mod address;
mod far;
mod firewalls;
mod gentle;
mod healthy;
mod ipv6;
mod nat;
mod ranges;
mod setup;
mod timeouts;
mod tls;

use pasvcheck::finding::{Location, Verdict};

use crate::daemons::Daemon::{self, Aioftp, Inetutils, Proftpd, PureFtpd, Pyftpdlib, StandIn, Vsftpd};
use crate::daemons::{Config, PLAIN};
use crate::firewall::{FORWARD_ALL, Rule};
use crate::namespaces::{Host, PUBLIC};

/// All servers.
const ALL: &[Daemon] = &[Vsftpd, Proftpd, PureFtpd, Pyftpdlib, Inetutils, Aioftp];
/// Servers that can be given a passive range and an address to announce.
const SETTABLE: &[Daemon] = &[Vsftpd, Proftpd, PureFtpd, Pyftpdlib, Aioftp];
/// The four that most administrators meet.
const COMMON: &[Daemon] = &[Vsftpd, Proftpd, PureFtpd, Pyftpdlib];

/// One set-up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) on: &'static [Daemon],
    pub(crate) config: Config,
    pub(crate) rules: &'static [Rule],
    pub(crate) also: Also,
    /// Where the check runs.
    pub(crate) from: Host,
    pub(crate) target: &'static str,
    pub(crate) options: &'static [&'static str],
    pub(crate) way: Way,
    /// Private addresses are routed between both sides, as by a VPN.
    pub(crate) private_routes: bool,
    pub(crate) expect: Expect,
    /// What an audit on the server's host must tell, and no more, where the server is configured by files.
    pub(crate) audit: Option<&'static [&'static str]>,
    /// The server draws its ports by chance: the run counts only if some mode drew on both sides of this port.
    pub(crate) edge: Option<u16>,
    /// How many runs must come out the same.
    pub(crate) runs: u8,
    /// Its dialogue is worth keeping under `fixtures/replies/`.
    pub(crate) record: bool,
}

/// What happens beside the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Also {
    Nothing,
    /// The server is stopped where it stands after it has started.
    Frozen,
    /// Another program listens on these ports of a host, and never answers.
    Listeners(Host, u16, u16),
}

/// The way between client and server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Well under a millisecond.
    Near,
    /// 50 ms there and back.
    Far,
}

/// What the report must say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expect {
    pub(crate) verdict: Verdict,
    /// Findings that must be told: causes, infos included.
    pub(crate) findings: &'static [&'static str],
    /// Findings that may be told besides. Nothing else may, but what is said of the server's version.
    pub(crate) allowed: &'static [&'static str],
    /// Findings that must not even be there as a symptom.
    pub(crate) forbidden: &'static [&'static str],
    /// Where the gravest finding must be.
    pub(crate) location: Option<Location>,
}

impl Expect {
    const fn verdict(verdict: Verdict, findings: &'static [&'static str]) -> Self {
        Self { verdict, findings, allowed: &[], forbidden: &[], location: None }
    }

    const fn ok() -> Self {
        Self::verdict(Verdict::Ok, &[])
    }

    /// Nothing is wrong, and this is worth a word.
    const fn info(findings: &'static [&'static str]) -> Self {
        Self::verdict(Verdict::Ok, findings)
    }

    const fn warning(findings: &'static [&'static str]) -> Self {
        Self::verdict(Verdict::Warning, findings)
    }

    const fn critical(findings: &'static [&'static str]) -> Self {
        Self::verdict(Verdict::Critical, findings)
    }

    const fn allow(self, allowed: &'static [&'static str]) -> Self {
        Self { allowed, ..self }
    }

    const fn at(self, location: Location) -> Self {
        Self { location: Some(location), ..self }
    }

    const fn forbid(self, forbidden: &'static [&'static str]) -> Self {
        Self { forbidden, ..self }
    }
}

/// A server that announces its public address, behind a router that forwards its ports. Every case is a deviation.
const HEALTHY: Case = Case {
    name: "healthy",
    on: SETTABLE,
    config: Config { announce: Some(PUBLIC), ..PLAIN },
    rules: &[FORWARD_ALL],
    also: Also::Nothing,
    from: Host::Client,
    target: PUBLIC,
    options: &[],
    way: Way::Near,
    private_routes: false,
    expect: Expect::ok(),
    audit: None,
    edge: None,
    runs: 1,
    record: false,
};

/// Every case on every server that it names, the slow ones first so that nobody waits for them at the end.
pub(crate) fn jobs() -> Vec<(&'static Case, Daemon)> {
    let groups = [
        timeouts::CASES,
        far::CASES,
        nat::CASES,
        address::CASES,
        ranges::CASES,
        tls::CASES,
        firewalls::CASES,
        ipv6::CASES,
        gentle::CASES,
        healthy::CASES,
        setup::CASES,
    ];
    let cases = groups.into_iter().flatten();
    cases.flat_map(|case| case.on.iter().map(move |daemon| (case, *daemon))).collect()
}
