//! What `pasvcheck exporter` runs: a service that checks on request and answers in Prometheus' format, in the manner of the
//! blackbox exporter.
//!
//! | path | answer |
//! | --- | --- |
//! | `/probe?target=HOST&module=NAME` | the samples of one check, those of `--format prometheus` with `probe_success` in front |
//! | `/metrics` | the exporter's own samples |
//! | `/healthz` | `ok` |
//! | `/` | a page for people |
//!
//! Whoever reaches the service chooses a target, a directory on it at most, and nothing else: targets are held to an [`AllowList`], how they are checked
//! is a [`Module`] of the configuration, and no address that only a server's reply names is contacted
//! ([`Plan::own_addresses_only`](crate::plan::Plan::own_addresses_only)). Probes, connections and times are bounded.

mod allow;
mod answer;
mod ask;
mod listen;
mod metrics;
mod page;
mod service;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;

pub use allow::{AllowList, Entry, EntryError};
pub use ask::DEFAULT_MODULE;

use crate::finding::Verdict;
use crate::fleet::Fleet;
use crate::net::Network;
use crate::plan::Plan;
use metrics::Metrics;

/// Probes at a time where the user says nothing.
pub const DEFAULT_PROBES: usize = 100;

/// Whom the exporter checks, and how.
#[derive(Clone, Debug)]
pub struct Config {
    /// The targets that may be asked for.
    pub allow: AllowList,
    /// The ways to check them, by name.
    pub modules: BTreeMap<String, Module>,
}

/// A way to check a target.
#[derive(Clone, Debug)]
pub struct Module {
    /// The plan, whose target is filled in for each probe.
    pub plan: Plan,
    /// The control port, where a target names none.
    pub port: Option<u16>,
    /// The targets that may be checked in this way, in place of the configuration's list.
    pub allow: Option<AllowList>,
}

/// How much the exporter takes on.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Probes at a time; beyond them 503 is the answer.
    pub probes: usize,
    /// What is taken off the time that the scraper waits.
    pub offset: Duration,
}

/// What the exporter tells as it happens. Nothing in it is a secret, and nothing but the target was chosen by the asker.
#[derive(Clone, Debug)]
pub enum Event {
    /// A probe has been answered.
    Probed {
        /// Host and port.
        target: String,
        /// The module.
        module: String,
        /// What came of it.
        verdict: Verdict,
        /// Whether its time ran out.
        late: bool,
        /// How long it took.
        took: Duration,
    },
    /// A request was refused, and why.
    Refused(String),
    /// Whoever asked went away before the answer.
    Abandoned,
}

/// Is told what happens.
pub type Listener = Box<dyn Fn(Event) + Send + Sync>;

/// The service.
pub struct Exporter {
    config: RwLock<Arc<Config>>,
    bounds: Bounds,
    probes: Arc<Semaphore>,
    fleet: Fleet,
    metrics: Metrics,
    told: Listener,
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter").field("bounds", &self.bounds).finish_non_exhaustive()
    }
}

impl Exporter {
    /// A service on a network, which tells `told` what happens.
    #[must_use]
    pub fn new(network: Arc<dyn Network>, config: Config, bounds: Bounds, told: Listener) -> Arc<Self> {
        let metrics = Metrics::new(bounds.probes);
        metrics.loaded(Some(&config));
        Arc::new(Self {
            config: RwLock::new(Arc::new(config)),
            bounds,
            probes: Arc::new(Semaphore::new(bounds.probes)),
            fleet: Fleet::new(network, bounds.probes),
            metrics,
            told,
        })
    }

    /// Takes another configuration from now on. `None`: it could not be read, and the old one stays, which the metrics tell.
    pub fn reload(&self, config: Option<Config>) {
        self.metrics.loaded(config.as_ref());
        if let Some(config) = config {
            *self.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
        }
    }

    /// Serves until `stop` ends; then probes under way get some seconds to end, and are given up after that.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, stop: impl Future<Output = ()>) {
        let connections = self.bounds.probes + listen::SPARE_CONNECTIONS;
        listen::serve(listener, service::router(self), connections, stop).await;
    }

    /// The configuration that holds now.
    fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }
}
