//! Which links multicast DNS had a moment ago.

use super::BELIEVED;
use crate::sys::lock::Mutex;
use crate::sys::netlink::ListError;
use crate::sys::time::Instant;

/// One number of the links, and when they were found ([`Instant::millis`]).
#[derive(Default)]
pub struct Links(Mutex<Option<(u32, u32)>>);

impl Links {
    /// What was found a moment ago; else what `find` finds now. 0 where the kernel does not say: who asks
    /// by the links then learns it too.
    pub fn get(&self, now: Instant, find: impl FnOnce() -> Result<u32, ListError>) -> u32 {
        let known = self.0.lock().and_then(|known| *known);
        if let Some((links, at)) = known
            && now.millis().wrapping_sub(at) < BELIEVED
        {
            return links;
        }
        let links = find().unwrap_or_default();
        if let Some(mut known) = self.0.lock() {
            *known = Some((links, now.millis()));
        }
        links
    }

    /// Forgets it.
    pub(super) fn flush(&self) {
        if let Some(mut known) = self.0.lock() {
            *known = None;
        }
    }
}
