//! A lock for the few instructions that it takes to change what threads share, in a process that isn't ours.
//!
//! It is waited for in the kernel, by futex(2): a thread with a real-time policy that only yielded would never let
//! the thread run that holds it. Two kinds of holder never let go, and are not waited for without end:
//!
//! - The calling thread itself: this call is made by a signal handler that has interrupted it. The lock has
//!   its holder in it, so that is seen at once.
//! - One that a handler has jumped away from, siglongjmp(3). Whoever has waited for a second marks the lock as
//!   lost, and from then on nobody waits for it until it is released after all.

use super::futex::{self, Woken};
use super::process;
use super::time::Instant;
use crate::sys::atomic::{AtomicU32, Ordering, constructor};
use core::cell::UnsafeCell;
use core::fmt;
use core::ops::{Deref, DerefMut};
use core::time::Duration;

/// A value that one thread at a time looks at.
#[derive(Default)]
pub struct Mutex<T> {
    /// 0: free. Else its holder, and the two bits below.
    word: AtomicU32,
    value: UnsafeCell<T>,
}

/// Somebody waits for it.
const WAITED_FOR: u32 = 1 << 31;
/// Somebody has waited in vain.
const LOST: u32 = 1 << 30;
/// The rest tells who holds it.
const HOLDER: u32 = LOST - 1;

/// Longer than a holder can take, unless it doesn't run at all.
const PATIENCE: Duration = Duration::from_secs(1);

// SAFETY: the value is only reached by the one thread that holds the lock.
unsafe impl<T: Send> Sync for Mutex<T> {}

/// The lock, held until this is dropped.
pub struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    /// Belongs to the thread that holds it.
    _stays: core::marker::PhantomData<*const ()>,
}

// SAFETY: a reference to it gives a reference to the value, and no more.
unsafe impl<T: Sync> Sync for MutexGuard<'_, T> {}

impl<T> Mutex<T> {
    constructor! {
        /// A free lock.
        pub fn new(value: T) -> Mutex<T> {
            Mutex { word: AtomicU32::new(0), value: UnsafeCell::new(value) }
        }
    }

    /// The lock, waited for. `None` where its holder never releases it (see above): a miss, not a failure.
    pub fn lock(&self) -> Option<MutexGuard<'_, T>> {
        let own = own();
        match self.word.compare_exchange(0, own, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => Some(self.guard()),
            Err(word) => self.wait(own, word),
        }
    }

    fn guard(&self) -> MutexGuard<'_, T> {
        MutexGuard { mutex: self, _stays: core::marker::PhantomData }
    }

    #[cold]
    fn wait(&self, own: u32, mut word: u32) -> Option<MutexGuard<'_, T>> {
        let deadline = Instant::now().after(PATIENCE);
        loop {
            if word == 0 {
                // Others may wait still: whoever has waited wakes them in turn.
                let taken = own | WAITED_FOR;
                match self.word.compare_exchange(0, taken, Ordering::Acquire, Ordering::Relaxed) {
                    Ok(_) => return Some(self.guard()),
                    Err(newer) => word = newer,
                }
                continue;
            }
            if word & HOLDER == own || word & LOST != 0 {
                return None;
            }
            let waited = word | WAITED_FOR;
            if waited != word {
                let order = (Ordering::Relaxed, Ordering::Relaxed);
                if let Err(newer) = self.word.compare_exchange(word, waited, order.0, order.1) {
                    word = newer;
                    continue;
                }
            }
            if futex::wait(&self.word, waited, Some(deadline)) == Woken::TimedOut {
                // Only if it is the same holder still. Then its release wakes nobody in vain.
                let lost = waited | LOST;
                let order = (Ordering::Relaxed, Ordering::Relaxed);
                if self.word.compare_exchange(waited, lost, order.0, order.1).is_ok() {
                    futex::wake(&self.word);
                }
                return None;
            }
            word = self.word.load(Ordering::Relaxed);
        }
    }
}

/// The calling thread, as locks know it. Two threads of which one waits for the other come out the same once
/// in 500 million times; then one does without what it is about.
fn own() -> u32 {
    let mark = (process::thread_mark() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mark >> 34) as u32 | 1
}

impl<T> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mutex")
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the lock is held as long as this reference.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and nobody else has a reference.
        unsafe { &mut *self.mutex.value.get() }
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        if self.mutex.word.swap(0, Ordering::Release) & WAITED_FOR != 0 {
            futex::wake(&self.mutex.word);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn one_thread_at_a_time() {
        let count = Mutex::new(0u32);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..5000 {
                        let mut count = count.lock().unwrap();
                        let before = *count;
                        if before.is_multiple_of(500) {
                            thread::yield_now();
                        }
                        *count = before + 1;
                    }
                });
            }
        });
        assert_eq!(*count.lock().unwrap(), 40000);
        assert_eq!(count.word.load(Ordering::Relaxed), 0);
    }

    /// As a handler that has interrupted the holder.
    #[test]
    fn a_thread_does_not_wait_for_itself() {
        let mutex = Mutex::new(());
        let start = Instant::now();
        let held = mutex.lock();
        assert!(held.is_some() && mutex.lock().is_none());
        assert!(Instant::now().since(start) < PATIENCE);
        drop(held);
        assert!(mutex.lock().is_some());
    }

    #[test]
    fn a_holder_that_takes_its_time_is_waited_for() {
        let mutex = Mutex::new(1);
        thread::scope(|scope| {
            let mut held = mutex.lock().unwrap();
            let waits = scope.spawn(|| *mutex.lock().unwrap());
            thread::sleep(Duration::from_millis(100));
            *held = 2;
            drop(held);
            assert_eq!(waits.join().unwrap(), 2);
        });
    }

    #[test]
    fn who_never_lets_go_is_waited_for_once_and_welcome_back() {
        let mutex = Mutex::new(());
        thread::scope(|scope| {
            let held = mutex.lock();
            let waits = scope.spawn(|| {
                assert!(mutex.lock().is_none());
                let start = Instant::now();
                assert!(mutex.lock().is_none(), "at once, the second time");
                assert!(Instant::now().since(start) < PATIENCE);
            });
            waits.join().unwrap();
            drop(held);
        });
        assert!(mutex.lock().is_some());
        assert_eq!(mutex.word.load(Ordering::Relaxed), 0);
    }
}
