//! The little that a forked child has of its parent, in memory that no fork wipes: files that it may not be able to
//! read, and what tells a `_res` that was filled by us from one that a program has filled.

use crate::sys::files::{self, Inode};
use crate::sys::lock::Mutex;
use crate::sys::mem::{NoMemory, copy};
use crate::sys::shared::Shared;
use core::ffi::CStr;
use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicU32, AtomicUsize};

/// The place of a file's content.
pub struct Content(Mutex<Option<Shared<Kept>>>);

struct Kept {
    path: Box<[u8]>,
    root: Option<Inode>,
    text: Box<[u8]>,
}

impl Content {
    /// Nothing yet. Each place has a number of its own.
    pub const fn nothing(_number: u32) -> Content {
        Content(Mutex::new(None))
    }

    /// Puts `text` there, which is the content of the file at `path` in the calling thread's root directory.
    pub fn keep(&self, path: &CStr, text: &[u8]) -> Result<(), NoMemory> {
        let kept =
            Kept { path: copy(path.to_bytes())?, root: files::inode(c"/"), text: copy(text)? };
        let kept = Shared::new(kept)?;
        // A child that was forked while another thread held this goes without.
        let replaced = self.0.lock().and_then(|mut place| place.replace(kept));
        drop(replaced);
        Ok(())
    }

    /// What was put there, of that path and in the same root directory.
    pub fn kept(&self, path: &CStr) -> Result<Option<Vec<u8>>, NoMemory> {
        let kept = self.0.lock().and_then(|kept| kept.clone());
        let is_same =
            |kept: &Shared<Kept>| *kept.path == *path.to_bytes() && kept.root == files::inode(c"/");
        match kept.filter(is_same) {
            Some(kept) => Ok(Some(copy(&kept.text)?.into_vec())),
            None => Ok(None),
        }
    }
}

/// A `_res` that was filled before the fork is as good as one that is filled after it.
static VERSIONS: Versions = Versions::new();

/// Notes the fingerprint of a `_res` as we fill it.
pub fn add_version(fingerprint: u64) {
    VERSIONS.add(fingerprint);
}

/// True for one that was noted, if it is not long ago.
pub fn has_version(fingerprint: u64) -> bool {
    VERSIONS.has(fingerprint)
}

/// The last fingerprints: a few for each version, of each world that threads went through. Zero is no
/// fingerprint: one that came out as zero would only make an unchanged `_res` be read again at each lookup.
struct Versions {
    /// In halves: not every machine has atomic numbers of 64 bits. Halves of two that are written at
    /// once match as seldom as the fingerprint of another `_res` does.
    sets: [[[AtomicU32; 2]; 8]; 32],
    next: AtomicUsize,
}

impl Versions {
    const fn new() -> Versions {
        let sets = [const { [const { [const { AtomicU32::new(0) }; 2] }; 8] }; 32];
        Versions { sets, next: AtomicUsize::new(0) }
    }

    fn add(&self, fingerprint: u64) {
        if !self.has(fingerprint) {
            let set = self.set(fingerprint);
            let at = self.next.fetch_add(1, Relaxed) % set.len().max(1);
            if let Some(place) = set.get(at) {
                place
                    .iter()
                    .zip(halves(fingerprint))
                    .for_each(|(half, new)| half.store(new, Relaxed));
            }
        }
    }

    fn has(&self, fingerprint: u64) -> bool {
        let wanted = halves(fingerprint);
        let known =
            |place: &[AtomicU32; 2]| place.each_ref().map(|half| half.load(Relaxed)) == wanted;
        fingerprint != 0 && self.set(fingerprint).iter().any(known)
    }

    fn set(&self, fingerprint: u64) -> &[[AtomicU32; 2]] {
        let [upper, lower] = halves(fingerprint);
        let at = (upper ^ lower) as usize % self.sets.len();
        self.sets.get(at).map_or(&[], |set| set)
    }
}

fn halves(number: u64) -> [u32; 2] {
    [(number >> 32) as u32, number as u32]
}
