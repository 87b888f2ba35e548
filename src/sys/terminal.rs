//! The command's terminal and its children: what signals do there. Compiled for that program alone.

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
        let handler = clear as extern "C" fn(c_int) as libc::sighandler_t;
        // SAFETY: the handler calls only what signal-safety(7) allows.
        unsafe {
            if libc::signal(signal, handler) == libc::SIG_IGN {
                libc::signal(signal, libc::SIG_IGN);
            }
        }
    }
}

extern "C" fn clear(signal: c_int) {
    if LINE_IS_SHOWN.load(SeqCst) {
        let text = b"\r\x1b[K";
        // SAFETY: the text is valid for its length.
        unsafe { libc::write(libc::STDERR_FILENO, text.as_ptr().cast(), text.len()) };
    }
    // The signal is blocked until this returns.
    // SAFETY: both take a signal's number.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}

/// The process is killed when its parent ends: a child has nothing to say to anybody else.
pub fn end_with_parent() {
    // SAFETY: PR_SET_PDEATHSIG takes a signal's number.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong) };
}

/// The name of a signal by which programs die.
pub fn signal_name(signal: c_int) -> Option<&'static str> {
    match signal {
        libc::SIGABRT => Some("SIGABRT"),
        libc::SIGBUS => Some("SIGBUS"),
        libc::SIGSEGV => Some("SIGSEGV"),
        libc::SIGKILL => Some("SIGKILL"),
        _ => None,
    }
}
