//! When each server is asked: in which order, how soon the next one, how often, and for how long in all.
//!
//! The order of resolv.conf is meaning: servers may have different views. One that is alive has its whole
//! time before the next one is asked; one that is not known to be alive is hedged.

use super::exchange::Terms;
use crate::cache::health::{Health, Standing};
use crate::config::resolv::Options;
use crate::sys::mem::{NoMemory, TryPush};
use crate::sys::time::Instant;
use core::time::Duration;
use smallvec::SmallVec;

/// One server's part in an exchange.
pub(super) struct Turn {
    /// Index of the server.
    pub(super) server: usize,
    /// Where it stood when the exchange began.
    pub(super) standing: Standing,
    /// The time that libc would give it in each attempt.
    pub(super) share: Duration,
    /// When it was first asked.
    pub(super) asked: Option<Instant>,
    /// When its turn, the latest, began.
    begun: Instant,
    /// How long it may be silent on probation.
    probation: Duration,
    /// How many times it was sent to.
    rounds: u32,
    /// When it is sent to once more, if it is silent until then.
    again: Option<Instant>,
    /// How often it has failed outright: it is left alone after `attempts` times.
    strikes: u32,
    /// It has answered something, good or bad.
    pub(super) has_spoken: bool,
    /// It has failed outright since it was last asked.
    is_struck: bool,
}

/// The servers of an exchange, in the order in which they are asked.
pub(super) struct Schedule {
    turns: SmallVec<[Turn; 2]>,
    /// Whose turn it is; `None` before the first.
    current: Option<usize>,
    /// How many times all have had a turn.
    cycle: u32,
    /// The one whose turn it is has failed, or nobody was asked yet: the next one's turn is now.
    is_over: bool,
    /// All have failed for good, or were sent to as often as may be.
    is_done: bool,
    /// How many times each is sent to.
    rounds: u32,
    /// What of libc's time is saved by servers that have failed instead of being silent.
    saved: Duration,
}

impl Schedule {
    /// The order of asking: as configured, known dead ones last. Where all are dead nobody is put last: the
    /// network may have been gone for all of them.
    #[inline(never)]
    pub(super) fn new(terms: &Terms<'_>, now: Instant) -> Result<Schedule, NoMemory> {
        let count = terms.servers.len();
        let first = if terms.options.rotate { terms.rotation } else { 0 };
        let (mut well, mut out) = (SmallVec::<[Turn; 2]>::new(), SmallVec::<[Turn; 2]>::new());
        for index in 0..count {
            let server = first.wrapping_add(index) % count;
            let Some((_, health)) = terms.servers.get(server) else { continue };
            let standing = if count == 1 { health.life(now) } else { health.standing(now) };
            let turn = Turn {
                server,
                standing,
                share: share(terms.options, index, count),
                asked: None,
                begun: now,
                probation: health.probation(),
                rounds: 0,
                again: None,
                strikes: 0,
                has_spoken: false,
                is_struck: false,
            };
            if standing == Standing::Out { out.try_push(turn)? } else { well.try_push(turn)? }
        }
        if well.is_empty() {
            out.iter_mut().for_each(|turn| turn.standing = Standing::Unknown);
        }
        for turn in out {
            well.try_push(turn)?;
        }
        Ok(Schedule {
            turns: well,
            current: None,
            cycle: 0,
            is_over: true,
            is_done: false,
            rounds: terms.rounds,
            saved: Duration::ZERO,
        })
    }

    /// The turns, in order.
    pub(super) fn turns(&self) -> &[Turn] {
        &self.turns
    }

    /// Where in the order a server stands, with its turn.
    pub(super) fn of(&self, server: usize) -> Option<(usize, &Turn)> {
        self.turns.iter().enumerate().find(|(_, turn)| turn.server == server)
    }

    fn of_mut(&mut self, server: usize) -> Option<&mut Turn> {
        self.turns.iter_mut().find(|turn| turn.server == server)
    }

    /// When the next server's turn begins, if nothing changes; `None` where there is no other.
    pub(super) fn next_turn(&self, terms: &Terms<'_>, now: Instant) -> Option<Instant> {
        if self.is_done {
            return None;
        }
        if self.is_over {
            return Some(now);
        }
        let turn = self.turns.get(self.current?).filter(|_| self.turns.len() > 1)?;
        let (_, health) = terms.servers.get(turn.server)?;
        Some(turn.begun.after(turn.patience(health, terms.hedge, self.cycle, now)))
    }

    /// Goes on to the next server that has not failed for good, and may be sent to; its index. `None` where there is none.
    pub(super) fn advance(&mut self, attempts: u32, now: Instant) -> Option<usize> {
        self.is_over = false;
        let count = self.turns.len();
        let first = self.current.map_or(0, |current| current + 1);
        for at in (first..first + count).map(|at| at % count) {
            self.cycle += u32::from(at == 0);
            let may_be_asked =
                |turn: &&mut Turn| turn.strikes < attempts && turn.rounds < self.rounds;
            let Some(turn) = self.turns.get_mut(at).filter(may_be_asked) else { continue };
            turn.begun = now;
            self.current = Some(at);
            return Some(turn.server);
        }
        self.is_done = true;
        None
    }

    /// Notes that a server is sent to now: how many times it was before. `trip`: its round trip, if known.
    pub(super) fn send(&mut self, server: usize, trip: Option<Duration>, now: Instant) -> u32 {
        let most = self.rounds;
        let Some(turn) = self.of_mut(server) else { return 0 };
        let round = turn.rounds;
        turn.rounds += 1;
        turn.asked = turn.asked.or(Some(now));
        turn.is_struck = false;
        turn.again = (turn.rounds < most).then(|| now.after(interval(trip, round)));
        round
    }

