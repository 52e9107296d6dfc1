//! `nft -j list ruleset` (libnftables-json(5)). Values are walked as they come: one statement that is not known loses its
//! rule's certainty, never the file.

use std::collections::BTreeMap;

use serde_json::Value;

use super::program::{except, ports};
use super::{Action, Chain, Condition, Hook, Ports, Program, Rule, empty};
use crate::evidence::Firewall;

/// Tables' families that see IPv4, and that see IPv6.
const IPV4: [&str; 2] = ["ip", "inet"];
const IPV6: [&str; 2] = ["ip6", "inet"];

/// Reads a rule set.
pub(super) fn read(text: &str) -> Firewall {
    let mut firewall = empty();
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) => {
            firewall.doubts.push(format!("it is no JSON: {error}"));
            return firewall;
        }
    };
    let objects: Vec<&Value> = value["nftables"].as_array().into_iter().flatten().collect();
    firewall.helper =
        objects.iter().any(|object| object.get("ct helper").is_some_and(|helper| helper["type"] == "ftp"));
    let ruleset = Ruleset { objects: &objects, sets: named(&objects, "set"), maps: named(&objects, "map") };
    firewall.ipv4 = Some(ruleset.program(&IPV4, true, &mut firewall.doubts).run());
    firewall.ipv6 = Some(ruleset.program(&IPV6, false, &mut firewall.doubts).run());
    firewall
}

type Key = (String, String, String);

fn key(object: &Value) -> Key {
    let text = |name: &str| object[name].as_str().unwrap_or_default().to_owned();
    (text("family"), text("table"), text("name"))
}

fn named<'a>(objects: &[&'a Value], kind: &str) -> BTreeMap<Key, &'a Value> {
    objects.iter().filter_map(|object| object.get(kind)).map(|object| (key(object), object)).collect()
}

struct Ruleset<'a> {
    objects: &'a [&'a Value],
    sets: BTreeMap<Key, &'a Value>,
    maps: BTreeMap<Key, &'a Value>,
}

impl<'a> Ruleset<'a> {
    fn program(&self, families: &[&str], ipv4: bool, doubts: &mut Vec<String>) -> Program {
        let of = |object: &&&'a Value| families.contains(&object["family"].as_str().unwrap_or_default());
        let chains = self.objects.iter().filter_map(|object| object.get("chain"));
        let mut chains: Vec<Chain> = chains
            .filter(|chain| of(&chain))
            .map(|chain| Chain { name: full_name(chain, "name"), hook: hook(chain), rules: Vec::new() })
            .collect();
        for rule in self.objects.iter().filter_map(|object| object.get("rule")).filter(|rule| of(&rule)) {
            let name = full_name(rule, "chain");
            if let Some(chain) = chains.iter_mut().find(|chain| chain.name == name) {
                chain.rules.extend(Reader { ruleset: self, rule, ipv4 }.rules(doubts));
            }
        }
        if self
            .objects
            .iter()
            .filter_map(|object| object.get("chain"))
            .any(|chain| chain["hook"] == "ingress")
        {
            doubts.push("a chain at the ingress hook was not followed".to_owned());
        }
        Program { chains }
    }
}

/// Chains of different tables may share a name.
fn full_name(object: &Value, name: &str) -> String {
    let text = |name: &str| object[name].as_str().unwrap_or_default();
    format!("{} {} {}", text("family"), text("table"), text(name))
}

/// Inbound packets pass prerouting, then input, at each by priority.
fn hook(chain: &Value) -> Option<Hook> {
    let stage = match chain["hook"].as_str()? {
        "prerouting" => 0,
        "input" => 1,
        _ => return None,
    };
    let policy = chain["policy"].as_str().unwrap_or("accept");
    Some(Hook {
        accepts: policy != "drop",
        order: (stage, chain["prio"].as_i64().unwrap_or(0)),
        policy: format!("policy {policy} of chain {}", full_name(chain, "name")),
    })
}

struct Reader<'a> {
    ruleset: &'a Ruleset<'a>,
    rule: &'a Value,
    ipv4: bool,
}

