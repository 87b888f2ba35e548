//! `dns`: a name's addresses, and an address's name, by way of search list, cache and servers.

use super::exchange::{Progress, Terms, Trouble, Verdict, exchange};
use super::flight::{MAX_QUESTIONS, Question};
use super::message::{Message, rcode, record_type};
use super::name::Name;
use super::read;
use crate::cache::{self, Cache};
use crate::lookup::query::Family;
use crate::lookup::search::{Candidate, Miss, Rules, Search};
use crate::mem::{NoMemory, TryPush, append, copy};
use crate::source::{Failure, Found, NameText, append_name, append_text, names, text_of};
use crate::sys::time::Instant;
use crate::trace::{Text, Trace};
use core::net::IpAddr;

/// All that a lookup needs to know.
#[derive(Clone, Copy)]
pub struct Lookup<'a> {
    /// Servers and options.
    pub terms: Terms<'a>,
    /// The search list.
    pub domains: &'a [Box<[u8]>],
    /// Which version of the configuration this is, for the cache; `None`: a program's own, for which
    /// nothing is kept.
    pub generation: Option<u32>,
    /// Answers that are still true.
    pub cache: &'a Cache,
    /// No answer is kept longer than this, in seconds.
    pub max_ttl: u32,
    /// No negative one longer than this.
    pub negative_ttl: u32,
}

/// What one question has come to.
enum Outcome<T> {
    Found(T),
    Missed(Miss),
    Failed(Trouble),
    NotAsked,
}

