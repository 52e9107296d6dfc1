//! `ProFTPD`: directives in nested sections, the first of a name wins in its scope.
//!
//! Two steps: [`tree`] reads lines, sections and includes into a flat list of directives with their scope; this file
//! decides what is in force in each server. Rules tried with 1.3.8; contexts are those of its directive tables.

mod tree;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::evidence::{
    AddressSetting, Configuration, Effect, Listener, PortRange, RangeOrigin, RangeSetting, Remark,
    RemarkKind, ServerConfig, Setting,
};

use super::Source;
use super::text::{atoi, is_name};
use tree::{Directive, Scope, Tree};

/// Reads a `ProFTPD` configuration.
pub(super) fn read(path: &str, source: &mut dyn Source) -> Configuration {
    let Tree { mut configuration, directives } = tree::read(path, source);
    if configuration.files.first().is_some_and(|file| file.fault.is_some()) {
        return configuration;
    }
    let mut servers: Vec<(Scope, String)> = vec![(Scope::Main, String::new())];
    for directive in &directives {
        if let Scope::Host(_) = directive.scope
            && !servers.iter().any(|(scope, _)| *scope == directive.scope)
        {
            servers.push((directive.scope, directive.host.clone()));
        }
    }
    let hosts = servers.len() > 1;
    configuration.remarks.extend(shadowed(&directives));
    if hosts {
        configuration.remarks.extend(not_inherited(&directives, &servers));
    }
    for (scope, name) in servers {
        let view = View { directives: &directives, scope };
        // `Port 0` switches a server off.
        let port = view.first("Port").and_then(|directive| directive.args.first().map(|port| atoi(port)));
        if port == Some(0) {
            continue;
        }
        let server = view.server(&name, port, &mut configuration.remarks);
        configuration.servers.push(server);
    }
    let order: Vec<String> = configuration.files.iter().map(|file| file.path.clone()).collect();
    let rank = |remark: &Remark| order.iter().position(|path| *path == remark.place.file);
    configuration.remarks.sort_by_key(|remark| (rank(remark), remark.place.line));
    configuration.remarks.dedup();
    configuration
}

/// Directives of which it matters what is in force.
const WATCHED: [&str; 5] =
    ["PassivePorts", "MasqueradeAddress", "TLSMasqueradeAddress", "AllowForeignAddress", "MaxInstances"];

/// What one server sees: its own section first, then `<Global>`.
struct View<'a> {
    directives: &'a [Directive],
    scope: Scope,
}

impl<'a> View<'a> {
    fn all(&self, name: &'a str) -> impl Iterator<Item = &'a Directive> + '_ {
        let of = move |scope: Scope| {
            self.directives
                .iter()
                .filter(move |directive| directive.is(name) && directive.scope == scope && directive.active)
        };
        of(self.scope).chain(of(Scope::Global))
    }

