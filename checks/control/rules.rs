//! What the outcome of the control connect means.

use std::fmt::Write as _;

use super::any_open;
use crate::checks::support::{at, each};
use crate::evidence::{Answer, Connect, Endpoint, Evidence, Loss, Outcome};
use crate::finding::{Detail, Location, Scope, Severity};

/// No address of the target can be reached for want of a route or an interface here.
pub(super) fn local_network_down(evidence: &Evidence) -> Vec<Detail> {
    if evidence.endpoints.is_empty() {
        return Vec::new();
    }
    let local = |endpoint: &Endpoint| match &endpoint.control {
        Some(Connect { outcome: Outcome::Unroutable { error } | Outcome::Failed { error }, .. }) => {
            Some(error.clone())
        }
        Some(_) => None,
        None => endpoint.skipped.clone(),
    };
    let reasons: Vec<String> = evidence.endpoints.iter().filter_map(local).collect();
    if reasons.len() < evidence.endpoints.len() {
        return Vec::new();
    }
    let addresses: Vec<String> =
        evidence.endpoints.iter().map(|endpoint| endpoint.address.to_string()).collect();
    let title = format!("this host has no way to {}", addresses.join(", "));
    let detail = format!(
        "No packet could be sent: {}. That says nothing about the FTP server. Check this host's addresses, routes and \
         outgoing firewall, or run the check from another host.",
        reasons[0]
    );
    vec![Detail::new(Scope::default(), title, detail).location(Location::Client).quote(reasons[0].clone())]
}

/// One published address is dead while another works.
pub(super) fn address_family_unreachable(evidence: &Evidence) -> Vec<Detail> {
    if !any_open(evidence) {
        return Vec::new();
    }
    each(evidence, |endpoint| {
        let connect = endpoint.control.as_ref().filter(|connect| failed(connect))?;
        let (family, record) = if endpoint.address.is_ipv4() { ("IPv4", "A") } else { ("IPv6", "AAAA") };
        let host = &evidence.target.host;
        let title = format!("{host} is published with {}, where FTP does not answer", endpoint.address);
        let detail = format!(
            "The {family} address {} has no FTP server behind it ({}), while another address of {host} works. Clients try \
             the addresses in an order of their own: those that begin with this one wait, or fail. Make the server \
             answer there, or take the {record} record out of DNS.",
            endpoint.address,
            connect.describe()
        );
        Some(Detail::new(Scope::endpoint(endpoint.address), title, detail).quote(fact(connect)))
    })
}

/// No answer to the SYN.
pub(super) fn control_filtered(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let connect = endpoint.control.as_ref().filter(|connect| connect.outcome == Outcome::Silent)?;
        let title = format!("nothing answers on {}", connect.to);
        let detail = format!(
            "The control port gives no sign of life: {}. A firewall drops the packets (this host's, the provider's or the \
             server's), the port is not forwarded, or the host is down. FTP was not reached, so passive mode was not tested.",
            connect.describe()
        );
        Some(Detail::new(Scope::endpoint(endpoint.address), title, detail).quote(fact(connect)))
    })
}

/// A reset.
pub(super) fn control_refused(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let connect = endpoint.control.as_ref().filter(|connect| connect.outcome == Outcome::Reset)?;
        let title = format!("{} refuses connections", connect.to);
        let detail = format!(
            "A TCP reset came back ({}). Nothing listens on that port: the FTP server is stopped, listens on another \
             address or port, or a device in front of it rejects the connection in its name.",
            connect.describe()
        );
        Some(Detail::new(Scope::endpoint(endpoint.address), title, detail).quote(fact(connect)))
    })
}

