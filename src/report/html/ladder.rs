//! The dialogue as a ladder: client, control port and data ports as three lanes, time running down.

use maud::{Markup, html};

use crate::checks;
use crate::evidence::{Endpoint, Entry, Outcome, Speaker, Step};
use crate::report::Report;
use crate::report::style::printable;
use crate::report::terminal::time;

/// Rungs that are drawn; the dialogue as text has all.
const MOST_RUNGS: usize = 150;

/// A pause of so many milliseconds is drawn.
const PAUSE_MS: f64 = 400.0;

/// The lanes and what lies between, in units of the drawing.
const CLIENT: i32 = 92;
const CONTROL: i32 = 560;
const DATA: i32 = 905;
const WIDTH: i32 = 960;
const RUNG: i32 = 30;
const TOP: i32 = 44;

/// Characters that fit over an arrow between client and control lane, and over the whole width.
const SHORT: usize = 62;
const LONG: usize = 108;

/// One thing that happened.
#[derive(Debug, PartialEq)]
enum Rung {
    /// A line from the client.
    Said { at_ms: f64, line: String },
    /// A reply, with all its lines.
    Answered { at_ms: f64, lines: Vec<String> },
    /// A connect to a data port.
    Data { at_ms: f64, text: String, fate: Fate },
    /// What else was noted.
    Note { at_ms: f64, text: String },
    /// Nothing crossed the control connection for so long, while this was done.
    Pause { ms: f64, doing: &'static str },
}

/// What became of a connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Open,
    Shut,
    Untried,
}

impl Fate {
    fn class(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Shut => "shut",
            Self::Untried => "untried",
        }
    }
}

/// Draws the dialogue with one address; nothing if there was none.
pub(super) fn draw(report: &Report, endpoint: &Endpoint) -> Markup {
    let rungs = rungs(report, endpoint);
    let shown = rungs.len().min(MOST_RUNGS);
    let height = TOP + i32::try_from(shown).unwrap_or(0) * RUNG + 24;
    let several = report.evidence.endpoints.len() > 1;
    html! {
        @if !rungs.is_empty() {
            h2 { "The dialogue" @if several { " with " code { (endpoint.address) } } }
            figure {
                figcaption {
                    "Time runs down. Commands and replies cross the control connection; each data connection is one of its own, "
                    "from the client to a port that the server announced."
                }
                div.scroll {
                    svg viewBox=(format!("0 0 {WIDTH} {height}")) role="img" aria-label="Ladder of control and data connections" {
                        (lanes(endpoint, report.target.port, height))
                        @for (number, rung) in rungs.iter().take(shown).enumerate() {
                            (draw_rung(rung, TOP + i32::try_from(number).unwrap_or(0) * RUNG + RUNG - 8))
                        }
                    }
                }
                @if shown < rungs.len() {
                    p.soft { (rungs.len() - shown) " more lines stand in the dialogue as text." }
                }
            }
        }
    }
}

fn lanes(endpoint: &Endpoint, port: u16, height: i32) -> Markup {
    let control = format!("control port {port}");
    html! {
        @for (x, name, below) in [
            (CLIENT, "this host", endpoint.local_address.map(|to| to.to_string()).unwrap_or_default()),
            (CONTROL, control.as_str(), endpoint.address.to_string()),
            (DATA, "data ports", String::new()),
        ] {
            text.lane-name x=(x) y="13" text-anchor="middle" { (name) }
            text.net.soft x=(x) y="29" text-anchor="middle" { (below) }
            line.lane x1=(x) y1="38" x2=(x) y2=(height - 8) {}
        }
    }
}

