//! The port map: the surveyed range, or the ports that were announced, as a strip.

use maud::{Markup, html};

use crate::evidence::{Endpoint, Outcome, PortRange, PortState, spans};
use crate::report::Report;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 34.0;

/// Narrowest mark, so that a single port among sixty thousand can be seen.
const NARROWEST: f64 = 2.0;

/// The states in the order in which they are drawn: what is bad last, so that it is not covered.
const STATES: [(State, &str, &str); 5] = [
    (State::Through, "cell-through", "let through, nobody listens now"),
    (State::Open, "cell-open", "open"),
    (State::Unverified, "cell-unverified", "silent, not verified"),
    (State::Rejected, "cell-rejected", "rejected"),
    (State::Silent, "cell-silent", "silent"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Rejected,
    Silent,
    Through,
    Unverified,
}

fn state(state: &PortState) -> Option<State> {
    match state {
        PortState::Failed => None,
        PortState::Icmp(_) => Some(State::Rejected),
        PortState::Open => Some(State::Open),
        PortState::Reset => Some(State::Through),
        PortState::Silent => Some(State::Silent),
        PortState::Unverified => Some(State::Unverified),
    }
}

/// What is drawn.
struct Map {
    range: PortRange,
    parts: Vec<(PortRange, State)>,
    source: &'static str,
}

/// Draws the map of one address; nothing if no port is known.
pub(super) fn draw(report: &Report, endpoint: &Endpoint) -> Markup {
    let Some(map) = surveyed(endpoint).or_else(|| announced(report, endpoint)) else { return html! {} };
    let used: Vec<_> =
        STATES.iter().filter(|(state, ..)| map.parts.iter().any(|(_, of)| of == state)).collect();
    let several = report.evidence.endpoints.len() > 1;
    html! {
        h2 { "The passive ports" @if several { " of " code { (endpoint.address) } } }
        figure {
            figcaption { (map.source) " (" (map.range) ")" }
            div.scroll {
                svg viewBox="0 0 960 58" role="img" aria-label="Port map" {
                    rect.cell-none x="0" y="0" width="960" height="34" rx="4" {}
                    @for (kind, class, word) in &used {
                        @for (ports, _) in map.parts.iter().filter(|(_, state)| state == kind) {
                            (cell(map.range, *ports, class, word))
                        }
                    }
                    @for (x, anchor, port) in [("0", "start", map.range.min), ("960", "end", map.range.max)] {
                        text.net.soft x=(x) y="51" text-anchor=(anchor) { (port) }
                    }
                }
            }
            ul.legend {
                @for (_, class, word) in &used { li { (swatch(class)) (word) } }
                li { (swatch("cell-none")) "not asked" }
            }
        }
    }
}

fn cell(range: PortRange, ports: PortRange, class: &str, word: &str) -> Markup {
    let scale = WIDTH / f64::from(range.len());
    let x = f64::from(ports.min - range.min) * scale;
    let width = (f64::from(ports.len()) * scale).max(NARROWEST);
    let told = if ports.min == ports.max { ports.min.to_string() } else { ports.to_string() };
    html! {
        rect class=(class) x=(format!("{:.1}", x.min(WIDTH - width))) y="0" width=(format!("{width:.1}")) height=(HEIGHT) {
            title { (told) ": " (word) }
        }
    }
}

fn swatch(class: &str) -> Markup {
    html! { svg viewBox="0 0 10 10" aria-hidden="true" { rect class=(class) width="10" height="10" rx="2" {} } }
}

fn surveyed(endpoint: &Endpoint) -> Option<Map> {
    let survey = endpoint.survey.as_ref()?;
    let parts = survey.spans.iter().filter_map(|span| Some((span.ports, state(&span.state)?))).collect();
    let source =
        if survey.whole { "Every port of the range was asked" } else { "A spread of the range was asked" };
    Some(Map { range: survey.range, parts, source })
}

/// The ports of the offers, with what a connect met; the range is the declared one, or what they span.
fn announced(report: &Report, endpoint: &Endpoint) -> Option<Map> {
    let mut met: Vec<(u16, PortState)> = Vec::new();
    for offer in &endpoint.offers {
        let Some(announced) = offer.announced else { continue };
        let tried =
            offer.visits.iter().filter(|visit| visit.connect.tried()).map(|visit| &visit.connect.outcome);
        // At any address that works the port works.
        let outcome = tried.max_by_key(|outcome| **outcome == Outcome::Open);
        let outcome = outcome.map_or(PortState::Failed, |outcome| match outcome {
            Outcome::Silent => PortState::Silent,
            other => PortState::from(other),
        });
        met.retain(|(port, _)| *port != announced.port);
        met.push((announced.port, outcome));
    }
    let low = met.iter().map(|(port, _)| *port).min()?;
    let high = met.iter().map(|(port, _)| *port).max()?;
    let told = report.evidence.told.range;
    let declared = told.filter(|range| range.contains(low) && range.contains(high));
    let range = declared.unwrap_or(PortRange { min: low, max: high });
    let parts: Vec<_> =
        spans(met).iter().filter_map(|span| Some((span.ports, state(&span.state)?))).collect();
    if parts.is_empty() || range.len() < 2 {
        return None;
    }
    let source = if declared.is_some() {
        "The ports announced, in the range that was declared"
    } else {
        "The ports announced, between the lowest and the highest"
    };
    Some(Map { range, parts, source })
}
