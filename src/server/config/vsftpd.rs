//! vsftpd: `key=value` lines, the last of a key wins.
//!
//! Source: `parseconf.c`, `tunables.c` and `privops.c` (passive ports) of 3.0.5; each rule was tried with 3.0.3.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::evidence::{
    AddressSetting, Configuration, Effect, Listener, Place, PortRange, RangeOrigin, RangeSetting, Remark,
    RemarkKind, ServerConfig, Setting,
};

use super::names::{self, Kind};
use super::text::{Line, atoi, inet_aton, is_name, lines};
use super::{MOST_REMARKS, Source, load};

/// What stands behind this byte is never read (`VSFTP_CONF_FILE_MAX`).
const READ_LIMIT: usize = 100_000;

/// `pasv_min_port` where the configuration is silent (the manual says "any").
const DEFAULT_MIN: i64 = 5001;

/// Reads a vsftpd configuration.
pub(super) fn read(path: &str, source: &mut dyn Source) -> Configuration {
    let mut configuration = Configuration::default();
    if let Some(text) = load(&mut configuration, source, path, None) {
        let mut keys = Keys::default();
        let mut position = 0;
        for line in lines(path, &text) {
            if position >= READ_LIMIT {
                configuration.remarks.extend(beyond(&line));
            } else {
                keys.take(&line, &mut configuration.remarks);
            }
            position += line.text.len() + 1;
        }
        let server = keys.server(&mut configuration.remarks);
        configuration.servers.push(server);
        configuration.remarks.sort_by_key(|remark| remark.place.line);
    }
    configuration
}

/// A line of consequence behind the part that is read.
fn beyond(line: &Line<'_>) -> Option<Remark> {
    let name = line.text.split('=').next().unwrap_or_default().trim();
    (name.starts_with("pasv_") || name.starts_with("listen")).then(|| Remark {
        kind: RemarkKind::Ineffective,
        effect: Effect::Differs,
        place: line.whole(),
        title: format!("vsftpd never reads so far: {name} has no effect"),
        says: format!("vsftpd reads the first {READ_LIMIT} bytes of its file and nothing of what follows."),
        corrected: None,
    })
}

/// The last value of each key, with its place.
#[derive(Default)]
struct Keys {
    values: BTreeMap<String, (String, Place)>,
}

impl Keys {
    /// Takes one line as vsftpd does.
    fn take(&mut self, line: &Line<'_>, remarks: &mut Vec<Remark>) {
        // Blanks before the key are skipped only after the test for a comment: an indented "#" is a key to vsftpd.
        if line.text.starts_with('#') || line.text.trim().is_empty() || remarks.len() >= MOST_REMARKS {
            return;
        }
        let setting = line.text.trim_start();
        let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
        let Some(kind) = names::vsftpd(key) else {
            remarks.push(unknown(line, key, value, setting.contains('=')));
            return;
        };
        remarks.extend(of_one_distribution(line, key, value));
        if let Some(remark) = bad_value(line, key, value, kind) {
            remarks.push(remark);
            return;
        }
        let value = value.trim().to_owned();
        let place = line.whole();
        let before = self.values.insert(key.to_owned(), (value.clone(), place.clone()));
        if let Some((old, old_place)) = before
            && old != value
            && matters(key)
        {
            remarks.push(shadowed(key, &old, old_place, &value, &place));
        }
    }

    fn text(&self, key: &str) -> Option<(&str, &Place)> {
        let (value, place) = self.values.get(key)?;
        (!value.is_empty()).then_some((value.as_str(), place))
    }

    fn switch(&self, key: &str, default: bool) -> Setting<bool> {
        match self.text(key) {
            Some((value, place)) => Setting::said(is_yes(value), place.clone()),
            None => Setting::default_of(default),
        }
    }

    fn number(&self, key: &str) -> Option<(i64, &str, &Place)> {
        let (value, place) = self.text(key)?;
        Some((unsigned(value), value, place))
    }

