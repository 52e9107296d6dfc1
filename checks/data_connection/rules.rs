//! What it means when announced ports do not open.

use std::collections::BTreeSet;

use crate::checks::locate::{Place, place};
use crate::checks::paths::{
    Way, by_advertised, by_control, closed_at_control, other_address, visits_at_control,
};
use crate::checks::port_range::banned;
use crate::checks::support::{each, port_list, quoted_visit, range_list, works_elsewhere};
use crate::evidence::{Connect, Endpoint, Evidence, Mode, Outcome, Visit};
use crate::finding::{Confidence, Detail, Location, Scope, Severity};

/// Milliseconds of round-trip time from which a reset's own time tells how far away its sender is.
const TELLING_RTT_MS: f64 = 10.0;

/// How a closed port shows itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Filtered,
    Refused,
    Rejected,
}

pub(super) fn filtered(evidence: &Evidence) -> Vec<Detail> {
    ports_of_kind(evidence, Kind::Filtered)
}

pub(super) fn refused(evidence: &Evidence) -> Vec<Detail> {
    ports_of_kind(evidence, Kind::Refused)
}

pub(super) fn rejected(evidence: &Evidence) -> Vec<Detail> {
    ports_of_kind(evidence, Kind::Rejected)
}

fn ports_of_kind(evidence: &Evidence, wanted: Kind) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let (scope, connect) = closed_ports(endpoint)?;
        (kind_of(endpoint, connect)? == wanted).then(|| {
            let seen = describe(evidence, endpoint, scope, connect, wanted);
            // The attempts that decided first: a quick one proves nothing by its silence.
            let mut closed: Vec<&Visit> =
                visits_at_control(endpoint, scope.mode).filter(|visit| !visit.connect.open()).collect();
            closed.sort_by_key(|visit| !visit.conclusive());
            let seen = closed.into_iter().fold(seen, |seen, visit| seen.quote(quoted_visit(visit)));
            if works_elsewhere(evidence, endpoint) { seen.severity(Severity::Warning) } else { seen }
        })
    })
}

/// The outcome that stands for all announced ports, if none of them opens at the control address; for both modes, or for
/// the only one that there is. EPSV alone failing is a finding of its own, and so is data on another host.
fn closed_ports(endpoint: &Endpoint) -> Option<(Scope, &Connect)> {
    let there = other_address(endpoint).map_or(Way::Untried, |address| by_advertised(endpoint, address));
    if there.good() {
        return None;
    }
    let address = endpoint.address;
    match (by_control(endpoint, Mode::Pasv), by_control(endpoint, Mode::Epsv)) {
        (Way::Fails(connect), Way::Fails(_) | Way::Unclear) | (Way::Unclear, Way::Fails(connect)) => {
            Some((Scope::endpoint(address), connect))
        }
        (Way::Fails(connect), _) => Some((Scope::mode(address, Mode::Pasv), connect)),
        (Way::Untried, Way::Fails(connect)) => Some((Scope::mode(address, Mode::Epsv), connect)),
        _ => None,
    }
}

fn kind_of(endpoint: &Endpoint, connect: &Connect) -> Option<Kind> {
    match &connect.outcome {
        Outcome::Silent => Some(Kind::Filtered),
        Outcome::Reset if !comes_from_nearer(endpoint, connect) => Some(Kind::Refused),
        // A local firewall that forbids the connect answers with "permission denied": a rejection on our own side.
        Outcome::Icmp(_) | Outcome::Reset | Outcome::Failed { .. } | Outcome::Unroutable { .. } => {
            Some(Kind::Rejected)
        }
        Outcome::Open | Outcome::NotContacted { .. } => None,
    }
}

/// Whether a reset comes from nearer than the server: seen by its hop, or by the time that it took.
fn comes_from_nearer(endpoint: &Endpoint, connect: &Connect) -> bool {
    match place(endpoint, connect) {
        Some(place) => place.nearer,
        None => endpoint.rtt_ms().is_some_and(|rtt| rtt >= TELLING_RTT_MS && connect.elapsed_ms < rtt / 2.0),
    }
}

