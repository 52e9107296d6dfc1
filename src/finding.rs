//! Findings and verdicts. Each level is defined by its consequence, not by mood.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::evidence::{Mode, Place};

/// How bad a finding is.
///
/// The order of the variants is the order of gravity: a verdict is that of the gravest finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; never alters the verdict.
    Info,
    /// It works from here, but fails for a nameable class of clients or in a nameable circumstance.
    Warning,
    /// It could not be tested.
    Unknown,
    /// A standard passive transfer fails from here, or fails for clients that follow the standard.
    Critical,
}

/// The judgement of a whole run, of an endpoint, or of a check. Its number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing wrong was found. Exit code 0.
    Ok,
    /// A warning is the worst. Exit code 1.
    Warning,
    /// It could not be tested. Exit code 3.
    Unknown,
    /// Passive mode is broken. Exit code 2.
    Critical,
}

impl Verdict {
    /// The exit code, the same in every format: 0 ok, 1 warning, 2 critical, 3 unknown.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }
}

impl From<Severity> for Verdict {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Info => Self::Ok,
            Severity::Warning => Self::Warning,
            Severity::Unknown => Self::Unknown,
            Severity::Critical => Self::Critical,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Unknown => "unknown",
            Self::Critical => "critical",
        })
    }
}

/// How sure a finding is; independent of how bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// One candidate among several.
    Possible,
    /// One explanation is clearly ahead.
    Likely,
    /// What was seen admits no other ordinary explanation.
    Certain,
}

/// Where on the path the fault lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Location {
    /// This host, or its own network's border.
    Client,
    /// The server, its firewall, or the device right in front of it.
    Server,
    /// Between the two.
    Transit,
    /// Not seen.
    #[default]
    Unknown,
}

/// What a finding is about. Findings explain each other only within a scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Scope {
    /// The address; `None` for the target as a whole.
    pub endpoint: Option<IpAddr>,
    /// The passive command; `None` for both.
    pub mode: Option<Mode>,
    /// Whether it was seen under TLS.
    pub tls: bool,
}

impl Scope {
    /// About one address, whatever the mode.
    #[must_use]
    pub fn endpoint(address: IpAddr) -> Self {
        Self { endpoint: Some(address), mode: None, tls: false }
    }

    /// About one passive command at one address.
    #[must_use]
    pub fn mode(address: IpAddr, mode: Mode) -> Self {
        Self { endpoint: Some(address), mode: Some(mode), tls: false }
    }

    /// Whether something in `self` can explain something in `other`: nothing that both name differs.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        fn agree<T: PartialEq>(a: Option<&T>, b: Option<&T>) -> bool {
            a.is_none() || b.is_none() || a == b
        }
        agree(self.endpoint.as_ref(), other.endpoint.as_ref())
            && agree(self.mode.as_ref(), other.mode.as_ref())
            && self.tls == other.tls
    }
}

/// What a rule recognised: the ingredients of a finding, with this run's values.
#[derive(Clone, Debug, PartialEq)]
pub struct Detail {
    /// What it is about.
    pub scope: Scope,
    /// One line for a person, without a full stop: `the server announces 192.168.1.20, a private address`.
    pub title: String,
    /// A few sentences: what was seen, with values, and what follows from it.
    pub detail: String,
    /// How sure.
    pub confidence: Confidence,
    /// Another severity than the rule's usual one.
    pub severity: Option<Severity>,
    /// Where the fault lies.
    pub location: Location,
    /// Last hop known to pass and first one known not to answer.
    pub hops: Vec<u8>,
    /// Quoted facts: replies, outcomes of connects.
    pub evidence: Vec<String>,
    /// The line of a configuration file.
    pub place: Option<Place>,
    /// That line as it would have to be.
    pub corrected: Option<String>,
    /// The configuration it is about, by its number in the audit.
    pub subject: Option<usize>,
}

