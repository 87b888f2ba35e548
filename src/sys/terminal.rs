//! The command's terminal: what an interrupt leaves there. Compiled for that program alone.

use core::ffi::c_int;
use core::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// A line on standard error has no end yet, and is to be gone at the end.
static LINE_IS_SHOWN: AtomicBool = AtomicBool::new(false);

/// Says whether standard error's last line is one to be cleared.
pub fn line_is_shown(is: bool) {
    LINE_IS_SHOWN.store(is, SeqCst);
}

/// From now on SIGINT and SIGTERM clear the line before they end the process, as they would without.
/// One that is ignored stays so (nohup(1)).
pub fn clear_line_on_interrupt() {
    for signal in [libc::SIGINT, libc::SIGTERM] {
        // SAFETY: as below.
        let mut present: libc::sigaction = unsafe { core::mem::zeroed() };
        // SAFETY: a null action changes nothing, and `present` is a valid place to write to.
        unsafe { libc::sigaction(signal, core::ptr::null(), &raw mut present) };
        if present.sa_sigaction == libc::SIG_IGN {
            continue;
        }
        // SAFETY: sigaction is plain data, for which zero is a value: no flags, no signal blocked.
        let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
        action.sa_sigaction = clear as extern "C" fn(c_int) as usize;
        action.sa_flags = libc::SA_RESETHAND;
        // SAFETY: the action is whole, and its handler calls only what signal-safety(7) allows.
        unsafe { libc::sigaction(signal, &raw const action, core::ptr::null_mut()) };
    }
}

extern "C" fn clear(signal: c_int) {
    if LINE_IS_SHOWN.load(SeqCst) {
        let text = b"\r\x1b[K";
        // SAFETY: the text is valid for its length.
        unsafe { libc::write(libc::STDERR_FILENO, text.as_ptr().cast(), text.len()) };
    }
    // The handler is gone by SA_RESETHAND, and the signal is blocked until this returns.
    // SAFETY: raise takes a signal's number.
    unsafe { libc::raise(signal) };
}

/// The process is killed when its parent ends: a child has nothing to say to anybody else.
pub fn end_with_parent() {
    // SAFETY: PR_SET_PDEATHSIG takes a signal's number.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong) };
}
