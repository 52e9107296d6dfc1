//! The control dialogue over any `AsyncRead + AsyncWrite` (RFC 959 §5).
//!
//! One command, one reply, never two commands at once. Every line is kept with its time; the password is scrubbed from
//! whatever the server echoes before the line is kept or handed out.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::passive::{self, PassiveError};
use super::{Command, Reply, ReplyReader, Secret};
use crate::clock::{Stopwatch, in_ms};
use crate::evidence::{Announced, Answer, Entry, Speaker};

/// Bytes of dialogue that are kept of one connection: a hostile server does not fill the report.
const TRANSCRIPT_LIMIT: usize = 128 * 1024;

/// Characters of one line that are kept in the transcript.
const LINE_LIMIT: usize = 1000;

/// A control connection in use.
#[derive(Debug)]
pub struct Control<S> {
    stream: S,
    reader: ReplyReader,
    secret: Option<Secret>,
    clock: Stopwatch,
    transcript: Vec<Entry>,
    /// Bytes that went into the transcript.
    kept: usize,
    last_verb: Option<&'static str>,
    unasked: Vec<Reply>,
    ended: Option<Answer>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Control<S> {
    /// Takes over an open connection; `clock` is the run's, so that times of several connections compare.
    pub fn new(stream: S, clock: Stopwatch) -> Self {
        Self {
            stream,
            reader: ReplyReader::default(),
            secret: None,
            clock,
            transcript: Vec::new(),
            kept: 0,
            last_verb: None,
            unasked: Vec::new(),
            ended: None,
        }
    }

    /// Scrubs this password from everything, from now on: a server may echo it on a later connection too.
    pub fn protect(&mut self, secret: &Secret) {
        self.secret = Some(secret.clone());
    }

    /// Sends a command and waits for its first reply.
    pub async fn ask(&mut self, command: &Command, patience: Duration) -> Answer {
        if let Err(gone) = self.send(command, patience).await {
            return gone;
        }
        self.answer(patience).await
    }

    /// Sends PASV or EPSV and reads the offer out of the answer before anything is scrubbed from it: a password that is
    /// a digit must not change a port.
    pub async fn ask_passive(
        &mut self,
        command: &Command,
        patience: Duration,
    ) -> (Answer, Option<Result<Announced, PassiveError>>) {
        if let Err(gone) = self.send(command, patience).await {
            return (gone, None);
        }
        loop {
            match self.raw_answer(patience).await {
                Ok(reply) if unasked(&reply) && self.unasked.len() < UNASKED_LIMIT => {
                    let reply = self.keep(reply);
                    self.unasked.push(reply);
                }
                Ok(reply) => {
                    let offer = passive::read(&reply);
                    return (Answer::Reply(self.keep(reply)), offer);
                }
                Err(answer) => return (answer, None),
            }
        }
    }

    /// Replies that no command asked for, which are then forgotten here.
    pub fn take_unasked(&mut self) -> Vec<Reply> {
        std::mem::take(&mut self.unasked)
    }

    /// Sends a command without waiting for the reply. Only transfers need this: their reply and their data come side
    /// by side.
    pub async fn send(&mut self, command: &Command, patience: Duration) -> Result<(), Answer> {
        if let Some(ended) = &self.ended {
            return Err(ended.clone());
        }
        if let Command::Pass(secret) = command {
            self.secret = Some(secret.clone());
        }
        self.last_verb = Some(command.verb());
        self.note(Speaker::Client, command.shown());
        let bytes = command.bytes();
        match timeout(patience, self.stream.write_all(&bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.end(&error)),
            Err(_) => Err(self.silence(patience)),
        }
    }

    /// Waits for the next reply: the greeting, a preliminary reply's successor, or one that [`send`](Self::send) asked
    /// for. Safe to drop while it waits: bytes that came stay for the next call.
    pub async fn answer(&mut self, patience: Duration) -> Answer {
        match self.raw_answer(patience).await {
            Ok(reply) => Answer::Reply(self.keep(reply)),
            Err(answer) => answer,
        }
    }

    /// Adds a remark about the connection to the transcript.
    pub fn remark(&mut self, remark: String) {
        self.note(Speaker::Note, remark);
    }

    /// The transcript so far, which is then forgotten here.
    pub fn take_transcript(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.transcript)
    }

