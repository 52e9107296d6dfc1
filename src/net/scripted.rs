//! A network that answers from a map of addresses and ports: what scenarios run on.
//!
//! Connections that the map lets through go to embedded servers on loopback; all others meet the treatment that the map
//! names. No packet leaves loopback.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use ipnet::IpNet;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Connected, Network, Stream, connect};
use crate::clock::Stopwatch;
use crate::evidence::{Connect, IcmpError, Outcome, PortRange, Resolution};

/// Finds the loopback address behind a scripted address and port, if something listens there now.
pub type Lookup = Arc<dyn Fn(SocketAddr) -> Option<SocketAddr> + Send + Sync>;

/// Tells whether a scripted address and port was announced where a device on the way can read it.
pub type Readable = Arc<dyn Fn(SocketAddr) -> bool + Send + Sync>;

/// What happens to a SYN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// An ICMP error from `sender`.
    Icmp(IcmpError),
    /// It reaches the host: opens if something listens there, else meets a reset.
    Pass,
    /// Connections open, and segments above this size are lost on the way back: what the server sends never arrives.
    LosesLarge(u16),
    /// Connections open, and segments above this size are lost on the way there: what the client sends never arrives.
    LosesLargeSent(u16),
    /// A reset, whoever listens.
    Reset,
    /// No answer.
    Silent,
    /// It only gets through if the port is announced at that moment, in clear: a firewall that reads the control
    /// connection.
    WhileAnnounced,
}

/// One line of the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortRule {
    /// Where the SYN goes.
    pub to: IpNet,
    /// To which ports.
    pub ports: PortRange,
    /// How often the rule applies before it is used up; `None` for always.
    pub times: Option<u32>,
    /// The hop that does it (counted from the client, 1 being the first router); `None` for the server's own host.
    pub at: Option<u8>,
    /// What happens to it.
    pub treatment: Treatment,
}

/// The map, the names and the interfaces of a made-up world.
pub struct Scripted {
    /// First match wins; without a match the SYN passes if a server of the scenario is there, and is lost otherwise.
    pub rules: Vec<PortRule>,
    /// What resolving a name leads to.
    pub names: BTreeMap<String, Resolution>,
    /// The client's own interface networks.
    pub networks: Vec<IpNet>,
    /// Address families or networks that this host has no route to.
    pub unroutable: Vec<IpNet>,
    /// The routers between client and server; `None` for one that sends no ICMP errors.
    pub routers: Vec<Option<IpAddr>>,
    /// Delay of every answer.
    pub delay: Duration,
    /// The servers' listeners.
    pub listeners: Lookup,
    /// Which of them were announced in clear.
    pub readable: Readable,
    /// Addresses at which a host of the scenario stands.
    pub hosts: Vec<IpAddr>,
    /// How often each rule was used.
    pub used: std::sync::Mutex<Vec<u32>>,
}

impl std::fmt::Debug for Scripted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scripted")
            .field("rules", &self.rules)
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

impl Scripted {
    /// What the SYN meets, and at which hop.
    fn treatment(&self, to: SocketAddr) -> (Treatment, u8) {
        let server = u8::try_from(self.routers.len() + 1).unwrap_or(u8::MAX);
        let mut used = self.used.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        used.resize(self.rules.len(), 0);
        for (rule, used) in self.rules.iter().zip(used.iter_mut()) {
            let applies = rule.to.contains(&to.ip()) && rule.ports.contains(to.port());
            if applies && rule.times.is_none_or(|times| *used < times) {
                *used += 1;
                return (rule.treatment.clone(), rule.at.unwrap_or(server));
            }
        }
        let usual = if self.hosts.contains(&to.ip()) { Treatment::Pass } else { Treatment::Silent };
        (usual, server)
    }

    /// A SYN that lives for `hops` hops: a router answers in its place if it ends before the hop that treats it.
    async fn walk(&self, to: SocketAddr, hops: u8, patience: Duration) -> Connect {
        let clock = Stopwatch::start();
        let (treatment, at) = self.treatment(to);
        if hops > at || usize::from(hops) > self.routers.len() {
            if treatment == Treatment::Pass {
                // A walk never reaches a listener: it would use it up.
                return Connect { to, outcome: Outcome::Reset, elapsed_ms: clock.elapsed_ms() };
            }
            return self.open(to, patience).await.fact;
        }
        let router = self.routers.get(usize::from(hops) - 1).copied().flatten();
        let Some(sender) = router else {
            tokio::time::sleep(patience).await;
            return Connect { to, outcome: Outcome::Silent, elapsed_ms: clock.elapsed_ms() };
        };
        tokio::time::sleep(self.delay).await;
        let kind = if to.is_ipv6() { 3 } else { 11 };
        let outcome = Outcome::Icmp(IcmpError { kind, code: 0, sender: Some(sender) });
        Connect { to, outcome, elapsed_ms: clock.elapsed_ms() }
    }

    /// The client's address of the same family, as the scenario has it.
    fn own_address(&self, to: IpAddr) -> Option<IpAddr> {
        self.networks.iter().map(IpNet::addr).find(|own| own.is_ipv4() == to.is_ipv4() && !own.is_loopback())
    }

