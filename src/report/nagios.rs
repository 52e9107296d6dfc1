//! The output of a monitoring plugin: `STATE - summary | performance data`, and below it what a person wants to know.
//!
//! The format is that of the Monitoring Plugins development guidelines. A pipe ends the text there, so none may stand in
//! it; it is shown as a broken bar. Performance data is in seconds.

use std::fmt::Write as _;

use super::style::printable;
use super::terminal::relevant;
use super::{Renderer, Report, certificates, days_to};
use crate::finding::{Severity, Verdict};
use crate::threshold::{Held, Measure};

/// Renders for Nagios, Icinga and their kin: one target in full, several as one state.
#[derive(Debug, Default)]
pub struct Nagios {
    one: Option<String>,
    rows: Vec<Row>,
}

/// What is kept of a target when there are several.
#[derive(Debug)]
struct Row {
    verdict: Verdict,
    line: String,
    data: String,
}

impl Renderer for Nagios {
    fn add(&mut self, report: &Report) -> String {
        self.one = if self.rows.is_empty() { Some(single(report)) } else { None };
        let name = report.name();
        self.rows.push(Row {
            verdict: report.verdict,
            line: format!("{} - {name}: {}", state(report.verdict), text(&report.summary)),
            data: performance(report, &format!("{name} ")),
        });
        String::new()
    }

    fn finish(&mut self) -> String {
        match self.one.take() {
            Some(one) => one,
            None => several(&mut self.rows),
        }
    }
}

fn single(report: &Report) -> String {
    let mut out = format!(
        "{} - {}: {} | {}\n",
        state(report.verdict),
        text(&report.name()),
        text(&report.summary),
        performance(report, "")
    );
    for finding in report.causes().filter(|finding| finding.severity > Severity::Info) {
        let _ = writeln!(out, "{}: {}", text(&finding.id), text(&finding.detail));
        for fact in &finding.evidence {
            let _ = writeln!(out, "  {}", text(fact));
        }
        for remedy in finding.remedies.iter().filter(|remedy| relevant(report, finding, remedy)) {
            let _ = writeln!(out, "  Fix: {}", text(&remedy.product));
            for line in remedy.commands.iter().flat_map(|command| command.lines()) {
                let _ = writeln!(out, "    {}", text(line));
            }
        }
        let _ = writeln!(out, "  More: pasvcheck explain {}", text(&finding.id));
    }
    for check in report.checks.iter().filter(|check| !check.summary.ends_with(super::NOT_NEEDED)) {
        let _ = writeln!(out, "{} {}: {}", check.status, check.id, text(&check.summary));
    }
    out
}

fn several(rows: &mut [Row]) -> String {
    let worst = rows.iter().map(|row| row.verdict).max().unwrap_or(Verdict::Unknown);
    let count = |verdict| rows.iter().filter(|row| row.verdict == verdict).count();
    let counts: Vec<String> = [Verdict::Critical, Verdict::Unknown, Verdict::Warning, Verdict::Ok]
        .into_iter()
        .filter(|verdict| count(*verdict) > 0)
        .map(|verdict| format!("{} {verdict}", count(verdict)))
        .collect();
    let counted = if counts.is_empty() { "none was checked".to_owned() } else { counts.join(", ") };
    let mut out = format!("{} - {} targets: {counted} | targets={}", state(worst), rows.len(), rows.len());
    for verdict in [Verdict::Ok, Verdict::Warning, Verdict::Critical, Verdict::Unknown] {
        let _ = write!(out, " {verdict}={}", count(verdict));
    }
    for row in &*rows {
        let _ = write!(out, " {}", row.data);
    }
    out.push('\n');
    rows.sort_by_key(|row| std::cmp::Reverse(row.verdict));
    for row in rows {
        let _ = writeln!(out, "{}", row.line);
    }
    out
}

/// The state as plugins say it.
fn state(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "OK",
        Verdict::Warning => "WARNING",
        Verdict::Unknown => "UNKNOWN",
        Verdict::Critical => "CRITICAL",
    }
}

