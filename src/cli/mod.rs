//! The command line: what was typed → what is meant. Parsing does nothing else; the commands run in their own files.

mod args;
mod audit;
mod check;
mod demo;
mod diff;
mod explain;
mod exporter;
mod fix;
mod manual;
mod many;
mod netrc;
mod output;
mod password;
mod plans;
mod policy;
mod saved;
mod serve;
mod settings;
mod targets;
mod tls;
mod watch;

use std::ffi::OsString;
use std::io::Write;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

pub(crate) use args::{Cli, Command};
use output::Console;

/// The exit code of bad usage, and of everything else that could not be checked: what a monitor calls UNKNOWN. clap's own
/// would be 2, which a monitor takes for a broken server.
const COULD_NOT_CHECK: u8 = 3;

/// A problem that ends the program, worded so that it says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Problem(pub(crate) String);

impl Problem {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// Runs a command line and returns the exit code.
pub(crate) fn run(args: impl Iterator<Item = OsString>) -> u8 {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let mut console = Console::new(&cli.check.output);
    match command(cli, &mut console) {
        Ok(code) => code,
        Err(problem) => {
            console.complain(&problem.to_string());
            COULD_NOT_CHECK
        }
    }
}

fn command(cli: Cli, console: &mut Console) -> Result<u8, Problem> {
    match cli.command {
        None => {
            check::no_command_among(&cli.check.targets)?;
            check::run(&cli.check, console)
        }
        Some(Command::Check(args)) => {
            *console = Console::new(&args.output);
            check::run(&args, console)
        }
        Some(Command::Audit(args)) => audit::run(&args, console),
        Some(Command::Demo(args)) => demo::run(&args, console),
        Some(Command::Serve(args)) => serve::run(&args, console),
        Some(Command::Fix(args)) => fix::run(&args, console),
        Some(Command::Diff(args)) => diff::run(&args, console),
        Some(Command::Exporter(args)) => exporter::run(&args, console),
        Some(Command::Watch(args)) => watch::run(&args, console),
        Some(Command::Explain(args)) => explain::run(&args, console),
        Some(Command::Schema) => manual::schema(console),
        Some(Command::Completions(args)) => manual::completions(args.shell, console),
        Some(Command::Man(args)) => manual::page(args.command.as_deref(), console),
    }
}

/// clap's word on bad usage (exit 3), or the help and version that were asked for (exit 0).
fn usage(error: &clap::Error) -> u8 {
    let asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let text = error.render();
    let written = if asked_for {
        write!(anstream::stdout(), "{}", text.ansi())
    } else if error.kind() == ErrorKind::MissingRequiredArgument {
        let help = Cli::command().render_usage();
        write!(anstream::stderr(), "{}\n{}\n", text.ansi(), help.ansi())
    } else {
        write!(anstream::stderr(), "{}", text.ansi())
    };
    // A closed pipe is no error.
    let _ = written;
    if asked_for { 0 } else { COULD_NOT_CHECK }
}
