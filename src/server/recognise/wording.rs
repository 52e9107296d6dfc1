//! The form of the wording tables, and looking lines up in them.

use super::super::product::Product;
use super::pattern::{self, Fit};
use super::{Clues, others, unix, windows};
use Weight::{Fits, Fixed, Hint, Names, Own};

/// The place of the lines sent on connecting; every other place is a command's verb.
pub(super) const GREETING: &str = "greeting";

/// Where in a dialogue a wording is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// On connecting.
    Greeting,
    /// In the answer to this verb.
    To(&'static str),
    /// In the answer to any command.
    Anywhere,
}

/// What a wording proves, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// Several products say it: bears out one that is named otherwise, names none.
    Fits,
    /// Known from this product alone, but plain enough for another to say as well.
    Hint,
    /// Distinctive, and compiled in.
    Own,
    /// The product's own name, where a setting can put any text.
    Names,
    /// The product's own name, out of reach of its settings.
    Fixed,
}

impl Weight {
    /// One copied sentence must not outweigh a name, two of them may.
    pub(super) fn points(self) -> u32 {
        match self {
            Fits => 1,
            Hint => 2,
            Own => 4,
            Names => 5,
            Fixed => 8,
        }
    }

    /// Whether it would name the product on its own.
    pub(super) fn is_strong(self) -> bool {
        self >= Own
    }
}

/// A wording: all its patterns must be found at the place.
///
/// Patterns are written as sent, code included; only those for [`FEAT`] go
/// without the code and indentation, which servers set in three ways.
pub(super) type Wording = (Place, Weight, &'static [&'static str]);

/// The place of feature lists.
pub(super) const FEAT: Place = Place::To("FEAT");
/// The place of the system's name.
pub(super) const SYST: Place = Place::To("SYST");

/// One line that the server has sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// [`GREETING`], or the verb that it answers.
    pub(super) place: &'a str,
    /// The line without its end.
    pub(super) text: &'a str,
}

/// A wording that was found.
#[derive(Clone, Debug)]
pub(super) struct Hit<'a> {
    pub(super) product: Product,
    pub(super) place: &'a str,
    pub(super) weight: Weight,
    pub(super) version: Option<&'a str>,
    pub(super) lines: Vec<&'a str>,
}

impl Hit<'_> {
    /// The lines and where they came from, for the reader of a report. Control characters
    /// are left in: whoever prints it escapes them, as with every quoted line.
    pub(super) fn quoted(&self) -> String {
        const LONGEST_QUOTE: usize = 100;
        let whole = self.lines.join(" … ");
        let mut text: String = whole.chars().take(LONGEST_QUOTE).collect();
        if text.len() < whole.len() {
            text.push('…');
        }
        if self.place == GREETING {
            format!("the greeting says \"{text}\"")
        } else {
            format!("{} is answered \"{text}\"", self.place)
        }
    }
}

/// Every line of the clues with its place.
pub(super) fn lines<'a>(clues: &Clues<'a>) -> Vec<Line<'a>> {
    let greeting = clues.greeting.iter().map(|text| (GREETING, text.as_str()));
    let syst = clues.syst.into_iter().map(|text| ("SYST", text));
    let feat = clues.feat.iter().map(|text| ("FEAT", text.as_str()));
    let replies = clues
        .replies
        .iter()
        .flat_map(|(verb, lines)| lines.iter().map(move |text| (verb.as_str(), text.as_str())));
    let lines = greeting.chain(syst).chain(feat).chain(replies);
    lines.map(|(place, text)| Line { place, text: text.trim_end() }).collect()
}

/// Every wording that these lines contain.
pub(super) fn hits<'a>(lines: &[Line<'a>]) -> Vec<Hit<'a>> {
    let mut hits: Vec<Hit<'a>> = [unix::WORDINGS, windows::WORDINGS, others::WORDINGS]
        .into_iter()
        .flatten()
        .flat_map(|(product, wordings)| wordings.iter().map(|wording| (*product, wording)))
        .filter_map(|(product, wording)| find(product, wording, lines))
        .filter(|hit| windows::generation_agrees(hit.product, hit.version))
        .collect();
    hits.extend(others::aws_ports(lines));
    hits
}

/// Looks for a wording; at its first place only, for a sentence repeated is still one clue.
fn find<'a>(product: Product, wording: &Wording, lines: &[Line<'a>]) -> Option<Hit<'a>> {
    let (place, weight, patterns) = *wording;
    let searched = || lines.iter().filter(|line| place.includes(line.place));
    let mut hit = Hit { product, place: "", weight, version: None, lines: Vec::new() };
    for pattern in patterns {
        let (line, Fit { version }) =
            searched().find_map(|line| Some((line, pattern::fit(pattern, line.body())?)))?;
        hit.place = line.place;
        hit.version = hit.version.or(version);
        hit.lines.push(line.body());
    }
    Some(hit)
}

impl Place {
    fn includes(self, place: &str) -> bool {
        match self {
            Self::Greeting => place == GREETING,
            Self::To(verb) => place == verb,
            Self::Anywhere => place != GREETING,
        }
    }
}

impl<'a> Line<'a> {
    /// The line as patterns describe it: a feature without code and indentation, because
    /// servers send ` MDTM`, `211-MDTM` (RFC 2228) and `211- MDTM` alike.
    fn body(&self) -> &'a str {
        if self.place != "FEAT" {
            return self.text;
        }
        let text = self.text;
        text.strip_prefix("211").map_or(text, |rest| rest.trim_start_matches('-')).trim_start()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = (Product, &'static Wording)> {
        [unix::WORDINGS, windows::WORDINGS, others::WORDINGS]
            .into_iter()
            .flatten()
            .flat_map(|(product, wordings)| wordings.iter().map(|wording| (*product, wording)))
    }

    #[test]
    fn every_product_that_speaks_on_the_wire_has_a_wording() {
        for product in Product::ALL {
            // App Service is told by its host name alone.
            let expected = product != Product::AzureAppService;
            assert_eq!(all().any(|(of, _)| of == product), expected, "{product}");
        }
    }

    #[test]
    fn a_wording_that_names_a_product_belongs_to_one_family() {
        for (product, (place, weight, patterns)) in all().filter(|(_, w)| w.1 > Fits) {
            for (other, _) in all().filter(|(_, w)| w.0 == *place && w.2 == *patterns) {
                assert!(super::super::case::related(product, other), "{weight:?} {patterns:?}");
            }
        }
    }

    #[test]
    fn lists_are_looked_for_at_one_place() {
        for (product, (place, _, patterns)) in all() {
            assert!(!patterns.is_empty(), "{product}");
            assert!(patterns.len() == 1 || matches!(place, Place::To(_)), "{patterns:?}");
        }
    }

    #[test]
    fn features_are_read_in_all_three_forms() {
        for text in [" MDTM", "211-MDTM", "211- MDTM"] {
            assert_eq!(Line { place: "FEAT", text }.body(), "MDTM");
        }
        let text = "530 Access denied.";
        assert_eq!(Line { place: "FEAT", text }.body(), text);
    }
}
