//! The clock, and waiting on descriptors until a point on it.

use super::Fault;
pub use super::clock::{Instant, LEAP};
use super::host::{calls, fault};
use super::socket::Socket;
use core::time::Duration;

impl Instant {
    /// Now. Unaffected by changes of the wall clock, and counting while the machine is suspended.
    pub fn now() -> Instant {
        // SAFETY: no preconditions.
        Instant(Duration::from_nanos(unsafe { calls::clock() }))
    }
}

/// What the wall clock says: the time since 1970.
pub fn since_epoch() -> Duration {
    // SAFETY: no preconditions.
    Duration::from_nanos(unsafe { calls::wall_clock() })
}

/// One socket to wait for.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Interest {
    descriptor: i32,
    writing: i32,
    ready: i32,
}

impl Interest {
    /// Waits for something to read (or an error) on `socket`, and for room to write if `writing`.
    pub fn new(socket: &Socket, writing: bool) -> Interest {
        Interest { descriptor: socket.descriptor(), writing: writing.into(), ready: 0 }
    }

    /// True when the wait ended with news for this socket: data, room, an error or a hang-up.
    pub fn is_ready(&self) -> bool {
        self.ready != 0
    }
}

/// Waits until one of `interests` has news, or until `deadline`. Signals don't shorten or lengthen
/// it.
pub fn wait(interests: &mut [Interest], deadline: Instant) -> Result<(), Fault> {
    let (seconds, nanoseconds) = deadline.parts();
    // A deadline beyond five centuries of uptime is one.
    let deadline = seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds.into());
    // SAFETY: an interest is three numbers, as many as the slice has.
    fault(unsafe { calls::wait(interests.as_mut_ptr().cast(), interests.len(), deadline) })
        .map(|_| ())
}
