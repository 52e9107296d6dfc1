//! The exporter's own samples.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, prometheus_text};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::Config;
use super::ask::REASONS;
use crate::clock::unix_seconds;
use crate::finding::Verdict;

/// Upper bounds of the histogram's buckets, in seconds: a healthy check near by, far away, a closed port, time-outs.
const BUCKETS: [f64; 10] = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfModule {
    module: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    module: String,
    verdict: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    version: &'static str,
}

type Histograms = Family<OfModule, Histogram, fn() -> Histogram>;

/// All of them.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    probes: Family<Outcome, Counter>,
    durations: Histograms,
    late: Family<OfModule, Counter>,
    refused: Family<Refused, Counter>,
    abandoned: Counter,
    in_flight: Gauge,
    config_good: Gauge,
    config_loaded: Gauge<f64, AtomicU64>,
}

impl Metrics {
    pub(super) fn new(limit: usize) -> Self {
        let mut all = Self {
            registry: Registry::default(),
            probes: Family::default(),
            durations: Histograms::new_with_constructor(|| Histogram::new(BUCKETS)),
            late: Family::default(),
            refused: Family::default(),
            abandoned: Counter::default(),
            in_flight: Gauge::default(),
            config_good: Gauge::default(),
            config_loaded: Gauge::default(),
        };
        all.register(limit);
        for reason in REASONS {
            drop(all.refused.get_or_create(&Refused { reason }));
        }
        all
    }

    fn register(&mut self, limit: usize) {
        let build: Family<Build, Gauge> = Family::default();
        build.get_or_create(&Build { version: env!("CARGO_PKG_VERSION") }).set(1);
        let most: Gauge = Gauge::default();
        most.set(i64::try_from(limit).unwrap_or(i64::MAX));
        let to = &mut self.registry;
        to.register("pasvcheck_build_info", "The version of pasvcheck; always 1", build);
        to.register(
            "pasvcheck_exporter_probes",
            "Probes that were answered, by verdict",
            self.probes.clone(),
        );
        to.register(
            "pasvcheck_exporter_probe_duration_seconds",
            "How long probes took, waiting included",
            self.durations.clone(),
        );
        to.register(
            "pasvcheck_exporter_deadline_exceeded",
            "Probes whose deadline came before the end of the check",
            self.late.clone(),
        );
        to.register(
            "pasvcheck_exporter_refused",
            "Requests that were refused, by reason",
            self.refused.clone(),
        );
        to.register(
            "pasvcheck_exporter_abandoned",
            "Probes whose asker went away before the answer",
            self.abandoned.clone(),
        );
        to.register("pasvcheck_exporter_probes_in_flight", "Probes under way", self.in_flight.clone());
        to.register("pasvcheck_exporter_probes_limit", "Probes that may be under way at a time", most);
        to.register(
            "pasvcheck_exporter_config_last_reload_successful",
            "1 if the configuration was read without a fault the last time, else 0",
            self.config_good.clone(),
        );
        to.register(
            "pasvcheck_exporter_config_last_reload_success_timestamp_seconds",
            "When the configuration that holds was read, in seconds since 1970",
            self.config_loaded.clone(),
        );
        to.register_collector(Box::new(Process { started: unix_seconds() }));
    }

    /// A configuration was read, or could not be. Its modules have their samples from the start, as rates need them.
    pub(super) fn loaded(&self, config: Option<&Config>) {
        self.config_good.set(i64::from(config.is_some()));
        let Some(config) = config else { return };
        #[expect(clippy::cast_precision_loss, reason = "exact until a few hundred million years from now")]
        self.config_loaded.set(unix_seconds() as f64);
        for module in config.modules.keys() {
            for verdict in [Verdict::Ok, Verdict::Warning, Verdict::Critical, Verdict::Unknown] {
                let outcome = Outcome { module: module.clone(), verdict: verdict.to_string() };
                drop(self.probes.get_or_create(&outcome));
            }
            let module = OfModule { module: module.clone() };
            drop(self.durations.get_or_create(&module));
            drop(self.late.get_or_create(&module));
        }
    }

