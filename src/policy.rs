//! The policy file (`--policy FILE`, TOML): what has to be, what a finding is to count for, and what is accepted for a time.
//!
//! ```toml
//! [require]
//! product = "vsftpd"
//! range = "50000-50100"
//! public_address = "203.0.113.10"
//!
//! [severity]
//! config-session-reuse = "warning"
//!
//! [[ignore]]
//! finding = "config-range-overlap"
//! reason = "the ports are reserved by the base image, ticket 4711"
//! until = 2027-01-31
//! ```

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Deserializer, de};

use crate::checks;
use crate::evidence::{PolicyFacts, PortRange, Waiver};
use crate::finding::{Finding, Ignored, Severity};
use crate::server::Product;

/// A policy file, read and checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// What has to be.
    #[serde(default)]
    pub require: Require,
    /// Finding → the severity that it is to have.
    #[serde(default)]
    severity: BTreeMap<FindingName, Level>,
    /// Findings that are accepted for a time.
    #[serde(default)]
    ignore: Vec<Ignore>,
}

/// What has to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Require {
    /// The server product.
    #[serde(default, deserialize_with = "product")]
    pub product: Option<Product>,
    /// The passive port range.
    #[serde(default, deserialize_with = "range")]
    pub range: Option<PortRange>,
    /// The address that the server announces.
    #[serde(default)]
    pub public_address: Option<IpAddr>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ignore {
    finding: FindingName,
    reason: Reason,
    until: Day,
    #[serde(default)]
    target: Option<String>,
}

/// The name of a finding that there is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct FindingName(String);

impl<'de> Deserialize<'de> for FindingName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        if checks::rule(&name).is_some() {
            return Ok(Self(name));
        }
        let near = checks::rules()
            .map(|rule| {
                (
                    strsim::damerau_levenshtein(rule.name, &name.chars().take(80).collect::<String>()),
                    rule.name,
                )
            })
            .min()
            .filter(|(far, _)| *far <= 4);
        let hint = near
            .map_or("`pasvcheck explain` lists all".to_owned(), |(_, near)| format!("did you mean {near}?"));
        Err(de::Error::custom(format!("there is no finding \"{name}\"; {hint}")))
    }
}

/// A severity, as in reports.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Level(Severity);

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let level = serde_json::from_value(serde_json::Value::String(word.clone()));
        level.map(Self).map_err(|_| {
            de::Error::custom(format!("\"{word}\" is no severity; write info, warning, unknown or critical"))
        })
    }
}

/// Why: at least a word.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reason(String);

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let text = text.trim();
        if text.is_empty() {
            return Err(de::Error::custom("say why the finding is accepted"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// A day, as a TOML date or as text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Day(String);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Date(toml::value::Datetime),
            Text(String),
        }
        let wrong =
            || de::Error::custom("until: write the last day as YEAR-MONTH-DAY, for example 2027-01-31");
        let text = match Either::deserialize(deserializer).map_err(|_| wrong())? {
            Either::Date(date) => date.date.map(|date| date.to_string()).unwrap_or_default(),
            Either::Text(text) => text.trim().to_owned(),
        };
        let date: toml::value::Datetime = text.parse().map_err(|_| wrong())?;
        match (date.date, date.time) {
            (Some(date), None) => Ok(Self(date.to_string())),
            _ => Err(wrong()),
        }
    }
}

fn product<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Product>, D::Error> {
    let name = String::deserialize(deserializer)?;
    match product_named(&name) {
        Some(product) => Ok(Some(product)),
        None => Err(de::Error::custom(format!("\"{name}\" is no server product that pasvcheck knows"))),
    }
}

/// The product of that name, as people type it: `pure-ftpd`, `filezilla`.
#[must_use]
pub fn product_named(name: &str) -> Option<Product> {
    let plain = |name: &str| {
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
    };
    let wanted = plain(name);
    match wanted.as_str() {
        "filezilla" => Some(Product::FileZilla),
        "filezilla09" | "filezillalegacy" => Some(Product::FileZillaLegacy),
        _ => Product::ALL.into_iter().find(|product| plain(product.name()) == wanted),
    }
}

fn range<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PortRange>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(de::Error::custom)
}

/// Why a file is no policy, with the line quoted and a caret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no policy: {0}")]
pub struct PolicyError(String);

