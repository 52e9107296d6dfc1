//! What an audit read: configuration files as their daemons take them, the host's firewall, and the host itself.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::PortRange;

/// Longest part of a line that is kept as a quotation, in characters.
const QUOTED: usize = 200;

/// Everything that one audit read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Audit {
    /// Whether the named files alone were read, and nothing was asked of this host.
    #[serde(default)]
    pub offline: bool,
    /// Where the usual configuration files were looked for; empty if files were named.
    #[serde(default)]
    pub searched: Vec<String>,
    /// The configurations that were read, one for each server product or named file.
    #[serde(default)]
    pub configurations: Vec<Configuration>,
    /// What firewalls do to new inbound TCP connections.
    #[serde(default)]
    pub firewalls: Vec<Firewall>,
    /// Files of `--firewall` that could not be read, or were of no known kind.
    #[serde(default)]
    pub unread: Vec<ConfigFile>,
    /// The state of this host; `None` if it was not asked.
    #[serde(default)]
    pub host: Option<HostState>,
    /// The answer of a metadata or echo service, if one was asked.
    #[serde(default)]
    pub public: Option<PublicLookup>,
}

/// One server's configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Configuration {
    /// The product's name, as in a report's `server`.
    pub product: String,
    /// The files, in the order in which the daemon reads them.
    #[serde(default)]
    pub files: Vec<ConfigFile>,
    /// Each server that this configuration makes: virtual hosts and sites are servers of their own.
    #[serde(default)]
    pub servers: Vec<ServerConfig>,
    /// Lines that the daemon takes otherwise than they read, in the order of the files.
    #[serde(default)]
    pub remarks: Vec<Remark>,
    /// When the daemon that uses it was started, in seconds since 1970; `None` if it was not asked or does not run.
    #[serde(default)]
    pub daemon_started: Option<u64>,
}

/// A file, and whether it could be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ConfigFile {
    /// Its path as the user or the including file gave it.
    pub path: String,
    /// Why it could not be read.
    #[serde(default)]
    pub fault: Option<String>,
    /// The line that includes it.
    #[serde(default)]
    pub asked_by: Option<Place>,
    /// When it was last changed, in seconds since 1970, where that was asked.
    #[serde(default)]
    pub modified: Option<u64>,
}

/// A place in a file, with the line quoted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column of the first character meant, from 1, in characters.
    pub column: u32,
    /// How many characters are meant.
    pub length: u32,
    /// The whole line, cut if it is very long.
    pub text: String,
}

/// A setting as it is in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Setting<T> {
    /// What is in force.
    pub value: T,
    /// The line that says so; `None` for the daemon's own default.
    #[serde(default)]
    pub place: Option<Place>,
}

/// One server, as its daemon understands the configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ServerConfig {
    /// The virtual host or site; `None` for the only server, or the main one.
    #[serde(default)]
    pub name: Option<String>,
    /// The line that best stands for the server, for what is missing.
    #[serde(default)]
    pub place: Option<Place>,
    /// Whether passive mode is switched on.
    pub passive: Setting<bool>,
    /// The ports that data connections are offered on.
    pub range: RangeSetting,
    /// The address told to clients in the reply to PASV; `None`: that of the control connection.
    #[serde(default)]
    pub address: Option<AddressSetting>,
    /// Where control connections are taken.
    #[serde(default)]
    pub listeners: Vec<Listener>,
    /// How many sessions are allowed, where the configuration or a documented default bounds them.
    #[serde(default)]
    pub sessions: Option<Setting<u32>>,
    /// The number of sessions that the daemon itself allows for a range of this size, where it has such a rule.
    #[serde(default)]
    pub sessions_for_range: Option<u32>,
    /// Whether data connections from another address than that of the control connection are taken.
    #[serde(default)]
    pub promiscuous: Setting<bool>,
    /// Whether data connections must resume the TLS session of the control connection; `None` without TLS.
    #[serde(default)]
    pub session_reuse: Option<Setting<bool>>,
}

