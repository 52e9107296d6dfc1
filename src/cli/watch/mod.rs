//! `pasvcheck watch`: the targets, the webhook's secrets, the signals, and what is said.
//!
//! The checks run on this thread; what is said is written on another one, so that a reader who does not read holds up neither
//! a check nor the end.

mod args;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use pasvcheck::finding::Verdict;
use pasvcheck::fleet::Fleet;
use pasvcheck::net::survey::raise_file_limit;
use pasvcheck::net::webhook::Webhook;
use pasvcheck::plan::Plan;
use pasvcheck::report::style::Style;
use pasvcheck::report::terminal::{Amount, render};
use pasvcheck::watch::backlog::Backlog;
use pasvcheck::watch::deliver::{Message, Outbox, Trouble};
use pasvcheck::watch::pace::Chance;
use pasvcheck::watch::{Ended, Event, Rounds, watch};

pub(crate) use args::{AFTER_HELP, WatchArgs};
use args::{ToldArgs, ToldFormat, WebhookArgs};

use super::Problem;
use super::args::CheckArgs;
use super::check::{network, runtime};
use super::output::Console;
use super::plans::{Planner, describe};
use super::serve::stop;
use super::targets::Targets;

/// Faults of a list that are told before it is given up.
const FAULTS_TOLD: usize = 10;

/// Lines, and their bytes together, that wait for a reader who does not read.
const LINES_WAITING: usize = 1024;
const BYTES_WAITING: usize = 16 * 1024 * 1024;

/// How long a reader has at the end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Exit code: the worst state that was told last; 3 if it cannot begin.
pub(crate) fn run(args: &WatchArgs, console: &mut Console) -> Result<u8, Problem> {
    let check = args.check();
    *console = Console::new(&check.output);
    let webhook = webhook(&args.webhook)?;
    let plans = plans(&check, !args.output.dry_run)?;
    let rounds =
        Rounds { interval: args.rounds.interval, confirm: args.rounds.confirm, count: args.rounds.count };
    if args.output.dry_run {
        return dry_run(&check, &plans, &rounds, webhook.as_ref(), console);
    }
    raise_file_limit();
    let runtime = runtime()?;
    let printer = Printer::start(Console::new(&check.output), args.output.clone());
    let watching = welcome(plans.len(), &rounds, webhook.as_ref());
    if !args.output.quiet {
        printer.aside(&watching);
    }
    let ended = runtime.block_on(go(&check, plans, rounds, webhook, &printer));
    // The system's resolver may still sit in its own time-out on a thread of the runtime: it is not waited for.
    runtime.shutdown_timeout(Duration::from_millis(10));
    let ended = ended?;
    if !args.output.quiet {
        printer.aside(&account(&ended));
    }
    printer.finish()?;
    Ok(ended.worst().exit_code())
}

/// All of the targets, before the first packet: what is wrong with one is said now, and not at night.
fn plans(check: &CheckArgs, with_passwords: bool) -> Result<Vec<Plan>, Problem> {
    let from_stdin = check.list.file.as_deref().is_some_and(|path| path.as_os_str() == "-");
    if from_stdin && check.login.password_stdin {
        return Err(Problem::new("standard input can be the list or the password, not both"));
    }
    let planner = Planner::new(check.clone(), with_passwords)?;
    let mut plans =
        check.targets.iter().map(|target| planner.plan(check, target)).collect::<Result<Vec<_>, _>>()?;
    let mut faults = Vec::new();
    if let Some(path) = &check.list.file {
        for plan in Targets::open(path, &planner)? {
            match plan {
                Ok(plan) => plans.push(plan),
                Err(fault) => faults.push(fault.to_string()),
            }
            if faults.len() == FAULTS_TOLD {
                break;
            }
        }
    }
    if !faults.is_empty() {
        return Err(Problem::new(faults.join("\npasvcheck: ")));
    }
    if plans.is_empty() {
        return Err(Problem::new("the list holds no target"));
    }
    Ok(plans)
}

