//! Where a data connection may be opened to.
//!
//! A server can name any address in its 227, so the address of a reply is a request by a stranger. The target's own
//! addresses are always fine; everything else has to pass [`Contact::allows`].

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::class::{Class, class_of, is_metadata_service};

/// How many times a run may connect to addresses that only a reply named.
const THIRD_ADDRESS_LIMIT: u32 = 2;

/// The rules of one run on foreign addresses, and what it has already done.
#[derive(Clone, Debug)]
pub struct Contact {
    own_networks: Vec<IpNet>,
    targets: Vec<IpAddr>,
    follow_private: bool,
    targets_only: bool,
    used: u32,
}

impl Contact {
    /// Rules for a run. `follow_private` is the user's own permission to follow private addresses.
    #[must_use]
    pub fn new(own_networks: Vec<IpNet>, follow_private: bool) -> Self {
        Self { own_networks, targets: Vec::new(), follow_private, targets_only: false, used: 0 }
    }

    /// From now on the target's own addresses alone are contacted, if `only`.
    #[must_use]
    pub fn targets_only(self, only: bool) -> Self {
        Self { targets_only: only, ..self }
    }

    /// Tells which addresses are the target's own.
    pub fn set_targets(&mut self, targets: Vec<IpAddr>) {
        self.targets = targets;
    }

    /// Whether a connect from a session with `control` to `to` is allowed; if so it is counted. The refusal is a reason
    /// in words, fit for the report.
    pub fn allows(&mut self, control: IpAddr, to: SocketAddr) -> Result<(), String> {
        let address = to.ip();
        if to.port() == 0 {
            return Err("port 0 cannot be connected to".to_owned());
        }
        if self.is_target(control, address) {
            return Ok(());
        }
        if self.targets_only {
            return Err("the exporter contacts the target's own addresses alone".to_owned());
        }
        self.judge_foreign(control, address)?;
        if to.port() < 1024 {
            return Err("a reply does not send us to a privileged port of another host".to_owned());
        }
        if self.used >= THIRD_ADDRESS_LIMIT {
            return Err("the server named other addresses often enough".to_owned());
        }
        self.used += 1;
        Ok(())
    }

    /// Whether the address is the target's own: the control connection's, or another of its name. Nothing is sent to any
    /// other.
    #[must_use]
    pub fn is_target(&self, control: IpAddr, address: IpAddr) -> bool {
        address == control || self.targets.contains(&address)
    }

    fn judge_foreign(&self, control: IpAddr, address: IpAddr) -> Result<(), String> {
        let refuse = |reason: &str| Err(reason.to_owned());
        if is_metadata_service(address) {
            return refuse("it is the address of a cloud's metadata service");
        }
        if matches!(class_of(control), Class::Loopback | Class::Unspecified) {
            return refuse("the control connection is on loopback, so nothing else is contacted");
        }
        match class_of(address) {
            Class::Global => Ok(()),
            Class::LinkLocal => refuse("link-local addresses are never followed"),
            Class::Loopback => refuse("it would lead this host to itself"),
            Class::Reserved => refuse("it is a reserved or multicast address"),
            Class::Unspecified => refuse("it is no address that a host can have"),
            Class::Private | Class::Shared => {
                let near = matches!(class_of(control), Class::Private | Class::Shared);
                if near || self.follow_private || self.is_connected(address) {
                    Ok(())
                } else {
                    refuse(
                        "a private address is only followed inside its own network (or with --follow-private)",
                    )
                }
            }
        }
    }

    /// Whether the address lies in the network of one of our own interfaces. A default route does not count.
    fn is_connected(&self, address: IpAddr) -> bool {
        self.own_networks.iter().any(|network| network.prefix_len() > 0 && network.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(contact: &mut Contact, control: &str, to: &str) -> bool {
        contact.allows(control.parse().unwrap(), to.parse().unwrap()).is_ok()
    }

    fn fresh(networks: &[&str], follow_private: bool) -> Contact {
        Contact::new(networks.iter().map(|network| network.parse().unwrap()).collect(), follow_private)
    }

    #[test]
    fn the_target_itself_is_always_fine() {
        let mut contact = fresh(&[], false);
        contact.set_targets(vec!["203.0.113.9".parse().unwrap()]);
        for _ in 0..9 {
            assert!(ask(&mut contact, "203.0.113.10", "203.0.113.10:990"));
            assert!(ask(&mut contact, "203.0.113.10", "203.0.113.9:50000"));
            assert!(ask(&mut contact, "127.0.0.1", "127.0.0.1:50000"));
        }
    }

    #[test]
    fn dangerous_addresses_are_never_contacted() {
        for to in [
            "127.0.0.1:5000",
            "0.0.0.0:5000",
            "169.254.169.254:8080",
            "169.254.1.1:5000",
            "168.63.129.16:5000",
            "100.100.100.200:5000",
            "224.0.0.1:5000",
            "255.255.255.255:5000",
            "203.0.113.99:25",
            "203.0.113.10:0",
        ] {
            assert!(!ask(&mut fresh(&["192.0.2.4/24"], true), "203.0.113.10", to), "{to}");
        }
    }

    #[test]
    fn private_addresses_need_a_reason() {
        assert!(!ask(&mut fresh(&["192.0.2.4/24"], false), "203.0.113.10", "192.168.1.20:5000"));
        assert!(ask(&mut fresh(&["192.0.2.4/24"], true), "203.0.113.10", "192.168.1.20:5000"));
        assert!(ask(&mut fresh(&["192.168.1.4/24"], false), "203.0.113.10", "192.168.1.20:5000"));
        assert!(ask(&mut fresh(&[], false), "10.0.0.1", "192.168.1.20:5000"));
        assert!(!ask(&mut fresh(&["0.0.0.0/0"], false), "203.0.113.10", "192.168.1.20:5000"));
    }

    #[test]
    fn from_loopback_nothing_else_is_contacted() {
        assert!(!ask(&mut fresh(&["192.168.1.4/24"], true), "127.0.0.1", "192.168.1.20:5000"));
        assert!(!ask(&mut fresh(&[], true), "127.0.0.1", "203.0.113.7:5000"));
    }

    #[test]
    fn a_service_contacts_nobody_but_the_target() {
        let mut contact = fresh(&["192.168.1.4/24"], true).targets_only(true);
        contact.set_targets(vec!["203.0.113.9".parse().unwrap()]);
        assert!(ask(&mut contact, "203.0.113.10", "203.0.113.10:5000"));
        assert!(ask(&mut contact, "203.0.113.10", "203.0.113.9:5000"));
        for to in ["198.51.100.1:5000", "192.168.1.20:5000", "127.0.0.1:5000"] {
            assert!(!ask(&mut contact, "203.0.113.10", to), "{to}");
        }
    }

    #[test]
    fn a_third_address_is_contacted_twice_at_most() {
        let mut contact = fresh(&[], false);
        assert!(ask(&mut contact, "203.0.113.10", "198.51.100.1:5000"));
        assert!(ask(&mut contact, "203.0.113.10", "198.51.100.2:5000"));
        assert!(!ask(&mut contact, "203.0.113.10", "198.51.100.3:5000"));
    }
}
