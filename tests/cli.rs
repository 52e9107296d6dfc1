//! The program as a user meets it: help, exit codes, bad input, files and pipes. Nothing leaves loopback.

mod common;

use std::io::Read;
use std::net::{TcpListener, UdpSocket};
use std::process::Stdio;
use std::time::Duration;

use common::{Server, command, pasvcheck, with_input};
use pasvcheck::clock::Stopwatch;

const HEALTHY: &str = "persona = 'vsftpd'";

#[test]
fn a_healthy_server_takes_ten_lines_and_exit_0() {
    let done = pasvcheck(&["demo", "healthy-vsftpd"]);
    assert_eq!(done.code, 0, "{done:?}");
    let report = done
        .out
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("Scenario") && !line.starts_with("Demo"));
    let lines: Vec<&str> = report.collect();
    assert!(lines[0].starts_with("OK ftp.example.com (vsftpd"), "{lines:?}");
    assert!(lines.len() <= 10, "{} lines:\n{}", lines.len(), done.out);
    assert_eq!(done.err, "", "nothing on standard error when it is no terminal");
    assert!(!done.out.contains('\u{1b}'));
}

#[test]
fn the_first_lines_tell_verdict_cause_and_fix_for_this_product() {
    let server = Server::start("persona = 'vsftpd'\npassive.advertise = '192.168.1.20'");
    let done = pasvcheck(&["--public-address", "203.0.113.10", "--range", "50000-50100", &server.address()]);
    assert_eq!(done.code, 2, "{done:?}");
    let position = |text: &str| done.out.find(text).unwrap_or_else(|| panic!("no {text:?} in\n{}", done.out));
    let order = [
        "CRITICAL",
        "192.168.1.20",
        "Cause: passive-address-private",
        "Fix: vsftpd",
        "pasv_address=203.0.113.10",
        "pasv_min_port=50000",
        "systemctl restart vsftpd",
        "passive-reply",
    ];
    let positions: Vec<usize> = order.iter().map(|text| position(text)).collect();
    assert!(positions.is_sorted(), "{positions:?}\n{}", done.out);
    assert!(!done.out.contains("Fix: IIS"));
}

#[test]
fn exit_codes_are_those_of_the_verdict() {
    let refused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    assert_eq!(pasvcheck(&[&refused]).code, 2);
    let warning = Server::start("persona = 'vsftpd'\npassive.pasv = false");
    assert_eq!(pasvcheck(&[&warning.address()]).code, 1);
    let unknown = Server::start("persona = 'vsftpd'\nlogin.anonymous = false");
    assert_eq!(pasvcheck(&[&unknown.address()]).code, 3);
    // The worst of several is by gravity, not by number.
    let ok = Server::start(HEALTHY);
    assert_eq!(pasvcheck(&[&ok.address(), &unknown.address(), &warning.address()]).code, 3);
    assert_eq!(pasvcheck(&[&unknown.address(), &refused, &ok.address()]).code, 2);
}

#[test]
fn bad_usage_exits_3_and_says_what_to_do() {
    let cases: &[(&[&str], &str)] = &[
        (&[], "TARGET"),
        (&["--no-such-option", "host"], "--no-such-option"),
        (&["host:65536"], "65535"),
        (&["host:0"], "ports are 1 to 65535"),
        (&["300.1.2.3"], "IPv4 address"),
        (&["a b"], "host name"),
        (&[""], "no host"),
        (&["sftp://host"], "sftp"),
        (&["--tls", "off", "ftps://host"], "TLS from the first byte"),
        (&["ftp://host/a%0d%0aDELE%20x"], "line break"),
        (&["--user", "a\r\nDELE x", "host"], "line break"),
        (&["--download", "a\nb", "host"], "line break"),
        (&["--upload", "0", "host"], "at least 1 byte"),
        (&["--upload", "1025M", "host"], "at most 1G"),
        (&["--upload", "99999999999999999999G", "host"], "at most 1G"),
        (&["--upload", "10X", "host"], "64K, 10M or 1G"),
        (&["--upload", "1.5M", "host"], "64K, 10M or 1G"),
        (&["--upload", "", "host"], "64K, 10M or 1G"),
        (&["--upload=-1", "host"], "64K, 10M or 1G"),
        (&["--range", "5-1", "host"], "backwards"),
        (&["--range", "x", "host"], "LOW-HIGH"),
        (&["--timeout", "never", "host"], "duration"),
        (&["--only", "nothing", "host"], "possible values"),
        (&["--from", "/nonexistent.json"], "cannot be read"),
        (&["--from", "Cargo.toml"], "no report"),
        (&["explain", "no-such-finding"], "no finding"),
        (&["demo", "no-such-scenario"], "no scenario"),
        (&["--user", "jo", "127.0.0.1:1"], "PASVCHECK_PASSWORD"),
        (&["-4", "-6", "host"], "cannot be used with"),
    ];
    for (args, hint) in cases {
        let done = pasvcheck(args);
        assert_eq!(done.code, 3, "{args:?}: {done:?}");
        assert!(done.err.contains(hint), "{args:?} lacks {hint:?}: {}", done.err);
        assert_eq!(done.out, "", "{args:?}");
        assert!(!done.err.contains("panicked"), "{args:?}: {}", done.err);
    }
}

