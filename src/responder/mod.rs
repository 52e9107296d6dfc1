//! The embedded FTP server: small, real, and able to fail to order.
//!
//! `pasvcheck demo` shows it, the scenarios script it, and before a deployment it stands in for the server that is yet to
//! come. It speaks FTP over real sockets with the words of a real daemon (a [`Persona`]) and does what its [`Script`]
//! says, so that the tool under test meets what it would meet in the field: a private address in the 227, a data
//! connection that nobody accepts, a listing cut short with a cheerful 226.
//!
//! ```toml
//! persona = "vsftpd"
//!
//! [passive]
//! advertise = "192.168.1.10"      # the address in the 227
//! ports = "50000-50009"           # announced; what is really bound is an ephemeral port on loopback
//!
//! [replies]
//! NOOP = [{ usual = true }, { lines = ["421 Timeout."], then = "close" }]
//! ```
//!
//! How the room is furnished: [`script`] is what can be ordered, [`action`] one ordered answer, [`persona`] the words,
//! [`ports`] what is announced; `server` takes connections in, `session` obeys commands (`login`, `offer` for PASV and
//! EPSV, `transfer`), `passive` listens and `data` moves bytes, `control` reads and writes lines, `files` is the tree that
//! it pretends to have, `tls` and `certificate` are what
//! the names say, and `stranger` speaks what is not FTP. Everything has a bound: lines, sessions, a session's life,
//! what one answer sends.
//! No task outlives the [`Responder`].

pub mod action;
pub mod certificate;
mod control;
mod data;
mod files;
mod journal;
mod login;
mod offer;
mod passive;
pub mod persona;
pub mod ports;
pub mod script;
mod server;
mod session;
mod stranger;
mod template;
pub mod tls;
mod transfer;

pub use action::{Action, Then};
pub use journal::Journal;
pub use persona::Persona;
pub use ports::{PortMap, Ports};
pub use script::{Script, ScriptError};
pub use server::Responder;

#[cfg(test)]
mod tests;
