//! `res_nclose` (resolver(3)): nothing of ours is open in a state, and what is, is libc's to close.

use super::guard::guard;
use super::res_addresses::shielded;
use crate::sys::res_state::ResState;
use core::ffi::c_int;
use core::mem::transmute;

type Close = unsafe extern "C-unwind" fn(*mut ResState);

/// Closes what libc's own functions have left open in a state. The addresses in it that are ours are not
/// freed, so that it may be closed twice, or be a copy of another.
///
/// Thread-safe (a state is used by one thread at a time); not async-signal-safe.
///
/// # Safety
/// The state is valid, and was filled by `res_ninit`.
#[cfg_attr(feature = "libc-api", unsafe(no_mangle))]
pub unsafe extern "C-unwind" fn __res_nclose(state: *mut ResState) {
    let _: c_int = guard((0, None), || {
        // SAFETY: dlsym takes a handle of its own and a string that ends in NUL.
        let next = unsafe { libc::dlsym(libc::RTLD_NEXT, c"__res_nclose".as_ptr()) };
        // SAFETY: by the function's contract.
        let _shield = unsafe { shielded(state) };
        if !next.is_null() {
            // SAFETY: a function that libc, or a library before it, exports by this name has this type.
            let next: Close = unsafe { transmute(next) };
            // SAFETY: by the function's contract.
            unsafe { next(state) };
        }
        (0, None)
    });
}
