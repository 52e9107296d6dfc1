//! The formats as the program writes them: one verdict everywhere, and what belongs to the tool itself.

mod common;

use common::{Server, pasvcheck, with_input};

const FORMATS: [&str; 8] =
    ["terminal", "json", "ndjson", "html", "markdown", "nagios", "prometheus", "junit"];

#[test]
fn every_format_has_the_same_exit_code_and_names_the_cause() {
    let server = Server::start("persona = 'vsftpd'\npassive.advertise = '192.168.1.20'");
    let report = pasvcheck(&["--json", &server.address()]).out;
    for format in FORMATS {
        let live = pasvcheck(&["--format", format, &server.address()]);
        let again = with_input(&["--from", "-", "--format", format], &report);
        for done in [&live, &again] {
            assert_eq!(done.code, 2, "{format}: {done:?}");
            assert!(done.out.contains("passive-address-private"), "{format}: {}", done.out);
            assert_eq!(done.err, "", "{format}");
        }
    }
}

#[test]
fn every_format_quotes_the_line_of_an_audit_and_the_corrected_one() {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("formats-audit.conf");
    std::fs::write(&file, "listen=YES\npasv_min_prot=50000\npasv_max_port=50100\n").unwrap();
    for format in FORMATS.into_iter().filter(|format| *format != "prometheus") {
        let done = pasvcheck(&[
            "audit",
            "--config",
            file.to_str().unwrap(),
            "--server",
            "vsftpd",
            "--format",
            format,
        ]);
        assert_eq!(done.code, 2, "{format}: {done:?}");
        assert!(done.out.contains("pasv_min_prot=50000"), "{format}: {}", done.out);
        assert!(done.out.contains("pasv_min_port=50000"), "{format}: {}", done.out);
    }
}

#[test]
fn thresholds_worsen_the_verdict_alike_in_every_format() {
    let server = Server::start("persona = 'vsftpd'");
    for format in FORMATS {
        let warned = pasvcheck(&["--format", format, "-w", "data=0ms", &server.address()]);
        assert_eq!(warned.code, 1, "{format}: {warned:?}");
        let critical = pasvcheck(&["--format", format, "-w", "total=1h", "-c", "@0:1h", &server.address()]);
        assert_eq!(critical.code, 2, "{format}: {critical:?}");
        let fine = pasvcheck(&["--format", format, "-w", "total=1h,data=~:1m", &server.address()]);
        assert_eq!(fine.code, 0, "{format}: {fine:?}");
    }
    let shown = pasvcheck(&["-c", "total=0ms", &server.address()]).out;
    assert!(shown.starts_with("CRITICAL") && shown.contains("-c allows at most 0.0 ms"), "{shown}");
    let saved = pasvcheck(&["--json", "-w", "total=0ms", &server.address()]).out;
    assert_eq!(with_input(&["--from", "-", "--json"], &saved).code, 1, "thresholds are kept with the report");
    assert_eq!(
        with_input(&["--from", "-", "-w", "1h"], &saved).code,
        0,
        "and replaced by those of the command line"
    );
    for (level, hint) in [
        ("speed=1", "not measured"),
        ("total=x", "no time"),
        ("9:1", "backwards"),
        ("total=", "range is missing"),
    ] {
        let done = pasvcheck(&["-w", level, "host"]);
        assert!(done.code == 3 && done.err.contains(hint), "{level}: {done:?}");
    }
}

#[test]
fn a_plugin_prints_one_line_with_performance_data() {
    let server = Server::start("persona = 'vsftpd'");
    let done = pasvcheck(&["--format", "nagios", "-w", "5", "-c", "10", &server.address()]);
    let first = done.out.lines().next().unwrap();
    assert!(first.starts_with("OK - 127.0.0.1:"), "{first}");
    let (_, data) = first.split_once(" | ").unwrap();
    assert!(data.starts_with("'total'=") && data.contains("s;5;10;0 'data'="), "{data}");
}

