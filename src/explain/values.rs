//! This run's values for the placeholders of the documents.

use std::net::IpAddr;

use crate::checks::support::announced_ports;
use crate::evidence::{Audit, Configuration, Endpoint, Evidence, Fate, Mode, PortRange, RangeOrigin};
use crate::ftp::FileName;
use crate::net::class::{Class, class_of};

/// The range that is suggested where nothing is known of the server's own: outside of Linux' ephemeral ports' busy part,
/// and narrow enough for a firewall rule.
const SUGGESTED: PortRange = PortRange { min: 50000, max: 50100 };

/// Widest distance between ports seen that is taken for one deliberate range.
const ONE_RANGE: u16 = 1000;

/// The placeholders that documents may use.
pub const PLACEHOLDERS: [&str; 11] = [
    "host",
    "server_address",
    "control_port",
    "public_address",
    "advertised_address",
    "port_min",
    "port_max",
    "data_port",
    "client_address",
    "config_file",
    "uploaded_file",
];

/// Placeholder → value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values {
    pairs: Vec<(&'static str, String)>,
    /// Where the range in the recipes comes from, in words.
    pub range_from: &'static str,
}

impl Values {
    /// The values of a run, seen from one endpoint (or the first that was checked).
    #[must_use]
    pub fn of(evidence: &Evidence, address: Option<IpAddr>) -> Self {
        if let Some(audit) = &evidence.audit {
            return Self::of_configuration(evidence, audit, 0);
        }
        let endpoint = evidence
            .endpoints
            .iter()
            .find(|endpoint| Some(endpoint.address) == address)
            .or_else(|| evidence.checked().next());
        let ports = endpoint.map(announced_ports).unwrap_or_default();
        let (range, range_from) = range(evidence.told.range, &ports);
        let server = endpoint.map(|endpoint| endpoint.address);
        let advertised = endpoint.and_then(advertised);
        let show =
            |address: Option<IpAddr>, missing: &str| address.map_or(missing.to_owned(), |a| a.to_string());
        let data_port = endpoint.and_then(failing_port).or(ports.first().copied()).unwrap_or(range.min);
        Self {
            pairs: vec![
                ("host", evidence.target.host.clone()),
                ("server_address", show(server, &evidence.target.host)),
                ("control_port", evidence.target.port.to_string()),
                ("public_address", show(public(evidence, server, advertised), "YOUR_PUBLIC_ADDRESS")),
                ("advertised_address", show(advertised.or(server), "THE_ADVERTISED_ADDRESS")),
                ("port_min", range.min.to_string()),
                ("port_max", range.max.to_string()),
                ("data_port", data_port.to_string()),
                (
                    "client_address",
                    show(endpoint.and_then(|endpoint| endpoint.local_address), "YOUR_CLIENT_ADDRESS"),
                ),
                ("config_file", "the configuration file".to_owned()),
                ("uploaded_file", uploaded_file(endpoint)),
            ],
            range_from,
        }
    }

    /// The values of one configuration of an audit.
    #[must_use]
    pub fn of_configuration(evidence: &Evidence, audit: &Audit, number: usize) -> Self {
        let configuration = audit.configurations.get(number);
        let (range, range_from) = range_to_set(evidence, configuration);
        let found = audit.public.as_ref().and_then(|public| public.address);
        let servers = || configuration.into_iter().flat_map(|configuration| &configuration.servers);
        let configured = servers()
            .filter_map(|server| server.address.as_ref()?.address)
            .find(|address| class_of(*address) == Class::Global);
        let public = evidence.told.public_address.or(found).or(configured);
        let public = public.map_or("YOUR_PUBLIC_ADDRESS".to_owned(), |address| address.to_string());
        let advertised = servers()
            .find_map(|server| Some(server.address.as_ref()?.text.clone()))
            .filter(|text| tame(text));
        let file = configuration
            .and_then(|configuration| configuration.files.first())
            .filter(|file| tame(&file.path));
        let host = Some(&evidence.target.host).filter(|host| tame(host)).cloned();
        let port = servers().find_map(|server| server.listeners.first()).map_or(21, |listener| listener.port);
        Self {
            pairs: vec![
                ("host", host.unwrap_or_else(|| "THE_SERVER".to_owned())),
                ("server_address", public.clone()),
                ("control_port", port.to_string()),
                ("public_address", public),
                ("advertised_address", advertised.unwrap_or_else(|| "THE_ADVERTISED_ADDRESS".to_owned())),
                ("port_min", range.min.to_string()),
                ("port_max", range.max.to_string()),
                ("data_port", range.min.to_string()),
                ("client_address", "YOUR_CLIENT_ADDRESS".to_owned()),
                ("config_file", file.map_or("the configuration file".to_owned(), |file| file.path.clone())),
            ],
            range_from,
        }
    }

    /// A corrected line with this run's public address in it, where it is known.
    #[must_use]
    pub fn correct(&self, line: &str) -> String {
        let public = self.pairs.iter().find(|(name, _)| *name == "public_address");
        match public {
            Some((_, address)) => line.replace("PUBLIC_ADDRESS", address),
            None => line.to_owned(),
        }
    }

    /// Values for a document that is read without a run.
    #[must_use]
    pub fn example() -> Self {
        let text = |value: &str| value.to_owned();
        Self {
            pairs: vec![
                ("host", text("ftp.example.com")),
                ("server_address", text("203.0.113.10")),
                ("control_port", text("21")),
                ("public_address", text("203.0.113.10")),
                ("advertised_address", text("192.168.1.20")),
                ("port_min", SUGGESTED.min.to_string()),
                ("port_max", SUGGESTED.max.to_string()),
                ("data_port", text("50007")),
                ("client_address", text("198.51.100.7")),
                ("config_file", text("the configuration file")),
                ("uploaded_file", text("pasvcheck-18d2f1a4c0b3e5f7-4d2.tmp")),
            ],
            range_from: "an example",
        }
    }

