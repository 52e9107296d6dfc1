//! The ports that are announced, and the real ones behind them.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::script::ScriptError;

/// Which ports are announced, in which order. After the last the first comes again.
///
/// In a scenario file: `[50000, 50007]`, `"50000-50009"` (a seeded shuffle) or `"50000-50009 sequential"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ports {
    /// These, in this order.
    List(Vec<u16>),
    /// All of a range in an order that looks random and is the same in every run.
    Shuffled(u16, u16),
    /// All of a range, upward.
    Sequential(u16, u16),
}

impl Default for Ports {
    fn default() -> Self {
        Self::Shuffled(50_000, 50_099)
    }
}

impl Ports {
    /// The order, written out.
    pub(super) fn sequence(&self) -> Vec<u16> {
        match self {
            Self::List(list) => list.clone(),
            Self::Sequential(first, last) => (*first..=*last).collect(),
            Self::Shuffled(first, last) => shuffled((*first..=*last).collect()),
        }
    }
}

/// Fisher and Yates with the multiplier of Knuth's MMIX as the source of chance: always the same, which is the point.
fn shuffled(mut ports: Vec<u16>) -> Vec<u16> {
    let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
    for last in (1..ports.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // The low bits of such a generator follow a short cycle; the high ones do not.
        let pick = usize::try_from(state >> 33).unwrap_or_default() % (last + 1);
        ports.swap(last, pick);
    }
    ports
}

impl FromStr for Ports {
    type Err = ScriptError;

    fn from_str(text: &str) -> Result<Self, ScriptError> {
        let bad = || ScriptError::Range(text.to_owned());
        let mut words = text.split_whitespace();
        let (first, last) = words.next().and_then(|range| range.split_once('-')).ok_or_else(bad)?;
        let (first, last): (u16, u16) = first.parse().ok().zip(last.parse().ok()).ok_or_else(bad)?;
        match (words.next(), words.next()) {
            _ if first > last => Err(bad()),
            (None, _) => Ok(Self::Shuffled(first, last)),
            (Some("sequential"), None) => Ok(Self::Sequential(first, last)),
            _ => Err(bad()),
        }
    }
}

struct PortsVisitor;

impl<'de> Visitor<'de> for PortsVisitor {
    type Value = Ports;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of ports, \"A-B\" or \"A-B sequential\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Ports, E> {
        text.parse().map_err(Error::custom)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Ports, S::Error> {
        let mut ports = Vec::new();
        while let Some(port) = list.next_element()? {
            ports.push(port);
        }
        if ports.is_empty() {
            Err(Error::custom("a list of ports needs at least one"))
        } else {
            Ok(Ports::List(ports))
        }
    }
}

impl<'de> Deserialize<'de> for Ports {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PortsVisitor)
    }
}

/// Which announced ports have a listener at this moment, and where it really is. Clones share one map.
#[derive(Clone, Debug, Default)]
pub struct PortMap(Arc<Mutex<HashMap<u16, Entry>>>);

/// A listener behind an announced port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    real: SocketAddr,
    /// Whether it was announced under TLS.
    secured: bool,
}

impl PortMap {
    /// The real address behind an announced port; `None` once the listener is gone.
    #[must_use]
    pub fn lookup(&self, announced: u16) -> Option<SocketAddr> {
        self.entries().get(&announced).map(|entry| entry.real)
    }

    /// Whether the port was announced in clear, where a device on the way can read it.
    #[must_use]
    pub fn readable(&self, announced: u16) -> bool {
        self.entries().get(&announced).is_some_and(|entry| !entry.secured)
    }

    /// The announced ports that have a listener, in order.
    #[must_use]
    pub fn announced(&self) -> Vec<u16> {
        let mut ports: Vec<u16> = self.entries().keys().copied().collect();
        ports.sort_unstable();
        ports
    }

    pub(super) fn enter(&self, announced: u16, real: SocketAddr, secured: bool) {
        self.entries().insert(announced, Entry { real, secured });
    }

    /// Takes an entry out, unless another session has meanwhile been offered the same port.
    pub(super) fn remove(&self, announced: u16, real: SocketAddr) {
        let mut entries = self.entries();
        if entries.get(&announced).is_some_and(|entry| entry.real == real) {
            entries.remove(&announced);
        }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<u16, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffle_keeps_every_port_and_shows_no_strict_sequence() {
        let ports = Ports::default().sequence();
        let mut sorted = ports.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, Ports::Sequential(50_000, 50_099).sequence());
        let longest =
            ports.windows(3).filter(|three| three[1] == three[0] + 1 && three[2] == three[1] + 1).count();
        assert_eq!(longest, 0);
        assert_eq!(ports, Ports::default().sequence());
    }

    #[test]
    fn ranges_are_read() {
        assert_eq!("50000-50009".parse::<Ports>().unwrap(), Ports::Shuffled(50_000, 50_009));
        assert_eq!("1-65535 sequential".parse::<Ports>().unwrap(), Ports::Sequential(1, 65_535));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "50000", "50009-50000", "50000-70000", "1-2 backwards", "1-2 sequential x", "-1-2"] {
            assert!(text.parse::<Ports>().is_err(), "{text}");
        }
    }

    #[test]
    fn removal_spares_a_newer_listener() {
        let map = PortMap::default();
        let (old, new) = (SocketAddr::from(([127, 0, 0, 1], 1)), SocketAddr::from(([127, 0, 0, 1], 2)));
        map.enter(50_000, old, false);
        map.enter(50_000, new, true);
        map.remove(50_000, old);
        assert_eq!(map.lookup(50_000), Some(new));
    }
}
