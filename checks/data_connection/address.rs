//! Findings about the address that concern both sides: a missing hairpin, data on another host.

use crate::checks::passive_reply::is_near;
use crate::checks::paths::{Way, by_advertised, by_control, other_address};
use crate::checks::support::{each, quoted_visit, visits};
use crate::evidence::{Endpoint, Evidence, Mode};
use crate::finding::{Confidence, Detail, Location, Scope};
use crate::net::class::{Class, class_of};

/// A client inside is told the public address and cannot reach it.
pub(super) fn hairpin_missing(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let address = other_address(endpoint)?;
        if !is_near(class_of(endpoint.address)) || class_of(address) != Class::Global {
            return None;
        }
        let confidence = match (by_advertised(endpoint, address), by_control(endpoint, Mode::Pasv)) {
            (Way::Fails(_) | Way::OpensInVain, Way::Works) => Confidence::Certain,
            (Way::Fails(_) | Way::OpensInVain, Way::Opens) => Confidence::Likely,
            _ => return None,
        };
        let here = endpoint.address;
        let title = format!("clients inside are sent to {address} and cannot reach it from there");
        let detail = format!(
            "You reach the server at its inside address {here}, and its 227 names the public address {address}, which does \
             not answer from inside. At {here} the same port opens. The router does not turn connections from inside to \
             its public address back (NAT loopback, hairpin), or the server should not announce the public address to \
             inside clients. Clients outside may be served well: check from there too."
        );
        Some(quotes(
            endpoint,
            Detail::new(Scope::mode(here, Mode::Pasv), title, detail).confidence(confidence),
        ))
    })
}

/// The advertised address works and the control address does not: EPSV has no address to name.
pub(super) fn data_on_another_host(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let address = other_address(endpoint)?;
        let here = endpoint.address;
        let fails = match by_control(endpoint, Mode::Pasv) {
            Way::Fails(connect) => connect,
            _ => match by_control(endpoint, Mode::Epsv) {
                Way::Fails(connect) => connect,
                _ => return None,
            },
        };
        if by_advertised(endpoint, address) != Way::Works {
            return None;
        }
        let title = format!("data is served at {address}, not at {here}");
        let detail = format!(
            "PASV names {address} and a listing from there is complete, so clients that follow the reply work. The same port \
             at {here} does not ({}). EPSV names no address, so it leads to {here} and fails; and clients that ignore the \
             address in the reply (curl since 7.74, Python's ftplib since 3.9, Java's commons-net since 3.9) fail too.",
            fails.describe()
        );
        let seen = Detail::new(Scope::endpoint(here), title, detail).location(Location::Server);
        Some(quotes(endpoint, seen))
    })
}

/// The last attempt at each address.
fn quotes(endpoint: &Endpoint, seen: Detail) -> Detail {
    let mut told = Vec::new();
    let mut seen = seen;
    let mut all: Vec<_> = visits(endpoint, Mode::Pasv).collect();
    all.reverse();
    for visit in all {
        if visit.connect.tried() && !told.contains(&visit.connect.to.ip()) {
            told.push(visit.connect.to.ip());
            seen = seen.quote(quoted_visit(visit));
        }
    }
    seen
}
