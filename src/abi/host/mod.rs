//! The core as WebAssembly: what stands in for `abi` where a C file is between us and the program
//! (portable/, docs/portable-c.md). Arguments come as numbers and octets, answers go out as octets;
//! the C file alone knows the structures and numbers of the system's headers.
//!
//! An instance serves one call at a time, in one thread.

#![allow(unsafe_code)]

mod calls;
mod hosts;
mod reply;
mod resolver;
