//! The passive port range.

use super::{
    Aioftp, Also, COMMON, Case, Expect, HEALTHY, Inetutils, Proftpd, PureFtpd, Pyftpdlib, SETTABLE, Vsftpd,
};
use crate::daemons::{Config, PLAIN};
use crate::firewall::{Chain, FORWARD_ALL, FORWARD_CONTROL, ROUTER_IS_SILENT, on};
use crate::namespaces::{Host, ROUTED};

/// The first port that the router does not forward in the cases of a half-forwarded range.
const EDGE: u16 = 50005;

const FORWARD_HALF: crate::firewall::Rule = on(
    Host::ServerRouter,
    Chain::Forwarding,
    "iifname wan ip daddr 203.0.113.10 tcp dport { 21, 50000-50004 } dnat ip to 192.168.50.10",
);

pub(super) const CASES: &[Case] = &[
    Case {
        name: "half the range forwarded, rest silent",
        on: COMMON,
        rules: &[FORWARD_HALF, ROUTER_IS_SILENT],
        expect: Expect::critical(&["data-range-partly-blocked"]),
        edge: Some(EDGE),
        ..HEALTHY
    },
    Case {
        name: "half the range forwarded, rest refused",
        on: &[Vsftpd, PureFtpd],
        rules: &[FORWARD_HALF],
        expect: Expect::critical(&["data-range-partly-blocked"]),
        edge: Some(EDGE),
        audit: Some(&[]),
        ..HEALTHY
    },
    Case {
        name: "half the range rejected by the server",
        on: &[Proftpd, Pyftpdlib],
        rules: &[
            FORWARD_ALL,
            on(Host::Server, Chain::Arriving, "tcp dport 50005-50009 reject with icmp admin-prohibited"),
        ],
        expect: Expect::critical(&["data-range-partly-blocked"]),
        edge: Some(EDGE),
        audit: Some(&["config-range-blocked"]),
        ..HEALTHY
    },
    Case {
        name: "outside the declared range",
        on: SETTABLE,
        options: &["--range", "50100-50199"],
        expect: Expect::critical(&["passive-port-outside-range"]),
        audit: Some(&["config-range-mismatch"]),
        ..HEALTHY
    },
    Case {
        name: "one port",
        on: &[Vsftpd, PureFtpd, Pyftpdlib],
        config: Config { range: Some((50000, 50000)), ..HEALTHY.config },
        audit: Some(&["config-range-too-small"]),
        expect: Expect::warning(&["passive-range-too-small"]),
        ..HEALTHY
    },
    Case {
        // ProFTPD does not start with fewer, and 1.3.8 never takes the last port of its range: it serves from one.
        name: "two ports, the second never used",
        on: &[Proftpd],
        config: Config { range: Some((50000, 50001)), ..HEALTHY.config },
        audit: Some(&["config-range-too-small"]),
        options: &["--range", "50000-50001"],
        expect: Expect::warning(&["passive-range-too-small"]),
        record: true,
        ..HEALTHY
    },
    Case {
        name: "every port taken",
        on: &[Vsftpd, PureFtpd, Aioftp],
        also: Also::Listeners(Host::Server, 50000, 50009),
        expect: Expect::critical(&["passive-ports-exhausted"]),
        record: true,
        ..HEALTHY
    },
    Case {
        // These two take any other port then, and tell nobody but their log.
        name: "every port taken, falls back",
        on: &[Proftpd, Pyftpdlib],
        also: Also::Listeners(Host::Server, 50000, 50009),
        options: &["--range", "50000-50009"],
        rules: &[FORWARD_ALL, ROUTER_IS_SILENT],
        expect: Expect::critical(&["passive-port-outside-range", "data-port-filtered"])
            .allow(&["passive-range-too-small", "passive-range-unrestricted"]),
        record: true,
        ..HEALTHY
    },
    Case {
        name: "no range, only the usual ports forwarded",
        on: &[Vsftpd, Proftpd, PureFtpd],
        config: Config { range: None, ..HEALTHY.config },
        audit: Some(&["config-range-missing"]),
        rules: &[FORWARD_ALL, ROUTER_IS_SILENT],
        expect: Expect::critical(&["data-port-filtered", "passive-range-unrestricted"]),
        ..HEALTHY
    },
    Case {
        name: "no range, router refuses",
        on: &[Pyftpdlib],
        config: Config { range: None, ..HEALTHY.config },
        rules: &[FORWARD_CONTROL],
        expect: Expect::critical(&["data-port-refused"]).allow(&["passive-range-unrestricted"]),
        ..HEALTHY
    },
    Case {
        // There is no range to set: every port is the kernel's choice.
        name: "no range, host firewall",
        on: &[Inetutils],
        config: PLAIN,
        rules: &[on(Host::Server, Chain::Arriving, "tcp dport 1024-65535 ct state new drop")],
        target: ROUTED,
        expect: Expect::critical(&["data-port-filtered"]).allow(&["passive-range-unrestricted"]),
        ..HEALTHY
    },
];
