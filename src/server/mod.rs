//! What we know of FTP server products: telling them apart by what they say,
//! the few facts a remedy needs, and the security notes a version suggests.
//!
//! Everything here is knowledge and pure functions: no sockets, no files, no
//! clock. A wrong name would print the wrong configuration file under *Fix*,
//! so the rule throughout is: rather no product than a wrong one.

mod advisories;
pub mod config;
mod facts;
mod product;
mod recognise;
mod version;

pub use advisories::{Advisory, BACKPORT_NOTE, advisories};
pub use facts::Platform;
pub use product::{Product, UnknownProduct};
pub use recognise::{Certainty, Clues, Recognised, masked_by_firewall, recognise, with_host_name};
