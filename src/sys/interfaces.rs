//! Network interfaces: their names and indices.

use super::process;
use core::ffi::CStr;
use core::mem::zeroed;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_has_a_name_and_an_index() {
        let lo = index(b"lo").unwrap();
        assert_eq!(name(lo, &mut [0; NAME_ROOM]), Some(&b"lo"[..]));
        assert_eq!(index(b"a-name-far-too-long-for-any"), None);
    }
}
