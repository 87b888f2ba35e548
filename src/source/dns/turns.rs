//! Whose turn it is to ask: a lookup asks the servers, or waits for another thread that does.

use super::cached::{addresses_of, names_of, passing};
use super::exchange::Progress;
use super::flight::MAX_QUESTIONS;
use super::lookup::Lookup;
use super::outcome::{Answers, Outcome};
use super::schedule::budget;
use crate::base::error::Trouble;
use crate::base::name::Name;
use crate::base::record_type;
use crate::cache::dns::{Content, Entry, Key};
use crate::cache::pending::{Asked, BEAT, Learned, Ours, Turn};
use crate::observe::counters::Count;
use crate::sys::calls;
use crate::sys::mem::NoMemory;
use crate::sys::time::{Instant, LEAP};
use core::time::Duration;

/// From the end of a thread's time to ask until others know what came of it.
const TO_TELL: Duration = Duration::from_millis(100);

/// True where others wait for what is learned. Who is cancelled has learned nothing: they ask themselves.
fn is_to_tell(turn: &Ours<'_>) -> bool {
    turn.is_awaited() && !calls::is_cancelled()
}

impl<'a> Lookup<'a> {
    /// Asks for what is missing, or waits for threads that do.
    #[inline(never)]
    pub(super) fn find_out(&self, name: &Name, answers: &mut Answers) -> Result<(), NoMemory> {
        let mut begun = Instant::now();
        while !answers.is_complete() {
            let turn = self.join(name, answers.missing(), begun)?;
            let has_leapt = self.has_leapt(&mut begun);
            // Somebody's turn may just have ended, whoever's turn it is now.
            self.recall(name, answers)?;
            let lookup = self.having_waited(begun);
            match turn {
                Turn::Ours(mut turn) => {
                    lookup.ask_servers(name, answers, Some(&turn))?;
                    if is_to_tell(&turn) {
                        turn.learned(lookup.untold(name, answers));
                    }
                    return Ok(());
                }
                Turn::Theirs([v4, v6]) => {
                    self.trace().packet(format_args!("dns: {name} as another thread was told"));
                    for (outcome, learned) in answers.outcomes.iter_mut().zip([v4, v6]) {
                        outcome.learn(learned, |entry| addresses_of(entry, name))?;
                    }
                }
                Turn::Late if has_leapt => {}
                Turn::Late => {
                    for (_, outcome) in answers.open() {
                        outcome.note(Progress::Failed(Trouble::Silent.or_cancelled()));
                    }
                }
                Turn::Alone => return lookup.ask_servers(name, answers, None),
            }
        }
        Ok(())
    }

    /// What other threads won't find in the cache.
    fn untold(&self, name: &Name, answers: &Answers) -> Learned {
        let mut learned = Learned::default();
        let families = answers.wanted.iter().zip(&answers.outcomes);
        for (place, (wanted, outcome)) in learned.iter_mut().zip(families) {
            let key = wanted.and_then(|qtype| self.key(name, qtype));
            // Who has waited, for a thread that was gone, may have had little time left to ask: silence
            // says less than it does to those that came later.
            if self.terms.waited >= BEAT && outcome.is_silence() {
                continue;
            }
            *place = outcome.unkept(|found| {
                let key = key.filter(|key| !self.is_kept(key))?;
                // Without memory for it the others ask for themselves, one after the other.
                passing(&key, found, Instant::now()).ok()
            });
        }
        learned
    }

    /// True where the cache has an answer.
    fn is_kept(&self, key: &Key<'_>) -> bool {
        self.cache.get(key, Instant::now()).is_some()
    }

    /// The longest that a thread waits for others: who asks needs a moment more, to tell.
    fn longest(&self) -> Duration {
        budget(self.terms.options, self.terms.servers.len()) + TO_TELL
    }

    /// True where nobody could run since `begun`, for longer than anybody waits: all begins once more.
    fn has_leapt(&self, begun: &mut Instant) -> bool {
        let now = Instant::now();
        let has_leapt = now.since(*begun) > self.longest() + LEAP;
        if has_leapt {
            *begun = now;
        }
        has_leapt
    }

    /// Takes the turn to ask, where answers are kept for others to find.
    pub(super) fn join(
        &self,
        name: &Name,
        qtypes: [u16; MAX_QUESTIONS],
        begun: Instant,
    ) -> Result<Turn<'a>, NoMemory> {
        let left = self.longest().saturating_sub(Instant::now().since(begun));
        let turn = match self.generation {
            Some(generation) if self.cache.is_on() => {
                self.pending.join(&Asked { name: *name, qtypes, generation }, left)?
            }
            _ => Turn::Alone,
        };
        if matches!(turn, Turn::Theirs(_)) {
            self.terms.counters.one(Count::Coalesced);
        }
        Ok(turn)
    }

    /// The same for the names of an address.
    pub(super) fn find_names(
        &self,
        name: &Name,
        run: &mut Vec<u8>,
        outcome: &mut Outcome<u32>,
    ) -> Result<(), NoMemory> {
        let mut begun = Instant::now();
        while matches!(outcome, Outcome::NotAsked) {
            let turn = self.join(name, [record_type::PTR, 0], begun)?;
            let has_leapt = self.has_leapt(&mut begun);
            self.recall_names(name, run, outcome)?;
            let lookup = self.having_waited(begun);
            match turn {
                Turn::Ours(mut turn) => {
                    lookup.ask_for_names(name, run, outcome, Some(&turn))?;
                    let passing = |_: &u32| {
                        let key =
                            self.key(name, record_type::PTR).filter(|key| !self.is_kept(key))?;
                        let content = Content::Names(run);
                        Entry::passing(&key, content, Instant::now()).ok()
                    };
                    if is_to_tell(&turn) {
                        turn.learned([outcome.unkept(passing), None]);
                    }
                    break;
                }
                Turn::Theirs([learned, _]) => {
                    outcome.learn(learned, |entry| names_of(entry, run))?;
                }
                Turn::Late if has_leapt => {}
                Turn::Late => outcome.note(Progress::Failed(Trouble::Silent.or_cancelled())),
                Turn::Alone => {
                    lookup.ask_for_names(name, run, outcome, None)?;
                    break;
                }
            }
        }
        Ok(())
    }

    /// Tells those that wait for this answer alone that it is there.
    #[inline(never)]
    pub(super) fn tell(&self, turn: Option<&Ours<'_>>, name: &Name, qtype: u16) {
        if let (Some(turn), Some(key)) = (turn, self.key(name, qtype))
            && turn.is_awaited()
            && self.is_kept(&key)
        {
            turn.answered(qtype);
        }
    }
}
