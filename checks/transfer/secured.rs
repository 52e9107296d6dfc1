//! Transfers under TLS: several of one session, each of which resumes the control connection's TLS session, and one that
//! does not.
//!
//! One listing proves little here: TLS 1.3 tickets serve once and may run out, and servers that demand the resumption look
//! healthy to a client that does it.

use super::run::{self, Order};
use super::{segments, ways_to_try};
use crate::checks::paths::other_address;
use crate::evidence::{Mode, Transfer, Via};
use crate::ftp::Command;
use crate::probe::Session;

/// Listings of one session. Servers give two tickets at the start; the third and later need those that came since.
const LISTINGS: usize = 5;

/// Listings by turns on every way that is open. One that fails ends its way; two that fail at TLS end it all.
pub(super) async fn listings(session: &mut Session<'_>) {
    let mut ways = ways_to_try(session.endpoint());
    let known = |mode: Mode| ways.iter().any(|(other, _)| *other == mode);
    // Under TLS EPSV was not asked for before, unless PASV failed.
    let asked = session.endpoint().offers_of(Mode::Epsv).next().is_some();
    if !known(Mode::Epsv) && !asked && other_address(session.endpoint()).is_none() {
        ways.push((Mode::Epsv, Via::Control));
    }
    let mut failures = 0;
    for turn in 0..LISTINGS {
        if ways.is_empty() || failures > 1 || !session.reopen().await {
            return;
        }
        let position = turn % ways.len();
        let (mode, via) = ways[position];
        let before = session.endpoint().transfers.len();
        let order = Order::listing(mode, via);
        run::transfer(session, &order).await;
        segments::experiment(session, &order).await;
        let seen = session.endpoint().transfers.get(before..).unwrap_or_default();
        if seen.iter().any(Transfer::completed) {
            continue;
        }
        if seen.iter().any(Transfer::failed_at_tls) {
            failures += 1;
            if session.endpoint().transfers.iter().any(Transfer::completed) {
                return; // some came through before: that is the finding
            }
        }
        if super::refused_for_itself(session.endpoint()) && failures == 0 {
            return; // the same refusal would meet every other way
        }
        ways.remove(position);
    }
}

/// One listing with a TLS session of its own, to learn whether the server demands the control connection's. And whether it
/// takes data in clear, where that is not learned by a session in clear.
pub(super) async fn without_resumption(session: &mut Session<'_>) {
    if session.data_guard().is_none() {
        return;
    }
    let tried =
        |transfer: &&Transfer| transfer.tls.is_some() && (transfer.completed() || transfer.failed_at_tls());
    let way = session
        .endpoint()
        .transfers
        .iter()
        .filter(tried)
        .map(|transfer| (transfer.mode, transfer.via))
        .next();
    let Some((mode, via)) = way else { return };
    if !session.reopen().await {
        return;
    }
    if !crate::checks::middlebox::compares(session) {
        let clear = session.ask(Command::ProtClear).await;
        if clear.positive() {
            session.ask(Command::ProtPrivate).await;
        }
        if let Some(tls) = &mut session.endpoint_mut().tls {
            tls.prot_clear = Some(clear);
        }
    }
    let order = Order { own_session: true, ..Order::listing(mode, via) };
    run::transfer(session, &order).await;
}
