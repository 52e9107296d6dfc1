//! Many targets at once: a bounded number of checks on one runtime, and never two of them at one server address.
//!
//! [`Fleet::check`] runs one target to a [`Report`], [`Fleet::check_all`] a stream of them. Both share the fleet's limits, so
//! a service that checks on request and a list that is worked through keep the same promises:
//!
//! * At most so many checks are under way at a time.
//! * A server sees one control connection of ours at a time: targets that lead to the same address and port take turns.
//!   Whoever waits for its turn holds up nobody else, and its deadline has not begun.
//! * Nothing is kept of a target once its report is handed over.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use ipnet::IpNet;
use tokio::sync::{Notify, Semaphore, mpsc};

use crate::checks;
use crate::clock::{Deadline, Stopwatch, wall_clock};
use crate::evidence::{Connect, Evidence, Outcome, Resolution, ResolutionOutcome};
use crate::net::{Connected, Network};
use crate::plan::Plan;
use crate::probe::{self, Progress, Quiet};
use crate::report::Report;

/// Checks at a time where the user says nothing.
pub const DEFAULT_CONCURRENCY: usize = 16;

/// Checks that may wait for their turn at a server beyond those that run: so the memory stays bounded even where a whole
/// list leads to one address.
const WAITING_LIMIT: usize = 512;

/// The limits that checks share.
#[derive(Debug)]
pub struct Fleet {
    network: Arc<dyn Network>,
    concurrency: usize,
    slots: Semaphore,
    turns: Turns,
    /// Checks that wait for a turn.
    waiting: AtomicUsize,
    /// Told when a check begins to wait: another one may begin.
    stepped_aside: Notify,
}

impl Fleet {
    /// A fleet on a network, of at most `concurrency` checks at a time (at least one).
    #[must_use]
    pub fn new(network: Arc<dyn Network>, concurrency: usize) -> Self {
        let concurrency = concurrency.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            network,
            concurrency,
            slots: Semaphore::new(concurrency),
            turns: Turns::default(),
            waiting: AtomicUsize::new(0),
            stepped_aside: Notify::new(),
        }
    }

    /// Checks one target, as soon as there is room for it and nobody else is at its server.
    pub async fn check(&self, plan: &Plan, progress: &dyn Progress) -> Report {
        self.check_before(plan, None, progress).await
    }

    /// [`check`](Self::check), which ends before `deadline` with what was learned by then, if it gets its turn in time. It
    /// may go past the deadline by the goodbye to the server, or wait for a turn or a resolver all the time: whoever cannot
    /// wait stops waiting.
    pub async fn check_before(
        &self,
        plan: &Plan,
        deadline: Option<Deadline>,
        progress: &dyn Progress,
    ) -> Report {
        let slot = self.slots.acquire().await;
        progress.at(checks::resolve::CHECK.title);
        let patience = plan.limits.resolve.min(plan.limits.run);
        let resolution = self.network.resolve(&plan.target.host, patience).await;
        let servers = servers(plan, &resolution);
        let (slot, turn) = if let Some(turn) = self.turns.try_take(&servers) {
            (slot, turn)
        } else {
            drop(slot);
            let turn = self.wait_for_turn(&servers).await;
            (self.slots.acquire().await, turn)
        };
        let mut plan = plan.clone();
        if let Some(deadline) = deadline {
            plan.limits.run = deadline.cap(plan.limits.run);
        }
        let report = checked(&plan, self.network.as_ref(), resolution, progress).await;
        drop((slot, turn));
        report
    }

    /// Checks targets as they come in and hands each report over as it ends. What is no plan is passed on as it is. Ends when
    /// all have ended, or when nobody wants the reports any more.
    pub async fn check_all<E: Send>(
        &self,
        mut plans: mpsc::Receiver<Result<Plan, E>>,
        reports: mpsc::Sender<Result<Report, E>>,
    ) {
        let mut under_way = FuturesUnordered::new();
        let mut more = true;
        loop {
            let waiting = self.waiting.load(Ordering::Relaxed);
            let room = under_way.len() < self.concurrency + waiting.min(WAITING_LIMIT);
            tokio::select! {
                plan = plans.recv(), if more && room => match plan {
                    Some(plan) => under_way.push(self.one(plan, &reports)),
                    None => more = false,
                },
                Some(wanted) = under_way.next() => if !wanted { return },
                () = self.stepped_aside.notified(), if more => {}
                else => return,
            }
        }
    }

    /// One of many; whether the receiver still wants reports.
    async fn one<E>(&self, plan: Result<Plan, E>, reports: &mpsc::Sender<Result<Report, E>>) -> bool {
        let done = match plan {
            Ok(plan) => Ok(self.check(&plan, &Quiet).await),
            Err(error) => Err(error),
        };
        reports.send(done).await.is_ok()
    }

    async fn wait_for_turn(&self, servers: &[SocketAddr]) -> Turn<'_> {
        /// Counts who waits, also if the wait is given up.
        struct Waiting<'a>(&'a AtomicUsize);
        impl Drop for Waiting<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _counted = Waiting(&self.waiting);
        self.stepped_aside.notify_one();
        self.turns.take(servers).await
    }
}

