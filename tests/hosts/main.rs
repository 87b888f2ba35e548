//! Hostile hosts: what the programs that the library lives in do to it.
//!
//! They fork in the middle of its lookups, jump out of them, cancel its threads, close its sockets, take
//! its memory, forbid its system calls and change the root under it. Each row of this suite is a C
//! program of `tests/c/host_*.c` that checks its own answers: [`numbered`] says what is right.
//!
//! [`proof`] takes protections out of the library, one by one, and wants a row to fail for each.
#![expect(clippy::unwrap_used, reason = "tests fail so")]
#![allow(clippy::disallowed_methods, reason = "tests bind and connect to numeric addresses")]
#![allow(missing_docs, unreachable_pub, reason = "a test program exports nothing")]

#[path = "../support/mod.rs"]
mod support;

mod filters;
mod left;
mod limits;
mod memory;
mod names;
mod neighbours;
mod numbered;
mod object;
mod php;
mod private;
mod privilege;
mod processes;
mod reach;
mod rights;
mod roots;
mod signals;
mod soak;
mod stacks;
mod states;
mod threads;
mod tools;
mod torsocks;
