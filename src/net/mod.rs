//! The only door to the outside.
//!
//! Everything that leaves this host goes through a [`Network`]: [`System`] is the real one, [`Scripted`] answers from a
//! map of addresses and ports, so that scenarios show silence, ICMP errors and third addresses without a packet leaving
//! loopback. This module knows no FTP.

pub mod class;
pub mod connect;
pub mod contact;
#[cfg(target_os = "linux")]
mod icmp;
mod interfaces;
pub mod public;
pub mod resolve;
mod scripted;
pub mod survey;
mod system;
pub mod tls;
pub mod webhook;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::future::BoxFuture;
use ipnet::IpNet;
use tokio::io::{AsyncRead, AsyncWrite};

pub use scripted::{Lookup, PortRule, Readable, Scripted, Treatment};
pub use system::System;

use crate::evidence::{Connect, Outcome, Resolution};

/// A byte stream to a server.
pub trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin + fmt::Debug {
    /// From now on, packets of this connection live for so many hops; `None` for the system's usual number.
    fn limit_hops(&self, _hops: Option<u8>) {}

    /// From now on, the system sends a probe over this connection after each silence of so long.
    fn keep_alive(&self, _every: Duration) {}

    /// From now on, closing sends a reset: for probes that must leave no TIME-WAIT on either side.
    fn reset_on_close(&self) {}

    /// Has what arrives next acknowledged at once. Servers that write TLS records piece by piece wait for that (Nagle's
    /// algorithm), and a delayed acknowledgement costs them 40 ms each time.
    fn acknowledge_at_once(&self) {}

    /// From now on the system takes in little more than it can send at once, so that what was accepted is on its way, and
    /// a write that waits means that nothing moves (Linux; elsewhere the usual buffer stays).
    fn queue_little(&self) {}

    /// Clear text that came in the middle of a TLS session, if any did.
    fn in_clear(&self) -> Option<String> {
        None
    }
}

/// What came of a connect, with the stream if it opened.
#[derive(Debug)]
pub struct Connected {
    /// The facts.
    pub fact: Connect,
    /// The stream; present exactly if the outcome is open.
    pub stream: Option<Box<dyn Stream>>,
    /// This host's own address of it, where that is known.
    pub local: Option<IpAddr>,
}

/// The outside world, as far as a check needs it.
pub trait Network: Send + Sync + fmt::Debug {
    /// Opens a TCP connection, or learns why not, within `patience`.
    fn connect(&self, to: SocketAddr, patience: Duration) -> BoxFuture<'_, Connected>;

    /// [`connect`](Self::connect), asking the other side for segments of at most so many bytes (TCP's maximum segment
    /// size, RFC 9293 §3.7.1).
    fn connect_small(&self, to: SocketAddr, segment: u16, patience: Duration) -> BoxFuture<'_, Connected>;

    /// Sends a SYN that lives for `hops` hops, or learns what it met. The connection, should it open, is reset at once.
    fn syn(&self, to: SocketAddr, hops: u8, patience: Duration) -> BoxFuture<'_, Connect>;

    /// Asks one port of many: connects, and resets at once what opens.
    fn probe(&self, to: SocketAddr, patience: Duration) -> BoxFuture<'_, Outcome>;

    /// How many hops away an address is, where that is known without asking: in a made-up world.
    fn known_distance(&self, _to: IpAddr) -> Option<u8> {
        None
    }

    /// Turns a name into addresses, within `patience`.
    fn resolve(&self, host: &str, patience: Duration) -> BoxFuture<'_, Resolution>;

    /// The networks of this host's own interfaces.
    fn own_networks(&self) -> Vec<IpNet>;

    /// Whether this host has an address of that family and a way out, as far as it can know without sending anything.
    fn routable(&self, to: IpAddr) -> bool;
}
