//! Messages to a receiver on the web: one `POST` of JSON, and what came of it.
//!
//! The address may itself be a secret (chat services put a token into the path), and the headers are: neither is shown. What
//! the receiver answers beyond its status is not read, and a redirect is not followed, since it would carry the secret to
//! wherever the answer points.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, StatusCode, Url};
use rustls::ClientConfig;
use rustls::crypto::ring::default_provider;

/// Longest wait for the connection.
const CONNECT: Duration = Duration::from_secs(5);

/// Longest wait for the answer, the connection included.
const PATIENCE: Duration = Duration::from_secs(10);

/// Headers that belong to the transport.
const NOT_OURS: [&str; 5] = ["host", "content-length", "transfer-encoding", "connection", "upgrade"];

/// Why there can be no such webhook. None of them quotes the address or a header's value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// No address.
    #[error("it is no address: write https://HOST/PATH")]
    Url,
    /// Another protocol.
    #[error("only https:// and http:// can be posted to")]
    Scheme,
    /// `https://user:password@host/`.
    #[error("a user or password in the address would show in the list of processes: send it in a header")]
    Credentials,
    /// A name that cannot be a header's, or is the transport's own.
    #[error("\"{0}\" cannot be the name of such a header")]
    HeaderName(String),
    /// A value with characters that a header cannot carry.
    #[error("the value for the header {0} holds a character that a header cannot carry, such as a line end")]
    HeaderValue(String),
    /// The secret would be readable on the way.
    #[error("{0} is not encrypted, and a header's secret would be readable on the way: use https://")]
    Clear(String),
    /// No certificates to judge by, or no client.
    #[error("https cannot be used on this host: {0}")]
    Tls(String),
}

/// What came of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Posted {
    /// It was taken.
    Accepted,
    /// It was refused, and would be again.
    Refused(String),
    /// It may be taken another time.
    Failed {
        /// What happened.
        why: String,
        /// How long the receiver wants to be left alone.
        wait: Option<Duration>,
    },
}

/// Somebody who takes messages.
pub trait Post: Send + Sync + fmt::Debug {
    /// Sends one, a text of JSON.
    fn post(&self, body: String) -> BoxFuture<'_, Posted>;
}

/// A receiver on the web.
#[derive(Clone)]
pub struct Webhook {
    client: Client,
    url: Url,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Webhook({})", self.place())
    }
}

impl Webhook {
    /// A receiver at an address, with headers whose values are secret.
    pub fn new(address: &str, headers: &[(String, String)]) -> Result<Self, WebhookError> {
        let url = Url::parse(address).map_err(|_| WebhookError::Url)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(WebhookError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(WebhookError::Credentials);
        }
        let local = is_loopback(&url);
        if url.scheme() == "http" && !local && !headers.is_empty() {
            return Err(WebhookError::Clear(place(&url)));
        }
        let mut builder = Client::builder()
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .default_headers(header_map(headers)?)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(PATIENCE)
            // A change is rare: the next one looks the name up anew.
            .pool_max_idle_per_host(0)
            .tls_backend_preconfigured(tls(url.scheme() == "https")?);
        if local {
            // What is meant for this host does not leave it by way of a proxy.
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| WebhookError::Tls(error.without_url().to_string()))?;
        Ok(Self { client, url })
    }

    /// The receiver without path and query: `https://hooks.example.com`.
    #[must_use]
    pub fn place(&self) -> String {
        place(&self.url)
    }
}

impl Post for Webhook {
    fn post(&self, body: String) -> BoxFuture<'_, Posted> {
        let request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json").body(body);
        Box::pin(async move {
            match request.send().await {
                Ok(response) => judged(response.status(), response.headers()),
                Err(error) => Posted::Failed { why: words(&error), wait: None },
            }
        })
    }
}

fn place(url: &Url) -> String {
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

/// Whether it leads to this host; `localhost` does by name (RFC 6761 §6.3).
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

fn header_map(headers: &[(String, String)]) -> Result<HeaderMap, WebhookError> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let known = HeaderName::from_bytes(name.as_bytes()).ok();
        let key = known.filter(|key| !NOT_OURS.contains(&key.as_str()));
        let key = key.ok_or_else(|| WebhookError::HeaderName(name.clone()))?;
        let mut value = HeaderValue::from_str(value).map_err(|_| WebhookError::HeaderValue(name.clone()))?;
        value.set_sensitive(true);
        map.append(key, value);
    }
    Ok(map)
}

