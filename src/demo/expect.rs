//! What a scenario expects of the report. Only what is written is asserted, and `only` pins that nothing else sneaks in.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::finding::{Confidence, Finding, Location, Severity, Verdict};
use crate::report::Report;

/// Expectations.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The verdict.
    pub verdict: Verdict,
    /// Findings that must be told as causes.
    #[serde(default)]
    pub findings: Vec<String>,
    /// Findings that must be there, explained by another one.
    #[serde(default)]
    pub explained: Vec<String>,
    /// Findings that must not be there at all.
    #[serde(default)]
    pub forbidden: Vec<String>,
    /// Causes beyond `findings` that may be told; `info` findings always may.
    #[serde(default)]
    pub allowed: Vec<String>,
    /// How sure a finding must be.
    #[serde(default)]
    pub confidence: BTreeMap<String, Confidence>,
    /// How bad a finding must be.
    #[serde(default)]
    pub severity: BTreeMap<String, Severity>,
    /// Where a finding must be.
    #[serde(default)]
    pub location: BTreeMap<String, Location>,
    /// The product that must be recognised.
    #[serde(default)]
    pub product: Option<String>,
    /// Texts that the summary or a finding must hold.
    #[serde(default)]
    pub says: Vec<String>,
}

impl Expect {
    /// Where a report differs, one sentence each.
    #[must_use]
    pub fn compare(&self, report: &Report) -> Vec<String> {
        let mut complaints = Vec::new();
        if report.verdict != self.verdict {
            complaints.push(format!("the verdict is {}, not {}", report.verdict, self.verdict));
        }
        complaints.extend(self.names(report));
        complaints.extend(self.details(report));
        let product = report.server.as_ref().map(|server| server.product.as_str());
        if let Some(wanted) = self.product.as_deref().filter(|wanted| product != Some(wanted)) {
            complaints.push(format!("the product is {product:?}, not {wanted}"));
        }
        let texts = report.findings.iter().flat_map(|finding| [finding.title.as_str(), &finding.detail]);
        let told = texts.fold(report.summary.clone(), |told, text| told + "\n" + text);
        complaints.extend(
            self.says
                .iter()
                .filter(|text| !told.contains(*text))
                .map(|text| format!("it does not say \"{text}\"")),
        );
        complaints
    }

    fn names(&self, report: &Report) -> Vec<String> {
        let mut complaints = Vec::new();
        let found =
            |name: &str| report.findings.iter().filter(|finding| finding.id == name).collect::<Vec<_>>();
        for name in &self.findings {
            if !found(name).iter().any(|finding| finding.explained_by.is_none()) {
                complaints.push(format!("{name} is not told as a cause"));
            }
        }
        for name in &self.explained {
            if !found(name).iter().any(|finding| finding.explained_by.is_some()) {
                complaints.push(format!("{name} is not there as a symptom"));
            }
        }
        for name in self.forbidden.iter().filter(|name| !found(name).is_empty()) {
            complaints.push(format!("{name} is a false alarm"));
        }
        for finding in report.causes().filter(|finding| finding.severity > Severity::Info) {
            if !self.findings.contains(&finding.id) && !self.allowed.contains(&finding.id) {
                complaints.push(format!("{} was not expected: {}", finding.id, finding.title));
            }
        }
        complaints
    }

    fn details(&self, report: &Report) -> Vec<String> {
        fn differ<T: PartialEq + std::fmt::Debug>(
            wanted: &BTreeMap<String, T>,
            report: &Report,
            get: impl Fn(&Finding) -> T,
        ) -> Vec<String> {
            let is = |name: &str| report.findings.iter().find(|finding| finding.id == name).map(&get);
            wanted
                .iter()
                .filter(|(name, value)| is(name).as_ref() != Some(value))
                .map(|(name, value)| format!("{name} is {:?}, not {value:?}", is(name)))
                .collect()
        }
        let mut complaints = differ(&self.confidence, report, |finding| finding.confidence);
        complaints.extend(differ(&self.severity, report, |finding| finding.severity));
        complaints.extend(differ(&self.location, report, |finding| finding.location));
        complaints
    }
}
