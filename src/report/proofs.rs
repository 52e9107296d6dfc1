//! What a stand-in proved of its ports, in a few lines.

use std::fmt::Write as _;

use colored::Color;

use super::style::{Style, printable, thousands};
use crate::checks::support::range_list;
use crate::evidence::{Access, Proof, StandIn, Survey};

/// Whether a proof is of a kind.
type Kind = fn(&Proof) -> bool;

/// The account of the proofs; empty where no stand-in answers or none were had.
#[must_use]
pub fn render(survey: &Survey, style: &Style) -> String {
    let Some(stand_in) = survey.stand_in.as_ref().filter(|stand_in| !stand_in.proofs.is_empty()) else {
        return String::new();
    };
    let (proven, all) = (stand_in.count(Proof::proven), stand_in.count(|_| true));
    let how = match stand_in.access {
        Access::BySecret => ", with the secret",
        _ => "",
    };
    let head = format!(
        "{} of {} ports proven end to end by the stand-in{how}.",
        thousands(proven.into()),
        thousands(all.into())
    );
    let color = if proven == all { Color::Green } else { Color::Red };
    let mut out = format!("  {}\n", style.paint(&head, color));
    let kinds: [(&str, Kind); 6] = [
        ("answered by something else", |proof| matches!(proof, Proof::Foreign { .. })),
        ("closed without an answer", |proof| matches!(proof, Proof::Closed)),
        ("opened without an answer", |proof| matches!(proof, Proof::Silent)),
        ("arrived on another port of the stand-in", |proof| matches!(proof, Proof::Shifted { .. })),
        ("did not open", |proof| matches!(proof, Proof::Unopened)),
        ("proven, from another source address", |proof| matches!(proof, Proof::OtherSource { .. })),
    ];
    for (words, kind) in kinds {
        let ports = stand_in.ranges(kind);
        if !ports.is_empty() {
            let line = format!("{} {words}: {}", thousands(stand_in.count(kind).into()), range_list(&ports));
            let _ = writeln!(out, "{}", style.wrap(&line, 4));
        }
    }
    out.push_str(&style.wrap(&printable(&seen(stand_in)), 2));
    out.push('\n');
    out
}

fn seen(stand_in: &StandIn) -> String {
    let client = stand_in.client_seen.map(|address| format!("The stand-in sees this host as {address}."));
    let replies = stand_in.replies.len();
    let changed = stand_in.replies.iter().filter(|reply| reply.changed()).count();
    let told = match (replies, changed) {
        (0, _) => String::new(),
        (_, 0) => format!(" All {replies} passive replies of this session arrived as it sent them."),
        _ => format!(" {changed} of {replies} passive replies were changed on the way."),
    };
    client.unwrap_or_default() + &told
}
