//! A caller's buffer, and what is laid out in it: measured first, then written, so that a buffer that
//! is too small is left as it was.

use super::reply::Reply;
use crate::abi::hostent::pack;
use crate::base::address::Address;
use crate::base::answer::Found;
use core::ffi::{c_char, c_int};
use core::mem::{align_of, size_of};
use core::net::IpAddr;
use core::ptr::null_mut;

/// `struct gaih_addrtuple` (nss.h).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct AddressTuple {
    /// The next one, or null.
    pub next: *mut AddressTuple,
    /// The canonical name.
    pub name: *mut c_char,
    /// `AF_INET` or `AF_INET6`.
    pub family: c_int,
    /// The address in network order; of IPv4 in the first element.
    pub address: [u32; 4],
    /// The interface of an address that is not global.
    pub scope: u32,
}

/// A buffer of the caller's, of any alignment.
pub(super) struct Room {
    place: *mut u8,
    len: usize,
}

impl Room {
    /// # Safety
    /// `place` is valid for writing `len` octets, which nobody else uses during the call.
    pub(super) unsafe fn new(place: *mut c_char, len: usize) -> Room {
        Room { place: place.cast(), len }
    }

    /// The first place aligned for `T` that has `need` octets behind it.
    fn aligned<T>(&self, need: usize) -> Result<*mut u8, Reply> {
        let skipped = self.place.align_offset(align_of::<T>());
        match self.len.checked_sub(skipped) {
            Some(left) if left >= need => Ok(self.place.wrapping_add(skipped)),
            _ => Err(Reply::RANGE),
        }
    }

    /// Writes a text, ended with NUL.
    pub(super) fn text(&self, text: &[u8]) -> Result<*mut c_char, Reply> {
        let place = self.aligned::<u8>(text.len() + 1)?;
        // SAFETY: the room has the text's octets and one more (just measured), by `new`'s contract.
        Ok(unsafe { write_text(place, text) })
    }

    /// Writes a list of addresses, each with the name.
    pub(super) fn tuples(
        &self,
        addresses: &[Address],
        name: &[u8],
    ) -> Result<*mut AddressTuple, Reply> {
        // No overflow: both come out of a message of 64 KiB.
        let tuples = addresses.len() * size_of::<AddressTuple>();
        let first = self.aligned::<AddressTuple>(tuples + name.len() + 1)?;
        // SAFETY: the room has the tuples and behind them the name (just measured) and is aligned for
        // tuples; by `new`'s contract it is ours to write.
        unsafe {
            let name = write_text(first.add(tuples), name);
            let first = first.cast::<AddressTuple>();
            let mut rest = addresses.iter().enumerate().peekable();
            while let Some((at, address)) = rest.next() {
                let place = first.add(at);
                let next = if rest.peek().is_some() { place.add(1) } else { null_mut() };
                place.write(tuple(address, name, next));
            }
            Ok(first)
        }
    }

    /// Writes what a `hostent` points to, and gives it.
    pub(super) fn host(&self, found: &Found) -> Result<libc::hostent, Reply> {
        // SAFETY: by `new`'s contract the buffer is valid for writing its length.
        unsafe { pack(found, self.place, self.len) }.ok_or(Reply::RANGE)
    }
}

fn tuple(address: &Address, name: *mut c_char, next: *mut AddressTuple) -> AddressTuple {
    let (family, octets) = match address.ip {
        IpAddr::V4(ip) => (libc::AF_INET, ip.to_ipv6_compatible().octets()),
        IpAddr::V6(ip) => (libc::AF_INET6, ip.octets()),
    };
    let [a, b, c, d] = words(octets);
    let address_words = if family == libc::AF_INET { [d, 0, 0, 0] } else { [a, b, c, d] };
    AddressTuple { next, name, family, address: address_words, scope: address.scope }
}

/// An address as four words, whose octets in memory are the address's.
fn words(octets: [u8; 16]) -> [u32; 4] {
    let number = u128::from_be_bytes(octets);
    [96, 64, 32, 0].map(|shift| ((number >> shift) as u32).to_be())
}

/// # Safety
/// `place` is valid for writing the text and one octet more.
unsafe fn write_text(place: *mut u8, text: &[u8]) -> *mut c_char {
    // SAFETY: by the function's contract; the text is ours, so they don't overlap.
    unsafe {
        core::ptr::copy_nonoverlapping(text.as_ptr(), place, text.len());
        place.add(text.len()).write(0);
    }
    place.cast()
}
