//! A file that is followed: parsed once, looked at again at most every 100 ms, parsed anew when it
//! has changed. One thread does that; the others go on with the version they have.
//!
//! A reload (`res_init`) begins a new epoch. A call goes by versions that were read for a call of its own epoch or
//! a later one: what began to be read before a reload is never taken for what was there after it.

use crate::sys::files::{Identity, Unreadable, identity, read};
use crate::sys::lock::Mutex;
use crate::sys::mem::NoMemory;
use crate::sys::shared::Shared;
use crate::sys::time::Instant;
use core::ffi::CStr;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed, Ordering::SeqCst};
use core::time::Duration;

/// How long a version is taken to be current without a look at the file, in milliseconds.
pub const FRESH: u32 = 100;

/// A followed file and what was made of it.
pub struct Watched<T> {
    current: Mutex<Option<Version<T>>>,
    /// When the file was last looked at: [`Instant::millis`], made odd; 0: never.
    checked: AtomicU32,
    /// Held by the thread that reads the file, for others who have no version yet.
    loading: Mutex<()>,
}

struct Version<T> {
    identity: Option<Identity>,
    /// The epoch of the call that has read it.
    epoch: u32,
    content: Shared<T>,
}

/// How many reloads there were.
static EPOCH: AtomicU32 = AtomicU32::new(0);

/// What calls that begin now go by, to be asked for before anything else that a reload changes.
pub fn epoch() -> u32 {
    EPOCH.load(SeqCst)
}

/// From now on every file is read anew, changed or not: its parsing may depend on more.
pub fn advance() {
    EPOCH.fetch_add(1, SeqCst);
}

impl<T> Version<T> {
    /// Whether calls of this epoch may go by it: not from before. The number may start again from zero.
    fn is_of(&self, epoch: u32) -> bool {
        self.epoch.wrapping_sub(epoch) < u32::MAX / 2
    }
}

impl<T> Clone for Version<T> {
    fn clone(&self) -> Version<T> {
        Version { identity: self.identity, epoch: self.epoch, content: self.content.clone() }
    }
}

