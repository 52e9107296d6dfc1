//! Cases: configuration files with the findings that they must lead to (`fixtures/configs/PRODUCT/CASE/`).
//!
//! A case is a directory: `case.toml`, and below it the files under the paths that they have on a host. What only a living
//! host tells (addresses, ports in use, names) stands in `case.toml`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use serde::Deserialize;

use super::{Order, run};
use crate::evidence::{Evidence, HostState, PolicyFacts, PortRange, PublicLookup, Resolved, Told};
use crate::finding::Verdict;
use crate::net::System;
use crate::policy::{Policy, product_named};
use crate::probe::Quiet;
use crate::report::Report;

/// The day on which the policies of cases are applied.
const TODAY: &str = "2026-11-25";

/// A case.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// One sentence without a full stop.
    pub title: String,
    /// The files that are named; none: the usual places below the case's directory.
    #[serde(default)]
    pub config: Vec<String>,
    /// The product, where it is named.
    #[serde(default)]
    pub server: Option<String>,
    /// Files with rule sets.
    #[serde(default)]
    pub firewall: Vec<String>,
    /// What the user told.
    #[serde(default)]
    pub public_address: Option<IpAddr>,
    /// `--public-address none`.
    #[serde(default)]
    pub no_public_address: bool,
    /// The range that is expected.
    #[serde(default)]
    pub range: Option<PortRange>,
    /// The state of the host, where it is asked.
    #[serde(default)]
    pub host: Option<Host>,
    /// What names lead to; names that are not here do not exist. Nothing is looked up without this table.
    #[serde(default)]
    pub names: Option<BTreeMap<String, Vec<IpAddr>>>,
    /// What the services that were asked for the public address said.
    #[serde(default)]
    pub public_lookup: Option<PublicLookup>,
    /// The file of a policy.
    #[serde(default)]
    pub policy: Option<String>,
    /// What must come out.
    pub expect: Expect,
}

/// The state of a host.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Host {
    /// Interface addresses with their networks.
    pub networks: Vec<IpNet>,
    /// The system's own ports.
    pub ephemeral: Option<PortRange>,
    /// Those that it leaves alone.
    pub reserved: Vec<PortRange>,
    /// Ports on which something listens.
    pub listening: Vec<u16>,
    /// Seconds by which the daemon is older than its files.
    pub daemon_older_by: Option<u64>,
}

/// What must come out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// The verdict.
    pub verdict: Option<Verdict>,
    /// Findings that must be there and count.
    pub findings: Vec<String>,
    /// Findings that may be there as well.
    pub allowed: Vec<String>,
    /// Findings that must be there and be accepted by the policy.
    pub ignored: Vec<String>,
    /// Finding → `FILE:LINE:COLUMN`, without the column or without both where there are none.
    pub places: BTreeMap<String, String>,
    /// Finding → the corrected line.
    pub corrected: BTreeMap<String, String>,
    /// Texts that must stand in the titles.
    pub says: Vec<String>,
}

impl Case {
    /// Reads `case.toml` of a directory.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let path = folder.join("case.toml");
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// The directories of all cases below `fixtures/configs`.
    #[must_use]
    pub fn folders(configs: &Path) -> Vec<PathBuf> {
        let inside = |folder: &Path| -> Vec<PathBuf> {
            let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
            let mut folders: Vec<PathBuf> =
                entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
            folders.sort();
            folders
        };
        inside(configs)
            .iter()
            .flat_map(|product| inside(product))
            .filter(|folder| folder.join("case.toml").exists())
            .collect()
    }

    /// Audits the files and judges what was read.
    pub async fn run(&self, folder: &Path) -> Result<Report, String> {
        let policy = self.policy(folder)?;
        let order = Order {
            configs: self.config.clone(),
            server: self.server.as_deref().and_then(product_named),
            firewalls: self.firewall.clone(),
            root: Some(folder.to_path_buf()),
            told: Told {
                range: self.range,
                public_address: self.public_address,
                no_public_address: self.no_public_address,
                policy,
                ..Told::default()
            },
            ..Order::default()
        };
        let mut evidence = run(&order, &System::default(), &Quiet).await;
        // A case is the same on every host.
        evidence.steps.iter_mut().for_each(|step| step.duration_ms = 0.0);
        if self.config.is_empty() {
            "ftp.example.com".clone_into(&mut evidence.target.host);
        }
        self.alive(&mut evidence);
        Ok(Report::new(evidence, format!("{TODAY}T00:00:00.000Z"), 0))
    }

