//! Configuration that outlives the right to read it. A daemon looks a name up as root, forks, and the child is
//! somebody who may not open resolv.conf: it goes by what the file was when its parent, or itself, read it last.
//!
//! This alone is kept over a fork, in memory that the child has from its parent. In another root directory nothing of
//! it counts.

use crate::sys::files::Unreadable;
use crate::sys::inherited::Content;
use crate::sys::{Fault, errno, process};
use core::ffi::CStr;

/// A file's content as it was read last.
pub struct Inherited(Content);

/// resolv.conf.
pub static RESOLV: Inherited = Inherited(Content::nothing(0));
/// nsswitch.conf.
pub static NSSWITCH: Inherited = Inherited(Content::nothing(1));
/// gai.conf.
pub static GAI: Inherited = Inherited(Content::nothing(2));

impl Inherited {
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
                    self.0.keep(path, &text)?;
                }
                Ok((text, Source::File))
            }
            Err(Unreadable::Fault(Fault::Other(number)))
                if [errno::NOT_PERMITTED, errno::NO_ACCESS].contains(&number) =>
            {
                let kept = self.0.kept(path)?.map(|text| (text, Source::Before));
                kept.ok_or(Unreadable::Fault(Fault::Other(number)))
            }
            Err(why) => Err(why),
        }
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
    use crate::context::inherited::*;

    #[test]
    fn what_may_not_be_read_is_as_it_was() {
        let refused = || Err(Unreadable::Fault(Fault::Other(errno::NO_ACCESS)));
        let file = Inherited(Content::nothing(0));
        assert!(file.or_before(c"/a", refused()).is_err());
        file.0.keep(c"/a", b"old").unwrap();
        file.0.keep(c"/a", b"text").unwrap();
        assert_eq!(file.or_before(c"/a", refused()).ok(), Some((b"text".to_vec(), Source::Before)));
        assert!(file.or_before(c"/b", refused()).is_err(), "another file");
        let missing = || Err(Unreadable::Fault(Fault::Missing));
        assert!(file.or_before(c"/a", missing()).is_err(), "one that is gone is gone");
        let read = file.or_before(c"/a", Ok(b"new".to_vec()));
        assert_eq!(read.ok(), Some((b"new".to_vec(), Source::File)));
    }
}
