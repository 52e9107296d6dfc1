//! Where on the way a port is closed, from walks that end before the server. It says no more than was seen.
//!
//! A router looks at the time to live before it filters what it forwards. So the last hop that answers for the data port
//! is the one that drops it when forwarding, or it is dropped at the entrance of the next hop that answers for the
//! control port; the two look alike. A hop that answers with the server's own address is a NAT gateway.

use std::net::IpAddr;

use crate::evidence::{Connect, Endpoint, Outcome, PathFacts, Walk};
use crate::finding::Location;
use crate::net::class::{Class, class_of};

/// A place on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Whose part of the way it is.
    pub location: Location,
    /// Last hop known to pass, first one known not to answer.
    pub hops: Vec<u8>,
    /// What was seen, in a sentence.
    pub words: String,
    /// Whether the answer came from nearer than the server, and not from its NAT gateway.
    pub nearer: bool,
}

/// The way to an endpoint, with what the walks tell of it.
struct Way<'a> {
    endpoint: &'a Endpoint,
    path: &'a PathFacts,
    /// Hops to the server; routers are 1 to `distance - 1`.
    distance: u8,
    data: &'a Walk,
}

/// Where a data port is closed; `None` if the way was not walked or tells nothing.
#[must_use]
pub fn place(endpoint: &Endpoint, connect: &Connect) -> Option<Place> {
    let path = endpoint.path.as_ref()?;
    let walked = |walk: &&Walk| walk.to.ip() == connect.to.ip();
    let data =
        path.data.iter().find(|walk| walk.to == connect.to).or_else(|| path.data.iter().find(walked))?;
    let way = Way { endpoint, path, distance: path.distance?, data };
    match &connect.outcome {
        Outcome::Silent => Some(way.lost()),
        Outcome::Reset => Some(way.reset()),
        Outcome::Icmp(error) => way.rejected(error.sender),
        _ => None,
    }
}