    /// The server that is to be sent to once more, and when: the first of them.
    pub(super) fn next_repetition(&self) -> Option<(usize, Instant)> {
        let all = self.turns.iter().filter_map(|turn| Some((turn.server, turn.again?)));
        all.min_by_key(|(_, at)| *at)
    }

    /// A server has answered something.
    pub(super) fn heard(&mut self, server: usize) {
        if let Some(turn) = self.of_mut(server) {
            turn.has_spoken = true;
        }
    }

    /// Nothing is to be sent to a server for the time being.
    pub(super) fn is_content(&mut self, server: usize) {
        if let Some(turn) = self.of_mut(server) {
            turn.again = None;
        }
    }

    /// The server is there and has more to say: it is not sent to as soon as it would be.
    pub(super) fn put_off(&mut self, server: usize, trip: Option<Duration>, now: Instant) {
        let most = self.rounds;
        if let Some(turn) = self.of_mut(server) {
            turn.again = (turn.rounds < most).then(|| now.after(interval(trip, turn.rounds)));
        }
    }

    /// A server has failed outright. The next one's turn is now, unless somebody else's is under way, which
    /// is where another one than the one that has its turn failed, and `others_wait`.
    pub(super) fn strike(&mut self, server: usize, others_wait: bool) {
        let is_current =
            self.current.and_then(|at| self.turns.get(at)).is_none_or(|t| t.server == server);
        let mut saved = Duration::ZERO;
        if let Some(turn) = self.of_mut(server).filter(|turn| !turn.is_struck) {
            turn.is_struck = true;
            turn.strikes += 1;
            turn.again = None;
            saved = turn.share;
        }
        self.saved += saved;
        self.is_over |= is_current || !others_wait;
    }

    /// The time that libc would take from here on, at the most.
    pub(super) fn budget(&self, options: &Options) -> Duration {
        budget(options, self.turns.len()).saturating_sub(self.saved)
    }

    /// Nobody is sent to any more.
    pub(super) fn give_up(&mut self) {
        self.turns.iter_mut().for_each(|turn| turn.again = None);
        self.is_done = true;
    }

    /// Nobody could run for so long: that was nobody's silence. All are asked again at once.
    pub(super) fn shift(&mut self, by: Duration, now: Instant) {
        for turn in &mut self.turns {
            turn.begun = turn.begun.after(by);
            turn.asked = turn.asked.map(|at| at.after(by));
            turn.again = turn.again.map(|_| now);
        }
    }
}

impl Turn {
    /// How long the server may be silent before the next one is asked as well: its whole time if it is
    /// alive, also where that has become known only now.
    fn patience(
        &self,
        health: &Health,
        hedge: Option<Duration>,
        cycle: u32,
        now: Instant,
    ) -> Duration {
        match self.standing {
            // All have been asked: the rest is libc's time.
            _ if cycle > 1 => self.share,
            Standing::OnProbation => self.probation.min(self.share),
            Standing::Out => AGAIN,
            Standing::Alive | Standing::Unknown => match health.life(now) {
                Standing::Out => Duration::ZERO,
                Standing::Alive => self.share,
                Standing::Unknown | Standing::OnProbation => {
                    hedge.map_or(self.share, |hedge| hedge.min(self.share))
                }
            },
        }
    }

    /// True where it need not be silent for its whole time to be thought dead, if another one speaks.
    pub(super) fn may_be_hedged(&self, health: &Health, now: Instant) -> bool {
        self.standing != Standing::Alive && health.life(now) != Standing::Alive
    }

    /// Until when its answer counts before those of servers behind it; `None`: it was not asked, has failed, or
    /// is thought dead.
    pub(super) fn has_its_say_until(&self, health: &Health, now: Instant) -> Option<Instant> {
        let is_dead = matches!(self.standing, Standing::OnProbation | Standing::Out)
            && health.life(now) != Standing::Alive
            || health.life(now) == Standing::Out;
        self.asked.filter(|_| !is_dead && !self.is_struck).map(|asked| asked.after(self.share))
    }
}

/// A server that is silent is asked again after this long, and then after twice as long as the last time.
const AGAIN: Duration = Duration::from_millis(250);

/// How long after the sending of this round comes the next one: the first after three round trips, within
/// bounds.
fn interval(trip: Option<Duration>, round: u32) -> Duration {
    let first = trip.map_or(AGAIN, |trip| trip.saturating_mul(3).clamp(AGAIN, AGAIN * 4));
    first.saturating_mul(1 << round.min(16))
}

/// The time that libc gives the server at this place of so many in one attempt: later ones get the doubled
/// time divided by their number (resolv.conf(5), `timeout`).
fn share(options: &Options, index: usize, servers: usize) -> Duration {
    let doubled = u64::from(options.timeout) << index.min(16);
    let seconds = if index == 0 { doubled } else { doubled / servers.max(1) as u64 };
    Duration::from_secs(seconds.max(1))
}

/// The time that libc would wait at the most: each server's share in each attempt.
#[inline(never)]
pub(super) fn budget(options: &Options, servers: usize) -> Duration {
    let round: Duration = (0..servers).map(|index| share(options, index, servers)).sum();
    round.saturating_mul(options.attempts.max(1))
}
