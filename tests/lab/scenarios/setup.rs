//! Before a deployment: what `fix` prints, applied as it stands, and the stand-in.

use super::{Also, Case, Expect, HEALTHY, Proftpd, PureFtpd, StandIn, Vsftpd, Way};
use crate::daemons::{Config, Daemon, Listen, PLAIN};
use crate::firewall::{Chain, HELPER, ROUTER_IS_SILENT, Rule, on};
use crate::namespaces::{Host, IPV6, PUBLIC};
use crate::printed::{Printed, Tool};

/// The servers that run here and whose set-up is printed.
const PRINTED: &[Daemon] = &[Vsftpd, Proftpd, PureFtpd];

/// As an administrator asks for it who has a server behind NAT.
const BEHIND_NAT: Printed = Printed {
    options: &[
        "--public-address",
        "203.0.113.10",
        "--private-address",
        "192.168.50.10",
        "--range",
        "50000-50100",
    ],
    firewall: Tool::Nft,
    on_server: true,
    on_router: true,
    elsewhere: false,
};

const fn taken_over(printed: Printed) -> Config {
    Config { range: None, announce: None, printed: Some(printed), ..PLAIN }
}

/// Every port of the range is asked too, so that a rule with a hole in it would show.
const SCAN: &[&str] = &["--range", "50000-50100", "--scan", "--rate", "max", "--public-address", PUBLIC];

/// The router forwards what the stand-in serves.
const FORWARD_THOUSAND: Rule = on(
    Host::ServerRouter,
    Chain::Forwarding,
    "iifname wan ip daddr 203.0.113.10 tcp dport { 21, 50000-50999 } dnat ip to 192.168.50.10",
);

const THOUSAND: Config = Config { range: Some((50000, 50999)), announce: Some(PUBLIC), ..PLAIN };

const PROVE: &[&str] = &["--range", "50000-50999", "--scan"];

