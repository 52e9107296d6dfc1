//! The checks, one folder each: what is observed, what it means, and a Markdown document for every finding.
//!
//! A [`Check`] observes (I/O, adds facts to the evidence) and owns the [`Rule`]s that it decides (pure functions over the
//! whole evidence). To add a finding: one function, one Markdown file beside it, one line in the folder's table, one
//! scenario. A test names what was forgotten.

pub mod configuration;
pub mod control;
pub mod data_connection;
pub mod greeting;
pub mod locate;
pub mod login;
pub mod middlebox;
pub mod passive_reply;
pub mod paths;
pub mod port_range;
pub mod resolve;
pub mod support;
pub mod tls;
pub mod transfer;

use futures_util::future::BoxFuture;

use crate::evidence::{Endpoint, Evidence};
use crate::finding::{Detail, Severity};
use crate::probe::Session;

/// A check.
#[derive(Debug)]
pub struct Check {
    /// Kebab-case name, as in `--only` and the report: `passive-reply`.
    pub name: &'static str,
    /// What it does, for progress and lists: `asking for passive ports`.
    pub title: &'static str,
    /// The question it answers, for a person.
    pub question: &'static str,
    /// The checks that must have succeeded before.
    pub needs: &'static [&'static str],
    /// Whether it runs once or for each address.
    pub reach: Reach,
    /// Observes and adds to the evidence. It never judges.
    pub observe: for<'s, 'n> fn(&'s mut Session<'n>) -> BoxFuture<'s, ()>,
    /// Whether it succeeded at this endpoint, so that others can build on it.
    pub passed: fn(&Endpoint) -> bool,
    /// What it saw at this endpoint, in a line without a full stop.
    pub summarise: fn(&Evidence, &Endpoint) -> String,
    /// What it decides.
    pub rules: &'static [Rule],
}

/// Whether a check runs once for the target or for each of its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// For each address.
    Endpoint,
    /// Once.
    Target,
    /// It is no matter of the network: an audit reads files, and no run over the network lists it.
    Host,
}

/// How one finding is recognised.
#[derive(Debug)]
pub struct Rule {
    /// The finding's name: kebab-case, the bad thing, frozen once released.
    pub name: &'static str,
    /// The usual severity.
    pub severity: Severity,
    /// The document that lies beside the code.
    pub document: &'static str,
    /// Findings of the same scope that explain this one: it is then a symptom.
    pub explained_by: &'static [&'static str],
    /// Recognises it, once for each scope. Pure.
    pub recognise: fn(&Evidence) -> Vec<Detail>,
}

/// All checks, in the order in which they run; the audit's last.
pub const ALL: &[Check] = &[
    resolve::CHECK,
    control::CHECK,
    greeting::CHECK,
    tls::CHECK,
    login::CHECK,
    passive_reply::CHECK,
    data_connection::CHECK,
    transfer::CHECK,
    middlebox::CHECK,
    port_range::CHECK,
    configuration::CHECK,
];

/// The checks that a run over the network walks.
pub fn network() -> impl Iterator<Item = &'static Check> {
    ALL.iter().filter(|check| check.reach != Reach::Host)
}

/// The checks that a report lists: those of the network, or the audit's.
pub fn of(evidence: &Evidence) -> impl Iterator<Item = &'static Check> + use<> {
    let audit = evidence.audit.is_some();
    ALL.iter().filter(move |check| (check.reach == Reach::Host) == audit)
}

/// The check of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Check> {
    ALL.iter().find(|check| check.name == name)
}

/// All rules, in the order of their checks.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    ALL.iter().flat_map(|check| check.rules)
}

/// The rule that recognises the finding of that name.
#[must_use]
pub fn rule(name: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.name == name)
}

/// The check that owns the finding of that name.
#[must_use]
pub fn owner(finding: &str) -> Option<&'static Check> {
    ALL.iter().find(|check| check.rules.iter().any(|rule| rule.name == finding))
}

/// A check with everything that it needs, in running order.
#[must_use]
pub fn with_needs(name: &str) -> Vec<&'static str> {
    fn wanted(name: &str, from: &str) -> bool {
        name == from || named(from).is_some_and(|check| check.needs.iter().any(|need| wanted(name, need)))
    }
    ALL.iter().map(|check| check.name).filter(|candidate| wanted(candidate, name)).collect()
}

#[cfg(test)]
mod guards;
