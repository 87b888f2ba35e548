//! Where answers come from: one file, or folder, per nsswitch service.

pub mod dns;
