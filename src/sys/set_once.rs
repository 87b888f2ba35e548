//! What the program has set for the rest of its life.

use crate::sys::atomic::{AtomicPtr, Ordering, constructor};
use crate::sys::mem::NoMemory;
use core::alloc::Layout;
use core::ptr::{NonNull, null_mut};

/// A value that any thread may set and read, and that a forked child keeps. What was set before is
/// never freed, for another thread may be reading it: for what programs set a few times at most.
pub struct Chosen<T: 'static>(AtomicPtr<T>);

impl<T: Send + Sync> Chosen<T> {
    constructor! {
        /// Nothing is set.
        pub fn nothing() -> Chosen<T> {
            Chosen(AtomicPtr::new(null_mut()))
        }
    }

    /// What was set last.
    pub fn get(&self) -> Option<&'static T> {
        // SAFETY: null, or what `set` has stored: whole, never changed and never freed.
        unsafe { self.0.load(Ordering::Acquire).as_ref() }
    }

    /// Sets it.
    pub fn set(&self, value: T) -> Result<(), NoMemory> {
        self.0.store(placed(value)?.as_ptr(), Ordering::Release);
        Ok(())
    }

    /// Sets it unless it is set already. Returns what is set then.
    pub fn set_first(&self, value: T) -> Result<&'static T, NoMemory> {
        let place = placed(value)?;
        let null = null_mut();
        match self.0.compare_exchange(null, place.as_ptr(), Ordering::AcqRel, Ordering::Acquire) {
            // SAFETY: stored now: whole, never changed and never freed.
            Ok(_) => Ok(unsafe { &*place.as_ptr() }),
            Err(theirs) => {
                // SAFETY: it was not stored, so it is ours alone; allocated by `placed` with this layout.
                unsafe {
                    place.drop_in_place();
                    std::alloc::dealloc(place.as_ptr().cast(), Layout::new::<T>());
                }
                // SAFETY: not null, and what another thread stored is never freed.
                Ok(unsafe { &*theirs })
            }
        }
    }
}

/// Moves a value to the heap.
fn placed<T>(value: T) -> Result<NonNull<T>, NoMemory> {
    const { assert!(size_of::<T>() > 0) };
    // SAFETY: the layout has a size above zero.
    let place = unsafe { std::alloc::alloc(Layout::new::<T>()) }.cast::<T>();
    let place = NonNull::new(place).ok_or(NoMemory)?;
    // SAFETY: freshly allocated with this type's layout, and ours alone.
    unsafe { place.write(value) };
    Ok(place)
}
