//! Certificates for the embedded server: an authority of its own, made anew by each process, and what it signs.

use std::sync::OnceLock;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde::Deserialize;

use crate::clock::unix_seconds;

/// What is right or wrong with a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Its time was over ten days ago.
    Expired,
    /// Its time is over in five days.
    Expiring,
    /// For ftp.example.com, signed by the authority, good for a year.
    #[default]
    Good,
    /// Its time begins tomorrow.
    NotYet,
    /// For another name.
    OtherName,
    /// Signed by nobody but itself.
    SelfSigned,
}

const DAY: i64 = 24 * 60 * 60;

/// The certificate of the authority, to be trusted.
///
/// # Panics
/// If this process cannot make a key, which takes a broken system.
#[must_use]
pub fn authority() -> CertificateDer<'static> {
    issuer().der().clone()
}

fn issuer() -> &'static CertifiedIssuer<'static, KeyPair> {
    static ISSUER: OnceLock<CertifiedIssuer<'static, KeyPair>> = OnceLock::new();
    ISSUER.get_or_init(|| {
        let mut params = params("pasvcheck test authority", -1, 3650);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().expect("a key can be made");
        CertifiedIssuer::self_signed(params, key).expect("a certificate can be made")
    })
}

/// A certificate and its key.
///
/// # Panics
/// As [`authority`].
#[must_use]
pub fn issue(kind: Kind) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let (name, from, to) = match kind {
        Kind::Good | Kind::SelfSigned => ("ftp.example.com", -1, 365),
        Kind::Expired => ("ftp.example.com", -100, -10),
        Kind::Expiring => ("ftp.example.com", -85, 5),
        Kind::NotYet => ("ftp.example.com", 1, 365),
        Kind::OtherName => ("www.example.org", -1, 365),
    };
    let mut params = params(name, from, to);
    params.subject_alt_names = vec![rcgen::SanType::DnsName(name.try_into().expect("a plain name"))];
    let key = KeyPair::generate().expect("a key can be made");
    let certificate = match kind {
        Kind::SelfSigned => params.self_signed(&key),
        _ => params.signed_by(&key, issuer()),
    };
    let certificate = certificate.expect("a certificate can be made");
    (certificate.der().clone(), PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())))
}

/// For a common name, valid between two days counted from now.
fn params(name: &str, from: i64, to: i64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let day = |day: i64| {
        let seconds = u64::try_from(unix_seconds() + day * DAY + DAY / 2).unwrap_or_default();
        date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds)
    };
    (params.not_before, params.not_after) = (day(from - 1), day(to));
    params
}
