//! What TLS on the control connection means.

use crate::checks::support::each;
use crate::evidence::{
    Answer, Certificate, Chain, ControlTls, Endpoint, Evidence, HandshakeOutcome, Trust, Validity,
};
use crate::finding::{Confidence, Detail, Scope, Severity};
use crate::plan::CERT_DAYS;

/// AUTH was accepted, or the port is an implicit one, and no TLS comes about.
pub(super) fn handshake_failed(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let tls = endpoint.tls.as_ref()?;
        if let Some(refused) = client_certificate_wanted(endpoint, tls) {
            return Some(refused);
        }
        let handshake = tls.handshake.as_ref().filter(|handshake| !handshake.done())?;
        let asked = match &tls.command {
            Some(command) => format!("{command} was accepted, and then the handshake failed"),
            None => format!(
                "Port {} was greeted with a TLS hello, and the handshake failed",
                evidence.target.port
            ),
        };
        let title = match (&tls.old, &handshake.outcome) {
            (Some(old), _) if old.version != "TLS 1.2" => {
                format!("the server speaks {} at the most", old.version)
            }
            (_, HandshakeOutcome::NotTls { .. }) => "in place of TLS the server speaks clear text".to_owned(),
            _ => format!("the TLS handshake fails: {}", handshake.describe()),
        };
        let detail = format!("{asked} ({}). {}", handshake.describe(), why(tls, &handshake.outcome));
        let seen = Detail::new(Scope::endpoint(endpoint.address), title, detail);
        let seen = match (&tls.command, &tls.answer) {
            (Some(command), Some(answer)) => seen.quote(format!("{command} → {}", answer.describe())),
            _ => seen,
        };
        Some(seen.quote(format!("TLS handshake → {}", handshake.describe())))
    })
}

/// In TLS 1.3 a server that wants a client certificate says so only after the client believes itself to be done.
fn client_certificate_wanted(endpoint: &Endpoint, tls: &ControlTls) -> Option<Detail> {
    let refused = endpoint.losses.iter().find_map(|loss| match &loss.how {
        Answer::Garbled { problem } if problem.contains("ertificateRequired") => Some(problem),
        _ => None,
    })?;
    if !tls.secured() || endpoint.logged_in() {
        return None;
    }
    let title = "the server demands a client certificate".to_owned();
    let detail = format!(
        "The TLS handshake seemed done, and then the server broke off: {refused}. It serves only clients that show a \
         certificate of their own: give one with --client-cert and --client-key."
    );
    Some(Detail::new(Scope::endpoint(endpoint.address), title, detail).quote(refused.clone()))
}

/// The likely reason.
fn why(tls: &ControlTls, outcome: &HandshakeOutcome) -> String {
    if let Some(old) = &tls.old {
        return format!(
            "Asked as a client of twenty years ago, it chooses {} with cipher suite {}: {}.",
            old.version,
            old.cipher,
            if old.version == "TLS 1.2" {
                "no suite of today's is on its list"
            } else {
                "versions that clients of today refuse (RFC 8996)"
            }
        );
    }
    match outcome {
        HandshakeOutcome::Alert { alert } => match alert.as_str() {
            "handshake_failure" => {
                "Server and client share no cipher suite, or the server has no certificate that it can use."
            }
            "protocol_version" => "The server takes none of TLS 1.2 and 1.3.",
            "internal_error" => "The server could not do its part: its certificate or key is missing or unreadable.",
            "unrecognized_name" => "The server has no certificate for this name and says so.",
            "certificate_required" => "The server demands a client certificate (--client-cert, --client-key).",
            _ => "The server's log tells more.",
        }
        .to_owned(),
        HandshakeOutcome::Closed { .. } => {
            "A server without a usable certificate or key closes like this, and so does a device on the way that does not \
             let TLS pass."
                .to_owned()
        }
        HandshakeOutcome::NotTls { .. } => {
            "Those are its own words, outside of TLS: most often its certificate, key or home directory cannot be used."
                .to_owned()
        }
        HandshakeOutcome::Silent { .. } => {
            "The hello or its answer is lost: a device that waits for readable commands holds it back, or packets of full \
             size do not arrive (MTU; the certificate is the first of them)."
                .to_owned()
        }
        HandshakeOutcome::Failed { .. } | HandshakeOutcome::Done { .. } => "The server's log tells more.".to_owned(),
    }
}

/// TLS is promised and refused, or was demanded by the user and is not there.
pub(super) fn refused(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let tls = endpoint.tls.as_ref().filter(|tls| tls.handshake.is_none())?;
        // A connection that breaks over AUTH is told as lost.
        let answer = tls.answer.as_ref().filter(|answer| answer.reply().is_some())?;
        let command = tls.command.as_deref().unwrap_or("AUTH TLS");
        let listed = promised(endpoint);
        let demanded = evidence.told.tls.as_deref().is_some_and(|mode| mode != "off");
        // Pure-FTPd lists TLS whether it is set up or not, and says so at AUTH.
        let listed = listed && !switched_off(answer);
        if !listed && !demanded {
            return None;
        }
        let title = if listed {
            format!("FEAT lists TLS, and {command} is refused")
        } else {
            format!("the server offers no TLS ({command} is refused)")
        };
        let detail = format!(
            "{command} was answered with {}. {}",
            answer.describe(),
            if listed {
                "FEAT promises TLS all the same. Either the server is built with TLS and has no usable certificate, or a \
                 device on the way reads FTP and does not let AUTH pass: then the wording of the refusal is not the \
                 server's usual one, and from another network it works."
            } else {
                "You asked for TLS, so nothing was sent without it."
            }
        );
        let confidence = if listed { Confidence::Likely } else { Confidence::Certain };
        let seen = Detail::new(Scope::endpoint(endpoint.address), title, detail).confidence(confidence);
        Some(seen.quote(format!("{command} → {}", answer.describe())))
    })
}

