//! The case for each product: what was found for it, place by place, and how
//! much that is worth.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::super::product::Product;
use super::Certainty;
use super::wording::{GREETING, Hit, Weight};

/// How many lines for, and how many against, a [`Recognised`](crate::server::Recognised) quotes.
const QUOTED_FOR: usize = 5;
const QUOTED_AGAINST: usize = 2;

/// All that speaks for one product: the heaviest hit of each place.
pub(super) struct Case<'h, 'a> {
    pub(super) product: Product,
    by_place: BTreeMap<&'a str, &'h Hit<'a>>,
}

/// Gathers the hits into one case per product.
pub(super) fn cases<'h, 'a>(hits: &'h [Hit<'a>]) -> Vec<Case<'h, 'a>> {
    let gather = |product: Product, also: Option<Product>| {
        let mut by_place: BTreeMap<&'a str, &'h Hit<'a>> = BTreeMap::new();
        for hit in hits.iter().filter(|hit| hit.product == product || also == Some(hit.product)) {
            let kept = by_place.entry(hit.place).or_insert(hit);
            if (hit.weight, hit.version.is_some()) > (kept.weight, kept.version.is_some()) {
                *kept = hit;
            }
        }
        Case { product, by_place }
    };
    Product::ALL
        .into_iter()
        .filter(|product| hits.iter().any(|hit| hit.product == *product))
        // A product speaks with the replies of the one it is built on as well as its own.
        .map(|product| gather(product, product.built_on()))
        .collect()
}

/// The case with the most points, those of sentences that prove something counting first;
/// `None` on a tie between strangers.
pub(super) fn winner<'c, 'h, 'a>(cases: &'c [Case<'h, 'a>]) -> Option<&'c Case<'h, 'a>> {
    let top = cases.iter().map(Case::points).max()?;
    let mut tied = cases.iter().filter(|case| case.points() == top);
    let first = tied.next()?;
    tied.try_fold(first, |best, next| {
        if next.product.built_on() == Some(best.product) {
            Some(next)
        } else {
            // Of the two FileZillas the unspecific one comes first in the enum.
            related(best.product, next.product).then_some(best)
        }
    })
}

/// Whether two products do not contradict each other.
pub(super) fn related(left: Product, right: Product) -> bool {
    let family = |product: Product| match product.built_on() {
        Some(base) => base,
        None if product == Product::FileZillaLegacy => Product::FileZilla,
        None => product,
    };
    family(left) == family(right)
}

impl<'h, 'a> Case<'h, 'a> {
    fn points(&self) -> (u32, u32) {
        let strong = self.strong().map(|hit| hit.weight.points()).sum();
        (strong, self.by_place.values().map(|hit| hit.weight.points()).sum())
    }

    /// The hits that tell against any other product: none, if they would not name this one.
    pub(super) fn telling(&self) -> impl Iterator<Item = &'h Hit<'a>> {
        let tells = self.certainty().is_some();
        self.by_place.values().copied().filter(move |hit| tells && hit.weight >= Weight::Hint)
    }

    /// The hits that would name the product on their own.
    fn strong(&self) -> impl Iterator<Item = &'h Hit<'a>> {
        self.by_place.values().copied().filter(|hit| hit.weight.is_strong())
    }

    pub(super) fn certainty(&self) -> Option<Certainty> {
        let strong = self.strong().count();
        let beyond_greeting = self.strong().filter(|hit| hit.place != GREETING).count();
        let named = self.strong().any(|hit| matches!(hit.weight, Weight::Names | Weight::Fixed));
        let soft = || self.by_place.values().filter(|hit| !hit.weight.is_strong());
        let soft_points: u32 = soft().map(|hit| hit.weight.points()).sum();
        let hints = soft().filter(|hit| hit.weight == Weight::Hint).count();

        let confirmed = strong >= 2 && beyond_greeting >= 1;
        // A hint and a fitting sentence, or three of these, each from another place.
        let borne_out = soft_points > Weight::Hint.points();
        // Sentences get copied by smaller servers, so without a name nothing is certain.
        if named && (confirmed || borne_out) {
            Some(Certainty::Certain)
        } else if strong >= 1 {
            Some(Certainty::Likely)
        } else if hints >= 2 {
            Some(Certainty::Possible)
        } else {
            None
        }
    }

    /// The version from the place that is hardest to edit.
    pub(super) fn version(&self) -> Option<&'a str> {
        let versions = self.by_place.values().filter(|hit| hit.version.is_some());
        versions.max_by_key(|hit| hit.weight)?.version
    }

    pub(super) fn reasons(&self, against: &[&Hit<'_>]) -> Vec<String> {
        let mut hits: Vec<_> = self.by_place.values().copied().collect();
        hits.sort_by_key(|hit| Reverse(hit.weight));
        let reasons = hits.into_iter().take(QUOTED_FOR).map(Hit::quoted);
        let objections = against
            .iter()
            .take(QUOTED_AGAINST)
            .map(|hit| format!("but, as from {}, {}", hit.product, hit.quoted()));
        reasons.chain(objections).collect()
    }
}
