//! Network interfaces: their names and indices, and this host's addresses (rtnetlink(7)).

use super::netlink::{self, ListError};
use super::{files, process};
use core::ffi::{CStr, c_int};
use core::mem::zeroed;
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
    /// How far it reaches, by the kernel's numbers: 0 everywhere, 253 the link, 254 this host.
    pub scope: u8,
    /// Past its preferred lifetime (RFC 4862), or still being checked for duplicates.
    pub deprecated: bool,
    /// Temporary (RFC 8981).
    pub temporary: bool,
    /// A Mobile IPv6 home address (RFC 6275).
    pub home: bool,
}

// Of linux/rtnetlink.h and if_addr.h: kernel ABI, the same on every architecture.
pub(crate) const NEW_LINK: u16 = 16;
pub(crate) const GET_LINK: u16 = 18;
pub(crate) const NEW_ADDRESS: u16 = 20;
pub(crate) const GET_ADDRESS: u16 = 22;
pub(crate) const ATTRIBUTE_ADDRESS: u16 = 1;
pub(crate) const ATTRIBUTE_LOCAL: u16 = 2;
pub(crate) const ATTRIBUTE_FLAGS: u16 = 8;
pub(crate) const FLAG_TEMPORARY: u32 = 0x01;
pub(crate) const FLAG_HOME: u32 = 0x10;
/// The flags of an interface that are looked at.
const LINK_FLAGS: i32 =
    libc::IFF_UP | libc::IFF_MULTICAST | libc::IFF_LOOPBACK | libc::IFF_POINTOPOINT;
/// `RT_SCOPE_HOST`: addresses that are not known outside this host, and (above it) nowhere.
pub(crate) const SCOPE_HOST: u8 = 254;
/// `IFA_F_DEPRECATED` and `IFA_F_OPTIMISTIC`.
pub(crate) const FLAGS_DEPRECATED: u32 = 0x20 | 0x04;

/// Tells `each` every address of this host, in the kernel's order: one netlink dump.
pub fn addresses(each: &mut dyn FnMut(InterfaceAddress)) -> Result<(), ListError> {
    netlink::dump(GET_ADDRESS, netlink::IFADDRMSG, &mut |kind, message| {
        if kind == NEW_ADDRESS
            && let Some(address) = read_address(message)
        {
            each(address);
        }
    })
}

/// Tells `each` the index of every interface that is up and takes multicast, loopback and
/// point-to-point links left out.
pub fn multicast(each: &mut dyn FnMut(u32)) -> Result<(), ListError> {
    netlink::dump(GET_LINK, netlink::IFINFOMSG, &mut |kind, message| {
        // An ifinfomsg: family, type, index, flags, a mask.
        if kind == NEW_LINK
            && let Some((&[_, _, _, _, i0, i1, i2, i3, f0, f1, f2, f3], _)) =
                message.split_first_chunk()
            && i32::from_ne_bytes([f0, f1, f2, f3]) & LINK_FLAGS
                == libc::IFF_UP | libc::IFF_MULTICAST
        {
            each(u32::from_ne_bytes([i0, i1, i2, i3]));
        }
    })
}

/// True where the kernel has IPv6, and it is not switched off for the whole host.
pub fn has_ipv6() -> bool {
    let disabled = || files::read(c"/proc/sys/net/ipv6/conf/all/disable_ipv6");
    files::identity(c"/proc/net/if_inet6").is_ok()
        && !disabled().is_ok_and(|(text, _)| text.starts_with(b"1"))
}

/// Reads one `ifaddrmsg` with its attributes.
fn read_address(message: &[u8]) -> Option<InterfaceAddress> {
    let (&[family, prefix_len, flags, scope, i0, i1, i2, i3], rest) =
        message.split_first_chunk()?;
    let mut flags = u32::from(flags);
    let (mut address, mut local) = (None, None);
    for (kind, value) in netlink::attributes(rest) {
        match kind {
            ATTRIBUTE_ADDRESS => address = read_ip(family, value),
            ATTRIBUTE_LOCAL => local = read_ip(family, value),
            ATTRIBUTE_FLAGS => flags = u32::from_ne_bytes(value.try_into().ok()?),
            _ => {}
        }
    }
    Some(InterfaceAddress {
        // On a point-to-point link ADDRESS is the peer's, LOCAL ours.
        ip: local.or(address)?,
        prefix_len,
        interface: u32::from_ne_bytes([i0, i1, i2, i3]),
        scope,
        deprecated: flags & FLAGS_DEPRECATED != 0,
        temporary: flags & FLAG_TEMPORARY != 0,
        home: flags & FLAG_HOME != 0,
    })
}

pub(super) fn read_ip(family: u8, value: &[u8]) -> Option<IpAddr> {
    match c_int::from(family) {
        libc::AF_INET => <[u8; 4]>::try_from(value).ok().map(IpAddr::from),
        libc::AF_INET6 => <[u8; 16]>::try_from(value).ok().map(IpAddr::from),
        _ => None,
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
