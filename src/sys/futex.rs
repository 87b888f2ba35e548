//! Waiting for a number to change, futex(2): unlike std's and pthread's condition variables it tells
//! when a signal handler ran, and it needs neither memory nor a destructor.

use super::kernel;
use super::process::errno;
use super::time::Instant;
use core::sync::atomic::AtomicU32;
use core::time::Duration;

/// Why [`wait`] returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// The number was, or became, another: look again. Also for no reason at all.
    Perhaps,
    /// The deadline has passed.
    TimedOut,
    /// A signal handler ran; one with `SA_RESTART` goes unnoticed where there is no deadline.
    Interrupted,
}

/// A time as the kernel's first futex call takes it: two of its own words, which are not always as wide
/// as libc's `time_t` or its `long`.
#[repr(C)]
union KernelTime {
    narrow: [i32; 2],
    wide: [i64; 2],
}

impl KernelTime {
    fn new(time: Duration) -> KernelTime {
        let (seconds, nanoseconds) = (time.as_secs(), time.subsec_nanos());
        // A time that the kernel's words can't hold is beyond any process's life; nanoseconds are
        // below 10^9.
        if words_are_wide() {
            let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
            KernelTime { wide: [seconds, nanoseconds.into()] }
        } else {
            let seconds = i32::try_from(seconds).unwrap_or(i32::MAX);
            KernelTime { narrow: [seconds, nanoseconds.cast_signed()] }
        }
    }
}

/// Whether the kernel's words have 64 bits: where pointers do, and on some machines where they don't.
fn words_are_wide() -> bool {
    size_of::<usize>() == 8 || words_are_told_wide()
}

/// The same, from the kernel: no time has 2^32 - 1 nanoseconds, so it refuses this one (`EINVAL`) if its
/// words are wide, and if they are narrow reads two zeros and finds another number than expected.
fn words_are_told_wide() -> bool {
    let time = KernelTime { wide: [0, -1] };
    futex_wait(&AtomicU32::new(0), 1, &raw const time) != 0 && errno() == libc::EINVAL
}

fn futex_wait(number: &AtomicU32, expected: u32, time: *const KernelTime) -> isize {
    let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the call only reads, a number that lives through it, and a time for which the caller
    // answers: null, or two words of either size.
    unsafe { kernel::futex(number.as_ptr(), operation, expected, time) }
}

/// Waits until `number` is not `expected`, [`wake`] is called, a signal handler has run, or
/// `deadline` has passed.
pub fn wait(number: &AtomicU32, expected: u32, deadline: Option<Instant>) -> Woken {
    // The kernel knows no deadline on this clock: it is told what is left. Time that the machine is
    // suspended meanwhile comes on top.
    let time = deadline.map(|deadline| KernelTime::new(deadline.since(Instant::now())));
    let time = time.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
    if futex_wait(number, expected, time) == 0 {
        return Woken::Perhaps;
    }
    match errno() {
        libc::ETIMEDOUT => Woken::TimedOut,
        libc::EINTR => Woken::Interrupted,
        _ => Woken::Perhaps,
    }
}

/// True where memory is mapped at `address`, which is a multiple of four, and may be read. `None` where the kernel
/// doesn't say.
pub fn is_readable(address: usize) -> Option<bool> {
    let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    let at_once = KernelTime { wide: [0, 0] };
    let place = core::ptr::with_exposed_provenance(address);
    // SAFETY: the kernel compares the number that is there, if one is, and writes nothing; two zeros are no time
    // in words of either size.
    let result = unsafe { kernel::futex(place, operation, 0, &raw const at_once) };
    if result == 0 {
        return Some(true);
    }
    match errno() {
        libc::EFAULT => Some(false),
        errno if [libc::EAGAIN, libc::ETIMEDOUT, libc::EINTR].contains(&errno) => Some(true),
        _ => None,
    }
}

/// Wakes all who wait for `number`.
pub fn wake(number: &AtomicU32) {
    let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: `number` is alive; the call uses its address only.
    unsafe { kernel::futex(number.as_ptr(), operation, i32::MAX as u32, core::ptr::null::<()>()) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::sync::atomic::Ordering::SeqCst;

    #[test]
    fn a_deadline_passes_and_another_number_does_not_wait() {
        let number = AtomicU32::new(7);
        let start = Instant::now();
        let deadline = start.after(Duration::from_millis(30));
        assert_eq!(wait(&number, 7, Some(deadline)), Woken::TimedOut);
        assert!(Instant::now() >= deadline);
        assert_eq!(wait(&number, 8, None), Woken::Perhaps);
    }

    /// Where pointers have 64 bits the kernel's words do, and it says so when asked.
    #[test]
    fn the_kernel_tells_how_wide_its_words_are() {
        assert_eq!(words_are_told_wide(), words_are_wide());
    }

    #[test]
    fn what_can_be_read() {
        for number in [0u32, 7] {
            assert_eq!(is_readable((&raw const number).addr()), Some(true));
        }
        assert_eq!(is_readable(8), Some(false));
        assert_eq!(is_readable(usize::MAX & !7), Some(false));
    }

    #[test]
    fn a_wake_ends_a_wait() {
        let number = AtomicU32::new(0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                number.store(1, SeqCst);
                wake(&number);
            });
            while number.load(SeqCst) == 0 {
                wait(&number, 0, None);
            }
        });
    }
}
