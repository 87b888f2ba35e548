//! What was found out a moment ago, so that a lookup whose answer is known costs no system call, and
//! threads that make the same one don't get into each other's way: the answers themselves, the order
//! that a list of addresses was put in, and which families AI_ADDRCONFIG finds. Wiped by a fork with
//! all other state.

pub mod answers;
pub mod families;
pub mod orders;

use self::answers::Answers;
use self::families::{Families, OwnFamilies};
use self::orders::Orders;
use crate::sys::time::Instant;

/// All that is remembered.
pub struct Recent {
    /// Answers.
    pub answers: Answers,
    /// The orders of lists.
    pub orders: Orders,
    families: Families,
    /// False where nothing is to be remembered.
    is_on: bool,
}

impl Recent {
    /// Room for about as many lists as the cache has names, which take two of its `entries` each; with
    /// none nothing is remembered.
    pub fn new(entries: usize, seed: u64) -> Recent {
        Recent {
            answers: Answers::new(entries > 0),
            orders: Orders::new(entries.div_ceil(2), seed),
            families: Families::default(),
            is_on: entries > 0,
        }
    }

    /// The families that were found a moment ago; else what `find` finds now.
    pub fn families<E>(
        &self,
        now: Instant,
        find: impl FnOnce() -> Result<OwnFamilies, E>,
    ) -> Result<OwnFamilies, E> {
        match self.families.get(now).filter(|_| self.is_on) {
            Some(found) => Ok(found),
            None => find().inspect(|&found| self.families.put(found, now)),
        }
    }

    /// Forgets all that can be had without waiting.
    pub fn flush(&self) {
        self.answers.flush();
        self.orders.flush();
        self.families.flush();
    }
}

/// How long the kernel's word on routes and addresses is believed, in milliseconds: what comes or goes
/// is followed within a second.
const BELIEVED: u32 = 1000;
