//! The exporter under load for a minute, half of it against black holes; `README.md` says how to run it.
//!
//! Each probe has a target of its own: embedded servers that answer as if they were far away, and listeners on loopback whose
//! accept queue is full, where the kernel drops every SYN: what connects there hears nothing at all, as behind a firewall that
//! drops. What is counted is the exporter's process, from outside, as /proc has it.

#![expect(clippy::print_stdout, reason = "figures for whoever runs it")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use pasvcheck::clock::Stopwatch;
use pasvcheck::net::survey::raise_file_limit;
use pasvcheck::responder::{Responder, Script};

/// Probes at a time, unless `PASVCHECK_BENCH_PROBES` says otherwise. Half of them meet a black hole.
const PROBES: usize = 200;

/// How long the load lasts, unless `PASVCHECK_BENCH_SECONDS` says otherwise.
const SECONDS: u64 = 60;

/// What a scraper says that it waits, in seconds: Prometheus' own default.
const SCRAPE_TIMEOUT: &str = "10";

/// How far away the servers seem: every answer comes so many milliseconds late.
const DELAY_MS: u32 = 400;

/// How long the load runs before the memory counts as warmed up, as a share of the whole.
const WARM: f64 = 0.25;

fn main() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let probes =
        number("PASVCHECK_BENCH_PROBES").map_or(PROBES, |n| usize::try_from(n).unwrap_or(PROBES)).max(2);
    let seconds = number("PASVCHECK_BENCH_SECONDS").unwrap_or(SECONDS).max(8);
    raise_file_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let servers: Vec<Responder> = runtime.block_on(async { (0..probes / 2).map(|_| server()).collect() });
    let holes: Vec<Hole> =
        runtime.block_on(async { (0..probes - probes / 2).map(|_| Hole::new()).collect() });
    assert!(holes.iter().all(Hole::swallows), "this kernel answers where the accept queue is full");
    let mut exporter = Exporter::start(probes);
    println!(
        "{probes} probes at a time for {seconds} s, {} of them against black holes; scrape timeout {SCRAPE_TIMEOUT} s\n",
        holes.len()
    );
    println!(
        "{:<26} {:>9} {:>12} {:>8} {:>8} {:>12} {:>9}",
        "", "in flight", "descriptors", "sockets", "threads", "resident MiB", "answered"
    );
    // The first probe of all brings what stays: it belongs to the start.
    exporter.probe(servers[0].address());
    let before = exporter.settled("start, no load", 0);
    let rows = under_load(&exporter, &servers, &holes, seconds);
    let after = exporter.settled("end, no load", rows.answers.ok + rows.answers.hole);
    let stopped = exporter.stop();
    judge(&before, &rows, &after, probes, stopped);
}

/// A server that makes its whole answer, each reply late.
fn server() -> Responder {
    let late: String = ["USER", "PASS", "SYST", "FEAT", "PWD", "TYPE", "PASV", "EPSV", "LIST", "QUIT"]
        .map(|command| format!("replies.{command} = {{ usual = true, delay_ms = {DELAY_MS} }}\n"))
        .concat();
    let mut script = Script::from_toml(&format!("persona = 'vsftpd'\n{late}")).expect("a script");
    script.passive.real_ports = true;
    Responder::start(script).expect("a port on loopback")
}

/// A port at which SYNs are dropped.
struct Hole {
    address: SocketAddr,
    _listener: tokio::net::TcpListener,
    _queue: Vec<TcpStream>,
}

impl Hole {
    fn new() -> Self {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port on loopback");
        let listener = socket.listen(1).expect("a listener");
        let address = listener.local_addr().expect("its address");
        let mut queue = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(50)) {
            queue.push(stream);
            assert!(queue.len() < 16, "the accept queue has no end");
        }
        Self { address, _listener: listener, _queue: queue }
    }

    /// Whether a connect there is neither answered nor refused.
    fn swallows(&self) -> bool {
        let tried = TcpStream::connect_timeout(&self.address, Duration::from_millis(20));
        tried.is_err_and(|error| error.kind() == std::io::ErrorKind::TimedOut)
    }
}

/// What was counted at one moment.
#[derive(Clone, Copy, Debug)]
struct Row {
    at: Duration,
    in_flight: usize,
    descriptors: usize,
    sockets: usize,
    resident: f64,
}

