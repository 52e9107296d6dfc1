//! One scenario on one server: set up, check, compare.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::time::Duration;

use pasvcheck::clock::Stopwatch;
use pasvcheck::evidence::{Announced, Endpoint, Mode, Proof, Speaker};
use pasvcheck::finding::Verdict;
use pasvcheck::report::Report;

use crate::daemons::{Daemon, Running, Tls};
use crate::firewall;
use crate::namespaces::World;
use crate::printed;
use crate::scenarios::{Also, Case, Way};
use crate::site::{PASSWORD, Site};

/// Tries for the server to draw its ports on both sides of an edge; one try in fifteen or so does not.
const DRAWS: u8 = 8;

/// No check may take longer.
const LIMIT: &str = "100";

/// What may be told of any server without being expected: its version is what the machine's packages say.
const ALWAYS_ALLOWED: &str = "server-outdated";

/// What came of a scenario.
pub(crate) struct Done {
    pub(crate) case: &'static Case,
    pub(crate) daemon: Daemon,
    /// The last report, if there is one.
    pub(crate) report: Option<Report>,
    /// What differs from what is expected.
    pub(crate) complaints: Vec<String>,
    /// Words for the table.
    pub(crate) note: String,
    /// How long all of it took.
    pub(crate) took: Duration,
}

/// Runs a scenario. What goes wrong is a complaint, not a panic: the others go on.
pub(crate) fn run(world: &World, site: &Site, case: &'static Case, daemon: Daemon) -> Done {
    let clock = Stopwatch::start();
    let mut done = Done {
        case,
        daemon,
        report: None,
        complaints: Vec::new(),
        note: String::new(),
        took: Duration::ZERO,
    };
    if let Err(error) = attempt(world, site, &mut done) {
        done.complaints.push(error);
    }
    done.took = clock.elapsed();
    done
}

fn attempt(world: &World, site: &Site, done: &mut Done) -> Result<(), String> {
    let case = done.case;
    firewall::load(world, case.rules, case.private_routes)?;
    if let Some(printed) = case.config.printed {
        printed::apply(world, site, done.daemon, printed)?;
    }
    let server = Running::start(world, site, done.daemon, &case.config)?;
    if case.also == Also::Frozen {
        server.freeze()?;
    }
    let _beside = match case.also {
        Also::Listeners(host, low, high) => Some(Listeners::start(world, site, host, low, high)?),
        _ => None,
    };
    let mut left = if case.edge.is_some() { DRAWS } else { case.runs };
    while left > 0 {
        left -= 1;
        let report = check(world, site, case)?;
        let drawn = case.edge.is_none_or(|edge| straddles(&report, edge));
        if drawn {
            done.complaints.extend(compare(case, &report));
        }
        note_proofs(done, &report);
        if case.way == Way::Far && case.expect.findings.is_empty() && case.options.is_empty() {
            cost(world, done, &report)?;
        }
        done.report = Some(report);
        if case.edge.is_some() && drawn {
            return Ok(());
        }
    }
    match case.edge {
        Some(edge) => Err(format!("in {DRAWS} runs no mode drew ports on both sides of {edge}")),
        None => Ok(()),
    }
}

/// What a stand-in proved, and how fast, and whether it is what the scenario says of it.
fn note_proofs(done: &mut Done, report: &Report) {
    let Some(survey) = report.evidence.endpoints.first().and_then(|endpoint| endpoint.survey.as_ref()) else {
        return;
    };
    let Some(stand_in) = &survey.stand_in else { return };
    let (proven, all) = (stand_in.count(Proof::proven), stand_in.count(|_| true));
    done.note += &format!(
        "{proven} of {all} ports proven in {:.0} ms, {} ms with the rest of the check; ",
        survey.elapsed_ms, report.duration_ms
    );
    if done.case.expect.verdict == Verdict::Ok && proven != all {
        done.complaints.push(format!("only {proven} of {all} ports are proven"));
    }
}

/// Runs the program where the client is.
fn check(world: &World, site: &Site, case: &Case) -> Result<Report, String> {
    let mut command = world.inside(case.from, &["timeout", LIMIT, env!("CARGO_BIN_EXE_pasvcheck"), "--json"]);
    if case.config.tls != Tls::None {
        command.arg("--ca-file").arg(site.trusted_file());
    }
    command.args(case.options).arg(case.target).env("PASVCHECK_PASSWORD", PASSWORD).stdin(Stdio::null());
    let done = command.output().map_err(|error| error.to_string())?;
    let report: Report = serde_json::from_slice(&done.stdout).map_err(|error| {
        format!("no report ({error}), {}: {}", done.status, String::from_utf8_lossy(&done.stderr))
    })?;
    let code = i32::from(report.verdict.exit_code());
    if done.status.code() == Some(code) {
        Ok(report)
    } else {
        Err(format!("{} with the verdict {}", done.status, report.verdict))
    }
}

