//! What the tests of the program share: a server on loopback, and the program's output.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use pasvcheck::responder::{Journal, Responder, Script};

/// An embedded server on loopback with its real ports, on a runtime of its own.
pub struct Server {
    runtime: tokio::runtime::Runtime,
    responder: Option<Responder>,
}

impl Server {
    /// Starts a server from a script in TOML.
    pub fn start(script: &str) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let mut script = Script::from_toml(script).expect("a script");
        script.passive.real_ports = true;
        let responder = runtime.block_on(async { Responder::start(script) }).expect("a port on loopback");
        Self { runtime, responder: Some(responder) }
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        self.responder.as_ref().unwrap().address().to_string()
    }

    /// The port alone.
    pub fn port(&self) -> u16 {
        self.responder.as_ref().unwrap().address().port()
    }

    /// Stops it and hands out what it saw.
    pub fn stop(mut self) -> Journal {
        let responder = self.responder.take().unwrap();
        self.runtime.block_on(responder.stop())
    }
}

/// What the program did.
#[derive(Debug)]
pub struct Output {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Output {
    /// Standard output as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The names of all findings in a JSON report.
    pub fn findings(&self) -> Vec<String> {
        let report = self.json();
        let findings = report["findings"].as_array().expect("findings").clone();
        findings.iter().map(|finding| finding["id"].as_str().unwrap().to_owned()).collect()
    }
}

/// The program with these arguments, no colour, and no password in its environment.
pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pasvcheck"));
    command
        .args(args)
        .env_remove("PASVCHECK_PASSWORD")
        .env_remove("PASVCHECK_SECRET")
        .env_remove("PASVCHECK_WEBHOOK")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null());
    command
}

/// Runs the program.
pub fn pasvcheck(args: &[&str]) -> Output {
    output(command(args))
}

/// Runs a prepared command.
pub fn output(mut command: Command) -> Output {
    let done = command.output().expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Output { code: done.status.code().unwrap_or(-1), out: text(&done.stdout), err: text(&done.stderr) }
}

/// Runs the program with something on its standard input.
pub fn with_input(args: &[&str], input: &str) -> Output {
    let mut command = command(args);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    match child.stdin.take().unwrap().write_all(input.as_bytes()) {
        // It may have ended without reading: what it did then is for the test to judge.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
        written => written.unwrap(),
    }
    let done = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Output { code: done.status.code().unwrap_or(-1), out: text(&done.stdout), err: text(&done.stderr) }
}

/// A folder of a test's own, taken away at its end.
pub struct Folder(pub PathBuf);

impl Folder {
    /// A new one. Names differ within a test file.
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pasvcheck-test-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes a file into it; its path.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The names of its files, sorted.
    pub fn files(&self) -> Vec<String> {
        let names = std::fs::read_dir(&self.0).unwrap();
        let mut names: Vec<String> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
