//! What the kernel has said a moment ago about this host's addresses, so that an answer that is known
//! already costs no system call: the order that a list of addresses was put in, and which families
//! AI_ADDRCONFIG finds. Believed for a second at the most; wiped by a fork with all other state.

use crate::address::Address;
use crate::config::watch::try_lock;
use crate::sys::time::Instant;
use core::hash::Hasher;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::hash::DefaultHasher;
use std::sync::Mutex;

/// All that is remembered.
pub struct Recent {
    /// The orders of lists.
    pub orders: Orders,
    families: Families,
    /// False where nothing is to be remembered.
    is_on: bool,
}

impl Recent {
    /// Room for about as many lists as the cache has `entries`; with none nothing is remembered.
    pub fn new(entries: usize, seed: u64) -> Recent {
        Recent {
            orders: Orders::new(entries, seed),
            families: Families::default(),
            is_on: entries > 0,
        }
    }

    /// The families that were found a moment ago; else what `find` finds now.
    pub fn families<E>(
        &self,
        now: Instant,
        find: impl FnOnce() -> Result<OwnFamilies, E>,
    ) -> Result<OwnFamilies, E> {
        match self.families.get(now).filter(|_| self.is_on) {
            Some(found) => Ok(found),
            None => find().inspect(|&found| self.families.put(found, now)),
        }
    }

    /// Forgets all that can be had without waiting.
    pub fn flush(&self) {
        self.orders.flush();
        self.families.flush();
    }
}

/// How long it is believed, in milliseconds: a route or an address that comes or goes is followed
/// within a second.
const BELIEVED: u32 = 1000;

const SHARDS: usize = 16;
/// A list may be in this many places.
const WAYS: usize = 4;
/// Lists of more addresses are not remembered: a place in the list takes four bits of a word.
pub const MAX_ADDRESSES: usize = 16;

/// The orders of lists that were sorted a moment ago.
///
/// What is kept of a list is 64 bits of a hash that starts from a secret. Two lists that share one
/// are put in each other's order, which is a worse order, not another list.
pub struct Orders {
    shards: [Mutex<Vec<Order>>; SHARDS],
    /// Sets of [`WAYS`] in a shard; 0 where nothing is remembered.
    sets: usize,
    seed: u64,
}

/// One list's order. `list` is 0 where there is none.
#[derive(Clone, Copy, Default)]
struct Order {
    list: u64,
    /// Four bits each, the first lowest: which of the unsorted addresses stands in this place.
    places: u64,
    /// [`Instant::millis`] of when the kernel was asked.
    at: u32,
}

/// What a list is remembered under: nothing is under 0.
#[derive(Clone, Copy)]
pub struct List {
    hash: u64,
    len: usize,
}

impl Orders {
    /// Room for about `lists` lists, taken as it is needed; none where that is 0.
    pub fn new(lists: usize, seed: u64) -> Orders {
        Orders {
            shards: [const { Mutex::new(Vec::new()) }; SHARDS],
            sets: lists.div_ceil(SHARDS * WAYS),
            seed,
        }
    }

    /// What the list of `addresses`, in this order, is remembered under; `None` where it isn't.
    pub fn list(&self, addresses: &[Address]) -> Option<List> {
        if self.sets == 0 || addresses.len() > MAX_ADDRESSES {
            return None;
        }
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.seed);
        for address in addresses {
            match address.ip {
                core::net::IpAddr::V4(ip) => hasher.write_u32(ip.to_bits()),
                core::net::IpAddr::V6(ip) => hasher.write_u128(ip.to_bits()),
            }
            hasher.write_u32(address.scope);
        }
        Some(List { hash: hasher.finish(), len: addresses.len() })
    }

    /// The order that the list was put in a moment ago: for each place, which of the unsorted addresses.
    pub fn get(&self, list: List, now: Instant) -> Option<impl Iterator<Item = usize> + use<>> {
        let stamp = now.millis();
        let places = self.with_set(list, |set| {
            let known = set.iter().find(|order| order.list == list.hash && list.hash != 0)?;
            (stamp.wrapping_sub(known.at) < BELIEVED).then_some(known.places)
        })?;
        let order = (0..list.len).map(move |place| (places >> (4 * place) & 0xf) as usize);
        // Each once: another list that shares the hash is no reason to lose an address.
        let all = order.clone().fold(0u32, |all, from| all | 1 << from);
        (all == (1 << list.len) - 1).then_some(order)
    }

    /// Remembers the order that the list was put in now: for each place, which of the unsorted
    /// addresses. Nothing is where memory is short or others are at it.
    pub fn put(&self, list: List, order: impl Iterator<Item = usize>, now: Instant) {
        let places = order
            .take(MAX_ADDRESSES)
            .zip((0..).step_by(4))
            .fold(0, |places, (from, shift)| places | (from as u64 & 0xf) << shift);
        let fresh = Order { list: list.hash, places, at: now.millis() };
        if let Some(mut shard) = self.shards.get(list.shard()).and_then(try_lock)
            && shard.is_empty()
            && shard.try_reserve_exact(self.sets * WAYS).is_ok()
        {
            shard.resize(self.sets * WAYS, Order::default()); // within the capacity
        }
        self.with_set(list, |set| {
            let same = set.iter().position(|order| order.list == list.hash);
            let age = |order: &Order| (order.list != 0, fresh.at.wrapping_sub(order.at));
            // Without an empty place the oldest makes room.
            let oldest =
                || (0..set.len()).max_by_key(|&i| set.get(i).map(|o| (!age(o).0, age(o).1)));
            *set.get_mut(same.or_else(oldest)?)? = fresh;
            Some(())
        });
    }

    /// Forgets all that can be had without waiting.
    pub fn flush(&self) {
        for mut shard in self.shards.iter().filter_map(try_lock) {
            *shard = Vec::new();
        }
    }

    fn with_set<T>(&self, list: List, work: impl FnOnce(&mut [Order]) -> Option<T>) -> Option<T> {
        let mut shard = self.shards.get(list.shard()).and_then(try_lock)?;
        // In range for usize: below the number of sets, which is one.
        let first = (list.hash >> 8) as usize % self.sets * WAYS;
        work(shard.get_mut(first..first + WAYS)?)
    }
}

