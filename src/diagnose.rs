//! Evidence → findings and verdict. Pure: the same evidence always leads to the same report.

use std::net::IpAddr;

use crate::checks::{self, Rule};
use crate::evidence::{Audit, Endpoint, Evidence, Mode, Proof, Transfer, holds_secret};
use crate::explain;
use crate::explain::values::Values;
use crate::finding::{Detail, Excerpt, Finding, Severity, Verdict};
use crate::policy;

/// The judgement of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    /// The gravest of what is not explained by something else.
    pub verdict: Verdict,
    /// One sentence that a person can act on.
    pub summary: String,
    /// All findings: causes first, by gravity; explained ones last.
    pub findings: Vec<Finding>,
}

/// Judges a run.
#[must_use]
pub fn diagnose(evidence: &Evidence) -> Diagnosis {
    let mut recognised: Vec<(&Rule, Detail)> = checks::of(evidence)
        .flat_map(|check| check.rules)
        .flat_map(|rule| {
            let details = (rule.recognise)(evidence).into_iter();
            details.map(move |detail| (rule, under_tls(evidence, rule, detail)))
        })
        .collect();
    // The order of the checks is kept among equals.
    recognised.sort_by_key(|(rule, detail)| std::cmp::Reverse(detail.severity.unwrap_or(rule.severity)));
    let mut findings: Vec<Finding> = recognised
        .iter()
        .map(|(rule, detail)| finding(evidence, rule, detail, explanation(&recognised, rule, detail)))
        .collect();
    if let Some(facts) = &evidence.told.policy {
        policy::apply(facts, &evidence.target.host, &mut findings);
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    }
    findings.sort_by_key(|finding| (finding.explained_by.is_some(), finding.ignored.is_some()));
    let verdict = verdict(evidence, &findings);
    Diagnosis { verdict, summary: summary(evidence, verdict, &findings), findings }
}

/// What was found of passive mode was found under TLS, if the session ran so.
fn under_tls(evidence: &Evidence, rule: &Rule, mut detail: Detail) -> Detail {
    const BEFORE: [&str; 6] = ["resolve", "control", "greeting", "tls", "login", "port-range"];
    let at = detail.scope.endpoint;
    let secured = evidence.checked().any(|endpoint| Some(endpoint.address) == at && endpoint.under_tls());
    let later = checks::owner(rule.name).is_some_and(|check| !BEFORE.contains(&check.name));
    detail.scope.tls = secured && later;
    detail
}

/// The judgement of one endpoint: of everything that was found there, explained or not, since a dead address is dead
/// even if another one makes it a blemish of the whole.
#[must_use]
pub fn endpoint_verdict(endpoint: &Endpoint, findings: &[Finding]) -> Verdict {
    if endpoint.skipped.is_some() {
        return Verdict::Unknown;
    }
    let here =
        |finding: &&Finding| finding.scope.endpoint == Some(endpoint.address) && finding.ignored.is_none();
    let worst = findings.iter().filter(here).map(|finding| Verdict::from(finding.severity)).max();
    let worst = worst.unwrap_or(Verdict::Ok);
    if worst < Verdict::Unknown && !proven(endpoint) { Verdict::Unknown } else { worst }
}

/// The finding that explains this one, if one of its causes was recognised in the same scope. A cause that is itself
/// explained hands on to its own cause.
fn explanation(all: &[(&Rule, Detail)], rule: &Rule, detail: &Detail) -> Option<String> {
    let causes = rule.explained_by.iter().filter(|cause| **cause != rule.name);
    causes
        .flat_map(|cause| all.iter().filter(move |(other, _)| other.name == *cause))
        .find(|(_, cause)| cause.scope.covers(&detail.scope))
        .map(|(cause, cause_detail)| {
            explanation(all, cause, cause_detail).unwrap_or_else(|| cause.name.to_owned())
        })
}

