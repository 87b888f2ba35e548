//! Environment variables, read when the state is made and at `res_init`, never per lookup where another
//! thread may be in `setenv`, which may free what `getenv` returned.

use crate::sys::mem::{NoMemory, copy};
use core::ffi::{CStr, c_char, c_void};
use core::mem::transmute;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// A copy of the variable's value; `None` where it is not set, or in a setuid or setgid process,
/// where the environment belongs to somebody with less privilege.
pub fn variable(name: &CStr) -> Result<Option<Box<[u8]>>, NoMemory> {
    if super::process::is_secure() {
        return Ok(None);
    }
    // SAFETY: `name` ends in NUL.
    let value = unsafe { libc::getenv(name.as_ptr()) };
    if value.is_null() {
        return Ok(None);
    }
    // SAFETY: getenv returns a string that ends in NUL; it is copied before anything else is called.
    copy(unsafe { CStr::from_ptr(value) }.to_bytes()).map(Some)
}

/// True where a variable may be looked for although the program has begun: the process has one thread, so that nobody
/// can be in `setenv` at the same time, or libc's `setenv` frees nothing that `getenv` has returned or walks over.
pub fn is_settled() -> bool {
    has_one_thread() || frees_nothing()
}

/// What libc knows of it (`<sys/single_threaded.h>`, GNU libc 2.32). False where it doesn't say.
fn has_one_thread() -> bool {
    // SAFETY: dlsym takes a handle of its own and a string that ends in NUL.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"__libc_single_threaded".as_ptr()) };
    // SAFETY: null, or libc's variable of this name, a `char` that is written while there is one thread.
    unsafe { found.cast::<c_char>().as_ref() }.is_some_and(|single| *single != 0)
}

/// True with GNU libc 2.41 and later, whose `getenv` may be called beside `setenv`.
fn frees_nothing() -> bool {
    const UNKNOWN: u32 = 0;
    const NO: u32 = 1;
    const YES: u32 = 2;
    static ANSWER: AtomicU32 = AtomicU32::new(UNKNOWN);
    if ANSWER.load(Relaxed) == UNKNOWN {
        let answer = if version().is_some_and(|version| version >= (2, 41)) { YES } else { NO };
        ANSWER.store(answer, Relaxed);
    }
    ANSWER.load(Relaxed) == YES
}

/// GNU libc's version, that which runs; `None` with another libc.
fn version() -> Option<(u32, u32)> {
    type Version = unsafe extern "C" fn() -> *const c_char;
    // SAFETY: dlsym takes a handle of its own and a string that ends in NUL.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"gnu_get_libc_version".as_ptr()) };
    if found.is_null() {
        return None;
    }
    // SAFETY: GNU libc's function of this name has this type, and returns a string that ends in NUL.
    let text =
        unsafe { CStr::from_ptr(transmute::<*mut c_void, Version>(found)()) }.to_str().ok()?;
    let (major, minor) = text.split_once('.')?;
    let minor = minor.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// False where there is neither rustdns.conf nor a variable of ours. For the start of a program, which most
/// are after a millisecond: all of it is one function and one system call, so that it touches as few pages
/// as can be.
#[inline(always)]
pub fn may_have_settings() -> bool {
    unsafe extern "C" {
        static environ: *const *const c_char;
    }
    const PREFIX: &[u8] = b"RUSTDNS_";
    let errno = super::process::errno();
    let is_there = super::kernel::is_there(c"/etc/rustdns.conf");
    super::process::set_errno(errno);
    if is_there {
        return true;
    }
    // SAFETY: null or a list of strings that ends in null, as libc's start has left it: the program's own code
    // hasn't begun, or is loading us and must keep its other threads from changing it (dlopen(3) reads it too).
    unsafe {
        let mut variables = environ;
        while !variables.is_null() && !(*variables).is_null() {
            if PREFIX.iter().enumerate().all(|(at, octet)| *(*variables).add(at) as u8 == *octet) {
                return true;
            }
            variables = variables.add(1);
        }
    }
    false
}
