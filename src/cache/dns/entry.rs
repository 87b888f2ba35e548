//! One answer of the cache: what it said, and until when it is true.

use super::Key;
use super::packed::{Form, Packed};
use crate::base::address::Address;
use crate::sys::mem::NoMemory;
use crate::sys::tailed::Tailed;
use crate::sys::time::Instant;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use core::time::Duration;
use smallvec::SmallVec;

/// For how long an answer serves after its time before the servers are asked again (RFC 8767 section 5).
const RENEWED: Duration = Duration::from_secs(30);

/// What an answer said; addresses in the form `L`.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a, L> {
    /// The name's addresses; and where it is an alias, the canonical name and the aliases between
    /// the two, each ended by NUL.
    Addresses(L, &'a [u8]),
    /// Host names, as one run of names in wire form.
    Names(&'a [u8]),
    /// The name exists without such records.
    NoData,
    /// The name does not exist.
    NoName,
    /// No server has said anything about such records.
    Silence,
    /// The name is an alias of one without such records (RFC 2308 section 2.2): no different in the DNS,
    /// but libc tells some callers another error.
    Unrelated,
}

/// What is put into the cache.
pub type Given<'a> = Content<'a, &'a [Address]>;
/// What comes out of it.
pub type Kept<'a> = Content<'a, Packed<'a>>;

/// An answer that is kept. All that is of no fixed length lies behind the facts, in one piece of memory:
/// the name in wire form, the addresses, other names.
#[derive(Clone)]
pub struct Entry(Tailed<Facts>);

struct Facts {
    /// When it is no longer true.
    expires: Instant,
    generation: u32,
    /// For how many seconds after that it is kept, in case that no server answers (RFC 8767).
    spare: u32,
    /// Until when it serves as if it were still true, because none has: [`Instant::millis`], 0: never.
    renewed: AtomicU32,
    qtype: u16,
    /// Octets of the addresses.
    addresses: u16,
    /// Octets of the name, at most 255.
    name: u8,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Addresses(Form),
    Names,
    NoData,
    NoName,
    Silence,
    Unrelated,
}

impl Entry {
    /// The answer to `key`.
    ///
    /// # Errors
    /// Memory is short, or the answer longer than any that a server can send.
    #[inline(never)]
    pub(super) fn new(
        key: &Key<'_>,
        content: Given<'_>,
        expires: Instant,
        spare: u32,
    ) -> Result<Entry, NoMemory> {
        let mut addresses = SmallVec::<[u8; 64]>::new();
        let (kind, names) = match content {
            Content::Addresses(list, names) => {
                let form = Form::of(list);
                addresses.try_reserve(list.len() * form.width()).map_err(|_| NoMemory)?;
                list.iter().for_each(|address| form.write(address, &mut addresses));
                (Kind::Addresses(form), names)
            }
            Content::Names(names) => (Kind::Names, names),
            Content::NoData => (Kind::NoData, &[][..]),
            Content::NoName => (Kind::NoName, &[][..]),
            Content::Silence => (Kind::Silence, &[][..]),
            Content::Unrelated => (Kind::Unrelated, &[][..]),
        };
        let name = key.name.wire();
        let facts = Facts {
            expires,
            generation: key.generation,
            spare,
            renewed: AtomicU32::new(0),
            qtype: key.qtype,
            addresses: addresses.len().try_into().map_err(|_| NoMemory)?,
            name: name.len().try_into().map_err(|_| NoMemory)?,
            kind,
        };
        Ok(Entry(Tailed::new(facts, &[name, &addresses, names])?))
    }

    /// The answer to `key` for those that are waiting for it now, and for nobody after them.
    pub fn passing(key: &Key<'_>, content: Given<'_>, now: Instant) -> Result<Entry, NoMemory> {
        Entry::new(key, content, now, 0)
    }

    /// What it said.
    pub fn content(&self) -> Kept<'_> {
        let (name, addresses) = (usize::from(self.0.name), usize::from(self.0.addresses));
        let rest = self.0.tail().get(name..).unwrap_or_default();
        let (addresses, names) = rest.split_at_checked(addresses).unwrap_or_default();
        match self.0.kind {
            Kind::Addresses(form) => Content::Addresses(Packed { form, octets: addresses }, names),
            Kind::Names => Content::Names(names),
            Kind::NoData => Content::NoData,
            Kind::NoName => Content::NoName,
            Kind::Silence => Content::Silence,
            Kind::Unrelated => Content::Unrelated,
        }
    }

    /// Seconds that are left of it.
    pub fn ttl(&self, now: Instant) -> u32 {
        if self.is_past(now) {
            return self.renewed_for(now) / 1000;
        }
        u32::try_from(self.0.expires.since(now).as_secs()).unwrap_or(u32::MAX)
    }

    /// True where its time is over.
    pub fn is_past(&self, now: Instant) -> bool {
        self.0.expires <= now
    }

    /// Lets it serve for a while more, without the servers being asked each time.
    pub fn renew(&self, now: Instant) {
        // 0 means something else; a millisecond does not matter.
        self.0.renewed.store(now.after(RENEWED).millis().max(1), Relaxed);
    }

    /// For how many milliseconds more it serves after its time.
    fn renewed_for(&self, now: Instant) -> u32 {
        match self.0.renewed.load(Relaxed) {
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
        self.0.expires.after(Duration::from_secs(self.0.spare.into())) > now
    }

    pub(super) fn is(&self, key: &Key<'_>) -> bool {
        self.0.qtype == key.qtype
            && self.0.generation == key.generation
            && self.name().eq_ignore_ascii_case(key.name.wire())
    }

    fn name(&self) -> &[u8] {
        self.0.tail().get(..usize::from(self.0.name)).unwrap_or_default()
    }

    /// Octets of what has no fixed length.
    pub(super) fn octets(&self) -> usize {
        self.0.tail().len()
    }

    /// The memory that it takes.
    pub(super) fn memory(&self) -> usize {
        size_of::<Facts>() + self.octets()
    }
}