/// Text on one line, without a pipe.
fn text(text: &str) -> String {
    printable(text).replace('|', "¦").replace('\n', " ")
}

/// `'label'=value[UOM];warn;crit;min;max`, blanks between.
fn performance(report: &Report, prefix: &str) -> String {
    let mut data: Vec<String> = Vec::new();
    for measure in Measure::ALL {
        if let Some(ms) = report.measured(measure) {
            let held = report.thresholds.iter().find(|held| held.measure == measure);
            let range = |get: fn(&Held) -> Option<crate::threshold::Range>| {
                held.and_then(get).map(|range| range.to_string()).unwrap_or_default()
            };
            let (warning, critical) = (range(|held| held.warning), range(|held| held.critical));
            data.push(format!("{}={}s;{warning};{critical};0", label(prefix, measure.word()), seconds(ms)));
        }
    }
    let control = report.evidence.checked().filter_map(crate::evidence::Endpoint::rtt_ms).reduce(f64::max);
    if let Some(ms) = control {
        data.push(format!("{}={}s;;;0", label(prefix, "control"), seconds(ms)));
    }
    let soonest = certificates(report).into_iter().map(|(_, end)| end).min();
    if let Some(days) = soonest.and_then(|end| days_to(report, end)) {
        data.push(format!("{}={days:.1}", label(prefix, "certificate_days")));
    }
    data.join(" ")
}

/// A label in quotes: it may hold blanks, and neither an equals sign nor a quote (which would have to be doubled).
fn label(prefix: &str, word: &str) -> String {
    let safe: String = text(&format!("{prefix}{word}"))
        .chars()
        .map(|c| if matches!(c, '=' | '\'' | '"') { '_' } else { c })
        .collect();
    format!("'{safe}'")
}

fn seconds(ms: f64) -> String {
    format!("{:.6}", ms / 1000.0).trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hostile, saved};
    use super::*;

    #[test]
    fn the_first_line_is_state_summary_and_performance_data() {
        let mut report = saved("healthy");
        report.hold(&crate::threshold::Thresholds {
            warning: "total=1ms,data=10s".parse().unwrap(),
            critical: "total=@1h:2h".parse().unwrap(),
        });
        let mut nagios = Nagios::default();
        assert_eq!(nagios.add(&report), "");
        let shown = nagios.finish();
        let (text, data) = shown.lines().next().unwrap().split_once(" | ").unwrap();
        assert!(text.starts_with("WARNING - "), "{text}");
        assert!(text.contains("-w allows at most 1.0 ms"), "{text}");
        assert!(data.contains("s;0.001;@3600:7200;0 'data'=") && data.contains("s;10;;0"), "{data}");
    }

    #[test]
    fn a_pipe_in_what_a_server_says_ends_nothing() {
        let mut nagios = Nagios::default();
        nagios.add(&hostile());
        let shown = nagios.finish();
        assert_eq!(shown.matches('|').count(), 1, "{shown}");
        assert!(shown.lines().next().unwrap().contains(" | 'total'="), "{shown}");
    }

    #[test]
    fn several_targets_are_one_state() {
        let mut nagios = Nagios::default();
        for name in ["healthy", "broken", "not-checked"] {
            nagios.add(&saved(name));
        }
        let shown = nagios.finish();
        assert!(
            shown.starts_with("CRITICAL - 3 targets: 1 critical, 1 unknown, 1 ok | targets=3 ok=1"),
            "{shown}"
        );
        assert_eq!(shown.lines().count(), 4);
        assert!(shown.lines().nth(1).unwrap().starts_with("CRITICAL - "));
    }

    #[test]
    fn no_digit_of_a_time_is_lost_and_none_is_empty() {
        assert_eq!([seconds(0.0), seconds(1200.0), seconds(0.5)], ["0", "1.2", "0.0005"]);
    }
}
