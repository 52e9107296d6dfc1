//! `pasvcheck audit` on the server's host: its configuration as the daemon runs with it, and the rules that the kernel
//! holds. It has to name the cause that the check from outside names, and nothing of what lies on other hosts.

use pasvcheck::report::Report;

use crate::daemons::{Daemon, Running};
use crate::namespaces::{Host, PUBLIC, ROUTED, World};
use crate::run::told;
use crate::scenarios::Case;

/// What no scenario sets: the ports that the machine's kernel takes for outgoing connections, and that this lab's `ProFTPD`
/// lets foreign sources in, so that the other side of it shows.
const BESIDE: [&str; 2] = ["config-range-overlap", "config-promiscuous"];

/// The files that are read of a server, if this lab configures it by files.
fn file(daemon: Daemon) -> Option<(&'static str, &'static str)> {
    match daemon {
        Daemon::Vsftpd => Some(("vsftpd", "vsftpd.conf")),
        Daemon::PureFtpd => Some(("pure-ftpd", "pure-ftpd.conf")),
        Daemon::Proftpd => Some(("proftpd", "proftpd.conf")),
        _ => None,
    }
}

/// Audits the server of a case where it runs. `None` if it is not configured by files; else what is told, and how that
/// differs from what the case expects.
pub(crate) fn compare(
    world: &World,
    case: &Case,
    daemon: Daemon,
    server: &Running<'_>,
) -> Result<Option<(String, Vec<String>)>, String> {
    let (Some(expected), Some((product, name))) = (case.audit, file(daemon)) else { return Ok(None) };
    let path = server.folder().join(name).display().to_string();
    // Behind NAT the host cannot know its own public address: the administrator says it.
    let public = if case.target == ROUTED { ROUTED } else { PUBLIC };
    let program = env!("CARGO_BIN_EXE_pasvcheck");
    let words = [program, "audit", "--live", "--server", product, "--config", &path, "--json"];
    let mut audit = world.inside(Host::Server, &["timeout", "30"]);
    audit.args(words).args(["--public-address", public]);
    let done = audit.args(case.options).output().map_err(|error| error.to_string())?;
    let report: Report = serde_json::from_slice(&done.stdout).map_err(|error| {
        format!("no audit ({error}), {}: {}", done.status, String::from_utf8_lossy(&done.stderr))
    })?;
    let told: Vec<&str> = told(&report).into_iter().filter(|name| !BESIDE.contains(name)).collect();
    let mut complaints: Vec<String> = expected
        .iter()
        .filter(|name| !told.contains(name))
        .map(|name| format!("the audit does not tell {name}"))
        .collect();
    let more = told.iter().filter(|name| !expected.contains(name));
    complaints.extend(more.map(|name| format!("the audit tells {name}")));
    let words = if told.is_empty() { "nothing".to_owned() } else { told.join(", ") };
    Ok(Some((format!("the audit names {words}; "), complaints)))
}
