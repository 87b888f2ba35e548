//! `errno` values: the ones that the pipeline gives itself, and what failed system calls mean.

use super::{Fault, process};

/// `EINVAL`: configuration that can't be read.
pub const INVALID: i32 = libc::EINVAL;
/// `ENOMEM`: memory is exhausted.
pub const NO_MEMORY: i32 = libc::ENOMEM;
/// `EMSGSIZE`: a name that does not fit into a message.
pub const TOO_LONG: i32 = libc::EMSGSIZE;
/// `ESRCH`: no name server is configured.
pub const NO_SERVER: i32 = libc::ESRCH;
/// `ECONNREFUSED`: no name server can be reached.
pub const REFUSED: i32 = libc::ECONNREFUSED;
/// `ETIMEDOUT`: no name server has given an answer.
pub const TIMED_OUT: i32 = libc::ETIMEDOUT;
/// `EPERM`: not in a process with more rights than who started it.
pub const NOT_PERMITTED: i32 = libc::EPERM;
/// `EACCES`: a file that this process may not read.
pub const NO_ACCESS: i32 = libc::EACCES;
/// `ENOENT`: no service that could be asked, no such file.
pub const NO_ENTRY: i32 = libc::ENOENT;
/// `EAGAIN`: not now.
pub const AGAIN: i32 = libc::EAGAIN;
/// `ENETUNREACH`: no route.
pub const UNREACHABLE: i32 = libc::ENETUNREACH;
/// `EIO`: an answer of the kernel's that says that it failed.
pub const BROKEN: i32 = libc::EIO;

impl Fault {
    /// Sorts an `errno` value.
    pub(super) fn from_errno(errno: i32) -> Fault {
        // EAGAIN and EWOULDBLOCK differ on some architectures, so no `match`.
        if errno == libc::EAGAIN || errno == libc::EWOULDBLOCK || errno == libc::EINPROGRESS {
            Fault::WouldBlock
        } else if errno == libc::ECONNREFUSED {
            Fault::Refused
        } else if [libc::ENETUNREACH, libc::EHOSTUNREACH, libc::EAFNOSUPPORT, libc::EADDRNOTAVAIL]
            .contains(&errno)
        {
            Fault::Unreachable
        } else if errno == libc::ENOENT || errno == libc::ENOTDIR {
            Fault::Missing
        } else if [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM].contains(&errno) {
            Fault::Exhausted(errno)
        } else {
            Fault::Other(errno)
        }
    }

    /// The last failed call's fault.
    pub(super) fn last() -> Fault {
        Fault::from_errno(process::errno())
    }
}

/// Calls `call` again as long as it fails with `EINTR`.
///
/// Bounded only by the signals that arrive: a system call that is restarted loses no time of its own
/// (waiting with a deadline is in [`super::time`], which counts what has passed).
pub(super) fn retry<T: PartialEq + From<i8>>(mut call: impl FnMut() -> T) -> Result<T, Fault> {
    loop {
        let result = call();
        if result != T::from(-1) {
            return Ok(result);
        }
        if process::errno() != libc::EINTR {
            return Err(Fault::last());
        }
    }
}
