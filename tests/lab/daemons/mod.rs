//! The FTP servers: real programs, each with a configuration of its own, on the server's host of a world.

mod aioftp;
mod inetutils;
mod proftpd;
mod pureftpd;
mod pyftpdlib;
mod standin;
mod vsftpd;

use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::Duration;

use pasvcheck::clock::Deadline;

use crate::namespaces::{Host, World};
use crate::printed::{self, Printed};
use crate::shell::{command, run};
use crate::site::Site;

/// A product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Daemon {
    Vsftpd,
    Proftpd,
    PureFtpd,
    Pyftpdlib,
    Inetutils,
    Aioftp,
    /// The tool itself, in place of a server.
    StandIn,
}

impl Daemon {
    /// Short, as in the table and in names of files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Vsftpd => "vsftpd",
            Self::Proftpd => "proftpd",
            Self::PureFtpd => "pure-ftpd",
            Self::Pyftpdlib => "pyftpdlib",
            Self::Inetutils => "inetutils",
            Self::Aioftp => "aioftp",
            Self::StandIn => "stand-in",
        }
    }

    /// Writes the configuration into `folder` and tells the command that runs the server in the foreground.
    fn prepare(self, site: &Site, config: &Config, folder: &Path) -> std::io::Result<Vec<String>> {
        match self {
            Self::Vsftpd => vsftpd::prepare(site, config, folder),
            Self::Proftpd => proftpd::prepare(site, config, folder),
            Self::PureFtpd => pureftpd::prepare(site, config, folder),
            Self::Pyftpdlib => pyftpdlib::prepare(site, config, folder),
            Self::Inetutils => Ok(inetutils::prepare(site, config)),
            Self::Aioftp => aioftp::prepare(site, config, folder),
            Self::StandIn => Ok(standin::prepare(config)),
        }
    }
}

impl fmt::Display for Daemon {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// What a server is told.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a line of its own in a configuration file")]
pub(crate) struct Config {
    /// The passive ports, both ends included; `None` leaves it to the server.
    pub(crate) range: Option<(u16, u16)>,
    /// The address to announce; `None` leaves it to the server.
    pub(crate) announce: Option<&'static str>,
    /// The addresses that it listens on.
    pub(crate) listen: Listen,
    /// One connection for each client address.
    pub(crate) one_session: bool,
    /// EPSV is refused over IPv4, PASV is not.
    pub(crate) no_epsv: bool,
    /// Names of clients are looked up before the greeting, and the DNS server is silent for so many seconds.
    pub(crate) slow_names: Option<u8>,
    /// The directory that is listed holds nothing.
    pub(crate) empty: bool,
    /// What is done about TLS.
    pub(crate) tls: Tls,
    /// The port of the control connection.
    pub(crate) port: u16,
    /// Data connections from another address than the control connection's are refused where that is a choice.
    pub(crate) strict_source: bool,
    /// Everything about passive mode is what `pasvcheck fix` prints.
    pub(crate) printed: Option<Printed>,
}

impl Config {
    /// A block of what `fix` prints for a server, where this configuration comes from there.
    fn block(&self, daemon: Daemon, id: &str) -> std::io::Result<Option<String>> {
        let block = self.printed.map(|printed| printed::block(daemon, printed, id));
        block.transpose().map_err(std::io::Error::other)
    }
}

/// What a server does about TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tls {
    /// None.
    None,
    /// It is offered, and nothing is demanded.
    Offered,
    /// It is offered, and data connections must resume the session, where that is a choice.
    Resuming,
    /// No login and no data without it.
    Demanded,
    /// From the first byte, on port 990.
    Implicit,
    /// Anonymous users have to do without.
    NotForAnonymous,
}

/// Addresses to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listen {
    Ipv4,
    Ipv6,
    Both,
}

/// A server as an administrator sets it up who reads the manual, behind a router that forwards 50000–50009.
pub(crate) const PLAIN: Config = Config {
    range: Some((50000, 50009)),
    announce: None,
    listen: Listen::Ipv4,
    one_session: false,
    no_epsv: false,
    slow_names: None,
    empty: false,
    tls: Tls::None,
    port: 21,
    strict_source: false,
    printed: None,
};

/// A server that runs. It ends with this value.
pub(crate) struct Running<'w> {
    world: &'w World,
    child: Child,
    folder: PathBuf,
}

