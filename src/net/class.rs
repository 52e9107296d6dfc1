//! Address classes: what kind of address a server announced.

use std::net::{IpAddr, Ipv4Addr};

/// What an address is for (IANA special-purpose registries, RFC 6890).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Reachable over the internet. The documentation networks (RFC 5737, RFC 3849) count as such: tests and examples
    /// stand on them.
    Global,
    /// 169.254.0.0/16 (RFC 3927), `fe80::/10`.
    LinkLocal,
    /// 127.0.0.0/8, `::1`.
    Loopback,
    /// RFC 1918, and the unique local addresses of RFC 4193.
    Private,
    /// Multicast, 240.0.0.0/4, 0.0.0.0/8 beyond 0.0.0.0, benchmarking, protocol assignments.
    Reserved,
    /// 100.64.0.0/10, shared by a carrier's customers (RFC 6598).
    Shared,
    /// `0.0.0.0`, `::`.
    Unspecified,
}

/// The class of an address.
#[must_use]
pub fn class_of(address: IpAddr) -> Class {
    match address {
        IpAddr::V4(address) => class_of_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => class_of_v4(mapped),
            None if address.is_unspecified() => Class::Unspecified,
            None if address.is_loopback() => Class::Loopback,
            None if address.is_multicast() => Class::Reserved,
            None if address.is_unique_local() => Class::Private,
            None if address.is_unicast_link_local() => Class::LinkLocal,
            None => Class::Global,
        },
    }
}

fn class_of_v4(address: Ipv4Addr) -> Class {
    match address.octets() {
        [0, 0, 0, 0] => Class::Unspecified,
        [127, ..] => Class::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Class::Private,
        [100, 64..=127, ..] => Class::Shared,
        [169, 254, ..] => Class::LinkLocal,
        [0 | 224..=255, ..] | [192, 0, 0, _] | [198, 18..=19, ..] => Class::Reserved,
        _ => Class::Global,
    }
}

/// The addresses at which a cloud's metadata service answers. A server must not be able to send us there.
#[must_use]
pub fn is_metadata_service(address: IpAddr) -> bool {
    const V4: [Ipv4Addr; 3] = [
        Ipv4Addr::new(169, 254, 169, 254),
        Ipv4Addr::new(168, 63, 129, 16),
        Ipv4Addr::new(100, 100, 100, 200),
    ];
    match address {
        IpAddr::V4(address) => V4.contains(&address),
        IpAddr::V6(address) => {
            address.segments() == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254]
                || address.to_ipv4_mapped().is_some_and(|mapped| V4.contains(&mapped))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(text: &str) -> Class {
        class_of(text.parse().unwrap())
    }

    #[test]
    fn classes_at_their_edges() {
        for (text, expected) in [
            ("10.0.0.0", Class::Private),
            ("172.15.255.255", Class::Global),
            ("172.16.0.0", Class::Private),
            ("172.31.255.255", Class::Private),
            ("172.32.0.0", Class::Global),
            ("192.168.255.255", Class::Private),
            ("192.169.0.0", Class::Global),
            ("100.63.255.255", Class::Global),
            ("100.64.0.0", Class::Shared),
            ("100.127.255.255", Class::Shared),
            ("100.128.0.0", Class::Global),
            ("127.9.9.9", Class::Loopback),
            ("169.254.1.1", Class::LinkLocal),
            ("0.0.0.0", Class::Unspecified),
            ("0.0.0.1", Class::Reserved),
            ("224.0.0.1", Class::Reserved),
            ("240.0.0.1", Class::Reserved),
            ("198.18.0.1", Class::Reserved),
            ("203.0.113.7", Class::Global),
            ("192.0.2.7", Class::Global),
            ("2001:db8::1", Class::Global),
            ("fd00::1", Class::Private),
            ("fe80::1", Class::LinkLocal),
            ("::1", Class::Loopback),
            ("::ffff:10.0.0.1", Class::Private),
            ("ff02::1", Class::Reserved),
        ] {
            assert_eq!(class(text), expected, "{text}");
        }
    }

    #[test]
    fn metadata_services() {
        for text in
            ["169.254.169.254", "168.63.129.16", "100.100.100.200", "fd00:ec2::254", "::ffff:169.254.169.254"]
        {
            assert!(is_metadata_service(text.parse().unwrap()), "{text}");
        }
        assert!(!is_metadata_service("169.254.169.253".parse().unwrap()));
    }
}
