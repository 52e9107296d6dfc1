//! A survey of ports: the state of each, as ranges.

use serde::{Deserialize, Serialize};

use super::{Connect, IcmpError, Outcome, PortRange, StandIn};

/// What a survey of (a part of) the passive range saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Survey {
    /// The range that was surveyed.
    pub range: PortRange,
    /// Where the range comes from.
    pub source: RangeSource,
    /// Whether every port was asked (`--scan`), or a spread of them.
    pub whole: bool,
    /// Ports that were asked, ascending, joined where neighbours share their state.
    pub spans: Vec<Span>,
    /// Ports asked.
    pub asked: u32,
    /// Whether the user or the deadline ended it early.
    pub cut_short: bool,
    /// Milliseconds that it took.
    pub elapsed_ms: f64,
    /// Ports far from the range: what the host answers where nobody is expected.
    #[serde(default)]
    pub baseline: Vec<Connect>,
    /// The control port, asked again afterwards.
    #[serde(default)]
    pub control_afterwards: Option<Connect>,
    /// What the stand-in proved of the range, where one answers (`pasvcheck serve`).
    #[serde(default)]
    pub stand_in: Option<StandIn>,
}

/// Where a range comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RangeSource {
    /// From the user.
    Declared,
    /// From the ports that the server announced.
    Seen,
}

/// Ports that share a state. All of them were asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Span {
    /// The ports.
    #[serde(flatten)]
    pub ports: PortRange,
    /// Their state.
    pub state: PortState,
}

/// The state of a port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum PortState {
    /// This host could not ask.
    Failed,
    /// An ICMP error.
    Icmp(IcmpError),
    /// It opens.
    Open,
    /// A reset: packets get through, and nobody listens.
    Reset,
    /// No answer, and a slow second look at a sample of such ports had none either.
    Silent,
    /// No answer; there was no time to make sure.
    Unverified,
}

impl PortState {
    /// Whether packets get through to the port.
    #[must_use]
    pub fn passes(&self) -> bool {
        matches!(self, Self::Open | Self::Reset)
    }

    /// Whether it was shown that they do not.
    #[must_use]
    pub fn blocked(&self) -> bool {
        matches!(self, Self::Silent | Self::Icmp(_))
    }
}

impl From<&Outcome> for PortState {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Open => Self::Open,
            Outcome::Reset => Self::Reset,
            Outcome::Icmp(error) => Self::Icmp(error.clone()),
            Outcome::Silent => Self::Unverified,
            Outcome::Failed { .. } | Outcome::NotContacted { .. } | Outcome::Unroutable { .. } => {
                Self::Failed
            }
        }
    }
}

impl Survey {
    /// Whether packets get through to a port in that state. Where a stand-in listens on every port, a reset is not its own:
    /// somebody on the way sent it.
    #[must_use]
    pub fn passes(&self, state: &PortState) -> bool {
        state.passes() && (*state == PortState::Open || !self.proven())
    }

    /// Whether it was shown that they do not.
    #[must_use]
    pub fn blocks(&self, state: &PortState) -> bool {
        state.blocked() || (*state == PortState::Reset && self.proven())
    }

    /// Whether a stand-in proved any port, and so listens on all of them.
    fn proven(&self) -> bool {
        self.stand_in.as_ref().is_some_and(|stand_in| stand_in.count(super::Proof::proven) > 0)
    }

    /// Ports in a state, as ranges. In a spread, what lies between two neighbours that were asked counts with them.
    pub fn ranges(&self, wanted: impl Fn(&PortState) -> bool) -> Vec<PortRange> {
        let mut ranges: Vec<PortRange> = Vec::new();
        let mut joins = false;
        for span in &self.spans {
            if !wanted(&span.state) {
                joins = false;
                continue;
            }
            match ranges.last_mut() {
                Some(last) if joins && (!self.whole || last.max.checked_add(1) == Some(span.ports.min)) => {
                    last.max = span.ports.max;
                }
                _ => ranges.push(span.ports),
            }
            joins = true;
        }
        ranges
    }

    /// How many asked ports are in a state.
    pub fn count(&self, wanted: impl Fn(&PortState) -> bool) -> u32 {
        self.spans.iter().filter(|span| wanted(&span.state)).map(|span| span.ports.len()).sum()
    }
}

/// Joins the states of ports, ascending, into spans.
#[must_use]
pub fn spans(mut states: Vec<(u16, PortState)>) -> Vec<Span> {
    states.sort_by_key(|(port, _)| *port);
    let mut spans: Vec<Span> = Vec::new();
    for (port, state) in states {
        match spans.last_mut() {
            Some(last) if last.state == state && last.ports.max.checked_add(1) == Some(port) => {
                last.ports.max = port;
            }
            _ => spans.push(Span { ports: PortRange { min: port, max: port }, state }),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_one_state_are_joined() {
        let states =
            vec![(5, PortState::Reset), (3, PortState::Reset), (4, PortState::Reset), (6, PortState::Silent)];
        let joined = spans(states);
        assert_eq!(joined.len(), 2);
        assert_eq!(joined[0].ports, PortRange { min: 3, max: 5 });
        let apart = spans(vec![(1, PortState::Open), (3, PortState::Open), (65535, PortState::Open)]);
        assert_eq!(apart.len(), 3);
    }
}
