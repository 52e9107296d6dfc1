//! `greeting`: is it FTP, who is it, and does it want us?

mod rules;

use std::time::Duration;

use super::{Check, Reach, Rule};
use crate::clock::Stopwatch;
use crate::evidence::{Answer, Connect, ControlTls, Endpoint, Greeting, Outcome, TlsHello};
use crate::finding::Severity;
use crate::ftp::Command;
use crate::net::tls::hello as tls_hello;
use crate::plan::{IMPLICIT_TLS_PORT, TlsUse};
use crate::probe::Session;

/// Pause before the one retry of a refusal that our own earlier connection may have caused.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// The check.
pub const CHECK: Check = Check {
    name: "greeting",
    title: "waiting for the greeting",
    question: "Is it an FTP server, which one, and does it want us?",
    needs: &["control"],
    reach: Reach::Endpoint,
    observe: |session| Box::pin(observe(session)),
    passed: Endpoint::greeted,
    summarise: |_, endpoint| summary(endpoint),
    rules: &[
        Rule {
            name: "implicit-tls-expected",
            severity: Severity::Critical,
            document: include_str!("implicit-tls-expected.md"),
            explained_by: &[],
            recognise: rules::implicit_tls_expected,
        },
        Rule {
            name: "not-ftp",
            severity: Severity::Critical,
            document: include_str!("not-ftp.md"),
            explained_by: &[],
            recognise: rules::not_ftp,
        },
        Rule {
            name: "greeting-timeout",
            severity: Severity::Critical,
            document: include_str!("greeting-timeout.md"),
            explained_by: &[],
            recognise: rules::greeting_timeout,
        },
        Rule {
            name: "greeting-rejected",
            severity: Severity::Critical,
            document: include_str!("greeting-rejected.md"),
            explained_by: &[],
            recognise: rules::greeting_rejected,
        },
        Rule {
            name: "greeting-slow",
            severity: Severity::Warning,
            document: include_str!("greeting-slow.md"),
            explained_by: &[],
            recognise: rules::greeting_slow,
        },
        Rule {
            name: "server-limits",
            severity: Severity::Warning,
            document: include_str!("server-limits.md"),
            explained_by: &["greeting-rejected"],
            recognise: rules::server_limits,
        },
        Rule {
            name: "server-product-mismatch",
            severity: Severity::Critical,
            document: include_str!("server-product-mismatch.md"),
            explained_by: &[],
            recognise: rules::product_mismatch,
        },
        Rule {
            name: "server-outdated",
            severity: Severity::Info,
            document: include_str!("server-outdated.md"),
            explained_by: &[],
            recognise: rules::server_outdated,
        },
    ],
};

async fn observe(session: &mut Session<'_>) {
    if !session.connected() && !connect_again(session).await {
        return;
    }
    let mut greeting = greet(session).await;
    if may_be_our_own_doing(session, &greeting) {
        session.progress("the server refused; trying once more in a second");
        session.abandon();
        tokio::time::sleep(RETRY_PAUSE).await;
        if connect_again(session).await {
            let refused_before = Some(greeting.answer.describe());
            greeting = Greeting { refused_before, ..greet(session).await };
        }
    }
    session.endpoint_mut().greeting = Some(greeting);
    if session.endpoint().greeted() {
        let features = session.ask(Command::Feat).await;
        session.endpoint_mut().features = Some(features);
        if late_by_chance_perhaps(session) {
            let repeated = second_greeting(session).await;
            if let Some(greeting) = &mut session.endpoint_mut().greeting {
                greeting.repeated_ms = repeated;
            }
        }
    }
}

/// Opens the control connection of an endpoint whose first one was closed again at once.
async fn connect_again(session: &mut Session<'_>) -> bool {
    let connected = session.connect(session.control_address(), session.plan.limits.connect).await;
    if let Some(stream) = connected.stream {
        session.adopt(stream, connected.local);
        return true;
    }
    let answer = match connected.fact.outcome {
        Outcome::Silent => Answer::Silence { waited_ms: connected.fact.elapsed_ms },
        _ => Answer::Closed { reset: true },
    };
    session.endpoint_mut().greeting =
        Some(Greeting { answer, elapsed_ms: 0.0, repeated_ms: None, received: None, refused_before: None });
    false
}

/// Waits for the greeting, after a TLS handshake where TLS begins with the first byte: because the user or the port says
/// so, or because the port keeps silent and answers a TLS hello.
async fn greet(session: &mut Session<'_>) -> Greeting {
    if session.plan.implicit_tls() {
        return greet_under_tls(session).await;
    }
    let greeting = hear(session).await;
    let expects_tls = session.endpoint().tls_hello == Some(TlsHello::Answered);
    let may = matches!(session.plan.tls.mode, TlsUse::Auto | TlsUse::Required);
    if expects_tls && may && greeting.answer.reply().is_none() && connect_again(session).await {
        return greet_under_tls(session).await;
    }
    greeting
}

