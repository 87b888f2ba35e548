//! What must hold for any input: one function an input, which panics where something does not.
//!
//! Three kinds of test share them: `tests/properties` makes inputs that look like the real ones,
//! `tests/corpora.rs` replays the inputs in `tests/corpora`, and the programs in `fuzz` look for
//! new ones. Where there is another reader of the same text (libc, hickory-proto, libidn2), it is
//! asked; else a slow one is written here from the manual page or RFC, which shares no code with ours.
//!
//! | file | input |
//! |---|---|
//! | [`resolv`], [`hosts`], [`nsswitch`], [`gai`], [`services`], [`settings`] | a configuration file's text |
//! | [`address`] | an address as text |
//! | [`name`] | a domain name, as text and in wire form |
//! | [`message`] | a DNS message |
//! | [`mkquery`] | arguments of `res_mkquery` |
//! | [`resolver`] | what a server sends, and the size of the caller's buffer |
//! | [`calls`] | arguments of `getaddrinfo`, `getnameinfo`, `gethostbyname_r` |
//! | [`select`] | addresses to put in order |
#![allow(dead_code, reason = "each test program uses only a part of them")]
#![allow(unreachable_pub, reason = "the checks are a module of a test, nobody's public interface")]
#![allow(unsafe_code, reason = "libc is asked")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a check that finds something panics; the environment is set before the first call"
)]

pub mod address;
pub mod calls;
pub mod gai;
pub mod hosts;
pub mod libc_oracle;
pub mod message;
pub mod mkquery;
pub mod name;
pub mod nsswitch;
pub mod resolv;
pub mod resolver;
pub mod select;
pub mod services;
pub mod settings;

/// Panics where something does not hold for an input.
pub type Check = fn(&[u8]);

/// The check of each fuzz target, by name: what is in `tests/corpora/NAME` is for it.
pub const ALL: &[(&str, Check)] = &[
    ("address", address::check),
    ("gai_conf", gai::check),
    ("getaddrinfo", calls::getaddrinfo),
    ("gethostbyname_r", calls::gethostbyname_r),
    ("getnameinfo", calls::getnameinfo),
    ("hosts", hosts::check),
    ("message", message::check),
    ("name", name::check),
    ("nsswitch_conf", nsswitch::check),
    ("res_mkquery", mkquery::check),
    ("res_query", resolver::check),
    ("resolv_conf", resolv::check),
    ("rustdns_conf", settings::check),
    ("services", services::check),
];

/// `isspace(3)` of the C locale.
fn is_space(octet: u8) -> bool {
    matches!(octet, b' ' | 9..=13)
}

/// The words of a line up to a `#` or NUL, where C functions stop.
fn words(line: &[u8]) -> Vec<&[u8]> {
    let end = line.iter().position(|&b| b == b'#' || b == 0).unwrap_or(line.len());
    line[..end].split(|&b| is_space(b)).filter(|word| !word.is_empty()).collect()
}

/// The names of zones that the checks know: one.
fn zone_names(name: &[u8]) -> Option<u32> {
    (name == b"lo").then_some(1)
}
