//! The audit: reads configuration files, firewalls and this host, and fills facts into [`Audit`]. It judges nothing, writes
//! nothing, and contacts nobody who was not named.

pub mod case;
mod files;
mod firewalls;
mod host;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::clock::Stopwatch;
use crate::evidence::{
    Audit, ConfigFile, Configuration, Evidence, ResolutionOutcome, Resolved, Step, Target, Told,
};
use crate::net::Network;
use crate::net::public::{self, Question};
use crate::probe::Progress;
use crate::server::{Product, config};

use files::Disk;

/// How long a name may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the products' configurations usually lie.
const USUAL: [(Product, &str); 15] = [
    (Product::Vsftpd, "/etc/vsftpd.conf"),
    (Product::Vsftpd, "/etc/vsftpd/vsftpd.conf"),
    (Product::Vsftpd, "/usr/local/etc/vsftpd.conf"),
    (Product::ProFtpd, "/etc/proftpd/proftpd.conf"),
    (Product::ProFtpd, "/etc/proftpd.conf"),
    (Product::ProFtpd, "/usr/local/etc/proftpd.conf"),
    (Product::PureFtpd, "/etc/pure-ftpd/conf/"),
    (Product::PureFtpd, "/etc/pure-ftpd/pure-ftpd.conf"),
    (Product::PureFtpd, "/etc/pure-ftpd.conf"),
    (Product::PureFtpd, "/usr/local/etc/pure-ftpd.conf"),
    (Product::FileZilla, "/opt/filezilla-server/etc/settings.xml"),
    (Product::FileZilla, "C:\\ProgramData\\filezilla-server\\settings.xml"),
    (Product::FileZillaLegacy, "C:\\Program Files (x86)\\FileZilla Server\\FileZilla Server.xml"),
    (Product::FileZillaLegacy, "C:\\xampp\\FileZillaFTP\\FileZilla Server.xml"),
    (Product::Iis, "C:\\Windows\\System32\\inetsrv\\config\\applicationHost.config"),
];

/// What is to be read and asked.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// The files; none means: the usual places of this host.
    pub configs: Vec<String>,
    /// The product that the files belong to; else it is told from them.
    pub server: Option<Product>,
    /// Files with rule sets.
    pub firewalls: Vec<String>,
    /// Whether this host is asked for its state.
    pub live: bool,
    /// Whether host names in the files are looked up.
    pub resolve: bool,
    /// Whom to ask for this host's public address; `None` asks nobody.
    pub public: Option<Question>,
    /// Read files below this directory, as if it were the root.
    pub root: Option<PathBuf>,
    /// What the user told.
    pub told: Told,
}

impl Order {
    /// The files that would be read, for `--dry-run`.
    #[must_use]
    pub fn places(&self) -> Vec<String> {
        if self.configs.is_empty() {
            USUAL.iter().map(|(_, path)| (*path).to_owned()).collect()
        } else {
            self.configs.clone()
        }
    }
}

/// Reads everything. It never fails: what could not be read is part of the evidence.
pub async fn run(order: &Order, network: &dyn Network, progress: &dyn Progress) -> Evidence {
    let clock = Stopwatch::start();
    progress.at("reading configurations");
    let mut disk = Disk::new(order.root.clone());
    disk.note_times = order.live;
    let mut audit = Audit { offline: !order.live, ..Audit::default() };
    if order.configs.is_empty() {
        search(order, &mut disk, &mut audit);
    } else {
        for path in &order.configs {
            named(path, order.server, &mut disk, &mut audit);
        }
    }
    progress.at("reading firewalls");
    firewalls::from_files(&order.firewalls, &mut disk, &mut audit);
    if order.live {
        let mut state = host::state(network, &mut audit.configurations);
        if order.firewalls.is_empty() {
            firewalls::live(&mut audit.firewalls, &mut state.unasked);
        }
        audit.host = Some(state);
    }
    if order.resolve {
        progress.at("looking names up");
        look_up(&mut audit.configurations, network).await;
    }
    if let Some(question) = &order.public {
        progress.at("asking for the public address");
        audit.public = Some(public::ask(question).await);
    }
    Evidence {
        target: target(order, &audit),
        told: order.told.clone(),
        audit: Some(audit),
        steps: vec![Step {
            check: "configuration".to_owned(),
            endpoint: None,
            started_ms: 0.0,
            duration_ms: clock.elapsed_ms(),
            skipped: None,
            out_of_time: false,
        }],
        ..Evidence::default()
    }
}

