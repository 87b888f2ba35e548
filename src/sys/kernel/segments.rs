//! Segments of shared memory (sysvipc(7)): by ipc(2) on machines where kernels before 5.1 know that alone.

use super::call;
use core::ffi::{c_int, c_void};

/// shmget(2).
///
/// # Safety
/// Takes numbers: none.
pub(crate) unsafe fn shmget(key: c_int, size: usize, flags: c_int) -> c_int {
    // SAFETY: by the function's contract; so in all that follow.
    unsafe {
        #[cfg(not(has_ipc))]
        return call!(libc::SYS_shmget, key, size, flags) as c_int;
        #[cfg(has_ipc)]
        return call!(libc::SYS_ipc, 23, key, size, flags) as c_int;
    }
}

/// shmat(2), at an address of the kernel's choice; `MAP_FAILED` where it fails.
///
/// # Safety
/// Touches nothing that is mapped: none.
pub(crate) unsafe fn shmat(segment: c_int) -> *mut c_void {
    // SAFETY: as above.
    #[cfg(not(has_ipc))]
    let place = unsafe { call!(libc::SYS_shmat, segment, 0usize, 0) as usize };
    #[cfg(has_ipc)]
    let place = {
        let mut place = 0usize;
        // SAFETY: as above; the address is written to `place`.
        match unsafe { call!(libc::SYS_ipc, 21, segment, 0, &raw mut place, 0usize) } {
            -1 => return libc::MAP_FAILED,
            _ => place,
        }
    };
    core::ptr::with_exposed_provenance_mut(place)
}

/// shmctl(2) with `IPC_RMID`: the segment goes with the last process that has it.
///
/// # Safety
/// Takes a number: none.
pub(crate) unsafe fn shm_remove(segment: c_int) -> c_int {
    // SAFETY: as above; nothing is read for this operation.
    unsafe {
        #[cfg(not(has_ipc))]
        return call!(libc::SYS_shmctl, segment, libc::IPC_RMID, 0usize) as c_int;
        #[cfg(has_ipc)]
        return call!(libc::SYS_ipc, 24, segment, libc::IPC_RMID, 0, 0usize) as c_int;
    }
}

/// shmdt(2).
///
/// # Safety
/// Nobody uses what is mapped there.
pub(crate) unsafe fn shmdt(place: *const c_void) -> c_int {
    // SAFETY: as above.
    unsafe {
        #[cfg(not(has_ipc))]
        return call!(libc::SYS_shmdt, place) as c_int;
        #[cfg(has_ipc)]
        return call!(libc::SYS_ipc, 22, 0, 0, 0, place) as c_int;
    }
}
