//! The range against the rules of the host's firewall.

use std::fmt::Write as _;

use super::range::in_force;
use super::{Subject, each};
use crate::checks::support::port_list;
use crate::evidence::{Evidence, Firewall, Passage, Passes, PortRange};
use crate::finding::{Confidence, Detail, Severity};

/// Rules that are quoted.
const QUOTED: usize = 6;

pub(super) fn blocked(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |subject| {
        if !subject.server.passive.value {
            return Vec::new();
        }
        subject.audit.firewalls.iter().filter_map(|firewall| one(subject, firewall)).collect()
    })
}

/// What a firewall does to the range over one family.
struct Fate<'a> {
    family: &'static str,
    blocked: Vec<&'a Passage>,
    unknown: Vec<&'a Passage>,
}

impl<'a> Fate<'a> {
    fn of(family: &'static str, passages: &'a [Passage], range: PortRange) -> Self {
        let with = |answer: Passes| {
            let inside = |passage: &&Passage| {
                passage.answer == answer && passage.min <= range.max && range.min <= passage.max
            };
            passages.iter().filter(inside).collect()
        };
        Self { family, blocked: with(Passes::Blocked), unknown: with(Passes::Unknown) }
    }
}

/// The part of a range that passages cover, as ranges.
fn ports(passages: &[&Passage], range: PortRange) -> String {
    let all: Vec<u16> =
        passages.iter().flat_map(|passage| passage.min.max(range.min)..=passage.max.min(range.max)).collect();
    port_list(&all)
}

fn one(subject: &Subject<'_>, firewall: &Firewall) -> Option<Detail> {
    let range = in_force(subject);
    let families = families(subject);
    let fates: Vec<Fate<'_>> = families
        .iter()
        .filter_map(|(name, ipv4)| Some(Fate::of(name, firewall.family(*ipv4)?, range)))
        .collect();
    let blocked: Vec<&Fate<'_>> = fates.iter().filter(|fate| !fate.blocked.is_empty()).collect();
    if blocked.is_empty() {
        return untold(subject, firewall, &fates, range);
    }
    let first = blocked[0];
    let list = ports(&first.blocked, range);
    let whole = list == port_list(&(range.min..=range.max).collect::<Vec<_>>());
    let which = if whole {
        format!("the passive range {range}")
    } else {
        format!("{list} of the passive range {range}")
    };
    let over: Vec<&str> = blocked.iter().map(|fate| fate.family).collect();
    let same = blocked.iter().all(|fate| ports(&fate.blocked, range) == list);
    let over = if fates.len() > 1 || families.len() > 1 {
        format!(" over {}", if same { over.join(" and ") } else { first.family.to_owned() })
    } else {
        String::new()
    };
    let does =
        if firewall.kind == "SELinux" { "does not let the server listen on" } else { "does not let in" };
    let title = format!("{} {does} {which}{over}", firewall.kind);
    let mut words = if firewall.kind == "SELinux" {
        "The daemon is refused the ports that it is configured for, and takes them for taken.".to_owned()
    } else {
        "The server offers these ports, and connections to them never arrive: the client hangs at the listing.".to_owned()
    };
    let control = control_ports(subject, firewall, &families);
    if !control.is_empty() {
        let _ = write!(words, " The control port {} is not let in either.", port_list(&control));
    }
    let plaintext = subject.server.session_reuse.is_none();
    // IPv6 alone: those who have IPv4 as well get by.
    let mut severity = None;
    if blocked.iter().all(|fate| fate.family == "IPv6") && families.len() > 1 {
        severity = Some(Severity::Warning);
        words += " Clients over IPv4 are let in.";
    }
    if firewall.helper {
        words += " A helper reads the dialogue and lets announced ports through, as long as it is not encrypted: with TLS it is blind.";
        if plaintext {
            severity = Some(Severity::Warning);
        }
    }
    let corrected = None;
    let place = subject.server.range.places.first().or(subject.server.place.as_ref());
    let mut detail = subject.detail(title, words).place(place, corrected);
    detail.severity = severity;
    for fate in &blocked {
        for passage in fate.blocked.iter().take(QUOTED) {
            let ports = ports(&[*passage], range);
            detail = detail.quote(format!(
                "{} {ports}: {}{}",
                fate.family,
                passage.because,
                place_of(firewall, passage)
            ));
        }
    }
    Some(detail)
}

/// Nothing is blocked for sure, and something cannot be told.
fn untold(
    subject: &Subject<'_>,
    firewall: &Firewall,
    fates: &[Fate<'_>],
    range: PortRange,
) -> Option<Detail> {
    let fate = fates.iter().find(|fate| !fate.unknown.is_empty())?;
    let list = ports(&fate.unknown, range);
    let title =
        format!("whether {} lets in {list} of the passive range {range} cannot be told", firewall.kind);
    let words = "A rule that decides about these ports is not understood, or holds in some circumstance only. Prove the ports from outside: \
                 pasvcheck HOST --range A-B --scan.";
    let place = subject.server.range.places.first().or(subject.server.place.as_ref());
    let detail = subject
        .detail(title, words)
        .severity(Severity::Warning)
        .confidence(Confidence::Possible)
        .place(place, None);
    let quoted = fate.unknown.iter().take(QUOTED);
    Some(quoted.fold(detail, |detail, passage| {
        detail.quote(format!(
            "{} {}: {}{}",
            fate.family,
            ports(&[*passage], range),
            passage.because,
            place_of(firewall, passage)
        ))
    }))
}

fn place_of(firewall: &Firewall, passage: &Passage) -> String {
    match passage.line {
        Some(line) => format!(" [{} line {line}]", firewall.source),
        None => format!(" [{}]", firewall.source),
    }
}

/// Families that the server listens on; `::` takes IPv4, too.
fn families(subject: &Subject<'_>) -> Vec<(&'static str, bool)> {
    let listeners = &subject.server.listeners;
    let v6 = listeners.iter().any(|listener| listener.address.is_ipv6());
    let v4 = listeners.is_empty()
        || listeners.iter().any(|listener| listener.address.is_ipv4() || listener.address.is_unspecified());
    [("IPv4", true, v4), ("IPv6", false, v6)]
        .into_iter()
        .filter(|(.., wanted)| *wanted)
        .map(|(name, ipv4, _)| (name, ipv4))
        .collect()
}

/// Control ports that are blocked over a family.
fn control_ports(subject: &Subject<'_>, firewall: &Firewall, families: &[(&str, bool)]) -> Vec<u16> {
    if firewall.kind == "SELinux" {
        return Vec::new();
    }
    let closed = |port: u16| {
        families.iter().filter_map(|(_, ipv4)| firewall.family(*ipv4)).any(|passages| {
            passages.iter().any(|passage| {
                passage.answer == Passes::Blocked && (passage.min..=passage.max).contains(&port)
            })
        })
    };
    subject.server.listeners.iter().map(|listener| listener.port).filter(|port| closed(*port)).collect()
}