impl<T> Watched<T> {
    /// A file that hasn't been looked at.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Watched<T> {
        Watched { current: Mutex::new(None), checked: AtomicU32::new(0), loading: Mutex::new(()) }
    }

    /// Until when the version that is there is taken to be current; `now` where it is due for a look.
    pub fn fresh_until(&self, now: Instant) -> Instant {
        let age = (now.millis() | 1).wrapping_sub(self.checked.load(Relaxed));
        // A file that was never looked at has an age like any other, but is in `get`'s way first.
        now.after(Duration::from_millis(FRESH.saturating_sub(age).into()))
    }

    /// The version for a call that has begun at a time and in an [`epoch`]. `load` makes it from the file's
    /// octets, or from why there are none.
    ///
    /// Where memory is short the version that is there goes on being used.
    pub fn get(
        &self,
        path: &CStr,
        (now, epoch): (Instant, u32),
        load: impl FnOnce(Result<Vec<u8>, Unreadable>) -> Result<T, NoMemory>,
    ) -> Result<Shared<T>, NoMemory> {
        let current = self.current.lock().and_then(|current| current.clone());
        let stamp = now.millis() | 1;
        let checked = self.checked.load(Relaxed);
        let due = checked == 0 || stamp.wrapping_sub(checked) >= FRESH;
        // Whoever sets the stamp looks at the file for all.
        let mine = due && self.checked.compare_exchange(checked, stamp, Relaxed, Relaxed).is_ok();
        match current {
            Some(version) if !mine && version.is_of(epoch) => Ok(version.content),
            Some(version) if version.is_of(epoch) && version.identity == identity(path).ok() => {
                Ok(version.content)
            }
            old => match self.load(path, epoch, old.as_ref(), load) {
                Ok(content) => Ok(content),
                Err(NoMemory) => old.map(|version| version.content).ok_or(NoMemory),
            },
        }
    }

    /// Reads the file, unless another thread has done so since `old` was the current version, and for a call
    /// that is not of an epoch before: all then go by that one.
    fn load(
        &self,
        path: &CStr,
        epoch: u32,
        old: Option<&Version<T>>,
        load: impl FnOnce(Result<Vec<u8>, Unreadable>) -> Result<T, NoMemory>,
    ) -> Result<Shared<T>, NoMemory> {
        // A file that takes long is read by several rather than waited for.
        let _turn = self.loading.lock();
        let newer = |current: &Option<Version<T>>| {
            let current = current.as_ref()?;
            let same = old.is_some_and(|old| Shared::same(&old.content, &current.content));
            (!same && current.is_of(epoch)).then(|| current.content.clone())
        };
        if let Some(content) = self.current.lock().and_then(|current| newer(&current)) {
            return Ok(content);
        }
        let (octets, identity) = match read(path) {
            Ok((octets, identity)) => (Ok(octets), Some(identity)),
            Err(Unreadable::NoMemory) => return Err(NoMemory),
            // What can't be read is looked at again when its identity changes.
            Err(why) => (Err(why), identity(path).ok()),
        };
        let content = Shared::new(load(octets)?)?;
        if let Some(mut current) = self.current.lock() {
            if let Some(content) = newer(&current) {
                return Ok(content);
            }
            *current = Some(Version { identity, epoch, content: content.clone() });
        }
        Ok(content)
    }

    /// Puts another version in the place of one, where that is still the current one. The file is the same.
    pub fn replace(&self, old: &Shared<T>, new: &Shared<T>) {
        if let Some(mut current) = self.current.lock()
            && let Some(version) = &mut *current
            && Shared::same(&version.content, old)
        {
            version.content = new.clone();
        }
    }

    /// The next [`Watched::get`] reads the file, changed or not.
    pub fn expire(&self) {
        if let Some(mut current) = self.current.lock()
            && let Some(version) = &mut *current
        {
            version.epoch = epoch().wrapping_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    #[test]
    fn threads_that_come_at_once_go_by_one_version() {
        let (watched, count) = (Watched::new(), AtomicU32::new(0));
        let get =
            || watched.get(c"/dev/null", (Instant::now(), 0), |_| Ok(count.fetch_add(1, Relaxed)));
        let versions: Vec<Shared<u32>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(get)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
        });
        assert!(versions.iter().all(|version| Shared::same(version, &versions[0])));
    }

    #[test]
    fn a_change_is_seen_after_100_ms_and_at_once_in_another_epoch() {
        let path =
            std::env::temp_dir().join(format!("rustdns-watch-{}", crate::sys::process::id()));
        let name = CString::new(path.to_str().unwrap()).unwrap();
        let watched = Watched::new();
        let start = Instant::now();
        let at = |millis| start.after(Duration::from_millis(millis));
        let in_epoch = |now, epoch| {
            (*watched.get(&name, (now, epoch), |octets| Ok(octets.ok())).unwrap()).clone()
        };
        let get = |now| in_epoch(now, 0);
        assert_eq!(get(at(0)), None);
        std::fs::write(&path, "one").unwrap();
        assert_eq!(get(at(50)), None);
        assert_eq!(get(at(200)).as_deref(), Some(&b"one"[..]));
        std::fs::write(&path, "three").unwrap();
        assert_eq!(get(at(210)).as_deref(), Some(&b"one"[..]));
        assert_eq!(in_epoch(at(220), 1).as_deref(), Some(&b"three"[..]));
        assert_eq!(
            get(at(220)).as_deref(),
            Some(&b"three"[..]),
            "from after the reload is as good"
        );
        std::fs::remove_file(&path).unwrap();
        assert_eq!(get(at(400)), None);
    }

    /// A thread has read the file, and is still at it when a reload begins.
    #[test]
    fn a_reload_is_not_overtaken_by_an_older_read() {
        let path =
            std::env::temp_dir().join(format!("rustdns-epoch-{}", crate::sys::process::id()));
        let name = CString::new(path.to_str().unwrap()).unwrap();
        let watched = Watched::new();
        std::fs::write(&path, "old").unwrap();
        let barrier = std::sync::Barrier::new(2);
        std::thread::scope(|scope| {
            let reads = scope.spawn(|| {
                let load = |octets: Result<Vec<u8>, Unreadable>| {
                    barrier.wait();
                    barrier.wait();
                    Ok(octets.unwrap())
                };
                (*watched.get(&name, (Instant::now(), 0), load).unwrap()).clone()
            });
            barrier.wait();
            std::fs::write(&path, "new").unwrap();
            let reloads = scope.spawn(|| {
                let load = |octets: Result<Vec<u8>, Unreadable>| Ok(octets.unwrap());
                (*watched.get(&name, (Instant::now(), 1), load).unwrap()).clone()
            });
            barrier.wait();
            assert_eq!(reloads.join().unwrap(), b"new");
            reads.join().unwrap();
        });
        let load = |_| panic!("there already");
        let now = (*watched.get(&name, (Instant::now(), 1), load).unwrap()).clone();
        assert_eq!(now, b"new");
        std::fs::remove_file(&path).unwrap();
    }
}
