//! The surveyed ports as a picture: one cell for one or more ports.

use std::fmt::Write as _;

use colored::Color;

use super::style::Style;
use crate::evidence::{PortState, Survey};

/// Draws the map, with a legend; empty for fewer than two ports.
#[must_use]
pub fn draw(survey: &Survey, style: &Style) -> String {
    let width = style.width.saturating_sub(4).clamp(16, 100);
    let ports = u32::from(survey.range.max - survey.range.min) + 1;
    if ports < 2 || survey.spans.is_empty() {
        return String::new();
    }
    let per_cell = ports.div_ceil(u32::try_from(width * 4).unwrap_or(u32::MAX)).max(1);
    let cells: Vec<Cell> =
        (0..ports.div_ceil(per_cell)).map(|n| cell(survey, n * per_cell, per_cell)).collect();
    let mut out = format!("  Ports {}{}\n", survey.range, scale(per_cell));
    for (line, row) in cells.chunks(width).enumerate() {
        let first = u32::from(survey.range.min) + u32::try_from(line * width).unwrap_or(0) * per_cell;
        let drawn: String = row.iter().map(|cell| style.paint(cell.sign(), cell.color())).collect();
        if cells.len() > width {
            out.push_str(&style.dim(&format!("  {first}\n")));
        }
        let _ = writeln!(out, "  {drawn}");
    }
    out.push_str(&legend(&cells, style));
    out
}

fn scale(per_cell: u32) -> String {
    if per_cell == 1 { String::new() } else { format!(", {per_cell} to a sign") }
}

/// What a cell stands for: the worst of its ports that were asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cell {
    NotAsked,
    Through,
    Open,
    Unverified,
    Elsewhere,
    Rejected,
    Silent,
}

impl Cell {
    const ALL: [Self; 7] = [
        Self::Open,
        Self::Through,
        Self::Elsewhere,
        Self::Silent,
        Self::Rejected,
        Self::Unverified,
        Self::NotAsked,
    ];

    fn sign(self) -> &'static str {
        match self {
            Self::NotAsked => "·",
            Self::Through => "▒",
            Self::Open => "█",
            Self::Unverified => "?",
            Self::Elsewhere => "!",
            Self::Rejected => "x",
            Self::Silent => "░",
        }
    }

    fn color(self) -> Color {
        match self {
            Self::NotAsked => Color::BrightBlack,
            Self::Through | Self::Open => Color::Green,
            Self::Unverified => Color::Magenta,
            Self::Elsewhere | Self::Rejected | Self::Silent => Color::Red,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::NotAsked => "not asked",
            Self::Through => "let through (nobody listens now)",
            Self::Open => "open",
            Self::Unverified => "silent, not verified",
            Self::Elsewhere => "answered by something else",
            Self::Rejected => "rejected",
            Self::Silent => "silent",
        }
    }
}

fn cell(survey: &Survey, offset: u32, count: u32) -> Cell {
    let low = u32::from(survey.range.min) + offset;
    let high = low + count - 1;
    let inside = survey
        .spans
        .iter()
        .filter(|span| u32::from(span.ports.min) <= high && u32::from(span.ports.max) >= low);
    let state = |state: &PortState| match state {
        PortState::Failed => Cell::NotAsked,
        PortState::Icmp(_) => Cell::Rejected,
        PortState::Open => Cell::Open,
        PortState::Reset => Cell::Through,
        PortState::Silent => Cell::Silent,
        PortState::Unverified => Cell::Unverified,
    };
    let proofs = survey.stand_in.iter().flat_map(|stand_in| &stand_in.proofs);
    let elsewhere = proofs
        .filter(|span| u32::from(span.ports.min) <= high && u32::from(span.ports.max) >= low)
        .any(|span| span.proof.elsewhere());
    let by_proof = elsewhere.then_some(Cell::Elsewhere);
    inside.map(|span| state(&span.state)).chain(by_proof).max().unwrap_or(Cell::NotAsked)
}

fn legend(cells: &[Cell], style: &Style) -> String {
    let known = Cell::ALL.into_iter().filter(|kind| cells.contains(kind));
    let words: Vec<String> =
        known.map(|kind| format!("{} {}", style.paint(kind.sign(), kind.color()), kind.word())).collect();
    format!("  {}\n", words.join("   "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{PortRange, RangeSource, spans};

    fn survey(range: PortRange, states: Vec<(u16, PortState)>) -> Survey {
        let asked = u32::try_from(states.len()).unwrap();
        Survey {
            range,
            source: RangeSource::Declared,
            whole: true,
            spans: spans(states),
            asked,
            cut_short: false,
            elapsed_ms: 1.0,
            baseline: Vec::new(),
            control_afterwards: None,
            stand_in: None,
        }
    }

    #[test]
    fn small_ranges_get_a_sign_for_each_port() {
        let states = vec![
            (10, PortState::Reset),
            (11, PortState::Open),
            (12, PortState::Silent),
            (14, PortState::Unverified),
        ];
        let drawn = draw(&survey(PortRange { min: 10, max: 14 }, states), &Style::PLAIN);
        assert!(drawn.contains("  ▒█░·?\n"), "{drawn}");
        assert!(drawn.contains("░ silent") && drawn.contains("· not asked"), "{drawn}");
    }

    #[test]
    fn all_ports_fit_on_a_screen() {
        let states = (1..=u16::MAX).map(|port| (port, PortState::Reset)).collect();
        let drawn =
            draw(&survey(PortRange { min: 1, max: u16::MAX }, states), &Style { color: false, width: 80 });
        assert!(drawn.lines().count() < 12, "{drawn}");
        assert!(drawn.lines().all(|line| line.chars().count() <= 80), "{drawn}");
    }
}
