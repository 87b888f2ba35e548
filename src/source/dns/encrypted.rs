//! Servers that are asked in private (DNS over TLS or HTTPS), and answers whose signatures are checked:
//! the exchange by way of librustdns-encrypted.so. Each server is asked in its turn, and the next one
//! when it has failed; a plain one in between is asked as ever.
//!
//! Nobody is asked in plain text who is configured otherwise.

use super::exchange::{self, LEFT, Progress, Reader, Terms, Verdict, trouble_in};
use super::flight::{MAX_QUESTIONS, Question};
use super::message::{MAX_QUERY, Message, QueryForm, write_query};
use super::schedule::{Schedule, Turn};
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
    questions: &[Question<'_>],
    read: Reader<'_>,
) -> Result<[Progress; MAX_QUESTIONS], NoMemory> {
    let start = Instant::now();
    let schedule = Schedule::new(terms, start)?;
    let whole = schedule.budget(terms.options).min(terms.limit);
    let deadline = start.after(whole.saturating_sub(terms.waited).max(LEFT.min(whole)));
    let mut asking = Asking {
        terms,
        private,
        questions,
        progress: [Progress::Open; MAX_QUESTIONS],
        trouble: [Trouble::Silent; MAX_QUESTIONS],
        out: 0,
        hurried: SmallVec::new(),
        held: [const { None }; MAX_QUESTIONS],
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
    questions: &'a [Question<'a>],
    progress: [Progress; MAX_QUESTIONS],
    /// The last trouble that each question met.
    trouble: [Trouble; MAX_QUESTIONS],
    /// Servers that need not be asked again, a bit each.
    out: u64,
    /// Servers that were not given their whole time, and what is left of it.
    hurried: SmallVec<[(usize, Duration); 2]>,
    /// A later server's "no" to each question, which counts when those have had their time.
    held: [Option<Vec<u8>>; MAX_QUESTIONS],
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
    /// The questions that are open: all, or one of two.
    fn open(&self) -> Option<core::ops::Range<usize>> {
        let mut open = (0..self.questions.len())
            .filter(|&index| self.progress.get(index) == Some(&Progress::Open));
        let first = open.next()?;
        Some(first..open.next_back().unwrap_or(first) + 1)
    }

    fn is_open(&self) -> bool {
        self.open().is_some()
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
            let Some(open) = self.open().filter(|_| self.out & bit(server) == 0) else { break };
            if left.is_zero() || calls::is_cancelled() {
                break;
            }
            self.ask(server, open, left, read)?;
            if Instant::now().since(begun) <= left + LEAP {
                break;
            }
        }
        Ok(())
    }

    /// Where a "no" is held back, those before it get the rest of their time; then it counts.
    fn hear_earlier_ones(&mut self, deadline: Instant, read: Reader<'_>) -> Result<(), NoMemory> {
        if self.held.iter().all(Option::is_none) {
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
        for index in 0..self.questions.len() {
            let Some(octets) = self.held.get_mut(index).and_then(Option::take) else { continue };
            if self.progress.get(index) == Some(&Progress::Open)
                && let Some(message) = Message::parse(&octets)
            {
                let verdict = read(index, &message.over_tcp(true))?;
                self.settle(index, Progress::Answered(verdict));
            }
        }
        Ok(())
    }

    /// True for an answer that is held back.
    fn holds(&mut self, index: usize, message: &Message<'_>) -> Result<bool, NoMemory> {
        let Some(asked) = self.questions.get(index) else { return Ok(false) };
        let has_spoken = self.progress.iter().any(|p| matches!(p, Progress::Answered(_)));
        if self.hurried.is_empty() || has_spoken || !exchange::is_negative(asked, message) {
            return Ok(false);
        }
        let mut octets = Vec::new();
        append(&mut octets, message.octets())?;
        if let Some(held) = self.held.get_mut(index) {
            *held = Some(octets);
        }
        Ok(true)
    }

    /// Asks a server what is open.
    fn ask(
        &mut self,
        server: usize,
        open: core::ops::Range<usize>,
        limit: Duration,
        read: Reader<'_>,
    ) -> Result<(), NoMemory> {
        let Some(&(address, _)) = self.terms.servers.get(server) else { return Ok(()) };
        let (first, questions) = (open.start, self.questions.get(open).unwrap_or_default());
        let encrypted = self.private.servers.encrypted(&address);
        if encrypted.is_none() && !self.private.validate {
            return self.ask_plainly(server, first, questions, limit, read);
        }
        let mut rooms = [[0; MAX_QUERY]; MAX_QUESTIONS];
        let mut queries: [&[u8]; MAX_QUESTIONS] = [&[]; MAX_QUESTIONS];
        for ((question, room), query) in questions.iter().zip(&mut rooms).zip(&mut queries) {
            *query = self.query(question, room);
        }
        self.terms.counters.add(Count::Private, questions.len());
        for question in questions {
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
        for (at, (told, question)) in told.iter().zip(questions).enumerate() {
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
                if trouble.is_none() && self.holds(first + at, &message)? {
                    continue;
                }
                if trouble.is_none() || is_written {
                    let verdict = read(first + at, &message)?;
                    if trouble.is_none() {
                        self.settle(first + at, Progress::Answered(verdict));
                    }
                }
            }
            if let Some(trouble) = trouble {
                self.fail(first + at, trouble);
            }
        }
        Ok(())
    }

    /// Asks a plain server as ever.
    fn ask_plainly(
        &mut self,
        server: usize,
        first: usize,
        questions: &[Question<'_>],
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
        let read = &mut |at, message: &Message<'_>| {
            if self.holds(first + at, message)? {
                return Ok(Verdict::Negative);
            }
            read(first + at, message)
        };
        let progress = exchange::exchange(&terms, questions, read)?;
        for (at, (progress, _)) in progress.into_iter().zip(questions).enumerate() {
            match progress {
                Progress::Answered(_) if self.held.get(first + at).is_some_and(Option::is_some) => {
                }
                Progress::Failed(trouble) => self.fail(first + at, trouble),
                settled => self.settle(first + at, settled),
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

    fn settle(&mut self, index: usize, progress: Progress) {
        if let Some(place) = self.progress.get_mut(index) {
            *place = progress;
        }
    }

    /// A server had trouble with a question. What one has said is not forgotten for another that can't
    /// be reached.
    fn fail(&mut self, index: usize, trouble: Trouble) {
        let says = |trouble: Trouble| matches!(trouble, Trouble::Rcode(_) | Trouble::Bogus);
        if let Some(place) = self.trouble.get_mut(index)
            && (says(trouble) || !says(*place))
        {
            *place = trouble;
        }
        // One good family is enough where the server had trouble with the other.
        if self.progress.contains(&Progress::Answered(Verdict::Positive)) {
            self.settle(index, Progress::Failed(trouble));
        }
    }

    fn end(mut self) -> [Progress; MAX_QUESTIONS] {
        for index in self.open().unwrap_or_default() {
            let trouble =
                self.trouble.get(index).copied().unwrap_or(Trouble::Silent).or_cancelled();
            if trouble == Trouble::Silent {
                self.terms.counters.one(Count::Timeouts);
            }
            self.settle(index, Progress::Failed(trouble));
        }
        self.progress
    }
}
