//! ufw: what `ufw status` prints, and its own file `user.rules`.

use super::program::list;
use super::{Action, Chain, Condition, Hook, Program, Rule, empty, everywhere, iptables};
use crate::evidence::{Firewall, Passes};

/// Profiles of `/etc/ufw/applications.d` that many hosts have; what is not here cannot be told.
const PROFILES: [(&str, &str); 9] = [
    ("openssh", "22"),
    ("ssh", "22"),
    ("apache", "80"),
    ("apache full", "80,443"),
    ("apache secure", "443"),
    ("nginx http", "80"),
    ("nginx https", "443"),
    ("nginx full", "80,443"),
    ("ftp", "21"),
];

/// `ufw status`, with or without `verbose` or `numbered`.
pub(super) fn status(text: &str) -> Firewall {
    let mut firewall = empty();
    if text.lines().any(|line| line.trim() == "Status: inactive") {
        firewall.ipv4 = Some(everywhere(Passes::Accepted, "ufw is not active"));
        firewall.ipv6.clone_from(&firewall.ipv4);
        return firewall;
    }
    let default = text.lines().find_map(|line| line.trim().strip_prefix("Default:"));
    let default = default.and_then(|line| line.split(',').find(|part| part.contains("(incoming)")));
    let incoming = default.map_or("deny", |part| part.split_whitespace().next().unwrap_or("deny"));
    if default.is_none() {
        firewall.doubts.push(
            "the default for incoming connections is not in `ufw status`; deny, ufw's own, was taken"
                .to_owned(),
        );
    }
    let hook = |accepts| Hook {
        accepts,
        order: (1, 0),
        policy: format!("ufw's default for incoming connections, {incoming}"),
    };
    let mut programs = [true, false].map(|ipv4| (ipv4, Vec::new()));
    for (at, line) in text.lines().enumerate() {
        let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
        let Some((v6, rule)) = row(line, number) else { continue };
        for (ipv4, rules) in &mut programs {
            if *ipv4 != v6 {
                rules.push(rule.clone());
            }
        }
    }
    let [(_, v4), (_, v6)] = programs;
    let run = |rules| {
        let chain = Chain { name: "ufw".to_owned(), hook: Some(hook(incoming == "allow")), rules };
        Some(Program { chains: vec![chain] }.run())
    };
    firewall.ipv4 = run(v4);
    firewall.ipv6 = run(v6);
    firewall
}

/// A row of the table: `50000:50100/tcp   ALLOW IN   Anywhere`.
fn row(line: &str, number: u32) -> Option<(bool, Rule)> {
    let text = line.trim();
    let text =
        text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(text, |(_, rest)| rest.trim());
    let cells: Vec<&str> = text.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    let [to, action, from, ..] = cells.as_slice() else { return None };
    let mut words = action.split_whitespace();
    let verdict = match words.next()? {
        "ALLOW" | "LIMIT" => Action::Accept,
        "DENY" | "REJECT" => Action::Block,
        _ => return None,
    };
    // Rules on what goes out or through are no matter here.
    if words.next().is_some_and(|direction| direction != "IN") {
        return None;
    }
    let v6 =
        to.contains("(v6)") || from.contains("(v6)") || (from.contains(':') && !from.contains("Anywhere"));
    let to = to.replace("(v6)", "");
    let from = from.replace("(v6)", "");
    let mut conditions = target(to.trim());
    if !from.trim().starts_with("Anywhere") || from.contains(" on ") {
        conditions.push(Condition::Sometimes(format!("from {}", from.trim())));
    }
    Some((
        v6,
        Rule {
            conditions,
            action: verdict,
            text: text.split_whitespace().collect::<Vec<_>>().join(" "),
            line: Some(number),
        },
    ))
}

/// The *To* of a row: ports with a protocol, an address, a profile.
fn target(to: &str) -> Vec<Condition> {
    let (to, on) = to.split_once(" on ").map_or((to, None), |(to, on)| (to, Some(on)));
    let mut conditions: Vec<Condition> =
        on.into_iter().map(|on| Condition::Sometimes(format!("on {on}"))).collect();
    // An address may stand before the port: `203.0.113.10 21/tcp`.
    let (address, port) = match to.split_once(' ') {
        Some((address, port))
            if address.contains(['.', ':']) && address.parse::<std::net::IpAddr>().is_ok() =>
        {
            (Some(address), port.trim())
        }
        _ => (None, to),
    };
    conditions.extend(address.map(|address| Condition::Sometimes(format!("to {address}"))));
    if port == "Anywhere" {
        return conditions;
    }
    if port.parse::<std::net::IpAddr>().is_ok() || port.parse::<ipnet::IpNet>().is_ok() {
        conditions.push(Condition::Sometimes(format!("to {port}")));
        return conditions;
    }
    let (numbers, protocol) = port.split_once('/').unwrap_or((port, "any"));
    if !matches!(protocol, "tcp" | "any") {
        return vec![Condition::Never];
    }
    let known = PROFILES.iter().find(|(name, _)| name.eq_ignore_ascii_case(port)).map(|(_, ports)| *ports);
    conditions.push(match list(known.unwrap_or(numbers), ':') {
        Some(set) => Condition::Ports(set),
        None => Condition::Unknown(format!("the application profile \"{port}\"")),
    });
    conditions
}

/// `user.rules`: rules for `iptables-restore` in a chain that ufw's own chains call.
pub(super) fn rules(text: &str, ipv4: bool) -> Firewall {
    let mut firewall = empty();
    let mut program = iptables::program(text, ipv4, &mut firewall.doubts);
    firewall.doubts.push(
        "ufw's default for incoming connections is not in this file; deny, ufw's own, was taken".to_owned(),
    );
    for chain in &mut program.chains {
        if chain.name.ends_with("-user-input") {
            chain.hook = Some(Hook {
                accepts: false,
                order: (1, 0),
                policy: "ufw's default for incoming connections, deny".to_owned(),
            });
        }
        // Its limit chains count connections; the first ones pass.
        for rule in &mut chain.rules {
            if matches!(&rule.action, Action::Jump(name) if name.ends_with("-user-limit-accept")) {
                rule.action = Action::Accept;
            }
        }
    }
    let passages = Some(program.run());
    if ipv4 {
        firewall.ipv4 = passages;
    } else {
        firewall.ipv6 = passages;
    }
    firewall
}
