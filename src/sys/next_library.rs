//! The next library's `getaddrinfo` and its relatives: libc's, or those of who is between it and us (torsocks).

pub use super::told::{Refusal, Tell, Told};

use crate::sys::mem::{NoMemory, c_string};
use crate::sys::torsocks::next_function;
use core::ffi::{CStr, c_char, c_int, c_void};
use core::mem::transmute;
use core::net::{IpAddr, Ipv4Addr};

type GetAddrInfo = unsafe extern "C-unwind" fn(
    *const c_char,
    *const c_char,
    *const libc::addrinfo,
    *mut *mut libc::addrinfo,
) -> c_int;

/// Asks it for the addresses of `node`, of family 4 or 6, or 0 for both, and for the canonical name.
pub fn look_up(node: &[u8], family: u8, tell: Tell<'_>) -> Result<(), Refusal> {
    look_up_as(node, family, libc::AI_CANONNAME, tell)
}

/// The same with these `ai_flags`.
pub fn look_up_as(node: &[u8], family: u8, flags: c_int, tell: Tell<'_>) -> Result<(), Refusal> {
    let next = next_function(c"getaddrinfo");
    if next.is_null() {
        return Err(Refusal::NoName);
    }
    // SAFETY: a function that libc, or a library before it, exports by this name has this type.
    let next: GetAddrInfo = unsafe { transmute(next) };
    let Some(node) = c_string(&[node])? else { return Err(Refusal::NoName) };
    // SAFETY: addrinfo is integers and pointers, for which zero is a value.
    let mut hints: libc::addrinfo = unsafe { core::mem::zeroed() };
    hints.ai_flags = flags;
    hints.ai_socktype = libc::SOCK_STREAM;
    hints.ai_family = match family {
        4 => libc::AF_INET,
        6 => libc::AF_INET6,
        _ => libc::AF_UNSPEC,
    };
    let mut list = core::ptr::null_mut();
    // SAFETY: the strings end in NUL, the hints are whole, and `list` may be written to.
    match unsafe { next(node.as_ptr(), core::ptr::null(), &raw const hints, &raw mut list) } {
        0 => {}
        libc::EAI_AGAIN => return Err(Refusal::Again),
        libc::EAI_MEMORY => return Err(Refusal::NoMemory),
        code => return Err(Refusal::Code(code)),
    }
    // SAFETY: getaddrinfo has returned 0, so this is a list, which is freed below and not before.
    let read = unsafe { read(list, tell) };
    // SAFETY: the list is the other library's, whole, and nothing points into it any more.
    unsafe { give_back(list) };
    Ok(read?)
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

/// Asks it for the name of the host that has `ip`.
pub fn look_up_address(ip: Ipv4Addr, tell: Tell<'_>) -> Result<(), Refusal> {
    let next = next_function(c"gethostbyaddr_r");
    if next.is_null() {
        return Err(Refusal::NoName);
    }
    // SAFETY: a function that libc, or a library before it, exports by this name has this type.
    let next: GetHostByAddr = unsafe { transmute(next) };
    let octets = ip.octets();
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
    let host = host.ok_or(Refusal::NoName)?;
    // SAFETY: as above.
    tell(Told::Name(unsafe { CStr::from_ptr(host.h_name) }.to_bytes()))?;
    Ok(())
}

/// # Safety
/// `list` is from the next `getaddrinfo`, and is not used afterwards.
#[cfg(target_env = "gnu")]
unsafe fn give_back(list: *mut libc::addrinfo) {
    let mut node = list;
    // SAFETY: by the function's contract; such lists are made by malloc node by node, as ours are, and the name by one
    // of its own.
    unsafe {
        while let Some(info) = node.as_ref() {
            let (name, next) = (info.ai_canonname, info.ai_next);
            libc::free(name.cast());
            libc::free(node.cast());
            node = next;
        }
    }
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
unsafe fn read(mut node: *const libc::addrinfo, tell: Tell<'_>) -> Result<(), NoMemory> {
    let mut is_named = false;
    // SAFETY: by the function's contract each node is alive, `ai_addr` is of the family's type, and
    // the name ends in NUL.
    unsafe {
        while let Some(info) = node.as_ref() {
            if !info.ai_canonname.is_null() && !is_named {
                is_named = true;
                tell(Told::Name(CStr::from_ptr(info.ai_canonname).to_bytes()))?;
            }
            match info.ai_family {
                libc::AF_INET => {
                    let v4 = info.ai_addr.cast::<libc::sockaddr_in>().read_unaligned();
                    let ip = u32::from_be(v4.sin_addr.s_addr).into();
                    tell(Told::Address(IpAddr::V4(ip), 0))?;
                }
                libc::AF_INET6 => {
                    let v6 = info.ai_addr.cast::<libc::sockaddr_in6>().read_unaligned();
                    tell(Told::Address(IpAddr::V6(v6.sin6_addr.s6_addr.into()), v6.sin6_scope_id))?;
                }
                _ => {}
            }
            node = info.ai_next;
        }
    }
    Ok(())
}
