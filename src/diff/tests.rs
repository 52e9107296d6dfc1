use super::*;
use crate::demo;
use crate::evidence::{Outcome, Patience};
use crate::probe::Quiet;
use crate::report::tests::saved;

fn ran(scenario: &str) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let scenario = demo::scenario(scenario).unwrap().unwrap();
    runtime.block_on(demo::run(&scenario, &Quiet)).unwrap().report
}

/// The same evidence, from another place.
fn moved(mut report: Report, network: &str, local: &str) -> Report {
    report.evidence.client.networks = vec![network.parse().unwrap()];
    for endpoint in &mut report.evidence.endpoints {
        endpoint.local_address = local.parse().ok();
    }
    report.again()
}

#[test]
fn a_report_is_the_same_as_itself() {
    for name in ["healthy", "broken", "not-checked", "surveyed", "two-endpoints", "located"] {
        let comparison = compare(&saved(name), &saved(name), false);
        assert_eq!((comparison.change, comparison.seen.len()), (Change::Same, 0), "{name}: {comparison:#?}");
    }
}

#[test]
fn a_fault_is_new_since_and_cured() {
    let (healthy, broken) = (ran("healthy-vsftpd"), ran("private-address"));
    let worse = compare(&healthy, &broken, false);
    assert_eq!((worse.change, worse.change.exit_code()), (Change::Critical, 2));
    assert!(worse.meaning[0].starts_with("New since A: passive-address-private"), "{:?}", worse.meaning);
    assert!(worse.seen.iter().any(|seen| seen.what == "address in the reply to PASV"), "{:#?}", worse.seen);
    let better = compare(&broken, &healthy, false);
    assert_eq!((better.change, better.change.exit_code()), (Change::Better, 0));
    assert!(better.meaning.iter().any(|text| text.starts_with("Cured")), "{:?}", better.meaning);
}

#[test]
fn works_inside_and_fails_outside_points_at_what_lies_between() {
    let inside = moved(ran("healthy-vsftpd"), "203.0.113.7/24", "203.0.113.7");
    let outside = moved(ran("dropped-by-the-server-host"), "192.0.2.7/24", "192.0.2.7");
    let comparison = compare(&inside, &outside, false);
    assert!(comparison.two_vantages && comparison.a.inside && !comparison.b.inside);
    assert_eq!(comparison.change, Change::Critical);
    assert!(
        comparison.meaning[0].contains("works inside")
            && comparison.meaning[0].contains("Open the whole range"),
        "{:?}",
        comparison.meaning
    );
    let turned = compare(&outside, &inside, false);
    assert!(turned.meaning[0].contains("works inside"), "{:?}", turned.meaning);
}

#[test]
fn failing_alike_points_at_the_server() {
    let broken = ran("private-address");
    let one = moved(broken.clone(), "198.51.100.7/24", "198.51.100.7");
    let other = moved(broken, "192.0.2.7/24", "192.0.2.7");
    let comparison = compare(&one, &other, false);
    assert_eq!(comparison.change, Change::Same);
    assert!(
        comparison.meaning[0].contains("fails alike") && comparison.meaning[0].contains("the server"),
        "{:?}",
        comparison.meaning
    );
}

#[test]
fn two_servers_are_not_compared_unless_the_user_vouches() {
    let healthy = saved("healthy");
    let mut other = saved("healthy");
    other.evidence.target.host = "ftp2.example.com".to_owned();
    other.evidence.endpoints[0].address = "192.0.2.99".parse().unwrap();
    let other = other.again();
    let comparison = compare(&healthy, &other, false);
    assert_eq!(comparison.change.exit_code(), 3);
    assert!(comparison.meaning[0].contains("--same-server"), "{:?}", comparison.meaning);
    assert_eq!(compare(&healthy, &other, true).change, Change::Same);
}

#[test]
fn what_could_not_be_tested_is_neither_better_nor_worse() {
    let (healthy, untested) = (saved("healthy"), saved("not-checked"));
    assert_eq!(compare(&healthy, &untested, true).change, Change::NotComparable);
    assert_eq!(compare(&untested, &healthy, true).change, Change::Better);
}

#[test]
fn other_ports_and_small_delays_are_noise() {
    let a = saved("healthy");
    let mut b = a.clone();
    for endpoint in &mut b.evidence.endpoints {
        for visit in endpoint.offers.iter_mut().flat_map(|offer| &mut offer.visits) {
            visit.connect.elapsed_ms += 30.0;
        }
        let greeting = endpoint.greeting.as_mut().unwrap();
        greeting.elapsed_ms += 2000.0;
    }
    let comparison = compare(&a, &b.again(), false);
    let what: Vec<&str> = comparison.seen.iter().map(|seen| seen.what.as_str()).collect();
    assert_eq!(what, ["greeting, time"]);
}

#[test]
fn outcomes_that_decide_nothing_are_not_compared() {
    let a = saved("healthy");
    let mut b = a.clone();
    let visit = &mut b.evidence.endpoints[0].offers[0].visits[0];
    visit.patience = Patience::Quick;
    visit.connect.outcome = Outcome::Silent;
    let comparison = compare(&a, &b.again(), false);
    assert!(
        !comparison.seen.iter().any(|seen| seen.what.contains("data connections")),
        "{:#?}",
        comparison.seen
    );
}

#[test]
fn every_format_tells_it_and_escapes_it() {
    let comparison = compare(&saved("healthy"), &crate::report::tests::hostile(), true);
    let shown = show::terminal(&comparison, &crate::report::style::Style::PLAIN);
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown}");
    let ticket = show::markdown(&comparison);
    assert!(ticket.starts_with("## ") && !ticket.contains("<script"), "{ticket}");
    let json = show::json(&comparison, true);
    assert_eq!(json.lines().count(), 1);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["schema_version"], 1);
}
