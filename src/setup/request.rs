//! What is wanted, and whether it makes sense.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Serialize;

use crate::evidence::PortRange;
use crate::net::class::{Class, class_of};
use crate::server::Product;

/// The ports that Linux gives to outgoing connections unless told otherwise (`net.ipv4.ip_local_port_range`).
pub const LINUX_EPHEMERAL: PortRange = PortRange { min: 32_768, max: 60_999 };

/// The same of Windows (`netsh int ipv4 show dynamicport tcp`).
pub const WINDOWS_EPHEMERAL: PortRange = PortRange { min: 49_152, max: 65_535 };

/// Fewer ports than this are soon all in use: each transfer takes one, and a closed one rests for a minute or more.
const ENOUGH_PORTS: u32 = 10;

/// Ports on which devices with helpers for telephony and streaming interfere (H.323, RTSP, SIP).
const HELPED_PORTS: [u16; 4] = [1720, 5060, 5061, 8554];

/// The products whose set-up is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Server {
    /// vsftpd.
    Vsftpd,
    /// `ProFTPD`.
    Proftpd,
    /// Pure-FTPd.
    PureFtpd,
    /// `FileZilla` Server 1.x.
    Filezilla,
    /// IIS 7 to 10.
    Iis,
}

impl Server {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Vsftpd, Self::Proftpd, Self::PureFtpd, Self::Filezilla, Self::Iis];

    /// The name on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Vsftpd => "vsftpd",
            Self::Proftpd => "proftpd",
            Self::PureFtpd => "pure-ftpd",
            Self::Filezilla => "filezilla",
            Self::Iis => "iis",
        }
    }

    /// The name as the product writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.product().name()
    }

    /// The product.
    #[must_use]
    pub fn product(self) -> Product {
        match self {
            Self::Vsftpd => Product::Vsftpd,
            Self::Proftpd => Product::ProFtpd,
            Self::PureFtpd => Product::PureFtpd,
            Self::Filezilla => Product::FileZilla,
            Self::Iis => Product::Iis,
        }
    }

    /// Whether it runs on Windows.
    #[must_use]
    pub fn on_windows(self) -> bool {
        matches!(self, Self::Filezilla | Self::Iis)
    }

    /// The server of that name, however it is written: `Pure-FTPd`, `pureftpd`, `FileZilla Server`.
    pub fn from_name(name: &str) -> Result<Self, RequestError> {
        let plain = |text: &str| -> String {
            text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
        };
        let wanted = plain(name);
        let known = Self::ALL
            .into_iter()
            .find(|server| [plain(server.word()), plain(server.name())].contains(&wanted));
        known.ok_or_else(|| RequestError::Product(name.to_owned()))
    }
}

/// Firewalls of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Firewall {
    /// nftables.
    Nft,
    /// iptables and ip6tables.
    Iptables,
    /// ufw.
    Ufw,
    /// firewalld.
    Firewalld,
    /// Windows Defender Firewall.
    Windows,
}

impl Firewall {
    /// Those that a server's system may have.
    #[must_use]
    pub fn of(server: Server) -> Vec<Self> {
        if server.on_windows() {
            vec![Self::Windows]
        } else {
            vec![Self::Nft, Self::Iptables, Self::Ufw, Self::Firewalld]
        }
    }
}

/// Clouds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cloud {
    /// Amazon EC2.
    Aws,
    /// Azure virtual machines.
    Azure,
    /// Google Compute Engine.
    Gcp,
}

/// What runs containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Container {
    /// docker (podman takes the same).
    Docker,
    /// docker compose.
    Compose,
    /// Kubernetes.
    Kubernetes,
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Request {
    /// The product.
    pub server: Server,
    /// The IPv4 address that clients reach.
    pub public_ipv4: Option<Ipv4Addr>,
    /// The IPv6 address that clients reach.
    pub public_ipv6: Option<Ipv6Addr>,
    /// The server's own IPv4 address behind a NAT router.
    pub private_address: Option<Ipv4Addr>,
    /// The control port.
    pub port: u16,
    /// The passive range.
    pub range: PortRange,
    /// Firewalls to write for.
    pub firewalls: Vec<Firewall>,
    /// Clouds to write for.
    pub clouds: Vec<Cloud>,
    /// Containers to write for.
    pub containers: Vec<Container>,
}

