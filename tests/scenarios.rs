//! Every scenario of `fixtures/scenarios/`, from the servers to the verdict.

use std::time::Duration;

use pasvcheck::demo::{self, CATALOGUE, Outcome, Scenario};
use pasvcheck::probe::Quiet;
use tokio::task::JoinSet;

/// No scenario may take longer: a hang is a failure, not a wait.
const LIMIT: Duration = Duration::from_secs(30);

/// Scenarios that run side by side: most of them wait.
const AT_ONCE: usize = 16;

async fn run(name: &'static str, text: &'static str) -> Vec<String> {
    let scenario = match Scenario::parse(text) {
        Ok(scenario) => scenario,
        Err(error) => return vec![format!("{name}: {error}")],
    };
    match tokio::time::timeout(LIMIT, demo::run(&scenario, &Quiet)).await {
        Err(_) => vec![format!("{name}: not done within {} s", LIMIT.as_secs())],
        Ok(Err(error)) => vec![format!("{name}: {error}")],
        Ok(Ok(Outcome { complaints, report, .. })) => {
            let found: Vec<&str> = report.findings.iter().map(|finding| finding.id.as_str()).collect();
            complaints
                .into_iter()
                .map(|complaint| format!("{name}: {complaint}  [found: {}]", found.join(", ")))
                .collect()
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_reaches_its_verdict() {
    let mut waiting = CATALOGUE.iter();
    let mut running = JoinSet::new();
    let mut complaints = Vec::new();
    for (name, text) in waiting.by_ref().take(AT_ONCE) {
        running.spawn(run(name, text));
    }
    while let Some(done) = running.join_next().await {
        complaints.extend(done.expect("a scenario panicked"));
        if let Some((name, text)) = waiting.next() {
            running.spawn(run(name, text));
        }
    }
    complaints.sort();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
