//! Firewalls, by where they stand and how they say no: the finding names the place too, over IPv4 and IPv6.

use pasvcheck::finding::Location;

use super::{ALL, COMMON, Case, Expect, HEALTHY, Proftpd, PureFtpd, Pyftpdlib, Vsftpd};
use crate::daemons::{Config, Listen, PLAIN};
use crate::firewall::{Chain, FORWARD_ALL, Rule, on};
use crate::namespaces::{Host, IPV6, ROUTED};

const NO_RANGE: &[&str] = &["passive-range-unrestricted"];

const fn filtered(location: Location) -> Expect {
    Expect::critical(&["data-port-filtered"]).at(location)
}

const fn rejected(location: Location) -> Expect {
    Expect::critical(&["data-port-rejected"]).at(location)
}

const fn refused(location: Location) -> Expect {
    Expect::critical(&["data-port-refused"]).at(location)
}

/// The same server over IPv6, which nobody translates.
const IPV6_ALONE: Case = Case {
    config: Config { listen: Listen::Ipv6, ..PLAIN },
    rules: &[],
    target: IPV6,
    on: &[Vsftpd],
    ..HEALTHY
};

/// Drops the passive range.
const fn drops(host: Host, chain: Chain) -> Rule {
    on(host, chain, "tcp dport 50000-50009 drop")
}

