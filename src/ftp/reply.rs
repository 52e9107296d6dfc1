//! Replies: bytes → [`Reply`] (RFC 959 §4.2), leniently.
//!
//! Real servers and the devices in front of them end lines with LF alone, mix Telnet codes in, speak Latin-1, and print
//! pages of greeting. All of that is read; what is bounded is the size.

use serde::{Deserialize, Serialize};

/// Bytes that one reply may have: the longest greetings of the field have a few kilobytes.
pub const REPLY_LIMIT: usize = 64 * 1024;

/// One reply: its code and its lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Reply {
    /// The three digits as a number, 100–699.
    pub code: u16,
    /// The lines as received, code included, without line ends; bytes that are no UTF-8 are replaced.
    pub lines: Vec<String>,
}

impl Reply {
    /// The text of the last line without the code.
    #[must_use]
    pub fn text(&self) -> &str {
        let line = self.last_line();
        line.get(3..).map_or(line, |rest| rest.trim_start_matches(['-', ' ']))
    }

    /// The last line as received, code included.
    #[must_use]
    pub fn last_line(&self) -> &str {
        self.lines.last().map_or("", String::as_str)
    }

    /// Whether any line holds the fragment, whatever the case. Servers reword their replies, so rules look at the code
    /// first and then for a short distinctive fragment.
    #[must_use]
    pub fn says(&self, fragment: &str) -> bool {
        let fragment = fragment.to_ascii_lowercase();
        self.lines.iter().any(|line| line.to_ascii_lowercase().contains(&fragment))
    }

    /// 100–199: another reply will follow (RFC 959 §4.2.1).
    #[must_use]
    pub fn preliminary(&self) -> bool {
        self.code < 200
    }
}

/// Why bytes are no reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// The first line does not begin with three digits.
    #[error("\"{0}\" is no FTP reply: it does not begin with a three-digit code")]
    NoCode(String),
    /// More than [`REPLY_LIMIT`] bytes without an end.
    #[error("the reply has no end: more than {} KiB without a closing line", REPLY_LIMIT / 1024)]
    TooLong,
}

/// Collects bytes and hands out replies as they become whole.
#[derive(Debug, Default)]
pub struct ReplyReader {
    bytes: Vec<u8>,
    lines: Vec<String>,
    held: usize,
}

impl ReplyReader {
    /// Adds bytes as they came from the network, Telnet codes and all.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole reply, if there is one.
    pub fn next_reply(&mut self) -> Result<Option<Reply>, ReplyError> {
        while let Some(line) = self.next_line() {
            self.held += line.len() + 2; // with its line end
            self.lines.push(line);
            let first = &self.lines[0];
            let Some(code) = code_of(first) else {
                return Err(ReplyError::NoCode(self.take_lines().swap_remove(0)));
            };
            if closes(first, self.lines.last().unwrap_or(first), self.lines.len()) {
                return Ok(Some(Reply { code, lines: self.take_lines() }));
            }
        }
        if self.held + self.bytes.len() > REPLY_LIMIT {
            return Err(ReplyError::TooLong);
        }
        Ok(None)
    }

    /// What was received and belongs to no whole reply yet: the evidence when a server falls silent in mid-line.
    #[must_use]
    pub fn unfinished(&self) -> String {
        let rest = String::from_utf8_lossy(&self.bytes);
        self.lines.iter().map(String::as_str).chain([rest.as_ref()]).collect::<Vec<_>>().join("\n")
    }

    fn take_lines(&mut self) -> Vec<String> {
        self.held = 0;
        std::mem::take(&mut self.lines)
    }

    /// The next line without its end (CRLF, LF, or the CR NUL of RFC 854) and without Telnet codes.
    fn next_line(&mut self) -> Option<String> {
        let end = self.bytes.iter().position(|byte| *byte == b'\n')?;
        let mut line: Vec<u8> = self.bytes.drain(..=end).collect();
        line.pop();
        while line.last().is_some_and(|byte| matches!(byte, b'\r' | 0)) {
            line.pop();
        }
        Some(String::from_utf8_lossy(&without_telnet(&line)).into_owned())
    }
}

/// The code that a line begins with, if it begins with one.
fn code_of(line: &str) -> Option<u16> {
    let digits = line.as_bytes().get(..3)?;
    let code: u16 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let separated = !line.as_bytes().get(3).is_some_and(u8::is_ascii_digit);
    (digits.iter().all(u8::is_ascii_digit) && (100..700).contains(&code) && separated).then_some(code)
}

