//! The result list, laid out as glibc's: one `malloc` per node with the socket address inside, and
//! the canonical name a `malloc` of its own on the first. So either library's `freeaddrinfo` frees
//! it, and a program may free a part of it.

use super::args::socktype_number;
use crate::base::address::Address;
use crate::resolve::forward::Resolution;
use crate::rules::service::Endpoint;
use crate::sys::mem::NoMemory;
use core::ffi::{c_char, c_int};
use core::mem::{MaybeUninit, align_of, size_of};
use core::net::IpAddr;
use core::ptr::null_mut;

/// The addresses of a node and the structure before them, as they lie in memory.
#[repr(C)]
struct Node<A> {
    info: libc::addrinfo,
    address: A,
}

// `malloc` aligns for every type of C's own; neither structure asks for more.
const _: () = assert!(align_of::<Node<libc::sockaddr_in6>>() <= 2 * size_of::<usize>());

/// A list under construction; freed when dropped before it is handed over.
struct List {
    first: *mut libc::addrinfo,
}

impl Drop for List {
    fn drop(&mut self) {
        // SAFETY: the list is whole after every step, and nobody else has it.
        unsafe { free(self.first) };
    }
}

/// Makes the list: for each address, in order, one node for each endpoint. `flags` is `ai_flags` as
/// the caller gave them.
pub(super) fn list(found: &Resolution, flags: c_int) -> Result<*mut libc::addrinfo, NoMemory> {
    let mut list = List { first: null_mut() };
    let mut end: *mut *mut libc::addrinfo = &raw mut list.first;
    for &address in &found.addresses {
        for &endpoint in &found.endpoints {
            let node = node(address, endpoint, flags)?;
            // SAFETY: `end` points to the list's head or to the `ai_next` of its last node; both
            // are alive and ours, and `node` is a fresh node.
            unsafe {
                *end = node;
                end = &raw mut (*node).ai_next;
            }
        }
    }
    if let (Some(name), false) = (&found.canonical, list.first.is_null()) {
        let copy = c_string(name)?;
        // SAFETY: the first node is alive and ours.
        unsafe { (*list.first).ai_canonname = copy };
    }
    Ok(core::mem::replace(&mut list.first, null_mut()))
}

fn node(
    address: Address,
    endpoint: Endpoint,
    flags: c_int,
) -> Result<*mut libc::addrinfo, NoMemory> {
    match address.ip {
        IpAddr::V4(ip) => {
            // SAFETY: plain integers, for which zero is a value.
            let mut v4: libc::sockaddr_in = unsafe { core::mem::zeroed() };
            v4.sin_family = libc::AF_INET as libc::sa_family_t;
            v4.sin_port = endpoint.port.to_be();
            v4.sin_addr.s_addr = u32::from_ne_bytes(ip.octets());
            allocate(v4, libc::AF_INET, endpoint, flags)
        }
        IpAddr::V6(ip) => {
            // SAFETY: plain integers, for which zero is a value.
            let mut v6: libc::sockaddr_in6 = unsafe { core::mem::zeroed() };
            v6.sin6_family = libc::AF_INET6 as libc::sa_family_t;
            v6.sin6_port = endpoint.port.to_be();
            v6.sin6_addr.s6_addr = ip.octets();
            v6.sin6_scope_id = address.scope;
            allocate(v6, libc::AF_INET6, endpoint, flags)
        }
    }
}

fn allocate<A>(
    address: A,
    family: c_int,
    endpoint: Endpoint,
    flags: c_int,
) -> Result<*mut libc::addrinfo, NoMemory> {
    // SAFETY: malloc has no preconditions.
    let place = unsafe { libc::malloc(size_of::<Node<A>>()) }.cast::<MaybeUninit<Node<A>>>();
    // SAFETY: where it is not null, malloc's memory is large enough, aligned (see above) and ours.
    let Some(place) = (unsafe { place.as_mut() }) else { return Err(NoMemory) };
    // SAFETY: addrinfo is integers and pointers, for which zero is a value.
    let mut info: libc::addrinfo = unsafe { core::mem::zeroed() };
    info.ai_flags = flags;
    info.ai_family = family;
    info.ai_socktype = socktype_number(endpoint.socktype);
    info.ai_protocol = endpoint.protocol;
    info.ai_addrlen = size_of::<A>() as libc::socklen_t;
    let node = place.write(Node { info, address });
    node.info.ai_addr = (&raw mut node.address).cast();
    Ok((&raw mut *node).cast())
}

/// A copy for the C caller, ended with NUL, by `malloc`.
fn c_string(text: &[u8]) -> Result<*mut c_char, NoMemory> {
    // SAFETY: malloc has no preconditions.
    let copy = unsafe { libc::malloc(text.len() + 1) }.cast::<u8>();
    if copy.is_null() {
        return Err(NoMemory);
    }
    // SAFETY: the new memory has room for the text and one octet more, and overlaps nothing.
    unsafe {
        core::ptr::copy_nonoverlapping(text.as_ptr(), copy, text.len());
        *copy.add(text.len()) = 0;
    }
    Ok(copy.cast())
}

/// Frees a list or the rest of one; null is no list.
///
/// # Safety
/// `list` is null or a node of a list made by this library or by libc's `getaddrinfo`, with the rest
/// of its list, and is not used afterwards.
pub(super) unsafe fn free(mut list: *mut libc::addrinfo) {
    while !list.is_null() {
        // SAFETY: by the function's contract each node is alive until it is freed here, node and
        // canonical name come from malloc, and `ai_next` is read before.
        unsafe {
            let next = (*list).ai_next;
            libc::free((*list).ai_canonname.cast());
            libc::free(list.cast());
            list = next;
        }
    }
}
