//! What programs ask, each from question to answer: names (`forward`), addresses (`reverse`), hosts with all that is
//! known of them (`host`), socket addresses (`nameinfo`), DNS messages (`raw`).

pub mod foreign;
pub mod forward;
pub mod host;
pub mod locale;
pub mod nameinfo;
pub mod order;
pub mod raw;
pub mod reverse;
pub mod walk;
