//! firewalld: what `firewall-cmd --list-all` or `--list-all-zones` prints, and a zone's own file.

use roxmltree::{Document, Node};

use super::program::list as port_list;
use super::{Action, Chain, Condition, Hook, Program, Rule, empty, everywhere, merged};
use crate::evidence::{Firewall, Passage, Passes};

/// Services that firewalld brings along, with their TCP ports; what is not here cannot be told.
const SERVICES: [(&str, &str); 28] = [
    ("ssh", "22"),
    ("ftp", "21"),
    ("ftps", "990"),
    ("http", "80"),
    ("https", "443"),
    ("smtp", "25"),
    ("smtps", "465"),
    ("smtp-submission", "587"),
    ("imap", "143"),
    ("imaps", "993"),
    ("pop3", "110"),
    ("pop3s", "995"),
    ("dns", "53"),
    ("mysql", "3306"),
    ("postgresql", "5432"),
    ("cockpit", "9090"),
    ("samba", "139,445"),
    ("nfs", "2049"),
    ("ldap", "389"),
    ("ldaps", "636"),
    ("vnc-server", "5900-5903"),
    ("rpc-bind", "111"),
    ("mountd", "20048"),
    ("redis", "6379"),
    ("telnet", "23"),
    ("rsyncd", "873"),
    ("dhcpv6-client", ""),
    ("mdns", ""),
];

/// A zone, in firewalld's terms.
#[derive(Default)]
struct Zone {
    name: String,
    target: String,
    interfaces: Vec<String>,
    sources: Vec<String>,
    deny: Vec<Rule>,
    allow: Vec<Rule>,
}

impl Zone {
    fn allow_ports(&mut self, text: &str, line: Option<u32>) {
        let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        if protocol != "tcp" {
            return;
        }
        let conditions = match port_list(ports, '-') {
            Some(set) => vec![Condition::Ports(set)],
            None => vec![Condition::Unknown(format!("the port {text}"))],
        };
        let text = format!("port {text} of zone {}", self.name);
        self.allow.push(Rule { conditions, action: Action::Accept, text, line });
    }

    fn allow_service(&mut self, name: &str, line: Option<u32>) {
        let conditions = service(name).into_iter().collect();
        let text = format!("service {name} of zone {}", self.name);
        self.allow.push(Rule { conditions, action: Action::Accept, text, line });
    }

    /// The service ftp brings the kernel's FTP helper along.
    fn helps(&self) -> bool {
        self.allow.iter().any(|rule| rule.text.starts_with("service ftp "))
    }

    fn rich(&mut self, words: &[(String, String)], text: String, line: Option<u32>) {
        let value = |element: &str, name: &str| {
            let key = format!("{element} {name}");
            words.iter().find(|(known, _)| *known == key).map(|(_, value)| value.as_str())
        };
        let has = |element: &str| {
            words.iter().any(|(known, _)| known == element || known.starts_with(&format!("{element} ")))
        };
        let mut conditions = Vec::new();
        match value("rule", "family") {
            Some("ipv4") => conditions.push(Condition::Sometimes("family ipv4".to_owned())),
            Some("ipv6") => conditions.push(Condition::Sometimes("family ipv6".to_owned())),
            _ => {}
        }
        if has("source") && !value("source", "address").is_some_and(|address| address.ends_with("/0")) {
            conditions.push(Condition::Sometimes("a source".to_owned()));
        }
        if has("destination") {
            conditions.push(Condition::Sometimes("a destination".to_owned()));
        }
        if let Some(name) = value("service", "name") {
            conditions.extend(service(name));
        }
        if let Some(port) = value("port", "port") {
            if value("port", "protocol").is_some_and(|protocol| protocol != "tcp") {
                return;
            }
            conditions.push(
                port_list(port, '-').map_or(Condition::Unknown(format!("the port {port}")), Condition::Ports),
            );
        }
        if value("protocol", "value").is_some_and(|protocol| protocol != "tcp")
            || has("icmp-block")
            || has("icmp-type")
            || has("masquerade")
            || has("forward-port")
        {
            return;
        }
        let rule = |action| Rule { conditions, action, text, line };
        if has("accept") {
            self.allow.push(rule(Action::Accept));
        } else if has("reject") || has("drop") {
            self.deny.push(rule(Action::Block));
        }
    }

