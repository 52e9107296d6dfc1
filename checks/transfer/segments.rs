//! The experiment that proves an MTU black hole: a stalled transfer, repeated with small segments.
//!
//! Where packets of full size are lost and nobody says so (RFC 2923 §2.1), small transfers pass and large ones hang. If the
//! same transfer comes through once the server is held to small segments, that is proven; halving then finds the size.

use super::run::{self, Order};
use crate::evidence::Transfer;
use crate::ftp::Command;
use crate::probe::Session;

/// A segment that passes every path: with its headers it fits into the 576 bytes that every IPv4 host takes (RFC 9293
/// §3.7.1).
pub(super) const SMALL: u16 = 536;

/// The segment of a full Ethernet packet over IPv4; what stalls is at most of this size.
const FULL: u16 = 1460;

/// How near to the edge the size is searched, in bytes.
const NEAR: u16 = 32;

/// Sessions that the experiment may cost: each stalled transfer leaves a session behind that is of no use.
const SESSIONS: u32 = 9;

/// Repeats the last transfer with small segments, if it stalled.
pub(super) async fn experiment(session: &mut Session<'_>, order: &Order) {
    if !stalled(session) {
        return;
    }
    session.progress("the transfer stalls; trying it with small packets");
    if !attempt(session, order, SMALL).await {
        session.limit_segments(None);
        return;
    }
    let (mut passes, mut fails) = (SMALL, FULL);
    while fails - passes > NEAR && !session.left().is_zero() {
        let middle = passes.midpoint(fails);
        if attempt(session, order, middle).await {
            passes = middle;
        } else if session.connected() || stalled(session) {
            fails = middle;
        } else {
            break;
        }
    }
    session.limit_segments(None);
}

/// Whether the last transfer stalled.
pub(super) fn stalled(session: &Session<'_>) -> bool {
    session.endpoint().transfers.last().is_some_and(Transfer::stalled)
}

/// Whether the transfer comes through with segments of that size.
async fn attempt(session: &mut Session<'_>, order: &Order, segment: u16) -> bool {
    // The server is still busy with the stalled one.
    session.abandon();
    if !session.reopen_within(SESSIONS).await {
        return false;
    }
    if matches!(order.command, Command::Retr(_)) {
        session.ask(Command::TypeImage).await;
    }
    let before = session.endpoint().transfers.len();
    session.limit_segments(Some(segment));
    run::transfer(session, order).await;
    session.endpoint().transfers.get(before..).is_some_and(|new| new.iter().any(Transfer::completed))
}
