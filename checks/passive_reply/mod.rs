//! `passive-reply`: what do PASV and EPSV announce, several times over?
//!
//! Each offer is followed by a connect and a close, so that no listener is left behind on the server. These visits are
//! quick: an open one proves the way, a silent one proves nothing yet.

mod address;
mod ports;
mod refusal;

pub(in crate::checks) use address::is_near;

use super::{Check, Reach, Rule};
use crate::evidence::{Answer, Endpoint, Mode, Patience, Via};
use crate::finding::Severity;
use crate::probe::Session;

/// PASV offers taken here; the transfer asks for one more.
const PASV_OFFERS: usize = 3;
/// EPSV offers taken beside PASV.
const EPSV_OFFERS: usize = 2;
/// EPSV offers taken over IPv6, where PASV has no meaning (RFC 2428 §1).
const EPSV_OFFERS_ALONE: usize = 4;

/// The check.
pub const CHECK: Check = Check {
    name: "passive-reply",
    title: "asking for passive ports (PASV and EPSV)",
    question: "What address and ports does the server announce?",
    needs: &["login"],
    reach: Reach::Endpoint,
    observe: |session| Box::pin(observe(session)),
    passed: |endpoint| endpoint.offers.iter().any(|offer| offer.announced.is_some()),
    summarise: |_, endpoint| summary(endpoint),
    rules: &[
        Rule {
            name: "passive-disabled",
            severity: Severity::Critical,
            document: include_str!("passive-disabled.md"),
            explained_by: &["passive-ports-exhausted", "tls-required"],
            recognise: refusal::passive_disabled,
        },
        Rule {
            name: "pasv-refused",
            severity: Severity::Warning,
            document: include_str!("pasv-refused.md"),
            explained_by: &["passive-ports-exhausted", "tls-required"],
            recognise: refusal::pasv_refused,
        },
        Rule {
            name: "epsv-refused",
            severity: Severity::Info,
            document: include_str!("epsv-refused.md"),
            explained_by: &["passive-ports-exhausted", "tls-required"],
            recognise: refusal::epsv_refused,
        },
        Rule {
            name: "passive-reply-malformed",
            severity: Severity::Critical,
            document: include_str!("passive-reply-malformed.md"),
            explained_by: &[],
            recognise: refusal::malformed,
        },
        Rule {
            name: "passive-ports-exhausted",
            severity: Severity::Critical,
            document: include_str!("passive-ports-exhausted.md"),
            explained_by: &[],
            recognise: refusal::exhausted,
        },
        Rule {
            name: "passive-address-private",
            severity: Severity::Critical,
            document: include_str!("passive-address-private.md"),
            explained_by: &["alg-rewrites-reply"],
            recognise: address::private,
        },
        Rule {
            name: "passive-address-shared",
            severity: Severity::Critical,
            document: include_str!("passive-address-shared.md"),
            explained_by: &["alg-rewrites-reply"],
            recognise: address::shared,
        },
        Rule {
            name: "passive-address-loopback",
            severity: Severity::Critical,
            document: include_str!("passive-address-loopback.md"),
            explained_by: &["alg-rewrites-reply"],
            recognise: address::loopback,
        },
        Rule {
            name: "passive-address-unspecified",
            severity: Severity::Critical,
            document: include_str!("passive-address-unspecified.md"),
            explained_by: &["alg-rewrites-reply"],
            recognise: address::unspecified,
        },
        Rule {
            name: "passive-address-link-local",
            severity: Severity::Critical,
            document: include_str!("passive-address-link-local.md"),
            explained_by: &["alg-rewrites-reply"],
            recognise: address::link_local,
        },
        Rule {
            name: "passive-address-reserved",
            severity: Severity::Critical,
            document: include_str!("passive-address-reserved.md"),
            explained_by: &["alg-rewrites-reply"],
            recognise: address::reserved,
        },
        Rule {
            name: "passive-address-mismatch",
            severity: Severity::Critical,
            document: include_str!("passive-address-mismatch.md"),
            explained_by: &["alg-rewrites-reply"],
            recognise: address::mismatch,
        },
        Rule {
            name: "passive-address-unstable",
            severity: Severity::Warning,
            document: include_str!("passive-address-unstable.md"),
            explained_by: &[],
            recognise: address::unstable,
        },
        Rule {
            name: "passive-port-privileged",
            severity: Severity::Warning,
            document: include_str!("passive-port-privileged.md"),
            explained_by: &[],
            recognise: ports::privileged,
        },
        Rule {
            name: "passive-port-predictable",
            severity: Severity::Info,
            document: include_str!("passive-port-predictable.md"),
            explained_by: &["passive-range-too-small"],
            recognise: ports::predictable,
        },
        Rule {
            name: "passive-port-outside-range",
            severity: Severity::Critical,
            document: include_str!("passive-port-outside-range.md"),
            explained_by: &[],
            recognise: ports::outside_range,
        },
        Rule {
            name: "passive-range-unrestricted",
            severity: Severity::Info,
            document: include_str!("passive-range-unrestricted.md"),
            explained_by: &["passive-port-outside-range"],
            recognise: ports::unrestricted,
        },
        Rule {
            name: "passive-range-too-small",
            severity: Severity::Warning,
            document: include_str!("passive-range-too-small.md"),
            explained_by: &[],
            recognise: ports::too_small,
        },
    ],
};

