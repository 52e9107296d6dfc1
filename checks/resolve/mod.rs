//! `resolve`: what addresses does the name have?

use std::net::IpAddr;

use super::{Check, Reach, Rule};
use crate::evidence::{Endpoint, Evidence, Resolution, ResolutionOutcome, ResolutionSource};
use crate::finding::{Detail, Scope, Severity};
use crate::net::resolve::describe;
use crate::probe::Session;

/// Addresses of one name that are checked; the rest are listed as skipped. A pool of eight is already unusual.
const ADDRESS_LIMIT: usize = 8;

/// Why an address is left alone that the user did not want.
pub(super) const OTHER_FAMILY: &str = "the other address family was asked for";

/// The check.
pub const CHECK: Check = Check {
    name: "resolve",
    title: "looking the name up",
    question: "What addresses does the name have?",
    needs: &[],
    reach: Reach::Target,
    observe: |session| Box::pin(observe(session)),
    passed: |_| true,
    summarise: |evidence, _| summary(evidence),
    rules: &[
        Rule {
            name: "name-unresolved",
            severity: Severity::Critical,
            document: include_str!("name-unresolved.md"),
            explained_by: &[],
            recognise: name_unresolved,
        },
        Rule {
            name: "resolver-unreachable",
            severity: Severity::Unknown,
            document: include_str!("resolver-unreachable.md"),
            explained_by: &[],
            recognise: resolver_unreachable,
        },
    ],
};

async fn observe(session: &mut Session<'_>) {
    let host = session.plan.target.host.clone();
    let patience = session.plan.limits.resolve.min(session.left());
    let resolution = session.network.resolve(&host, patience).await;
    if let ResolutionOutcome::Addresses { addresses } = &resolution.outcome {
        // An IPv4 address in IPv6 clothes is an IPv4 address (RFC 4291 §2.5.5.2).
        let addresses: Vec<IpAddr> = addresses.iter().map(IpAddr::to_canonical).collect();
        let endpoints: Vec<Endpoint> =
            addresses.iter().enumerate().map(|(n, at)| endpoint(session, n, *at)).collect();
        session.contact.set_targets(addresses.clone());
        session.evidence.endpoints = endpoints;
    }
    session.evidence.resolution = Some(resolution);
}

/// An endpoint for an address, skipped where it is not wanted or cannot be reached from this host at all.
fn endpoint(session: &Session<'_>, position: usize, address: IpAddr) -> Endpoint {
    let skipped = if !session.plan.families.wants(address) {
        Some(OTHER_FAMILY.to_owned())
    } else if address.is_unspecified() {
        Some(format!("{address} is no address that a server can have"))
    } else if position >= ADDRESS_LIMIT {
        Some(format!("only the first {ADDRESS_LIMIT} addresses are checked"))
    } else if !session.network.routable(address) {
        let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
        Some(format!("this host has no {family} route to it"))
    } else {
        None
    };
    Endpoint { skipped, ..Endpoint::new(address) }
}

fn summary(evidence: &Evidence) -> String {
    match &evidence.resolution {
        None => "not asked".to_owned(),
        Some(Resolution {
            outcome: ResolutionOutcome::Addresses { addresses },
            source,
            fallback_because,
            ..
        }) => {
            let list = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            match (source, fallback_because) {
                (ResolutionSource::Literal, _) => format!("{list} (an address, nothing to look up)"),
                (ResolutionSource::Given, _) => format!("{list} (given by --resolve)"),
                (ResolutionSource::System, Some(reason)) => {
                    format!("{list} (from this system's own resolver: {reason})")
                }
                _ => list,
            }
        }
        Some(resolution) => describe(&resolution.outcome),
    }
}

fn name_unresolved(evidence: &Evidence) -> Vec<Detail> {
    let Some(resolution) = &evidence.resolution else { return Vec::new() };
    let host = &evidence.target.host;
    let detail = match &resolution.outcome {
        ResolutionOutcome::NoSuchName => Detail::new(
            Scope::default(),
            format!("the name {host} does not exist"),
            "DNS answers that there is no such name (NXDOMAIN). Either it is misspelt, or its record was removed or never \
             made, or it exists only in an internal view of DNS that this host does not see.",
        ),
        ResolutionOutcome::NoAddress => Detail::new(
            Scope::default(),
            format!("the name {host} has no address"),
            "DNS knows the name, but it has neither an A record (IPv4) nor an AAAA record (IPv6).",
        ),
        ResolutionOutcome::ServerFailure { code } => Detail::new(
            Scope::default(),
            format!("DNS could not answer for {host}"),
            format!(
                "The DNS server answered with a failure ({code}): it could not get an answer from the servers that are \
                 responsible for the name, or the answer's DNSSEC signature was bad."
            ),
        ),
        ResolutionOutcome::Addresses { .. } | ResolutionOutcome::ResolverSilent { .. } => return Vec::new(),
    };
    vec![detail.quote(describe(&resolution.outcome))]
}

fn resolver_unreachable(evidence: &Evidence) -> Vec<Detail> {
    let Some(Resolution { outcome: ResolutionOutcome::ResolverSilent { error }, elapsed_ms, .. }) =
        &evidence.resolution
    else {
        return Vec::new();
    };
    let seconds = elapsed_ms / 1000.0;
    let detail = format!(
        "No DNS server answered this host ({error}; {seconds:.1} s). That says nothing about the FTP server: check this \
         host's resolver, or name an address in place of the host name."
    );
    vec![
        Detail::new(Scope::default(), "this host's DNS resolver does not answer", detail)
            .quote(error.clone()),
    ]
}
