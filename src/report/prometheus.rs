//! Prometheus' text exposition format, for the textfile collector of the node exporter (`-o FILE.prom`).
//!
//! All samples of a metric stand together under one HELP and TYPE, so the text is put together when the last target has
//! ended. What changes from run to run is a value, what is told apart is a label.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::UNIX_EPOCH;

use super::{Renderer, Report, certificates};
use crate::evidence::Mode;
use crate::finding::Verdict;
use crate::threshold::Measure;

/// Every metric: name, what it says.
const METRICS: [(&str, &str); 14] = [
    ("pasvcheck_build_info", "The version of pasvcheck that made these samples; always 1."),
    ("pasvcheck_last_run_timestamp_seconds", "When the check began, in seconds since 1970."),
    ("pasvcheck_exit_code", "The verdict as exit code: 0 ok, 1 warning, 2 critical, 3 unknown."),
    ("pasvcheck_verdict", "1 for the verdict that was reached, 0 for the others."),
    ("pasvcheck_endpoint_exit_code", "The verdict of one address of the target, as exit code."),
    ("pasvcheck_duration_seconds", "How long the whole check took."),
    ("pasvcheck_check_status", "How each check came out: pass, warn, fail, skip or unknown; always 1."),
    ("pasvcheck_check_duration_seconds", "How long each check took, over all addresses."),
    ("pasvcheck_control_connect_seconds", "How long the control connection took to open."),
    ("pasvcheck_data_connect_seconds", "How long the slowest data connection that opened took, by command."),
    (
        "pasvcheck_findings",
        "How often a finding was recognised; explained=\"true\" if another one explains it.",
    ),
    ("pasvcheck_threshold_exceeded", "1 if a time is outside of what -w or -c allows, else 0."),
    ("pasvcheck_server_info", "The server product that was recognised; always 1."),
    (
        "pasvcheck_certificate_expiry_timestamp_seconds",
        "When the certificate of an address expires, in seconds since 1970.",
    ),
];

/// Collects the samples of all targets.
#[derive(Debug, Default)]
pub struct Prometheus {
    /// The samples of each metric, as lines.
    samples: HashMap<&'static str, String>,
    /// How often each set of labels was used: two equal series would make a collector refuse the whole file.
    seen: HashMap<String, u32>,
}

impl Renderer for Prometheus {
    fn add(&mut self, report: &Report) -> String {
        let base = self.base(report);
        let mut put = |metric: &'static str, more: &[(&str, &str)], value: f64| {
            let mut labels = base.clone();
            for (name, value) in more {
                let _ = write!(labels, ",{name}=\"{}\"", escaped(value));
            }
            let _ = writeln!(self.samples.entry(metric).or_default(), "{metric}{{{labels}}} {value}");
        };
        whole(report, &mut put);
        checks(report, &mut put);
        endpoints(report, &mut put);
        findings(report, &mut put);
        String::new()
    }

    fn finish(&mut self) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let build = format!("pasvcheck_build_info{{version=\"{version}\"}} 1\n");
        self.samples.insert("pasvcheck_build_info", build);
        let mut out = String::new();
        for (name, help) in METRICS {
            if let Some(samples) = self.samples.remove(name) {
                let help = help.replace('\\', "\\\\");
                let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} gauge\n{samples}");
            }
        }
        self.seen.clear();
        out
    }
}

impl Prometheus {
    /// The labels that all samples of a report share; a target that comes again is numbered.
    fn base(&mut self, report: &Report) -> String {
        let mut labels = format!("target=\"{}\"", escaped(&report.name()));
        for (name, value) in report.labels.iter().filter(|(name, _)| is_label_name(name)) {
            let _ = write!(labels, ",{name}=\"{}\"", escaped(value));
        }
        let times = self.seen.entry(labels.clone()).or_default();
        *times += 1;
        if *times > 1 {
            let _ = write!(labels, ",nth=\"{times}\"");
        }
        labels
    }
}

