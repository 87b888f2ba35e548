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
        // Without them the rules that need them don't decide.
        let _ = interfaces::addresses(&mut |own| {
            for candidate in &mut candidates {
                if let Some(source) = candidate.source.as_mut().filter(|s| s.ip == own.ip) {
                    source.prefix_len = own.prefix_len;
                    source.interface = own.interface;
                    source.deprecated = own.deprecated;
                    source.home = own.home;
                }
            }
        });
    }
    select::sort(&mut candidates, &policy)?;
    for (place, candidate) in addresses.iter_mut().zip(&candidates) {
        *place = candidate.destination;
    }
    Ok(())
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
