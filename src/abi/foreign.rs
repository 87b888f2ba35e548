//! `foreign libc`: a name that none of our services knew, where nsswitch.conf also lists a service
//! that isn't ours, goes to the next `getaddrinfo` in link order. Where torsocks is in the process, every name
//! that needs the network goes to torsocks.

use crate::address::{Address, inet_aton};
use crate::lookup::query::Family;
use crate::mem::TryPush;
use crate::source::{Failure, Found, append_text, c_string};
use crate::sys::torsocks::next_function;
use core::ffi::{CStr, c_char, c_int, c_void};
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
    let next = next_function(c"getaddrinfo");
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
    let mut found = found?;
    // torsocks asks libc for the address that it has found.
    if inet_aton(&found.canonical).is_some() {
        found.canonical.clear();
        append_text(&mut found.canonical, node.to_bytes())?;
    }
    Ok(Ok(found))
}

type GetHostByAddr = unsafe extern "C-unwind" fn(
    *const c_void,
    libc::socklen_t,
    c_int,
    *mut libc::hostent,
    *mut c_char,
    usize,
    *mut *mut libc::hostent,
    *mut c_int,
) -> c_int;

/// Asks torsocks for the host that has `ip`, which it knows for IPv4.
///
/// # Errors
/// [`Failure::NoName`] where it has no function for that, or doesn't know the address.
pub fn look_up_address(ip: IpAddr) -> Result<Found, Failure> {
    let next = next_function(c"gethostbyaddr_r");
    let (IpAddr::V4(v4), false) = (ip, next.is_null()) else { return Err(Failure::NoName) };
    // SAFETY: a function that libc, or a library before it, exports by this name has this type.
    let next: GetHostByAddr = unsafe { transmute(next) };
    let octets = v4.octets();
    // SAFETY: hostent is integers and pointers, for which zero is a value.
    let mut host: libc::hostent = unsafe { core::mem::zeroed() };
    let (mut result, mut why) = (core::ptr::null_mut(), 0);
    // A name has 1024 octets at the most (NI_MAXHOST of netdb.h).
    let mut room = [0; 4096];
    // SAFETY: the address is four octets, the room is as long as is said, the others may be written to.
    let code = unsafe {
        next(
            octets.as_ptr().cast(),
            octets.len() as libc::socklen_t,
            libc::AF_INET,
            &raw mut host,
            room.as_mut_ptr(),
            room.len(),
            &raw mut result,
            &raw mut why,
        )
    };
    // SAFETY: after a success null, or the host, whose name ends in NUL and lies in the room.
    let host = unsafe { result.as_ref() }.filter(|host| code == 0 && !host.h_name.is_null());
    let host = host.ok_or(Failure::NoName)?;
    let mut found = Found::default();
    // SAFETY: as above.
    append_text(&mut found.canonical, unsafe { CStr::from_ptr(host.h_name) }.to_bytes())?;
    found.addresses.try_push(Address::new(ip))?;
    Ok(found)
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
    let next = next_function(c"freeaddrinfo");
    if !next.is_null() {
        // SAFETY: a function of this name has this type; the list is by the function's contract that
        // of the library which has both.
        unsafe { transmute::<*mut c_void, FreeAddrInfo>(next)(list) };
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
