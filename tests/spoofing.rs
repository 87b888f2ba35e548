//! Forgers who are not on the path: they don't see queries and answer all the same.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "what goes wrong in a test's own functions must fail as loudly as in the test"
)]

mod support;

#[path = "spoofing/case.rs"]
mod case;
#[path = "spoofing/chance.rs"]
mod chance;
#[path = "spoofing/cookies.rs"]
mod cookies;
#[path = "spoofing/forgers.rs"]
mod forgers;
#[path = "spoofing/names.rs"]
mod names;

use support::dns::{Question, Reply};
use support::wire::{Record, rtype};

/// What the server says.
fn right(q: &Question) -> Reply {
    Reply::records([match q.qtype {
        rtype::AAAA => Record::address(&q.name, "2001:db8::1"),
        _ => Record::address(&q.name, "192.0.2.1"),
    }])
}

/// What a forger says.
fn forged(q: &Question) -> Reply {
    Reply::records([match q.qtype {
        rtype::AAAA => Record::address(&q.name, "2001:db8::bad"),
        _ => Record::address(&q.name, "192.0.2.66"),
    }])
}
