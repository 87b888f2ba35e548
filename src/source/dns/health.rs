//! What is known of a name server from earlier lookups: how fast it answers, whether it does, and
//! whether it understands EDNS. Advice that several threads read and write without a lock: a lost
//! update costs some milliseconds of one lookup, never an answer.

use super::cookie::Jar;
use crate::sys::time::Instant;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use core::time::Duration;

/// A server that gave no answer is asked last for this long.
const PENALTY: Duration = Duration::from_secs(30);
/// One that has answered something within this time is not put last for a single silence: it may
/// just be resolving a slow name.
const RECENT: Duration = Duration::from_secs(5);
/// How long a server may be silent before the next one is asked too.
const HEDGE: Duration = Duration::from_millis(250);
/// The same for one that is being tried again after its penalty: what is known of its round trip may
/// shorten it, down to this.
const PROBATION: Duration = Duration::from_millis(10);
/// A server that has refused EDNS is asked without it for this long: one that is replaced or mended is found
/// out, for one more round trip in all that time.
const WITHOUT_EDNS: Duration = Duration::from_secs(900);
/// And where nothing is known of its round trip: one across the continent still gets its chance.
const PROBATION_UNKNOWN: Duration = Duration::from_millis(100);

/// The record of one server. Zero means "not known" throughout, and fits a fresh one.
#[derive(Debug, Default)]
pub struct Health {
    /// Smoothed round trip in microseconds; 0: not measured.
    round_trip: AtomicU32,
    /// When it was last heard, in the clock's seconds plus one; 0: never.
    heard: AtomicU32,
    /// Until when it is asked last, in the clock's seconds plus one; 0: it is well.
    out_until: AtomicU32,
    /// Until when it is asked without EDNS, in the clock's seconds plus one; 0: it takes it.
    no_edns_until: AtomicU32,
    /// The cookies that it and we have given each other.
    pub cookies: Jar,
}

/// A server's place among the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Asked in its turn.
    Well,
    /// Its penalty is over: asked in its turn, and hedged early.
    OnProbation,
    /// Asked last.
    Out,
}

impl Health {
    /// An answer arrived `round_trip` after its query.
    pub fn heard(&self, now: Instant, round_trip: Duration) {
        let sample = u32::try_from(round_trip.as_micros()).unwrap_or(u32::MAX).max(1);
        let old = self.round_trip.load(Relaxed);
        // The smoothing of RFC 6298: an eighth of the new.
        let smooth = if old == 0 { sample } else { old - old / 8 + sample / 8 };
        self.round_trip.store(smooth, Relaxed);
        self.heard.store(now.seconds().saturating_add(1), Relaxed);
        self.out_until.store(0, Relaxed);
    }

    /// No answer came while others gave one. True where that puts the server last.
    pub fn silent(&self, now: Instant) -> bool {
        let heard = self.heard.load(Relaxed);
        let recently = heard != 0
            && now.seconds().saturating_add(1) - heard.min(now.seconds() + 1)
                < RECENT.as_secs() as u32;
        !recently && self.penalise(now)
    }

    /// The server's host says that nobody listens, or it can't be reached. True where the server was
    /// well until now.
    pub fn penalise(&self, now: Instant) -> bool {
        self.out_until.swap(now.after(PENALTY).seconds().saturating_add(1), Relaxed) == 0
    }

    /// Where the server stands. The one caller that is told `OnProbation` has taken the trial on
    /// itself: the others see `Out` until it has ended.
    pub fn standing(&self, now: Instant) -> Standing {
        let until = self.out_until.load(Relaxed);
        if until == 0 {
            return Standing::Well;
        }
        if until > now.seconds() + 1 {
            return Standing::Out;
        }
        let next = now.after(PENALTY).seconds().saturating_add(1);
        match self.out_until.compare_exchange(until, next, Relaxed, Relaxed) {
            Ok(_) => Standing::OnProbation,
            Err(_) => Standing::Out,
        }
    }

    /// How long to wait for this server before the next one is asked as well.
    pub fn patience(&self, standing: Standing) -> Duration {
        let trips = self.round_trip().map(|trip| trip.saturating_mul(3));
        match (standing, trips) {
            (Standing::OnProbation, None) => PROBATION_UNKNOWN,
            (Standing::OnProbation, Some(trips)) => trips.clamp(PROBATION, HEDGE),
            (Standing::Well | Standing::Out, trips) => trips.unwrap_or_default().max(HEDGE),
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
    use super::*;

    #[test]
    fn one_that_was_never_heard_is_out_at_its_first_silence_and_then_tried_by_one_lookup() {
        let health = Health::default();
        let start = Instant::now();
        assert_eq!(health.standing(start), Standing::Well);
        assert!(health.silent(start) && !health.silent(start), "put last once");
        assert_eq!(health.standing(start), Standing::Out);
        let later = start.after(PENALTY);
        assert_eq!(health.standing(later), Standing::OnProbation);
        assert_eq!(health.standing(later), Standing::Out, "somebody is trying it");
        health.heard(later, Duration::from_millis(1));
        assert_eq!(health.standing(later), Standing::Well);
    }

    #[test]
    fn one_that_was_just_heard_keeps_its_place() {
        let health = Health::default();
        let now = Instant::now();
        health.heard(now, Duration::from_millis(1));
        health.silent(now.after(Duration::from_secs(1)));
        assert_eq!(health.standing(now), Standing::Well);
        health.silent(now.after(RECENT));
        assert_eq!(health.standing(now.after(RECENT)), Standing::Out);
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
    fn patience_grows_with_the_round_trip() {
        let health = Health::default();
        assert_eq!(health.patience(Standing::Well), HEDGE);
        assert_eq!(health.patience(Standing::OnProbation), PROBATION_UNKNOWN);
        health.heard(Instant::now(), Duration::from_millis(200));
        assert_eq!(health.patience(Standing::Well), Duration::from_millis(600));
        assert_eq!(health.patience(Standing::OnProbation), HEDGE);
    }
}
