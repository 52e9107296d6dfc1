//! The scenario files.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use serde::Deserialize;

use super::expect::Expect;
use crate::evidence::{IcmpError, PolicyFacts, PortRange, Target};
use crate::ftp::{Argument, Secret};
use crate::net::Treatment;
use crate::net::tls::TlsOptions;
use crate::plan::{Credentials, Limits, Plan, TlsUse};
use crate::responder::Script;

/// Why a scenario cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file is no scenario.
    #[error("the scenario cannot be read: {0}")]
    Syntax(#[from] Box<toml::de::Error>),
    /// A value does not fit.
    #[error("the scenario's {0} is no {1}")]
    Value(&'static str, &'static str),
    /// The embedded server does not start.
    #[error("the embedded server does not start: {0}")]
    Server(#[from] std::io::Error),
}

/// A scenario. Unknown keys are refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it shows, in a sentence.
    pub title: String,
    /// Whom the check is asked about.
    #[serde(default)]
    pub target: NamedTarget,
    /// The host that the check runs on.
    #[serde(default)]
    pub client: ClientHost,
    /// What DNS says; by default the addresses of the servers.
    #[serde(default)]
    pub dns: Dns,
    /// The servers; none for scenarios that end before.
    #[serde(default, rename = "server")]
    pub servers: Vec<Server>,
    /// What happens to SYNs on the way; the first that fits counts.
    #[serde(default, rename = "path")]
    pub paths: Vec<Path>,
    /// Options of the check.
    #[serde(default)]
    pub check: Options,
    /// What must come out.
    pub expect: Expect,
}

/// The target as typed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NamedTarget {
    /// Host name or address.
    pub host: String,
    /// Control port.
    pub port: u16,
}

impl Default for NamedTarget {
    fn default() -> Self {
        Self { host: "ftp.example.com".to_owned(), port: 21 }
    }
}

/// The host that the check runs on.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClientHost {
    /// Its interface networks.
    pub networks: Vec<IpNet>,
    /// Where it has no route to.
    pub unroutable: Vec<IpNet>,
    /// The routers between it and the server, in order; "silent" for one that sends no ICMP errors.
    pub routers: Vec<String>,
}

impl Default for ClientHost {
    fn default() -> Self {
        let parse = |text: &str| text.parse().ok();
        let networks =
            ["127.0.0.1/8", "198.51.100.7/24", "2001:db8:1::7/64"].into_iter().filter_map(parse).collect();
        Self { networks, unroutable: Vec::new(), routers: Vec::new() }
    }
}

/// What DNS says of the name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dns {
    /// The addresses of the servers, in order.
    #[default]
    Servers,
    /// The name exists without an address.
    NoAddress,
    /// NXDOMAIN.
    NoSuchName,
    /// SERVFAIL.
    Servfail,
    /// Nothing.
    Silent,
}

/// A server on an address.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Its address, as the client knows it.
    #[serde(default = "usual_address")]
    pub address: IpAddr,
    /// Another address at which the same server takes data connections (and control connections, if asked).
    #[serde(default)]
    pub also_at: Vec<IpAddr>,
    /// Whether nobody is expected to reach it.
    #[serde(default)]
    pub unreachable: bool,
    /// What it does.
    #[serde(default)]
    pub script: Script,
}

fn usual_address() -> IpAddr {
    IpAddr::from([203, 0, 113, 10])
}

/// What happens to SYNs to some address and ports.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Path {
    /// Address or network.
    pub to: String,
    /// Ports; all without it.
    #[serde(default)]
    pub ports: Option<String>,
    /// How often; always without it.
    #[serde(default)]
    pub times: Option<u32>,
    /// The hop that does it, 1 being the first router; the server's host without it.
    #[serde(default)]
    pub at: Option<u8>,
    /// What happens.
    pub then: Then,
}

/// What happens to a SYN.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Then {
    /// An ICMP error.
    Icmp {
        /// ICMP type.
        kind: u8,
        /// ICMP code.
        code: u8,
        /// Who sends it.
        from: Option<IpAddr>,
    },
    /// The connection opens, and segments above this size are lost on the way back.
    LosesLarge(u16),
    /// The connection opens, and segments above this size are lost on the way there.
    LosesLargeSent(u16),
    /// It arrives.
    Pass,
    /// A reset.
    Reset,
    /// Nothing.
    Silent,
    /// It arrives if the port is announced at that moment.
    WhileAnnounced,
}

impl Path {
    /// The network that it is about.
    pub(super) fn network(&self) -> Result<IpNet, ScenarioError> {
        let single = || self.to.parse::<IpAddr>().map(IpNet::from);
        self.to
            .parse()
            .or_else(|_| single())
            .map_err(|_| ScenarioError::Value("path.to", "address or network"))
    }

    /// The ports that it is about.
    pub(super) fn ports(&self) -> Result<PortRange, ScenarioError> {
        match &self.ports {
            None => Ok(PortRange { min: 0, max: u16::MAX }),
            Some(text) => text.parse().map_err(|_| ScenarioError::Value("path.ports", "port range")),
        }
    }

