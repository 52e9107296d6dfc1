//! The lab: the real program against real FTP servers, behind real NAT and real firewalls, in network namespaces.
//!
//! It needs root, and the servers that `tests/lab/fetch-servers` brings. `PASVCHECK_LAB=1 cargo test --test lab` runs it;
//! with `PASVCHECK_LAB=must` it is a failure if it cannot run. `PASVCHECK_LAB_ONLY=words` picks the scenarios whose name
//! or server holds these words, and `PASVCHECK_LAB_RECORD=1` writes the dialogues to `fixtures/replies/`.

#![allow(clippy::format_push_string, reason = "files of a few lines, put together once")]

mod audit;
mod daemons;
mod firewall;
mod link;
mod namespaces;
mod printed;
mod record;
mod run;
mod scenarios;
mod shell;
mod site;
mod table;

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use daemons::Daemon;
use namespaces::{Watchman, World, remove_leftovers};
use pasvcheck::clock::Stopwatch;
use run::Done;
use scenarios::{Case, Way};
use shell::{command, exists};
use site::Site;

/// Half of the round trip of the far world.
const DELAY: Duration = Duration::from_millis(25);

/// The worlds that run side by side. Most scenarios wait most of the time.
const WORLDS: [(char, Way); 4] = [('a', Way::Near), ('b', Way::Near), ('c', Way::Near), ('d', Way::Far)];

type Job = (&'static Case, Daemon);

#[test]
fn real_servers_behind_real_routers() {
    let wanted = std::env::var("PASVCHECK_LAB").unwrap_or_default();
    let reason = match wanted.as_str() {
        "must" | "1" => obstacle(),
        _ => Some("it takes minutes and root; PASVCHECK_LAB=1 runs it".to_owned()),
    };
    if let Some(reason) = reason {
        assert!(wanted != "must", "the lab cannot run: {reason}");
        table::say(&format!("the lab was not run: {reason}"));
        return;
    }
    let clock = Stopwatch::start();
    let mut done = run_all().expect("the lab is built");
    done.sort_by_key(|done| (done.case.name, done.daemon.name()));
    table::show(&done, clock.elapsed());
    let failed = done.iter().filter(|done| !done.complaints.is_empty()).count();
    assert!(failed == 0, "{failed} of {} scenarios came out otherwise", done.len());
}

/// Why the lab cannot run here.
fn obstacle() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if !status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0")) {
        return Some("it needs root".to_owned());
    }
    if let Some(program) = ["ip", "nft", "sysctl", "unshare", "setpriv", "timeout", "openssl"]
        .into_iter()
        .find(|name| !exists(name))
    {
        return Some(format!("there is no {program}"));
    }
    if !command("unshare", &["--net", "--pid", "--fork", "true"])
        .status()
        .is_ok_and(|status| status.success())
    {
        return Some("namespaces are not allowed here".to_owned());
    }
    if !Site::servers_folder().join("fetched").exists() {
        return Some("the servers are not there; tests/lab/fetch-servers brings them".to_owned());
    }
    None
}

fn run_all() -> Result<Vec<Done>, String> {
    remove_leftovers();
    let site = Site::prepare()?;
    let _watchman = Watchman::start(site.root())?;
    let only = std::env::var("PASVCHECK_LAB_ONLY").unwrap_or_default();
    let chosen = |job: &Job| format!("{} {}", job.0.name, job.1).contains(&only);
    let (far, near): (VecDeque<Job>, VecDeque<Job>) =
        scenarios::jobs().into_iter().filter(chosen).partition(|job| job.0.way == Way::Far);
    let (far, near) = (Mutex::new(far), Mutex::new(near));
    let done = Mutex::new(Vec::new());
    let work = |letter: char, way: Way| -> Result<(), String> {
        let queue = if way == Way::Far { &far } else { &near };
        if queue.lock().expect("no worker panics").is_empty() {
            return Ok(());
        }
        let world = World::build(letter, &site, (way == Way::Far).then_some(DELAY))?;
        while let Some((case, daemon)) = { queue.lock().expect("no worker panics").pop_front() } {
            let result = run::run(&world, &site, case, daemon);
            keep(&result);
            done.lock().expect("no worker panics").push(result);
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers = WORLDS.map(|(letter, way)| scope.spawn(move || work(letter, way)));
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| "a worker panicked".to_owned())?)
    })?;
    done.into_inner().map_err(|error| error.to_string())
}

/// Keeps what is asked for, and the report of what went wrong.
fn keep(done: &Done) {
    if std::env::var_os("PASVCHECK_LAB_RECORD").is_some()
        && let Err(error) = record::keep(done)
    {
        table::say(&error);
    }
    if let (Some(report), false) = (&done.report, done.complaints.is_empty()) {
        let folder = Site::servers_folder().join("failed");
        let file = folder.join(format!("{}-{}.json", record::slug(done.case.name), done.daemon));
        let text = serde_json::to_string_pretty(report).unwrap_or_default();
        let _ = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(file, text));
    }
}
