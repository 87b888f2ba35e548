//! The clock, and waiting on descriptors until a point on it.

use super::Fault;
use super::calls::{self, PAUSE};
pub use super::clock::{Instant, LEAP};
use super::kernel::{self, clock_gettime};
use super::socket::Socket;
use core::time::Duration;

impl Instant {
    /// Now. Unaffected by changes of the wall clock, and counting while the machine is suspended: a TTL goes
    /// on then. Without a system call since Linux 5.3, on the architectures whose vdso(7) has it.
    pub fn now() -> Instant {
        // Before Linux 2.6.39 there is the other one alone.
        Instant(
            clock_gettime(libc::CLOCK_BOOTTIME)
                .or_else(|| clock_gettime(libc::CLOCK_MONOTONIC))
                .unwrap_or_default(),
        )
    }
}

/// What the wall clock says: the time since 1970.
pub fn since_epoch() -> Duration {
    clock_gettime(libc::CLOCK_REALTIME).unwrap_or_default()
}

/// One socket to wait for.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Interest {
    poll: libc::pollfd,
}

impl Interest {
    /// Waits for something to read (or an error) on `socket`, and for room to write if `writing`.
    pub fn new(socket: &Socket, writing: bool) -> Interest {
        let events = libc::POLLIN | if writing { libc::POLLOUT } else { 0 };
        Interest { poll: libc::pollfd { fd: socket.descriptor(), events, revents: 0 } }
    }

    /// True when the wait ended with news for this socket: data, room, an error or a hang-up.
    pub fn is_ready(&self) -> bool {
        self.poll.revents != 0
    }
}

/// A wait is longer than a moment after this.
const MOMENT: Duration = Duration::from_millis(10);

/// Waits until one of `interests` has news, or until `deadline`. Signals don't shorten or lengthen
/// it: the time that is left is computed anew after each.
///
/// # Errors
/// [`Fault::Other`] with `ECANCELED` where the thread is cancelled ([`calls::is_cancelled`]); what poll(2) says.
pub fn wait(interests: &mut [Interest], deadline: Instant) -> Result<(), Fault> {
    let mut is_hasty = calls::is_hasty();
    loop {
        let now = Instant::now();
        let left = deadline.since(now);
        let part = match (is_hasty, calls::is_listening()) {
            (true, _) => left.min(MOMENT),
            (false, true) => left.min(PAUSE),
            (false, false) => left,
        };
        // Rounded up to the next millisecond, so that the deadline has passed on return; a
        // deadline further than 24 days is cut, and waited for in parts by the caller's loop.
        let millis = i32::try_from(part.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX);
        // SAFETY: Interest is a transparent run of pollfd (one field), valid for its length.
        let result =
            unsafe { kernel::poll(interests.as_mut_ptr().cast(), interests.len(), millis) };
        if result < 0 && super::process::errno() != libc::EINTR {
            return Err(Fault::last());
        }
        if result > 0 || (result == 0 && part == left) {
            return Ok(());
        }
        if result == 0 && is_hasty {
            calls::settle();
            is_hasty = false;
        }
        if calls::is_cancelled() {
            return Err(Fault::Other(libc::ECANCELED));
        }
    }
}
