//! `getaddrinfo_a` and its relatives (getaddrinfo_a(3)), GNU's lookups in the background.
//!
//! libc's own calls libc's `getaddrinfo`, whatever stands before it in link order: so these are here.

use super::codes::Returned;
use super::guard::{guard, run};
use super::notification::{Notification, SignalEvent};
use super::requests::{Cancelled, requests};
use super::waiting::{Group, Suspended};
use crate::sys::calls;
use crate::sys::time::Instant;
use core::ffi::{c_char, c_int};
use core::sync::atomic::{AtomicI32, Ordering::Acquire, Ordering::Release};
use core::time::Duration;

/// GNU's codes and modes (netdb.h), which the libc crate lacks.
pub(super) mod gnu {
    use core::ffi::c_int;

    pub(in crate::abi) const EAI_INPROGRESS: c_int = -100;
    pub(in crate::abi) const EAI_ALLDONE: c_int = -103;
    pub(in crate::abi) const EAI_INTR: c_int = -104;
    pub(in crate::abi) const GAI_WAIT: c_int = 0;
    pub(in crate::abi) const GAI_NOWAIT: c_int = 1;
}

/// The request was given up (netdb.h).
pub(super) const EAI_CANCELED: c_int = -101;

/// `struct gaicb`: a request, and its result.
#[repr(C)]
pub struct Gaicb {
    pub(super) ar_name: *const c_char,
    pub(super) ar_service: *const c_char,
    pub(super) ar_request: *const libc::addrinfo,
    pub(super) ar_result: *mut libc::addrinfo,
    /// `__return`: what [`gai_error`] says. The same numbers at the same place as in libc's.
    pub(super) code: c_int,
    /// Free for the implementation: [`MARK`], and whose request it is (low half, high half).
    pub(super) reserved: [c_int; 5],
}

/// Says that a block was ours to work on: libc leaves its reserved members alone.
const MARK: c_int = 0x7264_6e73;

fn owner(identity: usize) -> [c_int; 3] {
    // Truncation is the point: both halves are kept, bit by bit.
    [MARK, identity as c_int, ((identity as u64) >> 32) as c_int]
}

impl Gaicb {
    /// Marks a request as under way.
    ///
    /// # Safety
    /// `block` is valid.
    pub(super) unsafe fn begin(block: *mut Gaicb, identity: usize) {
        let [mark, low, high] = owner(identity);
        // SAFETY: by the function's contract.
        unsafe {
            (*block).reserved = [mark, low, high, 0, 0];
            Gaicb::state(block).store(gnu::EAI_INPROGRESS, Release);
        }
    }

    /// Marks it as ended; the last that is done with it. `list` becomes its result.
    ///
    /// # Safety
    /// `block` is valid, and nobody else of us writes to it.
    pub(super) unsafe fn end(block: *mut Gaicb, code: c_int, list: Option<*mut libc::addrinfo>) {
        // SAFETY: by the function's contract.
        unsafe {
            if let Some(list) = list {
                (*block).ar_result = list;
            }
            // A program that polls may free the block at once: nothing may follow.
            Gaicb::state(block).store(code, Release);
        }
    }

    /// # Safety
    /// `block` is valid for `'a`.
    unsafe fn state<'a>(block: *mut Gaicb) -> &'a AtomicI32 {
        // SAFETY: by the function's contract; an int is aligned as an atomic one.
        unsafe { AtomicI32::from_ptr(&raw mut (*block).code) }
    }
}

/// Looks up the names in `list` (`nitems` pointers, null ones are passed over) at once: with
/// `GAI_WAIT` (0) returns when all are done, with `GAI_NOWAIT` (1) at once, and tells by `sevp` when
/// all are.
///
/// Returns 0, or `EAI_SYSTEM` where `mode` is neither (`errno` `EINVAL`) or some could not be taken in
/// for want of threads or memory (`EAGAIN`; those say `EAI_AGAIN` to [`gai_error`]), or `EAI_AGAIN`
/// where none could. With `GAI_WAIT` a thread is not needed: the calling one does what others don't.
/// Thread-safe; acts on a pending thread cancellation at its start.
///
/// # Safety
/// `list` is valid for `nitems` pointers. Those that are not null point to blocks whose members are
/// valid for `getaddrinfo`, and that stay so, and are not changed, until they are done or cancelled.
/// `sevp` is null or valid; attributes in it stay valid until the notification.
#[cfg_attr(feature = "libc-api", unsafe(no_mangle))]
pub unsafe extern "C-unwind" fn getaddrinfo_a(
    mode: c_int,
    list: *const *mut Gaicb,
    nitems: c_int,
    sevp: *const SignalEvent,
) -> c_int {
    guard((libc::EAI_FAIL, None), || {
        // SAFETY: by this function's contract.
        unsafe { submit(mode, pointers(list, nitems), sevp) }
    })
}

