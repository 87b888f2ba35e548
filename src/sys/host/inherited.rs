//! The little that outlives a fork, and an instance: the C file has it, for all instances of the process and for
//! those of its children.

use crate::sys::host::calls;
use crate::sys::mem::NoMemory;
use core::ffi::CStr;

/// The place of a file's content, by its number.
pub struct Content(u32);

impl Content {
    /// Nothing yet. Each place has a number of its own.
    pub const fn nothing(number: u32) -> Content {
        Content(number)
    }

    /// Puts `text` there, which is the content of the file at `path` in the calling thread's root directory.
    pub fn keep(&self, path: &CStr, text: &[u8]) -> Result<(), NoMemory> {
        let path = path.to_bytes();
        let place = (path.as_ptr(), path.len());
        // SAFETY: both are valid for their lengths.
        let is_kept =
            unsafe { calls::content_keep(self.0, place.0, place.1, text.as_ptr(), text.len()) };
        if is_kept == 0 { Err(NoMemory) } else { Ok(()) }
    }

    /// What was put there, of that path and in the same root directory.
    pub fn kept(&self, path: &CStr) -> Result<Option<Vec<u8>>, NoMemory> {
        let path = path.to_bytes();
        let mut text = Vec::new();
        // Another thread may put a longer one there meanwhile.
        for _ in 0..4 {
            let room = text.capacity();
            // SAFETY: the path is valid for its length, the place for the room given.
            let len = unsafe {
                calls::content_kept(self.0, path.as_ptr(), path.len(), text.as_mut_ptr(), room)
            };
            let Ok(len) = usize::try_from(len) else { return Ok(None) };
            if len <= room {
                // SAFETY: as many octets have been written there.
                unsafe { text.set_len(len) };
                return Ok(Some(text));
            }
            text.try_reserve_exact(len).map_err(|_| NoMemory)?;
        }
        Ok(None)
    }
}

/// Notes the fingerprint of a `_res` as we fill it.
pub fn add_version(fingerprint: u64) {
    // SAFETY: no preconditions.
    unsafe { calls::version_add(fingerprint) }
}

/// True for one that was noted, if it is not long ago.
pub fn has_version(fingerprint: u64) -> bool {
    // SAFETY: no preconditions.
    unsafe { calls::version_is_known(fingerprint) != 0 }
}
