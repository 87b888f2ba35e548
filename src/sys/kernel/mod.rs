//! System calls of our own. libc's functions of these names may be the program's in our process, or a wrapper's
//! before us: whoever defines `poll`, `connect` or `clock_gettime` is called by everything that is linked to it by name.
//! What is called here is the kernel, by its own instruction ([`entry`]), and time by its own page ([`clock`]).
//!
//! The functions are libc's in all else: -1 and `errno` for a failure, the system calls that GNU libc makes, for filters
//! (seccomp(2)) are written by those. None is a cancellation point. All may be called in a signal handler and
//! after fork(2).

mod clock;
mod entry;
mod segments;
mod signals;
mod sockets;
mod status;

pub(crate) use self::clock::clock_gettime;
pub(crate) use self::segments::{shm_remove, shmat, shmdt, shmget};
pub(crate) use self::signals::{Signals, rt_sigpending, rt_sigprocmask, rt_sigtimedwait};
pub(crate) use self::sockets::*;
pub(crate) use self::status::{Statx, status, statx};

use super::process;
use core::ffi::{CStr, c_int, c_void};

/// The greatest `errno` that the kernel has.
const LAST_ERRNO: isize = 4095;

/// Up to six arguments as registers hold them.
macro_rules! words {
    ($($argument:expr),* $(,)?) => {{
        let mut words = [0usize; 6];
        let mut _places = words.iter_mut();
        $(
            if let Some(place) = _places.next() {
                *place = $crate::sys::kernel::Argument::word($argument);
            }
        )*
        words
    }};
}
pub(crate) use words;

/// Makes the system call of this number with up to six arguments: pointers, and numbers as the kernel takes them.
/// -1 and `errno` where it fails.
macro_rules! call {
    ($number:expr $(, $argument:expr)* $(,)?) => {
        $crate::sys::kernel::make($number as usize, $crate::sys::kernel::words!($($argument),*))
    };
}
pub(crate) use call;

/// What the kernel takes in a register.
pub(crate) trait Argument {
    /// As a register holds it.
    fn word(self) -> usize;
}

impl Argument for usize {
    #[inline(always)]
    fn word(self) -> usize {
        self
    }
}

impl Argument for c_int {
    #[inline(always)]
    fn word(self) -> usize {
        self as isize as usize
    }
}

impl Argument for u32 {
    #[inline(always)]
    fn word(self) -> usize {
        self as usize
    }
}

impl<T> Argument for *const T {
    #[inline(always)]
    fn word(self) -> usize {
        self.expose_provenance()
    }
}

impl<T> Argument for *mut T {
    #[inline(always)]
    fn word(self) -> usize {
        self.expose_provenance()
    }
}

/// What [`call`] stands for.
///
/// # Safety
/// As the call has it.
#[inline]
pub(crate) unsafe fn make(number: usize, arguments: [usize; 6]) -> isize {
    // SAFETY: by the function's contract.
    let result = unsafe { entry::enter(number, arguments) };
    if (-LAST_ERRNO..0).contains(&result) {
        process::set_errno(-result as i32);
        return -1;
    }
    result
}

/// close(2). The arguments, results and errors of this and what follows are those of libc's function, and so is
/// what it asks of its caller.
pub(crate) unsafe fn close(descriptor: c_int) -> c_int {
    // SAFETY: the caller's arguments are those that the call wants; so in all that follow.
    unsafe { call!(libc::SYS_close, descriptor) as c_int }
}

/// open(2), as openat(2) from the current folder; with `O_LARGEFILE` where an offset has 32 bits without it.
pub(crate) unsafe fn open(path: *const core::ffi::c_char, flags: c_int, mode: u32) -> c_int {
    // SAFETY: as above.
    unsafe {
        call!(libc::SYS_openat, libc::AT_FDCWD, path, flags | libc::O_LARGEFILE, mode) as c_int
    }
}

/// read(2).
pub(crate) unsafe fn read(descriptor: c_int, place: *mut c_void, len: usize) -> isize {
    // SAFETY: as above.
    unsafe { call!(libc::SYS_read, descriptor, place, len) }
}

/// write(2).
pub(crate) unsafe fn write(descriptor: c_int, octets: *const c_void, len: usize) -> isize {
    // SAFETY: as above.
    unsafe { call!(libc::SYS_write, descriptor, octets, len) }
}

/// readlinkat(2) from the current folder.
pub(crate) unsafe fn readlink(path: *const core::ffi::c_char, place: *mut u8, len: usize) -> isize {
    // SAFETY: as above.
    unsafe { call!(libc::SYS_readlinkat, libc::AT_FDCWD, path, place, len) }
}

/// True where there is a file at the path (access(2)).
pub(crate) fn is_there(path: &CStr) -> bool {
    // SAFETY: the path ends in NUL.
    unsafe {
        #[cfg(has_access)]
        return (call!(libc::SYS_access, path.as_ptr(), libc::F_OK) as c_int) == 0;
        #[cfg(not(has_access))]
        return (call!(libc::SYS_faccessat, libc::AT_FDCWD, path.as_ptr(), libc::F_OK) as c_int)
            == 0;
    }
}

/// ioctl(2) with a pointer.
pub(crate) unsafe fn ioctl<T>(descriptor: c_int, request: u32, place: *mut T) -> c_int {
    // SAFETY: as above.
    unsafe { call!(libc::SYS_ioctl, descriptor, request, place) as c_int }
}

