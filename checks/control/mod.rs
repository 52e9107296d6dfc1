//! `control`: does the control port answer, at every address of the name?

mod rules;

use std::net::SocketAddr;

use futures_util::future::join_all;

use super::{Check, Reach, Rule};
use crate::evidence::{Endpoint, Evidence};
use crate::finding::Severity;
use crate::probe::Session;

/// The check.
pub const CHECK: Check = Check {
    name: "control",
    title: "connecting to the control port",
    question: "Does the control port answer?",
    needs: &[],
    reach: Reach::Target,
    observe: |session| Box::pin(observe(session)),
    passed: Endpoint::control_open,
    summarise: |_, endpoint| summary(endpoint),
    rules: &[
        Rule {
            name: "local-network-down",
            severity: Severity::Unknown,
            document: include_str!("local-network-down.md"),
            explained_by: &[],
            recognise: rules::local_network_down,
        },
        Rule {
            name: "address-family-unreachable",
            severity: Severity::Warning,
            document: include_str!("address-family-unreachable.md"),
            explained_by: &[],
            recognise: rules::address_family_unreachable,
        },
        Rule {
            name: "control-filtered",
            severity: Severity::Critical,
            document: include_str!("control-filtered.md"),
            explained_by: &["address-family-unreachable"],
            recognise: rules::control_filtered,
        },
        Rule {
            name: "control-refused",
            severity: Severity::Critical,
            document: include_str!("control-refused.md"),
            explained_by: &["address-family-unreachable"],
            recognise: rules::control_refused,
        },
        Rule {
            name: "control-unreachable",
            severity: Severity::Critical,
            document: include_str!("control-unreachable.md"),
            explained_by: &["address-family-unreachable"],
            recognise: rules::control_unreachable,
        },
        Rule {
            name: "control-lost",
            severity: Severity::Critical,
            document: include_str!("control-lost.md"),
            explained_by: &[
                "passive-ports-exhausted",
                "pasv-refused",
                "passive-disabled",
                "login-failed",
                "login-required",
                "tls-required",
                "server-limits",
                "data-wrong-peer",
                "data-source-refused",
                "completion-lost",
                "data-stalled",
                "data-truncated",
                "data-tls-failed",
                "tls-handshake-failed",
                "tls-session-reuse-exhausted",
            ],
            recognise: rules::control_lost,
        },
    ],
};

/// Connects to every address at once: a dead one costs no more than the slowest. The first address that opens is kept
/// for its session; the other connections are closed again at once, since a server must see one of ours at a time.
async fn observe(session: &mut Session<'_>) {
    let port = session.plan.target.port;
    let patience = session.plan.limits.connect;
    let wanted: Vec<(usize, SocketAddr)> = session
        .evidence
        .endpoints
        .iter()
        .enumerate()
        .filter(|(_, endpoint)| endpoint.skipped.is_none())
        .map(|(index, endpoint)| (index, SocketAddr::new(endpoint.address, port)))
        .collect();
    let shared = &*session;
    let outcomes = join_all(wanted.iter().map(|(_, to)| shared.connect(*to, patience))).await;
    for ((index, _), connected) in wanted.into_iter().zip(outcomes) {
        let local = connected.local;
        if let Some(stream) = session.keep_first(index, connected.stream, local) {
            stream.reset_on_close();
        }
        let endpoint = &mut session.evidence.endpoints[index];
        endpoint.local_address = local;
        endpoint.control = Some(connected.fact);
    }
}

fn summary(endpoint: &Endpoint) -> String {
    match (&endpoint.skipped, &endpoint.control) {
        (Some(reason), _) => format!("skipped: {reason}"),
        (None, Some(connect)) => format!("{} {}", connect.to, connect.describe()),
        (None, None) => "not asked".to_owned(),
    }
}

/// Whether any endpoint's control port opened.
pub(super) fn any_open(evidence: &Evidence) -> bool {
    evidence.checked().any(Endpoint::control_open)
}
