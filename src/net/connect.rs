//! One TCP connect, and what its outcome is.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::{Connected, Stream};
use crate::clock::Stopwatch;
use crate::evidence::{Connect, Outcome};

impl Stream for TcpStream {
    fn limit_hops(&self, hops: Option<u8>) {
        let socket = SockRef::from(self);
        let ipv6 = self.peer_addr().is_ok_and(|peer| peer.is_ipv6());
        let _ = set_hops(&socket, ipv6, hops.unwrap_or(USUAL_HOPS));
    }

    fn keep_alive(&self, every: Duration) {
        let probes = socket2::TcpKeepalive::new().with_time(every).with_interval(every);
        let _ = SockRef::from(self).set_tcp_keepalive(&probes);
    }

    #[cfg(target_os = "linux")]
    fn acknowledge_at_once(&self) {
        let _ = SockRef::from(self).set_tcp_quickack(true);
    }

    #[cfg(target_os = "linux")]
    fn queue_little(&self) {
        let _ = SockRef::from(self).set_tcp_notsent_lowat(UNSENT);
    }

    fn reset_on_close(&self) {
        // If the system refuses, the probe ends in order and leaves a TIME-WAIT: a blemish, no error.
        let _ = SockRef::from(self).set_linger(Some(Duration::ZERO));
    }
}

/// Bytes that may wait unsent (`TCP_NOTSENT_LOWAT`): enough for a fast path, and gone within seconds on a slow one.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 64 * 1024;

/// The time to live that packets get where nothing else is asked for (RFC 1700's recommendation, and Linux' default).
const USUAL_HOPS: u8 = 64;

#[cfg(unix)]
fn set_segment(socket: &Socket, segment: u16) -> io::Result<()> {
    socket.set_tcp_mss(u32::from(segment))
}

/// Not to be had here: the connection opens with the usual size, and the experiment shows nothing.
#[cfg(not(unix))]
fn set_segment(_: &Socket, _: u16) -> io::Result<()> {
    Ok(())
}

fn set_hops(socket: &Socket, ipv6: bool, hops: u8) -> io::Result<()> {
    let hops = u32::from(hops);
    if ipv6 { socket.set_unicast_hops_v6(hops) } else { socket.set_ttl_v4(hops) }
}

/// Sends a SYN that lives for `hops` hops. A connection that opens is reset at once.
pub async fn syn(to: SocketAddr, bind: Option<IpAddr>, hops: u8, patience: Duration) -> Connect {
    let connected = open(to, Options { bind, hops: Some(hops), segment: None }, patience).await;
    if let Some(stream) = &connected.stream {
        stream.reset_on_close();
    }
    connected.fact
}

/// Asks one port of many. One file descriptor, and no trace on either side: what opens is reset.
pub async fn probe(to: SocketAddr, bind: Option<IpAddr>, patience: Duration) -> Outcome {
    let stream = match raw(to, Options { bind, ..Options::default() }).and_then(|socket| begin(socket, to)) {
        Ok(stream) => stream,
        // On loopback the reset is there before the call returns.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => return Outcome::Reset,
        Err(error) => return local_failure(&error),
    };
    match timeout(patience, stream.writable()).await {
        Err(_) => Outcome::Silent,
        Ok(Err(error)) => local_failure(&error),
        Ok(Ok(())) => {
            let socket = SockRef::from(&stream);
            match socket.take_error() {
                Ok(Some(error)) | Err(error) => failure(&socket, to, &error),
                Ok(None) if stream.peer_addr().is_err() => not_connected(&socket),
                Ok(None) => Outcome::Open,
            }
        }
    }
}

/// Begins to connect. The socket is handed to the runtime only then: one that has not begun counts as hung up.
fn begin(socket: Socket, to: SocketAddr) -> io::Result<TcpStream> {
    socket.set_linger(Some(Duration::ZERO))?;
    match socket.connect(&to.into()) {
        Ok(()) => {}
        Err(error) if under_way(&error) => {}
        Err(error) => return Err(error),
    }
    TcpStream::from_std(socket.into())
}

#[cfg(unix)]
fn under_way(error: &io::Error) -> bool {
    error.raw_os_error() == Some(nix::libc::EINPROGRESS)
}

