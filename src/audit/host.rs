//! The state of this host: addresses, ports that are taken, and when the daemons were started. Read, never changed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::evidence::{Configuration, HostState, PortRange};
use crate::net::Network;
use crate::server::Product;

/// Processes that are looked at.
const MOST_PROCESSES: usize = 50_000;

/// Clock ticks a second in `/proc/PID/stat`: 100 on every Linux that the kernel's `USER_HZ` matters for.
const TICKS: u64 = 100;

/// This host's name.
pub(super) fn name() -> Option<String> {
    let name =
        fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| fs::read_to_string("/etc/hostname"));
    let name = name.ok().or_else(|| std::env::var("COMPUTERNAME").ok())?;
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// What is known of this host; also when each configuration's daemon was started.
pub(super) fn state(network: &dyn Network, configurations: &mut [Configuration]) -> HostState {
    let mut unasked = Vec::new();
    let networks = network.own_networks();
    if networks.is_empty() {
        unasked.push("the interfaces' addresses".to_owned());
    }
    let daemons = daemons();
    for configuration in configurations {
        let names = match Product::from_name(&configuration.product) {
            Some(Product::Vsftpd) => ["vsftpd", "vsftpd"],
            Some(Product::ProFtpd) => ["proftpd", "proftpd"],
            Some(Product::PureFtpd) => ["pure-ftpd", "pure-ftpd-mysql"],
            Some(Product::FileZilla) => ["filezilla-serve", "filezilla-server"],
            _ => continue,
        };
        // The oldest one is the daemon; the others serve sessions.
        let path = configuration.files.first().map_or("", |file| file.path.as_str());
        let of = daemons
            .iter()
            .filter(|daemon| names.iter().any(|name| daemon.name.starts_with(name)) && daemon.may_read(path));
        configuration.daemon_started = of.filter_map(|daemon| daemon.started).min();
    }
    HostState {
        networks,
        ephemeral: range(&read("/proc/sys/net/ipv4/ip_local_port_range")),
        reserved: reserved(&read("/proc/sys/net/ipv4/ip_local_reserved_ports")),
        listening: listening(&daemons),
        unasked,
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The lowest and the highest port, with a tab between.
fn range(text: &str) -> Option<PortRange> {
    let mut words = text.split_whitespace().map(str::parse);
    match (words.next()?, words.next()?) {
        (Ok(min), Ok(max)) if min <= max => Some(PortRange { min, max }),
        _ => None,
    }
}

/// `50000-50100,8080`.
fn reserved(text: &str) -> Vec<PortRange> {
    text.trim().split(',').filter_map(|part| part.trim().parse().ok()).collect()
}

/// A process of an FTP server.
struct Daemon {
    name: String,
    started: Option<u64>,
    sockets: BTreeSet<u64>,
    /// The words of its command line.
    words: Vec<String>,
}

impl Daemon {
    /// Whether it may be the one that reads this file: none is named on its command line, or this one is.
    fn may_read(&self, path: &str) -> bool {
        let mut named = self
            .words
            .iter()
            .filter(|word| Path::new(word).extension().is_some_and(|end| end == "conf"))
            .peekable();
        named.peek().is_none() || named.any(|word| path.ends_with(word.as_str()) || word.ends_with(path))
    }
}

fn daemons() -> Vec<Daemon> {
    let boot =
        read("/proc/stat").lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse::<u64>().ok());
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let processes = entries.take(MOST_PROCESSES).filter_map(|entry| {
        let name = entry.ok()?.file_name().into_string().ok()?;
        name.bytes().all(|byte| byte.is_ascii_digit()).then_some(name)
    });
    processes
        .filter_map(|process| {
            let name = read(&format!("/proc/{process}/comm")).trim().to_owned();
            let ours = ["vsftpd", "proftpd", "pure-ftpd", "filezilla-serve"]
                .iter()
                .any(|known| name.starts_with(known));
            if !ours {
                return None;
            }
            // A container's server is another host's.
            let network = |process: &str| fs::read_link(format!("/proc/{process}/ns/net")).ok();
            if network(&process).is_some_and(|other| network("self") != Some(other)) {
                return None;
            }
            let words = read(&format!("/proc/{process}/cmdline")).split('\0').map(str::to_owned).collect();
            // The name in parentheses may hold blanks; field 22 is the start in ticks since boot.
            let stat = read(&format!("/proc/{process}/stat"));
            let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
            let ticks: Option<u64> = fields.split_whitespace().nth(19).and_then(|text| text.parse().ok());
            let started = boot.zip(ticks).map(|(boot, ticks)| boot + ticks / TICKS);
            let links = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().take(4096);
            let sockets = links.filter_map(|link| {
                let target = fs::read_link(link.ok()?.path()).ok()?;
                target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
            });
            Some(Daemon { name, started, sockets: sockets.collect(), words })
        })
        .collect()
}

/// Ports on which something else than an FTP server listens.
fn listening(daemons: &[Daemon]) -> Vec<u16> {
    let own: BTreeSet<u64> = daemons.iter().flat_map(|daemon| daemon.sockets.iter().copied()).collect();
    let mut ports = BTreeSet::new();
    for file in ["/proc/net/tcp", "/proc/net/tcp6"] {
        for (port, inode) in sockets(&read(file)) {
            if !own.contains(&inode) {
                ports.insert(port);
            }
        }
    }
    ports.into_iter().collect()
}

/// Listening sockets (state 0A) of `/proc/net/tcp`: port and inode.
fn sockets(text: &str) -> Vec<(u16, u64)> {
    text.lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let port = u16::from_str_radix(fields.get(1)?.rsplit_once(':')?.1, 16).ok()?;
            (*fields.get(3)? == "0A").then_some((port, fields.get(9)?.parse().ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_with_another_file_is_another() {
        let with = |words: &[&str]| Daemon {
            name: "vsftpd".to_owned(),
            started: None,
            sockets: BTreeSet::new(),
            words: words.iter().map(|word| (*word).to_owned()).collect(),
        };
        assert!(with(&["/usr/sbin/vsftpd"]).may_read("/etc/vsftpd.conf"));
        assert!(with(&["/usr/sbin/vsftpd", "/etc/vsftpd.conf"]).may_read("/etc/vsftpd.conf"));
        assert!(!with(&["/usr/sbin/vsftpd", "/etc/vsftpd-6.conf"]).may_read("/etc/vsftpd.conf"));
    }

    #[test]
    fn the_kernels_words() {
        assert_eq!(range("32768\t60999\n"), Some(PortRange { min: 32768, max: 60999 }));
        assert_eq!(range(""), None);
        assert_eq!(reserved("50000-50100,8080\n").len(), 2);
        assert_eq!(reserved("\n"), []);
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
                     0: 0100007F:C357 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 x\n\
                     1: 0100007F:C358 0100007F:0050 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 x\n";
        assert_eq!(sockets(table), [(50007, 4711)]);
    }
}
