//! What a check takes.

#![expect(clippy::doc_markdown, reason = "the doc comments are the help text, in which backticks would show")]

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use pasvcheck::evidence::PortRange;
use pasvcheck::fleet::DEFAULT_CONCURRENCY;
use pasvcheck::net::survey::Rate;
use pasvcheck::plan::CERT_DAYS;
use pasvcheck::threshold::Level;

use super::values::{
    check_names, concurrency, dns_server, duration, given_address, public_address, rate, upload_size,
};

#[derive(Clone, Debug, Args)]
pub(crate) struct CheckArgs {
    /// HOST, HOST:PORT, [IPV6]:PORT, ftp://USER@HOST:PORT/DIRECTORY, or ftps:// for TLS from the first byte; several may
    /// be given
    #[arg(value_name = "TARGET", required_unless_present_any = ["from", "targets_file"])]
    pub(crate) targets: Vec<String>,
    #[command(flatten)]
    pub(crate) list: ListArgs,
    #[command(flatten)]
    pub(crate) thresholds: ThresholdArgs,
    #[command(flatten)]
    pub(crate) login: LoginArgs,
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
    #[command(flatten)]
    pub(crate) what: WhatArgs,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// Diagnose the evidence of a saved JSON report again, without a network ("-": standard input)
    #[arg(long, value_name = "REPORT.json", help_heading = "Evidence", conflicts_with_all = ["targets", "targets_file"])]
    pub(crate) from: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Targets")]
pub(crate) struct ListArgs {
    /// Also the targets of this file ("-": standard input): one a line with # for comments, or TOML with settings for each
    #[arg(id = "targets_file", long = "targets", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Targets that are checked at a time; those at one server address take turns
    #[arg(long, value_name = "N", default_value_t = DEFAULT_CONCURRENCY, value_parser = concurrency)]
    pub(crate) concurrency: usize,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Thresholds")]
pub(crate) struct ThresholdArgs {
    /// Warn of times outside of ranges: total=RANGE of the whole check, data=RANGE of the slowest data connection until open
    #[arg(short, long, value_name = "RANGES")]
    pub(crate) warning: Option<Level>,
    /// The same for critical; both can only make a verdict worse, and the summary says why
    #[arg(short, long, value_name = "RANGES")]
    pub(crate) critical: Option<Level>,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Login")]
pub(crate) struct LoginArgs {
    /// User to log in as; "anonymous" and "ftp" mean: no credentials (the default)
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Read the password from the first line of a file (else: PASVCHECK_PASSWORD, or a prompt)
    #[arg(long, value_name = "FILE", conflicts_with = "password_stdin")]
    pub(crate) password_file: Option<PathBuf>,
    /// Read the password from the first line of standard input
    #[arg(long)]
    pub(crate) password_stdin: bool,
    /// Take user and password from ~/.netrc (or the file that NETRC names), which only its owner may be able to read
    #[arg(long)]
    pub(crate) netrc: bool,
    /// The environment variable that a targets file names for the password.
    #[arg(skip)]
    pub(crate) password_env: Option<String>,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "TLS")]
pub(crate) struct TlsArgs {
    /// auto: what the server offers, implicit on port 990; required: or nothing; explicit: AUTH TLS; implicit: from the
    /// first byte; off: in clear text
    #[arg(long, value_name = "MODE", default_value = "auto")]
    pub(crate) tls: TlsMode,
    /// Send a named user's password although the certificate is bad (which is still reported)
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Also trust the root certificates in this PEM file, or the server's own if it is self-signed
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Certificate of this client, for servers that ask for one (PEM)
    #[arg(long, value_name = "FILE", requires = "client_key")]
    pub(crate) client_cert: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    pub(crate) client_key: Option<PathBuf>,
    /// Warn when the server's certificate has fewer days left
    #[arg(long, value_name = "N", default_value_t = CERT_DAYS)]
    pub(crate) cert_days: u32,
    /// Also log a named user in without TLS, to compare: the password crosses the network in clear (anonymous logins are
    /// always compared)
    #[arg(long)]
    pub(crate) compare_cleartext: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TlsMode {
    Auto,
    Off,
    Required,
    Explicit,
    Implicit,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "What to check")]
pub(crate) struct WhatArgs {
    /// The passive port range that you believe the server and the firewall share
    #[arg(long, value_name = "A-B")]
    pub(crate) range: Option<PortRange>,
    /// Ask every port of the range whether it gets through (of --range, or of the ports seen)
    #[arg(long)]
    pub(crate) scan: bool,
    /// Also fetch this file, with progress, throughput and stall detection (its contents are thrown away)
    #[arg(long, value_name = "PATH")]
    pub(crate) download: Option<String>,
    /// Also write a file of this size (bytes, or 64K, 10M; at most 1G) under a name of its own, and remove it again
    #[arg(long, value_name = "SIZE", value_parser = upload_size)]
    pub(crate) upload: Option<u64>,
    /// Keep the control connection silent for so long, and see whether the server's next word still arrives
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) idle: Option<Duration>,
    /// What is required, severities of your own, and findings accepted for a time (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Run only this check, and those that it needs
    #[arg(long, value_name = "CHECK", value_parser = check_names(), conflicts_with = "skip")]
    pub(crate) only: Vec<String>,
    /// Leave this check out, and those that need it
    #[arg(long, value_name = "CHECK", value_parser = check_names())]
    pub(crate) skip: Vec<String>,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkArgs {
    /// Check IPv4 addresses only
    #[arg(short = '4', conflicts_with = "ipv6")]
    pub(crate) ipv4: bool,
    /// Check IPv6 addresses only
    #[arg(short = '6')]
    pub(crate) ipv6: bool,
    /// Longest wait for one connection to open [default: 5s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// Longest time for one target; what is known by then is reported [default: 60s; 10m with --scan, 1h with --download or --upload]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) deadline: Option<Duration>,
    /// Connect from this address
    #[arg(long, value_name = "ADDR")]
    pub(crate) bind: Option<IpAddr>,
    /// Ask this DNS server, and nobody else
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = dns_server)]
    pub(crate) dns: Option<SocketAddr>,
    /// Use this address for a host name, without asking DNS; may be given several times
    #[arg(long, value_name = "HOST:ADDR", value_parser = given_address)]
    pub(crate) resolve: Vec<(String, IpAddr)>,
    /// The address that the server should announce; "none" for no expectation
    #[arg(long, value_name = "ADDR|none", value_parser = public_address)]
    pub(crate) public_address: Option<PublicAddress>,
    /// Read the secret of a stand-in (pasvcheck serve) from the first line of a file (else: PASVCHECK_SECRET)
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,
    /// Connects a second of a survey of ports, or "max"
    #[arg(long, value_name = "N|max", value_parser = rate, default_value = "1000")]
    pub(crate) rate: Rate,
    /// Follow a private address that the server announces even if this host is not in that network
    #[arg(long)]
    pub(crate) follow_private: bool,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct OutputArgs {
    /// How to report
    #[arg(long, value_name = "FORMAT", default_value = "terminal")]
    pub(crate) format: Format,
    /// Short for --format json; with several targets one object a line
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,
    /// Write the report to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Only the verdict, in one line
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Also what the causes explain, all facts, and all fixes that may apply
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Show the dialogue with the server
    #[arg(long)]
    pub(crate) trace: bool,
    /// Whether to use colour (auto: on a terminal, unless NO_COLOR is set)
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: When,
    /// Say what would be done and contacted, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

impl OutputArgs {
    /// The format, `--json` being one.
    pub(crate) fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    // For a person
    Terminal,
    // The whole report, indented; with several targets one object a line
    Json,
    // One object a line
    Ndjson,
    // A page of its own, with the dialogue as a picture
    Html,
    // For a ticket
    Markdown,
    // A monitoring plugin's output, with performance data
    Nagios,
    // Samples for the node exporter's textfile collector
    Prometheus,
    // Test results for a build server
    Junit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum PublicAddress {
    Auto,
    Given(IpAddr),
    None,
}
