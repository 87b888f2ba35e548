//! What belongs to the process and the calling thread: errno, cancellation, privilege, its name.

use super::kernel::{self, call};
use core::ffi::c_int;

unsafe extern "C-unwind" {
    // The libc crate lacks these on some targets; every Linux libc has them. Each may end the
    // thread, which unwinds its stack.
    fn pthread_setcancelstate(state: c_int, old: *mut c_int) -> c_int;
    fn pthread_setcanceltype(kind: c_int, old: *mut c_int) -> c_int;
    fn pthread_testcancel();
    // A cancellation point, where GNU libc has it by a name that no program may take. It is told of no descriptor.
    #[cfg_attr(target_env = "gnu", link_name = "__poll")]
    fn poll(none: *mut libc::pollfd, count: libc::nfds_t, milliseconds: c_int) -> c_int;
}

/// `PTHREAD_CANCEL_ENABLE`: 0 in glibc and in musl.
pub(crate) const CANCEL_ENABLE: c_int = 0;
/// `PTHREAD_CANCEL_DISABLE`: 1 in glibc and in musl.
pub(crate) const CANCEL_DISABLE: c_int = 1;
/// `PTHREAD_CANCEL_DEFERRED`: 0 in both.
pub(crate) const CANCEL_DEFERRED: c_int = 0;

/// How a thread may be cancelled.
#[derive(Clone, Copy)]
pub struct Cancellation {
    state: c_int,
    kind: c_int,
}

impl Cancellation {
    /// How a thread begins: it may be cancelled at cancellation points.
    pub const AT_FIRST: Cancellation = Cancellation { state: CANCEL_ENABLE, kind: CANCEL_DEFERRED };
    /// What [`disable_cancellation`] makes of any.
    pub const HELD_OFF: Cancellation =
        Cancellation { state: CANCEL_DISABLE, kind: CANCEL_DEFERRED };

    /// True where the thread may be cancelled.
    pub fn is_on(self) -> bool {
        self.state != CANCEL_DISABLE
    }

    /// What was found at a call, or what an earlier one had found that has not put it back.
    pub fn or_before(self, earlier: Cancellation) -> Cancellation {
        Cancellation {
            state: if self.state == CANCEL_DISABLE { earlier.state } else { self.state },
            kind: if self.kind == CANCEL_DEFERRED { earlier.kind } else { self.kind },
        }
    }
}

/// The calling thread's `errno`.
pub fn errno() -> i32 {
    // SAFETY: __errno_location returns a valid pointer to the calling thread's errno.
    unsafe { *libc::__errno_location() }
}

/// Sets the calling thread's `errno`.
pub fn set_errno(errno: i32) {
    // SAFETY: __errno_location returns a valid pointer to the calling thread's errno.
    unsafe { *libc::__errno_location() = errno }
}

/// Acts on a cancellation that is pending, switches further ones off and returns how it was.
///
/// May not return (see [`restore_cancellation`]). An asynchronous cancellation comes by a signal, and
/// glibc's handler does not ask whether cancellation is off: it acts in whatever system call we are in
/// then. One that is on its way is waited for by every cancellation point.
#[inline(always)]
pub fn disable_cancellation() -> Cancellation {
    let mut old = Cancellation { state: 0, kind: CANCEL_DEFERRED };
    // SAFETY: both are valid places for the calls to write to, poll is told of no descriptor; the
    // frames above hold nothing to drop.
    unsafe {
        pthread_setcanceltype(CANCEL_DEFERRED, &mut old.kind);
        if old.kind != CANCEL_DEFERRED {
            poll(core::ptr::null_mut(), 0, 0);
        }
        pthread_testcancel();
        pthread_setcancelstate(CANCEL_DISABLE, &mut old.state);
    }
    old
}

/// Puts back what [`disable_cancellation`] returned.
///
/// May not return: a thread that is cancelled asynchronously ends here, so no frame between this
/// one and the C caller may hold anything that needs dropping.
#[inline(always)]
pub fn restore_cancellation(old: Cancellation) {
    // SAFETY: a null `old` pointer is allowed by glibc and musl; the frames above hold nothing to drop.
    unsafe {
        pthread_setcancelstate(old.state, core::ptr::null_mut());
    }
    // Acts on what is pending only now, and so with the right result (glibc 2.36 forgets it in the call above).
    restore_kind(old.kind);
}

/// Has an asynchronous cancellation of the calling thread wait until [`restore_kind`], and returns how it was.
#[cfg(all(feature = "preload", target_env = "gnu"))]
#[inline(always)]
pub fn defer_cancellation() -> c_int {
    let mut old = CANCEL_DEFERRED;
    // SAFETY: a valid place for the call to write to; the frames above hold nothing to drop.
    unsafe { pthread_setcanceltype(CANCEL_DEFERRED, &mut old) };
    old
}

/// Puts back how a thread was cancelled. May not return, as [`restore_cancellation`].
#[inline(always)]
pub fn restore_kind(old: c_int) {
    if old != CANCEL_DEFERRED {
        // SAFETY: a null `old` pointer is allowed; the frames above hold nothing to drop.
        unsafe { pthread_setcanceltype(old, core::ptr::null_mut()) };
    }
}

/// Ends the thread if a cancellation is pending and not held off.
#[inline(always)]
pub fn act_on_cancellation() {
    // SAFETY: no preconditions; the frames above hold nothing to drop.
    unsafe { pthread_testcancel() };
}

/// Ends the thread, which is cancelled: libc may have been told only after us. Returns where it was not told within
/// a second, or could not do it.
#[inline(always)]
pub fn be_cancelled() {
    for _ in 0..1000 {
        // SAFETY: the thread may end in either; the frames above hold nothing to drop. poll is told of no descriptor.
        unsafe {
            pthread_testcancel();
            poll(core::ptr::null_mut(), 0, 1);
        }
    }
}