/// The receiver, with the headers' values from the environment. No complaint quotes what may be a secret.
fn webhook(args: &WebhookArgs) -> Result<Option<Webhook>, Problem> {
    let Some(url) = args.url.as_deref().filter(|url| !url.is_empty()) else { return Ok(None) };
    let headers = args.headers.iter().map(|typed| header(typed)).collect::<Result<Vec<_>, _>>()?;
    let webhook = Webhook::new(url, &headers).map_err(|error| Problem::new(format!("--webhook: {error}")))?;
    Ok(Some(webhook))
}

/// `Authorization=HOOK_AUTH` → the header and the variable's value.
fn header(typed: &str) -> Result<(String, String), Problem> {
    let wrong = || {
        Problem::new(
            "--webhook-header: write NAME=ENVVAR, the header and the environment variable that holds its value (for example \
             Authorization=HOOK_AUTH); the value itself stays out of the command line",
        )
    };
    let (name, variable) = typed.split_once('=').ok_or_else(wrong)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let starts = variable.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if name.is_empty() || !starts || !variable.chars().all(plain) {
        return Err(wrong());
    }
    match std::env::var(variable) {
        Ok(value) if !value.trim().is_empty() => Ok((name.to_owned(), value.trim().to_owned())),
        // Somebody may have written the value in place of the variable's name: it is not repeated.
        _ => Err(Problem::new(format!(
            "--webhook-header {name}: the environment variable that it names is not set, or empty"
        ))),
    }
}

fn dry_run(
    check: &CheckArgs,
    plans: &[Plan],
    rounds: &Rounds,
    webhook: Option<&Webhook>,
    console: &mut Console,
) -> Result<u8, Problem> {
    for plan in plans {
        console.write(&describe(plan, &check.output))?;
    }
    Console::remark(&format!("would be {}", welcome(plans.len(), rounds, webhook)));
    Ok(Verdict::Ok.exit_code())
}

/// The checks, the delivery and the signals, until the end.
async fn go(
    check: &CheckArgs,
    plans: Vec<Plan>,
    rounds: Rounds,
    webhook: Option<Webhook>,
    printer: &Printer,
) -> Result<Ended, Problem> {
    let fleet = Fleet::new(network(check), check.list.concurrency);
    let mut chance = Chance::of_system();
    let delivery_chance = Chance::new(chance.bits());
    let outbox = webhook.as_ref().map(|_| Outbox::default());
    let trouble = |trouble| printer.aside(&complaint(&trouble));
    let told = |event: Event| {
        if let Some(outbox) = &outbox {
            let about = format!("{} of {}", event.kind(), event.report.name());
            outbox.add(Message { about, body: event.json(true) }, &trouble);
        }
        printer.event(&event);
    };
    let (signal, quiet) = (stop()?, check.output.quiet);
    let stop = async {
        tokio::select! {
            () = signal => if !quiet {
                printer.aside("ending: checks under way get two seconds, messages five");
            },
            () = printer.reader_gone.cancelled() => {}
        }
    };
    let watching = watch(&fleet, plans, rounds, chance, stop, &told);
    match (&outbox, &webhook) {
        (Some(outbox), Some(webhook)) => {
            Ok(outbox.deliver_during(watching, webhook, delivery_chance, &trouble).await)
        }
        _ => Ok(watching.await),
    }
}

/// Something to write: on standard output, or beside it.
#[derive(Debug)]
enum Line {
    News(String),
    Aside(String),
}

/// Writes on a thread of its own.
struct Printer {
    args: ToldArgs,
    style: Style,
    lines: Arc<Backlog<Line>>,
    lost: Arc<AtomicU64>,
    /// Nobody reads standard output any more.
    reader_gone: CancellationToken,
    done: mpsc::Receiver<Result<(), Problem>>,
}

impl Printer {
    fn start(mut console: Console, args: ToldArgs) -> Self {
        let lines = Arc::new(Backlog::new(LINES_WAITING, BYTES_WAITING));
        let (lost, reader_gone) = (Arc::new(AtomicU64::new(0)), CancellationToken::new());
        let (tell_done, done) = mpsc::channel();
        let printer = Self {
            args,
            style: console.style,
            lines: Arc::clone(&lines),
            lost: Arc::clone(&lost),
            reader_gone: reader_gone.clone(),
            done,
        };
        std::thread::spawn(move || {
            let result = print(&lines, &lost, &reader_gone, &mut console);
            reader_gone.cancel();
            let _ = tell_done.send(result);
        });
        printer
    }

