//! Doing no harm: servers and borders that a careless check would break, or be thrown out by.

use super::{COMMON, Case, Expect, HEALTHY, Proftpd, PureFtpd, SETTABLE};
use crate::daemons::Config;
use crate::firewall::{Chain, FORWARD_ALL, on};
use crate::namespaces::Host;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "one session for each address",
        on: SETTABLE,
        config: Config { one_session: true, ..HEALTHY.config },
        ..HEALTHY
    },
    Case {
        name: "border bans after 20 connections a minute",
        on: COMMON,
        rules: &[
            FORWARD_ALL,
            on(Host::ServerRouter, Chain::Passing, "iifname wan ip saddr @banned drop"),
            on(
                Host::ServerRouter,
                Chain::Passing,
                "iifname wan ct state new update @seen { ip saddr limit rate over 20/minute burst 20 packets } \
                 add @banned { ip saddr } drop",
            ),
        ],
        ..HEALTHY
    },
    Case {
        // The same border, and a fault to look into: what is blocked is blocked, and nothing is made worse.
        name: "border bans, ports blocked",
        on: COMMON,
        rules: &[
            FORWARD_ALL,
            on(Host::ServerRouter, Chain::Passing, "iifname wan ip saddr @banned drop"),
            on(
                Host::ServerRouter,
                Chain::Passing,
                "iifname wan ct state new update @seen { ip saddr limit rate over 20/minute burst 20 packets } \
                 add @banned { ip saddr } drop",
            ),
            on(Host::Server, Chain::Arriving, "tcp dport 50000-50009 reject with tcp reset"),
        ],
        expect: Expect::critical(&["data-port-refused"]),
        ..HEALTHY
    },
    Case {
        name: "greeting after 5 s",
        on: &[Proftpd, PureFtpd],
        config: Config { slow_names: Some(5), ..HEALTHY.config },
        expect: Expect::warning(&["greeting-slow"]),
        ..HEALTHY
    },
    Case {
        // After 5 s of silence the port is asked whether it wants TLS, by a second connection: it may not cost the first.
        name: "greeting after 7 s, one session",
        on: &[Proftpd, PureFtpd],
        config: Config { slow_names: Some(7), one_session: true, ..HEALTHY.config },
        expect: Expect::warning(&["greeting-slow"]),
        ..HEALTHY
    },
    Case {
        name: "passive range of one port, one session",
        on: &[PureFtpd],
        config: Config { range: Some((50000, 50000)), one_session: true, ..HEALTHY.config },
        expect: Expect::warning(&["passive-range-too-small"]),
        ..HEALTHY
    },
];