    fn policy(&self, folder: &Path) -> Result<Option<PolicyFacts>, String> {
        let Some(file) = &self.policy else { return Ok(None) };
        let text = std::fs::read_to_string(folder.join(file)).map_err(|error| format!("{file}: {error}"))?;
        let policy = Policy::parse(&text).map_err(|error| format!("{file}: {error}"))?;
        Ok(Some(policy.facts(file, TODAY)))
    }

    /// Puts in what a living host would have told.
    fn alive(&self, evidence: &mut Evidence) {
        let Some(audit) = &mut evidence.audit else { return };
        audit.public.clone_from(&self.public_lookup);
        if let Some(host) = &self.host {
            audit.offline = false;
            audit.host = Some(HostState {
                networks: host.networks.clone(),
                ephemeral: host.ephemeral,
                reserved: host.reserved.clone(),
                listening: host.listening.clone(),
                unasked: Vec::new(),
            });
            for configuration in &mut audit.configurations {
                configuration.daemon_started = host.daemon_older_by.map(|_| 1_000_000);
                for file in &mut configuration.files {
                    file.modified = host.daemon_older_by.map(|seconds| 1_000_000 + seconds);
                }
            }
        }
        let Some(names) = &self.names else { return };
        let servers = audit.configurations.iter_mut().flat_map(|one| &mut one.servers);
        for setting in servers.filter_map(|server| server.address.as_mut()) {
            if setting.address.is_none() && setting.takes_names {
                setting.resolved = Some(match names.get(&setting.text) {
                    Some(addresses) => Resolved { addresses: addresses.clone(), error: None },
                    None => {
                        Resolved { addresses: Vec::new(), error: Some("the name does not exist".to_owned()) }
                    }
                });
            }
        }
    }

    /// What came out otherwise than it must.
    #[must_use]
    pub fn complaints(&self, report: &Report) -> Vec<String> {
        let mut complaints = Vec::new();
        let expect = &self.expect;
        if expect.verdict.is_some_and(|verdict| verdict != report.verdict) {
            complaints.push(format!("the verdict is {}", report.verdict));
        }
        let find = |name: &str| {
            report.findings.iter().filter(|finding| finding.id == name).collect::<Vec<_>>().into_iter()
        };
        for name in &expect.findings {
            if !find(name).any(super::super::finding::Finding::counts) {
                complaints.push(format!("{name} was not found"));
            }
        }
        for name in &expect.ignored {
            if !find(name).any(|finding| finding.ignored.is_some()) {
                complaints.push(format!("{name} is not ignored"));
            }
        }
        for finding in report.findings.iter().filter(|finding| finding.counts()) {
            let known = expect.findings.contains(&finding.id) || expect.allowed.contains(&finding.id);
            if !known && finding.severity > crate::finding::Severity::Info {
                complaints.push(format!("{} was not expected: {}", finding.id, finding.title));
            }
        }
        for (name, place) in &expect.places {
            let shown = |finding: &crate::finding::Finding| {
                let numbers =
                    [finding.line, finding.column].into_iter().flatten().map(|number| format!(":{number}"));
                finding.file.clone().unwrap_or_default() + &numbers.collect::<String>()
            };
            let places: Vec<String> = find(name).map(shown).collect();
            if !places.contains(place) {
                complaints.push(format!("{name} points at {places:?}"));
            }
        }
        for (name, line) in &expect.corrected {
            let lines: Vec<_> =
                find(name).filter_map(|finding| finding.excerpt.as_ref()?.corrected.clone()).collect();
            if !lines.contains(line) {
                complaints.push(format!("{name} is corrected to {lines:?}"));
            }
        }
        for text in &expect.says {
            if !report.findings.iter().any(|finding| finding.title.contains(text)) {
                let titles: Vec<&str> =
                    report.findings.iter().map(|finding| finding.title.as_str()).collect();
                complaints.push(format!("no title says {text:?}: {titles:?}"));
            }
        }
        complaints
    }
}