/// Words by which servers say that TLS is not set up, although their FEAT lists it: Pure-FTPd without `TLS`, IIS without a
/// certificate.
pub(super) fn switched_off(answer: &Answer) -> bool {
    const WORDS: &[&str] = &["security scheme is not implemented", "does not allow tls secure connections"];
    answer.reply().is_some_and(|reply| WORDS.iter().any(|words| reply.says(words)))
}

fn promised(endpoint: &Endpoint) -> bool {
    let reply = endpoint.features.as_ref().and_then(Answer::reply);
    reply.is_some_and(|reply| {
        ["AUTH TLS", "AUTH SSL", "PBSZ", "PROT"].iter().any(|feature| reply.says(feature))
    })
}

/// Applies a rule to the server's certificate at each endpoint. With `--insecure` the user knows, and it is a note.
fn of_certificate(
    evidence: &Evidence,
    rule: impl Fn(&Endpoint, &Chain, &Certificate) -> Option<(String, String)>,
) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let chain = endpoint.tls.as_ref()?.chain.as_ref()?;
        let own = chain.own()?;
        let (title, detail) = rule(endpoint, chain, own)?;
        let kept_back = endpoint.tls.as_ref().and_then(|tls| tls.stopped.as_ref());
        let detail = match kept_back {
            Some(_) => format!("{detail} The password was not sent."),
            None => detail,
        };
        let seen = Detail::new(Scope::endpoint(endpoint.address), title, detail);
        let seen = if evidence.told.insecure { seen.severity(Severity::Info) } else { seen };
        Some(
            seen.quote(format!("subject {}, issuer {}", own.subject, own.issuer))
                .quote(format!("for {}; {} key", own.names.join(", "), own.key))
                .quote(format!("valid from {} to {}", own.not_before, own.not_after))
                .quote(format!("SHA-256 {}", own.sha256)),
        )
    })
}

pub(super) fn untrusted(evidence: &Evidence) -> Vec<Detail> {
    of_certificate(evidence, |_, chain, _| {
        let Trust::Untrusted { reason } = &chain.trust else { return None };
        let title = format!("the server's certificate is not trusted: {}", short(reason));
        let detail = format!(
            "No root certificate of this host vouches for the server's certificate: {reason}. Clients that check it refuse \
             to go on or ask their user; whoever accepts it unseen cannot tell the server from somebody in between."
        );
        Some((title, detail))
    })
}

/// The first part of a reason: a title is one line.
fn short(reason: &str) -> &str {
    reason.split([',', '(']).next().unwrap_or(reason).trim()
}

pub(super) fn expired(evidence: &Evidence) -> Vec<Detail> {
    of_certificate(evidence, |_, _, own| {
        let (title, when) = match own.validity {
            Validity::Now => return None,
            Validity::Expired => (
                format!("the server's certificate expired {} days ago", -own.days_left),
                format!("It counted until {}.", own.not_after),
            ),
            Validity::NotYet => (
                format!("the server's certificate does not count before {}", own.not_before),
                "It lies in the future: the server's clock was wrong when it was made, or this host's is now."
                    .to_owned(),
            ),
        };
        Some((title, format!("{when} Clients that check certificates refuse to go on.")))
    })
}

pub(super) fn name_mismatch(evidence: &Evidence) -> Vec<Detail> {
    of_certificate(evidence, |_, chain, own| {
        if chain.name_matches {
            return None;
        }
        let names = if own.names.is_empty() { "no name at all".to_owned() } else { own.names.join(", ") };
        let title = format!("the certificate is for {names}, not for {}", chain.expected_name);
        let address = chain.expected_name.parse::<std::net::IpAddr>().is_ok();
        let detail = format!(
            "The server was asked as {} and showed a certificate for {names}. Clients that check the name refuse to go on.{}",
            chain.expected_name,
            if address {
                " You gave an address; most certificates hold names alone, so check the server by its name."
            } else {
                ""
            }
        );
        Some((title, detail))
    })
}

pub(super) fn expiring(evidence: &Evidence) -> Vec<Detail> {
    let days = if evidence.told.cert_days == 0 { CERT_DAYS } else { evidence.told.cert_days };
    of_certificate(evidence, |_, _, own| {
        if own.validity != Validity::Now || own.days_left >= i64::from(days) {
            return None;
        }
        let title = format!("the server's certificate expires in {} days", own.days_left);
        let detail = format!(
            "It counts until {}. A renewal that runs by itself would have come before the last {days} days.",
            own.not_after
        );
        Some((title, detail))
    })
}
