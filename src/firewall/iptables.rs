//! `iptables-save` and `ip6tables-save`: tables, chains, and rules as they would be typed.

use super::program::{except, list, ports};
use super::{Action, Chain, Condition, Hook, Program, Rule, empty};
use crate::evidence::Firewall;

/// Reads the rules of one family.
pub(super) fn read(text: &str, ipv4: bool) -> Firewall {
    let mut firewall = empty();
    let program = program(text, ipv4, &mut firewall.doubts);
    firewall.helper = text.contains("--helper ftp");
    let passages = Some(program.run());
    if ipv4 {
        firewall.ipv4 = passages;
    } else {
        firewall.ipv6 = passages;
    }
    firewall
}

/// Order of the tables at a hook.
fn order(table: &str) -> i64 {
    match table {
        "raw" => -300,
        "mangle" => -150,
        "nat" => -100,
        "security" => 50,
        _ => 0,
    }
}

/// The chains of all tables; their names carry the table's.
pub(super) fn program(text: &str, ipv4: bool, doubts: &mut Vec<String>) -> Program {
    let mut chains: Vec<Chain> = Vec::new();
    let mut table = String::from("filter");
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('*') {
            name.trim().clone_into(&mut table);
        } else if let Some(rest) = line.strip_prefix(':') {
            let mut parts = rest.split_whitespace();
            let (name, policy) = (parts.next().unwrap_or_default(), parts.next().unwrap_or("-"));
            chains.push(Chain {
                name: format!("{table} {name}"),
                hook: hook(&table, name, policy),
                rules: Vec::new(),
            });
        } else if line.starts_with("-A ") || line.starts_with("-I ") || line.starts_with('[') {
            let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
            // `iptables-save -c` puts counters first.
            let rule =
                line.strip_prefix('[').and_then(|rest| rest.split_once("] ")).map_or(line, |(_, rest)| rest);
            take(rule, number, &table, ipv4, &mut chains, doubts);
        }
    }
    Program { chains }
}

fn hook(table: &str, name: &str, policy: &str) -> Option<Hook> {
    let stage = match name {
        "PREROUTING" => 0,
        "INPUT" => 1,
        _ => return None,
    };
    // What nat does to the packet itself is told by its rules.
    Some(Hook {
        accepts: policy != "DROP",
        order: (stage, order(table)),
        policy: format!("policy {policy} of chain {name} (table {table})"),
    })
}

fn take(line: &str, number: u32, table: &str, ipv4: bool, chains: &mut Vec<Chain>, doubts: &mut Vec<String>) {
    let words = split(line);
    let mut words = words.iter().map(String::as_str);
    words.next();
    let Some(chain) = words.next() else { return };
    let name = format!("{table} {chain}");
    let rule = rule(&words.collect::<Vec<_>>(), line, number, table, ipv4, doubts);
    match chains.iter_mut().find(|chain| chain.name == name) {
        Some(chain) => chain.rules.push(rule),
        None => chains.push(Chain { name, hook: hook(table, chain, "ACCEPT"), rules: vec![rule] }),
    }
}

fn rule(words: &[&str], line: &str, number: u32, table: &str, ipv4: bool, doubts: &mut Vec<String>) -> Rule {
    let mut rule = Rule {
        conditions: Vec::new(),
        action: Action::Nothing,
        text: line.chars().take(200).collect(),
        line: Some(number),
    };
    let mut at = 0;
    let mut negated = false;
    while let Some(word) = words.get(at) {
        let value = words.get(at + 1).copied().unwrap_or_default();
        at += 2;
        if *word == "!" {
            negated = true;
            at -= 1;
            continue;
        }
        match *word {
            "-j" | "--jump" => rule.action = action(value, table),
            "-g" | "--goto" => rule.action = Action::Goto(format!("{table} {value}")),
            "-m" | "--match" => rule.conditions.extend(module(value, doubts)),
            "--tcp-flags" => {
                let set = words.get(at).copied().unwrap_or_default();
                rule.conditions.extend(condition("--tcp-flags", set, negated, ipv4));
                at += 1;
            }
            // Options that decide nothing, and below those without a value.
            "--comment"
            | "--reject-with"
            | "--log-prefix"
            | "--log-level"
            | "--limit-burst"
            | "--icmp-type"
            | "--icmpv6-type"
            | "--set-xmark"
            | "--set-mark"
            | "--to-destination"
            | "--to-ports"
            | "--helper"
            | "--timeout"
            | "--queue-num"
            | "--nflog-prefix"
            | "--nflog-group"
            | "--name"
            | "--mask"
            | "--hashlimit-name"
            | "--hashlimit-mode"
            | "--hashlimit-burst"
            | "--zone"
            | "--seconds"
            | "--hitcount"
            | "--connlimit-mask"
            | "--hashlimit-htable-expire"
            | "--hashlimit-srcmask"
            | "--log-uid"
            | "--return-nomatch" => {}
            "--syn" | "--rsource" | "--rdest" | "--update" | "--rcheck" | "--set" | "--random"
            | "--connlimit-saddr" | "--notrack" | "--rttl" => at -= 1,
            option => match condition(option, value, negated, ipv4) {
                Some(condition) => rule.conditions.push(condition),
                None if option.starts_with('-') => {
                    doubts.push(format!("the option {option} is not known (line {number})"));
                    rule.conditions.push(Condition::Unknown(format!("the option {option}")));
                    // Whether it takes a value is not known either.
                    if value.starts_with('-') {
                        at -= 1;
                    }
                }
                None => at -= 1,
            },
        }
        negated = false;
    }
    rule
}

