//! A comparison → text: for a terminal, for a ticket, as JSON.

use std::fmt::Write as _;

use comfy_table::{Cell, ContentArrangement, Table};

use super::{Change, Comparison, Named, Side};
use crate::finding::Verdict;
use crate::report::style::{Style, color_of, printable};

/// For a person at a terminal.
#[must_use]
pub fn terminal(comparison: &Comparison, style: &Style) -> String {
    let (a, b) = (&comparison.a, &comparison.b);
    let word = comparison.change.word().to_uppercase();
    let host = printable(&b.target.host);
    let mut out = format!(
        "{} {}\n",
        style.paint(&word, color_of(verdict_of(comparison.change))),
        style.bold(&format!("{host}: {} → {}", a.verdict, b.verdict))
    );
    for sentence in &comparison.meaning {
        let _ = writeln!(out, "{}", style.wrap(&printable(sentence), 0));
    }
    out.push('\n');
    for (letter, side) in [("A", a), ("B", b)] {
        let line = format!("{letter}  {}: {}", place(side), side.summary);
        let _ = writeln!(out, "{}", style.wrap(&printable(&line), 0));
    }
    for (heading, findings) in
        [("New in B", &comparison.new), ("Cured in B", &comparison.cured), ("In both", &comparison.kept)]
    {
        out.push_str(&list(heading, findings, style));
    }
    out.push_str(&seen(comparison, style));
    out
}

/// The colour of a change is that of the verdict with its exit code.
fn verdict_of(change: Change) -> Verdict {
    match change {
        Change::Same | Change::Better => Verdict::Ok,
        Change::Worse => Verdict::Warning,
        Change::Critical => Verdict::Critical,
        Change::NotComparable => Verdict::Unknown,
    }
}

/// When and where a report was made.
fn place(side: &Side) -> String {
    let at: String = side.started_at.chars().take(19).map(|c| if c == 'T' { ' ' } else { c }).collect();
    let from: Vec<String> = side.from.iter().map(ToString::to_string).collect();
    let from = if from.is_empty() { String::new() } else { format!(", from {}", from.join(" and ")) };
    let inside = if side.inside { " (inside)" } else { "" };
    format!("{at} UTC{from}{inside}")
}

fn list(heading: &str, findings: &[Named], style: &Style) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{}\n", style.bold(heading));
    for finding in findings {
        let verdict = Verdict::from(finding.severity);
        let line = format!("{verdict} {}: {}", finding.id, finding.title);
        let line = style.wrap(&printable(&line), 2);
        let word = verdict.to_string();
        let _ = writeln!(out, "{}", line.replacen(&word, &style.paint(&word, color_of(verdict)), 1));
    }
    out
}

fn seen(comparison: &Comparison, style: &Style) -> String {
    if comparison.seen.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(style.width).unwrap_or(100));
    table.force_no_tty();
    table.add_row(["", "A", "B"]);
    for difference in &comparison.seen {
        table
            .add_row([&difference.what, &difference.a, &difference.b].map(|text| Cell::new(printable(text))));
    }
    let mut out = format!("\n{}\n", style.bold("Seen differently"));
    for line in table.lines() {
        let _ = writeln!(out, " {}", line.trim_end());
    }
    out
}

/// For a ticket.
#[must_use]
pub fn markdown(comparison: &Comparison) -> String {
    let escape = crate::report::markdown::escaped;
    let (a, b) = (&comparison.a, &comparison.b);
    let word = comparison.change.word().to_uppercase();
    let mut out = format!("## {word}: {}, {} → {}\n", escape(&b.target.host), a.verdict, b.verdict);
    for sentence in &comparison.meaning {
        let _ = write!(out, "\n{}\n", escape(sentence));
    }
    out.push('\n');
    for (letter, side) in [("A", a), ("B", b)] {
        let _ = writeln!(out, "- {letter}: {}: {}", escape(&place(side)), escape(&side.summary));
    }
    for (heading, findings) in
        [("New in B", &comparison.new), ("Cured in B", &comparison.cured), ("In both", &comparison.kept)]
    {
        if !findings.is_empty() {
            let _ = write!(out, "\n### {heading}\n\n");
        }
        for finding in findings {
            let verdict = Verdict::from(finding.severity);
            let _ = writeln!(out, "- {verdict} {}: {}", escape(&finding.id), escape(&finding.title));
        }
    }
    if !comparison.seen.is_empty() {
        out.push_str("\n### Seen differently\n\n| what | A | B |\n| --- | --- | --- |\n");
    }
    for difference in &comparison.seen {
        let cells = [&difference.what, &difference.a, &difference.b].map(|text| escape(text));
        let _ = writeln!(out, "| {} | {} | {} |", cells[0], cells[1], cells[2]);
    }
    out
}

/// As JSON; on one line for a stream.
#[must_use]
pub fn json(comparison: &Comparison, line: bool) -> String {
    crate::report::json::text(comparison, !line)
}
