//! What the hosts do to packets: rules of nftables as data.

use std::fmt;

use crate::namespaces::{Host, World};
use crate::shell::run;

/// Where in a host's path of a packet a rule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chain {
    /// Before any translation of addresses: here a connection gets its helper.
    Early,
    /// Translation of destinations.
    Forwarding,
    /// For the host itself.
    Arriving,
    /// Through the host.
    Passing,
    /// From the host itself.
    Leaving,
    /// Translation of sources.
    Masking,
}

impl Chain {
    const ALL: [Self; 6] =
        [Self::Early, Self::Forwarding, Self::Arriving, Self::Passing, Self::Leaving, Self::Masking];

    /// Some plain words are keywords of nftables, so these chains have names of their own.
    fn head(self) -> &'static str {
        match self {
            Self::Early => "chain early {\n type filter hook prerouting priority -150; policy accept;",
            Self::Forwarding => "chain forwarding {\n type nat hook prerouting priority -100; policy accept;",
            Self::Arriving => "chain arriving {\n type filter hook input priority 0; policy accept;",
            Self::Passing => "chain passing {\n type filter hook forward priority 0; policy accept;",
            Self::Leaving => "chain leaving {\n type filter hook output priority 0; policy accept;",
            Self::Masking => "chain masking {\n type nat hook postrouting priority 100; policy accept;",
        }
    }
}

/// One rule on one host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    host: Host,
    chain: Chain,
    text: &'static str,
}

impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}, {:?}: {}", self.host, self.chain, self.text)
    }
}

/// A rule as nftables writes it.
pub(crate) const fn on(host: Host, chain: Chain, text: &'static str) -> Rule {
    Rule { host, chain, text }
}

/// The server's router forwards the control port and the ports 50000–50009, as it should.
pub(crate) const FORWARD_ALL: Rule = on(
    Host::ServerRouter,
    Chain::Forwarding,
    "iifname wan ip daddr 203.0.113.10 tcp dport { 21, 50000-50009 } dnat ip to 192.168.50.10",
);

/// It forwards the control port alone; everything else ends at the router itself.
pub(crate) const FORWARD_CONTROL: Rule = on(
    Host::ServerRouter,
    Chain::Forwarding,
    "iifname wan ip daddr 203.0.113.10 tcp dport 21 dnat ip to 192.168.50.10",
);

/// A home router does not answer for ports that it does not forward.
pub(crate) const ROUTER_IS_SILENT: Rule =
    on(Host::ServerRouter, Chain::Arriving, "iifname wan tcp flags syn drop");

/// The server's router reads FTP, as many home routers do.
pub(crate) const HELPER: &[Rule] = &[
    on(Host::ServerRouter, Chain::Early, "iifname wan tcp dport 21 ct helper set \"ftp\""),
    FORWARD_CONTROL,
    ROUTER_IS_SILENT,
];

/// Private addresses lead nowhere on the internet.
const NO_PRIVATE_ROUTES: Rule = on(
    Host::Transit,
    Chain::Passing,
    "ip daddr { 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10 } drop",
);

/// A lab without a way to the world has no DNS: questions are lost, so that a resolver waits.
const NO_DNS: Rule = on(Host::ServerRouter, Chain::Passing, "udp dport 53 drop");

/// The translation of sources that every network with private addresses has.
const MASQUERADE: [Rule; 2] = [
    on(Host::ClientRouter, Chain::Masking, "oifname wan ip saddr 192.168.77.0/24 masquerade"),
    on(Host::ServerRouter, Chain::Masking, "oifname wan ip saddr 192.168.50.0/24 snat ip to 203.0.113.10"),
];

/// Puts the rules of a scenario into a world, in place of all that were there.
pub(crate) fn load(world: &World, rules: &[Rule], private_routes: bool) -> Result<(), String> {
    let mut all = rules.to_vec();
    all.extend(MASQUERADE);
    all.push(NO_DNS);
    if !private_routes {
        all.push(NO_PRIVATE_ROUTES);
    }
    for host in [Host::Client, Host::ClientRouter, Host::Transit, Host::ServerRouter, Host::Server] {
        let here: Vec<Rule> = all.iter().copied().filter(|rule| rule.host == host).collect();
        let text = rule_set(&here);
        run(&mut world.inside(host, &["nft", "-f", "-"]), &text)
            .map_err(|error| format!("{error}\n{text}"))?;
    }
    Ok(())
}

fn rule_set(rules: &[Rule]) -> String {
    let mut text = String::from("flush ruleset\ntable inet lab {\n");
    if rules.iter().any(|rule| rule.text.contains("ct helper")) {
        text += "ct helper ftp {\n type \"ftp\" protocol tcp; l3proto ip;\n}\n";
        text += "ct helper ftp6 {\n type \"ftp\" protocol tcp; l3proto ip6;\n}\n";
    }
    text += "counter lost {\n}\n";
    text += "set seen {\n type ipv4_addr; flags dynamic,timeout; timeout 1m;\n}\n";
    text += "set banned {\n type ipv4_addr; flags dynamic,timeout; timeout 1m;\n}\n";
    for chain in Chain::ALL {
        let lines: Vec<&str> =
            rules.iter().filter(|rule| rule.chain == chain).map(|rule| rule.text).collect();
        if !lines.is_empty() {
            text += &format!("{}\n{}\n}}\n", chain.head(), lines.join("\n"));
        }
    }
    text + "}\n"
}

/// How many packets the rules with `counter name "lost"` have dropped on transit since the last call.
pub(crate) fn lost_packets(world: &World) -> Result<u64, String> {
    let told =
        run(&mut world.inside(Host::Transit, &["nft", "reset", "counter", "inet", "lab", "lost"]), "")?;
    let mut words = told.split_whitespace().skip_while(|word| *word != "packets");
    words.nth(1).and_then(|count| count.parse().ok()).ok_or_else(|| format!("no count in {told}"))
}
