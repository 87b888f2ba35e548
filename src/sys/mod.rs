//! The system, behind a narrow seam: sockets, waiting, the clock, random octets, files, interfaces,
//! the environment, and memory that a fork wipes. Everything above is safe code without libc's types,
//! so that the same core can be built where only a C compiler exists.

#![allow(unsafe_code)]

pub mod charset;
pub mod chosen;
pub mod encrypted;
pub mod environment;
pub mod files;
pub mod futex;
pub mod interfaces;
pub mod log;
pub mod pages;
pub mod process;
pub mod shared;
pub mod socket;
pub mod thread;
pub mod time;
pub mod wiped;

/// `errno` values that the pipeline itself gives.
pub mod errno {
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
    /// `ENOENT`: no service that could be asked.
    pub const NO_ENTRY: i32 = libc::ENOENT;
}

/// A failed system call, sorted by what the pipeline does about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing to read or no room to write now.
    WouldBlock,
    /// The peer's host says that nobody listens there.
    Refused,
    /// No route to the peer, or this address family is not configured.
    Unreachable,
    /// The file, or a folder on its way, is not there.
    Missing,
    /// Descriptors, buffers or memory are exhausted; the `errno`.
    Exhausted(i32),
    /// Anything else; the `errno`.
    Other(i32),
}

impl Fault {
    /// Sorts an `errno` value.
    fn from_errno(errno: i32) -> Fault {
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
    fn last() -> Fault {
        Fault::from_errno(process::errno())
    }

    /// The `errno` value behind it, for `EAI_SYSTEM` and the trace.
    pub fn errno(self) -> i32 {
        match self {
            Fault::WouldBlock => libc::EAGAIN,
            Fault::Refused => libc::ECONNREFUSED,
            Fault::Unreachable => libc::ENETUNREACH,
            Fault::Missing => libc::ENOENT,
            Fault::Exhausted(errno) | Fault::Other(errno) => errno,
        }
    }
}

/// Calls `call` again as long as it fails with `EINTR`.
///
/// Bounded only by the signals that arrive: a system call that is restarted loses no time of its own
/// (waiting with a deadline is in [`time`], which counts what has passed).
fn retry<T: PartialEq + From<i8>>(mut call: impl FnMut() -> T) -> Result<T, Fault> {
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
