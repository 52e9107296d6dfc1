//! The data connection: bytes out or in, with the faults that were ordered.

use std::future::pending;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;

use super::script::Data;
use super::tls::Wire;

/// How much is written at a time.
const CHUNK: usize = 64 << 10;

/// The largest upload that is taken.
const LARGEST_UPLOAD: u64 = 64 << 20;

/// A slowed transfer sends this often.
const TICKS_PER_SECOND: u64 = 50;

/// What the content of made-up files repeats; a line of it is 64 bytes.
const FILLING: &[u8; 64] = b"pasvcheck pasvcheck pasvcheck pasvcheck pasvcheck pasvcheck ...\n";

/// What a transfer sends.
#[derive(Clone, Debug)]
pub(super) enum Payload {
    /// A listing.
    Text(Vec<u8>),
    /// The bytes of a made-up file, from an offset to its size.
    File { from: u64, size: u64 },
}

impl Payload {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::File { from, size } => size.saturating_sub(*from),
        }
    }

    /// At most `most` bytes from `at` on.
    fn piece(&self, at: u64, most: usize) -> Vec<u8> {
        match self {
            Self::Text(text) => {
                let start = usize::try_from(at).unwrap_or(usize::MAX).min(text.len());
                let end = start.saturating_add(most).min(text.len());
                text.get(start..end).unwrap_or_default().to_vec()
            }
            Self::File { from, .. } => {
                let phase = usize::try_from(from.wrapping_add(at) % FILLING.len() as u64).unwrap_or_default();
                let mut piece = FILLING.repeat(most / FILLING.len() + 2);
                piece.drain(..phase);
                piece.truncate(most);
                piece
            }
        }
    }
}

/// How a transfer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// As the server sees it, all went well; so many bytes.
    Complete(u64),
    /// The connection broke, by order or by the client.
    Cut,
}

/// What happens at the end of the bytes.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Close,
    Stall,
    Reset,
}

/// How many bytes to send, and what then.
fn plan(length: u64, faults: &Data) -> (u64, Ending) {
    let within = |bytes: Option<u64>| bytes.filter(|bytes| *bytes <= length);
    let stall = within(faults.stall_after).map(|bytes| (bytes, Ending::Stall));
    let reset = || within(faults.reset_after).map(|bytes| (bytes, Ending::Reset));
    let truncate = || within(faults.truncate_after).map(|bytes| (bytes, Ending::Close));
    stall.or_else(reset).or_else(truncate).unwrap_or((length, Ending::Close))
}

/// Sends `payload`, ending as the faults say. Closes the connection, unless it stalls.
pub(super) async fn send(stream: &mut Wire, payload: &Payload, faults: &Data) -> Outcome {
    let (bytes, ending) = plan(payload.len(), faults);
    if pump(stream, payload, bytes, faults.rate).await.is_err() {
        return Outcome::Cut;
    }
    match ending {
        Ending::Close => {
            let closed = stream.shutdown().await;
            if closed.is_ok() { Outcome::Complete(bytes) } else { Outcome::Cut }
        }
        Ending::Reset => {
            stream.reset_on_close();
            Outcome::Cut
        }
        Ending::Stall => {
            until_closed(stream).await;
            Outcome::Cut
        }
    }
}

async fn pump(stream: &mut Wire, payload: &Payload, bytes: u64, rate: Option<u64>) -> io::Result<()> {
    let chunk = match rate {
        Some(rate) => usize::try_from(rate / TICKS_PER_SECOND).unwrap_or(CHUNK).clamp(1, CHUNK),
        None => CHUNK,
    };
    let mut sent = 0;
    while sent < bytes {
        let most = usize::try_from(bytes - sent).unwrap_or(chunk).min(chunk);
        let piece = payload.piece(sent, most);
        stream.write_all(&piece).await?;
        sent += piece.len() as u64;
        if rate.is_some() {
            sleep(Duration::from_millis(1000 / TICKS_PER_SECOND)).await;
        }
    }
    Ok(())
}

/// `ProFTPD`'s `TimeoutLinger`.
const LINGER: Duration = Duration::from_secs(10);

/// Waits until the client has closed its end, as long as a daemon that lingers does.
pub(super) async fn linger(stream: &mut Wire) {
    let _ = tokio::time::timeout(LINGER, until_closed(stream)).await;
}

async fn until_closed(stream: &mut Wire) {
    let mut ignored = [0; 512];
    while matches!(stream.read(&mut ignored).await, Ok(1..)) {}
}

/// Takes in an upload and forgets it. `received` counts its bytes, also of one that is broken off.
pub(super) async fn receive(stream: &mut Wire, faults: &Data, received: &mut u64) -> Outcome {
    let mut buffer = vec![0; CHUNK];
    loop {
        match stream.read(&mut buffer).await {
            Ok(0) => {
                let most = faults.truncate_after.unwrap_or(u64::MAX);
                return Outcome::Complete(most.min(*received));
            }
            Ok(more) => *received += more as u64,
            Err(_) => return Outcome::Cut,
        }
        if faults.stall_after.is_some_and(|bytes| *received >= bytes) {
            // Not even the end is noticed: only the control connection can wake us.
            return pending().await;
        }
        if *received > LARGEST_UPLOAD || faults.reset_after.is_some_and(|bytes| *received >= bytes) {
            stream.reset_on_close();
            return Outcome::Cut;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_a_file_join_without_a_seam() {
        let file = Payload::File { from: 0, size: 200 };
        let (whole, mut joined) = (file.piece(0, 200), file.piece(0, 70));
        joined.extend(file.piece(70, 130));
        assert_eq!(joined, whole);
        let rest = Payload::File { from: 150, size: 200 };
        assert_eq!(rest.len(), 50);
        assert_eq!(rest.piece(0, 50), whole[150..]);
    }

    #[test]
    fn fault_beyond_the_end_does_not_happen() {
        let faults = Data { stall_after: Some(11), ..Data::default() };
        assert!(matches!(plan(10, &faults), (10, Ending::Close)));
        assert!(matches!(plan(11, &faults), (11, Ending::Stall)));
    }
}
