//! Nothing is wrong, however odd it looks: nothing may be raised.

use super::{
    ALL, Aioftp, COMMON, Case, Expect, HEALTHY, Inetutils, Proftpd, PureFtpd, Pyftpdlib, SETTABLE, Vsftpd,
};
use crate::daemons::{Config, Listen, PLAIN, Tls};
use crate::firewall::{Chain, FORWARD_ALL, on};
use crate::namespaces::{Host, IPV6, PRIVATE, ROUTED, SECOND_PRIVATE, SECOND_PUBLIC};
use crate::site::USER;

/// inetutils-ftpd takes whatever port the kernel gives it, and from six draws that may show or not.
const WIDE: &[&str] = &["passive-range-unrestricted"];

/// Connections from inside to the public address are turned back to the server.
const HAIRPIN: [crate::firewall::Rule; 2] = [
    on(
        Host::ServerRouter,
        Chain::Forwarding,
        "iifname lan ip daddr 203.0.113.10 tcp dport { 21, 50000-50009 } dnat ip to 192.168.50.10",
    ),
    on(
        Host::ServerRouter,
        Chain::Masking,
        "oifname lan ip saddr 192.168.50.0/24 ip daddr 192.168.50.10 masquerade",
    ),
];

pub(super) const CASES: &[Case] = &[
    Case { name: "healthy behind NAT", record: true, audit: Some(&[]), ..HEALTHY },
    Case {
        name: "healthy without NAT",
        on: SETTABLE,
        config: PLAIN,
        rules: &[],
        target: ROUTED,
        audit: Some(&[]),
        ..HEALTHY
    },
    Case {
        name: "healthy without NAT or a range",
        on: &[Inetutils],
        config: PLAIN,
        rules: &[],
        target: ROUTED,
        expect: Expect::ok().allow(WIDE),
        record: true,
        ..HEALTHY
    },
    Case {
        name: "healthy over IPv6",
        on: ALL,
        config: Config { listen: Listen::Ipv6, ..PLAIN },
        rules: &[],
        target: IPV6,
        expect: Expect::ok().allow(WIDE),
        record: true,
        ..HEALTHY
    },
    Case {
        name: "healthy, two families",
        on: COMMON,
        config: Config { listen: Listen::Both, ..PLAIN },
        rules: &[],
        target: "ftp.example.com",
        options: &["--resolve", "ftp.example.com:192.0.2.10", "--resolve", "ftp.example.com:2001:db8:50::10"],
        ..HEALTHY
    },
    Case {
        // The name has an IPv6 address and this client has no IPv6: that family is skipped, not judged.
        name: "client without IPv6",
        on: &[Vsftpd],
        config: Config { listen: Listen::Both, ..PLAIN },
        rules: &[],
        from: Host::Inside,
        target: "ftp.example.com",
        options: &["--resolve", "ftp.example.com:192.0.2.10", "--resolve", "ftp.example.com:2001:db8:50::10"],
        ..HEALTHY
    },
    Case {
        name: "private network",
        on: SETTABLE,
        config: PLAIN,
        rules: &[],
        from: Host::Inside,
        target: PRIVATE,
        ..HEALTHY
    },
    Case {
        name: "private address by VPN",
        on: &[Vsftpd, Pyftpdlib],
        config: Config { announce: Some(SECOND_PRIVATE), ..PLAIN },
        rules: &[on(
            Host::ServerRouter,
            Chain::Forwarding,
            "iifname wan ip daddr 10.50.0.10 tcp dport 50000-50009 dnat ip to 192.168.50.10",
        )],
        target: PRIVATE,
        private_routes: true,
        ..HEALTHY
    },
    Case {
        name: "private address that works",
        on: &[Vsftpd, Proftpd],
        config: Config { announce: Some(PRIVATE), ..PLAIN },
        options: &["--follow-private"],
        private_routes: true,
        ..HEALTHY
    },
    Case {
        name: "two public addresses",
        on: &[Vsftpd, Pyftpdlib],
        config: Config { announce: Some(SECOND_PUBLIC), ..PLAIN },
        rules: &[
            FORWARD_ALL,
            on(
                Host::ServerRouter,
                Chain::Forwarding,
                "iifname wan ip daddr 203.0.113.11 tcp dport 50000-50009 dnat ip to 192.168.50.10",
            ),
        ],
        ..HEALTHY
    },
    Case {
        name: "public address from inside, hairpin",
        on: &[Vsftpd, Proftpd],
        rules: &[FORWARD_ALL, HAIRPIN[0], HAIRPIN[1]],
        from: Host::Inside,
        ..HEALTHY
    },
    Case {
        name: "private target, public 227, hairpin",
        on: &[Vsftpd, PureFtpd],
        rules: &[FORWARD_ALL, HAIRPIN[0], HAIRPIN[1]],
        from: Host::Inside,
        target: PRIVATE,
        ..HEALTHY
    },
    Case {
        name: "host firewall with the range open",
        on: COMMON,
        rules: &[
            FORWARD_ALL,
            on(Host::Server, Chain::Arriving, "tcp dport { 21, 50000-50009 } accept"),
            on(Host::Server, Chain::Arriving, "ct state established,related accept"),
            on(Host::Server, Chain::Arriving, "drop"),
        ],
        ..HEALTHY
    },
    Case {
        name: "slow greeting below 3 s",
        on: &[Proftpd, PureFtpd],
        config: Config { slow_names: Some(2), ..HEALTHY.config },
        ..HEALTHY
    },
    Case {
        name: "empty directory",
        on: SETTABLE,
        config: Config { empty: true, ..HEALTHY.config },
        ..HEALTHY
    },
    Case {
        name: "named user",
        on: SETTABLE,
        options: &["--user", USER, "--tls", "off"],
        expect: Expect::info(&["credentials-in-clear"]),
        ..HEALTHY
    },
    Case {
        name: "EPSV refused on IPv4",
        on: COMMON,
        config: Config { no_epsv: true, ..HEALTHY.config },
        expect: Expect::info(&["epsv-refused"]),
        record: true,
        ..HEALTHY
    },
    Case {
        name: "wide range, declared",
        on: COMMON,
        config: Config { range: None, ..PLAIN },
        rules: &[],
        target: ROUTED,
        options: &["--range", "1024-65535"],
        ..HEALTHY
    },
    Case {
        name: "no range, all ports open",
        on: &[Vsftpd, Proftpd, PureFtpd],
        config: Config { range: None, ..PLAIN },
        rules: &[],
        target: ROUTED,
        expect: Expect::info(WIDE),
        ..HEALTHY
    },
    Case {
        name: "no range, kernel's ports open",
        on: &[Pyftpdlib, Aioftp],
        config: Config { range: None, ..PLAIN },
        rules: &[],
        target: ROUTED,
        expect: Expect::ok().allow(WIDE),
        ..HEALTHY
    },
    Case {
        name: "TLS offered, not asked for",
        on: &[Vsftpd, Proftpd, PureFtpd],
        config: Config { tls: Tls::Offered, ..HEALTHY.config },
        options: &["--tls", "off"],
        ..HEALTHY
    },
    Case {
        // Servers that do not compare addresses do not mind.
        name: "data ports source-NATed, no check",
        on: &[Inetutils],
        config: PLAIN,
        rules: &[on(Host::ServerRouter, Chain::Masking, "oifname lan tcp dport != 21 masquerade")],
        target: ROUTED,
        expect: Expect::ok().allow(WIDE),
        ..HEALTHY
    },
    Case { name: "download", options: &["--download", "big.bin"], ..HEALTHY },
];
