//! The report for a person: the verdict, the cause, the fix for this product, then the steps.

use std::fmt::Write as _;

use colored::Color;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};

use super::style::{Style, color_of, printable};
use super::{CheckInfo, Renderer, Report, Status, prose};
use crate::evidence::{Entry, Speaker};
use crate::explain::document::PRODUCTS;
use crate::explain::values::Values;
use crate::finding::{Confidence, Finding, Location, Remedy, Severity, Verdict};

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Amount {
    /// The verdict in one line.
    Line,
    /// Verdict, causes, fixes, steps.
    Usual,
    /// Also what the causes explain, all quoted facts, and every section of the fix.
    Everything,
}

/// Renders a report.
#[must_use]
pub fn render(report: &Report, style: &Style, amount: Amount) -> String {
    if amount == Amount::Line {
        return format!(
            "{} {}: {}\n",
            style.badge(report.verdict),
            target(report),
            printable(&report.summary)
        );
    }
    let mut out = verdict(report, style);
    let mut before = None;
    let mut told: Vec<&Finding> = Vec::new();
    for finding in report.causes() {
        let notes =
            finding.severity == Severity::Info && before == Some(Severity::Info) && amount == Amount::Usual;
        if !notes {
            out.push('\n');
        }
        before = Some(finding.severity);
        // The same fix for the same thing on another line is not repeated.
        let again = told.iter().any(|other| other.id == finding.id && other.remedies == finding.remedies);
        out.push_str(&cause(report, finding, style, amount, again));
        told.push(finding);
    }
    out.push_str(&ignored(report, style));
    if amount == Amount::Everything {
        out.push_str(&explained(report, style));
    }
    for endpoint in report.evidence.checked() {
        if let Some(survey) = &endpoint.survey {
            out.push('\n');
            out.push_str(&super::portmap::draw(survey, style));
            out.push_str(&super::proofs::render(survey, style));
        }
    }
    out.push('\n');
    out.push_str(&steps(report, style));
    out
}

/// `CRITICAL ftp.example.com:21 (vsftpd 3.0.5)` and the sentence.
fn verdict(report: &Report, style: &Style) -> String {
    let target = target(report);
    let server = report.server.as_ref().map(|server| {
        let version = server.version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
        let sure = if server.certainty == "certain" { "" } else { "probably " };
        format!(" ({sure}{}{version})", server.product)
    });
    let head = printable(&format!("{target}{}", server.unwrap_or_default()));
    let mut out = format!("{} {}\n", style.badge(report.verdict), style.bold(&head));
    let _ = writeln!(out, "{}", style.wrap(&printable(&report.summary), 0));
    out
}

fn target(report: &Report) -> String {
    printable(&report.name())
}

fn cause(report: &Report, finding: &Finding, style: &Style, amount: Amount, again: bool) -> String {
    let color = color_of(Verdict::from(finding.severity));
    let mut out = String::new();
    let word = match finding.severity {
        Severity::Info => "Note",
        Severity::Warning => "Warning",
        Severity::Unknown => "Not tested",
        Severity::Critical => "Cause",
    };
    let place = match finding.location {
        Location::Unknown => String::new(),
        Location::Client => ", on your side".to_owned(),
        Location::Server => ", at the server".to_owned(),
        Location::Transit => ", on the way".to_owned(),
    };
    let sure = match finding.confidence {
        Confidence::Certain => "certain",
        Confidence::Likely => "likely",
        Confidence::Possible => "possible",
    };
    let head = format!("{word}: {}", style.bold(&finding.id));
    if finding.severity == Severity::Info && amount < Amount::Everything {
        // A note alters nothing: one line, and the rest is a command away.
        let line = style.wrap(&printable(&format!("Note: {} {}", finding.id, finding.title)), 0);
        let painted = style.paint(&head, color);
        let _ = writeln!(out, "{}", line.replacen(&format!("Note: {}", finding.id), &painted, 1));
        return out;
    }
    let _ = writeln!(
        out,
        "{} {}",
        style.paint(&head, color),
        style.dim(&format!("({sure}{place}{})", scope(report, finding)))
    );
    let _ = writeln!(out, "{}", style.wrap(&printable(&report.words(finding)), 2));
    let excerpt = super::excerpt::draw(finding, style);
    out.push_str(&excerpt);
    if !excerpt.is_empty() && !finding.evidence.is_empty() {
        out.push('\n');
    }
    let facts = if amount == Amount::Everything { usize::MAX } else { 4 };
    for fact in finding.evidence.iter().take(facts) {
        let _ = writeln!(out, "{}", style.dim(&style.wrap(&printable(fact), 4)));
    }
    if finding.severity > Severity::Info && !again {
        out.push_str(&fix(report, finding, style, amount));
    }
    out
}