impl Detail {
    /// A certain finding at its usual severity.
    #[must_use]
    pub fn new(scope: Scope, title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            scope,
            title: title.into(),
            detail: detail.into(),
            confidence: Confidence::Certain,
            severity: None,
            location: Location::Unknown,
            hops: Vec::new(),
            evidence: Vec::new(),
            place: None,
            corrected: None,
            subject: None,
        }
    }

    /// With another confidence.
    #[must_use]
    pub fn confidence(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    /// With another severity than the rule's.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// With a place.
    #[must_use]
    pub fn location(mut self, location: Location) -> Self {
        self.location = location;
        self
    }

    /// With the line of a configuration file, and that line as it would have to be.
    #[must_use]
    pub fn place(mut self, place: Option<&Place>, corrected: Option<&str>) -> Self {
        self.place = place.cloned();
        self.corrected = corrected.map(str::to_owned);
        self
    }

    /// About one configuration of an audit.
    #[must_use]
    pub fn subject(mut self, number: usize) -> Self {
        self.subject = Some(number);
        self
    }

    /// With a quoted fact.
    #[must_use]
    pub fn quote(mut self, fact: impl Into<String>) -> Self {
        self.evidence.push(fact.into());
        self
    }
}

/// A recognised fault, as the report carries it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Finding {
    /// The name, a public contract: `passive-address-private`.
    pub id: String,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// What it is about.
    pub scope: Scope,
    /// One line.
    pub title: String,
    /// A few sentences with this run's values.
    pub detail: String,
    /// Where on the path.
    pub location: Location,
    /// Last hop known to pass and first one known not to answer; empty if not walked.
    pub hops: Vec<u8>,
    /// The file of an audit finding.
    pub file: Option<String>,
    /// The line in that file.
    pub line: Option<u32>,
    /// The column in that line.
    pub column: Option<u32>,
    /// The line itself, in audits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<Excerpt>,
    /// Quoted facts.
    pub evidence: Vec<String>,
    /// What to do, product by product, with the values filled in.
    pub remedies: Vec<Remedy>,
    /// The finding that explains this one, if one does; it is then left out of the terminal report.
    pub explained_by: Option<String>,
    /// The policy that accepts it for a time; it does not count then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignored: Option<Ignored>,
}

impl Finding {
    /// Whether it counts: nothing explains it, and no policy accepts it.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.explained_by.is_none() && self.ignored.is_none()
    }
}

/// The line of an audit finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Excerpt {
    /// The whole line, cut if it is very long.
    pub text: String,
    /// How many characters are meant, from the finding's column on.
    pub length: u32,
    /// The line as it would have to be.
    pub corrected: Option<String>,
}

/// Why a finding does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Ignored {
    /// The reason that the policy gives.
    pub reason: String,
    /// The last day on which it holds.
    pub until: String,
}

/// One way to mend it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Remedy {
    /// The product or device: a heading of the finding's Fix section.
    #[serde(rename = "for")]
    pub product: String,
    /// The whole section as Markdown text.
    pub text: String,
    /// The blocks to paste, in order.
    pub commands: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gravity_is_not_the_order_of_exit_codes() {
        let mut verdicts = [Verdict::Critical, Verdict::Ok, Verdict::Unknown, Verdict::Warning];
        verdicts.sort_unstable();
        assert_eq!(verdicts.map(Verdict::exit_code), [0, 1, 3, 2]);
    }

    #[test]
    fn scopes_cover_what_they_do_not_contradict() {
        let here = "203.0.113.1".parse().unwrap();
        let there = "203.0.113.2".parse().unwrap();
        assert!(Scope::endpoint(here).covers(&Scope::mode(here, Mode::Pasv)));
        assert!(Scope::default().covers(&Scope::endpoint(there)));
        assert!(!Scope::endpoint(here).covers(&Scope::endpoint(there)));
        assert!(!Scope::mode(here, Mode::Epsv).covers(&Scope::mode(here, Mode::Pasv)));
    }
}
