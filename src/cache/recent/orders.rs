//! The orders that lists of addresses were put in a moment ago.

use super::BELIEVED;
use crate::base::address::Address;
use crate::sys::lock::Mutex;
use crate::sys::time::Instant;
use core::hash::{Hash, Hasher};
use std::hash::DefaultHasher;

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
        Orders { shards: Default::default(), sets: lists.div_ceil(SHARDS * WAYS), seed }
    }

    /// What the list of `addresses`, in this order, is remembered under; `None` where it isn't.
    pub fn list(&self, addresses: &[Address]) -> Option<List> {
        if self.sets == 0 || addresses.len() > MAX_ADDRESSES {
            return None;
        }
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.seed);
        for address in addresses {
            // All of it, the family too: 0.0.0.0 and :: are the same number.
            address.hash(&mut hasher);
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
        if let Some(mut shard) = self.shards.get(list.shard()).and_then(Mutex::lock)
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
        for mut shard in self.shards.iter().filter_map(Mutex::lock) {
            *shard = Vec::new();
        }
    }

    fn with_set<T>(&self, list: List, work: impl FnOnce(&mut [Order]) -> Option<T>) -> Option<T> {
        let mut shard = self.shards.get(list.shard()).and_then(Mutex::lock)?;
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

#[cfg(test)]
mod tests {
    use crate::cache::recent::orders::*;
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
    fn every_part_of_an_address_counts() {
        let orders = Orders::new(100, 1);
        let of = |list: &[&str]| {
            let list: Vec<Address> = list
                .iter()
                .map(|text| {
                    let (ip, scope) = text.split_once('%').unwrap_or((text, "0"));
                    Address { ip: ip.parse().unwrap(), scope: scope.parse().unwrap() }
                })
                .collect();
            orders.list(&list).unwrap().hash
        };
        let lists: &[&[&str]] = &[
            &["0.0.0.0", "::"],
            &["::", "0.0.0.0"],
            &["::", "::"],
            &["0.0.0.0", "0.0.0.0"],
            &["0.0.0.0", "0.0.0.0", "0.0.0.0"],
            &["0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0"],
            &["0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0"],
            &["::1", "127.0.0.1"],
            &["::127.0.0.1", "0.0.0.1"],
            &["::ffff:127.0.0.1", "0.0.0.1"],
            &["fe80::1%1", "::"],
            &["fe80::1", "::%1"],
            &["fe80::1%2", "::"],
        ];
        let mut hashes: Vec<u64> = lists.iter().map(|list| of(list)).collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), lists.len());
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
}
