//! What a survey means beyond the ports themselves.

use crate::checks::support::each;
use crate::evidence::{Endpoint, Evidence, Outcome};
use crate::finding::{Confidence, Detail, Scope};

/// The control port went dead after our own survey.
pub(super) fn probe_banned(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let survey = endpoint.survey.as_ref()?;
        if !banned(endpoint) {
            return None;
        }
        let after = survey.control_afterwards.as_ref()?;
        let title = format!("after {} probes of ours the server does not answer any more", survey.asked);
        let detail = format!(
            "The control port was open before the survey and is not now ({}). Something at the server counts connections and \
             has banned this host's address: that is our doing, and what was silent in the survey may be the ban and not the \
             firewall. The ban usually ends by itself. Repeat with --rate 5, or let this address through first.",
            after.describe()
        );
        let seen =
            Detail::new(Scope::endpoint(endpoint.address), title, detail).confidence(Confidence::Likely);
        Some(seen.quote(format!("{} {}", after.to, after.describe())))
    })
}

/// Whether the control port, open at first, answered our last connect no more.
pub(in crate::checks) fn banned(endpoint: &Endpoint) -> bool {
    let after = endpoint.survey.as_ref().and_then(|survey| survey.control_afterwards.as_ref());
    endpoint.control_open()
        && after
            .is_some_and(|after| matches!(after.outcome, Outcome::Silent | Outcome::Reset | Outcome::Icmp(_)))
}
