//! `pasvcheck watch`: what is told and when, the webhook, the secrets, and the end.

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Server, command, output, pasvcheck};
use pasvcheck::clock::Stopwatch;
use serde_json::Value;

/// Secrets of these tests; none of them may appear anywhere.
const PASSWORD: &str = "S3cr3t-Pa55word";
const KEY: &str = "k3y-of-the-h00k";
const TOKEN: &str = "t0ken-in-the-path";

/// A request as the receiver got it.
#[derive(Clone, Debug)]
struct Request {
    line: String,
    headers: String,
    body: Value,
}

/// A receiver on loopback that answers from a list, the last answer over and over.
struct Receiver {
    address: String,
    got: Arc<Mutex<Vec<Request>>>,
}

impl Receiver {
    fn start(answers: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let got = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&got);
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let Ok(mut stream) = stream else { return };
                let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
                let Some(request) = read(&mut stream) else { continue };
                let answer = answers.get(number).or(answers.last()).unwrap();
                kept.lock().unwrap().push(request);
                let _ = write!(stream, "HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            }
        });
        Self { address, got }
    }

    fn url(&self) -> String {
        format!("http://{}/{TOKEN}?key={TOKEN}", self.address)
    }

    fn requests(&self) -> Vec<Request> {
        self.got.lock().unwrap().clone()
    }
}

fn read(stream: &mut impl Read) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let (mut headers, mut length) = (String::new(), 0);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        if header.trim().is_empty() {
            break;
        }
        let header = header.to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        headers.push_str(&header);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { line, headers, body: serde_json::from_slice(&body).ok()? })
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
}

/// `change unknown`.
fn words(events: &[Value]) -> Vec<String> {
    let word = |event: &Value, key: &str| event[key].as_str().unwrap_or("-").to_owned();
    events.iter().map(|event| format!("{} {}", word(event, "event"), word(event, "verdict"))).collect()
}

