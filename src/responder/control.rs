//! The control connection: lines in, replies out.

use std::future::pending;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;

use super::tls::Wire;

/// The longest command line that is obeyed, its end included.
pub(super) const LONGEST_LINE: usize = 4096;

/// The most that one answer may send.
const LONGEST_ANSWER: usize = 64 << 20;

/// How much of a repeated answer is written at a time.
const CHUNK: usize = 64 << 10;

/// A command line, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// In upper case.
    pub(super) verb: String,
    pub(super) argument: String,
}

impl Command {
    pub(super) fn parse(line: &[u8]) -> Self {
        // Before ABOR old clients send Telnet's Interrupt Process and Synch (RFC 959 §4.1.3): bytes from 0xF0 up.
        let start = line.iter().take_while(|byte| **byte >= 0xF0).count();
        let text = String::from_utf8_lossy(line.get(start..).unwrap_or_default());
        let text = text.trim_start().trim_end_matches(['\r', '\n']);
        let (verb, argument) = text.split_once(' ').unwrap_or((text, ""));
        Self { verb: verb.to_ascii_uppercase(), argument: argument.to_owned() }
    }

    /// The command as it may be shown.
    pub(super) fn without_secret(&self) -> String {
        // `contains`, for a PASS behind stray bytes is an unknown verb and a password all the same.
        match (self.verb.contains("PASS"), self.argument.is_empty()) {
            (_, true) => self.verb.clone(),
            (true, false) => format!("{} ***", self.verb),
            (false, false) => format!("{} {}", self.verb, self.argument),
        }
    }
}

/// What came from the client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Command(Command),
    TooLong,
    Closed,
}

/// Why a transfer has to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interruption {
    Abort,
    Quit,
    Left,
}

/// One client.
#[derive(Debug)]
pub(super) struct Control {
    stream: Wire,
    heard: Vec<u8>,
    /// Pause after each byte sent; zero for none.
    pub(super) byte_delay: Duration,
}

impl Control {
    pub(super) fn new(stream: Wire) -> Self {
        Self { stream, heard: Vec::new(), byte_delay: Duration::ZERO }
    }

    /// The next command. Dropping the future loses nothing: half a line stays in the buffer.
    pub(super) async fn command(&mut self) -> Heard {
        loop {
            if self.line_end().unwrap_or(self.heard.len()) >= LONGEST_LINE {
                return Heard::TooLong;
            }
            if let Some(end) = self.line_end() {
                let line: Vec<u8> = self.heard.drain(..=end).collect();
                return Heard::Command(Command::parse(&line));
            }
            if !self.listen().await {
                return Heard::Closed;
            }
        }
    }

    /// Ends when a running transfer should: the client leaves, or `obeys` and it says ABOR or QUIT. These commands stay
    /// to be answered; others wait their turn. Dropping the future loses nothing.
    pub(super) async fn interruption(&mut self, obeys: bool) -> Interruption {
        loop {
            let next = self.line_end().and_then(|end| self.heard.get(..end)).map(Command::parse);
            match next.as_ref().map(|command| command.verb.as_str()) {
                Some("ABOR") if obeys => return Interruption::Abort,
                Some("QUIT") if obeys => return Interruption::Quit,
                _ if self.heard.len() >= LONGEST_LINE => pending().await,
                _ => {}
            }
            if !self.listen().await {
                return Interruption::Left;
            }
        }
    }

    /// Writes a reply: in one segment, unless it has to dribble.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.byte_delay.is_zero() {
            return self.stream.write_all(bytes).await;
        }
        for byte in bytes {
            self.stream.write_all(std::slice::from_ref(byte)).await?;
            sleep(self.byte_delay).await;
        }
        Ok(())
    }

    /// Writes `bytes` again and again, `times` or as often as the bound allows.
    pub(super) async fn send_repeatedly(&mut self, bytes: &[u8], times: usize) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let mut left = times.min(LONGEST_ANSWER / bytes.len());
        // One write for each letter of an endless line would take minutes; many letters to a write take none.
        let together = (CHUNK / bytes.len()).clamp(1, left.max(1));
        let chunk = bytes.repeat(together);
        while left > 0 {
            let now = left.min(together);
            self.send(chunk.get(..now * bytes.len()).unwrap_or_default()).await?;
            left -= now;
        }
        Ok(())
    }

    /// Listens without hearing until the client leaves.
    pub(super) async fn hang(&mut self) {
        loop {
            self.heard.clear();
            if !self.listen().await {
                return;
            }
        }
    }

    /// Whether TLS is on it.
    pub(super) fn secured(&self) -> bool {
        self.stream.secured()
    }

    /// From now on, closing sends a reset.
    pub(super) fn reset_on_close(&self) {
        self.stream.reset_on_close();
    }

    /// Closes in an orderly way.
    pub(super) async fn close(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// The connection itself, for what is no FTP.
    pub(super) fn stream(&mut self) -> &mut Wire {
        &mut self.stream
    }

    fn line_end(&self) -> Option<usize> {
        self.heard.iter().position(|byte| *byte == b'\n')
    }

    /// Reads once. A connection that fails is a client that left.
    async fn listen(&mut self) -> bool {
        self.heard.reserve(512);
        matches!(self.stream.read_buf(&mut self.heard).await, Ok(1..))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_are_folded_and_arguments_kept() {
        let command = Command::parse(b"retr My File.txt\r\n");
        assert_eq!((command.verb.as_str(), command.argument.as_str()), ("RETR", "My File.txt"));
    }

    #[test]
    fn telnet_interrupt_before_abor_is_skipped() {
        assert_eq!(Command::parse(b"\xFF\xF4\xFF\xF2ABOR\r\n").verb, "ABOR");
    }

    #[test]
    fn bytes_that_are_no_text_do_no_harm() {
        assert_eq!(Command::parse(b"\x16\x03\x01\x80\n").argument, "");
        assert_eq!(Command::parse(b"\n").verb, "");
    }
}
