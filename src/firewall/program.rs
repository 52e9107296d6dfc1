//! Chains of rules, and a run through them for each span of ports.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use rangemap::RangeInclusiveSet;

use super::merged;
use crate::evidence::{Passage, Passes};

/// A set of ports.
pub(crate) type Ports = RangeInclusiveSet<u16>;

/// Rules that are looked at in one run; beyond it, nothing is told.
const MOST_STEPS: u64 = 4_000_000;

/// Spans beyond which a rule set is no rule set.
const MOST_SPANS: usize = 20_000;

/// Deepest nesting of jumps (the kernel allows 16).
const DEEPEST: usize = 32;

/// What decides whether a rule applies to a new TCP connection from anywhere.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    /// The port is one of these.
    Ports(Ports),
    /// It never holds: another protocol, an established connection, the loopback interface.
    Never,
    /// It holds for some clients or in some circumstance: a source address, an interface.
    Sometimes(String),
    /// The connection comes in by this interface, or (`true`) by any other.
    Interface(String, bool),
    /// It is not understood.
    Unknown(String),
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Accept,
    Block,
    Jump(String),
    Goto(String),
    Return,
    /// The rule decides nothing: a counter, a log entry.
    Nothing,
    /// The fate of a packet is another's: a queue, an unknown target.
    Unknown(String),
}

/// One rule.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) conditions: Vec<Condition>,
    pub(crate) action: Action,
    /// In its own words.
    pub(crate) text: String,
    pub(crate) line: Option<u32>,
}

/// Where a chain is called from by the kernel.
#[derive(Clone, Debug)]
pub(crate) struct Hook {
    /// What happens at its end.
    pub(crate) accepts: bool,
    /// Lower ones are asked first.
    pub(crate) order: (u8, i64),
    /// Words for the end of the chain.
    pub(crate) policy: String,
}

/// A chain.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) name: String,
    pub(crate) hook: Option<Hook>,
    pub(crate) rules: Vec<Rule>,
}

/// The chains of one family.
#[derive(Clone, Debug, Default)]
pub(crate) struct Program {
    pub(crate) chains: Vec<Chain>,
}

/// How a walk through a chain ended.
enum End {
    Accept(String, Option<u32>),
    Block(String, Option<u32>),
    Unknown(String),
    Through,
}

/// What was passed on the way.
#[derive(Default)]
struct Way {
    /// An acceptance that holds for some clients only.
    partly: Option<(String, Option<u32>)>,
    /// Something that was not understood and might have accepted.
    may_accept: Option<String>,
    /// Something that was not understood and might have blocked.
    may_block: Option<String>,
}

impl Program {
    /// What happens to each port.
    pub(crate) fn run(mut self) -> Vec<Passage> {
        self.settle_interfaces();
        let spans = self.spans();
        let mut steps = 0;
        if spans.len() > MOST_SPANS {
            return super::everywhere(Passes::Unknown, "the rule set names too many ports to be followed");
        }
        merged(spans.into_iter().map(|span| {
            let (answer, because, line) = self.ask(*span.start(), &mut steps);
            Passage { min: *span.start(), max: *span.end(), answer, because, line }
        }))
    }

    /// Which interface clients come in by is not in a rule set. A set that names one interface to the outside means that
    /// one; among several it cannot be told.
    fn settle_interfaces(&mut self) {
        let conditions =
            || self.chains.iter().flat_map(|chain| &chain.rules).flat_map(|rule| &rule.conditions);
        let outside: BTreeSet<String> = conditions()
            .filter_map(|condition| match condition {
                Condition::Interface(name, _) if !inner(name) => Some(name.clone()),
                _ => None,
            })
            .collect();
        let rules = self.chains.iter_mut().flat_map(|chain| &mut chain.rules);
        for condition in rules.flat_map(|rule| &mut rule.conditions) {
            let Condition::Interface(name, others) = condition else { continue };
            let by_it = if inner(name) { Some(false) } else { (outside.len() == 1).then_some(true) };
            *condition = match by_it {
                Some(by_it) if by_it != *others => Condition::Ports(ports(0, u16::MAX)),
                Some(false) => Condition::Sometimes(format!("interface {name}")),
                Some(true) => Condition::Never,
                None => Condition::Unknown(format!("whether clients come in by {name}")),
            };
        }
    }

    /// Spans of ports that no rule tells apart.
    fn spans(&self) -> Vec<RangeInclusive<u16>> {
        let mut starts: BTreeSet<u16> = BTreeSet::from([1]);
        for condition in self.chains.iter().flat_map(|chain| &chain.rules).flat_map(|rule| &rule.conditions) {
            let Condition::Ports(ports) = condition else { continue };
            for range in ports.iter() {
                starts.insert((*range.start()).max(1));
                starts.extend(range.end().checked_add(1));
            }
        }
        let starts: Vec<u16> = starts.into_iter().collect();
        let ends = starts.iter().skip(1).map(|next| next - 1).chain([u16::MAX]);
        starts.iter().copied().zip(ends).map(|(start, end)| start..=end).collect()
    }

