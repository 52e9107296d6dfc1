//! `login`: does the server let us in?

mod rules;

pub(in crate::checks) use rules::demands_tls;

use super::support::product_at;
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
    needs: &["tls"],
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
            explained_by: &["tls-required", "server-limits", "tls-refused"],
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
    let mut entered = if session.connected() { enter(session).await } else { session.reopen().await };
    if !entered && refused_for_tls(session) {
        entered = in_clear(session).await;
    }
    if entered {
        identify(session).await;
        change_directory(session).await;
    }
}

/// Logs in on the open control connection, as the plan says, and has data connections protected where the control
/// connection is; also used after a reconnect. Whether the server let us in.
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
    exchange(session, named, &mut login).await;
    for (verb, answer) in [("USER", &login.user_answer), ("PASS", &login.pass_answer)] {
        if let Some(answer) = answer {
            session.note_goodbye(verb, answer);
        }
    }
    let succeeded = login.succeeded();
    session.endpoint_mut().login = Some(login);
    if succeeded && session.guarded() {
        super::tls::protect_data(session).await;
    }
    succeeded
}

/// Whether the server does not want anonymous users under TLS (vsftpd without `allow_anon_ssl`): they have nothing to
/// hide, and are served in clear.
fn refused_for_tls(session: &Session<'_>) -> bool {
    let login = session.endpoint().login.as_ref();
    let last = login.and_then(|login| login.pass_answer.as_ref().or(login.user_answer.as_ref()));
    let refused = last.and_then(Answer::reply).filter(|reply| reply.code >= 400);
    let because =
        refused.is_some_and(|reply| reply.says("encryption") || reply.says("tls") || reply.says("ssl"));
    let anonymous = matches!(session.plan.login, Credentials::Anonymous);
    session.guarded() && anonymous && because && session.plan.tls.mode == TlsUse::Auto
}

/// The same in clear.
async fn in_clear(session: &mut Session<'_>) -> bool {
    let login = session.endpoint().login.as_ref();
    let refused = login.and_then(|login| login.pass_answer.clone().or(login.user_answer.clone()));
    if let Some(tls) = &mut session.endpoint_mut().tls {
        tls.login_refused = refused;
    }
    session.quit().await;
    session.set_guard(None);
    session.dial().await && enter(session).await
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
    login.password_in_clear = named.is_some() && !session.guarded();
    let Ok(mail) = Secret::new("pasvcheck@example.com") else { return };
    let password = named.map_or(mail, |(_, password)| password);
    session.progress("logging in (a server may delay the answer to a password on purpose)");
    let patience = session.plan.limits.login;
    login.pass_answer = Some(session.ask_within(Command::Pass(password), patience).await);
}

/// SYST, and CSID where FEAT lists it: they tell the product when the greeting does not.
async fn identify(session: &mut Session<'_>) {
    let known = product_at(session.endpoint()).is_some();
    let version = product_at(session.endpoint()).and_then(|known| known.version).is_some();
    // Under TLS every round trip is dear, and what the greeting told need not be asked again.
    if !(known && session.guarded()) {
        session.ask(Command::Syst).await;
    }
    let features = session.endpoint().features.as_ref().and_then(Answer::reply);
    if !version && features.is_some_and(|reply| reply.says("CSID")) {
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