const STAND_IN: Case = Case {
    name: "stand-in",
    on: &[StandIn],
    config: THOUSAND,
    rules: &[FORWARD_THOUSAND],
    options: PROVE,
    ..HEALTHY
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "printed by fix, nftables",
        on: PRINTED,
        config: taken_over(BEHIND_NAT),
        rules: &[ROUTER_IS_SILENT],
        options: SCAN,
        ..HEALTHY
    },
    Case {
        name: "printed by fix, iptables",
        on: PRINTED,
        config: taken_over(Printed { firewall: Tool::Iptables, ..BEHIND_NAT }),
        rules: &[ROUTER_IS_SILENT],
        options: SCAN,
        ..HEALTHY
    },
    Case {
        name: "printed by fix, the file of other systems",
        on: &[PureFtpd],
        config: taken_over(Printed { elsewhere: true, ..BEHIND_NAT }),
        rules: &[ROUTER_IS_SILENT],
        options: SCAN,
        ..HEALTHY
    },
    Case {
        name: "printed by fix, IPv6",
        on: PRINTED,
        config: Config {
            listen: Listen::Ipv6,
            ..taken_over(Printed {
                options: &["--public-address", IPV6, "--range", "50000-50100"],
                on_router: false,
                ..BEHIND_NAT
            })
        },
        rules: &[],
        target: IPV6,
        options: &["--range", "50000-50100", "--scan", "--rate", "max"],
        ..HEALTHY
    },
    Case {
        // vsftpd needs an instance for each family.
        name: "printed by fix, two families",
        on: PRINTED,
        config: Config {
            listen: Listen::Both,
            ..taken_over(Printed {
                options: &[
                    "--public-address",
                    PUBLIC,
                    "--public-address",
                    IPV6,
                    "--private-address",
                    "192.168.50.10",
                    "--range",
                    "50000-50100",
                ],
                ..BEHIND_NAT
            })
        },
        rules: &[ROUTER_IS_SILENT],
        target: "ftp.example.com",
        options: &[
            "--range",
            "50000-50100",
            "--scan",
            "--rate",
            "max",
            "--public-address",
            PUBLIC,
            "--resolve",
            "ftp.example.com:203.0.113.10",
            "--resolve",
            "ftp.example.com:2001:db8:50::10",
        ],
        ..HEALTHY
    },
    // Without a part of it the same check fails: what is printed is what makes it work.
    Case {
        name: "printed by fix, host's rules left out",
        on: &[Vsftpd],
        config: taken_over(Printed { on_server: false, ..BEHIND_NAT }),
        rules: &[ROUTER_IS_SILENT],
        expect: Expect::critical(&["control-filtered"]),
        ..HEALTHY
    },
    Case {
        name: "printed by fix, router's rules left out",
        on: &[Vsftpd],
        config: taken_over(Printed { on_router: false, ..BEHIND_NAT }),
        rules: &[ROUTER_IS_SILENT],
        expect: Expect::critical(&["control-filtered"]),
        ..HEALTHY
    },
    Case { name: "stand-in, every port proven", ..STAND_IN },
    Case {
        name: "stand-in, every port proven over IPv6",
        config: Config { announce: None, ..THOUSAND },
        rules: &[],
        target: IPV6,
        ..STAND_IN
    },
    Case { name: "stand-in, every port proven, 50 ms away", way: Way::Far, ..STAND_IN },
    Case {
        name: "stand-in, every port proven, 50 ms away, 10 % lost",
        rules: &[
            FORWARD_THOUSAND,
            on(Host::Transit, Chain::Passing, "numgen random mod 10 == 0 counter name \"lost\" drop"),
        ],
        way: Way::Far,
        runs: 3,
        expect: Expect::ok().allow(&["greeting-slow"]),
        ..STAND_IN
    },
    Case {
        name: "stand-in, whole range forwarded to another machine",
        rules: &[
            on(
                Host::ServerRouter,
                Chain::Forwarding,
                "iifname wan ip daddr 203.0.113.10 tcp dport 50000-50999 dnat ip to 192.168.50.30",
            ),
            FORWARD_THOUSAND,
        ],
        also: Also::Listeners(Host::Other, 50000, 50999),
        expect: Expect::critical(&["data-wrong-peer"]),
        ..STAND_IN
    },
    Case {
        name: "stand-in, range forwarded to another machine",
        rules: &[
            on(
                Host::ServerRouter,
                Chain::Forwarding,
                "iifname wan ip daddr 203.0.113.10 tcp dport 50100-50109 dnat ip to 192.168.50.30",
            ),
            FORWARD_THOUSAND,
        ],
        also: Also::Listeners(Host::Other, 50100, 50109),
        expect: Expect::critical(&["data-wrong-peer"]),
        ..STAND_IN
    },
    Case {
        name: "stand-in, ports shifted by the router",
        rules: &[
            on(
                Host::ServerRouter,
                Chain::Forwarding,
                "iifname wan ip daddr 203.0.113.10 tcp dport 50100 dnat ip to 192.168.50.10:50101",
            ),
            FORWARD_THOUSAND,
        ],
        expect: Expect::critical(&["data-wrong-peer"]),
        ..STAND_IN
    },
    Case {
        name: "stand-in, half of the range forwarded",
        rules: &[on(
            Host::ServerRouter,
            Chain::Forwarding,
            "iifname wan ip daddr 203.0.113.10 tcp dport { 21, 50000-50499 } dnat ip to 192.168.50.10",
        )],
        expect: Expect::critical(&["data-range-partly-blocked"]),
        ..STAND_IN
    },
    Case {
        name: "stand-in, data ports source-NATed",
        rules: &[
            FORWARD_THOUSAND,
            on(
                Host::ServerRouter,
                Chain::Masking,
                "oifname lan ip daddr 192.168.50.10 tcp dport 50000-50999 masquerade",
            ),
        ],
        expect: Expect::critical(&["data-source-refused"]),
        ..STAND_IN
    },
    Case {
        // The router rewrites the reply and opens the port that it names, and no other.
        name: "stand-in, router reads FTP",
        config: Config { announce: None, ..THOUSAND },
        rules: HELPER,
        expect: Expect::critical(&["alg-rewrites-reply"]),
        ..STAND_IN
    },
];