    fn ask(&self, port: u16, steps: &mut u64) -> (Passes, String, Option<u32>) {
        let mut chains: Vec<(&Chain, &Hook)> =
            self.chains.iter().filter_map(|chain| Some((chain, chain.hook.as_ref()?))).collect();
        chains.sort_by_key(|(_, hook)| hook.order);
        let mut accepted = (String::from("no chain looks at inbound connections"), None);
        for (chain, hook) in chains {
            let mut way = Way::default();
            let end = self.walk(chain, port, &mut way, steps, 0);
            let end = match end {
                End::Through if hook.accepts => End::Accept(hook.policy.clone(), None),
                End::Through => End::Block(hook.policy.clone(), None),
                end => end,
            };
            match end {
                End::Unknown(why) => return (Passes::Unknown, why, None),
                End::Accept(..) if way.may_block.is_some() => {
                    return (Passes::Unknown, way.may_block.unwrap_or_default(), None);
                }
                End::Block(..) if way.may_accept.is_some() => {
                    return (Passes::Unknown, way.may_accept.unwrap_or_default(), None);
                }
                End::Block(because, line) => {
                    return match way.partly {
                        Some((partly, at)) => (
                            Passes::Blocked,
                            format!("{because}; only some are let through by: {partly}"),
                            at,
                        ),
                        None => (Passes::Blocked, because, line),
                    };
                }
                End::Accept(because, line) => accepted = (because, line),
                End::Through => {}
            }
        }
        (Passes::Accepted, accepted.0, accepted.1)
    }

    fn walk(&self, chain: &Chain, port: u16, way: &mut Way, steps: &mut u64, depth: usize) -> End {
        if depth > DEEPEST {
            return End::Unknown("chains call each other too deeply".to_owned());
        }
        for rule in &chain.rules {
            *steps += 1;
            if *steps > MOST_STEPS {
                return End::Unknown("the rule set is too large to be followed".to_owned());
            }
            if let Some(end) = self.step(rule, port, way, steps, depth) {
                return end;
            }
        }
        End::Through
    }

    /// What a rule does to a port; `None` to go on with the next.
    fn step(&self, rule: &Rule, port: u16, way: &mut Way, steps: &mut u64, depth: usize) -> Option<End> {
        let (mut sometimes, mut unknown) = (None, None);
        for condition in &rule.conditions {
            match condition {
                Condition::Ports(ports) if ports.contains(&port) => {}
                // Interfaces were settled before the run.
                Condition::Ports(_) | Condition::Never | Condition::Interface(..) => return None,
                Condition::Sometimes(why) => sometimes = Some(why),
                Condition::Unknown(why) => unknown = Some(why),
            }
        }
        let end = match &rule.action {
            Action::Nothing => return None,
            Action::Return => End::Through,
            Action::Accept => End::Accept(rule.text.clone(), rule.line),
            Action::Block => End::Block(rule.text.clone(), rule.line),
            Action::Unknown(why) => End::Unknown(format!("{why}: {}", rule.text)),
            Action::Jump(name) | Action::Goto(name) => {
                match self.chains.iter().find(|chain| chain.name == *name) {
                    Some(chain) => match self.walk(chain, port, way, steps, depth + 1) {
                        End::Through if matches!(rule.action, Action::Jump(_)) => return None,
                        end => end,
                    },
                    None => End::Unknown(format!("the chain {name} is not in the rule set")),
                }
            }
        };
        if let Some(why) = unknown {
            let words = format!("{why} cannot be told: {}", rule.text);
            match end {
                End::Accept(..) => way.may_accept.get_or_insert(words),
                End::Block(..) => way.may_block.get_or_insert(words),
                End::Unknown(_) | End::Through => {
                    way.may_accept.get_or_insert(words.clone());
                    way.may_block.get_or_insert(words)
                }
            };
            return None;
        }
        if sometimes.is_some() {
            match end {
                End::Accept(text, line) => {
                    way.partly.get_or_insert((text, line));
                }
                // A block for some clients, a blacklist for one, is no block for the others.
                End::Block(..) | End::Through => {}
                End::Unknown(why) => {
                    way.may_accept.get_or_insert(why);
                }
            }
            return None;
        }
        Some(end)
    }
}

/// Whether an interface leads to guests, containers or a tunnel, and not to the outside.
fn inner(name: &str) -> bool {
    const INNER: [&str; 14] = [
        "docker",
        "br-",
        "virbr",
        "veth",
        "cni",
        "lxc",
        "lxd",
        "podman",
        "wg",
        "tun",
        "tap",
        "tailscale",
        "cali",
        "vnet",
    ];
    INNER.iter().any(|prefix| name.starts_with(prefix))
}

/// A set of one range.
pub(crate) fn ports(min: u16, max: u16) -> Ports {
    let mut ports = Ports::new();
    if min <= max {
        ports.insert(min..=max);
    }
    ports
}

/// All ports but these.
pub(crate) fn except(ports: &Ports) -> Ports {
    ports.gaps(&(0..=u16::MAX)).collect()
}

/// `21,989:990,50000-50100` with either mark between bounds; `None` if anything in it is no port.
pub(crate) fn list(text: &str, between: char) -> Option<Ports> {
    let mut set = Ports::new();
    for part in text.split(',') {
        let (low, high) = part.trim().split_once(between).unwrap_or((part.trim(), part.trim()));
        // iptables leaves a bound out for the lowest or highest.
        let low = if low.is_empty() { 0 } else { low.trim().parse().ok()? };
        let high = if high.is_empty() { u16::MAX } else { high.trim().parse().ok()? };
        if low > high {
            return None;
        }
        set.insert(low..=high);
    }
    Some(set)
}
