//! `--upload`: a file of our own goes to the server, is compared, and is removed again.
//!
//! What a client may believe of an upload is little: the system takes bytes in long before they arrive. So little is queued,
//! our end is closed in order, and only then does the server's own end, or its 226, tell that all is there.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use super::proven_ways;
use super::run::{
    Data, EXPERIMENT_LIMIT, GOODBYE, PRELIMINARY_LIMIT, PROGRESS_STEP, conclude, connect, gave_up, heard,
    nothing_yet, progress, secured,
};
use super::segments::{self, SMALL};
use crate::clock::{Stopwatch, unix_nanoseconds};
use crate::evidence::{
    Answer, Connect, DataEnd, Endpoint, Fate, Mode, Offer, Outcome, Transfer, Upload, Via,
};
use crate::ftp::{Command, FileName, Reply};
use crate::net::Stream;
use crate::net::tls::Opened;
use crate::probe::Session;

/// What the file repeats: no secret, and no news to a virus scanner.
const LINE: &[u8; 64] = b"This file was written by pasvcheck to test uploads; remove it.\r\n";

/// Bytes that are written at a time.
const CHUNK: usize = 64 * 1024;

/// Sessions that the upload and the removal of its file may cost, after what went before.
const SESSIONS: u32 = 5;

/// Attempts to have the file removed: servers on Windows keep it locked until they notice that the upload has ended.
const REMOVALS: u32 = 2;

/// The pause between them.
const REMOVAL_PAUSE: Duration = Duration::from_secs(1);

/// Bytes that a server may send on an upload's connection before it is no longer listened to.
const ANSWER_LIMIT: usize = 64 * 1024;

/// Uploads so many bytes by a way that a listing took, and removes the file. One that stalls is repeated with small packets:
/// if that comes through, larger ones are lost on the way (RFC 2923 §2.1).
pub(super) async fn upload(session: &mut Session<'_>, size: u64) {
    let ways: Vec<(Mode, Via)> = proven_ways(session.endpoint()).collect();
    let Some(&first) = ways.first() else { return };
    let Some(way) = ways.into_iter().find(|way| stays_at_target(session, *way)) else {
        let command = Command::Stor(FileName::new(unix_nanoseconds(), std::process::id()));
        withhold(session, &command, first, size);
        return;
    };
    once(session, way, size).await;
    let last = session.endpoint().transfers.last();
    let arrived =
        last.and_then(|seen| seen.upload.as_ref()?.stored_bytes()).is_some_and(|stored| stored >= size);
    if segments::stalled(session) && !arrived && size > u64::from(SMALL) {
        session.progress("the upload stalls; trying it with small packets");
        session.limit_segments(Some(SMALL));
        once(session, way, size.min(EXPERIMENT_LIMIT)).await;
        session.limit_segments(None);
    }
}

/// One upload, and the removal of its file.
async fn once(session: &mut Session<'_>, way: (Mode, Via), size: u64) {
    let file = FileName::new(unix_nanoseconds(), std::process::id());
    let command = Command::Stor(file.clone());
    if !session.reopen_within(SESSIONS).await {
        return;
    }
    session.ask(Command::TypeImage).await;
    let Some((stream, data)) = connect(session, way.0, way.1).await else { return };
    if !session.contact.is_target(session.endpoint().address, data.to.ip()) {
        drop(stream); // the reply named another address this time
        withhold(session, &command, way, size);
        return;
    }
    session.progress(&format!("STOR by {}", way.0));
    let mut seen = nothing_yet(session, &command, way, data);
    seen.expected_bytes = Some(size);
    seen.upload = Some(Upload { file: file.as_str().to_owned(), stored: None, fate: Fate::NotAsked });
    let clock = Stopwatch::start();
    Sending::new(size).follow(session, &command, stream, &mut seen, clock).await;
    seen.elapsed_ms = clock.elapsed_ms();
    let finished = seen.completed();
    if seen.unfinished() {
        // The server is still in the middle of it: the next reply would not be to our next command.
        session.abandon();
    }
    let written = seen.may_have_written();
    if !written && let Some(upload) = &mut seen.upload {
        upload.fate = Fate::NotBegun;
    }
    // Added before the file is removed: should the time run out over that, the report says what is left behind.
    let position = session.endpoint().transfers.len();
    conclude(session, &command, seen);
    if written {
        let login = session.endpoint().login.clone();
        clean_up(session, &file, position, finished).await;
        if !session.endpoint().logged_in() {
            // That nobody was let in again is no news of the login that was checked.
            session.endpoint_mut().login = login;
        }
    }
}