/// poll(2), in milliseconds; on newer architectures by ppoll(2).
pub(crate) unsafe fn poll(
    interests: *mut libc::pollfd,
    count: usize,
    milliseconds: c_int,
) -> c_int {
    #[cfg(has_access)]
    // SAFETY: as above.
    unsafe {
        call!(libc::SYS_poll, interests, count, milliseconds) as c_int
    }
    #[cfg(not(has_access))]
    // SAFETY: as above; the time is two words of the kernel's, and there is no set of signals.
    unsafe {
        let time = [i64::from(milliseconds) / 1000, i64::from(milliseconds) % 1000 * 1_000_000];
        let place = if milliseconds < 0 { core::ptr::null() } else { time.as_ptr() };
        call!(libc::SYS_ppoll, interests, count, place, 0usize, 0usize) as c_int
    }
}

/// mmap(2) of private memory at an address of the kernel's choice. `MAP_FAILED` where there is none.
pub(crate) fn map_memory(len: usize) -> *mut c_void {
    let (protection, flags) =
        (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: such a mapping touches nothing of ours.
    let place = unsafe {
        #[cfg(target_arch = "s390x")]
        {
            // The call takes a pointer to its arguments.
            let arguments = [0, len, protection.word(), flags.word(), (-1i32).word(), 0];
            call!(libc::SYS_mmap, arguments.as_ptr())
        }
        #[cfg(all(not(target_arch = "s390x"), has_mmap2))]
        {
            call!(libc::SYS_mmap2, 0usize, len, protection, flags, -1, 0usize)
        }
        #[cfg(all(not(target_arch = "s390x"), not(has_mmap2)))]
        {
            call!(libc::SYS_mmap, 0usize, len, protection, flags, -1, 0usize)
        }
    };
    core::ptr::with_exposed_provenance_mut(place as usize)
}

/// munmap(2).
pub(crate) unsafe fn munmap(place: *mut c_void, len: usize) -> c_int {
    // SAFETY: as above.
    unsafe { call!(libc::SYS_munmap, place, len) as c_int }
}

/// madvise(2).
pub(crate) unsafe fn madvise(place: *mut c_void, len: usize, advice: c_int) -> c_int {
    // SAFETY: as above.
    unsafe { call!(libc::SYS_madvise, place, len, advice) as c_int }
}

/// getrandom(2).
pub(crate) unsafe fn getrandom(place: *mut c_void, len: usize, flags: u32) -> isize {
    // SAFETY: as above.
    unsafe { call!(libc::SYS_getrandom, place, len, flags) }
}

/// futex(2) with four arguments.
pub(crate) unsafe fn futex<T>(
    place: *const u32,
    operation: c_int,
    number: u32,
    time: *const T,
) -> isize {
    // SAFETY: as above.
    unsafe { call!(libc::SYS_futex, place, operation, number, time) }
}

/// A number of the process's or the thread's, which can't fail.
macro_rules! number_of {
    ($(#[$about:meta])* $name:ident, $number:ident, $type:ty) => {
        $(#[$about])*
        pub(crate) fn $name() -> $type {
            // SAFETY: the call has no preconditions.
            unsafe { call!(libc::$number) as $type }
        }
    };
}

number_of!(
    /// getpid(2).
    getpid, SYS_getpid, i32
);
number_of!(
    /// gettid(2).
    gettid, SYS_gettid, i32
);
#[cfg(not(any(target_arch = "x86", target_arch = "arm")))]
number_of!(
    /// geteuid(2).
    geteuid, SYS_geteuid, u32
);
#[cfg(all(target_env = "gnu", not(any(target_arch = "x86", target_arch = "arm"))))]
number_of!(
    /// getuid(2).
    getuid, SYS_getuid, u32
);
#[cfg(any(target_arch = "x86", target_arch = "arm"))]
number_of!(
    /// geteuid(2).
    geteuid, SYS_geteuid32, u32
);
#[cfg(all(target_env = "gnu", any(target_arch = "x86", target_arch = "arm")))]
number_of!(
    /// getuid(2).
    getuid, SYS_getuid32, u32
);

/// This host's name and the NUL behind it (uname(2)); `None` where the kernel has none.
pub(crate) fn node_name() -> Option<[u8; 65]> {
    let mut names = [[0u8; 65]; 6];
    // SAFETY: `names` has the form of the kernel's `new_utsname`: six texts of 65 octets.
    let result = unsafe { call!(libc::SYS_uname, names.as_mut_ptr()) as c_int };
    let [_, node, ..] = names;
    (result == 0).then_some(node)
}

/// A value of the auxiliary vector (getauxval(3)); 0 where it has none.
pub(crate) fn auxiliary(kind: usize) -> usize {
    #[cfg(target_env = "gnu")]
    unsafe extern "C" {
        // A name that no program may take.
        fn __getauxval(kind: core::ffi::c_ulong) -> core::ffi::c_ulong;
    }
    #[cfg(not(target_env = "gnu"))]
    use libc::getauxval as __getauxval;
    // SAFETY: no preconditions.
    unsafe { __getauxval(kind as _) as usize }
}

/// The size of a page of memory, in octets.
pub(crate) fn page_size() -> usize {
    match auxiliary(libc::AT_PAGESZ as usize) {
        0 => 65536,
        size => size,
    }
}