    /// What the daemon makes of it all.
    fn server(&self, remarks: &mut Vec<Remark>) -> ServerConfig {
        let (listen, listen_ipv6) = (self.switch("listen", true), self.switch("listen_ipv6", false));
        let anchor = listen_ipv6.place.clone().filter(|_| listen_ipv6.value).or(listen.place.clone());
        let anchor =
            anchor.or_else(|| self.values.values().map(|(_, place)| place.clone()).min_by_key(|p| p.line));
        let range = self.range(remarks);
        let address = self.address(remarks);
        Self::listeners_fit(&listen, &listen_ipv6, address.as_ref(), remarks);
        let tls = self.switch("ssl_enable", false).value;
        ServerConfig {
            name: None,
            place: anchor,
            passive: self.passive(remarks),
            range,
            address,
            listeners: self.listeners(listen.value, listen_ipv6.value),
            sessions: self
                .number("max_clients")
                .filter(|(count, ..)| *count > 0)
                .and_then(|(count, _, place)| Some(Setting::said(u32::try_from(count).ok()?, place.clone()))),
            sessions_for_range: None,
            promiscuous: self.switch("pasv_promiscuous", false),
            session_reuse: tls.then(|| self.switch("require_ssl_reuse", true)),
        }
    }

    fn listeners(&self, listen: bool, listen_ipv6: bool) -> Vec<Listener> {
        let port = self.number("listen_port").and_then(|(port, ..)| u16::try_from(port).ok()).unwrap_or(21);
        let address =
            |key: &str, any: IpAddr| self.text(key).and_then(|(text, _)| text.parse().ok()).unwrap_or(any);
        let v4 = || Listener { address: address("listen_address", Ipv4Addr::UNSPECIFIED.into()), port };
        let v6 = || Listener { address: address("listen_address6", Ipv6Addr::UNSPECIFIED.into()), port };
        match (listen, listen_ipv6) {
            (true, false) => vec![v4()],
            (false, true) => vec![v6()],
            _ => Vec::new(),
        }
    }

    /// Whether passive mode is on: `pasv_enable`, and what commands are denied or not among those allowed.
    fn passive(&self, remarks: &mut Vec<Remark>) -> Setting<bool> {
        let switch = self.switch("pasv_enable", true);
        if !switch.value {
            return switch;
        }
        let list = |key: &str| {
            let (value, place) = self.text(key)?;
            Some((value.split(',').map(str::trim).collect::<Vec<_>>(), place))
        };
        let denied: Vec<(&str, &Place)> = ["PASV", "EPSV"]
            .into_iter()
            .filter_map(|command| {
                let deny = list("cmds_denied").filter(|(list, _)| list.contains(&command));
                let allow = list("cmds_allowed").filter(|(list, _)| !list.contains(&command));
                deny.or(allow).map(|(_, place)| (command, place))
            })
            .collect();
        match denied.as_slice() {
            [] => switch,
            [(command, place)] => {
                remarks.push(Remark {
                    kind: RemarkKind::PassiveDenied,
                    effect: Effect::Slight,
                    place: (*place).clone(),
                    title: format!("vsftpd refuses {command}"),
                    says: format!("This list makes vsftpd answer \"550 Permission denied.\" to {command}; the other passive command works."),
                    corrected: None,
                });
                switch
            }
            [(_, place), ..] => Setting::said(false, (*place).clone()),
        }
    }

    /// `vsf_privop_pasv_listen`: the bounds as they are in force, and what they do not mean.
    fn range(&self, remarks: &mut Vec<Remark>) -> RangeSetting {
        let (min, max) = (self.number("pasv_min_port"), self.number("pasv_max_port"));
        let low = min.map_or(DEFAULT_MIN, |(value, ..)| value);
        let low = if low > 1024 && low <= 65_535 { low } else { 1024 };
        let high = max.map_or(0, |(value, ..)| value);
        let high = if high >= low && high < 65_535 { high } else { 65_535 };
        let port = |value: i64| u16::try_from(value).unwrap_or(u16::MAX);
        let range = PortRange { min: port(low), max: port(high) };
        let places: Vec<Place> = [min, max].into_iter().flatten().map(|(.., place)| place.clone()).collect();
        // A misspelt bound is that other fault, and no second one.
        let misspelt = remarks.iter().any(|remark| {
            remark.kind == RemarkKind::UnknownDirective
                && remark.corrected.as_deref().is_some_and(|line| line.starts_with("pasv_m"))
        });
        if !misspelt || (min.is_some() && max.is_some()) {
            remarks.extend(bad_bounds(min, max, range));
        }
        let origin = if places.is_empty() { RangeOrigin::Daemon } else { RangeOrigin::Declared };
        RangeSetting { range, origin, places }
    }

