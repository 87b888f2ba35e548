//! Servers that are asked in private (DNS over TLS or HTTPS), and answers whose signatures are checked:
//! the exchange by way of librustdns-encrypted.so. Each server is asked in its turn, and the next one
//! when it has failed; a plain one in between is asked as ever.
//!
//! Nobody is asked in plain text who is configured otherwise.

use super::exchange::{self, LEFT, Progress, Reader, Terms, Verdict, trouble_in};
use super::flight::{MAX_QUESTIONS, Question};
use super::message::{MAX_QUERY, Message, QueryForm, write_query};
use super::schedule::{Schedule, Turn};
use super::slot::{PerQuestion, Questions, Slot};
use crate::base::error::Trouble;
use crate::base::text::Text;
use crate::cache::health::Standing;
use crate::config::upstream::{Encrypted, Servers};
use crate::observe::counters::Count;
use crate::sys::encrypted::contract::kind;
use crate::sys::encrypted::{Asked, Place, Told, ask};
use crate::sys::mem::{NoMemory, TryPush, append};
use crate::sys::shared::Shared;
use crate::sys::time::{Instant, LEAP};
use crate::sys::{calls, probes};
use core::time::Duration;
use smallvec::SmallVec;

/// What it takes to ask in private, and to check signatures.
#[derive(Clone, Copy)]
pub struct Private<'a> {
    /// Where the object keeps what outlives a call.
    pub place: &'a Shared<Place>,
    /// The setting `upstream`, by which servers are asked in private.
    pub servers: &'a Servers,
    /// Whether signatures are checked, also those that plain servers send.
    pub validate: bool,
    /// The file of certificate authorities; empty: the system's.
    pub authorities: &'a [u8],
    /// The file of trust anchors; empty: the installed one.
    pub anchors: &'a [u8],
}

/// How long a server on probation may take, where there is another one: a connection and its handshake.
const PROBATION: Duration = Duration::from_secs(1);

/// Asks by way of the object; otherwise as [`exchange::exchange`].
#[cold]
#[inline(never)]
pub(super) fn exchange(
    terms: &Terms<'_>,
    private: &Private<'_>,
    questions: Questions<'_>,
    read: Reader<'_>,
) -> Result<PerQuestion<Progress>, NoMemory> {
    let start = Instant::now();
    let schedule = Schedule::new(terms, start)?;
    let whole = schedule.budget(terms.options).min(terms.limit);
    let deadline = start.after(whole.saturating_sub(terms.waited).max(LEFT.min(whole)));
    let mut asking = Asking {
        terms,
        private,
        questions,
        progress: PerQuestion::both(Progress::Open),
        trouble: PerQuestion::both(Trouble::Silent),
        out: 0,
        hurried: SmallVec::new(),
        held: PerQuestion::default(),
    };
    for round in 0..terms.options.attempts.max(1) {
        for (at, turn) in schedule.turns().iter().enumerate() {
            let others = round == 0 && at + 1 < schedule.turns().len();
            let (limit, is_hurried) = asking.patience(turn, others);
            asking.ask_within(turn.server, limit, deadline, read)?;
            if is_hurried && asking.is_open() {
                asking.hurried.try_push((turn.server, turn.share.saturating_sub(limit)))?;
            }
            asking.hear_earlier_ones(deadline, read)?;
        }
    }
    Ok(asking.end())
}

struct Asking<'a> {
    terms: &'a Terms<'a>,
    private: &'a Private<'a>,
    questions: Questions<'a>,
    progress: PerQuestion<Progress>,
    /// The last trouble that each question met.
    trouble: PerQuestion<Trouble>,
    /// Servers that need not be asked again, a bit each.
    out: u64,
    /// Servers that were not given their whole time, and what is left of it.
    hurried: SmallVec<[(usize, Duration); 2]>,
    /// A later server's "no" to each question, which counts when those have had their time.
    held: PerQuestion<Option<Vec<u8>>>,
}

/// Questions that are open, asked by themselves.
#[derive(Clone, Copy)]
struct Rest<'a> {
    /// Which one the first of them is.
    first: Slot,
    questions: Questions<'a>,
}

