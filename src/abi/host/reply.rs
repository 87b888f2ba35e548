//! What goes to the C file: numbers, least significant octet first, and octets with their length
//! before them.

use crate::base::address::Address;
use crate::base::answer::Found;
use crate::base::error::{Error, Failure};
use crate::sys::mem::{NoMemory, append};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Mutex;

/// The last call's answer; it stays until the next call.
static REPLY: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Stands for "none" where a length or a number is.
pub(super) const NONE: u32 = u32::MAX;

/// An answer that is being put together.
#[derive(Default)]
pub(super) struct Reply(Vec<u8>);

impl Reply {
    pub(super) fn number(&mut self, number: u32) -> Result<&mut Reply, NoMemory> {
        append(&mut self.0, &number.to_le_bytes())?;
        Ok(self)
    }

    pub(super) fn signed(&mut self, number: i32) -> Result<&mut Reply, NoMemory> {
        self.number(number.cast_unsigned())
    }

    pub(super) fn octets(&mut self, octets: &[u8]) -> Result<&mut Reply, NoMemory> {
        self.number(octets.len() as u32)?; // a wasm32 length
        append(&mut self.0, octets)?;
        Ok(self)
    }

    /// Octets whose number is known.
    pub(super) fn raw(&mut self, octets: &[u8]) -> Result<&mut Reply, NoMemory> {
        append(&mut self.0, octets)?;
        Ok(self)
    }

    /// Addresses: their number, then each in the form of [`encode`].
    pub(super) fn addresses(&mut self, addresses: &[Address]) -> Result<&mut Reply, NoMemory> {
        self.number(addresses.len() as u32)?;
        for &address in addresses {
            append(&mut self.0, &encode(address, 0))?;
        }
        Ok(self)
    }

    /// A host: canonical name, aliases (each ended by NUL), seconds that it stays true, addresses.
    pub(super) fn host(&mut self, found: &Found) -> Result<&mut Reply, NoMemory> {
        self.octets(&found.canonical)?.octets(&found.aliases)?;
        self.number(found.ttl.unwrap_or(NONE))?.addresses(&found.addresses)
    }

    /// Leaves it for the C file.
    pub(super) fn leave(&mut self) {
        if let Ok(mut reply) = REPLY.lock() {
            *reply = core::mem::take(&mut self.0);
        }
    }
}

/// The place and the length of the last call's answer, the place in the upper half.
#[unsafe(no_mangle)]
extern "C" fn reply() -> u64 {
    let Ok(reply) = REPLY.lock() else { return 0 };
    (reply.as_ptr().addr() as u64) << 32 | reply.len() as u64
}

/// An address in 24 octets: 16 of address (IPv4: the first four), scope, port, family (4 or 6).
pub(super) fn encode(address: Address, port: u16) -> [u8; 24] {
    let (ip, family) = match address.ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            ([a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 4)
        }
        IpAddr::V6(ip) => (ip.octets(), 6),
    };
    let mut out = [0; 24];
    let scope = address.scope.to_le_bytes();
    let octets = ip.iter().chain(&scope).copied().chain(port.to_le_bytes()).chain([family]);
    for (place, octet) in out.iter_mut().zip(octets) {
        *place = octet;
    }
    out
}

/// Reads what [`encode`] writes.
pub(super) fn decode(octets: &[u8; 24]) -> (Address, u16) {
    let (ip, rest) = octets.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
    let &[s0, s1, s2, s3, p0, p1, family, _] = rest else {
        return (Address::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), 0);
    };
    let &[a, b, c, d, ..] = ip;
    let ip = match family {
        4 => IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
        _ => IpAddr::V6(Ipv6Addr::from(*ip)),
    };
    (Address { ip, scope: u32::from_le_bytes([s0, s1, s2, s3]) }, u16::from_le_bytes([p0, p1]))
}

/// What a call that has failed returns; the `errno` that goes with it is its answer.
pub(super) fn error(error: Error) -> i32 {
    let (code, errno) = match error {
        Error::NoName => (1, 0),
        Error::NoData => (2, 0),
        Error::AddrFamily => (3, 0),
        Error::Again => (4, 0),
        Error::Family => (5, 0),
        Error::SockType => (6, 0),
        Error::Service => (7, 0),
        Error::BadFlags => (8, 0),
        Error::Memory => (9, 0),
        Error::Overflow => (10, 0),
        Error::IdnEncode => (11, 0),
        Error::System(errno) => (12, errno),
        // Of no number that the C files know: EAI_FAIL. Nothing is validated here.
        Error::Fail => (13, 0),
    };
    leave_errno(errno);
    code
}

/// The same for a host's failure, in numbers of its own.
pub(super) fn failure(failure: Failure) -> i32 {
    let (code, errno) = match failure {
        Failure::NoName => (1, 0),
        Failure::NoData => (2, 0),
        Failure::Again | Failure::Later => (3, 0),
        Failure::Unavailable => (4, 0),
        Failure::Unrelated => (5, 0),
        Failure::Refused => (6, 0),
        Failure::NoService(errno) => (7, errno),
        Failure::Memory => (8, 0),
        Failure::System(errno) => (9, errno),
        Failure::Bogus => (10, 0), // likewise
    };
    leave_errno(errno);
    code
}

fn leave_errno(errno: i32) {
    let mut reply = Reply::default();
    if reply.signed(errno).is_ok() {
        reply.leave();
    }
}
