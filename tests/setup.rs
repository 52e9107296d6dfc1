//! `pasvcheck fix`: every printed block, held to reviewed texts, and what is refused.
//!
//! `fixtures/setup/NAME.txt` is what is printed. After a wanted change, `BLESS=1 cargo test --test setup` writes the texts
//! anew, and the difference is reviewed like code. That the Unix servers take it is shown in the lab
//! (`tests/lab/scenarios/setup.rs`).

mod common;

use std::path::PathBuf;

use common::pasvcheck;
use pasvcheck::setup::{Section, Server};

const RANGE: [&str; 2] = ["--range", "50000-50100"];
const V4: [&str; 2] = ["--public-address", "203.0.113.10"];
const V6: [&str; 2] = ["--public-address", "2001:db8::10"];
const BEHIND: [&str; 2] = ["--private-address", "10.0.0.5"];

fn fix(server: &str, more: &[&[&str]]) -> common::Output {
    let mut words = vec!["fix", "--server", server];
    words.extend(more.iter().copied().flatten());
    pasvcheck(&words)
}

#[test]
fn what_is_printed_is_as_reviewed() {
    let small: &[&str] = &["--range", "20000-20019"];
    let cases: [(&str, &str, &[&[&str]]); 10] = [
        ("vsftpd", "vsftpd", &[&V4, &BEHIND, &RANGE]),
        ("vsftpd-both", "vsftpd", &[&V4, &V6, &RANGE]),
        ("vsftpd-ipv6", "vsftpd", &[&V6, &RANGE]),
        ("proftpd", "proftpd", &[&V4, &BEHIND, &RANGE]),
        ("proftpd-both", "proftpd", &[&V4, &V6, small, &["--port", "2121"]]),
        ("pure-ftpd", "pure-ftpd", &[&V4, &BEHIND, &RANGE]),
        ("pure-ftpd-both", "pure-ftpd", &[&V4, &V6, small, &["--port", "2121"]]),
        ("pure-ftpd-ipv6", "pure-ftpd", &[&V6, &RANGE]),
        ("filezilla", "filezilla", &[&V4, &BEHIND, &RANGE]),
        ("iis", "iis", &[&V4, &BEHIND, &RANGE]),
    ];
    for (name, server, options) in cases {
        let done = fix(server, options);
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{name}");
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/setup/{name}.txt"));
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&file, &done.out).unwrap();
        }
        let expected = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(done.out == expected, "{name} is printed differently (BLESS=1 to accept):\n{}", done.out);
    }
}

#[test]
fn the_json_has_the_same_blocks_for_programs() {
    let done = fix("vsftpd", &[&V4, &RANGE, &["--json"]]);
    let value: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(value["schema_version"], 1);
    assert_eq!(value["request"]["range"]["min"], 50_000);
    let blocks = value["blocks"].as_array().unwrap();
    let text = |id: &str| {
        let block = blocks.iter().find(|block| block["id"] == id).unwrap_or_else(|| panic!("no {id}"));
        block["text"].as_str().unwrap().to_owned()
    };
    assert!(text("server-directives").contains("\npasv_address=203.0.113.10\n"));
    assert!(text("firewall-nft").starts_with("nft insert rule inet filter input tcp dport"));
    let mut ids: Vec<&str> = blocks.iter().map(|block| block["id"].as_str().unwrap()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "each block has a name of its own");
}

#[test]
fn every_part_is_there_for_every_server() {
    for server in Server::ALL {
        let done = fix(server.word(), &[&V4, &BEHIND, &RANGE]);
        let parts = [
            Section::Server,
            Section::Firewall,
            Section::Nat,
            Section::Cloud,
            Section::Container,
            Section::Verify,
        ];
        for part in parts {
            assert!(done.out.contains(&format!("==== {} ====", part.title())), "{server:?} lacks {part:?}");
        }
        assert!(!done.out.contains("SERVERS_OWN_ADDRESS"), "the address is filled in");
        for kind in
            ["aws ec2", "az network", "gcloud compute", "docker run", "services:", "hostNetwork: true"]
        {
            assert!(done.out.contains(kind), "{server:?} lacks {kind}");
        }
        for hand in ["curl -v", "nc -vz", "pasvcheck serve", "--scan"] {
            assert!(done.out.contains(hand), "{server:?} lacks {hand}");
        }
    }
}