fn describe(evidence: &Evidence, endpoint: &Endpoint, scope: Scope, connect: &Connect, kind: Kind) -> Detail {
    let ports: Vec<u16> = visits_at_control(endpoint, scope.mode)
        .filter(|visit| !visit.connect.open())
        .map(|visit| visit.connect.to.port())
        .collect();
    let (list, address) = (port_list(&ports), endpoint.address);
    let what = if ports.len() == 1 { "data port" } else { "data ports" };
    let (title, meaning) = match kind {
        Kind::Filtered => (
            format!("the {what} {list} of {address} are silent"),
            format!(
                "and nothing answers there ({}), although the control port {} answers. A firewall drops the packets, or a NAT \
                 router forwards the control port and not the passive range.",
                connect.describe(),
                evidence.target.port
            ),
        ),
        Kind::Refused => (
            format!("the {what} {list} of {address} refuse connections"),
            format!(
                "and a reset comes back ({}). Packets get through, but not to the listener: the NAT router does not forward \
                 the port and answers itself, a container's ports are not published, a firewall rejects with a reset, or \
                 the server listens on another address.",
                connect.describe()
            ),
        ),
        Kind::Rejected => (
            format!("the {what} {list} of {address} are rejected by {}", rejecter(endpoint, connect)),
            format!(
                "and the connection is rejected on the way ({}). A firewall with a REJECT rule lets the control port through \
                 and not the passive range.",
                connect.describe()
            ),
        ),
    };
    let (location, hops, where_words) = whereabouts(endpoint, connect, kind);
    let family = if address.is_ipv6() && works_elsewhere(evidence, endpoint) {
        " Over IPv4 passive mode works: the rules for IPv6 are missing."
    } else {
        ""
    };
    let detail = format!("The server announced {what} {list}, {meaning} {where_words}{family}");
    let guessed = kind == Kind::Rejected && connect.outcome == Outcome::Reset;
    let confidence = if guessed { Confidence::Likely } else { Confidence::Certain };
    Detail { hops, ..Detail::new(scope, title, detail).confidence(confidence).location(location) }
}

/// Place, hops, and a sentence about them.
fn whereabouts(endpoint: &Endpoint, connect: &Connect, kind: Kind) -> (Location, Vec<u8>, String) {
    if let Some(place) = place(endpoint, connect) {
        let whose = match place.location {
            Location::Client => " That is on your side.",
            Location::Server => " That is at the server's side.",
            Location::Transit => " That is on the way, at a provider between the two sides.",
            Location::Unknown => "",
        };
        return (place.location, place.hops, place.words + whose);
    }
    let local = matches!(connect.outcome, Outcome::Failed { .. } | Outcome::Unroutable { .. });
    match &connect.outcome {
        Outcome::Icmp(icmp) if icmp.sender == Some(endpoint.address) => {
            (Location::Server, Vec::new(), String::new())
        }
        Outcome::Icmp(icmp) if icmp.sender.is_some() && icmp.sender == endpoint.local_address => {
            (Location::Client, Vec::new(), String::new())
        }
        _ if local => (Location::Client, Vec::new(), String::new()),
        _ if kind == Kind::Filtered => {
            let words = "It may be the server's own firewall, the provider's, or one on your side: that was not located.";
            (Location::Unknown, Vec::new(), words.to_owned())
        }
        _ => (Location::Unknown, Vec::new(), String::new()),
    }
}

/// Who rejects.
fn rejecter(endpoint: &Endpoint, connect: &Connect) -> String {
    match &connect.outcome {
        Outcome::Icmp(icmp) => match icmp.sender {
            Some(sender) if sender == endpoint.address => {
                "the server itself, or the router that answers for it".to_owned()
            }
            Some(sender) if Some(sender) == endpoint.local_address => "this host".to_owned(),
            Some(sender) => format!("the device {sender}"),
            None => "a device on the path".to_owned(),
        },
        Outcome::Failed { .. } | Outcome::Unroutable { .. } => "this host".to_owned(),
        _ => "a device nearer than the server".to_owned(),
    }
}

