//! Numbers of our own for the `errno` values that the core gives itself: the C file that hands them
//! over knows the target's. They are below zero, where no `errno` of a kernel is.

/// `EINVAL`: configuration that can't be read.
pub const INVALID: i32 = -1;
/// `ENOMEM`: memory is exhausted.
pub const NO_MEMORY: i32 = -2;
/// `EMSGSIZE`: a name that does not fit into a message.
pub const TOO_LONG: i32 = -3;
/// `ESRCH`: no name server is configured.
pub const NO_SERVER: i32 = -4;
/// `ECONNREFUSED`: no name server can be reached.
pub const REFUSED: i32 = -5;
/// `ETIMEDOUT`: no name server has given an answer.
pub const TIMED_OUT: i32 = -6;
/// `ENOENT`: no service that could be asked, no such file.
pub const NO_ENTRY: i32 = -7;
/// `EAGAIN`: not now.
pub const AGAIN: i32 = -8;
/// `ENETUNREACH`: no route.
pub const UNREACHABLE: i32 = -9;
/// `EIO`: an answer of the kernel's that says that it failed.
pub const BROKEN: i32 = -10;
/// `EPERM`: not in a process with more rights than who started it.
pub const NOT_PERMITTED: i32 = -11;
/// `EACCES`: a file that this process may not read.
pub const NO_ACCESS: i32 = -12;
