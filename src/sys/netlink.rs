//! What the kernel tells of its network: dumps of a routing socket (rtnetlink(7)).

use super::routing_socket::RoutingSocket;
use super::{Fault, errno};
use crate::mem::NoMemory;

// Of linux/netlink.h: kernel ABI, the same on every architecture.
pub(crate) const DONE: u16 = 3;
pub(crate) const ERROR: u16 = 2;
pub(crate) const REQUEST_DUMP: u16 = 0x301;

/// Octets of `struct nlmsghdr`: length, type, flags, sequence, port.
const HEADER: usize = 16;
/// Octets of `struct ifaddrmsg`.
pub(crate) const IFADDRMSG: usize = 8;
/// Octets of `struct ifinfomsg`.
pub(crate) const IFINFOMSG: usize = 16;
/// Octets of `struct rtmsg`.
pub(crate) const RTMSG: usize = 12;

/// Why the kernel's list can't be had.
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

/// Asks for all objects of a kind (`RTM_GET…`), whose message begins with a structure of `len` octets
/// that is zero in the request. Tells `each` the type and the content of every message.
pub fn dump(request: u16, len: usize, each: &mut dyn FnMut(u16, &[u8])) -> Result<(), ListError> {
    let [t0, t1] = request.to_ne_bytes();
    let [f0, f1] = REQUEST_DUMP.to_ne_bytes();
    let [l0, l1, l2, l3] = ((HEADER + len) as u32).to_ne_bytes();
    // As long as the longest structure that is asked for; zero is family "any" in each.
    let mut message = [0u8; HEADER + 16];
    for (to, from) in message.iter_mut().zip([l0, l1, l2, l3, t0, t1, f0, f1]) {
        *to = from;
    }
    let socket = RoutingSocket::ask(message.get(..HEADER + len).unwrap_or_default())?;
    let mut buffer = Vec::new();
    // The kernel sends at most 8 KiB at a time where pages have 4 KiB; larger with larger pages,
    // and then cuts its messages to the reader's room.
    buffer.try_reserve_exact(32768).map_err(|_| ListError::NoMemory(NoMemory))?;
    buffer.resize(32768, 0u8);
    // Bounded: a host with 65536 addresses needs about 600 messages.
    for _ in 0..4096 {
        let len = socket.receive(&mut buffer)?;
        if read_messages(buffer.get(..len).unwrap_or_default(), each)? {
            return Ok(());
        }
    }
    Ok(())
}

/// Reads one datagram of netlink messages; true when the dump is over.
fn read_messages(mut rest: &[u8], each: &mut dyn FnMut(u16, &[u8])) -> Result<bool, ListError> {
    while let Some((header, _)) = rest.split_first_chunk::<HEADER>() {
        let [l0, l1, l2, l3, t0, t1, ..] = *header;
        let len = u32::from_ne_bytes([l0, l1, l2, l3]) as usize;
        let Some(message) = rest.get(HEADER..len) else { return Ok(true) };
        match u16::from_ne_bytes([t0, t1]) {
            DONE => return Ok(true),
            ERROR => return Err(ListError::Fault(Fault::Other(errno::BROKEN))),
            kind => each(kind, message),
        }
        rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(false)
}

/// The attributes behind a message's structure, by type; ends at the first that is cut.
pub fn attributes(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    core::iter::from_fn(move || {
        let &[l0, l1, t0, t1] = rest.first_chunk()?;
        let len = usize::from(u16::from_ne_bytes([l0, l1]));
        let value = rest.get(4..len)?;
        rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((u16::from_ne_bytes([t0, t1]), value))
    })
}
