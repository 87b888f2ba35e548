//! `getaddrinfo` and `freeaddrinfo` (POSIX.1-2024, RFC 3493 section 6.1, getaddrinfo(3)).

use super::codes::{Returned, returned};
use super::guard::guard;
use super::{addrinfo, args};
use crate::base::error::Error;
use crate::resolve::forward;
use crate::sys::process;
use core::ffi::{c_char, c_int};

/// Translates `node` and `service` into socket addresses; `hints` narrows them. On success `*res`
/// is a list that [`freeaddrinfo`] frees.
///
/// Returns 0 or an `EAI_*` code; with `EAI_SYSTEM`, `errno` says why; else `errno` is left alone.
/// Thread-safe; not async-signal-safe; works in the child of a threaded process after `fork`. May
/// block for as long as resolv.conf's `timeout` and `attempts` allow. Acts on a pending thread
/// cancellation at its start.
///
/// # Safety
/// `node` and `service` are null or strings that end in NUL; `hints` is null or valid; `res` is
/// valid for writing a pointer. All stay unchanged during the call.
#[cfg_attr(feature = "libc-api", unsafe(no_mangle))]
pub unsafe extern "C-unwind" fn getaddrinfo(
    node: *const c_char,
    service: *const c_char,
    hints: *const libc::addrinfo,
    res: *mut *mut libc::addrinfo,
) -> c_int {
    guard((libc::EAI_FAIL, None), || {
        // SAFETY: by this function's contract.
        unsafe { translate(node, service, hints, res) }
    })
}

/// The call itself, inside the guard.
///
/// # Safety
/// As [`getaddrinfo`].
pub(super) unsafe fn translate(
    node: *const c_char,
    service: *const c_char,
    hints: *const libc::addrinfo,
    res: *mut *mut libc::addrinfo,
) -> Returned {
    // SAFETY: by the function's contract; hints may lie at any address.
    let (node, service, hints) = unsafe {
        let hints = (!hints.is_null()).then(|| hints.read_unaligned());
        (args::text(node), args::text(service), hints)
    };
    let result = (|| {
        // An asterisk stands for "none", in both.
        let node = node.filter(|&node| node != b"*");
        let service = service.filter(|&service| service != b"*");
        if node.is_none() && service.is_none() {
            return Err(Error::NoName);
        }
        let (hints, flags) = args::hints(hints.as_ref(), node.is_some())?;
        let found = forward::resolve(node, service, &hints)?;
        Ok(addrinfo::list(&found, flags)?)
    })();
    returned(result.map(|list| {
        // SAFETY: by the function's contract `res` may be written to.
        unsafe { res.write_unaligned(list) };
    }))
}

/// Frees a list that `getaddrinfo` returned, ours or libc's, or the rest of one. Null is no list.
///
/// Keeps `errno`. Thread-safe; not async-signal-safe.
///
/// # Safety
/// `list` is null or such a list, and is not used afterwards.
#[cfg_attr(feature = "libc-api", unsafe(no_mangle))]
pub unsafe extern "C-unwind" fn freeaddrinfo(list: *mut libc::addrinfo) {
    // A thread that is cancelled asynchronously must not end within free(3).
    let cancellation = process::disable_cancellation();
    // SAFETY: by this function's contract.
    unsafe { release(list) };
    process::restore_cancellation(cancellation);
}

/// Frees a list and keeps `errno`.
///
/// # Safety
/// As [`freeaddrinfo`].
pub(super) unsafe fn release(list: *mut libc::addrinfo) {
    let errno = process::errno();
    // SAFETY: by the function's contract.
    unsafe { addrinfo::free(list) };
    process::set_errno(errno);
}
