//! The exchange: up to two questions go to the name servers, and what comes back is waited for on the
//! caller's stack. Nothing outlives it: no socket, no thread.
//!
//! Servers are asked in resolv.conf's order, which is meaning: one that is alive decides, however slow. What
//! is lost on the way is asked again of it, early and from fresh sockets, at doubling intervals. The next one
//! is asked beside it when it is not known to be alive (`schedule`), and its "no" held back (`held`) while an
//! earlier one may still speak; until the time is up that libc would have waited by the same resolv.conf.

mod answers;
mod held;
mod sending;

pub(super) use self::answers::trouble_in;
use self::answers::trouble_of;
use self::held::Held;
pub(super) use self::held::is_negative;
use super::dice::Dice;
use super::encrypted::{self, Private};
use super::flight::Flight;
use super::message::Message;
use super::schedule::Schedule;
use super::slot::{PerQuestion, Questions, Slot};
use crate::base::error::Trouble;
use crate::cache::health::{Health, Standing};
use crate::cache::pending::{Alive, BEAT};
use crate::config::resolv::Options;
use crate::config::settings::Cookies;
use crate::observe::counters::{Count, Counters};
use crate::observe::trace::Trace;
use crate::sys::mem::{NoMemory, TryPush, reserve};
use crate::sys::time::{Instant, LEAP, wait};
use crate::sys::udp::Udp;
use crate::sys::{Fault, calls, probes};
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
    pub cookies: Cookies,
    /// After how long the next server is asked beside one that is not known to be alive; `None`: when that
    /// one's time is over.
    pub hedge: Option<Duration>,
    /// How many times a server is sent to. What resolv.conf has in `attempts` is libc's time; what a program has set in
    /// `_res` is its word on how often.
    pub rounds: u32,
    /// Addresses of the other family are known: what is asked need not be waited for as long.
    pub other_known: bool,
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

impl Trouble {
    /// This, unless the thread was cancelled: then that is what it came of.
    pub(super) fn or_cancelled(self) -> Trouble {
        if calls::is_cancelled() { Trouble::Cancelled } else { self }
    }
}

/// Reads the answer to this question.
pub type Reader<'a> = &'a mut dyn FnMut(Slot, &Message<'_>) -> Result<Verdict, NoMemory>;

/// Asks `questions` and hands each answer to `read`.
///
/// A query that the caller has written stands alone. Its reader sees all that servers answer to it,
/// also what makes us go on to the next one.
///
/// Ends when each has been answered or has failed. Returns [`NoMemory`] only when a list of ours
/// could not grow, or the reader said so.
pub fn exchange(
    terms: &Terms<'_>,
    questions: Questions<'_>,
    read: Reader<'_>,
) -> Result<PerQuestion<Progress>, NoMemory> {
    if let Some(private) = &terms.private {
        return encrypted::exchange(terms, private, questions, read);
    }
    if calls::is_cancelled() {
        return Ok(PerQuestion::both(Progress::Failed(Trouble::Cancelled)));
    }
    let start = Instant::now();
    // Closed: there may be few descriptors left.
    terms.used.map(Cell::take);
    let mut exchange = Exchange {
        terms,
        questions,
        start,
        expected: start,
        leaps: 0,
        partial: None,
        schedule: Schedule::new(terms, start)?,
        speaker: None,
        held: PerQuestion::default(),
        progress: PerQuestion::both(Progress::Open),
        trouble: PerQuestion::both(Trouble::Silent),
        flights: SmallVec::new(),
        datagram: Vec::new(),
        bad_cookies: PerQuestion::default(),
        dice: Dice::new(),
    };
    if terms.other_known {
        exchange.limit_wait(start);
    }
    exchange.run(read)?;
    let now = Instant::now();
    exchange.release_held(now, true, read)?;
    exchange.judge_silence(now);
    for (slot, progress) in exchange.progress.iter_mut() {
        if *progress == Progress::Open {
            *progress = Progress::Failed(exchange.trouble[slot]);
        }
    }
    let is_silent = |slot: &Slot| exchange.progress[*slot] == Progress::Failed(Trouble::Silent);
    let timeouts = questions.slots().filter(is_silent).count();
    terms.counters.add(Count::Timeouts, timeouts);
    Ok(exchange.progress)
}

/// Once one family has addresses the other may take as long again, and this at least: by then its query was
/// sent three or four times. (libc waits for three timeouts: 15 s by default.)
const OTHER_FAMILY: Duration = Duration::from_secs(2);
/// What the second of two answers may come later than it would by itself: on a stream one follows the other.
const A_MOMENT: Duration = Duration::from_millis(250);
/// The same where the server was silent about that family not long ago: as long again as the first took,
/// within these bounds.
const MUTE_FAMILY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(250));
/// Nobody is thought dead for less, whatever the setting `hedge` says.
const LEAST_SILENCE: Duration = Duration::from_millis(10);
/// In octets: what a server sends over UDP that nobody has allowed as much is cut at this, and asked for again over TCP.
const LARGEST_DATAGRAM: usize = 4096;
/// So often a leap of the clock gives a lookup time.
const MAX_LEAPS: u32 = 3;

