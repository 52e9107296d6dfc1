//! A server 50 ms away, by a link that loses packets or does not.

use super::{ALL, COMMON, Case, Expect, HEALTHY, PureFtpd, SETTABLE, Vsftpd, Way};
use crate::daemons::PLAIN;
use crate::firewall::{Chain, FORWARD_ALL, on};
use crate::namespaces::{Host, ROUTED};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "50 ms away",
        on: ALL,
        config: PLAIN,
        rules: &[],
        target: ROUTED,
        way: Way::Far,
        expect: Expect::ok().allow(&["passive-range-unrestricted"]),
        ..HEALTHY
    },
    Case {
        name: "50 ms away, 2 % lost",
        on: SETTABLE,
        rules: &[
            FORWARD_ALL,
            on(Host::Transit, Chain::Passing, "numgen random mod 50 == 0 counter name \"lost\" drop"),
        ],
        way: Way::Far,
        runs: 4,
        // The last packet of the handshake lost and then the greeting: one run in a thousand has it late, and looks again.
        expect: Expect::ok().allow(&["greeting-slow"]),
        ..HEALTHY
    },
    Case {
        name: "50 ms away, dropped by the server",
        on: &[Vsftpd],
        rules: &[FORWARD_ALL, on(Host::Server, Chain::Arriving, "tcp dport 50000-50009 drop")],
        way: Way::Far,
        expect: Expect::critical(&["data-port-filtered"]),
        ..HEALTHY
    },
    Case {
        name: "50 ms away, reset by the server",
        on: COMMON,
        rules: &[
            FORWARD_ALL,
            on(Host::Server, Chain::Arriving, "tcp dport 50000-50009 reject with tcp reset"),
        ],
        way: Way::Far,
        expect: Expect::critical(&["data-port-refused"]),
        ..HEALTHY
    },
    Case {
        // It comes back much sooner than the server could have sent it.
        name: "50 ms away, reset by the client's router",
        on: &[PureFtpd],
        rules: &[
            FORWARD_ALL,
            on(Host::ClientRouter, Chain::Passing, "iifname lan tcp dport 50000-50009 reject with tcp reset"),
        ],
        way: Way::Far,
        expect: Expect::critical(&["data-port-rejected"]),
        ..HEALTHY
    },
];