impl Rest<'_> {
    /// Which of all the questions one of these is.
    fn slot(&self, among_these: Slot) -> Slot {
        match among_these {
            Slot::First => self.first,
            Slot::Second => Slot::Second,
        }
    }
}

/// None for servers that no list is long enough for.
fn bit(server: usize) -> u64 {
    1u64.checked_shl(server as u32).unwrap_or_default()
}

/// The server as the object is told of it; empty: a plain one, by TCP.
fn asked_by(encrypted: Option<&Encrypted>) -> &[u8] {
    encrypted.map_or(&[], |encrypted| &encrypted.text)
}

/// How such a server is talked to.
#[cfg(feature = "command")]
fn transport(server: &[u8]) -> &'static str {
    match server {
        [] => "tcp",
        [b't', ..] => "tls",
        _ => "https",
    }
}

/// Says what has become of a question, and what its answer is worth.
#[cfg(feature = "command")]
fn testify(
    question: &Question<'_>,
    (server, transport): (core::net::SocketAddr, &'static str),
    told: &Told,
    took: Duration,
) {
    use crate::observe::witness::{Worth, answer, no_answer};
    let worth = match told.kind {
        kind::SECURE => Some(Worth::Secure),
        kind::INSECURE => Some(Worth::Insecure),
        _ => None,
    };
    let asked = (&question.name, question.qtype);
    match Message::parse(&told.message) {
        Some(message) if told.kind < kind::BOGUS => {
            answer((asked, server, transport, true), || message.as_heard(worth, took));
        }
        _ => {
            no_answer(asked, (server, transport), told.kind == kind::BOGUS, &told.text);
        }
    }
}

impl<'a> Asking<'a> {
    /// The questions that are open.
    fn open(&self) -> impl Iterator<Item = Slot> + use<> {
        let progress = self.progress;
        self.questions.slots().filter(move |slot| progress[*slot] == Progress::Open)
    }

    fn is_open(&self) -> bool {
        self.open().next().is_some()
    }

    /// Those that are open, by themselves: all, or one of two.
    fn rest(&self) -> Option<Rest<'a>> {
        let questions = self.questions;
        let mut open = questions.iter().filter(|(slot, _)| self.progress[*slot] == Progress::Open);
        let (first, question) = open.next()?;
        let second = open.next().map(|(_, question)| question);
        Some(Rest { first, questions: Questions::of(question, second) })
    }

    /// How long a server may take, as with plain ones, and whether that is less than its whole time.
    fn patience(&self, turn: &Turn, others: bool) -> (Duration, bool) {
        let hedge = match turn.standing {
            _ if !others => None,
            Standing::Alive => None,
            // Before its answer comes a connection, and its handshake.
            Standing::Unknown => self.terms.hedge.map(|hedge| hedge.saturating_mul(2)),
            Standing::OnProbation | Standing::Out => Some(PROBATION),
        };
        match hedge.filter(|hedge| *hedge < turn.share) {
            // A server that is thought dead has no say.
            Some(hedge) => (hedge, turn.standing == Standing::Unknown),
            None => (turn.share, false),
        }
    }

    /// Asks a server what is open, if there is time left and it has not failed for good. It is asked once more
    /// where nobody could run meanwhile.
    fn ask_within(
        &mut self,
        server: usize,
        limit: Duration,
        deadline: Instant,
        read: Reader<'_>,
    ) -> Result<(), NoMemory> {
        for _ in 0..2 {
            let begun = Instant::now();
            let left = limit.min(deadline.since(begun));
            let Some(rest) = self.rest().filter(|_| self.out & bit(server) == 0) else { break };
            if left.is_zero() || calls::is_cancelled() {
                break;
            }
            self.ask(server, rest, left, read)?;
            if Instant::now().since(begun) <= left + LEAP {
                break;
            }
        }
        Ok(())
    }

    /// Where a "no" is held back, those before it get the rest of their time; then it counts.
    fn hear_earlier_ones(&mut self, deadline: Instant, read: Reader<'_>) -> Result<(), NoMemory> {
        if !self.held.any(Option::is_some) {
            return Ok(());
        }
        for (server, left) in core::mem::take(&mut self.hurried) {
            // A server may close what it was asked on before; that is tried once more.
            for _ in 0..2 {
                self.out &= !bit(server);
                self.ask_within(server, left, deadline, read)?;
                if !self.is_open() || self.out & bit(server) == 0 {
                    break;
                }
            }
        }
        for slot in self.questions.slots() {
            let Some(octets) = self.held[slot].take() else { continue };
            if self.progress[slot] == Progress::Open
                && let Some(message) = Message::parse(&octets)
            {
                let verdict = read(slot, &message.over_tcp(true))?;
                self.progress[slot] = Progress::Answered(verdict);
            }
        }
        Ok(())
    }

    /// True for an answer that is held back.
    fn holds(&mut self, slot: Slot, message: &Message<'_>) -> Result<bool, NoMemory> {
        let has_spoken = self.progress.any(|p| matches!(p, Progress::Answered(_)));
        let is_negative = exchange::is_negative(&self.questions[slot], message);
        if self.hurried.is_empty() || has_spoken || !is_negative {
            return Ok(false);
        }
        let mut octets = Vec::new();
        append(&mut octets, message.octets())?;
        self.held[slot] = Some(octets);
        Ok(true)
    }

    /// Asks a server what is open.
    fn ask(
        &mut self,
        server: usize,
        rest: Rest<'a>,
        limit: Duration,
        read: Reader<'_>,
    ) -> Result<(), NoMemory> {
        let Some(&(address, _)) = self.terms.servers.get(server) else { return Ok(()) };
        let questions = rest.questions;
        let encrypted = self.private.servers.encrypted(&address);
        if encrypted.is_none() && !self.private.validate {
            return self.ask_plainly(server, rest, limit, read);
        }
        let mut rooms = [[0; MAX_QUERY]; MAX_QUESTIONS];
        let mut queries: [&[u8]; MAX_QUESTIONS] = [&[]; MAX_QUESTIONS];
        for (((_, question), room), query) in questions.iter().zip(&mut rooms).zip(&mut queries) {
            *query = self.query(question, room);
        }
        self.terms.counters.add(Count::Private, questions.count());
        for (_, question) in questions.iter() {
            probes::query_sent(question.name.wire(), question.qtype, server, true, 0);
            #[cfg(feature = "command")]
            crate::observe::witness::query(
                (&question.name, question.qtype),
                address,
                transport(asked_by(encrypted)),
                true,
            );
        }
        let asked = Asked {
            address,
            server: asked_by(encrypted),
            authorities: self.private.authorities,
            anchors: self.private.anchors,
            validate: self.private.validate,
            limit,
            questions: queries,
        };
        let alive = self.terms.alive;
        let beat = || alive.into_iter().for_each(|alive| alive.sign(Instant::now()));
        let begun = Instant::now();
        let told = ask(self.private.place, &asked, &beat)?;
        let took = Instant::now().since(begun);
        for (told, (slot, question)) in told.iter().zip(questions.iter()) {
            let slot = rest.slot(slot);
            let mut trouble = self.trouble_told(server, question.qtype, told, (took, limit));
            #[cfg(feature = "command")]
            testify(question, (address, transport(asked.server)), told, took);
            if trouble.is_none()
                && let Some(message) = Message::parse(&told.message)
            {
                // In an hour every exchange has ended.
                probes::query_answered(server, 0, message.rcode(), took.as_micros() as u32);
                let (message, is_written) = (message.over_tcp(true), question.written.is_some());
                trouble = trouble_in(&message, is_written, true);
                if trouble.is_none() && self.holds(slot, &message)? {
                    continue;
                }
                if trouble.is_none() || is_written {
                    let verdict = read(slot, &message)?;
                    if trouble.is_none() {
                        self.progress[slot] = Progress::Answered(verdict);
                    }
                }
            }
            if let Some(trouble) = trouble {
                self.fail(slot, trouble);
            }
        }
        Ok(())
    }

    /// Asks a plain server as ever.
    fn ask_plainly(
        &mut self,
        server: usize,
        rest: Rest<'a>,
        limit: Duration,
        read: Reader<'_>,
    ) -> Result<(), NoMemory> {
        let terms = Terms {
            servers: self.terms.servers.get(server..=server).unwrap_or_default(),
            private: None,
            limit,
            waited: Duration::ZERO,
            ..*self.terms
        };
        let read = &mut |slot, message: &Message<'_>| {
            let slot = rest.slot(slot);
            if self.holds(slot, message)? {
                return Ok(Verdict::Negative);
            }
            read(slot, message)
        };
        let progress = exchange::exchange(&terms, rest.questions, read)?;
        for at in rest.questions.slots() {
            let slot = rest.slot(at);
            match progress[at] {
                Progress::Answered(_) if self.held[slot].is_some() => {}
                Progress::Failed(trouble) => self.fail(slot, trouble),
                settled => self.progress[slot] = settled,
            }
        }
        Ok(())
    }

    /// The query for a question.
    fn query<'r>(&self, question: &Question<'r>, room: &'r mut [u8; MAX_QUERY]) -> &'r [u8] {
        if let Some(written) = question.written {
            return written.octets();
        }
        let options = self.terms.options;
        let form = QueryForm {
            // On its way it has one of the object's.
            id: 0,
            qtype: question.qtype,
            class: question.class,
            recursion: !options.no_recursion,
            ad: options.trust_ad,
            edns: true,
            dnssec: options.dnssec,
            cookie: None,
        };
        let length = write_query(&question.name, form, room);
        room.get(..length).unwrap_or_default()
    }

    /// Why a server has not answered a question; `None`: it has.
    fn trouble_told(
        &mut self,
        server: usize,
        qtype: u16,
        told: &Told,
        (took, limit): (Duration, Duration),
    ) -> Option<Trouble> {
        let counters = self.terms.counters;
        match told.kind {
            kind::SECURE => counters.one(Count::Secure),
            kind::INSECURE => counters.one(Count::Insecure),
            kind::BOGUS => counters.one(Count::Bogus),
            _ => {}
        }
        let text = Text(&told.text);
        let (_, health) = self.terms.servers.get(server)?;
        let now = Instant::now();
        if told.kind < kind::BOGUS {
            self.terms.trace.packet(format_args!("{text}"));
            health.heard(now, qtype, took);
            counters.one(Count::Answers);
            return None;
        }
        self.terms.trace.decision(format_args!("{text}"));
        if told.kind == kind::SILENT {
            // It may just be resolving a slow name; and nobody is silent while we can't run.
            let is_alive = health.life(now) == Standing::Alive;
            let whole = Duration::from_secs(u64::from(self.terms.options.timeout).max(1));
            let is_over = took >= limit && took < limit + LEAP && (!is_alive || limit >= whole);
            if is_over && self.terms.servers.len() > 1 && health.found_dead(now) {
                self.terms.found_dead(server);
            }
            return Some(Trouble::Silent);
        }
        self.out |= bit(server);
        Some(match told.kind {
            kind::BOGUS => Trouble::Bogus,
            kind::UNREACHABLE => Trouble::Unreachable,
            _ => Trouble::Broken,
        })
    }

    /// A server had trouble with a question. What one has said is not forgotten for another that can't
    /// be reached.
    fn fail(&mut self, slot: Slot, trouble: Trouble) {
        let says = |trouble: Trouble| matches!(trouble, Trouble::Rcode(_) | Trouble::Bogus);
        if says(trouble) || !says(self.trouble[slot]) {
            self.trouble[slot] = trouble;
        }
        // One good family is enough where the server had trouble with the other.
        if self.progress.any(|p| *p == Progress::Answered(Verdict::Positive)) {
            self.progress[slot] = Progress::Failed(trouble);
        }
    }

    fn end(mut self) -> PerQuestion<Progress> {
        for slot in self.open() {
            let trouble = self.trouble[slot].or_cancelled();
            if trouble == Trouble::Silent {
                self.terms.counters.one(Count::Timeouts);
            }
            self.progress[slot] = Progress::Failed(trouble);
        }
        self.progress
    }
}
