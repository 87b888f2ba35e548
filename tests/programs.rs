//! Programs that are already built, on this machine: with the library in front of libc they print
//! what they print without it.
//!
//! Each test runs its program three times and compares the text: with libc, preloaded, and
//! preloaded while nsswitch.conf names a module that kills whoever lets libc look a host up. The
//! third is the proof that it was us who answered; calls that are still libc's own, gethostbyname
//! and its relatives, go without it. Then the acceptance test of the whole project, the crash
//! itself, and CPython's own test suite.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail so")]
#![expect(clippy::disallowed_methods, reason = "tests connect to numeric addresses")]
#![allow(missing_docs, unreachable_pub, reason = "a test program exports nothing")]

mod support;
mod programs {
    pub mod build;
    mod cpython;
    mod crash;
    mod network;
    mod runtimes;
    pub mod servers;
    pub mod stage;
    pub mod text;
    mod tools;
}
