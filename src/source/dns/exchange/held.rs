//! Answers that are held back: a later server's "no" counts only when no earlier one has anything to say.
//! Servers may have different views, and a name that one of them doesn't know may be another's.

use super::{Exchange, Peer, Progress, Reader, Verdict};
use crate::base::rcode;
use crate::source::dns::flight::Question;
use crate::source::dns::message::Message;
use crate::source::dns::slot::Slot;
use crate::sys::mem::{NoMemory, append};
use crate::sys::time::Instant;

/// An answer that waits.
pub(super) struct Held {
    /// Who gave it.
    server: usize,
    octets: Vec<u8>,
    over_tcp: bool,
}

/// The record type that stands for all (RFC 1035 section 3.2.3).
const ANY: u16 = 255;

/// True where an answer has none of the records asked for.
pub(in crate::source::dns) fn is_negative(asked: &Question<'_>, message: &Message<'_>) -> bool {
    let fits = |found: u16| found == asked.qtype || asked.qtype == ANY;
    message.rcode() != rcode::NOERROR || !message.answers().any(|record| fits(record.record_type))
}

impl Exchange<'_> {
    /// True for an answer that counts only if another server stays silent: a "no" of one behind others that
    /// may still speak; and anything but from the server whose answer for the other family was taken, as long as that
    /// one may speak, since two servers' views don't mix.
    pub(super) fn must_hold(
        &self,
        server: usize,
        slot: Slot,
        message: &Message<'_>,
        now: Instant,
    ) -> bool {
        let is_negative = self.is_negative(slot, message);
        self.waits_for_others(server, slot, is_negative, now).is_some()
    }

    /// Until when an answer of `server` has to wait for those of others; `None`: it counts now.
    fn waits_for_others(
        &self,
        server: usize,
        slot: Slot,
        is_negative: bool,
        now: Instant,
    ) -> Option<Instant> {
        if self.terms.servers.len() < 2 {
            return None;
        }
        let (place, _) = self.schedule.of(server)?;
        let turns = self.schedule.turns().iter().enumerate();
        let before = turns.filter(|(at, turn)| match self.speaker {
            Some(speaker) => speaker == turn.server && speaker != server,
            None => is_negative && *at < place,
        });
        before
            .filter(|(_, turn)| self.may_answer(turn.server, slot))
            .filter_map(|(_, turn)| {
                let (_, health) = self.terms.servers.get(turn.server)?;
                turn.has_its_say_until(health, now)
            })
            .filter(|until| *until > now)
            .max()
    }

    /// True while a server may answer this question: it was asked, or will be when it has answered the other.
    fn may_answer(&self, server: usize, slot: Slot) -> bool {
        self.awaits(server, slot) || self.one_at_a_time() && self.is_waiting_for(server)
    }

    /// As [`is_negative`]: to be known before the answer is read, which has effects.
    fn is_negative(&self, slot: Slot, message: &Message<'_>) -> bool {
        is_negative(&self.questions[slot], message)
    }

    /// True where this server's answer to the question waits.
    pub(super) fn is_held_of(&self, server: usize, slot: Slot) -> bool {
        self.held[slot].as_ref().is_some_and(|held| held.server == server)
    }

    /// Keeps an answer until it counts. The first server's in the order stays.
    pub(super) fn hold(
        &mut self,
        server: usize,
        slot: Slot,
        message: &Message<'_>,
    ) -> Result<(), NoMemory> {
        let place = |server| self.schedule.of(server).map(|(place, _)| place);
        if self.held[slot].as_ref().is_some_and(|held| place(held.server) < place(server)) {
            return Ok(());
        }
        let mut octets = Vec::new();
        append(&mut octets, message.octets())?;
        self.terms.trace.packet(format_args!(
            "{} says no: held back while a server before it may answer",
            Peer(self.terms, server)
        ));
        self.held[slot] = Some(Held { server, octets, over_tcp: message.came_over_tcp() });
        Ok(())
    }

    /// Takes the answers that need wait no longer; where it `is_the_end` all that were held. True where there
    /// was one.
    pub(super) fn release_held(
        &mut self,
        now: Instant,
        is_the_end: bool,
        read: Reader<'_>,
    ) -> Result<bool, NoMemory> {
        let mut has_released = false;
        for slot in self.questions.slots() {
            let Some(held) = self.held[slot].take() else { continue };
            let Some(message) = Message::parse(&held.octets) else { continue };
            let server = held.server;
            // In the end only an answer beside another server's counts no more: that one stays alone.
            let counts_now = is_the_end && self.speaker.is_none();
            if !counts_now && self.must_hold(server, slot, &message, now) {
                self.held[slot] = Some(held);
                continue;
            }
            if !self.is_settled(slot) {
                let message = message.over_tcp(held.over_tcp);
                self.accept(server, slot, &message, now, read)?;
                has_released = true;
            }
        }
        Ok(has_released)
    }

    /// When an answer that is held need wait no longer.
    pub(super) fn next_release(&self, now: Instant) -> Option<Instant> {
        let held = self.held.iter();
        held.filter_map(|(slot, held)| {
            let held = held.as_ref()?;
            let message = Message::parse(&held.octets)?;
            let is_negative = self.is_negative(slot, &message);
            self.waits_for_others(held.server, slot, is_negative, now)
        })
        .min()
    }

    /// Takes an answer: it counts.
    pub(super) fn accept(
        &mut self,
        server: usize,
        slot: Slot,
        message: &Message<'_>,
        now: Instant,
        read: Reader<'_>,
    ) -> Result<(), NoMemory> {
        let verdict = read(slot, message)?;
        self.progress[slot] = Progress::Answered(verdict);
        self.speaker.get_or_insert(server);
        if verdict == Verdict::Positive {
            self.limit_wait(now);
        }
        Ok(())
    }
}
