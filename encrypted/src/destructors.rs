//! Destructors of thread-local values, as std registers them.
//!
//! libc's own function for that takes the dynamic linker's lock. The thread that waits for ours may hold it,
//! because the program looks a name up in a constructor of an object that it is loading: then both would
//! wait for ever. Keys of pthread take no lock.

#![allow(unsafe_code)]

use core::ffi::{c_int, c_uint, c_void};
use core::sync::atomic::{AtomicU32, Ordering};

type Destructor = unsafe extern "C" fn(*mut c_void);

unsafe extern "C" {
    fn pthread_key_create(key: *mut c_uint, destructor: Option<Destructor>) -> c_int;
    fn pthread_key_delete(key: c_uint) -> c_int;
    fn pthread_getspecific(key: c_uint) -> *mut c_void;
    fn pthread_setspecific(key: c_uint, value: *const c_void) -> c_int;
}

/// A destructor to be called, and those that were registered before it.
struct Node {
    destructor: Destructor,
    value: *mut c_void,
    before: *mut Node,
}

/// In place of libc's function of this name, within this object: calls `destructor` with `value` when the
/// calling thread ends. Returns 0, or -1 where that can't be.
///
/// # Safety
/// `destructor` may be called so.
#[unsafe(no_mangle)]
unsafe extern "C" fn __cxa_thread_atexit_impl(
    destructor: Destructor,
    value: *mut c_void,
    _object: *mut c_void,
) -> c_int {
    let Some(key) = key() else { return -1 };
    // SAFETY: the key is one of ours, and never deleted.
    let before = unsafe { pthread_getspecific(key) }.cast();
    let node = Box::into_raw(Box::new(Node { destructor, value, before }));
    // SAFETY: as above; the value is this thread's list.
    let set = unsafe { pthread_setspecific(key, node.cast()) };
    if set != 0 {
        // SAFETY: made above, and known to nobody else.
        drop(unsafe { Box::from_raw(node) });
        return -1;
    }
    0
}

/// The key, plus one; 0: none yet.
static KEY: AtomicU32 = AtomicU32::new(0);

fn key() -> Option<c_uint> {
    if let Some(key) = KEY.load(Ordering::Acquire).checked_sub(1) {
        return Some(key);
    }
    let mut fresh = 0;
    // SAFETY: `fresh` may be written to, and `run` takes what is stored under the key.
    if unsafe { pthread_key_create(&raw mut fresh, Some(run)) } != 0 {
        return None;
    }
    match KEY.compare_exchange(0, fresh + 1, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => Some(fresh),
        Err(theirs) => {
            // SAFETY: nothing was stored under it.
            unsafe { pthread_key_delete(fresh) };
            theirs.checked_sub(1)
        }
    }
}

/// At a thread's end; libc has emptied its place, and calls this again for what is registered meanwhile.
unsafe extern "C" fn run(list: *mut c_void) {
    let mut next = list.cast::<Node>();
    while !next.is_null() {
        // SAFETY: made by the function above, and nobody else's any more.
        let node = unsafe { Box::from_raw(next) };
        next = node.before;
        // SAFETY: by the contract of that function, once.
        unsafe { (node.destructor)(node.value) };
    }
}
