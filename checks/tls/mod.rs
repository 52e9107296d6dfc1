//! `tls`: does TLS work, and is the certificate good?
//!
//! Explicit TLS (RFC 4217) begins here, after the greeting; implicit TLS has begun before it, and is only judged here. What
//! fails never leads to a login in clear: the session stops, and the report says where.

mod data;
mod rules;

use std::sync::Arc;

use super::{Check, Reach, Rule};
use crate::evidence::{Answer, Chain, ControlTls, Endpoint, HandshakeOutcome, OldTls};
use crate::finding::Severity;
use crate::ftp::Command;
use crate::net::tls::{TlsClient, old};
use crate::plan::{Credentials, TlsUse};
use crate::probe::{Guard, Session};

/// The check.
pub const CHECK: Check = Check {
    name: "tls",
    title: "setting up TLS",
    question: "Does TLS work, and is the certificate good?",
    needs: &["greeting"],
    reach: Reach::Endpoint,
    observe: |session| Box::pin(observe(session)),
    passed: |endpoint| endpoint.greeted() && endpoint.tls.as_ref().is_none_or(|tls| tls.stopped.is_none()),
    summarise: |_, endpoint| summary(endpoint),
    rules: &[
        Rule {
            name: "tls-handshake-failed",
            severity: Severity::Critical,
            document: include_str!("tls-handshake-failed.md"),
            explained_by: &[],
            recognise: rules::handshake_failed,
        },
        Rule {
            name: "tls-refused",
            severity: Severity::Critical,
            document: include_str!("tls-refused.md"),
            explained_by: &[],
            recognise: rules::refused,
        },
        Rule {
            name: "tls-certificate-untrusted",
            severity: Severity::Critical,
            document: include_str!("tls-certificate-untrusted.md"),
            explained_by: &[],
            recognise: rules::untrusted,
        },
        Rule {
            name: "tls-certificate-expired",
            severity: Severity::Critical,
            document: include_str!("tls-certificate-expired.md"),
            explained_by: &[],
            recognise: rules::expired,
        },
        Rule {
            name: "tls-certificate-name-mismatch",
            severity: Severity::Critical,
            document: include_str!("tls-certificate-name-mismatch.md"),
            explained_by: &[],
            recognise: rules::name_mismatch,
        },
        Rule {
            name: "tls-certificate-expiring",
            severity: Severity::Warning,
            document: include_str!("tls-certificate-expiring.md"),
            explained_by: &[],
            recognise: rules::expiring,
        },
        Rule {
            name: "data-protection-required",
            severity: Severity::Info,
            document: include_str!("data-protection-required.md"),
            explained_by: &[],
            recognise: data::protection_required,
        },
        Rule {
            name: "tls-session-reuse-exhausted",
            severity: Severity::Critical,
            document: include_str!("tls-session-reuse-exhausted.md"),
            explained_by: &[],
            recognise: data::reuse_exhausted,
        },
        Rule {
            name: "data-tls-failed",
            severity: Severity::Critical,
            document: include_str!("data-tls-failed.md"),
            explained_by: &["tls-session-reuse-exhausted"],
            recognise: data::failed,
        },
        Rule {
            name: "tls-session-reuse-required",
            severity: Severity::Info,
            document: include_str!("tls-session-reuse-required.md"),
            explained_by: &["tls-session-reuse-exhausted", "data-tls-failed"],
            recognise: data::reuse_required,
        },
    ],
};

async fn observe(session: &mut Session<'_>) {
    if session.endpoint().tls.is_none()
        && let Some(command) = wanted(session)
    {
        explicit(session, command).await;
    }
}

/// The command that asks for TLS, if it is to be asked for. A server whose FEAT says nothing of TLS is asked where a
/// password is at stake (RFC 4217 §6: FEAT may be incomplete); vsftpd lists PBSZ and PROT without AUTH TLS.
fn wanted(session: &Session<'_>) -> Option<Command> {
    let listed = listed(session.endpoint());
    let named = matches!(session.plan.login, Credentials::Named { .. });
    let asked = match session.plan.tls.mode {
        TlsUse::Off => false,
        TlsUse::Auto => listed.is_some() || named,
        TlsUse::Required | TlsUse::Explicit | TlsUse::Implicit => true,
    };
    asked.then(|| listed.unwrap_or(Command::AuthTls))
}

/// How FEAT offers TLS, if it does.
fn listed(endpoint: &Endpoint) -> Option<Command> {
    let reply = endpoint.features.as_ref().and_then(Answer::reply)?;
    let older = reply.says("AUTH SSL") && !reply.says("TLS");
    let any = ["AUTH TLS", "AUTH SSL", "PBSZ", "PROT"].iter().any(|feature| reply.says(feature));
    any.then_some(if older { Command::AuthSsl } else { Command::AuthTls })
}

