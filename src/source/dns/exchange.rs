//! The exchange: up to two questions go to the name servers, and what comes back is waited for on the
//! caller's stack. Nothing outlives it: no socket, no thread.
//!
//! Servers are asked in order while they are well. One that is silent for a while is hedged by the
//! next, and listened to all the same; then each is sent the query again, from fresh sockets, at
//! doubling intervals, until the time is up that libc would have waited by the same resolv.conf.

use super::counters::Counters;
use super::dice::Dice;
use super::flight::{Flight, MAX_QUESTIONS, Question, SendError};
use super::health::{Health, Standing};
use super::message::{Message, QueryForm, RcodeName, TypeName, rcode};
use super::schedule::{Order, budget, order};
use crate::config::resolv::Options;
use crate::mem::{NoMemory, TryPush};
use crate::sys::Fault;
use crate::sys::time::{Instant, wait};
use crate::trace::Trace;
use core::net::SocketAddr;
use core::sync::atomic::Ordering::Relaxed;
use core::time::Duration;
use smallvec::SmallVec;

/// Whom to ask, and how.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// The servers in the order of the configuration.
    pub servers: &'a [(SocketAddr, Health)],
    /// resolv.conf's options.
    pub options: &'a Options,
    /// Where `rotate` starts.
    pub rotation: usize,
    /// Makes the case of the query's letters random, and wants it back (0x20).
    pub random_case: bool,
    /// Where to say what is sent and received.
    pub trace: Trace<'a>,
    /// Where to count it.
    pub counters: &'a Counters,
}

/// What the caller makes of an answer to one of its questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has records of the kind asked for.
    Positive,
    /// It says that there are none.
    Negative,
}

/// What has become of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Not answered yet.
    Open,
    /// Answered; the reader has seen the message.
    Answered(Verdict),
    /// No server gave an answer.
    Failed(Trouble),
}

/// Why a server gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It didn't answer in time.
    Silent,
    /// Its host refuses, or can't be reached.
    Unreachable,
    /// It answered with this response code: SERVFAIL, REFUSED, NOTIMP, FORMERR or a rarer one.
    Rcode(u8),
    /// It answered with nothing, not even a referral that we could use.
    Lame,
    /// It closed the connection, or what it sent was cut.
    Broken,
    /// This process can't ask: the system call's fault.
    Local(Fault),
}

/// Reads the answer to the question with this index.
pub type Reader<'a> = &'a mut dyn FnMut(usize, &Message<'_>) -> Result<Verdict, NoMemory>;

/// Asks `questions` (one or two) and hands each answer to `read`.
///
/// A query that the caller has written stands alone. Its reader sees all that servers answer to it,
/// also what makes us go on to the next one.
///
/// Ends when each has been answered or has failed. Returns [`NoMemory`] only when a list of ours
/// could not grow, or the reader said so.
pub fn exchange(
    terms: &Terms<'_>,
    questions: &[Question<'_>],
    read: Reader<'_>,
) -> Result<[Progress; MAX_QUESTIONS], NoMemory> {
    let start = Instant::now();
    let mut exchange = Exchange {
        terms,
        questions,
        order: order(terms, start)?,
        progress: [Progress::Open; MAX_QUESTIONS],
        trouble: [Trouble::Silent; MAX_QUESTIONS],
        turn: 0,
        flights: SmallVec::new(),
        strikes: SmallVec::from_elem(0, 0),
        next_send: None,
        dice: Dice::new(),
    };
    for _ in terms.servers {
        exchange.strikes.try_push(0)?;
    }
    exchange.run(start, read)?;
    exchange.judge_silence(Instant::now());
    for (progress, trouble) in exchange.progress.iter_mut().zip(exchange.trouble) {
        if *progress == Progress::Open {
            *progress = Progress::Failed(trouble);
        }
    }
    let silent = |(p, _): &(&Progress, _)| **p == Progress::Failed(Trouble::Silent);
    let timeouts = exchange.progress.iter().zip(questions).filter(silent).count();
    terms.counters.timeouts.fetch_add(timeouts, Relaxed);
    Ok(exchange.progress)
}

/// Once one family has addresses the other is waited for no longer than this: by then its query was
/// sent four times. (libc waits for three timeouts: 15 s by default.)
const OTHER_FAMILY: Duration = Duration::from_secs(2);

struct Exchange<'a> {
    terms: &'a Terms<'a>,
    questions: &'a [Question<'a>],
    order: Order,
    progress: [Progress; MAX_QUESTIONS],
    /// The last trouble that a question met.
    trouble: [Trouble; MAX_QUESTIONS],
    /// How many times it was somebody's turn.
    turn: usize,
    flights: SmallVec<[Flight; 4]>,
    /// How often each server has failed outright: it is left alone after `attempts` times.
    strikes: SmallVec<[u32; 4]>,
    /// When the next one is sent to if nothing changes; `None` when nobody is left.
    next_send: Option<Instant>,
    dice: Dice,
}