    /// The connection itself, for its options.
    pub fn stream(&self) -> &S {
        &self.stream
    }

    /// The connection, for whoever puts TLS on it. What was received and not read is lost on purpose: clear text must not
    /// slip into the protected dialogue (RFC 4217 §15.1.2).
    pub fn into_stream(self) -> S {
        self.stream
    }

    /// How the connection ended, if it did.
    pub fn ended(&self) -> Option<&Answer> {
        self.ended.as_ref()
    }

    /// The verb of the last command that was sent.
    pub fn last_verb(&self) -> Option<&'static str> {
        self.last_verb
    }

    /// What was received and is no whole reply.
    pub fn unfinished(&self) -> String {
        self.reader.unfinished()
    }

    async fn raw_answer(&mut self, patience: Duration) -> Result<Reply, Answer> {
        let started = Stopwatch::start();
        loop {
            match self.reader.next_reply() {
                Ok(Some(reply)) => return Ok(reply),
                Ok(None) => {}
                Err(problem) => return Err(self.garbled(&problem.to_string())),
            }
            if let Some(ended) = &self.ended {
                return Err(ended.clone());
            }
            let mut chunk = [0; 4096];
            let left = patience.saturating_sub(started.elapsed());
            match timeout(left, self.stream.read(&mut chunk)).await {
                Ok(Ok(0)) => return Err(self.closed(false)),
                Ok(Ok(count)) => self.reader.push(&chunk[..count]),
                Ok(Err(error)) => return Err(self.end(&error)),
                Err(_) => return Err(self.silence(patience)),
            }
        }
    }

    /// Scrubs a reply and writes it into the transcript.
    fn keep(&mut self, reply: Reply) -> Reply {
        let lines: Vec<String> = match &self.secret {
            Some(secret) => reply.lines.iter().map(|line| secret.scrub(line)).collect(),
            None => reply.lines,
        };
        for line in &lines {
            self.note(Speaker::Server, line.clone());
        }
        Reply { code: reply.code, lines }
    }

    fn end(&mut self, error: &io::Error) -> Answer {
        // TLS says so of records that it cannot read, and of the other side's fatal alerts.
        if error.kind() == io::ErrorKind::InvalidData {
            return self.garbled(&format!("TLS broke off: {error}"));
        }
        let reset = matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe);
        self.closed(reset)
    }

    fn closed(&mut self, reset: bool) -> Answer {
        let how = if reset { "control connection reset" } else { "control connection closed by the server" };
        self.note(Speaker::Note, how.to_owned());
        let answer = Answer::Closed { reset };
        self.ended = Some(answer.clone());
        answer
    }

    fn silence(&mut self, waited: Duration) -> Answer {
        self.note(Speaker::Note, format!("no reply within {:.1} s", waited.as_secs_f64()));
        Answer::Silence { waited_ms: in_ms(waited) }
    }

    /// Bytes that are no reply leave the dialogue without a common ground: nothing more is asked on this connection.
    fn garbled(&mut self, problem: &str) -> Answer {
        let problem = self.secret.as_ref().map_or_else(|| problem.to_owned(), |secret| secret.scrub(problem));
        self.note(Speaker::Server, problem.clone());
        let answer = Answer::Garbled { problem };
        self.ended = Some(answer.clone());
        answer
    }

    fn note(&mut self, from: Speaker, line: String) {
        let line = shortened(line);
        if self.kept + line.len() <= TRANSCRIPT_LIMIT {
            self.kept += line.len();
            self.transcript.push(Entry { at_ms: self.clock.elapsed_ms(), from, line });
        }
    }
}

