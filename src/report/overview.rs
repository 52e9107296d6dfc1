//! Several targets in the terminal: what is wrong in full as each ends, then a table of all.

use std::fmt::Write as _;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};

use super::style::{Style, color_of, printable};
use super::terminal::{Amount, render, time, trace};
use super::{Renderer, Report};
use crate::finding::Verdict;
use crate::threshold::Measure;

/// Healthy targets that have a row of their own; more of them are counted in one line.
const HEALTHY_ROWS: usize = 40;

/// Characters of a summary that the table keeps.
const WORDS: usize = 200;

/// Renders several targets for a person.
#[derive(Debug)]
pub struct Several {
    style: Style,
    amount: Amount,
    trace: bool,
    rows: Vec<Row>,
    healthy: usize,
    targets: usize,
}

/// What is kept of a target.
#[derive(Debug)]
struct Row {
    verdict: Verdict,
    name: String,
    ms: f64,
    summary: String,
}

impl Several {
    /// With `trace`, each dialogue is shown too.
    #[must_use]
    pub fn new(style: Style, amount: Amount, trace: bool) -> Self {
        Self { style, amount, trace, rows: Vec::new(), healthy: 0, targets: 0 }
    }

    fn keep(&mut self, report: &Report) {
        self.targets += 1;
        if report.verdict == Verdict::Ok {
            self.healthy += 1;
            if self.healthy > HEALTHY_ROWS {
                return;
            }
        }
        let summary = printable(&report.summary);
        self.rows.push(Row {
            verdict: report.verdict,
            name: printable(&report.name()),
            ms: report.measured(Measure::Total).unwrap_or_default(),
            summary: summary.chars().take(WORDS).collect(),
        });
    }

    fn table(&mut self) -> String {
        self.rows.sort_by_key(|row| std::cmp::Reverse(row.verdict));
        let mut table = Table::new();
        table.load_style(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(self.style.width).unwrap_or(100));
        table.force_no_tty();
        for row in &self.rows {
            table.add_row([
                Cell::new(row.verdict.to_string().to_uppercase()),
                Cell::new(&row.name),
                Cell::new(time(row.ms)).set_alignment(CellAlignment::Right),
                Cell::new(&row.summary),
            ]);
        }
        let mut verdicts = self.rows.iter().map(|row| row.verdict);
        let mut out = String::new();
        for line in table.lines() {
            // A cell that is wrapped goes on in lines that begin with blanks.
            let line = line.trim_end();
            let verdict = if line.starts_with("  ") { None } else { verdicts.next() };
            match verdict {
                Some(verdict) => {
                    let word = verdict.to_string().to_uppercase();
                    let _ = writeln!(
                        out,
                        "{}",
                        line.replacen(&word, &self.style.paint(&word, color_of(verdict)), 1)
                    );
                }
                None => {
                    let _ = writeln!(out, "{line}");
                }
            }
        }
        if self.healthy > HEALTHY_ROWS {
            let _ = writeln!(out, " and {} more that are ok", self.healthy - HEALTHY_ROWS);
        }
        out
    }
}

impl Renderer for Several {
    fn add(&mut self, report: &Report) -> String {
        self.keep(report);
        let told = self.amount != Amount::Usual || self.trace || report.verdict > Verdict::Ok;
        if !told {
            return String::new();
        }
        let trace = if self.trace { trace(report, &self.style) } else { String::new() };
        let gap = if self.amount == Amount::Line { "" } else { "\n" };
        format!("{}{trace}{gap}", render(report, &self.style, self.amount))
    }

    fn finish(&mut self) -> String {
        if self.amount == Amount::Line {
            return String::new();
        }
        if self.targets == 0 {
            return "No target was checked.\n".to_owned();
        }
        let heading = self.style.bold(&format!("{} targets", self.targets));
        format!("{heading}\n{}", self.table())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::saved;
    use super::*;

    fn shown(names: &[&str], amount: Amount) -> String {
        let mut several = Several::new(Style::PLAIN, amount, false);
        let mut text = String::new();
        for name in names {
            text.push_str(&several.add(&saved(name)));
        }
        text + &several.finish()
    }

    #[test]
    fn what_is_wrong_is_told_in_full_and_all_stand_in_the_table() {
        let text = shown(&["healthy", "broken", "not-checked"], Amount::Usual);
        assert!(text.starts_with("CRITICAL "), "{text}");
        let (_, table) = text.rsplit_once("3 targets\n").unwrap();
        let verdicts: Vec<&str> = table
            .lines()
            .filter(|line| !line.starts_with("  "))
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        assert_eq!(verdicts, ["CRITICAL", "UNKNOWN", "OK"], "{table}");
        assert_eq!(shown(&["healthy", "broken"], Amount::Line).lines().count(), 2);
    }

    #[test]
    fn a_long_list_of_healthy_targets_is_folded() {
        let text = shown(&["healthy"; HEALTHY_ROWS + 3], Amount::Usual);
        assert!(text.contains("and 3 more that are ok"), "{text}");
    }
}