/// Where a report differs from what is expected.
fn compare(case: &Case, report: &Report) -> Vec<String> {
    let expect = case.expect;
    let mut complaints = Vec::new();
    if report.verdict != expect.verdict {
        complaints.push(format!("the verdict is {}, not {}", report.verdict, expect.verdict));
    }
    let told = told(report);
    for name in expect.findings.iter().filter(|name| !told.contains(name)) {
        complaints.push(format!("{name} is not told"));
    }
    for name in told.iter().filter(|name| !expect.findings.contains(name) && !expect.allowed.contains(name)) {
        complaints.push(format!("{name} is told"));
    }
    if expect.findings.is_empty() && case.options.is_empty() {
        let counts = report.evidence.endpoints.iter().map(connections);
        complaints.extend(counts.filter(|count| *count > 16).map(|count| format!("{count} connections")));
    }
    let located = report.findings.first().map(|finding| finding.location);
    if let Some(wanted) = expect.location.filter(|wanted| located != Some(*wanted)) {
        let hops = report.findings.first().map(|finding| finding.hops.clone());
        complaints.push(format!("located at {located:?} (hops {hops:?}), not {wanted:?}"));
    }
    let any = |name: &&&str| report.findings.iter().any(|finding| finding.id == **name);
    complaints.extend(expect.forbidden.iter().filter(any).map(|name| format!("{name} is there")));
    complaints
}

/// The findings that the terminal shows: those that no other explains.
pub(crate) fn told(report: &Report) -> Vec<&str> {
    let causes = report.findings.iter().filter(|finding| finding.explained_by.is_none());
    let mut names: Vec<&str> =
        causes.map(|finding| finding.id.as_str()).filter(|name| *name != ALWAYS_ALLOWED).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Whether some mode was offered ports below the edge and from it on.
fn straddles(report: &Report, edge: u16) -> bool {
    let endpoint = &report.evidence.endpoints[0];
    [Mode::Pasv, Mode::Epsv].into_iter().any(|mode| {
        let ports = || endpoint.offers_of(mode).filter_map(|offer| offer.announced);
        let below = |announced: Announced| announced.port < edge;
        ports().any(below) && !ports().all(below)
    })
}

/// What a healthy check costs, held to the bar: 24 round trips and 16 connections, and on a link that lost nothing the
/// time of 24 round trips and 0.15 s, plus the pause that the server makes before its greeting. FTPS: 45 round trips.
fn cost(world: &World, done: &mut Done, report: &Report) -> Result<(), String> {
    let endpoint = &report.evidence.endpoints[0];
    let lost = firewall::lost_packets(world)?;
    let (trips, connects) = (round_trips(endpoint), connections(endpoint));
    let round_trip = endpoint.rtt_ms().unwrap_or_default();
    let pause = pauses(endpoint, round_trip);
    // FTPS has six transfers under TLS, and a session in clear to compare.
    let ftps = case_is_ftps(done.case);
    let most: u8 = if ftps { 45 } else { 24 };
    let allowed = f64::from(most) * round_trip + 150.0 + pause;
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of one run")]
    let took = report.duration_ms as f64;
    done.note += &format!("{trips} trips, {connects} conns, {took:.0} of {allowed:.0} ms, {lost} lost; ");
    if trips > usize::from(most) && lost == 0 {
        done.complaints.push(format!("{trips} round trips"));
    }
    // Under TLS the time is told and not judged: the cryptography of a debug build takes its own, and a server that writes
    // its records piece by piece waits once a transfer for an acknowledgement (Nagle; vsftpd, Pure-FTPd).
    if took > allowed && lost == 0 && !ftps {
        done.complaints.push(format!("{took:.0} ms, and {allowed:.0} ms are allowed"));
    }
    Ok(())
}

/// What the server made of us wait before its greetings, beyond the way there and back.
fn pauses(endpoint: &Endpoint, round_trip: f64) -> f64 {
    let pairs = endpoint.dialogue.windows(2);
    let greetings = pairs
        .filter(|pair| pair[0].line.starts_with("control connection to") && pair[1].from == Speaker::Server);
    greetings.map(|pair| (pair[1].at_ms - pair[0].at_ms - round_trip).max(0.0)).sum()
}

fn case_is_ftps(case: &Case) -> bool {
    case.config.tls != Tls::None && !case.options.contains(&"off")
}

/// Times that the run waited for the other side: the control connection and its greeting, each command, each data
/// connection, all cold probes together, and the end of the listing. The same count as in `tests/budget.rs`.
fn round_trips(endpoint: &Endpoint) -> usize {
    let lines = |from: Speaker, start: &str| {
        endpoint.dialogue.iter().filter(|entry| entry.from == from && entry.line.starts_with(start)).count()
    };
    let sessions = lines(Speaker::Note, "control connection to");
    // The goodbye of the second session is not waited for.
    2 * sessions + lines(Speaker::Client, "") + 1 - sessions
        + lines(Speaker::Note, "TLS on")
        + lines(Speaker::Note, "data connection")
        + usize::from(lines(Speaker::Note, "unannounced port") > 0)
        + endpoint.transfers.len()
}

/// TCP connections that the server sees.
fn connections(endpoint: &Endpoint) -> usize {
    let data = endpoint.dialogue.iter().filter(|entry| {
        entry.from == Speaker::Note
            && entry.line.starts_with("data connection")
            && entry.line.contains("opened")
    });
    endpoint.sessions as usize + data.count() + endpoint.cold.len()
}

/// A program that holds ports of a host. It ends with this value.
struct Listeners(Child);

impl Listeners {
    fn start(
        world: &World,
        site: &Site,
        host: crate::namespaces::Host,
        low: u16,
        high: u16,
    ) -> Result<Self, String> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/listen.py");
        let words = site.python(script.as_ref());
        let mut command = world.inside(host, &[]);
        command.args(words).args([low.to_string(), high.to_string()]).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("listen.py: {error}"))?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            let _ = BufReader::new(output).read_line(&mut line);
        }
        let started = Self(child);
        if line.trim() == "ready" { Ok(started) } else { Err("listen.py did not start".to_owned()) }
    }
}

impl Drop for Listeners {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
