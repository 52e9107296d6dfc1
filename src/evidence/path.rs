//! The way to the server, hop by hop: SYNs whose time to live ends on the way.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::{Connect, Outcome};

/// What was learned of the way to an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PathFacts {
    /// The number of hops to whoever holds the control connection: the smallest time to live with which a command on it
    /// was answered. A server on the same network is one hop away.
    pub distance: Option<u8>,
    /// SYNs to the control port that end before the server: which hops answer at all.
    #[serde(default)]
    pub control: Option<Walk>,
    /// SYNs to data ports that end before the server.
    #[serde(default)]
    pub data: Vec<Walk>,
    /// A SYN to a port that nobody announced: what the far end does with ports that are not forwarded.
    #[serde(default)]
    pub unrelated: Option<Connect>,
}

/// SYNs to one port with growing time to live.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Walk {
    /// Where to.
    pub to: SocketAddr,
    /// What each time to live met, from 1 on.
    pub hops: Vec<Hop>,
}

/// What a SYN with one time to live met.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Hop {
    /// The time to live.
    pub ttl: u8,
    /// What came of it.
    pub outcome: Outcome,
}

impl Hop {
    /// The router that says that the time to live ended there (RFC 792; RFC 4443 §3.3); the inner `None` if it hides its
    /// address.
    #[must_use]
    pub fn expired_at(&self, ipv6: bool) -> Option<Option<IpAddr>> {
        match &self.outcome {
            Outcome::Icmp(error) if error.expired(ipv6) => Some(error.sender),
            _ => None,
        }
    }
}

impl Walk {
    /// Whether the hop of that time to live answered that it ended there.
    #[must_use]
    pub fn answers(&self, ttl: u8) -> bool {
        self.router(ttl).is_some()
    }

    /// The router of that hop.
    #[must_use]
    pub fn router(&self, ttl: u8) -> Option<Option<IpAddr>> {
        self.hops.iter().find(|hop| hop.ttl == ttl)?.expired_at(self.to.is_ipv6())
    }

    /// The last hop that is known to have let the SYN come so far; 0 if none answered.
    #[must_use]
    pub fn last_answering(&self) -> u8 {
        self.hops.iter().filter(|hop| self.answers(hop.ttl)).map(|hop| hop.ttl).max().unwrap_or(0)
    }

    /// The first time to live that met a final answer (a reset, a rejection, an open port) in place of a router's word.
    #[must_use]
    pub fn first_final(&self) -> Option<&Hop> {
        self.hops.iter().find(|hop| {
            let passing = hop.expired_at(self.to.is_ipv6()).is_some();
            !passing && matches!(hop.outcome, Outcome::Open | Outcome::Reset | Outcome::Icmp(_))
        })
    }
}
