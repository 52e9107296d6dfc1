//! Microsoft IIS: `applicationHost.config`, one server for each FTP site.
//!
//! Source: Microsoft's reference of `system.ftpServer/firewallSupport` and `site/ftpServer`. Not tried with a running server.

use std::net::{IpAddr, Ipv6Addr};

use roxmltree::Node;

use crate::evidence::{
    AddressSetting, Configuration, Effect, Listener, Place, PortRange, RangeOrigin, RangeSetting, Remark,
    RemarkKind, ServerConfig, Setting,
};

use super::xml::{Xml, child, down};
use super::{Source, load};

/// Reads `applicationHost.config`.
pub(super) fn read(path: &str, source: &mut dyn Source) -> Configuration {
    let mut configuration = Configuration::default();
    let Some(contents) = load(&mut configuration, source, path, None) else { return configuration };
    let Some(xml) = Xml::parse(path, &contents, &mut configuration) else { return configuration };
    let root = xml.document.root_element();
    let support = down(root, &["system.ftpServer", "firewallSupport"]);
    let range = range(&xml, support, &mut configuration.remarks);
    let sites = down(root, &["system.applicationHost", "sites"]);
    let defaults = sites.and_then(|sites| down(sites, &["siteDefaults", "ftpServer"]));
    for site in sites
        .into_iter()
        .flat_map(|sites| sites.children())
        .filter(|node| node.is_element() && node.has_tag_name("site"))
    {
        let listeners = listeners(site);
        if listeners.is_empty() {
            continue;
        }
        let server = one(&xml, site, defaults, &range, listeners, &mut configuration.remarks);
        configuration.servers.push(server);
    }
    misplaced(&xml, sites, &mut configuration.remarks);
    if configuration.servers.is_empty() {
        configuration.remarks.push(Remark {
            kind: RemarkKind::File,
            effect: Effect::Untold,
            place: sites.map_or_else(|| xml.element(root), |sites| xml.element(sites)),
            title: "there is no site with an FTP binding in it".to_owned(),
            says: "A site serves FTP if one of its bindings has protocol=\"ftp\".".to_owned(),
            corrected: None,
        });
    }
    configuration
}

/// `<binding protocol="ftp" bindingInformation="ADDRESS:PORT:HOST" />`.
fn listeners(site: Node<'_, '_>) -> Vec<Listener> {
    let bindings = child(site, "bindings").into_iter().flat_map(|bindings| bindings.children());
    let ftp = bindings
        .filter(|node| node.attribute("protocol").is_some_and(|name| name.eq_ignore_ascii_case("ftp")));
    ftp.filter_map(|node| {
        let text = node.attribute("bindingInformation")?;
        let (text, _host) = text.rsplit_once(':')?;
        let (address, port) = text.rsplit_once(':')?;
        let address = address.trim_start_matches('[').trim_end_matches(']');
        let address = address.parse().unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
        Some(Listener { address, port: port.parse().ok()? })
    })
    .collect()
}

