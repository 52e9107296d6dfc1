//! `transfer`: does a listing come through, from the command to the closing 226? And, if asked for, a file, either way?

mod idle;
mod rules;
mod run;
mod secured;
mod segments;
mod upload;

use run::Order;

use super::paths::ways_to_try;
use super::{Check, Reach, Rule};
use crate::evidence::{Answer, Endpoint, Handshake, Mode, Transfer, Upload, Via};
use crate::finding::Severity;
use crate::ftp::{Argument, Command};
use crate::probe::Session;

/// The check.
pub const CHECK: Check = Check {
    name: "transfer",
    title: "listing the directory",
    question: "Does a transfer come through to the end?",
    needs: &["data-connection"],
    reach: Reach::Endpoint,
    observe: |session| Box::pin(observe(session)),
    passed: |endpoint| endpoint.transfers.iter().any(Transfer::completed),
    summarise: |_, endpoint| summary(endpoint),
    rules: &[
        Rule {
            name: "data-source-refused",
            severity: Severity::Critical,
            document: include_str!("data-source-refused.md"),
            explained_by: &[],
            recognise: rules::source_refused,
        },
        Rule {
            name: "data-wrong-peer",
            severity: Severity::Critical,
            document: include_str!("data-wrong-peer.md"),
            explained_by: &[
                "data-mtu-black-hole",
                "data-source-refused",
                "passive-address-private",
                "passive-address-shared",
                "passive-address-mismatch",
                "hairpin-missing",
            ],
            recognise: rules::wrong_peer,
        },
        Rule {
            name: "data-truncated",
            severity: Severity::Critical,
            document: include_str!("data-truncated.md"),
            explained_by: &[],
            recognise: rules::truncated,
        },
        Rule {
            name: "data-mtu-black-hole",
            severity: Severity::Critical,
            document: include_str!("data-mtu-black-hole.md"),
            explained_by: &[],
            recognise: rules::mtu_black_hole,
        },
        Rule {
            name: "data-stalled",
            severity: Severity::Critical,
            document: include_str!("data-stalled.md"),
            explained_by: &["data-mtu-black-hole", "data-wrong-peer", "data-source-refused"],
            recognise: rules::stalled,
        },
        Rule {
            name: "completion-lost",
            severity: Severity::Critical,
            document: include_str!("completion-lost.md"),
            explained_by: &["data-wrong-peer", "data-truncated"],
            recognise: rules::completion_lost,
        },
        Rule {
            name: "control-idle-killed",
            severity: Severity::Warning,
            document: include_str!("control-idle-killed.md"),
            explained_by: &[],
            recognise: rules::idle_killed,
        },
        Rule {
            name: "upload-left-behind",
            severity: Severity::Warning,
            document: include_str!("upload-left-behind.md"),
            explained_by: &[],
            recognise: rules::left_behind,
        },
        Rule {
            name: "transfer-refused",
            severity: Severity::Unknown,
            document: include_str!("transfer-refused.md"),
            explained_by: &["tls-required"],
            recognise: rules::refused,
        },
    ],
};

async fn observe(session: &mut Session<'_>) {
    if session.data_guard().is_some() {
        secured::listings(session).await;
    } else {
        listings(session).await;
    }
    if let Some(path) = session.plan.download.clone() {
        download(session, path).await;
    }
    if let Some(size) = session.plan.upload {
        upload::upload(session, size).await;
    }
    if let Some(silence) = session.plan.idle {
        idle::test(session, silence).await;
    }
    // At the very end: vsftpd closes the session over it.
    secured::without_resumption(session).await;
}

/// A listing by the way that the standard names; by the others only if that one fails, or if the 227 names another
/// address, where each way has to prove itself.
pub(in crate::checks) async fn listings(session: &mut Session<'_>) {
    let elsewhere = super::paths::other_address(session.endpoint()).is_some();
    for (mode, via) in ways_to_try(session.endpoint()) {
        let done = session.endpoint().transfers.iter().any(Transfer::completed);
        let settled = done && (mode == Mode::Epsv || !elsewhere);
        if settled || !session.reopen().await {
            continue;
        }
        let order = Order::listing(mode, via);
        run::transfer(session, &order).await;
        segments::experiment(session, &order).await;
        if refused_for_itself(session.endpoint()) {
            return; // the same refusal would meet every other way
        }
    }
}

fn refused_for_itself(endpoint: &Endpoint) -> bool {
    endpoint
        .transfers
        .last()
        .and_then(Transfer::refusal)
        .is_some_and(|reply| matches!(reply.code, 450 | 500..=599))
}

/// Fetches a file by the way that a listing took, after asking for its size (RFC 3659 §4, in TYPE I).
async fn download(session: &mut Session<'_>, path: Argument) {
    let Some((mode, via)) = proven_ways(session.endpoint()).next() else { return };
    if !session.reopen().await {
        return;
    }
    session.ask(Command::TypeImage).await;
    let answer = session.ask(Command::Size(path.clone())).await;
    let size =
        answer.reply().filter(|reply| reply.code == 213).and_then(|reply| reply.text().trim().parse().ok());
    let order = Order { mode, via, command: Command::Retr(path), size, own_session: false };
    run::transfer(session, &order).await;
    segments::experiment(session, &order).await;
}

