//! The line of an audit finding with a caret, and the line as it would have to be.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};

use super::style::{Style, printable};
use crate::finding::Finding;

/// The line and the corrected one, made harmless, for formats that draw by themselves.
pub(super) fn lines(finding: &Finding) -> Option<(String, Option<String>)> {
    let excerpt = finding.excerpt.as_ref()?;
    let plain = |text: &str| escaped(text.trim_end(), 1, 1).0;
    Some((plain(&excerpt.text), excerpt.corrected.as_deref().map(plain)))
}

/// Draws it; nothing for a finding without a place.
pub(super) fn draw(finding: &Finding, style: &Style) -> String {
    let (Some(file), Some(excerpt)) = (&finding.file, &finding.excerpt) else {
        return finding.file.as_ref().map(|file| format!("  --> {}\n", printable(file))).unwrap_or_default();
    };
    let line = usize::try_from(finding.line.unwrap_or(1)).unwrap_or(1);
    let column = usize::try_from(finding.column.unwrap_or(1)).unwrap_or(1);
    let (text, span) = escaped(&excerpt.text, column, usize::try_from(excerpt.length).unwrap_or(1));
    let file = printable(file).replace('\n', "\\n");
    let marked = Snippet::source(text.clone())
        .line_start(line)
        .path(file.clone())
        .annotation(AnnotationKind::Primary.span(span));
    let mut groups = vec![Group::with_level(Level::ERROR).element(marked)];
    if let Some(corrected) = &excerpt.corrected {
        let corrected = printable(corrected);
        let whole = text.len() - text.trim_start().len()
            ..text.trim_end().len().max(text.len() - text.trim_start().len());
        let patched = Snippet::source(text).line_start(line).path(file).patch(Patch::new(whole, corrected));
        groups.push(Level::HELP.secondary_title("corrected").element(patched));
    }
    let renderer = if style.color { Renderer::styled() } else { Renderer::plain() };
    let drawn = renderer.decor_style(DecorStyle::Ascii).term_width(style.width).render(&groups);
    drawn.lines().fold(String::new(), |out, line| out + "  " + line.trim_end() + "\n")
}

/// A line made harmless, and the bytes of the part that is meant: an escape takes more room than what it stands for.
fn escaped(text: &str, column: usize, length: usize) -> (String, Range<usize>) {
    let mut out = String::new();
    let (mut start, mut end) = (None, None);
    for (at, c) in text.chars().enumerate() {
        if at + 1 == column {
            start = Some(out.len());
        }
        if at + 1 == column + length {
            end = Some(out.len());
        }
        if c == '\t' {
            out.push(' ');
        } else {
            out.push_str(&printable(&c.to_string()).replace('\n', "\\n"));
        }
    }
    let start = start.unwrap_or(out.len());
    let end = end.unwrap_or(out.len()).max(start);
    (out, start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_move_the_caret_along() {
        let (text, span) = escaped("a\u{1b}b=ö", 3, 1);
        assert_eq!(text, "a\\u{1b}b=ö");
        assert_eq!(&text[span], "b");
        assert_eq!(escaped("ab", 9, 3), ("ab".to_owned(), 2..2));
        assert_eq!(escaped("", 1, 1), (String::new(), 0..0));
    }
}
