//! `pthread_cancel` (pthread_cancel(3)): libc's own, and a word to the thread that waits in a lookup.

use crate::sys::{cancelled, process};
use core::ffi::{c_int, c_void};
use core::mem::transmute;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

type Cancel = unsafe extern "C-unwind" fn(libc::pthread_t) -> c_int;

/// libc's, once it was looked for.
static NEXT: AtomicPtr<c_void> = AtomicPtr::new(null_mut());

/// Cancels a thread, as libc does. One that is in a lookup and waits for an answer ends within a moment, where
/// it can be cancelled at all.
///
/// Returns libc's code; `ENOSYS` where libc has no such function. Keeps `errno`. Thread-safe; may be called by a
/// thread that is cancelled asynchronously.
///
/// # Safety
/// As for libc's: `thread` is one that has not been joined.
#[cfg_attr(feature = "libc-api", unsafe(no_mangle))]
pub unsafe extern "C-unwind" fn pthread_cancel(thread: libc::pthread_t) -> c_int {
    let kind = process::defer_cancellation();
    let next = prepare(thread);
    process::restore_kind(kind);
    if next.is_null() {
        return libc::ENOSYS;
    }
    // SAFETY: a function that libc, or a library before it, exports by this name has this type; `thread` by this
    // function's contract.
    unsafe { transmute::<*mut c_void, Cancel>(next)(thread) }
}

/// Tells the thread, and returns libc's function.
#[inline(never)]
fn prepare(thread: libc::pthread_t) -> *mut c_void {
    let errno = process::errno();
    cancelled::announce(thread);
    let mut next = NEXT.load(Relaxed);
    if next.is_null() {
        // SAFETY: dlsym takes a handle of its own and a string that ends in NUL.
        next = unsafe { libc::dlsym(libc::RTLD_NEXT, c"pthread_cancel".as_ptr()) };
        NEXT.store(next, Relaxed);
    }
    process::set_errno(errno);
    next
}
