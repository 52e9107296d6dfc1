//! Whom the exporter may be asked to check. Without this list whoever reaches it could have any host looked into.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use crate::evidence::{PortRange, Target};
use crate::plan::IMPLICIT_TLS_PORT;

/// The control ports that an entry allows where it names none: FTP's and implicit FTPS's (IANA `ftp`, `ftps`).
const USUAL_PORTS: [u16; 2] = [21, IMPLICIT_TLS_PORT];

/// The targets that may be checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList(Vec<Entry>);

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    hosts: Hosts,
    ports: Ports,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    /// This name, in lower case.
    Name(String),
    /// All names below `.example.com`, in lower case, the dot included.
    Below(String),
    /// Addresses, where a target is named by its address.
    Network(IpNet),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ports {
    Usual,
    All,
    These(PortRange),
}

/// Why a text is no entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Nothing before the port.
    #[error("no host is named")]
    Empty,
    /// `*`, or a `*` elsewhere than at the start.
    #[error(
        "a * stands for the names below a domain, as in *.example.com; addresses are allowed as networks, 192.0.2.0/24"
    )]
    Star,
    /// A port that is none.
    #[error("after the colon stands a port, a range of ports (2121-2130), or * for all")]
    Ports,
    /// A network that is none.
    #[error("it looks like an address or a network and is none")]
    Network,
    /// A network with bits set behind its prefix.
    #[error("the network begins at {0}: write that, or a longer prefix")]
    Bits(IpNet),
    /// What no host name has.
    #[error("a host name cannot hold {0:?}")]
    Character(char),
}

impl AllowList {
    /// A list of these entries.
    #[must_use]
    pub fn new(entries: Vec<Entry>) -> Self {
        Self(entries)
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nobody is allowed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a target may be checked. `port` is one that the module itself names, which counts as usual.
    ///
    /// A name is held to the entries for names and an address to those for addresses: what a name resolves to is the
    /// business of whoever put the name on the list.
    #[must_use]
    pub fn allows(&self, target: &Target, port: Option<u16>) -> bool {
        self.0.iter().any(|entry| entry.hosts.hold(&target.host) && entry.ports.hold(target.port, port))
    }
}

impl Hosts {
    fn hold(&self, host: &str) -> bool {
        let address = host.parse::<IpAddr>().map(|address| address.to_canonical());
        let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        match (self, address) {
            (Self::Network(network), Ok(address)) => network.contains(&address),
            (Self::Name(allowed), Err(_)) => *allowed == name,
            (Self::Below(domain), Err(_)) => name.len() > domain.len() && name.ends_with(domain.as_str()),
            _ => false,
        }
    }
}

impl Ports {
    fn hold(self, port: u16, of_module: Option<u16>) -> bool {
        match self {
            Self::Usual => USUAL_PORTS.contains(&port) || of_module == Some(port),
            Self::All => true,
            Self::These(range) => (range.min..=range.max).contains(&port),
        }
    }
}

impl FromStr for Entry {
    type Err = EntryError;

    /// Reads a name, `*.domain`, an address or a network, with `:PORT`, `:A-B` or `:*` behind it; around IPv6 with a port
    /// stand brackets.
    fn from_str(text: &str) -> Result<Self, EntryError> {
        let text = text.trim();
        let (host, ports) = divided(text)?;
        Ok(Self { hosts: hosts(host)?, ports: ports.map_or(Ok(Ports::Usual), parse_ports)? })
    }
}

/// The host and what stands after the colon.
fn divided(text: &str) -> Result<(&str, Option<&str>), EntryError> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or(EntryError::Network)?;
        return match after.strip_prefix(':') {
            Some(ports) => Ok((host, Some(ports))),
            None if after.is_empty() => Ok((host, None)),
            None => Err(EntryError::Ports),
        };
    }
    // More than one colon: an IPv6 address without a port.
    match text.split_once(':') {
        Some((_, ports)) if ports.contains(':') => Ok((text, None)),
        Some((host, ports)) => Ok((host, Some(ports))),
        None => Ok((text, None)),
    }
}