fn finding(evidence: &Evidence, rule: &Rule, detail: &Detail, explained_by: Option<String>) -> Finding {
    let values = match (&evidence.audit, detail.subject) {
        (Some(audit), Some(number)) => Values::of_configuration(evidence, audit, number),
        _ => Values::of(evidence, detail.scope.endpoint),
    };
    let place = detail.place.as_ref();
    Finding {
        id: rule.name.to_owned(),
        severity: detail.severity.unwrap_or(rule.severity),
        confidence: detail.confidence,
        scope: detail.scope,
        title: bounded(&detail.title, 240),
        detail: bounded(&detail.detail, 2000),
        location: detail.location,
        hops: detail.hops.clone(),
        file: place.map(|place| place.file.clone()),
        line: place.map(|place| place.line).filter(|line| *line > 0),
        column: place.map(|place| place.column).filter(|column| *column > 0),
        excerpt: place.filter(|place| place.line > 0).map(|place| Excerpt {
            text: place.text.clone(),
            length: place.length,
            corrected: detail
                .corrected
                .as_ref()
                .filter(|line| !holds_secret(line))
                .map(|line| values.correct(line)),
        }),
        evidence: detail.evidence.clone(),
        remedies: explain::remedies(rule, evidence, detail, &values),
        explained_by,
        ignored: None,
    }
}

