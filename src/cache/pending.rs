//! Questions under way: of threads that ask the same at the same time, one asks the servers and the
//! others wait for what it learns. So there is never more than one outstanding query for a forger to hit
//! (RFC 5452 section 5: with many, one forged answer in a few hundred would do), whatever else waits.
//!
//! Who asks gives signs of life all the while: one that has jumped out of its lookup (longjmp(3)) or is
//! stopped is not waited for, another takes its turn.
//!
//! This is for what the cache keeps. A message that a caller has written himself (res_send(3)), and a
//! lookup without the cache, is its caller's alone: what is forged there reaches nobody else.

use crate::base::error::Trouble;
use crate::base::name::Name;
use crate::cache::dns::Entry;
use crate::rules::search::Miss;
use crate::sys::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use crate::sys::atomic::{AtomicBool, AtomicU32};
use crate::sys::calls::{self, PAUSE};
use crate::sys::lock::{Mutex, MutexGuard};
use crate::sys::mem::{NoMemory, TryPush};
use crate::sys::shared::Shared;
use crate::sys::time::Instant;
use crate::sys::{futex, process};
use core::hash::Hasher;
use core::time::Duration;
use std::hash::DefaultHasher;

/// How often a thread that asks gives a sign of life.
pub const BEAT: Duration = Duration::from_millis(250);
/// One that has given none for this long is gone.
const GONE: Duration = Duration::from_secs(1);
/// Questions are spread over so many lists by a hash that starts from a secret, so that a list is short:
/// it has as many as there are threads that ask them, and grows with them.
const SHARDS: usize = 32;
/// A list that has had more gives its memory back when it is empty.
const FEW: usize = 8;

/// What may be asked for in one go: a name, and which two record types of it (0: none).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The full name.
    pub name: Name,
    /// The record types. A type has its place: A and PTR the first, AAAA the second.
    pub qtypes: [u16; 2],
    /// Which version of the configuration it is asked by.
    pub generation: u32,
}

/// What the cache can't tell of a question that was asked, for each of its two record types.
pub type Learned = [Option<Unkept>; 2];

/// An outcome that is not kept in the cache, or not always.
#[derive(Clone)]
pub enum Unkept {
    /// An answer that is true for no time (RFC 1035 section 3.2.1: for the transaction in progress), or
    /// has found no place.
    Answer(Entry),
    /// There are no such records.
    Missed(Miss),
    /// No server answered.
    Failed(Trouble),
}

/// The questions under way in this process.
pub struct Pending {
    shards: [Shard; SHARDS],
    seed: u64,
}

type Shard = Mutex<Vec<Shared<Claim>>>;

/// Questions that one thread asks.
struct Claim {
    asked: Asked,
    /// The thread, by [`process::thread_mark`].
    owner: usize,
    alive: Alive,
    /// Another thread waits for it. Set before `done` is looked at, and looked at after that was set.
    is_awaited: AtomicBool,
    /// Bits: which of the questions are answered, and [`ENDED`], [`LEFT`].
    done: AtomicU32,
    learned: Mutex<Learned>,
}

/// All that is to be learned was.
const ENDED: u32 = 4;
/// Its thread is gone, and another one asks.
const LEFT: u32 = 8;

/// When a thread that asks last gave a sign of life: [`Instant::millis`].
#[derive(Default)]
pub struct Alive(AtomicU32);

/// What a thread is to do about a question.
pub enum Turn<'a> {
    /// Ask, and tell the others.
    Ours(Ours<'a>),
    /// Another thread has asked one of them meanwhile. What the cache doesn't know stands here; if that
    /// is nothing, come again.
    Theirs(Learned),
    /// Nothing: the time is over.
    Late,
    /// Ask for itself.
    Alone,
}

/// The right to ask for all; ends when dropped, whether something was learned or not.
pub struct Ours<'a> {
    shard: &'a Shard,
    claim: Shared<Claim>,
}

impl Pending {
    /// None so far; `seed` makes in which list they are unpredictable.
    pub fn new(seed: u64) -> Pending {
        Pending { shards: core::array::from_fn(|_| Mutex::new(Vec::new())), seed }
    }

    /// Takes the turn to ask, or waits for the thread that has it for one of these questions: no longer
    /// than `limit`, which is the longest that asking can take.
    ///
    /// # Errors
    /// [`NoMemory`] where there is none to say that the question is under way.
    pub fn join(&self, asked: &Asked, limit: Duration) -> Result<Turn<'_>, NoMemory> {
        let Some(shard) = self.shards.get(self.shard_of(&asked.name)) else {
            return Ok(Turn::Alone);
        };
        let thread = process::thread_mark();
        let deadline = Instant::now().after(limit);
        loop {
            let now = Instant::now();
            let Some(mut claims) = shard.lock() else { return Ok(Turn::Alone) };
            // Those of threads that jumped away, which nobody has asked for again.
            claims.retain(|claim| claim.alive.silence(now) < GONE * 8);
            let concerned = || claims.iter().filter(|claim| claim.concerns(asked));
            // Asked by this very thread: a signal handler, or a longjmp(3) out of the last call.
            if concerned().any(|claim| claim.owner == thread && claim.holds_its_owner_off(now)) {
                return Ok(Turn::Alone);
            }
            let Some(other) = concerned().find(|claim| claim.alive.silence(now) < GONE).cloned()
            else {
                return self.take(shard, claims, asked, now).map(Turn::Ours);
            };
            if now >= deadline || calls::is_cancelled() {
                return Ok(Turn::Late);
            }
            other.is_awaited.swap(true, AcqRel);
            drop(claims);
            if let Some(learned) = other.wait(asked, deadline) {
                return Ok(Turn::Theirs(learned));
            }
        }
    }

    /// Takes the turn: nobody asks any of these questions, or nobody that has given a sign of life.
    fn take<'a>(
        &self,
        shard: &'a Shard,
        mut claims: MutexGuard<'_, Vec<Shared<Claim>>>,
        asked: &Asked,
        now: Instant,
    ) -> Result<Ours<'a>, NoMemory> {
        let claim = Shared::new(Claim::new(asked, process::thread_mark(), now))?;
        claims.try_reserve(1).map_err(|_| NoMemory)?;
        claims.retain(|gone| {
            let stays = !gone.concerns(asked);
            if !stays {
                // Those that wait for it come back here, and wait for this one.
                claim.is_awaited.fetch_or(gone.is_awaited.load(Acquire), AcqRel);
                gone.end(LEFT);
            }
            stays
        });
        claims.try_push(claim.clone())?;
        Ok(Ours { shard, claim })
    }

    fn shard_of(&self, name: &Name) -> usize {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.seed);
        for octet in name.wire() {
            hasher.write_u8(octet.to_ascii_lowercase());
        }
        hasher.finish() as usize % SHARDS
    }
}

