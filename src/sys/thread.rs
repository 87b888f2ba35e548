//! Threads that outlive the call that made them: detached, deaf to signals, on a small stack. And the
//! signals of the calling thread.

use super::kernel::{self, Signals};
use super::{Fault, own_object};
use core::ffi::{c_int, c_void};
use core::mem::MaybeUninit;
use core::ptr::null_mut;

/// What such a thread does.
pub trait Background: Sync + 'static {
    /// Runs on the new thread until it ends. Must not panic.
    fn serve(&'static self);
}

/// Stack for our own frames: a lookup takes less than 64 KiB (64 KiB threads of programs are served),
/// and an allocator or a logger that the program interposes gets as much again.
const OWN_STACK: usize = 128 * 1024;

/// Where libc does not say what it needs besides (thread-local storage lies on the stack).
const LIBC_STACK: usize = 128 * 1024;

/// The start of a thread; unwinding passes through it when the thread is cancelled or exits.
pub(crate) type Start = unsafe extern "C-unwind" fn(*mut c_void) -> *mut c_void;

unsafe extern "C-unwind" {
    fn pthread_create(
        thread: *mut libc::pthread_t,
        attributes: *const libc::pthread_attr_t,
        start: Start,
        argument: *mut c_void,
    ) -> c_int;
}

/// Starts a thread that serves `place`.
///
/// # Errors
/// [`Fault::Other`] or [`Fault::WouldBlock`] (`EAGAIN`) where there can be no further thread.
pub fn start<T: Background>(place: &'static T) -> Result<(), Fault> {
    unsafe extern "C-unwind" fn enter<T: Background>(place: *mut c_void) -> *mut c_void {
        // SAFETY: `start` passes a reference that is valid for ever.
        let place: &'static T = unsafe { &*place.cast::<T>().cast_const() };
        place.serve();
        null_mut()
    }
    let argument = core::ptr::from_ref(place).cast_mut().cast::<c_void>();
    let _deaf = SignalsBlocked::new();
    // With much thread-local storage even our stack is too small for libc (EINVAL): its own will do.
    // SAFETY: `enter` takes `place` back, and passes it by shared reference only.
    unsafe { create(Some(stack_size()), enter::<T>, argument) }
        .or_else(|_| unsafe { create(None, enter::<T>, argument) })
}

/// Creates a detached thread with a stack of this many octets (`None`: as libc would).
///
/// # Safety
/// `start` may be called with `argument` on another thread.
pub(crate) unsafe fn create(
    stack: Option<usize>,
    start: Start,
    argument: *mut c_void,
) -> Result<(), Fault> {
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: the attributes are initialised before anything else is done with them, and destroyed
    // once; `start` and `argument` by the function's contract.
    unsafe {
        check(libc::pthread_attr_init(attributes.as_mut_ptr()))?;
        libc::pthread_attr_setdetachstate(attributes.as_mut_ptr(), libc::PTHREAD_CREATE_DETACHED);
        let mut result = Ok(());
        if let Some(size) = stack {
            result = check(libc::pthread_attr_setstacksize(attributes.as_mut_ptr(), size));
        }
        let result = result.and_then(|()| create_with(attributes.as_ptr(), start, argument));
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        result
    }
}

/// A thread that is to be waited for.
pub(crate) struct Joinable(libc::pthread_t);

