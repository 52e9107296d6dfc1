//! Hosts in network namespaces, joined by veth pairs: a small internet that ends with the test.
//!
//! ```text
//! client ── client's router ── transit ── server's router ─┬─ server
//!  192.168.77.10   198.51.100.2  .1 203.0.113.1    .10      ├─ other    192.168.50.30
//!                  (masquerade)                (DNAT, fw)   └─ inside   192.168.50.20
//! ```
//!
//! The server is reached in three ways: behind NAT as 203.0.113.10 (itself 192.168.50.10), routed as 192.0.2.10, and by
//! IPv6 without any NAT. Nothing in here has a way to the machine's own network.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::link::DelayedLink;
use crate::shell::{command, run};
use crate::site::Site;

/// The server's public address, which its router holds.
pub(crate) const PUBLIC: &str = "203.0.113.10";
/// A second public address of the server's router.
pub(crate) const SECOND_PUBLIC: &str = "203.0.113.11";
/// The server's own address behind the router.
pub(crate) const PRIVATE: &str = "192.168.50.10";
/// A second private address, by which the server's router knows the server.
pub(crate) const SECOND_PRIVATE: &str = "10.50.0.10";
/// The server's address that needs no NAT.
pub(crate) const ROUTED: &str = "192.0.2.10";
/// The server's IPv6 address.
pub(crate) const IPV6: &str = "2001:db8:50::10";

/// All names of namespaces begin so; the number of the process follows.
const PREFIX: &str = "pvl";

/// The hosts of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Client,
    ClientRouter,
    Transit,
    ServerRouter,
    Server,
    /// Another machine in the server's network.
    Other,
    /// A client in the server's network; it has no IPv6.
    Inside,
}

impl Host {
    const ALL: [Self; 7] = [
        Self::Client,
        Self::ClientRouter,
        Self::Transit,
        Self::ServerRouter,
        Self::Server,
        Self::Other,
        Self::Inside,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::ClientRouter => "client-router",
            Self::Transit => "transit",
            Self::ServerRouter => "server-router",
            Self::Server => "server",
            Self::Other => "other",
            Self::Inside => "inside",
        }
    }

    /// Interfaces are named after where they lead. `nodad`: without it the first second of IPv6 is lost.
    fn addresses(self) -> &'static str {
        match self {
            Self::Client => {
                "addr add 192.168.77.10/24 dev lan\n addr add 2001:db8:77::10/64 dev lan nodad\n link set lan up\n \
                 route add default via 192.168.77.1\n route add default via 2001:db8:77::1"
            }
            Self::ClientRouter => {
                "addr add 192.168.77.1/24 dev lan\n addr add 2001:db8:77::1/64 dev lan nodad\n link set lan up\n \
                 addr add 198.51.100.2/24 dev wan\n addr add 2001:db8:1::2/64 dev wan nodad\n link set wan up\n \
                 route add default via 198.51.100.1\n route add default via 2001:db8:1::1"
            }
            Self::Transit => {
                "addr add 198.51.100.1/24 dev west\n addr add 2001:db8:1::1/64 dev west nodad\n link set west up\n \
                 addr add 203.0.113.1/24 dev east\n addr add 2001:db8:2::1/64 dev east nodad\n link set east up\n \
                 route add 192.0.2.0/24 via 203.0.113.10\n route add 192.168.50.0/24 via 203.0.113.10\n \
                 route add 10.50.0.0/24 via 203.0.113.10\n \
                 route add 2001:db8:77::/64 via 2001:db8:1::2\n route add 2001:db8:50::/64 via 2001:db8:2::10"
            }
            Self::ServerRouter => {
                "link add lan type bridge\n link set server master lan\n link set other master lan\n \
                 link set inside master lan\n link set server up\n link set other up\n link set inside up\n \
                 addr add 192.168.50.1/24 dev lan\n addr add 192.0.2.1/24 dev lan\n \
                 addr add 2001:db8:50::1/64 dev lan nodad\n link set lan up\n \
                 addr add 203.0.113.10/24 dev wan\n addr add 203.0.113.11/24 dev wan\n \
                 addr add 2001:db8:2::10/64 dev wan nodad\n link set wan up\n \
                 route add default via 203.0.113.1\n route add default via 2001:db8:2::1"
            }
            Self::Server => {
                "addr add 192.168.50.10/24 dev lan\n addr add 192.0.2.10/24 dev lan\n \
                 addr add 2001:db8:50::10/64 dev lan nodad\n link set lan up\n \
                 route add default via 192.168.50.1\n route add default via 2001:db8:50::1"
            }
            Self::Other => {
                "addr add 192.168.50.30/24 dev lan\n link set lan up\n route add default via 192.168.50.1"
            }
            Self::Inside => {
                "addr add 192.168.50.20/24 dev lan\n link set lan up\n route add default via 192.168.50.1"
            }
        }
    }
}

/// Which hosts are joined, and what the interfaces at both ends are called.
const WIRES: [(Host, &str, Host, &str); 6] = [
    (Host::Client, "lan", Host::ClientRouter, "lan"),
    (Host::ClientRouter, "wan", Host::Transit, "west"),
    (Host::Transit, "east", Host::ServerRouter, "wan"),
    (Host::ServerRouter, "server", Host::Server, "lan"),
    (Host::ServerRouter, "other", Host::Other, "lan"),
    (Host::ServerRouter, "inside", Host::Inside, "lan"),
];

