//! The exporter as Prometheus and people meet it: over HTTP, on loopback.
#![cfg(unix)]

mod common;
#[path = "exporter/prometheus.rs"]
mod prometheus;

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Folder, Server, command, pasvcheck};
use pasvcheck::clock::Stopwatch;

const PASSWORD: &str = "S3cr3t-Pa55word";

/// A running exporter.
struct Exporter {
    child: Child,
    address: SocketAddr,
    said: Arc<Mutex<String>>,
    folder: Folder,
}

impl Exporter {
    fn start(name: &str, config: &str, more: &[&str]) -> Self {
        let folder = Folder::new(name);
        folder.file("password", &format!("{PASSWORD}\n"));
        let file = folder.file("exporter.toml", config);
        let mut args = vec!["exporter", "--config", &file, "--listen", "127.0.0.1:0", "-v"];
        args.extend(more);
        let mut child = command(&args).stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (mut err, to) = (child.stderr.take().unwrap(), Arc::clone(&said));
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(read @ 1..) = err.read(&mut piece) {
                to.lock().unwrap().push_str(&String::from_utf8_lossy(&piece[..read]));
            }
        });
        let told = || {
            let said = said.lock().unwrap();
            let (_, rest) = said.split_once("listening on http://")?;
            rest.split_once('/')?.0.parse().ok()
        };
        let mut address = None;
        until("it listens", || {
            address = told();
            address.is_some()
        });
        Self { child, address: address.unwrap(), said, folder }
    }

    fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    fn get(&self, path: &str) -> Answer {
        self.ask(path, "")
    }

    /// With more lines of the head, each with its line end.
    fn ask(&self, path: &str, head: &str) -> Answer {
        let mut stream = self.send(path, head);
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{path}: {text:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    fn send(&self, path: &str, head: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{head}\r\n", self.address)
            .unwrap();
        stream
    }

    /// A whole number among the exporter's own samples.
    fn metric(&self, series: &str) -> i64 {
        let text = self.get("/metrics").body;
        let number = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok());
        number.unwrap_or_else(|| panic!("{series} is not in\n{text}"))
    }

    fn signal(&self, signal: &str) {
        let sent =
            std::process::Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for its end.
    fn end(&mut self) -> i32 {
        let mut code = None;
        until("it ends", || {
            code = self.child.try_wait().unwrap();
            code.is_some()
        });
        code.unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let clock = Stopwatch::start();
    while !done() {
        assert!(clock.elapsed() < Duration::from_secs(20), "it never came to this: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn value(text: &str, series: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

/// A port that takes connections and never says a word.
fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// Any port of loopback, in the ways that the tests need.
fn config() -> String {
    "allow = ['127.0.0.1:*', '*.example.com:*']\n[modules.login]\nuser = 'jo'\npassword_file = 'password'\ntls = 'off'\n\
     [modules.tight]\nwarning = 'total=0ms'\ncritical = 'total=1h'\nlabels = { site = 'berlin' }\n"
        .to_owned()
}

/// What a scraper's parser demands: samples under their own HELP and TYPE, no series twice. The names of the samples.
fn parsed(text: &str) -> BTreeSet<String> {
    let (mut metrics, mut series, mut names) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let (mut name, mut kind) = ("", "");
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            name = rest.split(' ').next().unwrap();
            assert!(metrics.insert(name), "{name} stands twice");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            (_, kind) = rest.split_once(' ').unwrap();
            assert!(rest.starts_with(name) && matches!(kind, "gauge" | "counter" | "histogram"), "{line}");
        } else {
            let (id, number) = line.rsplit_once(' ').unwrap();
            let sample = id.split('{').next().unwrap();
            let parts = ["_bucket", "_sum", "_count"];
            let own = sample == name
                || (kind == "histogram" && parts.iter().any(|part| sample == format!("{name}{part}")));
            assert!(own, "{line} stands under {name}");
            assert!(number.parse::<f64>().is_ok(), "{line}");
            assert!(series.insert(id), "{id} stands twice");
            names.insert(sample.to_owned());
        }
    }
    names
}

#[test]
fn a_probe_answers_with_the_samples_of_the_check() {
    let (ok, bad) = (
        Server::start("persona = 'vsftpd'"),
        Server::start("persona = 'vsftpd'\npassive.advertise = '10.0.0.5'"),
    );
    let exporter = Exporter::start("probe", &config(), &["--resolve", "ftp.example.com:127.0.0.1"]);
    let answer = exporter.get(&format!("/probe?target={}", ok.address()));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.head.contains("text/plain; version=0.0.4"), "{}", answer.head);
    parsed(&answer.body);
    assert_eq!(value(&answer.body, "probe_success"), Some(1.0), "{}", answer.body);
    assert_eq!(value(&answer.body, "pasvcheck_probe_deadline_exceeded"), Some(0.0));
    let broken = exporter.get(&format!("/probe?module=default&target=ftp.example.com:{}", bad.port()));
    parsed(&broken.body);
    assert_eq!(value(&broken.body, "probe_success"), Some(0.0));
    assert!(broken.body.contains("id=\"passive-address-private\",severity=\"critical\""), "{}", broken.body);
    // The verdict is that of the same check by hand.
    let by_hand = pasvcheck(&["--format", "prometheus", &bad.address()]);
    let exit =
        |text: &str| text.lines().find(|line| line.starts_with("pasvcheck_exit_code")).unwrap().to_owned();
    assert!(exit(&by_hand.out).ends_with(" 2") && exit(&broken.body).ends_with(" 2"));
    let tight = exporter.get(&format!("/probe?module=tight&target={}", ok.address()));
    assert!(tight.body.contains("site=\"berlin\"") && tight.body.contains("pasvcheck_threshold_exceeded"));
    parsed(&exporter.get("/metrics").body);
    let count = |verdict: &str, module: &str| {
        exporter
            .metric(&format!("pasvcheck_exporter_probes_total{{module=\"{module}\",verdict=\"{verdict}\"}}"))
    };
    assert_eq!((count("ok", "default"), count("critical", "default"), count("warning", "tight")), (1, 1, 1));
    assert_eq!(exporter.get("/healthz").body, "ok\n");
    let page = exporter.get("/");
    assert!(
        page.body.contains("<option selected>default") && page.head.contains("default-src 'none'"),
        "{page:?}"
    );
    assert_eq!(exporter.get("/probes").status, 404);
}

#[test]
fn a_module_logs_in_and_no_credential_is_echoed() {
    let server = Server::start(&format!(
        "persona = 'generic'\nlogin.anonymous = false\nlogin.users = {{ jo = '{PASSWORD}' }}\n[replies]\nPASS = \"230 {{pass}}\"\n"
    ));
    let exporter = Exporter::start("login", &config(), &[]);
    let good = exporter.get(&format!("/probe?module=login&target={}", server.address()));
    assert_eq!(value(&good.body, "probe_success"), Some(1.0), "{}", good.body);
    let mut seen = good.body;
    for query in [
        format!("target=ftp://jo:{PASSWORD}@{}", server.address()),
        format!("target=ftp%3A%2F%2Fjo%3A{PASSWORD}%40{}", server.address()),
        format!("target=jo:{PASSWORD}@127.0.0.1"),
        format!("target=jo:{PASSWORD}"),
        format!("target={}&password={PASSWORD}", server.address()),
        format!("target={}&module={PASSWORD}", server.address()),
        format!("target={}&{PASSWORD}=1", server.address()),
    ] {
        let refused = exporter.get(&format!("/probe?{query}"));
        assert_eq!(refused.status, 400, "{query}: {refused:?}");
        seen += &refused.head;
        seen += &refused.body;
    }
    seen.push_str(&exporter.get("/metrics").body);
    seen.push_str(&exporter.get("/").body);
    seen.push_str(&exporter.said());
    assert!(!seen.contains(PASSWORD), "{seen}");
    assert!(seen.contains("refused: credentials do not belong into a URL"), "{seen}");
    assert_eq!(exporter.metric("pasvcheck_exporter_refused_total{reason=\"credentials\"}"), 4);
    let journal = server.stop();
    assert_eq!(
        journal.commands.iter().filter(|command| command.starts_with("PASS")).count(),
        1,
        "{journal:?}"
    );
}

#[test]
fn targets_off_the_list_are_refused_before_a_packet() {
    let server = Server::start("persona = 'vsftpd'");
    let config = format!(
        "allow = ['127.0.0.1:{}', '*.example.com']\n[modules.narrow]\nallow = ['ftp.example.com']\n",
        server.port()
    );
    let exporter = Exporter::start("allow", &config, &[]);
    for (query, status, hint) in [
        (format!("target={}", server.address()), 200, "probe_success 1"),
        (format!("target={}&module=narrow", server.address()), 403, "allow-list"),
        ("target=127.0.0.1".to_owned(), 403, "127.0.0.1 port 21"),
        ("target=127.0.0.2".to_owned(), 403, "127.0.0.2 port 21"),
        ("target=localhost".to_owned(), 403, "localhost"),
        ("target=example.com".to_owned(), 403, "example.com"),
        ("target=ftp.example.com:22".to_owned(), 403, "port 22"),
        ("target=169.254.169.254".to_owned(), 403, "allow"),
        (String::new(), 400, "/probe?target="),
        ("target=a%0d%0ab".to_owned(), 400, "no host"),
    ] {
        let answer = exporter.get(&format!("/probe?{query}"));
        assert_eq!(answer.status, status, "{query}: {answer:?}");
        assert!(answer.body.contains(hint), "{query}: {answer:?}");
    }
    assert_eq!(exporter.metric("pasvcheck_exporter_refused_total{reason=\"not-allowed\"}"), 7);
}

#[test]
fn a_deadline_ends_with_samples_and_not_in_silence() {
    let (_listener, slow) = silent();
    let exporter = Exporter::start("deadline", &config(), &[]);
    let clock = Stopwatch::start();
    let answer = exporter.ask(&format!("/probe?target={slow}"), "X-Prometheus-Scrape-Timeout-Seconds: 4\r\n");
    let took = clock.elapsed();
    assert!(took < Duration::from_secs(4), "{took:?}");
    parsed(&answer.body);
    assert_eq!((answer.status, value(&answer.body, "probe_success")), (200, Some(0.0)), "{answer:?}");
    assert_eq!(value(&answer.body, "pasvcheck_probe_deadline_exceeded"), Some(1.0));
    // Two at one server take turns: who does not get one in time has an answer all the same.
    let mut first =
        exporter.send(&format!("/probe?target={slow}"), "X-Prometheus-Scrape-Timeout-Seconds: 5\r\n");
    std::thread::sleep(Duration::from_millis(300));
    let second = exporter.ask(&format!("/probe?target={slow}"), "X-Prometheus-Scrape-Timeout-Seconds: 2\r\n");
    assert_eq!(
        value(&second.body, &format!("pasvcheck_exit_code{{target=\"{slow}\"}}")),
        Some(3.0),
        "{second:?}"
    );
    first.read_to_string(&mut String::new()).unwrap();
    assert_eq!(exporter.metric("pasvcheck_exporter_deadline_exceeded_total{module=\"default\"}"), 3);
    assert_eq!(
        exporter.ask(&format!("/probe?target={slow}"), "X-Prometheus-Scrape-Timeout-Seconds: x\r\n").status,
        400
    );
}

#[test]
fn beyond_the_limit_is_503_and_who_leaves_makes_room() {
    let (_listener, slow) = silent();
    let exporter = Exporter::start("busy", &config(), &["--max-probes", "1"]);
    let first = exporter.send(&format!("/probe?target={slow}"), "");
    until("the probe is under way", || exporter.metric("pasvcheck_exporter_probes_in_flight") > 0);
    let refused = exporter.get(&format!("/probe?target={slow}"));
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.head.to_lowercase().contains("retry-after: 5") && refused.body.contains("--max-probes"));
    assert_eq!(exporter.get("/healthz").status, 200);
    let before = exporter.metric("process_open_fds");
    drop(first);
    until("the probe was given up", || exporter.metric("pasvcheck_exporter_probes_in_flight") == 0);
    assert_eq!(exporter.metric("pasvcheck_exporter_abandoned_total"), 1);
    until("its sockets are closed", || exporter.metric("process_open_fds") <= before - 2);
    let server = Server::start("persona = 'vsftpd'");
    assert_eq!(exporter.get(&format!("/probe?target={}", server.address())).status, 200);
}

#[test]
fn signals_end_it_with_zero_and_what_is_under_way_is_answered() {
    for signal in ["TERM", "INT"] {
        let (_listener, slow) = silent();
        let mut exporter = Exporter::start(signal, &config(), &[]);
        let mut under_way =
            exporter.send(&format!("/probe?target={slow}"), "X-Prometheus-Scrape-Timeout-Seconds: 2\r\n");
        until("the probe is under way", || exporter.metric("pasvcheck_exporter_probes_in_flight") > 0);
        exporter.signal(signal);
        let mut text = String::new();
        under_way.read_to_string(&mut text).unwrap();
        assert!(text.contains("probe_success 0"), "{text}");
        assert_eq!(exporter.end(), 0, "{}", exporter.said());
        assert!(TcpStream::connect(exporter.address).is_err());
    }
    // One that would take too long is given up.
    let (_listener, slow) = silent();
    let mut exporter = Exporter::start("grace", &config(), &[]);
    let _under_way = exporter.send(&format!("/probe?target={slow}"), "");
    until("the probe is under way", || exporter.metric("pasvcheck_exporter_probes_in_flight") > 0);
    let clock = Stopwatch::start();
    exporter.signal("TERM");
    assert_eq!(exporter.end(), 0);
    assert!(clock.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_hangup_reads_the_configuration_anew() {
    let server = Server::start("persona = 'vsftpd'");
    let exporter = Exporter::start("reload", "allow = ['ftp.example.com']\n", &[]);
    let probe = format!("/probe?target={}", server.address());
    assert_eq!(exporter.get(&probe).status, 403);
    exporter.folder.file("exporter.toml", "allow = ['127.0.0.1:*']\n");
    exporter.signal("HUP");
    until("the new one holds", || exporter.get(&probe).status == 200);
    exporter.folder.file("exporter.toml", "allow = ['*']\n");
    exporter.signal("HUP");
    until("the fault is told", || exporter.metric("pasvcheck_exporter_config_last_reload_successful") == 0);
    assert_eq!(exporter.get(&probe).status, 200);
    assert!(exporter.said().contains("line 1"), "{}", exporter.said());
}

#[test]
fn a_configuration_with_faults_is_refused_with_its_line() {
    let folder = Folder::new("faults");
    let good = "allow = ['ftp.example.com']\n\n";
    for (text, hints) in [
        (String::new(), vec!["nobody may be checked", "*.example.net"]),
        ("allow = [\n 'ftp.example.com',\n '*',\n]\n".to_owned(), vec!["line 3", "*.example.com"]),
        ("allow = ['jo:hunter2@host']\n".to_owned(), vec!["line 1", "module"]),
        (format!("{good}[modules.a]\nspeed = 3\n"), vec!["line 4", "speed"]),
        (format!("{good}[modules.a]\npassword = 'hunter2'\n"), vec!["line 4", "password_file"]),
        (format!("{good}[modules.a]\nuser = 'jo'\n"), vec!["line 3", "\"a\"", "password_file"]),
        (format!("{good}[modules.a]\nuser = 'jo'\npassword_file = 'missing'\n"), vec!["line 3", "missing"]),
        (
            format!("{good}[modules.a]\nuser = 'jo'\npassword_env = 'NOT_SET_HERE'\n"),
            vec!["line 3", "NOT_SET_HERE"],
        ),
        (format!("{good}[modules.a]\nrange = '9-1'\n"), vec!["line 3", "range"]),
        (format!("{good}[modules.a]\nskip = ['x']\n"), vec!["line 3", "port-range"]),
        (format!("{good}[modules.a]\nfamily = 'x'\n"), vec!["line 3", "ipv4"]),
        (format!("{good}[modules.a]\ntarget = 'x'\n"), vec!["line 3", "allow"]),
        (format!("{good}[modules.a]\nfollow_private = true\n"), vec!["line 3", "follow_private"]),
        (format!("{good}[modules.a]\nallow = ['*']\n"), vec!["line 3", "*.example.com"]),
        (format!("{good}[modules.'a b']\n"), vec!["line 3", "letters"]),
        (format!("{good}[defaults]\nallow = ['x']\n"), vec!["line 3", "top"]),
        (format!("{good}[defaults]\ntls = 'x'\n"), vec!["line 3", "tls"]),
        (format!("{good}allow = 3\n"), vec!["line 3"]),
    ] {
        let file = folder.file("exporter.toml", &text);
        let done = pasvcheck(&["exporter", "--check-config", "--config", &file]);
        assert_eq!((done.code, done.out.as_str()), (3, ""), "{text}\n{done:?}");
        for hint in hints {
            assert!(done.err.contains(hint), "{text}\nlacks {hint:?}: {}", done.err);
        }
        assert!(!done.err.contains("hunter2") && !done.err.contains("panicked"), "{}", done.err);
    }
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/prometheus/exporter.toml");
    let done = pasvcheck(&["exporter", "--check-config", "--config", shipped]);
    assert!(done.code == 0 && done.out.contains("modules: default, ftps"), "{done:?}");
    let missing = pasvcheck(&["exporter", "--config", "/nonexistent.toml"]);
    assert!(missing.code == 3 && missing.err.contains("cannot be read"), "{missing:?}");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let done = pasvcheck(&["exporter", "--config", shipped, "--listen", &listen]);
    assert!(done.code == 3 && done.err.contains("--listen"), "{done:?}");
}

/// The words of a text that are names of our metrics.
fn metric_names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words
        .filter(|word| word.starts_with("pasvcheck_") || word.starts_with("probe_"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn dashboard_and_alerts_name_what_is_really_there() {
    let (ftps, bad) = (
        Server::start("persona = 'vsftpd'\ntls = {}"),
        Server::start("persona = 'iis'\npassive.advertise = '10.0.0.5'"),
    );
    let exporter = Exporter::start("names", &config(), &[]);
    let mut there = parsed(&exporter.get(&format!("/probe?module=tight&target={}", ftps.address())).body);
    there.extend(parsed(&exporter.get(&format!("/probe?target={}", bad.address())).body));
    there.extend(parsed(&exporter.get("/metrics").body));
    let dashboard = include_str!("../packaging/grafana/dashboard.json");
    let json: serde_json::Value = serde_json::from_str(dashboard).unwrap();
    let panels = json["panels"].as_array().unwrap();
    let exprs: Vec<&str> = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().unwrap())
        .map(|target| target["expr"].as_str().unwrap())
        .collect();
    assert!(exprs.len() >= panels.len());
    let rules = include_str!("../packaging/prometheus/alerts.yml");
    let lines: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).collect();
    assert!(lines.len() > 5);
    for text in exprs.iter().chain(&lines).copied().chain(["pasvcheck_exit_code"]) {
        for name in metric_names(text) {
            assert!(there.contains(&name), "{name} of {text} is not among {there:?}");
        }
    }
}
