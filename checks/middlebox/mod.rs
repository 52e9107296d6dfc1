//! `middlebox`: does a device on the way read or change the dialogue?
//!
//! A NAT router or firewall that reads FTP cannot read it under TLS. So the same server is asked once more in clear, and what
//! it says, and what opens, is compared. Nobody's password crosses the network for that, unless the user says so.

mod rules;

use super::{Check, Reach, Rule, passive_reply};
use crate::evidence::{Endpoint, Mode, Transfer};
use crate::finding::Severity;
use crate::plan::{Credentials, TlsUse};
use crate::probe::Session;

/// The check.
pub const CHECK: Check = Check {
    name: "middlebox",
    title: "comparing with a session in clear text",
    question: "Does a device on the way read or change the dialogue?",
    needs: &["greeting"],
    reach: Reach::Endpoint,
    observe: |session| Box::pin(observe(session)),
    passed: |_| true,
    summarise: |_, endpoint| summary(endpoint),
    rules: &[
        Rule {
            name: "alg-rewrites-reply",
            severity: Severity::Critical,
            document: include_str!("alg-rewrites-reply.md"),
            explained_by: &[],
            recognise: rules::rewrites,
        },
        Rule {
            name: "alg-damages-reply",
            severity: Severity::Critical,
            document: include_str!("alg-damages-reply.md"),
            explained_by: &[],
            recognise: rules::damages,
        },
        Rule {
            name: "alg-required",
            severity: Severity::Warning,
            document: include_str!("alg-required.md"),
            explained_by: &["alg-rewrites-reply"],
            recognise: rules::required,
        },
    ],
};

/// Whether a session in clear will be compared with one under TLS.
pub(in crate::checks) fn compares(session: &Session<'_>) -> bool {
    let anonymous = matches!(session.plan.login, Credentials::Anonymous);
    let endpoint = session.endpoint();
    let tls = endpoint.tls.as_ref().is_some_and(|tls| !tls.implicit && tls.handshake.is_some());
    let still_clear = endpoint.tls.as_ref().is_some_and(|tls| tls.login_refused.is_some());
    let wanted = session.plan.tls.mode != TlsUse::Required || session.plan.tls.compare_cleartext;
    tls && !still_clear
        && wanted
        && (anonymous || session.plan.tls.compare_cleartext)
        && session.plan.runs("middlebox")
}

async fn observe(session: &mut Session<'_>) {
    if !compares(session) {
        return;
    }
    let proven = session.endpoint().transfers.iter().any(Transfer::completed);
    session.begin_apart().await;
    if session.dial().await && super::login::enter(session).await {
        let ipv4 = session.endpoint().address.is_ipv4();
        if ipv4 {
            passive_reply::sample(session, Mode::Pasv, 1).await;
        }
        if session.connected() {
            passive_reply::sample(session, Mode::Epsv, 1).await;
        }
        if !proven {
            super::transfer::listings(session).await;
        }
    }
    // No answer to QUIT is waited for: what was to be learned is known.
    session.hang_up().await;
    session.end_apart();
}

fn summary(endpoint: &Endpoint) -> String {
    let Some(plain) = &endpoint.cleartext else {
        let cold = endpoint.cold.iter().filter(|probe| probe.opened_when_live).count();
        return match cold {
            0 => "nothing to compare".to_owned(),
            _ => format!("{cold} ports compared, announced and not"),
        };
    };
    let login = plain.login.as_ref();
    match login {
        Some(login) if login.succeeded() => {
            let opened =
                plain.offers.iter().filter(|offer| offer.visits.iter().any(|visit| visit.connect.open()));
            let listed =
                if plain.transfers.iter().any(Transfer::completed) { ", listing complete" } else { "" };
            format!("in clear text {} of {} ports opened{listed}", opened.count(), plain.offers.len())
        }
        Some(login) => {
            let answer = login.pass_answer.as_ref().or(login.user_answer.as_ref());
            format!(
                "no login in clear text ({})",
                answer.map(crate::evidence::Answer::describe).unwrap_or_default()
            )
        }
        None => "no session in clear text".to_owned(),
    }
}
