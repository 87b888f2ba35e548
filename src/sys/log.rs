//! Where the debug trace goes. Nothing is kept open between lines: a descriptor of ours could be
//! closed, or its number reused, by the program that we live in.

use super::files::{File, Status};
use super::kernel::{self, Signals};
use super::process;
use crate::sys::mem::NoMemory;
use core::alloc::Layout;
use core::ffi::{CStr, c_char, c_int, c_void};
use core::ptr::{NonNull, null_mut};
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

/// A C function that is told lines: its own context, the level (1 or 2), the line.
pub type Listen = unsafe extern "C-unwind" fn(*mut c_void, c_int, *const c_char);

/// A function of the program's that is told each line of the trace.
#[derive(Clone, Copy)]
pub struct Listener {
    function: Listen,
    context: *mut c_void,
}

/// The program's listener. What it points to never changes and is never freed: another thread may
/// be reading it. It belongs to the program, not to our state, so a forked child keeps it.
static LISTENER: AtomicPtr<Listener> = AtomicPtr::new(null_mut());

impl Listener {
    /// `function` will be given `context` with each line.
    ///
    /// # Safety
    /// `function` may be called from any thread, at any time from now on, with `context`.
    pub unsafe fn new(function: Listen, context: *mut c_void) -> Listener {
        Listener { function, context }
    }

    /// Tells it a line.
    pub fn tell(&self, level: u8, line: &CStr) {
        // SAFETY: callable by the contract of `new`; the line ends in NUL and outlives the call.
        unsafe { (self.function)(self.context, level.into(), line.as_ptr()) };
    }
}

/// The listener, if the program has set one.
pub fn listener() -> Option<Listener> {
    // SAFETY: null, or what `listen` has stored: whole, and never freed.
    unsafe { LISTENER.load(Ordering::Acquire).as_ref() }.copied()
}

/// From now on lines are told to `listener`, or with `None` to nobody. Each listener set takes a few
/// octets for as long as the process lives.
pub fn listen(listener: Option<Listener>) -> Result<(), NoMemory> {
    let place = match listener {
        None => null_mut(),
        Some(listener) => {
            // SAFETY: a listener has a size above zero.
            let place = unsafe { std::alloc::alloc(Layout::new::<Listener>()) }.cast::<Listener>();
            let place = NonNull::new(place).ok_or(NoMemory)?;
            // SAFETY: freshly allocated with this type's layout, and ours alone.
            unsafe { place.write(listener) };
            place.as_ptr()
        }
    };
    LISTENER.store(place, Ordering::Release);
    Ok(())
}

/// Appends one line, its newline included, to standard error.
pub fn to_stderr(line: &[u8]) {
    write_all(libc::STDERR_FILENO, line);
}

/// Appends one line to the file at `path`, which is made (mode 0600) if it is missing. Never waits, not
/// even for a pipe's reader.
///
/// Not where the path ends in a symbolic link; nor, in a process that has more rights than who started
/// it, where the file has another name besides, or belongs to somebody else than the process's user:
/// somebody might have put it there for the process to write to.
pub fn to_file(path: &CStr, line: &[u8]) {
    let flags = libc::O_WRONLY
        | libc::O_APPEND
        | libc::O_CREAT
        | libc::O_CLOEXEC
        | libc::O_NOFOLLOW
        | libc::O_NONBLOCK
        | libc::O_NOCTTY;
    // SAFETY: `path` ends in NUL; with O_CREAT a mode follows.
    let descriptor = unsafe { kernel::open(path.as_ptr(), flags, 0o600) };
    if descriptor < 0 {
        return;
    }
    let file = File::of(descriptor);
    let is_own = |status: Status| {
        let is_plain = status.mode & libc::S_IFMT == libc::S_IFREG && status.links == 1;
        is_plain && status.owner == process::effective_user()
    };
    if !process::is_secure() || Status::of(&file).is_ok_and(is_own) {
        write_all(file.descriptor(), line);
    }
}

