//! One transfer: the data connection and the control connection watched side by side.

use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use crate::checks::paths::closed_at_control;
use crate::clock::{Stopwatch, in_ms};
use crate::evidence::{
    Answer, Connect, DataEnd, DataTls, HandshakeOutcome, Mode, Outcome, Patience, Transfer, Via,
};
use crate::ftp::Command;
use crate::net::Stream;
use crate::net::tls::Opened;
use crate::probe::Session;

/// How often a long transfer tells how far it is.
pub(super) const PROGRESS_STEP: u64 = 256 * 1024;

/// Bytes of a listing that are read: what flows so far has proven its way.
const LISTING_LIMIT: u64 = 8 * 1024 * 1024;

/// Bytes that show that small segments get through where usual ones did not: dozens of packets.
pub(super) const EXPERIMENT_LIMIT: u64 = 32 * 1024;

/// What is to be transferred, and how.
#[derive(Clone, Debug)]
pub(super) struct Order {
    /// The passive command.
    pub(super) mode: Mode,
    /// Which address to connect to.
    pub(super) via: Via,
    /// LIST or RETR.
    pub(super) command: Command,
    /// What the server said that the file has, in bytes.
    pub(super) size: Option<u64>,
    /// Under TLS: a session of its own, instead of the control connection's.
    pub(super) own_session: bool,
}

impl Order {
    /// A listing.
    pub(super) fn listing(mode: Mode, via: Via) -> Self {
        Self { mode, via, command: Command::List, size: None, own_session: false }
    }
}

/// Asks for a fresh listener, connects, sends the command, and follows it to the end. The facts are added to the
/// evidence.
pub(super) async fn transfer(session: &mut Session<'_>, order: &Order) {
    let Order { mode, via, command, size, own_session } = order.clone();
    let Some((stream, data)) = connect(session, mode, via).await else { return };
    let mut seen = nothing_yet(session, &command, (mode, via), data);
    seen.expected_bytes = size;
    if let Some(tls) = &mut seen.tls {
        tls.reuse = !own_session;
    }
    session.progress(&format!("{} by {mode}", command.verb()));
    let clock = Stopwatch::start();
    follow(session, &command, stream, &mut seen, clock).await;
    seen.elapsed_ms = clock.elapsed_ms();
    conclude(session, &command, seen);
}

/// A transfer of which nothing has come yet.
pub(super) fn nothing_yet(
    session: &Session<'_>,
    command: &Command,
    (mode, via): (Mode, Via),
    data: Connect,
) -> Transfer {
    let tls = DataTls { reuse: true, handshake: None, other_certificate: false, close_notify: None };
    Transfer {
        mode,
        via,
        command: command.shown(),
        data,
        segment: session.segment(),
        tls: session.data_guard().map(|_| tls),
        preliminary: None,
        completion: None,
        bytes: 0,
        first_byte_ms: None,
        elapsed_ms: 0.0,
        end: None,
        expected_bytes: None,
        capped: false,
        foreign_greeting: None,
        upload: None,
    }
}

/// Adds the facts of a transfer that is over to the evidence.
pub(super) fn conclude(session: &mut Session<'_>, command: &Command, mut seen: Transfer) {
    if seen.capped {
        // The server answers the broken-off listing at some point; this connection's replies are out of step now.
        session.abandon();
    }
    seen.foreign_greeting = seen.foreign_greeting.map(|greeting| session.scrubbed(&greeting));
    if let Some(lost) =
        [&seen.completion, &seen.preliminary].into_iter().flatten().find(|a| a.reply().is_none())
    {
        session.note_loss(command.verb(), &lost.clone());
    }
    session.remark(super::describe(&seen));
    session.endpoint_mut().transfers.push(seen);
}

/// Offers that are tried for one transfer where some ports are known to be closed.
const TRIES: usize = 4;

