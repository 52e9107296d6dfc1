//! `FileZilla` Server: `settings.xml` of 1.x, `FileZilla Server.xml` of 0.9.
//!
//! Sources: `ftp_server_options.hpp`, `session.cpp` and `port_randomizer.cpp` of 1.9.4; `Options.cpp` and
//! `ControlSocket.cpp` of 0.9.60. Not tried with a running server.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use roxmltree::Node;

use crate::evidence::{
    AddressSetting, Configuration, Effect, Listener, Place, PortRange, RangeOrigin, RangeSetting, Remark,
    RemarkKind, ServerConfig, Setting,
};

use super::text::is_name;
use super::xml::{Xml, child, down, text};
use super::{Source, load};

/// What 1.x takes for a bound that is missing.
const DEFAULT: PortRange = PortRange { min: 49_152, max: 65_534 };

/// The system's ports on Windows.
const WINDOWS: PortRange = PortRange { min: 49_152, max: 65_535 };

/// Reads `settings.xml`.
pub(super) fn read(path: &str, source: &mut dyn Source) -> Configuration {
    let mut configuration = Configuration::default();
    let Some(contents) = load(&mut configuration, source, path, None) else { return configuration };
    let Some(xml) = Xml::parse(path, &contents, &mut configuration) else { return configuration };
    let root = xml.document.root_element();
    // Before 1.4 the element was called server.
    let Some(server) = child(root, "ftp_server").or_else(|| child(root, "server")) else {
        configuration.remarks.push(no_server(xml.element(root), "<ftp_server>"));
        return configuration;
    };
    let pasv = down(server, &["session", "pasv"]);
    let listeners: Vec<(Listener, Place)> = server
        .children()
        .filter(|node| node.is_element() && node.tag_name().name() == "listener")
        .filter_map(|node| Some((listener(node)?, xml.element(node))))
        .collect();
    let range = range(&xml, pasv, &mut configuration.remarks);
    configuration.remarks.extend(holds_listener(&range, &listeners));
    let address = pasv
        .and_then(|pasv| child(pasv, "host_override"))
        .and_then(|node| address(text(node)?, xml.element(node), &mut configuration.remarks));
    configuration.servers.push(ServerConfig {
        name: None,
        place: Some(pasv.map_or_else(|| xml.element(server), |pasv| xml.element(pasv))),
        passive: Setting::default_of(true),
        range,
        address,
        listeners: listeners.into_iter().map(|(listener, _)| listener).collect(),
        sessions: None,
        sessions_for_range: None,
        promiscuous: Setting::default_of(false),
        // No option switches it off.
        session_reuse: Some(Setting::default_of(true)),
    });
    configuration
}

fn no_server(place: Place, wanted: &str) -> Remark {
    Remark {
        kind: RemarkKind::File,
        effect: Effect::Untold,
        place,
        title: format!("there is no {wanted} in it"),
        says: "It is well-formed XML, but not the settings of FileZilla Server.".to_owned(),
        corrected: None,
    }
}

fn listener(node: Node<'_, '_>) -> Option<Listener> {
    let address = child(node, "address").and_then(text).and_then(|text| text.parse().ok());
    let port = child(node, "port").and_then(text).and_then(|text| text.parse().ok())?;
    Some(Listener { address: address.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)), port })
}