fn hosts(host: &str) -> Result<Hosts, EntryError> {
    if host.is_empty() {
        return Err(EntryError::Empty);
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(Hosts::Network(address.to_canonical().into()));
    }
    if host.contains('/') || host.contains(':') {
        let network: IpNet = host.parse().map_err(|_| EntryError::Network)?;
        return if network.addr() == network.network() {
            Ok(Hosts::Network(network))
        } else {
            Err(EntryError::Bits(network.trunc()))
        };
    }
    let (below, name) = match host.strip_prefix("*.") {
        Some(name) => (true, name),
        None => (false, host),
    };
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    match name.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '.' | '_')) {
        Some('*') => return Err(EntryError::Star),
        Some(odd) => return Err(EntryError::Character(odd)),
        None => {}
    }
    if name.split('.').any(str::is_empty) {
        return Err(EntryError::Character('.'));
    }
    if name.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return Err(EntryError::Network);
    }
    Ok(if below { Hosts::Below(format!(".{name}")) } else { Hosts::Name(name) })
}

fn parse_ports(text: &str) -> Result<Ports, EntryError> {
    if text == "*" {
        return Ok(Ports::All);
    }
    if let Ok(port) = text.parse::<u16>() {
        let alone = PortRange { min: port, max: port };
        return if port == 0 { Err(EntryError::Ports) } else { Ok(Ports::These(alone)) };
    }
    text.parse().map(Ports::These).map_err(|_| EntryError::Ports)
}

impl fmt::Display for AllowList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.len(), if self.len() == 1 { "entry" } else { "entries" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[&str]) -> AllowList {
        AllowList::new(entries.iter().map(|text| text.parse().expect(text)).collect())
    }

    fn allows(list: &AllowList, host: &str, port: u16) -> bool {
        list.allows(&Target { host: host.to_owned(), port }, None)
    }

    #[test]
    fn names_are_held_to_names() {
        let list = list(&["ftp.example.com", "*.example.net", "Odd.Example.ORG.:2121"]);
        for (host, port, expected) in [
            ("ftp.example.com", 21, true),
            ("FTP.Example.Com", 990, true),
            ("ftp.example.com.", 21, true),
            ("ftp.example.com", 22, false),
            ("x.ftp.example.com", 21, false),
            ("a.example.net", 21, true),
            ("a.b.example.net", 21, true),
            ("example.net", 21, false),
            (".example.net", 21, false),
            ("evilexample.net", 21, false),
            ("example.net.evil.test", 21, false),
            ("odd.example.org", 2121, true),
            ("odd.example.org", 21, false),
            ("203.0.113.1", 21, false),
        ] {
            assert_eq!(allows(&list, host, port), expected, "{host}:{port}");
        }
    }

    #[test]
    fn addresses_are_held_to_networks() {
        let list = list(&[
            "203.0.113.0/24",
            "198.51.100.7:2121-2130",
            "2001:db8::/32",
            "[2001:db9::1]:*",
            "192.0.2.1:*",
        ]);
        for (host, port, expected) in [
            ("203.0.113.10", 21, true),
            ("203.0.114.10", 21, false),
            ("::ffff:203.0.113.10", 21, true),
            ("198.51.100.7", 2125, true),
            ("198.51.100.7", 21, false),
            ("198.51.100.8", 2125, false),
            ("2001:db8::1", 990, true),
            ("2001:db8::1", 5000, false),
            ("2001:db9::1", 5000, true),
            ("192.0.2.1", 5000, true),
            ("203.0.113.10.example.com", 21, false),
        ] {
            assert_eq!(allows(&list, host, port), expected, "{host}:{port}");
        }
    }

    #[test]
    fn a_port_of_the_module_counts_as_usual() {
        let target = Target { host: "ftp.example.com".to_owned(), port: 2121 };
        assert!(list(&["ftp.example.com"]).allows(&target, Some(2121)));
        assert!(!list(&["ftp.example.com"]).allows(&target, Some(2122)));
        assert!(!list(&["ftp.example.com:21"]).allows(&target, Some(2121)));
        assert!(!list(&[]).allows(&target, Some(2121)));
    }

    #[test]
    fn what_is_no_entry_says_why() {
        for (text, hint) in [
            ("", "no host"),
            (":21", "no host"),
            ("*", "*.example.com"),
            ("ftp.*.com", "*.example.com"),
            ("203.0.113.7/24", "203.0.113.0/24"),
            ("203.0.113.0/33", "is none"),
            ("300.1.2.3", "is none"),
            ("host:0", "a range of ports"),
            ("host:x", "a range of ports"),
            ("host:9-1", "a range of ports"),
            ("[2001:db8::1", "is none"),
            ("[2001:db8::1]x", "a range of ports"),
            ("2001:db8::/129", "is none"),
            ("jo@host", "'@'"),
            ("a..b", "'.'"),
            ("bücher.example", "'ü'"),
        ] {
            let error = text.parse::<Entry>().expect_err(text).to_string();
            assert!(error.contains(hint), "{text}: {error}");
        }
    }
}
