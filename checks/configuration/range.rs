//! The passive range, and what else is about data connections.

use super::{Subject, each, remarks};
use crate::checks::support::port_list;
use crate::evidence::{Effect, Evidence, PortRange, RangeOrigin, RemarkKind};
use crate::finding::{Confidence, Detail, Severity};

/// Below so many ports, quick or simultaneous transfers get in each other's way.
const FEW: u32 = 10;

pub(super) fn passive_disabled(evidence: &Evidence) -> Vec<Detail> {
    let mut details = each(evidence, |subject| {
        let passive = &subject.server.passive;
        if passive.value {
            return Vec::new();
        }
        let title = format!("{} has passive mode switched off", subject.name());
        let words = "Every client that asks for passive mode is refused: PASV and EPSV both fail, and clients behind NAT have no \
                     other way.";
        let said = passive.place.as_ref().map_or("", |place| place.text.as_str());
        let corrected = match said {
            said if said.contains("pasv_enable") => Some("pasv_enable=YES"),
            said if said.trim_start().to_ascii_lowercase().starts_with("natmode") => Some("NATmode no"),
            _ if passive.place.as_ref().is_some_and(|place| place.file.ends_with("/NATmode")) => Some("no"),
            _ => None,
        };
        vec![subject.detail(title, words).place(passive.place.as_ref(), corrected)]
    });
    details.extend(remarks(evidence, RemarkKind::PassiveDenied, |remark, detail| {
        // Clients fall back from EPSV to PASV as a rule, and not the other way round.
        let epsv = remark.title.contains("EPSV");
        detail.severity(if epsv { Severity::Info } else { Severity::Warning })
    }));
    details
}

pub(super) fn missing(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |subject| {
        let range = &subject.server.range;
        if range.origin == RangeOrigin::Declared || !subject.server.passive.value {
            return Vec::new();
        }
        let title =
            format!("{} has no passive range set: it offers ports of {}", subject.name(), in_force(subject));
        let words = match range.origin {
            RangeOrigin::System => {
                "The system picks each port among those that it also takes for outgoing connections. No firewall rule for it can be \
                 narrow, and other programs share it."
            }
            _ => "That is the daemon's own default. A firewall would have to let all of it in.",
        };
        let epsv = if subject.configuration.product == "ProFTPD" {
            " (EPSV even offers 1024 to 65535.)"
        } else {
            ""
        };
        vec![subject.detail(title, format!("{words}{epsv}")).place(subject.server.place.as_ref(), None)]
    })
}

/// The range in force; where the system picks, the system's own if it was asked.
pub(super) fn in_force(subject: &Subject<'_>) -> PortRange {
    let range = &subject.server.range;
    let ephemeral = subject.audit.host.as_ref().and_then(|host| host.ephemeral);
    match (range.origin, ephemeral) {
        (RangeOrigin::System, Some(ephemeral)) => ephemeral,
        _ => range.range,
    }
}

pub(super) fn invalid(evidence: &Evidence) -> Vec<Detail> {
    remarks(evidence, RemarkKind::BadRange, |remark, detail| match remark.effect {
        Effect::Slight | Effect::Untold => detail.severity(Severity::Warning),
        Effect::Differs | Effect::Refuses => detail,
    })
}

pub(super) fn mismatch(evidence: &Evidence) -> Vec<Detail> {
    let Some(told) = evidence.told.range else { return Vec::new() };
    each(evidence, |subject| {
        let range = in_force(subject);
        if !subject.server.passive.value || (told.contains(range.min) && told.contains(range.max)) {
            return Vec::new();
        }
        let title = format!("{} offers ports of {range}, and {told} is expected", subject.name());
        let words = "What was declared (by --range or by the policy) and what the configuration says differ: a firewall or router that \
                     is set up for the one stops transfers on the other.";
        let corrected =
            subject.server.range.places.first().and_then(|place| corrected_range(subject, &place.text, told));
        let place = subject.server.range.places.first().or(subject.server.place.as_ref());
        vec![subject.detail(title, words).place(place, corrected.as_deref())]
    })
}

/// The line of a range with other bounds.
fn corrected_range(subject: &Subject<'_>, text: &str, range: PortRange) -> Option<String> {
    let vsftpd = if text.contains("pasv_max_port") {
        format!("pasv_max_port={}", range.max)
    } else {
        format!("pasv_min_port={}", range.min)
    };
    let bare = format!("{} {}", range.min, range.max);
    // Debian's style has the value alone in its file.
    let pure = if text.trim_start().starts_with(|c: char| c.is_ascii_digit()) {
        bare.clone()
    } else {
        format!("PassivePortRange {bare}")
    };
    subject.line(&vsftpd, &format!("PassivePorts {bare}"), &pure)
}

