//! The stand-in: the binary itself, in place of a server.

use super::Config;

pub(super) fn prepare(config: &Config) -> Vec<String> {
    let (low, high) = config.range.unwrap_or((50000, 50009));
    let mut words = vec![
        env!("CARGO_BIN_EXE_pasvcheck").to_owned(),
        "serve".to_owned(),
        "--for".to_owned(),
        "10m".to_owned(),
    ];
    words.extend(["--range".to_owned(), format!("{low}-{high}")]);
    if let Some(address) = config.announce {
        words.extend(["--public-address".to_owned(), address.to_owned()]);
    }
    words
}
