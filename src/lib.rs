//! rustdns: libc's name resolution, replaced in programs that are already built.

pub mod address;
pub mod cache;
pub mod config;
pub mod error;
pub mod lookup;
pub mod mem;
pub mod source;
pub mod sys;
pub mod trace;
