//! The pattern language of the wording tables: literal text, `{}` for any run
//! of characters (also none), and `{v}` for a version to be taken out.
//!
//! A pattern describes the whole line, so `200 NOOP ok.` does not match a
//! longer sentence, and the full stop that sets one product off from another counts.

/// A match, with the version if the pattern asked for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fit<'t> {
    /// The text under `{v}`.
    pub(super) version: Option<&'t str>,
}

/// Whether the pattern describes this line.
///
/// Lines come from strangers, so nothing here backtracks: of the pieces
/// between two `{}` the earliest place is taken, which leaves the most text to
/// those that follow.
pub(super) fn fit<'t>(pattern: &str, line: &'t str) -> Option<Fit<'t>> {
    if begins_otherwise(pattern, line) {
        return None;
    }
    let Some((pattern, last)) = pattern.rsplit_once("{}") else {
        let (rest, version) = starts_with(pattern, line)?;
        return rest.is_empty().then_some(Fit { version });
    };
    let mut pieces = pattern.split("{}");
    let (mut rest, mut version) = starts_with(pieces.next()?, line)?;
    for piece in pieces {
        let (after, found) = tails(rest).find_map(|tail| starts_with(piece, tail))?;
        (rest, version) = (after, version.or(found));
    }
    let at_end = |tail| starts_with(last, tail).filter(|(after, _)| after.is_empty());
    let (_, found) = tails(rest).find_map(at_end)?;
    Some(Fit { version: version.or(found) })
}

/// Whether the two differ before the pattern's first brace: so nearly all of the hundreds of patterns are ruled out by a byte
/// or two.
fn begins_otherwise(pattern: &str, line: &str) -> bool {
    let mut before = pattern.bytes().zip(line.bytes()).take_while(|(wanted, _)| *wanted != b'{');
    before.any(|(wanted, found)| wanted != found)
}

/// Matches a piece without `{}`; what follows it in the text, and its version.
fn starts_with<'t>(piece: &str, text: &'t str) -> Option<(&'t str, Option<&'t str>)> {
    let Some((before, after)) = piece.split_once("{v}") else {
        return Some((text.strip_prefix(piece)?, None));
    };
    let text = text.strip_prefix(before)?;
    let version = leading_version(text)?;
    Some((text[version.len()..].strip_prefix(after)?, Some(version)))
}

/// The text itself, then without its first character, and so on to the empty text.
fn tails(text: &str) -> impl Iterator<Item = &str> {
    text.char_indices().map(|(at, _)| &text[at..]).chain([""])
}

/// The version at the start of the text: digits, dots, letters and hyphens, a digit first.
fn leading_version(text: &str) -> Option<&str> {
    let of_version = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    let end = text.find(|c| !of_version(c)).unwrap_or(text.len());
    let version = text[..end].trim_end_matches(['.', '-']);
    version.starts_with(|c: char| c.is_ascii_digit()).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version<'t>(pattern: &str, line: &'t str) -> Option<&'t str> {
        fit(pattern, line).and_then(|fit| fit.version)
    }

    #[test]
    fn literal_text_is_the_whole_line() {
        assert!(fit("200 NOOP ok.", "200 NOOP ok.").is_some());
        assert!(fit("200 NOOP ok.", "200 NOOP ok. And more").is_none());
        assert!(fit("200 NOOP ok.", "200 NOOP ok").is_none());
    }

    #[test]
    fn braces_take_any_run() {
        assert!(fit("331 User {} OK. Password required", "331 User a OK. b OK. Password required").is_some());
        assert!(fit("{}ready{}", "220 ready").is_some());
        assert!(fit("{}(x{}", "220 größer (x)").is_some());
        assert!(fit("500 {} not understood", "500 FOO not understood.").is_none());
    }

    #[test]
    fn the_version_is_taken_out() {
        assert_eq!(version("{}(vsFTPd {v}{}", "220 (vsFTPd 3.0.5+ (ext.1) )"), Some("3.0.5"));
        assert_eq!(version("{}ProFTPD {v} Server{}", "220 ProFTPD 1.3.5e Server (x)"), Some("1.3.5e"));
        assert_eq!(version("220 SFTPGo_{v}", "220 SFTPGo_2.7.5"), Some("2.7.5"));
        assert_eq!(version("{}ready {v}.", "220 ready 1.2."), Some("1.2"));
        assert_eq!(fit("{}FTP {v}{}", "220 FTP ready"), None);
    }

    #[test]
    fn hostile_lines_are_not_pondered() {
        assert_eq!(fit("{}a{}a{}a{}a{}b", &"a".repeat(100_000)), None);
    }
}
