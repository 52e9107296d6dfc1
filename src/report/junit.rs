//! `JUnit` XML, for build servers: a test suite for each target, a test case for each check, findings as failures.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report as Document, TestCase, TestCaseStatus, TestSuite};

use super::excerpt;
use super::style::printable;
use super::{CheckInfo, Renderer, Report, Status};
use crate::checks;
use crate::finding::{Finding, Severity, Verdict};

/// Collects the suites of all targets.
#[derive(Debug, Default)]
pub struct JUnit {
    suites: Vec<TestSuite>,
}

impl Renderer for JUnit {
    fn add(&mut self, report: &Report) -> String {
        self.suites.push(suite(report));
        String::new()
    }

    fn finish(&mut self) -> String {
        let mut document = Document::new("pasvcheck");
        document.add_test_suites(std::mem::take(&mut self.suites));
        // Writing into memory does not fail; were it ever to, the reader learns why.
        document.to_string().unwrap_or_else(|error| format!("<!-- {error} -->\n"))
    }
}

/// A suite for one target.
fn suite(report: &Report) -> TestSuite {
    let mut suite = TestSuite::new(printable(&report.name()));
    suite.set_time(Duration::from_millis(report.duration_ms));
    for (name, value) in &report.labels {
        suite.add_property(Property::new(printable(name), printable(value)));
    }
    let (owned, strangers): (Vec<&Finding>, Vec<&Finding>) =
        report.causes().partition(|finding| checks::owner(&finding.id).is_some());
    for check in &report.checks {
        let own: Vec<&Finding> = owned
            .iter()
            .filter(|finding| checks::owner(&finding.id).is_some_and(|owner| owner.name == check.id))
            .copied()
            .collect();
        suite.add_test_case(case(report, check, &own));
    }
    // Findings of an audit, or of a later version, belong to no check of this one.
    for finding in strangers {
        suite.add_test_case(named_case(report, &finding.id, status(report, &[finding]), 0.0));
    }
    for held in &report.thresholds {
        let kind = held.reason().map(|reason| (held.verdict, reason));
        let status = kind.map_or_else(TestCaseStatus::success, |(verdict, reason)| {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type(verdict.to_string()).set_message(reason);
            status
        });
        suite.add_test_case(named_case(report, &format!("time-{}", held.measure.word()), status, 0.0));
    }
    suite.set_system_out(printable(&report.summary));
    suite
}

fn case(report: &Report, check: &CheckInfo, own: &[&Finding]) -> TestCase {
    let grave = own.iter().any(|finding| finding.severity > Severity::Info);
    let status = match check.status {
        Status::Skip if !grave => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(printable(&check.summary));
            status
        }
        Status::Unknown if !grave => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type("unknown").set_message(printable(&check.summary));
            status
        }
        _ => status(report, own),
    };
    let mut case = named_case(report, &check.id, status, check.duration_ms);
    case.set_system_out(printable(&check.summary));
    case
}

fn named_case(report: &Report, name: &str, status: TestCaseStatus, ms: f64) -> TestCase {
    let mut case = TestCase::new(printable(name), status);
    case.set_classname(printable(&report.name()));
    case.set_time(Duration::from_secs_f64(ms.max(0.0) / 1000.0));
    case
}

/// The gravest finding gives type and message, all of them the text. What could not be tested is an error, no failure.
fn status(report: &Report, findings: &[&Finding]) -> TestCaseStatus {
    let grave: Vec<&&Finding> = findings.iter().filter(|finding| finding.severity > Severity::Info).collect();
    let Some(worst) = grave.iter().rev().max_by_key(|finding| finding.severity) else {
        return TestCaseStatus::success();
    };
    let kind = match worst.severity {
        Severity::Unknown => NonSuccessKind::Error,
        _ => NonSuccessKind::Failure,
    };
    let texts: Vec<String> = grave.iter().map(|finding| description(report, finding)).collect();
    let mut status = TestCaseStatus::non_success(kind);
    status
        .set_type(format!("{} {}", Verdict::from(worst.severity), worst.id))
        .set_message(printable(&worst.title))
        .set_description(texts.join("\n\n"));
    status
}

fn description(report: &Report, finding: &Finding) -> String {
    let place = match (&finding.file, finding.line) {
        (Some(file), Some(line)) => format!("{file}:{line}: "),
        (Some(file), None) => format!("{file}: "),
        _ => String::new(),
    };
    let mut text = printable(&format!("{}: {place}{}", finding.id, report.words(finding)));
    if let Some((line, corrected)) = excerpt::lines(finding) {
        let corrected = corrected.map_or_else(String::new, |corrected| format!("\n  corrected: {corrected}"));
        text.extend(["\n  ", &line, &corrected]);
    }
    for fact in &finding.evidence {
        text.push_str("\n  ");
        text.push_str(&printable(fact));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hostile, saved};
    use super::*;

    fn render(reports: &[Report]) -> String {
        let mut junit = JUnit::default();
        for report in reports {
            junit.add(report);
        }
        junit.finish()
    }

    #[test]
    fn a_suite_for_each_target_and_a_case_for_each_check() {
        let text = render(&[saved("broken"), saved("healthy"), saved("not-checked")]);
        let tree = roxmltree::Document::parse(&text).unwrap();
        let named = |name: &str| tree.descendants().filter(|node| node.has_tag_name(name)).count();
        assert_eq!(named("testsuite"), 3);
        assert!(named("testcase") >= 3 * checks::network().count());
        assert!(named("failure") >= 1 && named("error") >= 1 && named("skipped") >= 1, "{text}");
        let failure = tree.descendants().find(|node| node.has_tag_name("failure")).unwrap();
        assert_eq!(failure.attribute("type"), Some("critical passive-address-private"));
    }

    #[test]
    fn what_a_server_says_is_escaped() {
        let text = render(&[hostile()]);
        let tree = roxmltree::Document::parse(&text).unwrap();
        assert!(!tree.descendants().any(|node| node.has_tag_name("script")), "{text}");
        assert!(tree.descendants().any(|node| node.text().is_some_and(|t| t.contains("<script>"))), "{text}");
    }

    #[test]
    fn a_time_over_its_threshold_fails_a_case_of_its_own() {
        let mut report = saved("healthy");
        report.hold(&crate::threshold::Thresholds {
            critical: "total=@0:1h".parse().unwrap(),
            ..Default::default()
        });
        let text = render(&[report]);
        assert!(text.contains("time-total") && text.contains("type=\"critical\""), "{text}");
    }
}
