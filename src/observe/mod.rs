//! What is said of a lookup: counters, the debug trace, and what the command shows.

pub mod counters;
pub mod trace;
#[cfg(feature = "command")]
#[doc(hidden)]
pub mod witness;
