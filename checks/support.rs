//! What several rules share: walking the endpoints, naming the server, wording addresses and ports.

use std::net::IpAddr;

use crate::evidence::{Endpoint, Evidence, Mode, Offer, PortRange, Speaker, Visit};
use crate::finding::Detail;
use crate::ftp::Reply;
use crate::server::{Clues, Recognised, recognise};

/// Applies a rule to each endpoint that was checked.
pub fn each(evidence: &Evidence, rule: impl Fn(&Endpoint) -> Option<Detail>) -> Vec<Detail> {
    evidence.checked().filter_map(rule).collect()
}

/// The product that answers at an endpoint, as far as its dialogue gives it away.
#[must_use]
pub fn product_at(endpoint: &Endpoint) -> Option<Recognised> {
    let heard = Heard::of(endpoint);
    recognise(&heard.clues())
}

/// Whether something on the path masks the server's greeting and SYST.
#[must_use]
pub fn masked(endpoint: &Endpoint) -> bool {
    crate::server::masked_by_firewall(&Heard::of(endpoint).clues())
}

/// What the server said, sorted by what it was asked.
struct Heard {
    greeting: Vec<String>,
    syst: Option<String>,
    feat: Vec<String>,
    replies: Vec<(String, Vec<String>)>,
}

impl Heard {
    /// Reads the dialogue: the server's lines belong to the command before them.
    fn of(endpoint: &Endpoint) -> Self {
        let mut heard = Self { greeting: Vec::new(), syst: None, feat: Vec::new(), replies: Vec::new() };
        let mut verb = String::new();
        let mut lines: Vec<String> = Vec::new();
        for entry in &endpoint.dialogue {
            match entry.from {
                Speaker::Server => lines.push(entry.line.clone()),
                Speaker::Client => {
                    let next = entry.line.split(' ').next().unwrap_or_default().to_owned();
                    heard.file(&std::mem::replace(&mut verb, next), std::mem::take(&mut lines));
                }
                // A new control connection greets again.
                Speaker::Note if entry.line.starts_with("control connection to") => {
                    heard.file(&std::mem::take(&mut verb), std::mem::take(&mut lines));
                }
                Speaker::Note => {}
            }
        }
        heard.file(&verb, lines);
        heard
    }

    fn file(&mut self, verb: &str, lines: Vec<String>) {
        match verb {
            _ if lines.is_empty() => {}
            "" if self.greeting.is_empty() => self.greeting = lines,
            "" => {}
            "SYST" => self.syst = lines.into_iter().next_back(),
            "FEAT" => self.feat = lines,
            verb => self.replies.push((verb.to_owned(), lines)),
        }
    }

    fn clues(&self) -> Clues<'_> {
        Clues {
            greeting: &self.greeting,
            syst: self.syst.as_deref(),
            feat: &self.feat,
            replies: &self.replies,
        }
    }
}

/// An address with its port as it is written: `203.0.113.10:21`, `[2001:db8::1]:21`.
#[must_use]
pub fn at(address: IpAddr, port: u16) -> String {
    std::net::SocketAddr::new(address, port).to_string()
}

/// The reply as a quoted fact: `PASV → "227 Entering Passive Mode (…)"`.
#[must_use]
pub fn quoted(verb: &str, reply: &Reply) -> String {
    format!("{verb} → \"{}\"", reply.last_line())
}

/// An offer's answer as a quoted fact.
#[must_use]
pub fn quoted_offer(offer: &Offer) -> String {
    match offer.answer.reply() {
        Some(reply) => quoted(offer.mode.verb(), reply),
        None => format!("{} → {}", offer.mode, offer.answer.describe()),
    }
}

/// A connect as a quoted fact.
#[must_use]
pub fn quoted_visit(visit: &Visit) -> String {
    format!("{} {}", visit.connect.to, visit.connect.describe())
}

/// Ports as ranges, ascending: `50000–50004, 50010`.
#[must_use]
pub fn port_list(ports: &[u16]) -> String {
    let mut ports = ports.to_vec();
    ports.sort_unstable();
    ports.dedup();
    let mut ranges: Vec<(u16, u16)> = Vec::new();
    for port in ports {
        match ranges.last_mut() {
            Some((_, last)) if port - *last == 1 => *last = port,
            _ => ranges.push((port, port)),
        }
    }
    let words = ranges.iter().map(|(low, high)| match high - low {
        0 => low.to_string(),
        1 => format!("{low}, {high}"),
        _ => format!("{low}–{high}"),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// Ranges of ports in words.
#[must_use]
pub fn range_list(ranges: &[PortRange]) -> String {
    const MOST: usize = 6;
    let word = |range: &PortRange| match range.len() {
        1 => range.min.to_string(),
        _ => format!("{}–{}", range.min, range.max),
    };
    let words: Vec<String> = ranges.iter().take(MOST).map(word).collect();
    let more = ranges.len().saturating_sub(MOST);
    if more == 0 { words.join(", ") } else { format!("{} and {more} more", words.join(", ")) }
}

/// The ports that offers announced, in order of the offers.
#[must_use]
pub fn announced_ports(endpoint: &Endpoint) -> Vec<u16> {
    endpoint.offers.iter().filter_map(|offer| offer.announced).map(|announced| announced.port).collect()
}

/// Visits of one mode, with the port that was announced.
pub fn visits(endpoint: &Endpoint, mode: Mode) -> impl Iterator<Item = &Visit> {
    endpoint.offers_of(mode).flat_map(|offer| &offer.visits)
}

/// Whether passive mode was proven over the other address family: a listing came through there.
#[must_use]
pub fn works_elsewhere(evidence: &Evidence, endpoint: &Endpoint) -> bool {
    evidence
        .checked()
        .filter(|other| other.address.is_ipv4() != endpoint.address.is_ipv4())
        .any(|other| other.transfers.iter().any(crate::evidence::Transfer::proves))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_told_as_ranges() {
        assert_eq!(port_list(&[50004, 50000, 50001, 50002, 50002, 50010]), "50000–50002, 50004, 50010");
        assert_eq!(port_list(&[7, 8]), "7, 8");
        assert_eq!(port_list(&[65535, 65534, 65533]), "65533–65535");
        assert_eq!(port_list(&[]), "");
    }
}
