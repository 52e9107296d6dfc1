//! How to see that it works: before the server is installed, from outside, on the host, and by hand.

use std::net::IpAddr;

use super::request::Request;
use super::{Block, Section, lines};

pub(super) fn blocks(request: &Request) -> Vec<Block> {
    let range = request.range;
    let host = request.public().map(|address| target(address, request.port)).unwrap_or_default();
    let announced =
        request.public_ipv4.map_or_else(String::new, |address| format!(" --public-address {address}"));
    let port = if request.port == 21 { String::new() } else { format!(" --port {}", request.port) };
    let before = format!(
        "pasvcheck serve{port} --range {range}{announced}   # on the server's host, while no FTP server runs\n\
         pasvcheck --range {range} --scan {host}   # from outside: proves every port"
    );
    let addresses = [request.public_ipv4.map(IpAddr::V4), request.public_ipv6.map(IpAddr::V6)];
    let outside: Vec<String> = addresses
        .into_iter()
        .flatten()
        .map(|address| format!("pasvcheck --range {range}{announced} {}", target(address, request.port)))
        .collect();
    let inside = target(
        if request.ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() },
        request.port,
    );
    let on_host = format!("pasvcheck --range {range}{announced} {inside}");
    let step = |id, title: &str, text: &str| Block::new(id, Section::Verify, title, "sh", &lines(text));
    vec![
        step("verify-before", "Firewall and router, before the server runs", &before),
        step("verify-outside", "The server, from outside", &outside.join("\n"))
            .note("A named user: --user NAME. Exit code 0 is a sound server."),
        step("verify-host", "The server, on its host", &on_host)
            .note("Settings and login; not the firewall in front of it."),
        step("verify-by-hand", "By hand, from outside", &by_hand(request, &host)).note(
            "curl: a listing, by EPSV and then by PASV at the very address that the server names. nc on a port of the range: \
             \"refused\" is good (it gets through, and nobody listens at the moment), a timeout is a firewall.",
        ),
    ]
}

fn target(address: IpAddr, port: u16) -> String {
    match (address, port) {
        (address, 21) => address.to_string(),
        (IpAddr::V4(address), port) => format!("{address}:{port}"),
        (IpAddr::V6(address), port) => format!("[{address}]:{port}"),
    }
}

fn by_hand(request: &Request, host: &str) -> String {
    let Some(address) = request.public() else { return String::new() };
    let url = if host.contains(':') && !host.starts_with('[') && address.is_ipv6() {
        format!("ftp://[{host}]/")
    } else {
        format!("ftp://{host}/")
    };
    let mut steps = vec![format!("curl -v --connect-timeout 10 {url}")];
    if request.ipv4() {
        steps.push(format!("curl -v --connect-timeout 10 --disable-epsv --no-ftp-skip-pasv-ip {url}"));
    }
    steps.extend([request.range.min, request.range.max].map(|port| format!("nc -vz -w 5 {address} {port}")));
    steps.join("\n")
}
