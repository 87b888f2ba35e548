//! Numbers that threads of this process add to, in memory of its own or in memory that another process may
//! read at the same time: a segment of System V's (sysvipc(7)). That has no name and no file. Nobody can make it
//! shorter, no limit and no full disk concerns it, and it goes with the last process that has it.

use super::{Fault, kernel, process};
use crate::sys::mem::NoMemory;
use core::alloc::Layout;
use core::ptr::NonNull;
use core::sync::atomic::AtomicUsize;

/// Threads are spread over this many stripes.
pub const STRIPES: usize = 16;
/// Numbers in a stripe.
pub const NUMBERS: usize = 48;

/// The numbers, and what a reader has to know of them: as in the memory that is shared.
#[repr(C)]
pub struct Block {
    header: Header,
    /// Apart by thread.
    pub stripes: [Stripe; STRIPES],
}

/// A thread's numbers, and those of threads that come out at the same stripe. On cache lines of its
/// own, on most processors.
#[repr(C, align(64))]
pub struct Stripe {
    /// What they mean is the caller's business.
    pub numbers: [AtomicUsize; NUMBERS],
}

#[repr(C, align(64))]
struct Header {
    magic: [u8; 8],
    /// Octets of a number.
    word: u32,
    /// The process, as it knows itself.
    process: i32,
}

/// What a block begins with: the name, and the version of what stands behind it.
pub const MAGIC: [u8; 8] = *b"rustdns\x02";
/// The octets before the first stripe.
pub const HEADER: usize = size_of::<Header>();

/// Where numbers lie.
pub struct Place {
    block: NonNull<Block>,
    is_shared: bool,
}

// SAFETY: the block is only ever read, but for its atomics, and freed by the one owner.
unsafe impl Send for Place {}
// SAFETY: as above.
unsafe impl Sync for Place {}

const LAYOUT: Layout = Layout::new::<Block>();

impl Place {
    /// Zeros in memory of the process's own.
    pub fn own() -> Result<Place, NoMemory> {
        // SAFETY: a block has a size above zero.
        let block = unsafe { std::alloc::alloc_zeroed(LAYOUT) }.cast();
        Ok(Place { block: NonNull::new(block).ok_or(NoMemory)?, is_shared: false })
    }

    /// Zeros in memory that processes of the same user, and root, may read.
    ///
    /// # Errors
    /// The kernel has no such memory, or no more of it.
    pub fn shared() -> Result<Place, Fault> {
        // SAFETY: both take numbers; the address that the kernel chooses touches nothing of ours.
        let (segment, place) = unsafe {
            let segment = kernel::shmget(libc::IPC_PRIVATE, LAYOUT.size(), libc::IPC_CREAT | 0o600);
            if segment < 0 {
                return Err(Fault::last());
            }
            (segment, kernel::shmat(segment))
        };
        let fault = Fault::last();
        // From now on it goes with the last process that has it, however that one ends.
        // SAFETY: it takes numbers.
        unsafe { kernel::shm_remove(segment) };
        if place == libc::MAP_FAILED {
            return Err(fault);
        }
        let block = NonNull::new(place.cast::<Block>()).ok_or(Fault::Missing)?;
        let header =
            Header { magic: MAGIC, word: size_of::<usize>() as u32, process: process::id() };
        // SAFETY: just attached, so it is aligned to a page, long enough, and known to nobody else.
        unsafe { (&raw mut (*block.as_ptr()).header).write(header) };
        Ok(Place { block, is_shared: true })
    }

    /// The numbers.
    pub fn block(&self) -> &Block {
        // SAFETY: valid from the place's making to its drop; zeros are a block, and nothing but its
        // atomics changes after that.
        unsafe { self.block.as_ref() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // SAFETY: made by `own` or by `shared`, with this layout, and nobody knows it any more.
        unsafe {
            match self.is_shared {
                false => std::alloc::dealloc(self.block.as_ptr().cast(), LAYOUT),
                true => drop(kernel::shmdt(self.block.as_ptr().cast())),
            }
        }
    }
}

/// What a segment of another process's holds, up to so many octets; `None` where there is no such segment in this
/// IPC namespace, or this user may not read it.
#[cfg(feature = "command")]
pub fn look(segment: i32, most: usize) -> Option<Vec<u8>> {
    // SAFETY: shmat takes numbers and chooses an address itself. What it finds is as long as shmctl, which fills
    // in a structure that is plain data, says of a segment that is attached; it is copied word by word, for its
    // owner may write to it, and detached once.
    unsafe {
        let place = libc::shmat(segment, core::ptr::null(), libc::SHM_RDONLY);
        if place == libc::MAP_FAILED {
            return None;
        }
        let mut status: libc::shmid_ds = core::mem::zeroed();
        let size = match libc::shmctl(segment, libc::IPC_STAT, &raw mut status) {
            0 => status.shm_segsz.min(most),
            _ => 0,
        };
        let words = (0..size / size_of::<usize>()).map(|at| place.cast::<usize>().add(at));
        let octets = words.flat_map(|word| word.read_volatile().to_ne_bytes()).collect();
        libc::shmdt(place);
        Some(octets)
    }
}
