//! Questions under way: of threads that ask the same at the same time, one asks the servers and the
//! others wait for what it learns. It gives a sign of life all the while: one that has jumped out of its
//! lookup (longjmp(3)) or is stopped is not waited for, another takes its turn.

use super::exchange::Trouble;
use super::name::Name;
use crate::config::watch::lock;
use crate::lookup::search::Miss;
use crate::sys::futex;
use crate::sys::lock::Mutex;
use crate::sys::process;
use crate::sys::time::Instant;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use core::time::Duration;

/// How often a thread that asks gives a sign of life.
pub const BEAT: Duration = Duration::from_millis(250);
/// One that has given none for this long is gone.
const GONE: Duration = Duration::from_secs(1);
/// More questions than this may be under way at once; they are asked without looking for others.
const PLACES: usize = 16;

/// What may be asked for in one go: a name, and which two record types of it (0: none).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The full name.
    pub name: Name,
    /// The record types.
    pub qtypes: [u16; 2],
    /// Which version of the configuration it is asked by.
    pub generation: u32,
}

/// What the cache can't tell of a question that was asked, for each of its two record types.
pub type Learned = [Option<Unkept>; 2];

/// An outcome that is not kept in the cache, or not always.
#[derive(Clone, Copy)]
pub enum Unkept {
    /// There are no such records.
    Missed(Miss),
    /// No server answered.
    Failed(Trouble),
}

/// The questions under way in this process.
#[derive(Default)]
pub struct Pending {
    places: [Place; PLACES],
}

#[derive(Default)]
struct Place {
    state: Mutex<State>,
    /// Goes up when a question here has ended that others waited for.
    round: AtomicU32,
    alive: Alive,
}

/// When a thread that asks last gave a sign of life: [`Instant::millis`].
#[derive(Default)]
pub struct Alive(AtomicU32);

#[derive(Default)]
struct State {
    current: Option<Current>,
    /// What the last one learned that others waited for, by the round that it ended.
    last: Option<(u32, Learned)>,
}

struct Current {
    asked: Asked,
    /// The thread that asks, by [`process::thread_mark`].
    owner: usize,
    /// Another thread waits for it.
    is_awaited: bool,
}

/// What a thread is to do about a question.
pub enum Turn<'a> {
    /// Ask, and tell the others.
    Ours(Ours<'a>),
    /// Nothing more: another thread has asked meanwhile. What the cache doesn't know stands here.
    Theirs(Learned),
    /// Ask for itself.
    Alone,
}

/// The right to ask for all; ends when dropped, whether something was learned or not.
pub struct Ours<'a> {
    place: &'a Place,
    learned: Learned,
}

impl Pending {
    /// Takes the turn to ask, or waits for the thread that has it: no longer than `limit`, which is
    /// the longest that asking can take.
    pub fn join(&self, asked: &Asked, limit: Duration) -> Turn<'_> {
        let Some(place) = self.places.get(place_of(&asked.name)) else { return Turn::Alone };
        let thread = process::thread_mark();
        let now = Instant::now();
        let Some(mut state) = lock(&place.state) else { return Turn::Alone };
        let silence = place.alive.silence(now);
        match &mut state.current {
            Some(current) if silence < GONE => {
                // Asked by this very thread: a signal handler, or a longjmp(3) out of the last call.
                if current.asked != *asked || current.owner == thread {
                    return Turn::Alone;
                }
                current.is_awaited = true;
                let round = place.round.load(Relaxed);
                drop(state);
                place.wait(asked, round, now.after(limit))
            }
            // Who waits for the one that is gone takes its turn in a moment, as long as anybody does: the
            // one that jumps out of its lookups would else be back first, time and again.
            Some(current) if current.is_awaited && silence < GONE * 2 => Turn::Alone,
            current => {
                *current = Some(Current { asked: *asked, owner: thread, is_awaited: false });
                place.alive.sign(now);
                Turn::Ours(Ours { place, learned: [None; 2] })
            }
        }
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
        Duration::from_millis(u64::try_from(silent).unwrap_or(0))
    }
}

impl Place {
    fn wait(&self, asked: &Asked, round: u32, deadline: Instant) -> Turn<'_> {
        while self.round.load(Relaxed) == round {
            let now = Instant::now();
            if now >= deadline {
                return Turn::Alone;
            }
            let silence = self.alive.silence(now);
            if silence >= GONE
                && let Some(turn) = self.take_over(asked, round, now)
            {
                return turn;
            }
            // Another thread was quicker where the silence has been as long: its turn counts from now.
            let patience = GONE.checked_sub(silence).unwrap_or(GONE);
            futex::wait(&self.round, round, Some(deadline.min(now.after(patience))));
        }
        match lock(&self.state).and_then(|state| state.last) {
            Some((ended, learned)) if ended == round => Turn::Theirs(learned),
            // Another question has been answered here since: the cache may know, or nobody.
            _ => Turn::Theirs([None; 2]),
        }
    }

    /// The turn of a thread that is gone, for one of those that wait for it; `None` where another was
    /// quicker.
    fn take_over(&self, asked: &Asked, round: u32, now: Instant) -> Option<Turn<'_>> {
        let Some(mut state) = lock(&self.state) else { return Some(Turn::Alone) };
        if self.round.load(Relaxed) != round || self.alive.silence(now) < GONE {
            return None;
        }
        let owner = process::thread_mark();
        state.current = Some(Current { asked: *asked, owner, is_awaited: true });
        self.alive.sign(now);
        Some(Turn::Ours(Ours { place: self, learned: [None; 2] }))
    }
}