#[test]
fn a_password_in_the_url_is_refused_without_an_echo() {
    for url in ["ftp://jo:hunter2@127.0.0.1:1/", "jo:hunter2@127.0.0.1"] {
        let done = pasvcheck(&[url]);
        assert_eq!(done.code, 3);
        assert!(done.err.contains("PASVCHECK_PASSWORD"), "{}", done.err);
        assert!(!format!("{done:?}").contains("hunter2"));
    }
}

#[test]
fn help_and_version_are_no_errors() {
    let help = pasvcheck(&["--help"]);
    assert_eq!(help.code, 0);
    for word in ["Login:", "What to check:", "Network:", "Output:", "Exit codes", "--public-address"] {
        assert!(help.out.contains(word), "{word}\n{}", help.out);
    }
    let version = pasvcheck(&["--version"]);
    assert_eq!((version.code, version.out.trim()), (0, concat!("pasvcheck ", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn json_keeps_the_contract() {
    let server = Server::start(HEALTHY);
    let done = pasvcheck(&["--json", &server.address()]);
    let report = done.json();
    assert_eq!(report["schema_version"], 1);
    assert_eq!(report["tool"]["name"], "pasvcheck");
    assert_eq!(report["target"]["host"], "127.0.0.1");
    assert_eq!(report["target"]["port"], server.port());
    assert_eq!(report["verdict"], "ok");
    assert_eq!(report["server"]["product"], "vsftpd");
    assert_eq!(report["server"]["certainty"], "certain");
    assert_eq!(report["endpoints"][0]["address"], "127.0.0.1");
    assert_eq!(report["endpoints"][0]["family"], "ipv4");
    assert!(report["endpoints"][0]["skipped"].is_null());
    assert!(report["started_at"].as_str().unwrap().ends_with('Z'));
    assert!(report["duration_ms"].is_u64());
    let checks: Vec<&str> =
        report["checks"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap()).collect();
    assert_eq!(
        checks,
        [
            "resolve",
            "control",
            "greeting",
            "tls",
            "login",
            "passive-reply",
            "data-connection",
            "transfer",
            "middlebox",
            "port-range"
        ]
    );
    let statuses: Vec<&str> =
        report["checks"].as_array().unwrap().iter().map(|c| c["status"].as_str().unwrap()).collect();
    // Without TLS on the server there is nothing to set up and nothing to compare, and nobody asked for the range.
    let without_reason = ["tls", "middlebox", "port-range"];
    let expected = checks.iter().map(|check| if without_reason.contains(check) { "skip" } else { "pass" });
    assert_eq!(statuses, expected.collect::<Vec<_>>());
    assert!(report["evidence"].is_object());
}

#[test]
fn findings_keep_the_contract() {
    let server = Server::start("persona = 'proftpd'\npassive.advertise = '192.168.1.20'");
    let report = pasvcheck(&["--json", &server.address()]).json();
    let finding = &report["findings"][0];
    assert_eq!(finding["id"], "passive-address-private");
    assert_eq!(finding["severity"], "critical");
    assert_eq!(finding["scope"]["endpoint"], "127.0.0.1");
    assert_eq!(finding["scope"]["mode"], "pasv");
    assert_eq!(finding["scope"]["tls"], false);
    assert_eq!(finding["location"], "server");
    for key in ["hops", "file", "line", "column", "explained_by", "title", "detail", "confidence", "evidence"]
    {
        assert!(finding.get(key).is_some(), "{key}");
    }
    let remedy = &finding["remedies"][0];
    assert_eq!(remedy["for"], "ProFTPD");
    assert!(remedy["commands"][0].as_str().unwrap().contains("MasqueradeAddress"), "{remedy:#}");
    assert!(remedy["text"].is_string());
}

#[test]
fn several_targets_give_one_json_object_a_line() {
    let (one, two) = (Server::start(HEALTHY), Server::start("persona = 'iis'"));
    let done = pasvcheck(&["--json", &one.address(), &two.address()]);
    let lines: Vec<&str> = done.out.lines().collect();
    assert_eq!(lines.len(), 2);
    for line in lines {
        let report: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(report["verdict"], "ok");
    }
}

#[test]
fn a_saved_report_is_diagnosed_again() {
    let server = Server::start("persona = 'pure-ftpd'\npassive.advertise = '10.9.8.7'");
    let folder = std::env::temp_dir().join(format!("pasvcheck-from-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("report.json");
    let path = file.to_str().unwrap();
    let live = pasvcheck(&["--json", "-o", path, &server.address()]);
    assert_eq!((live.code, live.out.as_str()), (2, ""));
    drop(server);
    let again = pasvcheck(&["--json", "--from", path]);
    assert_eq!(again.code, 2);
    assert_eq!(
        again.out,
        std::fs::read_to_string(&file).unwrap(),
        "the same evidence leads to the same report"
    );
    assert!(pasvcheck(&["--from", path]).out.contains("passive-address-private"));
    let piped = with_input(&["--from", "-"], &again.out);
    assert_eq!(piped.code, 2);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "no temporary file is left");
    let future = again.out.replace("\"schema_version\": 1", "\"schema_version\": 99");
    let refused = with_input(&["--from", "-"], &future);
    assert_eq!(refused.code, 3);
    assert!(refused.err.contains("99"), "{}", refused.err);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_dry_run_contacts_nobody() {
    let server = Server::start(HEALTHY);
    let done = pasvcheck(&["--dry-run", &server.address()]);
    assert_eq!(done.code, 0);
    assert!(done.out.contains("Would check 127.0.0.1") && done.out.contains("transfer"), "{}", done.out);
    let json = pasvcheck(&["--dry-run", "--json", &server.address()]).json();
    assert_eq!(json["target"]["host"], "127.0.0.1");
    assert_eq!(server.stop().control_connections, 0);
}

#[test]
fn trace_shows_the_dialogue_without_the_password() {
    let server = Server::start(HEALTHY);
    let done = pasvcheck(&["--trace", &server.address()]);
    for line in ["C: PASS ***", "S: 230 Login successful.", "C: EPSV", "-- data connection to 127.0.0.1:"] {
        assert!(done.out.contains(line), "{line}\n{}", done.out);
    }
}

#[test]
fn only_and_skip_choose_the_checks() {
    let server = Server::start(HEALTHY);
    let done = pasvcheck(&["--json", "--only", "login", &server.address()]);
    assert_eq!((done.code, done.json()["verdict"].as_str()), (0, Some("ok")));
    let journal = server.stop();
    assert!(!journal.commands.iter().any(|command| command.starts_with("PASV")), "{journal:?}");
    let server = Server::start(HEALTHY);
    assert_eq!(pasvcheck(&["--skip", "transfer", &server.address()]).code, 0);
    assert!(!server.stop().commands.iter().any(|command| command.starts_with("LIST")));
}

#[test]
fn quiet_is_the_verdict_alone() {
    let server = Server::start("persona = 'vsftpd'\npassive.advertise = '10.0.0.1'");
    let done = pasvcheck(&["-q", &server.address()]);
    assert_eq!(done.out.lines().count(), 1, "{}", done.out);
    assert!(done.out.starts_with("CRITICAL 127.0.0.1:"), "{}", done.out);
}

#[test]
fn colour_is_decided_once() {
    let server = Server::start(HEALTHY);
    let address = server.address();
    let run = |args: &[&str], variables: &[(&str, &str)]| {
        let mut command = command(&[args, &[&address]].concat());
        command.env_remove("NO_COLOR").envs(variables.iter().copied());
        common::output(command).out.contains('\u{1b}')
    };
    assert!(!run(&[], &[]), "a pipe has none");
    assert!(run(&["--color", "always"], &[]));
    assert!(!run(&[], &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]));
    assert!(!run(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
}

#[test]
fn a_closed_pipe_is_no_error() {
    let mut child = command(&["explain"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""));
}

#[test]
fn a_file_that_cannot_be_written_is_a_clear_error() {
    let server = Server::start(HEALTHY);
    let done = pasvcheck(&["-o", "/nonexistent/report.txt", &server.address()]);
    assert_eq!(done.code, 3);
    assert!(done.err.contains("/nonexistent/report.txt"), "{}", done.err);
}

#[test]
fn a_dead_resolver_and_an_unknown_name_are_told_apart() {
    // A resolver that takes questions and never answers.
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let started = Stopwatch::start();
    let done = pasvcheck(&["--json", "--dns", &address, "ftp.example.com"]);
    assert_eq!(done.code, 3, "{done:?}");
    assert_eq!(done.findings(), ["resolver-unreachable"]);
    assert!(started.elapsed() < Duration::from_secs(20));
    // A resolver that knows no name: the question comes back as NXDOMAIN.
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let mut packet = [0; 512];
        for _ in 0..20 {
            let Ok((length, from)) = server.recv_from(&mut packet) else { return };
            packet[2] = 0x81;
            packet[3] = 0x83;
            // Leave out what follows the question: the EDNS record of the query.
            packet[10] = 0;
            packet[11] = 0;
            let end = 12 + packet[12..length].iter().position(|byte| *byte == 0).unwrap_or(0) + 5;
            let _ = server.send_to(&packet[..end], from);
        }
    });
    let done = pasvcheck(&["--json", "--dns", &address, "ftp.example.com"]);
    assert_eq!((done.code, done.findings()), (2, vec!["name-unresolved".to_owned()]), "{done:?}");
}

#[test]
fn a_name_can_be_given_its_address() {
    let server = Server::start(HEALTHY);
    let target = format!("ftp.example.com:{}", server.port());
    let done = pasvcheck(&["--json", "--resolve", "ftp.example.com:127.0.0.1", &target]);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(done.json()["target"]["host"], "ftp.example.com");
}

#[test]
fn the_deadline_ends_the_run_with_what_is_known() {
    let server = Server::start("greeting = { lines = ['220 late'], delay_ms = 60000 }");
    let started = Stopwatch::start();
    let done = pasvcheck(&["--json", "--deadline", "1s", &server.address()]);
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(done.code, 3, "{done:?}");
    assert_eq!(done.json()["endpoints"][0]["address"], "127.0.0.1");
}

#[test]
fn a_download_tells_its_throughput() {
    let server = Server::start("persona = 'proftpd'");
    let done = pasvcheck(&["--download", "/image.iso", &server.address()]);
    assert_eq!(done.code, 0, "{done:?}");
    // Wherever the line happens to be broken.
    let words = done.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("RETR /image.iso by PASV: 1.0 MiB in") && words.contains("/s"), "{}", done.out);
}

#[test]
fn an_upload_tells_its_throughput_and_what_became_of_the_file() {
    let server = Server::start("persona = 'proftpd'\n[data]\nwritable = true");
    let done = pasvcheck(&["--upload", "300K", &server.address()]);
    assert_eq!(done.code, 0, "{done:?}");
    let words = done.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("STOR pasvcheck-") && words.contains("by PASV: 300.0 KiB in"), "{}", done.out);
    assert!(words.contains("/s, 226; the file is removed"), "{}", done.out);

    let report = pasvcheck(&["--json", "--upload", "5000", &server.address()]).json();
    let transfers = report["evidence"]["endpoints"][0]["transfers"].as_array().unwrap().clone();
    let upload = transfers.iter().find(|transfer| !transfer["upload"].is_null()).expect("an upload");
    assert_eq!((&upload["bytes"], &upload["expected_bytes"]), (&5000.into(), &5000.into()), "{upload:#}");
    assert_eq!(upload["upload"]["fate"]["fate"], "removed", "{upload:#}");
    assert_eq!(upload["upload"]["stored"]["lines"][0], "213 5000", "{upload:#}");
    let file = upload["upload"]["file"].as_str().unwrap();
    assert_eq!(upload["command"], format!("STOR {file}"));
    // It is gone from the listing of the next one.
    let next = pasvcheck(&["--json", "--trace", &server.address()]);
    assert!(!next.out.contains(file));
}

#[test]
fn nothing_is_written_unless_it_was_asked_for() {
    let server = Server::start("persona = 'vsftpd'\n[data]\nwritable = true");
    let done = pasvcheck(&["--trace", &server.address()]);
    assert!(done.code == 0 && !done.out.contains("STOR") && !done.out.contains("DELE"), "{}", done.out);
}

#[test]
fn a_dry_run_says_that_an_upload_writes() {
    let said = |args: &[&str]| pasvcheck(&[args, &["--dry-run", "ftp.example.com"]].concat()).out;
    let words = "Writes a file pasvcheck-….tmp of 65536 bytes";
    assert!(said(&["--upload", "64K"]).contains(words) && said(&["--upload", "64KiB"]).contains(words));
    assert!(said(&["--upload", "64k"]).contains("removes it"));
    assert!(said(&["--upload", "1"]).contains("of 1 byte to"));
    assert!(!said(&[]).contains("Writes a file"));
    assert!(!said(&["--upload", "64K", "--skip", "transfer"]).contains("Writes a file"));
    let json: serde_json::Value =
        serde_json::from_str(&said(&["--upload", "1G", "--json"])).expect("a plan in JSON");
    assert_eq!((&json["upload"], &json["limits"]["run"]), (&(1u64 << 30).into(), &3600.0.into()));
}

#[test]
fn a_file_that_stays_is_named_with_the_way_to_remove_it() {
    let server =
        Server::start("persona = 'vsftpd'\nreplies.DELE = '550 Permission denied.'\n[data]\nwritable = true");
    let done = pasvcheck(&["--json", "--upload", "1K", &server.address()]);
    assert_eq!((done.code, done.findings()[0].as_str()), (1, "upload-left-behind"), "{done:?}");
    let report = done.json();
    let finding = &report["findings"][0];
    let file = report["evidence"]["endpoints"][0]["transfers"][1]["upload"]["file"].as_str().unwrap();
    assert!(finding["title"].as_str().unwrap().contains(file), "{finding:#}");
    let fixes = finding["remedies"].to_string();
    assert!(fixes.contains(&format!("-name '{file}' -delete")), "{finding:#}");
}

#[test]
fn an_upload_that_the_deadline_ends_says_what_is_left() {
    // The server reads no further, and the run is over before that counts as a stall.
    let server = Server::start("persona = 'vsftpd'\n[data]\nwritable = true\nstall_after = 1000");
    let done = pasvcheck(&["--json", "--deadline", "4s", "--upload", "50M", &server.address()]);
    assert_eq!(done.code, 3, "{done:?}");
    let upload = &done.json()["evidence"]["endpoints"][0]["transfers"][1];
    assert_eq!(upload["end"], serde_json::Value::Null, "{upload:#}");
    assert_eq!(upload["upload"]["fate"]["fate"], "removed", "time was kept for that: {upload:#}");
}

#[test]
fn a_survey_of_real_ports_draws_its_map() {
    let server = Server::start(HEALTHY);
    let range = format!("{}-{}", server.port().saturating_sub(200), server.port());
    let done = pasvcheck(&["--range", &range, "--scan", "--rate", "max", &server.address()]);
    assert!(done.out.contains(&format!("Ports {range}")) && done.out.contains("let through"), "{}", done.out);
    let report = pasvcheck(&["--json", "--range", &range, &server.address()]).json();
    let survey = &report["evidence"]["endpoints"][0]["survey"];
    assert_eq!(survey["asked"], 24, "{survey:#}");
    assert_eq!(survey["control_afterwards"]["outcome"]["outcome"], "open");
}

#[test]
fn explain_shows_every_product() {
    let done = pasvcheck(&["explain", "passive-address-private"]);
    assert_eq!(done.code, 0);
    for product in ["vsftpd", "ProFTPD", "Pure-FTPd", "FileZilla Server", "IIS", "NAT router"] {
        assert!(done.out.contains(product), "{product}");
    }
    assert!(!done.out.contains("{public_address}") && !done.out.contains("```"));
    let overview = pasvcheck(&["explain"]);
    assert!(overview.out.contains("227") && overview.out.contains("data-port-filtered"));
    assert!(pasvcheck(&["explain", "private-address"]).err.contains("did you mean passive-address-private"));
}

#[test]
fn the_demo_names_its_fault() {
    let done = pasvcheck(&["demo", "private-address"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.out.contains("the planted fault was named: passive-address-private"), "{}", done.out);
    let list = pasvcheck(&["demo"]);
    assert!(list.code == 0 && list.out.contains("healthy-vsftpd") && list.out.contains("private-address"));
}

/// A stand-in on free ports, as a process of its own.
#[cfg(unix)]
fn serve(more: &[&str]) -> (std::process::Child, u16, String) {
    use std::io::{BufRead, BufReader};

    for attempt in 0..20_u16 {
        let port = 13_000 + u16::try_from(std::process::id() % 200).unwrap() * 10 + attempt * 10;
        let (control, range) = (port.to_string(), format!("{}-{}", port + 1, port + 5));
        let mut words = vec!["serve", "--bind", "127.0.0.1", "--port", &control, "--range", &range];
        words.extend(more);
        let mut child = command(&words).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        if line.starts_with("Stand-in: listening on port") {
            return (child, port, range);
        }
        child.wait().unwrap();
    }
    panic!("no ports are free");
}

#[cfg(unix)]
#[test]
fn a_stand_in_is_proven_and_ends_by_a_signal() {
    for signal in ["-INT", "-TERM"] {
        let (mut child, port, range) = serve(&["--for", "1m"]);
        let target = format!("127.0.0.1:{port}");
        let done = pasvcheck(&["--range", &range, "--scan", &target]);
        assert!(done.out.contains("5 of 5 ports proven end to end"), "{done:?}");
        let pid = child.id().to_string();
        assert!(std::process::Command::new("kill").args([signal, &pid]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{signal}");
        assert_eq!(pasvcheck(&[&target]).code, 2, "nobody listens any more");
    }
}

#[cfg(unix)]
#[test]
fn a_stand_in_ends_by_itself() {
    let clock = Stopwatch::start();
    let (mut child, ..) = serve(&["--for", "300ms"]);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(clock.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_stand_in_that_cannot_begin_says_why() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port().to_string();
    let base = ["serve", "--bind", "127.0.0.1", "--range", "14990-14994"];
    let with = |more: &[&str]| pasvcheck(&[&base[..], more].concat());
    let cases: [(&[&str], &str); 6] = [
        (&["--port", &port], "is taken on this host"),
        (&["--port", "14992"], "holds the control port 14992"),
        (&["--port", "14989", "--public-address", "2001:db8::1"], "EPSV"),
        (&["--port", "14989", "--json"], "the check from outside has it"),
        (&["--port", "14989", "-o", "file"], "redirect its output"),
        (&["--port", "14989", "--for", "0s"], "a duration lies between"),
    ];
    for (more, words) in cases {
        let done = with(more);
        assert_eq!(done.code, 3, "{more:?}: {done:?}");
        assert!(done.err.contains(words) && done.out.is_empty(), "{more:?}: {done:?}");
    }
    let elsewhere =
        pasvcheck(&["serve", "--bind", "203.0.113.7", "--port", "14989", "--range", "14990-14991"]);
    assert!(elsewhere.err.contains("has no address 203.0.113.7"), "{elsewhere:?}");
    let dry = with(&["--port", "14989", "--dry-run"]);
    assert_eq!((dry.code, dry.out.contains("all 5 data ports 14990-14994")), (0, true), "{dry:?}");
    let secret =
        command(&["serve", "--range", "14990-14994"]).env("PASVCHECK_SECRET", "short").output().unwrap();
    assert_eq!(secret.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&secret.stderr).contains("12 to 256 characters"));
}