/// Checks one target on a network of its own: what [`Fleet::check`] does when the turn has come.
///
/// The name was looked up before, to know whose turn it is; the time that it took counts as the check's.
async fn checked(
    plan: &Plan,
    network: &dyn Network,
    resolution: Resolution,
    progress: &dyn Progress,
) -> Report {
    let looked_up_ms = resolution.elapsed_ms;
    let (started_at, clock) = (wall_clock(), Stopwatch::start());
    let network = Resolved { network, resolution };
    let mut evidence = probe::run(plan, &network, progress).await;
    add_look_up(&mut evidence, looked_up_ms);
    let duration = clock.elapsed() + Duration::from_secs_f64(looked_up_ms.max(0.0) / 1000.0);
    let duration = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    Report::of(plan, evidence, started_at, duration)
}

fn add_look_up(evidence: &mut Evidence, ms: f64) {
    let step = evidence.steps.iter_mut().find(|step| step.check == "resolve" && step.skipped.is_none());
    if let Some(step) = step {
        step.duration_ms = step.duration_ms.max(ms);
    }
}

/// The servers that a check will talk to.
fn servers(plan: &Plan, resolution: &Resolution) -> Vec<SocketAddr> {
    let ResolutionOutcome::Addresses { addresses } = &resolution.outcome else { return Vec::new() };
    let canonical = addresses.iter().map(IpAddr::to_canonical);
    let wanted = canonical.filter(|address| plan.families.wants(*address));
    wanted.map(|address| SocketAddr::new(address, plan.target.port)).collect()
}

/// Whose turn it is, server by server.
#[derive(Debug, Default)]
struct Turns {
    busy: Mutex<HashSet<SocketAddr>>,
    freed: Notify,
}

/// The turn at some servers; dropping it ends it.
#[derive(Debug)]
struct Turn<'a> {
    turns: &'a Turns,
    servers: Vec<SocketAddr>,
}

impl Turns {
    /// All of the servers or none of them: so nobody waits for one while holding another.
    fn try_take(&self, servers: &[SocketAddr]) -> Option<Turn<'_>> {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        if servers.iter().any(|server| busy.contains(server)) {
            return None;
        }
        busy.extend(servers);
        Some(Turn { turns: self, servers: servers.to_vec() })
    }

    async fn take(&self, servers: &[SocketAddr]) -> Turn<'_> {
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            // Listen before looking: what is freed in between is not missed.
            freed.as_mut().enable();
            if let Some(turn) = self.try_take(servers) {
                return turn;
            }
            freed.await;
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut busy = self.turns.busy.lock().unwrap_or_else(PoisonError::into_inner);
        for server in &self.servers {
            busy.remove(server);
        }
        drop(busy);
        self.turns.freed.notify_waiters();
    }
}

/// A network on which the target's name is known already.
#[derive(Debug)]
struct Resolved<'a> {
    network: &'a dyn Network,
    resolution: Resolution,
}

impl Network for Resolved<'_> {
    fn connect(&self, to: SocketAddr, patience: Duration) -> BoxFuture<'_, Connected> {
        self.network.connect(to, patience)
    }

    fn connect_small(&self, to: SocketAddr, segment: u16, patience: Duration) -> BoxFuture<'_, Connected> {
        self.network.connect_small(to, segment, patience)
    }

    fn syn(&self, to: SocketAddr, hops: u8, patience: Duration) -> BoxFuture<'_, Connect> {
        self.network.syn(to, hops, patience)
    }

    fn probe(&self, to: SocketAddr, patience: Duration) -> BoxFuture<'_, Outcome> {
        self.network.probe(to, patience)
    }

    fn known_distance(&self, to: IpAddr) -> Option<u8> {
        self.network.known_distance(to)
    }

    fn resolve(&self, _host: &str, _patience: Duration) -> BoxFuture<'_, Resolution> {
        Box::pin(std::future::ready(self.resolution.clone()))
    }

    fn own_networks(&self) -> Vec<IpNet> {
        self.network.own_networks()
    }

    fn routable(&self, to: IpAddr) -> bool {
        self.network.routable(to)
    }
}

#[cfg(test)]
mod tests;