    /// What happens, in the network's terms.
    pub(super) fn treatment(&self) -> Treatment {
        match self.then {
            Then::Icmp { kind, code, from } => Treatment::Icmp(IcmpError { kind, code, sender: from }),
            Then::LosesLarge(limit) => Treatment::LosesLarge(limit),
            Then::LosesLargeSent(limit) => Treatment::LosesLargeSent(limit),
            Then::Pass => Treatment::Pass,
            Then::Reset => Treatment::Reset,
            Then::Silent => Treatment::Silent,
            Then::WhileAnnounced => Treatment::WhileAnnounced,
        }
    }
}

/// Options of the check, as on the command line.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "flags, each on its own, as on the command line")]
pub struct Options {
    /// `--range`.
    pub range: Option<String>,
    /// `--scan`.
    pub scan: bool,
    /// `--user`.
    pub user: Option<String>,
    /// The password that goes with it.
    pub password: String,
    /// `--tls`.
    pub tls: TlsUse,
    /// `--insecure`.
    pub insecure: bool,
    /// `--compare-cleartext`.
    pub compare_cleartext: bool,
    /// Whether this host trusts the authority that signs the servers' certificates.
    pub trusts_servers: bool,
    /// `--download`.
    pub download: Option<String>,
    /// `--upload`, in bytes.
    pub upload: Option<u64>,
    /// `--idle`, in milliseconds.
    pub idle_ms: Option<u64>,
    /// `--follow-private`.
    pub follow_private: bool,
    /// Whether the target alone is contacted, as the exporter does.
    pub own_addresses_only: bool,
    /// `--public-address`.
    pub public_address: Option<IpAddr>,
    /// The product that a policy requires.
    pub product: Option<String>,
    /// `--skip`.
    pub skip: Vec<String>,
    /// `--deadline`, in milliseconds.
    pub deadline_ms: Option<u64>,
    /// Milliseconds that every answer of the network takes.
    pub delay_ms: u64,
    /// How much of the usual patience is needed, since nothing is far away: 1.0 for all of it.
    pub pace: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            range: None,
            scan: false,
            user: None,
            password: String::new(),
            tls: TlsUse::Auto,
            insecure: false,
            compare_cleartext: false,
            trusts_servers: true,
            download: None,
            upload: None,
            idle_ms: None,
            follow_private: false,
            own_addresses_only: false,
            public_address: None,
            product: None,
            skip: Vec::new(),
            deadline_ms: None,
            delay_ms: 0,
            pace: 0.15,
        }
    }
}

impl Scenario {
    /// Reads a scenario file.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        toml::from_str(text).map_err(|error| ScenarioError::Syntax(Box::new(error)))
    }

    /// The plan of the check.
    pub(super) fn plan(&self) -> Result<Plan, ScenarioError> {
        let options = &self.check;
        let mut plan = Plan::new(Target { host: self.target.host.clone(), port: self.target.port });
        plan.limits = Limits::default().scaled(options.pace, Duration::from_millis(60));
        if let Some(ms) = options.deadline_ms {
            plan.limits.run = Duration::from_millis(ms);
        }
        if let Some(range) = &options.range {
            plan.range = Some(range.parse().map_err(|_| ScenarioError::Value("check.range", "port range"))?);
        }
        plan.scan = options.scan;
        plan.upload = options.upload;
        plan.idle = options.idle_ms.map(Duration::from_millis);
        if let Some(user) = &options.user {
            let user =
                Argument::new(user.as_str()).map_err(|_| ScenarioError::Value("check.user", "user name"))?;
            let password = Secret::new(options.password.as_str())
                .map_err(|_| ScenarioError::Value("check.password", "password"))?;
            plan.login = Credentials::Named { user, password };
        }
        if let Some(path) = &options.download {
            let path =
                Argument::new(path.as_str()).map_err(|_| ScenarioError::Value("check.download", "path"))?;
            plan.download = Some(path);
        }
        plan.tls.mode = options.tls;
        plan.tls.insecure = options.insecure;
        plan.tls.compare_cleartext = options.compare_cleartext;
        if options.trusts_servers {
            let roots = vec![crate::responder::certificate::authority()];
            plan.tls.options = Arc::new(TlsOptions { roots, identity: None });
        }
        plan.follow_private = options.follow_private;
        plan.own_addresses_only = options.own_addresses_only;
        plan.public_address = options.public_address;
        plan.policy = options.product.clone().map(|product| PolicyFacts {
            file: "policy.toml".to_owned(),
            product: Some(product),
            ..PolicyFacts::default()
        });
        plan.checks.retain(|check| !options.skip.iter().any(|skipped| skipped == check));
        Ok(plan)
    }

    /// The routers, in the network's terms.
    pub(super) fn routers(&self) -> Result<Vec<Option<IpAddr>>, ScenarioError> {
        let router = |text: &String| match text.as_str() {
            "silent" => Ok(None),
            address => address
                .parse()
                .map(Some)
                .map_err(|_| ScenarioError::Value("client.routers", "list of addresses")),
        };
        self.client.routers.iter().map(router).collect()
    }

    /// Names that DNS knows: the target's, with the addresses of its servers.
    pub(super) fn names(&self) -> BTreeMap<String, Vec<IpAddr>> {
        let addresses = self.servers.iter().map(|server| server.address).collect();
        BTreeMap::from([(self.target.host.clone(), addresses)])
    }
}
