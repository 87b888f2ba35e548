//! Answers as the cache keeps them: what of a server's goes in, and what comes out again.

use super::name::Name;
use super::outcome::Outcome;
use super::read;
use crate::cache;
use crate::lookup::search::Miss;
use crate::mem::{NoMemory, TryPush, append, copy};
use crate::source::{Found, NameText, append_name, append_text, names, text_of};
use crate::sys::time::Instant;
use smallvec::SmallVec;

/// What an answer in the cache says about `name`; the canonical name is left out where it is that one.
pub(super) fn addresses_of(entry: &cache::Entry, name: &Name) -> Result<Outcome<Found>, NoMemory> {
    Ok(match &entry.content {
        cache::Content::Addresses(list, canonical) => {
            let mut found = Found::default();
            for &address in list {
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
        cache::Content::NoData => Outcome::Missed(Miss::NoData),
        cache::Content::NoName => Outcome::Missed(Miss::NoName),
        cache::Content::Names(_) => Outcome::NotAsked,
    })
}

/// What an answer in the cache says about an address: the names, appended to `run`, and how many
/// seconds they stay true.
pub(super) fn names_of(entry: &cache::Entry, run: &mut Vec<u8>) -> Result<Outcome<u32>, NoMemory> {
    Ok(match &entry.content {
        cache::Content::Names(names) => {
            append(run, names)?;
            Outcome::Found(entry.ttl(Instant::now()))
        }
        cache::Content::NoData => Outcome::Missed(Miss::NoData),
        cache::Content::NoName => Outcome::Missed(Miss::NoName),
        cache::Content::Addresses(..) => Outcome::NotAsked,
    })
}

/// What the cache keeps of an answer; answers that are neither yes nor no are not kept.
pub(super) fn cached_content(
    content: &read::Content<read::AddressSet>,
) -> Result<Option<cache::Content>, NoMemory> {
    let read::Content::Found(set) = content else { return Ok(negative(content)) };
    let mut list = SmallVec::new();
    list.try_reserve_exact(set.addresses.len()).map_err(|_| NoMemory)?;
    list.extend_from_slice(&set.addresses);
    let mut run = NameText::new();
    let mut aliases = names(&set.aliases);
    // The first alias is the name that the entry is kept under.
    if aliases.next().is_some() {
        append_name(&mut run, &text_of(&set.canonical)?)?;
        aliases.try_for_each(|alias| append_name(&mut run, alias))?;
    }
    Ok(Some(cache::Content::Addresses(list, copy(&run)?)))
}

pub(super) fn negative<T>(content: &read::Content<T>) -> Option<cache::Content> {
    match content {
        read::Content::NoData => Some(cache::Content::NoData),
        read::Content::NoName => Some(cache::Content::NoName),
        read::Content::Found(_) | read::Content::Unrelated => None,
    }
}