fn action(target: &str, table: &str) -> Action {
    match target {
        "ACCEPT" => Action::Accept,
        "DROP" | "REJECT" | "TARPIT" => Action::Block,
        "RETURN" => Action::Return,
        "DNAT" | "REDIRECT" | "TPROXY" => {
            Action::Unknown("the connection is led to another port or host".to_owned())
        }
        "QUEUE" | "NFQUEUE" | "SYNPROXY" => Action::Unknown("a program decides".to_owned()),
        "LOG" | "NFLOG" | "ULOG" | "AUDIT" | "MARK" | "CONNMARK" | "CT" | "NOTRACK" | "TCPMSS" | "TRACE"
        | "SET" | "SECMARK" | "CONNSECMARK" | "CHECKSUM" | "TOS" | "DSCP" | "TTL" | "MASQUERADE" | "SNAT"
        | "CLASSIFY" | "RATEEST" | "LED" => Action::Nothing,
        chain => Action::Jump(format!("{table} {chain}")),
    }
}

/// Modules that bound a rule without an option of their own that we read.
fn module(name: &str, doubts: &mut Vec<String>) -> Option<Condition> {
    match name {
        "tcp" | "multiport" | "conntrack" | "state" | "comment" | "addrtype" | "limit" | "set"
        | "iprange" | "mac" | "pkttype" | "mark" | "connmark" | "icmp" | "icmp6" | "udp" | "policy"
        | "physdev" | "owner" | "length" | "ttl" | "hl" => None,
        "hashlimit" | "recent" | "connlimit" | "geoip" | "time" | "statistic" | "u32" | "string" | "bpf"
        | "socket" | "rpfilter" | "nth" => Some(Condition::Sometimes(format!("-m {name}"))),
        name => {
            doubts.push(format!("the module {name} is not known"));
            Some(Condition::Unknown(format!("the module {name}")))
        }
    }
}

fn holds(yes: bool) -> Condition {
    if yes { Condition::Ports(ports(0, u16::MAX)) } else { Condition::Never }
}

/// What an option means for a new TCP connection from anywhere to a port of this host; `None` if it is not known.
fn condition(option: &str, value: &str, negated: bool, ipv4: bool) -> Option<Condition> {
    let sometimes = || Condition::Sometimes(format!("{option} {value}"));
    Some(match option {
        "-p" | "--protocol" => holds(matches!(value, "tcp" | "all" | "6" | "0") != negated),
        "--dport" | "--dports" | "--destination-port" | "--destination-ports" | "--ports" => {
            match list(value, ':') {
                Some(set) => Condition::Ports(if negated { except(&set) } else { set }),
                None => Condition::Unknown(format!("{option} {value}")),
            }
        }
        "--state" | "--ctstate" => {
            // A packet whose address was translated before is the business of nat.
            let new = value.split(',').any(|state| state == "NEW" || state == "UNTRACKED");
            holds(new != negated)
        }
        "--ctdir" => holds((value == "ORIGINAL") != negated),
        "-i" | "--in-interface" if value == "lo" => holds(negated),
        "-i" | "--in-interface" => Condition::Interface(value.to_owned(), negated),
        "-s" | "--source" | "-d" | "--destination" if value.ends_with("/0") => holds(!negated),
        "-s" | "--source" | "-d" | "--destination" if ipv4 == value.contains(':') => Condition::Never,
        // Everybody but a few is everybody.
        "-s" | "--source" | "--src-range" if negated => holds(true),
        "--dst-type" => holds((value == "LOCAL" || value == "UNICAST") != negated),
        // The first word is the mask, the second what has to be set of it; `rule` takes both.
        "--tcp-flags" => holds((value == "SYN") != negated),
        "--pkt-type" => holds((value == "unicast") != negated),
        "--limit" => holds(true),
        "-s" | "--source" | "-d" | "--destination" | "--sport" | "--sports" | "--source-port"
        | "--src-type" | "--match-set" | "--src-range" | "--dst-range" | "--mac-source" | "--mark"
        | "--uid-owner" | "--length" | "--ttl-eq" | "--ctorigdst" | "--ctorigdstport" | "--ctorigsrc"
        | "--dir" | "--pol" | "--physdev-in" | "--rt-type" | "--hashlimit-above" | "--hashlimit-upto"
        | "--connlimit-above" | "--connlimit-upto" | "--source-country" | "--src-cc" | "--timestart"
        | "--timestop" | "--probability" | "--mode" | "--string" | "--algo" | "-f" | "--fragment" => {
            sometimes()
        }
        _ => return None,
    })
}

/// Words as a shell would split them; quotes hold together and go.
fn split(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => quoted = !quoted,
            '\\' if quoted => words.last_mut().into_iter().for_each(|word| word.extend(characters.next())),
            c if c.is_whitespace() && !quoted => words.push(String::new()),
            c => words.last_mut().into_iter().for_each(|word| word.push(c)),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
