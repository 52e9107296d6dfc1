//! Reports that were saved as JSON, read again.

use std::io::Read;
use std::path::Path;

use pasvcheck::plan::Request;
use pasvcheck::report::{Report, json};

use super::Problem;

/// Largest report file that is read.
const REPORT_LIMIT: u64 = 64 * 1024 * 1024;

/// Reads a report; `-` is standard input.
pub(super) fn report(path: &Path) -> Result<Report, Problem> {
    let name = path.display();
    let unreadable =
        |error: std::io::Error| Problem::new(format!("the report {name} cannot be read: {error}"));
    let mut text = String::new();
    if path.as_os_str() == "-" {
        std::io::stdin().lock().take(REPORT_LIMIT).read_to_string(&mut text).map_err(unreadable)?;
    } else {
        let file = std::fs::File::open(path).map_err(unreadable)?;
        file.take(REPORT_LIMIT).read_to_string(&mut text).map_err(unreadable)?;
    }
    let report = json::read(&text).map_err(|error| Problem::new(format!("{name}: {error}")))?;
    // The host goes into commands to paste: a report from elsewhere must not bring a shell's words along.
    // An audit's target is a file or a host's own name, which no command of its documents holds.
    if report.evidence.audit.is_some() {
        return Ok(report);
    }
    let host = &report.evidence.target.host;
    match host.parse::<Request>() {
        Ok(request) if &request.target.host == host => Ok(report),
        _ => Err(Problem::new(format!("{name}: its target is no host name or address"))),
    }
}