    fn event(&self, event: &Event) {
        self.push(Line::News(text(event, &self.args, &self.style)));
    }

    fn aside(&self, text: &str) {
        self.push(Line::Aside(text.to_owned()));
    }

    fn push(&self, line: Line) {
        let (Line::News(text) | Line::Aside(text)) = &line;
        let bytes = text.len();
        let dropped = self.lines.push(line, bytes).len();
        self.lost.fetch_add(u64::try_from(dropped).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Waits a moment for what is still to be written. A reader who does not read is not waited for.
    fn finish(self) -> Result<(), Problem> {
        self.lines.close();
        self.done.recv_timeout(LAST_WORDS).unwrap_or(Ok(()))
    }
}

fn print(
    lines: &Backlog<Line>,
    lost: &AtomicU64,
    reader_gone: &CancellationToken,
    console: &mut Console,
) -> Result<(), Problem> {
    let runtime = runtime()?;
    while let Some(line) = runtime.block_on(lines.next()) {
        let missing = lost.swap(0, Ordering::Relaxed);
        if missing > 0 {
            Console::remark(&format!(
                "{missing} older messages were not shown: nobody took them for too long"
            ));
        }
        match line {
            Line::Aside(text) => Console::remark(&text),
            Line::News(text) => console.write(&text)?,
        }
        if console.closed() {
            reader_gone.cancel();
        }
    }
    Ok(())
}

fn text(event: &Event, args: &ToldArgs, style: &Style) -> String {
    match args.format() {
        ToldFormat::Ndjson => event.json(args.verbose),
        ToldFormat::Terminal if args.quiet => event.line(style),
        ToldFormat::Terminal if args.verbose => {
            format!("{}{}\n", event.line(style), render(&event.report, style, Amount::Usual))
        }
        ToldFormat::Terminal => event.paragraph(style),
    }
}

fn welcome(targets: usize, rounds: &Rounds, webhook: Option<&Webhook>) -> String {
    let targets = if targets == 1 { "1 target".to_owned() } else { format!("{targets} targets") };
    let every = humantime::format_duration(rounds.interval);
    let confirm = match rounds.confirm {
        1 => "at once".to_owned(),
        number => format!("after {number} equal results"),
    };
    let count = match rounds.count {
        None => String::new(),
        Some(1) => " for 1 round".to_owned(),
        Some(count) => format!(" for {count} rounds"),
    };
    let hook = webhook.map_or_else(String::new, |hook| format!("; messages go to {}", hook.place()));
    format!("watching {targets} every {every}{count}; a change is told {confirm}{hook}")
}

/// `ended with 3 targets: 1 critical, 2 ok`.
fn account(ended: &Ended) -> String {
    let total: usize = ended.counts.values().sum();
    let words: Vec<String> =
        ended.counts.iter().rev().map(|(verdict, count)| format!("{count} {verdict}")).collect();
    let targets = if total == 1 { "target" } else { "targets" };
    format!("ended with {total} {targets}: {}", words.join(", "))
}

fn complaint(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Dropped { about } => {
            format!("webhook: too many messages wait, and the oldest was dropped: {about}")
        }
        Trouble::Failing { about, why } => {
            format!("webhook: {about} was not taken yet, and is tried again: {why}")
        }
        Trouble::GivenUp { about, tries: 1, why } => format!("webhook: not delivered: {about}: {why}"),
        Trouble::GivenUp { about, tries, why } => {
            format!("webhook: not delivered after {tries} tries: {about}: {why}")
        }
        Trouble::Left { messages: 1 } => "webhook: 1 message was not delivered before the end".to_owned(),
        Trouble::Left { messages } => {
            format!("webhook: {messages} messages were not delivered before the end")
        }
    }
}
