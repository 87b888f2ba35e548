//! What a lookup is about: addresses, names, answers and why there is none. Plain data; knows nothing of this
//! project but memory that may run out, and how system calls fail.

pub mod address;
pub mod answer;
pub mod error;
pub mod name;
pub mod rcode;
pub mod record_type;
pub mod text;
