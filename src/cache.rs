//! The cache: what the DNS has answered, for as long as its TTL allows. One per process, bounded,
//! in shards that nobody waits long for: one that stays busy counts as a miss.
//!
//! A shard is set-associative: an entry has eight places it may be in, so looking up and making room
//! take the same few steps however full it is, and names chosen by an attacker can't make them more.

use crate::address::Address;
use crate::config::watch::{lock, try_lock};
use crate::mem::NoMemory;
use crate::source::dns::name::Name;
use crate::sys::shared::Shared;
use crate::sys::time::Instant;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use core::time::Duration;
use smallvec::SmallVec;
use std::sync::{Mutex, MutexGuard};

const SHARDS: usize = 16;
const WAYS: usize = 8;
/// The octets that the answers of one set may take besides their places: all of a thousand addresses,
/// twice, and no more of what a server sends to fill memory. Most take some fifty.
const SET_OCTETS: usize = 64 << 10;

/// What an answer is kept under.
#[derive(Clone, Copy)]
pub struct Key<'a> {
    /// The full name asked for.
    pub name: &'a Name,
    /// The record type.
    pub qtype: u16,
    /// Which version of the configuration it was asked by: another one's answers don't count.
    pub generation: u32,
}

/// What an answer said.
pub enum Content {
    /// The name's addresses; and where it is an alias, the canonical name and the aliases between
    /// the two, each ended by NUL.
    Addresses(SmallVec<[Address; 2]>, Box<[u8]>),
    /// Host names, as one run of names in wire form.
    Names(Box<[u8]>),
    /// The name exists without such records.
    NoData,
    /// The name does not exist.
    NoName,
}

impl Content {
    /// The heap that it takes.
    fn octets(&self) -> usize {
        match self {
            Content::Addresses(list, names) => size_of_val(&**list) + names.len(),
            Content::Names(names) => names.len(),
            Content::NoData | Content::NoName => 0,
        }
    }
}

/// An answer that is kept.
pub struct Entry {
    /// In wire form. Most names, and most addresses, lie in the entry itself.
    name: SmallVec<[u8; 36]>,
    qtype: u16,
    generation: u32,
    /// When it is no longer true.
    expires: Instant,
    /// What it said.
    pub content: Content,
}

impl Entry {
    /// Seconds that are left of it.
    pub fn ttl(&self, now: Instant) -> u32 {
        u32::try_from(self.expires.since(now).as_secs()).unwrap_or(u32::MAX)
    }

    fn is(&self, key: &Key<'_>) -> bool {
        self.qtype == key.qtype
            && self.generation == key.generation
            && self.name.eq_ignore_ascii_case(key.name.wire())
    }
}

/// Counters since the process began, or since the fork that made it.
#[derive(Debug, Default)]
pub struct Counters {
    /// Questions answered from the cache.
    pub hits: AtomicUsize,
    /// Questions that had to be asked.
    pub misses: AtomicUsize,
    /// Entries that made room for others before their time.
    pub evictions: AtomicUsize,
}

/// The cache. With no entries allowed it is always empty.
pub struct Cache {
    shards: [Mutex<Vec<Slot>>; SHARDS],
    /// Sets in a shard; 0 switches the cache off.
    sets: usize,
    seed: u64,
    /// How it does.
    pub counters: Counters,
}

#[derive(Default)]
struct Slot {
    hash: u32,
    /// Used since the hand passed: gets another round before it makes room.
    used: bool,
    entry: Option<Shared<Entry>>,
}

impl Slot {
    fn octets(&self) -> usize {
        self.entry.as_ref().map_or(0, |entry| entry.content.octets())
    }
}

impl Cache {
    /// A cache of at least `entries` places; `seed` makes where they are unpredictable.
    /// It takes memory as it fills.
    pub fn new(entries: usize, seed: u64) -> Cache {
        Cache {
            shards: [const { Mutex::new(Vec::new()) }; SHARDS],
            sets: entries.div_ceil(SHARDS * WAYS),
            seed,
            counters: Counters::default(),
        }
    }

