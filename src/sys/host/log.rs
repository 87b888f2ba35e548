//! Where the debug trace goes.

use crate::sys::host::calls;
use core::ffi::CStr;

/// The program's function that is told each line of the trace. Which it is, the C file knows.
#[derive(Clone, Copy)]
pub struct Listener;

impl Listener {
    /// Tells it a line.
    pub fn tell(&self, level: u8, line: &CStr) {
        let line = line.to_bytes_with_nul();
        // SAFETY: the line is valid for its length, and ends in NUL.
        unsafe { calls::log_tell(level.into(), line.as_ptr(), line.len()) };
    }
}

/// The listener, if the program has set one.
pub fn listener() -> Option<Listener> {
    // SAFETY: no preconditions.
    (unsafe { calls::log_is_heard() } != 0).then_some(Listener)
}

/// Appends one line, its newline included, to standard error.
pub fn to_stderr(line: &[u8]) {
    write(0, &[], line);
}

/// Appends one line to the file at `path`, which is made (mode 0600) if it is missing.
pub fn to_file(path: &CStr, line: &[u8]) {
    write(1, path.to_bytes(), line);
}

/// Sends one line to the system's log at level debug.
pub fn to_syslog(line: &[u8]) {
    write(2, &[], line);
}

fn write(sink: i32, path: &[u8], line: &[u8]) {
    // SAFETY: both are valid for their lengths.
    unsafe { calls::log_line(sink, path.as_ptr(), path.len(), line.as_ptr(), line.len()) };
}
