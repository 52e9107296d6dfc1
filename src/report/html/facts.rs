//! The tables: checks, offers, transfers, the way there; the dialogue and the evidence as they are.

use maud::{Markup, html};

use crate::evidence::{Endpoint, Outcome, Speaker, Via};
use crate::report::style::printable;
use crate::report::terminal::time;
use crate::report::{NOT_NEEDED, Report, Status};

/// Bytes of evidence that a page shows as JSON; a survey's is bigger than anybody reads.
const RAW_LIMIT: usize = 256 * 1024;

/// Every check with its result.
pub(super) fn checks(report: &Report) -> Markup {
    html! {
        div.scroll { table {
            thead { tr { th { "Check" } th { "Result" } th.number { "Time" } th { "Seen" } } }
            tbody { @for check in report.checks.iter().filter(|check| !check.summary.ends_with(NOT_NEEDED)) {
                tr {
                    td.tight { (printable(&check.id)) }
                    td.tight { b class=(colour(check.status)) { (check.status) } }
                    td.number { @if check.status != Status::Skip { (time(check.duration_ms)) } }
                    td.wide { (printable(&check.summary)) }
                }
            } }
        } }
    }
}

fn colour(status: Status) -> &'static str {
    match status {
        Status::Skip => "soft",
        Status::Pass => "ok",
        Status::Warn => "warning",
        Status::Unknown => "unknown",
        Status::Fail => "critical",
    }
}

/// What was seen at one address, folded away.
pub(super) fn of_endpoint(endpoint: &Endpoint) -> Markup {
    html! {
        @if !endpoint.offers.is_empty() {
            details { summary { "Passive offers and data connections of " code { (endpoint.address) } } (offers(endpoint)) }
        }
        @if !endpoint.transfers.is_empty() {
            details { summary { "Transfers" } (transfers(endpoint)) }
        }
        @if endpoint.path.is_some() {
            details { summary { "The way there" } (way(endpoint)) }
        }
        @if !endpoint.dialogue.is_empty() {
            details.screen { summary { "The dialogue as text" } pre { (dialogue(endpoint)) } }
        }
    }
}

fn offers(endpoint: &Endpoint) -> Markup {
    html! {
        div.scroll { table {
            thead { tr { th { "Command" } th { "Answer" } th { "Data connection" } } }
            tbody { @for offer in &endpoint.offers {
                tr {
                    td.tight { (offer.mode) }
                    td.wide { span.net { (printable(&offer.answer.describe())) } }
                    td.wide { @for visit in &offer.visits {
                        div {
                            @if visit.via == Via::Control && offer.mode == crate::evidence::Mode::Pasv {
                                "control address "
                            }
                            code { (visit.connect.to) } " "
                            span class=(outcome(&visit.connect.outcome)) { (printable(&visit.connect.describe())) }
                        }
                    } }
                }
            } }
        } }
    }
}

fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Open => "ok",
        Outcome::Reset | Outcome::Icmp(_) | Outcome::Silent => "critical",
        Outcome::Failed { .. } | Outcome::NotContacted { .. } | Outcome::Unroutable { .. } => "soft",
    }
}

fn transfers(endpoint: &Endpoint) -> Markup {
    html! {
        div.scroll { table {
            thead { tr { th { "Command" } th { "Mode" } th { "Data connection" } th.number { "Bytes" } th.number { "Time" } th { "Closing reply" } } }
            tbody { @for transfer in &endpoint.transfers {
                tr {
                    td.wide { span.net { (printable(&transfer.command)) } }
                    td.tight { (transfer.mode) }
                    td.wide { code { (transfer.data.to) } " "
                        span class=(outcome(&transfer.data.outcome)) { (printable(&transfer.data.describe())) } }
                    td.number { (transfer.bytes) }
                    td.number { (time(transfer.elapsed_ms)) }
                    td.wide { @if let Some(answer) = transfer.completion.as_ref().or(transfer.preliminary.as_ref()) {
                        span.net { (printable(&answer.describe())) }
                    } }
                }
            } }
        } }
    }
}

fn way(endpoint: &Endpoint) -> Markup {
    let walks = endpoint.path.iter().flat_map(|path| path.control.iter().chain(&path.data));
    html! {
        @if let Some(distance) = endpoint.path.as_ref().and_then(|path| path.distance) {
            p { "The server is " (distance) @if distance == 1 { " hop" } @else { " hops" } " away." }
        }
        @for walk in walks {
            div.scroll { table {
                thead { tr { th.number { "Hop" } th { "To " (walk.to) } } }
                tbody { @for hop in &walk.hops {
                    tr { td.number { (hop.ttl) } td.wide { (printable(&met(&hop.outcome, walk.to.is_ipv6()))) } }
                } }
            } }
        }
    }
}

fn met(outcome: &Outcome, ipv6: bool) -> String {
    match outcome {
        Outcome::Icmp(icmp) => {
            let sender = icmp.sender.map_or_else(|| "a router".to_owned(), |sender| sender.to_string());
            format!("{sender}: {}", icmp.describe(ipv6))
        }
        Outcome::Open => "open".to_owned(),
        Outcome::Reset => "refused (TCP reset)".to_owned(),
        Outcome::Silent => "no answer".to_owned(),
        Outcome::Failed { error } | Outcome::Unroutable { error } => error.clone(),
        Outcome::NotContacted { reason } => reason.clone(),
    }
}

fn dialogue(endpoint: &Endpoint) -> String {
    let line = |entry: &crate::evidence::Entry| {
        let who = match entry.from {
            Speaker::Client => "C:",
            Speaker::Server => "S:",
            Speaker::Note => "--",
        };
        format!("{:9.1} ms  {who} {}", entry.at_ms, printable(&entry.line))
    };
    endpoint.dialogue.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The evidence as JSON, for whoever diagnoses it again.
pub(super) fn raw(report: &Report) -> Markup {
    let text = crate::report::json::pretty(report);
    html! {
        details.screen {
            summary { "The whole report as JSON (for pasvcheck --from)" }
            @if text.len() > RAW_LIMIT {
                p { "It is too long for a page (" (text.len() / 1024) " KiB): ask for it by --json." }
            } @else {
                div.paste { pre { (text) } }
            }
        }
    }
}