    /// False where the configuration has switched it off.
    pub fn is_on(&self) -> bool {
        self.sets > 0
    }

    /// The answer kept under `key`, if it is still true.
    pub fn get(&self, key: &Key<'_>, now: Instant) -> Option<Shared<Entry>> {
        if !self.is_on() {
            return None;
        }
        let hash = self.hash(key);
        let found = self.set(hash).and_then(|mut set| {
            let slot = set.slots()?.iter_mut().find(|slot| {
                slot.hash == hash
                    && slot.entry.as_ref().is_some_and(|e| e.expires > now && e.is(key))
            })?;
            slot.used = true;
            slot.entry.clone()
        });
        if found.is_some() {
            self.counters.hits.fetch_add(1, Relaxed);
        }
        found
    }

    /// Counts questions that are asked because no answer is kept.
    pub fn missed(&self, questions: usize) {
        if self.is_on() {
            self.counters.misses.fetch_add(questions, Relaxed);
        }
    }

    /// Keeps an answer for `ttl` seconds. Zero is not kept, and nothing is where memory is short or
    /// the shard is busy.
    pub fn put(&self, key: &Key<'_>, content: Content, ttl: u32, now: Instant) {
        let weight = content.octets();
        if !self.is_on() || ttl == 0 || weight > SET_OCTETS {
            return;
        }
        let expires = now.after(Duration::from_secs(ttl.into()));
        let mut name = SmallVec::new();
        if name.try_reserve_exact(key.name.wire().len()).is_err() {
            return;
        }
        name.extend_from_slice(key.name.wire());
        let Key { qtype, generation, .. } = *key;
        let entry = Shared::new(Entry { name, qtype, generation, expires, content });
        let (Ok(entry), hash) = (entry, self.hash(key)) else { return };
        let Some(mut set) = self.set(hash) else { return };
        if set.make_room().is_err() {
            return;
        }
        let Some(slots) = set.slots() else { return };
        let victim = slots
            .iter()
            .position(|slot| slot.hash == hash && slot.entry.as_ref().is_some_and(|e| e.is(key)))
            .or_else(|| {
                slots.iter().position(|slot| slot.entry.as_ref().is_none_or(|e| e.expires <= now))
            })
            .or_else(|| {
                self.counters.evictions.fetch_add(1, Relaxed);
                slots.iter_mut().position(|slot| !core::mem::take(&mut slot.used))
            })
            .unwrap_or(0);
        if let Some(slot) = slots.get_mut(victim) {
            *slot = Slot { hash, used: false, entry: Some(entry) };
        }
        // Heavy ones make room for the new one, whichever they are: they are rare.
        let mut total: usize = slots.iter().map(Slot::octets).sum();
        for (at, slot) in slots.iter_mut().enumerate() {
            if total > SET_OCTETS && at != victim {
                total -= slot.octets();
                *slot = Slot::default();
            }
        }
    }

    /// Forgets everything that can be had without waiting.
    pub fn flush(&self) {
        for shard in &self.shards {
            if let Some(mut slots) = lock(shard) {
                *slots = Vec::new();
            }
        }
    }

    /// How many answers it holds, those included whose time is up; a shard that is busy counts none.
    pub fn entries(&self) -> usize {
        let held = |slots: MutexGuard<'_, Vec<Slot>>| {
            slots.iter().filter(|slot| slot.entry.is_some()).count()
        };
        self.shards.iter().filter_map(try_lock).map(held).sum()
    }

    fn hash(&self, key: &Key<'_>) -> u32 {
        // Multiply and rotate, seeded: where an entry lands is all that depends on it.
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        let mix = |hash: u64, value: u64| (hash.rotate_left(5) ^ value).wrapping_mul(FACTOR);
        let mut hash = mix(self.seed, u64::from(key.qtype) << 32 | u64::from(key.generation));
        for octet in key.name.wire() {
            hash = mix(hash, u64::from(octet.to_ascii_lowercase()));
        }
        (hash >> 32) as u32
    }

    fn set(&self, hash: u32) -> Option<Set<'_>> {
        let hash = hash as usize;
        let shard = lock(self.shards.get(hash % SHARDS)?)?;
        Some(Set { shard, sets: self.sets, index: hash / SHARDS % self.sets })
    }
}