    async fn open(&self, to: SocketAddr, patience: Duration) -> Connected {
        self.open_with(to, USUAL_SEGMENT, patience).await
    }

    async fn open_with(&self, to: SocketAddr, segment: u16, patience: Duration) -> Connected {
        let clock = Stopwatch::start();
        let done = |outcome| {
            let fact = Connect { to, outcome, elapsed_ms: clock.elapsed_ms() };
            Connected { fact, stream: None, local: None }
        };
        if !self.routable(to.ip()) {
            return done(Outcome::Unroutable { error: "Network is unreachable".to_owned() });
        }
        let listener = (self.listeners)(to);
        let treatment = match (self.treatment(to).0, listener) {
            (Treatment::WhileAnnounced, Some(_)) if (self.readable)(to) => Treatment::Pass,
            (Treatment::WhileAnnounced, _) => Treatment::Silent,
            (Treatment::LosesLarge(limit) | Treatment::LosesLargeSent(limit), _) if segment <= limit => {
                Treatment::Pass
            }
            (other, _) => other,
        };
        if treatment == Treatment::Silent {
            tokio::time::sleep(patience).await;
            return done(Outcome::Silent);
        }
        tokio::time::sleep(self.delay).await;
        match (treatment, listener) {
            (treatment @ (Treatment::LosesLarge(_) | Treatment::LosesLargeSent(_)), Some(real)) => {
                let mut connected = connect::tcp(real, None, patience).await;
                (connected.fact.to, connected.local) = (to, self.own_address(to.ip()));
                let back = matches!(treatment, Treatment::LosesLarge(_));
                connected.stream = connected.stream.map(|inner| -> Box<dyn Stream> {
                    if back { Box::new(Holed(inner)) } else { Box::new(Swallowed { inner, queued: 0 }) }
                });
                connected
            }
            (Treatment::Pass, Some(real)) => {
                let mut connected = connect::tcp(real, None, patience).await;
                connected.fact.to = to;
                connected.fact.elapsed_ms = clock.elapsed_ms();
                connected.local = self.own_address(to.ip());
                connected
            }
            (Treatment::Icmp(error), _) => done(Outcome::Icmp(error)),
            _ => done(Outcome::Reset),
        }
    }
}

/// The segment size of an Ethernet path (1500 bytes less the headers of IPv4 and TCP).
const USUAL_SEGMENT: u16 = 1460;

/// A connection whose incoming data is lost: writes go through, nothing is ever read.
#[derive(Debug)]
struct Holed(Box<dyn Stream>);

impl Stream for Holed {}

impl AsyncRead for Holed {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Holed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// What the system queues before it notices that nothing is acknowledged.
const QUEUE: usize = 64 * 1024;

/// A connection whose outgoing data is lost: the system queues some of it, and then neither writes nor the end get through.
#[derive(Debug)]
struct Swallowed {
    inner: Box<dyn Stream>,
    queued: usize,
}

impl Stream for Swallowed {}

impl AsyncRead for Swallowed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Swallowed {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match bytes.len().min(QUEUE - self.queued) {
            0 => Poll::Pending,
            taken => {
                self.queued += taken;
                Poll::Ready(Ok(taken))
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// The end stands in the queue behind what is lost. Without anything before it, it gets through.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.queued > 0 {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl Network for Scripted {
    fn connect(&self, to: SocketAddr, patience: Duration) -> BoxFuture<'_, Connected> {
        Box::pin(self.open(to, patience))
    }

    fn connect_small(&self, to: SocketAddr, segment: u16, patience: Duration) -> BoxFuture<'_, Connected> {
        Box::pin(self.open_with(to, segment, patience))
    }

    fn syn(&self, to: SocketAddr, hops: u8, patience: Duration) -> BoxFuture<'_, Connect> {
        Box::pin(self.walk(to, hops, patience))
    }

    fn probe(&self, to: SocketAddr, patience: Duration) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let connected = self.open(to, patience).await;
            if let Some(stream) = &connected.stream {
                stream.reset_on_close();
            }
            connected.fact.outcome
        })
    }

    fn known_distance(&self, _: IpAddr) -> Option<u8> {
        u8::try_from(self.routers.len() + 1).ok()
    }

    fn resolve(&self, host: &str, _: Duration) -> BoxFuture<'_, Resolution> {
        use crate::evidence::{ResolutionOutcome, ResolutionSource};

        let literal = host.parse().ok().map(|address| Resolution {
            source: ResolutionSource::Literal,
            outcome: ResolutionOutcome::Addresses { addresses: vec![address] },
            fallback_because: None,
            elapsed_ms: 0.0,
        });
        let unknown = || Resolution {
            source: ResolutionSource::Dns,
            outcome: ResolutionOutcome::NoSuchName,
            fallback_because: None,
            elapsed_ms: 0.0,
        };
        let resolution = literal.or_else(|| self.names.get(host).cloned()).unwrap_or_else(unknown);
        Box::pin(std::future::ready(resolution))
    }

    fn own_networks(&self) -> Vec<IpNet> {
        self.networks.clone()
    }

    fn routable(&self, to: IpAddr) -> bool {
        !self.unroutable.iter().any(|network| network.contains(&to))
    }
}