pub(super) fn too_small(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |subject| {
        let range = &subject.server.range;
        if range.origin != RangeOrigin::Declared || !subject.server.passive.value {
            return Vec::new();
        }
        let (ports, place) = (range.range.len(), range.places.first());
        let sessions = subject.server.sessions.as_ref();
        if let (Some(cap), Some(sessions)) = (subject.server.sessions_for_range, sessions)
            && cap < sessions.value
        {
            let title = format!(
                "{} lets {cap} clients in, not {}: the range has {ports} ports",
                subject.name(),
                sessions.value
            );
            let words = "Pure-FTPd lowers MaxClientsNumber to half the number of its passive ports and says so nowhere but in the banner. \
                         Further clients are turned away with 421.";
            let wider = widened(range.range, sessions.value.saturating_mul(2));
            let corrected = wider.and_then(|wider| {
                corrected_range(subject, place.map_or("", |place| place.text.as_str()), wider)
            });
            return vec![subject.detail(title, words).place(place, corrected.as_deref())];
        }
        let bounded = sessions.filter(|sessions| sessions.place.is_some() && sessions.value > ports);
        if ports < FEW {
            let title =
                format!("{} has {ports} passive port{}", subject.name(), if ports == 1 { "" } else { "s" });
            let words = "Each transfer takes a port, and a port that was just used may stay taken for a while: clients that transfer in \
                         parallel, or one small file after the other, run out of them.";
            return vec![subject.detail(title, words).place(place, None)];
        }
        let Some(sessions) = bounded else { return Vec::new() };
        let title = format!("{} allows {} sessions on {ports} passive ports", subject.name(), sessions.value);
        let words = "When more sessions transfer at once than there are ports, the rest fail.";
        let limit = sessions
            .place
            .as_ref()
            .map(|place| format!("{} line {}: {}", place.file, place.line, place.text.trim()));
        let detail = subject.detail(title, words).place(place, None);
        vec![limit.into_iter().fold(detail, Detail::quote)]
    })
}

/// A range from the same port on that holds so many ports, if there are so many.
fn widened(range: PortRange, ports: u32) -> Option<PortRange> {
    let max = u16::try_from(u32::from(range.min) + ports.max(1) - 1).ok()?;
    Some(PortRange { min: range.min, max })
}

pub(super) fn overlap(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |subject| {
        let range = &subject.server.range;
        if range.origin != RangeOrigin::Declared {
            return Vec::new();
        }
        let place = range.places.first();
        let mut details = Vec::new();
        let control: Vec<u16> = subject.server.listeners.iter().map(|listener| listener.port).collect();
        let own: Vec<u16> = control.iter().copied().filter(|port| range.range.contains(*port)).collect();
        if !own.is_empty() && subject.configuration.product != "FileZilla Server" {
            let title =
                format!("the passive range {} holds the control port {}", range.range, port_list(&own));
            details.push(
                subject.detail(title, "A data connection can never be offered there.").place(place, None),
            );
        }
        let Some(host) = &subject.audit.host else { return details };
        let taken: Vec<u16> = host
            .listening
            .iter()
            .copied()
            .filter(|port| range.range.contains(*port) && !control.contains(port))
            .collect();
        if !taken.is_empty() {
            let title = format!(
                "other services listen inside the passive range {}: {}",
                range.range,
                port_list(&taken)
            );
            let words = "The firewall rule for the range opens these services to the world, and the server cannot offer their ports.";
            details.push(subject.detail(title, words).place(place, None));
        }
        if let Some(ephemeral) = host.ephemeral
            && ephemeral.min <= range.range.max
            && range.range.min <= ephemeral.max
            && !host
                .reserved
                .iter()
                .any(|reserved| reserved.min <= range.range.min && range.range.max <= reserved.max)
        {
            let title = format!(
                "the passive range {} lies among the system's ports for outgoing connections ({ephemeral})",
                range.range
            );
            let words = format!(
                "Now and then an outgoing connection of this host holds a port of the range. Servers try another one then, so this matters \
                 for small ranges only: net.ipv4.ip_local_reserved_ports={} keeps them free.",
                range.range
            );
            // It costs a server one more try.
            details.push(subject.detail(title, words).severity(Severity::Info).place(place, None));
        }
        details
    })
}

pub(super) fn promiscuous(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |subject| {
        let setting = &subject.server.promiscuous;
        if setting.value {
            let title = format!("{} takes data connections from foreign addresses", subject.name());
            let words = "Whoever guesses the port in time gets the file, or hands one in, in place of the client. Only clients whose two \
                         connections come from different addresses need this.";
            let corrected = subject.line("pasv_promiscuous=NO", "AllowForeignAddress off", "");
            return vec![subject.detail(title, words).place(setting.place.as_ref(), corrected.as_deref())];
        }
        if subject.configuration.product == "ProFTPD" && setting.place.is_none() {
            let title = format!(
                "{} does not say AllowForeignAddress, and some versions take foreign data connections then",
                subject.name()
            );
            let words = "Versions 1.3.7d to 1.3.9c take data connections from any address unless the line is there (fixed in 1.3.9d). \
                         AllowForeignAddress off settles it.";
            let detail =
                subject.detail(title, words).severity(Severity::Info).confidence(Confidence::Possible);
            return vec![detail.place(subject.server.place.as_ref(), None)];
        }
        Vec::new()
    })
}

pub(super) fn session_reuse(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |subject| {
        let Some(setting) = subject.server.session_reuse.as_ref().filter(|setting| setting.value) else {
            return Vec::new();
        };
        let how = if setting.place.is_some() { "it is set" } else { "that is the default" };
        let title = format!("{} wants data connections to resume the TLS session", subject.name());
        let words = format!(
            "A sound policy ({how}): it proves that both connections are one client's. Clients that cannot resume (older Java, PHP and \
             .NET libraries) log in and then fail at the listing."
        );
        vec![
            subject
                .detail(title, words)
                .place(setting.place.as_ref().or(subject.server.place.as_ref()), None),
        ]
    })
}
