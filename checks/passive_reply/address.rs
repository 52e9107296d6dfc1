//! Whether the address in the 227 leads to the server.
//!
//! No address is a fault by its class alone: a private address that works is fine. What counts is whether data can be
//! had there, whether it can be had at the control connection's address, and whether the two sides live in the same kind
//! of network. All of it concerns IPv4: a 229 has no address.

use std::net::IpAddr;

use crate::checks::paths::{Way, by_advertised, by_control};
use crate::checks::support::{each, product_at, quoted_offer, quoted_visit};
use crate::evidence::{Endpoint, Evidence, Mode, Offer, Visit};
use crate::finding::{Confidence, Detail, Location, Scope, Severity};
use crate::net::class::{Class, class_of};

pub(super) fn private(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let case = Case::of(endpoint, Class::Private)?;
        case.unless_it_leads_there(evidence, "a private address", PRIVATE)
    })
}

pub(super) fn shared(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let case = Case::of(endpoint, Class::Shared)?;
        case.unless_it_leads_there(evidence, "an address of a carrier's NAT", SHARED)
    })
}

pub(super) fn loopback(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let case = Case::of(endpoint, Class::Loopback)?;
        case.unless_it_leads_there(evidence, "the loopback address", LOOPBACK)
    })
}

pub(super) fn link_local(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let case = Case::of(endpoint, Class::LinkLocal)?;
        case.unless_it_leads_there(evidence, "a link-local address", LINK_LOCAL)
    })
}

pub(super) fn reserved(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let case = Case::of(endpoint, Class::Reserved)?;
        case.unless_it_leads_there(evidence, "a reserved address", RESERVED)
    })
}

const PRIVATE: &str = "Such an address (RFC 1918) means something only inside the server's own network: the server stands \
                       behind NAT, or in a container, and does not know the address by which the world reaches it.";
const SHARED: &str = "Such an address (100.64.0.0/10, RFC 6598) means something only inside a carrier's or a provider's own \
                      network: the server stands behind carrier-grade NAT, a VPN such as Tailscale, or inside a cloud.";
const LOOPBACK: &str = "Every client that follows it connects to itself, and is refused at once.";
const LINK_LOCAL: &str = "Such an address (169.254.0.0/16, RFC 3927) is what a host gives itself when DHCP fails; it means \
                          something only on one cable.";
const RESERVED: &str =
    "No host on the internet has such an address: it was mistyped, or copied from an example.";

/// 0.0.0.0.
pub(super) fn unspecified(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let case = Case::of(endpoint, Class::Unspecified)?;
        let known = product_at(endpoint);
        let on_purpose = known.as_ref().is_some_and(|known| known.product.announces_unspecified_on_purpose());
        let vsftpd = known.is_some_and(|known| known.product.name() == "vsftpd");
        let mut detail = "0.0.0.0 is no address that a client can connect to. Clients that replace it by the control \
                          connection's address work (curl, FileZilla, WinSCP, lftp); clients that follow the reply (wget, PHP) \
                          end up at themselves."
            .to_owned();
        if vsftpd {
            detail.push_str(
                " vsftpd announces it to everybody when listen_ipv6=YES is combined with pasv_address, which Debian's and \
                 Red Hat's shipped configuration invites.",
            );
        }
        let severity = if on_purpose { Severity::Warning } else { Severity::Critical };
        let seen = case.finding("the server announces 0.0.0.0, which is no address", &detail);
        Some(seen.severity(severity).confidence(Confidence::Certain))
    })
}

/// Another public address than the one that was connected to.
pub(super) fn mismatch(evidence: &Evidence) -> Vec<Detail> {
    let mut found = against_belief(evidence);
    found.extend(against_control(evidence));
    found
}

/// The reply is not what the administrator expects, and yet it works from here.
fn against_belief(evidence: &Evidence) -> Vec<Detail> {
    let Some(expected) = evidence.told.public_address else { return Vec::new() };
    each(evidence, |endpoint| {
        // Inside, a server may well announce its inside address.
        if class_of(endpoint.address) != Class::Global {
            return None;
        }
        let offer = endpoint.offers_of(Mode::Pasv).find(|offer| offer.announced.is_some())?;
        let announced = IpAddr::V4(offer.announced?.address?);
        if announced == expected || !by_advertised(endpoint, announced).good() {
            return None;
        }
        let title = format!("the server announces {announced}, not {expected} as you expect");
        let detail = format!(
            "The 227 names {announced}, and that works from here. You gave {expected} as the address that the server should \
             announce: one of the two is not up to date."
        );
        let scope = Scope::mode(endpoint.address, Mode::Pasv);
        let seen = Detail::new(scope, title, detail).severity(Severity::Warning).location(Location::Server);
        Some(seen.quote(quoted_offer(offer)))
    })
}

