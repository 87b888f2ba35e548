//! `gethostbyname`, `gethostbyname2`, `gethostbyaddr` and their `_r` forms (gethostbyname(3)).
//!
//! For all of them: thread-safe in the `_r` forms, and in the others as far as one memory for each
//! function allows; not async-signal-safe; they work in the child of a threaded process after `fork`;
//! they may block for as long as resolv.conf's `timeout` and `attempts` allow, and act on a pending
//! thread cancellation at their start.

use super::args;
use super::codes::{NoHost, Returned};
use super::guard::guard;
use super::hostent::pack;
use super::hostent_static::{Owner, keep};
use crate::base::answer::Found;
use crate::context::call::Session;
use crate::resolve::host;
use crate::rules::query::Family;
use core::ffi::{c_char, c_int, c_void};
use core::net::IpAddr;
use core::ptr::null_mut;

unsafe extern "C" {
    /// Where the calling thread's `h_errno` is.
    fn __h_errno_location() -> *mut c_int;
}

/// Looks up a host's IPv4 addresses and all its names.
///
/// Returns the host in memory that the next call overwrites, or null with `h_errno` set.
///
/// # Safety
/// `name` is null or a string that ends in NUL and stays unchanged during the call.
#[cfg_attr(feature = "libc-api", unsafe(no_mangle))]
pub unsafe extern "C-unwind" fn gethostbyname(name: *const c_char) -> *mut libc::hostent {
    // SAFETY: by this function's contract.
    in_own_memory(Owner::Name, || unsafe { by_name(name, libc::AF_INET) })
}

/// The same for `AF_INET` or `AF_INET6`.
///
/// # Safety
/// As [`gethostbyname`].
#[cfg_attr(feature = "libc-api", unsafe(no_mangle))]
pub unsafe extern "C-unwind" fn gethostbyname2(
    name: *const c_char,
    family: c_int,
) -> *mut libc::hostent {
    // SAFETY: by this function's contract.
    in_own_memory(Owner::Name2, || unsafe { by_name(name, family) })
}

/// Looks up all names of the host that has the address of `len` octets at `address`.
///
/// Returns as [`gethostbyname`].
///
/// # Safety
/// `address` is null or valid for reading `len` octets, which stay unchanged during the call.
#[cfg_attr(feature = "libc-api", unsafe(no_mangle))]
pub unsafe extern "C-unwind" fn gethostbyaddr(
    address: *const c_void,
    len: libc::socklen_t,
    family: c_int,
) -> *mut libc::hostent {
    // SAFETY: by this function's contract.
    in_own_memory(Owner::Address, || unsafe { by_address(address, len, family) })
}

/// [`gethostbyname`] with the caller's memory: fills `*host`, which points into `buffer` of `len`
/// octets, and stores its address in `*result`, or null there and the reason in `*h_errnop`.
///
/// Returns 0 for a host and for a name that has none, or an `errno` value: `ERANGE` with
/// `NETDB_INTERNAL` where the buffer is too small, `EAGAIN` with `TRY_AGAIN`.
///
/// # Safety
/// As [`gethostbyname`]; `host`, `result` and `h_errnop` are valid for writing, and `buffer` for
/// `len` octets.
#[cfg_attr(feature = "libc-api", unsafe(no_mangle))]
pub unsafe extern "C-unwind" fn gethostbyname_r(
    name: *const c_char,
    host: *mut libc::hostent,
    buffer: *mut c_char,
    len: usize,
    result: *mut *mut libc::hostent,
    h_errnop: *mut c_int,
) -> c_int {
    let caller = Caller { host, buffer, len, result, h_errnop };
    // SAFETY: by this function's contract.
    in_callers_memory(caller, || unsafe { by_name(name, libc::AF_INET) })
}

/// [`gethostbyname2`] with the caller's memory, as [`gethostbyname_r`].
///
/// # Safety
/// As [`gethostbyname_r`].
#[cfg_attr(feature = "libc-api", unsafe(no_mangle))]
pub unsafe extern "C-unwind" fn gethostbyname2_r(
    name: *const c_char,
    family: c_int,
    host: *mut libc::hostent,
    buffer: *mut c_char,
    len: usize,
    result: *mut *mut libc::hostent,
    h_errnop: *mut c_int,
) -> c_int {
    let caller = Caller { host, buffer, len, result, h_errnop };
    // SAFETY: by this function's contract.
    in_callers_memory(caller, || unsafe { by_name(name, family) })
}

/// [`gethostbyaddr`] with the caller's memory, as [`gethostbyname_r`].
///
/// # Safety
/// As [`gethostbyaddr`] and [`gethostbyname_r`].
#[cfg_attr(feature = "libc-api", unsafe(no_mangle))]
pub unsafe extern "C-unwind" fn gethostbyaddr_r(
    address: *const c_void,
    address_len: libc::socklen_t,
    family: c_int,
    host: *mut libc::hostent,
    buffer: *mut c_char,
    len: usize,
    result: *mut *mut libc::hostent,
    h_errnop: *mut c_int,
) -> c_int {
    let caller = Caller { host, buffer, len, result, h_errnop };
    // SAFETY: by this function's contract.
    in_callers_memory(caller, || unsafe { by_address(address, address_len, family) })
}

