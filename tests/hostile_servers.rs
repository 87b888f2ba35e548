//! Name servers that do what no name server should: whatever they send, a lookup ends in time, costs
//! little, and has no answer that was not given.

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

#[path = "hostile_servers/answers.rs"]
mod answers;
#[path = "hostile_servers/costs.rs"]
mod costs;
#[path = "hostile_servers/damage.rs"]
mod damage;
#[path = "hostile_servers/divergences.rs"]
mod divergences;
#[path = "hostile_servers/floods.rs"]
mod floods;
#[path = "hostile_servers/oracle.rs"]
mod oracle;
#[path = "hostile_servers/streams.rs"]
mod streams;
#[path = "hostile_servers/times.rs"]
mod times;
#[path = "hostile_servers/trouble.rs"]
mod trouble;

use support::dns::{Question, Reply};
use support::wire::{Record, rtype};

/// An address record of this type: the true one, or one that is nobody's.
fn address(owner: &str, qtype: u16, is_forged: bool) -> Record {
    Record::address(
        owner,
        match (qtype, is_forged) {
            (rtype::AAAA, false) => "2001:db8::1",
            (rtype::AAAA, true) => "2001:db8::bad",
            (_, false) => "192.0.2.1",
            (_, true) => "192.0.2.66",
        },
    )
}

/// What a good server answers.
fn right(q: &Question) -> Reply {
    Reply::records([address(&q.name, q.qtype, false)])
}

/// What nobody may believe.
fn forged(q: &Question) -> Reply {
    Reply::records([address(&q.name, q.qtype, true)])
}
