//! What the greeting means.

use crate::checks::support::{each, product_at, quoted};
use crate::evidence::{Answer, Endpoint, Evidence, Greeting, TlsHello, duration};
use crate::finding::{Confidence, Detail, Location, Scope, Severity};
use crate::ftp::Reply;
use crate::server::{Certainty, advisories};

/// Milliseconds above which a greeting is slow: a look-up that fails takes 5 s or more, a loaded server less than this.
pub(super) const SLOW_MS: f64 = 3000.0;

/// The port waits for a TLS hello, where that is not what it is known for.
pub(super) fn implicit_tls_expected(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        if endpoint.tls_hello != Some(TlsHello::Answered) {
            return None;
        }
        let port = evidence.target.port;
        let title = format!("port {port} expects TLS from the first byte");
        let begins = format!(
            "The server says nothing on port {port} until the client starts a TLS handshake; a TLS hello was answered. That is \
             implicit FTPS (usually on port 990), or another TLS service."
        );
        let scope = Scope::endpoint(endpoint.address);
        if endpoint.greeted() {
            let detail = format!(
                "{begins} Inside of TLS an FTP server greets, and the check went on there. Clients that speak plain FTP on this \
                 port, or begin with AUTH TLS, hang: they have to be set to implicit TLS (ftps://)."
            );
            let seen = Detail::new(scope, title, detail).severity(Severity::Warning);
            return Some(seen.quote("TLS hello → answered"));
        }
        let detail = format!(
            "{begins} Plain FTP, and FTPS by AUTH TLS, are spoken on another port, usually 21. Passive mode was not tested."
        );
        Some(Detail::new(scope, title, detail).quote("TLS hello → answered"))
    })
}

/// Another protocol, or no protocol at all.
pub(super) fn not_ftp(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let greeting = endpoint.greeting.as_ref()?;
        let (protocol, quote) = foreign(greeting)?;
        let port = evidence.target.port;
        let title = match protocol {
            UNKNOWN => format!("port {port} does not speak FTP"),
            known => format!("port {port} speaks {known}, not FTP"),
        };
        let detail = format!(
            "An FTP server greets with a line that begins with 220 (RFC 959 §5.4). This port said something else, which is \
             {protocol}. The port or the host is another one than you think, or a proxy stands in front."
        );
        Some(Detail::new(Scope::endpoint(endpoint.address), title, detail).quote(quote))
    })
}

/// The protocol that a greeting belongs to, if it is not FTP, with the greeting as a quote.
fn foreign(greeting: &Greeting) -> Option<(&'static str, String)> {
    match &greeting.answer {
        Answer::Garbled { .. } => {
            let text = greeting.received.clone().unwrap_or_default();
            Some((protocol_of(&text), text))
        }
        // SMTP greets with 220 too, and says so.
        Answer::Reply(reply) if greeting.is_mail() => Some(("SMTP (mail)", reply.last_line().to_owned())),
        Answer::Closed { .. } | Answer::Silence { .. } => {
            let text = greeting.received.clone()?;
            Some((protocol_of(&text), text))
        }
        Answer::Reply(_) => None,
    }
}

/// Bytes that give no protocol away.
const UNKNOWN: &str = "no protocol that is recognised";

fn protocol_of(text: &str) -> &'static str {
    let start = text.trim_start_matches(['"', ' ']);
    let known = [
        ("SSH-", "SSH (SFTP runs over it, and is another protocol than FTP)"),
        ("HTTP/", "HTTP"),
        ("<", "HTTP"),
        ("RFB ", "VNC"),
        ("+OK", "POP3 (mail)"),
        ("* OK", "IMAP (mail)"),
        ("@RSYNCD", "rsync"),
        ("\u{15}\u{3}", "TLS"),
        ("\u{16}\u{3}", "TLS"),
    ];
    let named = known.iter().find(|(prefix, _)| start.starts_with(prefix)).map(|(_, protocol)| *protocol);
    named.unwrap_or(UNKNOWN)
}

/// TCP opens and nobody speaks.
pub(super) fn greeting_timeout(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let greeting = endpoint.greeting.as_ref().filter(|greeting| greeting.received.is_none())?;
        let failed_tls = endpoint.tls.as_ref().is_some_and(|tls| !tls.secured());
        if endpoint.tls_hello == Some(TlsHello::Answered) || failed_tls {
            return None; // it waits for TLS, not for a look-up; or TLS failed, which is told on its own
        }
        let (title, detail) = match &greeting.answer {
            Answer::Silence { .. } => (
                format!(
                    "the server opens the connection and says nothing for {:.0} s",
                    greeting.elapsed_ms / 1000.0
                ),
                "The TCP connection opens and no greeting comes. The server process hangs or is overloaded, it waits for a \
                 look-up of this host's name that never ends, or a device in front of it (a SYN proxy, a load balancer \
                 without a back end) opened the connection in its name.",
            ),
            Answer::Closed { reset } => (
                format!(
                    "the server {} the connection before any greeting",
                    if *reset { "resets" } else { "closes" }
                ),
                "The TCP connection opens and ends without a word. A server that has reached its limit of processes does \
                 that, so does an access list (tcp_wrappers, a ban), and so does a device whose back end is down.",
            ),
            _ => return None,
        };
        Some(Detail::new(Scope::endpoint(endpoint.address), title, detail).quote(greeting.answer.describe()))
    })
}