/// A text that may hold a value from a file, cut where no value that is meant would end.
fn bounded(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn verdict(evidence: &Evidence, findings: &[Finding]) -> Verdict {
    let causes = findings.iter().filter(|finding| finding.counts());
    let worst = causes.map(|finding| Verdict::from(finding.severity)).max().unwrap_or(Verdict::Ok);
    if worst < Verdict::Unknown && unproven(evidence).is_some() { Verdict::Unknown } else { worst }
}

/// Why nothing was proven, if so: then silence of the rules is no praise.
fn unproven(evidence: &Evidence) -> Option<String> {
    // An audit reads; what it could not read is a finding.
    if evidence.audit.is_some() {
        return None;
    }
    let unfinished =
        evidence.checked().flat_map(|endpoint| &endpoint.transfers).find(|transfer| transfer.unfinished());
    if let Some(transfer) = unfinished {
        return Some(format!("the time was up during {}, after {} bytes", transfer.command, transfer.bytes));
    }
    if evidence.checked().any(proven) {
        return None;
    }
    // Checks that the user left out do not count as failed.
    let unfinished = evidence.steps.iter().find(|step| step.out_of_time);
    if let Some(step) = unfinished {
        return Some(format!("the time was up during {}", step.check));
    }
    let skipped = |name: &str| evidence.steps.iter().any(|step| step.check == name && step.skipped.is_some());
    let by_wish = |name: &str| {
        evidence
            .steps
            .iter()
            .any(|step| step.check == name && step.skipped.as_deref() == Some("not asked for"))
    };
    if by_wish("transfer") {
        return None;
    }
    let reason = evidence
        .steps
        .iter()
        .filter(|step| !matches!(step.check.as_str(), "port-range" | "middlebox"))
        .rfind(|step| skipped(&step.check))
        .and_then(|step| step.skipped.clone());
    Some(reason.unwrap_or_else(|| "no transfer was finished".to_owned()))
}

/// Whether passive mode was shown to work at an endpoint: a listing came through, or the server refused the listing on
/// its own merits after the data connection had opened.
fn proven(endpoint: &Endpoint) -> bool {
    endpoint.transfers.iter().any(Transfer::proves)
}

fn summary(evidence: &Evidence, verdict: Verdict, findings: &[Finding]) -> String {
    let host = &evidence.target.host;
    if let Some(audit) = &evidence.audit {
        return audited(audit, verdict, findings);
    }
    let causes: Vec<&Finding> =
        findings.iter().filter(|finding| finding.counts() && finding.severity > Severity::Info).collect();
    match causes.first() {
        Some(first) if Verdict::from(first.severity) == verdict => {
            let more = match causes.len() - 1 {
                0 => String::new(),
                1 => " (and one more finding)".to_owned(),
                more => format!(" (and {more} more findings)"),
            };
            let opening = match verdict {
                Verdict::Critical if evidence.checked().any(works_as_announced) => {
                    "Passive mode works from here, but not for all"
                }
                Verdict::Critical => "Passive mode is broken",
                Verdict::Warning => "Passive mode works from here, with a caveat",
                _ => "Passive mode could not be tested",
            };
            // Before the login passive mode was never reached.
            let reached = evidence.checked().any(Endpoint::logged_in);
            let opening = match verdict {
                Verdict::Critical if works_in_clear_alone(evidence) => "FTPS is broken",
                Verdict::Critical if !reached => "FTP is out of reach",
                _ => opening,
            };
            format!("{opening}: {}{more}.", first.title)
        }
        Some(first) if verdict == Verdict::Unknown => {
            format!("Passive mode could not be tested: {}.", first.title)
        }
        _ if verdict == Verdict::Unknown => {
            let reason = unproven(evidence).unwrap_or_else(|| "nothing was seen".to_owned());
            format!("Passive mode of {host} could not be tested: {reason}.")
        }
        _ => healthy(evidence),
    }
}

/// An audit in one sentence.
fn audited(audit: &Audit, verdict: Verdict, findings: &[Finding]) -> String {
    let causes: Vec<&Finding> =
        findings.iter().filter(|finding| finding.counts() && finding.severity > Severity::Info).collect();
    let Some(first) = causes.first() else { return sound(audit) };
    let more = match causes.len() - 1 {
        0 => String::new(),
        1 => " (and one more finding)".to_owned(),
        more => format!(" (and {more} more findings)"),
    };
    let opening = match verdict {
        Verdict::Critical => "Passive mode will fail",
        Verdict::Warning => "Passive mode can work, with a caveat",
        _ => "The configuration could not be judged",
    };
    format!("{opening}: {}{more}.", first.title)
}

/// What was read, and that nothing is wrong with it.
fn sound(audit: &Audit) -> String {
    let servers: Vec<String> = audit
        .configurations
        .iter()
        .flat_map(|configuration| {
            configuration.servers.iter().map(|server| {
                let name = server.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
                let address = server
                    .address
                    .as_ref()
                    .map_or("its own address".to_owned(), |address| address.text.clone());
                format!("{}{name} offers ports {} at {address}", configuration.product, server.range.range)
            })
        })
        .collect();
    let firewall = match audit.firewalls.len() {
        0 => "; no firewall was compared",
        _ => ", and the firewall lets them in",
    };
    format!("Nothing wrong was found: {}{firewall}.", servers.join("; "))
}

/// Whether a client that follows the standard gets its listing, by PASV or, over IPv6, by EPSV.
fn works_as_announced(endpoint: &Endpoint) -> bool {
    let mode = if endpoint.address.is_ipv4() { Mode::Pasv } else { Mode::Epsv };
    checks::paths::as_announced(endpoint, mode) == checks::paths::Way::Works
}

/// Whether a listing came through in clear text and none under TLS.
fn works_in_clear_alone(evidence: &Evidence) -> bool {
    let clear = |endpoint: &Endpoint| {
        endpoint.cleartext.as_ref().is_some_and(|plain| plain.transfers.iter().any(Transfer::completed))
    };
    evidence.checked().any(clear) && !evidence.checked().any(proven)
}

/// What worked, in one sentence.
fn healthy(evidence: &Evidence) -> String {
    let addresses: Vec<IpAddr> =
        evidence.checked().filter(|endpoint| proven(endpoint)).map(|e| e.address).collect();
    if addresses.is_empty() {
        return "Nothing wrong was found in the checks that were asked for.".to_owned();
    }
    let list = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    let stand_ins = evidence.checked().filter_map(|endpoint| endpoint.survey.as_ref()?.stand_in.as_ref());
    let (proven, all) = stand_ins.fold((0, 0), |(proven, all), stand_in| {
        (proven + stand_in.count(Proof::proven), all + stand_in.count(|_| true))
    });
    if all > 0 {
        return format!(
            "Passive mode works at {list}: the stand-in proved {proven} of {all} ports, and the listing came through."
        );
    }
    let ports: Vec<u16> = evidence.checked().flat_map(checks::support::announced_ports).collect();
    format!(
        "Passive mode works at {list}: {} data connections opened, and the listing came through.",
        ports.len()
    )
}