/// Ends a program as a service manager does, and waits for it within a bound.
#[cfg(unix)]
fn terminate(child: &mut Child, patience: Duration) -> i32 {
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let clock = Stopwatch::start();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().expect("it ends by itself, not by the signal");
        }
        if clock.elapsed() > patience {
            child.kill().unwrap();
            panic!("it did not end within {patience:?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_change_is_told_once_confirmed_here_and_to_the_webhook_and_no_secret_shows() {
    // Good, one bad result, good again, and from then on the login is refused; the server echoes the password.
    let server = Server::start(
        "persona = 'generic'\nlogin.users = { tester = 'S3cr3t-Pa55word' }\n[replies]\nPASS = ['230 {pass} welcome', \
         '530 {pass}', '230 {pass}', '530 no {pass}']\n",
    );
    let receiver = Receiver::start(&["503 Busy", "500 Broken", "204 Good"]);
    let run = |format: &[&str]| {
        let address = server.address();
        let url = receiver.url();
        let mut args = vec!["watch", "--interval", "5s", "--user", "tester", "--count", "5"];
        args.extend(["--webhook", &url, "--webhook-header", "X-Key=HOOK_KEY", &address]);
        args.extend(format);
        let mut command = command(&args);
        command.env("PASVCHECK_PASSWORD", PASSWORD).env("HOOK_KEY", KEY);
        output(command)
    };
    let done = run(&["--format", "ndjson", "-v"]);
    let events = lines(&done.out);
    // A refused login is unknown.
    assert_eq!(words(&events), ["start ok", "change unknown"], "{}", done.err);
    assert_eq!(done.code, 3, "{}", done.err);
    let change = &events[1];
    assert_eq!(
        (&change["previous"]["verdict"], &change["previous"]["finding"]),
        (&"ok".into(), &Value::Null)
    );
    assert_eq!(
        (&change["finding"], &change["findings"][0]["id"]),
        (&"login-failed".into(), &"login-failed".into())
    );
    assert_eq!(change["target"]["port"], server.port());
    assert_eq!(change["report"]["verdict"], "unknown");
    assert!(change["since"].as_str() < change["time"].as_str(), "{change}");
    // The receiver failed twice, and then got both, in order, the first one again under the same id.
    let requests = receiver.requests();
    let got: Vec<Value> = requests.iter().map(|request| request.body.clone()).collect();
    assert_eq!(words(&got), ["start ok", "start ok", "start ok", "change unknown"], "{}", done.err);
    assert!(got[..3].iter().all(|body| body["id"] == events[0]["id"]));
    assert_eq!(got[3], *change, "the webhook gets what is told here");
    for request in &requests {
        assert!(request.line.starts_with(&format!("POST /{TOKEN}")), "{}", request.line);
        assert!(request.headers.contains(&format!("x-key: {KEY}")), "{}", request.headers);
        assert!(request.headers.contains("content-type: application/json"), "{}", request.headers);
    }
    // Nothing said or sent holds a secret, but the address and the header themselves.
    let all = format!("{}{}{got:?}", done.out, done.err);
    for secret in [PASSWORD, KEY, TOKEN] {
        assert!(!all.contains(secret), "{secret}: {all}");
    }
    assert!(all.contains("530 no ***"), "the password was sent, and its echo scrubbed");
    assert!(done.err.contains(&format!("messages go to http://{}\n", receiver.address)), "{}", done.err);
}

#[test]
fn people_get_lines_and_no_secret_in_any_format() {
    let server = Server::start(
        "persona = 'generic'\nlogin.users = { tester = 'S3cr3t-Pa55word' }\n[replies]\nPASS = '530 {pass}'\n",
    );
    let (address, receiver) = (server.address(), Receiver::start(&["404 Gone"]));
    let formats: &[&[&str]] =
        &[&[], &["-q"], &["-v"], &["--json"], &["--color", "always", "-v"], &["--dry-run"]];
    for format in formats {
        let url = receiver.url();
        let mut args =
            vec!["watch", "--user", "tester", "--count", "1", "--webhook-header", "X-Key=HOOK_KEY", &address];
        args.extend(*format);
        let mut command = command(&args);
        // The address out of the environment, where the list of processes does not show it.
        command.env("PASVCHECK_PASSWORD", PASSWORD).env("HOOK_KEY", KEY).env("PASVCHECK_WEBHOOK", &url);
        let done = output(command);
        let all = format!("{}{}", done.out, done.err);
        for secret in [PASSWORD, KEY, TOKEN] {
            assert!(!all.contains(secret), "{format:?} {secret}: {all}");
        }
        if format.contains(&"--dry-run") {
            assert_eq!((done.code, done.out.contains("Would check")), (0, true), "{done:?}");
            continue;
        }
        assert_eq!(done.code, 3, "{}", done.err);
        // A refusal is told, and not tried again.
        assert!(done.err.contains("webhook: not delivered: start of 127.0.0.1"), "{}", done.err);
        assert!(done.err.contains("it answered 404"), "{}", done.err);
        if format.is_empty() {
            assert!(done.out.contains(&format!("Z  {address}  UNKNOWN login-failed\n")), "{}", done.out);
            assert!(done.err.contains("ended with 1 target: 1 unknown"), "{}", done.err);
        }
        if *format == ["-q"] {
            assert_eq!((done.out.lines().count(), done.err.lines().count()), (1, 1), "{done:?}");
        }
    }
    assert_eq!(receiver.requests().len(), formats.len() - 1, "one try each");
}

/// A receiver that speaks TLS with a certificate of its own, for `localhost`; hands out its port, the certificate as PEM, and
/// what it got in clear, handshakes that failed being nothing.
fn secured() -> (u16, String, Arc<Mutex<Vec<Request>>>) {
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)
            .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let got = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&got);
    let config = Arc::new(config);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
            let session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(session, stream);
            if let Some(request) = read(&mut stream) {
                kept.lock().unwrap().push(request);
                let _ = stream.write_all(b"HTTP/1.1 204 Good\r\nConnection: close\r\n\r\n");
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    (port, own.cert.pem(), got)
}