/// How the probes were answered.
#[derive(Debug, Default)]
struct Answers {
    /// Healthy servers told to be so.
    ok: usize,
    /// Black holes told to be unreachable.
    hole: usize,
    /// Anything else.
    wrong: usize,
}

#[derive(Debug)]
struct Load {
    rows: Vec<Row>,
    answers: Answers,
    seconds: u64,
}

/// Keeps a probe of each target under way, and counts as it goes.
fn under_load(exporter: &Exporter, servers: &[Responder], holes: &[Hole], seconds: u64) -> Load {
    let (stop, ok, hole, wrong) =
        (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let clock = Stopwatch::start();
    let whole = Duration::from_secs(seconds);
    let mut rows = Vec::new();
    std::thread::scope(|scope| {
        let targets = servers.iter().map(|server| (server.address(), true));
        for (target, healthy) in targets.chain(holes.iter().map(|hole| (hole.address, false))) {
            let (stop, ok, hole, wrong) = (&stop, &ok, &hole, &wrong);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let answer = exporter.probe(target);
                    let good = answer.contains("\nprobe_success 1\n");
                    let counter = match (healthy, good) {
                        (true, true) => ok,
                        (false, false) if answer.contains("\nprobe_success 0\n") => hole,
                        _ => wrong,
                    };
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for tenth in 1..=10_u32 {
            std::thread::sleep((whole * tenth / 10).saturating_sub(clock.elapsed()));
            let answered = ok.load(Ordering::Relaxed) + hole.load(Ordering::Relaxed);
            let elapsed = clock.elapsed();
            rows.push(exporter.row(&format!("{:.0} s", elapsed.as_secs_f64()), elapsed, answered));
        }
        stop.store(true, Ordering::Relaxed);
    });
    let answers = Answers { ok: ok.into_inner(), hole: hole.into_inner(), wrong: wrong.into_inner() };
    Load { rows, answers, seconds }
}

fn judge(before: &Row, load: &Load, after: &Row, probes: usize, stopped: Option<Duration>) {
    let met = |met: bool| if met { "met" } else { "missed" };
    let Answers { ok, hole, wrong } = load.answers;
    println!(
        "\nanswers: {ok} healthy, {hole} black holes, {wrong} wrong or missing: {}",
        met(wrong == 0 && ok > 0 && hole > 0)
    );
    let held = load.rows.iter().map(|row| row.in_flight).min().unwrap_or_default();
    println!("probes under way at the least: {held} of {probes}: {}", met(held * 100 >= probes * 95));
    println!(
        "after the load as before: descriptors {} → {}, sockets {} → {}: {}",
        before.descriptors,
        after.descriptors,
        before.sockets,
        after.sockets,
        met(after.descriptors <= before.descriptors && after.sockets <= before.sockets)
    );
    let warm = Duration::from_secs(load.seconds).mul_f64(WARM);
    let mut warmed = load.rows.iter().filter(|row| row.at >= warm);
    if let (Some(first), Some(last)) = (warmed.next(), warmed.next_back()) {
        println!(
            "resident under load: {:.1} MiB after {:.0} s, {:.1} MiB at the end; at most a tenth more: {}",
            first.resident,
            first.at.as_secs_f64(),
            last.resident,
            met(last.resident <= first.resident * 1.1)
        );
    }
    let words = stopped.map_or("it had to be killed".to_owned(), |took| {
        format!("ended with 0 after {:.1} s", took.as_secs_f64())
    });
    println!("SIGTERM with a probe under way at a black hole: {words}: {}", met(stopped.is_some()));
}

/// The release program, which is ended with the bench.
struct Exporter {
    child: Child,
    address: SocketAddr,
    hole: Option<(Hole, TcpStream)>,
    _folder: Folder,
}

impl Exporter {
    fn start(probes: usize) -> Self {
        let folder = Folder::new();
        let config = folder.0.join("exporter.toml");
        std::fs::write(&config, "allow = ['127.0.0.1:*']\n").expect("the configuration");
        let mut child = Command::new(env!("CARGO_BIN_EXE_pasvcheck"))
            .args(["exporter", "--listen", "127.0.0.1:0", "--max-probes", &probes.to_string(), "--config"])
            .arg(&config)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("pasvcheck starts");
        let mut said = BufReader::new(child.stderr.take().expect("its words"));
        let mut line = String::new();
        said.read_line(&mut line).expect("its first line");
        let address =
            line.split_once("http://").and_then(|(_, rest)| rest.split_once('/')).map(|(address, _)| address);
        let address = address.and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("it does not say where it listens: {line}"));
        // Whatever else it says is read away, so that it never waits for us.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Self { child, address, hole: None, _folder: folder }
    }

    fn probe(&self, target: SocketAddr) -> String {
        let head = format!("X-Prometheus-Scrape-Timeout-Seconds: {SCRAPE_TIMEOUT}\r\n");
        fetch(self.address, &format!("/probe?target={target}"), &head)
    }

    /// Counts, and prints what was counted.
    fn row(&self, what: &str, at: Duration, answered: usize) -> Row {
        let metrics = fetch(self.address, "/metrics", "");
        let in_flight =
            metrics.lines().find_map(|line| line.strip_prefix("pasvcheck_exporter_probes_in_flight "));
        let in_flight = in_flight.and_then(|number| number.parse().ok()).expect("the number under way");
        // The connection of that question is none of the load's.
        std::thread::sleep(Duration::from_millis(50));
        let (descriptors, sockets) = descriptors(self.child.id());
        let status = status(self.child.id());
        let of = |key: &str| status.get(key).copied().unwrap_or_default();
        let row = Row { at, in_flight, descriptors, sockets, resident: of("VmRSS") / 1024.0 };
        println!(
            "{what:<26} {in_flight:>9} {descriptors:>12} {sockets:>8} {:>8} {:>12.1} {answered:>9}",
            of("Threads"),
            row.resident
        );
        row
    }

    /// Waits until nothing is under way and its clients' connections are gone, then counts.
    fn settled(&self, what: &str, answered: usize) -> Row {
        let clock = Stopwatch::start();
        while clock.elapsed() < Duration::from_secs(5)
            && !fetch(self.address, "/metrics", "").contains("\npasvcheck_exporter_probes_in_flight 0\n")
        {
            std::thread::sleep(Duration::from_millis(50));
        }
        std::thread::sleep(Duration::from_secs(1));
        self.row(what, Duration::ZERO, answered)
    }

    /// Ends it by SIGTERM while a probe is under way; how long that took, if it ended with 0.
    fn stop(&mut self) -> Option<Duration> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let hole = runtime.block_on(async { Hole::new() });
        let head = format!("X-Prometheus-Scrape-Timeout-Seconds: {SCRAPE_TIMEOUT}\r\n");
        let asked =
            send(self.address, &format!("/probe?target={}", hole.address), &head).expect("a connection");
        self.hole = Some((hole, asked));
        std::thread::sleep(Duration::from_millis(500));
        let clock = Stopwatch::start();
        let sent = Command::new("kill").args(["-s", "TERM", &self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill -s TERM");
        while clock.elapsed() < Duration::from_secs(15) {
            match self.child.try_wait() {
                Ok(Some(status)) => return status.success().then(|| clock.elapsed()),
                _ => std::thread::sleep(Duration::from_millis(20)),
            }
        }
        None
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn send(server: SocketAddr, path: &str, head: &str) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {server}\r\n{head}\r\n")?;
    Ok(stream)
}

fn fetch(server: SocketAddr, path: &str, head: &str) -> String {
    let mut answer = String::new();
    let asked = send(server, path, head).and_then(|mut stream| stream.read_to_string(&mut answer));
    if asked.is_ok() { answer } else { String::new() }
}

/// How many descriptors a process has open, and how many of them are sockets.
fn descriptors(process: u32) -> (usize, usize) {
    let Ok(all) = std::fs::read_dir(format!("/proc/{process}/fd")) else { return (0, 0) };
    let all: Vec<PathBuf> =
        all.filter_map(|entry| Some(std::fs::read_link(entry.ok()?.path()).unwrap_or_default())).collect();
    (all.len(), all.iter().filter(|link| is_socket(link)).count())
}

fn is_socket(link: &Path) -> bool {
    link.to_string_lossy().starts_with("socket:")
}

/// The numbers of a process's status; sizes in KiB.
fn status(process: u32) -> BTreeMap<String, f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let number = |line: &str| {
        let (key, rest) = line.split_once(':')?;
        Some((key.to_owned(), rest.split_whitespace().next()?.parse().ok()?))
    };
    text.lines().filter_map(number).collect()
}

/// A folder of this run's own, taken away at its end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("pasvcheck-bench-exporter-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
