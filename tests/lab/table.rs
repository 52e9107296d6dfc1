//! What is printed.

use std::io::Write as _;
use std::time::Duration;

use crate::run::{Done, told};

/// Writes a line past the capture of the test runner: it is for the person who started the tests.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}");
}

/// The table of all scenarios with the time to each verdict, and what came out otherwise.
pub(crate) fn show(done: &[Done], took: Duration) {
    say(&format!("\n{:<46} {:<10} {:>9} {:>8}  told", "scenario", "server", "verdict", "time"));
    for done in done {
        let (verdict, time, told) = match &done.report {
            Some(report) => {
                (report.verdict.to_string(), format!("{} ms", report.duration_ms), told(report).join(", "))
            }
            None => ("none".to_owned(), "-".to_owned(), String::new()),
        };
        let mark = if done.complaints.is_empty() { " " } else { "!" };
        say(&format!("{mark}{:<45} {:<10} {verdict:>9} {time:>8}  {told}", done.case.name, done.daemon));
        if !done.note.is_empty() {
            say(&format!("      {}", done.note.trim_end_matches("; ")));
        }
    }
    let wrong: Vec<&Done> = done.iter().filter(|done| !done.complaints.is_empty()).collect();
    if !wrong.is_empty() {
        say("\ncame out otherwise (reports are in target/lab/failed):");
    }
    for done in &wrong {
        say(&format!("  {} on {}: {}", done.case.name, done.daemon, done.complaints.join("; ")));
    }
    let names: std::collections::BTreeSet<&str> = done.iter().map(|done| done.case.name).collect();
    let waited: Duration = done.iter().map(|done| done.took).sum();
    say(&format!(
        "\nlab: {} scenarios, {} runs, {} came out otherwise, {:.0} s ({:.0} s of scenarios)",
        names.len(),
        done.len(),
        wrong.len(),
        took.as_secs_f64(),
        waited.as_secs_f64()
    ));
}
