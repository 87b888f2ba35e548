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

/// A network namespace: of what kind its number is, and two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network([u64; 3]);

/// A root directory in its mount namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root([u64; 3]);

/// Where a thread is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Namespaces {
    /// Its network namespace.
    pub network: Network,
    /// Its root, and with it its mount namespace.
    pub root: Root,
}

impl Namespaces {
    /// The calling thread's; `None` where they can't be found out.
    pub fn now() -> Option<Namespaces> {
        Some(Namespaces { network: Network::now()?, root: Root::now()? })
    }
}

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
        let mut numbers = [0; 3];
        // SAFETY: the place has three numbers.
        (unsafe { calls::network_namespace(numbers.as_mut_ptr()) } == 1).then_some(Network(numbers))
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

/// The thread that is calling the instance: another one may be next.
pub fn thread() -> usize {
    // SAFETY: no preconditions. What is cut off is the same for all threads.
    unsafe { calls::thread_place() as usize }
}
