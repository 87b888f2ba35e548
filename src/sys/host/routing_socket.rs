//! A socket to the kernel's routing tables (netlink(7)).

use super::Fault;
use super::host::{calls, fault};

/// A routing socket on which something was asked; closed when dropped.
pub(super) struct RoutingSocket(i32);

impl RoutingSocket {
    /// Sends the kernel this message on a new socket.
    pub(super) fn ask(message: &[u8]) -> Result<RoutingSocket, Fault> {
        // SAFETY: the message is valid for its length.
        let descriptor = unsafe { calls::routing_ask(message.as_ptr(), message.len()) };
        fault(descriptor)?;
        Ok(RoutingSocket(descriptor))
    }

    /// Receives the next datagram of the answer.
    pub(super) fn receive(&self, buffer: &mut [u8]) -> Result<usize, Fault> {
        // SAFETY: the buffer is valid for the length given.
        fault(unsafe { calls::routing_receive(self.0, buffer.as_mut_ptr(), buffer.len()) })
    }
}

impl Drop for RoutingSocket {
    fn drop(&mut self) {
        // SAFETY: the descriptor is ours alone.
        unsafe { calls::close(self.0) };
    }
}
