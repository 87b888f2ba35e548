//! Waiting in the kernel, in three ways.

use super::atomic::{AtomicU32, Ordering::Relaxed, Ordering::SeqCst};
use super::time::Instant;
use loom::sync::{Condvar, Mutex};
use std::cell::Cell;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    Perhaps,
    TimedOut,
    Interrupted,
}

/// What waiting is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Letting others run. The kernel may return for no reason, and orders no memory here: what the code
    /// relies on has to come from its own atomics.
    Yields,
    /// The same, and where there is a deadline it has passed.
    TimesOut,
    /// Until it is woken: where nobody does that, the checker finds that all threads wait.
    Blocks,
}

thread_local! {
    // The checker runs all of its threads on one of the system's.
    static WAITING: Cell<Waiting> = const { Cell::new(Waiting::Yields) };
}

loom::lazy_static! {
    static ref WAKES: (Mutex<()>, Condvar) = (Mutex::new(()), Condvar::new());
}

pub fn set(waiting: Waiting) {
    WAITING.with(|place| place.set(waiting));
}

pub fn wait(number: &AtomicU32, expected: u32, deadline: Option<Instant>) -> Woken {
    match WAITING.with(Cell::get) {
        Waiting::TimesOut if deadline.is_some() => return Woken::TimedOut,
        Waiting::Blocks => {
            let (lock, wakes) = &*WAKES;
            let held = lock.lock().unwrap();
            if number.load(SeqCst) == expected {
                drop(wakes.wait(held).unwrap());
            }
        }
        Waiting::Yields | Waiting::TimesOut => {
            if number.load(Relaxed) == expected {
                loom::thread::yield_now();
            }
        }
    }
    Woken::Perhaps
}

pub fn wake(_number: &AtomicU32) {
    if WAITING.with(Cell::get) == Waiting::Blocks {
        let (lock, wakes) = &*WAKES;
        let _held = lock.lock().unwrap();
        wakes.notify_all();
    }
}
