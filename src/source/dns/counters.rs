//! What the engine has done, in numbers.

use core::sync::atomic::AtomicUsize;

/// Counters since the process began, or since the fork that made it.
#[derive(Debug, Default)]
pub struct Counters {
    /// Queries that were sent, repetitions included.
    pub queries: AtomicUsize,
    /// Answers that came to them, good or bad; what answers nothing that was asked is not counted.
    pub answers: AtomicUsize,
    /// Questions that no server answered in time.
    pub timeouts: AtomicUsize,
    /// Answers that `dnssec validate` has found secure.
    pub secure: AtomicUsize,
    /// Those that it has found to come from zones without signatures.
    pub insecure: AtomicUsize,
    /// Those that were not what the zone has signed, and so none.
    pub bogus: AtomicUsize,
}
