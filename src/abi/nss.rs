//! The NSS module: what libc calls where nsswitch.conf's line for hosts has `rustdns` (nss(5)).
//!
//! It is the DNS, with search list, cache and hedging, and nothing else: no call of libc's resolver, so it
//! can't come back to itself. Only for `localhost` and names below it, which the DNS doesn't have, hosts
//! and nsswitch.conf are looked at: see [`crate::source::local::localhost`].
//!
//! All functions share a contract. They return an `enum nss_status`; where that isn't success they
//! tell `errno` and `h_errno` by the pointers that they are given (see [`reply`]), and leave the
//! buffer as it was. `TRYAGAIN` with `ERANGE` is a buffer too small, of any size and at any address.
//! Thread-safe; works in the child of a threaded process after `fork`. May block for as long as
//! resolv.conf's `timeout` and `attempts` allow. Acts on a pending thread cancellation at its start.

pub mod room;

pub(super) mod reply;

use super::args;
use super::gethostby::set_h_errno;
use super::guard::guard;
use crate::base::answer::Found;
use crate::base::error::Failure;
use crate::config::nsswitch::Service;
use crate::context::call::Session;
use crate::resolve::{forward, host};
use crate::rules::query::Family;
use crate::sys::probes;
use core::ffi::{c_char, c_int, c_void};
use core::net::IpAddr;
use libc::{hostent as HostEnt, socklen_t};
use reply::Reply;
use room::{AddressTuple, Room};

/// The addresses of `name`, of both families: `*tuple` becomes a list in the buffer, or, where it is
/// not null already, takes the first of the list. `*ttl` becomes the seconds that they stay true.
///
/// # Safety
/// As for every function here: `name` ends in NUL; `buffer` is valid for `buflen` octets; `tuple`,
/// `errnop` and `h_errnop` are valid, and `*tuple` null or valid; `ttl` is null or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn _nss_rustdns_gethostbyname4_r(
    name: *const c_char,
    tuple: *mut *mut AddressTuple,
    buffer: *mut c_char,
    buflen: usize,
    errnop: *mut c_int,
    h_errnop: *mut c_int,
    ttl: *mut i32,
) -> c_int {
    // SAFETY: by this function's contract.
    unsafe {
        answer(errnop, h_errnop, || {
            let found = forward(name, Family::Any)?;
            let first = Room::new(buffer, buflen).tuples(&found.addresses, &found.canonical)?;
            match (*tuple).is_null() {
                true => *tuple = first,
                false => **tuple = *first,
            }
            tell_ttl(ttl, found.ttl);
            Ok(())
        })
    }
}

/// The addresses of `name` of one family (`AF_INET` or `AF_INET6`), as a `hostent` whose parts lie in
/// the buffer, with the seconds that they stay true and the canonical name, each where asked for.
///
/// # Safety
/// As for the first function; `result` is valid, `canonical` null or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn _nss_rustdns_gethostbyname3_r(
    name: *const c_char,
    family: c_int,
    result: *mut HostEnt,
    buffer: *mut c_char,
    buflen: usize,
    errnop: *mut c_int,
    h_errnop: *mut c_int,
    ttl: *mut i32,
    canonical: *mut *mut c_char,
) -> c_int {
    // SAFETY: by this function's contract.
    unsafe {
        answer(errnop, h_errnop, || {
            let found = forward(name, family_of(family)?)?;
            let host = Room::new(buffer, buflen).host(&found)?;
            if let Some(canonical) = canonical.as_mut() {
                *canonical = host.h_name;
            }
            *result = host;
            tell_ttl(ttl, found.ttl);
            Ok(())
        })
    }
}

/// The same without time and canonical name.
///
/// # Safety
/// As for the first function; `result` is valid.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn _nss_rustdns_gethostbyname2_r(
    name: *const c_char,
    family: c_int,
    result: *mut HostEnt,
    buffer: *mut c_char,
    buflen: usize,
    errnop: *mut c_int,
    h_errnop: *mut c_int,
) -> c_int {
    let none = core::ptr::null_mut();
    // SAFETY: by this function's contract.
    unsafe {
        _nss_rustdns_gethostbyname3_r(
            name,
            family,
            result,
            buffer,
            buflen,
            errnop,
            h_errnop,
            none,
            core::ptr::null_mut(),
        )
    }
}

/// The same for IPv4.
///
/// # Safety
/// As for the first function; `result` is valid.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn _nss_rustdns_gethostbyname_r(
    name: *const c_char,
    result: *mut HostEnt,
    buffer: *mut c_char,
    buflen: usize,
    errnop: *mut c_int,
    h_errnop: *mut c_int,
) -> c_int {
    // SAFETY: by this function's contract.
    unsafe {
        _nss_rustdns_gethostbyname2_r(name, libc::AF_INET, result, buffer, buflen, errnop, h_errnop)
    }
}

