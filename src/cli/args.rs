//! The command line as it is typed, declared once: the doc comments are the help.

#![expect(clippy::doc_markdown, reason = "the doc comments are the help text, in which backticks would show")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use pasvcheck::evidence::PortRange;
use pasvcheck::exporter::DEFAULT_PROBES;
use pasvcheck::fleet::DEFAULT_CONCURRENCY;
use pasvcheck::net::survey::Rate;
use pasvcheck::plan::{CERT_DAYS, UPLOAD_LIMIT};
use pasvcheck::threshold::Level;

use super::watch::WatchArgs;

const AFTER_HELP: &str = "\
Exit codes, the same for every format:
  0  ok         nothing wrong was found
  1  warning    works from here, fails for some clients or in some circumstance
  2  critical   a standard passive transfer fails
  3  unknown    could not be checked (no login, no resolver, no route, bad usage)

Thresholds (-w, -c) hold times to ranges as monitoring plugins write them, in seconds, or with ms, s, m or h:
  total=10s,data=500ms   the whole check within 10 s, the slowest data connection open within 500 ms
  10  10:  5:10  @5:10   a range alone is of the total: at most 10, at least 10, between, not between

Examples:
  pasvcheck ftp.example.com
  pasvcheck --user web --range 50000-50100 ftp.example.com
  pasvcheck --tls required ftp.example.com
  pasvcheck --json ftp.example.com > report.json
  pasvcheck --format html -o report.html ftp.example.com
  pasvcheck --format prometheus -o ftp.prom --targets servers.toml
  pasvcheck explain passive-address-private
  pasvcheck demo private-address";

const AUDIT_HELP: &str = "\
Nothing is written, and nobody is contacted unless --live, --dns, --public-address auto or --echo-url asks for it.

Exit codes: 0 ok, 1 warning, 2 critical, 3 unknown (something could not be read, bad usage).

Examples:
  sudo pasvcheck audit
  nft -j list ruleset > ruleset.json
  pasvcheck audit --config vsftpd.conf --firewall ruleset.json --public-address 203.0.113.10";
const SERVE_HELP: &str = "\
Examples:
  sudo pasvcheck serve --range 50000-50100                  (on the future server)
  pasvcheck --range 50000-50100 --scan ftp.example.com      (from outside: proves every port)
  PASVCHECK_SECRET=... pasvcheck serve --port 2121 --range 50000-50100 --for 10m

Ends by itself after --for, or by Ctrl-C, with exit code 0; exit code 3 if it cannot begin.";

const FIX_HELP: &str = "\
Examples:
  pasvcheck fix --server vsftpd --public-address 203.0.113.10 --range 50000-50100
  pasvcheck fix --server proftpd --public-address 203.0.113.10 --private-address 10.0.0.5 --range 50000-50100 \\
                --firewall nft --cloud aws
  pasvcheck --json ftp.example.com | pasvcheck fix --from -";
const EXPORTER_HELP: &str = "\
The configuration (TOML):
  # Whom to check, on ports 21 and 990 unless named:
  allow = [\"ftp.example.com\", \"*.example.net\", \"203.0.113.0/24:2121\"]

  # A module: the settings that a target in a --targets list has too.
  [modules.login]
  user = \"monitor\"
  password_file = \"password\"        # relative to this file; or password_env
  allow = [\"ftp.example.com\"]       # in place of the list above

Then http://127.0.0.1:9921/probe?target=ftp.example.com&module=login
Without a module: \"default\", an anonymous check with the settings of [defaults].

SIGHUP reads it anew; SIGTERM and Ctrl-C end with exit code 0; exit code 3 if it cannot begin.";

const DIFF_HELP: &str = "\
Exit codes:
  0  the same, or B is better
  1  B is worse, and nothing critical is new
  2  B is worse by something critical
  3  not comparable: two servers, B could not be tested, or a file is no report

Example:
  pasvcheck --json -o inside.json ftp.example.com     (on a host inside)
  pasvcheck --json -o outside.json ftp.example.com    (on a host outside)
  pasvcheck diff inside.json outside.json";

/// Finds out why FTP passive mode fails, whose fault it is, and prints the fix.
#[derive(Debug, Parser)]
#[command(
    name = "pasvcheck",
    version,
    about,
    after_help = AFTER_HELP,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) check: CheckArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check a server (what `pasvcheck TARGET` does too)
    #[command(after_help = AFTER_HELP)]
    Check(Box<CheckArgs>),
    /// Audit the server's own files against the host's firewall, before the first client connects
    #[command(after_help = AUDIT_HELP)]
    Audit(Box<AuditArgs>),
    /// Run the check on the embedded server with a fault planted, or list the scenarios
    Demo(DemoArgs),
    /// Stand in for a server that is not installed yet: answer on the control port and every port of the range
    #[command(after_help = SERVE_HELP)]
    Serve(ServeArgs),
    /// Print the whole set-up of passive mode: server, firewalls, NAT router, cloud, containers, how to verify
    #[command(after_help = FIX_HELP)]
    Fix(Box<FixArgs>),
    /// Compare two reports of one server, of two places or two dates: what differs, and what that means
    #[command(after_help = DIFF_HELP)]
    Diff(DiffArgs),
    /// Serve checks to Prometheus: /probe?target=...&module=..., for the targets of an allow-list
    #[command(after_help = EXPORTER_HELP)]
    Exporter(ExporterArgs),
    /// Check servers again and again, and tell changes alone: here, and to a webhook
    #[command(after_help = super::watch::AFTER_HELP)]
    Watch(Box<WatchArgs>),
    /// Explain a finding with all its fixes; without a name, passive mode in ten lines and the list of findings
    Explain(ExplainArgs),
    /// Print the JSON Schema of the report
    Schema,
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the manual page, or that of a command
    Man(ManArgs),
}

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
    /// Also trust the root certificates in this PEM file
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

