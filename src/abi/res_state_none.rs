//! Where libc keeps no resolver configuration that programs could change (musl): nothing is filled.

use crate::context::state::Upstream;
use crate::sys::res_state::ResState;
use core::ffi::c_int;

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
