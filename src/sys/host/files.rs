//! Configuration files: whether one has changed, and what it holds.

pub use crate::sys::content::Unreadable;

use crate::sys::Fault;
use crate::sys::content::read_whole;
use crate::sys::host::{calls, fault};
use core::ffi::CStr;

/// What tells one version of a file from another without reading it: device, inode, size, and the
/// seconds and nanoseconds of its last modification and change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity([u64; 7]);

/// Larger than any configuration file, and an instance's memory has room for it.
const LARGEST: u64 = 1 << 26;

/// An open file, closed when dropped.
struct File(i32);

impl File {
    /// Reads into the room that `content` has left.
    fn append_to(&self, content: &mut Vec<u8>) -> Result<usize, Fault> {
        let room = content.spare_capacity_mut();
        // SAFETY: the room is valid for writing over its whole length.
        let n = fault(unsafe { calls::file_read(self.0, room.as_mut_ptr().cast(), room.len()) })?;
        // SAFETY: as many octets of the room have been filled.
        unsafe { content.set_len(content.len() + n) };
        Ok(n)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: the descriptor is ours alone.
        unsafe { calls::close(self.0) };
    }
}

/// The identity of the file at `path` (symbolic links followed), or why there is none.
pub fn identity(path: &CStr) -> Result<Identity, Fault> {
    let path = path.to_bytes();
    let mut identity = Identity::default();
    // SAFETY: the path is valid for its length, and the place has seven numbers.
    fault(unsafe { calls::file_identity(path.as_ptr(), path.len(), identity.0.as_mut_ptr()) })?;
    Ok(identity)
}

/// Which file it is, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inode([u64; 2]);

/// Which file is at `path` (symbolic links followed); `None` where none can be seen.
pub fn inode(path: &CStr) -> Option<Inode> {
    let Identity([device, inode, ..]) = identity(path).ok()?;
    Some(Inode([device, inode]))
}

/// Reads the whole file at `path`, and says which version it was.
pub fn read(path: &CStr) -> Result<(Vec<u8>, Identity), Unreadable> {
    /// What `file_open` returns for what is no file.
    const NOT_A_FILE: i32 = i32::MIN;
    let path = path.to_bytes();
    let mut identity = Identity::default();
    // SAFETY: as above.
    let opened = unsafe { calls::file_open(path.as_ptr(), path.len(), identity.0.as_mut_ptr()) };
    if opened == NOT_A_FILE {
        return Err(Unreadable::NotAFile);
    }
    fault(opened).map_err(Unreadable::Fault)?;
    let file = File(opened);
    let Identity([_, _, size, ..]) = identity;
    let content = read_whole(size, LARGEST, |content| file.append_to(content))?;
    Ok((content, identity))
}