    fn address(&self, remarks: &mut Vec<Remark>) -> Option<AddressSetting> {
        let (text, place) = self.text("pasv_address")?;
        let resolves = self.switch("pasv_addr_resolve", false);
        let address = inet_aton(text).map(IpAddr::V4);
        // A colon is in no host name: an IPv6 address, or nonsense.
        let name = address.is_none() && is_name(text);
        if address.is_none() && !name {
            remarks.push(Remark {
                kind: RemarkKind::BadValue,
                effect: Effect::Differs,
                place: place.clone(),
                title: format!("vsftpd cannot read the address {text}"),
                says: "vsftpd starts, and dies with \"500 OOPS: invalid pasv_address\" as soon as a client sends PASV. The \
                       value has to be a bare IPv4 address, without quotes."
                    .to_owned(),
                corrected: Some("pasv_address=PUBLIC_ADDRESS".to_owned()),
            });
            return None;
        }
        Some(AddressSetting {
            text: text.to_owned(),
            address,
            takes_names: resolves.value,
            place: place.clone(),
            resolved: None,
        })
    }

    /// Listeners that do not go together, and the dual-stack trap.
    fn listeners_fit(
        listen: &Setting<bool>,
        listen_ipv6: &Setting<bool>,
        address: Option<&AddressSetting>,
        remarks: &mut Vec<Remark>,
    ) {
        let remark = |effect, place: &Place, title: &str, says: &str, corrected: Option<&str>| Remark {
            kind: RemarkKind::Listener,
            effect,
            place: place.clone(),
            title: title.to_owned(),
            says: says.to_owned(),
            corrected: corrected.map(str::to_owned),
        };
        match (listen.value, listen_ipv6.value) {
            (true, true) => remarks.extend(listen_ipv6.place.as_ref().map(|place| {
                let quiet = if listen.place.is_none() { " (listen is YES unless the file says listen=NO)" } else { "" };
                let says = format!(
                    "vsftpd does not start: \"500 OOPS: run two copies of vsftpd for IPv4 and IPv6\"{quiet}. One of the two \
                     has to be NO."
                );
                remark(Effect::Refuses, place, "both listeners are switched on", &says, Some("listen_ipv6=NO"))
            })),
            (false, false) => remarks.extend(listen.place.as_ref().map(|place| {
                let says = "Neither listen nor listen_ipv6 is YES: vsftpd only runs when a super-server such as xinetd or a \
                            systemd socket starts it for each connection. Started by itself it says \"500 OOPS: vsftpd: not \
                            configured for standalone, must be started from inetd\".";
                remark(Effect::Slight, place, "vsftpd does not listen by itself", says, Some("listen=YES"))
            })),
            (false, true) => {
                if let (Some(place), Some(address)) = (&listen_ipv6.place, address) {
                    let says = format!(
                        "vsftpd listens on IPv6, which takes IPv4 clients too, and pasv_address={} is set (line {}): then \
                         the reply to PASV is \"227 Entering Passive Mode (0,0,0,0,p,p).\" for every client. With \
                         listen=YES and listen_ipv6=NO the address is announced as it is written.",
                        address.text, address.place.line
                    );
                    let title = "listen_ipv6=YES makes vsftpd announce 0.0.0.0 in place of pasv_address";
                    remarks.push(remark(Effect::Differs, place, title, &says, Some("listen_ipv6=NO")));
                }
            }
            (true, false) => {}
        }
    }
}

