//! The network that this host is in: what an answer is good for beside its configuration. An answer of the
//! network before, of a captive portal or from before a VPN was up, would be served for its TTL.
//!
//! Nothing tells us of a change, for nothing of ours lives between calls: a lookup that goes by what the
//! network has said looks at it anew, at most once a second.

use crate::cache::recent::BELIEVED;
use crate::sys::addresses::{InterfaceAddress, SCOPE_LINK};
use crate::sys::lock::Mutex;
use crate::sys::routes::Way;
use crate::sys::surroundings::MAX_PEERS;
use crate::sys::time::Instant;
use core::hash::{Hash, Hasher};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use core::time::Duration;
use smallvec::SmallVec;
use std::hash::DefaultHasher;

/// Hosts that every host reaches by its default routes, if it has any: those that the AS112 project has for
/// questions that lead nowhere (RFC 7535 section 3.4). Nothing is sent to them; the kernel is asked for the
/// way.
const FAR: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(192, 31, 196, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 4, 0x112, 0, 0, 0, 0, 1)),
];

/// Where this host stands: one number of its own addresses, its way out, and the ways to its name servers.
///
/// What comes and goes on a host that stays where it is counts for nothing: addresses that reach no
/// further than a link or the host (each container's interface has one), temporary ones (RFC 8981), those
/// that are still being checked, and how long any of them lasts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place(u64);

impl Place {
    /// Takes in one of this host's addresses, in whatever order they come.
    pub fn add_own(&mut self, own: &InterfaceAddress) {
        if own.scope < SCOPE_LINK && !own.temporary && !own.tentative {
            self.add((0u8, own.ip, own.prefix_len, own.interface));
        }
    }

    /// Takes in the way to a peer.
    pub fn add_way(&mut self, peer: usize, way: &Way) {
        // Of an IPv6 source the subnet: within it one temporary address follows the other.
        let source = way.source.map(|source| match source {
            IpAddr::V4(ip) => u64::from(ip.to_bits()),
            IpAddr::V6(ip) => (ip.to_bits() >> 64) as u64,
        });
        self.add((1u8, peer, way.interface, way.gateway, source));
    }

    fn add(&mut self, part: impl Hash) {
        let mut hasher = DefaultHasher::new();
        part.hash(&mut hasher);
        self.0 = self.0.wrapping_add(hasher.finish());
    }
}

/// The peers to which the ways are part of a place.
pub fn peers(servers: impl Iterator<Item = SocketAddr>) -> SmallVec<[SocketAddr; MAX_PEERS]> {
    let far = FAR.map(|ip| SocketAddr::new(ip, 0));
    far.into_iter().chain(servers).take(MAX_PEERS).collect()
}

/// Where a version of the configuration has been used from, and when that was last looked at.
#[derive(Debug, Default)]
pub struct Network {
    /// [`Instant::millis`], made odd; 0: never.
    looked: AtomicU32,
    /// `None` where the kernel has not said.
    place: Mutex<Option<Place>>,
}

impl Network {
    /// In this place.
    pub fn at(place: Place, now: Instant) -> Network {
        Network { looked: AtomicU32::new(now.millis() | 1), place: Mutex::new(Some(place)) }
    }

    /// True for the one caller that is to look now.
    pub fn is_due(&self, now: Instant) -> bool {
        let (looked, stamp) = (self.looked.load(Relaxed), now.millis() | 1);
        (looked == 0 || stamp.wrapping_sub(looked) >= BELIEVED)
            && self.looked.compare_exchange(looked, stamp, Relaxed, Relaxed).is_ok()
    }

    /// Until when nobody is to look again.
    pub fn fresh_until(&self, now: Instant) -> Instant {
        let age = (now.millis() | 1).wrapping_sub(self.looked.load(Relaxed));
        now.after(Duration::from_millis(BELIEVED.saturating_sub(age).into()))
    }

    /// True where it has been another place until now.
    pub fn has_moved(&self, place: Place) -> bool {
        let Some(mut before) = self.place.lock() else { return false };
        *before.get_or_insert(place) != place
    }
}

#[cfg(test)]
mod tests {
    use crate::cache::network::*;
    use crate::sys::addresses::tests::own;

    fn place(own: &[InterfaceAddress], ways: &[Way]) -> Place {
        let mut place = Place::default();
        own.iter().for_each(|own| place.add_own(own));
        ways.iter().enumerate().for_each(|(peer, way)| place.add_way(peer, way));
        place
    }

    #[test]
    fn what_another_place_is() {
        let (one, two) = (own("192.0.2.1", 2), own("2001:db8::1", 2));
        let way = |interface, gateway: &str, source: &str| Way {
            interface,
            gateway: gateway.parse().ok(),
            source: source.parse().ok(),
        };
        let out = way(2, "192.0.2.254", "192.0.2.1");
        let here = place(&[one, two], &[out]);
        assert_eq!(place(&[two, one], &[out]), here, "in whatever order");
        for own in [
            InterfaceAddress { scope: SCOPE_LINK, ..own("fe80::1", 3) },
            InterfaceAddress { scope: 254, ..own("127.0.0.1", 1) },
            InterfaceAddress { temporary: true, ..own("2001:db8::2", 2) },
            InterfaceAddress { tentative: true, ..own("2001:db8::3", 2) },
        ] {
            assert_eq!(place(&[one, two, own], &[out]), here, "{own:?}");
        }
        let old = InterfaceAddress { deprecated: true, ..two };
        assert_eq!(place(&[one, old], &[out]), here);
        for (own, ways) in [
            (vec![one], vec![out]),
            (vec![one, two], vec![]),
            (vec![one, two, own("198.51.100.1", 3)], vec![out]),
            (vec![one, InterfaceAddress { interface: 3, ..two }], vec![out]),
            (vec![one, two], vec![way(3, "192.0.2.254", "192.0.2.1")]),
            (vec![one, two], vec![way(2, "192.0.2.253", "192.0.2.1")]),
            (vec![one, two], vec![way(2, "", "192.0.2.1")]),
            (vec![one, two], vec![way(2, "192.0.2.254", "192.0.2.2")]),
        ] {
            assert_ne!(place(&own, &ways), here, "{own:?} {ways:?}");
        }
        let v6 = |source| place(&[one], &[way(2, "fe80::1", source)]);
        assert_eq!(v6("2001:db8::1"), v6("2001:db8::2"), "of the same subnet");
        assert_ne!(v6("2001:db8::1"), v6("2001:db8:1::1"));
    }

    #[test]
    fn one_looks_once_a_second() {
        let (network, start) = (Network::default(), Instant::now());
        let at = |millis| start.after(Duration::from_millis(millis));
        assert!(network.is_due(start) && !network.is_due(start) && !network.is_due(at(990)));
        assert!(network.fresh_until(at(400)) > at(990));
        assert!(network.is_due(at(1010)) && !network.is_due(at(1010)));
        let places = [Place(1), Place(2)];
        assert!(!network.has_moved(places[0]) && !network.has_moved(places[0]), "the first");
        assert!(network.has_moved(places[1]), "another");
        assert!(!Network::at(places[1], start).has_moved(places[1]));
    }
}
