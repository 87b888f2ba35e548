//! What the kernel said a moment ago of this host's own addresses, as far as the order of others' depends
//! on it (RFC 6724 section 7).

use super::BELIEVED;
use crate::sys::addresses::InterfaceAddress;
use crate::sys::lock::Mutex;
use crate::sys::time::Instant;
use core::net::IpAddr;

/// Own addresses of which facts are remembered. Most hosts have fewer; of others those that are asked for.
const MAX_FACTS: usize = 8;

/// One of this host's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The address.
    pub ip: IpAddr,
    /// What the kernel said of it; `None` where it is not this host's.
    pub own: Option<InterfaceAddress>,
    /// An interface, and whether that is a tunnel.
    tunnel: Option<(u32, bool)>,
}

impl Fact {
    /// Whether the address's interface is a tunnel: as `find` finds now, if nobody has before.
    pub fn is_tunnel(&mut self, find: impl FnOnce(u32) -> bool) -> bool {
        let interface = self.own.map_or(0, |own| own.interface);
        self.tunnel.get_or_insert_with(|| (interface, find(interface))).1
    }
}

/// What was said of all of them at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts {
    list: [Option<Fact>; MAX_FACTS],
    /// There is an IPv6 address besides loopback's.
    pub has_v6: bool,
    /// [`Instant::millis`] of when it was said.
    at: u32,
}

impl Facts {
    /// Nothing yet, but of which addresses: `wanted` first, then those that were this host's before.
    pub fn about(
        wanted: impl Iterator<Item = IpAddr>,
        before: Option<&Facts>,
        now: Instant,
    ) -> Facts {
        let mut facts = Facts { at: now.millis(), ..Facts::default() };
        wanted.for_each(|ip| facts.add(ip, None));
        let old = before.iter().flat_map(|before| &before.list).flatten();
        let own = old.filter(|fact| fact.own.is_some());
        // What kind an interface is of is settled when it is made.
        own.for_each(|fact| facts.add(fact.ip, fact.tunnel));
        facts
    }

    fn add(&mut self, ip: IpAddr, tunnel: Option<(u32, bool)>) {
        let is_it = |other: &&mut Option<Fact>| other.is_none_or(|other| other.ip == ip);
        if let Some(place) = self.list.iter_mut().find(is_it) {
            *place = Some(Fact { ip, own: None, tunnel });
        }
    }

    /// Takes in what the kernel says of an address.
    pub fn learn(&mut self, own: &InterfaceAddress) {
        self.has_v6 |= own.ip.is_ipv6() && !own.ip.is_loopback();
        if self.of(own.ip).is_none() && !own.ip.is_loopback() {
            self.add(own.ip, None);
        }
        // Of an address that several interfaces have, the first.
        if let Some(fact) = self.of(own.ip).filter(|fact| fact.own.is_none()) {
            fact.own = Some(*own);
            fact.tunnel = fact.tunnel.filter(|(interface, _)| *interface == own.interface);
        }
    }

    /// What is known of an address; `None` where nothing was asked.
    pub fn of(&mut self, ip: IpAddr) -> Option<&mut Fact> {
        self.list.iter_mut().flatten().find(|fact| fact.ip == ip)
    }
}

/// The facts of a moment ago.
#[derive(Default)]
pub(super) struct Remembered(Mutex<Option<Facts>>);

impl Remembered {
    /// Those that were said, however long ago.
    pub(super) fn last(&self) -> Option<Facts> {
        *self.0.lock()?
    }

    /// Those that were said a moment ago.
    pub(super) fn get(&self, now: Instant) -> Option<Facts> {
        self.last().filter(|facts| now.millis().wrapping_sub(facts.at) < BELIEVED)
    }

    pub(super) fn put(&self, facts: Option<Facts>) {
        if let Some(mut place) = self.0.lock() {
            *place = facts;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::cache::recent::facts::*;
    use crate::sys::addresses::tests::own;
    use core::time::Duration;

    #[test]
    fn facts_are_believed_for_a_second_and_tunnels_asked_for_once() {
        let (remembered, start) = (Remembered::default(), Instant::now());
        let mut facts = Facts::about(core::iter::empty(), None, start);
        facts.learn(&own("::1", 1));
        assert!(!facts.has_v6 && facts.of("::1".parse().unwrap()).is_none());
        facts.learn(&own("192.0.2.1", 2));
        facts.learn(&own("192.0.2.1", 3));
        let fact = facts.of("192.0.2.1".parse().unwrap()).unwrap();
        assert_eq!(fact.own.unwrap().interface, 2, "the first that has it");
        assert!(fact.is_tunnel(|interface| interface == 2) && fact.is_tunnel(|_| false));
        remembered.put(Some(facts));
        let at = |millis| start.after(Duration::from_millis(millis));
        assert!(remembered.get(at(999)).is_some() && remembered.get(at(1001)).is_none());
        // The same address again: its interface is the same, or another one.
        for (interface, known) in [(2, true), (4, false)] {
            let mut again = Facts::about(core::iter::empty(), remembered.last().as_ref(), at(2000));
            again.learn(&own("192.0.2.1", interface));
            let fact = again.of("192.0.2.1".parse().unwrap()).unwrap();
            assert_eq!(fact.is_tunnel(|_| false), known);
        }
    }

    #[test]
    fn those_that_are_asked_for_have_a_place_among_many() {
        let wanted: IpAddr = "198.51.100.1".parse().unwrap();
        let mut facts = Facts::about([wanted].into_iter(), None, Instant::now());
        (0..100).for_each(|i| facts.learn(&own(&format!("192.0.2.{i}"), 1)));
        facts.learn(&own("198.51.100.1", 1));
        facts.learn(&own("2001:db8::1", 1));
        assert!(facts.of(wanted).unwrap().own.is_some() && facts.has_v6);
        assert!(facts.of("192.0.2.99".parse().unwrap()).is_none());
    }
}