fn is_yes(value: &str) -> bool {
    ["YES", "TRUE", "1"].iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// A leading 0 makes it octal; a sign makes it huge.
fn unsigned(value: &str) -> i64 {
    let value = if value.starts_with('0') {
        let digits = value.bytes().take_while(|byte| (b'0'..=b'7').contains(byte)).take(12);
        digits.fold(0, |sum, digit| sum * 8 + i64::from(digit - b'0'))
    } else {
        atoi(value)
    };
    if value < 0 { i64::from(u32::MAX) } else { value }
}

/// Keys of which it matters what is in force.
fn matters(key: &str) -> bool {
    key.starts_with("pasv_")
        || key.starts_with("listen")
        || key.starts_with("cmds_")
        || key == "require_ssl_reuse"
}

fn shadowed(key: &str, old: &str, old_place: Place, value: &str, place: &Place) -> Remark {
    Remark {
        kind: RemarkKind::Ineffective,
        effect: Effect::Slight,
        place: old_place,
        title: format!("{key}={old} has no effect: line {} sets {key}={value}", place.line),
        says: "Of several lines with one key vsftpd takes the last. Delete the one that is not meant."
            .to_owned(),
        corrected: None,
    }
}

fn unknown(line: &Line<'_>, key: &str, value: &str, has_value: bool) -> Remark {
    let trimmed = key.trim().trim_start_matches('\u{feff}').trim_start_matches('#');
    let comment = key.trim_start().starts_with(['#', ';']);
    let near = names::near_vsftpd(trimmed).filter(|_| !comment);
    let exact = names::vsftpd(trimmed).is_some() && !comment;
    let (title, why, corrected) = if comment {
        let title = "an indented comment is no comment to vsftpd".to_owned();
        let says = "A comment is only recognised where # is the first character of its line.".to_owned();
        (title, says, Some(format!("#{}", line.shown().trim().trim_start_matches(['#', ';']))))
    } else if key.starts_with('\u{feff}') {
        let title = "the file begins with a byte order mark".to_owned();
        (
            title,
            "vsftpd takes the mark for a part of the first key.".to_owned(),
            Some(line.shown().trim_start_matches('\u{feff}').to_owned()),
        )
    } else if exact && has_value {
        let title = format!("a blank before the = makes \"{key}\" unknown to vsftpd");
        (
            title,
            "Nothing may stand between key and =.".to_owned(),
            Some(format!("{trimmed}={}", value.trim())),
        )
    } else if let Some(near) = near {
        let title = format!("vsftpd knows no {trimmed}; {near} is spelt most like it");
        let case = if trimmed.bytes().any(|byte| byte.is_ascii_uppercase()) {
            "Keys are in small letters."
        } else {
            ""
        };
        (title, case.to_owned(), Some(format!("{near}={}", value.trim())))
    } else {
        let title = format!("vsftpd knows no {trimmed}");
        (title, "No key of vsftpd is spelt like it.".to_owned(), None)
    };
    let oops = if has_value {
        format!("500 OOPS: unrecognised variable in config file: {}", key.trim_start())
    } else {
        format!("500 OOPS: missing value in config file for: {}", key.trim())
    };
    Remark {
        kind: RemarkKind::UnknownDirective,
        effect: Effect::Refuses,
        place: line.place(key.trim()),
        title,
        says: format!("{why} vsftpd does not start: \"{oops}\"; under systemd nobody gets to see that.")
            .trim_start()
            .to_owned(),
        corrected,
    }
}

/// Keys that the manual or Red Hat spells with an underscore, and everybody else without.
fn of_one_distribution(line: &Line<'_>, key: &str, value: &str) -> Option<Remark> {
    let plain = match key {
        "ssl_tlsv1_1" => "ssl_tlsv11",
        "ssl_tlsv1_2" => "ssl_tlsv12",
        "ssl_tlsv1_3" => "ssl_tlsv13",
        _ => return None,
    };
    Some(Remark {
        kind: RemarkKind::UnknownDirective,
        effect: Effect::Untold,
        place: line.place(key),
        title: format!("only Red Hat's builds of vsftpd know {key}"),
        says: format!(
            "The manual spells it so, but upstream's and Debian's vsftpd call it {plain} (from 3.0.4 on) and do not start with \
             anything else."
        ),
        corrected: Some(format!("{plain}={}", value.trim())),
    })
}

/// Values with which vsftpd does not start.
fn bad_value(line: &Line<'_>, key: &str, value: &str, kind: Kind) -> Option<Remark> {
    let refuse = |title: String, says: String, corrected: Option<String>| Remark {
        kind: RemarkKind::BadValue,
        effect: Effect::Refuses,
        place: line.whole(),
        title,
        says,
        corrected,
    };
    let known = ["YES", "NO", "TRUE", "FALSE", "1", "0"];
    match kind {
        Kind::Text => None,
        _ if value.is_empty() => Some(refuse(
            format!("{key} has no value"),
            format!("vsftpd does not start: \"500 OOPS: missing value in config file for: {key}\"."),
            None,
        )),
        Kind::Number => None,
        Kind::Switch if known.iter().any(|word| value.eq_ignore_ascii_case(word)) => None,
        Kind::Switch => {
            let bare = value.split('#').next().unwrap_or_default().trim();
            let meant = match bare.to_ascii_lowercase().as_str() {
                "yes" | "true" | "1" | "on" | "enable" | "enabled" => Some("YES"),
                "no" | "false" | "0" | "off" | "disable" | "disabled" => Some("NO"),
                _ => None,
            };
            let why = if value.ends_with('\r') {
                "The file has the line ends of Windows, and the carriage return counts as a part of the value."
            } else {
                "Nothing else may stand behind the = than YES or NO: no blank, no comment, no other word."
            };
            Some(refuse(
                format!("vsftpd cannot read the value of {key}"),
                format!(
                    "{why} vsftpd does not start: \"500 OOPS: bad bool value in config file for: {key}\"."
                ),
                meant.map(|meant| format!("{key}={meant}")),
            ))
        }
    }
}

type Bound<'a> = Option<(i64, &'a str, &'a Place)>;

/// Bounds that vsftpd takes otherwise than they read: it says nothing about it.
fn bad_bounds(min: Bound<'_>, max: Bound<'_>, range: PortRange) -> Vec<Remark> {
    let remark = |effect, place: &Place, title: String, corrected: Option<String>| Remark {
        kind: RemarkKind::BadRange,
        effect,
        place: place.clone(),
        title,
        says: format!("vsftpd starts without a word and offers ports of {range}."),
        corrected,
    };
    let mut remarks = Vec::new();
    for (key, bound) in [("pasv_min_port", min), ("pasv_max_port", max)] {
        let Some((value, text, place)) = bound else { continue };
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let plain = text.trim_start_matches('0');
        if text.starts_with('0') && text != "0" {
            let title = format!("{key}={text} is octal to vsftpd: {value}");
            remarks.push(remark(Effect::Differs, place, title, Some(format!("{key}={plain}"))));
        } else if digits == 0 {
            remarks.push(remark(Effect::Differs, place, format!("{key}={text} is no number"), None));
        } else if digits < text.len() && !text[digits..].trim_start().starts_with('#') {
            let title = format!("{key}={text} is {value} to vsftpd, which takes one number here");
            remarks.push(remark(Effect::Differs, place, title, Some(format!("{key}={value}"))));
        } else if value > 65_535 || (value != 0 && value < 1024) {
            let title = format!("{key}={text} is no port that vsftpd offers (1024 to 65535)");
            remarks.push(remark(Effect::Differs, place, title, None));
        }
    }
    match (min, max) {
        (Some((low, ..)), Some((high, _, place))) if high < low && high != 0 && remarks.is_empty() => {
            let title =
                format!("the passive range runs backwards, and vsftpd ignores the upper bound {high}");
            remarks.push(remark(Effect::Differs, place, title, None));
        }
        (None, Some((high, text, place))) if high != 0 && remarks.is_empty() => {
            let ignored = high < DEFAULT_MIN;
            let effect = if ignored { Effect::Differs } else { Effect::Slight };
            let more = if ignored { ", and so low a bound is ignored" } else { "" };
            let title = format!(
                "pasv_max_port={text} stands without pasv_min_port, which is {DEFAULT_MIN} then{more}"
            );
            remarks.push(remark(effect, place, title, None));
        }
        (Some((low, text, place)), None) if low != 0 && remarks.is_empty() => {
            let title = format!("pasv_min_port={text} stands without pasv_max_port, which is 65535 then");
            remarks.push(remark(Effect::Slight, place, title, None));
        }
        _ => {}
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Files, kinds};
    use super::*;

    fn read_text(text: &str) -> (ServerConfig, Vec<Remark>) {
        let read = read("vsftpd.conf", &mut Files::one("vsftpd.conf", text));
        (read.servers[0].clone(), read.remarks)
    }

    #[test]
    fn ranges_are_what_the_daemon_makes_of_them() {
        // Measured: the ports that a real vsftpd then offers.
        for (text, min, max, remarks) in [
            ("", 5001, 65535, 0),
            ("pasv_min_port=50000\npasv_max_port=50100", 50000, 50100, 0),
            ("pasv_min_port=50100\npasv_max_port=50000", 50100, 65535, 1),
            ("pasv_max_port=4000", 5001, 65535, 1),
            ("pasv_max_port=6000", 5001, 6000, 1),
            ("pasv_min_prot=5500\npasv_max_port=6000", 5001, 6000, 1),
            ("pasv_min_port=50000", 50000, 65535, 1),
            ("pasv_min_port=050000\npasv_max_port=50100", 20480, 50100, 1),
            ("pasv_min_port=50000-50010\npasv_max_port=50010", 50000, 50010, 1),
            ("pasv_min_port=80\npasv_max_port=50010", 1024, 50010, 1),
            ("pasv_min_port=50000\npasv_max_port=70000", 50000, 65535, 1),
            ("pasv_min_port=abc\npasv_max_port=50010", 1024, 50010, 1),
            ("pasv_min_port= 50000 # low\npasv_max_port=50010\r", 50000, 50010, 0),
            ("pasv_min_port=1\npasv_min_port=50000\npasv_max_port=50010", 50000, 50010, 1),
            ("pasv_min_port=0\npasv_max_port=0", 1024, 65535, 0),
        ] {
            let (server, seen) = read_text(text);
            assert_eq!((server.range.range.min, server.range.range.max), (min, max), "{text:?}");
            assert_eq!(seen.len(), remarks, "{text:?}: {seen:?}");
        }
    }

    #[test]
    fn lines_with_which_it_does_not_start() {
        for text in [
            "pasv_enable =YES",
            "pasv_enable=YES ",
            "pasv_enable=on",
            "pasv_enable=YES # passive",
            " # indented",
            "; semicolon",
            "Pasv_enable=YES",
            "ssl_tlsv9=YES",
            "pasv_enable",
            "pasv_min_port",
            "\u{feff}listen=YES",
            "listen=YES\r",
            "=",
        ] {
            let (_, remarks) = read_text(text);
            assert_eq!(remarks.len(), 1, "{text:?}: {remarks:?}");
            assert_eq!(remarks[0].effect, Effect::Refuses, "{text:?}");
        }
        for text in [
            "# comment",
            "",
            "  \t",
            "\r",
            "  pasv_enable=no",
            "pasv_address",
            "pasv_address=",
            "ftpd_banner= a b # c",
        ] {
            assert_eq!(read_text(text).1, [], "{text:?}");
        }
    }

    #[test]
    fn spellings_of_one_distribution_are_told() {
        let (_, remarks) = read_text("ssl_tlsv1_2=YES");
        assert_eq!((remarks.len(), remarks[0].effect), (1, Effect::Untold));
        assert_eq!(remarks[0].corrected.as_deref(), Some("ssl_tlsv12=YES"));
    }

    #[test]
    fn the_last_line_wins_and_the_others_are_named() {
        let (server, remarks) = read_text("pasv_address=192.168.1.5\npasv_address=203.0.113.10");
        assert_eq!(server.address.unwrap().address, Some("203.0.113.10".parse().unwrap()));
        assert_eq!((remarks[0].kind, remarks[0].place.line), (RemarkKind::Ineffective, 1));
    }

    #[test]
    fn listeners_and_the_announced_address() {
        let trap = read_text("listen=NO\nlisten_ipv6=YES\npasv_address=203.0.113.10").1;
        assert_eq!((trap[0].kind, trap[0].place.line, trap[0].place.column), (RemarkKind::Listener, 2, 1));
        assert_eq!(read_text("listen=NO\nlisten_ipv6=YES").1, []);
        assert_eq!(read_text("pasv_address=203.0.113.10").1, []);
        assert_eq!(read_text("listen_ipv6=YES").1[0].effect, Effect::Refuses);
        assert_eq!(read_text("listen=NO").1[0].effect, Effect::Slight);
    }

    #[test]
    fn passive_mode_is_denied_in_three_ways() {
        for text in ["pasv_enable=NO", "cmds_denied=PASV,EPSV", "cmds_allowed=USER,PASS,LIST"] {
            assert!(!read_text(text).0.passive.value, "{text}");
        }
        let (server, remarks) = read_text("cmds_denied=EPSV");
        assert!(server.passive.value);
        assert_eq!(kinds(&remarks), [RemarkKind::PassiveDenied]);
    }

    #[test]
    fn an_address_is_read_as_inet_aton_does() {
        assert_eq!(
            read_text("pasv_address=203.0.113.10 # x").0.address.unwrap().address,
            Some([203, 0, 113, 10].into())
        );
        let name = read_text("pasv_address=ftp.example.com").0.address.unwrap();
        assert_eq!((name.address, name.takes_names), (None, false));
        assert!(
            read_text("pasv_addr_resolve=YES\npasv_address=ftp.example.com").0.address.unwrap().takes_names
        );
        for bad in ["\"203.0.113.10\"", "2001:db8::1", "203.0.113.10:21"] {
            assert_eq!(kinds(&read_text(&format!("pasv_address={bad}")).1), [RemarkKind::BadValue], "{bad}");
        }
    }

    #[test]
    fn what_stands_behind_the_limit_is_never_read() {
        let text = format!("{}pasv_enable=NO\n", "#234567890\n".repeat(10_000));
        let (server, remarks) = read_text(&text);
        assert!(server.passive.value);
        assert_eq!(remarks[0].place.line, 10_001);
    }
}