impl Policy {
    /// Reads a policy file's text.
    ///
    /// # Errors
    /// What is not understood: unknown keys, findings and severities, dates that are none.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        toml::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|error| PolicyError(error.to_string().trim_end().to_owned()))
    }

    /// The policy as facts of a run on a day (`2026-11-25`).
    #[must_use]
    pub fn facts(&self, file: &str, today: &str) -> PolicyFacts {
        let word = |severity: Severity| format!("{severity:?}").to_lowercase();
        PolicyFacts {
            file: file.to_owned(),
            today: today.to_owned(),
            product: self.require.product.map(|product| product.name().to_owned()),
            severity: self.severity.iter().map(|(name, level)| (name.0.clone(), word(level.0))).collect(),
            ignore: self
                .ignore
                .iter()
                .map(|ignore| Waiver {
                    finding: ignore.finding.0.clone(),
                    reason: ignore.reason.0.clone(),
                    until: ignore.until.0.clone(),
                    target: ignore.target.clone(),
                })
                .collect(),
        }
    }
}

/// Applies a policy to what was found at a target.
pub(crate) fn apply(policy: &PolicyFacts, target: &str, findings: &mut [Finding]) {
    for finding in findings {
        let wanted = policy.severity.get(&finding.id);
        let level =
            wanted.and_then(|word| serde_json::from_value(serde_json::Value::String(word.clone())).ok());
        finding.severity = level.unwrap_or(finding.severity);
        let waivers = policy.ignore.iter().filter(|waiver| waiver.finding == finding.id);
        let here = |waiver: &&Waiver| match waiver.target.as_deref() {
            None => true,
            Some(wanted) => wanted == target || finding.file.as_deref() == Some(wanted),
        };
        // Dates of four, two and two digits are ordered as texts are. Of several, the one that holds longest counts.
        let Some(waiver) = waivers.filter(here).max_by_key(|waiver| waiver.until.clone()) else { continue };
        if policy.today <= waiver.until {
            finding.ignored = Some(Ignored { reason: waiver.reason.clone(), until: waiver.until.clone() });
        } else {
            finding.evidence.push(format!(
                "the policy accepted this until {} ({}); that day has passed",
                waiver.until, waiver.reason
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[require]\nproduct = \"Pure-FTPd\"\nrange = \"50000-50100\"\npublic_address = \"203.0.113.10\"\n\
                        [severity]\nconfig-session-reuse = \"warning\"\n[[ignore]]\nfinding = \"config-promiscuous\"\nreason = \"FXP is wanted\"\nuntil = 2027-01-31\n";

    #[test]
    fn a_policy_becomes_facts() {
        let policy = Policy::parse(GOOD).unwrap();
        assert_eq!(policy.require.product, Some(Product::PureFtpd));
        let facts = policy.facts("p.toml", "2026-11-25");
        assert_eq!(facts.severity["config-session-reuse"], "warning");
        assert_eq!(
            (facts.ignore[0].until.as_str(), facts.ignore[0].reason.as_str()),
            ("2027-01-31", "FXP is wanted")
        );
        assert_eq!(Policy::parse(&GOOD.replace("2027-01-31", "\"2027-01-31\"")), Ok(policy));
        assert_eq!(Policy::parse(""), Ok(Policy::default()));
    }

    #[test]
    fn what_is_not_understood_is_refused_with_its_line() {
        for (text, says) in [
            ("[requires]\n", "requires"),
            ("[require]\nprodukt = \"vsftpd\"\n", "produkt"),
            ("[require]\nproduct = \"vsftp\"\n", "no server product"),
            ("[require]\nrange = \"9-1\"\n", "backwards"),
            ("[severity]\nconfig-promiscuos = \"info\"\n", "did you mean config-promiscuous"),
            ("[severity]\nconfig-promiscuous = \"fatal\"\n", "is no severity"),
            ("[[ignore]]\nfinding = \"config-promiscuous\"\nuntil = 2027-01-31\n", "reason"),
            ("[[ignore]]\nfinding = \"config-promiscuous\"\nreason = \" \"\nuntil = 2027-01-31\n", "say why"),
            (
                "[[ignore]]\nfinding = \"config-promiscuous\"\nreason = \"x\"\nuntil = \"soon\"\n",
                "YEAR-MONTH-DAY",
            ),
            ("[[ignore]]\nfinding = \"config-promiscuous\"\nreason = \"x\"\nuntil = 2027-13-31\n", "13"),
            ("[[ignore]]\nfinding = \"config-promiscuous\"\nreason = \"x\"\n", "until"),
            ("not toml", "TOML"),
        ] {
            let error = Policy::parse(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
            assert!(error.contains('^') && error.contains("line "), "no caret: {error}");
        }
    }
}
