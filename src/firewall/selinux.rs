//! `SELinux`: whether its policy lets an FTP daemon listen on a port. vsftpd counts a denial as "port busy".
//!
//! Source: `ftp.te` of the reference policy: `ftpd_t` may bind the ports of `ftp_port_t` and `ftp_data_port_t`, and with the
//! boolean `ftpd_use_passive_mode` all unreserved ones.

use super::program::list;
use super::{empty, everywhere, merged};
use crate::evidence::{Firewall, Passage, Passes};

/// `getsebool -a`: the booleans for FTP.
pub(super) fn booleans(text: &str) -> Firewall {
    let mut firewall = empty();
    let value = |name: &str| {
        text.lines().enumerate().find_map(|(at, line)| {
            let (known, value) = line.split_once("-->")?;
            (known.trim() == name).then_some((value.trim() == "on", u32::try_from(at + 1).ok()))
        })
    };
    let (passive, full) = (value("ftpd_use_passive_mode"), value("ftpd_full_access"));
    let passages = match (passive, full) {
        (Some((true, _)), _) => everywhere(Passes::Accepted, "the boolean ftpd_use_passive_mode is on"),
        (_, Some((true, _))) => everywhere(Passes::Accepted, "the boolean ftpd_full_access is on"),
        (Some((false, line)), _) => switched_off(line),
        (None, _) => everywhere(Passes::Unknown, "the boolean ftpd_use_passive_mode is not in the list"),
    };
    firewall.ipv4 = Some(passages.clone());
    firewall.ipv6 = Some(passages);
    firewall
}

/// Without the boolean: recent policies let every daemon have the system's ephemeral ports, older ones do not.
fn switched_off(line: Option<u32>) -> Vec<Passage> {
    let passage =
        |min, max, answer, because: &str| Passage { min, max, answer, because: because.to_owned(), line };
    let no = "the boolean ftpd_use_passive_mode is off: the FTP daemon may not listen there";
    let perhaps = "the boolean ftpd_use_passive_mode is off, and not every policy lets an FTP daemon listen there without it";
    vec![
        passage(1, 32_767, Passes::Blocked, no),
        passage(32_768, 60_999, Passes::Unknown, perhaps),
        passage(61_000, u16::MAX, Passes::Blocked, no),
    ]
}

/// `semanage port -l`: `ftp_port_t  tcp  21, 989, 990, 50000-50100`. What is not there may still be allowed by a boolean.
pub(super) fn ports(text: &str) -> Firewall {
    let mut firewall = empty();
    let mut passages = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let mut words = line.split_whitespace();
        let (Some(kind), Some("tcp")) = (words.next(), words.next()) else { continue };
        if kind != "ftp_port_t" && kind != "ftp_data_port_t" {
            continue;
        }
        let numbers: String = words.collect();
        for range in list(&numbers, '-').unwrap_or_default().iter() {
            passages.push(Passage {
                min: *range.start(),
                max: *range.end(),
                answer: Passes::Accepted,
                because: format!("{kind} holds the port"),
                line: u32::try_from(at + 1).ok(),
            });
        }
    }
    passages.sort_by_key(|passage| passage.min);
    let gap = |min: u16, max: u16| Passage {
        min,
        max,
        answer: Passes::Unknown,
        because: "the port has no label of FTP; the boolean ftpd_use_passive_mode decides".to_owned(),
        line: None,
    };
    let mut all = Vec::new();
    let mut next = 1u32;
    for passage in passages {
        if u32::from(passage.max) < next {
            continue;
        }
        if u32::from(passage.min) > next {
            all.push(gap(u16::try_from(next).unwrap_or(u16::MAX), passage.min - 1));
        }
        next = u32::from(passage.max) + 1;
        all.push(passage);
    }
    if let Ok(start) = u16::try_from(next) {
        all.push(gap(start, u16::MAX));
    }
    let all = merged(all);
    firewall.ipv4 = Some(all.clone());
    firewall.ipv6 = Some(all);
    firewall
}
