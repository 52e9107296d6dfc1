//! Many targets: lists, settings of each, one exit code, and what is written when.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

use common::{Folder, Server, command, output, pasvcheck, with_input};
use pasvcheck::clock::Stopwatch;

const HEALTHY: &str = "persona = 'vsftpd'";

/// A port that takes connections and never says a word.
fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

#[test]
fn a_plain_list_has_one_target_a_line_and_comments() {
    let (one, two) = (Server::start(HEALTHY), Server::start("persona = 'iis'\npassive.pasv = false"));
    let folder = Folder::new("plain");
    let text = format!("# our servers\n\n{}   # the first\r\n  {}\n", one.address(), two.address());
    let list = folder.file("servers.txt", &text);
    let done = pasvcheck(&["--json", "--targets", &list]);
    assert_eq!(done.code, 1, "{done:?}");
    let mut verdicts: Vec<(u64, String)> = done
        .out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|report| {
            (report["target"]["port"].as_u64().unwrap(), report["verdict"].as_str().unwrap().to_owned())
        })
        .collect();
    verdicts.sort();
    let mut expected =
        vec![(u64::from(one.port()), "ok".to_owned()), (u64::from(two.port()), "warning".to_owned())];
    expected.sort();
    assert_eq!(verdicts, expected);
    // From standard input, and beside targets of the command line.
    let piped = with_input(
        &["--format", "ndjson", "--targets", "-", &two.address()],
        &format!("{}\n", one.address()),
    );
    assert_eq!((piped.code, piped.out.lines().count()), (1, 2), "{piped:?}");
}

#[test]
fn a_list_of_toml_has_settings_for_each_target() {
    let open = Server::start(HEALTHY);
    let locked = Server::start("persona = 'generic'\nlogin.anonymous = false\nlogin.users = { jo = 'pa55' }");
    let folder = Folder::new("toml");
    folder.file("secret.txt", "pa55\n");
    let text = format!(
        "[defaults]\ndeadline = '30s'\nlabels = {{ team = 'infra' }}\n\n[[target]]\ntarget = '127.0.0.1'\nport = {}\n\
         range = '1024-65535'\nwarning = 'total=@0:1h'\n[target.labels]\nsite = 'berlin'\n\n[[target]] # with a login\n\
         target = '{}'\nuser = 'jo'\npassword_file = 'secret.txt'\ntls = 'off'\n",
        open.port(),
        locked.address()
    );
    let list = folder.file("servers.toml", &text);
    let done = pasvcheck(&["--json", "--targets", &list]);
    assert_eq!(done.code, 1, "{done:?}");
    let reports: Vec<serde_json::Value> =
        done.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |port: u16| reports.iter().find(|report| report["target"]["port"] == port).unwrap();
    let first = of(open.port());
    assert_eq!(first["labels"], serde_json::json!({"site": "berlin", "team": "infra"}));
    assert_eq!(first["evidence"]["told"]["range"]["min"], 1024);
    assert_eq!(first["verdict"], "warning");
    assert!(
        first["summary"].as_str().unwrap().contains("-w alerts from 0.0 ms to 3600.0 s"),
        "{}",
        first["summary"]
    );
    let second = of(locked.port());
    assert_eq!((second["verdict"].as_str(), second["labels"]["team"].as_str()), (Some("ok"), Some("infra")));
    assert_eq!(second["evidence"]["told"]["named_user"], true);
    // What is checked, too.
    let text = format!(
        "[defaults]\nonly = ['passive-reply']\n[[target]]\ntarget = '{}'\n[[target]]\ntarget = '{}'\nonly = ['transfer']\n\
         upload = '1K'\nuser = 'jo'\npassword_file = 'secret.txt'\n",
        open.address(),
        locked.address()
    );
    let done = pasvcheck(&["--json", "--targets", &folder.file("only.toml", &text)]);
    let mut seen: Vec<(usize, usize)> = Vec::new();
    for line in done.out.lines() {
        seen.push((line.matches("\"command\":\"LIST\"").count(), line.matches("\"fate\":").count()));
    }
    seen.sort_unstable();
    assert_eq!(seen, [(0, 0), (1, 2)], "{}", done.err);
    // The same by an environment variable that the list names.
    let text =
        format!("[[target]]\ntarget = '{}'\nuser = 'jo'\npassword_env = 'FTP_SECRET'\n", locked.address());
    let list = folder.file("env.toml", &text);
    let mut with = command(&["--json", "--targets", &list]);
    with.env("FTP_SECRET", "pa55");
    assert_eq!(output(with).code, 0);
    let without = pasvcheck(&["--json", "--targets", &list]);
    assert_eq!(without.code, 3);
    assert!(without.err.contains("FTP_SECRET") && without.err.contains("line 1"), "{}", without.err);
}

