//! Takes connections in, gives each a seat, and ends them all together.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::action::Action;
use super::files::Files;
use super::journal::{Journal, Log};
use super::persona::Wording;
use super::ports::PortMap;
use super::script::{Family, Script};
use super::session::{Ends, Session};
use super::stranger;
use super::tls::{Keys, Wire, answer_as_of_old};

/// Sessions at a time, whatever the script says.
const MOST_SESSIONS: usize = 64;

/// Connections at a time, those that are being turned away included.
const MOST_CONNECTIONS: usize = 4 * MOST_SESSIONS;

/// No session lives longer.
const LONGEST_SESSION: Duration = Duration::from_secs(120);

/// A running server. Dropping it ends everything that it began; [`Responder::stop`] also waits for that.
#[derive(Debug)]
pub struct Responder {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Responder {
    /// Binds and begins to serve, inside the tokio runtime that it is called in.
    ///
    /// Without `listen` in the script that is a free port on loopback: of IPv6 if the script's family is that and this host
    /// has it, else of IPv4.
    pub fn start(script: Script) -> io::Result<Self> {
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let listener = match (script.listen, script.family) {
            (Some(address), _) => listen(address)?,
            (None, Family::Ipv4) => listen((Ipv4Addr::LOCALHOST, 0).into())?,
            (None, Family::Ipv6) => listen((Ipv6Addr::LOCALHOST, 0).into())
                .or_else(|_| listen((Ipv4Addr::LOCALHOST, 0).into()))?,
        };
        let address = listener.local_addr()?;
        let keys = script.tls.as_ref().map(Keys::new).transpose()?;
        let shared = Arc::new(Shared::new(script, keys));
        let (stop, stopped) = watch::channel(false);
        let task = runtime.spawn(serve(listener, Arc::clone(&shared), stopped));
        Ok(Self { address, shared, stop, task })
    }

    /// Where the control port really is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The way from announced passive ports to real ones.
    #[must_use]
    pub fn ports(&self) -> PortMap {
        self.shared.ports.clone()
    }

    /// What happened so far.
    #[must_use]
    pub fn journal(&self) -> Journal {
        self.shared.log.snapshot()
    }

    /// Ends all sessions, waits until no socket is left, and tells what happened.
    pub async fn stop(self) -> Journal {
        self.stop.send_replace(true);
        if self.task.await.is_err_and(|error| error.is_panic()) {
            self.shared.log.panicked();
        }
        self.shared.log.snapshot()
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // On Windows this option means something else: it lets another process take the port away.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(1024)
}

async fn serve(listener: TcpListener, shared: Arc<Shared>, mut stopped: watch::Receiver<bool>) {
    let most = shared.script.limits.sessions.unwrap_or(MOST_SESSIONS).min(MOST_SESSIONS);
    let seats = Arc::new(Semaphore::new(most));
    let mut guests = JoinSet::new();
    loop {
        tokio::select! {
            // An error means that the responder was dropped, which says the same.
            _ = stopped.changed() => break,
            Some(ended) = guests.join_next() => shared.note_end(ended),
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    shared.log.control_connection();
                    if guests.len() < MOST_CONNECTIONS {
                        let seat = Arc::clone(&seats).try_acquire_owned().ok();
                        guests.spawn(receive(stream, seat, Arc::clone(&shared)));
                    }
                }
                // Out of descriptors, most likely; do not spin on it.
                Err(_) => sleep(Duration::from_millis(10)).await,
            },
        }
    }
    drop(listener);
    guests.abort_all();
    while let Some(ended) = guests.join_next().await {
        shared.note_end(ended);
    }
}

