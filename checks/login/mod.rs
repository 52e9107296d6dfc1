//! `login`: does the server let us in?

mod rules;

pub(in crate::checks) use rules::demands_tls;

use super::{Check, Reach, Rule};
use crate::evidence::{Answer, Endpoint, Login};
use crate::finding::Severity;
use crate::ftp::{Argument, Command, Secret};
use crate::plan::{Credentials, TlsUse};
use crate::probe::Session;

/// The check.
pub const CHECK: Check = Check {
    name: "login",
    title: "logging in",
    question: "Does the server let us in?",
    needs: &["greeting"],
    reach: Reach::Endpoint,
    observe: |session| Box::pin(observe(session)),
    passed: Endpoint::logged_in,
    summarise: |_, endpoint| summary(endpoint),
    rules: &[
        Rule {
            name: "tls-required",
            severity: Severity::Critical,
            document: include_str!("tls-required.md"),
            explained_by: &[],
            recognise: rules::tls_required,
        },
        Rule {
            name: "login-required",
            severity: Severity::Unknown,
            document: include_str!("login-required.md"),
            explained_by: &["tls-required", "server-limits"],
            recognise: rules::login_required,
        },
        Rule {
            name: "login-failed",
            severity: Severity::Unknown,
            document: include_str!("login-failed.md"),
            explained_by: &["tls-required", "server-limits"],
            recognise: rules::login_failed,
        },
        Rule {
            name: "credentials-in-clear",
            severity: Severity::Info,
            document: include_str!("credentials-in-clear.md"),
            explained_by: &[],
            recognise: rules::credentials_in_clear,
        },
    ],
};

async fn observe(session: &mut Session<'_>) {
    // A server that hangs up over FEAT gets a second chance without it.
    let entered = if session.connected() { enter(session).await } else { session.reopen().await };
    if entered {
        identify(session).await;
        change_directory(session).await;
    }
}

/// Logs in on the open control connection, as the plan says; also used after a reconnect. Whether the server let us in.
pub(crate) async fn enter(session: &mut Session<'_>) -> bool {
    let named = match &session.plan.login {
        Credentials::Anonymous => None,
        Credentials::Named { user, password } => Some((user.clone(), password.clone())),
    };
    let mut login = Login {
        user: named.as_ref().map_or("anonymous", |(user, _)| user.as_str()).to_owned(),
        user_answer: None,
        pass_answer: None,
        auth_tls: None,
        withheld: None,
        password_in_clear: false,
    };
    if named.is_some() && session.plan.tls == TlsUse::Auto {
        login.withheld = tls_offered(session, &mut login).await;
    }
    if login.withheld.is_none() {
        exchange(session, named, &mut login).await;
    }
    for (verb, answer) in [("USER", &login.user_answer), ("PASS", &login.pass_answer)] {
        if let Some(answer) = answer {
            session.note_goodbye(verb, answer);
        }
    }
    let succeeded = login.succeeded();
    session.endpoint_mut().login = Some(login);
    succeeded
}

/// USER, and PASS if it is asked for (RFC 959 §5.4: 331; some servers let `anonymous` in at once with 230).
async fn exchange(session: &mut Session<'_>, named: Option<(Argument, Secret)>, login: &mut Login) {
    let user = named.as_ref().map(|(user, _)| user.clone());
    let Ok(anonymous) = Argument::new("anonymous") else { return };
    let answer = session.ask(Command::User(user.unwrap_or(anonymous))).await;
    let asks = answer.code() == Some(331);
    login.user_answer = Some(answer);
    if !asks {
        return;
    }
    login.password_in_clear = named.is_some();
    let Ok(mail) = Secret::new("pasvcheck@example.com") else { return };
    let password = named.map_or(mail, |(_, password)| password);
    session.progress("logging in (a server may delay the answer to a password on purpose)");
    let patience = session.plan.limits.login;
    login.pass_answer = Some(session.ask_within(Command::Pass(password), patience).await);
}

/// Why a named user's password must not be sent: the server offers TLS, which this version does not speak. A server
/// that says nothing of TLS in FEAT is asked with AUTH TLS, since FEAT may be incomplete (RFC 4217 §6).
async fn tls_offered(session: &mut Session<'_>, login: &mut Login) -> Option<String> {
    let listed = session.endpoint().features.as_ref().and_then(Answer::reply).is_some_and(|reply| {
        ["AUTH TLS", "AUTH SSL", "PBSZ", "PROT"].iter().any(|feature| reply.says(feature))
    });
    if listed {
        return Some("the server offers TLS in its FEAT".to_owned());
    }
    let answer = session.ask(Command::AuthTls).await;
    let offers = answer.positive() || answer.code() == Some(334);
    login.auth_tls = Some(answer);
    if offers {
        // The server now waits for a TLS hello: this connection is of no use any more.
        session.abandon();
        return Some("the server accepts AUTH TLS".to_owned());
    }
    None
}

/// SYST, and CSID where FEAT lists it: they tell the product when the greeting does not.
async fn identify(session: &mut Session<'_>) {
    session.ask(Command::Syst).await;
    let features = session.endpoint().features.as_ref().and_then(Answer::reply);
    if features.is_some_and(|reply| reply.says("CSID")) {
        session.ask(Command::Csid).await;
    }
}

/// Enters the directory of an `ftp://` URL. If that fails, the listing is of the directory that the login led to; the
/// dialogue shows it.
async fn change_directory(session: &mut Session<'_>) {
    if let Some(directory) = session.plan.directory.clone() {
        session.ask(Command::Cwd(directory)).await;
    }
}

fn summary(endpoint: &Endpoint) -> String {
    let Some(login) = &endpoint.login else { return "not asked".to_owned() };
    let user = &login.user;
    match (&login.withheld, login.pass_answer.as_ref().or(login.user_answer.as_ref())) {
        (Some(reason), _) => format!("{user} not sent: {reason}"),
        (None, Some(_)) if login.succeeded() => format!("as {user}"),
        (None, Some(answer)) => format!("as {user}: {}", answer.describe()),
        (None, None) => format!("as {user}: not sent"),
    }
}