impl List {
    fn shard(self) -> usize {
        self.hash as usize % SHARDS
    }
}

/// Families of which an interface other than loopback has an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnFamilies {
    /// IPv4.
    pub v4: bool,
    /// IPv6.
    pub v6: bool,
}

/// The families that were found a moment ago, and when: [`Instant::millis`] without its two lowest
/// bits, which say which. 0: never.
#[derive(Default)]
struct Families(AtomicU32);

const V4: u32 = 1;
const V6: u32 = 2;

impl Families {
    /// What was found a moment ago.
    fn get(&self, now: Instant) -> Option<OwnFamilies> {
        let found = self.0.load(Relaxed);
        let at = found & !(V4 | V6);
        let believed = found != 0 && now.millis().wrapping_sub(at) < BELIEVED;
        believed.then_some(OwnFamilies { v4: found & V4 != 0, v6: found & V6 != 0 })
    }

    /// Remembers what was found now.
    fn put(&self, found: OwnFamilies, now: Instant) {
        let flag = |is: bool, flag: u32| if is { flag } else { 0 };
        let at = now.millis() & !(V4 | V6);
        self.0.store(at | flag(found.v4, V4) | flag(found.v6, V6), Relaxed);
    }

    /// Forgets it.
    fn flush(&self) {
        self.0.store(0, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::{IpAddr, Ipv4Addr};
    use core::time::Duration;

    fn address(last: u8) -> Address {
        Address::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)))
    }

    fn at(start: Instant, millis: u64) -> Instant {
        start.after(Duration::from_millis(millis))
    }

    #[test]
    fn an_order_is_believed_for_a_second_and_for_its_list_only() {
        let orders = Orders::new(100, 1);
        let start = Instant::now();
        let list = orders.list(&[address(1), address(2), address(3)]).unwrap();
        assert!(orders.get(list, start).is_none());
        orders.put(list, [2, 0, 1].into_iter(), start);
        let known = |list, now| orders.get(list, now).map(|o| o.collect::<Vec<_>>());
        assert_eq!(known(list, at(start, 999)), Some(vec![2, 0, 1]));
        assert_eq!(known(list, at(start, 1001)), None);
        let other = orders.list(&[address(2), address(1), address(3)]).unwrap();
        assert_eq!(known(other, start), None);
        orders.put(list, [0, 1, 2].into_iter(), start);
        assert_eq!(known(list, start), Some(vec![0, 1, 2]), "the later one counts");
        orders.flush();
        assert_eq!(known(list, start), None);
    }

    #[test]
    fn as_many_lists_as_there_is_room_for_are_remembered() {
        let orders = Orders::new(64, 1);
        let start = Instant::now();
        let lists: Vec<_> =
            (0..=255).map(|i| orders.list(&[address(i), address(0)]).unwrap()).collect();
        for (i, list) in (0..).zip(&lists) {
            orders.put(*list, [1, 0].into_iter(), at(start, i));
            assert!(orders.get(*list, at(start, i)).is_some(), "the newest has a place");
        }
        let held = lists.iter().filter(|list| orders.get(**list, at(start, 300)).is_some()).count();
        assert!((32..=64).contains(&held), "{held}");
        let long: Vec<_> = (0..17).map(address).collect();
        assert!(orders.list(&long).is_none() && orders.list(&long[..16]).is_some());
        assert!(Orders::new(0, 1).list(&long[..2]).is_none());
    }

    #[test]
    fn families_are_believed_for_a_second() {
        let families = Families::default();
        let start = Instant::now();
        assert_eq!(families.get(start), None);
        let found = OwnFamilies { v4: true, v6: false };
        families.put(found, start);
        assert_eq!(families.get(at(start, 990)), Some(found));
        assert_eq!(families.get(at(start, 1010)), None);
        families.flush();
        assert_eq!(families.get(start), None);
    }
}