    /// Denials come before permissions, whatever the order in which they were written.
    fn run(mut self, ipv4: bool) -> Vec<Passage> {
        let family = |rule: &mut Rule| {
            let other = if ipv4 { "family ipv6" } else { "family ipv4" };
            for condition in &mut rule.conditions {
                if let Condition::Sometimes(why) = condition
                    && why.starts_with("family ")
                {
                    *condition = if why == other {
                        Condition::Never
                    } else {
                        Condition::Ports(super::program::ports(0, u16::MAX))
                    };
                }
            }
        };
        self.deny.iter_mut().chain(&mut self.allow).for_each(family);
        let accepts = self.target == "ACCEPT";
        let policy = format!("target {} of zone {}", self.target, self.name);
        let rules = self.deny.into_iter().chain(self.allow).collect();
        let chain = Chain { name: self.name, hook: Some(Hook { accepts, order: (1, 0), policy }), rules };
        Program { chains: vec![chain] }.run()
    }
}

/// `None` where a service opens no TCP port; its rule then never applies.
fn service(name: &str) -> Option<Condition> {
    match SERVICES.iter().find(|(known, _)| *known == name) {
        Some((_, "")) => Some(Condition::Never),
        Some((_, ports)) => port_list(ports, '-').map(Condition::Ports),
        None => Some(Condition::Unknown(format!("the service {name}"))),
    }
}

/// The zones in what `--list-all` or `--list-all-zones` prints, and whether each is active.
fn zones_in(text: &str) -> Vec<(Zone, bool)> {
    let mut zones: Vec<(Zone, bool)> = Vec::new();
    let mut rich = false;
    for (at, line) in text.lines().enumerate() {
        let number = u32::try_from(at + 1).ok();
        if !line.starts_with([' ', '\t']) {
            rich = false;
            let name = line.split_whitespace().next();
            if let Some(name) = name {
                let zone = Zone { name: name.to_owned(), target: "default".to_owned(), ..Zone::default() };
                zones.push((zone, line.contains("active")));
            }
            continue;
        }
        let Some((zone, _)) = zones.last_mut() else { continue };
        let text = line.trim();
        if rich && text.starts_with("rule ") {
            zone.rich(&rich_words(text), text.to_owned(), number);
            continue;
        }
        let Some((key, value)) = text.split_once(':') else { continue };
        let words = value.split_whitespace();
        rich = key == "rich rules";
        match key {
            "target" => value.trim().clone_into(&mut zone.target),
            "interfaces" => zone.interfaces = words.map(str::to_owned).collect(),
            "sources" => zone.sources = words.map(str::to_owned).collect(),
            "services" => words.for_each(|name| zone.allow_service(name, number)),
            "ports" => words.for_each(|ports| zone.allow_ports(ports, number)),
            "rich rules" if value.trim().starts_with("rule ") => {
                zone.rich(&rich_words(value), value.trim().to_owned(), number);
            }
            _ => {}
        }
    }
    zones
}

/// What `--list-all` says. Several active zones hold for several interfaces: what they disagree on cannot be told.
pub(super) fn list(text: &str) -> Firewall {
    let mut firewall = empty();
    let all = zones_in(text);
    let any_active = all.iter().any(|(_, active)| *active);
    let several = all.len() > 1;
    let zones: Vec<Zone> = all
        .into_iter()
        .filter(|(zone, active)| {
            !several || (any_active && *active && (!zone.interfaces.is_empty() || zone.sources.is_empty()))
        })
        .map(|(zone, _)| zone)
        .collect();
    if zones.is_empty() {
        firewall.doubts.push("no active zone is in it".to_owned());
        return firewall;
    }
    for zone in zones.iter().filter(|zone| zone.interfaces.is_empty() && !zone.sources.is_empty()) {
        firewall.doubts.push(format!("zone {} holds for some sources only", zone.name));
    }
    firewall.helper = zones.iter().any(Zone::helps);
    // Each family is run by itself; the zones are read twice, since a run uses them up.
    let names: Vec<String> = zones.iter().map(|zone| zone.name.clone()).collect();
    let again = zones_in(text).into_iter().map(|(zone, _)| zone).filter(|zone| names.contains(&zone.name));
    firewall.ipv6 = Some(agreed(again.map(|zone| zone.run(false)).collect()));
    firewall.ipv4 = Some(agreed(zones.into_iter().map(|zone| zone.run(true)).collect()));
    firewall
}