/// Whether data sent this way goes to the target itself. Not a byte is sent to an address that only a reply named.
fn stays_at_target(session: &Session<'_>, (_, via): (Mode, Via)) -> bool {
    let endpoint = session.endpoint();
    let other = super::super::paths::other_address(endpoint);
    via == Via::Control || other.is_none_or(|other| session.contact.is_target(endpoint.address, other))
}

/// Notes that nothing was uploaded, since the only way leads to an address that a reply named.
fn withhold(session: &mut Session<'_>, command: &Command, way: (Mode, Via), size: u64) {
    let last = |offer: &Offer| offer.visits.last().map(|visit| visit.connect.to);
    let Some(to) = session.endpoint().offers_of(way.0).filter_map(last).next_back() else { return };
    let reason = "nothing is uploaded to an address that only a reply named".to_owned();
    let data = Connect { to, outcome: Outcome::NotContacted { reason }, elapsed_ms: 0.0 };
    let mut seen = nothing_yet(session, command, way, data);
    seen.expected_bytes = Some(size);
    session.endpoint_mut().transfers.push(seen);
}

/// Compares what arrived, and has the file removed.
async fn clean_up(session: &mut Session<'_>, file: &FileName, position: usize, finished: bool) {
    session.progress("removing the uploaded file");
    let fresh = !session.connected();
    if !session.reopen_within(SESSIONS).await {
        return;
    }
    if fresh {
        session.ask(Command::TypeImage).await;
    }
    let stored = session.ask(Command::Size(file.argument())).await;
    note(session.endpoint_mut(), position, |upload| upload.stored = Some(stored));
    for attempt in 0..REMOVALS {
        if attempt > 0 {
            sleep(REMOVAL_PAUSE.min(session.left())).await;
        }
        if !session.reopen_within(SESSIONS).await {
            return;
        }
        let answer = session.ask(Command::Dele(file.clone())).await;
        let settled = answer.positive() || (finished && answer.reply().is_some());
        let fate = if answer.positive() { Fate::Removed } else { Fate::Answered { answer } };
        note(session.endpoint_mut(), position, |upload| upload.fate = fate);
        if settled {
            return;
        }
    }
}

fn note(endpoint: &mut Endpoint, position: usize, change: impl FnOnce(&mut Upload)) {
    if let Some(upload) = endpoint.transfers.get_mut(position).and_then(|seen| seen.upload.as_mut()) {
        change(upload);
    }
}

/// What became of the file, to stand behind the facts of its transfer.
pub(super) fn fate_in_words(transfer: &Transfer) -> String {
    let Some(upload) = &transfer.upload else { return String::new() };
    match &upload.fate {
        Fate::NotBegun => String::new(),
        Fate::Removed => "; the file is removed".to_owned(),
        Fate::Answered { answer } => format!("; DELE → {}", answer.describe()),
        Fate::NotAsked => "; the server could not be asked to remove the file".to_owned(),
    }
}

/// Whether the file is still there, as far as can be told: it may have been written, and nobody confirmed its removal or
/// its absence.
pub(super) fn remains(transfer: &Transfer) -> bool {
    let Some(upload) = &transfer.upload else { return false };
    let seen_there = upload.stored_bytes().is_some();
    let begun = transfer.bytes > 0
        || transfer.preliminary.as_ref().and_then(Answer::reply).is_some_and(Reply::preliminary);
    match &upload.fate {
        Fate::NotBegun | Fate::Removed => false,
        Fate::NotAsked => begun,
        Fate::Answered { answer } => {
            let absent = answer.reply().is_some_and(tells_absence);
            seen_there || (begun && !absent)
        }
    }
}

/// Whether the server answered SIZE and DELE alike with a refusal.
pub(super) fn denied(transfer: &Transfer) -> bool {
    transfer.upload.as_ref().is_some_and(|upload| {
        let size = upload.stored.as_ref().and_then(Answer::code) == Some(550);
        let removal = matches!(&upload.fate, Fate::Answered { answer } if answer.code() == Some(550));
        size && removal
    })
}

/// Words of servers for a file that is not there. Some remove what was not finished by themselves.
fn tells_absence(reply: &Reply) -> bool {
    const WORDS: &[&str] =
        &["no such file", "not found", "doesn't exist", "does not exist", "cannot find", "could not find"];
    reply.code == 550 && WORDS.iter().any(|words| reply.says(words))
}

/// How far an upload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Bytes go out.
    Sending,
    /// Our end is being closed: TLS first (`close_notify`), then TCP (FIN).
    Closing,
    /// The server's end is awaited.
    Listening,
}

