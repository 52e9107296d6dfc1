//! Names to addresses: DNS first (with the system's configuration and hosts file), then the system's own resolver.
//!
//! hickory tells apart what an administrator must tell apart (no such name, no address, server failure, silence). It
//! does not consult mDNS or nsswitch, so before a name is called unresolved the operating system is asked too.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::{Resolver, TokioResolver};
use tokio::time::timeout;

use crate::clock::Stopwatch;
use crate::evidence::{Resolution, ResolutionOutcome, ResolutionSource};

/// Resolves `host`. With `server`, that DNS server alone is asked: no hosts file and no other resolver.
pub async fn resolve(host: &str, server: Option<SocketAddr>, patience: Duration) -> Resolution {
    let clock = Stopwatch::start();
    let done = |source, outcome, fallback_because| Resolution {
        source,
        outcome,
        fallback_because,
        elapsed_ms: clock.elapsed_ms(),
    };
    if let Ok(address) = host.parse::<IpAddr>() {
        return done(
            ResolutionSource::Literal,
            ResolutionOutcome::Addresses { addresses: vec![address] },
            None,
        );
    }
    let dns = ask_dns(host, server, patience).await;
    if server.is_some() || matches!(dns, ResolutionOutcome::Addresses { .. }) {
        return done(ResolutionSource::Dns, dns, None);
    }
    // Hosts that only nsswitch, mDNS or a VPN's resolver knows. Half the time: DNS has had its full share.
    match ask_system(host, patience / 2).await {
        Some(addresses) => {
            let because = Some(describe(&dns));
            done(ResolutionSource::System, ResolutionOutcome::Addresses { addresses }, because)
        }
        None => done(ResolutionSource::Dns, dns, None),
    }
}

/// An unsuccessful answer in words.
#[must_use]
pub fn describe(outcome: &ResolutionOutcome) -> String {
    match outcome {
        ResolutionOutcome::Addresses { addresses } => format!("{} address(es)", addresses.len()),
        ResolutionOutcome::NoAddress => {
            "DNS knows the name and has no address for it (no A, no AAAA)".to_owned()
        }
        ResolutionOutcome::NoSuchName => "DNS says that there is no such name (NXDOMAIN)".to_owned(),
        ResolutionOutcome::ServerFailure { code } => format!("the DNS server failed to answer ({code})"),
        ResolutionOutcome::ResolverSilent { error } => format!("no DNS server answered ({error})"),
    }
}

async fn ask_dns(host: &str, server: Option<SocketAddr>, patience: Duration) -> ResolutionOutcome {
    let resolver = match resolver(server, patience) {
        Ok(resolver) => resolver,
        Err(error) => return ResolutionOutcome::ResolverSilent { error },
    };
    match timeout(patience, resolver.lookup_ip(host)).await {
        Err(_) => ResolutionOutcome::ResolverSilent { error: "timed out".to_owned() },
        Ok(Err(error)) => failure(&error),
        Ok(Ok(found)) => {
            let mut addresses: Vec<IpAddr> = Vec::new();
            for address in found.iter() {
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
            if addresses.is_empty() {
                ResolutionOutcome::NoAddress
            } else {
                ResolutionOutcome::Addresses { addresses }
            }
        }
    }
}

fn resolver(server: Option<SocketAddr>, patience: Duration) -> Result<TokioResolver, String> {
    let mut builder = match server {
        Some(server) => {
            let (mut udp, mut tcp) = (ConnectionConfig::udp(), ConnectionConfig::tcp());
            (udp.port, tcp.port) = (server.port(), server.port());
            let name_server = NameServerConfig::new(server.ip(), true, vec![udp, tcp]);
            let config = ResolverConfig::from_name_servers(vec![name_server]);
            Resolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
        None => TokioResolver::builder_tokio()
            .map_err(|error| format!("the system's DNS configuration cannot be used: {error}"))?,
    };
    let options = builder.options_mut();
    // One retry (hickory counts retries), both inside the patience.
    options.timeout = patience.mul_f64(0.45);
    options.attempts = 1;
    options.cache_size = 0;
    options.ip_strategy = hickory_resolver::config::LookupIpStrategy::Ipv4AndIpv6;
    if server.is_some() {
        options.use_hosts_file = ResolveHosts::Never;
    }
    builder.build().map_err(|error| error.to_string())
}

fn failure(error: &NetError) -> ResolutionOutcome {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
            ResponseCode::NXDomain => ResolutionOutcome::NoSuchName,
            ResponseCode::NoError => ResolutionOutcome::NoAddress,
            code => ResolutionOutcome::ServerFailure { code: code.to_string() },
        },
        NetError::Dns(DnsError::ResponseCode(code)) => {
            ResolutionOutcome::ServerFailure { code: code.to_string() }
        }
        NetError::Timeout => ResolutionOutcome::ResolverSilent { error: "timed out".to_owned() },
        other => ResolutionOutcome::ResolverSilent { error: other.to_string() },
    }
}

async fn ask_system(host: &str, patience: Duration) -> Option<Vec<IpAddr>> {
    let found = timeout(patience, tokio::net::lookup_host((host, 0))).await.ok()?.ok()?;
    let mut addresses: Vec<IpAddr> = Vec::new();
    for address in found.map(|socket| socket.ip()) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    (!addresses.is_empty()).then_some(addresses)
}
