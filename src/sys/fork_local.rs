//! One value per process that a forked child does not inherit.
//!
//! A child that inherited the parent's state could find locks held by threads that it does not
//! have, and would repeat the parent's query ids. So the only way to the state is a pointer in a
//! page marked `MADV_WIPEONFORK` (Linux 4.14): the child reads null there, without a system call,
//! and starts afresh. Where the kernel lacks it, the state's process id is compared instead.

use super::{kernel, process};
use crate::sys::atomic::{AtomicPtr, Ordering, constructor};
use crate::sys::mem::NoMemory;
use core::alloc::Layout;
use core::ffi::c_int;
use core::ptr::{NonNull, null_mut};

/// The place of a process-wide `T`.
pub struct PerProcess<T: 'static> {
    /// The page; null until the first use. Never unmapped.
    page: AtomicPtr<Page<T>>,
    /// The value that was made last, by this process or by one that it is a fork of. Never read:
    /// leak checkers (LeakSanitizer) look for owners here, and don't in mapped pages.
    latest: AtomicPtr<Owned<T>>,
}

struct Page<T> {
    /// What fork wipes; null until the first use in this process.
    current: AtomicPtr<Owned<T>>,
}

struct Owned<T> {
    /// The process this was made in; 0 where the page is wiped on fork and the answer not needed.
    process: i32,
    /// The value made before it, by a process that this one is a fork of.
    _before: *mut Owned<T>,
    value: T,
}

impl<T: Sync + 'static> PerProcess<T> {
    constructor! {
        /// A place whose value is made at first use.
        #[allow(clippy::new_without_default)]
        pub fn new() -> PerProcess<T> {
            PerProcess { page: AtomicPtr::new(null_mut()), latest: AtomicPtr::new(null_mut()) }
        }
    }

    /// This process's value, made by `make` if there is none yet. When two threads make it at once,
    /// one of the two is used by both.
    ///
    /// Once made it lives as long as the process; a parent's value stays in its children's memory,
    /// unused and untouched (copy on write).
    pub fn get(
        &'static self,
        make: impl FnOnce() -> Result<T, NoMemory>,
    ) -> Result<&'static T, NoMemory> {
        let page = match NonNull::new(self.page.load(Ordering::Acquire)) {
            Some(page) => page,
            None => self.map()?,
        };
        // SAFETY: a page that was stored is mapped for ever.
        let current = unsafe { &page.as_ref().current };
        let old = current.load(Ordering::Acquire);
        if let Some(value) = PerProcess::value(old) {
            return Ok(value);
        }
        let process = if self.is_wiped(page) { 0 } else { process::id() };
        let before = self.latest.load(Ordering::Relaxed);
        let fresh = boxed(Owned { process, _before: before, value: make()? })?;
        match current.compare_exchange(old, fresh.as_ptr(), Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => {
                self.latest.store(fresh.as_ptr(), Ordering::Relaxed);
                // SAFETY: stored now, so never freed.
                Ok(unsafe { &fresh.as_ref().value })
            }
            Err(theirs) => {
                // SAFETY: `fresh` was not stored, so it is ours alone and nobody else knows it.
                unsafe { unboxed(fresh) };
                // SAFETY: what another thread stored is not null and never freed.
                Ok(unsafe { &(*theirs).value })
            }
        }
    }

    /// This process's value, where it was made.
    #[cfg(test)]
    fn made(&'static self) -> Option<&'static T> {
        let page = NonNull::new(self.page.load(Ordering::Acquire))?;
        // SAFETY: a page that was stored is mapped for ever.
        PerProcess::value(unsafe { page.as_ref() }.current.load(Ordering::Acquire))
    }

    /// What stood in a page, if it is this process's.
    fn value(current: *mut Owned<T>) -> Option<&'static T> {
        // SAFETY: null, or stored in the page by this process or one that it is a fork of, and never
        // freed.
        let owned: &'static Owned<T> = unsafe { NonNull::new(current)?.as_ref() };
        (owned.process == 0 || owned.process == process::id()).then_some(&owned.value)
    }

    /// Maps the page; the loser of a race unmaps its own.
    fn map(&self) -> Result<NonNull<Page<T>>, NoMemory> {
        let len = kernel::page_size();
        let page = kernel::map_memory(len);
        if page == libc::MAP_FAILED {
            return Err(NoMemory);
        }
        let page = page.cast::<Page<T>>();
        // SAFETY: the page was just mapped, `len` octets long, which is more than a pointer. What fork leaves of
        // it, octets of zero, is the same.
        unsafe {
            page.write(Page { current: AtomicPtr::new(null_mut()) });
            kernel::madvise(page.cast(), len, libc::MADV_WIPEONFORK);
        }
        match self.page.compare_exchange(null_mut(), page, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => NonNull::new(page).ok_or(NoMemory),
            Err(theirs) => {
                // SAFETY: our mapping, which nobody else has seen.
                unsafe { kernel::munmap(page.cast(), len) };
                NonNull::new(theirs).ok_or(NoMemory)
            }
        }
    }

    /// True where the kernel wipes the page in children: advising it twice succeeds again, and
    /// fails with `EINVAL` where the advice is unknown. Who takes an advice that no kernel knows
    /// takes any and follows none (qemu before 8.0).
    fn is_wiped(&self, page: NonNull<Page<T>>) -> bool {
        const UNKNOWN: c_int = c_int::MAX;
        // SAFETY: the page is mapped for ever; neither advice changes anything in this process.
        let takes = |advice| unsafe {
            kernel::madvise(page.as_ptr().cast(), kernel::page_size(), advice) == 0
        };
        takes(libc::MADV_WIPEONFORK) && !takes(UNKNOWN)
    }
}

fn boxed<T>(value: T) -> Result<NonNull<T>, NoMemory> {
    let layout = Layout::new::<T>();
    // SAFETY: the callers' type holds a process id, so its size is above zero.
    let place = NonNull::new(unsafe { std::alloc::alloc(layout) }.cast::<T>()).ok_or(NoMemory)?;
    // SAFETY: freshly allocated with this type's layout, and ours alone.
    unsafe { place.write(value) };
    Ok(place)
}

/// # Safety
/// `place` comes from [`boxed`] and is known to nobody else.
unsafe fn unboxed<T>(place: NonNull<T>) {
    // SAFETY: by the function's contract.
    unsafe {
        place.drop_in_place();
        std::alloc::dealloc(place.as_ptr().cast(), Layout::new::<T>());
    }
}

#[cfg(test)]
mod tests {
    use crate::sys::fork_local::*;

    #[test]
    fn a_child_does_not_see_its_parents_value() {
        static PLACE: PerProcess<i32> = PerProcess::new();
        assert_eq!(PLACE.made(), None);
        assert_eq!(PLACE.get(|| Ok(process::id())), Ok(&process::id()));
        assert_eq!(PLACE.made(), Some(&process::id()));
        assert_eq!(PLACE.get(|| Ok(-1)), Ok(&process::id()), "made once");
        // SAFETY: the child only reads memory, allocates once and exits.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let mine =
                PLACE.made().is_none() && PLACE.get(|| Ok(process::id())) == Ok(&process::id());
            // SAFETY: ends the child without running the parent's exit handlers.
            unsafe { libc::_exit(if mine { 0 } else { 1 }) };
        }
        let mut status = -1;
        // SAFETY: waits for the child just made.
        unsafe { libc::waitpid(child, &mut status, 0) };
        assert_eq!(status, 0, "the child made a value of its own");
    }
}
