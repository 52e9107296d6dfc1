//! Version numbers as servers print them, and their order.
//!
//! Plain numbers (`0.9.60`, `1.9.4`), pre-releases (`1.3.8rc3`, `7.1beta6`)
//! and `ProFTPD`'s letters, which come *after* the bare number: 1.3.8rc3 <
//! 1.3.8 < 1.3.8a < 1.3.8b.

use std::cmp::Ordering;

/// A parsed version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    numbers: Vec<u64>,
    stage: Stage,
}

/// Where between two numbers a version lies, in ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Alpha(u64),
    Beta(u64),
    Candidate(u64),
    Release,
    Letter(char),
}

impl Version {
    /// Reads a version; `None` if its order among others could not be told.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.split_whitespace().next()?;
        let numeric = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (numbers, suffix) = text.split_at(numeric);
        let numbers =
            numbers.trim_end_matches('.').split('.').map(str::parse).collect::<Result<Vec<u64>, _>>().ok()?;
        Some(Self { numbers, stage: Stage::parse(suffix)? })
    }

    /// The order of two versions, or `None` where `self` is too short to say:
    /// a banner that shows `15.2` may be 15.2.1 or 15.2.5, so it is neither
    /// before nor after 15.2.3.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        if self.numbers.len() < other.numbers.len() && other.numbers.starts_with(&self.numbers) {
            return None;
        }
        let length = self.numbers.len().max(other.numbers.len());
        let padded = |version: &Self| {
            let numbers = version.numbers.iter().copied().chain(std::iter::repeat(0));
            numbers.take(length).collect::<Vec<_>>()
        };
        Some(padded(self).cmp(&padded(other)).then(self.stage.cmp(&other.stage)))
    }
}

impl Stage {
    fn parse(suffix: &str) -> Option<Self> {
        let bare = suffix.trim_start_matches(['-', '_', '.']);
        let number = |rest: &str| {
            if rest.is_empty() { Some(0) } else { rest.parse().ok() }
        };
        if let Some(rest) = bare.strip_prefix("rc") {
            return number(rest).map(Self::Candidate);
        }
        if let Some(rest) = bare.strip_prefix("beta") {
            return number(rest).map(Self::Beta);
        }
        if let Some(rest) = bare.strip_prefix("alpha") {
            return number(rest).map(Self::Alpha);
        }
        let mut letters = suffix.chars();
        match (letters.next(), letters.next()) {
            // `1.3.8-4+deb12u5`, `2.6.2(1)`: a packager's or builder's own count follows.
            (None | Some('-' | '+' | '('), _) => Some(Self::Release),
            (Some(letter @ 'a'..='z'), None) => Some(Self::Letter(letter)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(left: &str, right: &str) -> Option<Ordering> {
        Version::parse(left).unwrap().compare(&Version::parse(right).unwrap())
    }

    #[test]
    fn letters_follow_the_release_and_candidates_precede_it() {
        let ascending = [
            "1.2.10",
            "1.3.3",
            "1.3.3c",
            "1.3.3g",
            "1.3.5",
            "1.3.5a",
            "1.3.8rc1",
            "1.3.8rc3",
            "1.3.8",
            "1.3.8a",
            "1.3.9rc2",
            "1.3.9",
            "1.3.10rc4",
            "1.3.10",
        ];
        for pair in ascending.windows(2) {
            assert_eq!(order(pair[0], pair[1]), Some(Ordering::Less), "{pair:?}");
            assert_eq!(order(pair[1], pair[0]), Some(Ordering::Greater), "{pair:?}");
        }
    }

    #[test]
    fn numbers_are_numbers() {
        assert_eq!(order("0.9.60", "0.9.9"), Some(Ordering::Greater));
        assert_eq!(order("1.9.4", "1.10.0"), Some(Ordering::Less));
        assert_eq!(order("0.9.60 beta", "0.9.60"), Some(Ordering::Equal));
        assert_eq!(order("15.0.0.0", "15.0"), Some(Ordering::Equal));
        assert_eq!(order("7.1beta6", "7.1rc1"), Some(Ordering::Less));
    }

    #[test]
    fn a_shortened_version_decides_nothing_within_itself() {
        assert_eq!(order("15.2", "15.2.3"), None);
        assert_eq!(order("15.1", "15.2.3"), Some(Ordering::Less));
        assert_eq!(order("1.7.0", "1.7.3"), Some(Ordering::Less));
    }

    #[test]
    fn a_packagers_suffix_is_ignored_and_nonsense_refused() {
        assert_eq!(order("1.3.8-4+deb12u5", "1.3.8"), Some(Ordering::Equal));
        assert_eq!(order("2.6.2(1)", "2.6.2"), Some(Ordering::Equal));
        for nonsense in ["", "x", "1..2", "1.3.8zz", "1.2rcx", "99999999999999999999999"] {
            assert_eq!(Version::parse(nonsense), None, "{nonsense}");
        }
    }
}
