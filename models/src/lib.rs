//! Parts of the library as they are in `src`, on atomics that a model checker watches.
//!
//! What stands beside them is left out, or here in small: the clock stands still, a thread's mark is a number,
//! waiting in the kernel is waiting in the checker ([`sys::futex`]).

#![allow(dead_code, reason = "what is not modelled of a file")]
#![allow(missing_docs, reason = "nobody reads these")]

pub mod abi;
pub mod mem;
pub mod sys;

#[path = "../../src/address.rs"]
pub mod address;
#[path = "../../src/counters.rs"]
pub mod counters;
#[path = "../../src/source/dns/pending.rs"]
pub mod pending;
#[path = "../../src/lookup/query.rs"]
pub mod query;
#[path = "../../src/recent/answers.rs"]
pub mod answers;

pub mod cache {
    /// An answer, which is a number.
    pub type Entry = u32;

    #[derive(Default)]
    pub struct Change {
        pub entries: usize,
        pub octets: usize,
        pub has_evicted: bool,
    }
}

pub mod config {
    pub mod settings {
        use crate::sys::trace::Trace;

        #[derive(Default)]
        pub struct Settings {
            pub stats: bool,
        }

        impl Settings {
            pub fn trace(&self) -> Trace {
                Trace
            }
        }
    }

    pub mod watch {
        use crate::sys::lock::{Mutex, MutexGuard};

        pub fn lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
            mutex.lock()
        }
    }
}

pub mod lookup {
    pub use crate::query;

    pub mod search {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Miss {
            NoData,
        }
    }
}

pub mod source {
    pub mod dns {
        pub use crate::{exchange, name, pending};

        pub mod read {
            use crate::address::Address;

            pub type Addresses = smallvec::SmallVec<[Address; 8]>;
        }
    }
}

pub mod exchange {
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Trouble;
}

pub mod name {
    /// A name of one octet.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Name(pub [u8; 1]);

    impl Name {
        pub fn wire(&self) -> &[u8] {
            &self.0
        }
    }
}
