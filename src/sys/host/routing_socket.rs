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

    /// Receives the next datagram of the answer in place of what is in `buffer`, as far as it has memory.
    pub(super) fn receive(&self, buffer: &mut Vec<u8>) -> Result<(), Fault> {
        buffer.clear();
        let (place, room) = (buffer.as_mut_ptr(), buffer.capacity());
        // SAFETY: the vector's own memory is valid for writing over its capacity.
        let len = fault(unsafe { calls::routing_receive(self.0, place, room) })?;
        // SAFETY: so many octets were written, no more than there was room for.
        unsafe { buffer.set_len(len) };
        Ok(())
    }
}

impl Drop for RoutingSocket {
    fn drop(&mut self) {
        // SAFETY: the descriptor is ours alone.
        unsafe { calls::close(self.0) };
    }
}