    pub(super) fn begun(&self) {
        self.in_flight.inc();
    }

    pub(super) fn ended(&self) {
        self.in_flight.dec();
    }

    pub(super) fn abandoned(&self) {
        self.abandoned.inc();
    }

    pub(super) fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&Refused { reason }).inc();
    }

    pub(super) fn probed(&self, module: &str, verdict: Verdict, late: bool, took: Duration) {
        let module = module.to_owned();
        self.probes.get_or_create(&Outcome { module: module.clone(), verdict: verdict.to_string() }).inc();
        let module = OfModule { module };
        self.durations.get_or_create(&module).observe(took.as_secs_f64());
        if late {
            self.late.get_or_create(&module).inc();
        }
    }

    /// All samples in Prometheus' text format.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = prometheus_text::encode(&mut text, &self.registry);
        text
    }
}

/// What Prometheus' own libraries tell of every process, under the same names. Read where there is a /proc.
#[derive(Debug)]
struct Process {
    started: i64,
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut gauge = |name: &str, help: &str, value: i64| {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
        };
        gauge("process_start_time_seconds", "When the process began, in seconds since 1970.", self.started)?;
        if let Some(bytes) = resident_bytes() {
            gauge("process_resident_memory_bytes", "Memory in use, as the system counts it.", bytes)?;
        }
        if let Some(open) = open_descriptors() {
            gauge("process_open_fds", "Descriptors that are open.", open)?;
        }
        if let Some(most) = descriptor_limit() {
            gauge("process_max_fds", "Descriptors that may be open.", most)?;
        }
        if let Some(seconds) = cpu_seconds() {
            let counter = ConstCounter::new(seconds);
            let help = "Processor time used, in user and in system mode.";
            let metric =
                encoder.encode_descriptor("process_cpu_seconds", help, None, counter.metric_type())?;
            counter.encode(metric)?;
        }
        Ok(())
    }
}

fn resident_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: i64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

fn open_descriptors() -> Option<i64> {
    // One of them is that of the reading itself.
    i64::try_from(std::fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1)).ok()
}

#[cfg(unix)]
fn descriptor_limit() -> Option<i64> {
    use nix::sys::resource::{Resource, getrlimit};
    let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    i64::try_from(soft).ok()
}

#[cfg(not(unix))]
fn descriptor_limit() -> Option<i64> {
    None
}

#[cfg(unix)]
fn cpu_seconds() -> Option<f64> {
    use nix::sys::resource::{UsageWho, getrusage};
    let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    #[expect(clippy::cast_precision_loss, reason = "seconds and microseconds of a process's life")]
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Some(seconds(usage.user_time()) + seconds(usage.system_time()))
}

#[cfg(not(unix))]
fn cpu_seconds() -> Option<f64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_stands_under_its_help_and_type() {
        let metrics = Metrics::new(7);
        metrics.probed("a \"b\" \\ c", Verdict::Critical, true, Duration::from_millis(300));
        metrics.refused("busy");
        metrics.begun();
        let text = metrics.text();
        for sample in [
            "pasvcheck_exporter_probes_total{module=\"a \\\"b\\\" \\\\ c\",verdict=\"critical\"} 1\n",
            "pasvcheck_exporter_refused_total{reason=\"busy\"} 1\n",
            "pasvcheck_exporter_refused_total{reason=\"credentials\"} 0\n",
            "pasvcheck_exporter_probes_in_flight 1\n",
            "pasvcheck_exporter_probes_limit 7\n",
            "# TYPE pasvcheck_exporter_probe_duration_seconds histogram\n",
        ] {
            assert!(text.contains(sample), "{sample}\n{text}");
        }
        assert!(!text.contains("# EOF"), "that is the other format");
        #[cfg(target_os = "linux")]
        for name in ["process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds_total"] {
            assert!(text.contains(&format!("\n{name} ")), "{name}\n{text}");
        }
    }
}
