//! Numbers that an instance of the core adds to, in its own memory: no other process reads them.

use crate::sys::mem::NoMemory;
use core::sync::atomic::AtomicUsize;

/// Numbers in a stripe.
pub const NUMBERS: usize = 48;

/// The numbers.
pub struct Block {
    /// One, for there is one thread.
    pub stripes: [Stripe; 1],
}

/// A thread's numbers.
pub struct Stripe {
    /// What they mean is the caller's business.
    pub numbers: [AtomicUsize; NUMBERS],
}

/// Where numbers lie.
pub struct Place(Block);

impl Place {
    /// Zeros.
    pub fn own() -> Result<Place, NoMemory> {
        let numbers = [const { AtomicUsize::new(0) }; NUMBERS];
        Ok(Place(Block { stripes: [Stripe { numbers }] }))
    }

    /// The numbers.
    pub fn block(&self) -> &Block {
        &self.0
    }
}
