//! Configuration files: whether one has changed, and what it holds.

pub use super::content::Unreadable;

use super::content::read_whole;
use super::errno::retry;
use super::socket::release;
use super::{Fault, calls, kernel};
use core::ffi::{CStr, c_int};

/// What tells one version of a file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// No configuration file is larger: offsets into one fit 32 bits.
const LARGEST: u64 = u32::MAX as u64 - 1;

/// An open file, closed when dropped.
pub struct File(c_int);

impl Drop for File {
    fn drop(&mut self) {
        release(self.0);
    }
}

impl File {
    /// Takes over a descriptor that was just opened.
    pub(super) fn of(descriptor: c_int) -> File {
        File(descriptor)
    }

    /// Its descriptor, which stays its own.
    pub(super) fn descriptor(&self) -> c_int {
        self.0
    }

    /// Opens `path` for reading. Never blocks, not even on a pipe without a writer.
    pub fn open(path: &CStr) -> Result<File, Fault> {
        let flags = libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY;
        // SAFETY: `path` ends in NUL.
        let descriptor = retry(|| unsafe { kernel::open(path.as_ptr(), flags, 0) })?;
        calls::opened(descriptor);
        Ok(File(descriptor))
    }

    /// Fills `buffer` whole; false where the file has less.
    pub fn fill(&self, buffer: &mut [u8]) -> bool {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.read(rest) {
                Ok(n) if n > 0 => filled += n,
                _ => return false,
            }
        }
        true
    }

    fn read(&self, buffer: &mut [u8]) -> Result<usize, Fault> {
        // SAFETY: `buffer` is valid for writing over its whole length.
        let n =
            retry(|| unsafe { kernel::read(self.0, buffer.as_mut_ptr().cast(), buffer.len()) })?;
        Ok(n.unsigned_abs())
    }

    /// Reads into the room that `content` has left.
    fn append_to(&self, content: &mut Vec<u8>) -> Result<usize, Fault> {
        let room = content.spare_capacity_mut();
        // SAFETY: the room is valid for writing over its whole length.
        let n = retry(|| unsafe { kernel::read(self.0, room.as_mut_ptr().cast(), room.len()) })?;
        let len = content.len() + n.unsigned_abs();
        // SAFETY: read(2) has filled as many octets of the room as it says.
        unsafe { content.set_len(len) };
        Ok(n.unsigned_abs())
    }
}

/// The identity of the file at `path` (symbolic links followed), or why there is none.
pub fn identity(path: &CStr) -> Result<Identity, Fault> {
    Status::at(path).map(|status| status.identity)
}

/// Which file it is, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inode {
    pub(super) device: u64,
    pub(super) number: u64,
}

impl Inode {
    /// The file of this number on this device.
    pub fn new(device: u64, number: u64) -> Inode {
        Inode { device, number }
    }

    /// The two numbers in halves: not every machine has atomic ones of 64 bits.
    pub fn words(self) -> [u32; 4] {
        let halves = |number: u64| [(number >> 32) as u32, number as u32];
        let ([a, b], [c, d]) = (halves(self.device), halves(self.number));
        [a, b, c, d]
    }
}

/// Which file is at `path` (symbolic links followed); `None` where none can be seen.
pub fn inode(path: &CStr) -> Option<Inode> {
    Status::at(path).ok().map(|status| status.inode())
}

/// True where the file or folder at `path` is root's, and neither group nor others may write to it.
pub fn is_roots_alone(path: &CStr) -> bool {
    Status::at(path).is_ok_and(|status| status.owner == 0 && status.mode & 0o022 == 0)
}

/// What the kernel says of a file.
pub(super) struct Status {
    /// `st_mode`: what kind of file it is, and what who may.
    pub(super) mode: libc::mode_t,
    /// Whose it is.
    pub(super) owner: libc::uid_t,
    /// How many names it has.
    pub(super) links: u64,
    identity: Identity,
}

impl Status {
    /// Which file it is.
    pub(super) fn inode(&self) -> Inode {
        Inode::new(self.identity.device, self.identity.inode)
    }
}

impl Status {
    fn at(path: &CStr) -> Result<Status, Fault> {
        Status::ask(libc::AT_FDCWD, path, 0)
    }

    pub(super) fn of(file: &File) -> Result<Status, Fault> {
        Status::ask(file.0, c"", libc::AT_EMPTY_PATH)
    }
}

#[cfg(has_stat)]
impl Status {
    fn ask(folder: c_int, path: &CStr, flags: c_int) -> Result<Status, Fault> {
        // SAFETY: stat is plain data, for which zero is a value.
        let mut status: libc::stat = unsafe { core::mem::zeroed() };
        retry(|| kernel::status(folder, path, flags, &mut status))?;
        Ok(Status::new(&status))
    }

    // The fields' types differ between architectures, so that a cast is needed on one and not on another.
    #[allow(clippy::unnecessary_cast)]
    fn new(status: &libc::stat) -> Status {
        let identity = Identity {
            device: status.st_dev as u64,
            inode: status.st_ino as u64,
            size: status.st_size as u64,
            modified: (status.st_mtime as i64, status.st_mtime_nsec as i64),
            changed: (status.st_ctime as i64, status.st_ctime_nsec as i64),
        };
        let links = status.st_nlink as u64;
        Status { mode: status.st_mode, owner: status.st_uid, links, identity }
    }
}

#[cfg(not(has_stat))]
impl Status {
    fn ask(folder: c_int, path: &CStr, flags: c_int) -> Result<Status, Fault> {
        let mut status = kernel::Statx::default();
        retry(|| kernel::status(folder, path, flags, &mut status))?;
        let [major, minor] = status.device.map(u64::from);
        let identity = Identity {
            device: major << 32 | minor,
            inode: status.inode,
            size: status.size,
            modified: (status.modified.seconds, status.modified.nanoseconds.into()),
            changed: (status.changed.seconds, status.changed.nanoseconds.into()),
        };
        let links = status.links.into();
        Ok(Status { mode: status.mode.into(), owner: status.owner, links, identity })
    }
}

/// True where the file at `path` gives capabilities to who executes it (capabilities(7)).
#[cfg(feature = "command")]
pub fn has_capabilities(path: &CStr) -> bool {
    // SAFETY: both names end in NUL; a length of zero asks for the size alone, nothing is written.
    let size = unsafe {
        libc::getxattr(path.as_ptr(), c"security.capability".as_ptr(), core::ptr::null_mut(), 0)
    };
    size > 0
}

/// Reads the whole file at `path`, and says which version it was.
pub fn read(path: &CStr) -> Result<(Vec<u8>, Identity), Unreadable> {
    let file = File::open(path).map_err(Unreadable::Fault)?;
    let Status { mode, identity, .. } = Status::of(&file).map_err(Unreadable::Fault)?;
    if mode & libc::S_IFMT != libc::S_IFREG {
        return Err(Unreadable::NotAFile);
    }
    let content = read_whole(identity.size, LARGEST, |content| file.append_to(content))?;
    Ok((content, identity))
}