/// Sends one line to the system's log at level debug.
///
/// By a datagram of our own to `/dev/log`: `syslog(3)` keeps a descriptor, and its identity belongs
/// to the program.
pub fn to_syslog(line: &[u8]) {
    // SAFETY: sockaddr_un is plain data, for which zero is a value.
    let mut address: libc::sockaddr_un = unsafe { core::mem::zeroed() };
    address.sun_family = libc::AF_UNIX as libc::sa_family_t;
    for (to, from) in address.sun_path.iter_mut().zip(b"/dev/log") {
        *to = *from as libc::c_char;
    }
    // facility user (1), severity debug (7), RFC 3164.
    let priority = b"<15>rustdns: ";
    let text = line.strip_suffix(b"\n").unwrap_or(line);
    let mut parts = [
        libc::iovec { iov_base: priority.as_ptr().cast_mut().cast(), iov_len: priority.len() },
        libc::iovec { iov_base: text.as_ptr().cast_mut().cast(), iov_len: text.len() },
    ];
    // SAFETY: plain integers.
    let descriptor =
        unsafe { kernel::socket(libc::AF_UNIX, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    if descriptor < 0 {
        return;
    }
    // SAFETY: msghdr is plain data, for which zero is a value.
    let mut message: libc::msghdr = unsafe { core::mem::zeroed() };
    message.msg_name = (&raw mut address).cast();
    message.msg_namelen = size_of::<libc::sockaddr_un>() as libc::socklen_t;
    message.msg_iov = parts.as_mut_ptr();
    message.msg_iovlen = 2;
    // SAFETY: the message's address and vectors outlive the call; sendmsg only reads them.
    unsafe {
        kernel::sendmsg(descriptor, &raw const message, libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT);
        kernel::close(descriptor);
    }
}

/// Writes a line. Neither a reader that has gone (SIGPIPE) nor a limit on file sizes (SIGXFSZ) ends the
/// process, and one that stands still is not waited for: a line that can't be written is lost.
fn write_all(descriptor: i32, mut rest: &[u8]) {
    let _quiet = Quiet::new();
    while !rest.is_empty() && has_room(descriptor) {
        // SAFETY: `rest` is valid for its length.
        let n = unsafe { kernel::write(descriptor, rest.as_ptr().cast(), rest.len()) };
        match usize::try_from(n) {
            Ok(n) if n > 0 => rest = rest.get(n..).unwrap_or_default(),
            Ok(_) => return,
            Err(_) if process::errno() == libc::EINTR => {}
            // A trace that can't be written is lost; the lookup goes on.
            Err(_) => return,
        }
    }
}

/// True where a line can be written without waiting. A pipe's reader gets a tenth of a second to catch up,
/// once: until it has, nobody waits again.
fn has_room(descriptor: i32) -> bool {
    const PATIENCE: c_int = 100;
    static STANDS_STILL: AtomicBool = AtomicBool::new(false);
    let patience = if STANDS_STILL.load(Ordering::Relaxed) { 0 } else { PATIENCE };
    let mut interest = libc::pollfd { fd: descriptor, events: libc::POLLOUT, revents: 0 };
    // SAFETY: one descriptor to look at, valid for the call.
    let ready = unsafe { kernel::poll(&raw mut interest, 1, patience) };
    // A signal handler that ran meanwhile costs no line.
    let has_room = ready != 0;
    if STANDS_STILL.load(Ordering::Relaxed) == has_room {
        STANDS_STILL.store(!has_room, Ordering::Relaxed);
    }
    has_room
}

/// Holds off the signals that a write of ours may cause, and takes back those that it has caused. The kernel
/// sends them to the thread that writes.
struct Quiet {
    before: Signals,
    /// Those of [`Quiet::ours`] that were pending before: somebody else's.
    pending: Signals,
}

impl Quiet {
    fn new() -> Quiet {
        let pending = kernel::rt_sigpending();
        let before = kernel::rt_sigprocmask(libc::SIG_BLOCK, Quiet::ours());
        Quiet { before, pending }
    }

    fn ours() -> Signals {
        Signals::of(&[libc::SIGPIPE, libc::SIGXFSZ])
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let errno = process::errno();
        let ours = Quiet::ours().without(self.pending);
        while kernel::rt_sigtimedwait(ours) {}
        kernel::rt_sigprocmask(libc::SIG_SETMASK, self.before);
        process::set_errno(errno);
    }
}
