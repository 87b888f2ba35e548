//! A counted reference whose creation can fail: std's `Arc` aborts the process when memory is exhausted.

use super::tailed::Tailed;
use crate::sys::mem::NoMemory;
use core::ops::Deref;

/// Shared, immutable ownership of a `T`; freed with the last clone.
pub struct Shared<T>(Tailed<T>);

impl<T> Shared<T> {
    /// Moves `value` to the heap.
    pub fn new(value: T) -> Result<Shared<T>, NoMemory> {
        Tailed::new(value, &[]).map(Shared)
    }

    /// True where both are clones of one another.
    pub fn same(one: &Shared<T>, other: &Shared<T>) -> bool {
        Tailed::same(&one.0, &other.0)
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Shared<T> {
        Shared(self.0.clone())
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
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
