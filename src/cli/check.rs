//! `pasvcheck check`, and `pasvcheck TARGET`.

use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use pasvcheck::checks;
use pasvcheck::clock::{Stopwatch, wall_clock};
use pasvcheck::finding::Verdict;
use pasvcheck::ftp::Argument;
use pasvcheck::net::survey::raise_file_limit;
use pasvcheck::net::{Network, System};
use pasvcheck::plan::{Families, Plan, Request};
use pasvcheck::probe;
use pasvcheck::report::{Report, json, terminal};

use super::args::{CheckArgs, Format, OutputArgs, PublicAddress};
use super::output::{Console, Spinner};
use super::{Problem, password, tls};

/// Largest report file that is read.
const REPORT_LIMIT: u64 = 64 * 1024 * 1024;

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
        let report = saved(path)?.again();
        show(&report, &args.output, false, console)?;
        console.finish()?;
        return Ok(report.verdict.exit_code());
    }
    let plans = args.targets.iter().map(|target| plan(args, target)).collect::<Result<Vec<_>, _>>()?;
    if args.output.dry_run {
        for plan in &plans {
            console.write(&describe(plan, &args.output))?;
        }
        console.finish()?;
        return Ok(Verdict::Ok.exit_code());
    }
    if plans.iter().any(|plan| plan.scan || plan.range.is_some()) {
        raise_file_limit();
    }
    let network =
        System { bind: args.network.bind, dns: args.network.dns, given: args.network.resolve.clone() };
    let mut worst = Verdict::Ok;
    for plan in &plans {
        let report = check(plan, &network, console)?;
        worst = worst.max(report.verdict);
        show(&report, &args.output, plans.len() > 1, console)?;
    }
    console.finish()?;
    Ok(worst.exit_code())
}

/// Runs one check on a network, with a live line for the person who waits.
fn check(plan: &Plan, network: &dyn Network, console: &Console) -> Result<Report, Problem> {
    let runtime = runtime()?;
    let (started_at, clock) = (wall_clock(), Stopwatch::start());
    let spinner = Spinner::new(console.shows_progress());
    let evidence = runtime.block_on(probe::run(plan, network, &spinner));
    spinner.done();
    // The system's resolver may still sit in its own time-out on a thread of the runtime: it is not waited for.
    runtime.shutdown_timeout(Duration::from_millis(10));
    let duration = u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Report::new(evidence, started_at, duration))
}

/// One thread is enough: the check waits more than it works.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Problem::new(format!("the system gives no I/O facility: {error}")))
}

/// Writes a report in the format asked for.
pub(super) fn show(
    report: &Report,
    args: &OutputArgs,
    several: bool,
    console: &mut Console,
) -> Result<(), Problem> {
    let text = match format(args) {
        Format::Json if several => json::line(report),
        Format::Json => json::pretty(report),
        Format::Ndjson => json::line(report),
        Format::Terminal => {
            let style = console.style;
            let trace = if args.trace { terminal::trace(report, &style) } else { String::new() };
            let gap = if several { "\n" } else { "" };
            format!("{}{trace}{gap}", terminal::render(report, &style, amount(args)))
        }
    };
    console.write(&text)
}

fn format(args: &OutputArgs) -> Format {
    if args.json { Format::Json } else { args.format }
}

fn amount(args: &OutputArgs) -> terminal::Amount {
    match (args.quiet, args.verbose) {
        (true, _) => terminal::Amount::Line,
        (_, true) => terminal::Amount::Everything,
        _ => terminal::Amount::Usual,
    }
}

/// What was typed → what is meant.
fn plan(args: &CheckArgs, target: &str) -> Result<Plan, Problem> {
    let request: Request = target.parse().map_err(|error| Problem::new(format!("target: {error}")))?;
    let mut plan = Plan::new(request.target);
    plan.login = password::credentials(&args.login, request.user.as_ref(), !args.output.dry_run)?;
    plan.directory = request.directory;
    plan.tls = tls::plan(&args.tls, request.implicit_tls)?;
    plan.range = args.what.range;
    plan.scan = args.what.scan;
    plan.idle = args.what.idle;
    plan.rate = args.network.rate;
    let download = args.what.download.as_deref().map(Argument::new).transpose();
    plan.download = download.map_err(|error| Problem::new(format!("--download cannot be sent: {error}")))?;
    plan.upload = args.what.upload;
    plan.public_address = match args.network.public_address {
        Some(PublicAddress::Given(address)) => Some(address),
        Some(PublicAddress::None) | None => None,
    };
    plan.families = families(args)?;
    plan.follow_private = args.network.follow_private;
    plan.checks = wanted_checks(&args.what.only, &args.what.skip);
    if let Some(deadline) = args.network.deadline {
        plan.limits.run = deadline;
    } else if plan.scan {
        // 65,535 ports at the usual pace, and the second look at the silent ones.
        plan.limits.run = Duration::from_secs(600);
    } else if plan.download.is_some() || plan.upload.is_some() {
        // A file takes as long as it takes; that it stalls is noticed by itself.
        plan.limits.run = Duration::from_secs(3600);
    }
    if let (Some(idle), None) = (args.what.idle, args.network.deadline) {
        // Once without and once with keep-alive.
        plan.limits.run += idle * 2;
    }
    if let Some(timeout) = args.network.timeout {
        plan.limits.connect = timeout;
    }
    Ok(plan)
}

