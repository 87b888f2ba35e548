//! Waiting for a number to change: in vain, for an instance of the core has one thread.

use crate::sys::time::Instant;
use core::sync::atomic::AtomicU32;

/// Why [`wait`] returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// The deadline has passed.
    TimedOut,
}

/// Does not wait: there is nobody who could change the number.
pub fn wait(_number: &AtomicU32, _expected: u32, _deadline: Option<Instant>) -> Woken {
    Woken::TimedOut
}

/// Wakes nobody.
pub fn wake(_number: &AtomicU32) {}