impl Way<'_> {
    /// Nothing came back.
    fn lost(&self) -> Place {
        let passed = self.data.last_answering();
        if let Some(gateway) =
            self.gateway().filter(|gateway| passed < *gateway && !self.answers_between(passed, *gateway))
        {
            let address = self.endpoint.address;
            // A port that is not forwarded meets what any other unused port meets.
            if let Some(answer) =
                self.path.unrelated.as_ref().filter(|other| other.outcome != Outcome::Silent)
            {
                let words = format!(
                    "Packets to the data port pass {} and are lost before or at the NAT gateway {address} (hop {gateway}). The \
                     gateway would have answered for a port that it does not forward ({} {}), so a filter drops these: at the \
                     gateway, or on the way out of {}.",
                    self.name(passed),
                    answer.to,
                    answer.describe(),
                    self.name(passed)
                );
                return at(Location::Unknown, passed, gateway, words);
            }
            let words = format!(
                "The NAT gateway {address} at hop {gateway} answers for the control port and not for the data port: it does \
                 not forward it.",
            );
            return at(Location::Server, passed, gateway, words);
        }
        let next =
            (passed + 1..self.distance).find(|hop| self.answers_control(*hop)).unwrap_or(self.distance);
        let words = format!(
            "Packets to the data port pass {} and are lost before {}{}.",
            self.name(passed),
            self.name(next),
            if next - passed > 1 { " (the hops between answer for no port)" } else { "" }
        );
        // With no router between, this host and the server are equally near.
        let nobody_between = passed == 0 && next == self.distance;
        let location = if nobody_between { Location::Unknown } else { self.zone_of(passed, next - 1) };
        at(location, passed, next, words)
    }

    /// A reset.
    fn reset(&self) -> Place {
        let Some(first) = self.data.first_final().filter(|hop| hop.outcome == Outcome::Reset) else {
            let words = "The reset comes from the server's own distance: the server, its firewall, or the router right in \
                         front of it."
                .to_owned();
            return at(Location::Server, self.distance - 1, self.distance, words);
        };
        if Some(first.ttl) == self.gateway() {
            let words = format!(
                "The reset comes from the NAT gateway {} itself (hop {}): it does not forward the port.",
                self.endpoint.address, first.ttl
            );
            return at(Location::Server, first.ttl - 1, first.ttl, words);
        }
        let words = format!(
            "The reset comes from nearer than the server: from {} or the entrance of {}.",
            self.name(first.ttl - 1),
            self.name(first.ttl)
        );
        let location = self.zone_of(first.ttl - 1, first.ttl - 1);
        Place { nearer: true, ..at(location, first.ttl - 1, first.ttl, words) }
    }

    /// An ICMP error, which names its sender.
    fn rejected(&self, sender: Option<IpAddr>) -> Option<Place> {
        let sender = sender?;
        let hop = (1..self.distance).find(|hop| self.router(*hop) == Some(sender));
        let (location, hop) = match hop {
            _ if Some(sender) == self.endpoint.local_address => (Location::Client, 0),
            Some(hop) => (self.zone_of(hop, hop), hop),
            None if sender == self.endpoint.address => (Location::Server, self.distance),
            None => return None,
        };
        let words = format!("The rejection is sent by {}.", self.name(hop));
        let (passed, next) = (hop.min(self.distance - 1), (hop + 1).min(self.distance));
        Some(Place { nearer: true, ..at(location, passed, next, words) })
    }

    /// Whose part of the way the hops from `first` to `last` are; unknown if they are not all of one part.
    fn zone_of(&self, first: u8, last: u8) -> Location {
        let zone = self.zone(first);
        if (first..=last).all(|hop| self.zone(hop) == zone) { zone } else { Location::Unknown }
    }

    /// Whose part of the way a hop is: the client's up to its last private router (or the first router), the server's
    /// from the NAT gateway or the router in front of the server on. A lone router is both.
    fn zone(&self, hop: u8) -> Location {
        let server_from = self.gateway().unwrap_or(self.distance - 1).max(1);
        match (hop <= self.client_edge(), hop >= server_from) {
            _ if hop == 0 => Location::Client,
            (true, true) => Location::Unknown,
            (true, false) => Location::Client,
            (false, true) => Location::Server,
            (false, false) => Location::Transit,
        }
    }

    fn client_edge(&self) -> u8 {
        let private = |hop: &u8| {
            self.router(*hop).is_some_and(|router| {
                matches!(class_of(router), Class::Private | Class::Shared | Class::LinkLocal)
            })
        };
        let leading = (1..self.distance).take_while(private).last().unwrap_or(1);
        // Where every router is private, both ends share one network, and only the first hop is surely ours.
        if leading + 1 >= self.distance { 1 } else { leading }
    }

    /// The hop that answers with the server's own address.
    fn gateway(&self) -> Option<u8> {
        (1..self.distance).find(|hop| self.router(*hop) == Some(self.endpoint.address))
    }

    fn router(&self, hop: u8) -> Option<IpAddr> {
        let control = self.path.control.as_ref().and_then(|walk| walk.router(hop)).flatten();
        control.or_else(|| self.data.router(hop).flatten())
    }

    fn answers_control(&self, hop: u8) -> bool {
        self.path.control.as_ref().is_some_and(|walk| walk.answers(hop))
    }

    fn answers_between(&self, after: u8, before: u8) -> bool {
        (after + 1..before).any(|hop| self.answers_control(hop))
    }

    /// `hop 2 (203.0.113.1)`, `this host`, `the server`.
    fn name(&self, hop: u8) -> String {
        match self.router(hop) {
            _ if hop == 0 => "this host".to_owned(),
            _ if hop >= self.distance => "the server".to_owned(),
            Some(router) => format!("hop {hop} ({router})"),
            None => format!("hop {hop}"),
        }
    }
}

fn at(location: Location, passed: u8, next: u8, words: String) -> Place {
    Place { location, hops: vec![passed, next], words, nearer: false }
}
