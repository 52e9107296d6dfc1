//! What the other commands take.

#![expect(clippy::doc_markdown, reason = "the doc comments are the help text, in which backticks would show")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use pasvcheck::evidence::PortRange;
use pasvcheck::exporter::DEFAULT_PROBES;

use super::check::{OutputArgs, PublicAddress};
use super::values::{concurrency, dns_server, duration, given_address, public_address_or_auto};

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// Read this configuration file (or Pure-FTPd's directory) and ask nothing of this host; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Vec<String>,
    /// The product that the files belong to, if it cannot be told from them: vsftpd, proftpd, pure-ftpd, filezilla, iis
    #[arg(long, value_name = "PRODUCT")]
    pub(crate) server: Option<String>,
    /// Compare with this rule set: nft -j list ruleset, iptables-save, ufw status, firewall-cmd --list-all, netsh, getsebool -a
    #[arg(long, value_name = "FILE")]
    pub(crate) firewall: Vec<String>,
    /// With --config: ask this host, too (interfaces, ports in use, firewall), and look host names up
    #[arg(long)]
    pub(crate) live: bool,
    /// The address that clients reach the server at; "auto" asks the cloud's metadata service, "none": no NAT is in the way
    #[arg(long, value_name = "ADDR|auto|none", value_parser = public_address_or_auto)]
    pub(crate) public_address: Option<PublicAddress>,
    /// Ask this web address for the public address (it answers with nothing but the address)
    #[arg(long, value_name = "URL", conflicts_with = "public_address")]
    pub(crate) echo_url: Option<String>,
    /// The passive port range that is expected
    #[arg(long, value_name = "A-B")]
    pub(crate) range: Option<PortRange>,
    /// Look host names in the files up at this DNS server
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = dns_server)]
    pub(crate) dns: Option<SocketAddr>,
    /// What is required, severities of your own, and findings accepted for a time (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Take this directory for the root of the file system: an unpacked image, a mounted disk
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The scenario; without one, all are listed
    #[arg(value_name = "SCENARIO")]
    pub(crate) scenario: Option<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The passive range: every port of it is listened on
    #[arg(long, value_name = "A-B")]
    pub(crate) range: PortRange,
    /// The control port
    #[arg(long, value_name = "PORT", default_value_t = 21, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: u16,
    /// The IPv4 address to announce in reply to PASV [default: the one that the client connected to]
    #[arg(long, value_name = "ADDR")]
    pub(crate) public_address: Option<IpAddr>,
    /// End by itself after so long
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, default_value = "1h")]
    pub(crate) lifetime: Duration,
    /// Listen on this address of the host alone [default: all, of both families]
    #[arg(long, value_name = "ADDR")]
    pub(crate) bind: Option<IpAddr>,
    /// Prove ports only to those who know the first line of this file (else: PASVCHECK_SECRET, if it is set)
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct FixArgs {
    /// vsftpd, proftpd, pure-ftpd, filezilla or iis
    #[arg(long, value_name = "PRODUCT")]
    pub(crate) server: Option<String>,
    /// The address that clients reach, the router's where there is NAT; once for IPv4 and once for IPv6
    #[arg(long, value_name = "ADDR")]
    pub(crate) public_address: Vec<IpAddr>,
    /// The server's own address behind the NAT router, for the router's rules
    #[arg(long, value_name = "ADDR")]
    pub(crate) private_address: Option<Ipv4Addr>,
    /// The passive ports
    #[arg(long, value_name = "A-B")]
    pub(crate) range: Option<PortRange>,
    /// The control port [default: 21]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,
    /// Only these firewalls of the host [default: all that its system may have]
    #[arg(long, value_name = "KIND", value_delimiter = ',', num_args = 1..)]
    pub(crate) firewall: Vec<FirewallKind>,
    /// Only these clouds [default: all]
    #[arg(long, value_name = "KIND", value_delimiter = ',', num_args = 1..)]
    pub(crate) cloud: Vec<CloudKind>,
    /// Only these containers [default: all]
    #[arg(long, value_name = "KIND", value_delimiter = ',', num_args = 1..)]
    pub(crate) container: Vec<ContainerKind>,
    /// Take product, addresses and range from the JSON report of a check ("-": standard input)
    #[arg(long, value_name = "REPORT.json")]
    pub(crate) from: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FirewallKind {
    Nft,
    Iptables,
    Ufw,
    Firewalld,
    Windows,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CloudKind {
    Aws,
    Azure,
    Gcp,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ContainerKind {
    Docker,
    Compose,
    Kubernetes,
    None,
}

#[derive(Debug, Args)]
pub(crate) struct ExporterArgs {
    /// The configuration: whom to check, and how
    #[arg(long, value_name = "FILE.toml")]
    pub(crate) config: PathBuf,
    /// Where to listen
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:9921")]
    pub(crate) listen: SocketAddr,
    /// Probes at a time; beyond them the answer is 503
    #[arg(long, value_name = "N", default_value_t = DEFAULT_PROBES, value_parser = concurrency)]
    pub(crate) max_probes: usize,
    /// Taken off the time that Prometheus waits, so that the answer arrives in time [default: 500ms]
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "500ms", hide_default_value = true)]
    pub(crate) timeout_offset: Duration,
    /// Read the configuration, say whether it is good, and end
    #[arg(long)]
    pub(crate) check_config: bool,
    /// Connect from this address
    #[arg(long, value_name = "ADDR")]
    pub(crate) bind: Option<IpAddr>,
    /// Ask this DNS server, and nobody else
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = dns_server)]
    pub(crate) dns: Option<SocketAddr>,
    /// Use this address for a host name, without asking DNS; may be given several times
    #[arg(long, value_name = "HOST:ADDR", value_parser = given_address)]
    pub(crate) resolve: Vec<(String, IpAddr)>,
    /// Tell each probe on standard error
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The finding's name
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The report to compare with, as JSON: from inside, or from before
    #[arg(value_name = "A.json")]
    pub(crate) a: PathBuf,
    /// The report that is judged: from outside, or from now ("-" for one of the two: standard input)
    #[arg(value_name = "B.json")]
    pub(crate) b: PathBuf,
    /// Two names or addresses are one server: compare them all the same
    #[arg(long)]
    pub(crate) same_server: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The command
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Option<String>,
}
