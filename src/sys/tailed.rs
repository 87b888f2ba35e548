//! A counted reference to a value and octets behind it, in one piece of memory that is as long as they are.

use crate::sys::atomic::{AtomicU32, Ordering};
use crate::sys::mem::NoMemory;
use core::alloc::Layout;
use core::ops::Deref;
use core::ptr::{NonNull, copy_nonoverlapping};

/// Shared, immutable ownership of a `T` and of octets; freed with the last clone.
pub struct Tailed<T>(NonNull<Head<T>>);

/// What stands before the octets.
#[repr(C)]
struct Head<T> {
    references: AtomicU32,
    /// How many octets follow.
    len: u32,
    value: T,
}

// SAFETY: a Tailed gives only shared references to what it holds, from any thread, and the last one drops
// it on whichever thread that is: the same conditions as for std's Arc.
unsafe impl<T: Send + Sync> Send for Tailed<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Tailed<T> {}

impl<T> Tailed<T> {
    /// Moves `value` to the heap, with all of `parts` behind it, in this order.
    pub fn new(value: T, parts: &[&[u8]]) -> Result<Tailed<T>, NoMemory> {
        let len = parts.iter().try_fold(0usize, |len, part| len.checked_add(part.len()));
        let len = len.and_then(|len| u32::try_from(len).ok()).ok_or(NoMemory)?;
        let layout = layout::<T>(len).ok_or(NoMemory)?;
        // SAFETY: the layout has a size above zero, for it contains the counter.
        let place = unsafe { std::alloc::alloc(layout) }.cast::<Head<T>>();
        let place = NonNull::new(place).ok_or(NoMemory)?;
        // SAFETY: freshly allocated, with room for a head and `len` octets after it, which is what the
        // parts come to; and ours alone.
        unsafe {
            place.write(Head { references: AtomicU32::new(1), len, value });
            let mut end = place.as_ptr().add(1).cast::<u8>();
            for part in parts {
                copy_nonoverlapping(part.as_ptr(), end, part.len());
                end = end.add(part.len());
            }
        }
        Ok(Tailed(place))
    }

    /// True where both are clones of one another.
    pub fn same(one: &Tailed<T>, other: &Tailed<T>) -> bool {
        one.0 == other.0
    }

    /// The octets.
    pub fn tail(&self) -> &[u8] {
        // SAFETY: a Tailed that exists holds a reference, so the place is alive; behind the head are as
        // many octets as it says, written when it was made and never since.
        unsafe {
            let octets = self.0.as_ptr().add(1).cast::<u8>();
            core::slice::from_raw_parts(octets, self.0.as_ref().len as usize)
        }
    }
}

impl<T> Clone for Tailed<T> {
    fn clone(&self) -> Tailed<T> {
        // SAFETY: a Tailed that exists holds a reference, so the place is alive.
        let counter = unsafe { &self.0.as_ref().references };
        // Relaxed is enough: a new reference is made from one that already exists. Overflow would
        // take 2^32 clones alive at once, each on a thread's stack.
        counter.fetch_add(1, Ordering::Relaxed);
        Tailed(self.0)
    }
}

impl<T> Deref for Tailed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: a Tailed that exists holds a reference, so the place is alive.
        unsafe { &self.0.as_ref().value }
    }
}

impl<T> Drop for Tailed<T> {
    fn drop(&mut self) {
        // SAFETY: this Tailed still holds its reference, so the place is alive.
        let head = unsafe { self.0.as_ref() };
        let len = head.len;
        if head.references.fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        // Every other owner's last use happens before this. Not a fence: ThreadSanitizer knows none.
        head.references.load(Ordering::Acquire);
        // There was one when it was made.
        let Some(layout) = layout::<T>(len) else { return };
        // SAFETY: this was the last reference; the place was allocated with this very layout.
        unsafe {
            self.0.drop_in_place();
            std::alloc::dealloc(self.0.as_ptr().cast(), layout);
        }
    }
}

/// A head with so many octets behind it.
fn layout<T>(len: u32) -> Option<Layout> {
    let head = Layout::new::<Head<T>>();
    let size = head.size().checked_add(len as usize)?;
    Layout::from_size_align(size, head.align()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn value_and_octets_are_there_until_the_last_reference_goes() {
        struct Tell<'a>(&'a Mutex<u32>, u64);
        impl Drop for Tell<'_> {
            fn drop(&mut self) {
                *self.0.lock().unwrap() += 1;
            }
        }
        let dropped = Mutex::new(0);
        let first = Tailed::new(Tell(&dropped, 7), &[b"abc", b"", b"de"]).unwrap();
        let second = first.clone();
        drop(first);
        assert_eq!((*dropped.lock().unwrap(), second.1, second.tail()), (0, 7, &b"abcde"[..]));
        drop(second);
        assert_eq!(*dropped.lock().unwrap(), 1);
    }

    #[test]
    fn there_may_be_no_octets() {
        assert_eq!(Tailed::new((), &[]).unwrap().tail(), b"");
    }
}