impl Reader<'_> {
    /// A rule, or several where a verdict map decides.
    fn rules(&self, doubts: &mut Vec<String>) -> Vec<Rule> {
        let text = words(self.rule);
        let mut conditions = Vec::new();
        let mut rules = Vec::new();
        for statement in self.rule["expr"].as_array().into_iter().flatten() {
            let Some((name, body)) = statement.as_object().and_then(|object| object.iter().next()) else {
                continue;
            };
            let mut decide = |action: Action| {
                rules.push(Rule { conditions: conditions.clone(), action, text: text.clone(), line: None });
            };
            match name.as_str() {
                "match" => conditions.push(self.condition(body)),
                "accept" => decide(Action::Accept),
                "drop" | "reject" => decide(Action::Block),
                "return" => decide(Action::Return),
                "jump" => decide(Action::Jump(self.target(body))),
                "goto" => decide(Action::Goto(self.target(body))),
                "counter" | "log" | "comment" | "notrack" | "mangle" | "meter" | "ct helper" | "ct count"
                | "quota" | "last" | "flow" | "set" | "map" | "secmark"
                    if !changes_port(name, body) =>
                {
                    if matches!(name.as_str(), "quota" | "ct count" | "meter") {
                        conditions.push(Condition::Sometimes(name.clone()));
                    }
                }
                // More connections than the limit fare otherwise: the first one is told.
                "limit" if body["inv"].as_bool() != Some(true) => {}
                "limit" => conditions.push(Condition::Sometimes("a rate limit".to_owned())),
                "vmap" => self.verdict_map(body, &conditions, &text, &mut rules),
                "dnat" | "redirect" | "tproxy" => {
                    decide(Action::Unknown("the connection is led to another port or host".to_owned()));
                }
                "masquerade" | "snat" => {}
                "queue" => decide(Action::Unknown("a program decides".to_owned())),
                other => {
                    doubts.push(format!("the statement \"{other}\" is not known"));
                    conditions.push(Condition::Unknown(format!("the statement \"{other}\"")));
                }
            }
        }
        rules
    }

    fn target(&self, body: &Value) -> String {
        let text = |name: &str| self.rule[name].as_str().unwrap_or_default();
        format!("{} {} {}", text("family"), text("table"), body["target"].as_str().unwrap_or_default())
    }

    /// What a match means for a new TCP connection from anywhere to a port of this host.
    fn condition(&self, body: &Value) -> Condition {
        let (left, right) = (&body["left"], &body["right"]);
        let negated = body["op"] == "!=";
        if let Some(payload) = left.get("payload") {
            return self.payload(payload, right, negated, body["op"].as_str().unwrap_or("=="));
        }
        if let Some(meta) = left.get("meta") {
            return meta_condition(meta["key"].as_str().unwrap_or_default(), right, negated, self.ipv4);
        }
        if let Some(ct) = left.get("ct") {
            return match ct["key"].as_str().unwrap_or_default() {
                "state" => holds(contains(right, "new") != negated),
                // "original" is the direction of the packet that opens a connection.
                "direction" => holds(contains(right, "original") != negated),
                "status" if contains(right, "dnat") => holds(negated),
                key => Condition::Sometimes(format!("ct {key}")),
            };
        }
        // `tcp flags syn / fin,syn,rst,ack`: of these flags a SYN has that one alone.
        if left["&"][0]["payload"]["field"] == "flags" {
            return holds((right == "syn") != negated);
        }
        if left.get("fib").is_some() {
            // Whether the destination is local: it is.
            let local = contains(right, "local");
            let broadcast = ["broadcast", "multicast", "anycast"].iter().any(|kind| contains(right, kind));
            return if local || broadcast {
                holds(local != negated)
            } else {
                Condition::Sometimes("fib".to_owned())
            };
        }
        Condition::Unknown("a match".to_owned())
    }

    fn payload(&self, payload: &Value, right: &Value, negated: bool, op: &str) -> Condition {
        let text = |name: &str| payload[name].as_str().unwrap_or_default();
        match (text("protocol"), text("field")) {
            ("tcp" | "th", "dport") => match self.port_set(right) {
                Some(set) => Condition::Ports(compared(&set, op, negated)),
                None => Condition::Unknown("a set of ports".to_owned()),
            },
            ("udp" | "icmp" | "icmpv6" | "sctp" | "dccp" | "udplite" | "igmp" | "esp" | "ah", _) => {
                Condition::Never
            }
            ("tcp", "sport") => Condition::Sometimes("tcp sport".to_owned()),
            // SYN is what opens a connection.
            ("tcp", "flags") => flags(right, op),
            ("ip", _) if !self.ipv4 => Condition::Never,
            ("ip6", _) if self.ipv4 => Condition::Never,
            ("ip", "protocol") | ("ip6", "nexthdr") => {
                holds((contains(right, "tcp") || right.as_u64() == Some(6)) != negated)
            }
            // Everybody but a few is everybody.
            (_, "saddr") if negated => holds(!anywhere(right)),
            (protocol, field) => {
                let words = format!("{protocol} {field} {}", short(right));
                if matches!(field, "saddr" | "daddr") && anywhere(right) {
                    holds(!negated)
                } else {
                    Condition::Sometimes(words)
                }
            }
        }
    }

    /// The ports that a right side names; `None` if it cannot be told.
    fn port_set(&self, right: &Value) -> Option<Ports> {
        match right {
            Value::Number(_) => {
                let port = number(right)?;
                Some(ports(port, port))
            }
            Value::String(name) => {
                if let Some(name) = name.strip_prefix('@') {
                    let set = self.ruleset.sets.get(&self.key(name))?;
                    let mut all = Ports::new();
                    for element in set["elem"].as_array().into_iter().flatten() {
                        all.extend(self.port_set(element)?);
                    }
                    Some(all)
                } else {
                    let port = service(name)?;
                    Some(ports(port, port))
                }
            }
            Value::Array(all) => {
                let mut set = Ports::new();
                for part in all {
                    set.extend(self.port_set(part)?);
                }
                Some(set)
            }
            Value::Object(object) => {
                if let Some(range) = object.get("range") {
                    return Some(ports(number(&range[0])?, number(&range[1])?));
                }
                if let Some(set) = object.get("set") {
                    return self.port_set(set);
                }
                self.port_set(object.get("elem")?.get("val")?)
            }
            _ => None,
        }
    }

    fn key(&self, name: &str) -> Key {
        let text = |name: &str| self.rule[name].as_str().unwrap_or_default().to_owned();
        (text("family"), text("table"), name.to_owned())
    }

    /// `tcp dport vmap { 25 : drop, 80 : accept }`, and `ct state vmap`.
    fn verdict_map(&self, body: &Value, conditions: &[Condition], text: &str, rules: &mut Vec<Rule>) {
        let data = match body["data"].as_str().and_then(|name| name.strip_prefix('@')) {
            Some(name) => self.ruleset.maps.get(&self.key(name)).map_or(&Value::Null, |map| &map["elem"]),
            None => &body["data"]["set"],
        };
        let Some(pairs) = data.as_array() else {
            rules.push(Rule {
                conditions: conditions.to_vec(),
                action: Action::Unknown("a verdict map is not in the rule set".to_owned()),
                text: text.to_owned(),
                line: None,
            });
            return;
        };
        for pair in pairs {
            let element = serde_json::json!({"op": "==", "left": body["key"], "right": pair[0]});
            let action = match pair[1].as_object().and_then(|verdict| verdict.iter().next()) {
                Some((name, _)) if name == "accept" => Action::Accept,
                Some((name, _)) if name == "drop" => Action::Block,
                Some((name, target)) if name == "jump" => Action::Jump(self.target(target)),
                Some((name, target)) if name == "goto" => Action::Goto(self.target(target)),
                Some((name, _)) if name == "return" => Action::Return,
                Some((name, _)) if name == "continue" => Action::Nothing,
                _ => Action::Unknown("a verdict is not known".to_owned()),
            };
            let mut all = conditions.to_vec();
            all.push(self.condition(&element));
            rules.push(Rule { conditions: all, action, text: text.to_owned(), line: None });
        }
    }
}

