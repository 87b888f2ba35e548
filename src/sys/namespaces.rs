//! Which network namespace and root directory the calling thread is in, and which of the two it can leave:
//! namespaces(7), chroot(2), capabilities(7).

pub use super::freedom::{Freedom, Network};
use super::kernel::{self, Statx, call};
use super::{Fault, files};
use core::ffi::c_int;
use core::mem::size_of;

/// A root directory in its mount namespace: a mount is in one mount namespace only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    /// The mount's number: since Linux 6.8 one that no other mount ever has.
    mount: u64,
    device: u64,
    inode: u64,
}

/// capabilities(7): those of the first word.
const SYS_CHROOT: u32 = 1 << 18;
const SYS_ADMIN: u32 = 1 << 21;

impl Freedom {
    /// The calling thread's. What it is permitted counts: it can raise that by itself. (A thread without
    /// either right gets them by execve(2), or in a user namespace of its own where its process has no
    /// other thread.)
    #[inline(never)]
    pub fn now() -> Freedom {
        #[repr(C)]
        struct Header {
            version: u32,
            thread: c_int,
        }
        #[repr(C)]
        #[derive(Clone, Copy, Default)]
        struct Sets {
            effective: u32,
            permitted: u32,
            inheritable: u32,
        }
        /// `_LINUX_CAPABILITY_VERSION_3`
        const VERSION: u32 = 0x2008_0522;
        let mut header = Header { version: VERSION, thread: 0 };
        // The sets of this version have two words.
        let mut sets = [Sets::default(); 2];
        // SAFETY: both are valid places for the call to read and write, of the form that the version says.
        let result =
            unsafe { call!(libc::SYS_capget, &raw mut header, (&raw mut sets).cast::<Sets>()) };
        let [Sets { permitted, .. }, _] = sets;
        match () {
            // Who can't find out (a filter forbids the call) is not believed to be bound.
            () if result != 0 || permitted & SYS_ADMIN != 0 => Freedom::All,
            () if permitted & SYS_CHROOT != 0 => Freedom::Root,
            () => Freedom::Nothing,
        }
    }
}

impl Network {
    /// The calling thread's; `None` where there can be no socket, or with a kernel older than 5.14, and no
    /// /proc.
    #[inline(never)]
    pub fn now() -> Option<Network> {
        match cookie() {
            Ok(cookie) => Some(Network::Cookie(cookie)),
            Err(_) => network_number().map(Network::Number),
        }
    }
}

/// The number that /proc has for the calling thread's network namespace. One system call, where a cookie
/// takes three; but when the namespace is gone the number may be another one's.
#[inline(never)]
pub fn network_number() -> Option<u64> {
    let mut link = [0u8; 32];
    // SAFETY: the path ends in NUL, and the buffer is valid for its length.
    let length = unsafe {
        kernel::readlink(c"/proc/thread-self/ns/net".as_ptr(), link.as_mut_ptr(), link.len())
    };
    // net:[4026531840]
    let text = link.get(..usize::try_from(length).ok()?)?;
    let digits = text.strip_prefix(b"net:[")?.strip_suffix(b"]")?;
    digits.iter().try_fold(0u64, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|&digit| digit < 10)?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

/// A socket belongs to the network namespace of the thread that makes it. One of the kind that the DNS is
/// asked with: a filter that forbids those leaves nothing to look up.
fn cookie() -> Result<u64, Fault> {
    let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
    let open = |family: c_int| {
        // SAFETY: socket takes numbers only.
        match unsafe { kernel::socket(family, kind, 0) } {
            -1 => Err(Fault::last()),
            socket => Ok(socket),
        }
    };
    let socket = match open(libc::AF_INET) {
        Err(Fault::Unreachable) => open(libc::AF_INET6)?,
        opened => opened?,
    };
    let mut cookie = 0u64;
    let mut length = size_of::<u64>() as libc::socklen_t;
    // SAFETY: `cookie` is a valid place of `length` octets, and the socket is ours alone.
    let result = unsafe {
        let option = libc::SO_NETNS_COOKIE;
        let value = (&raw mut cookie).cast();
        kernel::getsockopt(socket, libc::SOL_SOCKET, option, value, &raw mut length)
    };
    let outcome = if result == 0 { Ok(cookie) } else { Err(Fault::last()) };
    // SAFETY: as above; it is not used afterwards.
    unsafe { kernel::close(socket) };
    outcome
}

/// `AT_STATX_DONT_SYNC`, which not every libc names.
const STATX_DONT_SYNC: c_int = 0x4000;
const STATX_INO: u32 = 0x100;
/// Linux 5.8.
const STATX_MNT_ID: u32 = 0x1000;
/// Linux 6.8; older kernels take no notice of it.
const STATX_MNT_ID_UNIQUE: u32 = 0x4000;

impl Root {
    /// The calling thread's; `None` where it can't be looked at.
    #[inline(never)]
    pub fn now() -> Option<Root> {
        let mut found = Statx::default();
        let wanted = STATX_INO | STATX_MNT_ID | STATX_MNT_ID_UNIQUE;
        let result = kernel::statx(libc::AT_FDCWD, c"/", STATX_DONT_SYNC, wanted, &mut found);
        if result == 0 && found.mask & (STATX_MNT_ID | STATX_MNT_ID_UNIQUE) != 0 {
            let [major, minor] = found.device.map(u64::from);
            return Some(Root {
                mount: found.mount,
                device: major << 32 | minor,
                inode: found.inode,
            });
        }
        let root = files::inode(c"/")?;
        // In place of the mount's: the mount namespace's, where there is a /proc to say it.
        let mount = files::inode(c"/proc/thread-self/ns/mnt").map_or(0, |file| file.number);
        Some(Root { mount, device: root.device, inode: root.number })
    }
}

/// The thread that is calling: what lies in thread-local storage is its own already.
pub fn thread() -> usize {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A namespace of its own, where the machine lets this test have one; else as it was.
    fn unshared(flags: c_int) -> bool {
        // SAFETY: unshare takes flags only, and changes nothing but the calling thread.
        unsafe { libc::unshare(flags) == 0 }
    }

    #[test]
    fn a_thread_is_where_it_was_until_it_leaves() {
        std::thread::spawn(|| {
            let now = || (Network::now(), network_number(), Root::now());
            let before = now();
            assert_eq!(now(), before);
            assert!(before.0.is_some() && before.1.is_some() && before.2.is_some());
            if Freedom::now() != Freedom::All || !unshared(libc::CLONE_NEWNET) {
                return;
            }
            let after = now();
            assert_ne!((after.0, after.1), (before.0, before.1));
            assert_eq!(after.2, before.2);
            assert!(unshared(libc::CLONE_NEWNS));
            assert_ne!(Root::now(), before.2, "the same folder, mounted anew");
        })
        .join()
        .unwrap();
    }
}
