//! A verifier that lets every certificate pass and writes down what the real one thinks of it.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

use super::certificate;
use crate::evidence::{Certificate, Chain, Trust, Validity};

/// Certificates that are kept of one chain.
const LONGEST_CHAIN: usize = 10;

/// Records, and accepts.
#[derive(Debug)]
pub(super) struct Recorder {
    /// The name as the user wrote it.
    host: String,
    judge: Result<Arc<dyn ServerCertVerifier>, String>,
    /// What the user trusts (`--ca-file`): roots, or a server's own certificate.
    given: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
    seen: Mutex<Option<Chain>>,
}

impl Recorder {
    pub(super) fn new(
        host: &str,
        judge: Result<Arc<dyn ServerCertVerifier>, String>,
        given: Vec<CertificateDer<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Self {
        Self { host: host.to_owned(), judge, given, provider, seen: Mutex::default() }
    }

    pub(super) fn chain(&self) -> Option<Chain> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a trusted root vouches for it, date and name aside: these are told on their own.
    fn trust(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        facts: Option<&Certificate>,
    ) -> Trust {
        // A self-signed certificate that the user has named is trusted for what it is: no root could vouch for it.
        if self.given.iter().any(|given| given.as_ref() == own.as_ref()) {
            return Trust::Trusted;
        }
        let judge = match &self.judge {
            Ok(judge) => judge,
            Err(error) => {
                return Trust::Untrusted { reason: format!("this host has no trusted roots ({error})") };
            }
        };
        let now = certificate::moment_inside(own);
        let names = facts.into_iter().flat_map(|facts| &facts.names);
        // The certificate's own names: with one of them the name is no reason to refuse.
        let own_names = names.filter_map(|name| ServerName::try_from(name.replace('*', "x")).ok());
        let mut last = None;
        for name in std::iter::once(name.to_owned()).chain(own_names).take(4) {
            match judge.verify_server_cert(own, others, &name, &[], now) {
                Ok(_) => return Trust::Trusted,
                Err(Error::InvalidCertificate(
                    CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
                )) => last = last.or(Some("it is for no name that could be checked".to_owned())),
                Err(error) => {
                    last = Some(reason(&error, facts));
                    break;
                }
            }
        }
        Trust::Untrusted { reason: last.unwrap_or_default() }
    }
}

/// Why a certificate is not trusted, in words.
fn reason(error: &Error, facts: Option<&Certificate>) -> String {
    if facts.is_some_and(Certificate::self_signed) {
        return "it is self-signed".to_owned();
    }
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            let issuer = facts.map_or("its issuer", |facts| facts.issuer.as_str());
            format!(
                "no trusted root vouches for its issuer ({issuer}), or an intermediate certificate is missing"
            )
        }
        Error::InvalidCertificate(CertificateError::Revoked) => "it was revoked".to_owned(),
        Error::InvalidCertificate(CertificateError::BadSignature) => {
            "its signature is wrong, or of a kind that is too weak today".to_owned()
        }
        Error::InvalidCertificate(other) => format!("it cannot be verified: {other}"),
        other => other.to_string(),
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificates: Vec<Certificate> =
            std::iter::once(own).chain(others).take(LONGEST_CHAIN).filter_map(certificate::facts).collect();
        let name_matches =
            ParsedCertificate::try_from(own).is_ok_and(|parsed| verify_server_name(&parsed, name).is_ok());
        let trust = self.trust(own, others, name, certificates.first());
        let chain = Chain { expected_name: self.host.clone(), certificates, trust, name_matches };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(chain);
        Ok(ServerCertVerified::assertion())
    }

    /// The server proves that it holds the key. Where the proof is of a kind that is refused today, that is written down
    /// as want of trust, and the dialogue goes on.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        Ok(self.lenient(rustls::crypto::verify_tls12_signature(message, own, signed, algorithms)))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        Ok(self.lenient(rustls::crypto::verify_tls13_signature(message, own, signed, algorithms)))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl Recorder {
    fn lenient(&self, result: Result<HandshakeSignatureValid, Error>) -> HandshakeSignatureValid {
        if let Err(error) = &result
            && let Some(chain) = self.seen.lock().unwrap_or_else(PoisonError::into_inner).as_mut()
        {
            chain.trust = Trust::Untrusted {
                reason: format!("the server's proof that it holds the key cannot be verified: {error}"),
            };
        }
        result.unwrap_or_else(|_| HandshakeSignatureValid::assertion())
    }
}

/// Where a moment lies within a validity, all in seconds since 1970.
pub(super) fn validity(now: i64, not_before: i64, not_after: i64) -> Validity {
    if now < not_before {
        Validity::NotYet
    } else if now > not_after {
        Validity::Expired
    } else {
        Validity::Now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_self_signed_certificate_that_was_named_is_trusted_and_no_other_is() {
        let made = |name: &str| {
            let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
            made.cert.der().clone()
        };
        let (own, other) = (made("ftp.example.com"), made("ftp.example.com"));
        let name = ServerName::try_from("ftp.example.com").unwrap();
        for (given, trusted) in [(vec![own.clone()], true), (vec![other], false), (Vec::new(), false)] {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let recorder = Recorder::new("ftp.example.com", Err("none".to_owned()), given, provider);
            recorder.verify_server_cert(&own, &[], &name, &[], UnixTime::now()).unwrap();
            let chain = recorder.chain().unwrap();
            assert_eq!(chain.trust == Trust::Trusted, trusted, "{chain:?}");
            assert!(chain.name_matches);
        }
    }
}
