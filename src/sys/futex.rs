//! Waiting for a number to change, futex(2): unlike std's and pthread's condition variables it tells
//! when a signal handler ran, and it needs neither memory nor a destructor.

use super::process::errno;
use super::time::Instant;
use core::ptr::null_mut;
use core::sync::atomic::AtomicU32;

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

/// A time as the kernel's first futex call takes it: its own words, not libc's `time_t`, which may be
/// wider than they are.
#[repr(C)]
struct KernelTime {
    seconds: KernelWord,
    nanoseconds: KernelWord,
}

// x32 has 64 bits here and a `long` of 32; riscv32 never had another time.
#[cfg(any(target_arch = "x86_64", target_arch = "riscv32"))]
type KernelWord = i64;
#[cfg(not(any(target_arch = "x86_64", target_arch = "riscv32")))]
type KernelWord = core::ffi::c_long;

/// Waits until `number` is not `expected`, [`wake`] is called, a signal handler has run, or
/// `deadline` has passed.
pub fn wait(number: &AtomicU32, expected: u32, deadline: Option<Instant>) -> Woken {
    let time = deadline.map(|deadline| {
        let (seconds, nanoseconds) = deadline.parts();
        KernelTime {
            // A deadline that the kernel's words can't hold is beyond any process's life.
            seconds: KernelWord::try_from(seconds).unwrap_or(KernelWord::MAX),
            // Below 10^9: fits either word.
            nanoseconds: nanoseconds as KernelWord,
        }
    });
    let time = time.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
    let operation = libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: `number` and `time` live through the call, which reads them only.
    let result = unsafe {
        libc::syscall(
            libc::SYS_futex,
            number.as_ptr(),
            operation,
            expected,
            time,
            null_mut::<u32>(),
            libc::FUTEX_BITSET_MATCH_ANY,
        )
    };
    if result == 0 {
        return Woken::Perhaps;
    }
    match errno() {
        libc::ETIMEDOUT => Woken::TimedOut,
        libc::EINTR => Woken::Interrupted,
        _ => Woken::Perhaps,
    }
}

/// Wakes all who wait for `number`.
pub fn wake(number: &AtomicU32) {
    let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: `number` is alive; the call uses its address only.
    unsafe { libc::syscall(libc::SYS_futex, number.as_ptr(), operation, i32::MAX) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::sync::atomic::Ordering::SeqCst;
    use core::time::Duration;

    #[test]
    fn a_deadline_passes_and_another_number_does_not_wait() {
        let number = AtomicU32::new(7);
        let start = Instant::now();
        let deadline = start.after(Duration::from_millis(30));
        assert_eq!(wait(&number, 7, Some(deadline)), Woken::TimedOut);
        assert!(Instant::now() >= deadline);
        assert_eq!(wait(&number, 8, None), Woken::Perhaps);
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
