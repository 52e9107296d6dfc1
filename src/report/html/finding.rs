//! Causes with their fixes, and what they explain.

use maud::{Markup, html};

use super::prose;
use crate::finding::{Confidence, Finding, Location, Remedy, Severity, Verdict};
use crate::report::Report;
use crate::report::excerpt;
use crate::report::style::{capital, printable};
use crate::report::terminal::{by_hand_text, relevant};

/// A cause: what it is, what was seen, how it is mended.
pub(super) fn cause(report: &Report, finding: &Finding) -> Markup {
    let verdict = Verdict::from(finding.severity);
    let (shown, others): (Vec<&Remedy>, Vec<&Remedy>) =
        finding.remedies.iter().partition(|remedy| relevant(report, finding, remedy));
    let by_hand = by_hand_text(report, finding);
    html! {
        section class={ "finding " (verdict) } {
            div {
                div.kind {
                    b class=(verdict) { (word(finding.severity)) }
                    code { (printable(&finding.id)) }
                    @for fact in circumstances(report, finding) { span { (fact) } }
                }
                h3 { (capital(&printable(&finding.title))) }
                p { (printable(&finding.detail)) }
                @if let Some((line, corrected)) = excerpt::lines(finding) {
                    pre.excerpt {
                        @match corrected {
                            Some(corrected) => { del { "- " (line) } ins { "+ " (corrected) } }
                            None => { (line) }
                        }
                    }
                }
                @if !finding.evidence.is_empty() {
                    ul.facts { @for fact in &finding.evidence { li.net { (printable(fact)) } } }
                }
                @if !shown.is_empty() {
                    div.fix { @for remedy in &shown {
                        h4 { "Fix: " (remedy.product) }
                        (prose::render(&remedy.text))
                    } }
                }
                @if let Some(text) = by_hand.filter(|_| shown.is_empty() && finding.severity > Severity::Unknown) {
                    div.fix {
                        h4 { "Check it by hand" }
                        (prose::render(&text))
                    }
                }
                @if !others.is_empty() {
                    details.screen {
                        summary { @if shown.is_empty() { "Fixes for " } @else { "Also for " } (names(&others)) }
                        div { @for remedy in &others {
                            h4 { (remedy.product) }
                            (prose::render(&remedy.text))
                        } }
                    }
                }
            }
        }
    }
}

fn names(remedies: &[&Remedy]) -> String {
    remedies.iter().map(|remedy| remedy.product.as_str()).collect::<Vec<_>>().join(", ")
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "Note",
        Severity::Warning => "Warning",
        Severity::Unknown => "Not tested",
        Severity::Critical => "Cause",
    }
}

/// How sure, where, and what it is about.
fn circumstances(report: &Report, finding: &Finding) -> Vec<String> {
    let sure = match finding.confidence {
        Confidence::Certain => "certain",
        Confidence::Likely => "likely",
        Confidence::Possible => "possible",
    };
    let place = match finding.location {
        Location::Unknown => None,
        Location::Client => Some("on your side"),
        Location::Server => Some("at the server"),
        Location::Transit => Some("on the way"),
    };
    let mut facts = vec![sure.to_owned()];
    facts.extend(place.map(str::to_owned));
    if let [last, first] = finding.hops[..] {
        facts.push(format!("between hop {last} and hop {first}"));
    }
    facts.extend(finding.scope.endpoint.filter(|_| report.endpoints.len() > 1).map(|to| to.to_string()));
    facts.extend(finding.scope.mode.map(|mode| mode.to_string()));
    if finding.scope.tls {
        facts.push("with TLS".to_owned());
    }
    if let Some(file) = &finding.file {
        let line = finding.line.map(|line| format!(":{line}")).unwrap_or_default();
        facts.push(printable(&format!("{file}{line}")));
    }
    facts
}

/// What the causes explain, folded away.
pub(super) fn explained(report: &Report) -> Markup {
    let symptoms: Vec<(&Finding, &String)> = report
        .findings
        .iter()
        .filter_map(|finding| Some((finding, finding.explained_by.as_ref()?)))
        .collect();
    html! {
        @if !symptoms.is_empty() {
            details {
                summary { "What follows from that (" (symptoms.len()) ")" }
                ul.notes { @for (finding, cause) in symptoms {
                    li {
                        code { (printable(&finding.id)) } " " (printable(&finding.title))
                        " " span.soft { "(explained by " (printable(cause)) ")" }
                    }
                } }
            }
        }
    }
}
