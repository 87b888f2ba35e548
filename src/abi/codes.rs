//! The numbers that C callers know: one table from our errors to `EAI_*`.

use crate::error::Error;
use core::ffi::c_int;

/// What a call returns, and what `errno` is set to; `None` leaves it as it was.
pub(super) type Returned = (c_int, Option<c_int>);

/// The extended codes of GNU libc (netdb.h); musl has their numbers too where it has them at all.
mod gnu {
    use core::ffi::c_int;

    pub(super) const EAI_NODATA: c_int = -5;
    pub(super) const EAI_ADDRFAMILY: c_int = -9;
    pub(super) const EAI_IDN_ENCODE: c_int = -105;
}

/// `EAI_*` for an error, with the `errno` that goes with `EAI_SYSTEM`.
pub(super) fn eai(error: Error) -> Returned {
    let code = match error {
        Error::NoName => libc::EAI_NONAME,
        Error::NoData => gnu::EAI_NODATA,
        Error::AddrFamily => gnu::EAI_ADDRFAMILY,
        Error::Again => libc::EAI_AGAIN,
        Error::Fail => libc::EAI_FAIL,
        Error::Family => libc::EAI_FAMILY,
        Error::SockType => libc::EAI_SOCKTYPE,
        Error::Service => libc::EAI_SERVICE,
        Error::BadFlags => libc::EAI_BADFLAGS,
        Error::Memory => libc::EAI_MEMORY,
        Error::Overflow => libc::EAI_OVERFLOW,
        Error::IdnEncode => gnu::EAI_IDN_ENCODE,
        Error::System(errno) => return (libc::EAI_SYSTEM, Some(errno)),
    };
    (code, None)
}

/// What a call returns for a result.
pub(super) fn returned(result: Result<(), Error>) -> Returned {
    match result {
        Ok(()) => (0, None),
        Err(error) => eai(error),
    }
}
