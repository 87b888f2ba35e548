//! The cache: what the DNS has answered, for as long as its TTL allows. One per process, bounded,
//! in shards that nobody waits long for: one that stays busy counts as a miss.
//!
//! A shard is set-associative: an entry has eight places it may be in, so looking up and making room
//! take the same few steps however full it is, and names chosen by an attacker can't make them more.

mod entry;
mod packed;

pub use self::entry::{Content, Entry, Given, Kept};
pub use self::packed::Packed;
use crate::base::name::Name;
use crate::sys::lock::{Mutex, MutexGuard};
use crate::sys::mem::NoMemory;
use crate::sys::time::Instant;
use core::time::Duration;

const SHARDS: usize = 16;
const WAYS: usize = 8;
/// The octets that the answers of one set may take: all of a thousand addresses, twice, and no more of
/// what a server sends to fill memory. Most take some eighty.
const SET_OCTETS: usize = 32 << 10;

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

/// For how long an answer is kept, in seconds.
#[derive(Clone, Copy)]
pub struct Keep {
    /// While it is true.
    pub ttl: u32,
    /// And for how much longer, in case that no server answers then.
    pub spare: u32,
}

/// What came and went by a change of the cache; as complements where more went than came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Answers.
    pub entries: usize,
    /// Octets of memory.
    pub octets: usize,
    /// An answer made room before its time.
    pub has_evicted: bool,
}

impl Change {
    fn comes(&mut self, octets: usize) {
        self.entries = self.entries.wrapping_add(1);
        self.octets = self.octets.wrapping_add(octets);
    }

    fn goes(&mut self, octets: usize) {
        self.entries = self.entries.wrapping_sub(1);
        self.octets = self.octets.wrapping_sub(octets);
    }
}

/// The cache. With no entries allowed it is always empty.
pub struct Cache {
    shards: [Mutex<Vec<Slot>>; SHARDS],
    /// Sets in a shard; 0 switches the cache off.
    sets: usize,
    seed: u64,
}

#[derive(Default)]
struct Slot {
    hash: u32,
    /// [`Entry::octets`], at most [`SET_OCTETS`]: here, so that other entries need not be touched.
    octets: u16,
    /// Used since the hand passed: gets another round before it makes room.
    used: bool,
    entry: Option<Entry>,
}