/// True where the thread is cancelled, while that is held off. musl says so itself: in the third state of a thread
/// (`PTHREAD_CANCEL_MASKED` of its pthread.h) a cancellation point returns.
#[cfg(not(target_env = "gnu"))]
pub fn is_cancelled() -> bool {
    const CANCEL_MASKED: c_int = 2;
    let before = errno();
    // SAFETY: a null `old` pointer is allowed; in this state no function ends the thread.
    let is_cancelled = unsafe {
        pthread_setcancelstate(CANCEL_MASKED, core::ptr::null_mut());
        let result = poll(core::ptr::null_mut(), 0, 0);
        pthread_setcancelstate(CANCEL_DISABLE, core::ptr::null_mut());
        result < 0 && errno() == libc::ECANCELED
    };
    set_errno(before);
    is_cancelled
}

/// True in a setuid or setgid process (`AT_SECURE`), whose environment is not to be trusted.
pub fn is_secure() -> bool {
    kernel::auxiliary(libc::AT_SECURE as usize) != 0
}

/// The user and the group that the process belongs to, whatever it may do: the real ones.
#[cfg(feature = "command")]
pub fn real_ids() -> (u32, u32) {
    // SAFETY: neither has preconditions.
    unsafe { (libc::getuid(), libc::getgid()) }
}

/// The user whose rights the process has: the effective one.
pub fn effective_user() -> u32 {
    kernel::geteuid()
}

/// True where the process can give up what it may see: change its root directory or its user. Only one with
/// capabilities can, which root has.
pub fn may_give_up_rights() -> bool {
    /// `_LINUX_CAPABILITY_VERSION_3` and the calling thread (capget(2)).
    const HEADER: [u32; 2] = [0x2008_0522, 0];
    let (mut header, mut sets) = (HEADER, [[0u32; 3]; 2]);
    // SAFETY: the header has its two numbers, and there is room for two of the three sets.
    unsafe { call!(libc::SYS_capget, header.as_mut_ptr(), sets.as_mut_ptr()) };
    // Effective, permitted, inheritable; all zero where the kernel has said nothing.
    sets.iter().any(|[_, permitted, _]| *permitted != 0)
}

/// The process id.
pub fn id() -> i32 {
    kernel::getpid()
}

/// The calling thread's id, as gettid(2) has it.
pub fn thread_id() -> i32 {
    kernel::gettid()
}

/// Tells threads that run at the same time from one another: the place of the thread's errno. Unlike
/// gettid(2) it costs no system call.
pub fn thread_mark() -> usize {
    // SAFETY: __errno_location has no preconditions.
    unsafe { libc::__errno_location() as usize }
}

/// A number below `bound`, the same for each call of a thread: threads that run at the same time have
/// different ones as far as that goes.
pub fn thread_mark_below(bound: usize) -> usize {
    // Threads' marks are a stack apart: what tells them from one another is in the upper bits.
    let mark = (thread_mark() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mark >> 32) as usize % bound
}

/// This host's name, as `gethostname(2)` gives it, in `buffer`; empty where it can't be had.
pub fn host_name(buffer: &mut [u8; 256]) -> &[u8] {
    let Some(name) = kernel::node_name() else { return &[] };
    let end = name.iter().position(|&b| b == 0).unwrap_or(name.len());
    buffer.iter_mut().zip(name).for_each(|(to, from)| *to = from);
    buffer.get(..end).unwrap_or_default()
}

/// Fills `buffer` from the kernel's generator. False where the kernel can't (before 3.17, or a
/// filter forbids the call): the caller then has no unpredictable numbers and must not ask the DNS.
pub fn random(buffer: &mut [u8]) -> bool {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        // SAFETY: `rest` is valid for writing over its whole length.
        match super::errno::retry(|| unsafe {
            kernel::getrandom(rest.as_mut_ptr().cast(), rest.len(), 0)
        }) {
            Ok(n) if n > 0 => filled += n.unsigned_abs(),
            _ => return random_from_device(rest),
        }
    }
    true
}

/// A number that others can't foresee, as far as that goes without waiting: for where things lie in a table, not for
/// what is sent. Early in a machine's life the kernel's generator is not ready, and waiting for it would stop who
/// only wants a name of the hosts file.
pub fn seed() -> u64 {
    /// Of linux/random.h: not waited for; from Linux 5.6 on, what there is.
    const NON_BLOCKING: u32 = 1;
    const INSECURE: u32 = 4;
    let mut seed = [0u8; 8];
    for how in [NON_BLOCKING, INSECURE] {
        // SAFETY: the place is valid for its length.
        let got = unsafe { kernel::getrandom(seed.as_mut_ptr().cast(), seed.len(), how) };
        if got == seed.len().cast_signed() {
            return u64::from_ne_bytes(seed);
        }
    }
    // The time to a nanosecond, where the kernel has put us, and who we are.
    let now = kernel::clock_gettime(libc::CLOCK_MONOTONIC).unwrap_or_default();
    let place = (&raw const seed).addr() as u64;
    (now.as_nanos() as u64 ^ place.rotate_left(24) ^ (id() as u64) << 40)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The same from `/dev/urandom`, for kernels and filters without `getrandom(2)`.
fn random_from_device(rest: &mut [u8]) -> bool {
    match super::files::File::open(c"/dev/urandom") {
        Ok(file) => file.fill(rest),
        Err(_) => false,
    }
}

/// Lets other threads run.
pub fn yield_now() {
    // SAFETY: the call has no preconditions.
    unsafe { call!(libc::SYS_sched_yield) };
}
