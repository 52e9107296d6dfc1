//! TLS as a client: handshakes as facts, whether they succeed or not.
//!
//! The server's certificate never ends a handshake here: it is looked at, written down, and judged later. Whoever has a
//! secret to send asks for the verdict first ([`Chain::good`]).
//!
//! Data connections offer the control connection's session, as RFC 4217 §10.2 wants it: one shared configuration and one
//! server name, whatever address the data connection goes to.

mod certificate;
pub mod hello;
pub mod old;
mod store;
mod stream;
mod verify;

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::client::Resumption;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::{default_provider, kx_group};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, Error};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::Stream;
use crate::clock::{Stopwatch, in_ms};
use crate::evidence::{Chain, Handshake, HandshakeOutcome};
use store::Store;
use stream::{Secured, Tapped};
use verify::Recorder;

/// What the user gave for TLS.
#[derive(Debug, Default)]
pub struct TlsOptions {
    /// Roots to trust beside the system's.
    pub roots: Vec<CertificateDer<'static>>,
    /// Our own certificate and its key, for servers that ask for one.
    pub identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
}

/// A TLS client for one target: the control connection and all its data connections.
#[derive(Debug)]
pub struct TlsClient {
    /// Offers sessions, and keeps them.
    resuming: Arc<ClientConfig>,
    /// Does neither.
    fresh: Arc<ClientConfig>,
    name: ServerName<'static>,
    recorder: Arc<Recorder>,
    store: Arc<Store>,
}

/// What came of a handshake.
#[derive(Debug)]
pub struct Opened {
    /// The facts.
    pub fact: Handshake,
    /// The secured stream, if it succeeded.
    pub stream: Option<Box<dyn Stream>>,
    /// SHA-256 of the certificate that the server showed (in a resumed session: that of the first).
    pub certificate: Option<String>,
}

impl TlsClient {
    /// A client for that host, an address or a name. An error is ours: a key that does not fit its certificate.
    pub fn new(host: &str, options: &TlsOptions) -> Result<Self, String> {
        let name =
            ServerName::try_from(host.to_owned()).map_err(|_| format!("TLS has no name for \"{host}\""))?;
        let provider = Arc::new(provider());
        let recorder = Arc::new(Recorder::new(
            host,
            judge(&provider, options),
            options.roots.clone(),
            Arc::clone(&provider),
        ));
        let config = || {
            let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
                .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
                .map_err(|error| error.to_string())?
                .dangerous()
                .with_custom_certificate_verifier(Arc::clone(&recorder) as Arc<dyn ServerCertVerifier>);
            match &options.identity {
                None => Ok(builder.with_no_client_auth()),
                Some((chain, key)) => builder
                    .with_client_auth_cert(chain.clone(), key.clone_key())
                    .map_err(|error| format!("the client certificate cannot be used: {error}")),
            }
        };
        let store = Arc::new(Store::default());
        let mut resuming = config()?;
        resuming.resumption = Resumption::store(Arc::clone(&store) as Arc<_>);
        let mut fresh = config()?;
        fresh.resumption = Resumption::disabled();
        Ok(Self { resuming: Arc::new(resuming), fresh: Arc::new(fresh), name, recorder, store })
    }

    /// Secures a stream. `reuse` offers the session of an earlier handshake, if there is one.
    pub async fn secure(self: Arc<Self>, stream: Box<dyn Stream>, reuse: bool, patience: Duration) -> Opened {
        let clock = Stopwatch::start();
        let (tapped, tap) = Tapped::new(stream);
        let config = if reuse { &self.resuming } else { &self.fresh };
        let offers = self.store.offers();
        let connecting = TlsConnector::from(Arc::clone(config)).connect(self.name.clone(), tapped);
        let result = timeout(patience, connecting).await;
        let offered_session = self.store.offers() > offers;
        let done = |outcome, stream, certificate| Opened {
            fact: Handshake { outcome, offered_session, elapsed_ms: clock.elapsed_ms() },
            stream,
            certificate,
        };
        match result {
            Err(_) => done(HandshakeOutcome::Silent { waited_ms: in_ms(clock.elapsed()) }, None, None),
            Ok(Err(error)) => done(failure(&error, tap.in_clear()), None, None),
            Ok(Ok(stream)) => {
                let connection = stream.get_ref().1;
                let certificate = connection.peer_certificates().and_then(|chain| chain.first());
                let certificate = certificate.map(|own| certificate::fingerprint(own));
                let outcome = HandshakeOutcome::Done {
                    version: connection.protocol_version().map_or_else(String::new, version_name),
                    cipher: connection
                        .negotiated_cipher_suite()
                        .map_or_else(String::new, |suite| format!("{:?}", suite.suite())),
                    resumed: connection.handshake_kind() == Some(rustls::HandshakeKind::Resumed),
                };
                done(outcome, Some(Box::new(Secured::new(stream, tap)) as Box<dyn Stream>), certificate)
            }
        }
    }