/// The families asked for; an address to connect from decides too.
fn families(args: &CheckArgs) -> Result<Families, Problem> {
    let network = &args.network;
    if let Some(bind) = network.bind {
        let here = std::net::UdpSocket::bind((bind, 0));
        here.map_err(|error| {
            Problem::new(format!("--bind {bind}: this host has no such address ({error})"))
        })?;
    }
    match (network.ipv4, network.ipv6, network.bind) {
        (true, _, Some(bind)) if bind.is_ipv6() => {
            Err(Problem::new("-4 and an IPv6 address in --bind exclude each other"))
        }
        (_, true, Some(bind)) if bind.is_ipv4() => {
            Err(Problem::new("-6 and an IPv4 address in --bind exclude each other"))
        }
        (true, ..) => Ok(Families::Ipv4),
        (_, true, _) => Ok(Families::Ipv6),
        (_, _, Some(bind)) => Ok(if bind.is_ipv4() { Families::Ipv4 } else { Families::Ipv6 }),
        _ => Ok(Families::Both),
    }
}

fn wanted_checks(only: &[String], skip: &[String]) -> Vec<&'static str> {
    let wanted: Vec<&str> = only.iter().flat_map(|name| checks::with_needs(name)).collect();
    checks::ALL
        .iter()
        .map(|check| check.name)
        .filter(|name| only.is_empty() || wanted.contains(name) || *name == "resolve")
        .filter(|name| !skip.iter().any(|skipped| checks::with_needs(name).contains(&skipped.as_str())))
        .collect()
}

/// The plan for a person, or as JSON.
fn describe(plan: &Plan, args: &OutputArgs) -> String {
    if format(args) != Format::Terminal {
        return serde_json::to_string_pretty(plan).unwrap_or_default() + "\n";
    }
    let user = match &plan.login {
        pasvcheck::plan::Credentials::Anonymous => "anonymous".to_owned(),
        pasvcheck::plan::Credentials::Named { user, .. } => {
            format!("{} (its password is not shown)", user.as_str())
        }
    };
    let mut text = format!("Would check {} port {} as {user}:\n", plan.target.host, plan.target.port);
    for check in checks::ALL.iter().filter(|check| plan.runs(check.name)) {
        let _ = writeln!(text, "  {:<16} {}", check.name, check.question);
    }
    text.push_str(
        "Contacted: the DNS resolver, every address of the host (control port and the data ports that it announces), and at \
         most two connects to other addresses that the server names, on which nothing is sent.\n",
    );
    let private =
        if plan.follow_private { "also followed" } else { "only followed inside their own network" };
    let _ = writeln!(
        text,
        "Private addresses named by the server are {private}; loopback and link-local ones never."
    );
    if let Some(size) = plan.upload.filter(|_| plan.runs("transfer")) {
        let plural = if size == 1 { "" } else { "s" };
        let _ = writeln!(
            text,
            "Writes a file pasvcheck-….tmp of {size} byte{plural} to the server, at each of its addresses, and removes it."
        );
    }
    let limits = plan.limits;
    let _ = writeln!(text, "Ends after {} s at the latest.", limits.run.as_secs_f64());
    text
}

fn saved(path: &Path) -> Result<Report, Problem> {
    let name = path.display();
    let unreadable =
        |error: std::io::Error| Problem::new(format!("the report {name} cannot be read: {error}"));
    let mut text = String::new();
    if path.as_os_str() == "-" {
        std::io::stdin().lock().take(REPORT_LIMIT).read_to_string(&mut text).map_err(unreadable)?;
    } else {
        let file = std::fs::File::open(path).map_err(unreadable)?;
        file.take(REPORT_LIMIT).read_to_string(&mut text).map_err(unreadable)?;
    }
    let report = json::read(&text).map_err(|error| Problem::new(format!("{name}: {error}")))?;
    // The host goes into commands to paste: a report from elsewhere must not bring a shell's words along.
    let host = &report.evidence.target.host;
    match host.parse::<Request>() {
        Ok(request) if &request.target.host == host => Ok(report),
        _ => Err(Problem::new(format!("{name}: its target is no host name or address"))),
    }
}
