//! Where answers come from: one file, or folder, per nsswitch service.

pub mod dns;
pub mod hosts;
pub mod local;
pub mod mdns;
pub mod myhostname;
pub mod resolved;
