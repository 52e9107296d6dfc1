//! What the user typed as a target → whom to check. Parsed once, so that everything behind can rely on it.

use std::net::{IpAddr, Ipv6Addr};

use percent_encoding::percent_decode_str;

use crate::evidence::Target;
use crate::ftp::Argument;

/// The control port when none is given (RFC 959 §8).
const DEFAULT_PORT: u16 = 21;

/// A target with what a URL may bring along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Host and port.
    pub target: Target,
    /// The user of `ftp://user@host`.
    pub user: Option<Argument>,
    /// The directory of `ftp://host/directory`.
    pub directory: Option<Argument>,
    /// Whether it was an `ftps://` URL: TLS from the first byte, on port 990 where none is named.
    pub implicit_tls: bool,
}

/// Why a text is no target. No variant holds the text: it might hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Nothing, or a URL without a host.
    #[error("no host is named; write HOST, HOST:PORT, [IPV6]:PORT or ftp://HOST")]
    NoHost,
    /// `ftp://user:password@host`.
    #[error(
        "a password does not belong into a URL, where shells and process lists keep it: write ftp://USER@HOST and give \
         the password by PASVCHECK_PASSWORD, --password-file, --password-stdin or at the prompt"
    )]
    PasswordInUrl,
    /// A scheme other than `ftp` and `ftps`.
    #[error("\"{0}://\" is no FTP; write ftp://HOST, ftps://HOST (TLS from the first byte) or HOST:PORT")]
    Scheme(String),
    /// A port that is no number from 1 to 65535.
    #[error("\"{0}\" is no port; ports are 1 to 65535")]
    Port(String),
    /// `0.0.0.0` or `::`.
    #[error("{0} is no address that a server can have")]
    Unspecified(IpAddr),
    /// `user@host` without a scheme.
    #[error("write ftp://USER@HOST, or use --user USER")]
    UserWithoutScheme,
    /// An IPv6 address with a port and no brackets, or not quite an address.
    #[error("write an IPv6 address with a port as [ADDRESS]:PORT")]
    Brackets,
    /// A character that no host name has.
    #[error("a host name cannot hold {0:?}")]
    HostCharacter(char),
    /// Four numbers that are no address.
    #[error("\"{0}\" looks like an IPv4 address and is none")]
    NotAnAddress(String),
    /// A label or the whole name too long.
    #[error("the host name is too long: at most 253 characters, and 63 between two dots")]
    HostLength,
    /// A line break in user or path.
    #[error("the {0} of the URL holds a line break or a NUL, which would be sent as a command of its own")]
    LineBreak(&'static str),
    /// Percent-encoding that is no UTF-8.
    #[error("the {0} of the URL is not valid UTF-8 once its %XX are decoded")]
    NotText(&'static str),
}

impl std::str::FromStr for Request {
    type Err = TargetError;

    /// Reads `host`, `host:port`, `[v6]:port`, a bare IPv6 address, or `ftp://user@host:port/directory` (`ftps` likewise).
    fn from_str(text: &str) -> Result<Self, TargetError> {
        let text = text.trim();
        match text.split_once("://") {
            None => Ok(Self {
                target: host_and_port(text, DEFAULT_PORT)?,
                user: None,
                directory: None,
                implicit_tls: false,
            }),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("ftp") => url(rest, false),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("ftps") => url(rest, true),
            Some((scheme, _)) => {
                let shown = scheme.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
                Err(TargetError::Scheme(shown))
            }
        }
    }
}

fn url(rest: &str, implicit_tls: bool) -> Result<Request, TargetError> {
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, _)) if user.contains(':') => return Err(TargetError::PasswordInUrl),
        Some((user, host)) => (Some(decoded(user, "user")?), host),
        None => (None, authority),
    };
    let directory = path.split(['?', '#']).next().unwrap_or_default();
    Ok(Request {
        target: host_and_port(host, if implicit_tls { super::IMPLICIT_TLS_PORT } else { DEFAULT_PORT })?,
        implicit_tls,
        user: user.filter(|user| !user.as_str().is_empty()),
        directory: Some(decoded(directory, "path")?).filter(|path| !path.as_str().is_empty()),
    })
}

fn decoded(text: &str, part: &'static str) -> Result<Argument, TargetError> {
    let text = percent_decode_str(text).decode_utf8().map_err(|_| TargetError::NotText(part))?;
    Argument::new(text).map_err(|_| TargetError::LineBreak(part))
}

fn host_and_port(text: &str, usual: u16) -> Result<Target, TargetError> {
    if text.contains('@') {
        // `user:password@host` without a scheme: say what is wrong without echoing it.
        let password = text.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'));
        return Err(if password { TargetError::PasswordInUrl } else { TargetError::UserWithoutScheme });
    }
    if text.parse::<Ipv6Addr>().is_ok() {
        return Ok(Target { host: host_name(text)?, port: usual });
    }
    if !text.starts_with('[') && text.matches(':').count() > 1 {
        return Err(TargetError::Brackets);
    }
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or(TargetError::HostCharacter('['))?;
            host.parse::<Ipv6Addr>().map_err(|_| TargetError::NotAnAddress(host.to_owned()))?;
            let port = match after {
                "" => None,
                after => Some(
                    after
                        .strip_prefix(':')
                        .ok_or_else(|| TargetError::Port(after.chars().take(20).collect()))?,
                ),
            };
            (host, port)
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    Ok(Target { host: host_name(host)?, port: port.map_or(Ok(usual), port_number)? })
}

