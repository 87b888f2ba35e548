//! `struct hostent` in memory that the caller gives (gethostbyname_r(3)): the size is known before
//! anything is written.
//!
//! The buffer holds, in this order: the aliases' pointers and the addresses' pointers, each ended by
//! null; the addresses; the canonical name; the aliases.

use crate::base::answer::Found;
use crate::base::text::names;
use core::ffi::{c_char, c_int};
use core::mem::{align_of, size_of};
use core::net::IpAddr;
use core::ptr::null_mut;

const POINTER: usize = size_of::<*mut c_char>();

/// How large a host is in memory.
struct Layout {
    aliases: usize,
    addresses: usize,
    address: usize,
    text: usize,
}

impl Layout {
    fn of(found: &Found) -> Layout {
        Layout {
            aliases: names(&found.aliases).count(),
            addresses: found.addresses.len(),
            address: if is_ipv4(found) { 4 } else { 16 },
            text: found.canonical.len()
                + 1
                + names(&found.aliases).map(|a| a.len() + 1).sum::<usize>(),
        }
    }

    /// In octets. No sum overflows: all of it is in memory already, in another form.
    fn size(&self) -> usize {
        (self.aliases + self.addresses + 2) * POINTER + self.addresses * self.address + self.text
    }
}

fn is_ipv4(found: &Found) -> bool {
    found.addresses.first().is_some_and(|address| address.is_ipv4())
}

/// The octets that [`pack`] needs at most, wherever the buffer begins.
pub(super) fn room(found: &Found) -> usize {
    Layout::of(found).size() + align_of::<*mut c_char>()
}

/// Writes a host into the buffer; `None`, and nothing is written, where it is too small.
///
/// # Safety
/// `buffer` is valid for writing `len` octets, at any alignment.
pub(super) unsafe fn pack(found: &Found, buffer: *mut u8, len: usize) -> Option<libc::hostent> {
    let layout = Layout::of(found);
    let pad = buffer.addr().wrapping_neg() % align_of::<*mut c_char>();
    if layout.size().checked_add(pad)? > len {
        return None;
    }
    // SAFETY: all offsets below stay under the layout's size, which the buffer has behind the pad
    // that aligns it for pointers; the addresses follow them, so are aligned too.
    unsafe {
        let aliases = buffer.add(pad).cast::<*mut c_char>();
        let list = aliases.add(layout.aliases + 1);
        let mut address = list.add(layout.addresses + 1).cast::<u8>();
        let mut text = address.add(layout.addresses * layout.address);
        let mut add = |name: &[u8]| {
            let start = text.cast::<c_char>();
            core::ptr::copy_nonoverlapping(name.as_ptr(), text, name.len());
            *text.add(name.len()) = 0;
            text = text.add(name.len() + 1);
            start
        };
        let name = add(&found.canonical);
        for (index, alias) in names(&found.aliases).enumerate() {
            *aliases.add(index) = add(alias);
        }
        *aliases.add(layout.aliases) = null_mut();
        let mut written = 0;
        for one in &found.addresses {
            match one.ip {
                IpAddr::V4(ip) if layout.address == 4 => {
                    address.cast::<[u8; 4]>().write(ip.octets())
                }
                IpAddr::V6(ip) if layout.address == 16 => {
                    address.cast::<[u8; 16]>().write(ip.octets());
                }
                // A host's addresses are of one family.
                IpAddr::V4(_) | IpAddr::V6(_) => continue,
            }
            *list.add(written) = address.cast();
            address = address.add(layout.address);
            written += 1;
        }
        *list.add(written) = null_mut();
        Some(libc::hostent {
            h_name: name,
            h_aliases: aliases,
            h_addrtype: if layout.address == 4 { libc::AF_INET } else { libc::AF_INET6 },
            h_length: layout.address as c_int,
            h_addr_list: list,
        })
    }
}
