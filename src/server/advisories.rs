//! Security notes that a version number suggests.
//!
//! "Suggests" is the word: a banner shows what upstream called the release,
//! and distributions repair without renaming. Only notes that the version
//! decides are listed; where a hotfix or an optional module decides, either
//! the note is left out or its summary names the module.

mod list;

use std::cmp::Ordering;

use super::product::Product;
use super::version::Version;

/// To be printed beside any [`Advisory`]: what its match does not prove.
pub const BACKPORT_NOTE: &str = "The upstream version is in this range; distributions repair \
    without changing the number (Debian's 3.0.3-13 or 1.3.8+deb12uN, for example).";

/// A published weakness of some versions of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advisory {
    /// The product it concerns.
    pub product: Product,
    /// Its CVE number, or the upstream reference where it has none.
    pub id: &'static str,
    /// The affected versions in words, which are also what is compared with:
    /// alternatives `X`, `up to X`, `before X`, `X to Y` and `X to before Y`, parted by commas.
    pub affected: &'static str,
    /// The release itself was tampered with: who runs it must assume an intruder.
    pub backdoor: bool,
    /// One sentence on what it is.
    pub summary: &'static str,
}

impl Advisory {
    /// Whether the words of `affected` hold for this version.
    fn covers(&self, version: &Version) -> bool {
        self.affected
            .split(", ")
            .any(|alternative| Affected::parse(alternative).is_some_and(|affected| affected.holds(version)))
    }
}

/// One alternative of [`Advisory::affected`].
struct Affected {
    first: Option<Version>,
    last: Version,
    last_included: bool,
}

impl Affected {
    fn parse(words: &str) -> Option<Self> {
        let (first, last, last_included) = if let Some(last) = words.strip_prefix("before ") {
            (None, last, false)
        } else if let Some(last) = words.strip_prefix("up to ") {
            (None, last, true)
        } else if let Some((first, last)) = words.split_once(" to before ") {
            (Some(first), last, false)
        } else if let Some((first, last)) = words.split_once(" to ") {
            (Some(first), last, true)
        } else {
            (Some(words), words, true)
        };
        let first = match first {
            Some(first) => Some(Version::parse(first)?),
            None => None,
        };
        Some(Self { first, last: Version::parse(last)?, last_included })
    }

    fn holds(&self, version: &Version) -> bool {
        let late_enough = self
            .first
            .as_ref()
            .is_none_or(|first| matches!(version.compare(first), Some(Ordering::Greater | Ordering::Equal)));
        let early_enough = match version.compare(&self.last) {
            Some(Ordering::Less) => true,
            Some(Ordering::Equal) => self.last_included,
            Some(Ordering::Greater) | None => false,
        };
        late_enough && early_enough
    }
}

/// The notes on a product's version, as read from a banner, CSID, STAT or HELP.
///
/// Empty as well for a version that cannot be read.
#[must_use]
pub fn advisories(product: Product, version: &str) -> Vec<&'static Advisory> {
    let Some(version) = Version::parse(version) else { return Vec::new() };
    list::ADVISORIES
        .iter()
        .filter(|note| note.product == product || product.built_on() == Some(note.product))
        .filter(|note| note.covers(&version))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(product: Product, version: &str) -> Vec<&'static str> {
        advisories(product, version).into_iter().map(|note| note.id).collect()
    }

    #[test]
    fn every_entry_can_be_compared() {
        for note in list::ADVISORIES {
            for words in note.affected.split(", ") {
                assert!(Affected::parse(words).is_some(), "{}: {words}", note.id);
            }
        }
    }

    #[test]
    fn the_backdoored_releases_and_no_neighbours() {
        let backdoored = |product, version| advisories(product, version).iter().any(|note| note.backdoor);
        assert!(backdoored(Product::Vsftpd, "2.3.4"));
        assert!(backdoored(Product::ProFtpd, "1.3.3c"));
        assert!(backdoored(Product::Qnap, "1.3.3c"));
        for (product, version) in [
            (Product::Vsftpd, "2.3.5"),
            (Product::Vsftpd, "2.3"),
            (Product::ProFtpd, "1.3.3"),
            (Product::ProFtpd, "1.3.3d"),
            (Product::PureFtpd, "2.3.4"),
        ] {
            assert!(!backdoored(product, version), "{product} {version}");
        }
    }

    #[test]
    fn proftpd_letters_decide() {
        assert!(ids(Product::ProFtpd, "1.3.5").contains(&"CVE-2015-3306"));
        assert!(!ids(Product::ProFtpd, "1.3.5a").contains(&"CVE-2015-3306"));
        assert!(ids(Product::ProFtpd, "1.3.2rc3").contains(&"CVE-2010-4221"));
        assert!(!ids(Product::ProFtpd, "1.3.2rc2").contains(&"CVE-2010-4221"));
        assert!(ids(Product::ProFtpd, "1.3.8").contains(&"CVE-2023-51713"));
        assert!(!ids(Product::ProFtpd, "1.3.8a").contains(&"CVE-2023-51713"));
    }

    #[test]
    fn the_passive_foreign_address_bug_of_proftpd() {
        let affected = |version| ids(Product::ProFtpd, version).contains(&"ProFTPD issue 2272");
        for version in ["1.3.7d", "1.3.7f", "1.3.8rc3", "1.3.8", "1.3.8d", "1.3.9c", "1.3.10rc3"] {
            assert!(affected(version), "{version}");
        }
        for version in ["1.3.7c", "1.3.8rc2", "1.3.9d", "1.3.10rc4", "1.3.10"] {
            assert!(!affected(version), "{version}");
        }
    }

    #[test]
    fn filezilla_generations_are_kept_apart() {
        assert_eq!(ids(Product::FileZillaLegacy, "0.9.60"), ["end of life"]);
        assert!(ids(Product::FileZilla, "1.7.2").contains(&"FileZilla Server 1.7.3 NEWS"));
        assert!(!ids(Product::FileZilla, "1.7.3").contains(&"FileZilla Server 1.7.3 NEWS"));
        assert_eq!(ids(Product::FileZilla, "1.9.4"), [""; 0]);
    }

    #[test]
    fn what_a_short_banner_cannot_decide_is_not_claimed() {
        assert!(ids(Product::ServU, "15.1").contains(&"CVE-2021-35211"));
        assert!(!ids(Product::ServU, "15.2").contains(&"CVE-2021-35211"));
        assert_eq!(ids(Product::Vsftpd, "3.0.5"), [""; 0]);
        assert_eq!(ids(Product::Vsftpd, "unknown"), [""; 0]);
    }
}