#[test]
fn options_leave_parts_out() {
    let none = ["--firewall", "ufw", "--cloud", "none", "--container", "none"];
    let done = fix("vsftpd", &[&V4, &RANGE, &none]);
    assert!(done.out.contains("ufw allow 50000:50100/tcp"));
    for left_out in ["firewall-cmd", "==== Cloud", "==== Container"] {
        assert!(!done.out.contains(left_out), "{left_out} was not asked for");
    }
    let list = fix("vsftpd", &[&V4, &RANGE, &["--firewall", "nft,iptables", "--cloud", "aws,gcp"]]);
    assert!(
        list.out.contains("iptables -I INPUT")
            && list.out.contains("gcloud")
            && !list.out.contains("az network")
    );
}

#[test]
fn nonsense_is_refused_with_a_way_out() {
    let range = |text: &'static str| ["--range", text];
    let address = |text: &'static str| ["--public-address", text];
    let cases: [(&str, Vec<[&str; 2]>, &str); 13] = [
        ("serv-u", vec![V4, RANGE], "there are vsftpd, proftpd, pure-ftpd, filezilla, iis"),
        ("vsftpd", vec![address("192.168.1.20"), RANGE], "--private-address 192.168.1.20"),
        ("vsftpd", vec![address("100.64.0.1"), RANGE], "RFC 6598"),
        ("vsftpd", vec![address("0.0.0.0"), RANGE], "it stands for \"any\""),
        ("vsftpd", vec![address("127.0.0.1"), RANGE], "loopback"),
        ("vsftpd", vec![address("fe80::1"), RANGE], "link-local"),
        ("vsftpd", vec![RANGE], "--public-address is missing"),
        ("vsftpd", vec![V4], "--range is missing"),
        ("vsftpd", vec![V4, range("900-1100")], "below 1024"),
        ("vsftpd", vec![V4, RANGE, ["--port", "50050"]], "holds the control port 50050"),
        ("proftpd", vec![V4, range("50000-50000")], "no fewer than two"),
        ("iis", vec![V4, RANGE, ["--firewall", "nft"]], "IIS runs on Windows"),
        ("vsftpd", vec![V4, RANGE, ["--private-address", "203.0.113.10"]], "is the public address too"),
    ];
    for (server, options, words) in cases {
        let options: Vec<&[&str]> = options.iter().map(<[&str; 2]>::as_slice).collect();
        let done = fix(server, &options);
        assert_eq!(done.code, 3, "{server} {options:?}: {done:?}");
        assert!(done.err.contains(words) && done.out.is_empty(), "{server} {options:?}: {done:?}");
    }
}

#[test]
fn what_is_doubtful_is_said_and_the_cure_printed() {
    let done = fix("vsftpd", &[&V4, &RANGE]);
    assert!(
        done.out.contains("choose a range below 32768") || done.out.contains("choose a range\nbelow 32768"),
        "{}",
        done.out
    );
    assert!(done.out.contains("net.ipv4.ip_local_reserved_ports = 50000-50100"));
    let below = fix("vsftpd", &[&V4, &["--range", "20000-20100"]]);
    assert!(!below.out.contains("ip_local_reserved_ports") && !below.out.contains("Note:"), "{}", below.out);
    let few = fix("pure-ftpd", &[&V4, &["--range", "20000-20003"]]);
    assert!(few.out.contains("has 4 ports") && few.out.contains("half the ports: 2"), "{}", few.out);
    let helped = fix("vsftpd", &[&V4, &["--range", "5000-5100"]]);
    assert!(helped.out.contains("holds 5060, 5061"), "{}", helped.out);
}

#[test]
fn a_report_fills_in_what_is_not_typed() {
    let report = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/reports/broken.json");
    let done = pasvcheck(&["fix", "--from", report]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(
        done.out.starts_with("Passive mode for ProFTPD: 203.0.113.10, behind NAT at 10.0.0.5"),
        "{}",
        done.out
    );
    assert!(done.err.contains("a round range about the ports seen"), "{}", done.err);
    let typed = [
        "fix",
        "--from",
        report,
        "--server",
        "vsftpd",
        "--range",
        "20000-20100",
        "--public-address",
        "203.0.113.99",
    ];
    let done = pasvcheck(&typed);
    assert!(
        done.out
            .starts_with("Passive mode for vsftpd: 203.0.113.99, behind NAT at 10.0.0.5, ports 20000-20100")
    );
    assert_eq!(done.err, "");
    let piped = common::with_input(&["fix", "--from", "-"], &std::fs::read_to_string(report).unwrap());
    assert_eq!(piped.code, 0, "{piped:?}");
    let mut unknown: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(report).unwrap()).unwrap();
    unknown["server"] = serde_json::Value::Null;
    let asked = common::with_input(&["fix", "--from", "-"], &unknown.to_string());
    assert_eq!(asked.code, 3);
    assert!(asked.err.contains("add --server with one of vsftpd"), "{}", asked.err);
}
