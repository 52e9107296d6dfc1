//! Pure-FTPd: `pure-ftpd.conf`, which the daemon reads by itself, and Debian's one file for each directive, from which
//! `pure-ftpd-wrapper` makes a command line.
//!
//! Sources: `simpleconf_ftpd.h` and `ftpd.c` of 1.0.50, the wrapper of Debian 12; each rule was tried with them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::evidence::{
    AddressSetting, Configuration, Effect, Listener, Place, PortRange, RangeOrigin, RangeSetting, Remark,
    RemarkKind, ServerConfig, Setting,
};

use super::text::{Line, is_name, lines};
use super::{MOST_REMARKS, Source, load, names};

/// Deepest nesting of includes that is followed.
const DEEPEST: usize = 8;

/// Clients that are allowed where the configuration is silent (`DEFAULT_MAX_USERS`).
const DEFAULT_CLIENTS: u32 = 50;

/// Where Debian keeps one file for each directive.
const DEBIAN: &str = "/etc/pure-ftpd/conf/";

/// Reads a Pure-FTPd configuration: a directory is Debian's style, a file the daemon's own.
pub(super) fn read(path: &str, source: &mut dyn Source) -> Configuration {
    let mut configuration = Configuration::default();
    let mut values = Values::default();
    let folder = folder_of(path, source);
    if let Some(folder) = folder {
        wrapper(&folder, source, &mut configuration, &mut values);
        // The file that Debian's package brings and nothing reads.
        let dead = folder.trim_end_matches('/').trim_end_matches("conf").to_owned() + "pure-ftpd.conf";
        dead_file(&dead, &folder, source, &mut configuration, &values);
    } else {
        own_file(path, None, source, &mut configuration, &mut values, 0);
        if configuration.files.first().is_none_or(|file| file.fault.is_some()) {
            return configuration;
        }
    }
    let server = values.server(&mut configuration.remarks);
    configuration.servers.push(server);
    configuration
}

/// The directory of Debian's style, if that is what the path means: the directory, one of its files, or the file beside it
/// that nothing reads.
fn folder_of(path: &str, source: &mut dyn Source) -> Option<String> {
    let path = path.replace('\\', "/");
    if path.ends_with('/') {
        return Some(path);
    }
    let as_folder = format!("{path}/");
    if !source.list(&as_folder).is_empty() {
        return Some(as_folder);
    }
    let (parent, name) = path.rsplit_once('/')?;
    let parent = format!("{parent}/");
    if parent.ends_with("pure-ftpd/conf/") && names::pureftpd(name).is_some() {
        return Some(parent);
    }
    let beside = format!("{parent}conf/");
    let debian = name == "pure-ftpd.conf" && !source.list(&beside).is_empty();
    debian.then_some(beside)
}

#[derive(Clone, Debug)]
struct Value {
    name: String,
    text: String,
    place: Place,
}

/// The values in force.
#[derive(Default)]
struct Values {
    list: Vec<Value>,
    /// Whether the wrapper's rules hold.
    debian: bool,
    /// The directory of Debian's style.
    folder: String,
}

impl Values {
    fn of(&self, name: &str) -> Vec<&Value> {
        self.list.iter().filter(|value| value.name.eq_ignore_ascii_case(name)).collect()
    }

    fn first(&self, name: &str) -> Option<&Value> {
        self.of(name).into_iter().next()
    }

    fn last(&self, name: &str) -> Option<&Value> {
        self.of(name).into_iter().next_back()
    }

    fn switch(&self, name: &str) -> Setting<bool> {
        match self.last(name) {
            Some(value) => Setting::said(yes_no(&value.text) == Some(true), value.place.clone()),
            None => Setting::default_of(false),
        }
    }

    fn number(&self, name: &str) -> Option<(u32, Place)> {
        let value = self.last(name)?;
        Some((value.text.parse().ok()?, value.place.clone()))
    }

