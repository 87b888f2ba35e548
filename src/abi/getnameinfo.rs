//! `getnameinfo` (POSIX.1-2024, RFC 3493 section 6.2, getnameinfo(3)).

use super::args::socket_name;
use super::codes::{Returned, returned};
use super::guard::guard;
use crate::base::error::Error;
use crate::context::call::Session;
use crate::resolve::nameinfo::{self, Flags};
use core::ffi::{c_char, c_int};

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

/// `NI_*`; `None` where one is unknown.
fn flags_of(flags: c_int) -> Option<Flags> {
    const KNOWN: c_int = libc::NI_NUMERICHOST
        | libc::NI_NUMERICSERV
        | libc::NI_NOFQDN
        | libc::NI_NAMEREQD
        | libc::NI_DGRAM
        | gnu::NI_IDN
        | gnu::NI_DEPRECATED
        | gnu::NI_NUMERICSCOPE;
    let has = |flag: c_int| flags & flag != 0;
    (flags & !KNOWN == 0).then(|| Flags {
        numeric_host: has(libc::NI_NUMERICHOST),
        numeric_service: has(libc::NI_NUMERICSERV),
        no_fqdn: has(libc::NI_NOFQDN),
        name_required: has(libc::NI_NAMEREQD),
        datagram: has(libc::NI_DGRAM),
        idn: has(gnu::NI_IDN),
        numeric_scope: has(gnu::NI_NUMERICSCOPE),
    })
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
    let result = (|| {
        let flags = flags_of(flags).ok_or(Error::BadFlags)?;
        // SAFETY: by the function's contract.
        let address = unsafe { socket_name(sa, salen) };
        // Whether names are wanted at all is judged by the pointers, before the address.
        if sa.is_null() || (salen as usize) < size_of::<libc::sa_family_t>() {
            return Err(Error::Family);
        }
        if flags.name_required && host.is_null() && serv.is_null() {
            return Err(Error::NoName);
        }
        let address = address.ok_or(Error::Family)?;
        let session = Session::begin()?;
        if !host.is_null() && hostlen > 0 {
            let text = nameinfo::host_text(&session, &address, flags)?;
            // SAFETY: by the function's contract.
            unsafe { hand_over(&text, host, hostlen) }?;
        }
        if !serv.is_null() && servlen > 0 {
            let text = nameinfo::service_text(&session, &address, flags)?;
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
