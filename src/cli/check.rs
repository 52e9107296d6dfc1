//! `pasvcheck check`, and `pasvcheck TARGET`.

use std::sync::Arc;
use std::time::Duration;

use pasvcheck::finding::Verdict;
use pasvcheck::fleet::Fleet;
use pasvcheck::net::survey::raise_file_limit;
use pasvcheck::net::{Network, System};
use pasvcheck::plan::Plan;
use pasvcheck::report::Report;

use super::args::{CheckArgs, OutputArgs};
use super::output::{Console, Spinner, renderer};
use super::plans::{Planner, describe, thresholds};
use super::targets::Targets;
use super::{Problem, many, policy, saved};

/// The words that name commands, present and to come.
const COMMANDS: [&str; 12] = [
    "check",
    "audit",
    "serve",
    "fix",
    "diff",
    "explain",
    "demo",
    "watch",
    "exporter",
    "schema",
    "completions",
    "man",
];

/// An option before a command makes the command a target: `pasvcheck -q demo` would look for a host called demo.
pub(super) fn no_command_among(targets: &[String]) -> Result<(), Problem> {
    match targets.iter().find(|target| COMMANDS.contains(&target.as_str())) {
        Some(word) => Err(Problem::new(format!(
            "\"{word}\" is a command: write options after it (pasvcheck {word} ...); a host of that name is checked by \
             pasvcheck check {word}"
        ))),
        None => Ok(()),
    }
}

pub(crate) fn run(args: &CheckArgs, console: &mut Console) -> Result<u8, Problem> {
    if let Some(path) = &args.from {
        return again(args, saved::report(path)?, console);
    }
    if args.output.dry_run {
        return dry_run(args, console);
    }
    if let ([target], None) = (args.targets.as_slice(), &args.list.file) {
        let planner = Planner::new(args.clone(), true)?;
        return one(&planner.plan(args, target)?, args, console);
    }
    many::run(args, console)
}

/// Diagnoses a saved report again. Thresholds of the command line stand in for those of the report.
fn again(args: &CheckArgs, mut report: Report, console: &mut Console) -> Result<u8, Problem> {
    let policy = policy::read(args.what.policy.as_deref())?;
    let facts = policy::facts(policy.as_ref(), args.what.policy.as_deref());
    if facts.is_some() {
        report.evidence.told.policy = facts;
    }
    if args.thresholds.warning.is_some() || args.thresholds.critical.is_some() {
        report.thresholds.clear();
    }
    let mut report = report.again();
    report.hold(&thresholds(&args.thresholds));
    show(&report, &args.output, console)?;
    Ok(report.verdict.exit_code())
}

/// Says what would be done.
fn dry_run(args: &CheckArgs, console: &mut Console) -> Result<u8, Problem> {
    let planner = Planner::new(args.clone(), false)?;
    for target in &args.targets {
        console.write(&describe(&planner.plan(args, target)?, &args.output))?;
    }
    if let Some(path) = &args.list.file {
        for plan in Targets::open(path, &planner)? {
            console.write(&describe(&plan?, &args.output))?;
        }
    }
    console.finish()?;
    Ok(Verdict::Ok.exit_code())
}

/// Checks one target, with a live line for the person who waits.
fn one(plan: &Plan, args: &CheckArgs, console: &mut Console) -> Result<u8, Problem> {
    console.prepare()?;
    if plan.scan || plan.range.is_some() {
        raise_file_limit();
    }
    let runtime = runtime()?;
    let spinner = Spinner::new(console.shows_progress());
    let report = runtime.block_on(Fleet::new(network(args), 1).check(plan, &spinner));
    spinner.done();
    // The system's resolver may still sit in its own time-out on a thread of the runtime: it is not waited for.
    runtime.shutdown_timeout(Duration::from_millis(10));
    show(&report, &args.output, console)?;
    Ok(report.verdict.exit_code())
}

/// The real network, with the user's wishes.
pub(super) fn network(args: &CheckArgs) -> Arc<dyn Network> {
    let network = &args.network;
    Arc::new(System { bind: network.bind, dns: network.dns, given: network.resolve.clone() })
}

/// One thread is enough: checks wait more than they work.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Problem::new(format!("the system gives no I/O facility: {error}")))
}

/// Writes one report in the format asked for.
pub(super) fn show(report: &Report, args: &OutputArgs, console: &mut Console) -> Result<(), Problem> {
    let mut renderer = renderer(args, false, console.style);
    console.write(&renderer.add(report))?;
    console.write(&renderer.finish())?;
    console.finish()
}
