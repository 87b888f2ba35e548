//! One answer of the cache: what it said, and until when it is true.

use super::Key;
use crate::address::Address;
use crate::sys::time::Instant;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use core::time::Duration;
use smallvec::SmallVec;

/// For how long an answer serves after its time before the servers are asked again (RFC 8767 section 5).
const RENEWED: Duration = Duration::from_secs(30);

/// What an answer said.
pub enum Content {
    /// The name's addresses; and where it is an alias, the canonical name and the aliases between
    /// the two, each ended by NUL.
    Addresses(SmallVec<[Address; 2]>, Box<[u8]>),
    /// Host names, as one run of names in wire form.
    Names(Box<[u8]>),
    /// The name exists without such records.
    NoData,
    /// The name does not exist.
    NoName,
}

impl Content {
    /// The heap that it takes.
    pub(super) fn octets(&self) -> usize {
        match self {
            Content::Addresses(list, names) => size_of_val(&**list) + names.len(),
            Content::Names(names) => names.len(),
            Content::NoData | Content::NoName => 0,
        }
    }
}

/// An answer that is kept.
pub struct Entry {
    /// In wire form. Most names, and most addresses, lie in the entry itself.
    pub(super) name: SmallVec<[u8; 36]>,
    pub(super) qtype: u16,
    pub(super) generation: u32,
    /// When it is no longer true.
    pub(super) expires: Instant,
    /// For how many seconds after that it is kept, in case that no server answers (RFC 8767).
    pub(super) spare: u32,
    /// Until when it serves as if it were still true, because none has: [`Instant::millis`], 0: never.
    pub(super) renewed: AtomicU32,
    /// What it said.
    pub content: Content,
}

impl Entry {
    /// Seconds that are left of it.
    pub fn ttl(&self, now: Instant) -> u32 {
        if self.is_past(now) {
            return self.renewed_for(now) / 1000;
        }
        u32::try_from(self.expires.since(now).as_secs()).unwrap_or(u32::MAX)
    }

    /// True where its time is over.
    pub fn is_past(&self, now: Instant) -> bool {
        self.expires <= now
    }

    /// Lets it serve for a while more, without the servers being asked each time.
    pub fn renew(&self, now: Instant) {
        // 0 means something else; a millisecond does not matter.
        self.renewed.store(now.after(RENEWED).millis().max(1), Relaxed);
    }

    /// For how many milliseconds more it serves after its time.
    fn renewed_for(&self, now: Instant) -> u32 {
        match self.renewed.load(Relaxed) {
            0 => 0,
            until => until.wrapping_sub(now.millis()).cast_signed().max(0).cast_unsigned(),
        }
    }

    /// True while it answers.
    pub(super) fn is_good(&self, now: Instant) -> bool {
        !self.is_past(now) || self.is_kept(now) && self.renewed_for(now) > 0
    }

    /// True while it is worth its place.
    pub(super) fn is_kept(&self, now: Instant) -> bool {
        self.expires.after(Duration::from_secs(self.spare.into())) > now
    }

    pub(super) fn is(&self, key: &Key<'_>) -> bool {
        self.qtype == key.qtype
            && self.generation == key.generation
            && self.name.eq_ignore_ascii_case(key.name.wire())
    }

    /// The memory that it takes, but for a name of more than 36 octets.
    pub(super) fn memory(&self) -> usize {
        size_of::<Entry>() + self.content.octets()
    }
}
