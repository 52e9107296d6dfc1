//! Passive offers: what PASV and EPSV announced and what a connect there met.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Answer, Connect};

/// The two passive commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// PASV (RFC 959 §4.1.2): the reply names an IPv4 address and a port.
    Pasv,
    /// EPSV (RFC 2428 §3): the reply names a port; the address is that of the control connection.
    Epsv,
}

impl Mode {
    /// The command's verb.
    #[must_use]
    pub fn verb(self) -> &'static str {
        match self {
            Self::Pasv => "PASV",
            Self::Epsv => "EPSV",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.verb())
    }
}

/// Which address a data connection was opened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// The address that the 227 names.
    Advertised,
    /// The address of the control connection (always so for EPSV).
    Control,
}

/// How long a connect was allowed to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Patience {
    /// Long enough for an answer on a good path; its silence proves nothing.
    Quick,
    /// Long enough to survive lost SYNs; its silence counts.
    Patient,
}

/// One answer to PASV or EPSV.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Offer {
    /// The command.
    pub mode: Mode,
    /// What the server answered.
    pub answer: Answer,
    /// What the reply announces; `None` for a refusal, silence, or a reply that cannot be read.
    #[serde(default)]
    pub announced: Option<Announced>,
    /// Why the reply cannot be read, if it is a 227, 228 or 229.
    #[serde(default)]
    pub malformed: Option<String>,
    /// The connects to it. More than one only where the server keeps listening.
    #[serde(default)]
    pub visits: Vec<Visit>,
}

/// An announced listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Announced {
    /// The address in a 227; `None` for a 229, which has none.
    pub address: Option<Ipv4Addr>,
    /// The port. 0 is possible in a faulty reply.
    pub port: u16,
}

impl Announced {
    /// The advertised address, where it is not the one that the control connection goes to.
    #[must_use]
    pub fn other_than(&self, control: IpAddr) -> Option<Ipv4Addr> {
        self.address.filter(|address| IpAddr::V4(*address) != control)
    }
}

/// One connect to an announced port.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Visit {
    /// Which address was used.
    pub via: Via,
    /// How long it could take.
    pub patience: Patience,
    /// What came of it.
    pub connect: Connect,
}

impl Visit {
    /// Whether this outcome decides something: an answer of any kind, or silence that was waited out.
    #[must_use]
    pub fn conclusive(&self) -> bool {
        use super::Outcome;
        match self.connect.outcome {
            Outcome::Silent => self.patience == Patience::Patient,
            Outcome::NotContacted { .. } => false,
            _ => true,
        }
    }
}

/// A connect to a port of the range that is not announced at that moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ColdProbe {
    /// Whether the port had opened when it was announced.
    pub opened_when_live: bool,
    /// What came of it.
    pub connect: Connect,
}

/// A range of TCP ports, both ends included, as in `50000-50100`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PortRange {
    /// The lowest port.
    pub min: u16,
    /// The highest port.
    pub max: u16,
}

impl PortRange {
    /// Whether the port lies inside.
    #[must_use]
    pub fn contains(self, port: u16) -> bool {
        (self.min..=self.max).contains(&port)
    }

    /// How many ports it holds.
    #[must_use]
    pub fn len(self) -> u32 {
        u32::from(self.max) - u32::from(self.min) + 1
    }

    /// Never: a range holds at least one port.
    #[must_use]
    pub fn is_empty(self) -> bool {
        false
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.min, self.max)
    }
}

/// Why a text is no range of ports.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortRangeError {
    /// No two numbers.
    #[error("write the range as LOW-HIGH, for example 50000-50100")]
    Syntax,
    /// The numbers are the wrong way round.
    #[error("the range runs backwards: {0} is above {1}")]
    Backwards(u16, u16),
    /// Port 0.
    #[error("port 0 cannot be part of a range; ports are 1 to 65535")]
    Zero,
}

impl FromStr for PortRange {
    type Err = PortRangeError;

    /// Reads `50000-50100`, with `:` or a blank in place of the hyphen as some servers write it, or one port.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let joined = text.split_once(['-', ':', '–']).or_else(|| text.split_once(char::is_whitespace));
        let (low, high) = joined.unwrap_or((text, text));
        let min: u16 = low.trim().parse().map_err(|_| PortRangeError::Syntax)?;
        let max: u16 = high.trim().parse().map_err(|_| PortRangeError::Syntax)?;
        match (min, max) {
            (0, _) => Err(PortRangeError::Zero),
            (min, max) if min > max => Err(PortRangeError::Backwards(min, max)),
            (min, max) => Ok(Self { min, max }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_administrators_write_them() {
        let expected = PortRange { min: 50000, max: 50100 };
        for text in ["50000-50100", "50000:50100", "50000 50100", " 50000 - 50100 "] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        assert_eq!("50000".parse(), Ok(PortRange { min: 50000, max: 50000 }));
    }

    #[test]
    fn bad_ranges_are_refused_with_a_reason() {
        assert_eq!("2-1".parse::<PortRange>(), Err(PortRangeError::Backwards(2, 1)));
        assert_eq!("0-1".parse::<PortRange>(), Err(PortRangeError::Zero));
        for text in ["", "a-b", "1-", "1-70000", "1-2-3"] {
            assert_eq!(text.parse::<PortRange>(), Err(PortRangeError::Syntax), "{text}");
        }
    }
}
