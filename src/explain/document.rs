//! A finding's document: Markdown with fixed headings.

/// The server products that every document speaks to.
pub const PRODUCTS: [&str; 5] = ["vsftpd", "ProFTPD", "Pure-FTPd", "FileZilla Server", "IIS"];

/// The headings of a document, in order.
pub const HEADINGS: [&str; 6] =
    ["What was seen", "What it means", "Who is affected", "Check it by hand", "Fix", "References"];

/// The sub-headings that may stand under *Fix*, in order: products first.
pub const FIX_HEADINGS: [&str; 16] = [
    "vsftpd",
    "ProFTPD",
    "Pure-FTPd",
    "FileZilla Server",
    "IIS",
    "Any server",
    "NAT router",
    "Linux firewall",
    "Windows firewall",
    "AWS",
    "Azure",
    "Google Cloud",
    "Container",
    "Client",
    "DNS",
    "This host",
];

/// A document, cut at its headings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document<'a> {
    /// The `#` heading: the finding's name.
    pub name: &'a str,
    /// The sentence below it.
    pub lead: &'a str,
    /// The `##` sections: heading and text.
    pub sections: Vec<(&'a str, &'a str)>,
}

impl<'a> Document<'a> {
    /// Cuts a document. What does not follow the pattern ends up in the section before; a test sees to the pattern.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        let mut parts = cut(text, "## ").into_iter();
        let head = parts.next().map_or("", |(_, text)| text);
        let (name, lead) = head.split_once('\n').unwrap_or((head, ""));
        Self { name: name.trim_start_matches("# ").trim(), lead: lead.trim(), sections: parts.collect() }
    }

    /// The text of a `##` section.
    #[must_use]
    pub fn section(&self, heading: &str) -> Option<&'a str> {
        self.sections.iter().find(|(name, _)| *name == heading).map(|(_, text)| *text)
    }

    /// The `###` sections under *Fix*.
    #[must_use]
    pub fn fixes(&self) -> Vec<(&'a str, &'a str)> {
        let Some(fix) = self.section("Fix") else { return Vec::new() };
        cut(fix, "### ").into_iter().skip(1).collect()
    }
}

/// Cuts a text at the lines that begin with `mark`, outside of fences. The first part is what stands before the first
/// heading, under an empty one.
fn cut<'a>(text: &'a str, mark: &str) -> Vec<(&'a str, &'a str)> {
    let mut parts = Vec::new();
    let (mut heading, mut start, mut position, mut fenced) = ("", 0, 0, false);
    for line in text.split_inclusive('\n') {
        if line.starts_with("```") {
            fenced = !fenced;
        }
        if !fenced && line.starts_with(mark) {
            parts.push((heading, text[start..position].trim()));
            heading = line[mark.len()..].trim();
            start = position + line.len();
        }
        position += line.len();
    }
    parts.push((heading, text[start..].trim()));
    parts
}

/// The contents of the fenced blocks of a text, in order.
pub fn fences(text: &str) -> impl Iterator<Item = &str> {
    text.split("```")
        .skip(1)
        .step_by(2)
        .map(|block| block.split_once('\n').map_or("", |(_, body)| body.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# some-name\n\nOne sentence.\n\n## What was seen\nthis\n\n## Fix\n### vsftpd\nset\n```ini\na=1\n## no heading\n```\n\
                        then\n```sh\nrestart\n```\n### IIS\nclick\n## References\nRFC\n";

    #[test]
    fn documents_are_cut_at_headings_outside_of_fences() {
        let document = Document::parse(TEXT);
        assert_eq!((document.name, document.lead), ("some-name", "One sentence."));
        assert_eq!(document.section("What was seen"), Some("this"));
        let fixes = document.fixes();
        assert_eq!(fixes.len(), 2);
        assert_eq!(fixes[1], ("IIS", "click"));
        assert_eq!(fences(fixes[0].1).collect::<Vec<_>>(), ["a=1\n## no heading", "restart"]);
    }
}
