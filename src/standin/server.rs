//! Binds every port at once, serves, and ends.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::data::{self, Arrivals};
use super::proof::{SessionKey, SharedSecret};
use super::session;
use super::taken::{Taken, holders};
use crate::clock::Deadline;
use crate::evidence::PortRange;

/// Control connections at a time, and of them from one address.
const MOST_SESSIONS: usize = 32;
const MOST_OF_ONE_ADDRESS: usize = 8;

/// Data connections at a time; more wait in the queues of the kernel.
const MOST_DATA: usize = 1024;

/// Clients that are remembered for the account at the end.
const MOST_CLIENTS: usize = 1024;

/// Connections that wait in the kernel, on the control port and on each port of the range. The second is bounded by the
/// number of ports: a thousand queues of it.
const CONTROL_BACKLOG: i32 = 64;
const DATA_BACKLOG: i32 = 16;

/// What a stand-in is to be.
#[derive(Clone, Debug)]
pub struct Order {
    /// The address to listen on; every address of the host without it.
    pub bind: Option<IpAddr>,
    /// The control port.
    pub port: u16,
    /// The passive range, all of which is listened on.
    pub range: PortRange,
    /// The address for the 227; the one that the client is connected to without it. (A 229 names none.)
    pub public_address: Option<Ipv4Addr>,
    /// What a check has to know to be given proofs.
    pub secret: Option<SharedSecret>,
    /// How long it lives.
    pub lifetime: Duration,
}

/// Why a stand-in cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The range and the control port share a port.
    #[error("the range {range} holds the control port {port}: choose another range")]
    ControlInRange {
        /// The range.
        range: PortRange,
        /// The control port.
        port: u16,
    },
    /// A port below 1024, without the right to it.
    #[error(
        "port {port} belongs to the privileged ones (below 1024), which take root: run it with sudo, or with --port 2121 and \
         check HOST:2121"
    )]
    Privileged {
        /// The port.
        port: u16,
    },
    /// Somebody else listens there.
    #[error("{}", Taken::describe(.0))]
    Taken(Vec<Taken>),
    /// The system lets a process hold fewer sockets.
    #[error(
        "this system lets one process hold too few sockets for {wanted} ports (it gave {got}): raise the limit (`ulimit -n \
         {enough}`, as root) or choose a smaller range"
    )]
    TooFewSockets {
        /// Ports wanted.
        wanted: u32,
        /// Sockets that could be had.
        got: usize,
        /// A sufficient limit.
        enough: u32,
    },
    /// No such address on this host.
    #[error("this host has no address {0}: leave --bind away to listen on all of them")]
    NoSuchAddress(IpAddr),
    /// Anything else.
    #[error("port {port} cannot be listened on: {error}")]
    Other {
        /// The port.
        port: u16,
        /// What the system said.
        error: io::Error,
    },
}

/// What happens while a stand-in serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A control connection.
    Came(IpAddr),
    /// A check gave itself to know and may have proofs.
    Known(IpAddr),
    /// A check did not know the secret.
    Refused(IpAddr),
    /// A check asked for the report: so many ports have been proven to it.
    Proven(IpAddr, usize),
}

/// What a stand-in remembers of a client that had proofs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// Ports that were proven to it.
    pub ports: BTreeSet<u16>,
    /// Addresses that its data connections came from.
    pub data_from: BTreeSet<IpAddr>,
}

/// The account at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Control connections in all.
    pub sessions: u64,
    /// Clients that had proofs, by the address of their control connection.
    pub clients: BTreeMap<IpAddr, Client>,
    /// Whether its time had come, rather than somebody's wish.
    pub expired: bool,
}

/// A stand-in with all its ports bound. Dropping it lets go of them.
#[derive(Debug)]
pub struct StandIn {
    control: TcpListener,
    data: Vec<(u16, TcpListener)>,
    shared: Arc<Shared>,
    lifetime: Duration,
}

