//! A finding's document on a terminal: headings, paragraphs, lists, and blocks to paste as they are.

use std::fmt::Write as _;

use super::style::Style;

/// Renders the Markdown of our own documents: that much of the language they use, and no more.
#[must_use]
pub fn render(text: &str, style: &Style, indent: usize) -> String {
    let mut out = String::new();
    let mut paragraph = String::new();
    let mut fenced = false;
    for line in text.lines() {
        if let Some(language) = line.strip_prefix("```") {
            flush(&mut out, &mut paragraph, style, indent);
            fenced = !fenced;
            // What is typed into a shell is told from what goes into a file.
            if fenced && matches!(language, "sh" | "powershell" | "bat") {
                blank(&mut out);
                let _ = writeln!(out, "{}{}", " ".repeat(indent), style.dim("Run:"));
                continue;
            }
            // A blank line sets a block off, before and after.
            blank(&mut out);
        } else if fenced {
            let code = format!("{}{line}", " ".repeat(indent + 2));
            out.push_str(&style.paint(code.trim_end(), colored::Color::Cyan));
            out.push('\n');
        } else if line.trim().is_empty() {
            flush(&mut out, &mut paragraph, style, indent);
            blank(&mut out);
        } else if let Some(heading) = heading(line) {
            flush(&mut out, &mut paragraph, style, indent);
            blank(&mut out);
            let _ = writeln!(out, "{}{}", " ".repeat(indent), style.bold(heading));
        } else if numbered(line) {
            flush(&mut out, &mut paragraph, style, indent);
            line.clone_into(&mut paragraph);
        } else if let Some(item) = line.strip_prefix("- ") {
            flush(&mut out, &mut paragraph, style, indent);
            paragraph = format!("• {item}");
        } else {
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph.push_str(line.trim());
        }
    }
    flush(&mut out, &mut paragraph, style, indent);
    out.trim_end().to_owned() + "\n"
}

fn heading(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    (text.len() < line.len() && text.starts_with(' ')).then(|| text.trim())
}

/// Whether a line begins a numbered item: `3. …`.
fn numbered(line: &str) -> bool {
    line.split_once(". ")
        .is_some_and(|(number, _)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn flush(out: &mut String, paragraph: &mut String, style: &Style, indent: usize) {
    if !paragraph.is_empty() {
        // Marks for code and emphasis mean nothing on a terminal.
        let text = paragraph.replace(['`'], "").replace("**", "");
        out.push_str(&style.wrap(&text, indent));
        out.push('\n');
        paragraph.clear();
    }
}

fn blank(out: &mut String) {
    if !out.is_empty() && !out.ends_with("\n\n") {
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_left_as_they_are_and_prose_is_wrapped() {
        let style = Style { color: false, width: 30 };
        let text =
            "## Fix\nSet `a` in the file that the server\nreads:\n```ini\na=1   # kept\n```\n- one\n- two";
        let shown = render(text, &style, 2);
        assert_eq!(
            shown,
            "  Fix\n  Set a in the file that the\n  server reads:\n\n    a=1   # kept\n\n  • one\n  • two\n"
        );
    }
}
