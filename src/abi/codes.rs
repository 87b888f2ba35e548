//! The numbers that C callers know: a table from our errors to `EAI_*`, and one to
//! `h_errno`.

use crate::base::error::{Error, Failure};
use core::ffi::c_int;

/// What a call returns, and what `errno` is set to; `None` leaves it as it was.
pub(super) type Returned = (c_int, Option<c_int>);

/// The extended codes of GNU libc (netdb.h); musl has their numbers too where it has them at all.
pub(in crate::abi) mod gnu {
    use core::ffi::c_int;

    pub(in crate::abi) const EAI_NODATA: c_int = -5;
    pub(in crate::abi) const EAI_ADDRFAMILY: c_int = -9;
    pub(in crate::abi) const EAI_IDN_ENCODE: c_int = -105;
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

/// `h_errno` (netdb.h).
pub(in crate::abi) mod h {
    use crate::base::error::HostError;
    use core::ffi::c_int;

    pub(in crate::abi) const NETDB_INTERNAL: c_int = HostError::Internal.number();
    pub(in crate::abi) const HOST_NOT_FOUND: c_int = HostError::NotFound.number();
    pub(in crate::abi) const TRY_AGAIN: c_int = HostError::TryAgain.number();
    pub(in crate::abi) const NO_RECOVERY: c_int = HostError::NoRecovery.number();
    pub(in crate::abi) const NO_DATA: c_int = HostError::NoData.number();
}

/// Why a call of the `gethostbyname` family gives no host.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoHost {
    /// `h_errno`.
    pub(super) h_errno: c_int,
    /// What the `_r` form returns.
    pub(super) code: c_int,
    /// What `errno` is set to; `None` leaves it as it was.
    pub(super) errno: Option<c_int>,
}

impl NoHost {
    const fn new(h_errno: c_int, errno: c_int) -> NoHost {
        NoHost { h_errno, code: errno, errno: Some(errno) }
    }

    /// The caller's buffer is too small: it comes again with a larger one.
    pub(super) const TOO_SMALL: NoHost = NoHost::new(h::NETDB_INTERNAL, libc::ERANGE);
    /// `gethostbyname2` for a family that is neither IPv4 nor IPv6.
    pub(super) const NAME_FAMILY: NoHost = NoHost::new(h::NO_DATA, libc::EAFNOSUPPORT);
    /// `gethostbyaddr` for such a family, or for an address that is too short.
    pub(super) const ADDRESS_FAMILY: NoHost = NoHost::new(h::NETDB_INTERNAL, libc::EAFNOSUPPORT);
    /// `gethostbyaddr` for the unspecified IPv6 address, and `gethostent` at the end of the file.
    pub(super) const NONE: NoHost =
        NoHost { h_errno: h::HOST_NOT_FOUND, code: libc::ENOENT, errno: None };
    /// A bug of ours.
    pub(super) const INTERNAL: NoHost = NoHost::new(h::NO_RECOVERY, 0);

    /// For a name's failure.
    pub(super) fn of_name(failure: Failure) -> NoHost {
        match failure {
            Failure::NoName | Failure::Unavailable => NoHost::new(h::HOST_NOT_FOUND, 0),
            Failure::NoData => NoHost::new(h::NO_DATA, 0),
            Failure::Again | Failure::Later => NoHost::new(h::TRY_AGAIN, libc::EAGAIN),
            Failure::Unrelated => NoHost::new(h::NO_RECOVERY, libc::EAGAIN),
            Failure::Refused | Failure::Bogus => NoHost::new(h::NO_RECOVERY, 0),
            Failure::Memory => NoHost::new(h::NETDB_INTERNAL, libc::ENOMEM),
            Failure::NoService(errno) | Failure::System(errno) => {
                NoHost::new(h::NETDB_INTERNAL, errno)
            }
        }
    }

    /// For an address's failure: trouble of the servers is not passed on by code, as in libc.
    pub(super) fn of_address(failure: Failure) -> NoHost {
        let no_host = NoHost::of_name(failure);
        match failure {
            Failure::Again | Failure::Later | Failure::Unrelated => NoHost::new(no_host.h_errno, 0),
            _ => no_host,
        }
    }
}
