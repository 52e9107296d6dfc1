//! `--idle`: does the control connection live through a silence, in the way that breaks in the field?
//!
//! A NAT device or firewall forgets a connection on which nothing moves. If the client speaks first, most of them pick it
//! up again, so that an idle wait and a NOOP show nothing. In a long transfer the *server* speaks first, with its 226, and
//! that is lost. So LIST is sent, its data connection is kept back for the time given, and then opened: the server's next
//! word has to cross a connection that was silent for so long.

use std::time::Duration;

use super::ways_to_try;
use crate::clock::Stopwatch;
use crate::evidence::{Answer, IdleTest, Mode, Patience, Via};
use crate::ftp::Command;
use crate::probe::Session;

/// Sessions that the test may cost: one with and one without keep-alive, after what went before.
const SESSIONS: u32 = 5;

/// Keep-alive probes cross the connection so many times in the silence.
const PROBES: u32 = 4;

/// The test without keep-alive, and with it if that fails.
pub(super) async fn test(session: &mut Session<'_>, silence: Duration) {
    let Some((mode, via)) = ways_to_try(session.endpoint()).first().copied() else { return };
    for keep_alive in [false, true] {
        if !session.reopen_within(SESSIONS).await || session.left() < silence {
            return;
        }
        let Some(seen) = wait(session, mode, via, silence, keep_alive).await else { return };
        let survived = seen.survived();
        session.endpoint_mut().idle.push(seen);
        // What was said since belongs to the listing: this session is out of step.
        session.abandon();
        if survived {
            return;
        }
    }
}

async fn wait(
    session: &mut Session<'_>,
    mode: Mode,
    via: Via,
    silence: Duration,
    keep_alive: bool,
) -> Option<IdleTest> {
    let how = if keep_alive { "with keep-alive" } else { "without a packet" };
    session.progress(&format!("keeping the control connection silent for {} s, {how}", silence.as_secs()));
    if keep_alive {
        session.control()?.stream().keep_alive(silence / PROBES);
    }
    let offer = session.offer(mode).await;
    session.endpoint().offers.get(offer)?.announced?;
    let patience = session.plan.limits.first_sign.min(session.left());
    session.control()?.send(&Command::List, patience).await.ok()?;
    let clock = Stopwatch::start();
    // Servers that answer at once (150 before the connection) have spoken; only what comes after the silence counts.
    let early = session.listen(silence).await;
    let left = silence.saturating_sub(clock.elapsed());
    if early.reply().is_some_and(crate::ftp::Reply::preliminary) {
        let during = session.listen(left).await;
        if !matches!(during, Answer::Silence { .. }) {
            return Some(IdleTest { silent_ms: clock.elapsed_ms(), keep_alive, mode, answer: during });
        }
    } else if !matches!(early, Answer::Silence { .. }) {
        // The server's own patience ended, and its word came through: the connection lives.
        return Some(IdleTest { silent_ms: clock.elapsed_ms(), keep_alive, mode, answer: early });
    }
    let silent_ms = clock.elapsed_ms();
    let stream = session.visit(offer, via, Patience::Patient).await;
    let answer = session.listen(session.plan.limits.first_sign).await;
    drop(stream);
    Some(IdleTest { silent_ms, keep_alive, mode, answer })
}
