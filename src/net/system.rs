//! The real network.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use futures_util::future::BoxFuture;
use ipnet::IpNet;

use super::{Connected, Network, connect, interfaces, resolve};
use crate::evidence::{Connect, Outcome, Resolution, ResolutionOutcome, ResolutionSource};

/// The real network, with the user's wishes.
#[derive(Clone, Debug, Default)]
pub struct System {
    /// Address that connections come from (`--bind`).
    pub bind: Option<IpAddr>,
    /// The one DNS server to ask (`--dns`).
    pub dns: Option<SocketAddr>,
    /// Names whose addresses are given (`--resolve HOST:ADDR`).
    pub given: Vec<(String, IpAddr)>,
}

impl Network for System {
    fn connect(&self, to: SocketAddr, patience: Duration) -> BoxFuture<'_, Connected> {
        Box::pin(connect::tcp(to, self.bind, patience))
    }

    fn connect_small(&self, to: SocketAddr, segment: u16, patience: Duration) -> BoxFuture<'_, Connected> {
        Box::pin(connect::tcp_small(to, self.bind, segment, patience))
    }

    fn syn(&self, to: SocketAddr, hops: u8, patience: Duration) -> BoxFuture<'_, Connect> {
        Box::pin(connect::syn(to, self.bind, hops, patience))
    }

    fn probe(&self, to: SocketAddr, patience: Duration) -> BoxFuture<'_, Outcome> {
        Box::pin(connect::probe(to, self.bind, patience))
    }

    fn resolve(&self, host: &str, patience: Duration) -> BoxFuture<'_, Resolution> {
        let host = host.to_owned();
        let given: Vec<IpAddr> = self
            .given
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(&host))
            .map(|(_, address)| *address)
            .collect();
        Box::pin(async move {
            if given.is_empty() {
                return resolve::resolve(&host, self.dns, patience).await;
            }
            Resolution {
                source: ResolutionSource::Given,
                outcome: ResolutionOutcome::Addresses { addresses: given },
                fallback_because: None,
                elapsed_ms: 0.0,
            }
        })
    }

    fn own_networks(&self) -> Vec<IpNet> {
        interfaces::own_networks()
    }

    /// Connecting a UDP socket sends nothing: it only asks the kernel for a route and a source address.
    fn routable(&self, to: IpAddr) -> bool {
        let any: IpAddr = if to.is_ipv4() { [0, 0, 0, 0].into() } else { [0u16; 8].into() };
        let from = self.bind.filter(|bind| bind.is_ipv4() == to.is_ipv4()).unwrap_or(any);
        UdpSocket::bind((from, 0)).is_ok_and(|socket| socket.connect((to, 9)).is_ok())
    }
}
