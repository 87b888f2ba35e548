//! `dns`: a name's addresses, and an address's name, by way of search list, cache and servers.

use super::cached::{addresses_of, names_of};
use super::exchange::{Terms, exchange};
use super::flight::Question;
use super::message::Message;
use super::outcome::{Answers, Outcome, failure_of, miss_of, together};
use super::read;
use super::slot::{Questions, Slot};
use crate::base::answer::{Answer, Found};
use crate::base::error::Failure;
use crate::base::name::Name;
use crate::base::record_type;
use crate::base::text::{Text, names, text_of};
use crate::cache::dns::{Cache, Content, Entry, Key};
use crate::cache::pending::{Ours, Pending};
use crate::observe::counters::Count;
use crate::observe::trace::Trace;
#[cfg(feature = "command")]
use crate::observe::witness;
use crate::rules::query::Family;
use crate::rules::search::{Candidate, Miss, Rules, Search};
use crate::sys::mem::{NoMemory, append};
use crate::sys::probes;
use crate::sys::time::Instant;
use core::net::IpAddr;
use core::time::Duration;

/// How long servers have to answer where an answer past its time would do (RFC 8767 section 5).
const PATIENCE_WITH_SPARE: Duration = Duration::from_millis(1800);

/// How many seconds a name is not asked for addresses of a family again that servers were silent about, while
/// they gave those of the other (RFC 9520 section 3.2).
const SILENCE: u32 = 30;

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
    /// Questions that other threads are asking now.
    pub pending: &'a Pending,
    /// No answer is kept longer than this, in seconds.
    pub max_ttl: u32,
    /// No negative one longer than this.
    pub negative_ttl: u32,
    /// For how many seconds after its time an answer serves where no server gives one.
    pub serve_stale: u32,
}

