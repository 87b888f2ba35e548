//! Where libc keeps no resolver configuration that programs could change (musl): `_res` is there, and
//! nothing reads it.

use crate::resolver::manual::Manual;
use crate::state::Upstream;
use core::ffi::c_int;

/// `struct __res_state`, of which nothing is known.
#[repr(C)]
pub struct ResState([u8; 0]);

pub(super) fn of_thread() -> *mut ResState {
    core::ptr::null_mut()
}

/// False.
pub fn has_manual() -> bool {
    false
}

/// Nothing.
pub fn manual_of_thread<'a>() -> Option<Manual<'a>> {
    None
}

/// # Safety
/// None is needed.
pub(super) unsafe fn manual<'a>(_state: *const ResState) -> Option<Manual<'a>> {
    None
}

/// # Safety
/// None is needed.
pub(super) unsafe fn fill(_state: *mut ResState, _upstream: &Upstream, _keep: bool) {}

/// # Safety
/// None is needed.
pub(super) unsafe fn fill_once(_state: *mut ResState, _upstream: &Upstream) {}

/// # Safety
/// None is needed.
pub(super) unsafe fn set_id(_state: *mut ResState, _id: [u8; 2]) {}

/// # Safety
/// None is needed.
pub(super) unsafe fn set_h_errno(_state: *mut ResState, _h_errno: c_int) {}