fn port_number(text: &str) -> Result<u16, TargetError> {
    text.parse()
        .ok()
        .filter(|port| *port > 0)
        .ok_or_else(|| TargetError::Port(text.chars().take(20).collect()))
}

fn host_name(host: &str) -> Result<String, TargetError> {
    if host.is_empty() {
        return Err(TargetError::NoHost);
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        let unspecified = address.to_canonical().is_unspecified();
        return if unspecified { Err(TargetError::Unspecified(address)) } else { Ok(host.to_owned()) };
    }
    if let Some(odd) = host.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '.' | '_')) {
        return Err(TargetError::HostCharacter(odd));
    }
    if host.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return Err(TargetError::NotAnAddress(host.to_owned()));
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    if name.len() > 253 || name.split('.').any(|label| label.is_empty() || label.len() > 63) {
        return Err(if name.contains("..") {
            TargetError::HostCharacter('.')
        } else {
            TargetError::HostLength
        });
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> (String, u16) {
        let target = text.parse::<Request>().expect(text).target;
        (target.host, target.port)
    }

    fn error(text: &str) -> TargetError {
        text.parse::<Request>().expect_err(text)
    }

    #[test]
    fn the_ways_to_name_a_target() {
        assert_eq!(target("ftp.example.com"), ("ftp.example.com".into(), 21));
        assert_eq!(target("ftp.example.com.:2121"), ("ftp.example.com".into(), 2121));
        assert_eq!(target("203.0.113.10:21"), ("203.0.113.10".into(), 21));
        assert_eq!(target("2001:db8::10"), ("2001:db8::10".into(), 21));
        assert_eq!(target("[2001:db8::10]:2121"), ("2001:db8::10".into(), 2121));
        assert_eq!(target("FTP://ftp.example.com:990/"), ("ftp.example.com".into(), 990));
        assert_eq!(target("ftps://ftp.example.com/"), ("ftp.example.com".into(), 990));
        assert_eq!(target("ftps://ftp.example.com:2990"), ("ftp.example.com".into(), 2990));
        assert!("ftps://host".parse::<Request>().unwrap().implicit_tls);
        let request: Request = "ftp://jo%40work@host/pub/a%20b".parse().unwrap();
        assert_eq!(request.user.unwrap().as_str(), "jo@work");
        assert_eq!(request.directory.unwrap().as_str(), "pub/a b");
    }

    #[test]
    fn a_password_in_a_url_is_refused_and_not_echoed() {
        for text in [
            "ftp://jo:hunter2@host",
            "jo:hunter2@host",
            "ftp://jo:hunter2@host:21/x",
            "ftp://jo:hunt@er2@host",
        ] {
            assert_eq!(error(text), TargetError::PasswordInUrl);
            assert!(!error(text).to_string().contains("hunter2"));
        }
    }

    #[test]
    fn what_is_no_host() {
        assert_eq!(error(""), TargetError::NoHost);
        assert_eq!(error("ftp://"), TargetError::NoHost);
        assert_eq!(error(":21"), TargetError::NoHost);
        assert_eq!(error("0.0.0.0:21").to_string(), "0.0.0.0 is no address that a server can have");
        assert_eq!(error("[::]:21").to_string(), ":: is no address that a server can have");
        assert_eq!(error("jo@host:21"), TargetError::UserWithoutScheme);
        assert_eq!(error("::1:45001"), TargetError::Brackets);
        assert_eq!(error("a..b"), TargetError::HostCharacter('.'));
        assert_eq!(error("host:0"), TargetError::Port("0".into()));
        assert_eq!(error("host:65536"), TargetError::Port("65536".into()));
        assert_eq!(error("host:ftp"), TargetError::Port("ftp".into()));
        assert_eq!(error("a b"), TargetError::HostCharacter(' '));
        assert_eq!(error("a\r\nQUIT"), TargetError::HostCharacter('\r'));
        assert_eq!(error("bücher.example"), TargetError::HostCharacter('ü'));
        assert_eq!(error("300.1.2.3"), TargetError::NotAnAddress("300.1.2.3".into()));
        assert_eq!(error("[::1"), TargetError::HostCharacter('['));
        assert_eq!(error("[::1]junk"), TargetError::Port("junk".into()));
        assert_eq!(error("[x]:21"), TargetError::NotAnAddress("x".into()));
        assert_eq!(error(&"a".repeat(64)), TargetError::HostLength);
        assert_eq!(error("sftp://host"), TargetError::Scheme("sftp".into()));
    }

    #[test]
    fn line_breaks_are_refused_in_any_spelling() {
        assert_eq!(error("ftp://a%0d%0aDELE@host"), TargetError::LineBreak("user"));
        assert_eq!(error("ftp://host/a%0D%0ADELE"), TargetError::LineBreak("path"));
        assert_eq!(error("ftp://host/a%00"), TargetError::LineBreak("path"));
        assert_eq!(error("ftp://host/%ff"), TargetError::NotText("path"));
    }
}