impl<'a> Lookup<'a> {
    fn trace(&self) -> Trace<'a> {
        self.terms.trace
    }

    /// The addresses of `node`, which is searched for as resolv.conf says.
    ///
    /// # Errors
    /// As libc's dns service: the name does not exist, exists without addresses of the family, or the
    /// servers had trouble.
    pub fn addresses(&self, node: &[u8], family: Family) -> Result<Found, Failure> {
        if node.is_empty() {
            return Err(Failure::Refused);
        }
        // Names that no host can have are not asked for, as in libc.
        if !Name::from_text(node).is_ok_and(|name| name.is_host_name()) {
            self.trace().decision(format_args!("dns: {} is no host name", Text(node)));
            return Err(Failure::NoName);
        }
        let rules = Rules::new(self.terms.options, self.domains, node);
        let mut search = Search::new(node, rules);
        while let Some(candidate) = search.next_candidate() {
            let name = match candidate {
                Candidate::AsIs => Name::from_text(node),
                Candidate::Under(domain) => Name::from_parts(node, domain),
            };
            let miss = match name {
                Ok(name) => match self.ask_addresses(&name, family)? {
                    Ok(found) => return Ok(found),
                    Err(miss) => {
                        self.trace().decision(format_args!("dns: {name}: {miss:?}"));
                        miss
                    }
                },
                Err(error) => {
                    self.trace()
                        .decision(format_args!("dns: {} is no name: {error:?}", Text(node)));
                    Miss::Final
                }
            };
            search.missed(candidate, miss);
        }
        Err(failure_of(search.verdict()))
    }

    /// The addresses of one full name: from the cache as far as it knows, else from the servers.
    fn ask_addresses(&self, name: &Name, family: Family) -> Result<Result<Found, Miss>, Failure> {
        let mut outcomes = [Outcome::NotAsked, Outcome::NotAsked];
        // `no-aaaa`: the answer about A tells whether the name exists, and so which name is next.
        let stands_in = self.terms.options.no_aaaa && family == Family::V6;
        let wanted = [
            (family != Family::V6 || stands_in).then_some(record_type::A),
            (family != Family::V4 && !self.terms.options.no_aaaa).then_some(record_type::AAAA),
        ];
        let now = Instant::now();
        let mut questions = smallvec::SmallVec::<[Question<'_>; MAX_QUESTIONS]>::new();
        let mut places = smallvec::SmallVec::<[usize; MAX_QUESTIONS]>::new();
        for (place, (outcome, qtype)) in outcomes.iter_mut().zip(wanted).enumerate() {
            let Some(qtype) = qtype else { continue };
            *outcome = self.cached_addresses(name, qtype, now)?;
            if matches!(outcome, Outcome::NotAsked) {
                questions.try_push(Question::new(*name, qtype))?;
                places.try_push(place)?;
            }
        }
        if questions.is_empty() {
            self.trace().packet(format_args!("dns: {name} from the cache"));
        } else {
            let read = &mut |question: usize, message: &Message<'_>| {
                let (Some(asked), Some(outcome)) = (
                    questions.get(question),
                    places.get(question).and_then(|&place| outcomes.get_mut(place)),
                ) else {
                    return Ok(Verdict::Negative);
                };
                let (content, ttl) = read::addresses(message, name, asked.qtype)?;
                self.keep(name, asked.qtype, cached_content(&content)?, ttl);
                *outcome = outcome_of(content, ttl.min(self.max_ttl))?;
                Ok(if matches!(outcome, Outcome::Found(_)) {
                    Verdict::Positive
                } else {
                    Verdict::Negative
                })
            };
            let progress = exchange(&self.terms, &questions, read)?;
            note_troubles(&mut outcomes, &places, &progress);
        }
        Ok(match together(outcomes)? {
            Ok(_) | Err(Miss::Unrelated) if stands_in => Err(Miss::NoData),
            other => other,
        })
    }

    fn key<'k>(&self, name: &'k Name, qtype: u16) -> Option<cache::Key<'k>> {
        self.generation.map(|generation| cache::Key { name, qtype, generation })
    }

    /// What the cache knows; `NotAsked` where that is nothing.
    fn cached_addresses(
        &self,
        name: &Name,
        qtype: u16,
        now: Instant,
    ) -> Result<Outcome<Found>, NoMemory> {
        let entry = self.key(name, qtype).and_then(|key| self.cache.get(&key, now));
        let Some(entry) = entry else {
            return Ok(Outcome::NotAsked);
        };
        Ok(match &entry.content {
            cache::Content::Addresses(list, canonical) => {
                let mut found = Found::default();
                for &address in list {
                    found.addresses.try_push(address)?;
                }
                // The name as it is asked for now, which may have other letters than the entry.
                let asked = text_of(name)?;
                let mut names = names(canonical);
                match names.next() {
                    None => found.canonical = asked,
                    Some(canonical) => {
                        append_text(&mut found.canonical, canonical)?;
                        append_name(&mut found.aliases, &asked)?;
                        names.try_for_each(|alias| append_name(&mut found.aliases, alias))?;
                    }
                }
                found.ttl = Some(entry.ttl(now));
                Outcome::Found(found)
            }
            cache::Content::NoData => Outcome::Missed(Miss::NoData),
            cache::Content::NoName => Outcome::Missed(Miss::NoName),
            cache::Content::Names(_) => Outcome::NotAsked,
        })
    }

    /// Keeps an answer for as long as it, and the settings, allow.
    fn keep(&self, name: &Name, qtype: u16, content: Option<cache::Content>, ttl: u32) {
        let (Some(content), Some(key)) = (content, self.key(name, qtype)) else { return };
        let most = match content {
            cache::Content::Addresses(..) | cache::Content::Names(_) => self.max_ttl,
            cache::Content::NoData | cache::Content::NoName => self.negative_ttl,
        };
        self.cache.put(&key, content, ttl.min(most), Instant::now());
    }

    /// The names of the host that has `ip` (RFC 1035 section 3.5): the first, told to `each` first.
    /// Returns how many seconds they stay true.
    pub fn names(
        &self,
        ip: IpAddr,
        each: &mut dyn FnMut(&[u8]) -> Result<(), NoMemory>,
    ) -> Result<u32, Failure> {
        let name = Name::reverse(ip);
        let key = self.key(&name, record_type::PTR);
        let now = Instant::now();
        if let Some(entry) = key.and_then(|key| self.cache.get(&key, now)) {
            match &entry.content {
                cache::Content::Names(run) => {
                    tell(run, each)?;
                    return Ok(entry.ttl(now));
                }
                cache::Content::NoData => return Err(Failure::NoData),
                cache::Content::NoName => return Err(Failure::NoName),
                cache::Content::Addresses(..) => {}
            }
        }
        let mut run = Vec::new();
        let mut outcome = Outcome::NotAsked;
        let read = &mut |_: usize, message: &Message<'_>| {
            run.clear();
            let (content, ttl) = read::pointers(message, &name, &mut |target| {
                append(&mut run, &text_of(target)?)?;
                append(&mut run, b"\0")
            })?;
            let kept = match &content {
                read::Content::Found(()) => Some(cache::Content::Names(copy(&run)?)),
                other => negative(other),
            };
            self.keep(&name, record_type::PTR, kept, ttl);
            let (seen, verdict) = match content {
                read::Content::Found(()) => {
                    (Outcome::Found(ttl.min(self.max_ttl)), Verdict::Positive)
                }
                read::Content::NoData => (Outcome::Missed(Miss::NoData), Verdict::Negative),
                read::Content::NoName => (Outcome::Missed(Miss::NoName), Verdict::Negative),
                read::Content::Unrelated => (Outcome::Missed(Miss::Unrelated), Verdict::Negative),
            };
            outcome = seen;
            Ok(verdict)
        };
        let question = [Question::new(name, record_type::PTR)];
        let progress = exchange(&self.terms, &question, read)?;
        match (outcome, progress) {
            (Outcome::Found(ttl), _) => {
                tell(&run, each)?;
                Ok(ttl)
            }
            (Outcome::Missed(miss), _) => Err(failure_of(miss)),
            (_, [Progress::Failed(trouble), _]) => Err(failure_of(miss_of(trouble)?)),
            _ => Err(Failure::Again),
        }
    }
}

