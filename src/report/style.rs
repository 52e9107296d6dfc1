//! How text for a terminal looks: colour or not, how wide, and nothing in it that a stranger's server put there to act on
//! the terminal.

use colored::{Color, Colorize};

use crate::finding::Verdict;

/// The looks of a terminal report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether colours and bold may be used. Decided once, by the caller, for everything.
    pub color: bool,
    /// Columns to fill, 40–120.
    pub width: usize,
}

impl Style {
    /// For pipes and files.
    pub const PLAIN: Self = Self { color: false, width: 100 };

    /// Bold.
    #[must_use]
    pub fn bold(&self, text: &str) -> String {
        if self.color { text.bold().to_string() } else { text.to_owned() }
    }

    /// Faint.
    #[must_use]
    pub fn dim(&self, text: &str) -> String {
        if self.color { text.dimmed().to_string() } else { text.to_owned() }
    }

    /// In a colour.
    #[must_use]
    pub fn paint(&self, text: &str, color: Color) -> String {
        if self.color { text.color(color).to_string() } else { text.to_owned() }
    }

    /// A verdict's word as a badge.
    #[must_use]
    pub fn badge(&self, verdict: Verdict) -> String {
        let word = verdict.to_string().to_uppercase();
        if self.color { word.color(color_of(verdict)).bold().to_string() } else { word }
    }

    /// Text wrapped to the width, each line indented.
    #[must_use]
    pub fn wrap(&self, text: &str, indent: usize) -> String {
        let pad = " ".repeat(indent);
        let options = textwrap::Options::new(self.width.max(indent + 20))
            .initial_indent(&pad)
            .subsequent_indent(&pad)
            .break_words(false)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        textwrap::fill(text, options)
    }
}

/// The colour of a verdict.
#[must_use]
pub fn color_of(verdict: Verdict) -> Color {
    match verdict {
        Verdict::Ok => Color::Green,
        Verdict::Warning => Color::Yellow,
        Verdict::Unknown => Color::Magenta,
        Verdict::Critical => Color::Red,
    }
}

/// A number as people read it: `12,345`.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Text from the network, made harmless: control characters (escape sequences among them) and the marks that turn the
/// writing direction are shown as escapes.
#[must_use]
pub fn printable(text: &str) -> String {
    let harmless = |c: char| c == '\n' || harmless(c);
    if text.chars().all(harmless) {
        return text.to_owned();
    }
    text.chars().map(|c| if harmless(c) { c.to_string() } else { c.escape_default().to_string() }).collect()
}

/// Whether a character does nothing to a terminal but appear.
pub(super) fn harmless(c: char) -> bool {
    match c {
        '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{e0000}'..='\u{e007f}' => false,
        c => !c.is_control(),
    }
}

/// Words of configurations and programs, as they begin titles: they keep their small letter.
const NAMES: [&str; 9] = [
    "vsftpd",
    "pure-ftpd",
    "pasv_",
    "listen",
    "externalIp4Address",
    "nftables",
    "iptables",
    "ufw",
    "firewalld",
];

/// A title with a capital, unless it begins with a name or a file.
#[must_use]
pub fn capital(title: &str) -> String {
    let file = title.split(' ').next().is_some_and(|word| word.contains(['/', '.', '\\']));
    let mut characters = title.chars();
    match characters.next() {
        Some(first) if !file && !NAMES.iter().any(|name| title.starts_with(name)) => {
            first.to_uppercase().chain(characters).collect()
        }
        _ => title.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let shown = [0, 999, 1000, 65_535, 1_234_567].map(thousands);
        assert_eq!(shown, ["0", "999", "1,000", "65,535", "1,234,567"]);
    }

    #[test]
    fn nothing_from_the_network_acts_on_the_terminal() {
        assert_eq!(printable("220 \u{1b}[31mred\u{7}"), "220 \\u{1b}[31mred\\u{7}");
        assert_eq!(printable("a\u{9b}31mb"), "a\\u{9b}31mb");
        assert_eq!(printable("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(printable("tab\tand\rreturn"), "tab\\tand\\rreturn");
        assert_eq!(printable("Grüße – 50000"), "Grüße – 50000");
    }
}
