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

#[path = "hostile_servers/costs.rs"]
mod costs;
#[path = "hostile_servers/damage.rs"]
mod damage;
#[path = "hostile_servers/oracle.rs"]
mod oracle;
