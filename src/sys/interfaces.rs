//! Network interfaces: their names and indices.

use super::{kernel, process};
use core::ffi::{CStr, c_int};
use core::mem::zeroed;

/// Room for an interface's name and its NUL (`IFNAMSIZ`).
pub(crate) const NAME_ROOM: usize = 16;

/// The index of the interface called `name`: `if_nametoindex(3)`.
pub fn index(name: &[u8]) -> Option<u32> {
    let mut request = request();
    // The last octet stays NUL.
    let room = request.ifr_name.get_mut(..NAME_ROOM - 1)?.get_mut(..name.len())?;
    room.iter_mut().zip(name).for_each(|(to, from)| *to = *from as libc::c_char);
    if !ask(libc::AF_UNIX, libc::SIOCGIFINDEX as u32, &mut request) {
        return None;
    }
    // SAFETY: the union's field is the one that the call has filled.
    let index = unsafe { request.ifr_ifru.ifru_ifindex };
    u32::try_from(index).ok().filter(|&index| index != 0)
}

/// The name of the interface with this index, in `buffer`: `if_indextoname(3)`.
pub fn name(index: u32, buffer: &mut [u8; NAME_ROOM]) -> Option<&[u8]> {
    let mut request = request();
    request.ifr_ifru.ifru_ifindex = index.cast_signed();
    if !ask(libc::AF_UNIX, libc::SIOCGIFNAME as u32, &mut request) {
        return None;
    }
    buffer.iter_mut().zip(request.ifr_name).for_each(|(to, from)| *to = from as u8);
    CStr::from_bytes_until_nul(buffer).ok().map(CStr::to_bytes)
}

fn request() -> libc::ifreq {
    // SAFETY: ifreq is plain data, for which zero is a value.
    unsafe { zeroed() }
}

/// Asks the kernel by a socket of the family's (netdevice(7)). Keeps `errno`.
fn ask(family: c_int, what: u32, request: &mut libc::ifreq) -> bool {
    let errno = process::errno();
    let request: *mut libc::ifreq = request;
    // SAFETY: socket takes numbers; the request has the form that the call reads and fills; the descriptor is ours alone.
    let is_answered = unsafe {
        let descriptor = kernel::socket(family, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
        let result = if descriptor < 0 { -1 } else { kernel::ioctl(descriptor, what, request) };
        if descriptor >= 0 {
            kernel::close(descriptor);
        }
        result == 0
    };
    process::set_errno(errno);
    is_answered
}

/// Of linux/if_arp.h: IPv4 in IPv4, IPv6 in IPv6, IPv6 in IPv4.
pub(crate) const TUNNELS: [u16; 3] = [768, 769, 776];

/// True for an interface that is a tunnel: addresses behind it are not reached natively.
pub fn is_tunnel(index: u32) -> bool {
    let mut buffer = [0; NAME_ROOM];
    let Some(name) = name(index, &mut buffer) else { return false };
    let mut request = request();
    request.ifr_name.iter_mut().zip(name).for_each(|(to, from)| *to = *from as libc::c_char);
    ask(libc::AF_INET, libc::SIOCGIFHWADDR as u32, &mut request)
        // SAFETY: the union's field is the one that the call has filled.
        && TUNNELS.contains(&unsafe { request.ifr_ifru.ifru_hwaddr.sa_family })
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