/// The reply names an address that does not lead to the server.
fn against_control(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let case = Case::of(endpoint, Class::Global)?;
        if is_near(class_of(endpoint.address)) {
            return None; // seen from inside, that is hairpin-missing
        }
        let address = case.address;
        if class_of(endpoint.address) == Class::Loopback {
            return case.untestable_from_loopback(evidence);
        }
        let confidence = match (&case.there, &case.here) {
            (Way::Fails(_) | Way::OpensInVain, Way::Works) => Confidence::Certain,
            (Way::Fails(_) | Way::OpensInVain, Way::Opens) => Confidence::Likely,
            (Way::Fails(_), Way::Fails(_)) => Confidence::Possible,
            (Way::Untried, _) if evidence.told.own_addresses_only => return case.left_untried(evidence),
            _ => return None,
        };
        let here = endpoint.address;
        let title = format!("the server announces {address}, but it is at {here}");
        let detail = format!(
            "The control connection goes to {here}; the 227 names {address}, which does not lead to the server{}. {} The \
             address is usually a former one, another line's, or what a what-is-my-address service said.{}",
            case.how_it_failed(),
            case.control_words(),
            if evidence.told.public_address == Some(address) {
                " It is the one that you gave as expected, too."
            } else {
                ""
            }
        );
        Some(case.finding(&title, &detail).confidence(confidence))
    })
}

/// The address changes from offer to offer.
pub(super) fn unstable(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let mut addresses: Vec<IpAddr> = Vec::new();
        for offer in endpoint.offers_of(Mode::Pasv) {
            if let Some(address) = offer.announced.and_then(|announced| announced.address).map(IpAddr::V4)
                && !addresses.contains(&address)
            {
                addresses.push(address);
            }
        }
        if addresses.len() < 2 {
            return None;
        }
        let list = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let title = format!("the announced address changes from offer to offer: {list}");
        let detail = format!(
            "Within one run PASV named {list}. Several servers behind one name, a device that rewrites some replies and not \
             others, or a server with several addresses looks like this. A client gets one of them by chance."
        );
        let seen = Detail::new(Scope::mode(endpoint.address, Mode::Pasv), title, detail);
        Some(endpoint.offers_of(Mode::Pasv).fold(seen, |seen, offer| seen.quote(quoted_offer(offer))))
    })
}

/// An endpoint whose 227 names another address than the control connection's.
struct Case<'a> {
    endpoint: &'a Endpoint,
    offer: &'a Offer,
    address: IpAddr,
    there: Way<'a>,
    here: Way<'a>,
}

