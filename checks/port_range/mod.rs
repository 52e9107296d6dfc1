//! `port-range`: which ports of the passive range pass, and where does what passes end?
//!
//! It only runs where it can teach something: with `--scan` (every port), with `--range` (a spread of it and its edges), or
//! after some announced ports opened and others did not (a spread of the ports seen). What is asked are ports that nobody
//! announced at that moment: a reset there means that packets get through.
//!
//! Where `pasvcheck serve` answers, each port is asked for a proof instead (`prove.rs`).

mod prove;
mod rules;
mod stand_in;

pub(in crate::checks) use rules::banned;
pub(in crate::checks) use stand_in::{other_source, rewritten, wrong_peer};

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;

use super::paths::{closed_at_control, visits_at_control};
use super::{Check, Reach, Rule};
use crate::clock::{Deadline, Stopwatch};
use crate::evidence::{Endpoint, PortRange, PortState, Proof, RangeSource, StandIn, Survey, spans};
use crate::finding::Severity;
use crate::net::survey::{Order, survey};
use crate::probe::Session;

/// Ports of a spread: enough to show a pattern, few enough for a port-scan detector.
const SPREAD: u16 = 24;

/// Ports far from the range, to learn what the host answers where nobody is expected.
const BASELINE: [u16; 3] = [20_321, 39_877, 58_639];

/// The check.
pub const CHECK: Check = Check {
    name: "port-range",
    title: "surveying the passive range",
    question: "Which ports of the range get through?",
    needs: &["passive-reply"],
    reach: Reach::Endpoint,
    observe: |session| Box::pin(observe(session)),
    passed: |endpoint| endpoint.survey.is_some(),
    summarise: |_, endpoint| summary(endpoint),
    rules: &[
        Rule {
            name: "probe-banned",
            severity: Severity::Unknown,
            document: include_str!("probe-banned.md"),
            explained_by: &[],
            recognise: rules::probe_banned,
        },
        Rule {
            name: "proof-refused",
            severity: Severity::Unknown,
            document: include_str!("proof-refused.md"),
            explained_by: &[],
            recognise: stand_in::proof_refused,
        },
    ],
};

async fn observe(session: &mut Session<'_>) {
    let Some((range, source)) = range(session) else { return };
    let clock = Stopwatch::start();
    let whole = session.plan.scan;
    let ports: Vec<u16> = if whole { (range.min..=range.max).collect() } else { spread(range) };
    let address = session.endpoint().address;
    let is_one = prove::stands_in(session.endpoint()) && session.reopen().await;
    let (mut states, mut cut_short, stand_in, baseline) = if is_one {
        // What nobody listens on says nothing of one that listens everywhere.
        let (states, cut_short, stand_in) = proofs(session, ports).await;
        (states, cut_short, Some(stand_in), Vec::new())
    } else {
        let baseline = baseline(session, range).await;
        let (states, cut_short) = ask(session, ports).await;
        (states, cut_short, None, baseline)
    };
    if !whole {
        cut_short |= find_edges(session, &mut states).await;
    }
    // Our own survey may have had us banned: then everything after it is our doing.
    let patience = session.plan.limits.connect;
    let control = session.connect(SocketAddr::new(address, session.plan.target.port), patience).await;
    if let Some(stream) = &control.stream {
        stream.reset_on_close();
    }
    let asked = u32::try_from(states.len()).unwrap_or(u32::MAX);
    let seen = Survey {
        range,
        source,
        whole,
        spans: spans(states),
        asked,
        cut_short,
        elapsed_ms: clock.elapsed_ms(),
        baseline,
        control_afterwards: Some(control.fact),
        stand_in,
    };
    session.endpoint_mut().survey = Some(seen);
}

/// Asks a stand-in for the proofs of ports; the ports that do not open are surveyed like any others.
async fn proofs(session: &mut Session<'_>, ports: Vec<u16>) -> (Vec<(u16, PortState)>, bool, StandIn) {
    session.progress("asking each port of the stand-in for its proof");
    let mut proved = prove::prove(session, ports).await;
    let left = std::mem::take(&mut proved.left);
    let (states, cut_short) = if left.is_empty() { (Vec::new(), false) } else { ask(session, left).await };
    let mut by_port: BTreeMap<u16, PortState> = states.into_iter().collect();
    proved.again(session, &by_port).await;
    by_port.append(&mut proved.open);
    let states = by_port.into_iter().collect();
    (states, cut_short, proved.finish(session).await)
}

/// The range to survey, if there is a reason to.
fn range(session: &Session<'_>) -> Option<(PortRange, RangeSource)> {
    if let Some(range) = session.plan.range {
        return Some((range, RangeSource::Declared));
    }
    let endpoint = session.endpoint();
    let opened = visits_at_control(endpoint, None).any(|visit| visit.connect.open());
    let mixed = opened && closed_at_control(endpoint).next().is_some();
    if !session.plan.scan && !mixed {
        return None;
    }
    let ports = super::support::announced_ports(endpoint);
    let (min, max) = (*ports.iter().min()?, *ports.iter().max()?);
    Some((PortRange { min, max }, RangeSource::Seen))
}