impl<'a> Ours<'a> {
    /// Where to give signs of life.
    pub fn alive(&self) -> &'a Alive {
        &self.place.alive
    }

    /// What the waiting threads are told.
    pub fn learned(&mut self, learned: Learned) {
        self.learned = learned;
    }
}

impl Drop for Ours<'_> {
    fn drop(&mut self) {
        let place = self.place;
        let Some(mut state) = lock(&place.state) else { return };
        // A turn that took too long may have been given to another thread.
        let thread = process::thread_mark();
        let Some(ended) = state.current.take_if(|current| current.owner == thread) else { return };
        if ended.is_awaited {
            state.last = Some((place.round.fetch_add(1, Relaxed), self.learned));
            drop(state);
            futex::wake(&place.round);
        }
    }
}

fn place_of(name: &Name) -> usize {
    let sum = |sum: usize, octet: &u8| {
        sum.wrapping_mul(31).wrapping_add(octet.to_ascii_lowercase().into())
    };
    name.wire().iter().fold(0, sum) % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    const LONG: Duration = Duration::from_secs(10);

    fn asked(name: &str) -> Asked {
        let name = Name::from_text(name.as_bytes()).unwrap();
        Asked { name, qtypes: [1, 28], generation: 1 }
    }

    #[test]
    fn who_comes_later_waits_and_is_told() {
        let pending = Pending::default();
        let Turn::Ours(mut ours) = pending.join(&asked("a.test"), LONG) else { panic!("free") };
        thread::scope(|scope| {
            let later = scope.spawn(|| match pending.join(&asked("A.test"), LONG) {
                Turn::Theirs([Some(Unkept::Missed(miss)), None]) => miss,
                Turn::Theirs(_) | Turn::Ours(_) | Turn::Alone => panic!("not told"),
            });
            let is_awaited = || {
                let places = pending.places.iter().filter_map(|place| place.state.lock());
                places.filter_map(|state| state.current.as_ref().map(|c| c.is_awaited)).any(|is| is)
            };
            while !is_awaited() {
                thread::yield_now();
            }
            ours.learned([Some(Unkept::Missed(Miss::NoData)), None]);
            drop(ours);
            assert_eq!(later.join().unwrap(), Miss::NoData);
        });
        assert!(matches!(pending.join(&asked("a.test"), LONG), Turn::Ours(_)), "free again");
    }

    #[test]
    fn nobody_waits_for_itself_for_another_question_or_for_one_that_was_left() {
        let pending = Pending::default();
        let first = pending.join(&asked("a.test"), LONG);
        assert!(matches!(first, Turn::Ours(_)));
        assert!(matches!(pending.join(&asked("a.test"), LONG), Turn::Alone), "the same thread");
        let elsewhere = |asked: &Asked, limit| {
            thread::scope(|scope| {
                let other = scope.spawn(|| matches!(pending.join(asked, limit), Turn::Alone));
                other.join().unwrap()
            })
        };
        let other_type = Asked { qtypes: [1, 0], ..asked("a.test") };
        assert!(elsewhere(&other_type, LONG));
        // It waits as long as asking may take, and no longer.
        assert!(elsewhere(&asked("a.test"), Duration::from_millis(20)));
        core::mem::forget(first);
        let places = || pending.places.iter();
        places().for_each(|place| place.alive.sign(Instant::now()));
        // Two wait for it, and the one that takes over tells the other.
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| match pending.join(&asked("a.test"), LONG) {
                    Turn::Ours(mut ours) => {
                        ours.learned([Some(Unkept::Missed(Miss::NoData)), None])
                    }
                    Turn::Theirs(learned) => assert!(learned.iter().any(Option::is_some)),
                    Turn::Alone => panic!("not taken over"),
                });
            }
        });
        let next = pending.join(&asked("a.test"), LONG);
        assert!(matches!(next, Turn::Ours(_)), "and is free afterwards");
    }

    #[test]
    fn the_turn_of_one_that_is_gone_is_left_to_who_waits() {
        let pending = Pending::default();
        core::mem::forget(pending.join(&asked("a.test"), LONG));
        let waited = thread::scope(|scope| {
            let other = scope.spawn(|| pending.join(&asked("a.test"), Duration::from_millis(1)));
            matches!(other.join().unwrap(), Turn::Alone)
        });
        assert!(waited);
        let now = Instant::now();
        let silent_for = |millis: u32| {
            let last = now.millis().wrapping_sub(millis);
            pending.places.iter().for_each(|place| place.alive.0.store(last, Relaxed));
            pending.join(&asked("a.test"), LONG)
        };
        assert!(matches!(silent_for(1200), Turn::Alone));
        // Longer than it takes who waits.
        assert!(matches!(silent_for(3000), Turn::Ours(_)));
    }

    #[test]
    fn signs_of_life_count_for_a_second() {
        let (alive, now) = (Alive::default(), Instant::now());
        let at = |millis| now.after(Duration::from_millis(millis));
        alive.sign(at(5));
        assert!(alive.silence(now).is_zero(), "given after the clock was read");
        assert!(alive.silence(at(1004)) < GONE);
        assert_eq!(alive.silence(at(1005)), GONE);
    }
}
