//! What a policy file asks for, as far as it changes what a fact means.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A policy, with the day on which it was applied: so a saved report is judged again as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PolicyFacts {
    /// The file.
    pub file: String,
    /// The day of the run, `2026-11-25`, UTC.
    pub today: String,
    /// The product that has to be there.
    #[serde(default)]
    pub product: Option<String>,
    /// Finding → the severity that it is to have.
    #[serde(default)]
    pub severity: BTreeMap<String, String>,
    /// Findings that are known and accepted for a time.
    #[serde(default)]
    pub ignore: Vec<Waiver>,
}

/// A finding that is accepted for a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Waiver {
    /// The finding.
    pub finding: String,
    /// Why.
    pub reason: String,
    /// The last day of it, `2027-01-31`.
    pub until: String,
    /// Only for this target (host or file); `None` for all.
    #[serde(default)]
    pub target: Option<String>,
}
