//! `data-connection`: do data connections open, on which address, and what of ports that nobody announced?
//!
//! The visits of `passive-reply` were quick. What opened there needs no second look; what did not is tried again here, on
//! a fresh listener and with the patience that a verdict needs.

mod address;
mod rules;

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;

use super::paths::{Way, by_advertised, by_control, closed_at_control, other_address, visits_at_control};
use super::{Check, Reach, Rule};
use crate::evidence::{ColdProbe, Endpoint, Mode, Outcome, Patience, Via};
use crate::finding::Severity;
use crate::probe::{Meanwhile, Session};

/// Cold probes of one kind (ports that had opened, ports that had not).
const COLD_PROBES: usize = 2;

/// The check.
pub const CHECK: Check = Check {
    name: "data-connection",
    title: "opening data connections",
    question: "Do the announced ports open, and on which address?",
    needs: &["passive-reply"],
    reach: Reach::Endpoint,
    observe: |session| Box::pin(observe(session)),
    passed: |endpoint| {
        endpoint.offers.iter().flat_map(|offer| &offer.visits).any(|visit| visit.connect.open())
    },
    summarise: |_, endpoint| summary(endpoint),
    rules: &[
        Rule {
            name: "hairpin-missing",
            severity: Severity::Critical,
            document: include_str!("hairpin-missing.md"),
            explained_by: &[],
            recognise: address::hairpin_missing,
        },
        Rule {
            name: "data-on-another-host",
            severity: Severity::Warning,
            document: include_str!("data-on-another-host.md"),
            explained_by: &[],
            recognise: address::data_on_another_host,
        },
        Rule {
            name: "data-range-partly-blocked",
            severity: Severity::Critical,
            document: include_str!("data-range-partly-blocked.md"),
            explained_by: &[],
            recognise: rules::partly_blocked,
        },
        Rule {
            name: "data-port-filtered",
            severity: Severity::Critical,
            document: include_str!("data-port-filtered.md"),
            explained_by: &["data-range-partly-blocked", "alg-rewrites-reply", "alg-required"],
            recognise: rules::filtered,
        },
        Rule {
            name: "data-port-rejected",
            severity: Severity::Critical,
            document: include_str!("data-port-rejected.md"),
            explained_by: &["data-range-partly-blocked", "alg-rewrites-reply", "alg-required"],
            recognise: rules::rejected,
        },
        Rule {
            name: "data-port-refused",
            severity: Severity::Critical,
            document: include_str!("data-port-refused.md"),
            explained_by: &["data-range-partly-blocked", "alg-rewrites-reply", "alg-required"],
            recognise: rules::refused,
        },
        Rule {
            name: "epsv-data-filtered",
            severity: Severity::Warning,
            document: include_str!("epsv-data-filtered.md"),
            explained_by: &["data-on-another-host", "data-range-partly-blocked"],
            recognise: rules::epsv_filtered,
        },
        Rule {
            name: "ipv6-passive-broken",
            severity: Severity::Warning,
            document: include_str!("ipv6-passive-broken.md"),
            explained_by: &[
                "data-port-filtered",
                "data-port-refused",
                "data-port-rejected",
                "passive-reply-malformed",
            ],
            recognise: rules::ipv6_broken,
        },
    ],
};

async fn observe(session: &mut Session<'_>) {
    let limits = session.plan.limits;
    if let Some(address) = other_address(session.endpoint())
        && matches!(by_advertised(session.endpoint(), address), Way::Unclear)
    {
        decide(session, Mode::Pasv, Via::Advertised, limits.patient * 2 / 3, Meanwhile::Nothing).await;
    }
    // The first decision is patient enough for two lost SYNs; those after it cross the same path. While they wait, the
    // way to the server is looked at.
    let (mut patience, mut meanwhile) = (limits.patient, Meanwhile::Measure);
    for mode in [Mode::Pasv, Mode::Epsv] {
        if matches!(by_control(session.endpoint(), mode), Way::Unclear) {
            decide(session, mode, Via::Control, patience, meanwhile).await;
            if let Way::Fails(connect) = by_control(session.endpoint(), mode) {
                (patience, meanwhile) = (limits.second, Meanwhile::Walk(connect.to));
            }
        }
    }
    cold(session).await;
    locate(session).await;
}

/// Learns where on the way a closed port is closed, unless that was done while another one was waited for.
async fn locate(session: &mut Session<'_>) {
    let endpoint = session.endpoint();
    let Some(to) = closed_at_control(endpoint).last().map(|connect| connect.to) else { return };
    if endpoint.path.as_ref().is_some_and(|path| !path.data.is_empty()) {
        return;
    }
    session.progress("finding out where on the way the port is closed");
    if session.endpoint().path.is_none() {
        if !session.reopen().await {
            return;
        }
        session.measure_distance().await;
    }
    session.walk_both(to).await;
}

