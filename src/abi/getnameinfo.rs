//! `getnameinfo` (POSIX.1-2024, RFC 3493 section 6.2, getnameinfo(3)).

use super::args::{SocketName, socket_name};
use super::codes::{Returned, returned};
use super::guard::guard;
use crate::address::{Address, is_link_local};
use crate::error::Error;
use crate::locale;
use crate::mem::NoMemory;
use crate::reverse;
use crate::session::Session;
use crate::source::{NameText, Out, append_text};
use crate::sys::{interfaces, process};
use core::ffi::{c_char, c_int};
use core::fmt::Write;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// GNU's flags (netdb.h), which the libc crate lacks.
pub(in crate::abi) mod gnu {
    use core::ffi::c_int;

    pub(in crate::abi) const NI_IDN: c_int = 32;
    /// `NI_IDN_ALLOW_UNASSIGNED` and `NI_IDN_USE_STD3_ASCII_RULES`: accepted, without meaning.
    pub(in crate::abi) const NI_DEPRECATED: c_int = 64 | 128;
    pub(in crate::abi) const NI_NUMERICSCOPE: c_int = 256;
}

/// Translates a socket address of `salen` octets into a host's name in `host` and a service's in
/// `serv`; each is left out where its pointer is null or its length zero.
///
/// Returns 0 or an `EAI_*` code: `EAI_OVERFLOW` where a buffer is too small, `EAI_FAMILY` where the
/// address is too short or of an unknown family, `EAI_NONAME` with `NI_NAMEREQD` where no name is
/// known; with `EAI_SYSTEM`, `errno` says why; else `errno` is left alone. Threads, signals, fork,
/// time and cancellation as for `getaddrinfo`.
///
/// # Safety
/// `sa` is null or valid for reading `salen` octets; `host` and `serv` are null or valid for writing
/// `hostlen` and `servlen` octets.
#[cfg_attr(feature = "libc-api", unsafe(no_mangle))]
pub unsafe extern "C-unwind" fn getnameinfo(
    sa: *const libc::sockaddr,
    salen: libc::socklen_t,
    host: *mut c_char,
    hostlen: libc::socklen_t,
    serv: *mut c_char,
    servlen: libc::socklen_t,
    flags: c_int,
) -> c_int {
    guard((libc::EAI_FAIL, None), || {
        // SAFETY: by this function's contract.
        unsafe { translate(sa, salen, (host, hostlen), (serv, servlen), flags) }
    })
}

/// `NI_*`.
#[derive(Clone, Copy)]
struct Flags(c_int);

impl Flags {
    fn has(self, flag: c_int) -> bool {
        self.0 & flag != 0
    }

    fn are_known(self) -> bool {
        const KNOWN: c_int = libc::NI_NUMERICHOST
            | libc::NI_NUMERICSERV
            | libc::NI_NOFQDN
            | libc::NI_NAMEREQD
            | libc::NI_DGRAM
            | gnu::NI_IDN
            | gnu::NI_DEPRECATED
            | gnu::NI_NUMERICSCOPE;
        self.0 & !KNOWN == 0
    }
}

/// The call itself, inside the guard.
///
/// # Safety
/// As [`getnameinfo`].
pub(super) unsafe fn translate(
    sa: *const libc::sockaddr,
    salen: libc::socklen_t,
    (host, hostlen): (*mut c_char, libc::socklen_t),
    (serv, servlen): (*mut c_char, libc::socklen_t),
    flags: c_int,
) -> Returned {
    let flags = Flags(flags);
    let result = (|| {
        if !flags.are_known() {
            return Err(Error::BadFlags);
        }
        // SAFETY: by the function's contract.
        let address = unsafe { socket_name(sa, salen) };
        // Whether names are wanted at all is judged by the pointers, before the address.
        if sa.is_null() || (salen as usize) < size_of::<libc::sa_family_t>() {
            return Err(Error::Family);
        }
        if flags.has(libc::NI_NAMEREQD) && host.is_null() && serv.is_null() {
            return Err(Error::NoName);
        }
        let address = address.ok_or(Error::Family)?;
        let session = Session::begin()?;
        if !host.is_null() && hostlen > 0 {
            let text = host_text(&session, &address, flags)?;
            // SAFETY: by the function's contract.
            unsafe { hand_over(&text, host, hostlen) }?;
        }
        if !serv.is_null() && servlen > 0 {
            let text = service_text(&session, &address, flags)?;
            // SAFETY: by the function's contract.
            unsafe { hand_over(&text, serv, servlen) }?;
        }
        Ok(())
    })();
    returned(result)
}

