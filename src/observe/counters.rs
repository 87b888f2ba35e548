//! What the library has done in this process, in numbers: since its first call, or since the fork that
//! made the process. Each thread counts in a stripe of its own, so that none waits for another's cache
//! line; where the setting `stats` says so the stripes lie in memory that `rustdns stats` reads.

use crate::cache::dns::Change;
use crate::config::settings::Settings;
use crate::sys::atomic::Ordering::Relaxed;
use crate::sys::mem::NoMemory;
use crate::sys::process;
use crate::sys::published::{NUMBERS, Place};
#[cfg(not(target_family = "wasm"))]
use crate::sys::{Fault, errno};
use core::time::Duration;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Count {
    /// Lookups answered from what was found a moment ago (`recent::answers`), which ask the DNS nothing.
    Again,
    /// Those that stand for one question of the DNS.
    AgainOne,
    /// Those that stand for two.
    AgainTwo,
    /// All other lookups.
    Lookups,
    /// Lookups without an answer, for whatever reason.
    Failures,
    /// Questions that the cache answered.
    Hits,
    /// Questions that it could not answer.
    Misses,
    /// Answers that made room for others before their time.
    Evictions,
    /// Answers in the cache; modulo the size of a word, as a sum of what came and went.
    Entries,
    /// The memory that it takes, likewise.
    Octets,
    /// Answers from servers that deny a name or a record.
    Negative,
    /// Questions answered from the cache after their time, because no server answered.
    Stale,
    /// Lookups that waited for another thread's question instead of asking.
    Coalesced,
    /// Queries sent by UDP, repetitions included.
    Udp,
    /// Queries sent by TCP.
    Tcp,
    /// Answers that came to them, good or bad; what answers nothing that was asked is not counted.
    Answers,
    /// Questions that no server answered in time.
    Timeouts,
    /// How often a server was found dead, and put last.
    Dead,
    /// Queries sent over TLS or HTTPS, or by TCP to have their answers' signatures checked.
    Private,
    /// Answers that `dnssec validate` has found to be what their zones have signed.
    Secure,
    /// Answers that it has found to be from zones that sign nothing.
    Insecure,
    /// Answers that it has thrown away.
    Bogus,
}

/// How many there are.
pub const COUNTS: usize = Count::Bogus as usize + 1;

/// How many classes of duration there are: the first is up to [`FIRST`], each further one up to
/// twice as long, the last one without end.
pub const DURATIONS: usize = 24;

/// Microseconds below which a lookup is in the first class.
pub const FIRST: usize = 4;

/// The counters.
pub struct Counters {
    place: Place,
}

impl Counters {
    /// All zero, in memory of the process's own.
    pub fn new() -> Result<Counters, NoMemory> {
        Ok(Counters { place: Place::own()? })
    }

    /// All zero, where the settings want them; in the process's own memory where that can't be, or where the
    /// process has more rights than who started it.
    #[cfg(not(target_family = "wasm"))]
    #[inline(never)]
    pub fn by(settings: &Settings) -> Result<Counters, NoMemory> {
        if !settings.stats {
            return Counters::new();
        }
        let shared = match process::is_secure() {
            true => Err(Fault::Other(errno::NOT_PERMITTED)),
            false => Place::shared(),
        };
        shared.map(|place| Counters { place }).or_else(|why| {
            let errno = why.errno();
            settings.trace().decision(format_args!("stats: not shown: errno {errno}"));
            Counters::new()
        })
    }

    /// All zero, in the instance's own memory whatever the settings want.
    #[cfg(target_family = "wasm")]
    pub fn by(settings: &Settings) -> Result<Counters, NoMemory> {
        if settings.stats {
            settings.trace().decision(format_args!("stats: not shown by portable C"));
        }
        Counters::new()
    }

    /// Counts one.
    pub fn one(&self, what: Count) {
        self.add(what, 1);
    }

    /// Counts `number`; a number that is taken away is added as its complement.
    pub fn add(&self, what: Count, number: usize) {
        self.count(what as usize, number);
    }

    /// Counts a lookup that took so long.
    #[inline(never)]
    pub fn lookup(&self, took: Duration, is_answered: bool) {
        self.one(Count::Lookups);
        if !is_answered {
            self.one(Count::Failures);
        }
        self.count(COUNTS + class_of(took), 1);
    }

    /// Counts a lookup that was answered as one of a moment ago, and how many questions of the DNS
    /// that one stood for. On the shortest way there is: one addition, in the thread's own stripe.
    pub fn again(&self, questions: u8) {
        // The three are side by side.
        self.count(Count::Again as usize + usize::from(questions.min(2)), 1);
    }