/// Tells the names of a run.
fn tell(run: &[u8], each: &mut dyn FnMut(&[u8]) -> Result<(), NoMemory>) -> Result<(), Failure> {
    Ok(names(run).try_for_each(each)?)
}

/// What the cache keeps of an answer; answers that are neither yes nor no are not kept.
fn cached_content(
    content: &read::Content<read::AddressSet>,
) -> Result<Option<cache::Content>, NoMemory> {
    let read::Content::Found(set) = content else { return Ok(negative(content)) };
    let mut list = Vec::new();
    list.try_reserve_exact(set.addresses.len()).map_err(|_| NoMemory)?;
    list.extend_from_slice(&set.addresses);
    let mut run = NameText::new();
    let mut aliases = names(&set.aliases);
    // The first alias is the name that the entry is kept under.
    if aliases.next().is_some() {
        append_name(&mut run, &text_of(&set.canonical)?)?;
        aliases.try_for_each(|alias| append_name(&mut run, alias))?;
    }
    Ok(Some(cache::Content::Addresses(list.into_boxed_slice(), copy(&run)?)))
}

fn negative<T>(content: &read::Content<T>) -> Option<cache::Content> {
    match content {
        read::Content::NoData => Some(cache::Content::NoData),
        read::Content::NoName => Some(cache::Content::NoName),
        read::Content::Found(_) | read::Content::Unrelated => None,
    }
}

fn outcome_of(
    content: read::Content<read::AddressSet>,
    ttl: u32,
) -> Result<Outcome<Found>, NoMemory> {
    Ok(match content {
        read::Content::Found(set) => Outcome::Found(Found {
            addresses: set.addresses,
            canonical: text_of(&set.canonical)?,
            aliases: set.aliases,
            ttl: Some(ttl),
        }),
        read::Content::NoData => Outcome::Missed(Miss::NoData),
        read::Content::NoName => Outcome::Missed(Miss::NoName),
        read::Content::Unrelated => Outcome::Missed(Miss::Unrelated),
    })
}

fn note_troubles<T>(
    outcomes: &mut [Outcome<T>],
    places: &[usize],
    progress: &[Progress; MAX_QUESTIONS],
) {
    for (&place, progress) in places.iter().zip(progress) {
        if let (Progress::Failed(trouble), Some(outcome)) = (progress, outcomes.get_mut(place)) {
            *outcome = Outcome::Failed(*trouble);
        }
    }
}

/// Joins the two families' outcomes: addresses of either are a success, and without any the first
/// family's "no" counts before the second's, and an answer before trouble.
fn together([v4, v6]: [Outcome<Found>; 2]) -> Result<Result<Found, Miss>, Failure> {
    Ok(match (v4, v6) {
        (Outcome::Found(mut found), Outcome::Found(other)) => {
            for address in other.addresses {
                found.addresses.try_push(address)?;
            }
            found.ttl = found.ttl.min(other.ttl);
            Ok(found)
        }
        (Outcome::Found(found), _) | (_, Outcome::Found(found)) => Ok(found),
        (Outcome::Missed(Miss::NoData), Outcome::Missed(miss)) => Err(miss),
        (Outcome::Missed(miss), _) | (_, Outcome::Missed(miss)) => Err(miss),
        (Outcome::Failed(trouble), _) | (_, Outcome::Failed(trouble)) => Err(miss_of(trouble)?),
        (Outcome::NotAsked, Outcome::NotAsked) => Err(Miss::NoData),
    })
}

/// A server's trouble as the search sees it.
fn miss_of(trouble: Trouble) -> Result<Miss, Failure> {
    Ok(match trouble {
        Trouble::Rcode(rcode::SERVFAIL) => Miss::ServFail,
        Trouble::Unreachable => Miss::Unreachable,
        Trouble::Silent | Trouble::Broken | Trouble::Lame => Miss::Silent,
        Trouble::Rcode(rcode::REFUSED | rcode::NOTIMP) => Miss::Silent,
        Trouble::Rcode(_) => Miss::Final,
        Trouble::Local(fault) => return Err(Failure::System(fault.errno())),
    })
}

/// What a miss is to the caller.
fn failure_of(miss: Miss) -> Failure {
    match miss {
        Miss::NoName => Failure::NoName,
        Miss::Unrelated => Failure::Unrelated,
        Miss::Final => Failure::Refused,
        Miss::NoData => Failure::NoData,
        Miss::ServFail | Miss::Silent | Miss::Unreachable => Failure::Again,
    }
}
