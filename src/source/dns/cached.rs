//! Answers as the cache keeps them: what of a server's goes in, and what comes out again.

use super::lookup::Lookup;
use super::outcome::Outcome;
use crate::base::answer::{AddressSet, Answer, Found};
use crate::base::error::Trouble;
use crate::base::name::Name;
use crate::base::text::{NameText, append_name, append_text, names, text_of};
use crate::cache::dns::{Content, Entry, Given, Keep, Key};
use crate::observe::counters::Count;
use crate::rules::search::Miss;
use crate::sys::mem::{NoMemory, TryPush, append};
use crate::sys::time::Instant;

/// What an answer in the cache says about `name`; the canonical name is left out where it is that one.
pub(super) fn addresses_of(entry: &Entry, name: &Name) -> Result<Outcome<Found>, NoMemory> {
    Ok(match entry.content() {
        Content::Addresses(list, canonical) => {
            let mut found = Found::default();
            for address in list.iter() {
                found.addresses.try_push(address)?;
            }
            let mut names = names(canonical);
            if let Some(canonical) = names.next() {
                append_text(&mut found.canonical, canonical)?;
                append_name(&mut found.aliases, &text_of(name)?)?;
                names.try_for_each(|alias| append_name(&mut found.aliases, alias))?;
            }
            found.ttl = Some(entry.ttl(Instant::now()));
            Outcome::Found(found)
        }
        Content::NoData => Outcome::Missed(Miss::NoData),
        Content::NoName => Outcome::Missed(Miss::NoName),
        Content::Silence => Outcome::Failed(Trouble::Silent),
        Content::Unrelated => Outcome::Missed(Miss::Unrelated),
        Content::Names(_) => Outcome::NotAsked,
    })
}

/// What an answer in the cache says about an address: the names, appended to `run`, and how many
/// seconds they stay true.
pub(super) fn names_of(entry: &Entry, run: &mut Vec<u8>) -> Result<Outcome<u32>, NoMemory> {
    Ok(match entry.content() {
        Content::Names(names) => {
            append(run, names)?;
            Outcome::Found(entry.ttl(Instant::now()))
        }
        Content::NoData => Outcome::Missed(Miss::NoData),
        Content::NoName => Outcome::Missed(Miss::NoName),
        Content::Unrelated => Outcome::Missed(Miss::Unrelated),
        Content::Addresses(..) | Content::Silence => Outcome::NotAsked,
    })
}

/// What the cache keeps of an answer. `run` takes the names.
fn cached_content<'a>(
    content: &'a Answer<AddressSet>,
    run: &'a mut NameText,
) -> Result<Given<'a>, NoMemory> {
    let set = match content {
        Answer::Found(set) => set,
        Answer::NoData => return Ok(Content::NoData),
        Answer::NoName => return Ok(Content::NoName),
        Answer::Unrelated => return Ok(Content::Unrelated),
    };
    let mut aliases = names(&set.aliases);
    // The first alias is the name that the entry is kept under.
    if aliases.next().is_some() {
        append_name(run, &text_of(&set.canonical)?)?;
        aliases.try_for_each(|alias| append_name(run, alias))?;
    }
    Ok(Content::Addresses(&set.addresses, run))
}

/// The same of what was found: for threads that wait for an answer which the cache does not keep.
pub(super) fn passing(key: &Key<'_>, found: &Found, now: Instant) -> Result<Entry, NoMemory> {
    let mut run = NameText::new();
    let mut aliases = names(&found.aliases);
    if aliases.next().is_some() {
        append_name(&mut run, &found.canonical)?;
        aliases.try_for_each(|alias| append_name(&mut run, alias))?;
    }
    Entry::passing(key, Content::Addresses(&found.addresses, &run), now)
}

impl Lookup<'_> {
    /// Keeps what an answer says of a name's addresses. Not in the reader's frame, which is large.
    #[inline(never)]
    pub(super) fn keep_addresses(
        &self,
        name: &Name,
        qtype: u16,
        content: &Answer<AddressSet>,
        ttl: u32,
    ) -> Result<(), NoMemory> {
        let mut run = NameText::new();
        self.keep(name, qtype, cached_content(content, &mut run)?, ttl);
        Ok(())
    }

    /// Keeps an answer for as long as it, and the settings, allow.
    pub(super) fn keep(&self, name: &Name, qtype: u16, content: Given<'_>, ttl: u32) {
        let most = match content {
            Content::Addresses(..) | Content::Names(_) => self.max_ttl,
            Content::NoData | Content::NoName | Content::Unrelated => {
                self.terms.counters.one(Count::Negative);
                self.negative_ttl
            }
            Content::Silence => self.negative_ttl,
        };
        let Some(key) = self.key(name, qtype) else { return };
        let is_answer = !matches!(content, Content::Silence);
        let spare = if is_answer { self.serve_stale } else { 0 };
        let keep = Keep { ttl: ttl.min(most), spare };
        let change = self.cache.put(&key, content, keep, Instant::now());
        self.terms.counters.cache_changed(&change);
    }
}
