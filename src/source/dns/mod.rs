//! The DNS: names and messages (RFC 1035), the exchange with name servers, and what is known of them.

mod compression;
mod dice;
pub mod edns;
pub mod exchange;
mod existence;
pub mod flight;
mod kept;
pub mod lookup;
pub mod message;
mod outcome;
pub mod private;
pub mod read;
mod schedule;
mod stream;
mod terms;
mod turns;