/// Why a request makes no sense, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// A product whose set-up is not known.
    #[error(
        "no set-up is known for \"{0}\"; there are {known}. The firewall's and router's part is the same for every server: take \
         it from one of these, and `pasvcheck explain data-port-filtered` tells the rest",
        known = Server::ALL.map(Server::word).join(", ")
    )]
    Product(String),
    /// No address at all.
    #[error("--public-address is missing: the address that clients reach, your router's where there is NAT")]
    NoAddress,
    /// An address that clients elsewhere cannot reach.
    #[error("--public-address {address}: this is {what}. {advice}")]
    NotPublic {
        /// The address.
        address: IpAddr,
        /// What it is.
        what: &'static str,
        /// What to do.
        advice: String,
    },
    /// A private address that is none.
    #[error(
        "--private-address {0}: a server cannot have this address; give the one of its own interface (ip -4 address)"
    )]
    NotPrivate(Ipv4Addr),
    /// Both addresses are the same.
    #[error("--private-address {0} is the public address too: without NAT leave --private-address away")]
    SameAddress(Ipv4Addr),
    /// A private address without a public IPv4 one.
    #[error(
        "--private-address is of use only with an IPv4 address in --public-address: IPv6 has no NAT here"
    )]
    PrivateWithoutPublic,
    /// Privileged ports.
    #[error(
        "the range {0} holds ports below 1024, which belong to other services: servers refuse it or need root, clients and \
         firewalls refuse to connect there. 50000-50100 would do"
    )]
    Privileged(PortRange),
    /// Ports that the product does not take.
    #[error("the range {range} goes beyond what {server} takes: {limit}")]
    BeyondServer {
        /// The range.
        range: PortRange,
        /// The product.
        server: &'static str,
        /// Its limit.
        limit: &'static str,
    },
    /// Too few ports.
    #[error(
        "the range {range} has {count} port(s), and {server} takes no fewer than two: 50000-50100 would do"
    )]
    TooFew {
        /// The range.
        range: PortRange,
        /// Its ports.
        count: u32,
        /// The product.
        server: &'static str,
    },
    /// The control port lies in the range.
    #[error("the range {0} holds the control port {1}: they must be apart")]
    ControlInRange(PortRange, u16),
}

impl Request {
    /// Whether there is IPv4 to serve.
    #[must_use]
    pub fn ipv4(&self) -> bool {
        self.public_ipv4.is_some()
    }

    /// Whether the two address families are both served.
    #[must_use]
    pub fn both(&self) -> bool {
        self.public_ipv4.is_some() && self.public_ipv6.is_some()
    }

    /// The address that clients reach, IPv4 first.
    #[must_use]
    pub fn public(&self) -> Option<IpAddr> {
        self.public_ipv4.map(IpAddr::V4).or(self.public_ipv6.map(IpAddr::V6))
    }

    /// The server's own address, or words to replace by it.
    #[must_use]
    pub fn private(&self) -> String {
        self.private_address.map_or_else(|| "SERVERS_OWN_ADDRESS".to_owned(), |address| address.to_string())
    }

    /// The range of the kernel's own choice that the passive range lies in, in part.
    #[must_use]
    pub fn ephemeral(&self) -> Option<PortRange> {
        let theirs = if self.server.on_windows() { WINDOWS_EPHEMERAL } else { LINUX_EPHEMERAL };
        (self.range.min <= theirs.max && theirs.min <= self.range.max).then_some(theirs)
    }

    /// Whether it makes sense.
    pub fn check(&self) -> Result<(), RequestError> {
        if self.public().is_none() {
            return Err(RequestError::NoAddress);
        }
        self.check_addresses()?;
        self.check_ports()
    }