    fn server(&self, remarks: &mut Vec<Remark>) -> ServerConfig {
        let range = self.range(remarks);
        let nat = self.switch("NATmode");
        let fxp = [self.switch("AllowUserFXP"), self.switch("AllowAnonymousFXP")];
        let declared = range.origin == RangeOrigin::Declared;
        // `max_ftp_users = (last - first + 1) / 2` in ftpd.c; 0 would be no bound.
        let cap = (range.range.len() / 2).max(u32::from(range.range.len() > 1));
        let sessions = match self.number("MaxClientsNumber") {
            Some((count, place)) => Setting::said(count, place),
            None => Setting::default_of(DEFAULT_CLIENTS),
        };
        self.broken_clients(remarks);
        ServerConfig {
            name: None,
            // In Debian's style there is no line to point at: a file is missing.
            place: match self.list.first() {
                _ if self.debian => Some(Place { file: self.folder.clone(), ..Place::default() }),
                value => value.map(|value| value.place.clone()),
            },
            passive: Setting { value: !nat.value, place: nat.place },
            range,
            address: self.address(remarks),
            listeners: self.listeners(),
            sessions: Some(sessions),
            sessions_for_range: declared.then_some(cap).filter(|cap| *cap > 0),
            promiscuous: fxp.into_iter().find(|setting| setting.value).unwrap_or(Setting::default_of(false)),
            session_reuse: None,
        }
    }

    /// The bounds: of several lines the last counts. A range that the daemon refuses it refuses without a word.
    fn range(&self, remarks: &mut Vec<Remark>) -> RangeSetting {
        let all = self.of("PassivePortRange");
        let Some(value) = all.last() else { return RangeSetting::default() };
        if let [first, .., _] = all.as_slice()
            && first.text != value.text
        {
            remarks.push(shadowed(first, value, "the last"));
        }
        let numbers: Vec<i64> = value.text.split_whitespace().filter_map(|text| text.parse().ok()).collect();
        let places = vec![value.place.clone()];
        if let [low, high] = numbers[..]
            && (1024..=65_535).contains(&low)
            && (low..=65_535).contains(&high)
        {
            let port = |value: i64| u16::try_from(value).unwrap_or(u16::MAX);
            let range = PortRange { min: port(low), max: port(high) };
            return RangeSetting { range, origin: RangeOrigin::Declared, places };
        }
        if let [low, high] = numbers[..] {
            let corrected =
                (low > high && high >= 1024).then(|| self.line("PassivePortRange", &format!("{high} {low}")));
            remarks.push(Remark {
                kind: RemarkKind::BadRange,
                effect: Effect::Refuses,
                place: value.place.clone(),
                title: format!("PassivePortRange {} is no range that Pure-FTPd takes", value.text),
                says: "Both bounds have to lie from 1024 to 65535, the first not above the second. Pure-FTPd ends at its start \
                       (code 252), and only the system log says why: \"Illegal ports range\"."
                    .to_owned(),
                corrected,
            });
        }
        RangeSetting { places, origin: RangeOrigin::Declared, ..RangeSetting::default() }
    }

    /// A corrected line, in the style at hand.
    fn line(&self, name: &str, value: &str) -> String {
        if self.debian { value.to_owned() } else { format!("{name} {value}") }
    }

