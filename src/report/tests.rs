//! What the tests of the formats share.

use super::*;
use crate::evidence::{Entry, Outcome, Speaker};

/// A report of `fixtures/reports`, diagnosed again.
pub(crate) fn saved(name: &str) -> Report {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reports");
    let text = std::fs::read_to_string(path.join(format!("{name}.json"))).expect(name);
    json::read(&text).expect(name).again()
}

/// What a hostile server might say: markup, quotes, ends of blocks, marks that turn the writing direction, escapes.
pub(crate) const HOSTILE: &str = "</svg></style></script><script>alert(1)</script>|\"'`--> ]]> \u{202e}txt.exe \u{1b}[31m\n\n# x\n```\n<img src=x onerror=alert(1)> & {{7*7}} [a](javascript:alert(1))";

/// A report in which everything that can come from the network is hostile.
pub(crate) fn hostile() -> Report {
    let mut report = saved("broken");
    HOSTILE.clone_into(&mut report.target.host);
    report.evidence.target.host.clone_from(&report.target.host);
    HOSTILE.clone_into(&mut report.summary);
    report.labels.insert("site".to_owned(), HOSTILE.to_owned());
    if let Some(server) = &mut report.server {
        HOSTILE.clone_into(&mut server.product);
        server.version = Some(HOSTILE.to_owned());
    }
    for check in &mut report.checks {
        HOSTILE.clone_into(&mut check.summary);
    }
    for finding in &mut report.findings {
        for text in [&mut finding.title, &mut finding.detail] {
            HOSTILE.clone_into(text);
        }
        finding.evidence = vec![HOSTILE.to_owned()];
    }
    for endpoint in &mut report.evidence.endpoints {
        endpoint.skipped = None;
        for speaker in [Speaker::Client, Speaker::Server, Speaker::Note] {
            endpoint.dialogue.push(Entry { at_ms: 9e9, from: speaker, line: HOSTILE.to_owned() });
        }
        for visit in endpoint.offers.iter_mut().flat_map(|offer| &mut offer.visits) {
            visit.connect.outcome = Outcome::Failed { error: HOSTILE.to_owned() };
        }
    }
    report
}

#[test]
fn thresholds_worsen_the_verdict_and_say_why_also_when_diagnosed_again() {
    let mut report = saved("healthy");
    let limits = Thresholds { warning: "total=0ms".parse().unwrap(), critical: "data=1h".parse().unwrap() };
    assert_eq!(report.verdict, Verdict::Ok);
    report.duration_ms = 1500;
    report.hold(&limits);
    assert_eq!(report.verdict, Verdict::Warning);
    assert!(
        report.summary.ends_with("The whole check took 1.5 s; -w allows at most 0.0 ms."),
        "{}",
        report.summary
    );
    let read = json::read(&json::line(&report)).unwrap();
    assert_eq!(read, report);
    assert_eq!(read.again(), report);
}

#[test]
fn thresholds_never_improve_a_verdict() {
    let mut report = saved("broken");
    report.hold(&Thresholds { warning: "total=0ms".parse().unwrap(), ..Thresholds::default() });
    assert_eq!(report.verdict, Verdict::Critical);
    let mut unknown = saved("not-checked");
    unknown.hold(&Thresholds { warning: "total=0ms".parse().unwrap(), ..Thresholds::default() });
    assert_eq!(unknown.verdict, Verdict::Unknown);
}

#[test]
fn certificates_are_found_by_the_name_of_their_end() {
    let evidence = serde_json::json!({
        "tls": {"chain": [{"not_after": "2026-12-01T00:00:00Z"}, {"not_after": "2026-11-25T21:48:14Z"}]},
        "not_after": 7
    });
    let ends = certificate_ends(&evidence);
    assert_eq!(ends.len(), 2);
    let mut report = saved("healthy");
    "2026-11-23T21:48:14.000Z".clone_into(&mut report.started_at);
    assert_eq!(ends.iter().min().and_then(|end| days_to(&report, *end)), Some(2.0));
    "2026-11-26T21:48:14.000Z".clone_into(&mut report.started_at);
    assert_eq!(ends.iter().min().and_then(|end| days_to(&report, *end)), Some(-1.0));
    assert_eq!(certificates(&report), []);
}