impl<'w> Running<'w> {
    /// Starts a server and waits until its port is open. No connection is made for that: the server's own counts of
    /// sessions start at zero.
    pub(crate) fn start(
        world: &'w World,
        site: &Site,
        daemon: Daemon,
        config: &Config,
    ) -> Result<Self, String> {
        let folder = site.folder(&world.namespace(Host::Server));
        let told = |error: std::io::Error| format!("{daemon}: {error}");
        if !world.processes(Host::Server).is_empty() {
            return Err(format!("{daemon}: the server before it still runs"));
        }
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).map_err(told)?;
        fs::write(folder.join("resolv.conf"), resolver(config)).map_err(told)?;
        let words = daemon.prepare(site, config, &folder).map_err(told)?;
        let log =
            File::options().create(true).append(true).read(true).open(folder.join("log")).map_err(told)?;
        let copy = || log.try_clone().map(Stdio::from).map_err(told);
        // A server's processes end with their number 1, whatever it forks.
        let mut start = command("setpriv", &["--pdeathsig", "KILL", "ip", "netns", "exec"]);
        start.arg(world.namespace(Host::Server));
        start.args([
            "unshare",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
            "sh",
            "-c",
            LAY_OVER,
            "inner",
        ]);
        start.arg(site.root()).arg(&folder).arg(if config.empty { "empty" } else { "." }).args(words);
        // vsftpd writes what is wrong with its configuration to its standard input.
        let child = start.stdin(copy()?).stdout(copy()?).stderr(copy()?).spawn().map_err(told)?;
        let mut running = Self { world, child, folder };
        running
            .wait_for_port(config.port)
            .map_err(|error| format!("{daemon}: {error}\n{}", running.log()))?;
        Ok(running)
    }

    /// Where its files lie.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Stops all of its processes where they stand: connections still open, nobody answers.
    pub(crate) fn freeze(&self) -> Result<(), String> {
        let pids = self.world.processes(Host::Server);
        let mut kill = command("kill", &["-STOP"]);
        run(kill.args(pids), "").map(drop)
    }

    fn wait_for_port(&mut self, port: u16) -> Result<(), String> {
        let deadline = Deadline::after(Duration::from_secs(20));
        while !deadline.passed() {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("it ended at once ({status})"));
            }
            if listens(self.child.id(), port) {
                return Ok(());
            }
            sleep(Duration::from_millis(10));
        }
        Err("its port does not open".to_owned())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // Process number 1 is among them, and takes along what a server has hidden in namespaces of its own. The signal
        // that `unshare` promises is not enough: a process that changes its user loses it.
        for _ in 0..200 {
            let pids = self.world.processes(Host::Server);
            if pids.is_empty() {
                break;
            }
            let _ = run(command("kill", &["-KILL"]).args(pids), "");
            sleep(Duration::from_millis(10));
        }
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Whether something listens on a port in the network namespace of a process.
fn listens(pid: u32, port: u16) -> bool {
    let table = |name: &str| fs::read_to_string(format!("/proc/{pid}/net/{name}")).unwrap_or_default();
    let mut lines = ["tcp", "tcp6"].into_iter().flat_map(|name| {
        let text = table(name);
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    });
    let wanted = format!(":{port:04X}");
    // Port 21 is 0015 and the state "listening" is 0A in these tables. The process of number 1 is the shell at first,
    // in the server's namespace all the same.
    lines.any(|line| {
        let mut words = line.split_whitespace();
        words.nth(1).is_some_and(|local| local.ends_with(&wanted)) && words.nth(1) == Some("0A")
    })
}

/// Laid over the machine's own files, where only the server sees it: accounts, names, what is served. Then it runs.
const LAY_OVER: &str = r#"
set -e
root=$1 folder=$2 served=$3
shift 3
for file in passwd group shadow hosts pam.d; do mount --bind "$root/etc/$file" "/etc/$file"; done
mount --bind "$folder/resolv.conf" "$(readlink -f /etc/resolv.conf)"
mount --bind "$root/served/$served" /srv
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/empty
# Not as process number 1: vsftpd dies of the orphans that are handed to that one.
exec 3<&0
"$@" <&3 3<&- &
wait $!
"#;

fn resolver(config: &Config) -> String {
    // The address leads to a router that drops every question (`firewall.rs`).
    config.slow_names.map_or_else(String::new, |seconds| {
        format!("nameserver 198.51.100.53\noptions timeout:{seconds} attempts:1\n")
    })
}
