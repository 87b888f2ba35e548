//! Where in the network this host stands: its own addresses, and the ways that it would take to others, as
//! the kernel tells them by one routing socket (rtnetlink(7)).

use super::addresses::{GET_ADDRESS, InterfaceAddress, NEW_ADDRESS, read_address};
use super::netlink::{ERROR, IFADDRMSG, ListError, REQUEST_DUMP, Requests};
use super::routes::{NEW_ROUTE, Way, ask_way, read_way};
use super::{Fault, errno};
use core::net::SocketAddr;

/// The ways to so many peers are asked for at once.
pub const MAX_PEERS: usize = 10;

/// What the kernel tells.
#[derive(Clone, Copy, Debug)]
pub enum Seen {
    /// An address of this host.
    Own(InterfaceAddress),
    /// The way to the peer in this place; where there is none, nothing is told.
    Way(usize, Way),
}

/// Tells `each` every address of this host, and the ways to `peers`, which takes the same time however many
/// routes there are.
pub fn look(peers: &[SocketAddr], each: &mut dyn FnMut(Seen)) -> Result<(), ListError> {
    let mut requests = Requests::new();
    requests.add(GET_ADDRESS, REQUEST_DUMP, &[&[0; IFADDRMSG]]);
    // The first has number 1, and each that there was room for the next one.
    let first = 2;
    for peer in peers.iter().take(MAX_PEERS) {
        ask_way(&mut requests, peer);
    }
    let mut refused = false;
    requests.send(&mut |number, kind, content| match kind {
        // Of a way: there is none.
        ERROR => refused |= number < first,
        NEW_ADDRESS => read_address(content).into_iter().for_each(|own| each(Seen::Own(own))),
        NEW_ROUTE => {
            if let (Some(place), Some(way)) = (number.checked_sub(first), read_way(content)) {
                each(Seen::Way(place as usize, way));
            }
        }
        _ => {}
    })?;
    if refused { Err(ListError::Fault(Fault::Other(errno::BROKEN))) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_oneself_is_loopback() {
        let lo = crate::sys::interfaces::index(b"lo").unwrap();
        let peers = ["127.0.0.1:53", "[::1]:53"].map(|peer| peer.parse().unwrap());
        let (mut own, mut ways) = (0, Vec::new());
        look(&peers, &mut |seen| match seen {
            Seen::Own(address) => own += usize::from(address.ip.is_loopback()),
            Seen::Way(place, way) => ways.push((place, way)),
        })
        .unwrap();
        assert!(own > 0);
        let source = Some("127.0.0.1".parse().unwrap());
        assert!(ways.contains(&(0, Way { interface: lo, gateway: None, source })), "{ways:?}");
    }

    #[test]
    fn as_many_ways_as_there_is_room_for() {
        let peer: SocketAddr = "[fe80::1%1]:53".parse().unwrap();
        let mut requests = Requests::new();
        requests.add(GET_ADDRESS, REQUEST_DUMP, &[&[0; IFADDRMSG]]);
        assert!((0..MAX_PEERS).all(|_| ask_way(&mut requests, &peer).is_some()));
    }
}