fn check_names() -> clap::builder::PossibleValuesParser {
    pasvcheck::checks::network().map(|check| check.name).collect::<Vec<_>>().into()
}

pub(super) fn concurrency(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=1000).contains(number));
    number.ok_or_else(|| "write a number from 1 to 1000".to_owned())
}

/// `5s`, `1m 30s`, `500ms`, or a bare number of seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let duration = match seconds {
        Some(duration) => duration,
        None => humantime::parse_duration(text)
            .map_err(|_| "write a duration such as 5s, 500ms or 2m".to_owned())?,
    };
    let bounds = Duration::from_millis(10)..=Duration::from_secs(24 * 3600);
    if bounds.contains(&duration) {
        Ok(duration)
    } else {
        Err("a duration lies between 10ms and 24h".to_owned())
    }
}

/// `65536`, `64K`, `10M` or `1G`, in powers of 1024.
pub(super) fn upload_size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => Some(1),
        "K" | "KIB" => Some(1 << 10),
        "M" | "MIB" => Some(1 << 20),
        "G" | "GIB" => Some(1 << 30),
        _ => None,
    };
    let digits =
        Some(digits).filter(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()));
    let (Some(unit), Some(digits)) = (unit, digits) else {
        return Err("write a number of bytes, or 64K, 10M or 1G (in powers of 1024)".to_owned());
    };
    // More digits than a number holds are too many in any case.
    let size = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    size.filter(|size| (1..=UPLOAD_LIMIT).contains(size)).ok_or_else(|| {
        "an upload has at least 1 byte and at most 1G; 10M is enough for most paths".to_owned()
    })
}

fn rate(text: &str) -> Result<Rate, String> {
    if text == "max" {
        return Ok(Rate::Max);
    }
    let rate = text.parse().ok().filter(|rate| *rate > 0).map(Rate::PerSecond);
    rate.ok_or_else(|| "write a number of connects a second, or max".to_owned())
}

fn dns_server(text: &str) -> Result<SocketAddr, String> {
    let bare = text
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>()
        .map(|ip| SocketAddr::new(ip, 53));
    bare.or_else(|_| text.parse())
        .map_err(|_| "write ADDR or ADDR:PORT, for example 192.0.2.53 or [2001:db8::53]:5353".to_owned())
}

fn given_address(text: &str) -> Result<(String, IpAddr), String> {
    let (host, address) =
        text.split_once(':').ok_or("write HOST:ADDR, for example ftp.example.com:203.0.113.10")?;
    let address = address.trim_start_matches('[').trim_end_matches(']');
    let address = address.parse().map_err(|_| format!("\"{address}\" is no address"))?;
    Ok((host.to_owned(), address))
}

fn public_address_or_auto(text: &str) -> Result<PublicAddress, String> {
    if text == "auto" {
        return Ok(PublicAddress::Auto);
    }
    public_address(text).map_err(|_| "write an address, auto, or none".to_owned())
}

fn public_address(text: &str) -> Result<PublicAddress, String> {
    if text == "none" {
        return Ok(PublicAddress::None);
    }
    text.parse().map(PublicAddress::Given).map_err(|_| "write an address, or none".to_owned())
}