fn draw_rung(rung: &Rung, y: i32) -> Markup {
    html! {
        @match rung {
            Rung::Said { at_ms, line } => { (clock(*at_ms, y)) (arrow(CLIENT, CONTROL, y, "arrow", "tip")) (label(line, SHORT, CLIENT + 12, y, "net")) },
            Rung::Answered { at_ms, lines } => {
                (clock(*at_ms, y))
                (arrow(CONTROL, CLIENT, y, "arrow", "tip"))
                (answer(lines, y))
            },
            Rung::Data { at_ms, text, fate } => { (clock(*at_ms, y)) (data(text, *fate, y)) },
            Rung::Note { at_ms, text } => { (clock(*at_ms, y)) (label(text, LONG, CLIENT + 12, y + 8, "soft")) },
            Rung::Pause { ms, doing } => {
                rect.wait x=(CLIENT - 4) y=(y - 17) width=(DATA - CLIENT + 8) height="22" rx="4" {}
                text.soft x=(CLIENT + 12) y=(y - 2) { (time(*ms)) " " (doing) }
            },
        }
    }
}

fn clock(at_ms: f64, y: i32) -> Markup {
    html! { text.net.soft x=(CLIENT - 14) y=(y + 4) text-anchor="end" { (time(at_ms)) } }
}

/// A horizontal arrow that ends just before the other lane.
fn arrow(from: i32, to: i32, y: i32, line: &str, tip: &str) -> Markup {
    let ahead = if to > from { 1 } else { -1 };
    let end = to - 3 * ahead;
    let points = format!("{end},{y} {},{} {},{}", end - 8 * ahead, y - 4, end - 8 * ahead, y + 4);
    html! {
        line class=(line) x1=(from + 3 * ahead) y1=(y) x2=(end - 6 * ahead) y2=(y) {}
        polygon class=(tip) points=(points) {}
    }
}

/// Text over an arrow; what does not fit is in the tool tip.
fn label(text: &str, room: usize, x: i32, y: i32, class: &str) -> Markup {
    let whole = printable(text).replace('\n', " ");
    html! {
        text class=(class) x=(x) y=(y - 5) {
            @if whole.chars().count() > room {
                title { (whole) }
                (whole.chars().take(room - 1).collect::<String>()) "…"
            } @else { (whole) }
        }
    }
}

fn answer(lines: &[String], y: i32) -> Markup {
    let first = lines.first().map(String::as_str).unwrap_or_default();
    if lines.len() < 2 {
        return label(first, SHORT, CLIENT + 12, y, "net");
    }
    let count = format!("({} lines)", lines.len());
    let whole = printable(&lines.join("\n"));
    let room = SHORT - count.len() - 2;
    let head: String = printable(first).chars().take(room).collect();
    html! {
        text.net x=(CLIENT + 12) y=(y - 5) {
            title { (whole) }
            (head) " " tspan.soft { (count) }
        }
    }
}

fn data(text: &str, fate: Fate, y: i32) -> Markup {
    let class = fate.class();
    html! {
        @match fate {
            Fate::Open => (arrow(CLIENT, DATA, y, "arrow open", "tip open")),
            Fate::Shut | Fate::Untried => {
                // It ends before the lane: nothing got there, as far as could be seen.
                line class={ "arrow dashed " (class) } x1=(CLIENT + 3) y1=(y) x2=(DATA - 48) y2=(y) {}
                line class={ "arrow " (class) } x1=(DATA - 46) y1=(y - 5) x2=(DATA - 36) y2=(y + 5) {}
                line class={ "arrow " (class) } x1=(DATA - 46) y1=(y + 5) x2=(DATA - 36) y2=(y - 5) {}
            },
        }
        (label(text, LONG, CLIENT + 12, y, &format!("net {class}")))
    }
}

/// The dialogue as rungs: replies joined, long waits marked.
fn rungs(report: &Report, endpoint: &Endpoint) -> Vec<Rung> {
    let mut rungs: Vec<Rung> = Vec::new();
    let mut before: Option<f64> = None;
    for entry in &endpoint.dialogue {
        let joins = entry.from == Speaker::Server
            && matches!(rungs.last(), Some(Rung::Answered { lines, .. }) if open(lines));
        if joins && let Some(Rung::Answered { lines, .. }) = rungs.last_mut() {
            lines.push(entry.line.clone());
        } else {
            let since = before.unwrap_or(entry.at_ms);
            if entry.at_ms - since >= PAUSE_MS {
                rungs.push(Rung::Pause { ms: entry.at_ms - since, doing: doing(report, since, entry.at_ms) });
            }
            rungs.push(rung(entry, endpoint));
        }
        before = Some(entry.at_ms);
    }
    rungs
}

