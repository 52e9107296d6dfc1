//! Streams under TLS, with a tap on what comes in beneath it.
//!
//! vsftpd writes its last words (`500 OOPS: …`) in clear text into the TLS connection, where a TLS library only sees a broken
//! record. The tap keeps the last bytes, so that they can be shown.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::client::TlsStream;

use super::Stream;

/// Bytes that the tap keeps.
const KEPT: usize = 1024;

/// The last bytes that came in.
#[derive(Clone, Debug, Default)]
pub(super) struct Tap(Arc<Mutex<Vec<u8>>>);

impl Tap {
    fn took(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(bytes);
        let surplus = kept.len().saturating_sub(KEPT);
        kept.drain(..surplus);
    }

    /// The clear text at the end of what came in, if it looks like the words of a server.
    pub(super) fn in_clear(&self) -> Option<String> {
        clear_text(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The printable lines at the end of some bytes, if they begin like a reply (RFC 959 §4.2) or another protocol's greeting,
/// or if nothing else came at all.
fn clear_text(bytes: &[u8]) -> Option<String> {
    let printable = |byte: &&u8| matches!(**byte, b' '..=b'~' | b'\r' | b'\n' | b'\t');
    let count = bytes.iter().rev().take_while(printable).count();
    let text = std::str::from_utf8(bytes.get(bytes.len() - count..)?).ok()?;
    let begins = |at: &usize| {
        let rest = &text.as_bytes()[*at..];
        let reply =
            rest.len() > 4 && rest[..3].iter().all(u8::is_ascii_digit) && matches!(rest[3], b' ' | b'-');
        let at_line_start = *at == 0 || text.as_bytes()[at - 1] == b'\n';
        // A record's last byte may be printable by chance: vsftpd's own last words are looked for anywhere.
        (at_line_start && reply)
            || ["500 OOPS", "HTTP/", "SSH-"].iter().any(|words| rest.starts_with(words.as_bytes()))
    };
    let alone = count == bytes.len();
    let start = (0..text.len()).find(begins).or_else(|| alone.then_some(0))?;
    let line = text[start..].lines().next()?.trim();
    (line.len() > 4).then(|| line.chars().take(200).collect())
}

/// Reads that are acknowledged at once: those of a handshake, and of the tickets behind it.
const FIRST_READS: u8 = 16;

/// A stream whose incoming bytes are tapped.
#[derive(Debug)]
pub(super) struct Tapped {
    inner: Box<dyn Stream>,
    tap: Tap,
    reads: u8,
}

impl Tapped {
    pub(super) fn new(inner: Box<dyn Stream>) -> (Self, Tap) {
        let tap = Tap::default();
        (Self { inner, tap: tap.clone(), reads: 0 }, tap)
    }
}

impl AsyncRead for Tapped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.reads < FIRST_READS {
            self.reads += 1;
            self.inner.acknowledge_at_once();
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buffer);
        self.tap.took(buffer.filled().get(before..).unwrap_or_default());
        polled
    }
}

impl AsyncWrite for Tapped {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// A stream under TLS.
pub(super) struct Secured {
    inner: TlsStream<Tapped>,
    tap: Tap,
}

impl Secured {
    pub(super) fn new(inner: TlsStream<Tapped>, tap: Tap) -> Self {
        Self { inner, tap }
    }

    fn below(&self) -> &dyn Stream {
        &*self.inner.get_ref().0.inner
    }
}

impl fmt::Debug for Secured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Secured").field(&self.below()).finish()
    }
}

impl Stream for Secured {
    fn limit_hops(&self, hops: Option<u8>) {
        self.below().limit_hops(hops);
    }

    fn keep_alive(&self, every: Duration) {
        self.below().keep_alive(every);
    }

    fn reset_on_close(&self) {
        self.below().reset_on_close();
    }

    fn queue_little(&self) {
        self.below().queue_little();
    }

    fn in_clear(&self) -> Option<String> {
        self.tap.in_clear()
    }
}

impl AsyncRead for Secured {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Secured {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_words_in_clear_are_found_behind_records() {
        let words = b"500 OOPS: cannot change directory:/home/x\r\n";
        let mut bytes = vec![0x17, 3, 3, 0, 9, 200, 1, 2];
        bytes.extend_from_slice(words);
        assert_eq!(clear_text(&bytes).as_deref(), Some("500 OOPS: cannot change directory:/home/x"));
        assert_eq!(
            clear_text(b"HTTP/1.1 400 Bad Request\r\n\r\n").as_deref(),
            Some("HTTP/1.1 400 Bad Request")
        );
        let listing = b"-rw-r--r-- 1 ftp ftp 1048576 Jan 01 image.iso\r\n";
        assert!(clear_text(listing).unwrap().starts_with("-rw-"));
        assert_eq!(clear_text(&[0x15, 3, 3, 0, 2, 2, 0x28]), None);
        assert_eq!(clear_text(b"\x16\x03\x03 hello"), None);
    }

    #[test]
    fn the_tap_is_bounded() {
        let tap = Tap::default();
        for _ in 0..100 {
            tap.took(&[b'x'; 100]);
        }
        assert_eq!(tap.0.lock().unwrap().len(), KEPT);
    }
}
