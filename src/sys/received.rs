//! What comes on a socket, the same however the system is asked (`sys::socket`).

use super::Fault;
use super::socket::Socket;

/// What one datagram or one read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Octets now in the buffer.
    pub len: usize,
    /// The datagram was longer than the buffer, and its end is lost.
    pub cut: bool,
}

impl Socket {
    /// Receives into `buffer`. Zero octets on a TCP socket: the peer has closed its side.
    pub fn receive(&self, buffer: &mut [u8]) -> Result<Received, Fault> {
        // SAFETY: the buffer is valid for writing over its whole length.
        unsafe { self.receive_at(buffer.as_mut_ptr(), buffer.len()) }
    }

    /// The same in place of what `room` holds, as far as its capacity goes; whether the end was lost.
    pub fn receive_into(&self, room: &mut Vec<u8>) -> Result<bool, Fault> {
        room.clear();
        // SAFETY: a vector's capacity is valid for writing; as many octets as are told have been written.
        unsafe {
            let received = self.receive_at(room.as_mut_ptr(), room.capacity())?;
            room.set_len(received.len);
            Ok(received.cut)
        }
    }
}