/// 421, or another refusal, in place of 220.
pub(super) fn greeting_rejected(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let reply = endpoint.greeting.as_ref()?.answer.reply().filter(|reply| reply.code != 220)?;
        let kind = refusal(reply);
        let title = format!("the server turns clients away: {}", kind.title());
        let detail = format!(
            "In place of the greeting (220) came \"{}\". {} Passive mode was not tested.",
            reply.last_line(),
            kind.meaning()
        );
        let confidence = if kind == Refusal::Other { Confidence::Likely } else { Confidence::Certain };
        Some(
            Detail::new(Scope::endpoint(endpoint.address), title, detail)
                .confidence(confidence)
                .quote(quoted("connect", reply)),
        )
    })
}

/// Why a server refuses to serve, by its words. Codes do not tell: 421 stands for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::checks) enum Refusal {
    /// Banned, or not on a list.
    Access,
    /// Too many connections or users.
    Limit,
    /// Closed for maintenance or shutting down.
    Maintenance,
    /// Its own configuration is broken.
    Misconfigured,
    /// None of these.
    Other,
}

impl Refusal {
    fn title(self) -> &'static str {
        match self {
            Self::Access => "this host is not welcome",
            Self::Limit => "its limit of connections is reached",
            Self::Maintenance => "it is closed for now",
            Self::Misconfigured => "its configuration is broken",
            Self::Other => "a refusal in place of the greeting",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Access => {
                "The server or an access list in front of it (tcp_wrappers, a ban) refuses this client's address."
            }
            Self::Limit => {
                "The limit for one client address, or for all, is reached. Hosts behind one NAT address share the quota, and \
                 clients that open eight transfers at once use eight of it."
            }
            Self::Maintenance => "The server is being shut down, or its administrator has closed it.",
            Self::Misconfigured => {
                "The server cannot serve anybody with its present settings; its own words say which."
            }
            Self::Other => "The server's log tells why.",
        }
    }
}

/// Sorts a refusal by fragments that the servers' sources and transcripts show.
pub(in crate::checks) fn refusal(reply: &Reply) -> Refusal {
    const LIMIT: &[&str] = &[
        "too many",
        "maximum number",
        "maximum login",
        "are already logged in",
        "connection limit",
        "max connections",
        "number of connections",
        "temporarily unavailable",
    ];
    const ACCESS: &[&str] = &[
        "banned",
        "not allowed",
        "denied",
        "refused",
        "not welcome",
        "service not available",
        "your ip",
        "blocked",
    ];
    const MAINTENANCE: &[&str] =
        &["shutting down", "shutdown", "maintenance", "closed", "going down", "offline"];
    const MISCONFIGURED: &[&str] = &["oops", "illegal forced ip", "no certificate", "configuration"];
    let any = |fragments: &[&str]| fragments.iter().any(|fragment| reply.says(fragment));
    if any(LIMIT) {
        Refusal::Limit
    } else if any(MISCONFIGURED) {
        Refusal::Misconfigured
    } else if any(MAINTENANCE) {
        Refusal::Maintenance
    } else if any(ACCESS) {
        Refusal::Access
    } else {
        Refusal::Other
    }
}

/// It came late.
pub(super) fn greeting_slow(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let greeting = endpoint.greeting.as_ref().filter(|_| endpoint.greeted())?;
        (greeting.elapsed_ms > SLOW_MS).then(|| {
            let seconds = greeting.elapsed_ms / 1000.0;
            let title = format!("the greeting takes {seconds:.1} s");
            let rtt = endpoint.rtt_ms().unwrap_or_default();
            let detail = format!(
                "The TCP connection opened in {rtt:.1} ms, the greeting came {seconds:.1} s later. Most often the server looks \
                 up the client's name in DNS, or asks its ident service (port 113), and waits for an answer that does not \
                 come. Every control connection pays it; clients with a short timeout give up."
            );
            let detail = Detail::new(Scope::endpoint(endpoint.address), title, detail);
            match greeting.repeated_ms.filter(|again| *again < SLOW_MS / 2.0) {
                Some(again) => once_only(detail, again),
                None => detail.confidence(Confidence::Likely),
            }
        })
    })
}

/// What is left of it where a second greeting came at once.
fn once_only(detail: Detail, again_ms: f64) -> Detail {
    let words = format!(
        "A second connection was greeted after {}: this was no rule. Packets that were lost on the way, a moment of load, or          a look-up whose answer is remembered now make a single greeting late.",
        duration(again_ms)
    );
    Detail { detail: words, ..detail }.severity(Severity::Info).confidence(Confidence::Likely)
}