impl<'a> Lookup<'a> {
    pub(super) fn trace(&self) -> Trace<'a> {
        self.terms.trace
    }

    /// The addresses of `node`, which is searched for as resolv.conf says.
    ///
    /// # Errors
    /// As libc's dns service: the name does not exist, exists without addresses of the family, or the
    /// servers had trouble.
    #[inline(never)]
    pub fn addresses(&self, node: &[u8], family: Family) -> Result<Found, Failure> {
        if node.is_empty() {
            return Err(Failure::Refused);
        }
        // Names that no host can have are not asked for, as in libc.
        let Some(full) = Name::from_text(node).ok().filter(Name::is_host_name) else {
            self.trace().decision(format_args!("dns: {} is no host name", Text(node)));
            return Err(Failure::NoName);
        };
        let rules = Rules::new(self.terms.options, self.domains, node);
        let mut search = Search::new(node, rules);
        while let Some(candidate) = search.next_candidate() {
            let name = match candidate {
                Candidate::AsIs => Ok(full),
                Candidate::Under(domain) => Name::from_parts(node, domain),
            };
            let miss = match name {
                Ok(name) => match self.ask_addresses(&name, family)? {
                    Ok(found) => return Ok(found),
                    Err(miss) => {
                        self.trace().decision(format_args!("dns: {name}: {miss}"));
                        miss
                    }
                },
                Err(error) => {
                    self.trace().decision(format_args!("dns: {} is no name: {error}", Text(node)));
                    Miss::Final
                }
            };
            search.missed(candidate, miss);
        }
        Err(failure_of(search.verdict()))
    }

    /// The addresses of one full name: from the cache as far as it knows, else from the servers.
    #[inline(never)]
    fn ask_addresses(&self, name: &Name, family: Family) -> Result<Result<Found, Miss>, Failure> {
        // `no-aaaa`: the answer about A tells whether the name exists, and so which name is next.
        let stands_in = self.terms.options.no_aaaa && family == Family::V6;
        let mut answers = Answers {
            wanted: [
                (family != Family::V6 || stands_in).then_some(record_type::A),
                (family != Family::V4 && !self.terms.options.no_aaaa).then_some(record_type::AAAA),
            ],
            outcomes: [Outcome::NotAsked, Outcome::NotAsked],
        };
        self.recall(name, &mut answers)?;
        if answers.is_complete() {
            self.trace().packet(format_args!("dns: {name} from the cache"));
        } else {
            self.find_out(name, &mut answers)?;
        }
        let mut joined = together(&mut answers.outcomes)?;
        if let Ok(found) = &mut joined
            && found.canonical.is_empty()
        {
            // The name as it is asked for now, which may have other letters than the entry.
            found.canonical = text_of(name)?;
        }
        Ok(match joined {
            Ok(_) | Err(Miss::Unrelated) if stands_in => Err(Miss::NoData),
            joined => joined,
        })
    }

    /// Fills in what the cache knows.
    pub(super) fn recall(&self, name: &Name, answers: &mut Answers) -> Result<(), NoMemory> {
        let now = Instant::now();
        for (qtype, outcome) in answers.open() {
            *outcome = self.cached_addresses(name, qtype, now)?;
        }
        // Silence is an answer only beside addresses of the other family.
        if !answers.has_addresses() {
            answers.forget_silence();
        }
        Ok(())
    }

    /// The same lookup with so much less time as has gone since `begun`.
    pub(super) fn having_waited(&self, begun: Instant) -> Lookup<'a> {
        let waited = Instant::now().since(begun);
        Lookup { terms: Terms { waited, ..self.terms }, ..*self }
    }

    /// Asks the servers for what is missing.
    pub(super) fn ask_servers(
        &self,
        name: &Name,
        answers: &mut Answers,
        turn: Option<&Ours<'_>>,
    ) -> Result<(), NoMemory> {
        let other_known = answers.has_addresses();
        let mut open = answers.open();
        let Some((qtype, mut first_outcome)) = open.next() else { return Ok(()) };
        let (second_qtype, mut second_outcome) = open.next().unzip();
        drop(open);
        let first = Question::new(*name, qtype);
        let second = second_qtype.map(|qtype| Question::new(*name, qtype));
        let questions = Questions::of(&first, second.as_ref());
        let read = &mut |slot: Slot, message: &Message<'_>| {
            let asked = &questions[slot];
            let outcome = match (slot, &mut second_outcome) {
                (Slot::Second, Some(outcome)) => outcome,
                _ => &mut first_outcome,
            };
            let (content, ttl) = read::addresses(message, name, asked.qtype)?;
            #[cfg(feature = "command")]
            witness::content(asked.qtype, content.is_found(), ttl.min(self.max_ttl));
            self.keep_addresses(name, asked.qtype, &content, ttl)?;
            self.tell(turn, name, asked.qtype);
            **outcome = Outcome::of(content, |set| {
                Ok(Found {
                    addresses: set.addresses,
                    canonical: text_of(&set.canonical)?,
                    aliases: set.aliases,
                    ttl: Some(ttl.min(self.max_ttl)),
                })
            })?;
            Ok(outcome.verdict())
        };
        self.missed(questions.count());
        let has_spares =
            questions.iter().all(|(_, asked)| self.spare(name, asked.qtype()).is_some());
        let terms = Terms { other_known, ..self.terms(turn, has_spares) };
        let progress = exchange(&terms, questions, read)?;
        let outcomes = [Some(first_outcome), second_outcome].into_iter().flatten();
        for (outcome, (slot, asked)) in outcomes.zip(questions.iter()) {
            outcome.note(progress[slot]);
            if outcome.wants_spare() {
                self.serve_addresses(name, asked.qtype(), outcome)?;
            }
        }
        if answers.has_addresses() {
            for qtype in answers.silent() {
                self.keep(name, qtype, Content::Silence, SILENCE);
            }
        }
        Ok(())
    }

    /// Counts questions that are asked because no answer is kept.
    pub(super) fn missed(&self, questions: usize) {
        if self.cache.is_on() {
            self.terms.counters.add(Count::Misses, questions);
        }
    }

    pub(super) fn key<'k>(&self, name: &'k Name, qtype: u16) -> Option<Key<'k>> {
        self.generation.map(|generation| Key { name, qtype, generation })
    }

    fn kept(&self, name: &Name, qtype: u16, now: Instant) -> Option<Entry> {
        let entry = self.cache.get(&self.key(name, qtype)?, now)?;
        #[cfg(feature = "command")]
        witness::cached(qtype, &entry, now);
        probes::cache_hit(name.wire(), qtype);
        self.terms.counters.one(if entry.is_past(now) { Count::Stale } else { Count::Hits });
        Some(entry)
    }

    /// What the cache has in case that no server answers.
    #[inline(never)]
    fn spare(&self, name: &Name, qtype: u16) -> Option<Entry> {
        let key = self.key(name, qtype).filter(|_| self.serve_stale > 0)?;
        self.cache.get_past(&key, Instant::now())
    }

    /// Lets a spare answer serve, if there is one: no server has given a new one.
    #[inline(never)]
    fn serve(&self, name: &Name, qtype: u16) -> Option<Entry> {
        let spare = self.spare(name, qtype)?;
        spare.renew(Instant::now());
        self.terms.counters.one(Count::Stale);
        self.trace().decision(format_args!("dns: {name}: no answer, one past its time serves"));
        Some(spare)
    }

    /// The same for addresses. Not in the frame that stays on the stack while servers are waited for.
    #[inline(never)]
    fn serve_addresses(
        &self,
        name: &Name,
        qtype: u16,
        outcome: &mut Outcome<Found>,
    ) -> Result<(), NoMemory> {
        if let Some(spare) = self.serve(name, qtype) {
            *outcome = addresses_of(&spare, name)?;
        }
        Ok(())
    }

    /// The terms of asking, by whether there is a spare answer for every question.
    pub(super) fn terms<'t>(&'t self, turn: Option<&'t Ours<'_>>, has_spare: bool) -> Terms<'t> {
        let alive = turn.map(Ours::alive);
        let limit = if has_spare { PATIENCE_WITH_SPARE } else { Duration::MAX };
        Terms { alive, limit, ..self.terms }
    }

    /// What the cache knows; `NotAsked` where that is nothing. The canonical name is left out where it
    /// is the one asked for.
    fn cached_addresses(
        &self,
        name: &Name,
        qtype: u16,
        now: Instant,
    ) -> Result<Outcome<Found>, NoMemory> {
        match self.kept(name, qtype, now) {
            Some(entry) => addresses_of(&entry, name),
            None => Ok(Outcome::NotAsked),
        }
    }

    /// The names of the host that has `ip` (RFC 1035 section 3.5): the first, told to `each` first.
    /// Returns how many seconds they stay true.
    pub fn names(
        &self,
        ip: IpAddr,
        each: &mut dyn FnMut(&[u8]) -> Result<(), NoMemory>,
    ) -> Result<u32, Failure> {
        let name = Name::reverse(ip);
        let (mut run, mut outcome) = (Vec::new(), Outcome::NotAsked);
        self.recall_names(&name, &mut run, &mut outcome)?;
        self.find_names(&name, &mut run, &mut outcome)?;
        match outcome {
            Outcome::Found(ttl) => {
                names(&run).try_for_each(each)?;
                Ok(ttl)
            }
            Outcome::Missed(miss) => Err(failure_of(miss)),
            Outcome::Failed(trouble) => Err(failure_of(miss_of(trouble)?)),
            Outcome::NotAsked => Err(Failure::Again),
        }
    }

    /// Fills in what the cache knows: the names as a run, and how many seconds they stay true.
    pub(super) fn recall_names(
        &self,
        name: &Name,
        run: &mut Vec<u8>,
        outcome: &mut Outcome<u32>,
    ) -> Result<(), NoMemory> {
        let now = Instant::now();
        if let Some(entry) = self.kept(name, record_type::PTR, now) {
            *outcome = names_of(&entry, run)?;
        }
        Ok(())
    }

    /// Asks the servers, unless there is an outcome already.
    pub(super) fn ask_for_names(
        &self,
        name: &Name,
        run: &mut Vec<u8>,
        outcome: &mut Outcome<u32>,
        turn: Option<&Ours<'_>>,
    ) -> Result<(), NoMemory> {
        if !matches!(outcome, Outcome::NotAsked) {
            return Ok(());
        }
        let read = &mut |_: Slot, message: &Message<'_>| {
            run.clear();
            let (content, ttl) = read::pointers(message, name, &mut |target| {
                append(run, &text_of(target)?)?;
                append(run, b"\0")
            })?;
            #[cfg(feature = "command")]
            witness::content(record_type::PTR, content.is_found(), ttl.min(self.max_ttl));
            let kept = match &content {
                Answer::Found(()) => Content::Names(run),
                Answer::NoData => Content::NoData,
                Answer::NoName => Content::NoName,
                Answer::Unrelated => Content::Unrelated,
            };
            self.keep(name, record_type::PTR, kept, ttl);
            *outcome = Outcome::of(content, |()| Ok(ttl.min(self.max_ttl)))?;
            Ok(outcome.verdict())
        };
        let question = Question::new(*name, record_type::PTR);
        self.missed(1);
        let has_spare = self.spare(name, record_type::PTR).is_some();
        let progress = exchange(&self.terms(turn, has_spare), Questions::one(&question), read)?;
        outcome.note(progress.first);
        if outcome.wants_spare()
            && let Some(spare) = self.serve(name, record_type::PTR)
        {
            run.clear();
            *outcome = names_of(&spare, run)?;
        }
        Ok(())
    }
}
