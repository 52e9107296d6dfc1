//! The exporter scraped by a real Prometheus, with the files of `packaging/`. Where Prometheus is absent the tests say so and
//! pass, unless `PASVCHECK_PROMETHEUS=must`; `tests/lab/fetch-prometheus` brings it. All of it stays on loopback.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use pasvcheck::clock::Stopwatch;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::common::Server;
use super::{Exporter, Folder, silent};

/// Longest time until the series of all targets are there.
const PATIENCE: Duration = Duration::from_secs(60);

const PACKAGING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/prometheus");

/// A program of Debian's package: installed, or unpacked by `tests/lab/fetch-prometheus`. `None`, with words, without one.
fn program(name: &str) -> Option<PathBuf> {
    let unpacked = std::env::var_os("PASVCHECK_PROMETHEUS_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/prometheus"), PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path).chain([unpacked.join("root/usr/bin")]);
    let found = folders.find_map(|folder| Some(folder.join(name)).filter(|file| file.is_file()));
    if found.is_none() {
        let must = std::env::var("PASVCHECK_PROMETHEUS").is_ok_and(|value| value == "must");
        assert!(
            !must,
            "PASVCHECK_PROMETHEUS=must, and there is no {name}: tests/lab/fetch-prometheus brings it"
        );
        let words =
            format!("not tested with Prometheus: there is no {name}; tests/lab/fetch-prometheus brings it\n");
        let _ = std::io::stderr().write_all(words.as_bytes());
    }
    found
}

/// Whether promtool is content, and its words.
fn promtool(program: &Path, args: &[&str]) -> (bool, String) {
    let done = Command::new(program).args(args).current_dir(PACKAGING).stdin(Stdio::null()).output().unwrap();
    let words = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    (done.status.success(), words)
}

#[test]
fn promtool_accepts_what_is_shipped() {
    let Some(program) = program("promtool") else { return };
    for args in [
        ["check", "rules", "alerts.yml"],
        ["test", "rules", "alerts_test.yml"],
        ["check", "config", "prometheus.yml"],
    ] {
        let (content, words) = promtool(&program, &args);
        assert!(content && words.contains("SUCCESS"), "{args:?}: {words}");
    }
    // The tests of the rules notice a changed rule, and each rule has a test.
    let folder = Folder::new("rules");
    let rules = std::fs::read_to_string(Path::new(PACKAGING).join("alerts.yml")).unwrap();
    let tests = std::fs::read_to_string(Path::new(PACKAGING).join("alerts_test.yml")).unwrap();
    let file = folder.file("alerts_test.yml", &tests);
    for alert in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        let at = rules.find(&format!("- alert: {alert}\n")).unwrap();
        let (before, rule) = rules.split_at(at);
        folder.file("alerts.yml", &format!("{before}{}", rule.replacen("expr: ", "expr: 0 * ", 1)));
        let (content, words) = promtool(&program, &["test", "rules", &file]);
        assert!(
            !content && words.contains(alert),
            "no test of {alert} notices that its rule changed: {words}"
        );
    }
}

