//! `__nss_configure_lookup` (nss.h): a program's own line in place of nsswitch.conf's.

use super::args::text;
use super::guard::guard;
use crate::context::call::Session;
use crate::sys::{errno, process};
use core::ffi::{c_char, c_int};
use core::mem::transmute;

type ConfigureLookup = unsafe extern "C-unwind" fn(*const c_char, *const c_char) -> c_int;

/// From now on `database` is looked up with the services of `line`, whatever nsswitch.conf says.
///
/// libc gets the line first and judges it; for the database `hosts` rustdns takes it too. Returns 0, or
/// -1 for a database or a line that libc does not take. Thread-safe; not async-signal-safe; a forked
/// child keeps the line. Each call for `hosts` takes a few octets for good.
///
/// # Safety
/// Both are strings that end in NUL and stay unchanged during the call.
#[cfg_attr(feature = "libc-api", unsafe(no_mangle))]
pub unsafe extern "C-unwind" fn __nss_configure_lookup(
    database: *const c_char,
    line: *const c_char,
) -> c_int {
    const FAILED: c_int = -1;
    guard((FAILED, None), || {
        // SAFETY: dlsym takes a handle of its own and a string that ends in NUL.
        let next = unsafe { libc::dlsym(libc::RTLD_NEXT, c"__nss_configure_lookup".as_ptr()) };
        if !next.is_null() {
            // SAFETY: a function that libc, or a library before it, exports by this name has this type.
            let next: ConfigureLookup = unsafe { transmute(next) };
            // SAFETY: by the function's contract.
            let code = unsafe { next(database, line) };
            if code != 0 {
                return (code, Some(process::errno()));
            }
        }
        // SAFETY: by the function's contract.
        let (database, line) = unsafe { (text(database), text(line)) };
        let (Some(b"hosts"), Some(line)) = (database, line) else { return (0, None) };
        match Session::choose_hosts_database(line) {
            Ok(()) => (0, None),
            Err(_) => (FAILED, Some(errno::NO_MEMORY)),
        }
    })
}
