//! Several targets: the list is read on one thread, checked on a second, and reported here, so that neither a slow list nor
//! a slow reader of the output holds up a clock.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::mpsc;

use pasvcheck::finding::Verdict;
use pasvcheck::fleet::Fleet;
use pasvcheck::net::survey::raise_file_limit;
use pasvcheck::plan::Plan;
use pasvcheck::report::Report;

use super::Problem;
use super::args::CheckArgs;
use super::check::{network, runtime};
use super::output::{Console, Spinner, renderer};
use super::plans::Planner;
use super::targets::Targets;

/// Plans that are made ahead, and reports that wait to be written.
const AHEAD: usize = 16;

/// Faults of a list that are told before it is given up.
const FAULTS_TOLD: usize = 10;

/// Checks the targets of the command line and of the list; the worst verdict is the exit code.
pub(super) fn run(args: &CheckArgs, console: &mut Console) -> Result<u8, Problem> {
    let planner = Planner::new(args.clone(), true)?;
    // What is wrong with a target is said before the first packet, where the list can be read twice.
    let first =
        args.targets.iter().map(|target| planner.plan(args, target)).collect::<Result<Vec<_>, _>>()?;
    look_through(args)?;
    console.prepare()?;
    raise_file_limit();
    let reports = begin(args, planner, first)?;
    report(args, reports, console)
}

/// Reads a list that is a file once before the run, and tells its faults.
fn look_through(args: &CheckArgs) -> Result<(), Problem> {
    let Some(path) = args.list.file.as_deref() else { return Ok(()) };
    if path.as_os_str() == "-" {
        if args.login.password_stdin {
            return Err(Problem::new("standard input can be the list or the password, not both"));
        }
        return Ok(());
    }
    if !path.is_file() {
        return Ok(());
    }
    let planner = Planner::new(args.clone(), false)?;
    let faults: Vec<String> = Targets::open(path, &planner)?
        .filter_map(|plan| Some(plan.err()?.to_string()))
        .take(FAULTS_TOLD)
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(Problem::new(faults.join("\npasvcheck: "))) }
}

/// What comes out of the threads: a report, or a target that could not be planned.
type Done = Result<Report, Problem>;

/// The two threads. They are left alone at the end: the list may be a pipe that nobody closes.
struct Reports {
    done: mpsc::Receiver<Done>,
    checker: std::thread::JoinHandle<()>,
}

/// Begins to read and to check.
fn begin(args: &CheckArgs, planner: Planner, first: Vec<Plan>) -> Result<Reports, Problem> {
    let fleet = Fleet::new(network(args), args.list.concurrency);
    let runtime = runtime()?;
    let (plans, plans_out) = mpsc::channel(AHEAD);
    let (reports, done) = mpsc::channel(AHEAD);
    std::thread::spawn(move || feed(&planner, first, &plans));
    let checker = std::thread::spawn(move || {
        runtime.block_on(fleet.check_all(plans_out, reports));
        // The system's resolver may still sit in its own time-out: it is not waited for.
        runtime.shutdown_timeout(Duration::from_millis(10));
    });
    Ok(Reports { done, checker })
}

/// Hands over plan after plan, as there is room for them.
fn feed(planner: &Planner, first: Vec<Plan>, plans: &mpsc::Sender<Result<Plan, Problem>>) {
    for plan in first {
        if plans.blocking_send(Ok(plan)).is_err() {
            return;
        }
    }
    let Some(path) = &planner.args.list.file else { return };
    match Targets::open(path, planner) {
        Err(problem) => {
            let _ = plans.blocking_send(Err(problem));
        }
        Ok(targets) => {
            for plan in targets {
                if plans.blocking_send(plan).is_err() {
                    return;
                }
            }
        }
    }
}

/// Writes what ends, as it ends.
fn report(args: &CheckArgs, mut reports: Reports, console: &mut Console) -> Result<u8, Problem> {
    let mut renderer = renderer(&args.output, true, console.style);
    let spinner = Spinner::new(console.shows_progress());
    let mut counts: BTreeMap<Verdict, usize> = BTreeMap::new();
    while let Some(done) = reports.done.blocking_recv() {
        let verdict = match done {
            Ok(report) => {
                let text = renderer.add(&report);
                spinner.aside(|| console.write(&text))?;
                report.verdict
            }
            Err(problem) => {
                spinner.aside(|| console.complain(&problem.to_string()));
                Verdict::Unknown
            }
        };
        *counts.entry(verdict).or_default() += 1;
        spinner.tell(&progress(&counts));
        if console.closed() {
            break;
        }
    }
    spinner.done();
    if !console.closed() && reports.checker.join().is_err() {
        return Err(Problem::new(
            "a check ended in a fault of pasvcheck itself; the targets after it were not checked",
        ));
    }
    console.write(&renderer.finish())?;
    console.finish()?;
    let worst = counts.into_keys().max();
    worst.map(Verdict::exit_code).ok_or_else(|| Problem::new("the list holds no target"))
}

/// `120 done: 3 critical, 117 ok`.
fn progress(counts: &BTreeMap<Verdict, usize>) -> String {
    let total: usize = counts.values().sum();
    let words: Vec<String> =
        counts.iter().rev().map(|(verdict, count)| format!("{count} {verdict}")).collect();
    format!("{total} done: {}", words.join(", "))
}
