//! The runner: walks the checks in order and fills [`Evidence`]. It judges nothing.
//!
//! Checks of the whole target run once, then the endpoints are visited one after the other: a server sees one control
//! connection of ours at a time. Deadlines nest; when time is up, what was learned is reported.

mod path;
mod session;

use futures_util::future::BoxFuture;
use tokio::time::timeout;

pub use session::{Guard, Meanwhile, Session};

use crate::checks::{self, Check, Reach};
use crate::evidence::{Evidence, Step};
use crate::net::Network;
use crate::plan::Plan;

/// Is told what is being waited for.
pub trait Progress: Sync {
    /// Something new is being done or waited for.
    fn at(&self, what: &str);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug)]
pub struct Quiet;

impl Progress for Quiet {
    fn at(&self, _: &str) {}
}

/// Runs the plan and returns what was seen. It never fails: what could not be done is part of the evidence.
pub fn run<'a>(
    plan: &'a Plan,
    network: &'a dyn Network,
    progress: &'a dyn Progress,
) -> BoxFuture<'a, Evidence> {
    Box::pin(async move {
        let mut session = Session::new(plan, network, progress);
        for check in checks::ALL.iter().filter(|check| check.reach == Reach::Target) {
            step(&mut session, check).await;
        }
        for endpoint in 0..session.evidence.endpoints.len() {
            session.enter(endpoint);
            for check in checks::ALL.iter().filter(|check| check.reach == Reach::Endpoint) {
                step(&mut session, check).await;
            }
            session.leave().await;
        }
        session.evidence
    })
}

/// Runs one check within its deadline and the run's, and notes that it ran.
async fn step(session: &mut Session<'_>, check: &Check) {
    let started_ms = session.elapsed_ms();
    let skipped = reason_to_skip(session, check);
    let mut out_of_time = false;
    if skipped.is_none() {
        session.progress(check.title);
        let allowed = session.left();
        out_of_time = timeout(allowed, (check.observe)(session)).await.is_err();
        session.end_apart();
        session.flush();
    }
    let endpoint = session.current().map(|endpoint| endpoint.address);
    session.evidence.steps.push(Step {
        check: check.name.to_owned(),
        endpoint,
        started_ms,
        duration_ms: rounded(session.elapsed_ms() - started_ms),
        skipped,
        out_of_time,
    });
}

/// To the microsecond, as all times of the evidence.
fn rounded(ms: f64) -> f64 {
    (ms * 1e3).round() / 1e3
}

/// Why a check has nothing to do here; `None` if it runs.
fn reason_to_skip(session: &Session<'_>, check: &Check) -> Option<String> {
    if !session.plan.runs(check.name) {
        return Some("not asked for".to_owned());
    }
    if session.left().is_zero() {
        return Some("no time was left".to_owned());
    }
    if check.name == "control" && session.evidence.endpoints.is_empty() {
        return Some("there was no address to connect to".to_owned());
    }
    let endpoint = session.current()?;
    if let Some(reason) = &endpoint.skipped {
        return Some(reason.clone());
    }
    let missing =
        check.needs.iter().find(|need| !checks::named(need).is_some_and(|check| (check.passed)(endpoint)))?;
    Some(format!("needs {missing}"))
}
