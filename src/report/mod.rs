//! Report → bytes. One file per format; none of them prints.

pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod nagios;
pub mod overview;
pub mod portmap;
pub mod prometheus;
pub mod proofs;
pub mod prose;
pub mod schema;
pub mod style;
pub mod terminal;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::checks::{self, Check, Reach};
use crate::diagnose::{Diagnosis, diagnose, endpoint_verdict};
use crate::evidence::{Connect, Endpoint, Evidence, Step, Target};
use crate::finding::{Finding, Severity, Verdict};
use crate::plan::Plan;
use crate::server::{self, Recognised};
use crate::threshold::{self, Held, Measure, Thresholds};

/// The version of the report's shape. It changes when a consumer would break.
pub const SCHEMA_VERSION: u32 = 1;

/// Why a check did nothing that needs a reason and had none.
pub(crate) const NOT_NEEDED: &str = "not needed";

/// The result of one run: the contract with monitors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Report {
    /// The version of this shape.
    pub schema_version: u32,
    /// What made it.
    pub tool: Tool,
    /// Whom it is about.
    pub target: Target,
    /// When the run began, RFC 3339 in UTC.
    pub started_at: String,
    /// How long it took.
    pub duration_ms: u64,
    /// The judgement.
    pub verdict: Verdict,
    /// One sentence that a person can act on.
    pub summary: String,
    /// The server product; `None` if it was not recognised.
    pub server: Option<ServerInfo>,
    /// Each address of the target.
    pub endpoints: Vec<EndpointInfo>,
    /// Each check, in order.
    pub checks: Vec<CheckInfo>,
    /// What was found: causes first, then what they explain.
    pub findings: Vec<Finding>,
    /// What was seen.
    pub evidence: Evidence,
    /// The times that were held to thresholds (`-w`, `-c`); left out without any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<Held>,
    /// The labels of the targets file; left out without any.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// Reports → text of one format, for one report or for a stream of them. What can be written at once is handed out at once,
/// so that nobody has to keep all reports.
pub trait Renderer {
    /// Takes a report; what can be written now.
    fn add(&mut self, report: &Report) -> String;

    /// What is written when the last report has been taken.
    fn finish(&mut self) -> String {
        String::new()
    }
}

/// What made a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Tool {
    /// `pasvcheck`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The server product, as far as it gave itself away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ServerInfo {
    /// The product's name.
    pub product: String,
    /// Its version, where it tells.
    pub version: Option<String>,
    /// `certain`, `likely` or `possible`.
    pub certainty: String,
}

/// One address of the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EndpointInfo {
    /// The address.
    pub address: IpAddr,
    /// `ipv4` or `ipv6`.
    pub family: String,
    /// The judgement of this address alone.
    pub verdict: Verdict,
    /// Why it was left alone.
    pub skipped: Option<String>,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It did not run.
    Skip,
    /// Nothing to complain of.
    Pass,
    /// A warning.
    Warn,
    /// It could not be told.
    Unknown,
    /// It failed.
    Fail,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Skip => "skip",
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Unknown => "unknown",
            Self::Fail => "fail",
        })
    }
}

/// One check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CheckInfo {
    /// The check's name.
    pub id: String,
    /// The worst of all endpoints.
    pub status: Status,
    /// Milliseconds over all endpoints.
    pub duration_ms: f64,
    /// What was seen, in a line.
    pub summary: String,
}

