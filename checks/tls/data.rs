//! What TLS on data connections means.

use crate::checks::support::{each, quoted};
use crate::evidence::{Answer, DataTls, Endpoint, Evidence, Handshake, Transfer};
use crate::finding::{Confidence, Detail, Location, Scope};

/// Clients that resume the session by themselves, and those that do not without help.
const CLIENTS: &str = "curl, FileZilla and WinSCP resume it by themselves; Python's ftplib, Java's commons-net and other \
                       clients that open a new TLS session for each transfer are locked out";

/// Transfers under TLS, on purpose without the session of the control connection or not.
fn secured(endpoint: &Endpoint, reuse: bool) -> impl Iterator<Item = (&Transfer, &DataTls)> {
    endpoint.transfers.iter().filter_map(move |transfer| {
        let tls = transfer.tls.as_ref().filter(|tls| tls.reuse == reuse)?;
        Some((transfer, tls))
    })
}

/// The server takes no data in clear: a policy that some clients do not know of.
pub(super) fn protection_required(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let tls = endpoint.tls.as_ref()?;
        let refused_c =
            tls.prot_clear.as_ref().filter(|answer| answer.negative()).map(|answer| ("PROT C", answer));
        let plain = endpoint.cleartext.as_ref();
        let offers = plain.into_iter().flat_map(|plain| &plain.offers);
        let refused_data =
            offers.map(|offer| (offer.mode.verb(), &offer.answer)).find(|(_, answer)| demands(answer));
        let transfers = plain.into_iter().flat_map(|plain| &plain.transfers);
        let refused_list = transfers
            .flat_map(|transfer| [&transfer.preliminary, &transfer.completion])
            .flatten()
            .find(|answer| demands(answer))
            .map(|answer| ("LIST", answer));
        let (verb, answer) = refused_c.or(refused_data).or(refused_list)?;
        let title = "data connections have to be under TLS".to_owned();
        let detail = format!(
            "{verb} was answered with {}. That is a sound policy; clients that leave their data in clear (PROT C, or no PROT \
             at all) are refused.",
            answer.describe()
        );
        let seen = Detail::new(Scope::endpoint(endpoint.address), title, detail).location(Location::Server);
        Some(seen.quote(format!("{verb} → {}", answer.describe())))
    })
}

fn demands(answer: &Answer) -> bool {
    answer.reply().is_some_and(crate::checks::login::demands_tls)
}

/// Data in TLS does not come about, although the session was resumed or there was none to resume.
pub(super) fn failed(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        if let Some(refusal) = unprotected(endpoint) {
            return Some(refusal);
        }
        let (transfer, tls) = secured(endpoint, true).find(|(transfer, _)| transfer.failed_at_tls())?;
        if secured(endpoint, true).any(|(transfer, _)| transfer.completed()) {
            return None; // some came through: that is a matter of sessions
        }
        let handshake = tls.handshake.as_ref();
        let how = handshake.map_or_else(|| "it did not end".to_owned(), Handshake::describe);
        let resumed = handshake.is_some_and(Handshake::resumed);
        let alone = secured(endpoint, false).any(|(transfer, _)| transfer.completed());
        let title = "data connections open, but their TLS does not come about".to_owned();
        let detail = format!(
            "{} by {}: the data connection to {} opened, and its TLS handshake: {how}.{} {}",
            transfer.command,
            transfer.mode,
            transfer.data.to,
            transfer
                .refusal()
                .map_or_else(String::new, |reply| format!(" The server said \"{}\".", reply.last_line())),
            if alone {
                "With a TLS session of its own, instead of the control connection's, the same transfer came through: the \
                 server's session cache is broken."
            } else if resumed {
                "The session of the control connection was resumed, so that is not what is missing."
            } else {
                "The server gave no session to resume, or did not take it."
            }
        );
        let scope = Scope::endpoint(endpoint.address);
        Some(quotes(endpoint, Detail::new(scope, title, detail).location(Location::Server)))
    })
}

/// The server that has TLS does not take PROT P.
fn unprotected(endpoint: &Endpoint) -> Option<Detail> {
    let prot = endpoint.tls.as_ref()?.prot.as_ref().filter(|answer| answer.negative())?;
    let title = "the server does not protect data connections (PROT P is refused)".to_owned();
    let detail = format!(
        "The control connection is under TLS, and PROT P was answered with {}. Files and listings cross the network in \
         clear, and clients that insist on protection cannot transfer.",
        prot.describe()
    );
    let seen = Detail::new(Scope::endpoint(endpoint.address), title, detail).location(Location::Server);
    Some(seen.quote(format!("PROT P → {}", prot.describe())))
}

/// The first transfers come through, later ones fail at TLS.
pub(super) fn reuse_exhausted(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let all: Vec<_> = secured(endpoint, true).collect();
        let good = all.iter().take_while(|(transfer, _)| transfer.completed()).count();
        let (transfer, tls) = all.get(good).filter(|(transfer, _)| transfer.failed_at_tls())?;
        if good == 0 {
            return None;
        }
        let resumed = tls.handshake.as_ref().is_some_and(Handshake::resumed);
        let title = format!("the first {good} transfers come through, then TLS on data connections fails");
        let detail = format!(
            "Transfer {} of one session failed at TLS ({}). {} The server wants the control connection's session resumed and \
             hands out too few tickets for it: one serves once (TLS 1.3). Clients list a directory or two and then fail.",
            good + 1,
            transfer.refusal().map_or_else(
                || tls.handshake.as_ref().map_or_else(String::new, Handshake::describe),
                |reply| format!("\"{}\"", reply.last_line())
            ),
            if resumed {
                "It was resumed like those before."
            } else {
                "There was no session left to resume."
            }
        );
        let confidence = if resumed { Confidence::Likely } else { Confidence::Certain };
        let scope = Scope::endpoint(endpoint.address);
        let seen = Detail::new(scope, title, detail).confidence(confidence).location(Location::Server);
        Some(quotes(endpoint, seen))
    })
}

/// With the session resumed it works, without it does not.
pub(super) fn reuse_required(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let works = secured(endpoint, true).any(|(transfer, tls)| {
            transfer.completed() && tls.handshake.as_ref().is_some_and(Handshake::resumed)
        });
        let (refused, _) = secured(endpoint, false).find(|(transfer, _)| transfer.failed_at_tls())?;
        if !works {
            return None;
        }
        let title = "data connections have to resume the control connection's TLS session".to_owned();
        let said =
            refused.refusal().map_or_else(String::new, |reply| format!(" (\"{}\")", reply.last_line()));
        let detail = format!(
            "With the session resumed transfers come through; one with a session of its own was refused{said}. That is a \
             sound policy: nobody else can take over the data connection. {CLIENTS}."
        );
        let scope = Scope::endpoint(endpoint.address);
        let seen = Detail::new(scope, title, detail).location(Location::Server);
        Some(match refused.refusal() {
            Some(reply) => seen.quote(quoted("without resumption", reply)),
            None => seen,
        })
    })
}

/// What came of each transfer under TLS.
fn quotes(endpoint: &Endpoint, seen: Detail) -> Detail {
    let transfers = endpoint.transfers.iter().filter_map(|transfer| Some((transfer, transfer.tls.as_ref()?)));
    transfers.fold(seen, |seen, (transfer, tls)| {
        let words = crate::checks::transfer::describe(transfer);
        // What failed tells of its handshake by itself.
        let handshake = tls.handshake.as_ref().filter(|_| transfer.completed()).map(Handshake::describe);
        seen.quote(handshake.map_or(words.clone(), |handshake| format!("{words} ({handshake})")))
    })
}