/// Which address and command it is about, where that is not clear.
fn scope(report: &Report, finding: &Finding) -> String {
    let mut words = String::new();
    if let Some(address) = finding.scope.endpoint.filter(|_| report.endpoints.len() > 1) {
        let _ = write!(words, ", {address}");
    }
    if let Some(mode) = finding.scope.mode {
        let _ = write!(words, ", {mode}");
    }
    words
}

/// The fix: for the recognised product, and the firewall where that is the matter. The other sections are one command
/// away.
fn fix(report: &Report, finding: &Finding, style: &Style, amount: Amount) -> String {
    let (shown, left): (Vec<&Remedy>, Vec<&Remedy>) = finding
        .remedies
        .iter()
        .partition(|remedy| amount == Amount::Everything || relevant(report, finding, remedy));
    let mut out = String::new();
    if shown.is_empty() && finding.severity > Severity::Unknown {
        out.push_str(&by_hand(report, finding, style));
    }
    for remedy in &shown {
        let _ = writeln!(out, "\n  {}", style.paint(&format!("Fix: {}", remedy.product), Color::Green));
        out.push_str(&prose::render(&printable(&remedy.text), style, 4));
    }
    if uses_range(&shown) {
        let values = Values::of(&report.evidence, finding.scope.endpoint);
        let note = format!("The range above is {}.", values.range_from);
        let _ = writeln!(out, "\n{}", style.dim(&style.wrap(&note, 4)));
    }
    let others: Vec<&str> = left.iter().map(|remedy| remedy.product.as_str()).collect();
    let more = if others.is_empty() { String::new() } else { format!(" (also for {})", others.join(", ")) };
    let more = format!("More: pasvcheck explain {}{more}", finding.id);
    let _ = writeln!(out, "\n{}", style.dim(&style.wrap(&more, 2)));
    out
}

/// Where no fix can be chosen, since the product is not known: how to look closer.
fn by_hand(report: &Report, finding: &Finding, style: &Style) -> String {
    let Some(text) = by_hand_text(report, finding) else { return String::new() };
    let heading = style.paint("Check it by hand", Color::Green);
    format!("\n  {heading}\n{}", prose::render(&printable(&text), style, 4))
}

/// The section of a finding's document on looking closer, with this run's values.
pub(super) fn by_hand_text(report: &Report, finding: &Finding) -> Option<String> {
    let rule = crate::checks::rule(&finding.id)?;
    let document = crate::explain::document::Document::parse(rule.document);
    let values = Values::of(&report.evidence, finding.scope.endpoint);
    document.section("Check it by hand").map(|text| values.fill(text))
}

/// A product's own section, what concerns any server, and the firewall of its platform. Nothing of a product that is
/// only one of five.
pub(super) fn relevant(report: &Report, finding: &Finding, remedy: &Remedy) -> bool {
    // What could not be tested has nothing to be mended at the server; what this side can do is told.
    if finding.severity == Severity::Unknown {
        return matches!(remedy.product.as_str(), "Any server" | "Client" | "DNS" | "This host");
    }
    // An audit knows the product of each finding; its remedies hold no other product's section.
    let audited = report.evidence.audit.as_ref().and_then(|audit| {
        let products =
            audit.configurations.iter().filter_map(|one| crate::server::Product::from_name(&one.product));
        let sections: Vec<&str> = finding.remedies.iter().map(|remedy| remedy.product.as_str()).collect();
        products.into_iter().find(|product| product.section().is_some_and(|own| sections.contains(&own)))
    });
    let known = audited.or_else(|| super::recognised(&report.evidence).map(|known| known.product));
    let Some(product) = known else {
        return matches!(remedy.product.as_str(), "Any server" | "DNS" | "This host");
    };
    let firewall = match product.platform() {
        crate::server::Platform::Windows => "Windows firewall",
        _ => "Linux firewall",
    };
    let name = remedy.product.as_str();
    product.section() == Some(name)
        || name == firewall
        || matches!(name, "Any server" | "DNS" | "This host")
        || (product.section().is_none() && !PRODUCTS.contains(&name) && name == "NAT router")
}

