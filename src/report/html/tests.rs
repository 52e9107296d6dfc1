use super::*;
use crate::report::tests::{hostile, saved};

/// The hash of a content security policy (W3C CSP 3 §2.3.1), by the hash function that rustls has.
fn hash(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256 as SUITE;
    let digest = SUITE.tls13().unwrap().common.hash_provider.hash(text.as_bytes());
    let mut out = String::from("sha256-");
    for chunk in digest.as_ref().chunks(3) {
        let bits =
            chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * place)) as usize & 63] as char;
            out.push(if place <= chunk.len() { letter } else { '=' });
        }
    }
    out
}

fn page(report: &Report) -> String {
    let mut html = Html::new(false);
    html.add(report) + &html.finish()
}

#[test]
fn the_policy_allows_this_style_and_this_script() {
    assert_eq!(STYLE_HASH, hash(STYLE), "style.css has changed");
    assert_eq!(SCRIPT_HASH, hash(SCRIPT), "script.js has changed");
}

#[test]
fn nothing_is_fetched_from_anywhere() {
    for report in [saved("broken"), saved("surveyed"), saved("two-endpoints"), hostile()] {
        let page = page(&report);
        for word in
            ["<link", "<iframe", "@import", "url(", "<img", "<object", "<script ", "style=\"", "href=\"http"]
        {
            assert!(!page.contains(word), "{word}");
        }
        assert_eq!(page.matches("<script").count(), 1);
    }
}

#[test]
fn nothing_that_a_server_says_is_markup() {
    let page = page(&hostile());
    let shown = "&lt;/svg&gt;&lt;/style&gt;&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;";
    assert!(page.matches(shown).count() > 8, "{}", page.matches(shown).count());
    assert!(!page.contains(['\u{202e}', '\u{1b}']) && page.contains("\\u{202e}txt.exe"));
    assert_eq!(page.matches("</script>").count(), 1);
    assert_eq!(page.matches("</style>").count(), 1);
    // Every quote inside an attribute is escaped: no attribute begins that we did not write.
    assert!(!page.contains("\" onerror") && !page.contains("' onerror"));
}

#[test]
fn the_page_tells_verdict_cause_fix_dialogue_and_evidence_in_this_order() {
    let page = page(&saved("broken"));
    let order = [
        "<h1>ftp.example.com</h1>",
        "Passive mode is broken",
        "passive-address-private",
        "Fix: ProFTPD",
        "MasqueradeAddress",
        ">Checks<",
        ">The dialogue<",
        ">The passive ports<",
        "as JSON",
    ];
    let places: Vec<Option<usize>> = order.iter().map(|part| page.find(part)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
}

#[test]
fn several_reports_make_one_page_with_an_overview() {
    let mut html = Html::new(true);
    let parts = [html.add(&saved("broken")), html.add(&saved("healthy")), html.finish()];
    let page = parts.concat();
    assert_eq!(page.matches("<html").count(), 1);
    assert_eq!(page.matches("</html>").count(), 1);
    assert!(
        page.contains("2 targets") && page.contains("href=\"#target-2\"") && page.contains("id=\"target-2\"")
    );
    assert!(Html::new(true).finish().contains("0 targets"));
}
