//! Record types that are asked for or read (IANA's registry).

use core::fmt;

/// An IPv4 address (RFC 1035).
pub const A: u16 = 1;
/// An alias (RFC 1035).
pub const CNAME: u16 = 5;
/// The start of a zone; in negative answers it carries their TTL (RFC 2308).
pub const SOA: u16 = 6;
/// The name behind an address (RFC 1035).
pub const PTR: u16 = 12;
/// An IPv6 address (RFC 3596).
pub const AAAA: u16 = 28;
/// The pseudo-record of EDNS (RFC 6891).
pub const OPT: u16 = 41;
/// Which types a name has (RFC 4034; in multicast DNS RFC 6762 section 6.1).
pub const NSEC: u16 = 47;

/// A record type's name, for the trace.
pub struct TypeName(pub u16);

impl fmt::Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            A => f.write_str("A"),
            AAAA => f.write_str("AAAA"),
            PTR => f.write_str("PTR"),
            CNAME => f.write_str("CNAME"),
            other => write!(f, "TYPE{other}"),
        }
    }
}
