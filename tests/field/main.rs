//! What the library met on hosts outside its own test worlds: slow servers, split views, networks that
//! come and go, threads in namespaces of their own.
//!
//! Each test says what libc does in the same world, and shows the kind, not the instance: both families,
//! UDP and TCP, and the other calls that go the same way.
#![allow(clippy::unwrap_used, reason = "tests fail so")]
#![allow(clippy::disallowed_methods, reason = "tests bind and connect to numeric addresses")]
#![allow(missing_docs, unreachable_pub, reason = "a test program exports nothing")]

#[path = "../support/mod.rs"]
mod support;

mod addresses;
mod aliases;
mod coalescing;
mod edns;
mod families;
mod names;
mod namespaces;
mod network;
mod servers;