/// Unasked replies that are put up with; beyond them they count as answers.
const UNASKED_LIMIT: usize = 16;

/// Whether a reply is about a data connection that came and not about the command that was sent: pyftpdlib rejects a
/// foreign one at once, while the client is already asking for the next port.
fn unasked(reply: &Reply) -> bool {
    reply.code == 425 && reply.says("rejected data connection from foreign address")
}

/// A line of bearable length.
fn shortened(line: String) -> String {
    match line.char_indices().nth(LINE_LIMIT) {
        Some((end, _)) => format!("{}… ({} bytes in all)", &line[..end], line.len()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;
    use crate::evidence::Mode;

    const PATIENCE: Duration = Duration::from_secs(2);

    fn pair() -> (Control<DuplexStream>, DuplexStream) {
        let (ours, theirs) = duplex(1 << 20);
        (Control::new(ours, Stopwatch::start()), theirs)
    }

    #[tokio::test]
    async fn asks_and_keeps_the_dialogue() {
        let (mut control, mut server) = pair();
        server.write_all(b"220 hello\r\n").await.unwrap();
        assert_eq!(control.answer(PATIENCE).await.code(), Some(220));
        server.write_all(b"215 UNIX\r\n").await.unwrap();
        assert_eq!(control.ask(&Command::Syst, PATIENCE).await.code(), Some(215));
        let lines: Vec<String> = control.take_transcript().into_iter().map(|entry| entry.line).collect();
        assert_eq!(lines, ["220 hello", "SYST", "215 UNIX"]);
        let mut sent = [0; 6];
        server.read_exact(&mut sent).await.unwrap();
        assert_eq!(&sent, b"SYST\r\n");
    }

    #[tokio::test]
    async fn an_echoed_password_is_scrubbed() {
        let (mut control, mut server) = pair();
        server.write_all(b"530 no such password: hunter2\r\n").await.unwrap();
        let answer = control.ask(&Command::Pass(Secret::new("hunter2").unwrap()), PATIENCE).await;
        assert!(!format!("{answer:?} {:?}", control.take_transcript()).contains("hunter2"));
    }

    #[tokio::test]
    async fn a_password_of_digits_does_not_change_a_port() {
        let (mut control, mut server) = pair();
        server.write_all(b"230 in\r\n227 Entering Passive Mode (192,0,2,1,195,81)\r\n").await.unwrap();
        control.ask(&Command::Pass(Secret::new("1").unwrap()), PATIENCE).await;
        let (_, offer) = control.ask_passive(&Command::Passive(Mode::Pasv), PATIENCE).await;
        assert_eq!(offer.unwrap().unwrap().port, 50001);
    }

    #[tokio::test]
    async fn silence_closing_and_garbage_are_answers() {
        let (mut control, server) = pair();
        assert!(matches!(control.answer(Duration::from_millis(20)).await, Answer::Silence { .. }));
        drop(server);
        assert_eq!(control.ask(&Command::Quit, PATIENCE).await, Answer::Closed { reset: true });

        let (mut control, mut server) = pair();
        server.write_all(b"SSH-2.0-x\r\n").await.unwrap();
        assert!(matches!(control.answer(PATIENCE).await, Answer::Garbled { .. }));
        assert!(
            matches!(control.ask(&Command::Syst, PATIENCE).await, Answer::Garbled { .. }),
            "and it stays so"
        );
    }

    #[tokio::test]
    async fn a_dropped_wait_loses_nothing() {
        let (mut control, mut server) = pair();
        server.write_all(b"226 do").await.unwrap();
        let wait = timeout(Duration::from_millis(20), control.answer(PATIENCE)).await;
        assert!(wait.is_err());
        server.write_all(b"ne\r\n").await.unwrap();
        assert_eq!(control.answer(PATIENCE).await.code(), Some(226));
    }
}