/// The file, if one was named; else this host.
fn target(order: &Order, audit: &Audit) -> Target {
    let host = match order.configs.as_slice() {
        [one] => one.clone(),
        [first, more @ ..] => format!("{first} and {} more", more.len()),
        [] => match &order.root {
            Some(root) => root.display().to_string(),
            None => host::name().unwrap_or_else(|| "this host".to_owned()),
        },
    };
    let servers = audit.configurations.iter().flat_map(|configuration| &configuration.servers);
    let port = servers.flat_map(|server| &server.listeners).map(|listener| listener.port).next();
    Target { host, port: port.unwrap_or(21) }
}

fn search(order: &Order, disk: &mut Disk, audit: &mut Audit) {
    let wanted = |product: Product| order.server.is_none_or(|only| only == product);
    for (product, path) in USUAL.into_iter().filter(|(product, _)| wanted(*product)) {
        audit.searched.push(path.to_owned());
        // Debian's pure-ftpd.conf is read along with the directory beside it.
        let already = |configuration: &Configuration| {
            product == Product::PureFtpd && configuration.product == product.name()
        };
        if disk.exists(path) && !audit.configurations.iter().any(already) {
            audit.configurations.push(config::read(product, path, disk));
        }
    }
}

/// Reads a file that the user named. Whose it is may have to be told from it; a file that cannot be read is still one of a
/// configuration, so that a finding can say so.
fn named(path: &str, server: Option<Product>, disk: &mut Disk, audit: &mut Audit) {
    let text = config::Source::read(disk, path);
    let product = server.or_else(|| config::guess(path, text.as_deref().unwrap_or_default()));
    match (product, text) {
        (Some(product), _) => {
            let path = if disk.is_folder(path) {
                format!("{}/", path.trim_end_matches('/'))
            } else {
                path.to_owned()
            };
            audit.configurations.push(config::read(product, &path, disk));
        }
        (None, text) => {
            let fault = match text {
                Err(fault) => fault,
                Ok(_) => {
                    "it cannot be told which server it belongs to; --server PRODUCT would say".to_owned()
                }
            };
            let file =
                ConfigFile { path: path.to_owned(), fault: Some(fault), asked_by: None, modified: None };
            audit.configurations.push(Configuration { files: vec![file], ..Configuration::default() });
        }
    }
}

/// Looks up the host names in the configurations.
async fn look_up(configurations: &mut [Configuration], network: &dyn Network) {
    let settings = configurations
        .iter_mut()
        .flat_map(|one| &mut one.servers)
        .filter_map(|server| server.address.as_mut());
    for setting in settings.filter(|setting| setting.address.is_none() && setting.takes_names) {
        let resolution = network.resolve(&setting.text, PATIENCE).await;
        setting.resolved = Some(match resolution.outcome {
            ResolutionOutcome::Addresses { addresses } => {
                Resolved { addresses: distinct(addresses), error: None }
            }
            ResolutionOutcome::NoAddress => failed("the name has no address"),
            ResolutionOutcome::NoSuchName => failed("the name does not exist"),
            ResolutionOutcome::ServerFailure { code } => failed(&format!("the DNS server answers {code}")),
            ResolutionOutcome::ResolverSilent { error } => failed(&format!("no DNS server answers: {error}")),
        });
    }
}

fn distinct(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    addresses.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

fn failed(error: &str) -> Resolved {
    Resolved { addresses: Vec::new(), error: Some(error.to_owned()) }
}