    fn address(&self, remarks: &mut Vec<Remark>) -> Option<AddressSetting> {
        let all = self.of("ForcePassiveIP");
        let value = *all.first()?;
        if let Some(last) = all.last().filter(|last| last.text != value.text) {
            remarks.push(shadowed(last, value, "the first"));
        }
        let address: Option<IpAddr> = value.text.parse().ok();
        let v6 = address.is_some_and(|address| address.is_ipv6());
        if v6 || (address.is_none() && !is_name(&value.text)) {
            let what = if v6 {
                "an IPv6 address"
            } else {
                "no address (it has to stand there bare, without quotes)"
            };
            remarks.push(Remark {
                kind: RemarkKind::BadValue,
                effect: Effect::Differs,
                place: value.place.clone(),
                title: format!("ForcePassiveIP {} is {what}, and Pure-FTPd wants an IPv4 one", value.text),
                says: "Pure-FTPd starts, and then turns every client away with \"421 Illegal forced IP for passive connections\"."
                    .to_owned(),
                corrected: Some(self.line("ForcePassiveIP", "PUBLIC_ADDRESS")),
            });
            return None;
        }
        Some(AddressSetting {
            text: value.text.clone(),
            address,
            takes_names: true,
            place: value.place.clone(),
            resolved: None,
        })
    }

    fn listeners(&self) -> Vec<Listener> {
        let bind = self.last("Bind").map_or("", |value| value.text.as_str());
        let (address, port) = bind.split_once(',').unwrap_or((bind, "21"));
        let port = port.trim().parse().unwrap_or(21);
        let any =
            |v4: bool| if v4 { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) };
        let address = address.trim().parse().unwrap_or_else(|_| any(self.switch("IPV4Only").value));
        vec![Listener { address, port }]
    }

    fn broken_clients(&self, remarks: &mut Vec<Remark>) {
        let setting = self.switch("BrokenClientsCompatibility");
        if let Some(place) = setting.place.filter(|_| setting.value) {
            remarks.push(Remark {
                kind: RemarkKind::PassiveDenied,
                effect: Effect::Slight,
                place,
                title: "BrokenClientsCompatibility switches EPSV off over IPv4".to_owned(),
                says: "Clients that ask by EPSV get \"500 Unknown command\", although FEAT lists it; PASV works.".to_owned(),
                corrected: Some(self.line("BrokenClientsCompatibility", "no")),
            });
        }
    }
}

fn shadowed(dead: &Value, alive: &Value, which: &str) -> Remark {
    Remark {
        kind: RemarkKind::Ineffective,
        effect: Effect::Slight,
        place: dead.place.clone(),
        title: format!(
            "{} {} has no effect: line {} says {}",
            dead.name, dead.text, alive.place.line, alive.text
        ),
        says: format!(
            "Of several lines with {} Pure-FTPd takes {which}. Delete the one that is not meant.",
            dead.name
        ),
        corrected: None,
    }
}

fn yes_no(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "on" | "true" | "1" => Some(true),
        "no" | "off" | "false" | "0" => Some(false),
        _ => None,
    }
}

/// `pure-ftpd.conf` as the daemon reads it: `Name value`, a comment only where `#` is the first thing of its line.
fn own_file(
    path: &str,
    asked_by: Option<&Place>,
    source: &mut dyn Source,
    configuration: &mut Configuration,
    values: &mut Values,
    depth: usize,
) {
    let Some(text) = load(configuration, source, path, asked_by) else { return };
    for line in lines(path, &text) {
        let shown = line.shown().trim();
        if shown.is_empty() || shown.starts_with('#') || configuration.remarks.len() >= MOST_REMARKS {
            continue;
        }
        let end = shown.find(|c: char| c.is_whitespace() || c == '=' || c == ':').unwrap_or(shown.len());
        let (name, rest) = shown.split_at(end);
        let rest = rest.trim_start();
        let value = rest.strip_prefix(['=', ':']).unwrap_or(rest).trim();
        if name.eq_ignore_ascii_case("Include") {
            if depth >= DEEPEST
                || configuration.files.iter().any(|file| file.path == value && file.asked_by.is_some())
            {
                configuration.remarks.push(Remark {
                    kind: RemarkKind::File,
                    effect: Effect::Untold,
                    place: line.whole(),
                    title: format!("{value} is included again and again"),
                    says: "The circle was not followed.".to_owned(),
                    corrected: None,
                });
            } else {
                own_file(value, Some(&line.whole()), source, configuration, values, depth + 1);
            }
            continue;
        }
        match fault(&line, name, value, false) {
            Some(remark) => configuration.remarks.push(remark),
            None => {
                values.list.push(Value {
                    name: name.to_owned(),
                    text: value.to_owned(),
                    place: line.whole(),
                });
            }
        }
    }
}

