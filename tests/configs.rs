//! Every case of `fixtures/configs/`: the files are audited, and exactly the expected findings come out, at their places.
//!
//! A case with a `report.txt` is also held to what a person is shown; `BLESS=1 cargo test --test configs` writes it anew.

use std::path::{Path, PathBuf};

use pasvcheck::audit::case::Case;
use pasvcheck::report::style::Style;
use pasvcheck::report::terminal::{Amount, render};
use pasvcheck::report::{Report, json};

fn configs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/configs")
}

/// All cases with their reports.
fn all() -> Vec<(PathBuf, Case, Report)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    Case::folders(&configs())
        .into_iter()
        .map(|folder| {
            let case = Case::read(&folder).unwrap_or_else(|error| panic!("{error}"));
            let report = runtime
                .block_on(case.run(&folder))
                .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
            (folder, case, report)
        })
        .collect()
}

#[test]
fn every_case_leads_to_its_findings() {
    let cases = all();
    assert!(cases.len() > 40, "{} cases", cases.len());
    let mut complaints = Vec::new();
    for (folder, case, report) in &cases {
        let name = folder.strip_prefix(configs()).unwrap().display();
        complaints
            .extend(case.complaints(report).into_iter().map(|complaint| format!("{name}: {complaint}")));
        if case.title.is_empty() || case.title.ends_with('.') {
            complaints.push(format!("{name}: the title is {:?}", case.title));
        }
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn the_reports_are_as_reviewed() {
    let mut seen = 0;
    for (folder, _, report) in all() {
        let file = folder.join("report.txt");
        if !file.exists() {
            continue;
        }
        seen += 1;
        let shown = render(&report, &Style::PLAIN, Amount::Usual);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&file, &shown).unwrap();
        }
        let expected = std::fs::read_to_string(&file).unwrap();
        assert!(shown == expected, "{} is shown differently (BLESS=1 to accept):\n{shown}", folder.display());
        let longest = shown
            .lines()
            .filter(|line| !line.starts_with("      "))
            .map(|line| line.chars().count())
            .max()
            .unwrap();
        assert!(longest <= 100, "{longest} columns in {}", folder.display());
    }
    assert!(seen >= 5, "{seen} reviewed reports");
}

#[test]
fn a_saved_audit_is_judged_again_the_same() {
    for (folder, _, report) in all() {
        let read = json::read(&json::pretty(&report))
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        assert_eq!(read, report, "{}", folder.display());
        assert_eq!(read.clone().again(), report, "{}", folder.display());
        assert_eq!(read.checks.len(), 1, "an audit lists its own check alone");
    }
}

#[test]
fn nothing_in_a_file_acts_on_the_terminal() {
    for (folder, _, report) in all() {
        let shown = render(&report, &Style::PLAIN, Amount::Everything);
        let bad: Vec<char> = shown.chars().filter(|c| c.is_control() && *c != '\n').collect();
        assert!(bad.is_empty(), "{}: {bad:?}", folder.display());
    }
}
