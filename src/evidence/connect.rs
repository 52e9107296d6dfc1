//! What came of a TCP connect.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

/// One attempt to open a TCP connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Connect {
    /// Where to.
    pub to: SocketAddr,
    /// What came of it.
    pub outcome: Outcome,
    /// Milliseconds until the outcome, or that were waited for one.
    pub elapsed_ms: f64,
}

/// The outcome of a TCP connect. Each of them is data, none is an error of the check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// This host refused to try: a local firewall rule, no free port, a socket option.
    Failed {
        /// The operating system's words.
        error: String,
    },
    /// An ICMP error answered the SYN.
    Icmp(IcmpError),
    /// It was not tried, and why.
    NotContacted {
        /// The reason in words.
        reason: String,
    },
    /// The connection opened.
    Open,
    /// A TCP reset answered the SYN.
    Reset,
    /// Nothing answered within the time given.
    Silent,
    /// This host has no route or no address of that family.
    Unroutable {
        /// The operating system's words.
        error: String,
    },
}

/// An ICMP error as the kernel's error queue reports it (RFC 792, RFC 4443).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct IcmpError {
    /// ICMP type, 3 for destination unreachable (`ICMPv6`: 1).
    pub kind: u8,
    /// ICMP code, 13 for administratively prohibited (`ICMPv6`: 1).
    pub code: u8,
    /// The host that sent it; `None` where the system does not tell.
    pub sender: Option<IpAddr>,
}

impl IcmpError {
    /// Whether it says that the time to live ended on the way.
    #[must_use]
    pub fn expired(&self, ipv6: bool) -> bool {
        self.kind == if ipv6 { 3 } else { 11 }
    }

    /// The error in words. `ipv6` tells which of the two numberings applies.
    #[must_use]
    pub fn describe(&self, ipv6: bool) -> &'static str {
        match (ipv6, self.kind, self.code) {
            (false, 3, 0) | (true, 1, 0) => "no route to the network",
            (false, 3, 1) | (true, 1, 3) => "host unreachable",
            (false, 3, 2) => "protocol unreachable",
            (false, 3, 3) | (true, 1, 4) => "port unreachable",
            (false, 3, 9 | 10 | 13) | (true, 1, 1) => "administratively prohibited",
            (true, 1, 5 | 6) => "rejected by policy",
            (false, 11, _) | (true, 3, _) => "time exceeded in transit",
            _ => "unreachable",
        }
    }
}

impl Connect {
    /// Whether the connection opened.
    #[must_use]
    pub fn open(&self) -> bool {
        self.outcome == Outcome::Open
    }

    /// Whether a packet left this host and something could have come back.
    #[must_use]
    pub fn tried(&self) -> bool {
        !matches!(self.outcome, Outcome::NotContacted { .. })
    }

    /// The outcome in words, for a report: `no answer within 3.2 s`.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.outcome {
            Outcome::Failed { error } => format!("this host would not connect: {error}"),
            Outcome::Icmp(icmp) => {
                let words = icmp.describe(self.to.is_ipv6());
                let sender =
                    icmp.sender.map_or_else(|| "an unknown host".to_owned(), |sender| sender.to_string());
                format!("rejected by {sender} (ICMP {}/{}, {words})", icmp.kind, icmp.code)
            }
            Outcome::NotContacted { reason } => format!("not contacted: {reason}"),
            Outcome::Open => format!("opened in {}", duration(self.elapsed_ms)),
            Outcome::Reset => format!("refused (TCP reset) after {}", duration(self.elapsed_ms)),
            Outcome::Silent => format!("no answer within {}", duration(self.elapsed_ms)),
            Outcome::Unroutable { error } => format!("no route from this host: {error}"),
        }
    }
}

/// Milliseconds as a person reads them: `0.4 ms`, `38 ms`, `3.2 s`.
#[must_use]
pub(crate) fn duration(ms: f64) -> String {
    if ms < 10.0 {
        format!("{ms:.1} ms")
    } else if ms < 1000.0 {
        format!("{ms:.0} ms")
    } else {
        format!("{:.1} s", ms / 1000.0)
    }
}
