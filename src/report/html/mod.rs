//! The report as a page: one file, nothing fetched from elsewhere.
//!
//! maud escapes every text and attribute; what else could act on a reader (control characters, marks that turn the writing
//! direction) is shown as an escape by [`printable`]. A content security policy allows our own style and script by their
//! hashes and nothing else, so that markup which slipped through all that would still do nothing.

mod facts;
mod finding;
mod ladder;
mod ports;
mod prose;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::style::printable;
use super::terminal::time;
use super::{Renderer, Report};
use crate::finding::{Severity, Verdict};
use crate::threshold::Measure;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// What a browser computes of the two; a test says what to write here after a change.
const STYLE_HASH: &str = "sha256-QJ3eZdfEaLeVLesk5oCMCszRBuxnZrJ1pgrq7acYsUQ=";
const SCRIPT_HASH: &str = "sha256-QE3LDEvm+TOR8NeywBLxMt9+esf3UdJja/N+08R82gk=";

/// Renders a page of one report, or of several with an overview.
///
/// Several are written one by one as they end. The overview can only be known at the end and is written there; the style
/// sheet shows it first.
#[derive(Debug)]
pub struct Html {
    several: bool,
    begun: bool,
    rows: Vec<Row>,
}

/// What the overview keeps of a target.
#[derive(Debug)]
struct Row {
    verdict: Verdict,
    name: String,
    summary: String,
    ms: f64,
}

impl Html {
    /// A page of one report, or of several.
    #[must_use]
    pub fn new(several: bool) -> Self {
        Self { several, begun: false, rows: Vec::new() }
    }

    fn head(&mut self, title: &str) -> String {
        if std::mem::replace(&mut self.begun, true) {
            return String::new();
        }
        let policy = format!(
            "default-src 'none'; style-src '{STYLE_HASH}'; script-src '{SCRIPT_HASH}'; base-uri 'none'; form-action 'none'"
        );
        let head = html! {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { (printable(title)) }
                style { (PreEscaped(STYLE)) }
            }
        };
        format!("{}<html lang=\"en\">{}<body><main>\n", DOCTYPE.into_string(), head.into_string())
    }
}

impl Renderer for Html {
    fn add(&mut self, report: &Report) -> String {
        if !self.several {
            let title =
                format!("{} {} · pasvcheck", report.verdict.to_string().to_uppercase(), report.name());
            return self.head(&title) + &html! { article { (article(report, true)) } }.into_string();
        }
        self.rows.push(Row {
            verdict: report.verdict,
            name: report.name(),
            summary: report.summary.clone(),
            ms: report.measured(Measure::Total).unwrap_or_default(),
        });
        let target = html! {
            details.target id=(format!("target-{}", self.rows.len())) open[report.verdict > Verdict::Ok] {
                summary { (badge(report.verdict)) b { (printable(&report.name())) } }
                article { (article(report, false)) }
            }
        };
        self.head("pasvcheck") + &target.into_string() + "\n"
    }

    fn finish(&mut self) -> String {
        let head = self.head("pasvcheck");
        let rows = std::mem::take(&mut self.rows);
        self.begun = false;
        let overview = if self.several {
            overview(&rows)
        } else {
            html! {}
        };
        let version = env!("CARGO_PKG_VERSION");
        let end = html! {
            (overview)
            footer { "Made by pasvcheck " (version) ". This page fetches nothing and sends nothing." }
        };
        format!("{head}{}</main><script>{SCRIPT}</script></body></html>\n", end.into_string())
    }
}

/// The table of all targets, gravest first.
fn overview(rows: &[Row]) -> Markup {
    let mut order: Vec<(usize, &Row)> = rows.iter().enumerate().collect();
    order.sort_by_key(|(_, row)| std::cmp::Reverse(row.verdict));
    html! {
        section.overview {
            h1 { (rows.len()) @if rows.len() == 1 { " target" } @else { " targets" } }
            div.scroll { table {
                thead { tr { th { "Verdict" } th { "Target" } th { "Summary" } th.number { "Time" } } }
                tbody { @for (number, row) in order {
                    tr {
                        td.tight { b class=(row.verdict) { (row.verdict) } }
                        td.wide { a href=(format!("#target-{}", number + 1)) { (printable(&row.name)) } }
                        td.wide { (printable(&row.summary)) }
                        td.number { (time(row.ms)) }
                    }
                } }
            } }
        }
    }
}

/// A report; without its title where that stands above it already.
fn article(report: &Report, titled: bool) -> Markup {
    let causes: Vec<_> = report.causes().filter(|finding| finding.severity > Severity::Info).collect();
    let notes: Vec<_> = report.causes().filter(|finding| finding.severity == Severity::Info).collect();
    html! {
        (head(report, titled))
        @if !causes.is_empty() {
            h2 { @if causes.len() == 1 { "What is wrong" } @else { "What is wrong, gravest first" } }
            @for finding in causes { (finding::cause(report, finding)) }
        }
        (finding::explained(report))
        @if !notes.is_empty() {
            h2 { "Notes" }
            ul.notes { @for note in notes { li { code { (note.id) } " " (printable(&note.title)) } } }
        }
        h2 { "Checks" }
        (facts::checks(report))
        @for endpoint in &report.evidence.endpoints {
            (ladder::draw(report, endpoint))
            (ports::draw(report, endpoint))
            (facts::of_endpoint(endpoint))
        }
        (facts::raw(report))
    }
}

fn head(report: &Report, titled: bool) -> Markup {
    let server = report.server.as_ref().map(|server| {
        let version = server.version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
        let sure = if server.certainty == "certain" { "" } else { "probably " };
        format!("{sure}{}{version}", server.product)
    });
    html! {
        header.head {
            @if titled {
                (badge(report.verdict))
                h1 { (printable(&report.name())) }
            }
            p.lead { (printable(&report.summary)) }
            div.meta {
                @if let Some(server) = server { span { (printable(&server)) } }
                @for endpoint in &report.endpoints {
                    span { code { (endpoint.address) } @if report.endpoints.len() > 1 {
                        " " @if endpoint.skipped.is_some() { "left alone" } @else { (endpoint.verdict) }
                    } }
                }
                span { (printable(&when(&report.started_at))) }
                span { (time(report.measured(Measure::Total).unwrap_or_default())) }
                @for (name, value) in &report.labels { span { (printable(name)) ": " (printable(value)) } }
            }
        }
    }
}

fn badge(verdict: Verdict) -> Markup {
    html! { span class={ "badge " (verdict) } { (verdict) } }
}

/// `2026-11-23 21:48:14 UTC`.
fn when(started_at: &str) -> String {
    let text: String = started_at.chars().take(19).map(|c| if c == 'T' { ' ' } else { c }).collect();
    text + " UTC"
}

#[cfg(test)]
mod tests;
