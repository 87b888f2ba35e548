//! The families that AI_ADDRCONFIG found a moment ago.

use super::BELIEVED;
use crate::sys::time::Instant;
use core::net::{IpAddr, Ipv4Addr};
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Families of which an interface other than loopback has an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnFamilies {
    /// IPv4.
    pub v4: bool,
    /// IPv6.
    pub v6: bool,
}

impl OwnFamilies {
    /// Takes in an address of this host: any but 127.0.0.1 and ::1 counts.
    pub fn learn(&mut self, own: IpAddr) {
        match own {
            IpAddr::V4(ip) => self.v4 |= ip != Ipv4Addr::LOCALHOST,
            IpAddr::V6(ip) => self.v6 |= !ip.is_loopback(),
        }
    }
}

/// The families that were found a moment ago, and when: [`Instant::millis`] without its two lowest
/// bits, which say which. 0: never.
#[derive(Default)]
pub(super) struct Families(AtomicU32);

const V4: u32 = 1;
const V6: u32 = 2;

impl Families {
    /// What was found a moment ago.
    pub(super) fn get(&self, now: Instant) -> Option<OwnFamilies> {
        let found = self.0.load(Relaxed);
        let at = found & !(V4 | V6);
        let believed = found != 0 && now.millis().wrapping_sub(at) < BELIEVED;
        believed.then_some(OwnFamilies { v4: found & V4 != 0, v6: found & V6 != 0 })
    }

    /// Remembers what was found now.
    pub(super) fn put(&self, found: OwnFamilies, now: Instant) {
        let flag = |is: bool, flag: u32| if is { flag } else { 0 };
        let at = now.millis() & !(V4 | V6);
        self.0.store(at | flag(found.v4, V4) | flag(found.v6, V6), Relaxed);
    }

    /// Forgets it.
    pub(super) fn flush(&self) {
        self.0.store(0, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use crate::cache::recent::families::*;
    use core::time::Duration;

    #[test]
    fn families_are_believed_for_a_second() {
        let families = Families::default();
        let start = Instant::now();
        assert_eq!(families.get(start), None);
        let found = OwnFamilies { v4: true, v6: false };
        families.put(found, start);
        assert_eq!(families.get(start.after(Duration::from_millis(990))), Some(found));
        assert_eq!(families.get(start.after(Duration::from_millis(1010))), None);
        families.flush();
        assert_eq!(families.get(start), None);
    }
}
