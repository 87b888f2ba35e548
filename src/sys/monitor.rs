//! A lock that is waited for without end, with news to wait for while it is not held: what std's mutex and
//! condition variable are, which wait by a function of libc's that a program may have taken the name of.
//!
//! Not for signal handlers: the program's are kept out while it is held (`thread::SignalsBlocked`).

use super::futex::{self, Woken};
use super::time::Instant;
use crate::sys::atomic::{AtomicU32, Ordering, constructor};
use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};

/// A value that one thread at a time looks at.
pub struct Monitor<T> {
    /// [`FREE`], [`HELD`] or [`AWAITED`].
    state: AtomicU32,
    /// Changes with each piece of news.
    news: AtomicU32,
    value: UnsafeCell<T>,
}

const FREE: u32 = 0;
const HELD: u32 = 1;
/// Held, and somebody may wait for it.
const AWAITED: u32 = 2;

// SAFETY: the value is only reached by the one thread that holds the lock.
unsafe impl<T: Send> Sync for Monitor<T> {}

/// The lock, held until this is dropped.
pub struct Held<'a, T> {
    monitor: &'a Monitor<T>,
    /// Belongs to the thread that holds it.
    _stays: core::marker::PhantomData<*const ()>,
}

impl<T> Monitor<T> {
    constructor! {
        /// A free one.
        pub fn new(value: T) -> Monitor<T> {
            Monitor {
                state: AtomicU32::new(FREE),
                news: AtomicU32::new(0),
                value: UnsafeCell::new(value),
            }
        }
    }

    /// Waits for the lock.
    pub fn lock(&self) -> Held<'_, T> {
        let order = (Ordering::Acquire, Ordering::Relaxed);
        if self.state.compare_exchange(FREE, HELD, order.0, order.1).is_err() {
            self.lock_later();
        }
        Held { monitor: self, _stays: core::marker::PhantomData }
    }

    /// Others may wait still when this one has it: so it is marked.
    #[cold]
    fn lock_later(&self) {
        while self.state.swap(AWAITED, Ordering::Acquire) != FREE {
            futex::wait(&self.state, AWAITED, None);
        }
    }

    fn unlock(&self) {
        if self.state.swap(FREE, Ordering::Release) == AWAITED {
            futex::wake(&self.state);
        }
    }

    /// Wakes who waits for news.
    pub fn tell(&self) {
        self.news.fetch_add(1, Ordering::Relaxed);
        futex::wake(&self.news);
    }
}

impl<T> Held<'_, T> {
    /// Gives the lock away until there is news, or the deadline has passed; then it is held again. May return for no
    /// reason. False where the time is over.
    pub fn wait(&mut self, deadline: Instant) -> bool {
        let before = self.monitor.news.load(Ordering::Relaxed);
        self.monitor.unlock();
        let woken = futex::wait(&self.monitor.news, before, Some(deadline));
        self.monitor.lock_later();
        woken != Woken::TimedOut
    }
}

impl<T> Deref for Held<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the lock is held as long as this reference.
        unsafe { &*self.monitor.value.get() }
    }
}

impl<T> DerefMut for Held<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and nobody else has a reference.
        unsafe { &mut *self.monitor.value.get() }
    }
}

impl<T> Drop for Held<'_, T> {
    fn drop(&mut self) {
        self.monitor.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;
    use std::thread;

    #[test]
    fn one_thread_at_a_time() {
        let count = Monitor::new(0u32);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..5000 {
                        *count.lock() += 1;
                    }
                });
            }
        });
        assert_eq!(*count.lock(), 40000);
        assert_eq!(count.state.load(Ordering::Relaxed), FREE);
    }

    #[test]
    fn news_is_waited_for_and_so_is_its_end() {
        let place = Monitor::new(false);
        thread::scope(|scope| {
            let waits = scope.spawn(|| {
                let mut held = place.lock();
                let deadline = Instant::now().after(Duration::from_secs(60));
                while !*held && held.wait(deadline) {}
                *held
            });
            *place.lock() = true;
            place.tell();
            assert!(waits.join().unwrap());
        });
        let mut held = place.lock();
        let deadline = Instant::now().after(Duration::from_millis(20));
        while held.wait(deadline) {}
        assert!(Instant::now() >= deadline);
    }
}
