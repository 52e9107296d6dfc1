//! Scenarios: a scripted server, the network around it, and the verdict that the check must reach.
//!
//! `pasvcheck demo NAME` runs one, the tests run all of them. The servers are real ones on loopback; what loopback cannot
//! show (silence, ICMP errors, third addresses) is a map of addresses and ports in front of them. Nothing leaves loopback.

mod catalogue;
mod expect;
mod scenario;
mod world;

use crate::clock::{Stopwatch, wall_clock};
use crate::probe::{self, Progress};
use crate::report::Report;
use crate::responder::Journal;

pub use catalogue::{CATALOGUE, scenario};
pub use expect::Expect;
pub use scenario::{Scenario, ScenarioError};

/// A scenario that was run.
#[derive(Debug)]
pub struct Outcome {
    /// What the check reported.
    pub report: Report,
    /// What each server saw.
    pub journals: Vec<Journal>,
    /// Where the report differs from what the scenario expects; empty if all is well.
    pub complaints: Vec<String>,
}

/// Runs a scenario from start to end.
pub async fn run(scenario: &Scenario, progress: &dyn Progress) -> Result<Outcome, ScenarioError> {
    let world = world::World::build(scenario)?;
    let plan = scenario.plan()?;
    let (started_at, clock) = (wall_clock(), Stopwatch::start());
    let evidence = probe::run(&plan, world.network(), progress).await;
    let duration = u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX);
    let report = Report::new(evidence, started_at, duration);
    let journals = world.stop().await;
    let mut complaints = scenario.expect.compare(&report);
    complaints.extend(accusations(scenario, &journals));
    Ok(Outcome { report, journals, complaints })
}

/// What the servers hold against the run: a server that was never asked proves nothing, and a command that no script
/// foresees means that check and scenario have drifted apart.
fn accusations(scenario: &Scenario, journals: &[Journal]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (server, journal) in scenario.servers.iter().zip(journals) {
        if journal.panicked {
            complaints.push(format!("the server at {} panicked", server.address));
        }
        if journal.control_connections == 0 && !server.unreachable {
            complaints.push(format!("the server at {} was never asked", server.address));
        }
        if !journal.unscripted.is_empty() {
            complaints.push(format!(
                "the server at {} was asked what it does not know: {:?}",
                server.address, journal.unscripted
            ));
        }
    }
    complaints
}