impl Exchange<'_> {
    fn run(&mut self, start: Instant, read: Reader<'_>) -> Result<(), NoMemory> {
        let deadline = start.after(budget(self.terms.options, self.terms.servers.len()));
        let timeout = Duration::from_secs(u64::from(self.terms.options.timeout).max(1));
        let partial = start.after(timeout.min(OTHER_FAMILY)).min(deadline);
        self.next_send = Some(start);
        let mut scratch = [0u8; 4096];
        while self.is_open() {
            let now = Instant::now();
            let until = if self.has_positive() { partial } else { deadline };
            if now >= until {
                return Ok(());
            }
            if self.next_send.is_some_and(|at| at <= now) {
                self.take_turn(now)?;
                continue;
            }
            if self.next_send.is_none() && !self.flights.iter().any(Flight::is_waiting) {
                return Ok(());
            }
            self.listen(self.next_send.map_or(until, |at| at.min(until)), &mut scratch, read)?;
        }
        Ok(())
    }

    /// True while a question has neither an answer nor an end.
    fn is_open(&self) -> bool {
        self.progress.iter().zip(self.questions).any(|(p, _)| *p == Progress::Open)
    }

    fn has_positive(&self) -> bool {
        self.progress.contains(&Progress::Answered(Verdict::Positive))
    }

    fn is_settled(&self, question: usize) -> bool {
        self.progress.get(question).is_none_or(|p| *p != Progress::Open)
    }

    /// Sends what is open to the next server in turn that hasn't failed for good.
    fn take_turn(&mut self, now: Instant) -> Result<(), NoMemory> {
        let count = self.order.len();
        for _ in 0..count {
            let Some(&(server, patience)) = self.order.get(self.turn % count) else { break };
            let round = self.turn / count;
            self.turn += 1;
            if self.strikes.get(server).is_none_or(|&n| n >= self.terms.options.attempts.max(1)) {
                continue;
            }
            let wait = patience.saturating_mul(1 << round.min(16));
            self.next_send = Some(now.after(wait));
            return self.send_round(server, round, now);
        }
        self.next_send = None;
        Ok(())
    }

    /// Sends the open questions to `server`. In its first round they share a socket; in its second
    /// each gets a fresh one (a NAT may have dropped one of two datagrams from one port); in later
    /// ones those sockets send again.
    fn send_round(&mut self, server: usize, round: usize, now: Instant) -> Result<(), NoMemory> {
        let separate = round > 0;
        if round > 1 && self.send_again(server, now)? {
            return Ok(());
        }
        let mut shared: Option<usize> = None;
        for question in 0..self.questions.len() {
            if self.is_settled(question) {
                continue;
            }
            let flight = match shared {
                Some(flight) => flight,
                None => match self.open(server, self.wants_tcp(question))? {
                    Some(flight) => flight,
                    None => return Ok(()),
                },
            };
            // Silence may be EDNS's fault (a firewall that drops what it doesn't know).
            self.send_on(flight, question, self.wants_edns(server) && !separate, now)?;
            if !separate || self.wants_tcp(question) {
                shared = Some(flight);
            }
            if self.one_at_a_time() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// `single-request` and `single-request-reopen`: the second question waits for the first's answer.
    fn one_at_a_time(&self) -> bool {
        self.terms.options.single_request || self.terms.options.single_request_reopen
    }

    fn wants_tcp(&self, question: usize) -> bool {
        self.terms.options.use_vc || self.questions.get(question).is_some_and(Question::is_long)
    }

    fn wants_edns(&self, server: usize) -> bool {
        self.terms.options.edns0
            && self.terms.servers.get(server).is_some_and(|(_, health)| health.takes_edns())
    }

    /// Opens a socket to `server`; `None` (and a strike) where that fails.
    fn open(&mut self, server: usize, tcp: bool) -> Result<Option<usize>, NoMemory> {
        let Some((peer, _)) = self.terms.servers.get(server) else { return Ok(None) };
        let flight = if tcp { Flight::tcp(server, peer) } else { Flight::udp(server, peer) };
        match flight {
            Ok(flight) => {
                self.flights.try_push(flight)?;
                Ok(Some(self.flights.len() - 1))
            }
            Err(fault) => {
                self.strike(server, trouble_of(fault));
                Ok(None)
            }
        }
    }

    fn send_on(
        &mut self,
        flight: usize,
        question: usize,
        edns: bool,
        now: Instant,
    ) -> Result<(), NoMemory> {
        let (Some(asked), Some(flight_ref)) =
            (self.questions.get(question), self.flights.get_mut(flight))
        else {
            return Ok(());
        };
        let id = match asked.written {
            Some(written) => Some(written.id()),
            None => self.dice.id(|id| !flight_ref.uses_id(id)),
        };
        let Some(id) = id else {
            // Without unpredictable ids the DNS can't be asked safely.
            return self.land(flight, Trouble::Local(Fault::Other(Fault::WouldBlock.errno())));
        };
        let mut name = asked.name;
        if self.terms.random_case && asked.written.is_none() {
            self.dice.mix_case(&mut name);
        }
        let form = QueryForm {
            id,
            qtype: asked.qtype,
            class: asked.class,
            recursion: !self.terms.options.no_recursion,
            ad: self.terms.options.trust_ad,
            edns: edns && asked.written.is_none(),
        };
        let server = flight_ref.server;
        self.terms.trace.packet(format_args!(
            "query {} {} to {} over {}, id {id}{}",
            name,
            TypeName(asked.qtype),
            Peer(self.terms, server),
            flight_ref.transport(),
            if form.edns { ", EDNS" } else { "" },
        ));
        let sent = flight_ref.send(question, asked.written, name, form, now);
        self.check(flight, sent)
    }

    /// Sends the open questions again on the sockets that are still open; false where there are none.
    fn send_again(&mut self, server: usize, now: Instant) -> Result<bool, NoMemory> {
        let mut sent_any = false;
        for at in 0..self.flights.len() {
            for question in 0..self.questions.len() {
                let settled = self.is_settled(question);
                let Some(flight) = self.flights.get_mut(at) else { continue };
                let waits =
                    flight.sent(question).is_some_and(|sent| !sent.done && !sent.used_edns());
                if flight.server != server || settled || !waits {
                    continue;
                }
                sent_any = true;
                if flight.is_tcp() {
                    continue; // a stream delivers, or breaks
                }
                self.terms
                    .trace
                    .packet(format_args!("query again to {} over udp", Peer(self.terms, server)));
                let written = self.questions.get(question).and_then(|asked| asked.written);
                let sent = flight.send_again(question, written, now);
                self.check(at, sent)?;
            }
        }
        Ok(sent_any)
    }

    fn check(&mut self, flight: usize, sent: Result<(), SendError>) -> Result<(), NoMemory> {
        match sent {
            Ok(()) => {
                self.terms.counters.queries.fetch_add(1, Relaxed);
                Ok(())
            }
            Err(SendError::NoMemory) => Err(NoMemory),
            Err(SendError::Fault(fault)) => self.land(flight, trouble_of(fault)),
            Err(SendError::Closed) => self.land(flight, Trouble::Broken),
        }
    }

    /// Waits until something comes or `until`, and reads what has come.
    fn listen(
        &mut self,
        until: Instant,
        scratch: &mut [u8; 4096],
        read: Reader<'_>,
    ) -> Result<(), NoMemory> {
        let mut interests: SmallVec<[_; 8]> = SmallVec::new();
        for flight in &self.flights {
            interests.try_push(flight.interest())?;
        }
        if let Err(fault) = wait(&mut interests, until) {
            // poll(2) itself fails only for want of kernel memory.
            self.trouble = [Trouble::Local(fault); MAX_QUESTIONS];
            self.next_send = None;
            self.flights.clear();
            return Ok(());
        }
        for (at, interest) in interests.iter().enumerate() {
            if interest.is_ready() && self.is_open() {
                if self.flights.get(at).is_some_and(Flight::is_tcp) {
                    self.read_stream(at, read)?;
                } else {
                    self.read_datagrams(at, scratch, read)?;
                }
            }
        }
        // A flight that has nothing more to bring is closed; indices above end here.
        self.flights.retain(|flight| flight.is_waiting());
        Ok(())
    }

    fn read_datagrams(
        &mut self,
        at: usize,
        scratch: &mut [u8; 4096],
        read: Reader<'_>,
    ) -> Result<(), NoMemory> {
        // Bounded, so that a flood can't keep us from looking at the clock.
        for _ in 0..64 {
            let Some(flight) = self.flights.get(at).filter(|f| f.is_waiting()) else { break };
            match flight.receive_datagram(scratch) {
                Ok((len, cut)) => {
                    let octets = scratch.get(..len).unwrap_or_default();
                    self.consider(at, octets, cut, read)?;
                }
                Err(Fault::WouldBlock) => break,
                Err(fault) => return self.land(at, trouble_of(fault)),
            }
        }
        Ok(())
    }

    fn read_stream(&mut self, at: usize, read: Reader<'_>) -> Result<(), NoMemory> {
        while let Some(flight) = self.flights.get_mut(at).filter(|f| f.is_waiting()) {
            match flight.advance_stream() {
                Ok(Some(message)) => self.consider(at, &message, false, read)?,
                Ok(None) => break,
                Err(error) => return self.check(at, Err(error)),
            }
        }
        Ok(())
    }

    /// Decides what a message that came on a flight is worth. What doesn't answer a query of that
    /// flight is dropped, and the wait goes on.
    fn consider(
        &mut self,
        at: usize,
        octets: &[u8],
        cut: bool,
        read: Reader<'_>,
    ) -> Result<(), NoMemory> {
        let Some(flight) = self.flights.get_mut(at) else { return Ok(()) };
        let (server, tcp) = (flight.server, flight.is_tcp());
        let Some((peer, health)) = self.terms.servers.get(server) else { return Ok(()) };
        let parsed = Message::parse(octets).filter(Message::is_response).map(|m| m.over_tcp(tcp));
        let question = parsed.and_then(|message| {
            flight.question_of(self.questions, &message, self.terms.random_case)
        });
        let (Some(message), Some(question)) = (parsed, question) else {
            self.terms.trace.packet(format_args!(
                "dropped {} octets from {peer}: no answer to what was asked",
                octets.len()
            ));
            return Ok(());
        };
        let Some(sent) = flight.sent(question).copied().filter(|sent| !sent.done) else {
            return Ok(()); // a duplicate
        };
        let now = Instant::now();
        let round_trip = now.since(sent.at);
        health.heard(now, round_trip);
        self.terms.counters.answers.fetch_add(1, Relaxed);
        self.terms.trace.packet(format_args!(
            "answer from {peer} over {}, id {}: {}, {} records, {} octets{}, after {:?}",
            flight.transport(),
            message.id(),
            RcodeName(message.rcode()),
            message.answer_count(),
            octets.len(),
            if message.is_truncated() { ", truncated" } else { "" },
            round_trip,
        ));
        flight.finish(question);
        if self.is_settled(question) {
            return Ok(());
        }
        if sent.used_edns() && matches!(message.rcode(), rcode::FORMERR | rcode::NOTIMP) {
            health.refuses_edns();
            return self.send_on(at, question, false, now);
        }
        let is_written = self.questions.get(question).is_some_and(|asked| asked.written.is_some());
        let trouble = trouble_in(&message, is_written, tcp);
        let is_cut = message.is_truncated() && !self.terms.options.ignore_truncation || cut;
        if !tcp && is_cut && (trouble.is_none() || !is_written) {
            return self.ask_over_tcp(server, question, now);
        }
        match trouble {
            None => {
                let verdict = read(question, &message)?;
                self.settle(question, Progress::Answered(verdict));
                if verdict == Verdict::Positive {
                    self.give_up_failed(at);
                }
                self.send_second(at, now)?;
            }
            Some(trouble) => {
                if is_written {
                    read(question, &message)?;
                }
                self.fail(at, question, trouble);
            }
        }
        self.move_on(at);
        Ok(())
    }

    fn settle(&mut self, question: usize, progress: Progress) {
        if let Some(place) = self.progress.get_mut(question) {
            *place = progress;
        }
    }

    /// One good family is enough where the same server had trouble with the other.
    fn give_up_failed(&mut self, at: usize) {
        let Some(flight) = self.flights.get(at) else { return };
        for (question, place) in self.progress.iter_mut().enumerate() {
            if *place == Progress::Open && flight.has_failed(question) {
                let trouble = self.trouble.get(question).copied().unwrap_or(Trouble::Silent);
                *place = Progress::Failed(trouble);
            }
        }
    }

    /// With one question at a time: the second follows once the first is answered.
    fn send_second(&mut self, at: usize, now: Instant) -> Result<(), NoMemory> {
        let next = (0..self.questions.len()).find(|&question| !self.is_settled(question));
        let (true, Some(question), Some(flight)) =
            (self.one_at_a_time(), next, self.flights.get(at))
        else {
            return Ok(());
        };
        if flight.sent(question).is_some() {
            return Ok(());
        }
        let (server, tcp) = (flight.server, flight.is_tcp());
        let at = if self.terms.options.single_request_reopen {
            self.open(server, tcp)?
        } else {
            Some(at)
        };
        match at {
            Some(at) => self.send_on(at, question, self.wants_edns(server), now),
            None => Ok(()),
        }
    }

    fn ask_over_tcp(
        &mut self,
        server: usize,
        question: usize,
        now: Instant,
    ) -> Result<(), NoMemory> {
        let Some(at) = self.open(server, true)? else { return Ok(()) };
        // The server is there and has more to say: the next one's turn is put off.
        if let (Some(next), Some((_, health))) =
            (&mut self.next_send, self.terms.servers.get(server))
        {
            *next = now.after(health.patience(Standing::Well));
        }
        self.send_on(at, question, self.wants_edns(server), now)
    }

    /// A server has answered a question with trouble. It has had its chance once it has answered
    /// all that it was asked.
    fn fail(&mut self, at: usize, question: usize, trouble: Trouble) {
        if let Some(place) = self.trouble.get_mut(question) {
            *place = trouble;
        }
        if let Some(flight) = self.flights.get_mut(at) {
            flight.fail(question);
        }
        if self.has_positive() {
            self.settle(question, Progress::Failed(trouble));
        }
    }

    /// Moves on to the next server when this flight has brought all it will, and too little.
    fn move_on(&mut self, at: usize) {
        let Some(flight) = self.flights.get(at).filter(|flight| !flight.is_waiting()) else {
            return;
        };
        let failed = |question: &usize| flight.has_failed(*question) && !self.is_settled(*question);
        if let Some(question) = (0..self.questions.len()).find(failed) {
            let trouble = self.trouble.get(question).copied().unwrap_or(Trouble::Silent);
            self.strike(flight.server, trouble);
        }
    }

    /// Nothing more comes on this flight.
    fn land(&mut self, at: usize, trouble: Trouble) -> Result<(), NoMemory> {
        let Some(flight) = self.flights.get_mut(at) else { return Ok(()) };
        let server = flight.server;
        for question in 0..self.questions.len() {
            flight.finish(question);
        }
        self.strike(server, trouble);
        Ok(())
    }

    /// A server has failed outright: the next one's turn is now.
    fn strike(&mut self, server: usize, trouble: Trouble) {
        let now = Instant::now();
        self.terms.trace.packet(format_args!("{}: {trouble:?}", Peer(self.terms, server)));
        if let Some(strikes) = self.strikes.get_mut(server) {
            *strikes += 1;
        }
        if trouble == Trouble::Unreachable
            && let Some((_, health)) = self.terms.servers.get(server)
        {
            health.penalise(now);
        }
        for (place, progress) in self.trouble.iter_mut().zip(&self.progress) {
            if *progress == Progress::Open {
                *place = trouble;
            }
        }
        self.next_send = Some(now);
    }

    /// Servers that were sent to and never heard, while another one answered, go to the end.
    fn judge_silence(&self, now: Instant) {
        if !self.progress.iter().any(|p| matches!(p, Progress::Answered(_))) {
            return;
        }
        for flight in &self.flights {
            let Some((_, health)) = self.terms.servers.get(flight.server) else { continue };
            let silent_for = |question: usize| {
                flight.sent(question).filter(|sent| !sent.done).map(|sent| now.since(sent.at))
            };
            let longest = (0..self.questions.len()).filter_map(silent_for).max();
            if longest.is_some_and(|silence| silence >= health.patience(Standing::OnProbation)) {
                health.silent(now);
            }
        }
    }
}

/// An answer without records that comes neither from the zone's server nor from one that resolves:
/// a referral, or a server that doesn't know the zone.
fn is_lame(message: &Message<'_>) -> bool {
    message.answer_count() == 0
        && message.additional_count() == 0
        && !message.is_authoritative()
        && !message.offers_recursion()
}

/// What is wrong with an answer, so that the next server is asked. Who writes queries himself gets
/// other response codes too, and over TCP all of them, as libc's `res_send` has it.
fn trouble_in(message: &Message<'_>, is_written: bool, tcp: bool) -> Option<Trouble> {
    match message.rcode() {
        _ if is_written && tcp => None,
        rcode::NOERROR => is_lame(message).then_some(Trouble::Lame),
        rcode::NXDOMAIN => None,
        other @ (rcode::SERVFAIL | rcode::NOTIMP | rcode::REFUSED) => Some(Trouble::Rcode(other)),
        other => (!is_written).then_some(Trouble::Rcode(other)),
    }
}

fn trouble_of(fault: Fault) -> Trouble {
    match fault {
        Fault::Refused | Fault::Unreachable => Trouble::Unreachable,
        Fault::WouldBlock => Trouble::Silent,
        Fault::Exhausted(_) | Fault::Missing => Trouble::Local(fault),
        // What a connection dies of (ECONNRESET, ETIMEDOUT, EPIPE, EPERM from a filter): the next server.
        Fault::Other(_) => Trouble::Broken,
    }
}

/// A server's address, for the trace.
struct Peer<'a>(&'a Terms<'a>, usize);

impl core::fmt::Display for Peer<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0.servers.get(self.1) {
            Some((peer, _)) => peer.fmt(f),
            None => f.write_str("?"),
        }
    }
}