fn range(xml: &Xml<'_>, pasv: Option<Node<'_, '_>>, remarks: &mut Vec<Remark>) -> RangeSetting {
    let system = RangeSetting { range: WINDOWS, origin: RangeOrigin::System, places: Vec::new() };
    let Some(node) = pasv.and_then(|pasv| child(pasv, "port_range")) else { return system };
    let nil = node.attributes().any(|attribute| attribute.name() == "nil" && attribute.value() == "true");
    let bounds = ["min", "max"].map(|name| child(node, name));
    if nil || bounds.iter().all(Option::is_none) {
        return system;
    }
    let places: Vec<Place> = bounds.into_iter().flatten().map(|node| xml.element(node)).collect();
    let read = |node: Option<Node<'_, '_>>, default: u16| match node.and_then(text) {
        None => Ok(default),
        Some(text) => text.parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(|| text.to_owned()),
    };
    let mut bad = |place: Place, title: String, says: &str, effect| {
        remarks.push(Remark {
            kind: RemarkKind::BadRange,
            effect,
            place,
            title,
            says: says.to_owned(),
            corrected: None,
        });
    };
    let mut values = [DEFAULT.min, DEFAULT.max];
    for (at, node) in bounds.into_iter().enumerate() {
        match read(node, values[at]) {
            Ok(port) => values[at] = port,
            Err(text) => {
                let place = node.map_or_else(
                    || xml.element(bounds[0].unwrap_or(bounds[1].unwrap_or(xml.document.root()))),
                    |node| xml.element(node),
                );
                bad(
                    place,
                    format!("{text} is no port"),
                    "A port is a number from 1 to 65535; the server does not take the settings.",
                    Effect::Refuses,
                );
            }
        }
    }
    let [mut min, mut max] = values;
    if min > max {
        let title = format!("the range {min} to {max} runs backwards");
        bad(
            places[0].clone(),
            title,
            "The server swaps the bounds without a word; say what you mean, for the next reader.",
            Effect::Slight,
        );
        (min, max) = (max, min);
    }
    if min < 1024 && remarks.is_empty() {
        let title = format!("the range begins at {min}, among the ports of other services");
        let says = "Clients and firewalls refuse data connections to ports below 1024.";
        remarks.push(Remark {
            kind: RemarkKind::BadRange,
            effect: Effect::Differs,
            place: places[0].clone(),
            title,
            says: says.to_owned(),
            corrected: None,
        });
    }
    RangeSetting { range: PortRange { min, max }, origin: RangeOrigin::Declared, places }
}

/// Since 1.7.0 a range that holds a listener's port is refused.
fn holds_listener(range: &RangeSetting, listeners: &[(Listener, Place)]) -> Option<Remark> {
    let inside = |(listener, _): &&(Listener, Place)| range.range.contains(listener.port);
    let (listener, place) =
        listeners.iter().find(inside).filter(|_| range.origin == RangeOrigin::Declared)?;
    Some(Remark {
        kind: RemarkKind::BadRange,
        effect: Effect::Refuses,
        place: place.clone(),
        title: format!("the passive range {} holds the listener's port {}", range.range, listener.port),
        says: "Since version 1.7.0 FileZilla Server does not take such settings; before it, the port was lost to transfers."
            .to_owned(),
        corrected: None,
    })
}

fn address(value: &str, place: Place, remarks: &mut Vec<Remark>) -> Option<AddressSetting> {
    let address: Option<IpAddr> = value.parse().ok();
    let v6 = address.is_some_and(|address| address.is_ipv6());
    if v6 || (address.is_none() && !is_name(value)) {
        let what = if v6 {
            "an IPv6 address, which a reply to PASV cannot hold"
        } else {
            "neither an address nor a name"
        };
        remarks.push(Remark {
            kind: RemarkKind::BadValue,
            effect: Effect::Differs,
            place,
            title: format!("{value} is {what}"),
            says: "The override is for PASV alone, which is IPv4; EPSV never names an address.".to_owned(),
            corrected: None,
        });
        return None;
    }
    Some(AddressSetting { text: value.to_owned(), address, takes_names: true, place, resolved: None })
}

/// Reads `FileZilla Server.xml` of 0.9.
pub(super) fn read_legacy(path: &str, source: &mut dyn Source) -> Configuration {
    let mut configuration = Configuration::default();
    let Some(contents) = load(&mut configuration, source, path, None) else { return configuration };
    let Some(xml) = Xml::parse(path, &contents, &mut configuration) else { return configuration };
    let root = xml.document.root_element();
    let Some(settings) = child(root, "Settings") else {
        configuration.remarks.push(no_server(xml.element(root), "<Settings>"));
        return configuration;
    };
    let items = Items { xml: &xml, settings };
    let server = items.server(&mut configuration.remarks);
    configuration.servers.push(server);
    configuration
}

/// `<Item name="…">value</Item>`; names are compared letter for letter.
struct Items<'a, 'b> {
    xml: &'a Xml<'b>,
    settings: Node<'a, 'b>,
}