#[test]
fn a_list_with_faults_is_refused_with_the_place_and_before_the_first_packet() {
    let server = Server::start(HEALTHY);
    let folder = Folder::new("faults");
    let good = format!("[[target]]\ntarget = '{}'\n", server.address());
    let cases = [
        ("a.toml", format!("{good}\n[[target]]\ntarget = 'b'\nspeed = 3\n"), vec!["line 6", "speed"]),
        ("b.toml", format!("{good}\n[[target]]\nport = 21\n"), vec!["line 4", "target = \"HOST\""]),
        ("c.toml", format!("{good}range = '9-1'\n"), vec!["line 1", "range", "backwards"]),
        ("d.toml", format!("{good}tls = 'maybe'\n"), vec!["tls", "auto"]),
        ("e.toml", format!("{good}labels = {{ target = 'x' }}\n"), vec!["labels", "\"target\""]),
        ("f.toml", format!("{good}port = \n"), vec!["line 3"]),
        ("g.toml", format!("targets = 3\n{good}"), vec!["targets"]),
        ("h.toml", format!("{good}[defaults]\nscan = true\n"), vec!["[defaults] stands before"]),
        ("m.toml", format!("{good}password = 'hunter2'\n"), vec!["line 3", "password_file"]),
        ("n.toml", format!("{good}password = hunter2\n"), vec!["line 3"]),
        ("i.toml", "[defaults]\ntarget = 'x'\n".to_owned(), vec!["cannot name a target"]),
        ("j.txt", format!("{}\nhost:70000\n", server.address()), vec!["line 2", "ports are 1 to 65535"]),
        ("k.txt", format!("{}\na b\n", server.address()), vec!["line 2", "one target a line"]),
        ("l.txt", format!("{}\nftp://jo:hunter2@host\n", server.address()), vec!["line 2", "password"]),
    ];
    for (name, text, hints) in cases {
        let list = folder.file(name, &text);
        let done = pasvcheck(&["--json", "--targets", &list]);
        assert_eq!((done.code, done.out.as_str()), (3, ""), "{name}: {done:?}");
        for hint in hints {
            assert!(done.err.contains(hint), "{name} lacks {hint:?}: {}", done.err);
        }
        assert!(!done.err.contains("hunter2") && !done.err.contains("panicked"), "{}", done.err);
    }
    assert_eq!(server.stop().control_connections, 0);
    let nothing = folder.file("empty.txt", "# nobody\n\n");
    let done = pasvcheck(&["--targets", &nothing]);
    assert_eq!(done.code, 3);
    assert!(done.err.contains("no target"), "{}", done.err);
    let missing = pasvcheck(&["--targets", "/nonexistent/list"]);
    assert!(missing.code == 3 && missing.err.contains("cannot be read"), "{missing:?}");
    let both = with_input(&["--targets", "-", "--user", "jo", "--password-stdin"], "x\n");
    assert!(both.code == 3 && both.err.contains("not both"), "{both:?}");
}

#[test]
fn a_fault_in_a_piped_list_leaves_the_others_alone() {
    let server = Server::start(HEALTHY);
    let done = with_input(&["--json", "--targets", "-"], &format!("host:0\n{}\n", server.address()));
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.err.contains("standard input line 1"), "{}", done.err);
    assert_eq!(done.out.lines().count(), 1);
}

#[test]
fn each_report_is_written_as_it_ends_and_a_slow_target_delays_nobody() {
    let server = Server::start(HEALTHY);
    let (listener, slow) = silent();
    let folder = Folder::new("slow");
    // The slow one three times, and room for two: the other is still reported at once.
    let list = folder.file("list", &format!("{slow}\n{slow}\n{slow}\n{}\n", server.address()));
    let clock = Stopwatch::start();
    let mut child =
        command(&["--format", "ndjson", "--deadline", "6s", "--concurrency", "2", "--targets", &list])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    let elapsed = clock.elapsed();
    child.kill().unwrap();
    child.wait().unwrap();
    drop(listener);
    assert_eq!(first["target"]["port"], server.port());
    assert!(elapsed < Duration::from_secs(5), "{elapsed:?}");
}