impl Report {
    /// Judges evidence and puts the report together.
    #[must_use]
    pub fn new(evidence: Evidence, started_at: String, duration_ms: u64) -> Self {
        let Diagnosis { verdict, summary, findings } = diagnose(&evidence);
        Self {
            schema_version: SCHEMA_VERSION,
            tool: Tool {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            target: evidence.target.clone(),
            started_at,
            duration_ms,
            verdict,
            summary,
            server: server_info(&evidence),
            endpoints: evidence.endpoints.iter().map(|endpoint| endpoint_info(endpoint, &findings)).collect(),
            checks: checks::ALL.iter().map(|check| check_info(check, &evidence, &findings)).collect(),
            findings,
            evidence,
            thresholds: Vec::new(),
            labels: BTreeMap::new(),
        }
    }

    /// The report of a plan that was carried out, with the plan's thresholds and labels.
    #[must_use]
    pub fn of(plan: &Plan, evidence: Evidence, started_at: String, duration_ms: u64) -> Self {
        let mut report = Self::new(evidence, started_at, duration_ms);
        report.labels.clone_from(&plan.labels);
        report.hold(&plan.thresholds);
        report
    }

    /// Holds the times to thresholds: they can make the verdict worse, and the summary says why.
    pub fn hold(&mut self, thresholds: &Thresholds) {
        for measure in Measure::ALL {
            if thresholds.warning.of(measure).is_none() && thresholds.critical.of(measure).is_none() {
                continue;
            }
            let held = Held::new(measure, self.measured(measure), thresholds);
            self.verdict = self.verdict.max(held.verdict);
            if let Some(reason) = held.reason() {
                self.summary = format!("{} {reason}", self.summary);
            }
            self.thresholds.push(held);
        }
    }

    /// A time in milliseconds; `None` if there was nothing to measure.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a run lasts less than 285 years")]
    pub fn measured(&self, measure: Measure) -> Option<f64> {
        match measure {
            Measure::Total => Some(self.duration_ms as f64),
            Measure::Data => self.data_connects().map(|connect| connect.elapsed_ms).reduce(f64::max),
        }
    }

    /// Every data connection that opened, surveys and cold ports left aside.
    fn data_connects(&self) -> impl Iterator<Item = &Connect> {
        self.evidence.checked().flat_map(|endpoint| {
            let visits = endpoint.offers.iter().flat_map(|offer| &offer.visits).map(|visit| &visit.connect);
            visits
                .chain(endpoint.transfers.iter().map(|transfer| &transfer.data))
                .filter(|connect| connect.open())
        })
    }

    /// Diagnoses a saved report again: its evidence is kept, its conclusions are drawn anew.
    #[must_use]
    pub fn again(self) -> Self {
        let mut report = Self::new(self.evidence, self.started_at, self.duration_ms);
        report.labels = self.labels;
        report.hold(&threshold::recorded(&self.thresholds));
        report
    }

    /// The target as it would be typed: the port only where it is not 21. Unescaped.
    #[must_use]
    pub fn name(&self) -> String {
        let Target { host, port } = &self.target;
        match port {
            21 => host.clone(),
            port if host.contains(':') => format!("[{host}]:{port}"),
            port => format!("{host}:{port}"),
        }
    }

    /// Findings that no other one explains, gravest first.
    pub fn causes(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.explained_by.is_none())
    }
}

/// When the certificate of each address ends, the soonest where it showed several.
fn certificates(report: &Report) -> Vec<(String, SystemTime)> {
    let of_endpoint = |endpoint: &Endpoint| {
        let soonest = certificate_ends(&serde_json::to_value(endpoint).ok()?).into_iter().min()?;
        Some((endpoint.address.to_string(), soonest))
    };
    report.evidence.checked().filter_map(of_endpoint).collect()
}

/// Whatever the evidence calls `not_after`, as RFC 3339 text.
fn certificate_ends(value: &serde_json::Value) -> Vec<SystemTime> {
    match value {
        serde_json::Value::Object(map) => {
            let own = map.get("not_after").and_then(serde_json::Value::as_str);
            let own = own.and_then(|end| humantime::parse_rfc3339_weak(end).ok());
            own.into_iter().chain(map.values().flat_map(certificate_ends)).collect()
        }
        serde_json::Value::Array(list) => list.iter().flat_map(certificate_ends).collect(),
        _ => Vec::new(),
    }
}

/// Days from a report's run to a moment; negative if that had passed.
fn days_to(report: &Report, moment: SystemTime) -> Option<f64> {
    let began = humantime::parse_rfc3339(&report.started_at).ok()?;
    let seconds = match moment.duration_since(began) {
        Ok(left) => left.as_secs_f64(),
        Err(ago) => -ago.duration().as_secs_f64(),
    };
    Some(seconds / 86_400.0)
}

/// The product at the first endpoint that tells; some can only be known by the host's name.
#[must_use]
pub fn recognised(evidence: &Evidence) -> Option<Recognised> {
    let heard = evidence.checked().find_map(checks::support::product_at);
    let greeted = evidence.checked().any(Endpoint::greeted);
    if greeted { server::with_host_name(heard, &evidence.target.host) } else { heard }
}