impl Joinable {
    /// Starts a thread that is deaf to signals; those of the calling thread are held off only meanwhile.
    ///
    /// # Errors
    /// As [`start`]: there can be no further thread.
    ///
    /// # Safety
    /// `start` may be called with `argument` on another thread.
    pub(crate) unsafe fn start(
        stack: usize,
        start: Start,
        argument: *mut c_void,
    ) -> Result<Joinable, Fault> {
        let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
        let mut thread = MaybeUninit::uninit();
        let _deaf = SignalsBlocked::new();
        // SAFETY: the attributes are initialised before anything else is done with them, and destroyed
        // once; `thread` is written by the call that succeeds; the rest by the function's contract.
        unsafe {
            check(libc::pthread_attr_init(attributes.as_mut_ptr()))?;
            let size = stack.saturating_add(libc_part());
            libc::pthread_attr_setstacksize(attributes.as_mut_ptr(), size);
            let made =
                check(pthread_create(thread.as_mut_ptr(), attributes.as_ptr(), start, argument));
            libc::pthread_attr_destroy(attributes.as_mut_ptr());
            made.map(|()| Joinable(thread.assume_init()))
        }
    }

    /// Waits for its end. The calling thread can't be cancelled meanwhile: every export holds that off.
    pub(crate) fn join(self) {
        // SAFETY: the thread was started joinable, and this takes what it is known by.
        unsafe { libc::pthread_join(self.0, null_mut()) };
    }
}

/// How much is left of the calling thread's stack, below this frame; `None` where that can't be found out.
pub(crate) fn stack_left() -> Option<usize> {
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    let (mut lowest, mut size) = (null_mut(), 0);
    // SAFETY: the attributes are filled by the call that succeeds, read, and destroyed once.
    unsafe {
        check(libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr())).ok()?;
        let known =
            check(libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut lowest, &raw mut size));
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        known.ok()?;
    }
    let here = (&raw const size) as usize;
    here.checked_sub(lowest as usize)
}

/// Creates a thread with a caller's attributes, which may outlive the call and all use of this library.
///
/// # Errors
/// There can be no further thread, or this code can't be kept for it ([`own_object::keep`]).
///
/// # Safety
/// `attributes` are initialised; `start` may be called with `argument` on another thread.
pub(crate) unsafe fn create_with(
    attributes: *const libc::pthread_attr_t,
    start: Start,
    argument: *mut c_void,
) -> Result<(), Fault> {
    if !own_object::keep() {
        return Err(Fault::WouldBlock);
    }
    let mut thread = MaybeUninit::uninit();
    // SAFETY: `thread` may be written to; the rest by the function's contract.
    check(unsafe { pthread_create(thread.as_mut_ptr(), attributes, start, argument) })
}

fn check(errno: c_int) -> Result<(), Fault> {
    if errno == 0 { Ok(()) } else { Err(Fault::from_errno(errno)) }
}

fn stack_size() -> usize {
    OWN_STACK.saturating_add(libc_part())
}

/// What libc takes of a stack for itself.
fn libc_part() -> usize {
    type MinimalStack = unsafe extern "C" fn(*const libc::pthread_attr_t) -> usize;
    // SAFETY: dlsym takes a handle of its own and a string that ends in NUL.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"__pthread_get_minstack".as_ptr()) };
    if found.is_null() {
        LIBC_STACK
    } else {
        // SAFETY: GNU libc's function of this name has this type, and does not read the attributes.
        unsafe { core::mem::transmute::<*mut c_void, MinimalStack>(found)(core::ptr::null()) }
    }
}

/// Holds off all signals of the calling thread until dropped, so that no handler of the program runs
/// (and calls us again) in between. Those that libc needs itself are left out.
pub struct SignalsBlocked {
    before: Signals,
}

impl SignalsBlocked {
    /// Blocks them.
    pub fn new() -> SignalsBlocked {
        SignalsBlocked { before: kernel::rt_sigprocmask(libc::SIG_SETMASK, Signals::all()) }
    }
}

impl Default for SignalsBlocked {
    fn default() -> SignalsBlocked {
        SignalsBlocked::new()
    }
}

impl Drop for SignalsBlocked {
    fn drop(&mut self) {
        kernel::rt_sigprocmask(libc::SIG_SETMASK, self.before);
    }
}

/// Lets the calling thread receive every signal.
pub fn unblock_signals() {
    kernel::rt_sigprocmask(libc::SIG_SETMASK, Signals::NONE);
}
