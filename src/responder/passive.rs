//! Passive listeners: what is announced, what is really bound, and who waits there.

use std::future::{pending, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::Poll;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::sleep;

use super::journal::Log;
use super::ports::PortMap;
use super::server::Shared;

/// Connections that another service keeps open at once.
const MOST_HELD: usize = 16;

/// Which port a new listener is announced under.
#[derive(Clone, Copy, Debug)]
pub(super) enum Under {
    /// What the script says.
    Script,
    /// The one really bound: how a daemon leaves an exhausted range.
    Kernel,
}

/// A listener behind an announced port. When it goes, so does its entry in the map.
#[derive(Debug)]
pub(super) struct Listener {
    socket: Option<TcpListener>,
    real: SocketAddr,
    announced: u32,
    ports: PortMap,
    log: Log,
    /// The greeting of another service that answers here.
    stranger: Option<String>,
    ungreeted: Option<TcpStream>,
    held: Vec<TcpStream>,
}

impl Listener {
    /// `secured`: the announcement is under TLS, where nobody on the way can read it.
    pub(super) fn open(ip: IpAddr, shared: &Shared, under: Under, secured: bool) -> io::Result<Self> {
        let socket = if ip.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.bind(SocketAddr::new(ip, 0))?;
        let socket = socket.listen(128)?;
        let real = socket.local_addr()?;
        let passive = &shared.script.passive;
        let announced = match (under, passive.announce_port) {
            (Under::Kernel, _) => u32::from(real.port()),
            (Under::Script, Some(port)) => port,
            (Under::Script, None) if passive.real_ports => u32::from(real.port()),
            (Under::Script, None) => u32::from(shared.next_port()),
        };
        let (ports, log) = (shared.ports.clone(), shared.log.clone());
        let stranger = shared.script.data.unsolicited.clone();
        let listener = Self {
            socket: Some(socket),
            real,
            announced,
            ports,
            log,
            stranger,
            ungreeted: None,
            held: Vec::new(),
        };
        if let Some(port) = listener.reachable_port() {
            listener.ports.enter(port, real, secured);
        }
        Ok(listener)
    }

    /// The port that the reply names; it need not be one.
    pub(super) fn announced(&self) -> u32 {
        self.announced
    }

    /// The announced port, if a client can connect to such a thing.
    fn reachable_port(&self) -> Option<u16> {
        u16::try_from(self.announced).ok().filter(|port| *port != 0)
    }

    /// A connection that is there already.
    pub(super) async fn waiting(&mut self) -> Option<(TcpStream, SocketAddr)> {
        let socket = self.socket.as_ref()?;
        let accepted = poll_fn(|context| match socket.poll_accept(context) {
            Poll::Ready(accepted) => Poll::Ready(accepted.ok()),
            Poll::Pending => Poll::Ready(None),
        });
        accepted.await.inspect(|_| self.log.data_connection())
    }

    /// The next connection. Dropping the future loses none.
    pub(super) async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        let Some(socket) = self.socket.as_ref() else { return pending().await };
        loop {
            if let Ok(accepted) = socket.accept().await {
                self.log.data_connection();
                return accepted;
            }
            // Out of descriptors, most likely; do not spin on it.
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Plays the other service, if one answers here. Never ends, and may be dropped at any await.
    pub(super) async fn play_stranger(&mut self) {
        let Some(greeting) = self.stranger.clone() else { return pending().await };
        loop {
            if let Some(stream) = &mut self.ungreeted {
                // A fresh socket takes a short greeting at once, so this is never half done.
                let _ = stream.write_all(greeting.as_bytes()).await;
            }
            if self.held.len() >= MOST_HELD {
                self.held.remove(0);
            }
            self.held.extend(self.ungreeted.take());
            self.ungreeted = Some(self.accept().await.0);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(port) = self.reachable_port() {
            self.ports.remove(port, self.real);
        }
        // Count the connections that no transfer has taken: a client that only tries ports leaves nothing else behind.
        let Some(Ok(socket)) = self.socket.take().map(TcpListener::into_std) else { return };
        while socket.accept().is_ok() {
            self.log.data_connection();
        }
    }
}
