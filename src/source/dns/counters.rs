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
    /// Answers that `dnssec validate` has found secure, insecure, and bogus, which are none.
    pub checked: [AtomicUsize; 3],
}
