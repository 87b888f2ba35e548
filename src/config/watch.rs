//! A file that is followed: parsed once, looked at again at most every 100 ms, parsed anew when it
//! has changed. One thread does that; the others go on with the version they have.

use crate::mem::NoMemory;
use crate::sys::files::{Identity, Unreadable, identity, read};
use crate::sys::process;
use crate::sys::shared::Shared;
use crate::sys::time::Instant;
use core::ffi::CStr;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, TryLockError};

/// How long a version is taken to be current without a look at the file, in milliseconds.
pub const FRESH: u32 = 100;

/// A followed file and what was made of it.
pub struct Watched<T> {
    current: Mutex<Option<Version<T>>>,
    /// When the file was last looked at: [`Instant::millis`], made odd; 0: never, or not since a reload.
    checked: AtomicU32,
    /// Held by the thread that reads the file, for others who have no version yet.
    loading: Mutex<()>,
}

struct Version<T> {
    identity: Option<Identity>,
    content: Shared<T>,
}

impl<T> Clone for Version<T> {
    fn clone(&self) -> Version<T> {
        Version { identity: self.identity, content: self.content.clone() }
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

    /// The current version. `load` makes it from the file's octets, or from why there are none.
    ///
    /// Where memory is short the version that is there goes on being used.
    pub fn get(
        &self,
        path: &CStr,
        now: Instant,
        load: impl FnOnce(Result<Vec<u8>, Unreadable>) -> Result<T, NoMemory>,
    ) -> Result<Shared<T>, NoMemory> {
        let current = lock(&self.current).and_then(|current| current.clone());
        let stamp = now.millis() | 1;
        let checked = self.checked.load(Relaxed);
        let due = checked == 0 || stamp.wrapping_sub(checked) >= FRESH;
        // Whoever sets the stamp looks at the file for all.
        let mine = due && self.checked.compare_exchange(checked, stamp, Relaxed, Relaxed).is_ok();
        match current {
            Some(version) if !mine => Ok(version.content),
            // After a reload even an unchanged file is read again: its parsing may depend on more.
            Some(version) if checked != 0 && version.identity == identity(path).ok() => {
                Ok(version.content)
            }
            old => match self.load(path, old.as_ref(), load) {
                Ok(content) => Ok(content),
                Err(NoMemory) => old.map(|version| version.content).ok_or(NoMemory),
            },
        }
    }

    /// Reads the file, unless another thread has done so since `old` was the current version: all then
    /// go by that one.
    fn load(
        &self,
        path: &CStr,
        old: Option<&Version<T>>,
        load: impl FnOnce(Result<Vec<u8>, Unreadable>) -> Result<T, NoMemory>,
    ) -> Result<Shared<T>, NoMemory> {
        // A file that takes long is read by several rather than waited for.
        let _turn = lock(&self.loading);
        let newer = |current: &Option<Version<T>>| {
            let current = current.as_ref()?;
            let same = old.is_some_and(|old| Shared::same(&old.content, &current.content));
            (!same).then(|| current.content.clone())
        };
        if let Some(content) = lock(&self.current).and_then(|current| newer(&current)) {
            return Ok(content);
        }
        let (octets, identity) = match read(path) {
            Ok((octets, identity)) => (Ok(octets), Some(identity)),
            Err(Unreadable::NoMemory) => return Err(NoMemory),
            // What can't be read is looked at again when its identity changes.
            Err(why) => (Err(why), identity(path).ok()),
        };
        let content = Shared::new(load(octets)?)?;
        if let Some(mut current) = lock(&self.current) {
            if let Some(content) = newer(&current) {
                return Ok(content);
            }
            *current = Some(Version { identity, content: content.clone() });
        }
        Ok(content)
    }

    /// Puts another version in the place of one, where that is still the current one. The file is the same.
    pub fn replace(&self, old: &Shared<T>, new: &Shared<T>) {
        if let Some(mut current) = lock(&self.current)
            && let Some(version) = &mut *current
            && Shared::same(&version.content, old)
        {
            version.content = new.clone();
        }
    }

    /// The next [`Watched::get`] reads the file, changed or not.
    pub fn expire(&self) {
        self.checked.store(0, Relaxed);
    }
}

/// The lock if nobody holds it.
pub fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        // Every change is one assignment, so a panic has left it whole.
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// The lock, which others hold for some instructions only. `None` where it stays busy: a signal
/// handler may have interrupted its holder on this very thread.
pub fn lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    for _ in 0..1000 {
        if let Some(guard) = try_lock(mutex) {
            return Some(guard);
        }
        process::yield_now();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    #[test]
    fn threads_that_come_at_once_go_by_one_version() {
        let (watched, count) = (Watched::new(), AtomicU32::new(0));
        let get = || watched.get(c"/dev/null", Instant::now(), |_| Ok(count.fetch_add(1, Relaxed)));
        let versions: Vec<Shared<u32>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(get)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
        });
        assert!(versions.iter().all(|version| Shared::same(version, &versions[0])));
    }

    #[test]
    fn a_change_is_seen_after_100_ms_and_at_once_after_expire() {
        let path = std::env::temp_dir().join(format!("rustdns-watch-{}", process::id()));
        let name = CString::new(path.to_str().unwrap()).unwrap();
        let watched = Watched::new();
        let start = Instant::now();
        let at = |millis| start.after(Duration::from_millis(millis));
        let get = |now| (*watched.get(&name, now, |octets| Ok(octets.ok())).unwrap()).clone();
        assert_eq!(get(at(0)), None);
        std::fs::write(&path, "one").unwrap();
        assert_eq!(get(at(50)), None);
        assert_eq!(get(at(200)).as_deref(), Some(&b"one"[..]));
        std::fs::write(&path, "three").unwrap();
        assert_eq!(get(at(210)).as_deref(), Some(&b"one"[..]));
        watched.expire();
        assert_eq!(get(at(220)).as_deref(), Some(&b"three"[..]));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(get(at(400)), None);
    }
}
