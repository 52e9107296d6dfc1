//! The address in the 227.

use super::{ALL, COMMON, Case, Expect, HEALTHY, Inetutils, Proftpd, PureFtpd, Pyftpdlib, SETTABLE, Vsftpd};
use crate::daemons::{Config, Listen, PLAIN};
use crate::firewall::{Chain, FORWARD_ALL, FORWARD_CONTROL, ROUTER_IS_SILENT, on};
use crate::namespaces::{Host, SECOND_PUBLIC};

const fn announcing(address: &'static str) -> Config {
    Config { announce: Some(address), ..PLAIN }
}

/// Every port goes to the server, as with a "DMZ host" setting.
const FORWARD_EVERYTHING: crate::firewall::Rule =
    on(Host::ServerRouter, Chain::Forwarding, "iifname wan ip daddr 203.0.113.10 dnat ip to 192.168.50.10");

pub(super) const CASES: &[Case] = &[
    Case {
        name: "private address, nothing announced",
        config: PLAIN,
        expect: Expect::critical(&["passive-address-private"]).forbid(&["data-port-filtered"]),
        audit: Some(&["config-address-missing"]),
        ..HEALTHY
    },
    Case {
        name: "private address, every port forwarded",
        on: &[Inetutils],
        config: PLAIN,
        rules: &[FORWARD_EVERYTHING],
        expect: Expect::critical(&["passive-address-private"]).allow(&["passive-range-unrestricted"]),
        record: true,
        ..HEALTHY
    },
    Case {
        name: "private address and blocked ports",
        on: &[Vsftpd, PureFtpd],
        config: PLAIN,
        rules: &[FORWARD_CONTROL, ROUTER_IS_SILENT],
        expect: Expect::critical(&["passive-address-private", "data-port-filtered"]),
        audit: Some(&["config-address-missing"]),
        ..HEALTHY
    },
    Case {
        name: "loopback address",
        on: SETTABLE,
        config: announcing("127.0.0.1"),
        expect: Expect::critical(&["passive-address-loopback"]),
        audit: Some(&["config-address-private"]),
        ..HEALTHY
    },
    Case {
        // `listen_ipv6=YES` with `pasv_address`: Debian's shipped configuration and one line more.
        name: "vsftpd's 0.0.0.0",
        on: &[Vsftpd],
        config: Config { listen: Listen::Both, ..HEALTHY.config },
        audit: Some(&["config-listener-mismatch"]),
        expect: Expect::critical(&["passive-address-unspecified"]),
        record: true,
        ..HEALTHY
    },
    Case {
        name: "0.0.0.0",
        on: &[Proftpd, Pyftpdlib],
        config: announcing("0.0.0.0"),
        expect: Expect::critical(&["passive-address-unspecified"]),
        audit: Some(&["config-address-private"]),
        ..HEALTHY
    },
    Case {
        // The former address belongs to nobody: transit says so after its own neighbour look-up, or a firewall drops it.
        name: "stale public address, silent",
        on: SETTABLE,
        config: announcing("203.0.113.77"),
        rules: &[FORWARD_ALL, on(Host::Transit, Chain::Passing, "ip daddr 203.0.113.77 drop")],
        expect: Expect::critical(&["passive-address-mismatch"]),
        audit: Some(&["config-address-mismatch"]),
        ..HEALTHY
    },
    Case {
        name: "stale public address, unreachable",
        on: &[Vsftpd],
        config: announcing("203.0.113.77"),
        expect: Expect::critical(&["passive-address-mismatch"]),
        audit: Some(&["config-address-mismatch"]),
        ..HEALTHY
    },
    Case {
        name: "stale public address, other host refuses",
        on: &[Proftpd, Pyftpdlib],
        config: announcing("203.0.113.1"),
        expect: Expect::critical(&["passive-address-mismatch"]),
        audit: Some(&["config-address-mismatch"]),
        ..HEALTHY
    },
    Case {
        name: "carrier-grade NAT's address",
        on: COMMON,
        config: announcing("100.64.7.9"),
        expect: Expect::critical(&["passive-address-shared"]),
        audit: Some(&["config-address-private"]),
        ..HEALTHY
    },
    Case {
        name: "link-local address",
        on: &[Vsftpd],
        config: announcing("169.254.7.9"),
        expect: Expect::critical(&["passive-address-link-local"]),
        audit: Some(&["config-address-private"]),
        ..HEALTHY
    },
    Case {
        name: "reserved address",
        on: &[Pyftpdlib],
        config: announcing("240.0.0.1"),
        expect: Expect::critical(&["passive-address-reserved"]),
        ..HEALTHY
    },
    Case {
        // The second address forwards the passive ports, the first one the control port alone.
        name: "data on another address",
        on: &[Vsftpd, Pyftpdlib],
        config: announcing(SECOND_PUBLIC),
        rules: &[
            FORWARD_CONTROL,
            ROUTER_IS_SILENT,
            on(
                Host::ServerRouter,
                Chain::Forwarding,
                "iifname wan ip daddr 203.0.113.11 tcp dport 50000-50009 dnat ip to 192.168.50.10",
            ),
        ],
        expect: Expect::warning(&["data-on-another-host"]),
        ..HEALTHY
    },
    Case {
        name: "address that is asked for by name",
        on: ALL,
        config: PLAIN,
        rules: &[],
        target: "ftp.example.com",
        options: &["--resolve", "ftp.example.com:192.0.2.10"],
        expect: Expect::ok().allow(&["passive-range-unrestricted"]),
        ..HEALTHY
    },
];
