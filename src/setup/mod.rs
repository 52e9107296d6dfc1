//! The whole set-up of passive mode, ready to paste (`pasvcheck fix`): the server's directives, the host's firewall, the
//! NAT router, the cloud, containers, and how to verify. Pure: wishes in, blocks of text out.
//!
//! The recipe has three values (address, range, control port), and each file knows how one kind of system writes them:
//! [`request`] is what is wanted, and whether it makes sense; `servers`, `firewall`, `cloud` and `container` write it, `verify`
//! tells how to look at it; `show` turns all into text or JSON. Sources of the facts: the manuals of each product and
//! tool; what the Unix servers take is proven in the lab (`tests/lab/scenarios/setup.rs`).

mod cloud;
mod container;
mod firewall;
pub mod request;
mod servers;
pub mod show;
mod verify;

use serde::Serialize;

pub use request::{Cloud, Container, Firewall, Request, RequestError, Server};

/// A piece to paste, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Block {
    /// A name that stays the same, for programs: `server-directives`, `firewall-nft`.
    pub id: &'static str,
    /// The part of the set-up that it belongs to.
    pub section: Section,
    /// What it is.
    pub title: String,
    /// What to know before it is pasted.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The files that it goes into, by system; empty for commands.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<Place>,
    /// What it is written in: `sh`, `ini`, `apache`, `xml`, `powershell`, `bat`, `yaml`, `text`.
    pub language: &'static str,
    /// The text to paste, whole lines.
    pub text: String,
}

impl Block {
    fn new(
        id: &'static str,
        section: Section,
        title: impl Into<String>,
        language: &'static str,
        lines: &[String],
    ) -> Self {
        let text = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        Self { id, section, title: title.into(), note: String::new(), files: Vec::new(), language, text }
    }

    fn note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    fn into_files(self, files: &[(&'static str, &'static str)]) -> Self {
        let files = files.iter().map(|(path, on)| Place { path, on }).collect();
        Self { files, ..self }
    }
}

/// A file, and the systems on which it is that one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The path.
    pub path: &'static str,
    /// The systems.
    pub on: &'static str,
}

/// The parts of a set-up, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Section {
    /// The server's own configuration.
    Server,
    /// The host that it runs on: kernel and `SELinux`.
    Host,
    /// The host's firewall.
    Firewall,
    /// The router that translates addresses.
    Nat,
    /// The provider's rules.
    Cloud,
    /// A container's published ports.
    Container,
    /// How to see that it works.
    Verify,
}

impl Section {
    /// As a heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Server => "Server",
            Self::Host => "Host",
            Self::Firewall => "Host firewall: the one that you use",
            Self::Nat => "NAT router: only if the server has a private address",
            Self::Cloud => "Cloud: the one that you use",
            Self::Container => "Container: only if the server runs in one",
            Self::Verify => "Verify",
        }
    }
}

/// A set-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setup {
    /// What was wanted.
    pub request: Request,
    /// What to think about.
    pub warnings: Vec<String>,
    /// What to paste, in order.
    pub blocks: Vec<Block>,
}

/// Writes the set-up, if the request makes sense.
pub fn setup(request: Request) -> Result<Setup, RequestError> {
    request.check()?;
    let warnings = request.warnings();
    let mut blocks = servers::blocks(&request);
    blocks.extend(firewall::host(&request));
    blocks.extend(firewall::blocks(&request));
    blocks.extend(firewall::nat(&request));
    blocks.extend(cloud::blocks(&request));
    blocks.extend(container::blocks(&request));
    blocks.extend(verify::blocks(&request));
    Ok(Setup { request, warnings, blocks })
}

/// Lines from a text: what recipes are written as here.
fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}
