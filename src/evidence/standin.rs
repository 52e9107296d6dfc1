//! What `pasvcheck serve`, the stand-in, proved of a range, and what it told of how it sees this host.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Mode, PortRange};

/// What came of asking a stand-in for proofs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StandIn {
    /// Whether it gives proofs to this check.
    pub access: Access,
    /// Ports that were asked for a proof, ascending, joined where neighbours share what came of it.
    #[serde(default)]
    pub proofs: Vec<ProofSpan>,
    /// The address that the control connection comes from, as the stand-in sees it.
    #[serde(default)]
    pub client_seen: Option<IpAddr>,
    /// The passive replies of the last session: as the stand-in sent them, and as they arrived.
    #[serde(default)]
    pub replies: Vec<SentReply>,
    /// Milliseconds that all of it took.
    #[serde(default)]
    pub elapsed_ms: f64,
}

/// Whether a stand-in gives proofs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "given", rename_all = "kebab-case")]
pub enum Access {
    /// To everybody: it runs without a secret.
    ToAll,
    /// To this check: both sides proved that they know the secret.
    BySecret,
    /// Not to this check.
    Refused {
        /// Why.
        why: Refusal,
    },
}

/// Why there are no proofs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "because", rename_all = "kebab-case")]
pub enum Refusal {
    /// It wants a secret, and this check was given none.
    NoSecret,
    /// It did not accept the secret, or could not prove that it knows it.
    WrongSecret,
    /// It asks for no secret, although one was given: it may be somebody else's.
    NoneAsked,
    /// No answer that makes sense.
    Unanswered {
        /// What came instead.
        instead: String,
    },
}

/// Ports that share what came of asking them for a proof.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProofSpan {
    /// The ports.
    #[serde(flatten)]
    pub ports: PortRange,
    /// What came of it.
    #[serde(flatten)]
    pub proof: Proof,
}

/// What came of asking a port for a proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "proof", rename_all = "kebab-case")]
pub enum Proof {
    /// The stand-in itself answered, on this very port.
    Proven,
    /// The stand-in answered on this very port, and saw the connection come from another address than the control
    /// connection.
    OtherSource {
        /// The address that it saw.
        address: IpAddr,
    },
    /// The stand-in answered, on a port that many above (below, if negative) the one that was asked.
    Shifted {
        /// How many.
        by: i32,
    },
    /// The connection opened, and something else spoke.
    Foreign {
        /// The beginning of what it said.
        received: String,
    },
    /// The connection opened and was closed without an answer.
    Closed,
    /// The connection opened, and no answer came.
    Silent,
    /// No connection opened; the survey has its state.
    Unopened,
}

impl Proof {
    /// Whether the stand-in itself answered on the very port.
    #[must_use]
    pub fn proven(&self) -> bool {
        matches!(self, Self::Proven | Self::OtherSource { .. })
    }

    /// Whether a connection opened that does not end at this port of the stand-in.
    #[must_use]
    pub fn elsewhere(&self) -> bool {
        matches!(self, Self::Shifted { .. } | Self::Foreign { .. } | Self::Closed | Self::Silent)
    }
}

/// A passive reply at both ends of the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SentReply {
    /// The command that it answers.
    pub mode: Mode,
    /// As it was sent.
    pub sent: String,
    /// As it arrived.
    pub arrived: String,
}

impl SentReply {
    /// Whether somebody changed it on the way.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.sent.trim_end() != self.arrived.trim_end()
    }
}

impl StandIn {
    /// How many ports came out so.
    pub fn count(&self, wanted: impl Fn(&Proof) -> bool) -> u32 {
        self.proofs.iter().filter(|span| wanted(&span.proof)).map(|span| span.ports.len()).sum()
    }

    /// Ports that came out so, as ranges.
    pub fn ranges(&self, wanted: impl Fn(&Proof) -> bool) -> Vec<PortRange> {
        let mut ranges: Vec<PortRange> = Vec::new();
        for span in self.proofs.iter().filter(|span| wanted(&span.proof)) {
            match ranges.last_mut() {
                Some(last) if last.max.checked_add(1) == Some(span.ports.min) => last.max = span.ports.max,
                _ => ranges.push(span.ports),
            }
        }
        ranges
    }
}

/// Joins what came of ports, ascending, into spans.
#[must_use]
pub fn proof_spans(mut proofs: Vec<(u16, Proof)>) -> Vec<ProofSpan> {
    proofs.sort_by_key(|(port, _)| *port);
    let mut spans: Vec<ProofSpan> = Vec::new();
    for (port, proof) in proofs {
        match spans.last_mut() {
            Some(last) if last.proof == proof && last.ports.max.checked_add(1) == Some(port) => {
                last.ports.max = port;
            }
            _ => spans.push(ProofSpan { ports: PortRange { min: port, max: port }, proof }),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_back_from_json() {
        let proofs = vec![
            (5, Proof::Proven),
            (6, Proof::Proven),
            (7, Proof::Shifted { by: -2 }),
            (8, Proof::OtherSource { address: "192.0.2.1".parse().unwrap() }),
        ];
        let spans = proof_spans(proofs);
        assert_eq!(spans.len(), 3);
        let json = serde_json::to_string(&spans).unwrap();
        assert!(json.starts_with(r#"[{"min":5,"max":6,"proof":"proven"}"#), "{json}");
        assert_eq!(serde_json::from_str::<Vec<ProofSpan>>(&json).unwrap(), spans);
        let told = StandIn {
            access: Access::ToAll,
            proofs: spans,
            client_seen: None,
            replies: Vec::new(),
            elapsed_ms: 0.0,
        };
        assert_eq!(told.count(Proof::proven), 3);
        assert_eq!(
            told.ranges(|proof| !proof.elsewhere()),
            [PortRange { min: 5, max: 6 }, PortRange { min: 8, max: 8 }]
        );
    }
}
