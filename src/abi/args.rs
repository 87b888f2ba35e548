//! C arguments: strings, hints, socket addresses.

use crate::base::address::Address;
use crate::base::error::Error;
use crate::resolve::nameinfo::SocketName;
use crate::rules::query::{Family, Flags, Hints, SockType};
use core::ffi::{CStr, c_char, c_int};
use core::mem::{offset_of, size_of};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// GNU's flags (netdb.h), which the libc crate lacks.
pub(in crate::abi) mod gnu {
    use core::ffi::c_int;

    pub(in crate::abi) const AI_IDN: c_int = 0x40;
    pub(in crate::abi) const AI_CANONIDN: c_int = 0x80;
    /// `AI_IDN_ALLOW_UNASSIGNED` and `AI_IDN_USE_STD3_ASCII_RULES`: accepted, without meaning.
    pub(in crate::abi) const AI_DEPRECATED: c_int = 0x300;
}

/// The octets of a C string; `None` for a null pointer.
///
/// # Safety
/// `text` is null or points to a string that ends in NUL and stays unchanged for `'a`.
pub(super) unsafe fn text<'a>(text: *const c_char) -> Option<&'a [u8]> {
    if text.is_null() {
        return None;
    }
    // SAFETY: by the function's contract.
    Some(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// `hints`, checked as libc checks them, with `ai_flags` as they go into the results.
///
/// A null pointer stands for `AI_V4MAPPED | AI_ADDRCONFIG` and no more.
pub(super) fn hints(
    hints: Option<&libc::addrinfo>,
    has_node: bool,
) -> Result<(Hints, c_int), Error> {
    let (flags, family, socktype, protocol) = match hints {
        None => (libc::AI_V4MAPPED | libc::AI_ADDRCONFIG, libc::AF_UNSPEC, 0, 0),
        Some(h) => (h.ai_flags, h.ai_family, h.ai_socktype, h.ai_protocol),
    };
    const KNOWN: c_int = libc::AI_PASSIVE
        | libc::AI_CANONNAME
        | libc::AI_NUMERICHOST
        | libc::AI_NUMERICSERV
        | libc::AI_V4MAPPED
        | libc::AI_ALL
        | libc::AI_ADDRCONFIG
        | gnu::AI_IDN
        | gnu::AI_CANONIDN
        | gnu::AI_DEPRECATED;
    if flags & !KNOWN != 0 || (flags & libc::AI_CANONNAME != 0 && !has_node) {
        return Err(Error::BadFlags);
    }
    let family = match family {
        libc::AF_UNSPEC => Family::Any,
        libc::AF_INET => Family::V4,
        libc::AF_INET6 => Family::V6,
        _ => return Err(Error::Family),
    };
    let is = |flag: c_int| flags & flag != 0;
    let set = Flags {
        passive: is(libc::AI_PASSIVE),
        canonname: is(libc::AI_CANONNAME),
        numeric_host: is(libc::AI_NUMERICHOST),
        numeric_serv: is(libc::AI_NUMERICSERV),
        v4_mapped: is(libc::AI_V4MAPPED),
        all: is(libc::AI_ALL),
        addr_config: is(libc::AI_ADDRCONFIG),
        idn: is(gnu::AI_IDN),
        canon_idn: is(gnu::AI_CANONIDN),
    };
    Ok((Hints { flags: set, family, socktype: socktype_of(socktype), protocol }, flags))
}

fn socktype_of(number: c_int) -> SockType {
    match number {
        0 => SockType::Any,
        libc::SOCK_STREAM => SockType::Stream,
        libc::SOCK_DGRAM => SockType::Dgram,
        libc::SOCK_RAW => SockType::Raw,
        libc::SOCK_SEQPACKET => SockType::SeqPacket,
        libc::SOCK_DCCP => SockType::Dccp,
        _ => SockType::Other,
    }
}

/// The number for `ai_socktype`.
pub(super) fn socktype_number(socktype: SockType) -> c_int {
    match socktype {
        SockType::Any | SockType::Other => 0,
        SockType::Stream => libc::SOCK_STREAM,
        SockType::Dgram => libc::SOCK_DGRAM,
        SockType::Raw => libc::SOCK_RAW,
        SockType::SeqPacket => libc::SOCK_SEQPACKET,
        SockType::Dccp => libc::SOCK_DCCP,
    }
}

/// Reads a socket address of `len` octets, at any alignment; `None` where its family is unknown or
/// it is too short for it.
///
/// # Safety
/// `place` is null or valid for reading `len` octets, which stay unchanged for `'a`.
pub(super) unsafe fn socket_name<'a>(
    place: *const libc::sockaddr,
    len: libc::socklen_t,
) -> Option<SocketName<'a>> {
    if place.is_null() {
        return None;
    }
    // SAFETY: by the function's contract.
    let octets = unsafe { core::slice::from_raw_parts(place.cast::<u8>(), len as usize) };
    let field = |at: usize, len: usize| octets.get(at..at + len);
    let family = field(offset_of!(libc::sockaddr, sa_family), size_of::<libc::sa_family_t>())?;
    let family = c_int::from(libc::sa_family_t::from_ne_bytes(family.try_into().ok()?));
    match family {
        libc::AF_INET if octets.len() >= size_of::<libc::sockaddr_in>() => {
            let port = field(offset_of!(libc::sockaddr_in, sin_port), 2)?;
            let ip = field(offset_of!(libc::sockaddr_in, sin_addr), 4)?;
            let ip = Ipv4Addr::from(<[u8; 4]>::try_from(ip).ok()?);
            let port = u16::from_be_bytes(port.try_into().ok()?);
            Some(SocketName::Inet(Address::new(IpAddr::V4(ip)), port))
        }
        libc::AF_INET6 if octets.len() >= size_of::<libc::sockaddr_in6>() => {
            let port = field(offset_of!(libc::sockaddr_in6, sin6_port), 2)?;
            let ip = field(offset_of!(libc::sockaddr_in6, sin6_addr), 16)?;
            let scope = field(offset_of!(libc::sockaddr_in6, sin6_scope_id), 4)?;
            let scope = u32::from_ne_bytes(scope.try_into().ok()?);
            let ip = IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(ip).ok()?));
            let port = u16::from_be_bytes(port.try_into().ok()?);
            Some(SocketName::Inet(Address { ip, scope }, port))
        }
        libc::AF_UNIX => {
            let path = octets.get(offset_of!(libc::sockaddr_un, sun_path)..)?;
            let end = path.iter().position(|&b| b == 0).unwrap_or(path.len());
            path.get(..end).map(SocketName::Local)
        }
        _ => None,
    }
}
