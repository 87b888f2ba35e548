//! What is asked for, and the rules by which it is answered: pure code, no sockets, no files.

pub mod idn;
pub mod numeric;
pub mod query;
pub mod search;
pub mod select;
pub mod service;