fn server_info(evidence: &Evidence) -> Option<ServerInfo> {
    let known = recognised(evidence)?;
    let certainty = serde_json::to_value(known.certainty).ok()?;
    Some(ServerInfo {
        product: known.product.name().to_owned(),
        version: known.version,
        certainty: certainty.as_str().unwrap_or_default().to_owned(),
    })
}

fn endpoint_info(endpoint: &Endpoint, findings: &[Finding]) -> EndpointInfo {
    EndpointInfo {
        address: endpoint.address,
        family: if endpoint.address.is_ipv4() { "ipv4" } else { "ipv6" }.to_owned(),
        verdict: endpoint_verdict(endpoint, findings),
        skipped: endpoint.skipped.clone(),
    }
}

fn check_info(check: &Check, evidence: &Evidence, findings: &[Finding]) -> CheckInfo {
    let steps: Vec<&Step> = evidence.steps.iter().filter(|step| step.check == check.name).collect();
    let found = findings.iter().any(|finding| check.rules.iter().any(|rule| rule.name == finding.id));
    let ran = steps.iter().any(|step| step.skipped.is_none()) && (wanted(check, evidence) || found);
    CheckInfo {
        id: check.name.to_owned(),
        status: status(check, ran, &steps, evidence, findings),
        duration_ms: (steps.iter().map(|step| step.duration_ms).sum::<f64>() * 1e3).round() / 1e3,
        summary: summary(check, ran, &steps, evidence),
    }
}

/// Whether a check that is only made with a reason had one.
fn wanted(check: &Check, evidence: &Evidence) -> bool {
    let any = |seen: fn(&Endpoint) -> bool| evidence.checked().any(seen);
    match check.name {
        "tls" => any(|endpoint| endpoint.tls.is_some()),
        "middlebox" => any(|endpoint| endpoint.cleartext.is_some()),
        "port-range" => any(|endpoint| endpoint.survey.is_some()),
        _ => true,
    }
}

fn status(check: &Check, ran: bool, steps: &[&Step], evidence: &Evidence, findings: &[Finding]) -> Status {
    if !ran {
        return Status::Skip;
    }
    let own = findings.iter().filter(|finding| check.rules.iter().any(|rule| rule.name == finding.id));
    let worst = own.filter(|finding| finding.explained_by.is_none()).map(|finding| finding.severity).max();
    match worst {
        Some(Severity::Critical) => Status::Fail,
        Some(Severity::Unknown) => Status::Unknown,
        Some(Severity::Warning) => Status::Warn,
        _ if steps.iter().any(|step| step.out_of_time) => Status::Unknown,
        // No finding of its own, and yet nothing to build on: an earlier check tells why.
        _ if check.reach == Reach::Endpoint
            && !evidence.checked().any(|endpoint| (check.passed)(endpoint)) =>
        {
            Status::Unknown
        }
        _ => Status::Pass,
    }
}

fn summary(check: &Check, ran: bool, steps: &[&Step], evidence: &Evidence) -> String {
    if !ran {
        let reason = steps.first().map(|step| step.skipped.clone().unwrap_or_else(|| NOT_NEEDED.to_owned()));
        let nothing =
            if evidence.endpoints.is_empty() { "there was no address to check" } else { NOT_NEEDED };
        return format!("skipped: {}", reason.unwrap_or_else(|| nothing.to_owned()));
    }
    let endpoints: Vec<&Endpoint> = match check.name {
        "resolve" => evidence.endpoints.first().into_iter().collect(),
        "control" => evidence.endpoints.iter().collect(),
        _ => evidence.checked().collect(),
    };
    if endpoints.is_empty() {
        let nobody = Endpoint::new(IpAddr::from([0, 0, 0, 0]));
        return (check.summarise)(evidence, &nobody);
    }
    let several = endpoints.len() > 1 && check.name != "control";
    let words = endpoints.iter().map(|endpoint| {
        let words = (check.summarise)(evidence, endpoint);
        if several { format!("{}: {words}", endpoint.address) } else { words }
    });
    words.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
pub(crate) mod tests;
