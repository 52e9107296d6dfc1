//! Host firewalls: what their rules do to a new inbound TCP connection from anywhere, port by port.
//!
//! Pure parsers, one file per product, fed with what the product's own command prints or with its own files. Rule sets with
//! chains become a program that is run for each span of ports; flat lists answer directly. What is not understood is
//! passed over, and makes the answer less sure: it never loses the file.

mod firewalld;
mod iptables;
mod nft;
mod program;
mod selinux;
mod ufw;
mod windows;

use crate::evidence::{Firewall, Passage, Passes};

pub(crate) use program::{Action, Chain, Condition, Hook, Ports, Program, Rule};

/// The kinds of rule sets that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `nft -j list ruleset`.
    Nftables,
    /// `iptables-save`.
    Iptables,
    /// `ip6tables-save`.
    Ip6tables,
    /// `ufw status`, with or without `verbose`.
    UfwStatus,
    /// `/etc/ufw/user.rules`.
    UfwRules,
    /// `/etc/ufw/user6.rules`.
    Ufw6Rules,
    /// `firewall-cmd --list-all`, or `--list-all-zones`.
    FirewalldList,
    /// A zone of firewalld, `/etc/firewalld/zones/public.xml`.
    FirewalldZone,
    /// `netsh advfirewall firewall show rule name=all`.
    Netsh,
    /// `getsebool -a`.
    SelinuxBooleans,
    /// `semanage port -l`.
    SelinuxPorts,
}

impl Kind {
    /// The product's name, for people.
    #[must_use]
    pub fn product(self) -> &'static str {
        match self {
            Self::Nftables => "nftables",
            Self::Iptables | Self::Ip6tables => "iptables",
            Self::UfwStatus | Self::UfwRules | Self::Ufw6Rules => "ufw",
            Self::FirewalldList | Self::FirewalldZone => "firewalld",
            Self::Netsh => "Windows firewall",
            Self::SelinuxBooleans | Self::SelinuxPorts => "SELinux",
        }
    }
}

/// What a text is, by its contents; the file's name tells the two families of iptables and ufw apart.
#[must_use]
pub fn kind_of(name: &str, text: &str) -> Option<Kind> {
    let text = text.trim_start_matches('\u{feff}');
    let start = text.trim_start();
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    let six =
        name.contains('6') || text.contains("ip6tables") || text.contains("::/0") || text.contains("ufw6-");
    if start.starts_with('{') && text.contains("\"nftables\"") {
        return Some(Kind::Nftables);
    }
    if start.starts_with('<') && text.contains("<zone") {
        return Some(Kind::FirewalldZone);
    }
    let line = |known: &dyn Fn(&str) -> bool| text.lines().any(|line| known(line.trim()));
    if text.contains("-user-input") && line(&|line| line.starts_with("*filter")) {
        let whole = line(&|line| line.starts_with(":INPUT "));
        if !whole {
            return Some(if six { Kind::Ufw6Rules } else { Kind::UfwRules });
        }
    }
    if line(&|line| line.starts_with('*')) && line(&|line| line.starts_with("-A ") || line.starts_with(':')) {
        return Some(if six { Kind::Ip6tables } else { Kind::Iptables });
    }
    if line(&|line| line.starts_with("Status: active") || line.starts_with("Status: inactive")) {
        return Some(Kind::UfwStatus);
    }
    if line(&|line| line.starts_with("target:")) && line(&|line| line.starts_with("services:")) {
        return Some(Kind::FirewalldList);
    }
    if line(&|line| line.starts_with("Rule Name:")) || windows::other_language(text) {
        return Some(Kind::Netsh);
    }
    if line(&|line| line.contains(" --> on") || line.contains(" --> off")) {
        return Some(Kind::SelinuxBooleans);
    }
    (line(&|line| line.contains("_port_t"))).then_some(Kind::SelinuxPorts)
}

/// Reads a rule set. `source` says where it comes from.
#[must_use]
pub fn read(kind: Kind, source: &str, text: &str) -> Firewall {
    let text = text.trim_start_matches('\u{feff}');
    let mut firewall = match kind {
        Kind::Nftables => nft::read(text),
        Kind::Iptables => iptables::read(text, true),
        Kind::Ip6tables => iptables::read(text, false),
        Kind::UfwStatus => ufw::status(text),
        Kind::UfwRules => ufw::rules(text, true),
        Kind::Ufw6Rules => ufw::rules(text, false),
        Kind::FirewalldList => firewalld::list(text),
        Kind::FirewalldZone => firewalld::zone(text),
        Kind::Netsh => windows::read(text),
        Kind::SelinuxBooleans => selinux::booleans(text),
        Kind::SelinuxPorts => selinux::ports(text),
    };
    kind.product().clone_into(&mut firewall.kind);
    source.clone_into(&mut firewall.source);
    firewall.doubts.sort();
    firewall.doubts.dedup();
    firewall.doubts.truncate(50);
    firewall
}

/// A firewall with no word on any family yet.
fn empty() -> Firewall {
    Firewall {
        kind: String::new(),
        source: String::new(),
        ipv4: None,
        ipv6: None,
        helper: false,
        doubts: Vec::new(),
    }
}

/// One answer for all ports.
fn everywhere(answer: Passes, because: impl Into<String>) -> Vec<Passage> {
    vec![Passage { min: 1, max: u16::MAX, answer, because: because.into(), line: None }]
}

/// Neighbours with the same answer for the same reason become one.
fn merged(passages: impl IntoIterator<Item = Passage>) -> Vec<Passage> {
    let mut merged: Vec<Passage> = Vec::new();
    for next in passages {
        match merged.last_mut() {
            Some(last)
                if last.answer == next.answer
                    && last.because == next.because
                    && last.line == next.line
                    && u32::from(last.max) + 1 == u32::from(next.min) =>
            {
                last.max = next.max;
            }
            _ => merged.push(next),
        }
    }
    merged
}

#[cfg(test)]
mod tests;