fn uses_range(shown: &[&Remedy]) -> bool {
    shown.iter().any(|remedy| {
        remedy
            .commands
            .iter()
            .any(|command| command.contains("pasv_min_port") || command.contains("PassivePort"))
    })
}

/// What the policy accepts for a time: told, so that nobody forgets it.
fn ignored(report: &Report, style: &Style) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        if let Some(ignored) = &finding.ignored {
            let line = format!(
                "Accepted by the policy until {}: {} ({})",
                ignored.until, finding.id, ignored.reason
            );
            let _ = writeln!(out, "\n{}", style.dim(&style.wrap(&printable(&line), 0)));
        }
    }
    out
}

/// What the causes explain: kept in the background.
fn explained(report: &Report, style: &Style) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        if let Some(cause) = &finding.explained_by {
            let line = format!("Explained by {cause}: {} — {}", finding.id, finding.title);
            let _ = writeln!(out, "\n{}", style.dim(&style.wrap(&printable(&line), 0)));
        }
    }
    out
}

fn steps(report: &Report, style: &Style) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(style.width).unwrap_or(100));
    table.force_no_tty();
    let told = |check: &&CheckInfo| !check.summary.ends_with(super::NOT_NEEDED);
    for check in report.checks.iter().filter(told) {
        let (mark, _) = mark(check.status);
        let time = if check.status == Status::Skip { String::new() } else { time(check.duration_ms) };
        table.add_row([
            Cell::new(format!("{mark} {}", check.id)),
            Cell::new(time).set_alignment(CellAlignment::Right),
            Cell::new(printable(&check.summary)),
        ]);
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    let mut out = String::new();
    for line in lines {
        let status = report.checks.iter().find(|check| line.trim_start().starts_with(&head(check)));
        let _ = match status {
            Some(check) => writeln!(out, "{}", colour_mark(&line, check, style)),
            None => writeln!(out, "{line}"),
        };
    }
    let _ = writeln!(out, "{}", style.dim(&format!("  {} in {}", when(report), time(report_ms(report)))));
    out
}

fn head(check: &CheckInfo) -> String {
    format!("{} {}", mark(check.status).0, check.id)
}

fn colour_mark(line: &str, check: &CheckInfo, style: &Style) -> String {
    let (mark, color) = mark(check.status);
    line.replacen(mark, &style.paint(mark, color), 1)
}

fn mark(status: Status) -> (&'static str, Color) {
    match status {
        Status::Skip => ("-", Color::BrightBlack),
        Status::Pass => ("✓", Color::Green),
        Status::Warn => ("!", Color::Yellow),
        Status::Unknown => ("?", Color::Magenta),
        Status::Fail => ("✗", Color::Red),
    }
}

fn when(report: &Report) -> String {
    report.started_at.chars().take(19).map(|c| if c == 'T' { ' ' } else { c }).collect::<String>() + " UTC"
}

#[expect(clippy::cast_precision_loss, reason = "a time for people")]
fn report_ms(report: &Report) -> f64 {
    report.duration_ms as f64
}

pub(super) fn time(ms: f64) -> String {
    if ms < 1000.0 { format!("{ms:.0} ms") } else { format!("{:.1} s", ms / 1000.0) }
}

/// Renders one report, and the dialogue if that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Single {
    /// How it looks.
    pub style: Style,
    /// How much is told.
    pub amount: Amount,
    /// Whether the dialogue is shown.
    pub trace: bool,
}

impl Renderer for Single {
    fn add(&mut self, report: &Report) -> String {
        let trace = if self.trace { trace(report, &self.style) } else { String::new() };
        render(report, &self.style, self.amount) + &trace
    }
}

/// The dialogue, with times (`--trace`).
#[must_use]
pub fn trace(report: &Report, style: &Style) -> String {
    let mut out = String::new();
    for endpoint in &report.evidence.endpoints {
        if endpoint.dialogue.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n{}", style.bold(&format!("Dialogue with {}", endpoint.address)));
        for entry in &endpoint.dialogue {
            let _ = writeln!(out, "{}", trace_line(entry, style));
        }
    }
    out
}

fn trace_line(entry: &Entry, style: &Style) -> String {
    let Entry { at_ms, from, line } = entry;
    let line = printable(line);
    match from {
        Speaker::Client => format!("{at_ms:9.1} ms  C: {}", style.bold(&line)),
        Speaker::Server => format!("{at_ms:9.1} ms  S: {line}"),
        Speaker::Note => style.dim(&format!("{at_ms:9.1} ms  -- {line}")),
    }
}