type Put<'a> = dyn FnMut(&'static str, &[(&str, &str)], f64) + 'a;

fn whole(report: &Report, put: &mut Put<'_>) {
    if let Ok(began) = humantime::parse_rfc3339(&report.started_at)
        && let Ok(since) = began.duration_since(UNIX_EPOCH)
    {
        put("pasvcheck_last_run_timestamp_seconds", &[], since.as_secs_f64());
    }
    put("pasvcheck_exit_code", &[], report.verdict.exit_code().into());
    for verdict in [Verdict::Ok, Verdict::Warning, Verdict::Critical, Verdict::Unknown] {
        let reached = f64::from(u8::from(verdict == report.verdict));
        put("pasvcheck_verdict", &[("verdict", &verdict.to_string())], reached);
    }
    put("pasvcheck_duration_seconds", &[], seconds(report.measured(Measure::Total).unwrap_or_default()));
    for held in &report.thresholds {
        let exceeded = f64::from(u8::from(held.verdict > Verdict::Ok));
        put("pasvcheck_threshold_exceeded", &[("measure", held.measure.word())], exceeded);
    }
    if let Some(server) = &report.server {
        let labels = [
            ("product", server.product.as_str()),
            ("version", server.version.as_deref().unwrap_or_default()),
            ("certainty", &server.certainty),
        ];
        put("pasvcheck_server_info", &labels, 1.0);
    }
}

fn checks(report: &Report, put: &mut Put<'_>) {
    for check in &report.checks {
        let status = check.status.to_string();
        put("pasvcheck_check_status", &[("check", &check.id), ("status", &status)], 1.0);
        put("pasvcheck_check_duration_seconds", &[("check", &check.id)], seconds(check.duration_ms));
    }
}

fn endpoints(report: &Report, put: &mut Put<'_>) {
    for endpoint in report.endpoints.iter().filter(|endpoint| endpoint.skipped.is_none()) {
        let labels = [("address", &*endpoint.address.to_string()), ("family", &endpoint.family)];
        put("pasvcheck_endpoint_exit_code", &labels, endpoint.verdict.exit_code().into());
    }
    for endpoint in report.evidence.checked() {
        let address = endpoint.address.to_string();
        if let Some(ms) = endpoint.rtt_ms() {
            put("pasvcheck_control_connect_seconds", &[("address", &address)], seconds(ms));
        }
        for mode in [Mode::Pasv, Mode::Epsv] {
            let visits = endpoint.offers_of(mode).flat_map(|offer| &offer.visits).map(|visit| &visit.connect);
            let transfers = endpoint.transfers.iter().filter(|transfer| transfer.mode == mode);
            let opened =
                visits.chain(transfers.map(|transfer| &transfer.data)).filter(|connect| connect.open());
            if let Some(ms) = opened.map(|connect| connect.elapsed_ms).reduce(f64::max) {
                let labels = [("address", address.as_str()), ("mode", mode.verb())];
                put("pasvcheck_data_connect_seconds", &labels, seconds(ms));
            }
        }
    }
    for (address, end) in certificates(report) {
        // One that ended before 1970 has ended.
        let end = end.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        put("pasvcheck_certificate_expiry_timestamp_seconds", &[("address", &address)], end);
    }
}

fn findings(report: &Report, put: &mut Put<'_>) {
    let mut counted: Vec<(&str, String, bool, u32)> = Vec::new();
    for finding in &report.findings {
        let explained = finding.explained_by.is_some();
        let severity = Verdict::from(finding.severity);
        let severity = if severity == Verdict::Ok { "info".to_owned() } else { severity.to_string() };
        match counted
            .iter_mut()
            .find(|(id, of, is, _)| *id == finding.id && *of == severity && *is == explained)
        {
            Some((.., times)) => *times += 1,
            None => counted.push((&finding.id, severity, explained, 1)),
        }
    }
    for (id, severity, explained, times) in counted {
        let explained = if explained { "true" } else { "false" };
        let labels = [("id", id), ("severity", &severity), ("explained", explained)];
        put("pasvcheck_findings", &labels, times.into());
    }
}

