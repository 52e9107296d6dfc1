//! What it means when PASV or EPSV brings no usable offer.

use crate::checks::login::demands_tls;
use crate::checks::paths::by_control;
use crate::checks::support::{each, quoted, quoted_offer};
use crate::evidence::{Endpoint, Evidence, Mode, Offer};
use crate::finding::{Confidence, Detail, Location, Scope};
use crate::ftp::Reply;

/// PASV and EPSV are both refused (IPv4; over IPv6 PASV has no meaning and is not asked).
pub(super) fn passive_disabled(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let (pasv, epsv) = (refused(endpoint, Mode::Pasv)?, refused(endpoint, Mode::Epsv)?);
        let title = "the server refuses passive mode".to_owned();
        let detail = format!(
            "PASV was answered with \"{}\" and EPSV with \"{}\". Passive mode is switched off or its commands are denied; {}",
            pasv.last_line(),
            epsv.last_line(),
            "clients behind NAT or a firewall can then transfer nothing."
        );
        let seen = Detail::new(Scope::endpoint(endpoint.address), title, detail).location(Location::Server);
        Some(seen.quote(quoted("PASV", pasv)).quote(quoted("EPSV", epsv)))
    })
}

/// PASV is refused and EPSV is not.
pub(super) fn pasv_refused(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let pasv = refused(endpoint, Mode::Pasv)?;
        endpoint.offers_of(Mode::Epsv).find(|offer| offer.announced.is_some())?;
        let title = "the server refuses PASV; EPSV works".to_owned();
        let works = by_control(endpoint, Mode::Epsv).good();
        let detail = format!(
            "PASV was answered with \"{}\". EPSV {}. Clients that know only PASV over IPv4 (wget, many libraries and \
             devices) cannot transfer.{}",
            pasv.last_line(),
            if works { "works" } else { "is accepted" },
            hint(pasv)
        );
        let title = if works { title } else { "the server refuses PASV and accepts EPSV".to_owned() };
        let scope = Scope::mode(endpoint.address, Mode::Pasv);
        Some(Detail::new(scope, title, detail).location(Location::Server).quote(quoted("PASV", pasv)))
    })
}

/// What the refusal's own words give away.
fn hint(reply: &Reply) -> &'static str {
    if reply.says("invalid pasv_address") {
        " The words tell why: pasv_address holds something that is no IPv4 address (a host name without \
         pasv_addr_resolve=YES, quotes, or a name whose resolution was lost by a reload)."
    } else if reply.says("IPv6-conformant") {
        " The words tell why: the configured passive address is an IPv6 address."
    } else if reply.says("PRET") {
        " The server is a distributed one and demands PRET before PASV, which few clients know."
    } else {
        ""
    }
}

/// EPSV is refused and PASV is not: optional on IPv4.
pub(super) fn epsv_refused(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let epsv = refused(endpoint, Mode::Epsv)?;
        endpoint.offers_of(Mode::Pasv).find(|offer| offer.announced.is_some())?;
        let title = "the server refuses EPSV; PASV is accepted".to_owned();
        let detail = format!(
            "EPSV was answered with \"{}\". Over IPv4 that is no fault: every client falls back to PASV, some after a moment. \
             Over IPv6 nothing would work.",
            epsv.last_line()
        );
        let scope = Scope::mode(endpoint.address, Mode::Epsv);
        Some(Detail::new(scope, title, detail).location(Location::Server).quote(quoted("EPSV", epsv)))
    })
}

/// A 227 or 229 that cannot be read.
pub(super) fn malformed(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let offer = endpoint.offers.iter().find(|offer| offer.malformed.is_some())?;
        let problem = offer.malformed.as_deref()?;
        let title = format!("the reply to {} cannot be read: {problem}", offer.mode);
        let detail = format!(
            "The server answered {} with {}: {problem}. Clients cannot know where to connect. A server whose address \
             setting holds a name or an IPv6 address does this, and so do servers with home-made wording; if the same reply \
             is fine when the session is encrypted, a device on the path damages it.",
            offer.mode,
            offer.answer.describe()
        );
        let scope = Scope::mode(endpoint.address, offer.mode);
        Some(Detail::new(scope, title, detail).quote(quoted_offer(offer)))
    })
}

/// The server says that it has no free port.
pub(super) fn exhausted(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let (offer, reply, confidence) = endpoint.offers.iter().find_map(|offer| {
            let reply = offer.answer.reply()?;
            Some((offer, reply, out_of_ports(reply)?))
        })?;
        let title = "the server has no free passive port".to_owned();
        let mut detail = format!(
            "{} was answered with \"{}\". All ports of the passive range are in use, blocked by connections that ended a \
             moment ago, or reserved by something else.",
            offer.mode,
            reply.last_line()
        );
        if reply.says("vsf_sysutil_bind") {
            detail.push_str(
                " vsftpd says the same when SELinux forbids it to open passive ports; then it happens every time, also on an \
                 idle server.",
            );
        }
        let scope = Scope::endpoint(endpoint.address);
        let seen = Detail::new(scope, title, detail).confidence(confidence).location(Location::Server);
        Some(seen.quote(quoted(offer.mode.verb(), reply)))
    })
}

/// How sure the words of a refusal are about ports running out. The texts are those of the servers' sources.
fn out_of_ports(reply: &Reply) -> Option<Confidence> {
    const CERTAIN: &[&str] = &[
        "reserved tcp ports are busy",
        "could not find any port",
        "no free ports",
        "address already in use",
        "could not allocate passive port",
    ];
    const LIKELY: &[&str] = &[
        "vsf_sysutil_bind",
        "cannot prepare for data connection",
        "could not create socket",
        "failed to listen on socket",
        "no data connection established",
        "cannot open data connection",
        "can't open passive connection",
        "can't open data channel",
        "unable to build data connection: internal error",
    ];
    let says = |words: &&&str| reply.says(words);
    if reply.code < 400 {
        None
    } else if CERTAIN.iter().any(|words| says(&words)) {
        Some(Confidence::Certain)
    } else {
        LIKELY.iter().any(|words| says(&words)).then_some(Confidence::Likely)
    }
}

/// The refusal of a mode, if no offer of it was accepted and the words are about the command itself.
fn refused(endpoint: &Endpoint, mode: Mode) -> Option<&Reply> {
    if endpoint.offers_of(mode).any(|offer| offer.announced.is_some() || offer.malformed.is_some()) {
        return None;
    }
    let refusals = endpoint.offers_of(mode).filter(|offer| offer.answer.negative());
    refusals
        .filter_map(|offer: &Offer| offer.answer.reply())
        .find(|reply| !demands_tls(reply) && reply.code != 421)
}
