//! This host's own interface networks.

use ipnet::IpNet;

/// The networks of the interfaces, loopback included; empty where the system does not tell.
#[cfg(unix)]
pub(super) fn own_networks() -> Vec<IpNet> {
    use std::net::IpAddr;

    use nix::sys::socket::SockaddrStorage;

    fn address(storage: Option<&SockaddrStorage>) -> Option<IpAddr> {
        let storage = storage?;
        storage
            .as_sockaddr_in()
            .map(|v4| IpAddr::V4(v4.ip()))
            .or_else(|| storage.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
    }

    let Ok(interfaces) = nix::ifaddrs::getifaddrs() else { return Vec::new() };
    interfaces
        .filter_map(|interface| {
            let mask = address(interface.netmask.as_ref())?;
            IpNet::with_netmask(address(interface.address.as_ref())?, mask).ok()
        })
        .collect()
}

/// The networks of the interfaces: unknown on this system.
#[cfg(not(unix))]
pub(super) fn own_networks() -> Vec<IpNet> {
    Vec::new()
}