/// The ways that a transfer came through by, the last one first; then those that are open.
fn proven_ways(endpoint: &Endpoint) -> impl Iterator<Item = (Mode, Via)> {
    let proven = endpoint.transfers.iter().rev().filter(|transfer| transfer.completed());
    proven.map(|transfer| (transfer.mode, transfer.via)).chain(ways_to_try(endpoint))
}

fn summary(endpoint: &Endpoint) -> String {
    // Listings under TLS are many, and alike when all is well.
    let (listings, others): (Vec<&Transfer>, Vec<&Transfer>) = endpoint
        .transfers
        .iter()
        .partition(|transfer| transfer.tls.is_some() && transfer.completed() && transfer.command == "LIST");
    let mut words: Vec<String> = match listings.as_slice() {
        [] => Vec::new(),
        [one] => vec![describe(one)],
        many => {
            let resumed = many.iter().filter(|transfer| {
                transfer.tls.as_ref().and_then(|tls| tls.handshake.as_ref()).is_some_and(Handshake::resumed)
            });
            let slowest = many.iter().map(|transfer| transfer.elapsed_ms).fold(0.0, f64::max);
            let (all, resumed) = (many.len(), resumed.count());
            vec![format!("{all} listings under TLS, {resumed} resumed, slowest {}", milliseconds(slowest))]
        }
    };
    words.extend(others.into_iter().map(|transfer| describe(transfer) + &upload::fate_in_words(transfer)));
    words.extend(endpoint.idle.iter().map(|test| {
        let (alive, how) = (test.survived(), if test.keep_alive { " with keep-alive" } else { "" });
        format!(
            "{} {:.0} s of silence{how}",
            if alive { "lived through" } else { "lost in" },
            test.silent_ms / 1000.0
        )
    }));
    if words.is_empty() { "not asked".to_owned() } else { words.join("; ") }
}

/// A transfer in words: `LIST by PASV: 212 bytes in 4.1 ms, 226`.
pub(in crate::checks) fn describe(transfer: &Transfer) -> String {
    let Transfer { command, mode, .. } = transfer;
    let via =
        if transfer.via == Via::Control && *mode == Mode::Pasv { " at the control address" } else { "" };
    let tls = if transfer.tls.is_some() { " under TLS" } else { "" };
    let head = format!("{command} by {mode}{via}{tls}");
    if transfer.completed() {
        let code = transfer.completion.as_ref().and_then(Answer::code).unwrap_or(226);
        let rate = if command.starts_with("RETR") || transfer.upload.is_some() {
            format!(", {}/s", bytes(transfer.rate()))
        } else {
            String::new()
        };
        #[expect(clippy::cast_precision_loss, reason = "a size for people")]
        let size = bytes(transfer.bytes as f64);
        return format!("{head}: {size} in {}{rate}, {code}", milliseconds(transfer.elapsed_ms));
    }
    #[expect(clippy::cast_precision_loss, reason = "a size for people")]
    let came = bytes(transfer.bytes as f64);
    let problem = match (&transfer.completion, &transfer.preliminary) {
        _ if !transfer.data.open() => transfer.data.describe(),
        _ if transfer.failed_at_tls() => {
            let handshake = transfer.tls.as_ref().and_then(|tls| tls.handshake.as_ref());
            let said =
                transfer.refusal().map_or_else(String::new, |reply| format!(", \"{}\"", reply.last_line()));
            let alone = transfer.tls.as_ref().is_some_and(|tls| !tls.reuse);
            let own = if alone { "session of its own, " } else { "" };
            format!("{own}{}{said}", handshake.map_or_else(String::new, Handshake::describe))
        }
        _ if transfer.unfinished() => {
            format!("{came} in {}, not finished", milliseconds(transfer.elapsed_ms))
        }
        (Some(answer), _) if answer.positive() && transfer.stored_short() => {
            let stored = transfer.upload.as_ref().and_then(Upload::stored_bytes).unwrap_or_default();
            format!("{came} sent, of which the server has {stored} bytes")
        }
        (Some(answer), _) if transfer.bytes > 0 => format!("{came}, then {}", answer.describe()),
        (Some(answer), _) | (None, Some(answer)) => answer.describe(),
        (None, None) => "nothing came".to_owned(),
    };
    format!("{head}: {problem}")
}

fn milliseconds(ms: f64) -> String {
    if ms < 1000.0 { format!("{ms:.0} ms") } else { format!("{:.1} s", ms / 1000.0) }
}

/// Bytes as a person reads them, in powers of 1024.
pub(super) fn bytes(count: f64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB"];
    let mut value = count;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{value:.0} {}", units[unit]) } else { format!("{value:.1} {}", units[unit]) }
}
