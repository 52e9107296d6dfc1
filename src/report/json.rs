//! The report as JSON: one object, pretty for a person's file, on one line for a stream.

use super::{Renderer, Report};

/// One indented object with a line end.
#[must_use]
pub fn pretty(report: &Report) -> String {
    text(report, true)
}

/// One line.
#[must_use]
pub fn line(report: &Report) -> String {
    text(report, false)
}

/// Renders reports as JSON: one indented object, or one object a line.
#[derive(Clone, Copy, Debug)]
pub struct Json {
    /// One object a line.
    pub lines: bool,
}

impl Renderer for Json {
    fn add(&mut self, report: &Report) -> String {
        if self.lines { line(report) } else { pretty(report) }
    }
}

/// Whatever has a shape, indented or on one line.
pub(crate) fn text(value: &impl serde::Serialize, indented: bool) -> String {
    let text = if indented { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    // A report holds strings and numbers alone, so this cannot fail; were it ever to, the reader still gets JSON.
    let mut text = text.unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"));
    text.push('\n');
    harmless(&text)
}

/// JSON escapes the first 32 control characters by itself; the others, and the marks that turn the writing direction, can
/// only stand inside strings and are escaped here, for whoever looks at a report on a terminal.
fn harmless(text: &str) -> String {
    use std::fmt::Write as _;

    // Nearly always there is nothing to escape.
    if text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' || super::style::harmless(c) {
            out.push(c);
        } else {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        }
    }
    out
}

/// Why a file is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No JSON, or not this shape.
    #[error("it is no report of pasvcheck: {0}")]
    Shape(#[from] serde_json::Error),
    /// Of a later version.
    #[error("its schema_version is {0}; this pasvcheck reads version {expected}", expected = super::SCHEMA_VERSION)]
    Version(u64),
}

/// Reads a saved report.
pub fn read(text: &str) -> Result<Report, ReadError> {
    let value: serde_json::Value = serde_json::from_str(text)?;
    if let Some(version) = value.get("schema_version").and_then(serde_json::Value::as_u64)
        && version != u64::from(super::SCHEMA_VERSION)
    {
        return Err(ReadError::Version(version));
    }
    Ok(serde_json::from_value(value)?)
}