/// Some ports of the range pass and others do not.
pub(super) fn partly_blocked(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let (seen, place) = by_survey(endpoint).or_else(|| by_offers(endpoint))?;
        let seen = match place {
            Some(place) => {
                let detail = format!("{} {}", seen.detail, place.words);
                Detail { detail, hops: place.hops, ..seen.location(place.location) }
            }
            None => seen,
        };
        let quotes =
            visits_at_control(endpoint, None).filter(|visit| visit.conclusive() && !visit.connect.open());
        Some(quotes.fold(seen, |seen, visit| seen.quote(quoted_visit(visit))))
    })
}

/// Of the ports that were announced, some opened and others did not.
fn by_offers(endpoint: &Endpoint) -> Option<(Detail, Option<Place>)> {
    let passing: BTreeSet<u16> = visits_at_control(endpoint, None)
        .filter(|visit| visit.connect.open())
        .map(|visit| visit.connect.to.port())
        .collect();
    let blocked = blocked_ports(endpoint, &passing);
    if passing.is_empty() || blocked.is_empty() || (by_mode(endpoint) && !ports_differ_cold(endpoint)) {
        return None;
    }
    let (pass, block): (Vec<u16>, Vec<u16>) = (passing.into_iter().collect(), blocked.into_iter().collect());
    let (pass, block) = (port_list(&pass), port_list(&block));
    let title = format!("some passive ports are blocked: {block} (open: {pass})");
    let detail = format!(
        "Of the ports that the server announced, {pass} opened and {block} did not. Transfers fail now and then, as the \
         server happens to choose. Firewall or port forwarding cover a part of the server's passive range; these are \
         the ports seen so far, not the whole range."
    );
    let place = closed_at_control(endpoint).last().and_then(|connect| place(endpoint, connect));
    let seen = Detail::new(Scope::endpoint(endpoint.address), title, detail).confidence(Confidence::Likely);
    Some((seen, place))
}

/// A survey found ports that get through and ports that do not. A ban that the survey brought about, and a device that
/// opens ports only while they are announced, make such a picture too.
fn by_survey(endpoint: &Endpoint) -> Option<(Detail, Option<Place>)> {
    let survey = endpoint.survey.as_ref()?;
    let (passing, blocked) =
        (survey.ranges(|state| survey.passes(state)), survey.ranges(|state| survey.blocks(state)));
    if passing.is_empty() || blocked.is_empty() || banned(endpoint) {
        return None;
    }
    let (pass, block) = (range_list(&passing), range_list(&blocked));
    let whole = if survey.whole { "every port" } else { "a spread of the ports" };
    let title = format!("some passive ports are blocked: {block} (let through: {pass})");
    let detail = format!(
        "Of the range {}, {whole} was asked: {pass} get through, {block} do not. Transfers fail now and then, as the \
         server happens to choose. Make the firewall's or router's rule and the server's range the same.",
        survey.range
    );
    let place = closed_at_control(endpoint).last().and_then(|connect| place(endpoint, connect));
    Some((Detail::new(Scope::endpoint(endpoint.address), title, detail), place))
}

/// Ports that were proven closed: by a conclusive visit, or by a silent visit and the same silence later, while ports
/// that had opened answer when they are not announced.
fn blocked_ports(endpoint: &Endpoint, passing: &BTreeSet<u16>) -> BTreeSet<u16> {
    let cold_answers = endpoint.cold.iter().any(|probe| {
        probe.opened_when_live && matches!(probe.connect.outcome, Outcome::Open | Outcome::Reset)
    });
    let live = visits_at_control(endpoint, None).filter(|visit| visit.conclusive() && !visit.connect.open());
    let cold = endpoint
        .cold
        .iter()
        .filter(|probe| cold_answers && !probe.opened_when_live)
        .map(|probe| &probe.connect)
        .filter(|connect| matches!(connect.outcome, Outcome::Silent | Outcome::Icmp(_)));
    live.map(|visit: &Visit| &visit.connect)
        .chain(cold)
        .map(|connect| connect.to.port())
        .filter(|port| !passing.contains(port))
        .collect()
}