/// Debian's style: the first line of each file that is not blank and no comment.
fn wrapper(folder: &str, source: &mut dyn Source, configuration: &mut Configuration, values: &mut Values) {
    values.debian = true;
    folder.clone_into(&mut values.folder);
    for path in source.list(folder) {
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        let word = name.len() > 1
            && name.as_bytes()[0].is_ascii_alphabetic()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        // `.bak`, `.dpkg-old` and the like are passed over in silence.
        if !word {
            skipped(&path, &name, configuration);
            continue;
        }
        let Some(text) = load(configuration, source, &path, None) else { continue };
        let line = lines(&path, &text).find(|line| {
            let text = line.text.trim();
            !text.is_empty() && !text.starts_with('#')
        });
        let Some(line) = line else { continue };
        let value = line.text.trim();
        match fault(&line, &name, value, true) {
            Some(remark) => configuration.remarks.push(remark),
            None => values.list.push(Value { name, text: value.to_owned(), place: line.whole() }),
        }
    }
}

/// A file whose name says what it was meant for, and that is passed over.
fn skipped(path: &str, name: &str, configuration: &mut Configuration) {
    let stem = name.split(['.', '~', '-', '_']).next().unwrap_or_default();
    let meant = ["PassivePortRange", "ForcePassiveIP", "NATmode"].contains(&stem);
    // What a package manager or an editor leaves behind is no mistake.
    let left_over = name.ends_with('~')
        || name.contains(".dpkg-")
        || name.contains(".bak")
        || name.contains(".ucf-")
        || name.contains(".old")
        || name.contains(".orig");
    if meant && !left_over {
        configuration.remarks.push(Remark {
            kind: RemarkKind::Ineffective,
            effect: Effect::Differs,
            place: Place::new(path, 1, name, 0..name.len()),
            title: format!("{name} is passed over: a file here must be called {stem}"),
            says: "pure-ftpd-wrapper takes files whose names are the directive, letter for letter, and nothing else; all others \
                   it skips without a word."
                .to_owned(),
            corrected: None,
        });
    }
}

/// What neither daemon nor wrapper takes.
fn fault(line: &Line<'_>, name: &str, value: &str, debian: bool) -> Option<Remark> {
    let remark = |kind, title: String, says: String, corrected: Option<String>| Remark {
        kind,
        effect: Effect::Refuses,
        place: line.whole(),
        title,
        says,
        corrected,
    };
    let who = if debian { "pure-ftpd-wrapper" } else { "Pure-FTPd" };
    let bare = name.trim_start_matches('\u{feff}');
    let Some(known) = names::pureftpd(bare).filter(|known| !debian || *known == name) else {
        let near = names::near_pureftpd(bare);
        let title = match near {
            Some(near) => format!("{who} knows no {name}; {near} is spelt most like it"),
            None => format!("{who} knows no {name}"),
        };
        let (says, corrected) = if debian {
            let says = format!(
                "The wrapper ends with \"Invalid configuration file {}: No corresponding directive\", and Pure-FTPd does not \
                 start. A file's name has to be the directive, letter for letter{}.",
                line.file,
                near.map(|near| format!(": {near}")).unwrap_or_default()
            );
            (says, None)
        } else {
            let says = "Pure-FTPd does not start: \"property not found\".".to_owned();
            (says, near.map(|near| format!("{near} {value}")))
        };
        return Some(remark(RemarkKind::UnknownDirective, title, says, corrected));
    };
    let line_of = |value: &str| if debian { value.to_owned() } else { format!("{known} {value}") };
    match known {
        "PassivePortRange" if !two_numbers(value) => {
            let numbers: Vec<&str> =
                value.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()).take(2).collect();
            let corrected = (numbers.len() == 2).then(|| line_of(&numbers.join(" ")));
            let says = format!(
                "{who} wants two numbers with a blank between them and nothing behind them; it does not start."
            );
            Some(remark(
                RemarkKind::BadRange,
                format!("PassivePortRange {value} cannot be read"),
                says,
                corrected,
            ))
        }
        "ForcePassiveIP" if value.is_empty() || value.contains(char::is_whitespace) => {
            let corrected = value.split_whitespace().next().map(line_of);
            let says = format!("{who} wants one word; it does not start.");
            Some(remark(
                RemarkKind::BadValue,
                format!("ForcePassiveIP {value} cannot be read"),
                says,
                corrected,
            ))
        }
        "NATmode"
        | "BrokenClientsCompatibility"
        | "AllowUserFXP"
        | "AllowAnonymousFXP"
        | "IPV4Only"
        | "IPV6Only" => {
            let good = if debian {
                ["yes", "no", "on", "off", "1", "0"].iter().any(|word| value.eq_ignore_ascii_case(word))
            } else {
                yes_no(value).is_some()
            };
            let says = format!("{who} wants yes or no and nothing behind it; it does not start.");
            (!good)
                .then(|| remark(RemarkKind::BadValue, format!("{known} {value} cannot be read"), says, None))
        }
        _ => None,
    }
}

