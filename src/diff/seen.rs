//! What was seen differently: addresses, ports, outcomes, and times beyond their noise.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::checks::support::{announced_ports, product_at};
use crate::evidence::{Endpoint, Evidence, Mode, Outcome, PortState, ResolutionOutcome, Via, duration};
use crate::report::Report;
use crate::threshold::Measure;

/// Times differ where one is at least so many times the other,
const NOISE_FACTOR: f64 = 2.0;
/// and more than so many milliseconds apart.
const NOISE_MS: f64 = 50.0;

/// One thing that was seen differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What: `PASV data connections`.
    pub what: String,
    /// In A.
    pub a: String,
    /// In B.
    pub b: String,
    /// Whether it is a time.
    pub timing: bool,
}

/// A fact in words, under a name that both reports share.
struct Fact {
    what: String,
    text: String,
    /// Whether it is compared only where both have it: it is not asked in every run.
    optional: bool,
}

/// All differences, in the order of a run.
pub(super) fn differences(a: &Report, b: &Report) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(&mut found, &whole(&a.evidence), &whole(&b.evidence));
    for (one, other) in pairs(&a.evidence, &b.evidence) {
        let prefix = if a.evidence.endpoints.len().max(b.evidence.endpoints.len()) > 1 {
            format!("{}: ", one.address)
        } else {
            String::new()
        };
        let mut of_endpoint = Vec::new();
        compare(&mut of_endpoint, &facts(one), &facts(other));
        of_endpoint.extend(ports(one, other));
        of_endpoint.extend(times(one, other));
        found.extend(
            of_endpoint
                .into_iter()
                .map(|difference| Difference { what: format!("{prefix}{}", difference.what), ..difference }),
        );
    }
    let total = |report: &Report| report.measured(Measure::Total);
    found.extend(time("whole check", total(a), total(b)));
    found
}

/// The endpoints of both, address by address; where each has one, these two.
fn pairs<'a>(a: &'a Evidence, b: &'a Evidence) -> Vec<(&'a Endpoint, &'a Endpoint)> {
    let (mut one, mut other) = (a.checked(), b.checked());
    if let (Some(one), Some(other), None, None) = (one.next(), other.next(), one.next(), other.next()) {
        return vec![(one, other)];
    }
    let partner = |one: &Endpoint| b.checked().find(|other| other.address == one.address);
    a.checked().filter_map(|one| Some((one, partner(one)?))).collect()
}

fn compare(found: &mut Vec<Difference>, a: &[Fact], b: &[Fact]) {
    let named = |facts: &'_ [Fact], what: &str| facts.iter().position(|fact| fact.what == what);
    let only_b = b.iter().filter(|fact| named(a, &fact.what).is_none());
    for fact in a.iter().chain(only_b) {
        let text = |facts: &[Fact]| named(facts, &fact.what).map(|place| facts[place].text.clone());
        let (one, other) = (text(a), text(b));
        if one == other || (fact.optional && (one.is_none() || other.is_none())) {
            continue;
        }
        let missing = || "not seen".to_owned();
        found.push(Difference {
            what: fact.what.clone(),
            a: one.unwrap_or_else(missing),
            b: other.unwrap_or_else(missing),
            timing: false,
        });
    }
}

fn fact(what: &str, text: impl Into<String>) -> Fact {
    Fact { what: what.to_owned(), text: text.into(), optional: false }
}

fn extra(what: &str, text: impl Into<String>) -> Fact {
    Fact { optional: true, ..fact(what, text) }
}

fn whole(evidence: &Evidence) -> Vec<Fact> {
    let mut facts = Vec::new();
    if let Some(resolution) = &evidence.resolution {
        let text = match &resolution.outcome {
            ResolutionOutcome::Addresses { addresses } => {
                let sorted: BTreeSet<String> = addresses.iter().map(ToString::to_string).collect();
                sorted.into_iter().collect::<Vec<_>>().join(", ")
            }
            other => crate::net::resolve::describe(other),
        };
        facts.push(fact("addresses of the name", text));
    }
    facts
}

fn facts(endpoint: &Endpoint) -> Vec<Fact> {
    let mut facts = Vec::new();
    if let Some(control) = &endpoint.control {
        facts.push(fact("control connection", outcome(&control.outcome)));
    }
    if let Some(product) = product_at(endpoint) {
        let version = product.version.map(|version| format!(" {version}")).unwrap_or_default();
        facts.push(fact("server", format!("{}{version}", product.product.name())));
    }
    if let Some(greeting) = &endpoint.greeting {
        facts.push(fact("greeting", greeting.answer.describe()));
    }
    if let Some(login) = &endpoint.login {
        let how = if login.succeeded() { "succeeded" } else { "failed" };
        facts.push(fact("login", format!("{how} as {}", login.user)));
    }
    if let Some(reply) = endpoint.features.as_ref().and_then(|answer| answer.reply()) {
        let features: BTreeSet<&str> =
            reply.lines.iter().map(|line| line.trim()).filter(|line| !line.starts_with("211")).collect();
        facts.push(extra("features (FEAT)", features.into_iter().collect::<Vec<_>>().join(", ")));
    }
    for mode in [Mode::Pasv, Mode::Epsv] {
        facts.extend(offers(endpoint, mode));
        facts.extend(transfers(endpoint, mode));
    }
    let cold: BTreeSet<&str> = endpoint.cold.iter().map(|probe| outcome(&probe.connect.outcome)).collect();
    if !cold.is_empty() {
        facts.push(extra("ports announced earlier", cold.into_iter().collect::<Vec<_>>().join(", ")));
    }
    if let Some(distance) = endpoint.path.as_ref().and_then(|path| path.distance) {
        facts.push(extra("hops to the server", distance.to_string()));
    }
    facts.extend(survey(endpoint));
    facts
}

