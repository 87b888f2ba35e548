//! Fallible memory: the library lives in processes that may be out of it, and
//! an allocation that fails there must become `EAI_MEMORY`, never an abort.

use smallvec::SmallVec;

/// An allocation failed. Becomes `EAI_MEMORY`, or `errno` `ENOMEM` where the caller's contract has that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMemory;

/// Growing a collection by one item, without aborting when memory is exhausted.
pub trait TryPush<T> {
    /// Appends `item`, or leaves the collection as it was when there is no memory.
    fn try_push(&mut self, item: T) -> Result<(), NoMemory>;
}

impl<T> TryPush<T> for Vec<T> {
    fn try_push(&mut self, item: T) -> Result<(), NoMemory> {
        self.try_reserve(1).map_err(|_| NoMemory)?;
        // Not `push`: that has the code of growing in it once more for each type.
        crate::sys::capacity::push_to_vec(self, item);
        Ok(())
    }
}

impl<A: smallvec::Array> TryPush<A::Item> for SmallVec<A> {
    fn try_push(&mut self, item: A::Item) -> Result<(), NoMemory> {
        self.try_reserve(1).map_err(|_| NoMemory)?;
        crate::sys::capacity::push(self, item);
        Ok(())
    }
}

/// Makes room for `count` items more.
pub fn reserve<T>(list: &mut Vec<T>, count: usize) -> Result<(), NoMemory> {
    list.try_reserve_exact(count).map_err(|_| NoMemory)
}

/// The same for memory that will be filled whole and at once: where it is large, the kernel is asked for
/// all of its pages in one call instead of by a fault for each.
pub fn reserve_to_fill<T>(list: &mut Vec<T>, count: usize) -> Result<(), NoMemory> {
    reserve(list, count)?;
    crate::sys::pages::populate(list.spare_capacity_mut());
    Ok(())
}

/// `value` on the heap: an array of one, for std has no way to a `Box` that can fail.
pub fn boxed<T>(value: T) -> Result<Box<[T; 1]>, NoMemory> {
    let mut one = Vec::new();
    reserve(&mut one, 1)?;
    one.push(value);
    // Capacity equals length: no reallocation, and one item is one item.
    one.into_boxed_slice().try_into().map_err(|_| NoMemory)
}

/// Appends `bytes` to `out`.
pub fn append(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), NoMemory> {
    out.try_reserve(bytes.len()).map_err(|_| NoMemory)?;
    out.extend_from_slice(bytes);
    Ok(())
}

/// A copy of `bytes` on the heap, exactly as long as they are.
pub fn copy(bytes: &[u8]) -> Result<Box<[u8]>, NoMemory> {
    let mut out = Vec::new();
    out.try_reserve_exact(bytes.len()).map_err(|_| NoMemory)?;
    out.extend_from_slice(bytes);
    // Capacity equals length: no reallocation, so nothing that could abort.
    Ok(out.into_boxed_slice())
}

/// A copy of `bytes` that ends in NUL, for file names.
pub fn c_string(parts: &[&[u8]]) -> Result<Option<std::ffi::CString>, NoMemory> {
    let mut out = Vec::new();
    // Exactly as much: CString::new appends the NUL, and would move what has more room than it needs.
    let len = parts.iter().fold(1, |len, part| part.len().saturating_add(len));
    out.try_reserve_exact(len).map_err(|_| NoMemory)?;
    for part in parts {
        out.extend_from_slice(part);
    }
    Ok(std::ffi::CString::new(out).ok())
}