/// What came next.
enum Event {
    Sent(io::Result<usize>),
    Closed(io::Result<()>),
    Heard(io::Result<usize>),
    Reply(Answer),
    Secured(Box<Opened>),
    Pause,
}

/// An upload under way.
struct Sending {
    size: u64,
    stage: Stage,
    contents: Vec<u8>,
    /// Bytes that the server sent on the data connection.
    heard: usize,
}

impl Sending {
    fn new(size: u64) -> Self {
        let contents = LINE.repeat(CHUNK / LINE.len() + 1);
        Self { size, stage: Stage::Sending, contents, heard: 0 }
    }

    /// Sends the command and gathers events until the server has said its last, or one side keeps silent for too long.
    async fn follow(
        mut self,
        session: &mut Session<'_>,
        command: &Command,
        stream: Box<dyn Stream>,
        seen: &mut Transfer,
        clock: Stopwatch,
    ) {
        // Time that is kept to remove the file again.
        let spare = (session.plan.limits.reply * 2).min(session.left() / 4);
        let reply = session.plan.limits.reply;
        let sent = match session.control() {
            Some(control) => control.send(command, reply).await,
            None => Err(Answer::Closed { reset: false }),
        };
        if let Err(gone) = sent {
            seen.preliminary = Some(gone);
            return;
        }
        stream.queue_little();
        let mut data = Data::begin(session, stream, true);
        let (mut told, mut replies) = (0, 0);
        while !finished(seen) {
            let patience = self.patience(session, seen).min(session.left().saturating_sub(spare));
            if patience.is_zero() {
                break;
            }
            match self.next(session, &mut data, seen, patience).await {
                Event::Reply(answer) => {
                    heard(seen, answer);
                    replies += 1;
                    if replies > PRELIMINARY_LIMIT {
                        let problem = "one preliminary reply after the other".to_owned();
                        seen.completion = Some(Answer::Garbled { problem });
                    }
                }
                Event::Secured(opened) => match secured(session, seen, *opened) {
                    Some(stream) => data = Data::Open(stream),
                    None => data = Data::Gone,
                },
                // Our own deadline is no stall of the server's.
                Event::Pause if session.left() <= spare => break,
                Event::Pause => gave_up(seen, patience),
                event => {
                    self.moved(event, seen, clock);
                    if seen.bytes - told >= PROGRESS_STEP {
                        told = seen.bytes;
                        session.progress(&progress(seen, clock));
                    }
                }
            }
        }
        self.part(data, seen).await;
    }

    /// Something happened on the data connection.
    fn moved(&mut self, event: Event, seen: &mut Transfer, clock: Stopwatch) {
        match event {
            Event::Sent(Ok(count)) if count > 0 => {
                seen.first_byte_ms.get_or_insert_with(|| clock.elapsed_ms());
                seen.bytes += count as u64;
                if seen.bytes >= self.size {
                    self.stage = Stage::Closing;
                }
            }
            // After a reset by the server the socket is no longer connected: the next read tells.
            Event::Closed(Err(error)) if error.kind() != io::ErrorKind::NotConnected => {
                seen.end = Some(DataEnd::Reset);
            }
            Event::Closed(_) => self.stage = Stage::Listening,
            Event::Heard(Ok(count)) if count > 0 && self.heard < ANSWER_LIMIT => self.heard += count,
            Event::Heard(end) => ended(seen, &end),
            _ => seen.end = Some(DataEnd::Reset),
        }
    }

    /// What comes next. The server's word goes first: it may end the upload.
    async fn next(
        &self,
        session: &mut Session<'_>,
        data: &mut Data,
        seen: &Transfer,
        patience: Duration,
    ) -> Event {
        let Some(control) = session.control() else { return Event::Reply(Answer::Closed { reset: false }) };
        // The reply's own patience must not end first: the pause below decides.
        let generous = patience + Duration::from_secs(5);
        tokio::select! {
            biased;
            answer = control.answer(generous) => Event::Reply(answer),
            event = self.advance(data, seen), if seen.end.is_none() => event,
            () = sleep(patience) => Event::Pause,
        }
    }

