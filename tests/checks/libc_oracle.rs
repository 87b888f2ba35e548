//! libc's own readers of text, for comparison. All of them are functions of their arguments alone.

use std::ffi::{CString, c_char, c_int};
use std::net::{Ipv4Addr, Ipv6Addr};

/// libc takes C strings: nothing with a NUL in it can be asked.
fn c_string(text: &[u8]) -> Option<CString> {
    CString::new(text).ok()
}

#[link(name = "resolv")]
unsafe extern "C" {
    fn inet_aton(text: *const c_char, address: *mut [u8; 4]) -> c_int;
    fn inet_pton(family: c_int, text: *const c_char, address: *mut [u8; 16]) -> c_int;
    fn ns_name_pton(text: *const c_char, wire: *mut u8, room: usize) -> c_int;
    fn ns_name_ntop(wire: *const u8, text: *mut c_char, room: usize) -> c_int;
    fn ns_name_unpack(
        message: *const u8,
        end: *const u8,
        at: *const u8,
        wire: *mut u8,
        room: usize,
    ) -> c_int;
    fn res_hnok(name: *const c_char) -> c_int;
}

/// `inet_aton(3)`. It stops at white space; what has any is not asked.
pub fn aton(text: &[u8]) -> Option<Ipv4Addr> {
    if text.iter().any(|&b| super::is_space(b)) {
        return None;
    }
    let text = c_string(text)?;
    let mut octets = [0; 4];
    // SAFETY: `text` ends in NUL, `octets` has the size of struct in_addr.
    let read = unsafe { inet_aton(text.as_ptr(), &raw mut octets) };
    (read != 0).then(|| Ipv4Addr::from(octets))
}

/// `inet_pton(3)` for IPv4.
pub fn pton4(text: &[u8]) -> Option<Ipv4Addr> {
    pton(libc::AF_INET, text).map(|octets| Ipv4Addr::from(*octets.first_chunk::<4>().unwrap()))
}

/// `inet_pton(3)` for IPv6.
pub fn pton6(text: &[u8]) -> Option<Ipv6Addr> {
    pton(libc::AF_INET6, text).map(Ipv6Addr::from)
}

fn pton(family: c_int, text: &[u8]) -> Option<[u8; 16]> {
    let text = c_string(text)?;
    let mut octets = [0; 16];
    // SAFETY: `text` ends in NUL, `octets` has room for either family.
    let read = unsafe { inet_pton(family, text.as_ptr(), &raw mut octets) };
    (read == 1).then_some(octets)
}

/// `ns_name_pton`: text to wire form. Relative names come out as absolute ones do.
pub fn name_from_text(text: &[u8]) -> Option<Vec<u8>> {
    let text = c_string(text)?;
    let mut wire = [0; 256];
    // SAFETY: `text` ends in NUL; `wire` has the room that is said.
    let result = unsafe { ns_name_pton(text.as_ptr(), wire.as_mut_ptr(), 255) };
    (result >= 0).then(|| wire_of(&wire))
}

/// `ns_name_ntop`: wire form to text.
pub fn name_to_text(wire: &[u8]) -> Option<Vec<u8>> {
    let mut text = [0; 1025];
    // SAFETY: callers give a name that ends in its root label; `text` has the room that is said.
    let length = unsafe { ns_name_ntop(wire.as_ptr(), text.as_mut_ptr(), text.len()) };
    let length = usize::try_from(length).ok()?;
    Some(text[..length].iter().map(|&b| b.cast_unsigned()).take_while(|&b| b != 0).collect())
}

/// `ns_name_unpack`: the name at `at` in a message, compression undone, and how far it reaches.
pub fn name_in_message(message: &[u8], at: usize) -> Option<(Vec<u8>, usize)> {
    let mut wire = [0; 256];
    let bounds = message.as_ptr_range();
    // SAFETY: start and end of one message, a place in it, and the room that is said.
    let length = unsafe {
        ns_name_unpack(bounds.start, bounds.end, message[at..].as_ptr(), wire.as_mut_ptr(), 255)
    };
    Some((wire_of(&wire), usize::try_from(length).ok()?))
}

/// `res_hnok`: whether text may be a host's name.
pub fn is_host_name(text: &[u8]) -> bool {
    let Some(text) = c_string(text) else { return false };
    // SAFETY: `text` ends in NUL.
    unsafe { res_hnok(text.as_ptr()) != 0 }
}

/// A name in wire form, up to and with its root label.
fn wire_of(octets: &[u8]) -> Vec<u8> {
    let mut end = 0;
    while octets[end] != 0 {
        end += 1 + usize::from(octets[end]);
    }
    octets[..=end].to_vec()
}
