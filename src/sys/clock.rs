//! Points on a clock that never goes back, and goes on while the machine is suspended.

use core::time::Duration;

/// A point on that clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(pub(super) Duration);

/// Who wakes so much later than it wanted to could not run: the process was stopped, or the machine slept.
/// What others did not say meanwhile is nobody's silence.
pub const LEAP: Duration = Duration::from_secs(1);

impl Instant {
    /// How long after `earlier` this is; zero when it is not after.
    pub fn since(self, earlier: Instant) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// The point `later` from here.
    pub fn after(self, later: Duration) -> Instant {
        Instant(self.0.saturating_add(later))
    }

    /// Whole seconds since the clock's start, and the nanoseconds after them.
    pub fn parts(self) -> (u64, u32) {
        (self.0.as_secs(), self.0.subsec_nanos())
    }

    /// Milliseconds since the clock's start, modulo 2^32: fits an atomic on every architecture.
    pub fn millis(self) -> u32 {
        // Truncation is the point: compare with `wrapping_sub`.
        self.0.as_millis() as u32
    }

    /// Whole seconds since the clock's start; 2^32 of them are 136 years.
    pub fn seconds(self) -> u32 {
        self.0.as_secs() as u32
    }
}
