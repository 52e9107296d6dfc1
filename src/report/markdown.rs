//! Markdown for a ticket: verdict, cause, fix, what was seen; the dialogue folded away.
//!
//! What came from the network is either in a fenced block that it cannot close, or has its marks escaped.

use std::fmt::Write as _;

use super::excerpt;
use super::style::{capital, printable};
use super::terminal::{by_hand_text, relevant, time};
use super::{Renderer, Report, Status};
use crate::evidence::{Endpoint, Speaker};
use crate::finding::{Finding, Severity, Verdict};

/// Renders reports one below the other; several end with a table.
#[derive(Debug, Default)]
pub struct Markdown {
    rows: Vec<String>,
}

impl Renderer for Markdown {
    fn add(&mut self, report: &Report) -> String {
        let row =
            format!("| {} | {} | {} |\n", report.verdict, escaped(&report.name()), escaped(&report.summary));
        let gap = if self.rows.is_empty() { "" } else { "\n" };
        self.rows.push(row);
        format!("{gap}{}", one(report))
    }

    fn finish(&mut self) -> String {
        let rows = std::mem::take(&mut self.rows);
        if rows.len() < 2 {
            return String::new();
        }
        format!("\n## All targets\n\n| verdict | target | summary |\n| --- | --- | --- |\n{}", rows.concat())
    }
}

fn one(report: &Report) -> String {
    let server = report.server.as_ref().map(|server| {
        let version = server.version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
        format!(" ({}{version})", server.product)
    });
    let head = format!("{}{}", report.name(), server.unwrap_or_default());
    let verdict = report.verdict.to_string().to_uppercase();
    let mut out = format!("## {verdict}: {}\n\n{}\n", escaped(&head), escaped(&report.summary));
    for finding in report.causes().filter(|finding| finding.severity > Severity::Info) {
        out.push_str(&cause(report, finding));
    }
    out.push_str(&notes(report));
    out.push_str(&checks(report));
    for endpoint in &report.evidence.endpoints {
        out.push_str(&dialogue(endpoint));
    }
    let _ = writeln!(
        out,
        "\npasvcheck {}, {}, {}",
        escaped(&report.tool.version),
        escaped(&report.started_at),
        time(report.measured(crate::threshold::Measure::Total).unwrap_or_default())
    );
    out
}

fn cause(report: &Report, finding: &Finding) -> String {
    let mut facts = vec![Verdict::from(finding.severity).to_string(), lower(&finding.confidence)];
    if finding.location != crate::finding::Location::Unknown {
        facts.push(format!("location: {}", lower(&finding.location)));
    }
    facts.extend(finding.scope.endpoint.map(|address| address.to_string()));
    facts.extend(finding.scope.mode.map(|mode| mode.to_string()));
    let mut out = format!(
        "\n### {}\n\n{} ({})\n\n{}\n",
        escaped(&finding.id),
        escaped(&capital(&finding.title)),
        facts.join(", "),
        escaped(&finding.detail)
    );
    if let Some(file) = &finding.file {
        let line = finding.line.map(|line| format!(":{line}")).unwrap_or_default();
        let _ = write!(out, "\n{}{line}\n", escaped(file));
    }
    if let Some((line, corrected)) = excerpt::lines(finding) {
        let text = corrected.map_or(line.clone(), |corrected| format!("- {line}\n+ {corrected}"));
        let _ = write!(out, "\n{}", fenced(&text));
    }
    if !finding.evidence.is_empty() {
        let _ = write!(out, "\n{}", fenced(&finding.evidence.join("\n")));
    }
    let before = out.len();
    for remedy in finding.remedies.iter().filter(|remedy| relevant(report, finding, remedy)) {
        let text = printable(&remedy.text);
        let _ = write!(out, "\n#### Fix: {}\n\n{}\n", escaped(&remedy.product), text.trim());
    }
    // Without a known product there is no fix to choose: how to look closer.
    if out.len() == before
        && finding.severity > Severity::Unknown
        && let Some(text) = by_hand_text(report, finding)
    {
        let _ = write!(out, "\n#### Check it by hand\n\n{}\n", printable(&text).trim());
    }
    out
}