#[cfg(target_os = "linux")]
#[test]
fn a_secret_goes_to_a_certificate_that_is_trusted_and_to_no_other() {
    let (port, certificate, got) = secured();
    let server = Server::start("persona = 'vsftpd'");
    let file = std::env::temp_dir().join(format!("pasvcheck-watch-{}.pem", std::process::id()));
    std::fs::write(&file, certificate).unwrap();
    let another = file.with_extension("other.pem");
    std::fs::write(&another, secured().1).unwrap();
    let run = |trusted: bool, host: &str| {
        let (url, address) = (format!("https://{host}:{port}/{TOKEN}"), server.address());
        let mut args = vec!["watch", "--count", "1", "--insecure", "--webhook", &url];
        args.extend(["--webhook-header", "X-Key=HOOK_KEY", &address]);
        let mut command = command(&args);
        command.env("HOOK_KEY", KEY).env("SSL_CERT_FILE", if trusted { &file } else { &another });
        output(command)
    };
    // Untrusted, and trusted for another name; --insecure is about FTP servers.
    for (trusted, host) in [(false, "localhost"), (true, "127.0.0.1")] {
        let done = run(trusted, host);
        assert!(done.err.contains("1 message was not delivered"), "{}", done.err);
        assert!(done.err.contains("no connection: invalid peer certificate"), "{}", done.err);
        assert!(!format!("{done:?}").contains(KEY) && !format!("{done:?}").contains(TOKEN), "{done:?}");
    }
    assert_eq!(got.lock().unwrap().len(), 0, "the secret went to somebody unknown");
    let done = run(true, "localhost");
    std::fs::remove_file(&file).unwrap();
    std::fs::remove_file(&another).unwrap();
    assert!(!done.err.contains("not delivered"), "{}", done.err);
    let got = got.lock().unwrap();
    assert_eq!(got.len(), 1, "{}", done.err);
    assert!(got[0].headers.contains(KEY));
}

#[test]
fn a_redirect_is_not_followed() {
    let server = Server::start("persona = 'vsftpd'");
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let answer = format!("307 There\r\nLocation: http://{}/", elsewhere.local_addr().unwrap());
    let answers: &'static [&'static str] = vec![&*answer.leak()].leak();
    let receiver = Receiver::start(answers);
    let address = server.address();
    let done = pasvcheck(&["watch", "--count", "1", "--webhook", &receiver.url(), &address]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.err.contains("307, a redirect, which is not followed"), "{}", done.err);
    assert_eq!(receiver.requests().len(), 1);
    assert!(elsewhere.accept().is_err(), "it went where the redirect points");
}

#[test]
fn a_dead_webhook_delays_neither_checks_nor_the_end() {
    let server = Server::start("persona = 'vsftpd'");
    // Takes connections and never answers.
    let dead = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", dead.local_addr().unwrap());
    let clock = Stopwatch::start();
    let address = server.address();
    let done = pasvcheck(&["watch", "--interval", "5s", "--count", "2", "--webhook", &url, &address]);
    // Two rounds, at most one interval apart, and five seconds for what is left; the rest is the machine.
    assert!(clock.elapsed() < Duration::from_secs(20), "{:?}", clock.elapsed());
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.err.contains("webhook: 1 message was not delivered before the end"), "{}", done.err);
    assert_eq!(server.stop().control_connections, 2);
}

#[cfg(unix)]
#[test]
fn sigterm_ends_it_and_the_exit_code_is_the_worst_state() {
    let good = Server::start("persona = 'vsftpd'");
    let bad = Server::start("persona = 'vsftpd'\npassive.advertise = '10.0.0.1'");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let slow = silent.local_addr().unwrap().to_string();
    for (targets, worst) in [(vec![good.address()], 0), (vec![good.address(), bad.address(), slow], 2)] {
        let receiver = Receiver::start(&["204 Good"]);
        let url = receiver.url();
        let mut args = vec!["watch", "--format", "ndjson", "--webhook", &url];
        args.extend(targets.iter().map(String::as_str));
        let mut child = command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        for _ in 0..targets.len().min(2) {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["event"], "start", "{line}");
        }
        // Two seconds for the checks under way, five for the webhook.
        assert_eq!(terminate(&mut child, Duration::from_secs(15)), worst);
        assert_eq!(receiver.requests().len(), targets.len().min(2));
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(said.contains("ended with"), "{said}");
        assert_eq!(said.contains("1 unknown"), targets.len() == 3, "{said}");
    }
}

