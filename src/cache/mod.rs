//! What was learned, and is still true: answers, orders, what is known of servers and of this host. Memory alone: whoever
//! fills it or goes by it is above.

pub mod cookie;
pub mod dns;
pub mod health;
pub mod network;
pub mod pending;
pub mod recent;
