//! pasvcheck finds out why FTP passive mode fails, says whose fault it is, and prints the fix.
//!
//! # The idea
//!
//! ```text
//!  network ── checks/*/observe ─┐
//!  saved report ─── --from ─────┴─► Evidence ─► diagnose ─► Findings ─► Report ─► renderer ─► bytes ─► main writes
//!                                   plain data    pure                    pure
//! ```
//!
//! # A tour
//!
//! * [`plan`]: what the user asked for, parsed.
//! * [`net`]: the only door to the outside. [`ftp`]: the protocol, without sockets. [`clock`]: the only door to time.
//! * [`probe`]: the runner. It walks [`checks::ALL`], whose observations fill [`evidence`].
//! * [`diagnose`]: evidence → [`finding`]s and a verdict; causes before symptoms. Pure.
//! * [`fleet`]: one target to a report, or many of them at once; a server sees one session of ours at a time.
//! * [`exporter`]: checks over HTTP, for Prometheus, of targets on an allow-list.
//! * [`report`]: a report → bytes; one file per format, none prints. [`threshold`]: how long things may take.
//! * [`diff`]: two reports of one server → what differs, and what that means.
//! * [`server`]: what is known of server products. [`explain`]: the documents of the findings.
//! * [`audit`]: reads configuration files, firewalls and this host into the same evidence; [`firewall`]: their rule sets.
//! * [`policy`]: what the user's policy file demands and accepts.
//! * [`setup`]: the whole set-up of passive mode, ready to paste (`pasvcheck fix`).
//! * [`standin`]: the server that stands in before FTP is installed (`pasvcheck serve`).
//! * [`watch`]: rounds of checks for as long as it takes, and news only of changes (`pasvcheck watch`).
//! * [`responder`] and [`demo`]: the embedded FTP server, and the scenarios that run on it.

// `checks/` stands at the top of the repository, since its folder listing is the list of what this tool checks; one
// `#[path]` mounts it here. Inside, everything is an ordinary module below `crate::checks`.
pub mod audit;
#[path = "../checks/mod.rs"]
pub mod checks;
pub mod clock;
pub mod demo;
pub mod diagnose;
pub mod diff;
pub mod evidence;
pub mod explain;
pub mod exporter;
pub mod finding;
pub mod firewall;
pub mod fleet;
pub mod ftp;
pub mod net;
pub mod plan;
pub mod policy;
pub mod probe;
pub mod report;
pub mod responder;
pub mod server;
pub mod setup;
pub mod standin;
pub mod threshold;
pub mod watch;