/// Every host routes, none checks where a packet came from, none is stingy with ICMP errors, none sends IPv6 probes of
/// its own.
const SYSCTLS: [&str; 9] = [
    "net.ipv4.ip_forward=1",
    "net.ipv6.conf.all.forwarding=1",
    "net.ipv4.conf.all.rp_filter=0",
    "net.ipv4.conf.default.rp_filter=0",
    "net.ipv4.icmp_ratelimit=0",
    "net.ipv4.icmp_msgs_per_sec=100000",
    "net.ipv6.icmp.ratelimit=0",
    "net.ipv6.conf.all.accept_dad=0",
    "net.ipv6.conf.default.accept_dad=0",
];

/// A client, a server and everything between them.
pub(crate) struct World {
    prefix: String,
    /// The link between transit and the server's router, where it is a slow one.
    slow: Option<DelayedLink>,
}

impl World {
    /// Builds a world; `delay` makes the way from transit to the server that much longer, in each direction.
    pub(crate) fn build(letter: char, site: &Site, delay: Option<Duration>) -> Result<Self, String> {
        // The guard exists before the first namespace does, so that a failure half-way leaves nothing behind.
        let mut world = Self { prefix: format!("{PREFIX}{}-{letter}", std::process::id()), slow: None };
        let mut batch: Vec<String> =
            Host::ALL.iter().map(|host| format!("netns add {}", world.namespace(*host))).collect();
        let is_slow = |left: Host| delay.is_some() && left == Host::Transit;
        for (left, left_name, right, right_name) in WIRES.into_iter().filter(|wire| !is_slow(wire.0)) {
            batch.push(format!(
                "link add {left_name} netns {} type veth peer name {right_name} netns {}",
                world.namespace(left),
                world.namespace(right)
            ));
        }
        run(&mut command("ip", &["-batch", "-"]), &batch.join("\n"))?;
        if let Some(delay) = delay {
            let ends = [world.inside(Host::Transit, &[]), world.inside(Host::ServerRouter, &[])];
            world.slow = Some(DelayedLink::start(site, ends, ["east", "wan"], delay)?);
        }
        for host in Host::ALL {
            run(world.inside(host, &["sysctl", "-qw"]).args(SYSCTLS), "")?;
            let addresses = format!("link set lo up\n{}", host.addresses());
            run(&mut command("ip", &["-n", &world.namespace(host), "-batch", "-"]), &addresses)?;
        }
        Ok(world)
    }

    /// The name of a host's namespace.
    pub(crate) fn namespace(&self, host: Host) -> String {
        format!("{}-{}", self.prefix, host.name())
    }

    /// A command that runs on a host. `ip netns exec` replaces itself by it, so its pid is the command's.
    pub(crate) fn inside(&self, host: Host, words: &[&str]) -> Command {
        let mut command = command("ip", &["netns", "exec", &self.namespace(host)]);
        command.args(words);
        command
    }

    /// The processes on a host. All of them are ours: nobody else knows the namespace.
    pub(crate) fn processes(&self, host: Host) -> Vec<String> {
        let listed = run(&mut command("ip", &["netns", "pids", &self.namespace(host)]), "");
        listed.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = run(&mut command("sh", &["-c", SWEEP, "sweep", &self.prefix]), "");
    }
}

/// Ends what runs in the namespaces whose names begin with `$1`, and removes them.
const SWEEP: &str = r#"
for space in $(ip netns list | cut -d' ' -f1 | grep "^$1-"); do
    pids=$(ip netns pids "$space")
    [ -z "$pids" ] || kill -9 $pids 2>/dev/null
    ip netns del "$space"
done
"#;

/// Cleans up when this process dies without a chance to do so itself: it waits for the pipe to us to close.
pub(crate) struct Watchman(Child);

impl Watchman {
    /// Starts it. It lives in a process group of its own, where Ctrl-C does not reach it.
    pub(crate) fn start(files: &std::path::Path) -> Result<Self, String> {
        use std::os::unix::process::CommandExt as _;
        let script = format!("cat >/dev/null\n{SWEEP}\nrm -rf \"$2\"");
        let prefix = format!("{PREFIX}{}", std::process::id());
        let mut command = command("sh", &["-c", &script, "watchman", &prefix]);
        command.arg(files).process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map(Self).map_err(|error| format!("sh: {error}"))
    }
}

impl Drop for Watchman {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Removes what earlier runs left behind that were killed together with their watchman.
pub(crate) fn remove_leftovers() {
    let listed = run(&mut command("ip", &["netns", "list"]), "").unwrap_or_default();
    for name in listed.lines().filter_map(|line| line.split_whitespace().next()) {
        let Some((owner, _)) = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-')) else {
            continue;
        };
        // A lab that still runs is a process of this test's name.
        let comm = std::fs::read_to_string(format!("/proc/{owner}/comm")).unwrap_or_default();
        if owner.parse::<u32>().is_ok() && !comm.starts_with("lab-") {
            let _ = run(&mut command("sh", &["-c", SWEEP, "sweep", &format!("{PREFIX}{owner}")]), "");
        }
    }
}
