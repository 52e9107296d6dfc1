//! A set-up as text to paste from, and as JSON.

use std::fmt::Write as _;

use super::{Block, Setup};
use crate::report::style::Style;

/// As JSON, indented.
#[must_use]
pub fn json(setup: &Setup) -> String {
    let value = serde_json::json!({
        "schema_version": 1,
        "request": setup.request,
        "warnings": setup.warnings,
        "blocks": setup.blocks,
    });
    format!("{value:#}\n")
}

/// As text. What is to be pasted stands at the left margin, as it is.
#[must_use]
pub fn text(setup: &Setup, style: &Style) -> String {
    let request = &setup.request;
    let mut out = String::new();
    let address = request.public().map(|address| address.to_string()).unwrap_or_default();
    let second = if request.both() { request.public_ipv6.map(|v6| format!(" and {v6}")) } else { None };
    let behind = request.private_address.map(|own| format!(", behind NAT at {own}")).unwrap_or_default();
    let head = format!(
        "Passive mode for {}: {address}{}{behind}, ports {} ({})",
        request.server.name(),
        second.unwrap_or_default(),
        request.range,
        request.range.len()
    );
    let _ = writeln!(out, "{}", style.bold(&head));
    for warning in &setup.warnings {
        let _ = writeln!(out, "{}", style.wrap(&format!("Note: {warning}"), 0));
    }
    let mut section = None;
    for block in &setup.blocks {
        if section != Some(block.section) {
            section = Some(block.section);
            let _ = writeln!(out, "\n{}", style.bold(&format!("==== {} ====", block.section.title())));
        }
        out.push_str(&one(block, style));
    }
    out
}

fn one(block: &Block, style: &Style) -> String {
    let mut out = format!("\n{}\n", style.bold(&format!("-- {}", block.title)));
    for place in &block.files {
        let _ = writeln!(out, "{}", style.dim(&format!("   in {}  ({})", place.path, place.on)));
    }
    if !block.note.is_empty() {
        let _ = writeln!(out, "{}", style.dim(&style.wrap(&block.note, 3)));
    }
    out.push('\n');
    out.push_str(&block.text);
    out
}