    /// The text with its placeholders filled.
    #[must_use]
    pub fn fill(&self, text: &str) -> String {
        self.pairs
            .iter()
            .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }
}

/// The range to configure and open: what the administrator declared, or a round one about the ports that were seen, or a
/// suggestion. Server and firewall are given the same one, so that a wider one than today's does no harm.
fn range(declared: Option<PortRange>, ports: &[u16]) -> (PortRange, &'static str) {
    if let Some(range) = declared {
        return (range, "declared by --range");
    }
    match (ports.iter().min(), ports.iter().max()) {
        (Some(&low), Some(&high)) if low >= 1024 && high - low <= ONE_RANGE => {
            let min = (low / 100 * 100).max(1024);
            let max = (high.saturating_add(99) / 100 * 100).max(min.saturating_add(100));
            (PortRange { min, max }, "a round range about the ports seen; put in your own if it differs")
        }
        _ => (SUGGESTED, "a suggestion; any free range does, the same for server and firewall"),
    }
}

/// Whether a text from a file may go into a command to paste: nothing in it means anything to a shell.
fn tame(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':'))
}

/// The range to configure and open: what was declared on the command line, or a usable one of the configuration, or a
/// suggestion.
fn range_to_set(evidence: &Evidence, configuration: Option<&Configuration>) -> (PortRange, &'static str) {
    if let Some(range) = evidence.told.range {
        return (range, "declared by --range or the policy");
    }
    let servers = configuration.into_iter().flat_map(|configuration| &configuration.servers);
    let declared = servers.map(|server| &server.range).find(|range| {
        range.origin == RangeOrigin::Declared
            && range.range.min >= 1024
            && (10..=10_000).contains(&range.range.len())
    });
    match declared {
        Some(range) => (range.range, "the one configured"),
        None => (SUGGESTED, "a suggestion; any free range does, the same for server and firewall"),
    }
}

/// The address that clients should be told: the user's word, else the address that was reached if it is a public one,
/// else a public one that the server named.
fn public(evidence: &Evidence, server: Option<IpAddr>, advertised: Option<IpAddr>) -> Option<IpAddr> {
    let global = |address: &IpAddr| class_of(*address) == Class::Global;
    let ipv4 = |address: &IpAddr| address.is_ipv4();
    // An address that does not work is not put into the fix, whoever named it.
    let told = evidence
        .told
        .public_address
        .filter(|told| Some(*told) != advertised || server.is_none_or(|server| !global(&server)));
    let inside = server.filter(|address| {
        ipv4(address)
            && matches!(class_of(*address), Class::Private | Class::Shared)
            && !advertised.is_some_and(|a| global(&a))
    });
    let any_v4 =
        evidence.checked().map(|endpoint| endpoint.address).find(|address| ipv4(address) && global(address));
    told.or(server.filter(global).filter(ipv4)).or(any_v4).or(advertised.filter(global)).or(inside)
}

fn advertised(endpoint: &Endpoint) -> Option<IpAddr> {
    let addresses =
        || endpoint.offers_of(Mode::Pasv).filter_map(|offer| offer.announced?.address).map(IpAddr::V4);
    addresses().find(|address| *address != endpoint.address).or_else(|| addresses().next())
}

/// The file that an upload wrote. A report from elsewhere could name any: only a name as we make them gets into a command.
fn uploaded_file(endpoint: Option<&Endpoint>) -> String {
    let transfers = endpoint.into_iter().flat_map(|endpoint| &endpoint.transfers);
    let uploads = transfers.filter_map(|transfer| transfer.upload.as_ref());
    let mut left = uploads.filter(|upload| !matches!(upload.fate, Fate::Removed | Fate::NotBegun));
    let ours = left.find(|upload| FileName::is_ours(&upload.file));
    ours.map_or_else(|| "THE_UPLOADED_FILE".to_owned(), |upload| upload.file.clone())
}

fn failing_port(endpoint: &Endpoint) -> Option<u16> {
    let visits = endpoint.offers.iter().flat_map(|offer| &offer.visits);
    visits
        .filter(|visit| visit.connect.tried() && !visit.connect.open())
        .map(|visit| visit.connect.to.port())
        .next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_placeholder_has_a_value() {
        let text = PLACEHOLDERS.map(|name| format!("{{{name}}}")).join(" ");
        for values in [Values::example(), Values::of(&Evidence::default(), None)] {
            assert!(!values.fill(&text).contains('{'), "{values:?}");
        }
    }

    #[test]
    fn the_range_to_open_is_a_round_one() {
        assert_eq!(range(None, &[50003, 50007]).0, PortRange { min: 50000, max: 50100 });
        assert_eq!(range(None, &[50003, 50907]).0, PortRange { min: 50000, max: 51000 });
        assert_eq!(range(None, &[40000, 60000]).0, SUGGESTED);
        assert_eq!(range(None, &[20]).0, SUGGESTED);
        assert_eq!(range(None, &[]).0, SUGGESTED);
        assert_eq!(range(None, &[65534]).0, PortRange { min: 65500, max: 65535 });
        let declared = PortRange { min: 1, max: 2 };
        assert_eq!(range(Some(declared), &[50003]).0, declared);
    }
}