/// One set of a shard that is locked.
struct Set<'a> {
    shard: MutexGuard<'a, Vec<Slot>>,
    sets: usize,
    index: usize,
}

impl Set<'_> {
    fn make_room(&mut self) -> Result<(), NoMemory> {
        if self.shard.is_empty() {
            self.shard.try_reserve_exact(self.sets * WAYS).map_err(|_| NoMemory)?;
            self.shard.resize_with(self.sets * WAYS, Slot::default); // within the capacity
        }
        Ok(())
    }

    fn slots(&mut self) -> Option<&mut [Slot]> {
        self.shard.get_mut(self.index * WAYS..(self.index + 1) * WAYS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::from_text(text.as_bytes()).unwrap()
    }

    #[test]
    fn an_answer_is_kept_for_its_ttl_and_its_configuration() {
        let cache = Cache::new(100, 1);
        let now = Instant::now();
        let (lower, upper) = (name("a.test"), name("A.TEST"));
        let key = Key { name: &lower, qtype: 1, generation: 7 };
        cache.put(&key, Content::NoName, 10, now);
        let at = |s| now.after(Duration::from_secs(s));
        assert!(cache.get(&Key { name: &upper, ..key }, at(9)).is_some_and(|e| e.ttl(at(9)) == 1));
        assert!(cache.get(&key, at(10)).is_none());
        assert!(cache.get(&Key { qtype: 28, ..key }, now).is_none());
        assert!(cache.get(&Key { generation: 8, ..key }, now).is_none());
        cache.put(&key, Content::NoData, 0, now);
        assert!(cache.get(&key, now).is_some_and(|e| matches!(e.content, Content::NoName)));
        cache.flush();
        assert!(cache.get(&key, now).is_none());
    }

    #[test]
    fn it_holds_no_more_than_its_places_and_keeps_what_is_used() {
        let cache = Cache::new(SHARDS * WAYS, 1);
        let now = Instant::now();
        let hot = name("hot.test");
        let hot = Key { name: &hot, qtype: 1, generation: 0 };
        cache.put(&hot, Content::NoName, 1000, now);
        for i in 0..10_000 {
            assert!(cache.get(&hot, now).is_some(), "after {i} others");
            let other = name(&format!("n{i}.test"));
            cache.put(&Key { name: &other, ..hot }, Content::NoData, 1000, now);
        }
        let held = cache.entries();
        assert!(0 < held && held <= SHARDS * WAYS, "{held}");
    }

    #[test]
    fn answers_of_any_size_take_bounded_memory() {
        let cache = Cache::new(SHARDS * WAYS, 1);
        let now = Instant::now();
        let addresses = |count| {
            let list = vec![Address::new([192, 0, 2, 1].into()); count];
            Content::Addresses(list.into(), Box::default())
        };
        for i in 0..1_000 {
            let name = name(&format!("n{i}.test"));
            let key = Key { name: &name, qtype: 1, generation: 0 };
            cache.put(&key, addresses(1_000), 1000, now);
            assert!(cache.get(&key, now).is_some(), "the last one");
            cache.put(&key, addresses(4_000), 1000, now);
            let kept = cache.get(&key, now).map(|entry| entry.content.octets());
            assert_eq!(kept, Some(addresses(1_000).octets()), "more than fits is not kept");
        }
        for shard in &cache.shards {
            let octets: usize = shard.lock().unwrap().iter().map(Slot::octets).sum();
            assert!(0 < octets && octets <= SET_OCTETS * cache.sets, "{octets}");
        }
    }

    #[test]
    fn without_places_it_is_off() {
        let cache = Cache::new(0, 1);
        let n = name("a.test");
        let key = Key { name: &n, qtype: 1, generation: 0 };
        cache.put(&key, Content::NoName, 10, Instant::now());
        assert!(cache.get(&key, Instant::now()).is_none());
    }
}
