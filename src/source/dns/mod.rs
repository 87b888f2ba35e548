//! The DNS: names and messages (RFC 1035), the exchange with name servers, and what is known of them.

mod cached;
mod compression;
mod dice;
pub mod edns;
pub mod encrypted;
pub mod exchange;
mod existence;
pub mod flight;
pub mod lookup;
pub mod message;
mod outcome;
pub mod read;
mod schedule;
pub mod slot;
mod stream;
mod terms;
mod turns;
