//! A scenario's world: its servers running on loopback, and the scripted network in front of them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::scenario::{Dns, Scenario, ScenarioError, Server};
use crate::evidence::{Resolution, ResolutionOutcome, ResolutionSource};
use crate::net::{Lookup, Network, PortRule, Readable, Scripted};
use crate::responder::script::Family;
use crate::responder::{Journal, PortMap, Responder};

/// Servers and network.
#[derive(Debug)]
pub(super) struct World {
    network: Scripted,
    responders: Vec<Responder>,
}

impl World {
    /// Starts the servers and lays out the network.
    pub(super) fn build(scenario: &Scenario) -> Result<Self, ScenarioError> {
        let mut responders = Vec::new();
        let mut standing: Vec<(Vec<IpAddr>, SocketAddr, PortMap)> = Vec::new();
        for server in &scenario.servers {
            let responder = Responder::start(script(server))?;
            let addresses = [vec![server.address], server.also_at.clone()].concat();
            standing.push((addresses, responder.address(), responder.ports()));
            responders.push(responder);
        }
        let rules = scenario.paths.iter().map(|path| {
            Ok(PortRule {
                to: path.network()?,
                ports: path.ports()?,
                times: path.times,
                at: path.at,
                treatment: path.treatment(),
            })
        });
        let network = Scripted {
            rules: rules.collect::<Result<_, ScenarioError>>()?,
            names: names(scenario),
            networks: scenario.client.networks.clone(),
            unroutable: scenario.client.unroutable.clone(),
            routers: scenario.routers()?,
            delay: Duration::from_millis(scenario.check.delay_ms),
            hosts: standing.iter().flat_map(|(addresses, ..)| addresses.clone()).collect(),
            readable: readable(standing.clone()),
            listeners: listeners(standing, scenario.target.port),
            used: Mutex::default(),
        };
        Ok(Self { network, responders })
    }

    pub(super) fn network(&self) -> &dyn Network {
        &self.network
    }

    /// Stops the servers and hands out what they saw.
    pub(super) async fn stop(self) -> Vec<Journal> {
        let mut journals = Vec::new();
        for responder in self.responders {
            journals.push(responder.stop().await);
        }
        journals
    }
}

/// The server's script with its own address filled in: on loopback it would announce 127.0.0.1.
fn script(server: &Server) -> crate::responder::Script {
    let mut script = server.script.clone();
    if server.address.is_ipv6() {
        script.family = Family::Ipv6;
    } else if script.passive.advertise.is_empty() {
        script.passive.advertise = vec![server.address.to_string()];
    }
    script
}

/// The control port leads to the server, the announced ports to the listeners behind them.
fn listeners(standing: Vec<(Vec<IpAddr>, SocketAddr, PortMap)>, control: u16) -> Lookup {
    Arc::new(move |to: SocketAddr| {
        let (_, server, ports) = standing.iter().find(|(addresses, ..)| addresses.contains(&to.ip()))?;
        if to.port() == control { Some(*server) } else { ports.lookup(to.port()) }
    })
}

/// Ports that were announced in clear.
fn readable(standing: Vec<(Vec<IpAddr>, SocketAddr, PortMap)>) -> Readable {
    Arc::new(move |to: SocketAddr| {
        let server = standing.iter().find(|(addresses, ..)| addresses.contains(&to.ip()));
        server.is_some_and(|(_, _, ports)| ports.readable(to.port()))
    })
}

fn names(scenario: &Scenario) -> BTreeMap<String, Resolution> {
    let outcome = |addresses: Vec<IpAddr>| match scenario.dns {
        Dns::Servers => ResolutionOutcome::Addresses { addresses },
        Dns::NoAddress => ResolutionOutcome::NoAddress,
        Dns::NoSuchName => ResolutionOutcome::NoSuchName,
        Dns::Servfail => ResolutionOutcome::ServerFailure { code: "SERVFAIL".to_owned() },
        Dns::Silent => ResolutionOutcome::ResolverSilent { error: "timed out".to_owned() },
    };
    let resolution = |addresses| Resolution {
        source: ResolutionSource::Dns,
        outcome: outcome(addresses),
        fallback_because: None,
        elapsed_ms: 0.1,
    };
    scenario.names().into_iter().map(|(name, addresses)| (name, resolution(addresses))).collect()
}