/// Whether `line` is the last one of the reply that `first` opened (RFC 959 §4.2: the same code and a blank; some
/// servers leave the blank and the text out).
fn closes(first: &str, line: &str, count: usize) -> bool {
    let multi_line = first.as_bytes().get(3) == Some(&b'-');
    if count == 1 {
        return !multi_line;
    }
    line.get(..3) == first.get(..3) && line.as_bytes().get(3).is_none_or(|byte| *byte == b' ')
}

/// Takes the Telnet commands out (RFC 854; RFC 959 §5.3.1 lets them appear): `IAC WILL x` and its kin, `IAC` and one
/// code; a doubled `IAC` is the byte 255 itself.
fn without_telnet(line: &[u8]) -> Vec<u8> {
    const IAC: u8 = 255;
    let mut clean = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != IAC {
            clean.push(byte);
            continue;
        }
        match tail.first() {
            Some(&IAC) => {
                clean.push(IAC);
                rest = &tail[1..];
            }
            Some(251..=254) => rest = tail.get(2..).unwrap_or_default(),
            Some(_) => rest = &tail[1..],
            None => {}
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Option<Reply>, ReplyError> {
        let mut reader = ReplyReader::default();
        reader.push(bytes);
        reader.next_reply()
    }

    fn lines(bytes: &[u8]) -> Vec<String> {
        read(bytes).expect("a reply").expect("a whole reply").lines
    }

    #[test]
    fn single_line() {
        let reply = read(b"220 (vsFTPd 3.0.5)\r\n").unwrap().unwrap();
        assert_eq!((reply.code, reply.text()), (220, "(vsFTPd 3.0.5)"));
    }

    #[test]
    fn multi_line_ends_with_code_and_blank() {
        assert_eq!(lines(b"220-one\r\n220-two\r\n 220 no\r\n220 end\r\n").len(), 4);
        assert_eq!(lines(b"211-Features:\r\n MDTM\r\n211 End\r\n").len(), 3);
        assert_eq!(lines(b"220-one\r\n220\r\n").len(), 2, "a bare code closes too");
        assert_eq!(lines(b"220-one\r\n221 not the same code\r\n220 end\r\n").len(), 3);
    }

    #[test]
    fn sloppy_line_ends() {
        assert_eq!(lines(b"200 ok\n"), ["200 ok"]);
        assert_eq!(lines(b"200 ok\r\0\n"), ["200 ok"]);
        assert_eq!(lines(b"220\r\n"), ["220"]);
    }

    #[test]
    fn telnet_codes_are_taken_out() {
        assert_eq!(lines(b"\xff\xfb\x01220 \xff\xf1hi\xff\xff\r\n"), ["220 hi\u{fffd}"]);
        assert_eq!(lines(b"220 cut \xff\r\n"), ["220 cut "]);
    }

    #[test]
    fn other_encodings_are_kept_readable() {
        assert_eq!(lines(b"220 Gr\xfc\xdfe\r\n"), ["220 Gr\u{fffd}\u{fffd}e"]);
    }

    #[test]
    fn another_protocol_is_no_reply() {
        assert!(matches!(read(b"SSH-2.0-OpenSSH_9.2\r\n"), Err(ReplyError::NoCode(_))));
        assert!(matches!(read(b"HTTP/1.1 400 Bad Request\r\n"), Err(ReplyError::NoCode(_))));
        assert!(matches!(read(b"2200 four digits\r\n"), Err(ReplyError::NoCode(_))));
        assert!(matches!(read(b"\r\n"), Err(ReplyError::NoCode(_))));
    }

    #[test]
    fn endless_replies_are_cut() {
        let mut reader = ReplyReader::default();
        for _ in 0..=REPLY_LIMIT {
            reader.push(b"x");
        }
        assert_eq!(reader.next_reply(), Err(ReplyError::TooLong));
        let mut reader = ReplyReader::default();
        for _ in 0..REPLY_LIMIT / 8 {
            reader.push(b"220-line\r\n");
        }
        assert_eq!(reader.next_reply(), Err(ReplyError::TooLong));
    }

    #[test]
    fn replies_come_apart_and_together() {
        let mut reader = ReplyReader::default();
        reader.push(b"150 Here");
        assert_eq!(reader.next_reply(), Ok(None));
        reader.push(b" it comes\r\n226 Done\r\n");
        assert_eq!(reader.next_reply().unwrap().unwrap().code, 150);
        assert_eq!(reader.next_reply().unwrap().unwrap().code, 226);
        assert_eq!(reader.next_reply(), Ok(None));
    }

    #[test]
    fn multi_byte_characters_at_the_code_do_no_harm() {
        assert!(matches!(read("2€0 x\r\n".as_bytes()), Err(ReplyError::NoCode(_))));
        assert_eq!(Reply { code: 220, lines: vec!["22€".into()] }.text(), "22€");
    }
}