/// What an outcome is, without its time.
fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Failed { .. } => "not possible on this host",
        Outcome::Icmp(_) => "rejected (ICMP)",
        Outcome::NotContacted { .. } => "not contacted",
        Outcome::Open => "opened",
        Outcome::Reset => "refused (TCP reset)",
        Outcome::Silent => "no answer",
        Outcome::Unroutable { .. } => "no route",
    }
}

/// What a command announces and where it leads.
fn offers(endpoint: &Endpoint, mode: Mode) -> Vec<Fact> {
    let mut facts = Vec::new();
    let answers: BTreeSet<String> = endpoint
        .offers_of(mode)
        .map(|offer| match (&offer.announced, offer.answer.code()) {
            (Some(_), _) => "announces a port".to_owned(),
            (None, Some(code)) => format!("answered with {code}"),
            (None, None) => offer.answer.describe(),
        })
        .collect();
    if answers.is_empty() {
        return facts;
    }
    facts.push(fact(&format!("{mode}"), answers.into_iter().collect::<Vec<_>>().join(", ")));
    let addresses: BTreeSet<String> =
        endpoint.offers_of(mode).filter_map(|offer| Some(offer.announced?.address?.to_string())).collect();
    if !addresses.is_empty() {
        facts.push(fact(
            &format!("address in the reply to {mode}"),
            addresses.into_iter().collect::<Vec<_>>().join(", "),
        ));
    }
    for (via, place) in
        [(Via::Advertised, "at the advertised address"), (Via::Control, "at the control address")]
    {
        let visits = endpoint.offers_of(mode).flat_map(|offer| &offer.visits);
        let met: BTreeSet<&str> = visits
            .filter(|visit| visit.via == via && visit.conclusive())
            .map(|visit| outcome(&visit.connect.outcome))
            .collect();
        if !met.is_empty() {
            let text = met.into_iter().collect::<Vec<_>>().join(", ");
            facts.push(fact(&format!("{mode} data connections {place}"), text));
        }
    }
    facts
}

fn transfers(endpoint: &Endpoint, mode: Mode) -> Option<Fact> {
    let mut transfers = endpoint.transfers.iter().filter(|transfer| transfer.mode == mode).peekable();
    transfers.peek()?;
    let words: BTreeSet<String> = transfers
        .map(|transfer| {
            let verb = transfer.command.split(' ').next().unwrap_or_default();
            let how = if transfer.completed() {
                "came through"
            } else if transfer.stalled() {
                "stalled"
            } else {
                "failed"
            };
            format!("{verb} {how}")
        })
        .collect();
    Some(fact(&format!("transfer by {mode}"), words.into_iter().collect::<Vec<_>>().join(", ")))
}

fn survey(endpoint: &Endpoint) -> Vec<Fact> {
    let Some(survey) = &endpoint.survey else { return Vec::new() };
    let ranges = |wanted: fn(&PortState) -> bool| {
        let ranges = survey.ranges(wanted);
        let shown: Vec<String> = ranges.iter().take(12).map(ToString::to_string).collect();
        match (shown.is_empty(), ranges.len() > 12) {
            (true, _) => "none".to_owned(),
            (_, true) => format!("{} and more", shown.join(", ")),
            _ => shown.join(", "),
        }
    };
    vec![
        extra("ports surveyed that get through", ranges(PortState::passes)),
        extra("ports surveyed that are blocked", ranges(PortState::blocked)),
    ]
}

/// The ports announced: a server draws other ones each time, so only ranges that do not touch tell something.
fn ports(a: &Endpoint, b: &Endpoint) -> Option<Difference> {
    let range = |endpoint: &Endpoint| {
        let ports = announced_ports(endpoint);
        Some((ports.iter().copied().min()?, ports.iter().copied().max()?))
    };
    let (one, other) = (range(a)?, range(b)?);
    let apart = one.1 < other.0 || other.1 < one.0;
    let show = |(low, high): (u16, u16)| if low == high { low.to_string() } else { format!("{low}-{high}") };
    apart.then(|| Difference {
        what: "ports announced".to_owned(),
        a: show(one),
        b: show(other),
        timing: false,
    })
}

fn times(a: &Endpoint, b: &Endpoint) -> Vec<Difference> {
    let slowest = |endpoint: &Endpoint| {
        let visits = endpoint.offers.iter().flat_map(|offer| &offer.visits);
        visits.filter(|visit| visit.connect.open()).map(|visit| visit.connect.elapsed_ms).reduce(f64::max)
    };
    let greeting = |endpoint: &Endpoint| endpoint.greeting.as_ref().map(|greeting| greeting.elapsed_ms);
    [
        time("control connection", a.rtt_ms(), b.rtt_ms()),
        time("greeting", greeting(a), greeting(b)),
        time("slowest data connection", slowest(a), slowest(b)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn time(what: &str, a: Option<f64>, b: Option<f64>) -> Option<Difference> {
    let (a, b) = (a?, b?);
    let noise = (a - b).abs() <= NOISE_MS || a.max(b) < a.min(b) * NOISE_FACTOR;
    (!noise).then(|| Difference {
        what: format!("{what}, time"),
        a: duration(a),
        b: duration(b),
        timing: true,
    })
}
