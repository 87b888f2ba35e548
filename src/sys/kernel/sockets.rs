//! Sockets. Arguments, results and errors are those of libc's functions.

use super::{make, words};
use core::ffi::{c_int, c_void};

/// socket(2) and its relatives on machines where kernels before 4.3 know them by one call alone (socketcall(2)).
macro_rules! of_sockets {
    ($number:expr, $operation:expr $(, $argument:expr)*) => {{
        let arguments = words!($($argument),*);
        let result = make($number as usize, arguments);
        #[cfg(any(target_arch = "x86", target_arch = "s390x"))]
        let result = match result {
            -1 if crate::sys::process::errno() == libc::ENOSYS => {
                super::call!(libc::SYS_socketcall, $operation as c_int, arguments.as_ptr())
            }
            result => result,
        };
        result
    }};
}

/// socket(2)
pub(crate) unsafe fn socket(family: c_int, kind: c_int, protocol: c_int) -> c_int {
    // SAFETY: by the caller's contract, which is that of the call; so in all that follow.
    unsafe { of_sockets!(libc::SYS_socket, 1, family, kind, protocol) as c_int }
}

/// connect(2).
pub(crate) unsafe fn connect(
    socket: c_int,
    to: *const libc::sockaddr,
    len: libc::socklen_t,
) -> c_int {
    // SAFETY: as above.
    unsafe { of_sockets!(libc::SYS_connect, 3, socket, to, len) as c_int }
}

/// getsockname(2).
pub(crate) unsafe fn getsockname(
    socket: c_int,
    address: *mut libc::sockaddr,
    len: *mut libc::socklen_t,
) -> c_int {
    // SAFETY: as above.
    unsafe { of_sockets!(libc::SYS_getsockname, 6, socket, address, len) as c_int }
}

/// getsockopt(2).
pub(crate) unsafe fn getsockopt(
    socket: c_int,
    level: c_int,
    name: c_int,
    value: *mut c_void,
    len: *mut libc::socklen_t,
) -> c_int {
    // SAFETY: as above.
    unsafe { of_sockets!(libc::SYS_getsockopt, 15, socket, level, name, value, len) as c_int }
}

/// setsockopt(2).
pub(crate) unsafe fn setsockopt(
    socket: c_int,
    level: c_int,
    name: c_int,
    value: *const c_void,
    len: libc::socklen_t,
) -> c_int {
    // SAFETY: as above.
    unsafe { of_sockets!(libc::SYS_setsockopt, 14, socket, level, name, value, len) as c_int }
}

/// send(2), which is sendto(2) to nobody else.
pub(crate) unsafe fn send(socket: c_int, octets: *const c_void, len: usize, flags: c_int) -> isize {
    // SAFETY: as above.
    unsafe { sendto(socket, octets, len, flags, core::ptr::null(), 0) }
}

/// sendto(2).
pub(crate) unsafe fn sendto(
    socket: c_int,
    octets: *const c_void,
    len: usize,
    flags: c_int,
    to: *const libc::sockaddr,
    to_len: libc::socklen_t,
) -> isize {
    // SAFETY: as above.
    unsafe { of_sockets!(libc::SYS_sendto, 11, socket, octets, len, flags, to, to_len) }
}

/// sendmsg(2).
pub(crate) unsafe fn sendmsg(socket: c_int, message: *const libc::msghdr, flags: c_int) -> isize {
    // SAFETY: as above.
    unsafe { of_sockets!(libc::SYS_sendmsg, 16, socket, message, flags) }
}

/// recv(2), which is recvfrom(2) without asking whom from.
pub(crate) unsafe fn recv(socket: c_int, place: *mut c_void, len: usize, flags: c_int) -> isize {
    // SAFETY: as above.
    unsafe { recvfrom(socket, place, len, flags, core::ptr::null_mut(), core::ptr::null_mut()) }
}

/// recvfrom(2).
pub(crate) unsafe fn recvfrom(
    socket: c_int,
    place: *mut c_void,
    len: usize,
    flags: c_int,
    from: *mut libc::sockaddr,
    from_len: *mut libc::socklen_t,
) -> isize {
    // SAFETY: as above.
    unsafe { of_sockets!(libc::SYS_recvfrom, 12, socket, place, len, flags, from, from_len) }
}

/// recvmsg(2).
pub(crate) unsafe fn recvmsg(socket: c_int, message: *mut libc::msghdr, flags: c_int) -> isize {
    // SAFETY: as above.
    unsafe { of_sockets!(libc::SYS_recvmsg, 17, socket, message, flags) }
}