fn one(
    xml: &Xml<'_>,
    site: Node<'_, '_>,
    defaults: Option<Node<'_, '_>>,
    range: &RangeSetting,
    listeners: Vec<Listener>,
    remarks: &mut Vec<Remark>,
) -> ServerConfig {
    let own = child(site, "ftpServer");
    let external = [own, defaults].into_iter().flatten().find_map(|node| {
        let node = child(node, "firewallSupport")?;
        let value = node.attribute("externalIp4Address").map(str::trim).filter(|value| !value.is_empty())?;
        Some((value, xml.attribute(node, "externalIp4Address")))
    });
    let matches = [own, defaults].into_iter().flatten().find_map(|node| {
        let node = down(node, &["security", "dataChannelSecurity"])?;
        let value = node.attribute("matchClientAddressForPasv")?;
        Some(Setting::said(
            value.eq_ignore_ascii_case("false"),
            xml.attribute(node, "matchClientAddressForPasv"),
        ))
    });
    let stop = own.filter(|node| {
        node.attribute("serverAutoStart").is_some_and(|value| value.eq_ignore_ascii_case("false"))
    });
    let mut address = None;
    if let Some((value, place)) = external {
        address = match value.parse::<IpAddr>() {
            Ok(IpAddr::V4(ip)) if value.split('.').count() == 4 => Some((Some(IpAddr::V4(ip)), place)),
            Ok(_) => {
                remarks.push(bad_address(value, place, "is an IPv6 address"));
                None
            }
            Err(_) if value.bytes().any(|byte| byte.is_ascii_alphabetic()) => Some((None, place)),
            Err(_) => {
                remarks.push(bad_address(value, place, "is no address"));
                None
            }
        }
        .map(|(parsed, place)| AddressSetting {
            text: value.to_owned(),
            address: parsed,
            takes_names: false,
            place,
            resolved: None,
        });
    }
    let mut server = ServerConfig {
        name: Some(format!("site \"{}\"", site.attribute("name").unwrap_or_default())),
        place: Some(own.map_or_else(|| xml.element(site), |node| xml.element(node))),
        passive: Setting::default_of(true),
        range: range.clone(),
        address,
        listeners,
        sessions: connections(xml, own),
        sessions_for_range: None,
        promiscuous: matches.unwrap_or(Setting::default_of(false)),
        session_reuse: None,
    };
    if let Some(node) = stop {
        server.place = Some(xml.attribute(node, "serverAutoStart"));
    }
    server
}

fn bad_address(value: &str, place: Place, what: &str) -> Remark {
    Remark {
        kind: RemarkKind::BadValue,
        effect: Effect::Differs,
        place,
        title: format!("externalIp4Address {value} {what}"),
        says: "Only an IPv4 address in four numbers belongs here; it goes into the reply to PASV.".to_owned(),
        corrected: Some("externalIp4Address=\"PUBLIC_ADDRESS\"".to_owned()),
    }
}

/// `<connections maxConnections="N">`; the default of 4294967295 is no bound.
fn connections(xml: &Xml<'_>, own: Option<Node<'_, '_>>) -> Option<Setting<u32>> {
    let node = own.and_then(|node| child(node, "connections"))?;
    let count: u32 = node.attribute("maxConnections")?.parse().ok()?;
    (count > 0 && count < u32::MAX).then(|| Setting::said(count, xml.attribute(node, "maxConnections")))
}

/// `lowDataChannelPort` and `highDataChannelPort`: both 0 for the system's range, else both from 1025 to 65535.
fn range(xml: &Xml<'_>, support: Option<Node<'_, '_>>, remarks: &mut Vec<Remark>) -> RangeSetting {
    let system = RangeSetting {
        range: PortRange { min: 49_152, max: 65_535 },
        origin: RangeOrigin::System,
        places: Vec::new(),
    };
    let Some(node) = support else { return system };
    let names = ["lowDataChannelPort", "highDataChannelPort"];
    let texts = names.map(|name| node.attribute(name).map_or("0", str::trim));
    if texts == ["0", "0"] {
        return system;
    }
    let places = names.map(|name| xml.attribute(node, name)).to_vec();
    let ports = texts.map(|text| text.parse::<u16>().ok());
    let wrong = match ports {
        [Some(0), Some(_)] | [Some(_), Some(0)] => Some("has one bound only; both have to be set, or none"),
        [Some(low), Some(high)] if low > high => Some("runs backwards"),
        [Some(low), Some(_)] if low < 1025 => Some("begins below 1025, where IIS offers no data ports"),
        [Some(_), Some(_)] => None,
        _ => Some("holds what is no port"),
    };
    let Some(words) = wrong else {
        let [Some(min), Some(max)] = ports else { return system };
        return RangeSetting { range: PortRange { min, max }, origin: RangeOrigin::Declared, places };
    };
    remarks.push(Remark {
        kind: RemarkKind::BadRange,
        effect: Effect::Refuses,
        place: places[0].clone(),
        title: format!("the data channel range {} to {} {words}", texts[0], texts[1]),
        says: "IIS wants two ports from 1025 to 65535, the lower one first, or 0 and 0 for the range of Windows.".to_owned(),
        corrected: None,
    });
    RangeSetting { places, origin: RangeOrigin::Declared, ..system }
}

