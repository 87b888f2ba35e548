//! Network interfaces: their names and indices, and this host's addresses (rtnetlink(7)).

use super::{Fault, process, retry};
use crate::mem::NoMemory;
use core::ffi::{CStr, c_int};
use core::mem::{size_of, zeroed};
use core::net::IpAddr;

/// Room for an interface's name and its NUL (`IFNAMSIZ`).
pub(crate) const NAME_ROOM: usize = 16;

/// The index of the interface called `name`: `if_nametoindex(3)`.
pub fn index(name: &[u8]) -> Option<u32> {
    let mut text = [0u8; NAME_ROOM];
    let room = text.get_mut(..NAME_ROOM - 1)?.get_mut(..name.len())?;
    room.copy_from_slice(name);
    let errno = process::errno();
    // SAFETY: `text` ends in NUL, for its last octet was left zero.
    let index = unsafe { libc::if_nametoindex(text.as_ptr().cast()) };
    process::set_errno(errno);
    (index != 0).then_some(index)
}

/// The name of the interface with this index, in `buffer`: `if_indextoname(3)`.
pub fn name(index: u32, buffer: &mut [u8; NAME_ROOM]) -> Option<&[u8]> {
    let errno = process::errno();
    // SAFETY: the buffer has the IFNAMSIZ octets that the call may write.
    let found = unsafe { libc::if_indextoname(index, buffer.as_mut_ptr().cast()) };
    process::set_errno(errno);
    if found.is_null() {
        return None;
    }
    CStr::from_bytes_until_nul(buffer).ok().map(CStr::to_bytes)
}

/// Of linux/if_arp.h: IPv4 in IPv4, IPv6 in IPv6, IPv6 in IPv4.
pub(crate) const TUNNELS: [u16; 3] = [768, 769, 776];

/// True for an interface that is a tunnel: addresses behind it are not reached natively.
pub fn is_tunnel(index: u32) -> bool {
    let mut buffer = [0; NAME_ROOM];
    let Some(name) = name(index, &mut buffer) else { return false };
    // SAFETY: ifreq is plain data, for which zero is a value.
    let mut request: libc::ifreq = unsafe { zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name) {
        *to = *from as libc::c_char;
    }
    // SAFETY: plain integers.
    let descriptor =
        unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    if descriptor < 0 {
        return false;
    }
    // SAFETY: the request outlives the call, which fills in its hardware address; the descriptor is
    // ours alone. The union's field is the one that SIOCGIFHWADDR fills.
    unsafe {
        let result = libc::ioctl(descriptor, libc::SIOCGIFHWADDR as _, &raw mut request);
        libc::close(descriptor);
        result == 0 && TUNNELS.contains(&request.ifr_ifru.ifru_hwaddr.sa_family)
    }
}

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

/// Tells `each` every address of this host, in the kernel's order: one netlink dump.
pub fn addresses(each: &mut dyn FnMut(InterfaceAddress)) -> Result<(), ListError> {
    let socket = Netlink::open()?;
    socket.request_addresses()?;
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
            ERROR => return Err(ListError::Fault(Fault::Other(libc::EIO))),
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
    match c_int::from(family) {
        libc::AF_INET => <[u8; 4]>::try_from(value).ok().map(IpAddr::from),
        libc::AF_INET6 => <[u8; 16]>::try_from(value).ok().map(IpAddr::from),
        _ => None,
    }
}

/// A routing socket, closed when dropped.
struct Netlink(c_int);

impl Drop for Netlink {
    fn drop(&mut self) {
        // SAFETY: the descriptor is ours alone.
        unsafe { libc::close(self.0) };
    }
}

impl Netlink {
    fn open() -> Result<Netlink, Fault> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
        // SAFETY: socket(2) takes plain integers.
        retry(|| unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_ROUTE) }).map(Netlink)
    }

    fn request_addresses(&self) -> Result<(), Fault> {
        // An nlmsghdr (length, type, flags, sequence, port) and an ifaddrmsg of family "any".
        let mut request = [0u8; 24];
        let fields = [24u32.to_ne_bytes(), {
            let [t0, t1] = GET_ADDRESS.to_ne_bytes();
            let [f0, f1] = REQUEST_DUMP.to_ne_bytes();
            [t0, t1, f0, f1]
        }];
        for (to, from) in request.iter_mut().zip(fields.as_flattened()) {
            *to = *from;
        }
        // SAFETY: sockaddr_nl is plain data, for which zero is a value.
        let mut kernel: libc::sockaddr_nl = unsafe { zeroed() };
        kernel.nl_family = libc::AF_NETLINK as libc::sa_family_t;
        // SAFETY: both pointers are valid for the lengths given.
        retry(|| unsafe {
            libc::sendto(
                self.0,
                request.as_ptr().cast(),
                request.len(),
                0,
                (&raw const kernel).cast(),
                size_of::<libc::sockaddr_nl>() as libc::socklen_t,
            )
        })?;
        Ok(())
    }

    fn receive(&self, buffer: &mut [u8]) -> Result<usize, Fault> {
        // SAFETY: `buffer` is valid for writing over its whole length. The kernel has queued the
        // answer before sendto returned, so this does not wait.
        let n = retry(|| unsafe {
            libc::recv(self.0, buffer.as_mut_ptr().cast(), buffer.len(), libc::MSG_DONTWAIT)
        })?;
        Ok(n.unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_has_a_name_an_index_and_its_address() {
        let lo = index(b"lo").unwrap();
        assert_eq!(name(lo, &mut [0; NAME_ROOM]), Some(&b"lo"[..]));
        assert_eq!(index(b"a-name-far-too-long-for-any"), None);
        let mut found = false;
        addresses(&mut |a| found |= a.interface == lo && a.ip.is_loopback()).unwrap();
        assert!(found);
    }
}