/// Where all say the same, that; else it cannot be told.
fn agreed(all: Vec<Vec<Passage>>) -> Vec<Passage> {
    let mut all = all.into_iter();
    let Some(first) = all.next() else { return everywhere(Passes::Unknown, "no zone is active") };
    all.fold(first, |mine, other| {
        let starts =
            mine.iter().chain(&other).map(|passage| passage.min).collect::<std::collections::BTreeSet<u16>>();
        let ends: Vec<u16> = starts.iter().skip(1).map(|next| next - 1).chain([u16::MAX]).collect();
        merged(starts.iter().zip(ends).filter_map(|(start, end)| {
            let at = |side: &[Passage]| {
                side.iter().find(|passage| (passage.min..=passage.max).contains(start)).cloned()
            };
            let (a, b) = (at(&mine)?, at(&other)?);
            let (answer, because, line) = if a.answer == b.answer {
                (a.answer, a.because, a.line)
            } else {
                (Passes::Unknown, format!("it depends on the zone: {}, but {}", a.because, b.because), None)
            };
            Some(Passage { min: *start, max: end, answer, because, line })
        }))
    })
}

/// `rule family="ipv4" port port="50000-50100" protocol="tcp" accept` → element and attribute → value.
fn rich_words(text: &str) -> Vec<(String, String)> {
    let mut words = Vec::new();
    let mut element = String::new();
    for word in text.split_whitespace() {
        if let Some((name, value)) = word.split_once('=') {
            words.push((format!("{element} {name}"), value.trim_matches('"').to_owned()));
        } else {
            word.clone_into(&mut element);
            words.push((element.clone(), String::new()));
        }
    }
    words
}

/// A zone's file.
pub(super) fn zone(text: &str) -> Firewall {
    let mut firewall = empty();
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            firewall.doubts.push(format!("it is no well-formed XML: {error}"));
            return firewall;
        }
    };
    firewall.helper = zone_of(&document).helps();
    firewall.ipv4 = Some(zone_of(&document).run(true));
    firewall.ipv6 = Some(zone_of(&document).run(false));
    firewall
}

fn zone_of(document: &Document<'_>) -> Zone {
    let root = document.root_element();
    let mut zone = Zone {
        name: root
            .children()
            .find(|node| node.has_tag_name("short"))
            .and_then(|node| node.text())
            .unwrap_or("of the file")
            .to_owned(),
        target: root.attribute("target").unwrap_or("default").to_owned(),
        ..Zone::default()
    };
    for node in root.children().filter(Node::is_element) {
        let line = Some(document.text_pos_at(node.range().start).row);
        let attribute = |name: &str| node.attribute(name).unwrap_or_default();
        match node.tag_name().name() {
            "port" => zone.allow_ports(&format!("{}/{}", attribute("port"), attribute("protocol")), line),
            "service" => zone.allow_service(attribute("name"), line),
            "rule" => {
                let own = node.attributes().map(|a| (format!("rule {}", a.name()), a.value().to_owned()));
                let inner = node.children().filter(Node::is_element).flat_map(|child| {
                    let name = child.tag_name().name();
                    let whole = std::iter::once((name.to_owned(), String::new()));
                    whole.chain(
                        child
                            .attributes()
                            .map(move |a| (format!("{name} {}", a.name()), a.value().to_owned())),
                    )
                });
                let words: Vec<(String, String)> = own.chain(inner).collect();
                let text =
                    document.input_text()[node.range()].split_whitespace().collect::<Vec<_>>().join(" ");
                zone.rich(&words, text, line);
            }
            _ => {}
        }
    }
    zone
}
