//! Response codes (RFC 1035 section 4.1.1) that are told apart.

use core::fmt;

/// No error.
pub const NOERROR: u8 = 0;
/// The server couldn't read the query.
pub const FORMERR: u8 = 1;
/// The server had trouble.
pub const SERVFAIL: u8 = 2;
/// The name does not exist.
pub const NXDOMAIN: u8 = 3;
/// The server doesn't do this kind of query.
pub const NOTIMP: u8 = 4;
/// The server won't.
pub const REFUSED: u8 = 5;

/// A response code's name, for the trace.
pub struct RcodeName(pub u8);

impl fmt::Display for RcodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            NOERROR => f.write_str("NOERROR"),
            FORMERR => f.write_str("FORMERR"),
            SERVFAIL => f.write_str("SERVFAIL"),
            NXDOMAIN => f.write_str("NXDOMAIN"),
            NOTIMP => f.write_str("NOTIMP"),
            REFUSED => f.write_str("REFUSED"),
            other => write!(f, "RCODE{other}"),
        }
    }
}