/// Findings that alter nothing, in a list.
fn notes(report: &Report) -> String {
    let notes: Vec<String> = report
        .causes()
        .filter(|finding| finding.severity == Severity::Info)
        .map(|finding| format!("- {}: {}\n", escaped(&finding.id), escaped(&finding.title)))
        .collect();
    if notes.is_empty() { String::new() } else { format!("\n### Notes\n\n{}", notes.concat()) }
}

fn checks(report: &Report) -> String {
    let mut out = "\n### Checks\n\n| check | result | time | seen |\n| --- | --- | ---: | --- |\n".to_owned();
    for check in report.checks.iter().filter(|check| !check.summary.ends_with(super::NOT_NEEDED)) {
        let time = if check.status == Status::Skip { String::new() } else { time(check.duration_ms) };
        let _ = writeln!(
            out,
            "| {} | {} | {time} | {} |",
            escaped(&check.id),
            check.status,
            escaped(&check.summary)
        );
    }
    out
}

fn dialogue(endpoint: &Endpoint) -> String {
    if endpoint.dialogue.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = endpoint
        .dialogue
        .iter()
        .map(|entry| {
            let who = match entry.from {
                Speaker::Client => "C:",
                Speaker::Server => "S:",
                Speaker::Note => "--",
            };
            format!("{:9.1} ms  {who} {}", entry.at_ms, entry.line)
        })
        .collect();
    format!(
        "\n<details><summary>Dialogue with {}</summary>\n\n{}\n</details>\n",
        endpoint.address,
        fenced(&lines.join("\n"))
    )
}

/// A word of the contract as it stands in JSON.
fn lower(word: &impl std::fmt::Debug) -> String {
    format!("{word:?}").to_lowercase()
}

/// A block that nothing inside can end: its fence is longer than any run of backticks in it.
fn fenced(text: &str) -> String {
    let text = printable(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{text}\n{fence}\n")
}

/// Text on one line in which no mark of Markdown or HTML means anything.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in printable(text).chars() {
        match c {
            '\n' => out.push(' '),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hostile, saved};
    use super::*;

    #[test]
    fn a_ticket_tells_verdict_cause_fix_and_dialogue() {
        let mut markdown = Markdown::default();
        let text = markdown.add(&saved("broken")) + &markdown.finish();
        let order = [
            "## CRITICAL: ftp.example.com (ProFTPD 1.3.8)",
            "### passive-address-private",
            "#### Fix: ProFTPD",
            "```apache",
            "### Checks",
            "<details><summary>Dialogue with 203.0.113.10",
        ];
        let places: Vec<Option<usize>> = order.iter().map(|part| text.find(part)).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}\n{text}");
        assert!(!text.contains("All targets"));
    }

    #[test]
    fn nothing_that_a_server_says_is_a_mark() {
        let mut markdown = Markdown::default();
        let text = markdown.add(&hostile());
        let (mut fence, mut fenced) = (String::new(), false);
        for line in text.lines() {
            let ticks = line.chars().take_while(|c| *c == '`').count();
            if !fenced && ticks >= 3 {
                (fence, fenced) = ("`".repeat(ticks), true);
            } else if fenced && line == fence {
                fenced = false;
            } else if !fenced {
                assert!(
                    !line.contains("<script") && !line.contains("<img") && !line.starts_with("# x"),
                    "{line}"
                );
                assert!(!line.contains("[a](java"), "{line}");
            }
        }
        assert!(!fenced && !text.contains(['\u{202e}', '\u{1b}']));
    }

    #[test]
    fn several_reports_end_with_a_table() {
        let mut markdown = Markdown::default();
        let text = markdown.add(&saved("broken")) + &markdown.add(&saved("healthy")) + &markdown.finish();
        assert!(text.contains("## All targets") && text.contains("| ok | ftp.example.com |"), "{text}");
    }
}