    fn check_addresses(&self) -> Result<(), RequestError> {
        let addresses = [self.public_ipv4.map(IpAddr::V4), self.public_ipv6.map(IpAddr::V6)];
        for address in addresses.into_iter().flatten() {
            let (what, nat) = match class_of(address) {
                Class::Global => continue,
                Class::Private => ("a private address, which nobody outside of its network reaches", true),
                Class::Shared => {
                    ("an address of a carrier's own network (RFC 6598), which nobody outside reaches", true)
                }
                Class::Loopback => ("loopback, which every host has for itself", false),
                Class::LinkLocal => ("a link-local address, which no router forwards", false),
                Class::Unspecified => ("no address: it stands for \"any\"", false),
                Class::Reserved => ("a reserved or multicast address", false),
            };
            let advice = if nat {
                format!(
                    "Give the address that clients outside reach (the router's, the cloud's Elastic or external IP), and this \
                     one as --private-address {address}; a server for its own network alone needs no address set at all"
                )
            } else {
                "Give the address that clients outside reach".to_owned()
            };
            return Err(RequestError::NotPublic { address, what, advice });
        }
        match (self.private_address, self.public_ipv4) {
            (None, _) => Ok(()),
            (Some(_), None) => Err(RequestError::PrivateWithoutPublic),
            (Some(own), Some(public)) if own == public => Err(RequestError::SameAddress(own)),
            (Some(own), _) => match class_of(own.into()) {
                Class::Global | Class::Private | Class::Shared => Ok(()),
                _ => Err(RequestError::NotPrivate(own)),
            },
        }
    }

    fn check_ports(&self) -> Result<(), RequestError> {
        let (range, server) = (self.range, self.server.name());
        if range.min < 1024 {
            return Err(RequestError::Privileged(range));
        }
        if range.contains(self.port) {
            return Err(RequestError::ControlInRange(range, self.port));
        }
        match self.server {
            Server::Proftpd if range.len() < 2 => {
                Err(RequestError::TooFew { range, count: range.len(), server })
            }
            Server::Iis if range.min == 1024 => {
                Err(RequestError::BeyondServer { range, server, limit: "1025-65535" })
            }
            _ => Ok(()),
        }
    }

    /// What to think about.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let (range, count) = (self.range, self.range.len());
        if count < ENOUGH_PORTS {
            warnings.push(format!(
                "{range} has {count} port{}: each transfer takes one of its own, and clients open several at a time. Take at \
                 least {ENOUGH_PORTS}, better 100.",
                if count == 1 { "" } else { "s" }
            ));
        }
        if self.server == Server::PureFtpd && count > 1 {
            warnings.push(format!(
                "Pure-FTPd lets in no more clients than half the ports: {} with this range, whatever MaxClientsNumber says.",
                count / 2
            ));
        }
        if let Some(theirs) = self.ephemeral() {
            warnings.push(if self.server.on_windows() {
                format!(
                    "{range} lies in the range from which Windows takes ports for outgoing connections ({theirs}): now and then \
                     one of them is in use. A range below {} avoids that.",
                    theirs.min
                )
            } else {
                format!(
                    "{range} lies in the range from which Linux takes ports for outgoing connections ({theirs}): now and then \
                     one of them is in use, and the transfer fails. Reserve it, as below, or choose a range below {}.",
                    theirs.min
                )
            });
        }
        let helped: Vec<String> =
            HELPED_PORTS.iter().filter(|port| range.contains(**port)).map(ToString::to_string).collect();
        if !helped.is_empty() {
            warnings.push(format!(
                "{range} holds {}, on which routers with helpers for telephony or streaming interfere: choose a range without.",
                helped.join(", ")
            ));
        }
        if self.containers.contains(&Container::Docker) && count > 1000 {
            warnings.push(format!(
                "Publishing {count} ports of a container is slow: take a hundred, or host networking."
            ));
        }
        warnings
    }
}