/// One patient connect on a fresh listener.
async fn decide(session: &mut Session<'_>, mode: Mode, via: Via, patience: Duration, meanwhile: Meanwhile) {
    if !session.reopen().await {
        return;
    }
    session.progress(&format!("waiting for a data port that does not answer ({mode})"));
    let offer = session.offer(mode).await;
    let via =
        if mode == Mode::Pasv && other_address(session.endpoint()).is_none() { Via::Advertised } else { via };
    session.visit_within(offer, via, Patience::Patient, patience, meanwhile).await;
}

/// Connects to ports that were announced earlier and are not now. Those that had opened tell whether the path is open in
/// general or only for announced ports; those that had stayed silent tell a lost packet from a closed port.
async fn cold(session: &mut Session<'_>) {
    if let Some(mode) = lone_open(session.endpoint()).filter(|_| session.data_guard().is_none()) {
        super::passive_reply::sample(session, mode, 1).await;
    }
    let endpoint = session.endpoint();
    let last = endpoint
        .offers
        .iter()
        .filter_map(|offer| offer.announced)
        .next_back()
        .map(|announced| announced.port);
    let ports = |open: bool| {
        let mut ports: Vec<u16> = visits_at_control(endpoint, None)
            .filter(|visit| visit.connect.open() == open)
            .map(|visit| visit.connect.to.port())
            // The last one may still be listening: if it had opened, another connect would say nothing new.
            .filter(|port| !open || Some(*port) != last)
            .collect();
        ports.dedup();
        ports.truncate(COLD_PROBES);
        ports
    };
    let (opened, mut silent) = (ports(true), ports(false));
    let ever = |port: u16| {
        visits_at_control(endpoint, None).any(|visit| visit.connect.open() && visit.connect.to.port() == port)
    };
    silent.retain(|port| !ever(*port));
    // Without an open port there is nothing to compare with; and what opens under TLS needs no device that reads.
    let any = visits_at_control(endpoint, None).any(|visit| visit.connect.open());
    if !any || (silent.is_empty() && session.data_guard().is_some()) {
        return;
    }
    let address = endpoint.address;
    let wanted: Vec<(bool, SocketAddr)> = opened
        .iter()
        .map(|port| (true, *port))
        .chain(silent.iter().map(|port| (false, *port)))
        .map(|(opened, port)| (opened, SocketAddr::new(address, port)))
        .collect();
    // Two SYNs: one may be lost.
    let patience = session.plan.limits.second * 2 + session.rtt() * 2;
    let shared = &*session;
    let outcomes = join_all(wanted.iter().map(|(_, to)| shared.connect(*to, patience))).await;
    for ((opened_when_live, _), connected) in wanted.into_iter().zip(outcomes) {
        if let Some(stream) = &connected.stream {
            stream.reset_on_close();
        }
        session.remark(format!("unannounced port {}: {}", connected.fact.to, connected.fact.describe()));
        session.endpoint_mut().cold.push(ColdProbe { opened_when_live, connect: connected.fact });
    }
}

/// The mode that opened a port, where that port is the one announced last, and the only one of several to have opened:
/// after one more offer it is no longer announced, and can be compared with.
fn lone_open(endpoint: &Endpoint) -> Option<Mode> {
    let ports = super::support::announced_ports(endpoint);
    let last = endpoint.offers.iter().filter_map(|offer| offer.announced).next_back()?.port;
    let mut opened = [Mode::Pasv, Mode::Epsv].into_iter().flat_map(|mode| {
        let open = visits_at_control(endpoint, Some(mode)).filter(|visit| visit.connect.open());
        open.map(move |visit| (mode, visit.connect.to.port()))
    });
    let (mode, port) = opened.next()?;
    (port == last && opened.all(|(_, other)| other == last) && ports.iter().any(|other| *other != last))
        .then_some(mode)
}

fn summary(endpoint: &Endpoint) -> String {
    let visits: Vec<_> = endpoint.offers.iter().flat_map(|offer| &offer.visits).collect();
    let tried = visits.iter().filter(|visit| visit.connect.tried()).count();
    let open: Vec<_> = visits.iter().filter(|visit| visit.connect.open()).collect();
    if tried == 0 {
        return "not asked".to_owned();
    }
    let slowest = open.iter().map(|visit| visit.connect.elapsed_ms).fold(0.0_f64, f64::max);
    let mut words = match open.len() {
        0 => visits
            .last()
            .map_or_else(String::new, |visit| format!("{} {}", visit.connect.to, visit.connect.describe())),
        count => format!("{count} of {tried} opened, slowest {slowest:.1} ms"),
    };
    if !endpoint.cold.is_empty() {
        let silent = endpoint.cold.iter().filter(|probe| probe.connect.outcome == Outcome::Silent).count();
        words.push_str(match silent {
            0 => "; unannounced ports answer too",
            count if count == endpoint.cold.len() => "; unannounced ports are silent",
            _ => "; unannounced ports are in part silent",
        });
    }
    words
}