/// Resets it.
const fn resets(host: Host, chain: Chain) -> Rule {
    on(host, chain, "tcp dport 50000-50009 reject with tcp reset")
}

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
        expect: filtered(Location::Server).allow(NO_RANGE),
        audit: Some(&[]),
        ..HEALTHY
    },
    Case {
        name: "dropped by the server",
        on: COMMON,
        rules: &[FORWARD_ALL, drops(Host::Server, Chain::Arriving)],
        expect: filtered(Location::Server),
        audit: Some(&["config-range-blocked"]),
        ..HEALTHY
    },
    Case {
        name: "dropped by the client's router",
        on: &[Vsftpd, Pyftpdlib],
        rules: &[
            FORWARD_ALL,
            on(Host::ClientRouter, Chain::Passing, "iifname lan tcp dport 1024-65535 drop"),
        ],
        expect: filtered(Location::Client),
        audit: Some(&[]),
        ..HEALTHY
    },
    Case {
        name: "dropped in transit",
        on: &[Proftpd, PureFtpd],
        config: PLAIN,
        target: ROUTED,
        rules: &[on(Host::Transit, Chain::Passing, "iifname west tcp dport 50000-50009 drop")],
        expect: filtered(Location::Transit),
        audit: Some(&[]),
        ..HEALTHY
    },
    Case {
        // On its way out of transit or at the NAT gateway: no client can tell.
        name: "dropped right before the NAT gateway",
        on: &[Vsftpd],
        rules: &[FORWARD_ALL, on(Host::Transit, Chain::Passing, "iifname west tcp dport 50000-50009 drop")],
        expect: filtered(Location::Unknown),
        ..HEALTHY
    },
    Case {
        name: "reset by the server",
        on: COMMON,
        rules: &[FORWARD_ALL, resets(Host::Server, Chain::Arriving)],
        expect: refused(Location::Server),
        audit: Some(&["config-range-blocked"]),
        ..HEALTHY
    },
    Case {
        name: "reset by the server's router",
        on: &[Vsftpd, PureFtpd],
        rules: &[FORWARD_ALL, resets(Host::ServerRouter, Chain::Passing)],
        expect: refused(Location::Server),
        audit: Some(&[]),
        ..HEALTHY
    },
    Case {
        name: "reset in transit",
        on: &[Proftpd],
        config: PLAIN,
        target: ROUTED,
        rules: &[resets(Host::Transit, Chain::Passing)],
        expect: rejected(Location::Transit),
        ..HEALTHY
    },
    Case {
        name: "reset by the client's router",
        on: &[Pyftpdlib],
        rules: &[FORWARD_ALL, resets(Host::ClientRouter, Chain::Passing)],
        expect: rejected(Location::Client),
        ..HEALTHY
    },
    Case {
        name: "rejected by the server",
        on: COMMON,
        rules: &[
            FORWARD_ALL,
            on(Host::Server, Chain::Arriving, "tcp dport 50000-50009 reject with icmp admin-prohibited"),
        ],
        expect: rejected(Location::Server),
        audit: Some(&["config-range-blocked"]),
        ..HEALTHY
    },
    Case {
        name: "rejected by the server's router",
        on: &[Vsftpd, Pyftpdlib],
        rules: &[
            FORWARD_ALL,
            on(Host::ServerRouter, Chain::Passing, "tcp dport 50000-50009 reject with icmp host-prohibited"),
        ],
        expect: rejected(Location::Server),
        ..HEALTHY
    },
    Case {
        name: "rejected in transit",
        on: &[Proftpd],
        rules: &[
            FORWARD_ALL,
            on(Host::Transit, Chain::Passing, "tcp dport 50000-50009 reject with icmp admin-prohibited"),
        ],
        expect: rejected(Location::Transit),
        audit: Some(&[]),
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
        expect: rejected(Location::Client),
        ..HEALTHY
    },
    Case {
        name: "IPv6, dropped by the server",
        rules: &[drops(Host::Server, Chain::Arriving)],
        expect: filtered(Location::Server),
        ..IPV6_ALONE
    },
    Case {
        name: "IPv6, dropped by the server's router",
        rules: &[drops(Host::ServerRouter, Chain::Passing)],
        expect: filtered(Location::Server),
        ..IPV6_ALONE
    },
    Case {
        name: "IPv6, dropped in transit",
        rules: &[drops(Host::Transit, Chain::Passing)],
        expect: filtered(Location::Transit),
        ..IPV6_ALONE
    },
    Case {
        name: "IPv6, dropped by the client's router",
        rules: &[drops(Host::ClientRouter, Chain::Passing)],
        expect: filtered(Location::Client),
        ..IPV6_ALONE
    },
    Case {
        name: "IPv6, reset by the server's router",
        rules: &[resets(Host::ServerRouter, Chain::Passing)],
        expect: refused(Location::Server),
        ..IPV6_ALONE
    },
    Case {
        name: "IPv6, reset in transit",
        rules: &[resets(Host::Transit, Chain::Passing)],
        expect: rejected(Location::Transit),
        ..IPV6_ALONE
    },
    Case {
        name: "IPv6, reset by the client's router",
        rules: &[resets(Host::ClientRouter, Chain::Passing)],
        expect: rejected(Location::Client),
        ..IPV6_ALONE
    },
    Case {
        name: "IPv6, rejected in transit",
        rules: &[on(
            Host::Transit,
            Chain::Passing,
            "tcp dport 50000-50009 reject with icmpv6 admin-prohibited",
        )],
        expect: rejected(Location::Transit),
        ..IPV6_ALONE
    },
    Case {
        name: "IPv6, rejected by the server's router",
        rules: &[on(
            Host::ServerRouter,
            Chain::Passing,
            "tcp dport 50000-50009 reject with icmpv6 port-unreachable",
        )],
        expect: rejected(Location::Server),
        ..IPV6_ALONE
    },
    Case {
        // The routers keep their answers to themselves: nothing may be claimed of the place but the interval.
        name: "dropped in transit, routers silent",
        on: &[Vsftpd],
        rules: &[
            FORWARD_ALL,
            on(Host::Transit, Chain::Passing, "iifname west tcp dport 50000-50009 drop"),
            on(Host::ClientRouter, Chain::Passing, "icmp type time-exceeded drop"),
            on(Host::ClientRouter, Chain::Leaving, "icmp type time-exceeded drop"),
        ],
        expect: filtered(Location::Unknown),
        ..HEALTHY
    },
];
