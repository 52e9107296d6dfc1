//! What a difference means: the conclusion that an administrator draws from two vantages or two dates.

use super::{Change, Comparison, Named};
use crate::finding::{Severity, Verdict};

/// Whether passive mode did its job, failed, or was not tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Fails,
    Untested,
    Works,
}

fn state(verdict: Verdict) -> State {
    match verdict {
        Verdict::Ok | Verdict::Warning => State::Works,
        Verdict::Unknown => State::Untested,
        Verdict::Critical => State::Fails,
    }
}

/// What the comparison means, in sentences.
pub(super) fn of(comparison: &Comparison, comparable: bool) -> Vec<String> {
    if !comparable {
        return vec![format!(
            "The reports are about two targets, {} port {} and {} port {}, which share no address: nothing can be concluded. If \
             both are one server, say so with --same-server.",
            comparison.a.target.host,
            comparison.a.target.port,
            comparison.b.target.host,
            comparison.b.target.port
        )];
    }
    let mut sentences =
        if comparison.two_vantages { from_two_places(comparison) } else { at_two_times(comparison) };
    if comparison.change == Change::NotComparable {
        sentences.push("B could not be tested, so whether it is worse cannot be told.".to_owned());
    }
    sentences
}

fn from_two_places(comparison: &Comparison) -> Vec<String> {
    let (a, b) = (&comparison.a, &comparison.b);
    let sentence = match (state(a.verdict), state(b.verdict)) {
        (State::Works, State::Works) => "It works from both places.".to_owned(),
        (State::Untested, _) | (_, State::Untested) => {
            "From one of the two places it could not be tested, so the places cannot be told apart."
                .to_owned()
        }
        (State::Works, State::Fails) => one_fails(a.inside, b.inside, "B", &comparison.new),
        (State::Fails, State::Works) => one_fails(b.inside, a.inside, "A", &comparison.cured),
        (State::Fails, State::Fails) => both_fail(comparison),
    };
    vec![sentence]
}

/// It works from one place and fails from the other.
fn one_fails(works_inside: bool, fails_inside: bool, failing: &str, causes: &[Named]) -> String {
    match (works_inside, fails_inside) {
        (true, false) => format!("It works inside the server's network and fails outside: {}", outside(causes)),
        (false, true) => "It works outside and fails inside the server's network: clients inside are told an address that they \
                          cannot reach from there. A router that leads inside clients to its own public address (hairpin NAT), \
                          or a name that resolves to the inside address there, cures it."
            .to_owned(),
        (true, true) => format!(
            "It works from one place inside and fails from the other ({failing}): look between the two, at the firewall of that \
             network or host."
        ),
        (false, false) => format!(
            "It works from one place outside and fails from the other ({failing}): the server and its firewall serve one of them, \
             so look at the network of {failing}, on the way, or for rules by client address at the server."
        ),
    }
}

/// What the causes seen outside say of the two places.
fn outside(causes: &[Named]) -> &'static str {
    let has = |start: &str| causes.iter().any(|cause| cause.id.starts_with(start));
    if has("passive-address") {
        "the server announces an address that means something inside only. Set its public address."
    } else if has("data-") {
        "the server serves, and the firewall or NAT router between the two places does not let the passive ports through, or \
         does not forward them. Open the whole range there."
    } else if has("control-") || has("greeting") {
        "the server serves, and the firewall or NAT router between the two places does not let its control port through, or \
         does not forward it."
    } else {
        "the server serves, and what lies between the two places is the cause: a firewall, a NAT router, or a device that reads \
         the dialogue."
    }
}

fn both_fail(comparison: &Comparison) -> String {
    if comparison.kept.is_empty() {
        return "It fails from both places, for different reasons: each has to be mended by itself."
            .to_owned();
    }
    let names: Vec<&str> = comparison.kept.iter().map(|cause| cause.id.as_str()).collect();
    let alike = format!(
        "It fails alike from both places ({}): what they share is the cause, the server or the device right in front of it.",
        names.join(", ")
    );
    let only: Vec<&str> = comparison.new.iter().map(|cause| cause.id.as_str()).collect();
    if only.is_empty() { alike } else { format!("{alike} From B comes on top: {}.", only.join(", ")) }
}

fn at_two_times(comparison: &Comparison) -> Vec<String> {
    let since =
        if comparison.b.started_at >= comparison.a.started_at { "since A" } else { "in B, the older report" };
    let list = |named: &[Named]| named.iter().map(|one| one.id.as_str()).collect::<Vec<_>>().join(", ");
    let mut sentences = Vec::new();
    if !comparison.new.is_empty() {
        sentences.push(format!("New {since}: {}.", list(&comparison.new)));
    }
    if !comparison.cured.is_empty() {
        sentences.push(format!("Cured {since}: {}.", list(&comparison.cured)));
    }
    let grave: Vec<Named> =
        comparison.kept.iter().filter(|cause| cause.severity > Severity::Info).cloned().collect();
    if !grave.is_empty() {
        sentences.push(format!("Still there: {}.", list(&grave)));
    }
    if sentences.is_empty() {
        let slower = comparison.seen.iter().any(|difference| difference.timing);
        sentences.push(match comparison.change {
            Change::Same if comparison.a.verdict == Verdict::Ok && slower => {
                "It works at both times; only times differ.".to_owned()
            }
            Change::Same if comparison.a.verdict == Verdict::Ok => "It works at both times.".to_owned(),
            Change::Same => "Nothing has changed.".to_owned(),
            _ => format!("The verdict went from {} to {}.", comparison.a.verdict, comparison.b.verdict),
        });
    }
    sentences
}
