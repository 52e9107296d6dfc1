//! The command line of `pasvcheck watch`: the doc comments are the help.

#![expect(clippy::doc_markdown, reason = "the doc comments are the help text, in which backticks would show")]

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use pasvcheck::watch::state::MOST_CONFIRMATIONS;
use pasvcheck::watch::{DEFAULT_CONCURRENCY, SHORTEST_INTERVAL};

use crate::cli::args::{
    CheckArgs, Format, ListArgs, LoginArgs, NetworkArgs, OutputArgs, ThresholdArgs, TlsArgs, WhatArgs, When,
    concurrency, duration,
};

pub(crate) const AFTER_HELP: &str = "\
The first result of a target is told as its state; from then on a change alone is told, once --confirm results in a row agree
on it: same verdict, same leading finding. Results that keep changing without ever agreeing are told once, as unsettled.

A round comes every --interval, a tenth less or more by chance (the second one earlier), so that watchers do not fire together;
rounds of one target never overlap. The name is looked up in every round; a network that was lost comes back by itself.

The webhook gets one POST of JSON for everything that is told: event, target, previous and new verdict, findings, time, report.
A failed one is tried six times with growing waits; 256 wait at most, then the oldest is dropped, and that is said. Checks never
wait for it. Its address may be given in PASVCHECK_WEBHOOK, which the list of processes does not show.

Ends by SIGTERM or Ctrl-C within about seven seconds, messages that still wait included. Exit code, by the worst state that was
told last: 0 ok, 1 warning, 2 critical, 3 unknown, or it could not begin.

Examples:
  pasvcheck watch ftp.example.com
  pasvcheck watch --interval 5m --confirm 3 --format ndjson --targets servers.toml
  HOOK_AUTH='Bearer ...' pasvcheck watch --webhook https://hooks.example.com/ftp --webhook-header Authorization=HOOK_AUTH \\
                                        ftp.example.com";

#[derive(Clone, Debug, Args)]
pub(crate) struct WatchArgs {
    /// HOST, HOST:PORT, [IPV6]:PORT, ftp://USER@HOST:PORT/DIRECTORY, or ftps://; several may be given
    #[arg(value_name = "TARGET", required_unless_present = "targets_file")]
    pub(crate) targets: Vec<String>,
    /// Also the targets of this file ("-": standard input), read once: one a line, or TOML with settings for each
    #[arg(id = "targets_file", long = "targets", value_name = "FILE", help_heading = "Targets")]
    pub(crate) file: Option<PathBuf>,
    /// Targets that are checked at a time; those at one server address take turns
    #[arg(long, value_name = "N", default_value_t = DEFAULT_CONCURRENCY, value_parser = concurrency, help_heading = "Targets")]
    pub(crate) concurrency: usize,
    #[command(flatten)]
    pub(crate) rounds: RoundArgs,
    #[command(flatten)]
    pub(crate) webhook: WebhookArgs,
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
    pub(crate) output: ToldArgs,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Rounds")]
pub(crate) struct RoundArgs {
    /// From the begin of one check of a target to that of the next, 5s at least
    #[arg(long, value_name = "DURATION", value_parser = interval, default_value = "60s")]
    pub(crate) interval: Duration,
    /// Equal results in a row after which a change is told
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_CONFIRMATIONS)), default_value_t = 2)]
    pub(crate) confirm: u32,
    /// End after so many rounds of each target [default: go on until ended]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Webhook")]
pub(crate) struct WebhookArgs {
    /// Post everything that is told to this address, as JSON
    // Text, and read later: clap's own complaint would show it, and it may hold a token.
    #[arg(long = "webhook", value_name = "URL", env = "PASVCHECK_WEBHOOK", hide_env_values = true)]
    pub(crate) url: Option<String>,
    /// Send a header along whose value is in an environment variable; may be given several times
    #[arg(long = "webhook-header", value_name = "NAME=ENVVAR", requires = "url")]
    pub(crate) headers: Vec<String>,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct ToldArgs {
    /// How to tell
    #[arg(long, value_name = "FORMAT", default_value = "terminal")]
    pub(crate) format: ToldFormat,
    /// Short for --format ndjson
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,
    /// One line for each change; beside it trouble alone is said
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// With the whole report of each change
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Whether to use colour (auto: on a terminal, unless NO_COLOR is set)
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: When,
    /// Say what would be done and contacted, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ToldFormat {
    // For a person
    Terminal,
    // One object a line
    Ndjson,
}

impl ToldArgs {
    /// The format, `--json` being one.
    pub(crate) fn format(&self) -> ToldFormat {
        if self.json { ToldFormat::Ndjson } else { self.format }
    }
}

impl WatchArgs {
    /// What is typed for each of the checks.
    pub(crate) fn check(&self) -> CheckArgs {
        CheckArgs {
            targets: self.targets.clone(),
            list: ListArgs { file: self.file.clone(), concurrency: self.concurrency },
            thresholds: self.thresholds.clone(),
            login: self.login.clone(),
            tls: self.tls.clone(),
            what: self.what.clone(),
            network: self.network.clone(),
            output: OutputArgs {
                format: match self.output.format() {
                    ToldFormat::Terminal => Format::Terminal,
                    ToldFormat::Ndjson => Format::Ndjson,
                },
                json: false,
                output: None,
                quiet: self.output.quiet,
                verbose: self.output.verbose,
                trace: false,
                color: self.output.color,
                dry_run: self.output.dry_run,
            },
            from: None,
        }
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    let interval = duration(text)?;
    if interval < SHORTEST_INTERVAL {
        let shortest = humantime::format_duration(SHORTEST_INTERVAL);
        return Err(format!(
            "{shortest} is the shortest interval: a check opens about ten connections, and the server has others to serve"
        ));
    }
    Ok(interval)
}
