//! The outermost frame of every export.
//!
//! It keeps `errno`, holds off thread cancellation while we work (our frames have things to drop,
//! which a cancelled thread would not), and turns a panic into the function's own failure: nothing
//! of ours ever unwinds into, or aborts, the program that we live in.

use super::codes::Returned;
use crate::context::state;
use crate::sys::{calls, process};
use core::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Runs `work`; where it panics, returns `failed`.
///
/// A cancellation that is pending at the call is acted on before any work. One that arrives while the call
/// waits ends it early, where we hear of it ([`calls::is_cancelled`]). A call that has come to nothing ends the
/// thread then. With a result the cancellation stays pending for the thread's next cancellation point (or next
/// call of ours), where the caller's own clean-up handlers know what to do with it: ending the thread here would
/// leak it. POSIX lets `getaddrinfo` and `getnameinfo` be cancellation points or not.
///
/// Always inlined into an `extern "C-unwind"` frame that holds nothing to drop, so that the unwinding
/// of a cancelled thread passes both.
#[inline(always)]
pub(super) fn guard(failed: Returned, work: impl FnOnce() -> Returned) -> c_int {
    let (failure, _) = failed;
    let mut frame = calls::Frame::new();
    calls::begin(&mut frame);
    let code = run(failed, work);
    let ended = calls::end(&mut frame);
    process::restore_cancellation(ended.cancellation);
    // Functions that return a pointer have no code for a failure, and nothing that could be leaked.
    if ended.is_cancelled && (code != 0 || failure == 0) {
        process::be_cancelled();
    } else if code != 0 {
        process::act_on_cancellation();
    }
    code
}

/// [`guard`] without a look at cancellation, for calls that don't block and for threads of our own.
#[inline(never)]
pub(super) fn run(failed: Returned, work: impl FnOnce() -> Returned) -> c_int {
    let saved = process::errno();
    silence_panics();
    let (code, errno) = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(returned) => returned,
        Err(payload) => {
            // Dropping what was thrown could panic again.
            core::mem::forget(payload);
            failed
        }
    };
    process::set_errno(errno.unwrap_or(saved));
    code
}

/// A panic is a bug of ours: it goes to the debug trace, not to the program's standard error.
fn silence_panics() {
    static DONE: AtomicBool = AtomicBool::new(false);
    if !DONE.swap(true, Relaxed) {
        // Boxing a function that captures nothing allocates nothing.
        set_hook(Box::new(state::trace_panic));
    }
}
