//! The terminal for a live view: a screen of its own, keys as they are pressed, and all as it was when
//! the view ends, by a key or by a signal. Compiled for the command alone.

use super::errno::retry;
use super::time::Instant;

use core::ffi::c_int;
use core::sync::atomic::{AtomicBool, Ordering::SeqCst};
use core::time::Duration;

/// A signal has asked the process to end.
static IS_INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Keys as they are pressed, until dropped.
pub struct Keys {
    /// How the terminal was; `None` where standard input is none.
    before: Option<libc::termios>,
}

/// The octet that Ctrl-C sends.
const INTERRUPT: u8 = 3;

impl Keys {
    /// From now on keys are not shown and need no Return, and SIGINT, SIGTERM and SIGHUP end a
    /// [`Keys::wait`] instead of the process.
    pub fn take() -> Keys {
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            // SAFETY: sigaction is plain data, for which zero is a value: no flags, no signal blocked.
            let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
            action.sa_sigaction = interrupt as extern "C" fn(c_int) as usize;
            // SAFETY: the action is whole, and its handler only sets a flag.
            unsafe { libc::sigaction(signal, &raw const action, core::ptr::null_mut()) };
        }
        // SAFETY: termios is plain data, for which zero is a value.
        let mut before: libc::termios = unsafe { core::mem::zeroed() };
        // SAFETY: `before` is a valid place to write to; fails where there is no terminal.
        if unsafe { libc::tcgetattr(libc::STDIN_FILENO, &raw mut before) } != 0 {
            return Keys { before: None };
        }
        let mut raw = before;
        raw.c_lflag &= !(libc::ICANON | libc::ECHO | libc::ISIG);
        // SAFETY: a terminal's attributes, whole.
        unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, &raw const raw) };
        Keys { before: Some(before) }
    }

    /// Waits so long, or until the view is to end: false then, by `q`, Ctrl-C or a signal.
    pub fn wait(&self, time: Duration) -> bool {
        let end = Instant::now().after(time);
        loop {
            let left = end.since(Instant::now());
            if IS_INTERRUPTED.load(SeqCst) {
                return false;
            }
            if left.is_zero() {
                return true;
            }
            let mut input =
                libc::pollfd { fd: libc::STDIN_FILENO, events: libc::POLLIN, revents: 0 };
            let count = if self.before.is_some() { 1 } else { 0 };
            let millis = i32::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX);
            // SAFETY: `input` is one pollfd.
            let ready = unsafe { libc::poll(&raw mut input, count, millis) };
            if ready > 0 && matches!(key(), None | Some(b'q' | b'Q' | INTERRUPT)) {
                return false;
            }
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // SAFETY: the attributes that the terminal had.
            unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, before) };
        }
    }
}

/// The key that was pressed; `None` where the terminal is gone.
fn key() -> Option<u8> {
    let mut octet = 0u8;
    // SAFETY: `octet` is a valid place for one octet.
    let read = retry(|| unsafe { libc::read(libc::STDIN_FILENO, (&raw mut octet).cast(), 1) });
    (read == Ok(1)).then_some(octet)
}

extern "C" fn interrupt(_: c_int) {
    IS_INTERRUPTED.store(true, SeqCst);
}

/// Rows and columns of the terminal on standard output; 24 and 80 where it doesn't say.
pub fn size() -> (usize, usize) {
    // SAFETY: winsize is plain data, for which zero is a value.
    let mut size: libc::winsize = unsafe { core::mem::zeroed() };
    // SAFETY: TIOCGWINSZ writes one winsize.
    unsafe { libc::ioctl(libc::STDOUT_FILENO, libc::TIOCGWINSZ, &raw mut size) };
    let known = |number: u16, usual: usize| if number == 0 { usual } else { number.into() };
    (known(size.ws_row, 24), known(size.ws_col, 80))
}
