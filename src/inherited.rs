//! Configuration that outlives the right to read it. A daemon looks a name up as root, forks, and the child is
//! somebody who may not open resolv.conf: it goes by what the file was when its parent, or itself, read it last.
//!
//! This alone is kept over a fork, in memory that the child has from its parent. In another root directory nothing of
//! it counts.

use crate::config::watch::lock;
use crate::mem::{NoMemory, copy};
use crate::sys::Fault;
use crate::sys::errno;
use crate::sys::files::{self, Inode, Unreadable};
use crate::sys::lock::Mutex;
use crate::sys::process;
use crate::sys::shared::Shared;
use core::ffi::CStr;

/// A file's content as it was read last.
pub struct Inherited(Mutex<Option<Shared<Kept>>>);

struct Kept {
    path: Box<[u8]>,
    root: Option<Inode>,
    text: Box<[u8]>,
}

/// resolv.conf.
pub static RESOLV: Inherited = Inherited::nothing();
/// nsswitch.conf.
pub static NSSWITCH: Inherited = Inherited::nothing();
/// gai.conf.
pub static GAI: Inherited = Inherited::nothing();

impl Inherited {
    const fn nothing() -> Inherited {
        Inherited(Mutex::new(None))
    }

    /// What to go by where this was read of the file: it, or where it may not be read, what was read before. Kept only
    /// in a process that can give up its rights.
    ///
    /// # Errors
    /// Why there is no content, as it was.
    pub fn or_before(
        &self,
        path: &CStr,
        read: Result<Vec<u8>, Unreadable>,
    ) -> Result<(Vec<u8>, Source), Unreadable> {
        match read {
            Ok(text) => {
                if process::may_give_up_rights() {
                    self.keep(path, &text)?;
                }
                Ok((text, Source::File))
            }
            Err(Unreadable::Fault(Fault::Other(number)))
                if [errno::NOT_PERMITTED, errno::NO_ACCESS].contains(&number) =>
            {
                let kept = lock(&self.0).and_then(|kept| kept.clone());
                let is_same = |kept: &Shared<Kept>| {
                    *kept.path == *path.to_bytes() && kept.root == files::inode(c"/")
                };
                match kept.filter(is_same) {
                    Some(kept) => Ok((copy(&kept.text)?.into_vec(), Source::Before)),
                    None => Err(Unreadable::Fault(Fault::Other(number))),
                }
            }
            Err(why) => Err(why),
        }
    }

    fn keep(&self, path: &CStr, text: &[u8]) -> Result<(), NoMemory> {
        let kept =
            Kept { path: copy(path.to_bytes())?, root: files::inode(c"/"), text: copy(text)? };
        let kept = Shared::new(kept)?;
        // A child that was forked while another thread held this goes without.
        let replaced = lock(&self.0).and_then(|mut place| place.replace(kept));
        drop(replaced);
        Ok(())
    }
}

/// Where a content is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The file.
    File,
    /// What it was before.
    Before,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_be_read_is_as_it_was() {
        let refused = || Err(Unreadable::Fault(Fault::Other(errno::NO_ACCESS)));
        let file = Inherited::nothing();
        assert!(file.or_before(c"/a", refused()).is_err());
        file.keep(c"/a", b"old").unwrap();
        file.keep(c"/a", b"text").unwrap();
        assert_eq!(file.or_before(c"/a", refused()).ok(), Some((b"text".to_vec(), Source::Before)));
        assert!(file.or_before(c"/b", refused()).is_err(), "another file");
        let missing = || Err(Unreadable::Fault(Fault::Missing));
        assert!(file.or_before(c"/a", missing()).is_err(), "one that is gone is gone");
        let read = file.or_before(c"/a", Ok(b"new".to_vec()));
        assert_eq!(read.ok(), Some((b"new".to_vec(), Source::File)));
    }
}
