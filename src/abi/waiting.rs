//! Who is told when requests of `getaddrinfo_a` are done.

use super::notification::Notification;
use crate::sys::atomic::{
    AtomicU32, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed, Ordering::Release,
};
use crate::sys::futex::{self, Woken};
use crate::sys::mem::NoMemory;
use crate::sys::shared::Shared;
use crate::sys::time::Instant;

/// The requests of one call, where somebody wants to know when all are done.
pub(super) struct Group {
    remaining: AtomicU32,
    notification: Option<Notification>,
}

/// Somebody who waits for the first of some requests to be done.
pub(super) struct Watcher {
    fired: AtomicU32,
}

/// How waiting for one of some requests ended.
pub(super) enum Suspended {
    /// A request is done.
    Done,
    /// None was under way.
    Nothing,
    /// The time is over.
    TimedOut,
    /// A signal handler ran.
    Interrupted,
}

impl Group {
    /// A group without requests.
    pub(super) fn new(notification: Option<Notification>) -> Result<Shared<Group>, NoMemory> {
        Shared::new(Group { remaining: AtomicU32::new(0), notification })
    }

    /// Has this many requests now. Before anybody can be done with one.
    pub(super) fn begin(&self, requests: usize) {
        self.remaining.store(u32::try_from(requests).unwrap_or(u32::MAX), Relaxed);
    }

    /// Waits until all are done.
    pub(super) fn wait(&self) {
        loop {
            match self.remaining.load(Acquire) {
                0 => return,
                left => futex::wait(&self.remaining, left, None),
            };
        }
    }

    /// One request less. `tell`: the program wants to know when this was the last.
    pub(super) fn one_less(&self, tell: bool) {
        if self.remaining.fetch_sub(1, AcqRel) != 1 {
            return;
        }
        futex::wake(&self.remaining);
        if let (true, Some(notification)) = (tell, &self.notification) {
            notification.send();
        }
    }
}

impl Watcher {
    /// One whose request is not done.
    pub(super) fn new() -> Result<Shared<Watcher>, NoMemory> {
        Shared::new(Watcher { fired: AtomicU32::new(0) })
    }

    /// Wakes who waits: the request is done.
    pub(super) fn fire(&self) {
        self.fired.store(1, Release);
        futex::wake(&self.fired);
    }

    /// Waits for a request to be done.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Suspended {
        loop {
            if self.fired.load(Acquire) != 0 {
                return Suspended::Done;
            }
            match futex::wait(&self.fired, 0, deadline) {
                Woken::Perhaps => {}
                Woken::TimedOut => return Suspended::TimedOut,
                Woken::Interrupted => return Suspended::Interrupted,
            }
        }
    }
}
