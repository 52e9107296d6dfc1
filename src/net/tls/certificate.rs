//! What stands in a certificate. A lenient reader: odd certificates are the ones that matter.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::pki_types::{CertificateDer, UnixTime};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::time::ASN1Time;

use super::verify::validity;
use crate::clock::unix_seconds;
use crate::evidence::Certificate;

/// Names that are kept of one certificate: shared ones have hundreds.
const MOST_NAMES: usize = 20;

const DAY: i64 = 24 * 60 * 60;

/// The facts of a certificate; `None` for bytes that are none.
pub(super) fn facts(der: &CertificateDer<'_>) -> Option<Certificate> {
    let (_, parsed) = X509Certificate::from_der(der).ok()?;
    let (from, to) = (parsed.validity().not_before, parsed.validity().not_after);
    let now = unix_seconds();
    Some(Certificate {
        subject: parsed.subject().to_string(),
        issuer: parsed.issuer().to_string(),
        names: names(&parsed),
        not_before: rfc3339(from),
        not_after: rfc3339(to),
        days_left: (to.timestamp() - now).div_euclid(DAY),
        validity: validity(now, from.timestamp(), to.timestamp()),
        key: key(&parsed),
        sha256: fingerprint(der),
    })
}

/// SHA-256 as hexadecimal digits.
pub(super) fn fingerprint(der: &CertificateDer<'_>) -> String {
    let suite = match TLS13_AES_128_GCM_SHA256 {
        rustls::SupportedCipherSuite::Tls13(suite) => suite,
        rustls::SupportedCipherSuite::Tls12(_) => return String::new(),
    };
    let hash = suite.common.hash_provider.hash(der);
    hash.as_ref().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A moment at which the certificate counts: now, if that is one.
pub(super) fn moment_inside(der: &CertificateDer<'_>) -> UnixTime {
    let now = unix_seconds();
    let moment = match X509Certificate::from_der(der) {
        Ok((_, parsed)) => {
            let (from, to) =
                (parsed.validity().not_before.timestamp(), parsed.validity().not_after.timestamp());
            now.clamp(from.saturating_add(1), to.saturating_sub(1).max(from.saturating_add(1)))
        }
        Err(_) => now,
    };
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(moment).unwrap_or(0)))
}

/// The names that it is for; the common name where there is no subjectAltName (clients ignore it since RFC 6125 §6.4.4,
/// but people want to see it).
fn names(parsed: &X509Certificate<'_>) -> Vec<String> {
    let alternative = parsed.subject_alternative_name().ok().flatten();
    let mut names: Vec<String> = alternative
        .iter()
        .flat_map(|extension| &extension.value.general_names)
        .filter_map(name)
        .take(MOST_NAMES)
        .collect();
    if names.is_empty() {
        let common = parsed.subject().iter_common_name().filter_map(|name| name.as_str().ok());
        names.extend(common.map(str::to_owned));
    }
    names
}

fn name(general: &GeneralName<'_>) -> Option<String> {
    match general {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let four = <[u8; 4]>::try_from(*bytes).ok().map(|bytes| IpAddr::V4(Ipv4Addr::from(bytes)));
            let sixteen = <[u8; 16]>::try_from(*bytes).ok().map(|bytes| IpAddr::V6(Ipv6Addr::from(bytes)));
            four.or(sixteen).map(|address| address.to_string())
        }
        _ => None,
    }
}

fn key(parsed: &X509Certificate<'_>) -> String {
    match parsed.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => format!("RSA {}", key.key_size()),
        Ok(PublicKey::EC(point)) => format!("EC {}", point.key_size()),
        Ok(PublicKey::DSA(_)) => "DSA".to_owned(),
        _ => "of another kind".to_owned(),
    }
}

fn rfc3339(time: ASN1Time) -> String {
    let seconds = u64::try_from(time.timestamp()).unwrap_or(0);
    let moment = std::time::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    // Years above 9999 cannot be written; no certificate needs them.
    moment.map_or_else(String::new, |moment| match seconds {
        0..=253_402_300_799 => humantime::format_rfc3339_seconds(moment).to_string(),
        _ => "after the year 9999".to_owned(),
    })
}
