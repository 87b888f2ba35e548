//! A socket to the kernel's routing tables (netlink(7)).

use super::errno::retry;
use super::socket::release;
use super::{Fault, calls, kernel};
use core::ffi::c_int;
use core::mem::{size_of, zeroed};

/// A routing socket on which something was asked; closed when dropped.
pub(super) struct RoutingSocket(c_int);

impl Drop for RoutingSocket {
    fn drop(&mut self) {
        release(self.0);
    }
}

impl RoutingSocket {
    /// Sends the kernel this message on a new socket.
    pub(super) fn ask(message: &[u8]) -> Result<RoutingSocket, Fault> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
        // SAFETY: socket(2) takes plain integers.
        let socket = RoutingSocket(retry(|| unsafe {
            kernel::socket(libc::AF_NETLINK, kind, libc::NETLINK_ROUTE)
        })?);
        calls::opened(socket.0);
        // SAFETY: sockaddr_nl is plain data, for which zero is a value.
        let mut kernel: libc::sockaddr_nl = unsafe { zeroed() };
        kernel.nl_family = libc::AF_NETLINK as libc::sa_family_t;
        // SAFETY: both pointers are valid for the lengths given.
        retry(|| unsafe {
            kernel::sendto(
                socket.0,
                message.as_ptr().cast(),
                message.len(),
                0,
                (&raw const kernel).cast(),
                size_of::<libc::sockaddr_nl>() as libc::socklen_t,
            )
        })?;
        Ok(socket)
    }

    /// Receives the next datagram of the answer in place of what is in `buffer`, as far as it has memory.
    pub(super) fn receive(&self, buffer: &mut Vec<u8>) -> Result<(), Fault> {
        buffer.clear();
        let room = buffer.spare_capacity_mut();
        // SAFETY: the vector's own memory is valid for writing over its capacity. The kernel has queued
        // the answer before sendto returned, so this does not wait.
        let n = retry(|| unsafe {
            kernel::recv(self.0, room.as_mut_ptr().cast(), room.len(), libc::MSG_DONTWAIT)
        })?;
        // SAFETY: the kernel has written so many octets, no more than there was room for.
        unsafe { buffer.set_len(n.unsigned_abs()) };
        Ok(())
    }
}