/// Whether ports differ when nobody announces them: then it is the port that matters, whatever command announced it. A
/// device that reads FTP and knows only PASV keeps all ports closed at such a time.
fn ports_differ_cold(endpoint: &Endpoint) -> bool {
    let answers = |outcome: &Outcome| matches!(outcome, Outcome::Open | Outcome::Reset);
    let opened = endpoint.cold.iter().any(|probe| probe.opened_when_live && answers(&probe.connect.outcome));
    let closed =
        endpoint.cold.iter().any(|probe| !probe.opened_when_live && !answers(&probe.connect.outcome));
    opened && closed
}

/// Whether the mode alone decides which ports open: then the mode is the finding, not the port.
fn by_mode(endpoint: &Endpoint) -> bool {
    let ways = [by_control(endpoint, Mode::Pasv), by_control(endpoint, Mode::Epsv)];
    let mixed = |mode| {
        let open = visits_at_control(endpoint, Some(mode)).any(|visit| visit.connect.open());
        let closed = visits_at_control(endpoint, Some(mode)).any(|visit| !visit.connect.open());
        open && closed
    };
    ways.iter().any(Way::good) && ways.iter().any(Way::bad) && !mixed(Mode::Pasv) && !mixed(Mode::Epsv)
}

/// EPSV's port does not open, PASV's does.
pub(super) fn epsv_filtered(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let Way::Fails(connect) = by_control(endpoint, Mode::Epsv) else { return None };
        if !by_control(endpoint, Mode::Pasv).good() {
            return None;
        }
        let title = format!("ports announced by EPSV do not open, those of PASV do ({})", endpoint.address);
        let detail = format!(
            "After PASV the data connection opens; after EPSV it does not ({}), at the same address. A firewall or NAT device \
             reads the control connection and opens ports when it sees PASV's reply, but does not know EPSV. Clients that \
             prefer EPSV (curl, browsers, rclone) hang until they fall back, if they do.",
            connect.describe()
        );
        let scope = Scope::mode(endpoint.address, Mode::Epsv);
        let seen = Detail::new(scope, title, detail).confidence(Confidence::Likely);
        Some(
            visits_at_control(endpoint, Some(Mode::Epsv))
                .fold(seen, |seen, visit| seen.quote(quoted_visit(visit))),
        )
    })
}

/// Control works over IPv6, passive mode does not.
pub(super) fn ipv6_broken(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        if !endpoint.address.is_ipv6() || !endpoint.logged_in() {
            return None;
        }
        let way = by_control(endpoint, Mode::Epsv);
        let first = endpoint.offers_of(Mode::Epsv).next()?;
        let refused = first.announced.is_none() && first.answer.negative();
        if !(way.bad() || refused) {
            return None;
        }
        let elsewhere = works_elsewhere(evidence, endpoint);
        let title = format!("passive mode does not work over IPv6 ({})", endpoint.address);
        let detail = format!(
            "The control connection works over IPv6, but {}. {}",
            match way {
                Way::Fails(connect) => format!("no data connection opens ({})", connect.describe()),
                _ => format!(
                    "EPSV, the only passive command of IPv6, is answered with {}",
                    first.answer.describe()
                ),
            },
            if elsewhere {
                "Over IPv4 it works. Clients that prefer IPv6, as most systems do, hang at the listing."
            } else {
                "IPv6 clients can transfer nothing."
            }
        );
        let severity = if elsewhere { Severity::Warning } else { Severity::Critical };
        Some(Detail::new(Scope::endpoint(endpoint.address), title, detail).severity(severity))
    })
}
