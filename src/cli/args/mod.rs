//! The command line as it is typed, declared once: the doc comments are the help. What a check takes is in `check.rs`, what
//! the other commands take in `commands.rs`, and how words become values in `values.rs`.

mod check;
mod commands;
mod values;

use clap::{Parser, Subcommand};

pub(crate) use check::{
    CheckArgs, Format, ListArgs, LoginArgs, NetworkArgs, OutputArgs, PublicAddress, ThresholdArgs, TlsArgs,
    TlsMode, WhatArgs, When,
};
pub(crate) use commands::{
    AuditArgs, CloudKind, CompletionsArgs, ContainerKind, DemoArgs, DiffArgs, ExplainArgs, ExporterArgs,
    FirewallKind, FixArgs, ManArgs, ServeArgs,
};
pub(in crate::cli) use values::{concurrency, duration, upload_size};

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
