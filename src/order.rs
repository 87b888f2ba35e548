//! Putting addresses in order: finds what RFC 6724 wants to know of each, and sorts.

use crate::error::Error;
use crate::lookup::select::{self, Candidate, Source};
use crate::mem::TryPush;
use crate::session::Session;
use crate::source::dns::read::Addresses;
use crate::sys::interfaces;
use crate::sys::socket::Socket;
use core::net::{IpAddr, SocketAddr, SocketAddrV6};
use smallvec::SmallVec;

/// Sorts `addresses`, best first. Two or more of them.
pub fn sort(session: &Session, addresses: &mut Addresses) -> Result<(), Error> {
    let mut candidates: SmallVec<[Candidate; 8]> = SmallVec::new();
    for &destination in addresses.iter() {
        let source = source_for(destination.ip, destination.scope).map(Source::new);
        candidates.try_push(Candidate { destination, source })?;
    }
    let policy = session.policy()?;
    if select::needs_interface_facts(&candidates, &policy) {
        learn_facts(&mut candidates);
    }
    select::sort(&mut candidates, &policy)?;
    for (place, candidate) in addresses.iter_mut().zip(&candidates) {
        *place = candidate.destination;
    }
    Ok(())
}

/// Fills in what is known of the sources' interfaces.
///
/// libc does so only on a host that has an IPv6 address besides loopback's; without one, two IPv4
/// addresses keep their order even where one is on a subnet of ours.
fn learn_facts(candidates: &mut [Candidate]) {
    let mut facts: SmallVec<[_; 8]> = SmallVec::new();
    let mut has_v6 = false;
    let listed = interfaces::addresses(&mut |own| {
        has_v6 |= own.ip.is_ipv6() && !own.ip.is_loopback();
        let wanted = candidates.iter().any(|c| c.source.is_some_and(|source| source.ip == own.ip));
        if wanted && facts.try_reserve(1).is_ok() {
            facts.push(own);
        }
    });
    // Without the list the rules that need it don't decide.
    if listed.is_err() || !has_v6 {
        return;
    }
    for source in candidates.iter_mut().filter_map(|candidate| candidate.source.as_mut()) {
        if let Some(own) = facts.iter().find(|own| own.ip == source.ip) {
            source.prefix_len = own.prefix_len;
            source.interface = own.interface;
            source.deprecated = own.deprecated;
            source.home = own.home;
            source.native = !interfaces::is_tunnel(own.interface);
        }
    }
}

/// The source address that the kernel would use towards `ip`, asked by connecting a UDP socket: no
/// packet is sent. `None` where there is no route.
fn source_for(ip: IpAddr, scope: u32) -> Option<IpAddr> {
    let peer = match ip {
        IpAddr::V4(_) => SocketAddr::new(ip, 1),
        IpAddr::V6(ip) => SocketAddr::V6(SocketAddrV6::new(ip, 1, 0, scope)),
    };
    Socket::udp(&peer).ok()?.local_address().ok()
}
