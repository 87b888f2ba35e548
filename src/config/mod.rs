//! Configuration: bytes to structures (pure parsers that never fail on content, only for want of
//! memory), the environment, and the snapshot that a lookup works from.

pub mod gai;
pub mod hosts;
pub mod note;
pub mod nsswitch;
pub mod resolv;
pub mod services;
pub mod settings;
pub mod watch;
