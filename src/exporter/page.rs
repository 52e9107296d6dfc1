//! The page at `/`, for people who found the port.

use maud::{DOCTYPE, html};

use super::{Config, DEFAULT_MODULE};

/// What the page may do: nothing but send its form to where it came from.
pub(super) const POLICY: &str =
    "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

pub(super) fn index(config: &Config) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { "pasvcheck exporter" }
            }
            body {
                h1 { "pasvcheck exporter " (env!("CARGO_PKG_VERSION")) }
                p { "Checks FTP servers for Prometheus: whether passive mode works, and why not." }
                form action="/probe" {
                    label { "Target " input name="target" placeholder="ftp.example.com" required; }
                    " "
                    label {
                        "Module "
                        select name="module" {
                            @for name in config.modules.keys() {
                                option selected[name == DEFAULT_MODULE] { (name) }
                            }
                        }
                    }
                    " "
                    button { "Probe" }
                }
                p { "Targets have to be on the allow-list of the configuration." }
                ul {
                    li { a href="/metrics" { "/metrics" } ", the exporter's own samples" }
                    li { a href="/healthz" { "/healthz" } }
                }
            }
        }
    }
    .into_string()
}