/// What the caller of a `_r` form gave: valid for writing, by those functions' contract.
#[derive(Clone, Copy)]
pub(super) struct Caller {
    pub(super) host: *mut libc::hostent,
    pub(super) buffer: *mut c_char,
    pub(super) len: usize,
    pub(super) result: *mut *mut libc::hostent,
    pub(super) h_errnop: *mut c_int,
}

impl Caller {
    /// Writes a host; `None`, and nothing is written, where the buffer is too small.
    pub(super) fn take(&self, found: &Found) -> Option<()> {
        // SAFETY: by the contract of the functions that make a `Caller`.
        unsafe {
            let host = pack(found, self.buffer.cast(), self.len)?;
            self.host.write_unaligned(host);
        }
        Some(())
    }

    /// Says what has come of the call, in all the places where callers look.
    pub(super) fn say(&self, outcome: Result<(), NoHost>) -> Returned {
        let (result, h_errno, returned) = match outcome {
            Ok(()) => (self.host, 0, (0, Some(0))),
            Err(no_host) => {
                set_h_errno(no_host.h_errno);
                (null_mut(), no_host.h_errno, (no_host.code, no_host.errno))
            }
        };
        // SAFETY: by the contract of the functions that make a `Caller`.
        unsafe {
            self.result.write_unaligned(result);
            self.h_errnop.write_unaligned(h_errno);
        }
        returned
    }
}

/// Sets the calling thread's `h_errno`.
pub(super) fn set_h_errno(value: c_int) {
    // SAFETY: libc returns a valid pointer to the calling thread's h_errno.
    unsafe { *__h_errno_location() = value };
}

#[inline(always)]
fn in_callers_memory(caller: Caller, find: impl FnOnce() -> Result<Found, NoHost>) -> c_int {
    let failed = (NoHost::INTERNAL.code, NoHost::INTERNAL.errno);
    guard(failed, || {
        // Should we fail badly, the caller finds this.
        caller.say(Err(NoHost::INTERNAL));
        caller.say(find().and_then(|found| caller.take(&found).ok_or(NoHost::TOO_SMALL)))
    })
}

#[inline(always)]
fn in_own_memory(owner: Owner, find: impl FnOnce() -> Result<Found, NoHost>) -> *mut libc::hostent {
    let mut host = null_mut();
    guard((0, None), || match find().and_then(|found| kept(owner, &found)) {
        Ok(found) => {
            host = found;
            (0, None)
        }
        Err(no_host) => {
            set_h_errno(no_host.h_errno);
            (0, no_host.errno)
        }
    });
    host
}

/// The host in the function's own memory.
pub(super) fn kept(owner: Owner, found: &Found) -> Result<*mut libc::hostent, NoHost> {
    keep(owner, found).map_err(|no_memory| NoHost::of_name(no_memory.into()))
}

/// # Safety
/// As [`gethostbyname`].
unsafe fn by_name(name: *const c_char, family: c_int) -> Result<Found, NoHost> {
    // SAFETY: by the function's contract.
    let name = unsafe { args::text(name) }.unwrap_or_default();
    let known = match family {
        libc::AF_INET => Some(Family::V4),
        libc::AF_INET6 => Some(Family::V6),
        _ => None,
    };
    // As in libc, numbers are IPv4 addresses whatever else is asked for.
    if let Some(result) = host::numeric(name, known.unwrap_or(Family::V4)) {
        return result.map_err(NoHost::of_name);
    }
    let family = known.ok_or(NoHost::NAME_FAMILY)?;
    let session = Session::begin().map_err(|no_memory| NoHost::of_name(no_memory.into()))?;
    host::by_name(&session, name, family).map_err(NoHost::of_name)
}

/// # Safety
/// As [`gethostbyaddr`].
unsafe fn by_address(
    address: *const c_void,
    len: libc::socklen_t,
    family: c_int,
) -> Result<Found, NoHost> {
    let octets = if address.is_null() {
        &[][..]
    } else {
        // SAFETY: by the function's contract.
        unsafe { core::slice::from_raw_parts(address.cast::<u8>(), len as usize) }
    };
    if octets == [0; 16] {
        return Err(NoHost::NONE);
    }
    let v4 = || octets.first_chunk::<4>().map(|&octets| IpAddr::from(octets));
    let v6 = || octets.first_chunk::<16>().map(|&octets| IpAddr::from(octets));
    let ip = match family {
        libc::AF_INET => v4(),
        libc::AF_INET6 => v6(),
        _ => None,
    };
    let ip = ip.ok_or(NoHost::ADDRESS_FAMILY)?;
    let session = Session::begin().map_err(|no_memory| NoHost::of_name(no_memory.into()))?;
    host::by_address(&session, ip).map_err(NoHost::of_address)
}
