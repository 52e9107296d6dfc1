//! Our documents' Markdown as HTML: that much of the language they use, and no more.

use maud::{Markup, html};

use crate::report::style::printable;

/// A piece of a document.
#[derive(Debug, PartialEq)]
enum Block {
    Heading(String),
    Paragraph(String),
    List { numbered: bool, items: Vec<String> },
    Code { language: String, lines: Vec<String> },
}

/// Renders a document's section.
pub(super) fn render(text: &str) -> Markup {
    html! {
        div.prose { @for block in blocks(&printable(text)) { (shown(&block)) } }
    }
}

fn shown(block: &Block) -> Markup {
    html! {
        @match block {
            Block::Heading(text) => b { (inline(text)) },
            Block::Paragraph(text) => p { (inline(text)) },
            Block::List { numbered: false, items } => ul { @for item in items { li { (inline(item)) } } },
            Block::List { numbered: true, items } => ol { @for item in items { li { (inline(item)) } } },
            Block::Code { language, lines } => div.paste {
                // What is typed into a shell is told from what goes into a file.
                @if matches!(language.as_str(), "sh" | "powershell" | "bat") { div.where { "Run:" } }
                pre { (lines.join("\n")) }
            },
        }
    }
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut fenced = false;
    // Whether the next line of text begins a block of its own.
    let mut fresh = true;
    for line in text.lines() {
        if let Some(language) = line.strip_prefix("```") {
            fenced = !fenced;
            if fenced {
                blocks.push(Block::Code { language: language.to_owned(), lines: Vec::new() });
            }
            fresh = true;
        } else if fenced {
            if let Some(Block::Code { lines, .. }) = blocks.last_mut() {
                lines.push(line.to_owned());
            }
        } else if line.trim().is_empty() {
            fresh = true;
        } else if let Some(heading) = line.strip_prefix('#') {
            blocks.push(Block::Heading(heading.trim_start_matches('#').trim().to_owned()));
            fresh = true;
        } else if let Some((numbered, item)) = item(line) {
            match blocks.last_mut() {
                Some(Block::List { numbered: same, items }) if *same == numbered => {
                    items.push(item.to_owned());
                }
                _ => blocks.push(Block::List { numbered, items: vec![item.to_owned()] }),
            }
            fresh = false;
        } else {
            go_on(&mut blocks, line.trim(), fresh);
            fresh = false;
        }
    }
    blocks
}

/// A line that goes on with the block before it, or begins a paragraph.
fn go_on(blocks: &mut Vec<Block>, line: &str, fresh: bool) {
    let open = match blocks.last_mut() {
        Some(Block::Paragraph(text)) if !fresh => Some(text),
        Some(Block::List { items, .. }) if !fresh => items.last_mut(),
        _ => None,
    };
    match open {
        Some(text) => {
            text.push(' ');
            text.push_str(line);
        }
        None => blocks.push(Block::Paragraph(line.to_owned())),
    }
}

fn item(line: &str) -> Option<(bool, &str)> {
    if let Some(item) = line.strip_prefix("- ") {
        return Some((false, item));
    }
    let (number, item) = line.split_once(". ")?;
    let numbered = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    numbered.then_some((true, item))
}

/// Code between backticks; emphasis is left out.
fn inline(text: &str) -> Markup {
    let text = text.replace("**", "");
    html! {
        @for (n, part) in text.split('`').enumerate() {
            @if n % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_blocks_of_our_documents() {
        let text =
            "Set `a` in\nthe file.\n\n```ini\na=1\n\nb=2\n```\n- one\n  goes on\n- two\n\n1. first\nEnd.";
        let html = render(text).into_string();
        let expected = "<div class=\"prose\"><p>Set <code>a</code> in the file.</p>\
            <div class=\"paste\"><pre>a=1\n\nb=2</pre></div><ul><li>one goes on</li><li>two</li></ul>\
            <ol><li>first End.</li></ol></div>";
        assert_eq!(html, expected);
    }
}
