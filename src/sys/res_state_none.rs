//! Where libc keeps no resolver configuration that programs could change (musl): `_res` is there, and
//! nothing reads it.

pub use super::plain_state::{INIT, MAX_SERVERS, Plain, SEARCH_ROOM};

/// `struct __res_state`, of which nothing is known.
#[repr(C)]
pub struct ResState([u8; 0]);

/// Nobody's.
pub(crate) fn of_thread() -> *mut ResState {
    core::ptr::null_mut()
}

/// False.
pub fn is_filled() -> bool {
    false
}

/// Nothing.
pub fn of_this_thread<'a>() -> Option<Plain<'a>> {
    None
}

/// # Safety
/// None is needed.
pub(crate) unsafe fn read<'a>(_state: *const ResState) -> Option<Plain<'a>> {
    None
}
