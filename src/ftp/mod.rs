//! The FTP protocol without sockets: bytes in, values out.
//!
//! [`reply`] reads what a server says, [`passive`] reads the address and port out of a 227 or 229, [`command`] writes
//! what we say, and [`control`] holds the dialogue over any `AsyncRead + AsyncWrite` and keeps the transcript.

pub mod command;
pub mod control;
pub mod passive;
pub mod reply;

pub use command::{Argument, ArgumentError, Command, FileName, Secret};
pub use control::Control;
pub use reply::{Reply, ReplyError, ReplyReader};