/// # Safety
/// As [`getaddrinfo_a`].
unsafe fn submit(mode: c_int, blocks: &[*mut Gaicb], sevp: *const SignalEvent) -> Returned {
    let waits = match mode {
        gnu::GAI_WAIT => true,
        gnu::GAI_NOWAIT => false,
        _ => return (libc::EAI_SYSTEM, Some(libc::EINVAL)),
    };
    // SAFETY: by the function's contract.
    let notification = if waits { None } else { unsafe { Notification::read(sevp) } };
    let group = (waits || notification.is_some()).then(|| Group::new(notification)).transpose();
    let (Ok(requests), Ok(group)) = (requests(), group) else {
        for &block in blocks.iter().filter(|block| !block.is_null()) {
            // SAFETY: by the function's contract; the block is not under way.
            unsafe { Gaicb::end(block, libc::EAI_AGAIN, None) };
        }
        return (libc::EAI_AGAIN, None);
    };
    // SAFETY: by the function's contract.
    let submitted = unsafe { requests.submit(blocks, group.as_ref(), waits) };
    match (&group, &notification) {
        (Some(group), _) if waits => {
            // As with libc the blocks are all done when the thread ends.
            calls::be_deaf();
            requests.work_off(group);
        }
        // As libc: an empty list is done.
        (_, Some(notification)) if submitted.accepted == 0 => notification.send(),
        _ => {}
    }
    match submitted.refused {
        0 => (0, None),
        _ => (libc::EAI_SYSTEM, Some(libc::EAGAIN)),
    }
}

/// Waits until one of the requests in `list` (`nitems` pointers, null ones are passed over) that are
/// under way is done. `timeout` null: for ever.
///
/// Returns 0, `EAI_ALLDONE` where none is under way, `EAI_AGAIN` when the time is over, `EAI_INTR`
/// when a signal handler has run, `EAI_MEMORY`. Thread-safe; acts on a pending thread cancellation at
/// its start, not while it waits (nor does libc's).
///
/// # Safety
/// `list` is valid for `nitems` pointers; `timeout` is null or valid.
#[cfg_attr(feature = "libc-api", unsafe(no_mangle))]
pub unsafe extern "C-unwind" fn gai_suspend(
    list: *const *const Gaicb,
    nitems: c_int,
    timeout: *const libc::timespec,
) -> c_int {
    guard((libc::EAI_FAIL, None), || {
        // SAFETY: by this function's contract.
        let (blocks, timeout) = unsafe {
            let timeout = (!timeout.is_null()).then(|| timeout.read_unaligned());
            (pointers(list, nitems), timeout)
        };
        #[allow(clippy::unnecessary_cast, reason = "narrower on some architectures")]
        let timeout = timeout.map(|time| (time.tv_sec as i64, time.tv_nsec as i64));
        suspend(blocks, timeout)
    })
}

/// [`gai_suspend`] for programs with a 64-bit `time_t` where libc's first one has 32.
///
/// # Safety
/// As [`gai_suspend`].
#[cfg(all(target_pointer_width = "32", target_env = "gnu"))]
#[cfg_attr(feature = "libc-api", unsafe(no_mangle))]
pub unsafe extern "C-unwind" fn __gai_suspend_time64(
    list: *const *const Gaicb,
    nitems: c_int,
    timeout: *const Time64,
) -> c_int {
    guard((libc::EAI_FAIL, None), || {
        // SAFETY: by this function's contract.
        let (blocks, timeout) = unsafe {
            let timeout = (!timeout.is_null()).then(|| timeout.read_unaligned());
            (pointers(list, nitems), timeout)
        };
        suspend(blocks, timeout.map(|time| time.parts()))
    })
}