/// The system's roots judge certificates (`SSL_CERT_FILE` is heard where the system's are files). Without `https` none are needed.
fn tls(https: bool) -> Result<ClientConfig, WebhookError> {
    let wrong = |error: rustls::Error| WebhookError::Tls(error.to_string());
    let provider = Arc::new(default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(wrong)?;
    if !https {
        return Ok(builder.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth());
    }
    let verifier = rustls_platform_verifier::Verifier::new(provider).map_err(wrong)?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

/// What a status means for another try (RFC 9110 §15; 429: RFC 6585 §4).
fn judged(status: StatusCode, headers: &HeaderMap) -> Posted {
    let number = status.as_u16();
    match number {
        200..=299 => Posted::Accepted,
        300..=399 => Posted::Refused(format!(
            "it answered {number}, a redirect, which is not followed: name the address that it leads to"
        )),
        408 | 429 | 500..=599 => {
            let wait = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
            Posted::Failed { why: format!("it answered {number}"), wait: wait.map(Duration::from_secs) }
        }
        _ => Posted::Refused(format!("it answered {number}")),
    }
}

/// The innermost reason, without the address.
fn words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return if error.is_connect() {
            format!("no connection within {} s", CONNECT.as_secs())
        } else {
            format!("no answer within {} s", PATIENCE.as_secs())
        };
    }
    let mut reason: &dyn std::error::Error = error;
    while let Some(inner) = reason.source() {
        reason = inner;
    }
    if error.is_connect() { format!("no connection: {reason}") } else { format!("no answer: {reason}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &str, value: &str) -> Vec<(String, String)> {
        vec![(name.to_owned(), value.to_owned())]
    }

    #[test]
    fn addresses_that_cannot_be_posted_to_are_refused() {
        let refused = |address: &str| Webhook::new(address, &[]).unwrap_err();
        assert_eq!(refused("hooks.example.com/x"), WebhookError::Url);
        assert_eq!(refused("ftp://hooks.example.com/x"), WebhookError::Scheme);
        for address in ["https://jo:pa55@hooks.example.com/", "https://t0ken@hooks.example.com/"] {
            let error = refused(address);
            assert_eq!(error, WebhookError::Credentials);
            assert!(!error.to_string().contains("pa55") && !error.to_string().contains("t0ken"));
        }
    }

    #[test]
    fn a_secret_goes_encrypted_or_stays_on_this_host() {
        let secret = header("Authorization", "Bearer abc");
        let made = |address: &str| Webhook::new(address, &secret).map(|hook| hook.place());
        let clear = WebhookError::Clear("http://hooks.example.com".to_owned());
        assert_eq!(made("http://hooks.example.com/a"), Err(clear));
        assert!(
            made("http://localhost.example.com/").is_err() && made("http://127.0.0.1.example.com/").is_err()
        );
        for (address, place) in [
            ("http://127.0.0.1:8080/a?b", "http://127.0.0.1:8080"),
            ("http://[::1]/a", "http://[::1]"),
            ("http://LOCALHOST/", "http://localhost"),
        ] {
            assert_eq!(made(address).as_deref(), Ok(place));
        }
        assert!(Webhook::new("http://hooks.example.com/t0ken", &[]).is_ok());
    }

    #[test]
    fn nothing_shows_the_path_or_a_value() {
        let hook = Webhook::new("http://127.0.0.1/t0ken?key=s3cret", &header("X-Key", "s3cret")).unwrap();
        let shown = format!("{hook:?} {}", hook.place());
        assert!(!shown.contains("t0ken") && !shown.contains("s3cret"), "{shown}");
        let error = Webhook::new("http://127.0.0.1/", &header("X-Key", "s3cret\n")).unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
        for name in ["Host", "content-length", "a b", ""] {
            let error = Webhook::new("http://127.0.0.1/", &header(name, "x")).unwrap_err();
            assert_eq!(error, WebhookError::HeaderName(name.to_owned()));
        }
    }

    #[test]
    fn only_what_may_pass_by_itself_is_tried_again() {
        let verdict = |number: u16| judged(StatusCode::from_u16(number).unwrap(), &HeaderMap::new());
        assert_eq!((verdict(200), verdict(204)), (Posted::Accepted, Posted::Accepted));
        for number in [301, 302, 307, 400, 401, 403, 404, 410, 413, 422] {
            assert!(matches!(verdict(number), Posted::Refused(_)), "{number}");
        }
        for number in [408, 429, 500, 502, 503] {
            assert!(matches!(verdict(number), Posted::Failed { wait: None, .. }), "{number}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static("7"));
        let Posted::Failed { wait, .. } = judged(StatusCode::SERVICE_UNAVAILABLE, &headers) else { panic!() };
        assert_eq!(wait, Some(Duration::from_secs(7)));
    }
}