/// Where control connections are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Listener {
    /// The address; the unspecified one for all addresses of its family.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
}

/// The ports that data connections are offered on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RangeSetting {
    /// The lowest and the highest port, as the daemon computes them.
    pub range: PortRange,
    /// Where they come from.
    pub origin: RangeOrigin,
    /// The lines that declare them, the lower bound first.
    #[serde(default)]
    pub places: Vec<Place>,
}

impl Default for RangeSetting {
    fn default() -> Self {
        Self { range: PortRange { min: 1024, max: 65_535 }, origin: RangeOrigin::Daemon, places: Vec::new() }
    }
}

/// Where a range comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RangeOrigin {
    /// The configuration.
    Declared,
    /// The daemon's own default.
    Daemon,
    /// The system, which takes any port of its range for outgoing connections.
    System,
}

/// The address told to clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AddressSetting {
    /// As it stands in the file.
    pub text: String,
    /// As the daemon reads it; `None` for a host name.
    #[serde(default)]
    pub address: Option<IpAddr>,
    /// Whether the daemon looks names up here.
    pub takes_names: bool,
    /// The line.
    pub place: Place,
    /// What a resolver said to the name, if one was asked.
    #[serde(default)]
    pub resolved: Option<Resolved>,
}

/// What a resolver said to a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Resolved {
    /// The addresses.
    #[serde(default)]
    pub addresses: Vec<IpAddr>,
    /// Why there are none.
    #[serde(default)]
    pub error: Option<String>,
}

/// A line that the daemon takes otherwise than it reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Remark {
    /// What kind of thing it is.
    pub kind: RemarkKind,
    /// What the daemon does about it.
    pub effect: Effect,
    /// The line.
    pub place: Place,
    /// One line, without a full stop.
    pub title: String,
    /// What the daemon does, in sentences.
    pub says: String,
    /// The line as it would have to be; `None` where another place must be mended.
    #[serde(default)]
    pub corrected: Option<String>,
}

/// What kind of thing a remark is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RemarkKind {
    /// The daemon knows no directive of that name, or not here.
    UnknownDirective,
    /// A value that the daemon cannot read.
    BadValue,
    /// Bounds of the passive range that the daemon does not take as they are written.
    BadRange,
    /// The line has no effect: shadowed, in another scope, in a block that does not count, in a file that is not read.
    Ineffective,
    /// Listeners that do not go together, with each other or with the address told to clients.
    Listener,
    /// Passive commands are refused by a rule of the configuration.
    PassiveDenied,
    /// The file itself: what is missing, malformed or too much.
    File,
}

/// What the daemon does about a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Nothing that a client would notice, or only in a nameable case.
    Slight,
    /// It cannot be told from here whether the daemon minds.
    Untold,
    /// It goes on, with something else than was written.
    Differs,
    /// It does not start.
    Refuses,
}

/// What a firewall does to new inbound TCP connections from anywhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Firewall {
    /// `nftables`, `iptables`, `ufw`, `firewalld`, `Windows firewall` or `SELinux`.
    pub kind: String,
    /// The file or the command that was read.
    pub source: String,
    /// For IPv4; `None` if it says nothing about that family.
    #[serde(default)]
    pub ipv4: Option<Vec<Passage>>,
    /// For IPv6; `None` if it says nothing about that family.
    #[serde(default)]
    pub ipv6: Option<Vec<Passage>>,
    /// Whether a helper reads plaintext FTP and lets announced ports through.
    #[serde(default)]
    pub helper: bool,
    /// What was not understood, and therefore not counted.
    #[serde(default)]
    pub doubts: Vec<String>,
}

/// What happens to the ports from `min` to `max`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Passage {
    /// The lowest port.
    pub min: u16,
    /// The highest port.
    pub max: u16,
    /// What becomes of a connection to them.
    pub answer: Passes,
    /// The rule that decides, in its own words, or why it cannot be told.
    pub because: String,
    /// Its line in the file, where it has one.
    #[serde(default)]
    pub line: Option<u32>,
}

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Passes {
    /// It is let through.
    Accepted,
    /// It is dropped or rejected.
    Blocked,
    /// It cannot be told from what was read.
    Unknown,
}