    /// The next step on the data connection. May be dropped while it waits: nothing is lost, and nothing sent twice.
    async fn advance(&self, data: &mut Data, seen: &Transfer) -> Event {
        let stream = match data {
            Data::Securing(handshake) => return Event::Secured(Box::new(handshake.await)),
            Data::Gone => return std::future::pending().await,
            Data::Open(stream) => stream,
        };
        match self.stage {
            // Nothing is sent before the server has said that it begins: it may refuse.
            Stage::Sending if seen.preliminary.is_none() => std::future::pending().await,
            Stage::Sending => Event::Sent(stream.write(self.piece(seen.bytes)).await),
            Stage::Closing => Event::Closed(stream.shutdown().await),
            Stage::Listening => Event::Heard(stream.read(&mut [0; 512]).await),
        }
    }

    /// What is to be sent from an offset on.
    fn piece(&self, from: u64) -> &[u8] {
        let phase = usize::try_from(from % LINE.len() as u64).unwrap_or_default();
        let left = usize::try_from(self.size.saturating_sub(from)).unwrap_or(usize::MAX);
        &self.contents[phase..phase + left.min(CHUNK)]
    }

    /// How long to wait for the next event.
    fn patience(&self, session: &Session<'_>, seen: &Transfer) -> Duration {
        let limits = session.plan.limits;
        match (&seen.preliminary, &seen.end) {
            // The handshake was waited for already, and no word came beside it.
            (None, Some(DataEnd::Stalled { .. })) => limits.quick,
            (None, None) => limits.first_sign,
            (_, Some(_)) => limits.completion,
            // The experiment with small packets repeats what is known to stall: it needs less patience.
            (_, None) if session.segment().is_some() && self.stage == Stage::Sending => {
                limits.patient + session.rtt() * 8
            }
            (_, None) if session.segment().is_some() => limits.stall,
            // What is queued has to arrive, and the server may look through the file before it confirms.
            (_, None) if self.stage != Stage::Sending => limits.stall + limits.completion,
            (_, None) => limits.stall,
        }
    }

    /// Ends with the data connection. One that came to no end is reset, so that the server lets go of the file; from one that
    /// is done the rest is read: TLS tickets for later, and no unread byte that would turn our end into a reset.
    async fn part(&self, data: Data, seen: &mut Transfer) {
        let Data::Open(mut stream) = data else { return };
        if !seen.completion.as_ref().is_some_and(Answer::positive) {
            if seen.end != Some(DataEnd::Closed) {
                stream.reset_on_close();
            }
            return;
        }
        // A server that confirms has all that it wants, whatever became of the connection since.
        let open = seen.end.replace(DataEnd::Closed).is_none();
        let rest = async {
            let mut ignored = [0; 512];
            for _ in 0..ANSWER_LIMIT / ignored.len() {
                match stream.read(&mut ignored).await {
                    Ok(1..) => {}
                    end => return ended(seen, &end),
                }
            }
        };
        if open {
            let _ = timeout(GOODBYE, rest).await;
            seen.end = Some(DataEnd::Closed);
        }
    }
}

/// The server closed its end: in order, without TLS's goodbye (RFC 8446 §6.1), or by a reset.
fn ended(seen: &mut Transfer, end: &io::Result<usize>) {
    let orderly = match end {
        Ok(_) => Some(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Some(false),
        Err(_) => None,
    };
    if let Some(tls) = &mut seen.tls {
        tls.close_notify = orderly;
    }
    seen.end = Some(if orderly.is_some() { DataEnd::Closed } else { DataEnd::Reset });
}

/// The server has said its last: a refusal, a final reply, or nothing for too long.
fn finished(seen: &Transfer) -> bool {
    let refused =
        seen.preliminary.as_ref().is_some_and(|answer| answer.reply().is_none() || answer.negative());
    refused || seen.completion.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_join_without_a_seam() {
        let sending = Sending::new(200_000);
        let mut joined: Vec<u8> = Vec::new();
        while joined.len() < 200_000 {
            let most = sending.piece(joined.len() as u64).len().min(1000);
            joined.extend_from_slice(&sending.piece(joined.len() as u64)[..most]);
        }
        assert_eq!(joined.len(), 200_000);
        assert!(joined.iter().zip(LINE.iter().cycle()).all(|(sent, wanted)| sent == wanted));
        assert_eq!(sending.piece(199_999).len(), 1);
        assert!(sending.piece(200_000).is_empty());
    }

    #[test]
    fn absence_is_told_by_words() {
        let says = |line: &str| {
            tells_absence(&Reply { code: line[..3].parse().unwrap(), lines: vec![line.to_owned()] })
        };
        assert!(says("550 x.tmp: No such file or directory"));
        assert!(says("550 The system cannot find the file specified. "));
        assert!(!says("550 Permission denied."));
        assert!(!says("450 No such file, busy"));
    }
}