#[cfg(not(unix))]
fn under_way(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

/// Opens a TCP connection from `bind` (any address if `None`), or learns why not.
pub async fn tcp(to: SocketAddr, bind: Option<IpAddr>, patience: Duration) -> Connected {
    open(to, Options { bind, ..Options::default() }, patience).await
}

/// [`tcp`] with a small maximum segment size.
pub async fn tcp_small(to: SocketAddr, bind: Option<IpAddr>, segment: u16, patience: Duration) -> Connected {
    open(to, Options { bind, segment: Some(segment), ..Options::default() }, patience).await
}

/// What a socket is given before it connects.
#[derive(Clone, Copy, Debug, Default)]
struct Options {
    /// The address to connect from.
    bind: Option<IpAddr>,
    /// Hops that its packets live for.
    hops: Option<u8>,
    /// The largest segment that the other side may send, in bytes.
    segment: Option<u16>,
}

async fn open(to: SocketAddr, options: Options, patience: Duration) -> Connected {
    let clock = Stopwatch::start();
    let done = |outcome, stream: Option<Box<dyn Stream>>| Connected {
        fact: Connect { to, outcome, elapsed_ms: clock.elapsed_ms() },
        stream,
        local: None,
    };
    let (socket, twin) = match prepare(to, options) {
        Ok(pair) => pair,
        Err(error) => return done(local_failure(&error), None),
    };
    match timeout(patience, socket.connect(to)).await {
        Err(_) => done(Outcome::Silent, None),
        Ok(Err(error)) => done(failure(&twin, to, &error), None),
        // On a path without delay an ICMP error can end the wait while the socket is not connected at all.
        Ok(Ok(stream)) if stream.peer_addr().is_err() => done(not_connected(&twin), None),
        Ok(Ok(stream)) => {
            keep_icmp(&twin, to, false);
            let _ = stream.set_nodelay(true);
            let local = stream.local_addr().ok().map(|address| address.ip());
            Connected { local, ..done(Outcome::Open, Some(Box::new(stream))) }
        }
    }
}

/// A socket ready to connect, and a second handle on it for the error queue: tokio keeps neither after a failure.
fn prepare(to: SocketAddr, options: Options) -> io::Result<(TcpSocket, Socket)> {
    let socket = raw(to, options)?;
    let twin = socket.try_clone()?;
    Ok((TcpSocket::from_std_stream(socket.into()), twin))
}

/// A non-blocking socket with its options set.
fn raw(to: SocketAddr, options: Options) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    if let Some(address) = options.bind.filter(|address| address.is_ipv4() == to.is_ipv4()) {
        socket.bind(&SocketAddr::new(address, 0).into())?;
    }
    if let Some(hops) = options.hops {
        set_hops(&socket, to.is_ipv6(), hops)?;
    }
    if let Some(segment) = options.segment {
        set_segment(&socket, segment)?;
    }
    keep_icmp(&socket, to, true);
    Ok(socket)
}

/// What a failed connect means. An ICMP error is in the error queue; without one, `ECONNREFUSED` is a reset.
fn failure(twin: &Socket, to: SocketAddr, error: &io::Error) -> Outcome {
    if let Some(icmp) = icmp_error(twin) {
        return Outcome::Icmp(icmp);
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => Outcome::Reset,
        io::ErrorKind::TimedOut => Outcome::Silent,
        _ if to.port() == 0 => Outcome::Failed { error: "port 0 cannot be connected to".to_owned() },
        _ => local_failure(error),
    }
}

/// What an error of our own system means: no way there, or a refusal to try.
fn local_failure(error: &io::Error) -> Outcome {
    let text = plain(error);
    match error.kind() {
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            Outcome::Unroutable { error: text }
        }
        // A socket of a family that this host does not have.
        _ if error.raw_os_error() == Some(AF_NOT_SUPPORTED) => Outcome::Unroutable { error: text },
        _ => Outcome::Failed { error: text },
    }
}

fn not_connected(twin: &Socket) -> Outcome {
    icmp_error(twin)
        .map_or_else(|| Outcome::Failed { error: "the connection did not open".to_owned() }, Outcome::Icmp)
}

/// The error without Rust's `(os error 111)`.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

#[cfg(target_os = "linux")]
const AF_NOT_SUPPORTED: i32 = nix::libc::EAFNOSUPPORT;
#[cfg(not(target_os = "linux"))]
const AF_NOT_SUPPORTED: i32 = i32::MIN;

#[cfg(target_os = "linux")]
fn keep_icmp(socket: &Socket, to: SocketAddr, keep: bool) {
    super::icmp::keep_errors(socket, to.is_ipv6(), keep);
}

#[cfg(not(target_os = "linux"))]
fn keep_icmp(_: &Socket, _: SocketAddr, _: bool) {}

#[cfg(target_os = "linux")]
fn icmp_error(socket: &Socket) -> Option<crate::evidence::IcmpError> {
    super::icmp::take_error(socket)
}

#[cfg(not(target_os = "linux"))]
fn icmp_error(_: &Socket) -> Option<crate::evidence::IcmpError> {
    None
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(2);

    #[tokio::test]
    async fn open_and_reset_on_both_loopbacks() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address).await else { continue };
            let to = listener.local_addr().unwrap();
            let connected = tcp(to, None, PATIENCE).await;
            assert_eq!(connected.fact.outcome, Outcome::Open);
            assert_eq!(connected.local.unwrap(), to.ip());
            drop(listener);
            assert_eq!(tcp(to, None, PATIENCE).await.fact.outcome, Outcome::Reset);
        }
    }

    #[tokio::test]
    async fn an_address_that_is_not_ours_cannot_be_bound() {
        let connected =
            tcp("127.0.0.1:9".parse().unwrap(), Some("203.0.113.7".parse().unwrap()), PATIENCE).await;
        assert!(matches!(connected.fact.outcome, Outcome::Failed { .. }), "{:?}", connected.fact);
    }
}
