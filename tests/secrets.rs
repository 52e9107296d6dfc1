//! The password appears in no output of any format, whatever the server echoes.

mod common;

use common::{Server, command, output, with_input};

const PASSWORD: &str = "S3cr3t-Pa55word";

/// A server that throws the password back in every reply that it can.
const ECHO: &str = r#"
persona = "generic"
login.users = { tester = "S3cr3t-Pa55word" }
[replies]
PASS = "230 {pass} is your password, {user}"
SYST = "215 {pass}"
FEAT = { lines = ["211-Features:", " {pass}", "211 End"] }
QUIT = "221 Goodbye {pass}"
DATA-END = "226 {pass}"
"#;

/// The same, but the login fails.
const REFUSE: &str = r#"
persona = "generic"
[replies]
PASS = { lines = ["530-no such password:", "530 {pass}"], then = "close" }
"#;

/// Under TLS, with a certificate that nobody trusts, and an echo in everything.
const SECURED: &str = r#"
persona = "generic"
tls = { certificate = "self-signed" }
login.users = { tester = "S3cr3t-Pa55word" }
[replies]
PASS = "230 {pass} is your password, {user}"
SYST = "215 {pass}"
QUIT = "221 Goodbye {pass}"
DATA-END = "226 {pass}"
"#;

/// AUTH is accepted, and then the server complains in clear.
const BROKEN: &str = r#"
persona = "vsftpd"
tls = { says_in_clear = "500 OOPS: S3cr3t-Pa55word" }
"#;

fn run(server: &Server, args: &[&str]) -> String {
    let address = server.address();
    let mut command = command(&[args, &["--user", "tester", &address]].concat());
    command.env("PASVCHECK_PASSWORD", PASSWORD);
    let done = output(command);
    format!("{}\n{}", done.out, done.err)
}

#[test]
fn no_format_shows_the_password() {
    let formats: &[&[&str]] = &[
        &[],
        &["-v", "--trace"],
        &["-q"],
        &["--json"],
        &["--format", "ndjson", "--trace"],
        &["--dry-run"],
        &["--dry-run", "--json"],
        &["--download", "/image.iso", "-v", "--trace"],
        &["--upload", "1000", "-v", "--trace"],
        &["--color", "always", "--trace"],
        &["--insecure", "-v", "--trace"],
        &["--insecure", "--json"],
        &["--insecure", "--compare-cleartext", "--json"],
        &["--format", "html"],
        &["--format", "markdown"],
        &["--format", "nagios", "-v"],
        &["--format", "prometheus"],
        &["--format", "junit"],
    ];
    for script in [ECHO, REFUSE, SECURED, BROKEN] {
        for format in formats {
            let server = Server::start(script);
            let text = run(&server, format);
            assert!(!text.contains(PASSWORD), "{format:?}\n{text}");
            // Where TLS failed nobody was named to the server; short formats do not name the user.
            let short = ["-q", "nagios", "prometheus", "junit"].iter().any(|word| format.contains(word));
            let named = text.contains("tester") || text.contains("tls-");
            assert!(named || short || format.is_empty(), "{format:?}\n{text}");
        }
    }
}

#[test]
fn the_password_was_really_sent() {
    // Without this the test above could pass by never logging in.
    let server = Server::start(ECHO);
    let text = run(&server, &["--json"]);
    assert!(text.contains("230 *** is your password"), "{text}");
    assert!(text.contains("credentials-in-clear"), "{text}");
}

#[test]
fn a_bad_certificate_keeps_the_password_back() {
    let server = Server::start(SECURED);
    let text = run(&server, &["--json"]);
    let journal = server.stop();
    assert!(text.contains("tls-certificate-untrusted"), "{text}");
    assert!(!journal.commands.iter().any(|command| command.starts_with("PASS")), "{journal:?}");
    let server = Server::start(SECURED);
    let text = run(&server, &["--insecure", "--json"]);
    assert!(text.contains("230 *** is your password"), "{text}");
    assert!(!text.contains("credentials-in-clear"), "{text}");
    assert_eq!(server.stop().commands.iter().filter(|command| command.starts_with("PASS")).count(), 1);
}

#[test]
fn the_password_comes_from_standard_input_or_a_file() {
    let server = Server::start(ECHO);
    let address = server.address();
    let done =
        with_input(&["--json", "--user", "tester", "--password-stdin", &address], &format!("{PASSWORD}\n"));
    assert_eq!(done.code, 0, "{done:?}");
    assert!(!format!("{done:?}").contains(PASSWORD));
    let file = std::env::temp_dir().join(format!("pasvcheck-secret-{}", std::process::id()));
    std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    let done = common::pasvcheck(&[
        "--json",
        "--user",
        "tester",
        "--password-file",
        file.to_str().unwrap(),
        &address,
    ]);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(done.code, 0, "{done:?}");
}

#[test]
fn anonymous_and_ftp_mean_no_credentials() {
    for name in ["anonymous", "ftp"] {
        let server = Server::start("persona = 'vsftpd'");
        let done = common::pasvcheck(&["--json", "--user", name, &server.address()]);
        assert_eq!(done.code, 0, "{done:?}");
        assert!(!done.findings().contains(&"credentials-in-clear".to_owned()), "{done:?}");
    }
}
