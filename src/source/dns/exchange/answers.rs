//! What comes back: which question it answers, what it is worth, and what follows from it.

use super::{Exchange, Peer, Progress, Reader};
use crate::base::error::Trouble;
use crate::base::rcode::{self, RcodeName};
use crate::observe::counters::Count;
use crate::source::dns::edns::Edns;
use crate::source::dns::message::Message;
use crate::source::dns::slot::Slot;
use crate::sys::mem::NoMemory;
use crate::sys::time::Instant;
use crate::sys::{Fault, probes};
use core::time::Duration;

/// Messages that answer nothing which one socket takes. An answer comes once, twice where the query was
/// repeated; to try ids on a port that he knows a forger has so many chances in 65,536.
const MAX_STRAYS: u32 = 16;

/// Who takes this long to say that a server can't be reached could as well have said nothing.
const SLOW: Duration = Duration::from_secs(1);

impl Exchange<'_> {
    /// Decides what a message that came on a flight is worth. What doesn't answer a query of that
    /// flight is dropped, and the wait goes on.
    pub(super) fn consider(
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
        let matched = parsed.and_then(|message| flight.question_of(self.questions, &message));
        // What answers nothing, or once more what was answered already, or has another's cookie.
        let open = matched.and_then(|matched| {
            let sent = flight.sent(matched.slot).filter(|sent| !sent.done)?;
            let edns = sent.cookie().zip(parsed.as_ref()).map(|(_, message)| Edns::of(message));
            let returned = match edns.and_then(|edns| edns.cookie).zip(sent.cookie()) {
                Some((data, cookie)) => Some(cookie.returned(data)?),
                None => None,
            };
            Some((matched, *sent, returned, edns.is_some_and(|edns| edns.is_bad_cookie())))
        });
        let (Some(message), Some((matched, sent, returned, is_bad_cookie))) = (parsed, open) else {
            self.terms.trace.packet(format_args!(
                "dropped {} octets from {peer}: no answer to what was asked",
                octets.len()
            ));
            let strays = flight.note_stray();
            return if strays < MAX_STRAYS { Ok(()) } else { self.distrust(at) };
        };
        let slot = matched.slot;
        let asked = &self.questions[slot];
        let now = Instant::now();
        let round_trip = now.since(sent.at);
        health.heard(now, sent.qtype(), round_trip);
        self.schedule.heard(server);
        self.terms.counters.one(Count::Answers);
        // In an hour every exchange has ended.
        let micros = round_trip.as_micros() as u32;
        probes::query_answered(server, message.id(), message.rcode(), micros);
        self.terms.trace.packet(format_args!(
            "answer from {peer} over {}, id {}: {}, {} records, {} octets{}, after {} us",
            flight.transport(),
            message.id(),
            RcodeName(message.rcode()),
            message.answer_count(),
            octets.len(),
            if message.is_truncated() { ", truncated" } else { "" },
            micros,
        ));
        #[cfg(feature = "command")]
        crate::observe::witness::answer(
            ((&asked.name, asked.qtype), *peer, flight.transport(), sent.used_edns()),
            || message.as_heard(None, round_trip),
        );
        flight.finish(slot);
        if self.is_settled(slot) {
            return Ok(());
        }
        if self.terms.random_case && !tcp && !matched.letter_by_letter {
            // Forged, or from a server that doesn't keep the letters' case.
            return self.ask_over_tcp(server, slot, now);
        }
        if let Some(cookie) = sent.cookie() {
            match returned {
                Some(returned) => health.cookies.learn(&returned),
                None if !cookie.has_server() => {}
                // It has given cookies so far.
                None if !tcp => return self.ask_over_tcp(server, slot, now),
                None => health.cookies.forget(),
            }
            if is_bad_cookie && !tcp {
                return self.try_cookie_again(at, slot, now);
            }
        }
        // RFC 6891 sections 6.1.3 and 7. It may be the question's fault: it is not remembered yet.
        if sent.used_edns()
            && (matches!(message.rcode(), rcode::FORMERR | rcode::NOTIMP)
                || Edns::of(&message).is_bad_version())
        {
            return self.send_on(at, slot, false, now);
        }
        let is_written = asked.written.is_some();
        let trouble = trouble_in(&message, is_written, tcp);
        // What is damaged is asked for again as what is cut: a stream brings it as it was sent.
        let is_cut = cut
            || trouble == Some(Trouble::Broken)
            || message.is_truncated() && !self.terms.options.ignore_truncation;
        if !tcp && is_cut && (trouble.is_none() || !is_written) {
            return self.ask_over_tcp(server, slot, now);
        }
        match trouble {
            None if self.must_hold(server, slot, &message, now) => {
                self.hold(server, slot, &message)?;
                self.send_second(at, now)?;
            }
            None => {
                if sent.is_instead_of_edns {
                    health.refuses_edns(now);
                }
                self.accept(server, slot, &message, now, read)?;
                if self.has_positive() {
                    self.give_up_failed(at);
                }
                self.send_second(at, now)?;
            }
            Some(trouble) => {
                if is_written {
                    read(slot, &message)?;
                }
                self.fail(at, slot, trouble);
            }
        }
        self.move_on(at);
        Ok(())
    }

    /// The server has answered BADCOOKIE, and given the one that it wants: that is tried once; then TCP
    /// has to do, which needs none (RFC 7873 section 5.3).
    fn try_cookie_again(&mut self, at: usize, slot: Slot, now: Instant) -> Result<(), NoMemory> {
        let tries = &mut self.bad_cookies[slot];
        *tries += 1;
        if *tries == 1 {
            return self.send_on(at, slot, true, now);
        }
        match self.flights.get(at).map(|flight| flight.server) {
            Some(server) => self.ask_over_tcp(server, slot, now),
            None => Ok(()),
        }
    }

    /// Somebody sends what was not asked for, perhaps to hit an id by chance: the socket is closed. What
    /// was asked over it is asked over TCP, where nobody can answer from outside.
    fn distrust(&mut self, at: usize) -> Result<(), NoMemory> {
        let Some(flight) = self.flights.get_mut(at) else { return Ok(()) };
        let server = flight.server;
        self.terms.trace.packet(format_args!(
            "{}: {MAX_STRAYS} messages over {} that answer nothing",
            Peer(self.terms, server),
            flight.transport(),
        ));
        if flight.is_tcp() {
            return self.land(at, Trouble::Broken);
        }
        let now = Instant::now();
        for slot in self.questions.slots() {
            let Some(flight) = self.flights.get_mut(at) else { return Ok(()) };
            let waits = flight.awaits(slot);
            flight.finish(slot);
            if waits && !self.is_settled(slot) {
                self.ask_over_tcp(server, slot, now)?;
            }
        }
        Ok(())
    }

    /// One good family is enough where the same server had trouble with the other.
    pub(super) fn give_up_failed(&mut self, at: usize) {
        let Some(flight) = self.flights.get(at) else { return };
        for (slot, place) in self.progress.iter_mut() {
            if *place == Progress::Open && flight.has_failed(slot) {
                *place = Progress::Failed(self.trouble[slot]);
            }
        }
    }

    /// A server has answered a question with trouble. It has had its chance once it has answered
    /// all that it was asked.
    pub(super) fn fail(&mut self, at: usize, slot: Slot, trouble: Trouble) {
        self.trouble[slot] = trouble;
        if let Some(flight) = self.flights.get_mut(at) {
            flight.fail(slot);
        }
        if self.has_positive() {
            self.progress[slot] = Progress::Failed(trouble);
        }
    }

    /// Moves on to the next server when this flight has brought all it will, and too little, and no other
    /// one may bring the rest.
    pub(super) fn move_on(&mut self, at: usize) {
        let Some(flight) = self.flights.get(at).filter(|flight| !flight.is_waiting()) else {
            return;
        };
        let (server, failures) = (flight.server, flight.failures());
        let failed = |slot: &Slot| flight.has_failed(*slot);
        let Some(slot) = self.open().find(failed) else { return };
        let rest = self.open().find(|slot| !failed(slot));
        let mut rest_may_come = false;
        for other in self.flights.iter_mut().filter(|other| other.server == server) {
            other.add_failures(failures);
            rest_may_come |= rest.is_some_and(|rest| other.awaits(rest));
        }
        if !rest_may_come {
            self.strike(server, self.trouble[slot]);
        }
    }

    /// Nothing more comes on this flight.
    pub(super) fn land(&mut self, at: usize, trouble: Trouble) -> Result<(), NoMemory> {
        let Some(flight) = self.flights.get_mut(at) else { return Ok(()) };
        let server = flight.server;
        self.questions.slots().for_each(|slot| flight.finish(slot));
        self.strike(server, trouble);
        Ok(())
    }

    /// A server has failed outright: the next one's turn is now.
    pub(super) fn strike(&mut self, server: usize, trouble: Trouble) {
        let now = Instant::now();
        self.terms.trace.packet(format_args!("{}: {trouble}", Peer(self.terms, server)));
        let others_wait = self.flights.iter().any(|f| f.server != server && f.is_waiting());
        self.schedule.strike(server, others_wait);
        // That somebody can't be reached costs microseconds to find out anew, and is no reason to ask another
        // one first. Where it took long, as on the own link, it is silence.
        if trouble == Trouble::Unreachable
            && let Some((_, health)) = self.terms.servers.get(server)
            && self.was_slow(server, now)
            && health.found_dead(now)
        {
            self.terms.found_dead(server);
        }
        for (slot, place) in self.trouble.iter_mut() {
            // As in libc: what a server has said is not forgotten for one that can't be reached.
            if self.progress[slot] == Progress::Open && !matches!(place, Trouble::Rcode(_)) {
                *place = trouble;
            }
        }
    }

    /// True where a server has said nothing for a second or more.
    fn was_slow(&self, server: usize, now: Instant) -> bool {
        let asked = self.schedule.of(server).and_then(|(_, turn)| turn.asked);
        asked.is_some_and(|asked| now.since(asked) >= SLOW) && self.terms.servers.len() > 1
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
pub(in crate::source::dns) fn trouble_in(
    message: &Message<'_>,
    is_written: bool,
    tcp: bool,
) -> Option<Trouble> {
    if !is_written && let Some(extended) = Edns::of(message).extended_rcode() {
        return Some(Trouble::Rcode(extended));
    }
    match message.rcode() {
        _ if is_written && tcp => None,
        rcode::NOERROR if is_lame(message) => Some(Trouble::Lame),
        rcode::NOERROR | rcode::NXDOMAIN => {
            // One that says that it is cut has been taken as it is (`RES_IGNTC`).
            let damaged = !is_written && !message.is_truncated() && !message.is_whole();
            damaged.then_some(Trouble::Broken)
        }
        other @ (rcode::SERVFAIL | rcode::NOTIMP | rcode::REFUSED) => Some(Trouble::Rcode(other)),
        other => (!is_written).then_some(Trouble::Rcode(other)),
    }
}

pub(super) fn trouble_of(fault: Fault) -> Trouble {
    match fault {
        Fault::Refused | Fault::Unreachable => Trouble::Unreachable,
        Fault::WouldBlock => Trouble::Silent,
        Fault::Exhausted(_) | Fault::Missing => Trouble::Local(fault),
        // What a connection dies of (ECONNRESET, ETIMEDOUT, EPIPE, EPERM from a filter): the next server.
        Fault::Other(_) => Trouble::Broken,
    }
}