async fn observe(session: &mut Session<'_>) {
    let ipv4 = session.endpoint().address.is_ipv4();
    let first = if ipv4 { Mode::Pasv } else { Mode::Epsv };
    let mut taken = 0;
    if session.data_guard().is_some() {
        // Under TLS the transfers that follow ask for ports of their own. Only if this one does not open, a few more are
        // looked at here.
        sample(session, first, 1).await;
        taken = 1;
        let offer = session.endpoint().offers.last();
        if offer.is_some_and(|offer| offer.visits.iter().any(|visit| visit.connect.open())) {
            return;
        }
    }
    if ipv4 && (taken == 0 || session.endpoint().offers.iter().any(|offer| offer.announced.is_some())) {
        sample(session, Mode::Pasv, PASV_OFFERS - taken).await;
    }
    if session.reopen().await {
        sample(session, Mode::Epsv, if ipv4 { EPSV_OFFERS } else { EPSV_OFFERS_ALONE }).await;
    }
}

/// Takes offers of one mode until there are enough, or until the server refuses: it is not asked the same twice then.
pub(in crate::checks) async fn sample(session: &mut Session<'_>, mode: Mode, count: usize) {
    for turn in 0..count {
        let mut index = session.offer(mode).await;
        // A server that dies over one command closes only when the next one comes: that one gets a second chance.
        if !session.connected() && session.reopen().await && turn == 0 && mode == Mode::Epsv {
            index = session.offer(mode).await;
        }
        let offer = &session.endpoint().offers[index];
        if offer.announced.is_none() {
            return;
        }
        visit(session, index, turn).await;
    }
}

/// One quick connect. Where the reply names another address than the control connection's, that one is tried once (two
/// connects to a foreign address are all that a run may make) and the control address after that.
async fn visit(session: &mut Session<'_>, index: usize, turn: usize) {
    let control = session.endpoint().address;
    let offer = &session.endpoint().offers[index];
    let elsewhere = offer.announced.and_then(|announced| announced.other_than(control)).is_some();
    let via =
        if offer.mode == Mode::Epsv || (elsewhere && turn > 0) { Via::Control } else { Via::Advertised };
    let stream = session.visit(index, via, Patience::Quick).await;
    let refused_by_us =
        session.endpoint().offers[index].visits.last().is_some_and(|visit| !visit.connect.tried());
    if stream.is_none() && refused_by_us && elsewhere {
        session.visit(index, Via::Control, Patience::Quick).await;
    }
}

fn summary(endpoint: &Endpoint) -> String {
    let fine = |mode| endpoint.offers_of(mode).any(|offer| offer.announced.is_some());
    if fine(Mode::Pasv) && fine(Mode::Epsv) && super::paths::other_address(endpoint).is_none() {
        return format!(
            "PASV and EPSV, ports {}",
            super::support::port_list(&super::support::announced_ports(endpoint))
        );
    }
    let words = [Mode::Pasv, Mode::Epsv].into_iter().filter_map(|mode| {
        let offers: Vec<_> = endpoint.offers_of(mode).collect();
        let last = offers.last()?;
        let ports: Vec<u16> =
            offers.iter().filter_map(|offer| offer.announced).map(|offer| offer.port).collect();
        let address = offers.iter().find_map(|offer| offer.announced?.address);
        Some(match (&last.answer, &last.malformed) {
            (_, Some(_)) => format!("{mode} cannot be read"),
            (Answer::Reply(_), None) if ports.is_empty() => {
                format!("{mode} refused ({})", last.answer.describe())
            }
            _ if ports.is_empty() => format!("{mode}: {}", last.answer.describe()),
            _ => {
                let address = address.map(|address| format!(" {address},")).unwrap_or_default();
                format!("{mode}{address} ports {}", super::support::port_list(&ports))
            }
        })
    });
    let words: Vec<String> = words.collect();
    if words.is_empty() { "not asked".to_owned() } else { words.join("; ") }
}
