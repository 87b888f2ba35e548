//! A counted reference whose creation can fail: std's `Arc` aborts the process when memory is exhausted.

use crate::mem::NoMemory;
use core::alloc::Layout;
use core::ops::Deref;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};

/// Shared, immutable ownership of a `T`; freed with the last clone.
pub struct Shared<T>(NonNull<Counted<T>>);

struct Counted<T> {
    references: AtomicU32,
    value: T,
}

// SAFETY: a Shared gives only shared references to its value, from any thread, and the last one
// drops it on whichever thread that is: the same conditions as for std's Arc.
unsafe impl<T: Send + Sync> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// Moves `value` to the heap.
    pub fn new(value: T) -> Result<Shared<T>, NoMemory> {
        let layout = Layout::new::<Counted<T>>();
        // SAFETY: the layout has a size above zero, for it contains the counter.
        let place = unsafe { std::alloc::alloc(layout) }.cast::<Counted<T>>();
        let place = NonNull::new(place).ok_or(NoMemory)?;
        // SAFETY: freshly allocated with this type's layout, and ours alone.
        unsafe { place.write(Counted { references: AtomicU32::new(1), value }) };
        Ok(Shared(place))
    }
}

impl<T> Shared<T> {
    /// True where both are clones of one another.
    pub fn same(one: &Shared<T>, other: &Shared<T>) -> bool {
        one.0 == other.0
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Shared<T> {
        // SAFETY: a Shared that exists holds a reference, so the place is alive.
        let counter = unsafe { &self.0.as_ref().references };
        // Relaxed is enough: a new reference is made from one that already exists. Overflow would
        // take 2^32 clones alive at once, each on a thread's stack.
        counter.fetch_add(1, Ordering::Relaxed);
        Shared(self.0)
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: a Shared that exists holds a reference, so the place is alive.
        unsafe { &self.0.as_ref().value }
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: this Shared still holds its reference, so the place is alive.
        let references = unsafe { &self.0.as_ref().references };
        if references.fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        // Every other owner's last use happens before this. Not a fence: ThreadSanitizer knows none.
        references.load(Ordering::Acquire);
        // SAFETY: this was the last reference; the place was allocated with this very layout.
        unsafe {
            self.0.drop_in_place();
            std::alloc::dealloc(self.0.as_ptr().cast(), Layout::new::<Counted<T>>());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn the_value_is_dropped_with_the_last_reference_and_only_then() {
        struct Tell<'a>(&'a Mutex<u32>);
        impl Drop for Tell<'_> {
            fn drop(&mut self) {
                *self.0.lock().unwrap() += 1;
            }
        }
        let dropped = Mutex::new(0);
        let first = Shared::new(Tell(&dropped)).unwrap();
        let second = first.clone();
        drop(first);
        assert_eq!(*dropped.lock().unwrap(), 0);
        drop(second);
        assert_eq!(*dropped.lock().unwrap(), 1);
    }
}
