//! What belongs to the process.

use crate::sys::host::calls;

/// `errno` is kept by the C file, for the whole of a call.
pub fn errno() -> i32 {
    0
}

/// See [`errno`].
pub fn set_errno(_errno: i32) {}

/// True where the process can give up what it may see: change its root directory or its user.
pub fn may_give_up_rights() -> bool {
    // SAFETY: no preconditions.
    unsafe { calls::may_give_up_rights() != 0 }
}

/// The process id.
pub fn id() -> i32 {
    // SAFETY: no preconditions.
    unsafe { calls::process_id() }
}

/// Tells threads apart: there is one to an instance of the core.
pub fn thread_mark() -> usize {
    0
}

/// See [`thread_mark`].
pub fn thread_mark_below(_bound: usize) -> usize {
    0
}

/// The calling thread's id, as gettid(2) has it.
pub fn thread_id() -> i32 {
    // SAFETY: no preconditions.
    unsafe { calls::thread_id() }
}

/// This host's name, as `gethostname(2)` gives it, in `buffer`; empty where it can't be had.
pub fn host_name(buffer: &mut [u8; 256]) -> &[u8] {
    // SAFETY: the buffer is valid for the length given.
    let len = unsafe { calls::host_name(buffer.as_mut_ptr(), buffer.len()) };
    buffer.get(..len).unwrap_or_default()
}

/// Fills `buffer` with unpredictable octets; false where there are none to be had.
pub fn random(buffer: &mut [u8]) -> bool {
    // SAFETY: the buffer is valid for the length given.
    unsafe { calls::random(buffer.as_mut_ptr(), buffer.len()) != 0 }
}

/// A number that others can't foresee, for where things lie in a table.
pub fn seed() -> u64 {
    // SAFETY: no preconditions.
    unsafe { calls::seed() }
}

/// Nobody else runs in this instance.
pub fn yield_now() {}