impl Alive {
    /// Gives a sign of life.
    pub fn sign(&self, now: Instant) {
        self.0.store(now.millis(), Relaxed);
    }

    /// How long ago the last one was, to a millisecond.
    fn silence(&self, now: Instant) -> Duration {
        // Negative where the sign was given after `now` was taken.
        let silent = now.millis().wrapping_sub(self.0.load(Relaxed)).cast_signed();
        if silent < -(GONE.as_millis() as i32) {
            return Duration::MAX; // of weeks ago
        }
        Duration::from_millis(u64::try_from(silent).unwrap_or(0))
    }
}

impl Claim {
    fn new(asked: &Asked, owner: usize, now: Instant) -> Claim {
        let alive = Alive::default();
        alive.sign(now);
        Claim {
            asked: *asked,
            owner,
            alive,
            is_awaited: AtomicBool::new(false),
            done: AtomicU32::new(0),
            learned: Mutex::default(),
        }
    }

    /// The bits of those of its questions that are among these.
    fn shared(&self, asked: &Asked) -> u32 {
        let both = self.asked.qtypes.iter().zip(asked.qtypes).zip([1, 2]);
        both.filter(|((one, other), _)| **one == *other && *other != 0).map(|(_, bit)| bit).sum()
    }

    /// True where one of these questions is being asked here.
    fn concerns(&self, asked: &Asked) -> bool {
        let done = self.done.load(Acquire);
        done & (ENDED | LEFT) == 0
            && self.shared(asked) & !done != 0
            && self.asked.generation == asked.generation
            && self.asked.name == asked.name
    }

    /// True while its owner, who comes again, is to ask beside it. Who waits for one that is gone takes its
    /// turn in a moment, as long as anybody does: the thread that jumps out of its lookups would else be
    /// back first, time and again.
    fn holds_its_owner_off(&self, now: Instant) -> bool {
        let patience = if self.is_awaited.load(Relaxed) { GONE * 2 } else { GONE };
        self.alive.silence(now) < patience
    }

    /// Waits until those of `asked` that are asked here are answered; returns what was learned. `None`
    /// where there is reason to look again: the one that asks may be gone, or the time over.
    fn wait(&self, asked: &Asked, deadline: Instant) -> Option<Learned> {
        let wanted = self.shared(asked);
        loop {
            let done = self.done.load(Acquire);
            if done & LEFT != 0 {
                return None;
            }
            if done & ENDED != 0 || wanted & !done == 0 {
                break;
            }
            let now = Instant::now();
            let silence = self.alive.silence(now);
            if now >= deadline || silence >= GONE || calls::is_cancelled() {
                return None;
            }
            let mut patience = GONE.checked_sub(silence).unwrap_or(GONE);
            if calls::is_listening() {
                patience = patience.min(PAUSE);
            }
            futex::wait(&self.done, done, Some(deadline.min(now.after(patience))));
        }
        let learned = self.learned.lock().map(|learned| learned.clone()).unwrap_or_default();
        let [first, second] = learned;
        Some([first.filter(|_| wanted & 1 != 0), second.filter(|_| wanted & 2 != 0)])
    }

    /// Says what is done, and tells those that wait.
    fn end(&self, bits: u32) {
        self.done.fetch_or(bits, Release);
        // Both sides change the mark: who comes second sees the first, and what stood before it.
        if self.is_awaited.fetch_or(false, AcqRel) {
            futex::wake(&self.done);
        }
    }
}

impl Ours<'_> {
    /// Where to give signs of life.
    pub fn alive(&self) -> &Alive {
        &self.claim.alive
    }

    /// True where others wait.
    pub fn is_awaited(&self) -> bool {
        self.claim.is_awaited.load(Relaxed)
    }

    /// The question of this type is answered, and the cache has the answer: others need not wait for
    /// the second one.
    pub fn answered(&self, qtype: u16) {
        let mut bits = self.claim.asked.qtypes.iter().zip([1, 2]);
        if let Some((_, bit)) = bits.find(|(other, _)| **other == qtype) {
            self.claim.end(bit);
        }
    }

    /// What the waiting threads are told.
    pub fn learned(&mut self, learned: Learned) {
        if let Some(mut place) = self.claim.learned.lock() {
            *place = learned;
        }
    }
}

impl Drop for Ours<'_> {
    fn drop(&mut self) {
        // Before it leaves the list: who comes in between looks into the cache again anyway.
        self.claim.end(ENDED);
        // Where it can't be had the claim stays, and says that it has ended.
        let Some(mut claims) = self.shard.lock() else { return };
        claims.retain(|claim| !Shared::same(claim, &self.claim));
        if claims.is_empty() && claims.capacity() > FEW {
            *claims = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests;