/// The port range on a site: it is read at server level alone.
fn misplaced(xml: &Xml<'_>, sites: Option<Node<'_, '_>>, remarks: &mut Vec<Remark>) {
    for node in sites
        .into_iter()
        .flat_map(|sites| sites.descendants())
        .filter(|node| node.has_tag_name("firewallSupport"))
    {
        if let Some(attribute) =
            node.attribute_node("lowDataChannelPort").or_else(|| node.attribute_node("highDataChannelPort"))
        {
            remarks.push(Remark {
                kind: RemarkKind::UnknownDirective,
                effect: Effect::Refuses,
                place: xml.place(attribute.range()),
                title: format!("{} may not stand on a site", attribute.name()),
                says: "The data channel range holds for the whole server: it is an attribute of \
                       system.ftpServer/firewallSupport. IIS reports the file as invalid here (\"unrecognized attribute\")."
                    .to_owned(),
                corrected: None,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Files, kinds};
    use super::*;

    fn host(range: &str, site: &str) -> Configuration {
        let text = format!(
            "<configuration>\n<system.ftpServer>\n<firewallSupport {range} />\n</system.ftpServer>\n<system.applicationHost>\n<sites>\n\
             <site name=\"Web\" id=\"1\"><bindings><binding protocol=\"http\" bindingInformation=\"*:80:\" /></bindings></site>\n\
             <site name=\"Files\" id=\"2\">\n<bindings><binding protocol=\"ftp\" bindingInformation=\"*:21:\" /></bindings>\n<ftpServer>\n{site}\n</ftpServer>\n</site>\n\
             </sites>\n</system.applicationHost>\n</configuration>"
        );
        read("a.config", &mut Files::one("a.config", &text))
    }

    #[test]
    fn the_range_of_the_server_and_the_address_of_the_site() {
        let read = host(
            "lowDataChannelPort=\"50000\" highDataChannelPort=\"50100\"",
            "<firewallSupport externalIp4Address=\"203.0.113.10\" />",
        );
        assert_eq!(read.remarks, []);
        assert_eq!(read.servers.len(), 1);
        let server = &read.servers[0];
        assert_eq!(server.range.range, PortRange { min: 50000, max: 50100 });
        assert_eq!(server.address.as_ref().unwrap().address, Some([203, 0, 113, 10].into()));
        assert_eq!(server.listeners[0].port, 21);
    }

    #[test]
    fn ranges_that_it_does_not_take() {
        for (low, high, bad) in [
            ("0", "0", false),
            ("50000", "0", true),
            ("50100", "50000", true),
            ("80", "90", true),
            ("x", "1", true),
            ("1025", "65535", false),
        ] {
            let read = host(&format!("lowDataChannelPort=\"{low}\" highDataChannelPort=\"{high}\""), "");
            assert_eq!(kinds(&read.remarks).contains(&RemarkKind::BadRange), bad, "{low} {high}");
        }
        let on_site =
            host("", "<firewallSupport lowDataChannelPort=\"5000\" highDataChannelPort=\"6000\" />");
        assert_eq!(kinds(&on_site.remarks), [RemarkKind::UnknownDirective]);
    }

    #[test]
    fn names_and_ipv6_are_no_external_address() {
        let at = |text: &str| host("", &format!("<firewallSupport externalIp4Address=\"{text}\" />"));
        assert_eq!(kinds(&at("2001:db8::1").remarks), [RemarkKind::BadValue]);
        assert_eq!(kinds(&at("203.0.113").remarks), [RemarkKind::BadValue]);
        let name = at("ftp.example.com");
        let address = name.servers[0].address.as_ref().unwrap();
        assert_eq!((address.address, address.takes_names), (None, false));
        assert!(at("").servers[0].address.is_none());
    }
}