impl<'a> Items<'a, '_> {
    fn node(&self, name: &str) -> Option<Node<'a, '_>> {
        self.settings.children().find(|node| node.is_element() && node.attribute("name") == Some(name))
    }

    fn text(&self, name: &str) -> Option<(&'a str, Place)> {
        let node = self
            .settings
            .children()
            .find(|node| node.is_element() && node.attribute("name") == Some(name))?;
        Some((text(node)?, self.xml.element(node)))
    }

    fn number(&self, name: &str) -> Option<(i64, Place)> {
        let (value, place) = self.text(name)?;
        Some((value.parse().ok()?, place))
    }

    fn server(&self, remarks: &mut Vec<Remark>) -> ServerConfig {
        let tls = self.number("Enable SSL").is_some_and(|(value, _)| value == 1);
        let ipv4 = self.number("Disable IPv6").is_some_and(|(value, _)| value == 1);
        let any = if ipv4 { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) };
        let ports =
            self.text("Serverports").or_else(|| self.text("Serverport")).map_or("21", |(text, _)| text);
        let ports = ports.split([' ', ',']).filter_map(|port| port.trim().parse().ok());
        ServerConfig {
            name: None,
            place: self
                .node("Use custom PASV ports")
                .map(|node| self.xml.element(node))
                .or(Some(self.xml.element(self.settings))),
            passive: Setting::default_of(true),
            range: self.range(remarks),
            address: self.address(remarks),
            listeners: ports.map(|port| Listener { address: any, port }).collect(),
            sessions: self
                .number("Maximum user count")
                .filter(|(count, _)| *count > 0)
                .and_then(|(count, place)| Some(Setting::said(u32::try_from(count).ok()?, place))),
            sessions_for_range: None,
            promiscuous: match self.number("Check data connection IP") {
                Some((value, place)) => Setting::said(value == 0, place),
                None => Setting::default_of(false),
            },
            session_reuse: tls.then(|| match self.number("Force TLS session resumption") {
                Some((value, place)) => Setting::said(value != 0, place),
                None => Setting::default_of(true),
            }),
        }
    }

    /// Without a custom range the program takes 49152 to 65534.
    fn range(&self, remarks: &mut Vec<Remark>) -> RangeSetting {
        let default = RangeSetting { range: DEFAULT, origin: RangeOrigin::Daemon, places: Vec::new() };
        if self.number("Use custom PASV ports").is_none_or(|(value, _)| value != 1) {
            return default;
        }
        let bounds = [self.number("Custom PASV min port"), self.number("Custom PASV max port")];
        let places: Vec<Place> = bounds.iter().flatten().map(|(_, place)| place.clone()).collect();
        let [Some((low, place)), Some((high, _))] = bounds else {
            remarks.extend(self.node("Use custom PASV ports").map(|node| Remark {
                kind: RemarkKind::BadRange,
                effect: Effect::Differs,
                place: self.xml.element(node),
                title:
                    "a custom range is switched on, and one of its bounds is missing or no number".to_owned(),
                says: "The server takes 1 for the missing bound.".to_owned(),
                corrected: None,
            }));
            return RangeSetting { origin: RangeOrigin::Declared, places, ..default };
        };
        let port = |value: i64| u16::try_from(value.clamp(1, 65_535)).unwrap_or(u16::MAX);
        let (min, max) = (port(low.min(high)), port(low.max(high)));
        let wrong = if low > high {
            Some(("runs backwards; the server swaps the bounds without a word", Effect::Slight))
        } else if !(1..=65_535).contains(&low) || !(1..=65_535).contains(&high) {
            Some(("leaves 1 to 65535, and the server cuts it", Effect::Differs))
        } else if low < 1024 {
            Some((
                "begins among the ports of other services, which clients and firewalls refuse",
                Effect::Differs,
            ))
        } else {
            None
        };
        remarks.extend(wrong.map(|(words, effect)| Remark {
            kind: RemarkKind::BadRange,
            effect,
            place: place.clone(),
            title: format!("the range {low} to {high} {words}"),
            says: format!("In force is {min} to {max}."),
            corrected: None,
        }));
        RangeSetting { range: PortRange { min, max }, origin: RangeOrigin::Declared, places }
    }

    fn address(&self, remarks: &mut Vec<Remark>) -> Option<AddressSetting> {
        let (kind, place) = self.number("Custom PASV IP type").unwrap_or((0, Place::default()));
        let given = self.text("Custom PASV IP");
        match (kind, given) {
            (1, Some((value, place))) => address(value, place, remarks),
            (0, Some((value, at))) => {
                remarks.push(Remark {
                    kind: RemarkKind::Ineffective,
                    effect: Effect::Differs,
                    place: at,
                    title: format!("the address {value} has no effect: \"Custom PASV IP type\" is not 1"),
                    says: "Type 0 announces the local address, 1 the one given here, 2 the one that a web address tells."
                        .to_owned(),
                    corrected: None,
                });
                None
            }
            (1, None) => {
                remarks.push(Remark {
                    kind: RemarkKind::BadValue,
                    effect: Effect::Differs,
                    place,
                    title: "a custom address is switched on, and none is given".to_owned(),
                    says: "\"Custom PASV IP\" is empty: the server announces its local address.".to_owned(),
                    corrected: None,
                });
                None
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Files, kinds};
    use super::*;

    fn settings(pasv: &str) -> Configuration {
        let text = format!(
            "<?xml version=\"1.0\"?>\n<filezilla xmlns=\"https://filezilla-project.org\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n\
             <ftp_server>\n<listener><address>::</address><port>21</port></listener>\n<session>\n<pasv>\n{pasv}\n</pasv>\n</session>\n</ftp_server>\n</filezilla>\n"
        );
        read("settings.xml", &mut Files::one("settings.xml", &text))
    }

    #[test]
    fn ranges_of_1_x() {
        for (text, min, max, origin, remarks) in [
            ("", 49152, 65535, RangeOrigin::System, 0),
            ("<port_range xsi:nil=\"true\" />", 49152, 65535, RangeOrigin::System, 0),
            (
                "<port_range><min>50000</min><max>50099</max></port_range>",
                50000,
                50099,
                RangeOrigin::Declared,
                0,
            ),
            ("<port_range><min>50000</min></port_range>", 50000, 65534, RangeOrigin::Declared, 0),
            (
                "<port_range><min>50099</min><max>50000</max></port_range>",
                50000,
                50099,
                RangeOrigin::Declared,
                1,
            ),
            ("<port_range><min>x</min><max>50000</max></port_range>", 49152, 50000, RangeOrigin::Declared, 1),
            ("<port_range><min>20</min><max>50000</max></port_range>", 20, 50000, RangeOrigin::Declared, 2),
        ] {
            let read = settings(text);
            let range = &read.servers[0].range;
            assert_eq!((range.range.min, range.range.max, range.origin), (min, max, origin), "{text}");
            assert_eq!(read.remarks.len(), remarks, "{text}: {:?}", read.remarks);
        }
    }

    #[test]
    fn the_override_is_an_ipv4_address_or_a_name() {
        let at = |text: &str| settings(&format!("<host_override>{text}</host_override>"));
        let read = at("203.0.113.10");
        let address = read.servers[0].address.as_ref().unwrap();
        assert_eq!((address.place.line, address.place.column), (7, 1));
        assert!(at("ftp.example.com").servers[0].address.as_ref().unwrap().takes_names);
        assert_eq!(kinds(&at("2001:db8::1").remarks), [RemarkKind::BadValue]);
        assert!(at("").servers[0].address.is_none());
    }

    #[test]
    fn legacy_items() {
        let legacy = |items: &str| {
            let text = format!("<FileZillaServer>\n<Settings>\n{items}\n</Settings>\n</FileZillaServer>");
            read_legacy("f.xml", &mut Files::one("f.xml", &text))
        };
        let item =
            |name: &str, value: &str| format!("<Item name=\"{name}\" type=\"numeric\">{value}</Item>\n");
        let read = legacy(
            &(item("Use custom PASV ports", "1")
                + &item("Custom PASV min port", "50000")
                + &item("Custom PASV max port", "50100")),
        );
        assert_eq!(read.servers[0].range.range, PortRange { min: 50000, max: 50100 });
        let dead = legacy(&item("Custom PASV IP", "203.0.113.10"));
        assert_eq!(kinds(&dead.remarks), [RemarkKind::Ineffective]);
        let open = legacy(&item("Check data connection IP", "0"));
        assert!(open.servers[0].promiscuous.value);
        assert_eq!(legacy("").servers[0].range.range, DEFAULT);
    }

    #[test]
    fn malformed_xml_is_named_with_its_place() {
        let read = read("s.xml", &mut Files::one("s.xml", "<filezilla>\n  <ftp_server>\n</filezilla>"));
        assert_eq!((read.remarks[0].kind, read.remarks[0].place.line), (RemarkKind::File, 3));
        assert!(read.servers.is_empty());
    }
}