#[cfg(unix)]
#[test]
fn a_reader_who_does_not_read_holds_up_neither_checks_nor_the_end() {
    let server = Server::start("persona = 'vsftpd'");
    let address = server.address();
    // More than a pipe holds: twenty whole reports.
    let mut args = vec!["watch", "--format", "ndjson", "-v"];
    args.extend(std::iter::repeat_n(address.as_str(), 20));
    let receiver = Receiver::start(&["204 Good"]);
    let url = receiver.url();
    args.extend(["--webhook", &url]);
    let mut child = command(&args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let clock = Stopwatch::start();
    while receiver.requests().len() < 20 {
        assert!(clock.elapsed() < Duration::from_secs(60), "{} of 20", receiver.requests().len());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(terminate(&mut child, Duration::from_secs(15)), 0);
    // And one who went away ends it.
    let mut child = command(&args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    drop(child.stdout.take());
    let clock = Stopwatch::start();
    while child.try_wait().unwrap().is_none() {
        if clock.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            panic!("it went on for nobody");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_cannot_begin_says_why_and_repeats_no_secret() {
    let header = |value| vec!["--webhook", "https://hooks.example.com/", "--webhook-header", value];
    let cases: Vec<(Vec<&str>, &str)> = vec![
        (vec!["--interval", "4s"], "5s is the shortest interval: a check opens about ten connections"),
        (vec!["--interval", "2d"], "between 10ms and 24h"),
        (vec!["--confirm", "0"], "1..=30"),
        (vec!["--count", "0"], "--count"),
        (vec!["--webhook-header", "X-Key=HOOK_KEY"], "--webhook <URL>"),
        (vec!["--webhook", "t0ken-in-the-path"], "write https://HOST/PATH"),
        (vec!["--webhook", "gopher://hooks.example.com/t0ken-in-the-path"], "only https:// and http://"),
        (vec!["--webhook", "https://jo:t0ken-in-the-path@hooks.example.com/"], "send it in a header"),
        (header("X-Key"), "NAME=ENVVAR"),
        (header("X-Key=k3y-of-the-h00k"), "NAME=ENVVAR"),
        (header("X-Key=NOBODY_SET_THIS"), "--webhook-header X-Key: the environment variable"),
        (header("X Key=HOOK_KEY"), "\"X Key\" cannot be the name"),
        (header("Host=HOOK_KEY"), "\"Host\" cannot be the name"),
        (
            vec![
                "--webhook",
                "http://hooks.example.com/t0ken-in-the-path",
                "--webhook-header",
                "X-Key=HOOK_KEY",
            ],
            "http://hooks.example.com is not encrypted",
        ),
        (vec!["--targets", "/nonexistent/list"], "cannot be read"),
        (vec!["host:0"], "ports are 1 to 65535"),
    ];
    for (args, hint) in cases {
        let mut command = command(&[&["watch", "ftp.example.com"], args.as_slice()].concat());
        command.env("HOOK_KEY", KEY);
        let done = output(command);
        assert_eq!((done.code, done.out.as_str()), (3, ""), "{args:?}: {done:?}");
        assert!(done.err.contains(hint), "{args:?} lacks {hint:?}: {}", done.err);
        for secret in [PASSWORD, KEY, TOKEN] {
            assert!(!done.err.contains(secret), "{args:?}: {}", done.err);
        }
    }
    assert_eq!(pasvcheck(&["watch"]).code, 3);
}