impl StandIn {
    /// Binds the control port and every port of the range, inside a tokio runtime.
    pub fn open(order: &Order) -> Result<Self, OpenError> {
        let Order { port, range, .. } = *order;
        if range.contains(port) {
            return Err(OpenError::ControlInRange { range, port });
        }
        let control =
            bind(order.bind, port, CONTROL_BACKLOG).map_err(|error| failed(order, port, error, 0))?;
        let (mut data, mut taken) = (Vec::new(), Vec::new());
        for port in range.min..=range.max {
            match bind(order.bind, port, DATA_BACKLOG) {
                Ok(listener) => data.push((port, listener)),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => taken.push(port),
                Err(error) => return Err(failed(order, port, error, data.len())),
            }
        }
        if !taken.is_empty() {
            return Err(OpenError::Taken(holders(&taken)));
        }
        let shared = Arc::new(Shared::new(order));
        Ok(Self { control, data, shared, lifetime: order.lifetime })
    }

    /// Where the control port is.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.control.local_addr().ok()
    }

    /// Serves until `stop` is done or the lifetime is over. `tell` hears what happens.
    pub async fn serve(self, stop: impl Future<Output = ()>, tell: &mut (dyn FnMut(Event) + Send)) -> Ended {
        let Self { control, data, shared, lifetime } = self;
        let (events, mut heard) = mpsc::channel(64);
        let mut tasks = JoinSet::new();
        for (port, listener) in data {
            tasks.spawn(data::listen(listener, port, Arc::clone(&shared)));
        }
        tasks.spawn(receive(control, Arc::clone(&shared), events));
        let mut stop = std::pin::pin!(stop);
        let deadline = Deadline::after(lifetime);
        let expired = loop {
            tokio::select! {
                () = &mut stop => break false,
                () = sleep(deadline.left()) => break true,
                Some(event) = heard.recv() => tell(event),
            }
        };
        tasks.shutdown().await;
        while let Ok(event) = heard.try_recv() {
            tell(event);
        }
        let mut book = shared.book();
        Ended { sessions: book.sessions, clients: std::mem::take(&mut book.clients), expired }
    }
}

/// Takes control connections in.
async fn receive(listener: TcpListener, shared: Arc<Shared>, events: mpsc::Sender<Event>) {
    let mut sessions = JoinSet::new();
    let here: Arc<Mutex<HashMap<IpAddr, usize>>> = Arc::default();
    loop {
        let accepted = tokio::select! {
            Some(_) = sessions.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of descriptors, most likely; do not spin on it.
            sleep(Duration::from_millis(20)).await;
            continue;
        };
        let peer = peer.ip().to_canonical();
        let seat = Seat::take(&here, peer);
        shared.book().sessions += 1;
        let _ = events.try_send(Event::Came(peer));
        if let (Some(seat), true) = (seat, sessions.len() < MOST_SESSIONS) {
            let (shared, events) = (Arc::clone(&shared), events.clone());
            sessions.spawn(async move {
                session::hold(stream, peer, shared, events).await;
                drop(seat);
            });
        }
        // Without a seat the connection is closed without a word: whoever holds so many knows why.
    }
}

/// One of the places that an address has. It is free again when this goes.
struct Seat(Arc<Mutex<HashMap<IpAddr, usize>>>, IpAddr);

impl Seat {
    fn take(here: &Arc<Mutex<HashMap<IpAddr, usize>>>, peer: IpAddr) -> Option<Self> {
        let mut counts = here.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.get(&peer).copied().unwrap_or_default() >= MOST_OF_ONE_ADDRESS {
            return None;
        }
        *counts.entry(peer).or_default() += 1;
        Some(Self(Arc::clone(here), peer))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.1);
            }
        }
    }
}