/// The edges of a range and ports between them at even distances.
fn spread(range: PortRange) -> Vec<u16> {
    let (first, width) = (u32::from(range.min), range.len() - 1);
    let count = u32::from(SPREAD).min(range.len());
    let at = |n: u32| u16::try_from(first + width * n / (count - 1).max(1)).unwrap_or(range.max);
    let mut ports: Vec<u16> = (0..count).map(at).collect();
    ports.dedup();
    ports
}

async fn ask(session: &mut Session<'_>, ports: Vec<u16>) -> (Vec<(u16, PortState)>, bool) {
    let stop = Arc::new(AtomicBool::new(false));
    let order = Order {
        stop: Arc::clone(&stop),
        address: session.endpoint().address,
        ports,
        rtt: session.rtt(),
        rate: session.plan.rate,
        deadline: Deadline::after(session.left().saturating_sub(Duration::from_millis(500))),
    };
    let shared = &*session;
    let tell = |asked: usize, of: usize| {
        shared.progress(&format!("surveying the passive range: {asked} of {of} ports"));
    };
    let mut surveying = std::pin::pin!(survey(shared.network, &order, &tell));
    let surveyed = tokio::select! {
        surveyed = &mut surveying => surveyed,
        // The part that is known is worth having: what is in flight is waited for, no longer.
        _ = tokio::signal::ctrl_c() => {
            stop.store(true, Ordering::Relaxed);
            surveying.await
        }
    };
    (surveyed.states, surveyed.cut_short)
}

/// Between a port that passes and a neighbour in the spread that is blocked lies the edge: found by halving.
async fn find_edges(session: &mut Session<'_>, states: &mut Vec<(u16, PortState)>) -> bool {
    let mut cut_short = false;
    // Sixteen halvings reach across all ports; each takes all edges at once.
    for _ in 0..16 {
        states.sort_by_key(|(port, _)| *port);
        let between = states.windows(2).filter_map(|pair| {
            let [(low, below), (high, above)] = pair else { return None };
            let edge = (below.passes() && above.blocked()) || (below.blocked() && above.passes());
            (edge && high - low > 1).then(|| low.midpoint(*high))
        });
        let middles: Vec<u16> = between.collect();
        // Many edges are no edges, but a patchwork; the spread has shown that.
        if middles.is_empty() || middles.len() > 4 || session.left().is_zero() {
            return cut_short;
        }
        let (more, cut) = ask(session, middles).await;
        cut_short |= cut;
        if more.is_empty() {
            return true;
        }
        states.extend(more);
    }
    cut_short
}

async fn baseline(session: &Session<'_>, range: PortRange) -> Vec<crate::evidence::Connect> {
    let address = session.endpoint().address;
    let far = |port: &u16| !range.contains(*port);
    let patience = session.plan.limits.second + session.rtt() * 2;
    let connects = BASELINE.iter().copied().filter(far).map(|port| async move {
        let connected = session.connect(SocketAddr::new(address, port), patience).await;
        if let Some(stream) = &connected.stream {
            stream.reset_on_close();
        }
        connected.fact
    });
    join_all(connects).await
}

fn summary(endpoint: &Endpoint) -> String {
    let Some(survey) = &endpoint.survey else { return "not needed".to_owned() };
    let words = [
        (survey.count(|state| *state == PortState::Open), "open"),
        (survey.count(|state| *state == PortState::Reset), "let through"),
        (survey.count(|state| *state == PortState::Silent), "silent"),
        (survey.count(|state| matches!(state, PortState::Icmp(_))), "rejected"),
        (survey.count(|state| *state == PortState::Unverified), "silent, unverified"),
        (survey.count(|state| *state == PortState::Failed), "not asked"),
    ];
    let words: Vec<String> =
        words.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    let early = if survey.cut_short { ", ended early" } else { "" };
    let proven = match &survey.stand_in {
        Some(stand_in) if !stand_in.proofs.is_empty() => {
            format!("{} of {} proven; ", stand_in.count(Proof::proven), stand_in.count(|_| true))
        }
        _ => String::new(),
    };
    format!("{} ports of {}: {proven}{}{early}", survey.asked, survey.range, words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_holds_both_edges() {
        let ports = spread(PortRange { min: 50_000, max: 50_100 });
        assert_eq!((ports.len(), ports[0], ports[23]), (24, 50_000, 50_100));
        assert_eq!(spread(PortRange { min: 7, max: 7 }), [7]);
        assert_eq!(spread(PortRange { min: 7, max: 9 }), [7, 8, 9]);
        let wide = spread(PortRange { min: 1, max: 65_535 });
        assert_eq!((wide[0], *wide.last().unwrap()), (1, 65_535));
    }
}
