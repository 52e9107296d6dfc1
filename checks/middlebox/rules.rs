//! What the comparison of clear text and TLS means.

use std::net::Ipv4Addr;

use crate::checks::locate::place;
use crate::checks::paths::{Way, as_announced, by_control};
use crate::checks::port_range::rewritten;
use crate::checks::support::{each, port_list, product_at, quoted_offer, quoted_visit, visits};
use crate::evidence::{Answer, Cleartext, Connect, Endpoint, Evidence, Mode, Offer, Outcome, Transfer};
use crate::finding::{Confidence, Detail, Location, Scope, Severity};
use crate::server::Platform;

/// The session in clear, if it got as far as passive mode.
fn compared(endpoint: &Endpoint) -> Option<&Cleartext> {
    endpoint.cleartext.as_ref().filter(|plain| !plain.offers.is_empty())
}

/// The first address that PASV announced.
fn announced<'a>(mut offers: impl Iterator<Item = &'a Offer>) -> Option<(&'a Offer, Ipv4Addr)> {
    offers.find_map(|offer| (offer.mode == Mode::Pasv).then_some(offer).zip(offer.announced?.address))
}

/// Whether a connection to what was offered opened where a client that follows the reply goes.
fn opens_as_announced(offers: &[Offer], address: Ipv4Addr) -> bool {
    offers
        .iter()
        .flat_map(|offer| &offer.visits)
        .any(|visit| visit.connect.open() && visit.connect.to.ip() == address)
}

/// PASV names one address in clear and another under TLS, and one of the two leads nowhere.
pub(super) fn rewrites(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        // Where a stand-in tells what it sent, a device is caught in the act.
        if let Some(seen) = rewritten(endpoint) {
            return Some(seen);
        }
        let plain = compared(endpoint)?;
        let (offer_tls, by_tls) = announced(endpoint.offers.iter())?;
        let (offer_plain, by_plain) = announced(plain.offers.iter())?;
        if by_tls == by_plain {
            return None;
        }
        let tls_works = as_announced(endpoint, Mode::Pasv).good();
        let plain_works = opens_as_announced(&plain.offers, by_plain);
        // Two addresses that both lead to the server may well be on purpose (ProFTPD's TLSMasqueradeAddress).
        if tls_works && plain_works {
            return None;
        }
        let repaired = plain_works && !tls_works;
        let title = if repaired {
            format!("a device on the way repairs the 227: {by_plain} in clear text, {by_tls} under TLS")
        } else {
            format!("a device on the way changes the 227: {by_plain} in clear text, {by_tls} under TLS")
        };
        let meaning = if repaired {
            format!(
                "The server itself announces {by_tls}. In clear text a NAT device that reads FTP puts {by_plain} in its place and \
                 opens the port for that one transfer; under TLS it cannot read the reply, and clients are sent to {by_tls}. So \
                 plain FTP works, and FTPS hangs at the listing. The cure is at the server: let it announce {by_plain} itself, \
                 forward its whole passive range, and switch the device's FTP helper off."
            )
        } else if tls_works {
            format!(
                "Under TLS, where nobody can change it, the server announces {by_tls}, and that works. In clear text the reply \
                 arrives with {by_plain}, which does not lead to the server: the FTP helper of a router or firewall spoils it. \
                 Switch the helper off."
            )
        } else {
            "Neither of the two leads to the server from here. The server announces the one that is seen under TLS; a device \
             that reads FTP replaces it in clear text. Give the server its public address and a fixed range, forward it, \
             and switch the helper off."
                .to_owned()
        };
        let detail = format!(
            "Within one run PASV was answered with {by_plain} in clear text and with {by_tls} under TLS. {meaning}"
        );
        let confidence = if repaired { Confidence::Certain } else { Confidence::Likely };
        let scope = Scope::mode(endpoint.address, Mode::Pasv);
        let seen = Detail::new(scope, title, detail).confidence(confidence);
        let seen = seen.quote(format!("clear text: {}", quoted_offer(offer_plain)));
        let seen = seen.quote(format!("under TLS: {}", quoted_offer(offer_tls)));
        let tried = offer_plain.visits.iter().map(|visit| ("clear text", visit));
        let tried = tried.chain(offer_tls.visits.iter().map(|visit| ("under TLS", visit)));
        Some(tried.fold(seen, |seen, (how, visit)| seen.quote(format!("{how}: {}", quoted_visit(visit)))))
    })
}

/// In clear text the reply is broken or does not come; under TLS it is fine.
pub(super) fn damages(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let plain = compared(endpoint)?;
        let (mode, how) = [Mode::Pasv, Mode::Epsv].into_iter().find_map(|mode| {
            let fine = endpoint.offers_of(mode).any(|offer| offer.announced.is_some());
            let offers: Vec<&Offer> = plain.offers.iter().filter(|offer| offer.mode == mode).collect();
            let broken = *offers.last()?;
            let spoilt = offers.iter().all(|offer| offer.announced.is_none()) && !by_policy(broken);
            (fine && spoilt).then(|| (mode, damage(broken)))
        })?;
        let title = format!("the reply to {mode} is damaged on the way in clear text");
        let detail = format!(
            "Under TLS {mode} is answered as it should be. In clear text, within the same run, {how}. The server is the same, so \
             a device on the way that reads FTP spoils or swallows the reply: an FTP helper, an inspecting firewall in strict \
             mode, a proxy. Clients without TLS fail."
        );
        let scope = Scope::mode(endpoint.address, mode);
        let seen = Detail::new(scope, title, detail).confidence(Confidence::Likely);
        let quotes = plain.offers.iter().filter(|offer| offer.mode == mode).map(quoted_offer);
        Some(quotes.fold(seen, |seen, quote| seen.quote(format!("clear text: {quote}"))))
    })
}