    fn first(&self, name: &'a str) -> Option<&'a Directive> {
        self.all(name).find(|directive| !directive.conditional)
    }

    fn server(&self, name: &str, port: Option<i64>, remarks: &mut Vec<Remark>) -> ServerConfig {
        let own = self
            .directives
            .iter()
            .find(|directive| directive.scope == self.scope && !directive.is("Include"));
        let tls = self.first("TLSEngine").is_some_and(|directive| directive.switch() == Some(true));
        ServerConfig {
            name: (!name.is_empty()).then(|| format!("<VirtualHost {name}>")),
            place: own.map(|directive| directive.section.clone().unwrap_or_else(|| directive.place.clone())),
            passive: self.passive(remarks),
            range: self.range(remarks),
            address: self.address(remarks),
            listeners: self.listeners(name, port),
            sessions: self.sessions(),
            sessions_for_range: None,
            promiscuous: match self.first("AllowForeignAddress") {
                // A class name in place of on and off bounds it.
                Some(directive) => Setting::said(directive.switch() == Some(true), directive.place.clone()),
                None => Setting::default_of(false),
            },
            session_reuse: tls.then(|| {
                let options = self.all("TLSOptions").find(|directive| {
                    directive.args.iter().any(|option| option.eq_ignore_ascii_case("NoSessionReuseRequired"))
                });
                match options {
                    Some(directive) => Setting::said(false, directive.place.clone()),
                    None => Setting::default_of(true),
                }
            }),
        }
    }

    fn listeners(&self, name: &str, port: Option<i64>) -> Vec<Listener> {
        let port = port.and_then(|port| u16::try_from(port).ok()).unwrap_or(21);
        let named: Vec<IpAddr> = if name.is_empty() {
            let default = self.first("DefaultAddress");
            default
                .into_iter()
                .flat_map(|directive| &directive.args)
                .filter_map(|text| text.parse().ok())
                .collect()
        } else {
            name.split_whitespace().filter_map(|text| text.parse().ok()).collect()
        };
        if !named.is_empty() {
            return named.into_iter().map(|address| Listener { address, port }).collect();
        }
        let ipv6 = self.first("UseIPv6").is_none_or(|directive| directive.switch() != Some(false));
        let any: IpAddr = if ipv6 { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
        vec![Listener { address: any, port }]
    }

    fn sessions(&self) -> Option<Setting<u32>> {
        let bound = |name: &'static str| {
            let directive = self.first(name)?;
            let count = u32::try_from(atoi(directive.args.first()?)).ok().filter(|count| *count > 0)?;
            Some(Setting::said(count, directive.place.clone()))
        };
        // MaxInstances belongs to the main server and bounds them all.
        let main = View { directives: self.directives, scope: Scope::Main };
        let instances = main.first("MaxInstances").and_then(|directive| {
            let count = u32::try_from(atoi(directive.args.first()?)).ok().filter(|count| *count > 0)?;
            Some(Setting::said(count, directive.place.clone()))
        });
        [bound("MaxClients"), instances].into_iter().flatten().min_by_key(|setting| setting.value)
    }

    fn passive(&self, remarks: &mut Vec<Remark>) -> Setting<bool> {
        let mut denied = Vec::new();
        for command in ["PASV", "EPSV"] {
            let limit = self.directives.iter().find(|directive| {
                (directive.scope == self.scope || directive.scope == Scope::Global)
                    && directive.active
                    && !directive.conditional
                    && directive.is("DenyAll")
                    && directive.limits.iter().any(|limit| limits(limit, command))
            });
            denied.extend(limit.map(|directive| (command, directive.place.clone())));
        }
        match denied.as_slice() {
            [] => Setting::default_of(true),
            [(command, place)] => {
                remarks.push(Remark {
                    kind: RemarkKind::PassiveDenied,
                    effect: Effect::Slight,
                    place: place.clone(),
                    title: format!("ProFTPD refuses {command}"),
                    says: format!("This <Limit> makes ProFTPD answer \"501 {command}: Operation not permitted\"; the other passive command works."),
                    corrected: None,
                });
                Setting::default_of(true)
            }
            [(_, place), ..] => Setting::said(false, place.clone()),
        }
    }

    fn range(&self, remarks: &mut Vec<Remark>) -> RangeSetting {
        // Without a range PASV takes any port that the system gives; EPSV one of 1024 to 65535.
        let system = RangeSetting {
            range: PortRange { min: 32_768, max: 60_999 },
            origin: RangeOrigin::System,
            places: Vec::new(),
        };
        let Some(directive) = self.first("PassivePorts") else { return system };
        match bounds(&directive.args) {
            Ok(range) => {
                RangeSetting { range, origin: RangeOrigin::Declared, places: vec![directive.place.clone()] }
            }
            Err((reason, corrected)) => {
                remarks.push(Remark {
                    kind: RemarkKind::BadRange,
                    effect: Effect::Refuses,
                    place: directive.place.clone(),
                    title: format!("PassivePorts {}: {reason}", directive.args.join(" ")),
                    says: "ProFTPD takes two ports, both from 1024 to 65535, the first below the second, with a blank \
                           between them. It does not start with anything else."
                        .to_owned(),
                    corrected,
                });
                RangeSetting {
                    places: vec![directive.place.clone()],
                    origin: RangeOrigin::Declared,
                    ..system
                }
            }
        }
    }

    fn address(&self, remarks: &mut Vec<Remark>) -> Option<AddressSetting> {
        let directive = self.first("MasqueradeAddress")?;
        let text = directive.args.first()?;
        let address: Option<IpAddr> = text.parse().ok();
        if address.is_some_and(|address| address.is_ipv6()) {
            remarks.push(Remark {
                kind: RemarkKind::BadValue,
                effect: Effect::Differs,
                place: directive.place.clone(),
                title: format!("MasqueradeAddress {text} is an IPv6 address, which a reply to PASV cannot hold"),
                says: "ProFTPD starts, and answers PASV with three numbers in place of six, which no client can read. EPSV \
                       names no address; only an IPv4 address belongs here."
                    .to_owned(),
                corrected: Some("MasqueradeAddress PUBLIC_ADDRESS".to_owned()),
            });
            return None;
        }
        if address.is_none() && !is_name(text) {
            remarks.push(Remark {
                kind: RemarkKind::BadValue,
                effect: Effect::Differs,
                place: directive.place.clone(),
                title: format!("MasqueradeAddress {text} is neither an address nor a name"),
                says: "`proftpd -t` does not mind, ProFTPD starts, and announces its local address without a word.".to_owned(),
                corrected: Some("MasqueradeAddress PUBLIC_ADDRESS".to_owned()),
            });
            return None;
        }
        Some(AddressSetting {
            text: text.clone(),
            address,
            takes_names: true,
            place: directive.place.clone(),
            resolved: None,
        })
    }
}

/// Whether a `<Limit>` of that name holds the passive commands: by name, in the group of directory commands, or all.
fn limits(limit: &str, command: &str) -> bool {
    limit.eq_ignore_ascii_case(command)
        || limit.eq_ignore_ascii_case("ALL")
        || limit.eq_ignore_ascii_case("DIRS")
}

/// The bounds of `PassivePorts`, read with `atoi`, as `set_passiveports` in `mod_core.c` takes them; or why not, with the
/// corrected line where it is clear.
fn bounds(args: &[String]) -> Result<PortRange, (String, Option<String>)> {
    let [low, high, ..] = args else {
        let joined = args.first().and_then(|text| text.split_once(['-', ':', ',']));
        let corrected = joined
            .filter(|(low, high)| {
                [low, high].iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
            })
            .map(|(low, high)| format!("PassivePorts {low} {high}"));
        return Err(("\"missing parameters\"".to_owned(), corrected));
    };
    let (low, high) = (atoi(low), atoi(high));
    if low < 1024 || high < 1024 {
        return Err(("\"port numbers must be above 1023\"".to_owned(), None));
    }
    match (u16::try_from(low), u16::try_from(high)) {
        (Ok(min), Ok(max)) if min < max => Ok(PortRange { min, max }),
        (Ok(min), Ok(max)) if min > max => Err((
            "\"min port must be less than max port\"".to_owned(),
            Some(format!("PassivePorts {max} {min}")),
        )),
        (Ok(_), Ok(_)) => Err(("\"min port must be less than max port\"".to_owned(), None)),
        _ => Err(("\"max port must be allowable port number\"".to_owned(), None)),
    }
}

/// Later lines of a name in the same scope, and lines of `<Global>` that the server's own section outdoes.
fn shadowed(directives: &[Directive]) -> Vec<Remark> {
    let watched = |directive: &&Directive| {
        directive.active && !directive.conditional && WATCHED.iter().any(|name| directive.is(name))
    };
    let all: Vec<&Directive> = directives.iter().filter(watched).collect();
    let mut remarks = Vec::new();
    for (at, later) in all.iter().enumerate() {
        let same = |first: &&&Directive| {
            first.is(&later.name) && first.scope == later.scope && first.args != later.args
        };
        let Some(first) = all[..at].iter().find(same) else { continue };
        let far = first.place.file != later.place.file;
        let place = if far {
            format!("{} line {}", first.place.file, first.place.line)
        } else {
            format!("line {}", first.place.line)
        };
        remarks.push(Remark {
            kind: RemarkKind::Ineffective,
            // In a file of its own it was surely meant to override.
            effect: if far { Effect::Differs } else { Effect::Slight },
            place: later.place.clone(),
            title: format!("{} {} has no effect: {place} comes first", later.name, later.args.join(" ")),
            says: "Of several lines with one name in the same scope ProFTPD takes the first; a file that is included later \
                   cannot override an earlier line. Delete the one that is not meant."
                .to_owned(),
            corrected: None,
        });
    }
    remarks
}

/// Settings of the main server that virtual hosts do not get.
fn not_inherited(directives: &[Directive], servers: &[(Scope, String)]) -> Vec<Remark> {
    let mut remarks = Vec::new();
    for name in ["PassivePorts", "MasqueradeAddress"] {
        let main = View { directives, scope: Scope::Main };
        let Some(directive) = main.first(name).filter(|directive| directive.scope == Scope::Main) else {
            continue;
        };
        let without: Vec<&str> = servers
            .iter()
            .filter(|(scope, _)| {
                *scope != Scope::Main && View { directives, scope: *scope }.first(name).is_none()
            })
            .map(|(_, name)| name.as_str())
            .collect();
        if without.is_empty() {
            continue;
        }
        remarks.push(Remark {
            kind: RemarkKind::Ineffective,
            effect: Effect::Differs,
            place: directive.place.clone(),
            title: format!("{name} does not hold in <VirtualHost {}>", without.join(">, <VirtualHost ")),
            says: "A virtual host inherits nothing from the lines outside of sections; what is to hold everywhere belongs \
                   into <Global>."
                .to_owned(),
            corrected: Some(format!("<Global>\n  {name} {}\n</Global>", directive.args.join(" "))),
        });
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Files, kinds};
    use super::*;

    fn read_text(text: &str) -> Configuration {
        read("/etc/proftpd.conf", &mut Files::one("/etc/proftpd.conf", text))
    }

    fn range_of(configuration: &Configuration, server: usize) -> (u16, u16, RangeOrigin) {
        let range = &configuration.servers[server].range;
        (range.range.min, range.range.max, range.origin)
    }

    #[test]
    fn the_first_line_wins_and_own_beats_global() {
        let read = read_text(
            "<Global>\nPassivePorts 1024 2048\n</Global>\nPassivePorts 50000 50100\npassiveports 60000 60100\n",
        );
        assert_eq!(range_of(&read, 0), (50000, 50100, RangeOrigin::Declared));
        assert_eq!(kinds(&read.remarks), [RemarkKind::Ineffective]);
        assert_eq!(read.remarks[0].place.line, 5);
    }

    #[test]
    fn a_virtual_host_inherits_from_global_alone() {
        let text = "PassivePorts 50000 50100\nMasqueradeAddress 203.0.113.10\n<Global>\nMasqueradeAddress 203.0.113.11\n</Global>\n\
                    <VirtualHost 192.0.2.5>\nServerName x\n</VirtualHost>\n";
        let read = read_text(text);
        assert_eq!(read.servers.len(), 2);
        assert_eq!(range_of(&read, 1).2, RangeOrigin::System);
        assert_eq!(read.servers[1].address.as_ref().unwrap().text, "203.0.113.11");
        assert_eq!(read.servers[1].listeners[0].address, IpAddr::from([192, 0, 2, 5]));
        assert_eq!((read.remarks.len(), read.remarks[0].place.line), (1, 1), "{:?}", read.remarks);
    }

    #[test]
    fn ranges_that_it_refuses() {
        for (text, corrected) in [
            ("50000-50100", Some("PassivePorts 50000 50100")),
            ("50000", None),
            ("50100 50000", Some("PassivePorts 50000 50100")),
            ("50000 50000", None),
            ("1023 50000", None),
            ("50000 65536", None),
            ("a b", None),
        ] {
            let read = read_text(&format!("PassivePorts {text}\n"));
            assert_eq!(kinds(&read.remarks), [RemarkKind::BadRange], "{text}");
            assert_eq!(read.remarks[0].corrected.as_deref(), corrected, "{text}");
        }
        for text in ["50000 50100 # comment", "\"50000\" 50100", "50000-50100 50100", "50000 \\\n 50100"] {
            let read = read_text(&format!("PassivePorts {text}\n"));
            assert_eq!(
                (range_of(&read, 0), read.remarks.len()),
                ((50000, 50100, RangeOrigin::Declared), 0),
                "{text}"
            );
        }
    }

    #[test]
    fn passive_mode_denied_by_a_limit() {
        for limit in ["PASV EPSV", "ALL", "DIRS"] {
            let read = read_text(&format!("<Limit {limit}>\n  DenyAll\n</Limit>\n"));
            assert!(!read.servers[0].passive.value, "{limit}");
        }
        assert!(
            read_text("<Directory /x>\n<Limit ALL>\nDenyAll\n</Limit>\n</Directory>\n").servers[0]
                .passive
                .value
        );
        assert!(read_text("<Limit WRITE>\nDenyAll\n</Limit>\n").servers[0].passive.value);
        assert!(
            read_text("<Anonymous ~ftp>\n<Limit ALL>\nDenyAll\n</Limit>\n</Anonymous>\n").servers[0]
                .passive
                .value
        );
    }

    #[test]
    fn session_reuse_is_demanded_unless_told_otherwise() {
        let reuse =
            |text: &str| read_text(text).servers[0].session_reuse.clone().map(|setting| setting.value);
        assert_eq!(reuse(""), None);
        assert_eq!(reuse("TLSEngine on\n"), Some(true));
        assert_eq!(reuse("TLSEngine on\nTLSOptions NoCertRequest NoSessionReuseRequired\n"), Some(false));
    }

    #[test]
    fn port_0_switches_the_main_server_off() {
        let read = read_text("Port 0\n<VirtualHost 192.0.2.5>\nPort 2121\n</VirtualHost>\n");
        assert_eq!((read.servers.len(), read.servers[0].listeners[0].port), (1, 2121));
    }
}
