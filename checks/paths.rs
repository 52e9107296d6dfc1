//! The four-way test, read: how each way to a data port turned out.
//!
//! A way is a mode (PASV or EPSV) and an address (the advertised one, or the control connection's). A finished transfer
//! outranks everything else that was seen on a way.

use std::net::IpAddr;

use crate::evidence::{Answer, Connect, DataEnd, Endpoint, Handshake, Mode, Outcome, Transfer, Via, Visit};

/// How a way turned out.
#[derive(Clone, Debug, PartialEq)]
pub enum Way<'a> {
    /// A transfer was finished on it.
    Works,
    /// Connections open; no transfer was tried, or the server refused it for reasons of its own.
    Opens,
    /// Connections open, and yet no transfer comes about.
    OpensInVain,
    /// No connection opens; the last conclusive attempt.
    Fails(&'a Connect),
    /// Only attempts that prove nothing.
    Unclear,
    /// Not tried, or not allowed to be.
    Untried,
}

impl Way<'_> {
    /// Whether data can be had this way.
    #[must_use]
    pub fn good(&self) -> bool {
        matches!(self, Self::Works | Self::Opens)
    }

    /// Whether this way was proven not to lead to the server.
    #[must_use]
    pub fn bad(&self) -> bool {
        matches!(self, Self::Fails(_) | Self::OpensInVain)
    }
}

/// The way to the control connection's address, asked for by this mode.
#[must_use]
pub fn by_control(endpoint: &Endpoint, mode: Mode) -> Way<'_> {
    let here = |to: IpAddr| to == endpoint.address;
    judge(endpoint, mode, &here)
}

/// The way to an address that PASV advertised.
#[must_use]
pub fn by_advertised(endpoint: &Endpoint, address: IpAddr) -> Way<'_> {
    let there = |to: IpAddr| to == address;
    judge(endpoint, Mode::Pasv, &there)
}

/// The way that a client takes which follows the standard: where the 227 says, or the 229's port.
#[must_use]
pub fn as_announced(endpoint: &Endpoint, mode: Mode) -> Way<'_> {
    let advertised = endpoint.offers_of(mode).filter_map(|offer| offer.announced?.address).next_back();
    match advertised {
        Some(address) => by_advertised(endpoint, IpAddr::V4(address)),
        None => by_control(endpoint, mode),
    }
}

fn judge<'a>(endpoint: &'a Endpoint, mode: Mode, to: &dyn Fn(IpAddr) -> bool) -> Way<'a> {
    let transfers: Vec<&Transfer> = endpoint
        .transfers
        .iter()
        .filter(|transfer| transfer.mode == mode && to(transfer.data.to.ip()))
        .collect();
    if transfers.iter().any(|transfer| transfer.proves()) {
        return Way::Works;
    }
    if transfers.iter().any(|transfer| in_vain(transfer)) {
        return Way::OpensInVain;
    }
    let visits: Vec<&Visit> = endpoint
        .offers_of(mode)
        .flat_map(|offer| &offer.visits)
        .filter(|visit| to(visit.connect.to.ip()) && visit.connect.tried())
        .collect();
    if visits.iter().any(|visit| visit.connect.open()) {
        return Way::Opens;
    }
    match visits.iter().rfind(|visit| visit.conclusive()) {
        Some(visit) => Way::Fails(&visit.connect),
        None if visits.is_empty() => Way::Untried,
        None => Way::Unclear,
    }
}

/// Whether the data connection opened and yet the server had nothing to do with it: no byte, and no sign that the
/// server saw it.
#[must_use]
pub fn in_vain(transfer: &Transfer) -> bool {
    // A control connection that broke in between says nothing of the data connection.
    let lost = [&transfer.preliminary, &transfer.completion]
        .into_iter()
        .flatten()
        .any(|answer| matches!(answer, Answer::Closed { .. } | Answer::Garbled { .. }));
    let goodbye = transfer.refusal().is_some_and(|reply| reply.code == 421 && !reply.says("data channel"));
    // What went out proves nothing if the server then says that no connection came.
    let missed = transfer.upload.is_some() && transfer.refusal().is_some_and(|reply| reply.code == 425);
    let nothing_came = transfer.bytes == 0 || transfer.foreign_greeting.is_some() || missed;
    let refused_itself = transfer.refusal().is_some_and(|reply| !matches!(reply.code, 425 | 426 | 421));
    let server_ended = transfer.completion.as_ref().is_some_and(Answer::positive);
    // 125 says that the server has the connection (RFC 959 §5.4).
    let seen = transfer.preliminary.as_ref().and_then(Answer::code) == Some(125);
    // A TLS handshake with the server's certificate is proof enough that it is the server.
    let known =
        transfer.tls.as_ref().is_some_and(|tls| tls.handshake.as_ref().is_some_and(Handshake::answered));
    transfer.data.outcome == Outcome::Open
        && !seen
        && !known
        && !transfer.failed_at_tls()
        && !lost
        && !goodbye
        && nothing_came
        && !refused_itself
        && !server_ended
        && !matches!(transfer.end, Some(DataEnd::Closed) if transfer.preliminary.as_ref().is_some_and(|a| a.code() == Some(226)))
}

/// Visits of a mode at the control address, with their ports: the material for judging ports.
pub fn visits_at_control(endpoint: &Endpoint, mode: Option<Mode>) -> impl Iterator<Item = &Visit> {
    endpoint
        .offers
        .iter()
        .filter(move |offer| mode.is_none_or(|mode| offer.mode == mode))
        .flat_map(|offer| &offer.visits)
        .filter(|visit| visit.connect.to.ip() == endpoint.address && visit.connect.tried())
}

/// Attempts that show a port at the control address to be closed: conclusive visits, and ports that were silent both when
/// they were announced and later.
pub fn closed_at_control(endpoint: &Endpoint) -> impl Iterator<Item = &Connect> {
    let live = visits_at_control(endpoint, None).filter(|visit| visit.conclusive() && !visit.connect.open());
    let cold = endpoint.cold.iter().filter(|probe| !probe.opened_when_live);
    let cold = cold
        .map(|probe| &probe.connect)
        .filter(|connect| matches!(connect.outcome, Outcome::Silent | Outcome::Icmp(_)));
    live.map(|visit| &visit.connect).chain(cold)
}

/// The advertised address of PASV that is not the control connection's, if there is one.
#[must_use]
pub fn other_address(endpoint: &Endpoint) -> Option<IpAddr> {
    endpoint
        .offers_of(Mode::Pasv)
        .find_map(|offer| offer.announced?.other_than(endpoint.address))
        .map(IpAddr::V4)
}

/// Which way a transfer should take first: the standard's way.
#[must_use]
pub fn ways_to_try(endpoint: &Endpoint) -> Vec<(Mode, Via)> {
    let mut ways = Vec::new();
    let opened = |mode, via| {
        endpoint
            .offers_of(mode)
            .flat_map(|offer| &offer.visits)
            .any(|visit| visit.via == via && visit.connect.open())
    };
    for (mode, via) in [(Mode::Pasv, Via::Advertised), (Mode::Pasv, Via::Control), (Mode::Epsv, Via::Control)]
    {
        if opened(mode, via) {
            ways.push((mode, via));
        }
    }
    ways
}
