//! What it means when a stand-in does, or does not, answer on the ports of its range.

use crate::checks::support::{each, range_list};
use crate::evidence::{Access, Endpoint, Evidence, Proof, Refusal, StandIn};
use crate::finding::{Confidence, Detail, Location, Scope};

fn stand_in(endpoint: &Endpoint) -> Option<&StandIn> {
    endpoint.survey.as_ref()?.stand_in.as_ref()
}

/// Ports that open, and where somebody else answers, or the stand-in on another port.
pub(in crate::checks) fn wrong_peer(endpoint: &Endpoint) -> Option<Detail> {
    let stand_in = stand_in(endpoint)?;
    let elsewhere = stand_in.ranges(Proof::elsewhere);
    if elsewhere.is_empty() {
        return None;
    }
    let (count, all) = (stand_in.count(Proof::elsewhere), stand_in.count(|_| true));
    let ports = range_list(&elsewhere);
    let title = format!("something else than the stand-in answers on {count} of {all} ports: {ports}");
    let detail = format!(
        "The stand-in listens on every port of the range and proves itself on each. On {ports} the connection opened, and it \
         is not the stand-in that answered there on that port: {}. A NAT router that forwards these ports to another machine \
         or to other port numbers, another program on the host, or a device that accepts every connection (SYN proxy, \
         load balancer) looks like this. Data connections there will hang or bring the wrong bytes.",
        how(stand_in)
    );
    let seen = Detail::new(Scope::endpoint(endpoint.address), title, detail);
    let spans = stand_in.proofs.iter().filter(|span| span.proof.elsewhere());
    Some(spans.take(8).fold(seen, |seen, span| {
        let noun = if span.ports.len() == 1 { "port" } else { "ports" };
        seen.quote(format!("{noun} {}: {}", range_list(&[span.ports]), words(&span.proof)))
    }))
}

/// The kinds of wrong answers, with how many ports each.
fn how(stand_in: &StandIn) -> String {
    let kinds = [
        (stand_in.count(|proof| matches!(proof, Proof::Foreign { .. })), "said something else"),
        (stand_in.count(|proof| matches!(proof, Proof::Closed)), "closed it without a word"),
        (stand_in.count(|proof| matches!(proof, Proof::Silent)), "kept silent"),
        (
            stand_in.count(|proof| matches!(proof, Proof::Shifted { .. })),
            "led to another port of the stand-in",
        ),
    ];
    let told = kinds.iter().filter(|(count, _)| *count > 0).map(|(count, words)| format!("{count} {words}"));
    told.collect::<Vec<_>>().join(", ")
}

fn words(proof: &Proof) -> String {
    match proof {
        Proof::Proven => "proven".to_owned(),
        Proof::OtherSource { address } => format!("proven, and seen to come from {address}"),
        Proof::Shifted { by } if *by < 0 => format!("arrived {} lower at the stand-in", by.unsigned_abs()),
        Proof::Shifted { by } => format!("arrived {by} higher at the stand-in"),
        Proof::Foreign { received } => format!("answered \"{received}\""),
        Proof::Closed => "opened, and was closed without an answer".to_owned(),
        Proof::Silent => "opened, and did not answer".to_owned(),
        Proof::Unopened => "did not open".to_owned(),
    }
}

/// The stand-in sees data connections come from another address than the control connection.
pub(in crate::checks) fn other_source(endpoint: &Endpoint) -> Option<Detail> {
    let stand_in = stand_in(endpoint)?;
    let differs = |proof: &Proof| matches!(proof, Proof::OtherSource { .. });
    let ports = stand_in.ranges(differs);
    let control = stand_in.client_seen?;
    let address = stand_in.proofs.iter().find_map(|span| match span.proof {
        Proof::OtherSource { address } => Some(address),
        _ => None,
    })?;
    let title = format!(
        "data connections arrive from another address ({address}) than the control connection ({control})"
    );
    let detail = format!(
        "On {} the stand-in saw this host as {address}, and on the control connection as {control}. vsftpd, Pure-FTPd, \
         FileZilla Server and IIS refuse such data connections. A device in front of the server replaces the source address \
         of data connections (source NAT, a container's proxy, a load balancer), or this side leaves by several public \
         addresses.",
        range_list(&ports)
    );
    Some(Detail::new(Scope::endpoint(endpoint.address), title, detail))
}

/// A passive reply arrived otherwise than the stand-in sent it: a device reads the dialogue, and changes it.
pub(in crate::checks) fn rewritten(endpoint: &Endpoint) -> Option<Detail> {
    let stand_in = stand_in(endpoint)?;
    let changed: Vec<_> = stand_in.replies.iter().filter(|reply| reply.changed()).collect();
    let first = changed.first()?;
    let title = format!("a device on the way rewrites the server's replies to {}", first.mode.verb());
    let detail = format!(
        "The stand-in sent \"{}\", and \"{}\" arrived ({} of {} replies were changed). A NAT router or firewall with an FTP \
         helper (ALG) reads the control connection and puts in what it thinks is right. It can do so in clear text only: \
         under TLS the reply arrives as it was sent. Let the server announce its public address itself, forward the fixed \
         range, and switch the helper off.",
        first.sent,
        first.arrived,
        changed.len(),
        stand_in.replies.len()
    );
    let seen = Detail::new(Scope::endpoint(endpoint.address), title, detail).location(Location::Transit);
    Some(changed.iter().take(4).fold(seen, |seen, reply| {
        seen.quote(format!("{} sent \"{}\", arrived \"{}\"", reply.mode.verb(), reply.sent, reply.arrived))
    }))
}

/// The stand-in gives this check no proofs.
pub(super) fn proof_refused(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let Access::Refused { why } = &stand_in(endpoint)?.access else { return None };
        let (title, detail) = match why {
            Refusal::NoSecret => (
                "the stand-in proves its ports only to those who know its secret",
                "It was started with a secret, and this check was given none. Set PASVCHECK_SECRET or --secret-file to the \
                 same secret as on the server."
                    .to_owned(),
            ),
            Refusal::WrongSecret => (
                "the stand-in and this check do not have the same secret",
                "Each proves to the other that it knows the secret, and that failed. Set PASVCHECK_SECRET or --secret-file to \
                 the same secret on both sides; blanks at its ends do not count."
                    .to_owned(),
            ),
            Refusal::NoneAsked => (
                "the stand-in asks for no secret, although this check was given one",
                "It was started without a secret, or it is not yours: whoever answers there did not prove that he knows it. \
                 Start it with the same PASVCHECK_SECRET or --secret-file, or check without one."
                    .to_owned(),
            ),
            Refusal::Unanswered { instead } => (
                "the stand-in did not answer when it was asked for proofs",
                format!(
                    "It gave itself to know, but to the question for proofs came {instead}. A device on the way that lets only \
                     known FTP commands through may have stopped SITE, or the versions differ."
                ),
            ),
        };
        let seen = Detail::new(Scope::endpoint(endpoint.address), title.to_owned(), detail);
        Some(seen.confidence(Confidence::Certain))
    })
}
