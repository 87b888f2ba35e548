//! A TCP connection to a name server.

use crate::sys::Fault;
use crate::sys::mem::NoMemory;
use crate::sys::socket::Socket;

/// What TCP needs: octets that wait for room, and the answer that is coming in (RFC 1035 section 4.2.2).
#[derive(Default)]
pub(super) struct Stream {
    /// The connection stands.
    pub(super) connected: bool,
    /// What waits to be written.
    pub(super) unsent: Vec<u8>,
    /// The length prefix, and how many of its octets have come.
    prefix: ([u8; 2], usize),
    /// Room for the answer, as much as the prefix says; and how many of its octets have come.
    incoming: Vec<u8>,
    filled: usize,
}

/// Why a query can't be sent, or a stream goes no further.
pub(super) enum SendError {
    Fault(Fault),
    /// The server has closed the connection.
    Closed,
    NoMemory,
}

impl From<Fault> for SendError {
    fn from(fault: Fault) -> SendError {
        SendError::Fault(fault)
    }
}

impl From<NoMemory> for SendError {
    fn from(_: NoMemory) -> SendError {
        SendError::NoMemory
    }
}

impl Stream {
    /// Writes what waits, as far as the connection takes it.
    pub(super) fn write(&mut self, socket: &Socket) -> Result<(), SendError> {
        while !self.unsent.is_empty() {
            match socket.send(&self.unsent) {
                Ok(n) => drop(self.unsent.drain(..n.min(self.unsent.len()))),
                Err(Fault::WouldBlock) => return Ok(()),
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(())
    }

    /// Reads as far as it goes; an answer once it is whole.
    pub(super) fn read(&mut self, socket: &Socket) -> Result<Option<Vec<u8>>, SendError> {
        loop {
            let (prefix, have) = &mut self.prefix;
            let received = if let Some(room) = prefix.get_mut(*have..).filter(|r| !r.is_empty()) {
                socket.receive(room)
            } else {
                let whole = usize::from(u16::from_be_bytes(*prefix));
                if self.incoming.len() != whole {
                    self.incoming.try_reserve_exact(whole).map_err(|_| SendError::NoMemory)?;
                    self.incoming.resize(whole, 0); // within the capacity just reserved
                }
                if self.filled == whole {
                    (self.prefix.1, self.filled) = (0, 0);
                    return Ok(Some(core::mem::take(&mut self.incoming)));
                }
                let room = self.incoming.get_mut(self.filled..).unwrap_or_default();
                let received = socket.receive(room);
                self.filled += received.map_or(0, |r| r.len);
                received
            };
            match received {
                Ok(received) if received.len == 0 => return Err(SendError::Closed),
                Ok(received) if self.prefix.1 < 2 => self.prefix.1 += received.len,
                Ok(_) => {}
                Err(Fault::WouldBlock) => return Ok(None),
                Err(fault) => return Err(fault.into()),
            }
        }
    }
}