/// The state of this host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HostState {
    /// The interfaces' addresses with their networks.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub networks: Vec<IpNet>,
    /// The ports that the system takes for outgoing connections.
    #[serde(default)]
    pub ephemeral: Option<PortRange>,
    /// Ports of that range that it leaves alone.
    #[serde(default)]
    pub reserved: Vec<PortRange>,
    /// Ports on which something listens.
    #[serde(default)]
    pub listening: Vec<u16>,
    /// What was to be asked of this host and could not be.
    #[serde(default)]
    pub unasked: Vec<String>,
}

/// The answer of a service that tells this host's public address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PublicLookup {
    /// Who answered in the end: `AWS`, `Google Cloud`, `Azure`, or the address of the echo service.
    #[serde(default)]
    pub source: Option<String>,
    /// The address.
    #[serde(default)]
    pub address: Option<IpAddr>,
    /// What each service that was asked said instead.
    #[serde(default)]
    pub failures: Vec<String>,
}

impl Place {
    /// The bytes `range` of `text`, which is the line `line` (from 1) of `file`.
    #[must_use]
    pub fn new(file: &str, line: usize, text: &str, range: std::ops::Range<usize>) -> Self {
        let characters = |end: usize| text.char_indices().take_while(|(at, _)| *at < end).count();
        let kept: String = without_secret(text).chars().take(QUOTED).collect();
        let width = kept.chars().count();
        let column = characters(range.start).min(width);
        let end = characters(range.end).clamp(column, width);
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Self {
            file: file.to_owned(),
            line: number(line),
            column: number(column + 1),
            length: number((end - column).max(1)),
            text: kept,
        }
    }
}

/// Whether a line of a configuration holds a password or the like.
#[must_use]
pub fn holds_secret(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    ["passw", "secret", "passphrase", "connectinf", "bindpw", "ldapbinddn", "salt"]
        .iter()
        .any(|word| line.contains(word))
}

/// A line to quote: what may be a password is starred out, character by character, so that columns stay.
fn without_secret(line: &str) -> std::borrow::Cow<'_, str> {
    if !holds_secret(line) {
        return line.into();
    }
    let indent = line.len() - line.trim_start().len();
    let name = line[indent..].find([' ', '\t', '=', ':', '>']).map_or(line.len(), |end| indent + end + 1);
    let stars: String = line[name..].chars().map(|c| if c.is_whitespace() { c } else { '*' }).collect();
    format!("{}{stars}", &line[..name]).into()
}

impl<T> Setting<T> {
    /// The daemon's own default.
    pub fn default_of(value: T) -> Self {
        Self { value, place: None }
    }

    /// What a line says.
    pub fn said(value: T, place: Place) -> Self {
        Self { value, place: Some(place) }
    }
}

impl Firewall {
    /// What it does to one family; `None` if it says nothing about it.
    #[must_use]
    pub fn family(&self, ipv4: bool) -> Option<&[Passage]> {
        if ipv4 { self.ipv4.as_deref() } else { self.ipv6.as_deref() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_from_one() {
        let place = Place::new("f", 3, "größe=1", 8..9);
        assert_eq!((place.line, place.column, place.length), (3, 7, 1));
        let end = Place::new("f", 1, "ab", 2..2);
        assert_eq!((end.column, end.length), (3, 1));
        let secret = Place::new("f", 1, "SQLConnectInf db user pass-ö", 0..13);
        assert_eq!(secret.text, "SQLConnectInf ** **** ******");
        let secret = Place::new("f", 1, " SQLConnectInfo db user pässword", 1..15);
        assert_eq!(secret.text, " SQLConnectInfo ** **** ********");
        let long = Place::new("f", 1, &"x".repeat(1000), 900..950);
        assert_eq!((long.text.len(), long.column, long.length), (200, 201, 1));
    }
}
