//! Two reports of one server compared: what differs in what was seen and found, and what that means.
//!
//! The two may be two vantages (inside and outside of a firewall) or two dates (before and after a change). B is judged
//! against A. All of it is pure: report and report → [`Comparison`].

mod meaning;
mod seen;
pub mod show;

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::Serialize;

use crate::evidence::Target;
use crate::finding::{Finding, Severity, Verdict};
use crate::report::Report;

pub use seen::Difference;

/// The version of a comparison's shape in JSON.
pub const SCHEMA_VERSION: u32 = 1;

/// How B stands to A.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Nothing that counts is new or cured. Exit code 0.
    Same,
    /// B is better. Exit code 0.
    Better,
    /// B is worse, and nothing critical is new. Exit code 1.
    Worse,
    /// B is worse by something critical. Exit code 2.
    Critical,
    /// They cannot be compared: two servers, or B could not be tested. Exit code 3.
    NotComparable,
}

impl Change {
    /// The exit code of `pasvcheck diff`.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Same | Self::Better => 0,
            Self::Worse => 1,
            Self::Critical => 2,
            Self::NotComparable => 3,
        }
    }

    /// In a word or two.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Better => "better",
            Self::Worse | Self::Critical => "worse",
            Self::NotComparable => "not comparable",
        }
    }
}

/// The result.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The version of this shape.
    pub schema_version: u32,
    /// How B stands to A.
    pub change: Change,
    /// Whether the two were made on different hosts or networks.
    pub two_vantages: bool,
    /// What it means, in sentences.
    pub meaning: Vec<String>,
    /// The first report.
    pub a: Side,
    /// The second one.
    pub b: Side,
    /// Causes that B has and A has not.
    pub new: Vec<Named>,
    /// Causes that A has and B has not.
    pub cured: Vec<Named>,
    /// Causes that both have.
    pub kept: Vec<Named>,
    /// What was seen differently.
    pub seen: Vec<Difference>,
}

/// One of the two reports.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    /// Whom it is about.
    pub target: Target,
    /// When it was made.
    pub started_at: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// Its summary.
    pub summary: String,
    /// This host's addresses on its control connections: where it was made.
    pub from: Vec<IpAddr>,
    /// Whether it was made inside the server's own network.
    pub inside: bool,
}

/// A finding by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Named {
    /// The name.
    pub id: String,
    /// How bad.
    pub severity: Severity,
    /// In B; for a cured one in A.
    pub title: String,
}

/// Compares B with A. With `same_server` the user vouches that two names or addresses are one server.
#[must_use]
pub fn compare(a: &Report, b: &Report, same_server: bool) -> Comparison {
    let comparable = same_server || same(a, b);
    let (new, kept): (Vec<&Finding>, Vec<&Finding>) =
        b.causes().filter(|finding| grave(finding)).partition(|finding| !has(a, finding));
    let cured: Vec<&Finding> = a.causes().filter(|finding| grave(finding) && !has(b, finding)).collect();
    let change = if comparable { change(a, b, &new, &cured) } else { Change::NotComparable };
    let mut comparison = Comparison {
        schema_version: SCHEMA_VERSION,
        change,
        two_vantages: two_vantages(a, b),
        meaning: Vec::new(),
        a: side(a),
        b: side(b),
        new: named(&new),
        cured: named(&cured),
        kept: named(&kept),
        seen: if comparable { seen::differences(a, b) } else { Vec::new() },
    };
    comparison.meaning = meaning::of(&comparison, comparable);
    comparison
}

/// The same name and port, or a server address and port that both have.
fn same(a: &Report, b: &Report) -> bool {
    let addresses = |report: &Report| -> BTreeSet<IpAddr> {
        report.evidence.endpoints.iter().map(|endpoint| endpoint.address).collect()
    };
    a.target.port == b.target.port
        && (a.target.host.eq_ignore_ascii_case(&b.target.host)
            || addresses(a).intersection(&addresses(b)).next().is_some())
}

fn grave(finding: &Finding) -> bool {
    finding.severity > Severity::Info
}

/// Whether a report has the finding among its causes, whatever the address: two vantages see two addresses.
fn has(report: &Report, finding: &Finding) -> bool {
    report.causes().any(|other| grave(other) && other.id == finding.id && other.severity >= finding.severity)
}

fn change(a: &Report, b: &Report, new: &[&Finding], cured: &[&Finding]) -> Change {
    let worst_new = new.iter().map(|finding| finding.severity).max();
    match (a.verdict, b.verdict) {
        (Verdict::Unknown, Verdict::Unknown) => Change::Same,
        // Whether a server is worse that could not be tested, nobody can tell.
        (_, Verdict::Unknown) => Change::NotComparable,
        (before, Verdict::Critical) if before != Verdict::Critical => Change::Critical,
        (Verdict::Unknown, _) => Change::Better,
        (before, after) if after > before => Change::Worse,
        (before, after) if after < before => Change::Better,
        _ => match worst_new {
            Some(Severity::Critical) => Change::Critical,
            Some(_) => Change::Worse,
            None if !cured.is_empty() => Change::Better,
            None => Change::Same,
        },
    }
}

fn side(report: &Report) -> Side {
    let from: BTreeSet<IpAddr> =
        report.evidence.checked().filter_map(|endpoint| endpoint.local_address).collect();
    Side {
        target: report.target.clone(),
        started_at: report.started_at.clone(),
        verdict: report.verdict,
        summary: report.summary.clone(),
        from: from.into_iter().collect(),
        inside: inside(report),
    }
}

/// Whether the host of the report stands in the server's own network: an interface is in it, or the server was reached by a
/// private address.
fn inside(report: &Report) -> bool {
    report.evidence.checked().any(|endpoint| {
        let private = match endpoint.address {
            IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
            IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
        };
        let networks = &report.evidence.client.networks;
        private
            || networks.iter().any(|network| network.prefix_len() > 0 && network.contains(&endpoint.address))
    })
}

/// Whether the two were made in different places: neither the interfaces nor the addresses used are the same.
fn two_vantages(a: &Report, b: &Report) -> bool {
    let (one, other) = (&a.evidence.client.networks, &b.evidence.client.networks);
    let shared = one.iter().any(|network| !network.addr().is_loopback() && other.contains(network));
    let addresses = (side(a).from, side(b).from);
    let same_address = addresses.0.iter().any(|address| addresses.1.contains(address));
    let known = !(one.is_empty() || other.is_empty()) || !(addresses.0.is_empty() || addresses.1.is_empty());
    known && !shared && !same_address
}

fn named(findings: &[&Finding]) -> Vec<Named> {
    let mut named: Vec<Named> = Vec::new();
    for finding in findings {
        if !named.iter().any(|known| known.id == finding.id) {
            named.push(Named {
                id: finding.id.clone(),
                severity: finding.severity,
                title: finding.title.clone(),
            });
        }
    }
    named
}

#[cfg(test)]
mod tests;
