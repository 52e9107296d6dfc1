//! A hello that old servers answer too: to learn what a server speaks that takes none of our versions.
//!
//! It needs no cryptography: the server's choice stands in its hello, in clear (RFC 2246 §7.4.1.3, RFC 5246 §7.4.1.3). The
//! connection is of no use afterwards.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::Stream;
use crate::evidence::OldTls;

/// TLS 1.2 as the highest version: a server that has only older ones chooses one of them.
const HIGHEST: [u8; 2] = [3, 3];

/// Suites that servers of the last twenty-five years know (IANA's numbers): ECDHE, DHE and RSA with AES, 3DES and RC4.
const SUITES: [u16; 13] =
    [0xc030, 0xc02f, 0xc014, 0xc013, 0xc009, 0x009f, 0x0039, 0x0033, 0x0035, 0x002f, 0x0016, 0x000a, 0x0005];

/// Asks, on a stream that expects a hello now.
pub async fn ask(stream: &mut Box<dyn Stream>, patience: Duration) -> Option<OldTls> {
    let exchange = async {
        stream.write_all(&hello()).await.ok()?;
        let mut head = [0; 5];
        stream.read_exact(&mut head).await.ok()?;
        let length = usize::from(u16::from_be_bytes([head[3], head[4]])).min(1 << 14);
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        choice(head[0], &body)
    };
    timeout(patience, exchange).await.ok()?
}

/// Reads a server's hello.
fn choice(record: u8, body: &[u8]) -> Option<OldTls> {
    if record != 22 || body.first() != Some(&2) {
        return None;
    }
    let version = (*body.get(4)?, *body.get(5)?);
    let session = usize::from(*body.get(38)?);
    let cipher = u16::from_be_bytes([*body.get(39 + session)?, *body.get(40 + session)?]);
    let version = match version {
        (3, 0) => "SSL 3.0".to_owned(),
        (3, minor) => format!("TLS 1.{}", minor - 1),
        (major, minor) => format!("version {major}.{minor}"),
    };
    Some(OldTls { version, cipher: format!("{cipher:04x}") })
}

fn hello() -> Vec<u8> {
    let mut body = HIGHEST.to_vec();
    body.extend([7; 32]); // the "random": nothing is kept secret with it
    body.push(0); // no session
    body.extend(length(SUITES.len() * 2));
    body.extend(SUITES.iter().flat_map(|suite| suite.to_be_bytes()));
    body.extend([1, 0]); // no compression
    let mut extensions: Vec<u8> = Vec::new();
    extensions.extend([0, 10, 0, 8, 0, 6, 0, 29, 0, 23, 0, 24]); // groups: X25519, P-256, P-384
    extensions.extend([0, 11, 0, 2, 1, 0]); // uncompressed points
    extensions.extend([0, 13, 0, 12, 0, 10, 4, 1, 5, 1, 4, 3, 2, 1, 2, 3]); // RSA and ECDSA, SHA-256 down to SHA-1
    body.extend(length(extensions.len()));
    body.extend(extensions);
    let mut handshake = vec![1, 0];
    handshake.extend(length(body.len()));
    handshake.extend(body);
    let mut record = vec![22, 3, 1];
    record.extend(length(handshake.len()));
    record.extend(handshake);
    record
}

fn length(bytes: usize) -> [u8; 2] {
    u16::try_from(bytes).unwrap_or(u16::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lengths_in_the_hello_are_true() {
        let hello = hello();
        assert_eq!(usize::from(u16::from_be_bytes([hello[3], hello[4]])), hello.len() - 5);
        assert_eq!(usize::from(u16::from_be_bytes([hello[7], hello[8]])), hello.len() - 9);
    }

    #[test]
    fn a_choice_is_read() {
        let mut body = vec![2, 0, 0, 70, 3, 1];
        body.extend([0; 32]);
        body.push(0);
        body.extend([0xc0, 0x14, 0]);
        let old = choice(22, &body).unwrap();
        assert_eq!((old.version.as_str(), old.cipher.as_str()), ("TLS 1.0", "c014"));
        assert_eq!(choice(21, &[2, 70]), None);
        assert_eq!(choice(22, &[2, 0, 0]), None);
    }
}
