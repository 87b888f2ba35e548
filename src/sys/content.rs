//! What a file holds, read whole.

use super::Fault;
use crate::sys::mem::{NoMemory, reserve_to_fill};
use core::fmt;

/// Why a file has no content for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It can't be opened or read.
    Fault(Fault),
    /// It is a folder, a pipe, a device.
    NotAFile,
    /// It is larger than configuration has any reason to be, or than memory can be.
    TooLarge,
    /// There is no memory for it.
    NoMemory,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unreadable::Fault(Fault::Missing) => "not there",
            Unreadable::Fault(fault) => {
                return write!(f, "can't be read (errno {})", fault.errno());
            }
            Unreadable::NotAFile => "no plain file",
            Unreadable::TooLarge => "too large",
            Unreadable::NoMemory => "memory is exhausted",
        })
    }
}

impl From<NoMemory> for Unreadable {
    fn from(_: NoMemory) -> Unreadable {
        Unreadable::NoMemory
    }
}

/// Reads a file that is said to have `size` octets, and may not have more than `largest`. `append` reads
/// into the room that the content has left, and says how many octets it has read: none at the end.
pub(super) fn read_whole(
    size: u64,
    largest: u64,
    mut append: impl FnMut(&mut Vec<u8>) -> Result<usize, Fault>,
) -> Result<Vec<u8>, Unreadable> {
    if size > largest {
        return Err(Unreadable::TooLarge);
    }
    let mut content = Vec::new();
    // One octet more than it should have: the read that fills the rest then also finds the end.
    let mut room = usize::try_from(size).map_err(|_| Unreadable::TooLarge)? + 1;
    loop {
        reserve_to_fill(&mut content, room)?;
        let n = append(&mut content).map_err(Unreadable::Fault)?;
        if n == 0 {
            return Ok(content);
        }
        if content.len() as u64 > largest {
            return Err(Unreadable::TooLarge);
        }
        room = room.saturating_sub(n).max(512);
    }
}
