//! Atomic numbers and pointers, by a name of our own: a model checker has others in their place (`models`).

pub use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering};

/// A function that makes one. It is `const`, which the checker's own can't be.
macro_rules! constructor {
    ($(#[$attribute:meta])* $seen:vis fn $($rest:tt)*) => {
        $(#[$attribute])*
        $seen const fn $($rest)*
    };
}
pub(crate) use constructor;
