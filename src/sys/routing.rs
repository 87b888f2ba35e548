//! What the kernel tells of this host's addresses, as messages (rtnetlink(7)).

use super::{Fault, errno};
use crate::mem::NoMemory;
use core::net::IpAddr;

/// One address of one of this host's interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InterfaceAddress {
    /// The address.
    pub ip: IpAddr,
    /// Length of its subnet's prefix, in bits.
    pub prefix_len: u8,
    /// Index of the interface.
    pub interface: u32,
    /// Past its preferred lifetime (RFC 4862), or still being checked for duplicates.
    pub deprecated: bool,
    /// Temporary (RFC 8981).
    pub temporary: bool,
    /// A Mobile IPv6 home address (RFC 6275).
    pub home: bool,
}

// Of linux/netlink.h, rtnetlink.h and if_addr.h: kernel ABI, the same on every architecture.
pub(crate) const DONE: u16 = 3;
pub(crate) const ERROR: u16 = 2;
pub(crate) const NEW_ADDRESS: u16 = 20;
pub(crate) const GET_ADDRESS: u16 = 22;
pub(crate) const REQUEST_DUMP: u16 = 0x301;
pub(crate) const ATTRIBUTE_ADDRESS: u16 = 1;
pub(crate) const ATTRIBUTE_LOCAL: u16 = 2;
pub(crate) const ATTRIBUTE_FLAGS: u16 = 8;
pub(crate) const FLAG_TEMPORARY: u32 = 0x01;
pub(crate) const FLAG_HOME: u32 = 0x10;
pub(crate) const INET: u8 = 2;
pub(crate) const INET6: u8 = 10;
/// `IFA_F_DEPRECATED` and `IFA_F_OPTIMISTIC`.
pub(crate) const FLAGS_DEPRECATED: u32 = 0x20 | 0x04;

/// Why the addresses can't be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListError {
    /// Netlink failed.
    Fault(Fault),
    /// No memory for the kernel's answer.
    NoMemory(NoMemory),
}

impl From<Fault> for ListError {
    fn from(fault: Fault) -> ListError {
        ListError::Fault(fault)
    }
}

/// The question: an nlmsghdr (length, type, flags, sequence, port) and an ifaddrmsg of family "any".
pub(super) fn request() -> [u8; 24] {
    let [l0, l1, l2, l3] = 24u32.to_ne_bytes();
    let [t0, t1] = GET_ADDRESS.to_ne_bytes();
    let [f0, f1] = REQUEST_DUMP.to_ne_bytes();
    let mut request = [0; 24];
    for (to, from) in request.iter_mut().zip([l0, l1, l2, l3, t0, t1, f0, f1]) {
        *to = from;
    }
    request
}

/// Tells `each` every address: `receive` gives one datagram of the answer after the other.
pub(super) fn read_all(
    receive: &mut dyn FnMut(&mut [u8]) -> Result<usize, Fault>,
    each: &mut dyn FnMut(InterfaceAddress),
) -> Result<(), ListError> {
    let mut buffer = Vec::new();
    // The kernel sends at most 8 KiB at a time where pages have 4 KiB; larger with larger pages,
    // and then cuts its messages to the reader's room.
    buffer.try_reserve_exact(32768).map_err(|_| ListError::NoMemory(NoMemory))?;
    buffer.resize(32768, 0u8);
    // Bounded: a host with 65536 addresses needs about 600 messages.
    for _ in 0..4096 {
        let len = receive(&mut buffer)?;
        if read_messages(buffer.get(..len).unwrap_or_default(), each)? {
            return Ok(());
        }
    }
    Ok(())
}

/// Reads one datagram of netlink messages; true when the dump is over.
fn read_messages(
    mut rest: &[u8],
    each: &mut dyn FnMut(InterfaceAddress),
) -> Result<bool, ListError> {
    while let Some((header, _)) = rest.split_first_chunk::<16>() {
        let [l0, l1, l2, l3, t0, t1, ..] = *header;
        let len = u32::from_ne_bytes([l0, l1, l2, l3]) as usize;
        let Some(message) = rest.get(16..len) else { return Ok(true) };
        match u16::from_ne_bytes([t0, t1]) {
            DONE => return Ok(true),
            ERROR => return Err(ListError::Fault(Fault::Other(errno::BROKEN))),
            NEW_ADDRESS => {
                if let Some(address) = read_address(message) {
                    each(address);
                }
            }
            _ => {}
        }
        rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(false)
}

/// Reads one `ifaddrmsg` with its attributes.
fn read_address(message: &[u8]) -> Option<InterfaceAddress> {
    let (&[family, prefix_len, flags, _scope, i0, i1, i2, i3], mut rest) =
        message.split_first_chunk()?;
    let mut flags = u32::from(flags);
    let (mut address, mut local) = (None, None);
    while let Some((&[l0, l1, t0, t1], _)) = rest.split_first_chunk() {
        let len = usize::from(u16::from_ne_bytes([l0, l1]));
        let Some(value) = rest.get(4..len) else { break };
        match u16::from_ne_bytes([t0, t1]) {
            ATTRIBUTE_ADDRESS => address = read_ip(family, value),
            ATTRIBUTE_LOCAL => local = read_ip(family, value),
            ATTRIBUTE_FLAGS => flags = u32::from_ne_bytes(value.try_into().ok()?),
            _ => {}
        }
        rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    Some(InterfaceAddress {
        // On a point-to-point link ADDRESS is the peer's, LOCAL ours.
        ip: local.or(address)?,
        prefix_len,
        interface: u32::from_ne_bytes([i0, i1, i2, i3]),
        deprecated: flags & FLAGS_DEPRECATED != 0,
        temporary: flags & FLAG_TEMPORARY != 0,
        home: flags & FLAG_HOME != 0,
    })
}

fn read_ip(family: u8, value: &[u8]) -> Option<IpAddr> {
    match family {
        INET => <[u8; 4]>::try_from(value).ok().map(IpAddr::from),
        INET6 => <[u8; 16]>::try_from(value).ok().map(IpAddr::from),
        _ => None,
    }
}