/// # Safety
/// `place` is valid for writing `room` octets.
unsafe fn hand_over(text: &[u8], place: *mut c_char, room: libc::socklen_t) -> Result<(), Error> {
    if text.len() >= room as usize {
        return Err(Error::Overflow);
    }
    // SAFETY: the room has the text's octets and one more, and is the caller's own.
    unsafe {
        core::ptr::copy_nonoverlapping(text.as_ptr(), place.cast::<u8>(), text.len());
        *place.add(text.len()) = 0;
    }
    Ok(())
}

fn host_text(session: &Session, name: &SocketName<'_>, flags: Flags) -> Result<NameText, Error> {
    let address = match name {
        SocketName::Inet(address, _) => *address,
        SocketName::Local(_) => return own_name(flags),
    };
    if !flags.has(libc::NI_NUMERICHOST) {
        match reverse::host_name(session, address) {
            Ok(name) => return finish_name(session, name, flags),
            Err(Error::NoName) => {}
            Err(error) => return Err(error),
        }
    }
    if flags.has(libc::NI_NAMEREQD) { Err(Error::NoName) } else { numeric(address, flags) }
}

/// A found name as the flags want it.
fn finish_name(session: &Session, mut name: NameText, flags: Flags) -> Result<NameText, Error> {
    if flags.has(libc::NI_NOFQDN)
        && let Some(domain) = reverse::local_domain(session)
    {
        let at = name.windows(domain.len().max(1)).position(|part| part == &domain[..]);
        if let Some(dot) = at.and_then(|at| at.checked_sub(1))
            && name.get(dot) == Some(&b'.')
        {
            name.truncate(dot);
        }
    }
    if flags.has(gnu::NI_IDN) { locale::to_locale(name) } else { Ok(name) }
}

/// A local socket is on this host.
fn own_name(flags: Flags) -> Result<NameText, Error> {
    let mut text = NameText::new();
    let mut buffer = [0; 256];
    let host = process::host_name(&mut buffer);
    if !flags.has(libc::NI_NUMERICHOST) && !host.is_empty() {
        append_text(&mut text, host)?;
    } else if flags.has(libc::NI_NAMEREQD) {
        return Err(Error::NoName);
    } else {
        append_text(&mut text, b"localhost")?;
    }
    Ok(text)
}

/// The address as text, with its zone (RFC 4007 section 11): by name where the address is link-local
/// and the interface is there.
fn numeric(address: Address, flags: Flags) -> Result<NameText, Error> {
    let mut text = Out(NameText::new());
    let written = match address.ip {
        IpAddr::V6(ip) if is_compatible(ip) => {
            write!(text, "::{}", Ipv4Addr::from_bits(ip.to_bits() as u32))
        }
        ip => write!(text, "{ip}"),
    };
    written.map_err(|_| NoMemory)?;
    if let IpAddr::V6(ip) = address.ip
        && address.scope != 0
    {
        let mut buffer = [0; 16];
        let [first, ..] = ip.segments();
        // libc has the number behind interface-local addresses.
        let is_interface_local = first & 0xff0f == 0xff01;
        let by_name = is_link_local(ip) && !is_interface_local && !flags.has(gnu::NI_NUMERICSCOPE);
        match by_name.then(|| interfaces::name(address.scope, &mut buffer)).flatten() {
            Some(name) => {
                append_text(&mut text.0, b"%")?;
                append_text(&mut text.0, name)?;
            }
            None => write!(text, "%{}", address.scope).map_err(|_| NoMemory)?,
        }
    }
    Ok(text.0)
}

/// True for an IPv4-compatible address (RFC 4291 section 2.5.5.1), of which glibc's `inet_ntop(3)`
/// writes the last four octets as IPv4; musl's does not.
fn is_compatible(ip: Ipv6Addr) -> bool {
    cfg!(target_env = "gnu") && (0x1_0000..=0xffff_ffff).contains(&ip.to_bits())
}

fn service_text(session: &Session, name: &SocketName<'_>, flags: Flags) -> Result<NameText, Error> {
    let mut text = Out(NameText::new());
    match name {
        SocketName::Local(path) => append_text(&mut text.0, path)?,
        SocketName::Inet(_, port) => {
            let protocol: &[u8] = if flags.has(libc::NI_DGRAM) { b"udp" } else { b"tcp" };
            let services = session.services()?;
            match services.name(*port, Some(protocol)) {
                Some(name) if !flags.has(libc::NI_NUMERICSERV) => append_text(&mut text.0, name)?,
                _ => write!(text, "{port}").map_err(|_| NoMemory)?,
            }
        }
    }
    Ok(text.0)
}