/// What sessions and ports have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) range: PortRange,
    pub(super) public_address: Option<Ipv4Addr>,
    pub(super) secret: Option<SharedSecret>,
    pub(super) arrivals: Arrivals,
    pub(super) seats: Arc<Semaphore>,
    keys: Mutex<HashMap<String, (SessionKey, IpAddr)>>,
    book: Mutex<Book>,
}

/// What is remembered.
#[derive(Debug, Default)]
pub(super) struct Book {
    sessions: u64,
    clients: BTreeMap<IpAddr, Client>,
}

impl Shared {
    fn new(order: &Order) -> Self {
        Self {
            range: order.range,
            public_address: order.public_address,
            secret: order.secret.clone(),
            arrivals: Arrivals::default(),
            seats: Arc::new(Semaphore::new(MOST_DATA)),
            keys: Mutex::default(),
            book: Mutex::default(),
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<String, (SessionKey, IpAddr)>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on, ports answer this session.
    pub(super) fn admit(&self, session: &str, key: SessionKey, client: IpAddr) {
        self.keys().insert(session.to_owned(), (key, client));
    }

    /// The session is over.
    pub(super) fn forget(&self, session: &str) {
        self.keys().remove(session);
    }

    /// The key of a session that may have proofs, and the address of its control connection.
    pub(super) fn key(&self, session: &str) -> Option<(SessionKey, IpAddr)> {
        self.keys().get(session).cloned()
    }

    /// A port was proven to a client.
    pub(super) fn note(&self, client: IpAddr, port: u16, from: IpAddr) {
        let mut book = self.book();
        if book.clients.len() >= MOST_CLIENTS && !book.clients.contains_key(&client) {
            return;
        }
        let known = book.clients.entry(client).or_default();
        known.ports.insert(port);
        if known.data_from.len() < 64 {
            known.data_from.insert(from);
        }
    }

    /// How many ports have been proven to a client.
    pub(super) fn proven(&self, client: IpAddr) -> usize {
        self.book().clients.get(&client).map_or(0, |known| known.ports.len())
    }
}

/// Listens on a port: on the address given, or on all of both families.
fn bind(address: Option<IpAddr>, port: u16, backlog: i32) -> io::Result<TcpListener> {
    match address {
        Some(address) => listen(SocketAddr::new(address, port), backlog),
        None => match listen(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port), backlog) {
            // A host without IPv6 has no such sockets, or no such address.
            Err(error) if no_ipv6(&error) => {
                listen(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port), backlog)
            }
            other => other,
        },
    }
}

fn no_ipv6(error: &io::Error) -> bool {
    let kind = error.kind();
    let known = matches!(kind, io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied);
    !known && !out_of_sockets(error)
}

fn listen(to: SocketAddr, backlog: i32) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
    if to.is_ipv6() {
        // IPv4 clients come in by the same socket.
        socket.set_only_v6(!to.ip().is_unspecified())?;
    }
    // On Windows this option means something else: it lets another process take the port away.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&to.into())?;
    socket.listen(backlog)?;
    TcpListener::from_std(socket.into())
}

/// Whether the process or the system holds as many sockets as it may.
fn out_of_sockets(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        matches!(error.raw_os_error(), Some(nix::libc::EMFILE | nix::libc::ENFILE))
    }
    #[cfg(not(unix))]
    {
        let _ = error;
        false
    }
}

fn failed(order: &Order, port: u16, error: io::Error, got: usize) -> OpenError {
    match (error.kind(), order.bind) {
        (io::ErrorKind::AddrInUse, _) => OpenError::Taken(holders(&[port])),
        (io::ErrorKind::PermissionDenied, _) if port < 1024 => OpenError::Privileged { port },
        (io::ErrorKind::AddrNotAvailable, Some(address)) => OpenError::NoSuchAddress(address),
        _ if out_of_sockets(&error) => {
            let wanted = order.range.len();
            OpenError::TooFewSockets { wanted, got, enough: wanted + 2048 }
        }
        _ => OpenError::Other { port, error },
    }
}
