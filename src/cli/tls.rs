//! What was typed about TLS, and the files that it names.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use pasvcheck::net::tls::{TlsClient, TlsOptions};
use pasvcheck::plan::{TlsPlan, TlsUse};

use super::Problem;
use super::args::{TlsArgs, TlsMode};

/// `implicit_url`: the target was an `ftps://` URL.
pub(crate) fn plan(args: &TlsArgs, implicit_url: bool) -> Result<TlsPlan, Problem> {
    let mode = match args.tls {
        TlsMode::Auto | TlsMode::Required if implicit_url => TlsUse::Implicit,
        TlsMode::Auto => TlsUse::Auto,
        TlsMode::Off | TlsMode::Explicit if implicit_url => {
            return Err(Problem::new(
                "ftps:// means TLS from the first byte, and --tls says something else: write ftp:// or leave --tls out",
            ));
        }
        TlsMode::Off => TlsUse::Off,
        TlsMode::Required => TlsUse::Required,
        TlsMode::Explicit => TlsUse::Explicit,
        TlsMode::Implicit => TlsUse::Implicit,
    };
    if mode == TlsUse::Off && (args.insecure || args.compare_cleartext) {
        return Err(Problem::new("--tls off goes with neither --insecure nor --compare-cleartext"));
    }
    let roots = args.ca_file.as_deref().map_or(Ok(Vec::new()), |file| certificates("--ca-file", file))?;
    let identity = match (&args.client_cert, &args.client_key) {
        (Some(chain), Some(key)) => Some((certificates("--client-cert", chain)?, private_key(key)?)),
        _ => None,
    };
    let options = TlsOptions { roots, identity };
    // A key that does not fit is told before anything is contacted.
    if options.identity.is_some() {
        TlsClient::new("ftp.example.com", &options).map_err(Problem::new)?;
    }
    Ok(TlsPlan {
        mode,
        insecure: args.insecure,
        cert_days: args.cert_days,
        compare_cleartext: args.compare_cleartext,
        options: Arc::new(options),
    })
}

fn certificates(option: &str, file: &Path) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let unreadable =
        |error: &dyn std::fmt::Display| Problem::new(format!("{option} {}: {error}", file.display()));
    let read: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(file).map_err(|error| unreadable(&plain(&error)))?.collect();
    let read = read.map_err(|error| unreadable(&plain(&error)))?;
    if read.is_empty() { Err(unreadable(&"it holds no certificate in PEM form")) } else { Ok(read) }
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, Problem> {
    PrivateKeyDer::from_pem_file(file)
        .map_err(|error| Problem::new(format!("--client-key {}: {}", file.display(), plain(&error))))
}

/// The words of an error that a person can use.
fn plain(error: &rustls::pki_types::pem::Error) -> String {
    use rustls::pki_types::pem::Error;
    match error {
        Error::Io(error) => error.to_string(),
        Error::NoItemsFound => "it holds nothing of that kind in PEM form".to_owned(),
        _ => "it is not in PEM form".to_owned(),
    }
}