/// Whether a statement rewrites the destination port.
fn changes_port(name: &str, body: &Value) -> bool {
    name == "mangle" && body["key"]["payload"]["field"] == "dport"
}

fn meta_condition(key: &str, right: &Value, negated: bool, ipv4: bool) -> Condition {
    match key {
        "l4proto" => holds((contains(right, "tcp") || right.as_u64() == Some(6)) != negated),
        "nfproto" => holds(contains(right, if ipv4 { "ipv4" } else { "ipv6" }) != negated),
        "protocol" => holds(contains(right, if ipv4 { "ip" } else { "ip6" }) != negated),
        // Clients do not come over the loopback interface.
        "iif" | "iifname" if right == "lo" => holds(negated),
        "pkttype" => holds((contains(right, "host") || contains(right, "unicast")) != negated),
        "iif" | "iifname" if right.is_string() => {
            Condition::Interface(right.as_str().unwrap_or_default().to_owned(), negated)
        }
        key => Condition::Sometimes(format!("{key} {}", short(right))),
    }
}

/// A condition whose answer is known.
fn holds(yes: bool) -> Condition {
    if yes { Condition::Ports(ports(0, u16::MAX)) } else { Condition::Never }
}

/// `tcp flags`: what a SYN without ACK meets.
fn flags(right: &Value, op: &str) -> Condition {
    match op {
        "in" => holds(contains(right, "syn")),
        "==" if right == "syn" => holds(true),
        "!=" if right == "syn" => holds(false),
        _ => Condition::Sometimes("tcp flags".to_owned()),
    }
}