impl Slot {
    fn clear(&mut self, change: &mut Change) {
        if let Some(entry) = core::mem::take(self).entry {
            change.goes(entry.memory());
        }
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
        }
    }

    /// False where the configuration has switched it off.
    pub fn is_on(&self) -> bool {
        self.sets > 0
    }

    /// The answer kept under `key`, if it is still true.
    pub fn get(&self, key: &Key<'_>, now: Instant) -> Option<Entry> {
        if !self.is_on() {
            return None;
        }
        let hash = self.hash(key);
        self.find(key, hash, &|entry| entry.is_good(now))
    }

    /// The answer kept under `key`, though its time may be over.
    pub fn get_past(&self, key: &Key<'_>, now: Instant) -> Option<Entry> {
        if !self.is_on() {
            return None;
        }
        self.find(key, self.hash(key), &|entry| entry.is_kept(now))
    }

    fn find(&self, key: &Key<'_>, hash: u32, is_wanted: &dyn Fn(&Entry) -> bool) -> Option<Entry> {
        let mut set = self.set(hash)?;
        let slot = set.slots()?.iter_mut().find(|slot| {
            slot.hash == hash && slot.entry.as_ref().is_some_and(|e| is_wanted(e) && e.is(key))
        })?;
        slot.used = true;
        slot.entry.clone()
    }

    /// Keeps an answer for `ttl` seconds, and for some more in case that it can't be had anew. Zero is not kept, and nothing is where memory is short or
    /// the shard is busy. Says what that changed.
    pub fn put(&self, key: &Key<'_>, content: Given<'_>, keep: Keep, now: Instant) -> Change {
        let Keep { ttl, spare } = keep;
        let mut change = Change::default();
        if !self.is_on() || ttl == 0 {
            return change;
        }
        let expires = now.after(Duration::from_secs(ttl.into()));
        let Ok(entry) = Entry::new(key, content, expires, spare) else { return change };
        let hash = self.hash(key);
        let octets = match u16::try_from(entry.octets()) {
            Ok(octets) if usize::from(octets) <= SET_OCTETS => octets,
            _ => return change,
        };
        let Some(mut set) = self.set(hash) else { return change };
        match set.make_room() {
            Ok(octets) => change.octets = octets,
            Err(NoMemory) => return change,
        }
        let Some(slots) = set.slots() else { return change };
        let victim = slots
            .iter()
            .position(|slot| slot.hash == hash && slot.entry.as_ref().is_some_and(|e| e.is(key)))
            .or_else(|| slots.iter().position(|slot| slot.entry.is_none()))
            .or_else(|| {
                slots.iter().position(|slot| slot.entry.as_ref().is_none_or(|e| !e.is_kept(now)))
            })
            .or_else(|| {
                change.has_evicted = true;
                slots.iter_mut().position(|slot| !core::mem::take(&mut slot.used))
            })
            .unwrap_or(0);
        if let Some(slot) = slots.get_mut(victim) {
            change.comes(entry.memory());
            slot.clear(&mut change);
            *slot = Slot { hash, octets, used: false, entry: Some(entry) };
        }
        // Heavy ones make room for the new one, whichever they are: they are rare.
        let mut total: usize = slots.iter().map(|slot| usize::from(slot.octets)).sum();
        for (at, slot) in slots.iter_mut().enumerate() {
            if total > SET_OCTETS && at != victim {
                total -= usize::from(slot.octets);
                slot.clear(&mut change);
            }
        }
        change
    }

    /// Forgets everything that can be had without waiting. Says what that changed.
    pub fn flush(&self) -> Change {
        let mut change = Change::default();
        for shard in &self.shards {
            if let Some(mut slots) = shard.lock() {
                change.octets = change.octets.wrapping_sub(slots.len() * size_of::<Slot>());
                slots.iter_mut().for_each(|slot| slot.clear(&mut change));
                *slots = Vec::new();
            }
        }
        change
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
        let shard = self.shards.get(hash % SHARDS)?.lock()?;
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
    /// Returns how much memory that took.
    fn make_room(&mut self) -> Result<usize, NoMemory> {
        if self.shard.is_empty() {
            self.shard.try_reserve_exact(self.sets * WAYS).map_err(|_| NoMemory)?;
            self.shard.resize_with(self.sets * WAYS, Slot::default); // within the capacity
            return Ok(self.sets * WAYS * size_of::<Slot>());
        }
        Ok(0)
    }

    fn slots(&mut self) -> Option<&mut [Slot]> {
        self.shard.get_mut(self.index * WAYS..(self.index + 1) * WAYS)
    }
}

#[cfg(test)]
mod tests {
    use crate::base::address::Address;
    use crate::cache::dns::*;

    fn name(text: &str) -> Name {
        Name::from_text(text.as_bytes()).unwrap()
    }

    #[test]
    fn an_answer_is_kept_for_its_ttl_and_its_configuration() {
        let cache = Cache::new(100, 1);
        let now = Instant::now();
        let (lower, upper) = (name("a.test"), name("A.TEST"));
        let key = Key { name: &lower, qtype: 1, generation: 7 };
        let keep = |ttl| Keep { ttl, spare: 0 };
        cache.put(&key, Content::NoName, keep(10), now);
        let at = |s| now.after(Duration::from_secs(s));
        assert!(cache.get(&Key { name: &upper, ..key }, at(9)).is_some_and(|e| e.ttl(at(9)) == 1));
        assert!(cache.get(&key, at(10)).is_none());
        assert!(cache.get(&Key { qtype: 28, ..key }, now).is_none());
        assert!(cache.get(&Key { generation: 8, ..key }, now).is_none());
        cache.put(&key, Content::NoData, keep(0), now);
        assert!(cache.get(&key, now).is_some_and(|e| matches!(e.content(), Content::NoName)));
        cache.flush();
        assert!(cache.get(&key, now).is_none());
    }

