//! `pasvcheck fix`: the whole set-up, ready to paste.

use std::net::{IpAddr, Ipv4Addr};

use pasvcheck::evidence::PortRange;
use pasvcheck::explain::values::Values;
use pasvcheck::net::class::{Class, class_of};
use pasvcheck::report::Report;
use pasvcheck::setup::{Cloud, Container, Firewall, Request, Server, setup, show};

use super::args::{CloudKind, ContainerKind, FirewallKind, FixArgs, Format};
use super::output::Console;
use super::{Problem, saved};

/// What a saved report says for what was not typed.
#[derive(Debug, Default)]
struct Told {
    server: Option<Server>,
    public: Vec<IpAddr>,
    private: Option<Ipv4Addr>,
    range: Option<PortRange>,
    port: Option<u16>,
}

pub(crate) fn run(args: &FixArgs, console: &mut Console) -> Result<u8, Problem> {
    *console = Console::new(&args.output);
    let told = match &args.from {
        Some(path) => told(&saved::report(path)?, args)?,
        None => Told::default(),
    };
    let setup = setup(request(args, &told)?).map_err(|error| Problem::new(error.to_string()))?;
    let as_json = args.output.json || matches!(args.output.format, Format::Json);
    if !as_json && args.output.format != Format::Terminal {
        return Err(Problem::new("fix is written as text or with --json"));
    }
    let text = if as_json { show::json(&setup) } else { show::text(&setup, &console.style) };
    console.write(&text)?;
    console.finish()?;
    Ok(0)
}

fn request(args: &FixArgs, told: &Told) -> Result<Request, Problem> {
    let server = match &args.server {
        Some(name) => Some(Server::from_name(name).map_err(|error| Problem::new(error.to_string()))?),
        None => told.server,
    };
    let server = server.ok_or_else(|| {
        let known = Server::ALL.map(Server::word).join(", ");
        Problem::new(format!("--server is missing: one of {known} (or --from with the report of a check)"))
    })?;
    let range = args.range.or(told.range).ok_or_else(|| {
        Problem::new("--range is missing: the passive ports, for example --range 50000-50100")
    })?;
    let typed = args.public_address.as_slice();
    let addresses = if typed.is_empty() { told.public.as_slice() } else { typed };
    let (mut public_ipv4, mut public_ipv6) = (None, None);
    for address in addresses {
        let twice = match address {
            IpAddr::V4(address) => public_ipv4.replace(*address).is_some(),
            IpAddr::V6(address) => public_ipv6.replace(*address).is_some(),
        };
        if twice {
            return Err(Problem::new("--public-address: one IPv4 and one IPv6 address at the most"));
        }
    }
    let private_address = args.private_address.or(told.private.filter(|own| Some(*own) != public_ipv4));
    Ok(Request {
        server,
        public_ipv4,
        public_ipv6,
        private_address,
        port: args.port.or(told.port).unwrap_or(21),
        range,
        firewalls: firewalls(args, server)?,
        clouds: clouds(&args.cloud),
        containers: containers(&args.container),
    })
}

fn firewalls(args: &FixArgs, server: Server) -> Result<Vec<Firewall>, Problem> {
    let possible = Firewall::of(server);
    if args.firewall.is_empty() {
        return Ok(possible);
    }
    let wanted = args.firewall.iter().filter_map(|kind| match kind {
        FirewallKind::None => None,
        FirewallKind::Nft => Some(Firewall::Nft),
        FirewallKind::Iptables => Some(Firewall::Iptables),
        FirewallKind::Ufw => Some(Firewall::Ufw),
        FirewallKind::Firewalld => Some(Firewall::Firewalld),
        FirewallKind::Windows => Some(Firewall::Windows),
    });
    let wanted: Vec<Firewall> = wanted.collect();
    if wanted.contains(&Firewall::Windows) && !server.on_windows() {
        return Err(Problem::new(format!("--firewall windows: {} does not run on Windows", server.name())));
    }
    // FileZilla Server runs on Linux too; IIS does not.
    if server == Server::Iis && wanted.iter().any(|kind| *kind != Firewall::Windows) {
        return Err(Problem::new("IIS runs on Windows: --firewall windows is its only one"));
    }
    Ok(wanted)
}

fn clouds(kinds: &[CloudKind]) -> Vec<Cloud> {
    if kinds.is_empty() {
        return vec![Cloud::Aws, Cloud::Azure, Cloud::Gcp];
    }
    let wanted = kinds.iter().filter_map(|kind| match kind {
        CloudKind::None => None,
        CloudKind::Aws => Some(Cloud::Aws),
        CloudKind::Azure => Some(Cloud::Azure),
        CloudKind::Gcp => Some(Cloud::Gcp),
    });
    wanted.collect()
}

fn containers(kinds: &[ContainerKind]) -> Vec<Container> {
    if kinds.is_empty() {
        return vec![Container::Docker, Container::Compose, Container::Kubernetes];
    }
    let wanted = kinds.iter().filter_map(|kind| match kind {
        ContainerKind::None => None,
        ContainerKind::Docker => Some(Container::Docker),
        ContainerKind::Compose => Some(Container::Compose),
        ContainerKind::Kubernetes => Some(Container::Kubernetes),
    });
    wanted.collect()
}

/// Product, addresses and range of a report, as its own fixes have them.
fn told(report: &Report, args: &FixArgs) -> Result<Told, Problem> {
    let server = match (&report.server, &args.server) {
        (_, Some(_)) => None,
        (Some(known), None) => Some(
            Server::from_name(&known.product)
                .map_err(|error| Problem::new(format!("the report: {error}")))?,
        ),
        (None, None) => {
            let known = Server::ALL.map(Server::word).join(", ");
            return Err(Problem::new(format!(
                "the report does not know the server's product: add --server with one of {known}"
            )));
        }
    };
    let values = Values::of(&report.evidence, None);
    let value = |name: &str| values.fill(&format!("{{{name}}}"));
    let number = |name: &str| value(name).parse().ok();
    let advertised = value("advertised_address").parse::<Ipv4Addr>().ok();
    let private = |address: &Ipv4Addr| matches!(class_of((*address).into()), Class::Private | Class::Shared);
    let range = number("port_min").zip(number("port_max")).map(|(min, max)| PortRange { min, max });
    if args.range.is_none() && report.evidence.told.range.is_none() && range.is_some() {
        // Said where it is read, since the wrong range is worse than none.
        let note =
            format!("the range {} is {}", value("port_min") + "-" + &value("port_max"), values.range_from);
        Console::remark(&note);
    }
    // EPSV names no address, so a report's own words are of IPv4; over IPv6 it is the one that was checked.
    let ipv6 = report.evidence.checked().map(|endpoint| endpoint.address);
    let ipv6 = ipv6.filter(|address| address.is_ipv6() && class_of(*address) == Class::Global);
    let ipv4 = value("public_address").parse().ok().filter(IpAddr::is_ipv4);
    Ok(Told {
        server,
        public: ipv4.into_iter().chain(ipv6.take(1)).collect(),
        private: advertised.filter(private),
        range,
        port: Some(report.target.port),
    })
}