/// A limit of connections was met somewhere along the way.
pub(super) fn server_limits(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let (verb, line) = limit_reply(endpoint)?;
        let title = "the server's limit of connections or users is reached".to_owned();
        let detail = format!(
            "The answer to {verb} was \"{line}\". The limit counts each client address, or all clients together. Clients \
             that open several sessions, and all hosts behind one NAT address, share it."
        );
        Some(
            Detail::new(Scope::endpoint(endpoint.address), title, detail)
                .quote(format!("{verb} → \"{line}\"")),
        )
    })
}

/// The first reply in the dialogue that speaks of a limit.
fn limit_reply(endpoint: &Endpoint) -> Option<(String, String)> {
    let limit = |reply: &Reply| matches!(reply.code, 421 | 425 | 530) && refusal(reply) == Refusal::Limit;
    let greeting = endpoint.greeting.as_ref();
    if let Some(line) = greeting.and_then(|greeting| greeting.refused_before.clone()) {
        return Some(("connect".to_owned(), line.trim_matches('"').to_owned()));
    }
    let login = endpoint.login.as_ref();
    let answers = [
        ("connect", greeting.map(|greeting| &greeting.answer)),
        ("USER", login.and_then(|login| login.user_answer.as_ref())),
        ("PASS", login.and_then(|login| login.pass_answer.as_ref())),
    ];
    let offers = endpoint.offers.iter().map(|offer| (offer.mode.verb(), Some(&offer.answer)));
    answers
        .into_iter()
        .chain(offers)
        .filter_map(|(verb, answer)| Some((verb, answer?.reply()?)))
        .find(|(_, reply)| limit(reply))
        .map(|(verb, reply)| (verb.to_owned(), reply.last_line().to_owned()))
}

/// The version in the greeting lies in the affected range of a known flaw.
/// Another product than the policy requires; one that does not give itself away is not judged.
pub(super) fn product_mismatch(evidence: &Evidence) -> Vec<Detail> {
    let Some(policy) = &evidence.told.policy else { return Vec::new() };
    let Some(wanted) = &policy.product else { return Vec::new() };
    each(evidence, |endpoint| {
        let known = product_at(endpoint)?;
        if known.product.name() == wanted.as_str() {
            return None;
        }
        let title = format!("the server is {}, and the policy requires {wanted}", known.product.name());
        let detail = format!("{} says: require.product = \"{wanted}\".", policy.file);
        let found = Detail::new(Scope::endpoint(endpoint.address), title, detail).location(Location::Server);
        let found =
            if known.certainty == Certainty::Certain { found } else { found.confidence(Confidence::Likely) };
        Some(known.because.into_iter().take(2).fold(found, Detail::quote))
    })
}

pub(super) fn server_outdated(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let known = product_at(endpoint)?;
        let version = known.version?;
        let found = advisories(known.product, &version);
        let first = found.first()?;
        let name = known.product.name();
        let ids: Vec<&str> = found.iter().map(|advisory| advisory.id).collect();
        let backdoor = found.iter().any(|advisory| advisory.backdoor);
        let title = if backdoor {
            format!("{name} {version} was once distributed with a backdoor")
        } else {
            format!("{name} {version} is in the affected range of {}", ids.join(", "))
        };
        let detail = format!(
            "The server calls itself {name} {version}. Upstream, that version is affected by: {}. Distributions repair \
             such flaws without a new version number, so the installed package decides, not the greeting.",
            found
                .iter()
                .map(|a| format!("{} ({}; {})", a.id, a.affected, a.summary))
                .collect::<Vec<_>>()
                .join("; ")
        );
        let severity = if backdoor { Severity::Warning } else { Severity::Info };
        let quote = format!("{} affects {}", first.id, first.affected);
        let seen =
            Detail::new(Scope::endpoint(endpoint.address), title, detail).severity(severity).quote(quote);
        Some(seen.confidence(Confidence::Possible))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_sorted_by_their_words() {
        for (line, expected) in [
            ("421 There are too many connections from your internet address.", Refusal::Limit),
            ("421 Too many connections (8) from this IP", Refusal::Limit),
            (
                "530 Sorry, the maximum number of clients (1) from your host are already connected.",
                Refusal::Limit,
            ),
            ("421 2 users (the maximum) are already logged in, sorry", Refusal::Limit),
            ("421 Service not available.", Refusal::Access),
            (
                "421 Your IP is banned, no further requests will be processed from this IP (x).",
                Refusal::Access,
            ),
            ("421 FTP server is shutting down", Refusal::Maintenance),
            ("500 OOPS: could not bind listening IPv4 socket", Refusal::Misconfigured),
            ("421 Illegal forced IP for passive connections", Refusal::Misconfigured),
            ("421 Hello", Refusal::Other),
        ] {
            let reply = Reply { code: line[..3].parse().unwrap(), lines: vec![line.to_owned()] };
            assert_eq!(refusal(&reply), expected, "{line}");
        }
    }

    #[test]
    fn other_protocols_are_named() {
        assert!(protocol_of("\"SSH-2.0-OpenSSH_9.2\" is no FTP reply").starts_with("SSH"));
        assert_eq!(protocol_of("\"HTTP/1.1 400 Bad Request\" is no"), "HTTP");
        assert_eq!(protocol_of("xyz"), UNKNOWN);
    }
}
