//! What the kernel tells of its network, by a routing socket (rtnetlink(7)): questions, and dumps.

use super::routing_socket::RoutingSocket;
use super::{Fault, errno};
use crate::sys::mem::NoMemory;

// Of linux/netlink.h: kernel ABI, the same on every architecture.
pub(crate) const DONE: u16 = 3;
pub(crate) const ERROR: u16 = 2;
pub(crate) const REQUEST: u16 = 0x1;
pub(crate) const REQUEST_DUMP: u16 = 0x301;
pub(crate) const MULTIPART: u16 = 0x2;

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

/// Requests that are sent as one datagram: the kernel answers each in its turn.
pub struct Requests {
    octets: [u8; ROOM],
    len: usize,
    count: u32,
}

/// Room for a dump and the ways to [`super::surroundings::MAX_PEERS`] peers.
const ROOM: usize = 640;

impl Requests {
    /// None yet.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Requests {
        Requests { octets: [0; ROOM], len: 0, count: 0 }
    }

    /// Adds a request, whose content is that of all `parts`, and returns the number that answers to it have;
    /// `None` where there is no room.
    pub fn add(&mut self, kind: u16, flags: u16, parts: &[&[u8]]) -> Option<u32> {
        let len = parts.iter().fold(HEADER, |len, part| part.len().saturating_add(len));
        let place = self.octets.get_mut(self.len..self.len.checked_add(len)?)?;
        let number = self.count.checked_add(1)?;
        let lengths = u32::try_from(len).ok()?.to_ne_bytes();
        let kinds = [kind.to_ne_bytes(), flags.to_ne_bytes()];
        // The kernel's port, which the last four octets of the header name, is 0.
        let header = [&lengths[..], kinds.as_flattened(), &number.to_ne_bytes(), &[0; 4]];
        let octets = header.iter().chain(parts).copied().flatten();
        place.iter_mut().zip(octets).for_each(|(to, from)| *to = *from);
        // Each begins where a number of four octets may.
        self.len = (self.len + len).next_multiple_of(4);
        self.count = number;
        Some(number)
    }

    /// Sends them. Tells `each` the request's number, the type and the content of every message that comes
    /// back; [`ERROR`] is one.
    pub fn send(&self, each: &mut dyn FnMut(u32, u16, &[u8])) -> Result<(), ListError> {
        let socket = RoutingSocket::ask(self.octets.get(..self.len).unwrap_or_default())?;
        let mut buffer = Vec::new();
        // The kernel sends at most 8 KiB at first, and then as much at a time as there is room for, up to
        // this.
        buffer.try_reserve_exact(32768).map_err(|_| ListError::NoMemory(NoMemory))?;
        let mut left = self.count;
        // Bounded: a host with 65536 addresses needs about 600 messages.
        for _ in 0..4096 {
            if left == 0 {
                break;
            }
            socket.receive(&mut buffer)?;
            left = left.saturating_sub(read_messages(&buffer, each));
        }
        Ok(())
    }
}

/// Asks for all objects of a kind (`RTM_GET…`), whose message begins with a structure of `len` octets
/// that is zero in the request. Tells `each` the type and the content of every message.
pub fn dump(request: u16, len: usize, each: &mut dyn FnMut(u16, &[u8])) -> Result<(), ListError> {
    // As long as the longest structure that is asked for; zero is family "any" in each.
    let structure = [0; IFINFOMSG];
    let mut requests = Requests::new();
    requests.add(request, REQUEST_DUMP, &[structure.get(..len).unwrap_or_default()]);
    let mut refused = false;
    requests.send(&mut |_, kind, content| match kind {
        ERROR => refused = true,
        kind => each(kind, content),
    })?;
    if refused { Err(ListError::Fault(Fault::Other(errno::BROKEN))) } else { Ok(()) }
}

/// Reads one datagram of netlink messages; how many requests it has answered to the end.
fn read_messages(mut rest: &[u8], each: &mut dyn FnMut(u32, u16, &[u8])) -> u32 {
    let mut ended = 0;
    while let Some((header, _)) = rest.split_first_chunk::<HEADER>() {
        let [l0, l1, l2, l3, t0, t1, f0, f1, s0, s1, s2, s3, ..] = *header;
        let len = u32::from_ne_bytes([l0, l1, l2, l3]) as usize;
        // Cut, or no message: nothing that could be read follows.
        let Some(content) = rest.get(HEADER..len) else { return u32::MAX };
        let kind = u16::from_ne_bytes([t0, t1]);
        let is_part = u16::from_ne_bytes([f0, f1]) & MULTIPART != 0;
        if kind != DONE {
            each(u32::from_ne_bytes([s0, s1, s2, s3]), kind, content);
        }
        if kind == DONE || !is_part {
            ended += 1;
        }
        rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    ended
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
