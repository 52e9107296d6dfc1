//! One TLS hello, to learn whether a silent port waits for TLS (implicit FTPS).
//!
//! The hello is rustls' own; only the first byte of the answer is looked at: a TLS server answers with a handshake or an
//! alert record (RFC 8446 §5.1), whatever it thinks of our versions and ciphers.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::Stream;
use crate::evidence::TlsHello;

/// Sends a hello for `host` and looks at the answer. The connection is of no use afterwards.
pub async fn ask(stream: &mut Box<dyn Stream>, host: &str, patience: Duration) -> TlsHello {
    let Some(hello) = hello(host) else { return TlsHello::Unanswered };
    let exchange = async {
        stream.write_all(&hello).await.ok()?;
        stream.read_u8().await.ok()
    };
    match timeout(patience, exchange).await {
        Ok(Some(21 | 22)) => TlsHello::Answered,
        Ok(Some(_)) => TlsHello::NotTls,
        Ok(None) | Err(_) => TlsHello::Unanswered,
    }
}

fn hello(host: &str) -> Option<Vec<u8>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).ok()?;
    let mut connection = ClientConnection::new(Arc::new(config), name).ok()?;
    let mut bytes = Vec::new();
    connection.write_tls(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hello_is_a_handshake_record() {
        for host in ["ftp.example.com", "203.0.113.10", "2001:db8::1"] {
            assert_eq!(hello(host).expect(host)[0], 22, "{host}");
        }
    }
}
