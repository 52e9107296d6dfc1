//! Servers watched for as long as it takes: rounds of checks, and news only when a state has changed.
//!
//! Every target has rounds of its own, spread by chance ([`pace`]); those of one target never overlap, and a slow one holds
//! up nobody else. Each result goes into the target's state ([`state`]), which says whether it is news; news is told at
//! once, as an [`Event`]. Whoever is told must not make it wait: what may be slow (a terminal, a webhook) stands behind a bounded
//! [`backlog`]. Messages to a webhook are delivered beside the checks ([`deliver`]).
//!
//! Nothing is kept of a round but the state, so a watcher is as large after a year as after an hour. Nothing is kept of the
//! network either: each round looks the name up anew, so whatever was lost comes back by itself.

pub mod backlog;
pub mod deliver;
pub mod event;
pub mod pace;
pub mod state;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

pub use event::Event;
use pace::{Chance, Pace};
use state::{Condition, State};

use crate::clock::{Stopwatch, wall_clock};
use crate::evidence::Evidence;
use crate::finding::Verdict;
use crate::fleet::Fleet;
use crate::plan::Plan;
use crate::probe::Quiet;
use crate::report::Report;

/// The shortest interval: a check opens about ten connections, and a server has others to serve.
pub const SHORTEST_INTERVAL: Duration = Duration::from_secs(5);

/// Checks at a time where the user says nothing: more than for a list, since one that waits here is late with its news.
pub const DEFAULT_CONCURRENCY: usize = 256;

/// How long checks that are under way may go on after the end was asked for: the usual one says goodbye within that.
const GRACE: Duration = Duration::from_secs(2);

/// The rounds.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    /// From the begin of one to the begin of the next.
    pub interval: Duration,
    /// Equal results in a row that make a change.
    pub confirm: u32,
    /// How many; `None` for no end.
    pub count: Option<u64>,
}

/// How it stood at the end: so many targets of each verdict, by what was told last. What had no result counts as unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Targets by verdict.
    pub counts: BTreeMap<Verdict, usize>,
}

impl Ended {
    /// The worst of all; unknown without a target.
    #[must_use]
    pub fn worst(&self) -> Verdict {
        self.counts.keys().next_back().copied().unwrap_or(Verdict::Unknown)
    }
}

/// One target.
#[derive(Debug)]
struct Watched {
    plan: Plan,
    state: State,
    pace: Pace,
}

/// What all targets share.
struct Watcher<'a> {
    fleet: &'a Fleet,
    rounds: Rounds,
    targets: usize,
    ending: CancellationToken,
    told: &'a dyn Fn(Event),
    run: u64,
    events: Cell<u64>,
}

/// Watches targets until their rounds are over or `stop` comes. `told` is called with all that is news and must not wait.
pub async fn watch(
    fleet: &Fleet,
    plans: Vec<Plan>,
    rounds: Rounds,
    mut chance: Chance,
    stop: impl Future<Output = ()>,
    told: &dyn Fn(Event),
) -> Ended {
    let run = chance.bits();
    let mut targets: Vec<Watched> = plans
        .into_iter()
        .map(|plan| Watched {
            plan,
            state: State::new(rounds.confirm),
            pace: Pace::new(rounds.interval, Chance::new(chance.bits())),
        })
        .collect();
    let watcher = Watcher {
        fleet,
        rounds,
        targets: targets.len(),
        ending: CancellationToken::new(),
        told,
        run,
        events: Cell::new(0),
    };
    watcher.all(&mut targets, stop).await;
    ended(&targets)
}

fn ended(targets: &[Watched]) -> Ended {
    let mut ended = Ended::default();
    for target in targets {
        let verdict = target.state.told().map_or(Verdict::Unknown, |held| held.condition.verdict);
        *ended.counts.entry(verdict).or_default() += 1;
    }
    ended
}

impl Watcher<'_> {
    /// All targets until their rounds are over or `stop` comes; then what is under way gets its grace. What is given up
    /// closes its connections.
    async fn all(&self, targets: &mut [Watched], stop: impl Future<Output = ()>) {
        let mut under_way: FuturesUnordered<_> =
            targets.iter_mut().map(|target| self.go_on(target)).collect();
        let all = async move { while under_way.next().await.is_some() {} };
        tokio::pin!(all, stop);
        tokio::select! {
            () = &mut all => {}
            () = &mut stop => {
                self.ending.cancel();
                let _ = timeout(GRACE, &mut all).await;
            }
        }
    }

    /// Round after round of one target.
    async fn go_on(&self, target: &mut Watched) {
        let mut wait = target.pace.first(self.targets);
        let mut left = self.rounds.count;
        while left != Some(0) {
            tokio::select! {
                biased;
                () = self.ending.cancelled() => return,
                () = sleep(wait) => {}
            }
            let clock = Stopwatch::start();
            self.round(target).await;
            left = left.map(|left| left - 1);
            wait = target.pace.gap().saturating_sub(clock.elapsed()).max(target.pace.rest());
        }
    }

    async fn round(&self, target: &mut Watched) {
        // A fault of ours at one server must not end the watch over the others. The system's own words on it stand on standard
        // error; what the check held (its turn, its connections) is given back on the way.
        let checked = AssertUnwindSafe(self.fleet.check(&target.plan, &Quiet)).catch_unwind().await;
        let report = checked.unwrap_or_else(|_| at_fault(&target.plan));
        if let Some(news) = target.state.next(Condition::of(&report), &report.started_at) {
            let number = self.events.get() + 1;
            self.events.set(number);
            let id = format!("{:016x}-{number}", self.run);
            (self.told)(Event { id, time: wall_clock(), news, report });
        }
    }
}

/// The report of a check that broke: nothing is known.
fn at_fault(plan: &Plan) -> Report {
    let evidence = Evidence { target: plan.target.clone(), ..Evidence::default() };
    let mut report = Report::of(plan, evidence, wall_clock(), 0);
    report.verdict = Verdict::Unknown;
    "The check ended in a fault of pasvcheck itself, of which standard error has the words: please report it."
        .clone_into(&mut report.summary);
    report
}

#[cfg(test)]
mod tests;
