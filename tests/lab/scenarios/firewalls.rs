//! Firewalls, by where they stand and how they say no.

use super::{ALL, COMMON, Case, Expect, HEALTHY, Proftpd, PureFtpd, Pyftpdlib, Vsftpd};
use crate::daemons::PLAIN;
use crate::firewall::{Chain, FORWARD_ALL, on};
use crate::namespaces::{Host, ROUTED};

const NO_RANGE: &[&str] = &["passive-range-unrestricted"];

pub(super) const CASES: &[Case] = &[
    Case {
        name: "dropped by the server's router",
        on: ALL,
        config: PLAIN,
        target: ROUTED,
        rules: &[on(
            Host::ServerRouter,
            Chain::Passing,
            "iifname wan tcp dport 1024-65535 ct state new drop",
        )],
        expect: Expect::critical(&["data-port-filtered"]).allow(NO_RANGE),
        ..HEALTHY
    },
    Case {
        name: "dropped by the server",
        on: COMMON,
        rules: &[FORWARD_ALL, on(Host::Server, Chain::Arriving, "tcp dport 50000-50009 drop")],
        expect: Expect::critical(&["data-port-filtered"]),
        ..HEALTHY
    },
    Case {
        name: "dropped by the client's router",
        on: &[Vsftpd, Pyftpdlib],
        rules: &[
            FORWARD_ALL,
            on(Host::ClientRouter, Chain::Passing, "iifname lan tcp dport 1024-65535 drop"),
        ],
        expect: Expect::critical(&["data-port-filtered"]),
        ..HEALTHY
    },
    Case {
        name: "dropped in transit",
        on: &[Proftpd, PureFtpd],
        rules: &[FORWARD_ALL, on(Host::Transit, Chain::Passing, "iifname west tcp dport 50000-50009 drop")],
        expect: Expect::critical(&["data-port-filtered"]),
        ..HEALTHY
    },
    Case {
        name: "reset by the server",
        on: COMMON,
        rules: &[
            FORWARD_ALL,
            on(Host::Server, Chain::Arriving, "tcp dport 50000-50009 reject with tcp reset"),
        ],
        expect: Expect::critical(&["data-port-refused"]),
        ..HEALTHY
    },
    Case {
        name: "reset by the server's router",
        on: &[Vsftpd, PureFtpd],
        rules: &[
            FORWARD_ALL,
            on(Host::ServerRouter, Chain::Passing, "tcp dport 50000-50009 reject with tcp reset"),
        ],
        expect: Expect::critical(&["data-port-refused"]),
        ..HEALTHY
    },
    Case {
        name: "rejected by the server",
        on: COMMON,
        rules: &[
            FORWARD_ALL,
            on(Host::Server, Chain::Arriving, "tcp dport 50000-50009 reject with icmp admin-prohibited"),
        ],
        expect: Expect::critical(&["data-port-rejected"]),
        ..HEALTHY
    },
    Case {
        name: "rejected by the server's router",
        on: &[Vsftpd, Pyftpdlib],
        rules: &[
            FORWARD_ALL,
            on(Host::ServerRouter, Chain::Passing, "tcp dport 50000-50009 reject with icmp host-prohibited"),
        ],
        expect: Expect::critical(&["data-port-rejected"]),
        ..HEALTHY
    },
    Case {
        name: "rejected in transit",
        on: &[Proftpd],
        rules: &[
            FORWARD_ALL,
            on(Host::Transit, Chain::Passing, "tcp dport 50000-50009 reject with icmp admin-prohibited"),
        ],
        expect: Expect::critical(&["data-port-rejected"]),
        ..HEALTHY
    },
    Case {
        name: "rejected by the client's router",
        on: &[PureFtpd],
        rules: &[
            FORWARD_ALL,
            on(
                Host::ClientRouter,
                Chain::Passing,
                "iifname lan tcp dport 50000-50009 reject with icmp port-unreachable",
            ),
        ],
        expect: Expect::critical(&["data-port-rejected"]),
        ..HEALTHY
    },
];