/// A running Prometheus.
struct Prometheus {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

impl Prometheus {
    fn start(program: &Path, folder: &Folder, config: &str) -> Self {
        let file = folder.file("prometheus.yml", config);
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let log = folder.0.join("prometheus.log");
        let child = Command::new(program)
            .arg(format!("--config.file={file}"))
            .arg(format!("--storage.tsdb.path={}", folder.0.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .current_dir(&folder.0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Self { child, address, log }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// An answer of its programming interface; `None` where it does not answer, as at the beginning.
    fn api(&self, path: &str) -> Option<Value> {
        let mut text = String::new();
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        write!(stream, "GET /api/v1/{path} HTTP/1.0\r\nHost: {}\r\n\r\n", self.address).ok()?;
        stream.read_to_string(&mut text).ok()?;
        serde_json::from_str(text.split_once("\r\n\r\n")?.1).ok()
    }

    fn query(&self, query: &str) -> Option<Value> {
        self.api(&format!("query?query={}", utf8_percent_encode(query, NON_ALPHANUMERIC)))
    }

    /// The one number that a query has.
    fn number(&self, query: &str) -> Option<f64> {
        let answer = self.query(query)?;
        match answer["data"]["result"].as_array()?.as_slice() {
            [only] => only["value"][1].as_str()?.parse().ok(),
            _ => None,
        }
    }

    /// Waits until a query has this number.
    fn shows(&mut self, query: &str, expected: f64) {
        let clock = Stopwatch::start();
        let mut last = None;
        while last != Some(expected) {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && clock.elapsed() < PATIENCE,
                "{query} is {last:?}, not {expected}: {}",
                self.said()
            );
            std::thread::sleep(Duration::from_millis(100));
            last = self.number(query);
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The configuration that is shipped, with these targets and this exporter in it, and in a hurry.
fn hurried(targets: &[&str], exporter: SocketAddr) -> String {
    let mut config = std::fs::read_to_string(Path::new(PACKAGING).join("prometheus.yml")).unwrap();
    let list =
        targets.iter().map(|target| format!("          - \"{target}\"\n")).collect::<Vec<_>>().concat();
    for (from, to) in [
        ("          - ftp.example.com\n          - www.ftp.example.net\n", list.as_str()),
        ("scrape_interval: 2m", "scrape_interval: 3s"),
        ("scrape_timeout: 30s", "scrape_timeout: 3s"),
        ("127.0.0.1:9921", &exporter.to_string()),
        ("- alerts.yml", &format!("- {PACKAGING}/alerts.yml")),
    ] {
        assert!(config.contains(from), "{from} is not in\n{config}");
        config = config.replace(from, to);
    }
    format!("global:\n  scrape_interval: 1s\n  evaluation_interval: 1s\n{config}")
}

/// The queries of the dashboard, for all targets.
fn dashboard() -> Vec<String> {
    let json: Value = serde_json::from_str(include_str!("../../packaging/grafana/dashboard.json")).unwrap();
    let panels = json["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    targets.map(|target| target["expr"].as_str().unwrap().replace("$target", ".*")).collect()
}

#[test]
fn a_real_prometheus_scrapes_it_and_its_queries_show_the_verdicts() {
    let Some(program) = program("prometheus") else { return };
    let good = Server::start("persona = 'vsftpd'\ntls = {}");
    let bad = Server::start("persona = 'iis'\npassive.advertise = '10.0.0.5'");
    let (_listener, slow) = silent();
    // The embedded server's certificate is of its own making.
    let config = format!("{}[modules.default]\ninsecure = true\n", super::config());
    let exporter = Exporter::start("scraped", &config, &[]);
    let (good, bad, stranger) = (good.address(), bad.address(), "127.0.0.2:21");
    let folder = Folder::new("prometheus");
    let config = hurried(&[&good, &bad, &slow, stranger], exporter.address);
    let mut prometheus = Prometheus::start(&program, &folder, &config);
    for (target, success, exit) in [(&good, 1.0, 0.0), (&bad, 0.0, 2.0), (&slow, 0.0, 3.0)] {
        prometheus.shows(&format!("up{{job='ftp',instance='{target}'}}"), 1.0);
        prometheus.shows(&format!("probe_success{{job='ftp',instance='{target}'}}"), success);
        prometheus.shows(&format!("pasvcheck_exit_code{{job='ftp',target='{target}'}}"), exit);
    }
    let finding = format!(
        "pasvcheck_findings{{target='{bad}',id='passive-address-private',severity='critical',explained='false'}}"
    );
    prometheus.shows(&finding, 1.0);
    // What Prometheus waits came with its request: the probe ended within it, and says that it was too short.
    prometheus.shows(&format!("pasvcheck_probe_deadline_exceeded{{instance='{slow}'}}"), 1.0);
    prometheus.shows(&format!("up{{instance='{stranger}'}}"), 0.0);
    prometheus.shows("up{job='pasvcheck-exporter'}", 1.0);
    prometheus.shows("pasvcheck_exporter_refused_total{reason='not-allowed'} > bool 0", 1.0);
    // The alerts that are shipped see it too.
    for (alert, instance) in
        [("FtpPassiveModeBroken", bad.as_str()), ("FtpNotChecked", &slow), ("FtpProbeRefused", stranger)]
    {
        prometheus
            .shows(&format!("ALERTS{{alertname='{alert}',alertstate='pending',instance='{instance}'}}"), 1.0);
    }
    let mut empty = BTreeSet::new();
    for query in dashboard() {
        let answer = prometheus.query(&query).unwrap_or_else(|| panic!("no answer to {query}"));
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        if answer["data"]["result"].as_array().unwrap().is_empty() {
            empty.insert(query);
        }
    }
    assert!(empty.is_empty(), "the dashboard shows nothing for {empty:?}");
    // No scrape was refused for what it holds: doubled series, samples out of order.
    let said = prometheus.said().to_lowercase();
    let complaint = said.lines().find(|line| line.contains("scrape manager") && !line.contains("level=info"));
    assert_eq!(complaint, None, "{said}");
    let targets = prometheus.api("targets").unwrap();
    let targets = targets["data"]["activeTargets"].as_array().unwrap();
    assert_eq!(targets.len(), 5);
    for target in targets {
        let error = target["lastError"].as_str().unwrap();
        let refused = target["labels"]["instance"] == stranger;
        assert!(if refused { error.contains("403") } else { error.is_empty() }, "{target}");
    }
}
