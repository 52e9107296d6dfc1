//! What the announced ports tell about the range. Few samples, modest words.

use crate::checks::paths::visits_at_control;
use crate::checks::support::{announced_ports, each, port_list};
use crate::evidence::{Endpoint, Evidence};
use crate::finding::{Confidence, Detail, Location, Scope, Severity};

/// Offers that must agree before a small or predictable range is claimed.
const ENOUGH_OFFERS: usize = 6;

/// Distance between the lowest and the highest port seen from which on no deliberate range is likely. The widest that
/// administrators configure in practice is the dynamic range 49152–65535, 16,384 ports; six draws from it span less than
/// this more often than not.
const WIDE_SPAN: u16 = 12_000;

/// Fewest offers to call a range unrestricted.
const OFFERS_TO_SPAN: usize = 4;

/// A range below which simultaneous transfers run out of ports.
const FEW_PORTS: u32 = 10;

/// A port below 1024, or 0.
pub(super) fn privileged(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let low: Vec<u16> = announced_ports(endpoint).into_iter().filter(|port| *port < 1024).collect();
        let zero = low.contains(&0);
        if low.is_empty() {
            return None;
        }
        let (title, detail) = if zero {
            (
                "the server announces port 0".to_owned(),
                "Port 0 cannot be connected to: the server failed to open a listener and announced one nevertheless, or a \
                 device on the path spoilt the reply."
                    .to_owned(),
            )
        } else {
            (
                format!("the server announces privileged ports: {}", port_list(&low)),
                "Ports below 1024 belong to other services. Several clients and inspecting firewalls refuse data connections \
                 there."
                    .to_owned(),
            )
        };
        let severity = if zero { Severity::Critical } else { Severity::Warning };
        Some(finding(endpoint, title, detail).severity(severity))
    })
}

/// Strictly one after the other.
pub(super) fn predictable(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let ports = announced_ports(endpoint);
        let steps: Vec<i32> = ports.windows(2).map(|pair| i32::from(pair[1]) - i32::from(pair[0])).collect();
        let run = longest_run(&steps);
        (run + 1 >= ENOUGH_OFFERS).then(|| {
            let title = "the passive ports follow each other in strict sequence".to_owned();
            let detail = format!(
                "{} offers in a row went up or down by one ({}). Whoever can guess the next port can try to get to it before \
                 the client does. A server that checks the peer's address, or demands TLS session resumption, is \
                 protected; a random choice from a wide range is better.",
                run + 1,
                port_list(&ports)
            );
            finding(endpoint, title, detail)
        })
    })
}

/// The longest run of steps of +1, or of −1.
fn longest_run(steps: &[i32]) -> usize {
    let run = |step: i32| {
        let (best, _) = steps.iter().fold((0, 0), |(best, now), seen| {
            let now = if *seen == step { now + 1 } else { 0 };
            (best.max(now), now)
        });
        best
    };
    run(1).max(run(-1))
}

/// Outside of what the administrator declared.
pub(super) fn outside_range(evidence: &Evidence) -> Vec<Detail> {
    let Some(range) = evidence.told.range else { return Vec::new() };
    each(evidence, |endpoint| {
        let ports = announced_ports(endpoint);
        let outside: Vec<u16> = ports.iter().copied().filter(|port| !range.contains(*port)).collect();
        if outside.is_empty() {
            return None;
        }
        let title = format!("the server announces {}, outside of the range {range}", port_list(&outside));
        let detail = format!(
            "{} of {} offers lie outside of {range}. The server's setting is another one, is not in effect (wrong scope, no \
             restart), or its range is used up and it takes any free port instead (ProFTPD and pyftpdlib do). A device that \
             rewrites the reply looks the same. Clients are sent to ports that a firewall made for {range} does not open.",
            outside.len(),
            ports.len()
        );
        Some(finding(endpoint, title, detail))
    })
}

/// All over the place.
pub(super) fn unrestricted(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let ports = announced_ports(endpoint);
        let (low, high) = (*ports.iter().min()?, *ports.iter().max()?);
        if ports.len() < OFFERS_TO_SPAN || high - low < WIDE_SPAN {
            return None;
        }
        if evidence.told.range.is_some_and(|range| ports.iter().all(|port| range.contains(*port))) {
            return None; // wide on purpose
        }
        let blocked =
            visits_at_control(endpoint, None).any(|visit| visit.conclusive() && !visit.connect.open());
        let title =
            format!("the passive ports seen are spread from {low} to {high}: no range seems to be set");
        let detail = format!(
            "{} offers were spread over {} ports. With no range set, the server takes any free port, and no firewall rule \
             can be narrow.{}",
            ports.len(),
            u32::from(high) - u32::from(low) + 1,
            if blocked {
                " Some of these ports are blocked; a range that server and firewall share cures both."
            } else {
                ""
            }
        );
        let severity = if blocked { Severity::Warning } else { Severity::Info };
        Some(finding(endpoint, title, detail).severity(severity).confidence(Confidence::Likely))
    })
}

/// One port, or a declared range of a few.
pub(super) fn too_small(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let ports = announced_ports(endpoint);
        let first = *ports.first()?;
        // aioftp opens one listener for a session and says so: that tells nothing of the range.
        let one_listener =
            endpoint.offers.iter().filter_map(|offer| offer.answer.reply()).any(|r| r.says("already exists"));
        if ports.len() >= ENOUGH_OFFERS && !one_listener && ports.iter().all(|port| *port == first) {
            let title = format!("all {} offers name the same port, {first}", ports.len());
            let detail = "A passive range of one port serves one transfer at a time: a second client, or a client that opens \
                          two transfers, is refused or kept waiting, and a port that has just been used may be blocked for \
                          minutes."
                .to_owned();
            return Some(finding(endpoint, title, detail).confidence(Confidence::Likely));
        }
        let range = evidence.told.range.filter(|range| range.len() < FEW_PORTS)?;
        let title = format!("the range {range} holds {} port(s)", range.len());
        let detail = "Every simultaneous transfer needs a port of its own, and a used port can stay blocked for minutes: plan \
                      more ports than transfers within four minutes."
            .to_owned();
        Some(finding(endpoint, title, detail).severity(Severity::Info))
    })
}

fn finding(endpoint: &Endpoint, title: String, detail: String) -> Detail {
    let ports = announced_ports(endpoint);
    let seen = ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Detail::new(Scope::endpoint(endpoint.address), title, detail)
        .location(Location::Server)
        .quote(format!("ports announced, in order: {seen}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_steps() {
        assert_eq!(longest_run(&[1, 1, 1, 1, 1]), 5);
        assert_eq!(longest_run(&[1, 1, 2, 1, 1, 1]), 3);
        assert_eq!(longest_run(&[-1, -1, 1]), 2);
        assert_eq!(longest_run(&[]), 0);
    }
}