/// Implicit FTPS: the handshake, and the greeting inside of it.
async fn greet_under_tls(session: &mut Session<'_>) -> Greeting {
    let clock = Stopwatch::start();
    session.endpoint_mut().tls = Some(ControlTls { implicit: true, ..ControlTls::default() });
    let answer = if super::tls::handshake(session, None).await {
        session.listen(session.plan.limits.greeting).await
    } else {
        Answer::Closed { reset: false }
    };
    let received = received(session, &answer);
    Greeting { answer, elapsed_ms: clock.elapsed_ms(), repeated_ms: None, received, refused_before: None }
}

/// Waits for the greeting. A silent port is asked for TLS in between, on a connection of its own.
async fn hear(session: &mut Session<'_>) -> Greeting {
    let limits = session.plan.limits;
    let clock = Stopwatch::start();
    let usual_for_tls = session.plan.target.port == IMPLICIT_TLS_PORT;
    let patience = if usual_for_tls { Duration::ZERO } else { limits.greeting_before_tls };
    let mut answer = session.listen(patience).await;
    if matches!(answer, Answer::Silence { .. }) {
        session.progress("no greeting yet; asking whether the port expects TLS");
        let hello = ask_for_tls(session).await;
        session.endpoint_mut().tls_hello = Some(hello);
        if hello != TlsHello::Answered {
            session.progress("waiting for a slow greeting (servers that look our name up take up to 35 s)");
            answer = session.listen(limits.greeting.saturating_sub(clock.elapsed())).await;
        }
    }
    // 120 announces a delay and is followed by the greeting proper (RFC 959 §5.4).
    if answer.code() == Some(120) {
        answer = session.listen(limits.greeting.saturating_sub(clock.elapsed())).await;
    }
    let received = received(session, &answer);
    Greeting { answer, elapsed_ms: clock.elapsed_ms(), repeated_ms: None, received, refused_before: None }
}

/// What came where no reply came: the start of it is evidence enough.
fn received(session: &mut Session<'_>, answer: &Answer) -> Option<String> {
    let text = match answer {
        Answer::Reply(_) => return None,
        Answer::Garbled { problem } => problem.clone(),
        _ => session.control()?.unfinished(),
    };
    let start: String = session.scrubbed(&text).chars().take(200).collect();
    (!start.is_empty()).then_some(start)
}

async fn ask_for_tls(session: &mut Session<'_>) -> TlsHello {
    let host = session.plan.target.host.clone();
    let connected = session.connect(session.control_address(), session.plan.limits.connect).await;
    let Connect { outcome: Outcome::Open, .. } = connected.fact else { return TlsHello::Unanswered };
    match connected.stream {
        Some(mut stream) => {
            let patience = (session.plan.limits.second * 2).min(session.left());
            let hello = tls_hello::ask(&mut stream, &host, patience).await;
            stream.reset_on_close();
            hello
        }
        None => TlsHello::Unanswered,
    }
}

/// A refusal for too many connections, while we had opened others a moment ago: of this name's other addresses, or to
/// measure.
fn may_be_our_own_doing(session: &Session<'_>, greeting: &Greeting) -> bool {
    let opened_others = session.evidence.endpoints.iter().filter(|endpoint| endpoint.control_open()).count()
        > 1
        || session.endpoint().tls_hello.is_some();
    greeting.answer.code() == Some(421) && opened_others
}

/// Whether lost packets may have made the greeting late: the handshake's last one and the greeting behind it cost three
/// seconds and more together (RFC 6298 §5.7), and hardly ever eight. Under implicit TLS other packets come first.
fn late_by_chance_perhaps(session: &Session<'_>) -> bool {
    let endpoint = session.endpoint();
    let elapsed = endpoint.greeting.as_ref().map_or(0.0, |greeting| greeting.elapsed_ms);
    elapsed > rules::SLOW_MS && elapsed < 8000.0 && endpoint.tls.is_none()
}

/// How long a second connection waits for its greeting, in milliseconds: a look-up that fails is slow every time.
async fn second_greeting(session: &mut Session<'_>) -> Option<f64> {
    session.progress("the greeting came late; looking whether that happens again");
    let limits = session.plan.limits;
    let connected = session.connect(session.control_address(), limits.connect).await;
    let clock = Stopwatch::start();
    let mut control = crate::ftp::Control::new(connected.stream?, Stopwatch::start());
    let patience = Duration::from_secs_f64(rules::SLOW_MS / 1000.0).min(session.left());
    let answer = control.answer(patience).await;
    let elapsed = clock.elapsed_ms();
    if answer.code() == Some(220) {
        control.ask(&Command::Quit, limits.second.min(session.left())).await;
        return Some(elapsed);
    }
    matches!(answer, Answer::Silence { .. }).then_some(elapsed)
}

fn summary(endpoint: &Endpoint) -> String {
    let Some(greeting) = &endpoint.greeting else { return "not asked".to_owned() };
    match super::support::product_at(endpoint) {
        _ if !endpoint.greeted() => greeting.answer.describe(),
        Some(known) => {
            let version = known.version.map(|version| format!(" {version}")).unwrap_or_default();
            format!("{}{version} ({})", known.product.name(), greeting.answer.describe())
        }
        None => format!("an FTP server of an unknown make ({})", greeting.answer.describe()),
    }
}
