//! `configuration`: what the server's own files say, against the firewall's rules and the host (`pasvcheck audit`).
//!
//! The facts come from [`crate::audit`]; no run over the network walks this check. Findings point at file, line and column.

mod address;
mod files;
mod firewall;
mod range;

use crate::evidence::{Audit, Configuration, Evidence, Remark, RemarkKind, ServerConfig};
use crate::finding::{Detail, Location, Scope, Severity};

use super::{Check, Reach, Rule};

/// The check.
pub const CHECK: Check = Check {
    name: "configuration",
    title: "reading configurations",
    question: "Do the server's files, the firewall's rules and this host go together?",
    needs: &[],
    reach: Reach::Host,
    // The audit has read everything before the rules are asked.
    observe: |_| Box::pin(std::future::ready(())),
    passed: |_| false,
    summarise: |evidence, _| evidence.audit.as_ref().map(summary).unwrap_or_default(),
    rules: RULES,
};

macro_rules! rule {
    ($name:literal, $severity:ident, $explained_by:expr, $recognise:expr) => {
        Rule {
            name: $name,
            severity: Severity::$severity,
            document: include_str!(concat!($name, ".md")),
            explained_by: $explained_by,
            recognise: $recognise,
        }
    };
}

const RULES: &[Rule] = &[
    rule!("config-unreadable", Unknown, &[], files::unreadable),
    rule!("config-product-mismatch", Critical, &[], files::another_product),
    rule!("config-directive-unknown", Critical, &[], files::unknown_directive),
    rule!("config-value-invalid", Critical, &[], files::bad_value),
    rule!("config-passive-disabled", Critical, &[], range::passive_disabled),
    rule!("config-listener-mismatch", Critical, &[], address::listener),
    rule!("config-address-private", Critical, &[], address::private),
    rule!("config-address-mismatch", Critical, &[], address::mismatch),
    rule!("config-address-unresolved", Critical, &[], address::unresolved),
    rule!("config-range-invalid", Critical, &[], range::invalid),
    rule!("config-range-mismatch", Critical, &["config-range-invalid"], range::mismatch),
    rule!("config-range-blocked", Critical, &[], firewall::blocked),
    rule!("config-not-effective", Critical, &[], files::not_effective),
    rule!("config-address-missing", Warning, &[], address::missing),
    rule!("config-range-missing", Warning, &[], range::missing),
    rule!("config-range-too-small", Warning, &[], range::too_small),
    rule!("config-range-overlap", Warning, &[], range::overlap),
    rule!("config-promiscuous", Warning, &[], range::promiscuous),
    rule!("config-session-reuse", Info, &[], range::session_reuse),
];

/// A server with the configuration that makes it.
struct Subject<'a> {
    audit: &'a Audit,
    number: usize,
    configuration: &'a Configuration,
    server: &'a ServerConfig,
}

impl Subject<'_> {
    /// The product with the virtual host or site.
    fn name(&self) -> String {
        match &self.server.name {
            Some(name) => format!("{} {name}", self.configuration.product),
            None => self.configuration.product.clone(),
        }
    }

    fn detail(&self, title: impl Into<String>, detail: impl Into<String>) -> Detail {
        Detail::new(Scope::default(), title, detail).location(Location::Server).subject(self.number)
    }

    /// A corrected line for a directive, in the words of the product; `None` where there is no such line.
    fn line(&self, vsftpd: &str, proftpd: &str, pureftpd: &str) -> Option<String> {
        let line = match self.configuration.product.as_str() {
            "vsftpd" => vsftpd,
            "ProFTPD" => proftpd,
            "Pure-FTPd" => pureftpd,
            _ => return None,
        };
        (!line.is_empty()).then(|| line.to_owned())
    }
}

/// Applies a rule to every server.
fn each(evidence: &Evidence, rule: impl Fn(&Subject<'_>) -> Vec<Detail>) -> Vec<Detail> {
    let Some(audit) = &evidence.audit else { return Vec::new() };
    let servers = audit.configurations.iter().enumerate().flat_map(|(number, configuration)| {
        configuration.servers.iter().map(move |server| Subject { audit, number, configuration, server })
    });
    servers.flat_map(|subject| rule(&subject)).collect()
}

/// Applies a rule to every remark of a kind, of whatever configuration.
fn remarks(evidence: &Evidence, kind: RemarkKind, rule: impl Fn(&Remark, Detail) -> Detail) -> Vec<Detail> {
    let Some(audit) = &evidence.audit else { return Vec::new() };
    let mut details = Vec::new();
    for (number, configuration) in audit.configurations.iter().enumerate() {
        for remark in configuration.remarks.iter().filter(|remark| remark.kind == kind) {
            let detail = Detail::new(Scope::default(), remark.title.clone(), remark.says.clone())
                .location(Location::Server)
                .subject(number)
                .place(Some(&remark.place), remark.corrected.as_deref());
            details.push(rule(remark, detail));
        }
    }
    details
}

/// What was read, in a line.
fn summary(audit: &Audit) -> String {
    let mut parts: Vec<String> = audit
        .configurations
        .iter()
        .filter(|configuration| !configuration.product.is_empty())
        .map(|configuration| {
            let files = configuration.files.iter().filter(|file| file.fault.is_none()).count();
            let plural = if files == 1 { "" } else { "s" };
            format!("{} ({files} file{plural})", configuration.product)
        })
        .collect();
    if parts.is_empty() {
        parts.push("no configuration".to_owned());
    }
    let mut kinds: Vec<&str> = audit.firewalls.iter().map(|firewall| firewall.kind.as_str()).collect();
    kinds.dedup();
    if kinds.is_empty() {
        parts.push("no firewall rules".to_owned());
    }
    parts.extend(kinds.into_iter().map(str::to_owned));
    if let Some(host) = &audit.host {
        parts.push("this host's state".to_owned());
        if !host.unasked.is_empty() {
            parts.push(format!("not asked: {}", host.unasked.join(", ")));
        }
    }
    format!("read {}", parts.join(", "))
}
