//! What a function of an NSS module tells: one table from our failures to `nss_status`, `errno` and
//! `h_errno` (the GNU C library's manual, "NSS Modules Interface").

use crate::abi::codes::h;
use crate::base::error::Failure;
use crate::sys::mem::NoMemory;
use core::ffi::c_int;

/// `enum nss_status` (nss.h).
pub(in crate::abi) mod status {
    use core::ffi::c_int;

    pub(in crate::abi) const TRY_AGAIN: c_int = -2;
    pub(in crate::abi) const UNAVAILABLE: c_int = -1;
    pub(in crate::abi) const NOT_FOUND: c_int = 0;
    pub(in crate::abi) const SUCCESS: c_int = 1;
}

/// The three numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) status: c_int,
    /// Told only where the call fails.
    pub(super) errno: c_int,
    pub(super) h_errno: c_int,
}

impl Reply {
    const fn new(status: c_int, errno: c_int, h_errno: c_int) -> Reply {
        Reply { status, errno, h_errno }
    }

    pub(super) const SUCCESS: Reply = Reply::new(status::SUCCESS, 0, 0);
    /// The caller's buffer is too small: the caller comes again with a larger one.
    pub(super) const RANGE: Reply = Reply::new(status::TRY_AGAIN, libc::ERANGE, h::NETDB_INTERNAL);
    /// Only addresses of IPv4 and IPv6 are known here.
    pub(super) const FAMILY: Reply =
        Reply::new(status::UNAVAILABLE, libc::EAFNOSUPPORT, h::NETDB_INTERNAL);
    /// A bug of ours.
    pub(super) const BROKEN: Reply = Reply::new(status::UNAVAILABLE, libc::EIO, h::NO_RECOVERY);

    pub(super) fn is_success(self) -> bool {
        self.status == status::SUCCESS
    }
}

/// What is told of a failure.
///
/// Servers that had trouble are "try again", not "unavailable" as in libc's dns: with
/// `[!UNAVAIL=return]` the next service is asked only where this one could not be.
impl From<Failure> for Reply {
    fn from(failure: Failure) -> Reply {
        match failure {
            Failure::NoName => Reply::new(status::NOT_FOUND, libc::ENOENT, h::HOST_NOT_FOUND),
            Failure::NoData => Reply::new(status::NOT_FOUND, libc::ENOENT, h::NO_DATA),
            Failure::Unrelated | Failure::Refused => {
                Reply::new(status::NOT_FOUND, libc::ENOENT, h::NO_RECOVERY)
            }
            Failure::Again | Failure::Later => {
                Reply::new(status::TRY_AGAIN, libc::EAGAIN, h::TRY_AGAIN)
            }
            // No service after this one is to be believed instead.
            Failure::Bogus => Reply::new(status::TRY_AGAIN, libc::EAGAIN, h::NO_RECOVERY),
            Failure::Unavailable => Reply::new(status::UNAVAILABLE, libc::ENOENT, h::NO_RECOVERY),
            Failure::NoService(errno) => Reply::new(status::UNAVAILABLE, errno, h::NO_RECOVERY),
            Failure::Memory => Reply::new(status::TRY_AGAIN, libc::ENOMEM, h::NETDB_INTERNAL),
            Failure::System(errno) => Reply::new(status::UNAVAILABLE, errno, h::NETDB_INTERNAL),
        }
    }
}

impl From<NoMemory> for Reply {
    fn from(no_memory: NoMemory) -> Reply {
        Failure::from(no_memory).into()
    }
}