/// A refusal in clear that asks for TLS is a policy.
fn by_policy(offer: &Offer) -> bool {
    offer.answer.reply().is_some_and(|reply| crate::checks::login::demands_tls(reply) || reply.code == 421)
}

fn damage(offer: &Offer) -> String {
    match (&offer.malformed, &offer.answer) {
        (Some(problem), answer) => format!("the reply was {} ({problem})", answer.describe()),
        (None, Answer::Silence { .. }) => "no reply came at all".to_owned(),
        (None, answer) => format!("there came {}", answer.describe()),
    }
}

/// A device opens ports only for dialogues that it can read: seen by ports that are open only while they are announced, or
/// by ports that open in clear text and not under TLS.
pub(super) fn required(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| fails_under_tls(endpoint).or_else(|| only_while_announced(endpoint)))
}

/// In clear text a port opened at the server's address; under TLS none does.
fn fails_under_tls(endpoint: &Endpoint) -> Option<Detail> {
    let plain = compared(endpoint)?;
    let tried = plain.offers.iter().flat_map(|offer| &offer.visits);
    let opened: Vec<&Connect> = tried
        .map(|visit| &visit.connect)
        .filter(|connect| connect.open() && connect.to.ip() == endpoint.address)
        .collect();
    let first = *opened.first()?;
    let closed = [Mode::Pasv, Mode::Epsv].into_iter().find_map(|mode| match by_control(endpoint, mode) {
        Way::Fails(connect) => Some(connect),
        _ => None,
    })?;
    let works = endpoint.transfers.iter().any(Transfer::completed);
    if works || !endpoint.under_tls() {
        return None;
    }
    let listed = plain.transfers.iter().any(Transfer::completed);
    let title = "plain FTP works, for a device opens ports when it can read the replies".to_owned();
    let detail = format!(
        "Under TLS the announced data port does not open ({} {}). In clear text, within the same run, {} opened at once{}. A \
         firewall or NAT router reads the control connection and opens each port that the server announces; under TLS it \
         cannot read, and FTPS hangs at the listing. The passive range itself has to be open and forwarded.",
        closed.to,
        closed.describe(),
        first.to,
        if listed { ", and a listing came through" } else { "" }
    );
    let confidence = if listed { Confidence::Certain } else { Confidence::Likely };
    let seen = Detail::new(Scope::endpoint(endpoint.address), title, detail);
    let seen = seen.severity(Severity::Critical).confidence(confidence);
    let seen = match place(endpoint, closed) {
        Some(place) => Detail { hops: place.hops, ..seen.location(place.location) },
        None => seen.location(Location::Unknown),
    };
    let seen = seen.quote(format!("under TLS: {} {}", closed.to, closed.describe()));
    Some(
        opened.iter().fold(seen, |seen, connect| {
            seen.quote(format!("clear text: {} {}", connect.to, connect.describe()))
        }),
    )
}

/// Announced ports open, and the same ports are silent when they are not announced.
fn only_while_announced(endpoint: &Endpoint) -> Option<Detail> {
    let cold: Vec<_> = endpoint.cold.iter().filter(|probe| probe.opened_when_live).collect();
    if cold.is_empty() || cold.iter().any(|probe| probe.connect.outcome != Outcome::Silent) {
        return None;
    }
    let platform = product_at(endpoint).map(|known| known.product.platform());
    if platform == Some(Platform::Windows) {
        return None; // Windows sends no resets for closed ports, whether the firewall lets them through or not
    }
    let ports: Vec<u16> = cold.iter().map(|probe| probe.connect.to.port()).collect();
    let title = "data ports are open only while they are announced".to_owned();
    let detail = format!(
        "Announced ports open at once, but {}, announced a moment earlier, give no answer any more: {}. A firewall or \
             NAT device reads the control connection and opens each port for one transfer. That works in clear text only: \
             with TLS the device cannot read the reply, and FTPS hangs at the listing.",
        port_list(&ports),
        cold[0].connect.describe()
    );
    let confidence = if platform == Some(Platform::Unix) { Confidence::Likely } else { Confidence::Possible };
    // Of a mode whose ports stay closed all the same this says nothing.
    let opened = |mode: &Mode| visits(endpoint, *mode).any(|visit| visit.connect.open());
    let modes: Vec<Mode> = [Mode::Pasv, Mode::Epsv].into_iter().filter(opened).collect();
    let scope = match modes.as_slice() {
        [one] => Scope::mode(endpoint.address, *one),
        _ => Scope::endpoint(endpoint.address),
    };
    let seen = Detail::new(scope, title, detail).confidence(confidence);
    Some(cold.iter().fold(seen, |seen, probe| {
        seen.quote(format!("unannounced port {} {}", probe.connect.to.port(), probe.connect.describe()))
    }))
}
