//! Configuration: bytes to structures (pure parsers that never fail on content, only for want of
//! memory), the environment, and the snapshot that a lookup works from.

pub mod gai;
pub mod hosts;
pub mod note;
pub mod nsswitch;
pub mod options;
pub mod resolv;
pub mod services;
pub mod settings;
pub mod upstream;
pub mod watch;

/// `isspace(3)` of the C locale, by which libc reads its files.
fn is_space(octet: u8) -> bool {
    octet.is_ascii_whitespace() || octet == 0x0b
}
