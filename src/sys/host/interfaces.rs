//! Network interfaces: their names and indices.

use super::host::calls;

/// Room for an interface's name and its NUL (`IFNAMSIZ`).
const NAME_ROOM: usize = 16;

/// The index of the interface called `name`: `if_nametoindex(3)`.
pub fn index(name: &[u8]) -> Option<u32> {
    // SAFETY: `name` is valid for its length.
    let index = unsafe { calls::interface_index(name.as_ptr(), name.len()) };
    (index != 0).then_some(index)
}

/// The name of the interface with this index, in `buffer`: `if_indextoname(3)`.
pub fn name(index: u32, buffer: &mut [u8; NAME_ROOM]) -> Option<&[u8]> {
    // SAFETY: the buffer has the IFNAMSIZ octets that the call may write.
    let len = unsafe { calls::interface_name(index, buffer.as_mut_ptr()) };
    buffer.get(..len).filter(|name| !name.is_empty())
}

/// True for an interface that is a tunnel: addresses behind it are not reached natively.
pub fn is_tunnel(index: u32) -> bool {
    // SAFETY: a plain integer.
    unsafe { calls::interface_is_tunnel(index) != 0 }
}