/// `struct timespec` with a 64-bit `time_t`: the nanoseconds are 32 bits, on the side of the lower.
#[cfg(all(target_pointer_width = "32", target_env = "gnu"))]
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Time64 {
    seconds: i64,
    nanoseconds: [i32; 2],
}

#[cfg(all(target_pointer_width = "32", target_env = "gnu"))]
impl Time64 {
    fn parts(self) -> (i64, i64) {
        let [first, second] = self.nanoseconds;
        (self.seconds, i64::from(if cfg!(target_endian = "big") { second } else { first }))
    }
}

/// `timeout`: seconds and nanoseconds.
fn suspend(blocks: &[*const Gaicb], timeout: Option<(i64, i64)>) -> Returned {
    let deadline = timeout.map(|(seconds, nanoseconds)| {
        // A negative time is over.
        let seconds = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        let nanoseconds = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0));
        Instant::now().after(seconds.saturating_add(nanoseconds))
    });
    let outcome = match requests() {
        Ok(requests) => requests.suspend(blocks, deadline),
        Err(no_memory) => Err(no_memory),
    };
    let code = match outcome {
        Ok(Suspended::Done) => 0,
        Ok(Suspended::Nothing) => gnu::EAI_ALLDONE,
        Ok(Suspended::TimedOut) => libc::EAI_AGAIN,
        Ok(Suspended::Interrupted) => gnu::EAI_INTR,
        Err(_) => libc::EAI_MEMORY,
    };
    (code, None)
}

/// How a request stands: `EAI_INPROGRESS`, 0, `EAI_CANCELED`, or what `getaddrinfo` has returned.
///
/// In a forked child the requests that its parent had under way are `EAI_CANCELED`: nobody works on
/// them there. Keeps `errno`. Thread-safe; safe in a signal handler, but for the first call in a child.
///
/// # Safety
/// `req` is valid, and was given to `getaddrinfo_a`, ours or libc's.
#[cfg_attr(feature = "libc-api", unsafe(no_mangle))]
pub unsafe extern "C-unwind" fn gai_error(req: *mut Gaicb) -> c_int {
    // SAFETY: by this function's contract.
    let code = unsafe { Gaicb::state(req) }.load(Acquire);
    if code != gnu::EAI_INPROGRESS {
        return code;
    }
    run((code, None), || {
        // SAFETY: as above; the reserved members are written before a request is under way.
        let reserved = unsafe { (&raw const (*req).reserved).read() };
        match (requests(), reserved) {
            (Ok(requests), [MARK, low, high, ..])
                if owner(requests.identity()) != [MARK, low, high] =>
            {
                (EAI_CANCELED, None)
            }
            // It may have ended meanwhile.
            // SAFETY: as above.
            _ => (unsafe { Gaicb::state(req) }.load(Acquire), None),
        }
    })
}

/// Gives up a request, or with null all of this process's. When it returns `EAI_CANCELED` the block
/// and all that it points to are not touched any more, also where a thread was at work on it, and
/// there is no notification.
///
/// Returns `EAI_CANCELED`, or `EAI_ALLDONE` where the request is not under way. Thread-safe.
///
/// # Safety
/// A block that is under way is valid.
#[cfg_attr(feature = "libc-api", unsafe(no_mangle))]
pub unsafe extern "C-unwind" fn gai_cancel(req: *mut Gaicb) -> c_int {
    run((libc::EAI_FAIL, None), || {
        let code = match requests().map(|requests| requests.cancel(req)) {
            Ok(Cancelled::Done) => EAI_CANCELED,
            // Without memory for them there can't be any.
            Ok(Cancelled::Nothing) | Err(_) => gnu::EAI_ALLDONE,
        };
        (code, None)
    })
}

/// The pointers of a C array; none where their number is not above zero.
///
/// # Safety
/// `list` is valid for `nitems` pointers for `'a`.
unsafe fn pointers<'a, T>(list: *const T, nitems: c_int) -> &'a [T] {
    match usize::try_from(nitems) {
        Ok(count) if count > 0 && !list.is_null() => {
            // SAFETY: by the function's contract.
            unsafe { core::slice::from_raw_parts(list, count) }
        }
        _ => &[],
    }
}