    /// The certificates of the last full handshake.
    #[must_use]
    pub fn chain(&self) -> Option<Chain> {
        self.recorder.chain()
    }
}

/// P-256 goes first: nearly all FTP servers take it, and those that know no X25519 (vsftpd) need no second hello.
fn provider() -> CryptoProvider {
    let kx_groups = vec![kx_group::SECP256R1, kx_group::X25519, kx_group::SECP384R1];
    CryptoProvider { kx_groups, ..default_provider() }
}

/// Who judges certificates: the system's roots, and the user's beside them. Reading the system's takes a while, and is
/// done once. An error means that this host has no roots.
fn judge(
    provider: &Arc<CryptoProvider>,
    options: &TlsOptions,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    static SYSTEM: OnceLock<Result<Arc<dyn ServerCertVerifier>, String>> = OnceLock::new();
    let make = |roots: Vec<CertificateDer<'static>>| -> Result<Arc<dyn ServerCertVerifier>, String> {
        let verifier = if roots.is_empty() {
            rustls_platform_verifier::Verifier::new(Arc::clone(provider))
        } else {
            with_extra_roots(roots, provider)
        };
        verifier.map(|verifier| Arc::new(verifier) as Arc<_>).map_err(|error| error.to_string())
    };
    if options.roots.is_empty() {
        SYSTEM.get_or_init(|| make(Vec::new())).clone()
    } else {
        make(options.roots.clone())
    }
}

#[cfg(unix)]
fn with_extra_roots(
    roots: Vec<CertificateDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<rustls_platform_verifier::Verifier, Error> {
    rustls_platform_verifier::Verifier::new_with_extra_roots(roots, Arc::clone(provider))
}

#[cfg(windows)]
fn with_extra_roots(
    roots: Vec<CertificateDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<rustls_platform_verifier::Verifier, Error> {
    rustls_platform_verifier::Verifier::new_with_extra_roots(roots, Arc::clone(provider))
}

fn version_name(version: rustls::ProtocolVersion) -> String {
    match version {
        rustls::ProtocolVersion::TLSv1_3 => "TLS 1.3".to_owned(),
        rustls::ProtocolVersion::TLSv1_2 => "TLS 1.2".to_owned(),
        other => format!("{other:?}"),
    }
}

/// What a failed handshake means. Clear text among the bytes explains more than the error that it caused.
fn failure(error: &io::Error, in_clear: Option<String>) -> HandshakeOutcome {
    if let Some(received) = in_clear {
        return HandshakeOutcome::NotTls { received };
    }
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match (inner, error.kind()) {
        (Some(Error::AlertReceived(alert)), _) => {
            HandshakeOutcome::Alert { alert: snake(&format!("{alert:?}")) }
        }
        (Some(error), _) => HandshakeOutcome::Failed { error: error.to_string() },
        (None, io::ErrorKind::UnexpectedEof) => HandshakeOutcome::Closed { reset: false },
        (None, io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => {
            HandshakeOutcome::Closed { reset: true }
        }
        (None, _) => HandshakeOutcome::Failed { error: error.to_string() },
    }
}

/// `HandshakeFailure` → `handshake_failure`, as the RFC writes it.
fn snake(camel: &str) -> String {
    let mut out = String::new();
    for letter in camel.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_are_named_as_the_rfc_does() {
        assert_eq!(snake("HandshakeFailure"), "handshake_failure");
        assert_eq!(snake("ProtocolVersion"), "protocol_version");
    }

    #[test]
    fn a_client_for_names_and_addresses() {
        for host in ["ftp.example.com", "203.0.113.10", "2001:db8::1"] {
            assert!(TlsClient::new(host, &TlsOptions::default()).is_ok(), "{host}");
        }
        assert!(TlsClient::new("not a name", &TlsOptions::default()).is_err());
    }
}