/// A fresh listener and a connection to it. Where some ports open and others do not, an offer of a closed one is no
/// reason to give up, nor to wait for long.
pub(super) async fn connect(
    session: &mut Session<'_>,
    mode: Mode,
    via: Via,
) -> Option<(Box<dyn Stream>, Connect)> {
    let mixed = closed_at_control(session.endpoint()).next().is_some();
    let (tries, patience) = if mixed { (TRIES, Patience::Quick) } else { (1, Patience::Patient) };
    for _ in 0..tries {
        let offer = session.offer(mode).await;
        let stream = session.visit(offer, via, patience).await;
        let visit = session.endpoint().offers.get(offer)?.visits.last()?;
        if let (Some(stream), Outcome::Open) = (stream, &visit.connect.outcome) {
            return Some((stream, visit.connect.clone()));
        }
    }
    None
}

/// What came next.
enum Event {
    Data(std::io::Result<usize>),
    Reply(Answer),
    Secured(Box<Opened>),
    Pause,
}

/// The data connection.
pub(super) enum Data {
    Open(Box<dyn Stream>),
    /// Its TLS handshake is under way.
    Securing(BoxFuture<'static, Opened>),
    Gone,
}

impl Data {
    /// Begins with TLS, if there is to be any. The server is told so by the command, and takes part from then on
    /// (RFC 4217 §12.3).
    pub(super) fn begin(session: &Session<'_>, stream: Box<dyn Stream>, reuse: bool) -> Self {
        match session.data_guard() {
            None => Self::Open(stream),
            Some(guard) => {
                let patience = session.plan.limits.handshake.min(session.left());
                Self::Securing(Box::pin(guard.secure(stream, reuse, patience)))
            }
        }
    }

    /// What comes next on it. May be dropped while it waits: nothing is lost.
    async fn next(&mut self, buffer: &mut [u8]) -> Event {
        match self {
            Self::Open(stream) => Event::Data(stream.read(buffer).await),
            Self::Securing(handshake) => Event::Secured(Box::new(handshake.await)),
            Self::Gone => std::future::pending().await,
        }
    }