/// A label value: backslash, quote and line feed are escaped, as the format asks; other control characters are shown.
fn escaped(value: &str) -> String {
    super::style::printable(value).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// The labels that pasvcheck sets itself.
const OWN_LABELS: [&str; 15] = [
    "target",
    "nth",
    "check",
    "status",
    "verdict",
    "address",
    "family",
    "mode",
    "id",
    "severity",
    "explained",
    "measure",
    "product",
    "version",
    "certainty",
];

/// Whether a label of the targets file can be a label here: `[a-zA-Z_][a-zA-Z0-9_]*`, none that is reserved (`__`) or that
/// we set ourselves.
#[must_use]
pub fn is_label_name(name: &str) -> bool {
    let shape = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
    shape && !name.starts_with("__") && !OWN_LABELS.contains(&name)
}

/// Milliseconds as seconds, without the noise of the division: to the nanosecond.
fn seconds(ms: f64) -> f64 {
    (ms * 1e6).round() / 1e9
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::tests::{hostile, saved};
    use super::*;

    fn render(reports: &[Report]) -> String {
        let mut prometheus = Prometheus::default();
        for report in reports {
            assert_eq!(prometheus.add(report), "");
        }
        prometheus.finish()
    }

    /// What a scraper's parser demands: one HELP and TYPE a metric, its samples right below, no series twice.
    fn check(text: &str) {
        let (mut metrics, mut series, mut current) = (HashSet::new(), HashSet::new(), "");
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                current = rest.split(' ').next().unwrap();
                assert!(metrics.insert(current), "{current} stands twice");
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                assert_eq!(rest, format!("{current} gauge"));
            } else {
                let (name, value) = line.rsplit_once(' ').unwrap();
                assert!(name.starts_with(&format!("{current}{{")) && name.ends_with('}'), "{line}");
                assert!(value.parse::<f64>().is_ok(), "{line}");
                assert!(series.insert(name), "{name} stands twice");
            }
        }
        assert!(!metrics.is_empty());
    }

    #[test]
    fn a_report_becomes_samples() {
        let text = render(&[saved("broken")]);
        check(&text);
        for sample in [
            "pasvcheck_exit_code{target=\"ftp.example.com\"} 2\n",
            "pasvcheck_verdict{target=\"ftp.example.com\",verdict=\"critical\"} 1\n",
            "pasvcheck_check_status{target=\"ftp.example.com\",check=\"login\",status=\"pass\"} 1\n",
            "pasvcheck_findings{target=\"ftp.example.com\",id=\"passive-address-private\",severity=\"critical\",explained=\"false\"} 1\n",
        ] {
            assert!(text.contains(sample), "{sample}\n{text}");
        }
    }

    #[test]
    fn several_targets_share_help_and_type_and_no_series_stands_twice() {
        let mut labelled = saved("healthy");
        labelled.labels.insert("site".to_owned(), "a\\b \"c\"\nd".to_owned());
        labelled.labels.insert("__name__".to_owned(), "evil".to_owned());
        let text = render(&[saved("healthy"), saved("healthy"), labelled, saved("two-endpoints"), hostile()]);
        check(&text);
        assert!(text.contains("nth=\"2\"") && !text.contains("evil"), "{text}");
        assert!(text.contains(r#"site="a\\b \"c\"\nd""#), "{text}");
    }

    #[test]
    fn every_metric_that_is_put_has_its_help() {
        let source = include_str!("prometheus.rs");
        let names =
            source.split('"').filter(|word| word.starts_with("pasvcheck_") && !word.contains(['{', ' ']));
        for word in names.filter(|word| word.len() > "pasvcheck_".len()) {
            assert!(METRICS.iter().any(|(name, _)| *name == word), "{word}");
        }
    }
}
