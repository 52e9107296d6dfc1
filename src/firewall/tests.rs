//! What rule sets as their programs print them do to ports.

use super::{Kind, kind_of, read};
use crate::evidence::{Firewall, Passage, Passes};

/// The answers over a range, as `50000-50049 accepted, 50050-50100 blocked`.
fn answers(passages: &[Passage], min: u16, max: u16) -> String {
    let inside = passages.iter().filter(|passage| passage.max >= min && passage.min <= max);
    let mut spans: Vec<(u16, u16, Passes)> = Vec::new();
    for passage in inside {
        let (low, high) = (passage.min.max(min), passage.max.min(max));
        match spans.last_mut() {
            Some((_, end, answer)) if *answer == passage.answer => *end = high,
            _ => spans.push((low, high, passage.answer)),
        }
    }
    let word = |answer| match answer {
        Passes::Accepted => "accepted",
        Passes::Blocked => "blocked",
        Passes::Unknown => "unknown",
    };
    spans
        .iter()
        .map(|(low, high, answer)| format!("{low}-{high} {}", word(*answer)))
        .collect::<Vec<_>>()
        .join(", ")
}

fn v4(firewall: &Firewall) -> String {
    answers(firewall.ipv4.as_deref().unwrap_or_default(), 50000, 50100)
}

fn v6(firewall: &Firewall) -> String {
    answers(firewall.ipv6.as_deref().unwrap_or_default(), 50000, 50100)
}

