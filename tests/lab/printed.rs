//! What `pasvcheck fix` prints, taken at its word: the binary is asked with `--json`, and its blocks become the server's
//! configuration, the firewall of its host and the forwarding of its router.

use std::collections::BTreeMap;

use crate::daemons::Daemon;
use crate::namespaces::{Host, World};
use crate::shell::{command, run};
use crate::site::Site;

/// What is applied of a printed set-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Printed {
    /// Addresses and range, as `fix` is given them.
    pub(crate) options: &'static [&'static str],
    /// The firewall of the server's host, and of the router.
    pub(crate) firewall: Tool,
    /// Whether the rules for the server's host are applied. Without them it drops what nobody asked for.
    pub(crate) on_server: bool,
    /// Whether the rules for the router are applied.
    pub(crate) on_router: bool,
    /// The other way to configure a product that has two.
    pub(crate) elsewhere: bool,
}

/// Whose rules are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    Nft,
    Iptables,
}

impl Tool {
    fn word(self) -> &'static str {
        match self {
            Self::Nft => "nft",
            Self::Iptables => "iptables",
        }
    }

    /// A host that lets in answers, ICMP and nothing else, as distributions' examples have it.
    fn closed(self) -> &'static str {
        match self {
            Self::Nft => {
                "nft -f - <<'END'\n\
                 table inet filter {\n\
                 chain input {\n type filter hook input priority filter; policy drop;\n\
                 ct state established,related accept\n iif lo accept\n meta l4proto { icmp, ipv6-icmp } accept\n}\n\
                 chain forward {\n type filter hook forward priority filter; policy accept;\n}\n\
                 }\nEND\n"
            }
            Self::Iptables => {
                "iptables -P INPUT DROP\n\
                 iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n\
                 iptables -A INPUT -i lo -j ACCEPT\n\
                 iptables -A INPUT -p icmp -j ACCEPT\n"
            }
        }
    }
}

/// The blocks that the binary prints for a server, by their names.
pub(crate) fn blocks(daemon: Daemon, printed: Printed) -> Result<BTreeMap<String, String>, String> {
    let mut fix = command(env!("CARGO_BIN_EXE_pasvcheck"), &["fix", "--json", "--server", daemon.name()]);
    let told = run(fix.args(printed.options), "")?;
    let value: serde_json::Value = serde_json::from_str(&told).map_err(|error| error.to_string())?;
    let blocks = value["blocks"].as_array().ok_or("fix printed no blocks")?;
    let pair = |block: &serde_json::Value| {
        Some((block["id"].as_str()?.to_owned(), block["text"].as_str()?.to_owned()))
    };
    Ok(blocks.iter().filter_map(pair).collect())
}

/// One block.
pub(crate) fn block(daemon: Daemon, printed: Printed, id: &str) -> Result<String, String> {
    blocks(daemon, printed)?.remove(id).ok_or_else(|| format!("fix printed no {id} for {daemon}"))
}

/// Closes the server's host, and then applies what is printed.
pub(crate) fn apply(world: &World, site: &Site, daemon: Daemon, printed: Printed) -> Result<(), String> {
    let shell = |host: Host, script: &str| {
        let mut shell = world.inside(host, &["sh", "-ec", script]);
        shell.envs(site.tools());
        run(&mut shell, "").map_err(|error| format!("{error}\n{script}"))
    };
    shell(Host::Server, printed.firewall.closed())?;
    let tool = printed.firewall.word();
    if printed.on_server {
        shell(Host::Server, &block(daemon, printed, &format!("firewall-{tool}"))?)?;
    }
    if printed.on_router {
        shell(Host::ServerRouter, &block(daemon, printed, &format!("nat-{tool}"))?)?;
    }
    Ok(())
}
