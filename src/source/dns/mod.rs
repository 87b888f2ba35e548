//! The DNS: names and messages (RFC 1035), the exchange with name servers, and what is known of them.

mod compression;
pub mod cookie;
mod dice;
pub mod edns;
pub mod exchange;
mod existence;
pub mod flight;
pub mod health;
mod kept;
pub mod lookup;
pub mod message;
pub mod name;
mod outcome;
pub mod pending;
pub mod private;
pub mod read;
mod schedule;
mod stream;
mod turns;