    /// Closes our end at once: `ProFTPD` confirms only after it (it lingers for `TimeoutLinger`, 10 s).
    async fn close(&mut self) {
        if let Self::Open(stream) = self {
            let _ = timeout(GOODBYE, stream.shutdown()).await;
        }
        *self = Self::Gone;
    }
}

/// What our own end of a TLS session may take to say goodbye.
pub(super) const GOODBYE: Duration = Duration::from_millis(200);

/// Sends the command and gathers events until both connections have said their last, or one of them keeps silent for too
/// long.
async fn follow(
    session: &mut Session<'_>,
    command: &Command,
    stream: Box<dyn Stream>,
    seen: &mut Transfer,
    clock: Stopwatch,
) {
    let reply = session.plan.limits.reply;
    let sent = match session.control() {
        Some(control) => control.send(command, reply).await,
        None => Err(Answer::Closed { reset: false }),
    };
    if let Err(gone) = sent {
        seen.preliminary = Some(gone);
        return;
    }
    let reuse = seen.tls.as_ref().is_some_and(|tls| tls.reuse);
    let mut data = Data::begin(session, stream, reuse);
    let mut buffer = vec![0; 64 * 1024];
    let (mut told, mut replies) = (0, 0);
    while !finished(seen) {
        let patience = patience(session, seen);
        if patience.is_zero() {
            return;
        }
        match next(session, &mut data, seen, &mut buffer, patience).await {
            Event::Data(Ok(count)) if count > 0 => {
                took(seen, &buffer[..count], clock);
                let enough = match (session.segment(), command) {
                    (Some(_), _) => EXPERIMENT_LIMIT,
                    (None, Command::List) => LISTING_LIMIT,
                    _ => u64::MAX,
                };
                if seen.bytes >= enough {
                    seen.capped = true;
                    return;
                }
                if seen.bytes - told >= PROGRESS_STEP {
                    told = seen.bytes;
                    session.progress(&progress(seen, clock));
                }
            }
            Event::Data(end) => {
                ended(seen, &end);
                data.close().await;
            }
            Event::Secured(opened) => match secured(session, seen, *opened) {
                Some(stream) => data = Data::Open(stream),
                None => data = Data::Gone,
            },
            Event::Reply(answer) => {
                heard(seen, answer);
                replies += 1;
                if replies > PRELIMINARY_LIMIT {
                    let problem = "one preliminary reply after the other".to_owned();
                    seen.completion = Some(Answer::Garbled { problem });
                    return;
                }
            }
            // Our own deadline is no stall of the server's.
            Event::Pause if session.left().is_zero() => return,
            Event::Pause => {
                gave_up(seen, patience);
                return;
            }
        }
    }
}

/// The data is at its end. Under TLS many servers close without the goodbye that RFC 8446 §6.1 wants; the bytes are whole
/// all the same if the server confirms them.
fn ended(seen: &mut Transfer, end: &std::io::Result<usize>) {
    let orderly = match end {
        Ok(_) => Some(true),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Some(false),
        Err(_) => None,
    };
    if let Some(tls) = &mut seen.tls {
        tls.close_notify = orderly;
    }
    seen.end = Some(if orderly.is_some() { DataEnd::Closed } else { DataEnd::Reset });
}

/// The data connection's handshake is over, one way or the other.
pub(super) fn secured(
    session: &Session<'_>,
    seen: &mut Transfer,
    mut opened: Opened,
) -> Option<Box<dyn Stream>> {
    session.scrub_handshake(&mut opened.fact);
    let own =
        session.endpoint().tls.as_ref().and_then(|tls| tls.chain.as_ref()?.own().map(|own| &own.sha256));
    let other = opened.certificate.as_ref().is_some_and(|seen| own.is_some_and(|own| own != seen));
    if opened.stream.is_none() {
        seen.end = Some(match opened.fact.outcome {
            HandshakeOutcome::Silent { waited_ms } => DataEnd::Stalled { silent_ms: waited_ms },
            _ => DataEnd::Unsecured,
        });
    }
    if let Some(tls) = &mut seen.tls {
        (tls.handshake, tls.other_certificate) = (Some(opened.fact), other);
    }
    opened.stream
}

/// Both ends have said their last: a refusal, or a final reply and the end of the data.
fn finished(seen: &Transfer) -> bool {
    let refused =
        seen.preliminary.as_ref().is_some_and(|answer| answer.reply().is_none() || answer.negative());
    let last = seen.completion.as_ref();
    let broken = last.is_some_and(|answer| answer.reply().is_none() || answer.negative());
    refused || broken || (last.is_some() && seen.end.is_some())
}

/// How long to wait for the next event, given what has come so far.
fn patience(session: &Session<'_>, seen: &Transfer) -> Duration {
    let limits = session.plan.limits;
    if session.segment().is_some() && seen.end.is_none() {
        // The experiment with small segments repeats what is known to stall: it needs less patience.
        return (limits.patient + session.rtt() * 8).min(session.left());
    }
    let wanted = match (&seen.preliminary, &seen.end, seen.bytes) {
        // The handshake was waited for already, and no word came beside it.
        (None, Some(DataEnd::Stalled { .. }), 0) => limits.quick,
        (_, Some(_), _) => limits.completion,
        (None, None, 0) => limits.first_sign,
        _ => limits.stall,
    };
    wanted.min(session.left())
}

async fn next(
    session: &mut Session<'_>,
    data: &mut Data,
    seen: &Transfer,
    buffer: &mut [u8],
    patience: Duration,
) -> Event {
    let Some(control) = session.control() else { return Event::Reply(Answer::Closed { reset: false }) };
    // The reply's own patience must not end first: the pause below decides.
    let replies = seen.completion.is_none();
    let generous = patience + Duration::from_secs(5);
    tokio::select! {
        biased;
        event = data.next(buffer), if seen.end.is_none() => event,
        answer = control.answer(generous), if replies => Event::Reply(answer),
        () = sleep(patience) => Event::Pause,
    }
}

/// Bytes arrived. What comes before any reply of the server, and begins like another service's greeting, is one.
fn took(seen: &mut Transfer, bytes: &[u8], clock: Stopwatch) {
    if seen.bytes == 0 {
        seen.first_byte_ms = Some(clock.elapsed_ms());
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
        let foreign = ["SSH-", "HTTP/", "220 ", "220-", "+OK", "* OK", "RFB "];
        if seen.preliminary.is_none() && foreign.iter().any(|greeting| start.starts_with(greeting)) {
            seen.foreign_greeting = Some(start.lines().next().unwrap_or_default().to_owned());
        }
    }
    seen.bytes += bytes.len() as u64;
}

/// Preliminary replies that one command may get: a server that sends them without end has nothing to say.
pub(super) const PRELIMINARY_LIMIT: u32 = 8;

/// A reply arrived: the preliminary one first. A server may leave it out and confirm at once.
pub(super) fn heard(seen: &mut Transfer, answer: Answer) {
    let preliminary = answer.reply().is_some_and(crate::ftp::Reply::preliminary);
    if preliminary {
        if seen.expected_bytes.is_none() {
            seen.expected_bytes =
                answer.reply().filter(|_| seen.command.starts_with("RETR")).and_then(announced_size);
        }
        seen.preliminary = Some(answer);
    } else if seen.preliminary.is_none() && !answer.positive() {
        seen.preliminary = Some(answer);
    } else {
        seen.completion = Some(answer);
    }
}

/// The size that many servers tell in their 150: `150 Opening BINARY mode data connection for x (1234 bytes).`
fn announced_size(reply: &crate::ftp::Reply) -> Option<u64> {
    let before = reply.text().rsplit_once(" bytes)").map(|(before, _)| before)?;
    before.rsplit_once('(')?.1.trim().parse().ok()
}

/// Nothing came for too long: note where it stands.
pub(super) fn gave_up(seen: &mut Transfer, waited: Duration) {
    let silence = Answer::Silence { waited_ms: in_ms(waited) };
    if seen.end.is_none() {
        seen.end = Some(DataEnd::Stalled { silent_ms: in_ms(waited) });
    }
    if seen.preliminary.is_none() && seen.bytes == 0 {
        seen.preliminary = Some(silence);
    } else if seen.completion.is_none() {
        seen.completion = Some(silence);
    }
}

pub(super) fn progress(seen: &Transfer, clock: Stopwatch) -> String {
    #[expect(clippy::cast_precision_loss, reason = "progress for people")]
    let (bytes, total) = (seen.bytes as f64, seen.expected_bytes.map(|total| total as f64));
    let rate = bytes / clock.elapsed().as_secs_f64().max(0.001);
    let share = total
        .filter(|total| *total > 0.0)
        .map(|total| format!(" of {} ({:.0} %)", super::bytes(total), bytes / total * 100.0));
    let verb = if seen.upload.is_some() { "uploading" } else { "downloading" };
    format!("{verb}: {}{}, {}/s", super::bytes(bytes), share.unwrap_or_default(), super::bytes(rate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ftp::Reply;

    #[test]
    fn sizes_in_a_150_are_read() {
        let size = |line: &str| announced_size(&Reply { code: 150, lines: vec![line.to_owned()] });
        assert_eq!(
            size("150 Opening BINARY mode data connection for a.bin (5242880 bytes)."),
            Some(5_242_880)
        );
        assert_eq!(size("150 Here comes the directory listing."), None);
        assert_eq!(size("150 Opening data channel for x (big bytes)"), None);
    }
}
