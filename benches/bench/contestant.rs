//! Who is measured.

/// One way to look names up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contestant {
    /// Two queries on one socket and nothing else: what nobody can be faster than.
    Floor,
    Glibc,
    Musl,
    Cares,
    Go,
    Hickory,
    /// glibc with its own cache daemon.
    Nscd,
    /// glibc with a caching server on the same machine.
    Dnsmasq,
    /// glibc's program with the library preloaded, as it is installed.
    Rustdns,
}

use Contestant::*;

/// All of them, in the order of the tables.
pub const ALL: &[Contestant] = &[Floor, Glibc, Musl, Cares, Go, Hickory, Nscd, Dnsmasq, Rustdns];

/// Those that read the system's files: all but the floor.
pub const RESOLVERS: &[Contestant] = &[Glibc, Musl, Cares, Go, Hickory, Nscd, Dnsmasq, Rustdns];

/// Those that ask name servers themselves, with no daemon of ours in between.
pub const DIRECT: &[Contestant] = &[Glibc, Musl, Cares, Go, Hickory, Rustdns];

impl Contestant {
    /// Its name in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Floor => "bare sockets",
            Glibc => "glibc",
            Musl => "musl",
            Cares => "c-ares",
            Go => "Go",
            Hickory => "hickory-resolver",
            Nscd => "glibc + nscd",
            Dnsmasq => "glibc + dnsmasq",
            Rustdns => "**rustdns**",
        }
    }

    /// The program that looks up.
    pub fn program(self) -> &'static str {
        match self {
            Floor => "lookup-floor",
            Glibc | Nscd | Dnsmasq | Rustdns => "lookup-glibc",
            Musl => "lookup-musl",
            Cares => "lookup-cares",
            Go => "lookup-go",
            Hickory => "lookup-hickory",
        }
    }
}