fn two_numbers(value: &str) -> bool {
    let mut words = value.split_whitespace();
    let number = |word: Option<&str>| word.is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    number(words.next()) && number(words.next()) && words.next().is_none()
}

/// `pure-ftpd.conf` beside Debian's directory: its passive settings are not in force.
fn dead_file(
    path: &str,
    folder: &str,
    source: &mut dyn Source,
    configuration: &mut Configuration,
    values: &Values,
) {
    let Ok(text) = source.read(path) else { return };
    for line in lines(path, &text) {
        let shown = line.shown().trim();
        let (name, value) = shown.split_once(char::is_whitespace).unwrap_or((shown, ""));
        let watched = ["PassivePortRange", "ForcePassiveIP", "NATmode"];
        let Some(known) = watched.into_iter().find(|known| known.eq_ignore_ascii_case(name)) else {
            continue;
        };
        let value = value.trim();
        // What says the same as the file that counts, or what the daemon does anyway, misleads nobody.
        let same = values.first(known).is_some_and(|set| set.text == value);
        if same || (known == "NATmode" && yes_no(value) == Some(false)) {
            continue;
        }
        let file = if folder.is_empty() { DEBIAN } else { folder };
        configuration.remarks.push(Remark {
            kind: RemarkKind::Ineffective,
            effect: Effect::Differs,
            place: line.whole(),
            title: format!("{known} {value} has no effect: nothing reads this file"),
            says: format!(
                "Debian and Ubuntu start Pure-FTPd by pure-ftpd-wrapper, which reads one file for each directive in {file} and \
                 never pure-ftpd.conf. The value belongs into {file}{known}."
            ),
            corrected: None,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Files, kinds};
    use super::*;

    fn own(text: &str) -> Configuration {
        read("/etc/pure-ftpd.conf", &mut Files::one("/etc/pure-ftpd.conf", text))
    }

    fn debian(files: &[(&str, &str)]) -> Configuration {
        let files: Vec<(String, &str)> =
            files.iter().map(|(name, text)| (format!("/etc/pure-ftpd/{name}"), *text)).collect();
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
        read("/etc/pure-ftpd/conf", &mut Files::of(&files))
    }

    #[test]
    fn the_daemons_own_file() {
        let read = own(
            "PassivePortRange 50000 50100\n  forcepassiveip = 203.0.113.10\r\nNATmode no\nMaxClientsNumber: 20\n",
        );
        let server = &read.servers[0];
        assert_eq!(read.remarks, []);
        assert_eq!(server.range.range, PortRange { min: 50000, max: 50100 });
        assert_eq!(server.address.as_ref().unwrap().text, "203.0.113.10");
        assert_eq!((server.sessions.as_ref().unwrap().value, server.sessions_for_range), (20, Some(50)));
        assert!(server.passive.value);
        assert!(!own("NATmode yes\n").servers[0].passive.value);
    }

    #[test]
    fn lines_with_which_it_does_not_start() {
        for text in [
            "PassivePortRange 50000:50100",
            "PassivePortRange 50000-50100",
            "PassivePortRange 50000 50100 # range",
            "PassivePortRange 50100 50000",
            "PassivePortRange 80 50000",
            "PasivePortRange 50000 50100",
            "NATmode maybe",
            "; comment",
            "ForcePassiveIP 203.0.113.10 # us",
            "\u{feff}NATmode no\u{0}",
        ] {
            let read = own(text);
            assert_eq!(read.remarks.len(), 1, "{text}: {:?}", read.remarks);
            assert_eq!(read.remarks[0].effect, Effect::Refuses, "{text}");
        }
        // Seen: it starts, and greets everybody with 421.
        let quoted = own("ForcePassiveIP \"203.0.113.10\"\n");
        assert_eq!(
            (quoted.remarks[0].kind, quoted.remarks[0].effect),
            (RemarkKind::BadValue, Effect::Differs)
        );
        assert_eq!(
            own("PassivePortRange 50000:50100").remarks[0].corrected.as_deref(),
            Some("PassivePortRange 50000 50100")
        );
    }

    #[test]
    fn of_two_ranges_the_last_and_of_two_addresses_the_first() {
        let read = own(
            "PassivePortRange 1024 2048\nPassivePortRange 50000 50100\nForcePassiveIP 203.0.113.1\nForcePassiveIP 203.0.113.2\n",
        );
        assert_eq!(read.servers[0].range.range.min, 50000);
        assert_eq!(read.servers[0].address.as_ref().unwrap().text, "203.0.113.1");
        let lines: Vec<u32> = read.remarks.iter().map(|remark| remark.place.line).collect();
        assert_eq!(lines, [1, 4]);
    }

    #[test]
    fn debians_style() {
        let read = debian(&[
            ("conf/PassivePortRange", "# ours\n\n 50000 50100\r\nrubbish\n"),
            ("conf/NATmode", "no\n"),
            ("conf/MinUID", "1000\n"),
            ("conf/ForcePassiveIP.conf", "203.0.113.10\n"),
            ("conf/PassivePortRange.dpkg-old", "1 2\n"),
            ("pure-ftpd.conf", "NATmode no\nPassivePortRange 30000 30100\n"),
        ]);
        assert_eq!(read.servers[0].range.range, PortRange { min: 50000, max: 50100 });
        assert_eq!(kinds(&read.remarks), [RemarkKind::Ineffective, RemarkKind::Ineffective]);
        assert_eq!(read.remarks[1].place.file, "/etc/pure-ftpd/pure-ftpd.conf");
        assert_eq!(read.remarks[1].place.line, 2);
    }

    #[test]
    fn the_wrapper_is_stricter() {
        for (name, text) in [
            ("natmode", "yes"),
            ("NATmode", "true"),
            ("PassivePortRange", "50000:50100"),
            ("Frobnicate", "1"),
        ] {
            let read = debian(&[(&format!("conf/{name}"), text)]);
            assert_eq!(read.remarks.len(), 1, "{name} {text}: {:?}", read.remarks);
            assert_eq!(read.remarks[0].effect, Effect::Refuses);
        }
    }

    #[test]
    fn a_circle_of_includes_ends() {
        let read = own("Include /etc/pure-ftpd.conf\n");
        assert!(read.remarks.iter().any(|remark| remark.kind == RemarkKind::File));
    }
}
