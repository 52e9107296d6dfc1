//! Many targets beside peers: targets a second and peak memory; `README.md` says how to run it.
//!
//! The servers are embedded ones on loopback, each on ports of its own, in this process. They share the machine's cores with
//! whoever is measured, and are the same for all.

#![expect(clippy::print_stdout, reason = "figures for whoever runs it")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pasvcheck::clock::Stopwatch;
use pasvcheck::net::survey::raise_file_limit;
use pasvcheck::responder::{Responder, Script};

/// Targets, unless `PASVCHECK_BENCH_TARGETS` says otherwise.
const TARGETS: usize = 1000;

/// The bars of the project's design (§6).
const RATE: f64 = 300.0;
const MEMORY: f64 = 100.0;

/// Checks at a time, of us and of the peers.
const AT_A_TIME: usize = 16;

fn main() {
    let targets = std::env::var("PASVCHECK_BENCH_TARGETS").ok().and_then(|text| text.parse().ok());
    let targets: usize = targets.unwrap_or(TARGETS);
    raise_file_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let servers: Vec<Responder> = runtime.block_on(async { (0..targets).map(|_| server()).collect() });
    let addresses: Vec<SocketAddr> = servers.iter().map(Responder::address).collect();
    println!("{targets} healthy servers on loopback, {AT_A_TIME} at a time\n");
    println!("{:<44} {:>10} {:>10} {:>8}", "", "targets/s", "peak MiB", "failed");
    ours(&addresses);
    check_ftp(&addresses);
    blackbox(&addresses);
}

fn server() -> Responder {
    let mut script = Script::from_toml("persona = 'vsftpd'").expect("a script");
    script.passive.real_ports = true;
    Responder::start(script).expect("a port on loopback")
}

/// The release program on the whole list. What it found is read back: a fast wrong answer counts for nothing.
fn ours(addresses: &[SocketAddr]) {
    let folder = Folder::new();
    let (list, out) = (folder.0.join("list"), folder.0.join("out"));
    let lines: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
    std::fs::write(&list, lines.join("\n")).expect("the list");
    for format in ["ndjson", "prometheus"] {
        let clock = Stopwatch::start();
        let mut child = Command::new(env!("CARGO_BIN_EXE_pasvcheck"))
            .args(["--concurrency", &AT_A_TIME.to_string(), "--format", format, "--targets"])
            .arg(&list)
            .arg("-o")
            .arg(&out)
            .stdin(Stdio::null())
            .spawn()
            .expect("pasvcheck starts");
        let peak = peak_until_end(&mut child);
        let seconds = clock.elapsed().as_secs_f64();
        let written = std::fs::read_to_string(&out).unwrap_or_default();
        let good = if format == "ndjson" { "\"verdict\":\"ok\",\"summary\"" } else { ",verdict=\"ok\"} 1\n" };
        let failed = addresses.len().saturating_sub(written.matches(good).count());
        let rate = line(
            &format!("pasvcheck --format {format} (whole check)"),
            addresses.len(),
            seconds,
            peak,
            failed,
        );
        let met = |met: bool| if met { "met" } else { "missed" };
        println!(
            "    at least {RATE} targets/s: {}; at most {MEMORY} MiB: {}",
            met(rate >= RATE && failed == 0),
            met(peak.is_some_and(|peak| peak <= MEMORY))
        );
    }
}

/// Monitoring Plugins' `check_ftp`: a process for each target, which reads the greeting.
fn check_ftp(addresses: &[SocketAddr]) {
    let Some(program) = ["/usr/lib/nagios/plugins/check_ftp", "/usr/lib/monitoring-plugins/check_ftp"]
        .into_iter()
        .find(|path| Path::new(path).is_file())
    else {
        println!("check_ftp: not installed (monitoring-plugins-basic)");
        return;
    };
    let (seconds, failed) = all(addresses, |address| {
        let mut command = Command::new(program);
        command.args(["-H", &address.ip().to_string(), "-p", &address.port().to_string()]);
        command.stdout(Stdio::null()).status().is_ok_and(|status| status.success())
    });
    line("check_ftp, a process each (greeting only)", addresses.len(), seconds, None, failed);
}

/// Prometheus' blackbox exporter: one process, a request for each target, which reads the greeting and says QUIT.
fn blackbox(addresses: &[SocketAddr]) {
    let program = Path::new("/usr/bin/prometheus-blackbox-exporter");
    if !program.is_file() {
        println!("prometheus-blackbox-exporter: not installed");
        return;
    }
    let folder = Folder::new();
    let config = folder.0.join("blackbox.yml");
    let module = "modules:\n  ftp:\n    prober: tcp\n    timeout: 10s\n    tcp:\n      query_response:\n\
                  \x20       - expect: \"^220\"\n        - send: \"QUIT\\r\"\n        - expect: \"^221\"\n";
    std::fs::write(&config, module).expect("the configuration");
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let mut child = Command::new(program)
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--web.listen-address={free}"))
        .args(["--log.level=error"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the exporter starts");
    let clock = Stopwatch::start();
    while TcpStream::connect(free).is_err() && clock.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(50));
    }
    let (seconds, failed) = all(addresses, |address| {
        fetch(free, &format!("/probe?module=ftp&target={address}")).contains("\nprobe_success 1")
    });
    let peak = peak(child.id());
    let _ = child.kill();
    let _ = child.wait();
    line("prometheus-blackbox-exporter (greeting, QUIT)", addresses.len(), seconds, peak, failed);
}

/// Does something for every target, so many at a time; the seconds, and how often it failed.
fn all(addresses: &[SocketAddr], probe: impl Fn(SocketAddr) -> bool + Sync) -> (f64, usize) {
    let (next, failed) = (Mutex::new(addresses.iter()), AtomicUsize::new(0));
    let clock = Stopwatch::start();
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let address = next.lock().expect("the list").next().copied();
                    let Some(address) = address else { return };
                    if !probe(address) {
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    (clock.elapsed().as_secs_f64(), failed.into_inner())
}

fn fetch(server: SocketAddr, path: &str) -> String {
    let mut answer = String::new();
    let asked = TcpStream::connect(server).and_then(|mut stream| {
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {server}\r\n\r\n")?;
        stream.read_to_string(&mut answer)
    });
    if asked.is_ok() { answer } else { String::new() }
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn line(what: &str, targets: usize, seconds: f64, peak: Option<f64>, failed: usize) -> f64 {
    let rate = targets as f64 / seconds.max(1e-9);
    let peak = peak.map_or_else(|| "-".to_owned(), |peak| format!("{peak:.1}"));
    println!("{what:<44} {rate:>10.0} {peak:>10} {failed:>8}");
    rate
}

/// Waits for a process and hands out the most memory that it had.
fn peak_until_end(child: &mut Child) -> Option<f64> {
    let mut most = None;
    loop {
        most = peak(child.id()).or(most);
        match child.try_wait() {
            Ok(None) => std::thread::sleep(Duration::from_millis(10)),
            _ => return most,
        }
    }
}

/// The most memory that a running process had, in MiB.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn peak(process: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib as f64 / 1024.0)
}

/// A folder of this run's own, taken away at its end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("pasvcheck-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