#[test]
fn one_server_sees_one_session_at_a_time() {
    let server = Server::start("persona = 'vsftpd'\nlimits.sessions = 1");
    let address = server.address();
    let done = pasvcheck(&["--json", &address, &address, &address, &address]);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(done.out.lines().count(), 4);
    assert!(!done.out.contains("server-limits"), "{}", done.out);
}

#[test]
fn the_terminal_gets_a_table_of_all() {
    let (ok, bad) =
        (Server::start(HEALTHY), Server::start("persona = 'vsftpd'\npassive.advertise = '10.0.0.1'"));
    let done = pasvcheck(&[&ok.address(), &bad.address()]);
    assert_eq!(done.code, 2);
    let (reports, table) = done.out.split_once("2 targets\n").unwrap_or_else(|| panic!("{}", done.out));
    assert!(reports.contains("Cause: passive-address-private") && !reports.contains("OK "), "{reports}");
    let starts: Vec<&str> = table.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(
        (starts[0], table.contains(&format!("OK        {}", ok.address()))),
        ("CRITICAL", true),
        "{table}"
    );
    let quiet = pasvcheck(&["-q", &ok.address(), &bad.address()]);
    assert_eq!(quiet.out.lines().count(), 2, "{}", quiet.out);
}

#[cfg(unix)]
#[test]
fn a_kill_in_the_middle_leaves_the_old_file_whole() {
    let server = Server::start(HEALTHY);
    let (listener, slow) = silent();
    let folder = Folder::new("kill");
    let file = folder.file("out.ndjson", "the old one\n");
    let mut child = command(&["--format", "ndjson", "-o", &file, &server.address(), &slow]).spawn().unwrap();
    // Until the first report stands in the file beside it.
    let clock = Stopwatch::start();
    let beside = folder.0.join(format!("out.ndjson.{}.tmp", child.id()));
    while std::fs::metadata(&beside).map_or(0, |facts| facts.len()) == 0 {
        assert!(clock.elapsed() < Duration::from_secs(20), "no report was written");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    drop(listener);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "the old one\n");
    // A run that ends leaves the new file and nothing else of its own.
    std::fs::remove_file(&beside).unwrap();
    let done = pasvcheck(&["--format", "prometheus", "-o", &file, &server.address(), &server.address()]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("# HELP pasvcheck_build_info"));
    assert_eq!(folder.files(), ["out.ndjson"]);
}

#[test]
fn an_output_that_cannot_be_written_is_told_before_the_work() {
    let server = Server::start(HEALTHY);
    let done = pasvcheck(&["-o", "/nonexistent/all.json", &server.address(), &server.address()]);
    assert!(done.code == 3 && done.err.contains("/nonexistent/all.json"), "{done:?}");
    assert_eq!(server.stop().control_connections, 0);
}

#[cfg(unix)]
#[test]
fn netrc_gives_user_and_password() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = Server::start("persona = 'generic'\nlogin.anonymous = false\nlogin.users = { jo = 'pa55' }");
    let folder = Folder::new("netrc");
    let file = folder.file("netrc", "machine 127.0.0.1 login jo password pa55\n");
    let run = || {
        let mut command = command(&["--json", "--netrc", &server.address()]);
        command.env("NETRC", &file);
        output(command)
    };
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = run();
    assert!(refused.code == 3 && refused.err.contains("chmod 600"), "{refused:?}");
    // What a service manager hands out is guarded by its folder.
    for (credentials, code) in
        [(folder.0.as_os_str(), 0), (std::ffi::OsStr::new(""), 3), ("/elsewhere".as_ref(), 3)]
    {
        let mut command = command(&["--json", "--netrc", &server.address()]);
        command.env("NETRC", &file).env("CREDENTIALS_DIRECTORY", credentials);
        assert_eq!(output(command).code, code, "{credentials:?}");
    }
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let done = run();
    assert_eq!(done.code, 0, "{done:?}");
    assert!(!done.out.contains("pa55") && done.out.contains("USER jo"));
}

#[test]
fn a_reader_that_goes_away_ends_the_run() {
    let server = Server::start(HEALTHY);
    let address = server.address();
    let mut child = command(&["--format", "ndjson", "--targets", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut list = child.stdin.take().unwrap();
    // The list stays open: it ends although nobody closes its input.
    for _ in 0..3 {
        let _ = writeln!(list, "{address}");
    }
    let clock = Stopwatch::start();
    while child.try_wait().unwrap().is_none() {
        if clock.elapsed() > Duration::from_secs(20) {
            child.kill().unwrap();
            panic!("it went on for nobody");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
