//! How a program is told that its list of requests is done: `struct sigevent` (sigevent(7)).

use crate::sys::kernel::{self, call};
use crate::sys::{process, thread};
use core::ffi::{c_int, c_void};
use core::mem::size_of;
use core::ptr::null_mut;

/// `union sigval`: by value it is passed as a union, which is not everywhere as a pointer is.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) union SignalValue {
    number: c_int,
    pointer: *mut c_void,
}

/// `struct sigevent`, as far as it is read here; the libc crate has no function in it.
#[repr(C)]
pub struct SignalEvent {
    pub(super) value: SignalValue,
    pub(super) signal: c_int,
    pub(super) notify: c_int,
    pub(super) function: *const c_void,
    pub(super) attributes: *const libc::pthread_attr_t,
}

/// `sigev_notify`; the libc crate lacks the last on some targets.
pub(super) const SIGEV_SIGNAL: c_int = 0;
pub(super) const SIGEV_THREAD: c_int = 2;

/// `si_code` of a signal that tells of a finished `getaddrinfo_a` (asm-generic/siginfo.h).
pub(super) const SI_ASYNCNL: c_int = -60;

type Function = unsafe extern "C-unwind" fn(SignalValue);

/// A signal to send or a function to call when a list of requests is done.
#[derive(Clone, Copy)]
pub(super) enum Notification {
    /// To this process, as it was named when the list was handed in.
    Signal { signal: c_int, value: SignalValue, process: c_int },
    /// On a thread of its own, with the caller's attributes where there are any.
    Thread { function: Function, value: SignalValue, attributes: *const libc::pthread_attr_t },
}

// SAFETY: the pointers are the program's: they are handed back to it, and the attributes are to stay
// valid until the notification by the contract of `getaddrinfo_a`.
unsafe impl Send for Notification {}
// SAFETY: as above; nothing is written.
unsafe impl Sync for Notification {}

impl Notification {
    /// Reads what the program wants; `None` for no notification, and for kinds that are unknown.
    ///
    /// # Safety
    /// `event` is null or valid, with the members set that its `sigev_notify` calls for.
    pub(super) unsafe fn read(event: *const SignalEvent) -> Option<Notification> {
        if event.is_null() {
            return None;
        }
        // SAFETY: by the function's contract; members that need not be set are not read.
        unsafe {
            match (&raw const (*event).notify).read_unaligned() {
                SIGEV_SIGNAL => Some(Notification::Signal {
                    signal: (&raw const (*event).signal).read_unaligned(),
                    value: (&raw const (*event).value).read_unaligned(),
                    process: process::id(),
                }),
                SIGEV_THREAD => {
                    let function = (&raw const (*event).function).read_unaligned();
                    if function.is_null() {
                        return None;
                    }
                    Some(Notification::Thread {
                        function: core::mem::transmute::<*const c_void, Function>(function),
                        value: (&raw const (*event).value).read_unaligned(),
                        attributes: (&raw const (*event).attributes).read_unaligned(),
                    })
                }
                _ => None,
            }
        }
    }

    /// Tells the program. Where there is no room for a signal or a thread it is not told, as by libc.
    pub(super) fn send(&self) {
        match *self {
            Notification::Signal { signal, value, process } => queue(signal, value, process),
            Notification::Thread { function, value, attributes } => {
                call_on_thread(function, value, attributes);
            }
        }
    }
}

/// `siginfo_t` of a queued signal, as far as the libc crate leaves it out.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Queued {
    /// Signal, code and error: in which order, the libc crate knows.
    head: [c_int; 3],
    pub(super) sender: Sender,
}

#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Sender {
    pub(super) process: c_int,
    pub(super) user: libc::uid_t,
    pub(super) value: SignalValue,
}

#[repr(C)]
union SignalInfo {
    queued: Queued,
    whole: libc::siginfo_t,
}

fn queue(signal: c_int, value: SignalValue, process: c_int) {
    // SAFETY: integers and pointers, for which zero is a value.
    let mut info: SignalInfo = unsafe { core::mem::zeroed() };
    info.queued.sender = Sender { process, user: kernel::getuid(), value };
    info.whole.si_signo = signal;
    info.whole.si_code = SI_ASYNCNL;
    // SAFETY: the kernel reads a whole siginfo_t, which is there.
    unsafe { call!(libc::SYS_rt_sigqueueinfo, process, signal, &raw const info) };
}

/// What the new thread is given; its own allocation, because the list's may be gone by then.
struct Call {
    function: Function,
    value: SignalValue,
}

fn call_on_thread(function: Function, value: SignalValue, attributes: *const libc::pthread_attr_t) {
    // SAFETY: malloc has no preconditions.
    let call = unsafe { libc::malloc(size_of::<Call>()) }.cast::<Call>();
    if call.is_null() {
        return;
    }
    // SAFETY: malloc's memory is large enough, aligned for pointers, and ours.
    unsafe { call.write(Call { function, value }) };
    // The program's function gets libc's usual stack, or the one it asked for.
    // SAFETY: `enter` takes the call over, and is called at most once; attributes that are not null
    // are initialised by the contract of `getaddrinfo_a`.
    let started = unsafe {
        if attributes.is_null() {
            thread::create(None, enter, call.cast())
        } else {
            thread::create_with(attributes, enter, call.cast())
        }
    };
    if started.is_err() {
        // SAFETY: no thread has been started that would free it.
        unsafe { libc::free(call.cast()) };
    }
}

/// The notification's thread; holds nothing to drop while the program's function runs, which may end
/// the thread.
unsafe extern "C-unwind" fn enter(call: *mut c_void) -> *mut c_void {
    // SAFETY: `call_on_thread` passes a call, which is this thread's alone.
    let Call { function, value } = unsafe {
        let read = call.cast::<Call>().read();
        libc::free(call);
        read
    };
    // Threads of ours are deaf to signals, and this one inherits it from them.
    thread::unblock_signals();
    // SAFETY: the program gave this function to be called with this value.
    unsafe { function(value) };
    null_mut()
}
