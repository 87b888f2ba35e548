//! Pages of memory.

use core::mem::MaybeUninit;

/// Nothing: the kernel makes the pages as they are touched.
pub fn populate<T>(_room: &mut [MaybeUninit<T>]) {}