fn compared(set: &Ports, op: &str, negated: bool) -> Ports {
    let bound = |pick: fn(&Ports) -> Option<u16>| pick(set).unwrap_or(0);
    let value = bound(|set| set.iter().next().map(|range| *range.start()));
    match op {
        "<" if value > 0 => ports(0, value - 1),
        ">" if value < u16::MAX => ports(value + 1, u16::MAX),
        "<" | ">" => Ports::new(),
        "<=" => ports(0, value),
        ">=" => ports(value, u16::MAX),
        _ if negated => except(set),
        _ => set.clone(),
    }
}

/// Whether a right side is, or holds, a word.
fn contains(value: &Value, word: &str) -> bool {
    match value {
        Value::String(text) => text == word,
        Value::Array(all) => all.iter().any(|value| contains(value, word)),
        Value::Object(object) => object.values().any(|value| contains(value, word)),
        _ => false,
    }
}

/// Whether an address side names everybody: a prefix of length 0.
fn anywhere(value: &Value) -> bool {
    value["prefix"]["len"].as_u64() == Some(0)
}

fn number(value: &Value) -> Option<u16> {
    value.as_u64().and_then(|number| u16::try_from(number).ok()).or_else(|| value.as_str().and_then(service))
}

/// Names that nft prints with `-s` or by default for a few ports.
fn service(name: &str) -> Option<u16> {
    let known = [
        ("ftp-data", 20),
        ("ftp", 21),
        ("ssh", 22),
        ("smtp", 25),
        ("domain", 53),
        ("http", 80),
        ("https", 443),
        ("ftps-data", 989),
        ("ftps", 990),
    ];
    known.iter().find(|(known, _)| *known == name).map(|(_, port)| *port).or_else(|| name.parse().ok())
}

/// A value in a few words.
fn short(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        value if value.get("prefix").is_some() => {
            format!("{}/{}", value["prefix"]["addr"].as_str().unwrap_or_default(), value["prefix"]["len"])
        }
        value if value.get("range").is_some() => {
            format!("{}-{}", short(&value["range"][0]), short(&value["range"][1]))
        }
        value if value.get("set").is_some() => format!("{{ {} }}", short(&value["set"])),
        Value::Array(all) => all.iter().take(8).map(short).collect::<Vec<_>>().join(", "),
        value => value.to_string(),
    };
    text.chars().take(80).collect()
}

/// A rule in nft's own words, as near as they can be had from JSON.
fn words(rule: &Value) -> String {
    let mut words = Vec::new();
    for statement in rule["expr"].as_array().into_iter().flatten() {
        let Some((name, body)) = statement.as_object().and_then(|object| object.iter().next()) else {
            continue;
        };
        words.push(match name.as_str() {
            "match" => {
                let left = &body["left"];
                let inner = left.as_object().and_then(|object| object.iter().next());
                let left = inner.map_or(String::new(), |(kind, body)| match kind.as_str() {
                    "payload" => format!(
                        "{} {}",
                        body["protocol"].as_str().unwrap_or("@"),
                        body["field"].as_str().unwrap_or("")
                    ),
                    kind => format!("{kind} {}", body["key"].as_str().unwrap_or_default()),
                });
                let op = body["op"]
                    .as_str()
                    .filter(|op| !matches!(*op, "==" | "in"))
                    .map(|op| format!(" {op}"))
                    .unwrap_or_default();
                format!("{left}{op} {}", short(&body["right"]))
            }
            "jump" | "goto" => format!("{name} {}", body["target"].as_str().unwrap_or_default()),
            name => name.to_owned(),
        });
    }
    let table = format!(
        "{} {}",
        rule["family"].as_str().unwrap_or_default(),
        rule["table"].as_str().unwrap_or_default()
    );
    let words: String = words.join(" ").chars().take(200).collect();
    format!(
        "{words} (chain {} of table {table}, handle {})",
        rule["chain"].as_str().unwrap_or_default(),
        rule["handle"]
    )
}
