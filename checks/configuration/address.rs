//! The address that clients are told, against the public one, the interfaces and the listeners.

use std::net::IpAddr;

use super::{Subject, each, remarks};
use crate::evidence::{AddressSetting, Effect, Evidence, RangeOrigin, RemarkKind};
use crate::finding::{Confidence, Detail, Severity};
use crate::net::class::{Class, class_of};

/// The public address, as the user or a service told it.
fn public(evidence: &Evidence) -> Option<IpAddr> {
    let found = evidence.audit.as_ref().and_then(|audit| audit.public.as_ref()?.address);
    evidence.told.public_address.or(found).filter(IpAddr::is_ipv4)
}

/// The addresses that clients are told: the one in the file, or what its name leads to.
fn told(setting: &AddressSetting) -> Vec<IpAddr> {
    match (setting.address, &setting.resolved) {
        (Some(address), _) => vec![address],
        (None, Some(resolved)) => resolved.addresses.iter().copied().filter(IpAddr::is_ipv4).collect(),
        (None, None) => Vec::new(),
    }
}

/// The corrected line of an address setting.
fn corrected(subject: &Subject<'_>, setting: &AddressSetting) -> Option<String> {
    let bare = setting.place.file.ends_with("/ForcePassiveIP");
    let pure = if bare { "PUBLIC_ADDRESS" } else { "ForcePassiveIP PUBLIC_ADDRESS" };
    subject.line("pasv_address=PUBLIC_ADDRESS", "MasqueradeAddress PUBLIC_ADDRESS", pure).or_else(|| {
        let text = &setting.place.text;
        text.contains(&setting.text).then(|| text.trim().replace(&setting.text, "PUBLIC_ADDRESS"))
    })
}

/// Whether a name and its address, for a title.
fn shown(setting: &AddressSetting, address: IpAddr) -> String {
    if setting.address.is_some() && setting.text == address.to_string() {
        setting.text.clone()
    } else {
        format!("{} ({address})", setting.text)
    }
}

pub(super) fn listener(evidence: &Evidence) -> Vec<Detail> {
    remarks(evidence, RemarkKind::Listener, |remark, detail| match remark.effect {
        Effect::Slight | Effect::Untold => detail.severity(Severity::Warning),
        Effect::Differs | Effect::Refuses => detail,
    })
}

pub(super) fn private(evidence: &Evidence) -> Vec<Detail> {
    let public = public(evidence);
    each(evidence, |subject| {
        let Some(setting) = &subject.server.address else { return Vec::new() };
        let bad = told(setting)
            .into_iter()
            .find(|address| class_of(*address) != Class::Global && Some(*address) != public);
        let Some(address) = bad else { return Vec::new() };
        let class = class_of(address);
        // Inside a company or a VPN a private address is the right one.
        if evidence.told.no_public_address && matches!(class, Class::Private | Class::Shared) {
            return Vec::new();
        }
        let what = match class {
            Class::Private => "a private address, which nobody outside of its network can reach",
            Class::Shared => "an address of carrier-grade NAT, which nobody on the internet can reach",
            Class::Loopback => "a loopback address: every client connects to itself",
            Class::Unspecified => "no address at all",
            Class::LinkLocal => "a link-local address, which exists on its own network segment only",
            _ => "an address that is never given to a computer",
        };
        let title = format!("{} tells clients to connect to {}", subject.name(), shown(setting, address));
        let sure = public.is_some() || !matches!(class, Class::Private | Class::Shared);
        let hint =
            if sure { "" } else { " If all clients are in that network, say so with --public-address none." };
        let words = format!("That is {what}. Clients that obey the reply to PASV hang or fail.{hint}");
        let confidence = if sure { Confidence::Certain } else { Confidence::Likely };
        let line = corrected(subject, setting);
        vec![subject.detail(title, words).confidence(confidence).place(Some(&setting.place), line.as_deref())]
    })
}

pub(super) fn mismatch(evidence: &Evidence) -> Vec<Detail> {
    let Some(public) = public(evidence) else { return Vec::new() };
    each(evidence, |subject| {
        let Some(setting) = &subject.server.address else { return Vec::new() };
        let told = told(setting);
        let Some(address) = told.first().copied() else { return Vec::new() };
        // What is not global is another finding's.
        if told.contains(&public) || told.iter().any(|address| class_of(*address) != Class::Global) {
            return Vec::new();
        }
        let title = format!(
            "{} tells clients to connect to {}, and the public address is {public}",
            subject.name(),
            shown(setting, address)
        );
        let from = match evidence.audit.as_ref().and_then(|audit| audit.public.as_ref()?.source.as_ref()) {
            Some(source) if evidence.told.public_address.is_none() => {
                format!("{source} tells the public address")
            }
            _ => "The public address was given by you".to_owned(),
        };
        let words =
            format!("{from}. Clients that obey the reply to PASV connect to another host, or to nobody.");
        let line = corrected(subject, setting);
        vec![subject.detail(title, words).place(Some(&setting.place), line.as_deref())]
    })
}

