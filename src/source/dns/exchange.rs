//! The exchange: up to two questions go to the name servers, and what comes back is waited for on the
//! caller's stack. Nothing outlives it: no socket, no thread.
//!
//! Servers are asked in order while they are well. One that is silent for a while is hedged by the
//! next, and listened to all the same; then each is sent the query again, from fresh sockets, at
//! doubling intervals, until the time is up that libc would have waited by the same resolv.conf.

mod answers;
mod sending;

pub(super) use self::answers::trouble_in;
use self::answers::trouble_of;
use super::cookie;
use super::dice::Dice;
use super::flight::{Flight, MAX_QUESTIONS, Question};
use super::health::{Health, Standing};
use super::message::Message;
use super::pending::{Alive, BEAT};
use super::private::{self, Private};
use super::schedule::{Order, budget, order};
use crate::config::resolv::Options;
use crate::counters::{Count, Counters};
use crate::mem::{NoMemory, TryPush};
use crate::sys::Fault;
use crate::sys::probes;
use crate::sys::time::{Instant, wait};
use crate::sys::udp::Udp;
use crate::trace::Trace;
use core::cell::Cell;
use core::net::SocketAddr;
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
    /// Whether queries carry cookies.
    pub cookies: cookie::Use,
    /// No longer than this, whatever resolv.conf allows.
    pub limit: Duration,
    /// How much of the time that this may take is gone: another thread was waited for.
    pub waited: Duration,
    /// How to ask servers in private, and whether to check signatures.
    pub private: Option<Private<'a>>,
    /// Where to say what is sent and received.
    pub trace: Trace<'a>,
    /// Where to count it.
    pub counters: &'a Counters,
    /// Where to give signs of life, if others wait for what is learned.
    pub alive: Option<&'a Alive>,
    /// Where to leave a socket that has brought all it will, if others have use for one.
    pub used: Option<&'a Cell<Option<Udp>>>,
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
    /// What it answered is not what the zone has signed.
    Bogus,
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
    if let Some(private) = &terms.private {
        return private::exchange(terms, private, questions, read);
    }
    let start = Instant::now();
    // Closed: there may be few descriptors left.
    terms.used.map(Cell::take);
    let mut exchange = Exchange {
        terms,
        questions,
        order: order(terms, start)?,
        progress: [Progress::Open; MAX_QUESTIONS],
        trouble: [Trouble::Silent; MAX_QUESTIONS],
        turn: 0,
        flights: SmallVec::new(),
        strikes: SmallVec::new(),
        next_send: None,
        bad_cookies: [0; MAX_QUESTIONS],
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
    terms.counters.add(Count::Timeouts, timeouts);
    Ok(exchange.progress)
}

/// Once one family has addresses the other is waited for no longer than this: by then its query was
/// sent four times. (libc waits for three timeouts: 15 s by default.)
const OTHER_FAMILY: Duration = Duration::from_secs(2);

/// Who has waited for another thread in vain may ask for as long as this, though the time is up.
pub(super) const LEFT: Duration = Duration::from_millis(250);

struct Exchange<'a> {
    terms: &'a Terms<'a>,
    questions: &'a [Question<'a>],
    order: Order,
    progress: [Progress; MAX_QUESTIONS],
    /// The last trouble that a question met; a server's answer counts before no answer.
    trouble: [Trouble; MAX_QUESTIONS],
    /// How many times it was somebody's turn.
    turn: usize,
    flights: SmallVec<[Flight; 4]>,
    /// How often each server has failed outright: it is left alone after `attempts` times.
    strikes: SmallVec<[u32; 4]>,
    /// When the next one is sent to if nothing changes; `None` when nobody is left.
    next_send: Option<Instant>,
    /// How often each question has met with BADCOOKIE.
    bad_cookies: [u32; MAX_QUESTIONS],
    dice: Dice,
}

impl Exchange<'_> {
    fn run(&mut self, start: Instant, read: Reader<'_>) -> Result<(), NoMemory> {
        let whole = budget(self.terms.options, self.terms.servers.len()).min(self.terms.limit);
        let deadline = start.after(whole.saturating_sub(self.terms.waited).max(LEFT.min(whole)));
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
            let until = match self.terms.alive {
                Some(alive) => {
                    alive.sign(now);
                    until.min(now.after(BEAT))
                }
                None => until,
            };
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
        // Indices above end here.
        self.close_landed();
        Ok(())
    }

    /// A flight that has nothing more to bring is closed, or its socket left for others. Not in the frame
    /// that is on the stack while answers are read.
    #[inline(never)]
    fn close_landed(&mut self) {
        while let Some(at) = self.flights.iter().position(|flight| !flight.is_waiting()) {
            let landed = self.flights.swap_remove(at);
            if let (Some(place), Some(udp)) = (self.terms.used, landed.into_udp()) {
                place.set(Some(udp));
            }
        }
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
        // Bounded likewise.
        for _ in 0..64 {
            let Some(flight) = self.flights.get_mut(at).filter(|f| f.is_waiting()) else { break };
            match flight.advance_stream() {
                Ok(Some(message)) => self.consider(at, &message, false, read)?,
                Ok(None) => break,
                Err(error) => return self.check(at, Err(error)),
            }
        }
        Ok(())
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
            if longest.is_some_and(|silence| silence >= health.patience(Standing::OnProbation))
                && health.silent(now)
            {
                self.terms.found_dead(flight.server);
            }
        }
    }
}

impl Terms<'_> {
    /// A server was put last that was not before.
    #[cold]
    #[inline(never)]
    pub(super) fn found_dead(&self, server: usize) {
        self.counters.one(Count::Dead);
        probes::server_dead(server);
        let peer = Peer(self, server);
        self.trace.decision(format_args!("{peer}: gives no answer, asked last for a while"));
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
