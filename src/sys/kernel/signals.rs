//! Sets of signals, as the kernel has them, and what is asked by them.

use super::call;
use core::ffi::c_int;

/// Words of a set: 64 signals, on MIPS 128.
const WORDS: usize = if cfg!(any(target_arch = "mips64", target_arch = "mips")) { 2 } else { 1 };

/// Signals that libc keeps for itself, for cancellation and for setuid(3) of all threads, which nobody blocks: 32 and
/// 33, and musl's 34.
const KEPT: u64 = if cfg!(target_env = "gnu") { 0b11 << 31 } else { 0b111 << 31 };

/// A set of signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Signals([u64; WORDS]);

impl Signals {
    /// None.
    pub(crate) const NONE: Signals = Signals([0; WORDS]);

    /// All that a program may block.
    pub(crate) fn all() -> Signals {
        let mut all = Signals([u64::MAX; WORDS]);
        if let Some(first) = all.0.first_mut() {
            *first &= !in_kernels_words(KEPT);
        }
        all
    }

    /// These, which are all below 32.
    pub(crate) fn of(signals: &[c_int]) -> Signals {
        let mut set = Signals::NONE;
        let bits = signals.iter().fold(0u64, |bits, signal| bits | 1 << (signal - 1));
        if let Some(first) = set.0.first_mut() {
            // The kernel's words are as wide as a pointer, the least significant one first.
            *first = in_kernels_words(bits);
        }
        set
    }

    /// Those of these that are not in `others`.
    pub(crate) fn without(self, others: Signals) -> Signals {
        let mut set = self;
        set.0.iter_mut().zip(others.0).for_each(|(word, other)| *word &= !other);
        set
    }
}

/// 64 bits as words of the kernel's.
const fn in_kernels_words(bits: u64) -> u64 {
    if cfg!(all(target_endian = "big", target_pointer_width = "32")) {
        bits.rotate_left(32)
    } else {
        bits
    }
}

const SIZE: usize = size_of::<Signals>();

/// rt_sigprocmask(2) for the calling thread. Returns what was blocked before.
pub(crate) fn rt_sigprocmask(how: c_int, set: Signals) -> Signals {
    let mut before = Signals::NONE;
    // SAFETY: both are sets of the kernel's size; it fails for none of its three operations.
    unsafe { call!(libc::SYS_rt_sigprocmask, how, &raw const set, &raw mut before, SIZE) };
    before
}

/// rt_sigpending(2).
pub(crate) fn rt_sigpending() -> Signals {
    let mut pending = Signals::NONE;
    // SAFETY: a set of the kernel's size.
    unsafe { call!(libc::SYS_rt_sigpending, &raw mut pending, SIZE) };
    pending
}

/// Takes one of these signals back that is pending (rt_sigtimedwait(2), without waiting). False where none is.
pub(crate) fn rt_sigtimedwait(set: Signals) -> bool {
    // No time, in words of either size.
    let at_once = [0u64; 2];
    // SAFETY: a set of the kernel's size, and a time; nothing is told of the signal.
    unsafe { call!(libc::SYS_rt_sigtimedwait, &raw const set, 0usize, at_once.as_ptr(), SIZE) > 0 }
}