impl<'a> Case<'a> {
    /// The first offer with a foreign address of this class.
    fn of(endpoint: &'a Endpoint, class: Class) -> Option<Self> {
        let foreign = |offer: &'a Offer| {
            let address = IpAddr::V4(offer.announced?.other_than(endpoint.address)?);
            (class_of(address) == class).then_some((offer, address))
        };
        // Of several addresses the one that was shown to lead nowhere.
        let all: Vec<_> = endpoint.offers_of(Mode::Pasv).filter_map(foreign).collect();
        let failing = all.iter().find(|(_, address)| by_advertised(endpoint, *address).bad());
        let (offer, address) = *failing.or(all.first())?;
        let by_pasv = by_control(endpoint, Mode::Pasv);
        let here = if by_pasv.good() { by_pasv } else { better(by_pasv, by_control(endpoint, Mode::Epsv)) };
        Some(Self { endpoint, offer, address, there: by_advertised(endpoint, address), here })
    }

    /// The finding for an address class that is wrong unless it leads to the server.
    fn unless_it_leads_there(&self, evidence: &Evidence, what: &str, meaning: &str) -> Option<Detail> {
        let control = class_of(self.endpoint.address);
        let address = self.address;
        if self.there.good() {
            return None; // what works is no fault
        }
        if control == Class::Loopback && self.is_this_host(evidence) {
            return None; // this host's own address: its neighbours may well reach it
        }
        let confidence = match (&self.there, &self.here) {
            (Way::Fails(_) | Way::OpensInVain, Way::Works) => Confidence::Certain,
            // Inside one network, both ways closed says nothing against the address.
            (Way::Fails(_), Way::Fails(_)) if is_near(control) => return None,
            // Over loopback nothing was tried, and who the clients are is not known.
            _ if control == Class::Loopback => Confidence::Likely,
            (Way::Untried, Way::Works) if !self.is_connected(evidence) => Confidence::Certain,
            _ => Confidence::Likely,
        };
        let title = format!("the server announces {address}, {what}");
        let detail = format!(
            "You reach the server at {}, but its 227 sends clients to {address}, {what}{}. {meaning} {}",
            self.endpoint.address,
            self.how_it_failed(),
            self.control_words()
        );
        Some(self.finding(&title, &detail).confidence(confidence))
    }

    /// From loopback a public address cannot be tried; only the administrator knows whether it is the right one.
    fn untestable_from_loopback(&self, evidence: &Evidence) -> Option<Detail> {
        if self.is_this_host(evidence) || evidence.told.public_address == Some(self.address) {
            return None;
        }
        let address = self.address;
        let title = format!("the server announces {address}, which cannot be tested from loopback");
        let detail = format!(
            "The check runs over loopback, and from there no other address is contacted. Whether clients can use {address} \
             has to be seen from a client: run the check there, or confirm the address with --public-address {address}."
        );
        Some(self.finding(&title, &detail).severity(Severity::Unknown).confidence(Confidence::Possible))
    }

    /// A service that contacts no third address cannot tell whether the one announced leads to the server.
    fn left_untried(&self, evidence: &Evidence) -> Option<Detail> {
        if evidence.told.public_address == Some(self.address) {
            return None;
        }
        let (address, here) = (self.address, self.endpoint.address);
        let title = format!("the server announces {address}, which was not tried; it was reached at {here}");
        let detail = format!(
            "The control connection goes to {here}, the 227 names {address}, and the exporter contacts no address that only a \
             reply names. A former address looks like this, and so does a server with two lines. pasvcheck run by hand tries \
             it; if the address is right, confirm it with public_address = \"{address}\" in the exporter's module."
        );
        Some(self.finding(&title, &detail).severity(Severity::Unknown).confidence(Confidence::Possible))
    }

    fn finding(&self, title: &str, detail: &str) -> Detail {
        let scope = Scope::mode(self.endpoint.address, Mode::Pasv);
        let seen = Detail::new(scope, title, detail).location(Location::Server);
        let shown = self.attempts();
        let offer = shown.first().map_or(self.offer, |(offer, _)| *offer);
        let seen = seen.quote(quoted_offer(offer));
        shown.iter().fold(seen, |seen, (_, visit)| seen.quote(quoted_visit(visit)))
    }

    /// The attempts that show it: the last at the advertised address, and one at the control address, if possible on the
    /// same offer.
    fn attempts(&self) -> Vec<(&'a Offer, &'a Visit)> {
        let all = || {
            let offers = self.endpoint.offers_of(Mode::Pasv);
            offers.flat_map(|offer| offer.visits.iter().map(move |visit| (offer, visit)))
        };
        let to = |wanted: IpAddr| move |(_, visit): &(&Offer, &Visit)| visit.connect.to.ip() == wanted;
        let there = all().rfind(to(self.address));
        let mut here = all().filter(to(self.endpoint.address));
        let here = match there {
            Some((offer, _)) => here.min_by_key(|(other, _)| !std::ptr::eq(*other, offer)),
            None => here.next_back(),
        };
        [there, here].into_iter().flatten().collect()
    }

    /// How it failed, in words that follow "which does not lead to the server".
    fn how_it_failed(&self) -> String {
        match &self.there {
            Way::Fails(connect) => format!(" ({})", connect.describe()),
            Way::OpensInVain => {
                " (another host answers there, which knows nothing of the transfer)".to_owned()
            }
            _ => String::new(),
        }
    }

    /// What the control connection's address has to say to it.
    fn control_words(&self) -> String {
        let here = self.endpoint.address;
        match &self.here {
            Way::Works => format!("At {here} the same data port works: only the address is wrong."),
            Way::Opens => format!("At {here} the same data port opens."),
            Way::Fails(connect) => {
                format!("At {here} the data port fails too ({}): that is a second fault.", connect.describe())
            }
            _ => String::new(),
        }
    }

    /// Whether the address is one of this host's own.
    fn is_this_host(&self, evidence: &Evidence) -> bool {
        evidence.client.networks.iter().any(|network| network.addr() == self.address)
    }

    /// Whether the address lies in one of this host's own networks.
    fn is_connected(&self, evidence: &Evidence) -> bool {
        let near = |network: &ipnet::IpNet| network.prefix_len() > 0 && network.contains(&self.address);
        class_of(self.address) != Class::Loopback && evidence.client.networks.iter().any(near)
    }
}

/// Addresses of inside networks.
pub(in crate::checks) fn is_near(class: Class) -> bool {
    matches!(class, Class::Private | Class::Shared | Class::LinkLocal)
}

fn better<'a>(first: Way<'a>, second: Way<'a>) -> Way<'a> {
    if second.good() || matches!(first, Way::Untried | Way::Unclear) { second } else { first }
}
