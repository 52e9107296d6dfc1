//! FTPS: explicit and implicit, sessions that have to be resumed, and devices that cannot read it.

use super::{COMMON, Case, Expect, HEALTHY, Proftpd, PureFtpd, Pyftpdlib, Vsftpd, Way};
use crate::daemons::{Config, Listen, PLAIN, Tls};
use crate::firewall::{Chain, FORWARD_ALL, FORWARD_CONTROL, HELPER, ROUTER_IS_SILENT, Rule, on};
use crate::namespaces::{Host, IPV6, ROUTED};
use crate::site::USER;

const REUSE: &[&str] = &["tls-session-reuse-required"];

const fn with(tls: Tls) -> Config {
    Config { tls, ..HEALTHY.config }
}

/// Port 990, forwarded with the range.
const FORWARD_IMPLICIT: Rule = on(
    Host::ServerRouter,
    Chain::Forwarding,
    "iifname wan ip daddr 203.0.113.10 tcp dport { 990, 50000-50009 } dnat ip to 192.168.50.10",
);

/// The helper makes way for what it reads, addresses are right already, nothing else is let through: a firewall in front of
/// a server that needs no NAT.
const PINHOLES: &[Rule] = &[
    on(Host::ServerRouter, Chain::Early, "iifname wan tcp dport 21 ct helper set \"ftp\""),
    on(Host::ServerRouter, Chain::Passing, "ct state established,related accept"),
    on(Host::ServerRouter, Chain::Passing, "iifname wan tcp dport 21 accept"),
    on(Host::ServerRouter, Chain::Passing, "iifname wan drop"),
];

/// The same for a control connection on another port, which the helper is told of.
const PINHOLES_2121: &[Rule] = &[
    on(Host::ServerRouter, Chain::Early, "iifname wan tcp dport 2121 ct helper set \"ftp\""),
    on(Host::ServerRouter, Chain::Passing, "ct state established,related accept"),
    on(Host::ServerRouter, Chain::Passing, "iifname wan tcp dport 2121 accept"),
    on(Host::ServerRouter, Chain::Passing, "iifname wan drop"),
];

pub(super) const CASES: &[Case] = &[
    Case { name: "FTPS", on: COMMON, config: with(Tls::Offered), record: true, ..HEALTHY },
    Case {
        name: "FTPS, session reuse demanded",
        on: &[Vsftpd, Proftpd],
        config: with(Tls::Resuming),
        expect: Expect::info(REUSE),
        audit: Some(&["config-session-reuse"]),
        record: true,
        ..HEALTHY
    },
    Case {
        name: "FTPS, demanded of all",
        on: COMMON,
        config: with(Tls::Demanded),
        expect: Expect::ok().allow(&["data-protection-required"]),
        ..HEALTHY
    },
    Case {
        name: "FTPS, a named user",
        on: COMMON,
        config: with(Tls::Demanded),
        options: &["--user", USER],
        expect: Expect::ok().allow(&["data-protection-required"]).forbid(&["credentials-in-clear"]),
        ..HEALTHY
    },
    Case {
        name: "FTPS, not for anonymous users",
        on: &[Vsftpd],
        config: with(Tls::NotForAnonymous),
        ..HEALTHY
    },
    Case {
        name: "FTPS, implicit",
        on: &[Vsftpd, Proftpd],
        config: Config { port: 990, ..with(Tls::Implicit) },
        rules: &[FORWARD_IMPLICIT],
        target: "ftps://203.0.113.10",
        ..HEALTHY
    },
    Case {
        name: "FTPS over IPv6",
        on: COMMON,
        config: Config { listen: Listen::Ipv6, tls: Tls::Offered, ..PLAIN },
        rules: &[],
        target: IPV6,
        ..HEALTHY
    },
    Case {
        name: "FTPS, 50 ms away",
        on: COMMON,
        config: Config { tls: Tls::Offered, ..PLAIN },
        rules: &[],
        target: ROUTED,
        way: Way::Far,
        ..HEALTHY
    },
    Case {
        // The certificate is trusted by nobody here but for --ca-file, and that is not given: a name that it is not for.
        name: "FTPS, certificate for another name",
        on: &[Proftpd],
        config: with(Tls::Offered),
        target: "other.example.com",
        options: &["--resolve", "other.example.com:203.0.113.10"],
        expect: Expect::critical(&["tls-certificate-name-mismatch"]),
        ..HEALTHY
    },
    Case {
        name: "FTPS, range dropped",
        on: &[Vsftpd, Pyftpdlib],
        config: with(Tls::Offered),
        rules: &[FORWARD_ALL, on(Host::Server, Chain::Arriving, "tcp dport 50000-50009 drop")],
        expect: Expect::critical(&["data-port-filtered"]).forbid(&["alg-required", "data-tls-failed"]),
        ..HEALTHY
    },
    Case {
        // The commonest unsolved ticket of this field.
        name: "helper repairs a private address, FTPS offered",
        on: COMMON,
        config: Config { tls: Tls::Offered, ..PLAIN },
        rules: HELPER,
        expect: Expect::critical(&["alg-rewrites-reply"]),
        record: true,
        ..HEALTHY
    },
    Case {
        name: "helper opens pinholes, FTPS offered",
        on: COMMON,
        config: Config { tls: Tls::Offered, ..PLAIN },
        rules: PINHOLES,
        target: ROUTED,
        expect: Expect::critical(&["alg-required"]),
        ..HEALTHY
    },
    Case {
        name: "helper on another control port, FTPS offered",
        on: &[Vsftpd, PureFtpd],
        config: Config { tls: Tls::Offered, port: 2121, ..PLAIN },
        rules: PINHOLES_2121,
        target: "192.0.2.10:2121",
        expect: Expect::critical(&["alg-required"]),
        ..HEALTHY
    },
    Case {
        // The range is not forwarded, and no helper is there: closed is closed, under TLS and in clear.
        name: "FTPS, control port alone forwarded",
        on: &[Proftpd],
        config: with(Tls::Offered),
        rules: &[FORWARD_CONTROL, ROUTER_IS_SILENT],
        expect: Expect::critical(&["data-port-filtered"]).forbid(&["alg-required"]),
        ..HEALTHY
    },
];
