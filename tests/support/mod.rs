//! The test bed: sandboxes, a scripted DNS server, real DNS servers, C probes, comparisons.
//!
//! | file | gives |
//! |---|---|
//! | [`sandbox`] | a network and mount namespace with its own /etc for one test |
//! | [`process`] | programs run with a time limit, output captured |
//! | [`pty`] | programs on a terminal: what it shows, keys that are pressed |
//! | [`wire`] | DNS messages, read and written independently of the library |
//! | [`dns`] | an in-process DNS server whose every answer is scripted |
//! | [`question`] | what it was asked |
//! | [`reply`] | what it answers: right, wrong, late, in pieces, or not at all |
//! | [`zone`] | the usual script: records by name |
//! | [`servers`] | unbound, knot and dnsmasq on loopback |
//! | [`authority`] | certificates, by openssl |
//! | [`cc`] | the C probes of `tests/c`, compiled once |
//! | [`libcs`] | the C libraries of other releases of Debian |
//! | [`foreign`] | programs of another architecture, run under qemu |
//! | [`link`] | C and C++ programs linked with what `make` leaves, as pkg-config says |
//! | [`module`] | the NSS module where libc looks for it |
//! | [`differential`] | the same program with libc and with the library, compared as text |
//! | [`mutants`] | the library with a protection taken out, for tests that have to notice |
//! | [`peers`] | the NSS modules of systemd and Avahi, and their daemons |
#![allow(dead_code, reason = "each test binary uses only a part of the test bed")]
#![allow(unreachable_pub, reason = "the test bed is a module of a test, nobody's public interface")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a broken test bed must fail loudly, here as in a #[test] function"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "tests bind and connect to numeric addresses, and read their own environment"
)]

pub mod authority;
pub mod cc;
pub mod conversation;
pub mod differential;
pub mod dns;
pub mod foreign;
pub mod libcs;
pub mod link;
pub mod module;
pub mod mutants;
pub mod peers;
pub mod process;
pub mod pty;
pub mod question;
pub mod reply;
pub mod sandbox;
pub mod servers;
pub mod wire;
pub mod zone;
