//! The stand-in: run on the future server before FTP is installed (`pasvcheck serve`), so that a firewall and a NAT router
//! can be signed off.
//!
//! It answers on the control port as a small FTP server (anonymous login, PASV, EPSV, a listing) and on *every* port of the
//! passive range at once. A check from outside recognises it by its greeting or its FEAT line, and asks each port for a
//! proof that it is the stand-in itself who answers, on the very port that was asked (see [`proof`]).
//!
//! Strangers get a plain FTP server with an empty directory and nothing else. Where a secret is set, proofs are for those who
//! know it. Everything has a bound: sessions, connections, their lives, the length of a line, what one of them is sent, and
//! the life of the stand-in.
//!
//! How the room is furnished: [`proof`] is the token protocol, pure, used by both ends; `server` binds and ends, `session`
//! is the dialogue on the control connection, `data` what happens on a port of the range, and `taken` finds out who holds a
//! port that cannot be bound.

mod data;
pub mod proof;
mod server;
mod session;
mod taken;

pub use proof::{SecretError, SharedSecret};
pub use server::{Client, Ended, Event, OpenError, Order, StandIn};
pub use taken::{Holder, Taken};