const NFT_HEAD: &str = r#"{"nftables": [{"metainfo": {"json_schema_version": 1}}, {"table": {"family": "inet", "name": "filter", "handle": 1}},
{"set": {"family": "inet", "name": "bad", "table": "filter", "type": "ipv4_addr"}},
{"set": {"family": "inet", "name": "data", "table": "filter", "type": "inet_service", "elem": [{"range": [50000, 50100]}]}},
{"map": {"family": "inet", "name": "m", "table": "filter", "type": "inet_service", "map": "verdict", "elem": [[{"range": [50000, 50010]}, {"accept": null}]]}},
{"chain": {"family": "inet", "table": "filter", "name": "input", "handle": 1, "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}}"#;

/// Rules as `nft -j list ruleset` of version 1.0.6 printed them.
fn nft(rules: &[&str]) -> Firewall {
    let rules: Vec<String> = rules.iter().map(|expr| format!(r#", {{"rule": {{"family": "inet", "table": "filter", "chain": "input", "handle": 9, "expr": [{expr}]}}}}"#)).collect();
    let rules = rules.concat();
    read(Kind::Nftables, "test", &format!("{NFT_HEAD}{rules}]}}"))
}

const RANGE: &str = r#"{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": {"range": [50000, 50049]}}}"#;
const SET: &str = r#"{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": {"set": [21, {"range": [50000, 50100]}]}}}"#;
const NAMED: &str = r#"{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": "@data"}}"#;
const NEW: &str = r#"{"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": "new"}}"#;
const OLD: &str =
    r#"{"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}}"#;
const TEN: &str = r#"{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": {"prefix": {"addr": "10.0.0.0", "len": 8}}}}"#;
const BAD: &str =
    r#"{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "@bad"}}"#;
const LO: &str = r#"{"match": {"op": "==", "left": {"meta": {"key": "iif"}}, "right": "lo"}}"#;
const ACCEPT: &str = r#"{"accept": null}"#;
const DROP: &str = r#"{"drop": null}"#;

fn all(parts: &[&str]) -> String {
    parts.join(", ")
}

#[test]
fn nft_decides_by_the_first_rule_that_applies() {
    for (rules, expected) in [
        (vec![], "50000-50100 blocked"),
        (vec![all(&[OLD, ACCEPT]), all(&[LO, ACCEPT])], "50000-50100 blocked"),
        (vec![all(&[RANGE, NEW, ACCEPT])], "50000-50049 accepted, 50050-50100 blocked"),
        (vec![all(&[SET, r#"{"counter": {"packets": 0, "bytes": 0}}"#, ACCEPT])], "50000-50100 accepted"),
        (vec![all(&[NAMED, ACCEPT])], "50000-50100 accepted"),
        (vec![all(&[RANGE, DROP]), all(&[SET, ACCEPT])], "50000-50049 blocked, 50050-50100 accepted"),
        // A blacklist is no block, and what 10.0.0.0/8 may is not what everybody may.
        (vec![all(&[BAD, DROP]), all(&[SET, ACCEPT])], "50000-50100 accepted"),
        (vec![all(&[TEN, SET, ACCEPT])], "50000-50100 blocked"),
        (vec![r#"{"vmap": {"key": {"payload": {"protocol": "tcp", "field": "dport"}}, "data": "@m"}}"#.to_owned()], "50000-50010 accepted, 50011-50100 blocked"),
        (vec![r#"{"vmap": {"key": {"ct": {"key": "state"}}, "data": {"set": [["established", {"accept": null}], ["new", {"accept": null}]]}}}"#.to_owned()], "50000-50100 accepted"),
        (vec![all(&[SET, r#"{"redirect": {"port": 21}}"#])], "50000-50100 unknown"),
        (vec![all(&[SET, r#"{"frobnicate": 1}"#, ACCEPT])], "50000-50100 unknown"),
        (vec![all(&[RANGE, r#"{"frobnicate": 1}"#, DROP]), all(&[SET, ACCEPT])], "50000-50049 unknown, 50050-50100 accepted"),
        (vec![all(&[r#"{"match": {"op": "!=", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 22}}"#, ACCEPT])], "50000-50100 accepted"),
        (vec![all(&[r#"{"match": {"op": ">=", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 50050}}"#, ACCEPT])], "50000-50049 blocked, 50050-50100 accepted"),
        (vec![r#"{"jump": {"target": "nowhere"}}"#.to_owned()], "50000-50100 unknown"),
        (vec![r#"{"jump": {"target": "input"}}"#.to_owned()], "50000-50100 unknown"),
    ] {
        let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
        assert_eq!(v4(&nft(&rules)), expected, "{rules:?}");
    }
}

/// Rules that were laid into a kernel, with what its listeners then got to see from another host.
#[test]
fn nft_as_a_kernel_does() {
    let from = |right: &str| {
        format!(
            r#"{{"match": {{"op": "!=", "left": {{"payload": {{"protocol": "ip", "field": "saddr"}}}}, "right": {right}}}}}"#
        )
    };
    let others = from(r#"{"prefix": {"addr": "192.0.2.0", "len": 24}}"#);
    let syn = r#"{"match": {"op": "==", "left": {"&": [{"payload": {"protocol": "tcp", "field": "flags"}}, ["fin", "syn", "rst", "ack"]]}, "right": "syn"}}"#;
    let next = r#"{"match": {"op": "==", "left": {"payload": {"protocol": "ip6", "field": "nexthdr"}}, "right": "tcp"}}"#;
    let of = |rules: &[&str]| {
        let firewall = nft(&[&all(rules)]);
        (v4(&firewall), v6(&firewall))
    };
    let (yes, no) = ("50000-50100 accepted".to_owned(), "50000-50100 blocked".to_owned());
    assert_eq!(of(&[&others, SET, ACCEPT]), (yes.clone(), no.clone()));
    assert_eq!(of(&[syn, SET, ACCEPT]), (yes.clone(), yes.clone()));
    assert_eq!(of(&[next, SET, ACCEPT]), (no, yes));
}

#[test]
fn families_are_told_apart() {
    let firewall = nft(&[&all(&[
        r#"{"match": {"op": "==", "left": {"meta": {"key": "nfproto"}}, "right": "ipv4"}}"#,
        SET,
        ACCEPT,
    ])]);
    assert_eq!(
        (v4(&firewall).as_str(), v6(&firewall).as_str()),
        ("50000-50100 accepted", "50000-50100 blocked")
    );
    let only_v4 = read(Kind::Nftables, "t", &format!("{}]}}", NFT_HEAD.replace("\"inet\"", "\"ip\"")));
    assert_eq!(
        (v4(&only_v4).as_str(), v6(&only_v4).as_str()),
        ("50000-50100 blocked", "50000-50100 accepted")
    );
}

const IPTABLES: &str = "*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -d 203.0.113.9/32 -p tcp -m tcp --dport 8080 -j REDIRECT --to-ports 80
COMMIT
*filter
:INPUT DROP [0:0]
:f2b - [0:0]
-A INPUT -p tcp -m multiport --dports 21 -j f2b
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -i lo -j ACCEPT
-A INPUT -p tcp -m multiport --dports 21,50000:50049 -m conntrack --ctstate NEW -m comment --comment \"ftp data\" -j ACCEPT
-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 50050:50100 -j ACCEPT
-A INPUT -j REJECT --reject-with icmp-port-unreachable
-A f2b -s 192.0.2.7/32 -j REJECT --reject-with icmp-port-unreachable
-A f2b -j RETURN
COMMIT
";

#[test]
fn iptables() {
    let firewall = read(Kind::Iptables, "t", IPTABLES);
    assert_eq!(v4(&firewall), "50000-50049 accepted, 50050-50100 blocked");
    assert_eq!(firewall.doubts, Vec::<String>::new());
    assert!(firewall.ipv6.is_none());
    let blocked = firewall.ipv4.as_ref().unwrap().iter().find(|passage| passage.min == 50050).unwrap();
    assert_eq!(blocked.line, Some(12), "{blocked:?}");
    assert!(blocked.because.contains("10.0.0.0/8"), "{blocked:?}");
    let rule =
        |rule: &str| v4(&read(Kind::Iptables, "t", &format!("*filter\n:INPUT DROP [0:0]\n{rule}\nCOMMIT\n")));
    assert_eq!(rule("-A INPUT -p tcp -m tcp ! --dport 22 -j ACCEPT"), "50000-50100 accepted");
    assert_eq!(rule("-A INPUT -p udp -m udp --dport 50000:50100 -j ACCEPT"), "50000-50100 blocked");
    assert_eq!(rule("-A INPUT ! -i lo -p tcp -j ACCEPT"), "50000-50100 accepted");
    assert_eq!(rule("-A INPUT -p tcp -m frobnicate --frob 7 -j ACCEPT"), "50000-50100 unknown");
    assert_eq!(rule("[5:300] -A INPUT -p tcp --dport 50000: -j ACCEPT"), "50000-50100 accepted");
    assert_eq!(rule("-A INPUT -p tcp -j NFQUEUE --queue-num 0"), "50000-50100 unknown");
    assert_eq!(rule("-A INPUT -g gone"), "50000-50100 unknown");
    assert_eq!(rule("-A INPUT ! -s 192.0.2.0/24 -p tcp -j ACCEPT"), "50000-50100 accepted");
    assert_eq!(
        rule("-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT"),
        "50000-50100 accepted"
    );
    assert_eq!(
        rule("-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN FIN,SYN -j DROP\n-A INPUT -p tcp -j ACCEPT"),
        "50000-50100 accepted"
    );
}

#[test]
fn interfaces_to_the_outside() {
    let rules = |rules: &str| {
        v4(&read(Kind::Iptables, "t", &format!("*filter\n:INPUT DROP [0:0]\n{rules}\nCOMMIT\n")))
    };
    let open = "-p tcp --dport 50000:50100 -j ACCEPT";
    // One that is named is the one; among two it cannot be told; a bridge of containers is none.
    assert_eq!(rules(&format!("-A INPUT -i eth0 {open}")), "50000-50100 accepted");
    assert_eq!(rules(&format!("-A INPUT -i eth0 {open}\n-A INPUT -i eth1 -j DROP")), "50000-50100 unknown");
    assert_eq!(rules(&format!("-A INPUT -i docker0 {open}")), "50000-50100 blocked");
    assert_eq!(rules(&format!("-A INPUT ! -i docker0 {open}")), "50000-50100 accepted");
    assert_eq!(rules(&format!("-A INPUT ! -i eth0 {open}")), "50000-50100 blocked");
    let by = |name: &str| {
        let at = format!(
            r#"{{"match": {{"op": "==", "left": {{"meta": {{"key": "iifname"}}}}, "right": "{name}"}}}}"#
        );
        v4(&nft(&[&all(&[&at, SET, ACCEPT])]))
    };
    assert_eq!((by("ens3").as_str(), by("wg0").as_str()), ("50000-50100 accepted", "50000-50100 blocked"));
}

#[test]
fn ufw() {
    let status = "Status: active\nLogging: on (low)\nDefault: deny (incoming), allow (outgoing), disabled (routed)\n\n\
                  To                         Action      From\n--                         ------      ----\n\
                  21/tcp                     ALLOW IN    Anywhere\n50000:50049/tcp            ALLOW IN    Anywhere                   # data\n\
                  50050:50100/tcp            ALLOW IN    10.0.0.0/8\n50050:50100/tcp            ALLOW OUT   Anywhere\n\
                  50000:50100/tcp (v6)       ALLOW IN    Anywhere (v6)\n";
    let firewall = read(Kind::UfwStatus, "t", status);
    assert_eq!(v4(&firewall), "50000-50049 accepted, 50050-50100 blocked");
    assert_eq!(v6(&firewall), "50000-50100 accepted");
    assert_eq!(v4(&read(Kind::UfwStatus, "t", "Status: inactive\n")), "50000-50100 accepted");
    let rules = "*filter\n:ufw-user-input - [0:0]\n### RULES ###\n### tuple ### allow tcp 50000:50100 0.0.0.0/0 any 0.0.0.0/0 in\n\
                 -A ufw-user-input -p tcp -m multiport --dports 50000:50049 -j ACCEPT\n-A ufw-user-input -p tcp --dport 50050 -m conntrack --ctstate NEW -m recent --set\n\
                 -A ufw-user-input -p tcp --dport 50050 -j ufw-user-limit-accept\n### END RULES ###\nCOMMIT\n";
    assert_eq!(kind_of("user.rules", rules), Some(Kind::UfwRules));
    assert_eq!(v4(&read(Kind::UfwRules, "t", rules)), "50000-50050 accepted, 50051-50100 blocked");
}

#[test]
fn firewalld() {
    let list = "public (active)\n  target: default\n  icmp-block-inversion: no\n  interfaces: eth0\n  sources: \n  services: dhcpv6-client ftp ssh\n  ports: 50000-50049/tcp 50050-50100/udp\n  protocols: \n  rich rules: \n\trule family=\"ipv4\" source address=\"10.0.0.0/8\" port port=\"50050-50100\" protocol=\"tcp\" accept\n\trule port port=\"50007\" protocol=\"tcp\" reject\n";
    let firewall = read(Kind::FirewalldList, "t", list);
    assert_eq!(
        v4(&firewall),
        "50000-50006 accepted, 50007-50007 blocked, 50008-50049 accepted, 50050-50100 blocked"
    );
    let zone = "<?xml version=\"1.0\"?>\n<zone>\n  <short>Public</short>\n  <service name=\"ssh\"/>\n  <port protocol=\"tcp\" port=\"50000-50100\"/>\n  <rule family=\"ipv6\">\n    <port protocol=\"tcp\" port=\"50000-50010\"/>\n    <drop/>\n  </rule>\n</zone>\n";
    assert_eq!(kind_of("public.xml", zone), Some(Kind::FirewalldZone));
    let firewall = read(Kind::FirewalldZone, "t", zone);
    assert_eq!(
        (v4(&firewall).as_str(), v6(&firewall).as_str()),
        ("50000-50100 accepted", "50000-50010 blocked, 50011-50100 accepted")
    );
    let custom = read(Kind::FirewalldList, "t", "public\n  target: default\n  services: my-ftp\n  ports: \n");
    assert_eq!(v4(&custom), "50000-50100 unknown");
}

fn netsh(rules: &[(&str, &str, &str)], more: &str) -> Firewall {
    let texts: Vec<String> = rules.iter().map(|(name, ports, action)| {
            format!(
                "\r\nRule Name:                            {name}\r\n----------------------------------------------------------------------\r\n\
                 Enabled:                              Yes\r\nDirection:                            In\r\nProfiles:                             Domain,Private,Public\r\n\
                 Grouping:                             \r\nLocalIP:                              Any\r\nRemoteIP:                             Any\r\n\
                 Protocol:                             TCP\r\nLocalPort:                            {ports}\r\nRemotePort:                           Any\r\n\
                 Edge traversal:                       No\r\n{more}Action:                               {action}\r\n"
            )
        }).collect();
    let text = texts.concat();
    assert_eq!(kind_of("rules.txt", &text), Some(Kind::Netsh));
    read(Kind::Netsh, "t", &text)
}

#[test]
fn windows() {
    assert_eq!(
        v4(&netsh(&[("FTP", "21", "Allow"), ("FTP data", "50000-50049", "Allow")], "")),
        "50000-50049 accepted, 50050-50100 blocked"
    );
    assert_eq!(
        v4(&netsh(&[("FTP", "50000-50100", "Allow"), ("No", "50000", "Block")], "")),
        "50000-50000 blocked, 50001-50100 accepted"
    );
    assert_eq!(v4(&netsh(&[("FTP service", "Any", "Allow")], "")), "50000-50100 unknown");
    assert_eq!(
        v4(&netsh(&[("FTP service", "Any", "Allow")], "Service:                              ftpsvc\r\n")),
        "50000-50100 accepted"
    );
    assert_eq!(
        v4(&netsh(&[("Web", "Any", "Allow")], "Program:                              C:\\web.exe\r\n")),
        "50000-50100 blocked"
    );
    let german = "\nRegelname:                            FTP\n----------------------------------------------------------------------\nAktiviert:                            Ja\n";
    assert_eq!(kind_of("r.txt", german), Some(Kind::Netsh));
    assert!(read(Kind::Netsh, "t", german).ipv4.is_none());
}

#[test]
fn selinux() {
    let booleans = |value: &str| {
        v4(&read(
            Kind::SelinuxBooleans,
            "t",
            &format!("ftpd_full_access --> off\nftpd_use_passive_mode --> {value}\n"),
        ))
    };
    assert_eq!(booleans("on"), "50000-50100 accepted");
    assert_eq!(booleans("off"), "50000-50100 unknown");
    let off = read(Kind::SelinuxBooleans, "t", "ftpd_use_passive_mode --> off\n");
    assert_eq!(answers(off.ipv4.as_deref().unwrap(), 10_000, 10_100), "10000-10100 blocked");
    let ports = "SELinux Port Type              Proto    Port Number\n\nftp_data_port_t                tcp      20\nftp_port_t                     tcp      50000-50049, 21, 989, 990\n";
    assert_eq!(kind_of("ports", ports), Some(Kind::SelinuxPorts));
    assert_eq!(v4(&read(Kind::SelinuxPorts, "t", ports)), "50000-50049 accepted, 50050-50100 unknown");
}

#[test]
fn kinds_are_told_by_content() {
    assert_eq!(kind_of("x", NFT_HEAD), Some(Kind::Nftables));
    assert_eq!(kind_of("x", IPTABLES), Some(Kind::Iptables));
    assert_eq!(kind_of("rules.v6", IPTABLES), Some(Kind::Ip6tables));
    assert_eq!(kind_of("x", "hello"), None);
    assert_eq!(kind_of("x", ""), None);
}

#[test]
fn whatever_is_handed_in_is_answered() {
    let kinds = [
        Kind::Nftables,
        Kind::Iptables,
        Kind::Ip6tables,
        Kind::UfwStatus,
        Kind::UfwRules,
        Kind::Ufw6Rules,
        Kind::FirewalldList,
        Kind::FirewalldZone,
        Kind::Netsh,
        Kind::SelinuxBooleans,
        Kind::SelinuxPorts,
    ];
    let pieces = [
        "-A INPUT",
        " -j ",
        "ACCEPT",
        "\n",
        "*filter",
        ":INPUT DROP",
        "{",
        "}",
        "[",
        "]",
        "\"nftables\"",
        ":",
        "1",
        "65536",
        "-",
        "Rule Name:",
        "Action:",
        "Allow",
        "LocalPort:",
        "Status: active",
        "rule ",
        "port=\"",
        "<zone>",
        "</zone>",
        " --> ",
        "ftp_port_t tcp",
        "\0",
        "!",
        "--dports",
        ",",
        "\u{feff}",
    ];
    let mut state = 0x2545_f491_4f6c_dd1du64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for _ in 0..400 {
        let count = next() % 50;
        let text: String =
            (0..count).map(|_| pieces[usize::try_from(next()).unwrap_or(0) % pieces.len()]).collect();
        let _ = kind_of("f", &text);
        for kind in kinds {
            let firewall = read(kind, "f", &text);
            for passages in [firewall.ipv4, firewall.ipv6].into_iter().flatten() {
                // Every port has exactly one answer.
                let mut at = 1u32;
                for passage in passages {
                    assert_eq!(u32::from(passage.min), at, "{kind:?}");
                    at = u32::from(passage.max) + 1;
                }
                assert_eq!(at, 65_536, "{kind:?}");
            }
        }
    }
    // Deep and wide ones end, too.
    let deep = format!("{{\"nftables\": {}{}}}", "[".repeat(5000), "]".repeat(5000));
    let _ = read(Kind::Nftables, "f", &deep);
    let wide: Vec<String> =
        (1..30_000).map(|port| format!("-A INPUT -p tcp --dport {port} -j ACCEPT\n")).collect();
    let wide = wide.concat();
    let firewall = read(Kind::Iptables, "f", &format!("*filter\n:INPUT DROP [0:0]\n{wide}COMMIT\n"));
    assert_eq!(v4(&firewall), "50000-50100 unknown");
}