/// Grace period for a thread whose wait on another's query brought nothing.
pub(super) const LEFT: Duration = Duration::from_millis(250);

struct Exchange<'a> {
    terms: &'a Terms<'a>,
    questions: Questions<'a>,
    /// When it began; later where the clock has leapt.
    start: Instant,
    /// When it was to be awake again at the latest.
    expected: Instant,
    /// How often the clock has leapt.
    leaps: u32,
    /// Until when the other family is waited for, once one is known.
    partial: Option<Instant>,
    schedule: Schedule,
    /// The server whose answer was taken, first: the other family is its matter too.
    speaker: Option<usize>,
    /// Answers that wait for what an earlier server says.
    held: PerQuestion<Option<Held>>,
    progress: PerQuestion<Progress>,
    /// The last trouble that a question met; a server's answer counts before no answer.
    trouble: PerQuestion<Trouble>,
    flights: SmallVec<[Flight; 1]>,
    /// Where datagrams are received.
    datagram: Vec<u8>,
    /// How often each question has met with BADCOOKIE.
    bad_cookies: PerQuestion<u32>,
    dice: Dice,
}

impl Exchange<'_> {
    fn run(&mut self, read: Reader<'_>) -> Result<(), NoMemory> {
        while self.is_open() {
            let now = Instant::now();
            self.look_for_leap(now);
            let until = self.until();
            if now >= until {
                return Ok(());
            }
            if self.release_held(now, false, read)? {
                continue;
            }
            let turn = self.schedule.next_turn(self.terms, now);
            let repetition = self.schedule.next_repetition();
            if turn.is_some_and(|at| at <= now) {
                self.take_turn(now)?;
                continue;
            }
            if let Some((server, _)) = repetition.filter(|(_, at)| *at <= now) {
                self.repeat(server, now)?;
                continue;
            }
            if !self.flights.iter().any(Flight::is_waiting) {
                return Ok(());
            }
            let beat = self.terms.alive.map(|alive| {
                alive.sign(now);
                now.after(BEAT)
            });
            let events = [turn, repetition.map(|(_, at)| at), beat, self.next_release(now)];
            self.expected = events.into_iter().flatten().fold(until, Instant::min);
            self.listen(self.expected, read)?;
        }
        Ok(())
    }

    /// When the time is up.
    fn until(&self) -> Instant {
        let terms = self.terms;
        let whole = self.schedule.budget(terms.options).min(terms.limit);
        let deadline = self.start.after(whole.saturating_sub(terms.waited).max(LEFT.min(whole)));
        self.partial.map_or(deadline, |partial| partial.min(deadline))
    }

    /// Time in which nobody could run is not silence. (A clock that somebody winds on must not give time
    /// without end.)
    fn look_for_leap(&mut self, now: Instant) {
        let late = now.since(self.expected);
        if late > LEAP && self.leaps < MAX_LEAPS {
            self.leaps += 1;
            self.start = self.start.after(late);
            self.partial = self.partial.map(|partial| partial.after(late));
            self.schedule.shift(late, now);
            let millis = late.as_millis() as u64; // of a process's life
            self.terms.trace.decision(format_args!("stopped for {millis} ms, asking once more"));
        }
        self.expected = now;
    }

    /// Addresses of one family are known `now`: from here on the other one is waited for.
    fn limit_wait(&mut self, now: Instant) {
        let questions = self.questions;
        let mut open = self.open().map(|slot| questions[slot].qtype);
        let speaks = |server: &usize| self.speaker.is_none_or(|speaker| speaker == *server);
        let servers = || self.terms.servers.iter().enumerate().filter(|(at, _)| speaks(at));
        let is_mute = |qtype| servers().any(|(_, (_, health))| health.is_mute(now, qtype));
        let took = now.since(self.start);
        let wait = if open.any(is_mute) {
            let (least, most) = MUTE_FAMILY;
            took.clamp(least, most)
        } else {
            (took + A_MOMENT).max(OTHER_FAMILY)
        };
        self.partial.get_or_insert(now.after(wait));
    }

    /// True while a question has neither an answer nor an end.
    fn is_open(&self) -> bool {
        self.open().next().is_some()
    }

    /// The questions that have neither an answer nor an end.
    fn open(&self) -> impl Iterator<Item = Slot> + use<> {
        let progress = self.progress;
        self.questions.slots().filter(move |slot| progress[*slot] == Progress::Open)
    }

    fn has_positive(&self) -> bool {
        self.progress.any(|progress| *progress == Progress::Answered(Verdict::Positive))
    }

    fn is_settled(&self, slot: Slot) -> bool {
        self.progress[slot] != Progress::Open
    }

    /// Waits until something comes or `until`, and reads what has come.
    fn listen(&mut self, until: Instant, read: Reader<'_>) -> Result<(), NoMemory> {
        let mut interests: SmallVec<[_; 8]> = SmallVec::new();
        for flight in &self.flights {
            interests.try_push(flight.interest())?;
        }
        if let Err(fault) = wait(&mut interests, until) {
            // poll(2) itself fails only for want of kernel memory.
            self.trouble = PerQuestion::both(Trouble::Local(fault).or_cancelled());
            self.flights.clear();
            self.schedule.give_up();
            return Ok(());
        }
        for (at, interest) in interests.iter().enumerate() {
            if interest.is_ready() && self.is_open() {
                if self.flights.get(at).is_some_and(Flight::is_tcp) {
                    self.read_stream(at, read)?;
                } else {
                    self.read_datagrams(at, read)?;
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

    fn read_datagrams(&mut self, at: usize, read: Reader<'_>) -> Result<(), NoMemory> {
        // Of its own here and on the heap: what reads the answer is deep in a stack that may be small.
        let mut datagram = core::mem::take(&mut self.datagram);
        if datagram.capacity() < LARGEST_DATAGRAM {
            reserve(&mut datagram, LARGEST_DATAGRAM)?;
        }
        // Bounded, so that a flood can't keep us from looking at the clock.
        for _ in 0..64 {
            let Some(flight) = self.flights.get(at).filter(|f| f.is_waiting()) else { break };
            match flight.receive_datagram(&mut datagram) {
                Ok(cut) => self.consider(at, &datagram, cut, read)?,
                Err(Fault::WouldBlock) => break,
                Err(fault) => return self.land(at, trouble_of(fault)),
            }
        }
        self.datagram = datagram;
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

    /// Servers that were silent to everything for as long as they may be go to the end of the order; and
    /// what one is silent about, that speaks otherwise, is remembered.
    fn judge_silence(&self, now: Instant) {
        let is_answered = |p: &Progress| matches!(p, Progress::Answered(_));
        let other_spoke = self.progress.any(is_answered);
        for turn in self.schedule.turns() {
            let Some((_, health)) = self.terms.servers.get(turn.server) else { continue };
            let awaited = |slot: &Slot| self.awaits(turn.server, *slot);
            let Some(asked) = turn.asked else { continue };
            let mut silent = self.questions.slots().filter(awaited).peekable();
            if silent.peek().is_none() {
                continue;
            }
            let is_known = self.terms.other_known && health.life(now) == Standing::Alive;
            if is_known || turn.has_spoken || health.was_heard(asked) {
                let has_waited = self.partial.is_some_and(|partial| partial <= now);
                let types = silent.map(|slot| self.questions[slot].qtype);
                types.filter(|_| has_waited).for_each(|qtype| health.found_mute(now, qtype));
                continue;
            }
            // Nobody else is there to be asked before it.
            if self.terms.servers.len() < 2 {
                continue;
            }
            let hedged =
                self.terms.hedge.filter(|_| other_spoke && turn.may_be_hedged(health, now));
            let patience =
                hedged.map_or(turn.share, |hedge| hedge.max(LEAST_SILENCE).min(turn.share));
            if now.since(asked) >= patience && health.found_dead(now) {
                self.terms.found_dead(turn.server);
            }
        }
    }

    /// True while a server's answer to this question may still come.
    fn awaits(&self, server: usize, slot: Slot) -> bool {
        self.flights.iter().any(|flight| flight.server == server && flight.awaits(slot))
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
