//! IPv6: no NAT to break it, and rules that were forgotten.

use super::{COMMON, Case, Expect, HEALTHY, Inetutils, Proftpd, PureFtpd, Vsftpd};
use crate::daemons::{Config, Listen, PLAIN};
use crate::firewall::{Chain, on};
use crate::namespaces::{Host, IPV6};

const BOTH: Case = Case {
    config: Config { listen: Listen::Both, ..PLAIN },
    rules: &[],
    target: "ftp.example.com",
    options: &["--resolve", "ftp.example.com:192.0.2.10", "--resolve", "ftp.example.com:2001:db8:50::10"],
    ..HEALTHY
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "range dropped over IPv6 alone",
        on: COMMON,
        rules: &[on(
            Host::ServerRouter,
            Chain::Passing,
            "iifname wan meta nfproto ipv6 tcp dport 1024-65535 ct state new drop",
        )],
        expect: Expect::warning(&["data-port-filtered"]),
        ..BOTH
    },
    Case {
        name: "control port dropped over IPv6 alone",
        on: &[Vsftpd],
        rules: &[on(Host::ServerRouter, Chain::Passing, "iifname wan meta nfproto ipv6 tcp dport 21 drop")],
        expect: Expect::warning(&["address-family-unreachable"]),
        ..BOTH
    },
    Case {
        name: "rejected over IPv6",
        on: &[Proftpd, PureFtpd],
        config: Config { listen: Listen::Ipv6, ..PLAIN },
        target: IPV6,
        options: &[],
        rules: &[on(
            Host::Server,
            Chain::Arriving,
            "tcp dport 50000-50009 reject with icmpv6 admin-prohibited",
        )],
        expect: Expect::critical(&["data-port-rejected"]),
        ..BOTH
    },
    Case {
        name: "dropped over IPv6",
        on: &[Inetutils, Vsftpd],
        config: Config { listen: Listen::Ipv6, ..PLAIN },
        target: IPV6,
        options: &[],
        rules: &[on(Host::Server, Chain::Arriving, "tcp dport 1024-65535 ct state new drop")],
        expect: Expect::critical(&["data-port-filtered"]).allow(&["passive-range-unrestricted"]),
        ..BOTH
    },
    Case {
        name: "firewall reads FTP over IPv6",
        on: &[Vsftpd, Proftpd],
        config: Config { listen: Listen::Ipv6, ..PLAIN },
        target: IPV6,
        options: &[],
        rules: &[
            on(Host::ServerRouter, Chain::Early, "iifname wan tcp dport 21 ct helper set \"ftp6\""),
            on(Host::ServerRouter, Chain::Passing, "ct state established,related accept"),
            on(Host::ServerRouter, Chain::Passing, "iifname wan tcp dport 21 accept"),
            on(Host::ServerRouter, Chain::Passing, "iifname wan drop"),
        ],
        expect: Expect::warning(&["alg-required"]),
        ..BOTH
    },
];