/// AUTH, and the handshake on the same connection.
async fn explicit(session: &mut Session<'_>, command: Command) {
    // A server that hangs up over FEAT gets a second chance without it.
    if !session.connected() && !session.dial().await {
        return;
    }
    let listed = listed(session.endpoint()).is_some();
    let mut command = command;
    let mut answer = session.ask(command.clone()).await;
    // 504: it knows AUTH and not this word for it (RFC 2228 §4).
    if answer.code() == Some(504) && command == Command::AuthTls {
        command = Command::AuthSsl;
        answer = session.ask(command.clone()).await;
    }
    let accepted = answer.positive() || answer.code() == Some(334);
    let mut tls =
        ControlTls { command: Some(command.shown()), answer: Some(answer.clone()), ..ControlTls::default() };
    if accepted {
        session.endpoint_mut().tls = Some(tls);
        handshake(session, Some(command)).await;
        return;
    }
    // Some servers list TLS in FEAT and say at AUTH that it is switched off: then it is not on offer.
    let offered = listed && !rules::switched_off(&answer);
    tls.stopped = reason_to_stop(session, offered, &answer);
    let matters = listed || tls.stopped.is_some() || matches!(session.plan.login, Credentials::Named { .. });
    if matters {
        session.endpoint_mut().tls = Some(tls);
    }
    session.note_goodbye("AUTH", &answer);
}

/// Why a session goes no further whose AUTH was refused: what the user asked for, or a password that must not be sent.
fn reason_to_stop(session: &Session<'_>, offered: bool, answer: &Answer) -> Option<String> {
    let named = matches!(session.plan.login, Credentials::Named { .. });
    match session.plan.tls.mode {
        TlsUse::Required | TlsUse::Explicit | TlsUse::Implicit => {
            Some(format!("TLS was asked for and refused ({})", answer.describe()))
        }
        TlsUse::Auto if named && (offered || answer.reply().is_none()) => Some(format!(
            "the server offers TLS and does not begin it ({}); a password is not sent in clear to it",
            answer.describe()
        )),
        TlsUse::Auto | TlsUse::Off => None,
    }
}

/// The handshake on a control connection that is ready for it, with all that is to be learned of it. `command` is the one
/// that asked for it; `None` for implicit TLS.
pub(in crate::checks) async fn handshake(session: &mut Session<'_>, command: Option<Command>) -> bool {
    let host = session.plan.target.host.clone();
    session.progress("setting up TLS");
    let client = match TlsClient::new(&host, &session.plan.tls.options) {
        Ok(client) => Arc::new(client),
        Err(error) => {
            tls_mut(session).stopped = Some(error);
            return false;
        }
    };
    let fact = session.secure_control(&client).await;
    let chain = client.chain();
    let done = fact.done();
    let stopped = match (&fact.outcome, &chain) {
        (HandshakeOutcome::Done { .. }, Some(chain)) => distrust(session, chain),
        (HandshakeOutcome::Done { .. }, None) => None,
        _ => Some(format!("the TLS handshake failed ({})", fact.describe())),
    };
    let perhaps_old = matches!(
        fact.outcome,
        HandshakeOutcome::Alert { .. } | HandshakeOutcome::Closed { .. } | HandshakeOutcome::Failed { .. }
    );
    let old = if perhaps_old { ask_old(session, command.as_ref()).await } else { None };
    let tls = tls_mut(session);
    (tls.handshake, tls.chain, tls.stopped, tls.old) = (Some(fact), chain, stopped, old);
    if done {
        session.set_guard(Some(Guard { client, command }));
    }
    done
}

fn tls_mut<'s>(session: &'s mut Session<'_>) -> &'s mut ControlTls {
    session.endpoint_mut().tls.get_or_insert_default()
}

/// Why a certificate keeps a named user's password back.
fn distrust(session: &Session<'_>, chain: &Chain) -> Option<String> {
    let named = matches!(session.plan.login, Credentials::Named { .. });
    (named && !chain.good() && !session.plan.tls.insecure)
        .then(|| "the certificate is not good, so the password was not sent (--insecure sends it)".to_owned())
}

/// What the server would speak with a client of old, on a connection of its own.
async fn ask_old(session: &mut Session<'_>, command: Option<&Command>) -> Option<OldTls> {
    session.progress("asking which versions of TLS the server knows");
    let limits = session.plan.limits;
    let connected = session.connect(session.control_address(), limits.connect).await;
    let mut stream = connected.stream?;
    if let Some(command) = command {
        let mut control = crate::ftp::Control::new(stream, crate::clock::Stopwatch::start());
        let patience = limits.reply.min(session.left());
        let greeting = control.answer(patience).await;
        if greeting.code() != Some(220) || !control.ask(command, patience).await.positive() {
            return None;
        }
        stream = control.into_stream();
    }
    old::ask(&mut stream, limits.handshake.min(session.left())).await
}

/// PBSZ and PROT P, after the login as clients do it; then data connections are secured too (RFC 4217 §9).
pub(in crate::checks) async fn protect_data(session: &mut Session<'_>) {
    let pbsz = session.ask(Command::Pbsz).await;
    let prot = session.ask(Command::ProtPrivate).await;
    session.set_private(prot.positive());
    let tls = tls_mut(session);
    (tls.pbsz, tls.prot) = (Some(pbsz), Some(prot));
}

fn summary(endpoint: &Endpoint) -> String {
    let Some(tls) = &endpoint.tls else { return "not offered, or not asked for".to_owned() };
    let Some(handshake) = &tls.handshake else {
        let answer = tls.answer.as_ref().map(Answer::describe).unwrap_or_default();
        return format!("{} refused ({answer})", tls.command.as_deref().unwrap_or("AUTH"));
    };
    let how = if tls.implicit { "implicit" } else { "explicit" };
    let mut words = format!("{how}, {}", handshake.describe());
    if let Some(own) = tls.chain.as_ref().and_then(Chain::own) {
        words = format!("{words}; certificate for {}, {} days left", own.names.join(", "), own.days_left);
    }
    words
}
