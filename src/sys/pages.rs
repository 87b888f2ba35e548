//! Pages of memory.

use super::kernel;
use core::mem::MaybeUninit;

/// Less than this is not worth a system call.
const LARGE: usize = 256 << 10;

/// Has the kernel make all pages of `room` now, if they are many (`MADV_POPULATE_WRITE`, from Linux 5.14
/// on; an older one refuses, and makes each when it is first touched). Its content stays.
pub fn populate<T>(room: &mut [MaybeUninit<T>]) {
    let len = size_of_val(room);
    let start = room.as_mut_ptr().cast::<u8>();
    if len < LARGE {
        return;
    }
    let page = kernel::page_size();
    // The kernel wants a range to begin with a page.
    let skipped = if page.is_power_of_two() { start.align_offset(page) } else { len };
    if skipped >= len {
        return;
    }
    // SAFETY: the range lies within `room`; the call changes nothing that a program can see in it.
    unsafe {
        kernel::madvise(start.add(skipped).cast(), len - skipped, libc::MADV_POPULATE_WRITE);
    }
}
