//! Parts of the library as they are in `src`, on atomics that a model checker watches.
//!
//! What stands beside them is left out, or here in small: the clock stands still, a thread's mark is a number,
//! waiting in the kernel is waiting in the checker ([`sys::futex`]).

#![allow(dead_code, reason = "what is not modelled of a file")]
#![allow(missing_docs, reason = "nobody reads these")]

pub mod abi;
pub mod sys;

#[path = "../../src/base"]
pub mod base {
    pub mod address;

    pub mod answer {
        use super::address::Address;

        pub type Addresses = smallvec::SmallVec<[Address; 8]>;
    }

    pub mod error {
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
}

#[path = "../../src/cache"]
pub mod cache {
    pub mod pending;

    pub mod recent {
        pub mod answers;
    }

    pub mod dns {
        /// An answer, which is a number.
        pub type Entry = u32;

        #[derive(Default)]
        pub struct Change {
            pub entries: usize,
            pub octets: usize,
            pub has_evicted: bool,
        }
    }
}

pub mod config {
    pub mod settings {
        use crate::observe::trace::Trace;

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
}

#[path = "../../src/observe"]
pub mod observe {
    pub mod counters;

    pub mod trace {
        pub struct Trace;

        impl Trace {
            pub fn decision(&self, _: core::fmt::Arguments<'_>) {}
        }
    }
}

#[path = "../../src/rules"]
pub mod rules {
    pub mod query;

    pub mod search {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Miss {
            NoData,
        }
    }
}
