//! `getaddrinfo` and `getnameinfo` as a program calls them: libc's, or those of a library that was
//! preloaded. For the command, which exports neither; compiled for it alone.

use super::args::gnu::{AI_CANONIDN, AI_IDN};
use super::codes::eai;
use crate::base::address::Address;
use crate::base::answer::Found;
use crate::base::error::Error;
use crate::resolve::foreign::add;
use crate::sys::next_library::{Refusal, look_up_as};
use crate::sys::process;
use crate::sys::socket::encode;
use core::ffi::{CStr, c_char, c_int};
use core::mem::transmute;
use core::net::{IpAddr, SocketAddr, SocketAddrV6};

/// The addresses of `node`, each once for stream sockets, with AI_CANONNAME and AI_ADDRCONFIG; and where
/// the node is not ASCII, with AI_IDN and AI_CANONIDN.
///
/// # Errors
/// By the code that the function returns.
pub fn addresses(node: &[u8]) -> Result<Found, Error> {
    let idn = if node.is_ascii() { 0 } else { AI_IDN | AI_CANONIDN };
    let flags = libc::AI_CANONNAME | libc::AI_ADDRCONFIG | idn;
    let mut found = Found::default();
    let told = look_up_as(node, 0, flags, &mut |told| add(&mut found, told));
    told.map_err(|refusal| match refusal {
        Refusal::NoName => Error::NoName,
        Refusal::Again => Error::Again,
        Refusal::NoMemory => Error::Memory,
        Refusal::Code(code) => error_of(code),
    })?;
    Ok(found)
}

type GetNameInfo = unsafe extern "C-unwind" fn(
    *const libc::sockaddr,
    libc::socklen_t,
    *mut c_char,
    libc::socklen_t,
    *mut c_char,
    libc::socklen_t,
    c_int,
) -> c_int;

/// The name of the host that has `address` (NI_NAMEREQD).
///
/// # Errors
/// By the code that the function returns.
pub fn name(address: Address) -> Result<Vec<u8>, Error> {
    // SAFETY: dlsym takes a handle of its own and a string that ends in NUL.
    let function = unsafe { libc::dlsym(libc::RTLD_NEXT, c"getnameinfo".as_ptr()) };
    if function.is_null() {
        return Err(Error::NoName);
    }
    // SAFETY: a function that libc, or a library before it, exports by this name has this type.
    let function: GetNameInfo = unsafe { transmute(function) };
    let peer = match address.ip {
        IpAddr::V4(_) => SocketAddr::new(address.ip, 0),
        IpAddr::V6(ip) => SocketAddr::V6(SocketAddrV6::new(ip, 0, 0, address.scope)),
    };
    let (socket, length) = encode(&peer);
    // NI_MAXHOST of netdb.h.
    let mut room = [0u8; 1025];
    // SAFETY: the address is whole and as long as is said, the room is valid for its length.
    let code = unsafe {
        function(
            (&raw const socket).cast(),
            length,
            room.as_mut_ptr().cast(),
            room.len() as libc::socklen_t,
            core::ptr::null_mut(),
            0,
            libc::NI_NAMEREQD,
        )
    };
    match CStr::from_bytes_until_nul(&room) {
        Ok(name) if code == 0 => Ok(name.to_bytes().to_vec()),
        _ => Err(error_of(code)),
    }
}

fn error_of(code: c_int) -> Error {
    let errno = process::errno();
    [
        Error::NoName,
        Error::NoData,
        Error::AddrFamily,
        Error::Again,
        Error::Family,
        Error::SockType,
        Error::Service,
        Error::BadFlags,
        Error::Memory,
        Error::Overflow,
        Error::IdnEncode,
    ]
    .into_iter()
    .find(|error| eai(*error).0 == code)
    .unwrap_or(Error::System(errno))
}