/// What took most of a pause.
fn doing(report: &Report, from: f64, to: f64) -> &'static str {
    let overlap = |step: &Step| (step.started_ms + step.duration_ms).min(to) - step.started_ms.max(from);
    let longest = report.evidence.steps.iter().max_by(|a, b| overlap(a).total_cmp(&overlap(b)));
    longest.and_then(|step| checks::named(&step.check)).map_or("", |check| check.title)
}

/// Whether a reply of several lines goes on: it began with `211-` and has not ended with `211 ` (RFC 959 §4.2).
fn open(lines: &[String]) -> bool {
    let Some(first) = lines.first() else { return false };
    let (Some(code), Some("-")) = (first.get(..3), first.get(3..4)) else { return false };
    !lines.iter().skip(1).any(|line| line.get(..3) == Some(code) && line.get(3..4) == Some(" "))
}

fn rung(entry: &Entry, endpoint: &Endpoint) -> Rung {
    let (at_ms, line) = (entry.at_ms, entry.line.clone());
    match entry.from {
        Speaker::Client => Rung::Said { at_ms, line },
        Speaker::Server => Rung::Answered { at_ms, lines: vec![line] },
        Speaker::Note => match line.strip_prefix("data connection to ") {
            Some(rest) => Rung::Data { at_ms, fate: fate(rest, endpoint), text: rest.to_owned() },
            None => Rung::Note { at_ms, text: line },
        },
    }
}

/// What became of the connect that a note tells of: that of the evidence which reads the same.
fn fate(told: &str, endpoint: &Endpoint) -> Fate {
    let visits = endpoint.offers.iter().flat_map(|offer| &offer.visits).map(|visit| &visit.connect);
    let connects = visits.chain(endpoint.transfers.iter().map(|transfer| &transfer.data));
    let same = connects.into_iter().find(|connect| told == format!("{}: {}", connect.to, connect.describe()));
    match same.map(|connect| &connect.outcome) {
        Some(Outcome::Open) => Fate::Open,
        Some(Outcome::Reset | Outcome::Silent | Outcome::Icmp(_)) => Fate::Shut,
        Some(_) => Fate::Untried,
        None if told.contains(": opened") => Fate::Open,
        None if told.contains(": not contacted") => Fate::Untried,
        None => Fate::Shut,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::saved;

    #[test]
    fn replies_of_several_lines_are_one_rung_and_waits_are_marked() {
        let report = saved("broken");
        let rungs = rungs(&report, &report.evidence.endpoints[0]);
        let features =
            rungs.iter().any(|rung| matches!(rung, Rung::Answered { lines, .. } if lines.len() > 3));
        assert!(features, "{rungs:#?}");
        let shut = rungs.iter().filter(|rung| matches!(rung, Rung::Data { fate: Fate::Shut, .. })).count();
        assert!(shut > 0, "{rungs:#?}");
        let mut endpoint = report.evidence.endpoints[0].clone();
        endpoint.dialogue.last_mut().unwrap().at_ms += 10_000.0;
        assert!(
            super::rungs(&report, &endpoint)
                .iter()
                .any(|rung| matches!(rung, Rung::Pause { ms, .. } if *ms > 9_000.0))
        );
    }

    #[test]
    fn every_data_connection_of_a_healthy_run_is_open() {
        let report = saved("healthy");
        for rung in rungs(&report, &report.evidence.endpoints[0]) {
            assert!(!matches!(rung, Rung::Data { fate: Fate::Shut | Fate::Untried, .. }), "{rung:?}");
        }
    }
}
