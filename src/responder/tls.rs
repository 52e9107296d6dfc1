//! TLS at the server's side, and the ways in which it can be wrong.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::server::{ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::{HandshakeKind, RootCertStore, ServerConfig};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::certificate::{Kind, authority, issue};

/// What a server does about TLS. A script without it speaks none.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fault that is ordered on its own")]
pub struct Tls {
    /// Its certificate.
    pub certificate: Kind,
    /// TLS from the first byte.
    pub implicit: bool,
    /// Whether FEAT tells of it.
    pub listed: bool,
    /// AUTH is refused all the same: by a server without a certificate, or by a device on the way.
    pub refused: bool,
    /// Only the older word, AUTH SSL, is known.
    pub ssl_only: bool,
    /// Only TLS 1.0, as old servers have it.
    pub old: bool,
    /// The highest version, `1.2` or `1.3`.
    pub highest: Version,
    /// Data connections have to resume the control connection's session.
    pub reuse_required: bool,
    /// Sessions that a client gets in all, where they run out: TLS 1.3 tickets of the control connection.
    pub tickets: Option<usize>,
    /// After PROT P the data comes in clear all the same.
    pub clear_data: bool,
    /// Clients have to show a certificate of their own.
    pub wants_client_certificate: bool,
    /// PROT C is refused.
    pub refuses_clear_data: bool,
    /// Anonymous users are served in clear alone.
    pub refuses_anonymous: bool,
    /// Words in clear in place of the handshake.
    pub says_in_clear: Option<String>,
    /// The address in the 227 of a session in clear, as a device on the way makes it.
    pub advertise_in_clear: Option<String>,
    /// The 227 of a session in clear, spoilt.
    pub pasv_in_clear: Option<String>,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            certificate: Kind::Good,
            implicit: false,
            listed: true,
            refused: false,
            ssl_only: false,
            old: false,
            highest: Version::Tls13,
            reuse_required: false,
            tickets: None,
            clear_data: false,
            wants_client_certificate: false,
            refuses_clear_data: false,
            refuses_anonymous: false,
            says_in_clear: None,
            advertise_in_clear: None,
            pasv_in_clear: None,
        }
    }
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Version {
    /// RFC 5246.
    #[serde(rename = "1.2")]
    Tls12,
    /// RFC 8446.
    #[serde(rename = "1.3")]
    Tls13,
}

/// What the server needs for its handshakes.
#[derive(Debug)]
pub(super) struct Keys {
    control: Arc<ServerConfig>,
    data: Arc<ServerConfig>,
}

impl Keys {
    /// A key and a certificate as ordered. Fails only where the system makes no keys.
    pub(super) fn new(tls: &Tls) -> io::Result<Self> {
        let (certificate, key) = issue(tls.certificate);
        let versions: &[&rustls::SupportedProtocolVersion] = match tls.highest {
            Version::Tls12 => &[&rustls::version::TLS12],
            Version::Tls13 => &[&rustls::version::TLS13, &rustls::version::TLS12],
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .map_err(io::Error::other)?;
        let builder = if tls.wants_client_certificate {
            let mut roots = RootCertStore::empty();
            roots.add(authority()).map_err(io::Error::other)?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(io::Error::other)?)
        } else {
            builder.with_no_client_auth()
        };
        let mut control = builder.with_single_cert(vec![certificate], key).map_err(io::Error::other)?;
        control.session_storage = ServerSessionMemoryCache::new(256);
        let mut data = control.clone();
        if let Some(tickets) = tls.tickets {
            (control.send_tls13_tickets, data.send_tls13_tickets) = (tickets, 0);
        }
        Ok(Self { control: Arc::new(control), data: Arc::new(data) })
    }

    pub(super) async fn control(&self, stream: TcpStream) -> io::Result<Wire> {
        let stream = TlsAcceptor::from(Arc::clone(&self.control)).accept(stream).await?;
        Ok(Wire::Tls(Box::new(stream)))
    }

    /// The secured data connection, and whether it resumed a session.
    pub(super) async fn data(&self, stream: TcpStream) -> io::Result<(Wire, bool)> {
        let stream = TlsAcceptor::from(Arc::clone(&self.data)).accept(stream).await?;
        let resumed = stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed);
        Ok((Wire::Tls(Box::new(stream)), resumed))
    }
}

/// A connection, under TLS or not.
#[derive(Debug)]
pub(super) enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// Between the two.
    None,
}

impl Wire {
    /// The TCP connection below, to put TLS on it.
    pub(super) fn take_plain(&mut self) -> Option<TcpStream> {
        match std::mem::replace(self, Self::None) {
            Self::Plain(stream) => Some(stream),
            other => {
                *self = other;
                None
            }
        }
    }

    pub(super) fn secured(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// From now on, closing sends a reset. Fails only on a socket that is gone already.
    pub(super) fn reset_on_close(&self) {
        let _ = match self {
            Self::Plain(stream) => stream.set_zero_linger(),
            Self::Tls(stream) => stream.get_ref().0.set_zero_linger(),
            Self::None => Ok(()),
        };
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::None => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
            Self::None => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::None => Poll::Ready(Ok(())),
        }
    }
}

/// A fatal `protocol_version` alert (RFC 5246 §7.2).
const PROTOCOL_VERSION: [u8; 7] = [0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46];

/// Answers a hello as a server does that knows TLS 1.0 at the most: a client of today, which names its versions in an
/// extension (RFC 8446 §4.2.1), gets an alert, one of old gets a server's hello.
pub(super) async fn answer_as_of_old(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<()> {
    let mut hello = [0; 4096];
    let read = stream.read(&mut hello).await?;
    let names_versions = hello[..read].windows(3).any(|bytes| bytes == [0x00, 0x2b, 0x00]);
    if names_versions {
        stream.write_all(&PROTOCOL_VERSION).await?;
    } else if read > 0 {
        let mut answer = vec![0x16, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1];
        answer.extend([9; 32]);
        answer.extend([0, 0xc0, 0x14, 0]);
        stream.write_all(&answer).await?;
    }
    stream.shutdown().await
}
