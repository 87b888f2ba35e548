//! Which network namespace and root directory the calling thread is in, and which of the two it can leave.

use crate::sys::host::calls;

/// What a thread can leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freedom {
    /// Neither network namespace nor root.
    Nothing,
    /// Its root.
    Root,
    /// Both.
    All,
}

/// What a network namespace is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// What no other one ever has.
    Cookie(u64),
    /// A number that a later one may have when this one is gone.
    Number(u64),
}

/// A root directory in its mount namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root([u64; 3]);

impl Freedom {
    /// The calling thread's.
    pub fn now() -> Freedom {
        // SAFETY: no preconditions.
        match unsafe { calls::freedom() } {
            0 => Freedom::Nothing,
            1 => Freedom::Root,
            _ => Freedom::All,
        }
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

/// The number that /proc has for the calling thread's network namespace: the cookie is asked for instead.
pub fn network_number() -> Option<u64> {
    None
}

/// The thread that is calling the instance: another one may be next.
pub fn thread() -> usize {
    // SAFETY: no preconditions. What is cut off is the same for all threads.
    unsafe { calls::thread_place() as usize }
}