/// The names of the host that has an address (`len` octets in network order): the first as the
/// host's name, others as its aliases. An IPv4 address inside an IPv6 one comes back as IPv4.
///
/// # Safety
/// As for the first function; `address` is valid for reading `len` octets, `result` is valid.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn _nss_rustdns_gethostbyaddr2_r(
    address: *const c_void,
    len: socklen_t,
    family: c_int,
    result: *mut HostEnt,
    buffer: *mut c_char,
    buflen: usize,
    errnop: *mut c_int,
    h_errnop: *mut c_int,
    ttl: *mut i32,
) -> c_int {
    // SAFETY: by this function's contract.
    unsafe {
        answer(errnop, h_errnop, || {
            let ip = address_of(address, len, family)?;
            let session = session()?;
            probes::lookup_start_of(ip);
            let found = session.counted(host::ask_address(&session, &Service::Dns, ip))?;
            *result = Room::new(buffer, buflen).host(&found)?;
            tell_ttl(ttl, found.ttl);
            Ok(())
        })
    }
}

/// The same without time.
///
/// # Safety
/// As for the function before.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn _nss_rustdns_gethostbyaddr_r(
    address: *const c_void,
    len: socklen_t,
    family: c_int,
    result: *mut HostEnt,
    buffer: *mut c_char,
    buflen: usize,
    errnop: *mut c_int,
    h_errnop: *mut c_int,
) -> c_int {
    let none = core::ptr::null_mut();
    // SAFETY: by this function's contract.
    unsafe {
        _nss_rustdns_gethostbyaddr2_r(
            address, len, family, result, buffer, buflen, errnop, h_errnop, none,
        )
    }
}

/// The canonical name of `name`, in the buffer.
///
/// # Safety
/// As for the first function; `result` is valid.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn _nss_rustdns_getcanonname_r(
    name: *const c_char,
    buffer: *mut c_char,
    buflen: usize,
    result: *mut *mut c_char,
    errnop: *mut c_int,
    h_errnop: *mut c_int,
) -> c_int {
    // SAFETY: by this function's contract.
    unsafe {
        answer(errnop, h_errnop, || {
            let found = forward(name, Family::Any)?;
            *result = Room::new(buffer, buflen).text(&found.canonical)?;
            Ok(())
        })
    }
}

/// Does the work inside the guard, and tells what came of it. `errnop` is libc's own `errno` as a
/// rule, which the guard puts back: so it is set afterwards.
///
/// The thread's `h_errno` is set too, as libc's dns sets it: Python and others look there also where
/// they are told by pointer.
///
/// # Safety
/// `errnop` and `h_errnop` are valid.
#[inline(always)]
unsafe fn answer(
    errnop: *mut c_int,
    h_errnop: *mut c_int,
    work: impl FnOnce() -> Result<(), Reply>,
) -> c_int {
    let mut reply = Reply::BROKEN;
    let status = guard((reply.status, None), || {
        reply = work().err().unwrap_or(Reply::SUCCESS);
        (reply.status, None)
    });
    // SAFETY: by the function's contract.
    unsafe {
        if !reply.is_success() {
            *errnop = reply.errno;
        }
        *h_errnop = reply.h_errno;
    }
    set_h_errno(reply.h_errno);
    status
}

fn session() -> Result<Session, Reply> {
    Ok(Session::begin()?)
}

/// # Safety
/// `name` is null or ends in NUL.
unsafe fn forward(name: *const c_char, family: Family) -> Result<Found, Reply> {
    // SAFETY: by the function's contract.
    let name = unsafe { args::text(name) }.ok_or(Failure::NoName)?;
    let session = session()?;
    probes::lookup_start(name);
    Ok(session.counted(forward::ask(&session, &Service::Dns, name, family))?)
}

fn family_of(family: c_int) -> Result<Family, Reply> {
    match family {
        libc::AF_INET => Ok(Family::V4),
        libc::AF_INET6 => Ok(Family::V6),
        _ => Err(Reply::FAMILY),
    }
}

/// # Safety
/// `place` is valid for reading `len` octets.
unsafe fn address_of(place: *const c_void, len: socklen_t, family: c_int) -> Result<IpAddr, Reply> {
    // SAFETY: by the function's contract; an address is octets, at any alignment.
    unsafe {
        match (family, len) {
            (libc::AF_INET, 4..) => Ok(place.cast::<[u8; 4]>().read_unaligned().into()),
            (libc::AF_INET6, 16..) => Ok(place.cast::<[u8; 16]>().read_unaligned().into()),
            _ => Err(Reply::FAMILY),
        }
    }
}

/// # Safety
/// `place` is null or valid.
unsafe fn tell_ttl(place: *mut i32, ttl: Option<u32>) {
    // SAFETY: by the function's contract.
    if let (Some(place), Some(ttl)) = (unsafe { place.as_mut() }, ttl) {
        *place = i32::try_from(ttl).unwrap_or(i32::MAX);
    }
}
