//! Windows: what `netsh advfirewall firewall show rule name=all` prints, with or without `verbose`.
//!
//! A rule that blocks beats every rule that allows; what no rule allows is blocked (the default of all profiles).

use super::program::list;
use super::{Action, Chain, Condition, Hook, Program, Rule, empty};
use crate::evidence::Firewall;

/// One rule as `key: value` lines.
#[derive(Default)]
struct Block {
    line: u32,
    pairs: Vec<(String, String)>,
}

impl Block {
    fn get(&self, key: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
    }
}

/// Whether it looks like such a dump in another language than English: `Regelname:` and a line of hyphens.
pub(super) fn other_language(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).take(3);
    let head = lines.next().is_some_and(|line| line.contains(':'));
    head && lines.next().is_some_and(|line| line.len() > 40 && line.bytes().all(|byte| byte == b'-'))
        && !text.contains("Rule Name:")
}

/// Reads a dump.
pub(super) fn read(text: &str) -> Firewall {
    let mut firewall = empty();
    if !text.contains("Rule Name:") {
        firewall
            .doubts
            .push("netsh speaks another language than English here, which is not understood".to_owned());
        return firewall;
    }
    let blocks = blocks(text);
    let verbose = blocks.iter().any(|block| block.get("Program").is_some() || block.get("Service").is_some());
    let mut rules: Vec<Rule> = blocks.iter().filter_map(|block| rule(block, verbose)).collect();
    rules.sort_by_key(|rule| rule.action != Action::Block);
    let policy = "the default for inbound connections, block".to_owned();
    let chain = Chain {
        name: "inbound".to_owned(),
        hook: Some(Hook { accepts: false, order: (1, 0), policy }),
        rules,
    };
    let passages = Program { chains: vec![chain] }.run();
    firewall.ipv4 = Some(passages.clone());
    firewall.ipv6 = Some(passages);
    firewall
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let Some((key, value)) = line.split_once(':') else { continue };
        let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
        if key.eq_ignore_ascii_case("Rule Name") {
            blocks.push(Block { line: u32::try_from(at + 1).unwrap_or(u32::MAX), pairs: Vec::new() });
        }
        if let Some(block) = blocks.last_mut() {
            block.pairs.push((key, value));
        }
    }
    blocks
}

fn rule(block: &Block, verbose: bool) -> Option<Rule> {
    let is = |key: &str, value: &str| block.get(key).is_some_and(|known| known.eq_ignore_ascii_case(value));
    let any =
        |key: &str| block.get(key).is_none_or(|value| value.is_empty() || value.eq_ignore_ascii_case("Any"));
    if !is("Enabled", "Yes")
        || !is("Direction", "In")
        || !(is("Protocol", "TCP") || is("Protocol", "6") || any("Protocol"))
    {
        return None;
    }
    let action = match block.get("Action")?.to_ascii_lowercase().as_str() {
        "allow" | "bypass" => Action::Accept,
        "block" => Action::Block,
        _ => return None,
    };
    let name = block.get("Rule Name").unwrap_or_default();
    let mut conditions = Vec::new();
    let ports = block.get("LocalPort").unwrap_or("Any");
    if ports.eq_ignore_ascii_case("Any") {
        // Without `verbose` netsh does not say which program or service a rule is for.
        if !verbose {
            conditions.push(Condition::Unknown("whose rule it is (`verbose` would tell)".to_owned()));
        }
    } else {
        match list(ports, '-') {
            Some(set) => conditions.push(Condition::Ports(set)),
            // RPC, IPHTTPS and other names that are no ports of FTP.
            None => return None,
        }
    }
    if let Some(service) =
        block.get("Service").filter(|service| !service.is_empty() && !service.eq_ignore_ascii_case("Any"))
        && !["ftpsvc", "filezilla-server"].iter().any(|known| service.eq_ignore_ascii_case(known))
    {
        return None;
    }
    if let Some(program) =
        block.get("Program").filter(|program| !program.is_empty() && !program.eq_ignore_ascii_case("Any"))
    {
        let program = program.to_ascii_lowercase();
        // The FTP service of IIS runs in svchost.
        let ours = program.contains("filezilla")
            || program.ends_with("svchost.exe")
            || program.contains("ftp")
            || program == "system";
        if !ours {
            return None;
        }
    }
    for key in ["RemoteIP", "LocalIP", "RemotePort", "InterfaceTypes"] {
        if !any(key) {
            conditions.push(Condition::Sometimes(format!("{key} {}", block.get(key).unwrap_or_default())));
        }
    }
    if let Some(profiles) = block.get("Profiles")
        && profiles.split(',').count() < 3
        && !profiles.eq_ignore_ascii_case("Any")
    {
        conditions.push(Condition::Sometimes(format!("profiles {profiles}")));
    }
    let text = format!("rule \"{name}\", {} {ports}", block.get("Action").unwrap_or_default());
    Some(Rule { conditions, action, text, line: Some(block.line) })
}
