//! `foreign libc`: a name that none of our services knew, where nsswitch.conf also lists a service
//! that isn't ours, goes to the next `getaddrinfo` in link order.

use crate::address::Address;
use crate::lookup::query::Family;
use crate::mem::TryPush;
use crate::source::{Failure, Found, append_text, c_string};
use core::ffi::{CStr, c_char, c_int};
use core::mem::transmute;
use core::net::IpAddr;

type GetAddrInfo = unsafe extern "C-unwind" fn(
    *const c_char,
    *const c_char,
    *const libc::addrinfo,
    *mut *mut libc::addrinfo,
) -> c_int;

/// Asks the next library for `node`.
///
/// # Errors
/// [`Failure::NoName`] where there is no next library, or it doesn't know the name.
pub fn look_up(node: &[u8], family: Family) -> Result<Found, Failure> {
    call(node, family, libc::AI_CANONNAME)?.map_err(|code| match code {
        libc::EAI_AGAIN => Failure::Again,
        libc::EAI_MEMORY => Failure::Memory,
        _ => Failure::NoName,
    })
}

/// What the next library's `getaddrinfo` gives for stream sockets under these flags, or the code that it
/// returns.
pub(super) fn call(
    node: &[u8],
    family: Family,
    flags: c_int,
) -> Result<Result<Found, c_int>, Failure> {
    // SAFETY: dlsym takes a handle of its own and a string that ends in NUL.
    let next = unsafe { libc::dlsym(libc::RTLD_NEXT, c"getaddrinfo".as_ptr()) };
    if next.is_null() {
        return Err(Failure::NoName);
    }
    // SAFETY: a function that libc, or a library before it, exports by this name has this type.
    let next: GetAddrInfo = unsafe { transmute(next) };
    let Some(node) = c_string(&[node])? else { return Err(Failure::NoName) };
    // SAFETY: addrinfo is integers and pointers, for which zero is a value.
    let mut hints: libc::addrinfo = unsafe { core::mem::zeroed() };
    hints.ai_flags = flags;
    hints.ai_socktype = libc::SOCK_STREAM;
    hints.ai_family = match family {
        Family::Any => libc::AF_UNSPEC,
        Family::V4 => libc::AF_INET,
        Family::V6 => libc::AF_INET6,
    };
    let mut list = core::ptr::null_mut();
    // SAFETY: the strings end in NUL, the hints are whole, and `list` may be written to.
    let code = unsafe { next(node.as_ptr(), core::ptr::null(), &raw const hints, &raw mut list) };
    if code != 0 {
        return Ok(Err(code));
    }
    // SAFETY: getaddrinfo has returned 0, so this is a list, which is freed below and not before.
    let found = unsafe { copy(list) };
    // SAFETY: the list is the other library's, whole, and nothing points into it any more.
    unsafe { give_back(list) };
    found.map(Ok)
}

/// # Safety
/// `list` is from the next `getaddrinfo`, and is not used afterwards.
#[cfg(target_env = "gnu")]
unsafe fn give_back(list: *mut libc::addrinfo) {
    // SAFETY: by the function's contract; such lists are made by malloc node by node, as ours are.
    unsafe { super::addrinfo::free(list) };
}

/// musl makes a list in one piece, and only its own function knows the way back.
///
/// # Safety
/// `list` is from the next `getaddrinfo`, and is not used afterwards.
#[cfg(not(target_env = "gnu"))]
unsafe fn give_back(list: *mut libc::addrinfo) {
    type FreeAddrInfo = unsafe extern "C-unwind" fn(*mut libc::addrinfo);
    // SAFETY: dlsym takes a handle of its own and a string that ends in NUL.
    let next = unsafe { libc::dlsym(libc::RTLD_NEXT, c"freeaddrinfo".as_ptr()) };
    if !next.is_null() {
        // SAFETY: a function of this name has this type; the list is by the function's contract that
        // of the library which has both.
        unsafe { transmute::<*mut core::ffi::c_void, FreeAddrInfo>(next)(list) };
    }
}

/// # Safety
/// `node` is null or a list that `getaddrinfo` returned.
unsafe fn copy(mut node: *const libc::addrinfo) -> Result<Found, Failure> {
    let mut found = Found::default();
    // SAFETY: by the function's contract each node is alive, `ai_addr` is of the family's type, and
    // the name ends in NUL.
    unsafe {
        while let Some(info) = node.as_ref() {
            if !info.ai_canonname.is_null() && found.canonical.is_empty() {
                append_text(&mut found.canonical, CStr::from_ptr(info.ai_canonname).to_bytes())?;
            }
            match info.ai_family {
                libc::AF_INET => {
                    let v4 = info.ai_addr.cast::<libc::sockaddr_in>().read_unaligned();
                    let ip = u32::from_be(v4.sin_addr.s_addr).into();
                    found.addresses.try_push(Address::new(IpAddr::V4(ip)))?;
                }
                libc::AF_INET6 => {
                    let v6 = info.ai_addr.cast::<libc::sockaddr_in6>().read_unaligned();
                    let ip = IpAddr::V6(v6.sin6_addr.s6_addr.into());
                    found.addresses.try_push(Address { ip, scope: v6.sin6_scope_id })?;
                }
                _ => {}
            }
            node = info.ai_next;
        }
    }
    Ok(found)
}
