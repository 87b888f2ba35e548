//! Servers that are asked in private (DNS over TLS or HTTPS), and answers whose signatures are checked:
//! the exchange by way of librustdns-encrypted.so. Each server is asked in its turn, and the next one
//! when it has failed; a plain one in between is asked as ever.
//!
//! Nobody is asked in plain text who is configured otherwise.

use super::dice::Dice;
use super::exchange::{self, LEFT, Progress, Reader, Terms, Trouble, Verdict, trouble_in};
use super::flight::{MAX_QUESTIONS, Question};
use super::message::{MAX_QUERY, Message, QueryForm, RcodeName, TypeName, write_query};
use super::schedule::{budget, order};
use crate::config::upstream::Encrypted;
use crate::mem::{NoMemory, TryPush};
use crate::sys::encrypted::contract::{kind, scheme};
use crate::sys::encrypted::{Asked, NotAsked, Place, Told, ask};
use crate::sys::time::Instant;
use crate::trace::Text;
use core::net::SocketAddr;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use core::time::Duration;
use smallvec::SmallVec;

/// What it takes to ask in private, and to check signatures.
#[derive(Clone, Copy)]
pub struct Private<'a> {
    /// Where the object keeps what outlives a call.
    pub place: &'a Place,
    /// The servers that are asked in private.
    pub servers: &'a [Encrypted],
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
pub(super) fn exchange(
    terms: &Terms<'_>,
    private: &Private<'_>,
    questions: &[Question<'_>],
    read: Reader<'_>,
) -> Result<[Progress; MAX_QUESTIONS], NoMemory> {
    let start = Instant::now();
    let whole = budget(terms.options, terms.servers.len());
    let deadline = start.after(whole.saturating_sub(terms.waited).max(LEFT.min(whole)));
    let timeout = Duration::from_secs(u64::from(terms.options.timeout).max(1));
    let mut asking = Asking {
        terms,
        private,
        questions,
        progress: [Progress::Open; MAX_QUESTIONS],
        trouble: [Trouble::Silent; MAX_QUESTIONS],
        out: SmallVec::new(),
        dice: Dice::new(),
    };
    let order = order(terms, start)?;
    for round in 0..terms.options.attempts.max(1) {
        for (turn, &(server, _)) in order.iter().enumerate() {
            let left = deadline.since(Instant::now());
            if !asking.is_open() || left.is_zero() {
                break;
            }
            let others = round == 0 && turn + 1 < order.len();
            let limit = if others { FIRST.min(timeout) } else { timeout };
            if !asking.out.contains(&server) {
                asking.ask(server, limit.min(left), read)?;
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
    /// Servers that need not be asked again.
    out: SmallVec<[usize; 4]>,
    dice: Dice,
}

impl Asking<'_> {
    fn is_open(&self) -> bool {
        self.progress.iter().zip(self.questions).any(|(progress, _)| *progress == Progress::Open)
    }

    fn ask(&mut self, server: usize, limit: Duration, read: Reader<'_>) -> Result<(), NoMemory> {
        let Some(&(address, _)) = self.terms.servers.get(server) else { return Ok(()) };
        let encrypted = self.private.servers.iter().find(|one| one.address == address);
        if encrypted.is_none() && !self.private.validate {
            return self.ask_plainly(server, limit, read);
        }
        self.ask_object(server, Peer { address, encrypted }, limit, read)
    }

    /// Asks one plain server what is open.
    fn ask_plainly(
        &mut self,
        server: usize,
        limit: Duration,
        read: Reader<'_>,
    ) -> Result<(), NoMemory> {
        let mut open = SmallVec::<[(usize, Question<'_>); MAX_QUESTIONS]>::new();
        for (index, (question, progress)) in self.questions.iter().zip(self.progress).enumerate() {
            if progress == Progress::Open {
                open.try_push((index, *question))?;
            }
        }
        let (indices, questions): (SmallVec<[_; 2]>, SmallVec<[_; 2]>) = open.into_iter().unzip();
        let terms = Terms {
            servers: self.terms.servers.get(server..=server).unwrap_or_default(),
            private: None,
            waited: budget(self.terms.options, 1).saturating_sub(limit),
            ..*self.terms
        };
        let read = &mut |at: usize, message: &Message<'_>| {
            read(indices.get(at).copied().unwrap_or_default(), message)
        };
        let progress = exchange::exchange(&terms, &questions, read)?;
        for (&index, progress) in indices.iter().zip(progress) {
            match progress {
                Progress::Failed(trouble) => self.fail(index, trouble),
                settled => self.settle(index, settled),
            }
        }
        Ok(())
    }

    /// Asks a server by way of the object what is open.
    fn ask_object(
        &mut self,
        server: usize,
        peer: Peer<'_>,
        limit: Duration,
        read: Reader<'_>,
    ) -> Result<(), NoMemory> {
        let mut rooms = [[0; MAX_QUERY]; MAX_QUESTIONS];
        let mut queries: [&[u8]; MAX_QUESTIONS] = [&[]; MAX_QUESTIONS];
        let written = self.questions.first().and_then(|question| question.written);
        for (index, (room, query)) in rooms.iter_mut().zip(&mut queries).enumerate() {
            let Some(question) = self.questions.get(index) else { continue };
            if self.progress.get(index) == Some(&Progress::Open) {
                self.terms.trace.packet(format_args!(
                    "query {} {} to {peer}",
                    question.name,
                    TypeName(question.qtype)
                ));
                *query = match question.written {
                    Some(written) => written.octets(),
                    None => self.write(question, room),
                };
            }
        }
        let (path, name) = match peer.encrypted {
            Some(encrypted) => (encrypted.path.as_deref(), &*encrypted.name),
            None => (None, &[][..]),
        };
        let asked = Asked {
            server: peer.address,
            scheme: match (peer.encrypted, path) {
                (None, _) => scheme::TCP,
                (Some(_), None) => scheme::TLS,
                (Some(_), Some(_)) => scheme::HTTPS,
            },
            name,
            path: path.unwrap_or_default(),
            authorities: self.private.authorities,
            anchors: self.private.anchors,
            validate: self.private.validate,
            pad: peer.encrypted.is_some() && written.is_none(),
            limit,
            questions: queries,
        };
        let sent = queries.iter().filter(|query| !query.is_empty()).count();
        self.terms.counters.queries.fetch_add(sent, Relaxed);
        let (begun, alive) = (Instant::now(), self.terms.alive);
        let beat = || alive.into_iter().for_each(|alive| alive.sign(Instant::now()));
        let told = match ask(self.private.place, &asked, &beat) {
            Ok(told) => told,
            Err(NotAsked::NoMemory) => return Err(NoMemory),
            Err(NotAsked::NoObject(why)) => {
                self.terms.trace.decision(format_args!("{peer}: {why}"));
                return self.fail_all(server, &queries, Trouble::Broken);
            }
            Err(NotAsked::NoThread(fault)) => {
                self.terms.trace.decision(format_args!("{peer}: no thread to ask on ({fault:?})"));
                return self.fail_all(server, &queries, Trouble::Local(fault));
            }
        };
        let took = Instant::now().since(begun);
        for (index, (told, query)) in told.iter().zip(queries).enumerate() {
            if !query.is_empty() {
                self.consider(server, &peer, index, told, took, read)?;
            }
        }
        Ok(())
    }

    fn write<'r>(&mut self, question: &Question<'_>, room: &'r mut [u8; MAX_QUERY]) -> &'r [u8] {
        let options = self.terms.options;
        let form = QueryForm {
            // The object gives each query an id of its own.
            id: self.dice.id(|_| true).unwrap_or_default(),
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

    /// What has become of a question at a server.
    fn consider(
        &mut self,
        server: usize,
        peer: &Peer<'_>,
        index: usize,
        told: &Told,
        took: Duration,
        read: Reader<'_>,
    ) -> Result<(), NoMemory> {
        let Some((question, (_, health))) =
            self.questions.get(index).zip(self.terms.servers.get(server))
        else {
            return Ok(());
        };
        let now = Instant::now();
        let counters = self.terms.counters;
        let (worth, count): (&str, Option<&AtomicUsize>) = match told.kind {
            kind::ANSWER => ("", None),
            kind::SECURE => (", secure", Some(&counters.secure)),
            kind::INSECURE => (", insecure", Some(&counters.insecure)),
            other => {
                let (trouble, what) = match other {
                    kind::BOGUS => (Trouble::Bogus, "bogus"),
                    kind::SILENT => (Trouble::Silent, "silent"),
                    kind::UNREACHABLE => (Trouble::Unreachable, "unreachable"),
                    kind::UNTRUSTED => (Trouble::Broken, "not trusted"),
                    kind::LOCAL => (Trouble::Broken, "not asked"),
                    _ => (Trouble::Broken, "no answer"),
                };
                let name = question.name;
                self.terms.trace.decision(format_args!(
                    "{peer}: {name} {}: {what}: {}",
                    TypeName(question.qtype),
                    Text(&told.reason)
                ));
                match trouble {
                    Trouble::Bogus => {
                        counters.bogus.fetch_add(1, Relaxed);
                    }
                    Trouble::Silent => health.silent(now),
                    _ if other == kind::LOCAL => {}
                    _ => health.penalise(now),
                }
                if trouble != Trouble::Silent && !self.out.contains(&server) {
                    self.out.try_push(server)?;
                }
                self.fail(index, trouble);
                return Ok(());
            }
        };
        let Some(message) = Message::parse(&told.message).filter(Message::is_response) else {
            self.fail(index, Trouble::Broken);
            return Ok(());
        };
        let message = message.over_tcp(true);
        health.heard(now, took);
        counters.answers.fetch_add(1, Relaxed);
        if let Some(count) = count {
            count.fetch_add(1, Relaxed);
        }
        self.terms.trace.packet(format_args!(
            "answer from {peer}: {}, {} records, {} octets{worth}{}{}, after {took:?}",
            RcodeName(message.rcode()),
            message.answer_count(),
            told.message.len(),
            if told.reason.is_empty() { "" } else { ", " },
            Text(&told.reason),
        ));
        match trouble_in(&message, question.written.is_some(), true) {
            None => {
                let verdict = read(index, &message)?;
                self.settle(index, Progress::Answered(verdict));
            }
            Some(trouble) => {
                if question.written.is_some() {
                    read(index, &message)?;
                }
                self.fail(index, trouble);
            }
        }
        Ok(())
    }

    /// Nothing came of asking a server, for a reason of our own.
    fn fail_all(
        &mut self,
        server: usize,
        queries: &[&[u8]],
        trouble: Trouble,
    ) -> Result<(), NoMemory> {
        for (index, query) in queries.iter().enumerate() {
            if !query.is_empty() {
                self.fail(index, trouble);
            }
        }
        self.out.try_push(server)
    }

    fn settle(&mut self, index: usize, progress: Progress) {
        if let Some(place) = self.progress.get_mut(index) {
            *place = progress;
        }
    }

    /// What a server has said is not forgotten for one that can't be reached.
    fn fail(&mut self, index: usize, trouble: Trouble) {
        if let Some(place) = self.trouble.get_mut(index)
            && (!matches!(place, Trouble::Rcode(_) | Trouble::Bogus)
                || matches!(trouble, Trouble::Rcode(_) | Trouble::Bogus))
        {
            *place = trouble;
        }
        // One good family is enough where the server had trouble with the other.
        if self.progress.contains(&Progress::Answered(Verdict::Positive)) {
            self.settle(index, Progress::Failed(trouble));
        }
    }

    fn end(mut self) -> [Progress; MAX_QUESTIONS] {
        for (progress, trouble) in self.progress.iter_mut().zip(self.trouble) {
            if *progress == Progress::Open {
                *progress = Progress::Failed(trouble);
            }
        }
        let silent = |(progress, _): &(&Progress, _)| **progress == Progress::Failed(Trouble::Silent);
        let timeouts = self.progress.iter().zip(self.questions).filter(silent).count();
        self.terms.counters.timeouts.fetch_add(timeouts, Relaxed);
        self.progress
    }
}

/// A server, for the trace.
struct Peer<'a> {
    address: SocketAddr,
    encrypted: Option<&'a Encrypted>,
}

impl core::fmt::Display for Peer<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.encrypted {
            Some(encrypted) => encrypted.fmt(f),
            None => self.address.fmt(f),
        }
    }
}
