//! Writing into room that was made before.

use smallvec::{Array, SmallVec};

/// Appends `item` where the list has room for it; else drops it.
pub fn push<A: Array>(list: &mut SmallVec<A>, item: A::Item) {
    let len = list.len();
    if len < list.capacity() {
        // SAFETY: the place behind the last item is within the capacity, and nobody's yet; afterwards
        // the list has one item more, which is valid.
        unsafe {
            list.as_mut_ptr().add(len).write(item);
            list.set_len(len + 1);
        }
    }
}

/// The same for a list that is always on the heap.
pub fn push_to_vec<T>(list: &mut Vec<T>, item: T) {
    let len = list.len();
    if len < list.capacity() {
        // SAFETY: as above.
        unsafe {
            list.as_mut_ptr().add(len).write(item);
            list.set_len(len + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::sys::capacity::*;

    #[test]
    fn within_the_capacity_and_no_further() {
        let mut list = SmallVec::<[Box<u8>; 2]>::new();
        (0..3).for_each(|n| push(&mut list, Box::new(n)));
        assert_eq!(list.iter().map(|n| **n).collect::<Vec<_>>(), [0, 1]);
        list.reserve(1);
        push(&mut list, Box::new(9));
        assert_eq!(list.iter().map(|n| **n).collect::<Vec<_>>(), [0, 1, 9]);
    }
}
