//! Translation of addresses.

use pasvcheck::finding::Location;

use super::{
    Aioftp, Also, COMMON, Case, Expect, HEALTHY, Inetutils, Proftpd, PureFtpd, Pyftpdlib, SETTABLE, Vsftpd,
};
use crate::daemons::{Config, PLAIN};
use crate::firewall::{Chain, FORWARD_ALL, FORWARD_CONTROL, HELPER, ROUTER_IS_SILENT, Rule, on};
use crate::namespaces::{Host, PRIVATE, ROUTED};

/// The passive ports go to another machine than the control port.
const RANGE_ELSEWHERE: Rule = on(
    Host::ServerRouter,
    Chain::Forwarding,
    "iifname wan ip daddr 203.0.113.10 tcp dport 50000-50009 dnat ip to 192.168.50.30",
);

/// The server sees data connections come from its router.
const DATA_MASKED: Rule = on(
    Host::ServerRouter,
    Chain::Masking,
    "oifname lan ip daddr 192.168.50.10 tcp dport 50000-50009 masquerade",
);

pub(super) const CASES: &[Case] = &[
    Case {
        name: "range forwarded to another machine",
        on: SETTABLE,
        rules: &[FORWARD_CONTROL, RANGE_ELSEWHERE],
        also: Also::Listeners(Host::Other, 50000, 50009),
        expect: Expect::critical(&["data-wrong-peer"]),
        ..HEALTHY
    },
    Case {
        name: "range forwarded to a machine without FTP",
        on: &[Vsftpd, Proftpd],
        rules: &[FORWARD_CONTROL, RANGE_ELSEWHERE],
        expect: Expect::critical(&["data-port-refused"]),
        ..HEALTHY
    },
    Case {
        name: "control port alone forwarded, rest silent",
        on: SETTABLE,
        rules: &[FORWARD_CONTROL, ROUTER_IS_SILENT],
        expect: Expect::critical(&["data-port-filtered"]).at(Location::Server),
        audit: Some(&[]),
        ..HEALTHY
    },
    Case {
        name: "control port alone forwarded, rest refused",
        on: SETTABLE,
        rules: &[FORWARD_CONTROL],
        expect: Expect::critical(&["data-port-refused"]).at(Location::Server),
        ..HEALTHY
    },
    Case {
        name: "data ports source-NATed",
        on: &[Vsftpd, Proftpd, Pyftpdlib],
        config: Config { strict_source: true, ..HEALTHY.config },
        audit: Some(&[]),
        rules: &[FORWARD_ALL, DATA_MASKED],
        expect: Expect::critical(&["data-source-refused"]),
        record: true,
        ..HEALTHY
    },
    Case {
        // It closes the stranger's connection without a word and keeps waiting for the right one.
        name: "data ports source-NATed, no reason told",
        on: &[PureFtpd],
        rules: &[FORWARD_ALL, DATA_MASKED],
        expect: Expect::critical(&["data-wrong-peer"]),
        record: true,
        ..HEALTHY
    },
    Case {
        // ProFTPD 1.3.8 accepts them (upstream issue 2272), aioftp does not compare.
        name: "data ports source-NATed, accepted",
        on: &[Proftpd, Aioftp],
        rules: &[FORWARD_ALL, DATA_MASKED],
        record: true,
        ..HEALTHY
    },
    Case {
        name: "hairpin missing",
        on: SETTABLE,
        from: Host::Inside,
        target: PRIVATE,
        rules: &[
            FORWARD_ALL,
            ROUTER_IS_SILENT,
            on(Host::ServerRouter, Chain::Arriving, "iifname lan tcp flags syn drop"),
        ],
        expect: Expect::critical(&["hairpin-missing"]),
        ..HEALTHY
    },
    Case {
        name: "router reads FTP",
        on: &[Vsftpd, Proftpd, PureFtpd, Pyftpdlib, Inetutils],
        config: PLAIN,
        rules: HELPER,
        expect: Expect::warning(&["alg-required"]).allow(&["passive-range-unrestricted"]),
        ..HEALTHY
    },
    Case {
        // aioftp keeps one port for a whole session, so there is no earlier one to find closed.
        name: "router reads FTP, one port a session",
        on: &[Aioftp],
        config: PLAIN,
        rules: HELPER,
        ..HEALTHY
    },
    Case {
        // The router knows the server's own address alone: with the public one in the 227 it opens no port. A 229 has no
        // address, so EPSV works, each port while it is announced.
        name: "router reads FTP, server announces public",
        on: COMMON,
        rules: HELPER,
        expect: Expect::critical(&["data-port-filtered", "alg-required"]),
        ..HEALTHY
    },
    Case {
        name: "client's router reads FTP",
        on: &[Vsftpd, Inetutils],
        config: PLAIN,
        target: ROUTED,
        rules: &[
            on(Host::ClientRouter, Chain::Early, "iifname lan tcp dport 21 ct helper set \"ftp\""),
            on(Host::ClientRouter, Chain::Passing, "ct state established,related accept"),
            on(Host::ClientRouter, Chain::Passing, "iifname lan tcp dport 21 accept"),
            on(Host::ClientRouter, Chain::Passing, "iifname lan drop"),
        ],
        expect: Expect::warning(&["alg-required"]).allow(&["passive-range-unrestricted"]),
        ..HEALTHY
    },
];
