//! The memory behind `gethostbyname` and the other functions that return a pointer to their own: one
//! place for each function in the process, as in libc. It grows; what it was before stays, in case
//! another thread still reads it, so all that a process can lose is as much again as the last.

use super::hostent::{pack, room};
use crate::base::answer::Found;
use crate::sys::fork_local::PerProcess;
use crate::sys::lock::Mutex;
use crate::sys::mem::NoMemory;
use core::mem::{MaybeUninit, size_of};
use core::ptr::null_mut;

/// A function with memory of its own.
#[derive(Clone, Copy)]
pub(super) enum Owner {
    /// `gethostbyname`
    Name,
    /// `gethostbyname2`
    Name2,
    /// `gethostbyaddr`
    Address,
    /// `gethostent`
    Entry,
}

/// By [`Owner`]. A forked child starts without: its parent's is in its memory still, and stays.
static KEPT: PerProcess<[Mutex<Place>; 4]> = PerProcess::new();

/// What libc begins with.
const FIRST_ROOM: usize = 1024;

struct Place {
    block: *mut Block,
    /// Octets behind the block's head.
    room: usize,
}

// SAFETY: the block belongs to the place, and is only reached under its lock.
unsafe impl Send for Place {}

/// The head of a block from malloc; the octets that the host points to follow.
#[repr(C)]
struct Block {
    host: MaybeUninit<libc::hostent>,
    /// The block before this was large enough: kept, and so no leak.
    smaller: *mut Block,
}

/// A copy of the host in the function's memory, valid until it is called again.
///
/// # Errors
/// Without memory.
pub(super) fn keep(owner: Owner, found: &Found) -> Result<*mut libc::hostent, NoMemory> {
    match places()?.get(owner as usize).and_then(Mutex::lock) {
        Some(mut place) => place.keep(found),
        // Whoever has it was jumped out of, or this very call has interrupted it: memory for once, which is
        // never given back.
        None => Place { block: null_mut(), room: 0 }.keep(found),
    }
}

fn places() -> Result<&'static [Mutex<Place>; 4], NoMemory> {
    KEPT.get(|| Ok([const { Mutex::new(Place { block: null_mut(), room: 0 }) }; 4]))
}

impl Place {
    fn keep(&mut self, found: &Found) -> Result<*mut libc::hostent, NoMemory> {
        let room = room(found);
        if room > self.room || self.block.is_null() {
            self.grow(room)?;
        }
        let block = self.block;
        // SAFETY: the block is from malloc with `room` octets behind its head, and reached by who has the place.
        unsafe {
            let host = pack(found, block.add(1).cast(), self.room).ok_or(NoMemory)?;
            Ok((*block).host.write(host))
        }
    }

    fn grow(&mut self, needed: usize) -> Result<(), NoMemory> {
        let room = needed.max(self.room.saturating_mul(2)).max(FIRST_ROOM);
        let size = room.checked_add(size_of::<Block>()).ok_or(NoMemory)?;
        // SAFETY: malloc has no preconditions.
        let block = unsafe { libc::malloc(size) }.cast::<Block>();
        if block.is_null() {
            return Err(NoMemory);
        }
        // SAFETY: malloc's memory is large enough for the head, aligned for every type of C's own,
        // and ours.
        unsafe { block.write(Block { host: MaybeUninit::uninit(), smaller: self.block }) };
        *self = Place { block, room };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::abi::hostent_static::*;

    /// As one that a handler has jumped away from (siglongjmp(3)).
    #[test]
    fn a_place_that_nobody_gives_back_is_done_without() {
        let found = Found::default();
        let kept = keep(Owner::Entry, &found).unwrap();
        assert_eq!(keep(Owner::Entry, &found), Ok(kept));
        let held = places().unwrap()[Owner::Entry as usize].lock();
        let another = keep(Owner::Entry, &found).unwrap();
        assert!(another != kept && keep(Owner::Entry, &found) != Ok(another));
        drop(held);
        assert_eq!(keep(Owner::Entry, &found), Ok(kept));
    }
}
