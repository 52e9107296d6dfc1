//! The renderers, held to saved reports: a healthy server, a broken one, one that could not be checked.
//!
//! `fixtures/reports/NAME.json` is a report as the tool wrote it; `NAME.txt` is what a person is shown. After a wanted
//! change, `BLESS=1 cargo test --test report` writes the texts anew, and the difference is reviewed like code.

use std::path::PathBuf;

use pasvcheck::demo::{self, CATALOGUE};
use pasvcheck::probe::Quiet;
use pasvcheck::report::style::Style;
use pasvcheck::report::terminal::{Amount, render, trace};
use pasvcheck::report::{Report, json};

const REPORTS: [&str; 7] =
    ["healthy", "broken", "located", "surveyed", "stand-in", "two-endpoints", "not-checked"];

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/reports").join(name)
}

fn saved(name: &str) -> Report {
    let text = std::fs::read_to_string(path(&format!("{name}.json"))).expect(name);
    json::read(&text).expect(name)
}

#[test]
fn the_terminal_report_is_as_reviewed() {
    for name in REPORTS {
        let report = saved(name).again();
        let shown = render(&report, &Style::PLAIN, Amount::Usual);
        let file = path(&format!("{name}.txt"));
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&file, &shown).unwrap();
        }
        let expected = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(shown == expected, "{name} is shown differently (BLESS=1 to accept):\n{shown}");
    }
}

#[test]
fn a_saved_report_reads_back_as_it_was() {
    for name in REPORTS {
        let report = saved(name);
        assert_eq!(json::read(&json::pretty(&report)).unwrap(), report, "{name}");
        assert_eq!(json::line(&report).lines().count(), 1);
    }
}

#[test]
fn diagnosing_again_changes_nothing() {
    for name in REPORTS {
        let (before, after) = (saved(name), saved(name).again());
        assert_eq!((before.verdict, before.summary), (after.verdict, after.summary), "{name}");
    }
}

#[test]
fn narrow_and_wide_terminals_are_filled_and_not_overrun() {
    for width in [60, 80, 110] {
        let style = Style { color: false, width };
        let shown = render(&saved("broken").again(), &style, Amount::Usual);
        // Lines to paste are never broken; everything else stays inside.
        let prose = shown.lines().filter(|line| !line.starts_with("      "));
        let longest = prose.map(|line| line.chars().count()).max().unwrap();
        assert!(longest <= width, "{longest} columns of {width}:\n{shown}");
    }
}

#[test]
fn nothing_that_a_server_says_reaches_the_terminal_as_a_control_character() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let scenario = demo::scenario("terminal-escapes").unwrap().unwrap();
    let report = runtime.block_on(demo::run(&scenario, &Quiet)).unwrap().report;
    let style = Style::PLAIN;
    let shown = render(&report, &style, Amount::Everything) + &trace(&report, &style);
    assert!(shown.contains("\\u{1b}]0;owned"), "{shown}");
    let bad: Vec<char> = shown.chars().filter(|c| c.is_control() && *c != '\n').collect();
    assert!(bad.is_empty(), "{bad:?}");
}

#[test]
fn every_scenario_has_a_title_without_a_full_stop() {
    for (name, text) in CATALOGUE {
        let title = demo::Scenario::parse(text).expect(name).title;
        assert!(!title.is_empty() && !title.ends_with('.'), "{name}: {title}");
    }
}
