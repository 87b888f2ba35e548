//! `gethostent`, `gethostent_r`, `sethostent` and `endhostent`: the hosts file, line by line
//! (gethostent(3)). Threads, signals, fork and cancellation as for `gethostbyname`.

use super::codes::NoHost;
#[cfg(target_env = "gnu")]
use super::gethostby::Caller;
use super::gethostby::{kept, set_h_errno};
use super::guard::guard;
use super::hostent_static::Owner;
use crate::base::error::Failure;
use crate::context::call::Session;
use crate::resolve::host::{next_entry, rewind};
#[cfg(target_env = "gnu")]
use core::ffi::c_char;
use core::ffi::c_int;
use core::ptr::null_mut;

/// The next host of the hosts file with an IPv4 address, in memory that the next call overwrites;
/// null at the end, with `h_errno` set.
#[cfg_attr(feature = "libc-api", unsafe(no_mangle))]
pub extern "C-unwind" fn gethostent() -> *mut libc::hostent {
    let mut host = null_mut();
    guard((0, None), || {
        let outcome = next(&mut |found| Some(kept(Owner::Entry, found)));
        match outcome.and_then(|kept| kept) {
            Ok(found) => {
                host = found;
                (0, None)
            }
            Err(no_host) => {
                set_h_errno(no_host.h_errno);
                (0, no_host.errno)
            }
        }
    });
    host
}

/// The same in the caller's memory, as `gethostbyname_r`. Returns 0, `ENOENT` at the end, or
/// `ERANGE`, after which the next call gives the same host.
///
/// musl has no such function.
///
/// # Safety
/// `host`, `result` and `h_errnop` are valid for writing, and `buffer` for `len` octets.
#[cfg(target_env = "gnu")]
#[cfg_attr(feature = "libc-api", unsafe(no_mangle))]
pub unsafe extern "C-unwind" fn gethostent_r(
    host: *mut libc::hostent,
    buffer: *mut c_char,
    len: usize,
    result: *mut *mut libc::hostent,
    h_errnop: *mut c_int,
) -> c_int {
    let caller = Caller { host, buffer, len, result, h_errnop };
    let failed = (NoHost::INTERNAL.code, NoHost::INTERNAL.errno);
    guard(failed, || {
        caller.say(Err(NoHost::INTERNAL));
        match caller.say(next(&mut |found| caller.take(found))) {
            // Here errno is left alone.
            (0, _) => (0, None),
            returned => returned,
        }
    })
}

/// Back to the beginning of the hosts file. `stay_open` makes no difference: nothing is open.
#[cfg_attr(feature = "libc-api", unsafe(no_mangle))]
pub extern "C-unwind" fn sethostent(stay_open: c_int) {
    let _ = stay_open;
    back();
}

/// Ends the walk through the hosts file.
#[cfg_attr(feature = "libc-api", unsafe(no_mangle))]
pub extern "C-unwind" fn endhostent() {
    back();
}

#[inline(always)]
fn back() {
    guard((0, None), || {
        // Without memory there is no place in a file either.
        if let Ok(session) = Session::begin() {
            rewind(&session);
        }
        (0, None)
    });
}

fn next<T>(take: &mut dyn FnMut(&crate::base::answer::Found) -> Option<T>) -> Result<T, NoHost> {
    let session = Session::begin().map_err(|no_memory| NoHost::of_name(no_memory.into()))?;
    match next_entry(&session, take) {
        Ok(taken) => taken.ok_or(NoHost::TOO_SMALL),
        Err(Failure::NoName) => Err(NoHost::NONE),
        Err(failure) => Err(NoHost::of_name(failure)),
    }
}