    #[test]
    fn what_is_past_its_time_is_kept_as_a_spare_and_serves_when_it_is_renewed() {
        let cache = Cache::new(100, 1);
        let now = Instant::now();
        let name = name("a.test");
        let key = Key { name: &name, qtype: 1, generation: 0 };
        cache.put(&key, Content::NoName, Keep { ttl: 10, spare: 100 }, now);
        let at = |s| now.after(Duration::from_secs(s));
        assert!(cache.get(&key, at(10)).is_none());
        let entry = cache.get_past(&key, at(109)).unwrap();
        assert!(entry.is_past(at(10)) && !entry.is_past(at(9)));
        entry.renew(at(50));
        assert!(cache.get(&key, at(79)).is_some_and(|e| e.ttl(at(79)) <= 1));
        assert!(cache.get(&key, at(81)).is_none());
        entry.renew(at(100));
        assert!(cache.get(&key, at(109)).is_some());
        assert!(cache.get(&key, at(110)).is_none() && cache.get_past(&key, at(110)).is_none());
    }

    #[test]
    fn it_holds_no_more_than_its_places_and_keeps_what_is_used() {
        let cache = Cache::new(SHARDS * WAYS, 1);
        let now = Instant::now();
        let hot = name("hot.test");
        let hot = Key { name: &hot, qtype: 1, generation: 0 };
        let keep = Keep { ttl: 1000, spare: 0 };
        cache.put(&hot, Content::NoName, keep, now);
        let (mut held, mut evicted) = (1, 0);
        for i in 0..10_000 {
            assert!(cache.get(&hot, now).is_some(), "after {i} others");
            let other = name(&format!("n{i}.test"));
            let change = cache.put(&Key { name: &other, ..hot }, Content::NoData, keep, now);
            held += change.entries;
            evicted += usize::from(change.has_evicted);
        }
        let there = || {
            cache.shards.iter().flat_map(|shard| {
                let slots = shard.lock().unwrap();
                slots.iter().map(|slot| usize::from(slot.entry.is_some())).collect::<Vec<_>>()
            })
        };
        assert!(0 < held && held <= SHARDS * WAYS, "{held}");
        assert_eq!((held, held + evicted), (there().sum(), 10_001));
        assert_eq!(cache.flush().entries, held.wrapping_neg());
        assert_eq!(there().count(), 0);
    }

    #[test]
    fn answers_of_any_size_take_bounded_memory() {
        let cache = Cache::new(SHARDS * WAYS, 1);
        let now = Instant::now();
        let list = vec![Address::new([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into()); 4_000];
        let addresses = |count| Content::Addresses(list.get(..count).unwrap(), &[][..]);
        let count = |entry: Entry| match entry.content() {
            Content::Addresses(kept, _) => kept.iter().count(),
            _ => 0,
        };
        let (mut octets, keep) = (0usize, Keep { ttl: 1000, spare: 0 });
        for i in 0..1_000 {
            let name = name(&format!("n{i}.test"));
            let key = Key { name: &name, qtype: 1, generation: 0 };
            let change = cache.put(&key, addresses(1_000), keep, now);
            octets = octets.wrapping_add(change.octets);
            assert!(cache.get(&key, now).is_some(), "the last one");
            cache.put(&key, addresses(4_000), keep, now);
            let kept = cache.get(&key, now).map(count);
            assert_eq!(kept, Some(1_000), "more than fits is not kept");
        }
        for shard in &cache.shards {
            let slots = shard.lock().unwrap();
            let octets: usize = slots.iter().map(|slot| usize::from(slot.octets)).sum();
            assert!(0 < octets && octets <= SET_OCTETS * cache.sets, "{octets}");
        }
        assert!(octets > SHARDS * 16_000, "{octets}");
        assert_eq!(cache.flush().octets, octets.wrapping_neg(), "nothing is left");
    }

    #[test]
    fn without_places_it_is_off() {
        let cache = Cache::new(0, 1);
        let n = name("a.test");
        let key = Key { name: &n, qtype: 1, generation: 0 };
        cache.put(&key, Content::NoName, Keep { ttl: 10, spare: 0 }, Instant::now());
        assert!(cache.get(&key, Instant::now()).is_none());
    }
}
