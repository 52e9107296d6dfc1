//! What answers on port 21 when it is not FTP.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::control::{Control, Heard};
use super::script::Speaks;
use super::tls::Wire;

/// A fatal TLS alert, `handshake_failure`, in a TLS 1.2 record (RFC 5246 §7.2).
const HANDSHAKE_FAILURE: [u8; 7] = [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28];

/// The type byte of a TLS handshake record: what a `ClientHello` begins with.
const HANDSHAKE: u8 = 0x16;

const BAD_REQUEST: &str = "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nContent-Type: text/html\r\n\
    Content-Length: 0\r\nConnection: close\r\n\r\n";

/// Holds the conversation to its end. An error is a client that left, which is an end like any other.
pub(super) async fn talk(speaks: Speaks, stream: TcpStream) {
    let mut control = Control::new(Wire::Plain(stream));
    let _ = match speaks {
        Speaks::Ssh => banner(&mut control, b"SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13.5\r\n").await,
        Speaks::Http => http(&mut control).await,
        Speaks::Smtp => smtp(&mut control).await,
        Speaks::Tls => refuse_tls(control.stream()).await,
        Speaks::Silent => banner(&mut control, b"").await,
        Speaks::Garbage => banner(&mut control, &noise()).await,
    };
}

async fn banner(control: &mut Control, text: &[u8]) -> io::Result<()> {
    control.send(text).await?;
    control.hang().await;
    Ok(())
}

/// Says nothing until spoken to, then does not understand, as web servers do with anything that is no request of theirs.
async fn http(control: &mut Control) -> io::Result<()> {
    let mut request = [0; 4096];
    if control.stream().read(&mut request).await? > 0 {
        control.send(BAD_REQUEST.as_bytes()).await?;
    }
    control.stream().shutdown().await
}

/// Knows only QUIT: whoever says USER here has not read the greeting.
async fn smtp(control: &mut Control) -> io::Result<()> {
    control.send(b"220 mail.example.com ESMTP Postfix\r\n").await?;
    loop {
        match control.command().await {
            Heard::Command(command) if command.verb == "QUIT" => {
                control.send(b"221 2.0.0 Bye\r\n").await?;
                return control.stream().shutdown().await;
            }
            Heard::Command(_) => control.send(b"502 5.5.2 Error: command not recognized\r\n").await?,
            Heard::TooLong | Heard::Closed => return Ok(()),
        }
    }
}

/// Waits for a `ClientHello` and rejects it; anything else is cut off without a word.
pub(super) async fn refuse_tls(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<()> {
    // The whole hello has to be read, or closing sends a reset that overtakes the alert; 4 KiB hold any hello.
    let mut hello = [0; 4096];
    let read = stream.read(&mut hello).await?;
    if read > 0 && hello.first() == Some(&HANDSHAKE) {
        stream.write_all(&HANDSHAKE_FAILURE).await?;
    }
    stream.shutdown().await
}

/// Bytes that are neither a line nor valid UTF-8, the same in every run.
fn noise() -> Vec<u8> {
    let mut state: u32 = 0x9E37_79B9;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_be_bytes()
    };
    std::iter::repeat_with(&mut next).take(256).flatten().filter(|byte| *byte != b'\n').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_no_text_and_no_line() {
        let bytes = noise();
        assert!(std::str::from_utf8(&bytes).is_err());
        assert!(!bytes.contains(&b'\n') && bytes.len() > 900);
    }
}
