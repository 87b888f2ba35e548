//! Which network namespace and root directory the calling thread is in, and which of the two it can leave.

pub use super::freedom::{Freedom, Network};
use crate::sys::host::calls;

/// A root directory in its mount namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root([u64; 3]);

impl Freedom {
    /// The calling thread's.
    pub fn now() -> Freedom {
        // SAFETY: no preconditions.
        Freedom::of(unsafe { calls::freedom() }.cast_unsigned())
    }
}

impl Network {
    /// The calling thread's.
    pub fn now() -> Option<Network> {
        let mut number = 0;
        // SAFETY: the place is a number.
        match unsafe { calls::network_namespace(&raw mut number) } {
            1 => Some(Network::Cookie(number)),
            2 => Some(Network::Number(number)),
            _ => None,
        }
    }
}

impl Root {
    /// The calling thread's.
    pub fn now() -> Option<Root> {
        let mut numbers = [0; 3];
        // SAFETY: the place has three numbers.
        (unsafe { calls::root_directory(numbers.as_mut_ptr()) } == 1).then_some(Root(numbers))
    }
}

/// The number that /proc has for the calling thread's network namespace. When the namespace is gone it may be
/// another one's.
pub fn network_number() -> Option<u64> {
    // SAFETY: no preconditions.
    match unsafe { calls::network_number() } {
        0 => None,
        number => Some(number),
    }
}

/// The thread that is calling the instance: another one may be next.
pub fn thread() -> usize {
    // SAFETY: no preconditions. What is cut off is the same for all threads.
    unsafe { calls::thread_place() as usize }
}