#[test]
fn the_schema_is_printed_and_a_live_report_fits_it() {
    let schema = pasvcheck(&["schema"]);
    assert_eq!(schema.code, 0);
    let schema: serde_json::Value = serde_json::from_str(&schema.out).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let server = Server::start("persona = 'iis'\npassive.advertise = '10.0.0.1'");
    let report = pasvcheck(&["--json", "-w", "total=1ms,data=1h", &server.address()]).json();
    let faults: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
    assert_eq!(faults, Vec::<String>::new());
    let healthy = pasvcheck(&["demo", "healthy-dual-stack", "--json"]).json();
    assert!(validator.is_valid(&healthy));
}

#[test]
fn completions_and_manual_pages_are_made() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let done = pasvcheck(&["completions", shell]);
        assert!(done.code == 0 && done.out.contains("concurrency"), "{shell}: {done:?}");
    }
    assert_eq!(pasvcheck(&["completions", "tcsh"]).code, 3);
    let page = pasvcheck(&["man"]);
    assert!(
        page.code == 0 && page.out.contains(".TH pasvcheck 1") && page.out.contains("\\-\\-targets"),
        "{}",
        page.out
    );
    let diff = pasvcheck(&["man", "diff"]);
    assert!(diff.code == 0 && diff.out.contains("same\\-server"), "{}", diff.out);
    let unknown = pasvcheck(&["man", "nothing"]);
    assert!(unknown.code == 3 && unknown.err.contains("explain"), "{unknown:?}");
}

#[test]
fn diff_tells_what_is_new_and_what_is_cured() {
    let folder = std::env::temp_dir().join(format!("pasvcheck-diff-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (a, b, c) = (path("a.json"), path("b.json"), path("c.json"));
    assert_eq!(pasvcheck(&["demo", "healthy-vsftpd", "--json", "-o", &a]).code, 0);
    assert_eq!(pasvcheck(&["demo", "private-address", "--json", "-o", &b]).code, 0);
    let worse = pasvcheck(&["diff", &a, &b]);
    assert_eq!(worse.code, 2, "{worse:?}");
    assert!(worse.out.starts_with("WORSE ftp.example.com: ok → critical"), "{}", worse.out);
    assert!(worse.out.contains("New since A: passive-address-private"), "{}", worse.out);
    let better = pasvcheck(&["diff", &b, &a, "--json"]);
    assert_eq!((better.code, better.json()["change"].as_str()), (0, Some("better")), "{better:?}");
    assert_eq!(pasvcheck(&["diff", &a, &a, "-q"]).out, "SAME ftp.example.com: ok → ok\n");
    let ticket = pasvcheck(&["diff", &a, &b, "--format", "markdown"]);
    assert!(ticket.out.starts_with("## WORSE: ftp.example.com"), "{}", ticket.out);
    let server = Server::start("persona = 'vsftpd'");
    assert_eq!(pasvcheck(&["--json", "-o", &c, &server.address()]).code, 0);
    let other = pasvcheck(&["diff", &a, &c]);
    assert!(other.code == 3 && other.out.contains("two targets"), "{other:?}");
    assert_eq!(pasvcheck(&["diff", &a, &c, "--same-server"]).code, 0);
    for (args, hint) in [
        (vec!["diff", &a, "/nonexistent.json"], "cannot be read"),
        (vec!["diff", &a, "Cargo.toml"], "no report"),
        (vec!["diff", "-", "-"], "standard input"),
        (vec!["diff", &a, &b, "--format", "nagios"], "formats"),
    ] {
        let done = pasvcheck(&args);
        assert!(done.code == 3 && done.err.contains(hint), "{args:?}: {done:?}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn explain_gives_its_document_as_markdown() {
    let done = pasvcheck(&["explain", "passive-address-private", "--format", "markdown"]);
    assert!(done.code == 0 && done.out.starts_with("# passive-address-private"), "{done:?}");
}
