//! Running the system's own commands.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Runs a command to its end and hands out what it printed. The error names the command and what it complained of.
pub(crate) fn run(command: &mut Command, input: &str) -> Result<String, String> {
    let name = format!("{command:?}");
    let failed = |error: std::io::Error| format!("{name}: {error}");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    // A command that ends without reading its input says why in what it prints.
    let _ = child.stdin.take().map(|mut pipe| pipe.write_all(input.as_bytes()));
    let done = child.wait_with_output().map_err(failed)?;
    if done.status.success() {
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    } else {
        Err(format!("{name}: {} {}", done.status, String::from_utf8_lossy(&done.stderr).trim()))
    }
}

/// A command with arguments.
pub(crate) fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// Whether a program of that name can be started.
pub(crate) fn exists(program: &str) -> bool {
    command(program, &["--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}
