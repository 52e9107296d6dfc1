//! What a check costs the server and the user: round trips, connections, time to a verdict, and the same verdict every
//! time.

#![expect(clippy::print_stdout, reason = "the counts are worth seeing (cargo test -- --nocapture)")]

use std::collections::BTreeSet;

use pasvcheck::demo::{self, Outcome, Scenario};
use pasvcheck::evidence::{Endpoint, Speaker};
use pasvcheck::probe::Quiet;
use pasvcheck::responder::Journal;

const PERSONAS: [&str; 6] = ["vsftpd", "proftpd", "pure-ftpd", "filezilla", "iis", "pyftpdlib"];

async fn run(name: &str) -> Outcome {
    let scenario = demo::scenario(name).expect(name).expect(name);
    let outcome = demo::run(&scenario, &Quiet).await.expect(name);
    assert_eq!(outcome.complaints, Vec::<String>::new(), "{name}");
    outcome
}

/// Times that the run waited for the other side: each control connection and its greeting, each TLS handshake on one, each
/// command (the goodbye of a second session is not waited for), each data connection, all cold probes together (they go out
/// at once), and the end of each transfer (under TLS: the data after the handshake, which the command's reply comes with).
fn round_trips(endpoint: &Endpoint) -> usize {
    let lines = |from: Speaker, start: &str| {
        endpoint.dialogue.iter().filter(|entry| entry.from == from && entry.line.starts_with(start)).count()
    };
    let sessions = lines(Speaker::Note, "control connection to");
    2 * sessions + lines(Speaker::Client, "") + 1 - sessions
        + lines(Speaker::Note, "TLS on")
        + lines(Speaker::Note, "data connection")
        + usize::from(lines(Speaker::Note, "unannounced port") > 0)
        + endpoint.transfers.len()
}

/// TCP connections that the server sees, cold probes included.
fn connections(journal: &Journal, endpoint: &Endpoint) -> usize {
    journal.control_connections + journal.data_connections + endpoint.cold.len()
}

#[tokio::test]
async fn a_healthy_check_takes_at_most_24_round_trips_and_16_connections() {
    for persona in PERSONAS {
        let outcome = run(&format!("healthy-{persona}")).await;
        let endpoint = &outcome.report.evidence.endpoints[0];
        let (trips, connections) = (round_trips(endpoint), connections(&outcome.journals[0], endpoint));
        println!("{persona}: {trips} round trips, {connections} connections");
        assert!(trips <= 24, "{persona}: {trips} round trips");
        assert!(connections <= 16, "{persona}: {connections} connections");
        let offers = |mode| endpoint.offers_of(mode).count();
        assert!(offers(pasvcheck::evidence::Mode::Pasv) >= 4 && offers(pasvcheck::evidence::Mode::Epsv) >= 2);
        assert_eq!(
            outcome.journals[0].control_connections, 1,
            "one control connection at a time, and one is enough"
        );
        assert_eq!(outcome.journals[0].commands.last().map(String::as_str), Some("QUIT"));
    }
}

#[tokio::test]
async fn healthy_ftps_takes_at_most_45_round_trips_and_16_connections_with_its_six_transfers() {
    for persona in ["vsftpd", "proftpd", "pure-ftpd", "filezilla", "iis"] {
        let outcome = run(&format!("healthy-ftps-{persona}")).await;
        let endpoint = &outcome.report.evidence.endpoints[0];
        let (trips, connections) = (round_trips(endpoint), connections(&outcome.journals[0], endpoint));
        println!("FTPS, {persona}: {trips} round trips, {connections} connections");
        assert!(trips <= 45, "{persona}: {trips} round trips");
        assert!(connections <= 16, "{persona}: {connections} connections");
        let secured = endpoint.transfers.iter().filter(|transfer| transfer.tls.is_some()).count();
        assert_eq!(secured, 6, "{persona}");
        // The session under TLS, and the one in clear that it is compared with, one after the other.
        assert_eq!(outcome.journals[0].control_connections, 2, "{persona}");
    }
}

#[tokio::test]
async fn every_passive_offer_is_followed_by_a_connect() {
    let outcome = run("healthy-vsftpd").await;
    let offers = &outcome.report.evidence.endpoints[0].offers;
    assert!(offers.iter().all(|offer| offer.visits.len() == 1), "{offers:?}");
    assert_eq!(outcome.journals[0].data_connections, offers.len());
}

#[tokio::test]
async fn the_same_verdict_in_100_runs_of_100() {
    let mut seen = BTreeSet::new();
    for _ in 0..100 {
        let report = run("healthy-vsftpd").await.report;
        let findings: Vec<String> = report.findings.into_iter().map(|finding| finding.id).collect();
        seen.insert((report.verdict, findings));
    }
    assert_eq!(seen.len(), 1, "{seen:?}");
}

#[tokio::test]
async fn silent_data_ports_get_a_verdict_within_eight_seconds() {
    // With the patience of a real run: the other scenarios shorten it.
    let mut scenario: Scenario = demo::scenario("silent-ports").unwrap().unwrap();
    scenario.check.pace = 1.0;
    let outcome = demo::run(&scenario, &Quiet).await.unwrap();
    assert_eq!(outcome.complaints, Vec::<String>::new());
    println!("verdict after {} ms", outcome.report.duration_ms);
    assert!(outcome.report.duration_ms < 8_000, "{} ms", outcome.report.duration_ms);
}

#[tokio::test]
async fn a_third_address_is_contacted_twice_at_most_and_never_a_dangerous_one() {
    for (name, most) in
        [("stale-address", 2), ("metadata-address", 0), ("private-address", 0), ("loopback-address", 0)]
    {
        let endpoint = run(name).await.report.evidence.endpoints.remove(0);
        let foreign = endpoint
            .offers
            .iter()
            .flat_map(|offer| &offer.visits)
            .filter(|visit| visit.connect.tried() && visit.connect.to.ip() != endpoint.address)
            .count();
        assert!(foreign <= most, "{name}: {foreign} connects");
    }
}
