//! The findings' documents: cut into sections, filled with values, and chosen by server product.
//!
//! Each document lies beside the code of its check and has fixed headings, so that a report can show only the section of
//! the product that was recognised, and `pasvcheck explain NAME` the whole.

pub mod document;
pub mod values;

use crate::checks::Rule;
use crate::checks::support::product_at;
use crate::evidence::Evidence;
use crate::finding::{Detail, Remedy};
use crate::server::{Platform, Product};
use document::Document;
use values::Values;

/// The remedies of a finding, the one for the recognised product first. Sections of other products are left out once the
/// product is known; sections about firewalls and routers follow those that the server's platform makes likely.
#[must_use]
pub fn remedies(rule: &Rule, evidence: &Evidence, detail: &Detail, values: &Values) -> Vec<Remedy> {
    let product = product_of(evidence, detail);
    let document = Document::parse(rule.document);
    let mut sections: Vec<_> =
        document.fixes().into_iter().filter(|(heading, _)| wanted(heading, product)).collect();
    sections.sort_by_key(|(heading, _)| rank(heading, product));
    sections
        .into_iter()
        .map(|(heading, text)| {
            let text = values.fill(text);
            let commands = document::fences(&text).map(str::to_owned).collect();
            Remedy { product: heading.to_owned(), text, commands }
        })
        .collect()
}

/// The product of the finding's configuration or endpoint, or at any endpoint if it concerns the whole target.
fn product_of(evidence: &Evidence, detail: &Detail) -> Option<Product> {
    if let (Some(audit), Some(number)) = (&evidence.audit, detail.subject) {
        return audit
            .configurations
            .get(number)
            .and_then(|configuration| Product::from_name(&configuration.product));
    }
    let endpoint = detail.scope.endpoint;
    evidence
        .checked()
        .filter(|candidate| endpoint.is_none_or(|wanted| candidate.address == wanted))
        .find_map(product_at)
        .map(|known| known.product)
}

fn wanted(heading: &str, product: Option<Product>) -> bool {
    let Some(product) = product else { return true };
    let Some(own) = product.section() else { return true };
    heading == own || !document::PRODUCTS.contains(&heading)
}

/// The order of sections: the product, the firewall of its platform, then as in the document.
fn rank(heading: &str, product: Option<Product>) -> usize {
    let platform = product.map(Product::platform);
    match (heading, platform) {
        ("Any server", _) => 0,
        (heading, _) if document::PRODUCTS.contains(&heading) => 1,
        ("Linux firewall", Some(Platform::Unix)) | ("Windows firewall", Some(Platform::Windows)) => 2,
        ("Linux firewall", Some(Platform::Windows)) | ("Windows firewall", Some(Platform::Unix)) => 4,
        _ => 3,
    }
}
