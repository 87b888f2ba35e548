//! Numbers that threads of this process add to, in memory of its own or in a file that another process
//! reads at the same time. Of the file nothing is kept open: it is mapped.

use super::errno::retry;
use super::files::{File, Status};
use super::{Fault, process};
use crate::mem::NoMemory;
use core::alloc::Layout;
use core::ffi::{CStr, c_int};
use core::ptr::{NonNull, null_mut};
use core::sync::atomic::AtomicUsize;
use std::ffi::CString;

/// Threads are spread over this many stripes.
pub const STRIPES: usize = 16;
/// Numbers in a stripe.
pub const NUMBERS: usize = 48;

/// The numbers, and what a reader has to know of them: as in the file.
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

/// What a file of numbers begins with: the name, and the version of what stands behind it.
pub const MAGIC: [u8; 8] = *b"rustdns\x01";
/// The octets before the first stripe.
pub const HEADER: usize = size_of::<Header>();

/// Where numbers lie.
pub struct Place {
    block: NonNull<Block>,
    /// The file, where there is one.
    path: Option<CString>,
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
        Ok(Place { block: NonNull::new(block).ok_or(NoMemory)?, path: None })
    }

    /// Zeros in a new file at `path`, which is the folder's, a slash and a name. The folder is made, with mode 0700,
    /// where it is missing; it has to belong to the process's user, and nobody else may write there.
    pub fn in_file(folder: &CStr, path: CString) -> Result<Place, Fault> {
        let name = path.as_bytes_with_nul().get(folder.count_bytes() + 1..);
        let name =
            name.and_then(|name| CStr::from_bytes_with_nul(name).ok()).ok_or(Fault::Missing)?;
        let folder = private_folder(folder)?;
        let flags =
            libc::O_RDWR | libc::O_CREAT | libc::O_EXCL | libc::O_NOFOLLOW | libc::O_CLOEXEC;
        // SAFETY: the folder is open, `name` ends in NUL; with O_CREAT a mode follows.
        let file =
            retry(|| unsafe { libc::openat(folder.descriptor(), name.as_ptr(), flags, 0o600) })?;
        let file = File::of(file);
        let block = map(&file).inspect_err(|_| {
            // SAFETY: the folder is open, `name` ends in NUL.
            unsafe { libc::unlinkat(folder.descriptor(), name.as_ptr(), 0) };
        })?;
        Ok(Place { block, path: Some(path) })
    }

    /// The numbers.
    pub fn block(&self) -> &Block {
        // SAFETY: valid from the place's making to its drop; zeros are a block, and nothing but its
        // atomics changes after that.
        unsafe { self.block.as_ref() }
    }

    /// True where the numbers lie in a file.
    pub fn is_file(&self) -> bool {
        self.path.is_some()
    }

    /// Removes the file. The numbers stay, for threads that still count.
    pub fn withdraw(&self) {
        if let Some(path) = &self.path {
            // SAFETY: `path` ends in NUL.
            unsafe { libc::unlink(path.as_ptr()) };
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.withdraw();
        // SAFETY: made by `own` or by `map`, with this layout, and nobody knows it any more.
        unsafe {
            match self.path {
                None => std::alloc::dealloc(self.block.as_ptr().cast(), LAYOUT),
                Some(_) => drop(libc::munmap(self.block.as_ptr().cast(), LAYOUT.size())),
            }
        }
    }
}

fn private_folder(path: &CStr) -> Result<File, Fault> {
    let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NOFOLLOW | libc::O_CLOEXEC;
    // SAFETY: `path` ends in NUL. Where the folder is there already this fails, and may.
    unsafe { libc::mkdir(path.as_ptr(), 0o700) };
    // SAFETY: `path` ends in NUL.
    let folder = File::of(retry(|| unsafe { libc::open(path.as_ptr(), flags) })?);
    let status = Status::of(&folder)?;
    let is_private = status.owner == process::effective_user() && status.mode & 0o022 == 0;
    if is_private { Ok(folder) } else { Err(Fault::Other(libc::EPERM)) }
}

/// Makes the file as long as a block, with its room on the disk or in memory taken: writing to a page
/// that finds none would kill the process. For the same reason a limit on file sizes is asked for first.
fn map(file: &File) -> Result<NonNull<Block>, Fault> {
    // SAFETY: rlimit is plain data, for which zero is a value, and a valid place to write to.
    let limit = unsafe {
        let mut limit: libc::rlimit = core::mem::zeroed();
        libc::getrlimit(libc::RLIMIT_FSIZE, &mut limit);
        limit.rlim_cur
    };
    if limit < LAYOUT.size() as libc::rlim_t {
        return Err(Fault::Other(libc::EFBIG));
    }
    // SAFETY: takes a descriptor, which is open, and two numbers.
    let errno: c_int =
        unsafe { libc::posix_fallocate(file.descriptor(), 0, LAYOUT.size() as libc::off_t) };
    if errno != 0 {
        return Err(Fault::from_errno(errno));
    }
    // SAFETY: a mapping at an address of the kernel's choice touches nothing of ours.
    let place = unsafe {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        libc::mmap(null_mut(), LAYOUT.size(), protection, libc::MAP_SHARED, file.descriptor(), 0)
    };
    if place == libc::MAP_FAILED {
        return Err(Fault::last());
    }
    let block = NonNull::new(place.cast::<Block>()).ok_or(Fault::Missing)?;
    let header = Header { magic: MAGIC, word: size_of::<usize>() as u32, process: process::id() };
    // SAFETY: just mapped, so it is aligned to a page, long enough, and known to nobody else.
    unsafe { (&raw mut (*block.as_ptr()).header).write(header) };
    Ok(block)
}