    /// Counts what came to the cache and what went.
    #[inline(never)]
    pub fn cache_changed(&self, change: &Change) {
        self.add(Count::Entries, change.entries);
        self.add(Count::Octets, change.octets);
        self.add(Count::Evictions, change.has_evicted.into());
    }

    #[inline(never)]
    fn count(&self, at: usize, number: usize) {
        let stripes = &self.place.block().stripes;
        let stripe = stripes.get(process::thread_mark_below(stripes.len()));
        if let Some(counter) = stripe.and_then(|stripe| stripe.numbers.get(at)) {
            counter.fetch_add(number, Relaxed);
        }
    }

    /// The sums over all threads, as of about now.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals([0; NUMBERS]);
        for stripe in &self.place.block().stripes {
            for (total, number) in totals.0.iter_mut().zip(&stripe.numbers) {
                *total = total.wrapping_add(number.load(Relaxed));
            }
        }
        totals
    }
}

/// The class of a duration.
fn class_of(took: Duration) -> usize {
    let micros =
        took.as_secs().saturating_mul(1_000_000).saturating_add(took.subsec_micros().into());
    let doublings = (micros / FIRST as u64).checked_ilog2().map_or(0, |bits| bits as usize + 1);
    doublings.min(DURATIONS - 1)
}

/// Sums over all threads.
#[derive(Clone, Copy)]
pub struct Totals(pub [usize; NUMBERS]);

impl Totals {
    /// How many of one kind.
    pub fn of(&self, what: Count) -> usize {
        self.at(what as usize)
    }

    /// All lookups.
    pub fn lookups(&self) -> usize {
        self.of(Count::Lookups).wrapping_add(self.again())
    }

    /// All queries, however they were sent.
    pub fn queries(&self) -> usize {
        [Count::Udp, Count::Tcp, Count::Private]
            .iter()
            .fold(0, |sum, &how| sum.wrapping_add(self.of(how)))
    }

    /// Questions that were answered without asking a server.
    pub fn hits(&self) -> usize {
        let two = self.of(Count::AgainTwo).wrapping_mul(2);
        self.of(Count::Hits).wrapping_add(self.of(Count::AgainOne)).wrapping_add(two)
    }

    /// How many lookups took how long, by class. Those of a moment ago are in the first without having
    /// been measured: reading the clock would take them longer than all else.
    pub fn durations(&self) -> [usize; DURATIONS] {
        let mut durations = [0; DURATIONS];
        for (class, duration) in durations.iter_mut().enumerate() {
            *duration = self.at(COUNTS + class);
        }
        if let Some(first) = durations.first_mut() {
            *first = first.wrapping_add(self.again());
        }
        durations
    }

    fn again(&self) -> usize {
        let [none, one, two] = [Count::Again, Count::AgainOne, Count::AgainTwo].map(|c| self.of(c));
        none.wrapping_add(one).wrapping_add(two)
    }

    fn at(&self, at: usize) -> usize {
        self.0.get(at).copied().unwrap_or(0)
    }
}

const _: () = assert!(COUNTS + DURATIONS <= NUMBERS);
const _: () = assert!(Count::AgainTwo as usize == Count::Again as usize + 2);

#[cfg(test)]
mod tests {
    use crate::observe::counters::*;

    #[test]
    fn durations_fall_into_classes_that_double() {
        let class = |micros| class_of(Duration::from_micros(micros));
        let first = FIRST as u64;
        assert_eq!((class(0), class(first - 1), class(first), class(2 * first - 1)), (0, 0, 1, 1));
        assert_eq!(class(2 * first), 2);
        let last = first << (DURATIONS - 2);
        assert_eq!((class(last - 1), class(last)), (DURATIONS - 2, DURATIONS - 1));
        assert_eq!(class_of(Duration::MAX), DURATIONS - 1);
    }

    #[test]
    fn what_threads_count_is_summed_up() {
        let counters = Counters::new().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    counters.again(2);
                    counters.add(Count::Entries, 3);
                    counters.add(Count::Entries, 2usize.wrapping_neg());
                    counters.lookup(Duration::from_secs(1), false);
                });
            }
        });
        let totals = counters.totals();
        assert_eq!((totals.lookups(), totals.of(Count::Failures), totals.hits()), (16, 8, 16));
        assert_eq!(totals.of(Count::Entries), 8);
        let durations = totals.durations();
        assert_eq!((durations[0], durations.iter().sum()), (8, 16));
    }
}
