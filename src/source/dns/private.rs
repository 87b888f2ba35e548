//! Servers that are asked in private (DNS over TLS or HTTPS), and answers whose signatures are checked:
//! the exchange by way of librustdns-encrypted.so. Each server is asked in its turn, and the next one
//! when it has failed; a plain one in between is asked as ever.
//!
//! Nobody is asked in plain text who is configured otherwise.

use super::exchange::{self, LEFT, Progress, Reader, Terms, Trouble, Verdict, trouble_in};
use super::flight::{MAX_QUESTIONS, Question};
use super::message::{MAX_QUERY, Message, QueryForm, write_query};
use super::schedule::{budget, order};
use crate::config::upstream::{Encrypted, Servers};
use crate::counters::Count;
use crate::mem::NoMemory;
use crate::sys::encrypted::contract::kind;
use crate::sys::encrypted::{Asked, Place, Told, ask};
use crate::sys::probes;
use crate::sys::time::Instant;
use crate::trace::Text;
use core::time::Duration;

/// What it takes to ask in private, and to check signatures.
#[derive(Clone, Copy)]
pub struct Private<'a> {
    /// Where the object keeps what outlives a call.
    pub place: &'static Place,
    /// The setting `upstream`, by which servers are asked in private.
    pub servers: &'a Servers,
    /// Whether signatures are checked, also those that plain servers send.
    pub validate: bool,
    /// The file of certificate authorities; empty: the system's.
    pub authorities: &'a [u8],
    /// The file of trust anchors; empty: the installed one.
    pub anchors: &'a [u8],
}

/// How long a server may take at first where there is another one.
const FIRST: Duration = Duration::from_secs(2);

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
    let whole = budget(terms.options, terms.servers.len()).min(terms.limit);
    let deadline = start.after(whole.saturating_sub(terms.waited).max(LEFT.min(whole)));
    let timeout = Duration::from_secs(u64::from(terms.options.timeout).max(1));
    let mut asking = Asking {
        terms,
        private,
        questions,
        progress: [Progress::Open; MAX_QUESTIONS],
        trouble: [Trouble::Silent; MAX_QUESTIONS],
        out: 0,
    };
    let order = order(terms, start)?;
    for round in 0..terms.options.attempts.max(1) {
        for (turn, &(server, _)) in order.iter().enumerate() {
            let left = deadline.since(Instant::now());
            let Some(open) = asking.open().filter(|_| !left.is_zero()) else { break };
            let others = round == 0 && turn + 1 < order.len();
            let limit = if others { FIRST.min(timeout) } else { timeout };
            if asking.out & bit(server) == 0 {
                asking.ask(server, open, limit.min(left), read)?;
            }
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
    use crate::witness::{Worth, answer, no_answer};
    let worth = match told.kind {
        kind::SECURE => Some(Worth::Secure),
        kind::INSECURE => Some(Worth::Insecure),
        _ => None,
    };
    match Message::parse(&told.message) {
        Some(message) if told.kind < kind::BOGUS => {
            answer((Some(question), server, transport, true), &message, worth, took);
        }
        _ => {
            no_answer(question, (server, transport), told.kind == kind::BOGUS, &told.text);
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
            crate::witness::query(question, address, transport(asked_by(encrypted)), true);
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
            let mut trouble = self.trouble_told(server, told, took);
            #[cfg(feature = "command")]
            testify(question, (address, transport(asked.server)), told, took);
            if trouble.is_none()
                && let Some(message) = Message::parse(&told.message)
            {
                // In an hour every exchange has ended.
                probes::query_answered(server, 0, message.rcode(), took.as_micros() as u32);
                let (message, is_written) = (message.over_tcp(true), question.written.is_some());
                trouble = trouble_in(&message, is_written, true);
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
        let read = &mut |at, message: &Message<'_>| read(first + at, message);
        let progress = exchange::exchange(&terms, questions, read)?;
        for (at, (progress, _)) in progress.into_iter().zip(questions).enumerate() {
            match progress {
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
    fn trouble_told(&mut self, server: usize, told: &Told, took: Duration) -> Option<Trouble> {
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
            health.heard(now, took);
            counters.one(Count::Answers);
            return None;
        }
        self.terms.trace.decision(format_args!("{text}"));
        if told.kind == kind::SILENT {
            // It may just be resolving a slow name.
            if health.silent(now) {
                self.terms.found_dead(server);
            }
            return Some(Trouble::Silent);
        }
        // A zone whose signatures are bad is not the server's fault, and to lack a descriptor is ours.
        if !matches!(told.kind, kind::BOGUS | kind::LOCAL) && health.penalise(now) {
            self.terms.found_dead(server);
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
            let trouble = self.trouble.get(index).copied().unwrap_or(Trouble::Silent);
            if trouble == Trouble::Silent {
                self.terms.counters.one(Count::Timeouts);
            }
            self.settle(index, Progress::Failed(trouble));
        }
        self.progress
    }
}
