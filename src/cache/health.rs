//! What is known of a name server from earlier lookups: how fast it answers, whether it does, and
//! whether it understands EDNS. Advice that several threads read and write without a lock: a lost
//! update costs some milliseconds of one lookup, never an answer.

use super::cookie::Jar;
use crate::base::record_type;
use crate::sys::time::Instant;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use core::time::Duration;

/// A server that was found dead is asked last for this long.
const PENALTY: Duration = Duration::from_secs(30);
/// One that was heard is known to be alive for this long, unless it is silent for resolv.conf's `timeout`.
const ALIVE: Duration = Duration::from_secs(30);
/// A server that has refused EDNS is asked without it for this long: one that is replaced or mended is found
/// out, for one more round trip in all that time.
const WITHOUT_EDNS: Duration = Duration::from_secs(900);
/// How long a server that is being tried again after its penalty may be silent before the next one is asked
/// too: three of its round trips, within these bounds.
const PROBATION: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));
/// And where nothing is known of its round trip; at each further trial twice as long, up to eight times, so
/// that one across the continent gets its chance.
const PROBATION_UNKNOWN: Duration = Duration::from_millis(100);
/// A family of addresses that a server was silent about, while it gave the other, is waited for only for a
/// moment for this long (RFC 9520).
const MUTE: Duration = Duration::from_secs(30);

/// The record of one server. Zero means "not known" throughout, and fits a fresh one.
#[derive(Debug, Default)]
pub struct Health {
    /// Smoothed round trip in microseconds; 0: not measured.
    round_trip: AtomicU32,
    /// When it was last heard: [`Instant::millis`], made odd; 0: never.
    heard: AtomicU32,
    /// Until when it is asked last, in the clock's seconds plus one; 0: it is well.
    out_until: AtomicU32,
    /// How often it was tried in vain after a penalty.
    trials: AtomicU32,
    /// Until when it is taken to be silent about A and AAAA, in the clock's seconds plus one; 0: it isn't.
    mute_until: [AtomicU32; 2],
    /// Until when it is asked without EDNS, in the clock's seconds plus one; 0: it takes it.
    no_edns_until: AtomicU32,
    /// The cookies that it and we have given each other.
    pub cookies: Jar,
}

/// A server's place among the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It was heard a moment ago: asked in its turn, and waited for.
    Alive,
    /// It was not heard lately, nor found dead: asked in its turn, and hedged.
    Unknown,
    /// Its penalty is over: asked in its turn, and hedged early.
    OnProbation,
    /// It is dead: asked last.
    Out,
}

/// The place among what is known of both families, by record type; `None` for other types.
fn family(qtype: u16) -> Option<usize> {
    [record_type::A, record_type::AAAA].iter().position(|known| *known == qtype)
}

/// A point in time as it is kept: in the clock's seconds plus one, since 0 means never.
fn stamp(at: Instant) -> u32 {
    at.seconds().saturating_add(1)
}

impl Health {
    /// An answer to a query for `qtype` arrived `round_trip` after it.
    pub fn heard(&self, now: Instant, qtype: u16, round_trip: Duration) {
        let sample = u32::try_from(round_trip.as_micros()).unwrap_or(u32::MAX).max(1);
        let old = self.round_trip.load(Relaxed);
        // The smoothing of RFC 6298: an eighth of the new.
        let smooth = if old == 0 { sample } else { old - old / 8 + sample / 8 };
        self.round_trip.store(smooth, Relaxed);
        self.heard.store(now.millis() | 1, Relaxed);
        self.out_until.store(0, Relaxed);
        self.trials.store(0, Relaxed);
        if let Some(mute) = family(qtype).and_then(|family| self.mute_until.get(family))
            && mute.load(Relaxed) != 0
        {
            mute.store(0, Relaxed);
        }
    }

    /// True where it was heard after `since`, to two milliseconds.
    pub fn was_heard(&self, since: Instant) -> bool {
        let heard = self.heard.load(Relaxed);
        heard != 0 && heard.wrapping_sub(since.millis() | 1).cast_signed() > 0
    }

    /// It was silent for as long as it may be. True where that puts the server last.
    pub fn found_dead(&self, now: Instant) -> bool {
        self.out_until.swap(stamp(now.after(PENALTY)), Relaxed) == 0
    }

    /// It was silent about `qtype`, for as long as one that is alive may be, and not about the other family.
    pub fn found_mute(&self, now: Instant, qtype: u16) {
        if let Some(mute) = family(qtype).and_then(|family| self.mute_until.get(family)) {
            mute.store(stamp(now.after(MUTE)), Relaxed);
        }
    }

    /// True where it was silent about `qtype` not long ago.
    pub fn is_mute(&self, now: Instant, qtype: u16) -> bool {
        let until = family(qtype).and_then(|family| self.mute_until.get(family));
        until.is_some_and(|until| until.load(Relaxed) > stamp(now))
    }