pub(super) fn unresolved(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |subject| {
        let Some(setting) = subject.server.address.as_ref().filter(|setting| setting.address.is_none())
        else {
            return Vec::new();
        };
        let line = corrected(subject, setting);
        let place = |detail: Detail| vec![detail.place(Some(&setting.place), line.as_deref())];
        if !setting.takes_names {
            let title = format!("{} takes no host name here: {}", subject.name(), setting.text);
            let words = if subject.configuration.product == "vsftpd" {
                "Without pasv_addr_resolve=YES vsftpd wants an address. It starts, and dies with \"500 OOPS: invalid pasv_address\" as soon \
                 as a client sends PASV."
            } else {
                "Only an IPv4 address in four numbers can be written here."
            };
            return place(subject.detail(title, words));
        }
        let Some(resolved) = &setting.resolved else { return Vec::new() };
        let v6_only = !resolved.addresses.is_empty() && !resolved.addresses.iter().any(IpAddr::is_ipv4);
        let why = match (&resolved.error, v6_only) {
            (Some(error), _) => error.as_str(),
            (None, true) => "it has IPv6 addresses only, and a reply to PASV holds an IPv4 one",
            (None, false) => return Vec::new(),
        };
        let title = format!(
            "the name {} that {} is to announce leads to no address: {why}",
            setting.text,
            subject.name()
        );
        let words = match subject.configuration.product.as_str() {
            "vsftpd" => "vsftpd looks it up once, at its start, and does not start without an answer.",
            "ProFTPD" => "ProFTPD starts all the same, and announces its local address without a word.",
            "Pure-FTPd" => "Pure-FTPd looks it up at every connection, and turns every client away with 421.",
            _ => "The server looks it up for every PASV, and answers 425 when it cannot.",
        };
        place(subject.detail(title, words))
    })
}

pub(super) fn missing(evidence: &Evidence) -> Vec<Detail> {
    let public = public(evidence);
    each(evidence, |subject| {
        if subject.server.address.is_some()
            || !subject.server.passive.value
            || evidence.told.no_public_address
        {
            return Vec::new();
        }
        // A file that could not be read to its end, or an address that cannot be read, is told otherwise.
        let unreadable = subject.configuration.remarks.iter().any(|remark| {
            remark.kind == RemarkKind::BadValue
                && ["ddress", "orcePassiveIP"].iter().any(|word| remark.place.text.contains(word))
        });
        if unreadable
            || (subject.server.range.origin == RangeOrigin::System && subject.server.listeners.is_empty())
        {
            return Vec::new();
        }
        let own = own_addresses(subject);
        let known = !own.is_empty();
        let global = own.iter().any(|address| class_of(*address) == Class::Global);
        let (title, words, severity) = match public {
            Some(public) if own.contains(&public) => return Vec::new(),
            Some(public) if known => (
                format!("{} announces its own address, and the public address {public} is not among this host's", subject.name()),
                format!("This host has {}. It stands behind NAT, and its replies to PASV name an address that clients outside cannot \
                         reach.", list(&own)),
                Severity::Critical,
            ),
            Some(public) => (
                format!("{} has no address to announce, and {public} is to be reached", subject.name()),
                "Without the setting the reply to PASV names the address at which the server itself got the connection. That is right only \
                 if the host has the public address on an interface of its own (which --live would see)."
                    .to_owned(),
                Severity::Warning,
            ),
            None if known && !global => (
                format!("{} has no address to announce, and this host has private addresses only", subject.name()),
                format!("This host has {}. If clients come from outside, through NAT, the replies to PASV name an address that they \
                         cannot reach. If none do, say so with --public-address none.", list(&own)),
                Severity::Warning,
            ),
            None => return Vec::new(),
        };
        vec![subject.detail(title, words).severity(severity).place(subject.server.place.as_ref(), None)]
    })
}

/// The addresses that clients may reach this server at, as far as they are known: those it listens on, or this host's.
fn own_addresses(subject: &Subject<'_>) -> Vec<IpAddr> {
    let bound: Vec<IpAddr> = subject.server.listeners.iter().map(|listener| listener.address).collect();
    let bound_v4: Vec<IpAddr> =
        bound.into_iter().filter(|address| address.is_ipv4() && !address.is_unspecified()).collect();
    if !bound_v4.is_empty() {
        return bound_v4;
    }
    let networks = subject.audit.host.iter().flat_map(|host| &host.networks);
    let useful = |address: &IpAddr| {
        address.is_ipv4() && !matches!(class_of(*address), Class::Loopback | Class::LinkLocal)
    };
    networks.map(ipnet::IpNet::addr).filter(useful).collect()
}

fn list(addresses: &[IpAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
