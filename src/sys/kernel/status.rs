//! What the kernel says of a file: by newfstatat(2), which GNU libc asks, where libc's `stat` is the kernel's own; else by
//! statx(2), which is the same on every architecture.

use super::call;
use core::ffi::{CStr, c_int};

/// `struct statx` of the kernel (statx(2)).
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct Statx {
    /// Which of the fields are filled.
    pub(crate) mask: u32,
    _block_size: u32,
    _attributes: u64,
    /// How many names it has.
    pub(crate) links: u32,
    /// Whose it is.
    pub(crate) owner: u32,
    _group: u32,
    /// What kind of file it is, and what who may.
    pub(crate) mode: u16,
    /// Its number on its device.
    pub(crate) inode: u64,
    /// In octets.
    pub(crate) size: u64,
    _blocks_and_attributes: [u64; 2],
    _accessed_and_made: [Time; 2],
    /// When its status has changed.
    pub(crate) changed: Time,
    /// When its content has.
    pub(crate) modified: Time,
    _of_device: [u32; 2],
    /// The device's numbers, major and minor.
    pub(crate) device: [u32; 2],
    /// The mount's number.
    pub(crate) mount: u64,
    _rest: [u64; 13],
}

/// A time of a file's.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct Time {
    /// Since 1970.
    pub(crate) seconds: i64,
    /// Below 10^9.
    pub(crate) nanoseconds: u32,
    _none: i32,
}

const _: () = assert!(size_of::<Statx>() == 256);

/// statx(2): the fields of `mask`, with these flags. -1 where it fails.
pub(crate) fn statx(
    folder: c_int,
    path: &CStr,
    flags: c_int,
    mask: u32,
    place: &mut Statx,
) -> c_int {
    let place: *mut Statx = place;
    // SAFETY: the path ends in NUL, and the place has the size that the kernel fills.
    unsafe { call!(libc::SYS_statx, folder, path.as_ptr(), flags, mask, place) as c_int }
}

/// The fields that stat(2) has, of the file at the path, or of the descriptor with `AT_EMPTY_PATH`. -1 where it fails.
#[cfg(not(has_stat))]
pub(crate) fn status(folder: c_int, path: &CStr, flags: c_int, place: &mut Statx) -> c_int {
    /// `STATX_BASIC_STATS`
    const BASIC: u32 = 0x7ff;
    match statx(folder, path, flags, BASIC, place) {
        -1 => older(folder, path, flags, place),
        result => result,
    }
}

/// Where the kernel is older than Linux 4.11.
#[cfg(all(not(has_stat), target_env = "gnu", any(target_arch = "x86", target_arch = "arm")))]
fn older(folder: c_int, path: &CStr, flags: c_int, place: &mut Statx) -> c_int {
    if crate::sys::process::errno() != libc::ENOSYS {
        return -1;
    }
    // SAFETY: stat64 is plain data, for which zero is a value.
    let mut found: libc::stat64 = unsafe { core::mem::zeroed() };
    // SAFETY: the path ends in NUL, and the place is of the kernel's form on these machines.
    let result = unsafe {
        call!(libc::SYS_fstatat64, folder, path.as_ptr(), &raw mut found, flags) as c_int
    };
    place.mode = found.st_mode as u16;
    place.owner = found.st_uid;
    place.links = found.st_nlink as u32;
    place.inode = found.st_ino;
    place.size = found.st_size.cast_unsigned();
    place.device = [(found.st_dev >> 32) as u32, found.st_dev as u32];
    place.modified =
        Time { seconds: found.st_mtime.into(), nanoseconds: found.st_mtime_nsec as u32, _none: 0 };
    place.changed =
        Time { seconds: found.st_ctime.into(), nanoseconds: found.st_ctime_nsec as u32, _none: 0 };
    result
}

#[cfg(all(
    not(has_stat),
    not(all(target_env = "gnu", any(target_arch = "x86", target_arch = "arm")))
))]
fn older(_folder: c_int, _path: &CStr, _flags: c_int, _place: &mut Statx) -> c_int {
    -1
}

/// newfstatat(2): of the file at the path, or of the descriptor with `AT_EMPTY_PATH`. -1 where it fails.
#[cfg(has_stat)]
pub(crate) fn status(folder: c_int, path: &CStr, flags: c_int, place: &mut libc::stat) -> c_int {
    let place: *mut libc::stat = place;
    // SAFETY: the path ends in NUL, and the place is of the kernel's form on these machines.
    unsafe { call!(libc::SYS_newfstatat, folder, path.as_ptr(), place, flags) as c_int }
}