    /// What is known of the server's life, without taking on a trial: `Alive`, `Unknown`, or `Out`.
    pub fn life(&self, now: Instant) -> Standing {
        if self.out_until.load(Relaxed) > stamp(now) {
            return Standing::Out;
        }
        let heard = self.heard.load(Relaxed);
        let age = (now.millis() | 1).wrapping_sub(heard);
        // What was heard after `now` was read is as recent as can be.
        let is_recent = heard != 0 && (age.cast_signed() < 0 || age < ALIVE.as_millis() as u32);
        if is_recent { Standing::Alive } else { Standing::Unknown }
    }

    /// Where the server stands. The one caller that is told `OnProbation` has taken the trial on
    /// itself: the others see `Out` until it has ended.
    pub fn standing(&self, now: Instant) -> Standing {
        let until = self.out_until.load(Relaxed);
        if until == 0 || until > stamp(now) {
            return self.life(now);
        }
        let next = stamp(now.after(PENALTY));
        match self.out_until.compare_exchange(until, next, Relaxed, Relaxed) {
            Ok(_) => {
                self.trials.fetch_add(1, Relaxed);
                Standing::OnProbation
            }
            Err(_) => Standing::Out,
        }
    }

    /// How long to wait for this server on probation before the next one is asked as well.
    pub fn probation(&self) -> Duration {
        let (least, most) = PROBATION;
        match self.round_trip() {
            Some(trip) => trip.saturating_mul(3).clamp(least, most),
            None => PROBATION_UNKNOWN * (1 << (self.trials.load(Relaxed).saturating_sub(1) % 4)),
        }
    }

    /// False for a while when the server has shown that it doesn't understand EDNS.
    pub fn takes_edns(&self, now: Instant) -> bool {
        self.no_edns_until.load(Relaxed) <= now.seconds()
    }

    /// The server has refused a query with EDNS, and answered the same one without (RFC 6891 section 7).
    pub fn refuses_edns(&self, now: Instant) {
        self.no_edns_until.store(now.after(WITHOUT_EDNS).seconds().saturating_add(1), Relaxed);
    }

    /// The smoothed round trip, where one was measured.
    pub fn round_trip(&self) -> Option<Duration> {
        let micros = self.round_trip.load(Relaxed);
        (micros != 0).then(|| Duration::from_micros(micros.into()))
    }
}

#[cfg(test)]
mod tests {
    use crate::cache::health::*;

    const MOMENT: Duration = Duration::from_millis(1);

    #[test]
    fn one_that_was_found_dead_is_out_and_then_tried_by_one_lookup() {
        let health = Health::default();
        let start = Instant::now();
        assert_eq!(health.standing(start), Standing::Unknown);
        assert!(health.found_dead(start) && !health.found_dead(start), "put last once");
        assert_eq!(health.standing(start), Standing::Out);
        let later = start.after(PENALTY);
        assert_eq!(health.standing(later), Standing::OnProbation);
        assert_eq!(health.standing(later), Standing::Out, "somebody is trying it");
        health.heard(later, record_type::A, MOMENT);
        assert_eq!(health.standing(later), Standing::Alive);
    }

    #[test]
    fn one_that_was_heard_is_known_to_be_alive_for_a_while() {
        let health = Health::default();
        let now = Instant::now();
        health.heard(now, record_type::A, MOMENT);
        health.heard(now.after(Duration::from_millis(10)), record_type::A, MOMENT);
        assert!(health.was_heard(now) && !health.was_heard(now.after(Duration::from_secs(1))));
        health.heard(now, record_type::A, MOMENT);
        assert_eq!(health.standing(now.after(ALIVE - Duration::from_secs(1))), Standing::Alive);
        assert_eq!(health.standing(now.after(ALIVE)), Standing::Unknown);
        health.found_dead(now);
        assert_eq!(health.standing(now), Standing::Out, "however lately it was heard");
    }

    #[test]
    fn a_refusal_of_edns_is_remembered_for_a_while() {
        let health = Health::default();
        let start = Instant::now();
        assert!(health.takes_edns(start));
        health.refuses_edns(start);
        let at = |seconds| start.after(Duration::from_secs(seconds));
        assert!(!health.takes_edns(start) && !health.takes_edns(at(899)));
        assert!(health.takes_edns(at(902)));
    }

    #[test]
    fn probation_fits_the_round_trip_or_grows_while_it_is_not_known() {
        let health = Health::default();
        let mut now = Instant::now();
        health.found_dead(now);
        let trials = [1, 2, 4, 8, 1].map(|times| {
            now = now.after(PENALTY);
            assert_eq!(health.standing(now), Standing::OnProbation);
            assert_eq!(health.probation(), PROBATION_UNKNOWN * times);
        });
        assert_eq!(trials.len(), 5);
        health.heard(now, record_type::A, Duration::from_millis(200));
        assert_eq!(health.probation(), Duration::from_millis(600));
    }

    #[test]
    fn one_is_mute_about_a_family_until_it_answers_for_it() {
        let health = Health::default();
        let now = Instant::now();
        let mute = |now| [1, 28, 12].map(|qtype| health.is_mute(now, qtype));
        health.found_mute(now, record_type::AAAA);
        health.heard(now, record_type::A, MOMENT);
        assert_eq!(mute(now), [false, true, false]);
        assert_eq!(mute(now.after(MUTE)), [false; 3]);
        health.heard(now, record_type::AAAA, MOMENT);
        assert_eq!(mute(now), [false; 3]);
    }
}
