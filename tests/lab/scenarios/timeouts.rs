//! Nothing comes, or nothing more.

use super::{
    Aioftp, Also, COMMON, Case, Expect, HEALTHY, Inetutils, Proftpd, PureFtpd, Pyftpdlib, SETTABLE, Vsftpd,
};
use crate::daemons::PLAIN;
use crate::firewall::{Chain, FORWARD_ALL, on};
use crate::namespaces::{Host, ROUTED};

pub(super) const CASES: &[Case] = &[
    Case {
        // The kernel accepts for a server that hangs, up to the length of its queue.
        name: "server hangs",
        on: &[Vsftpd, Pyftpdlib],
        also: Also::Frozen,
        expect: Expect::critical(&["greeting-timeout"]),
        ..HEALTHY
    },
    Case {
        // Small packets pass: the login, the listing. A file does not.
        name: "large packets lost",
        on: SETTABLE,
        rules: &[
            FORWARD_ALL,
            on(Host::Transit, Chain::Passing, "iifname east meta length > 1000 tcp sport 50000-50009 drop"),
        ],
        options: &["--download", "big.bin"],
        expect: Expect::critical(&["data-mtu-black-hole"]),
        ..HEALTHY
    },
    Case {
        name: "large packets lost, no range",
        on: &[Inetutils],
        config: PLAIN,
        target: ROUTED,
        rules: &[on(
            Host::Transit,
            Chain::Passing,
            "iifname east meta length > 1000 tcp sport 1024-65535 drop",
        )],
        options: &["--download", "big.bin"],
        expect: Expect::critical(&["data-mtu-black-hole"]).allow(&["passive-range-unrestricted"]),
        ..HEALTHY
    },
    Case {
        name: "control port dropped",
        on: &[Vsftpd],
        rules: &[FORWARD_ALL, on(Host::ServerRouter, Chain::Passing, "tcp dport 21 drop")],
        expect: Expect::critical(&["control-filtered"]),
        ..HEALTHY
    },
    Case {
        name: "control port refused",
        on: &[Proftpd],
        rules: &[FORWARD_ALL, on(Host::Server, Chain::Arriving, "tcp dport 21 reject with tcp reset")],
        expect: Expect::critical(&["control-refused"]),
        ..HEALTHY
    },
    Case {
        name: "control port rejected",
        on: &[PureFtpd],
        rules: &[
            FORWARD_ALL,
            on(Host::ServerRouter, Chain::Passing, "tcp dport 21 reject with icmp admin-prohibited"),
        ],
        expect: Expect::critical(&["control-unreachable"]),
        ..HEALTHY
    },
    Case {
        // A device that tracks connections forgets this one in the login, and every new one.
        name: "control connection cut early",
        on: COMMON,
        rules: &[
            FORWARD_ALL,
            on(Host::ServerRouter, Chain::Passing, "tcp dport 21 ct original packets > 4 drop"),
        ],
        expect: Expect::critical(&["control-lost"]),
        ..HEALTHY
    },
    Case {
        // A device that reads FTP and does not like what it reads swallows the packet, and every repetition of it.
        name: "227 swallowed on the way",
        on: &[Vsftpd, Pyftpdlib],
        rules: &[FORWARD_ALL, on(Host::Transit, Chain::Passing, "tcp sport 21 @ih,0,32 0x32323720 drop")],
        expect: Expect::critical(&["control-lost"]),
        ..HEALTHY
    },
    Case {
        // pyftpdlib answers LIST at once, so its silence shows that the command did not arrive.
        name: "LIST swallowed on the way",
        on: &[Pyftpdlib],
        rules: &[FORWARD_ALL, on(Host::Transit, Chain::Passing, "tcp dport 21 @ih,0,32 0x4c495354 drop")],
        expect: Expect::critical(&["control-lost"]),
        ..HEALTHY
    },
    Case {
        // vsftpd says nothing until the data connection is there: from the dialogue alone a swallowed LIST and a data
        // connection that it does not see are the same, and the report says so.
        name: "LIST swallowed, server of few words",
        on: &[Vsftpd],
        rules: &[FORWARD_ALL, on(Host::Transit, Chain::Passing, "tcp dport 21 @ih,0,32 0x4c495354 drop")],
        expect: Expect::critical(&["data-wrong-peer"]),
        ..HEALTHY
    },
    Case {
        name: "data reset in the transfer",
        on: &[Aioftp, Pyftpdlib],
        rules: &[
            FORWARD_ALL,
            on(
                Host::ServerRouter,
                Chain::Passing,
                "tcp dport 50000-50009 ct reply bytes > 200000 reject with tcp reset",
            ),
        ],
        options: &["--download", "big.bin"],
        expect: Expect::critical(&["data-truncated"]),
        ..HEALTHY
    },
];