async fn receive(mut stream: TcpStream, seat: Option<OwnedSemaphorePermit>, shared: Arc<Shared>) {
    // Replies are written whole; waiting for more to send would only slow them. Fails only on a dead socket.
    let _ = stream.set_nodelay(true);
    let stay = async {
        match (seat, shared.script.speaks) {
            (None, _) => {
                let _ = stream.write_all(format!("{}\r\n", shared.words.full).as_bytes()).await;
                let _ = stream.shutdown().await;
            }
            (Some(_), Some(speaks)) => stranger::talk(speaks, stream).await,
            (Some(seat), None) => {
                // An error is a client that left in the middle of a reply, or a handshake that failed.
                let Ok(ends) = Ends::of(&stream) else { return };
                if let Ok(wire) = first_words(stream, &shared).await {
                    let _ = Session::new(wire, ends, seat, shared).run().await;
                }
            }
        }
    };
    let _ = timeout(LONGEST_SESSION, stay).await;
}

/// Implicit TLS comes before all else.
async fn first_words(mut stream: TcpStream, shared: &Shared) -> io::Result<Wire> {
    match (&shared.script.tls, &shared.keys) {
        (Some(tls), _) if tls.implicit && tls.old => {
            answer_as_of_old(&mut stream).await?;
            Err(io::ErrorKind::InvalidData.into())
        }
        (Some(tls), Some(keys)) if tls.implicit => keys.control(stream).await,
        _ => Ok(Wire::Plain(stream)),
    }
}

/// What all sessions have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) script: Script,
    pub(super) words: &'static Wording,
    pub(super) log: Log,
    pub(super) ports: PortMap,
    pub(super) keys: Option<Keys>,
    sequence: Vec<u16>,
    counts: Mutex<Counts>,
    files: Mutex<Files>,
}

#[derive(Debug, Default)]
struct Counts {
    answers: HashMap<String, usize>,
    ports: usize,
    addresses: usize,
    offers: usize,
}

impl Shared {
    fn new(script: Script, keys: Option<Keys>) -> Self {
        Self {
            keys,
            words: script.persona.wording(),
            log: Log::default(),
            ports: PortMap::default(),
            sequence: script.passive.ports.sequence(),
            counts: Mutex::default(),
            files: Mutex::new(Files::new(&script.data.files)),
            script,
        }
    }

    /// The next port to announce.
    pub(super) fn next_port(&self) -> u16 {
        self.sequence
            .get(self.count(|counts| &mut counts.ports) % self.sequence.len().max(1))
            .copied()
            .unwrap_or(0)
    }

    /// The next address to announce; `None`: the one that the client is connected to.
    pub(super) fn next_address(&self, in_clear: bool) -> Option<String> {
        let changed = self.script.tls.as_ref().and_then(|tls| tls.advertise_in_clear.clone());
        if let Some(address) = changed.filter(|_| in_clear) {
            return Some(address);
        }
        let addresses = &self.script.passive.advertise;
        addresses.get(self.count(|counts| &mut counts.addresses) % addresses.len().max(1)).cloned()
    }

    /// Whether there is a port left for one more offer.
    pub(super) fn has_free_port(&self) -> bool {
        let offer = self.count(|counts| &mut counts.offers);
        self.script.passive.exhausted_after.is_none_or(|most| offer < most)
    }

    /// The scripted answer whose turn it is.
    pub(super) fn next_answer(&self, verb: &str, argument: &str) -> Option<Action> {
        let replies = &self.script.replies;
        let key = replies.key(verb, argument)?;
        let turn = self.count(|counts| counts.answers.entry(key.to_owned()).or_default());
        replies.answer(key, turn).cloned()
    }

    pub(super) fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one up, and tells how many there were before.
    fn count(&self, which: impl FnOnce(&mut Counts) -> &mut usize) -> usize {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let counter = which(&mut counts);
        let before = *counter;
        *counter += 1;
        before
    }

    fn note_end(&self, ended: Result<(), JoinError>) {
        if ended.is_err_and(|error| error.is_panic()) {
            self.log.panicked();
        }
    }
}

/// A host's address as a reply shows it: without the wrapping of IPv4 in IPv6 that a dual-stack listener adds.
pub(super) fn plain(address: IpAddr) -> IpAddr {
    address.to_canonical()
}