/// An ICMP error, or a refusal of this host while others have a route.
pub(super) fn control_unreachable(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let connect = endpoint.control.as_ref()?;
        let Outcome::Icmp(icmp) = &connect.outcome else { return None };
        let title = format!("{} is unreachable: {}", connect.to, icmp.describe(connect.to.is_ipv6()));
        let sender =
            icmp.sender.map_or_else(|| "An unnamed host".to_owned(), |sender| format!("The host {sender}"));
        let detail = format!(
            "{sender} answered with an ICMP error (type {}, code {}: {}). That host, or one that it speaks for, does not \
             let the connection through or knows no way.",
            icmp.kind,
            icmp.code,
            icmp.describe(connect.to.is_ipv6())
        );
        let location = match icmp.sender {
            Some(sender) if sender == endpoint.address => Location::Server,
            Some(sender) if Some(sender) == endpoint.local_address => Location::Client,
            _ => Location::Unknown,
        };
        Some(
            Detail::new(Scope::endpoint(endpoint.address), title, detail)
                .location(location)
                .quote(fact(connect)),
        )
    })
}

/// The dialogue was cut.
pub(super) fn control_lost(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        // A loss over a transfer or its port weighs more than one over a question on the side.
        let loss = endpoint.losses.iter().max_by_key(|loss| !beside(&culprit(loss)))?;
        let verb = culprit(loss);
        let scope = Scope::endpoint(endpoint.address);
        let goodbye = loss.last_reply.as_ref().filter(|reply| reply.code == 421);
        let title = match (goodbye, &loss.how) {
            (Some(_), _) => format!("the server ends the session at {verb}"),
            (None, Answer::Garbled { .. }) => format!("the answer to {verb} is no FTP reply"),
            _ => format!("the control connection was lost at {verb}"),
        };
        let mut detail = format!("While the answer to {verb} was awaited, {}.", how(&loss.how));
        if let Some(words) = &loss.in_clear {
            let _ = write!(detail, " In the middle of TLS the server said in clear text: \"{words}\".");
        }
        if let Some(reply) = goodbye {
            detail = format!("{verb} was answered with \"{}\", and the session was over.", reply.last_line());
        } else if let Some(reply) = loss.last_reply.as_ref().filter(|reply| reply.code >= 400) {
            let _ = write!(detail, " The server's last words were \"{}\".", reply.last_line());
        }
        detail.push_str(match loss.how {
            Answer::Silence { .. } => {
                " A device that reads FTP and swallows what it does not understand looks like this, and so does a server \
                 process that hangs."
            }
            Answer::Closed { reset: true } if goodbye.is_none() => {
                " A reset comes from a crashed server process or from a device on the path."
            }
            _ => " The server's log tells why.",
        });
        let seen = Detail::new(scope, title, detail).quote(format!("{verb} → {}", loss.how.describe()));
        // Where the last reply is the goodbye itself, nothing came before it that matters.
        let before = loss.last_reply.as_ref().filter(|reply| loss.how.reply() != Some(*reply));
        let seen = match before {
            Some(reply) => seen.quote(format!("before it: \"{}\"", reply.last_line())),
            None => seen,
        };
        let harmless = beside(&verb) && endpoint.transfers.iter().any(crate::evidence::Transfer::proves);
        Some(if harmless { seen.severity(Severity::Warning) } else { seen })
    })
}

/// The command over which a session ended: the one that got a 421, which announces the end (RFC 959 §4.2.2), or the one
/// whose answer did not come.
fn culprit(loss: &Loss) -> String {
    let announced = loss.last_reply.as_ref().is_some_and(|reply| reply.code == 421);
    let verb = if announced { &loss.last_command } else { &loss.after };
    verb.clone().unwrap_or_else(|| "the login".to_owned())
}

/// Commands without which passive transfers work.
fn beside(verb: &str) -> bool {
    matches!(verb, "FEAT" | "SYST" | "CSID" | "NOOP" | "AUTH" | "CWD" | "TYPE" | "SIZE" | "DELE" | "QUIT")
}

fn how(answer: &Answer) -> String {
    match answer {
        Answer::Closed { reset: false } => "the server closed the connection".to_owned(),
        Answer::Closed { reset: true } => "the connection was reset".to_owned(),
        Answer::Silence { waited_ms } => format!("nothing came for {:.0} s", waited_ms / 1000.0),
        other => other.describe(),
    }
}

fn failed(connect: &Connect) -> bool {
    matches!(connect.outcome, Outcome::Silent | Outcome::Reset | Outcome::Icmp(_))
}

fn fact(connect: &Connect) -> String {
    format!("{} {}", at(connect.to.ip(), connect.to.port()), connect.describe())
}
