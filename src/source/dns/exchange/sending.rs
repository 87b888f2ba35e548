//! Sending: whose turn it is, on which sockets, and what goes out.

use super::answers::trouble_of;
use super::{Exchange, Peer};
use crate::base::error::Trouble;
use crate::base::record_type::TypeName;
use crate::config::settings::Cookies;
use crate::observe::counters::Count;
use crate::source::dns::flight::Flight;
use crate::source::dns::message::QueryForm;
use crate::source::dns::slot::Slot;
use crate::source::dns::stream::SendError;
use crate::sys::mem::{NoMemory, TryPush};
use crate::sys::time::Instant;
use crate::sys::{Fault, probes};
use core::time::Duration;

impl Exchange<'_> {
    /// The next server's turn begins; it is sent what is open, unless it was sent that already.
    pub(super) fn take_turn(&mut self, now: Instant) -> Result<(), NoMemory> {
        // Who waits elsewhere for the one that was silent so long need not wait longer.
        self.judge_silence(now);
        let attempts = self.terms.options.attempts.max(1);
        match self.schedule.advance(attempts, now) {
            Some(server) if !self.is_waiting_for(server) => self.send_next_round(server, now),
            _ => Ok(()),
        }
    }

    /// A server was silent for a while: it is sent to once more what it has not answered.
    pub(super) fn repeat(&mut self, server: usize, now: Instant) -> Result<(), NoMemory> {
        if self.is_waiting_for(server) {
            return self.send_next_round(server, now);
        }
        self.schedule.is_content(server);
        Ok(())
    }

    fn send_next_round(&mut self, server: usize, now: Instant) -> Result<(), NoMemory> {
        let round = self.schedule.send(server, self.round_trip(server), now);
        self.send_round(server, round as usize, now)
    }

    fn round_trip(&self, server: usize) -> Option<Duration> {
        self.terms.servers.get(server).and_then(|(_, health)| health.round_trip())
    }

    /// True while a server's answer to something that is open may come.
    pub(super) fn is_waiting_for(&self, server: usize) -> bool {
        self.open().any(|slot| self.awaits(server, slot))
    }

    /// Sends the open questions to `server`. In its first round they share a socket; in its second
    /// each gets a fresh one (a NAT may have dropped one of two datagrams from one port); in later
    /// ones those sockets send again.
    pub(super) fn send_round(
        &mut self,
        server: usize,
        round: usize,
        now: Instant,
    ) -> Result<(), NoMemory> {
        let separate = round > 0;
        if round > 1 && self.send_again(server, now)? {
            return Ok(());
        }
        let mut shared: Option<usize> = None;
        for slot in self.questions.slots() {
            // A stream delivers, or breaks: what waits on one is not asked again.
            if self.is_settled(slot) || separate && self.has_stream(server, slot) {
                continue;
            }
            let flight = match shared {
                Some(flight) => flight,
                None => match self.open_flight(server, self.wants_tcp(slot), separate)? {
                    Some(flight) => flight,
                    None => return Ok(()),
                },
            };
            // Silence may be EDNS's fault (a firewall that drops what it doesn't know), unless the server
            // has answered with EDNS before.
            let edns = self.wants_edns(server) && (!separate || self.knows_cookies(server));
            self.send_on(flight, slot, edns, now)?;
            if !separate || self.wants_tcp(slot) {
                shared = Some(flight);
            }
            if self.one_at_a_time() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn has_stream(&self, server: usize, slot: Slot) -> bool {
        let mut streams = self.flights.iter().filter(|flight| flight.is_tcp());
        streams.any(|flight| flight.server == server && flight.awaits(slot))
    }

    /// `single-request` and `single-request-reopen`: the second question waits for the first's answer.
    pub(super) fn one_at_a_time(&self) -> bool {
        self.terms.options.single_request || self.terms.options.single_request_reopen
    }

    pub(super) fn wants_tcp(&self, slot: Slot) -> bool {
        self.terms.options.use_vc || self.questions[slot].is_long()
    }

    pub(super) fn wants_edns(&self, server: usize) -> bool {
        let options = self.terms.options;
        (options.edns0 || options.dnssec || self.terms.cookies == Cookies::On)
            && self
                .terms
                .servers
                .get(server)
                .is_some_and(|(_, health)| health.takes_edns(Instant::now()))
    }

    /// True for a server that has given us its cookie.
    fn knows_cookies(&self, server: usize) -> bool {
        self.terms.cookies != Cookies::Off
            && self.terms.servers.get(server).is_some_and(|(_, health)| health.cookies.has_server())
    }

    /// Opens a socket to `server`; `None` (and a strike) where that fails. Unless it is `plain`, the
    /// socket that brings addresses of both families can be used with both, to put them in order: to make
    /// another one costs more than all else about that. A repetition is plain, whatever the first met with.
    pub(super) fn open_flight(
        &mut self,
        server: usize,
        tcp: bool,
        plain: bool,
    ) -> Result<Option<usize>, NoMemory> {
        let Some((peer, _)) = self.terms.servers.get(server) else { return Ok(None) };
        let both = !plain && self.questions.count() > 1 && self.terms.used.is_some();
        let flight = if tcp { Flight::tcp(server, peer) } else { Flight::udp(server, peer, both) };
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

    pub(super) fn send_on(
        &mut self,
        flight: usize,
        slot: Slot,
        edns: bool,
        now: Instant,
    ) -> Result<(), NoMemory> {
        let asked = &self.questions[slot];
        let Some(flight_ref) = self.flights.get_mut(flight) else { return Ok(()) };
        let id = match asked.written {
            Some(written) => Some(written.id()),
            None => self.dice.id(|id| !flight_ref.uses_id(id)),
        };
        let Some(id) = id else {
            // Without unpredictable ids the DNS can't be asked safely.
            return self.land(flight, Trouble::Local(Fault::Other(Fault::WouldBlock.errno())));
        };
        let edns = edns && asked.written.is_none();
        let health = self.terms.servers.get(flight_ref.server).map(|(_, health)| health);
        let cookie = match (self.terms.cookies, health) {
            (Cookies::Auto | Cookies::On, Some(health)) if edns => flight_ref
                .own_address()
                .and_then(|own| health.cookies.cookie(own, || self.dice.cookie())),
            _ => None,
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
            edns,
            dnssec: self.terms.options.dnssec,
            cookie,
        };
        let server = flight_ref.server;
        self.terms.trace.packet(format_args!(
            "query {} {} to {} over {}, id {id}{}",
            name,
            TypeName(asked.qtype),
            Peer(self.terms, server),
            flight_ref.transport(),
            match (form.edns, form.cookie) {
                (false, _) => "",
                (true, None) => ", EDNS",
                (true, Some(cookie)) if cookie.has_server() => ", EDNS, both cookies",
                (true, Some(_)) => ", EDNS, cookie",
            },
        ));
        #[cfg(feature = "command")]
        if let Some((peer, _)) = self.terms.servers.get(server) {
            let named = (&asked.name, asked.qtype);
            crate::observe::witness::query(named, *peer, flight_ref.transport(), edns);
        }
        probes::query_sent(name.wire(), asked.qtype, server, flight_ref.is_tcp(), id);
        let sent = flight_ref.send(slot, asked.written, name, form, now);
        self.check(flight, sent)
    }

    /// Sends the open questions again, each on the latest of its sockets; false where there is none.
    pub(super) fn send_again(&mut self, server: usize, now: Instant) -> Result<bool, NoMemory> {
        let mut sent_any = false;
        for slot in self.questions.slots() {
            if self.is_settled(slot) {
                continue;
            }
            let waits = |flight: &Flight| {
                let sent = flight.sent(slot).filter(|sent| !sent.done && !sent.used_edns());
                flight.server == server && sent.is_some()
            };
            let Some(at) = self.flights.iter().rposition(waits) else { continue };
            sent_any = true;
            let Some(flight) = self.flights.get_mut(at).filter(|flight| !flight.is_tcp()) else {
                continue; // a stream delivers, or breaks
            };
            self.terms
                .trace
                .packet(format_args!("query again to {} over udp", Peer(self.terms, server)));
            let sent = flight.send_again(slot, self.questions[slot].written, now);
            self.check(at, sent)?;
        }
        Ok(sent_any)
    }

    pub(super) fn check(
        &mut self,
        flight: usize,
        sent: Result<(), SendError>,
    ) -> Result<(), NoMemory> {
        match sent {
            Ok(()) => {
                let tcp = self.flights.get(flight).is_some_and(Flight::is_tcp);
                self.terms.counters.one(if tcp { Count::Tcp } else { Count::Udp });
                Ok(())
            }
            Err(SendError::NoMemory) => Err(NoMemory),
            Err(SendError::Fault(fault)) => self.land(flight, trouble_of(fault)),
            Err(SendError::Closed) => self.land(flight, Trouble::Broken),
        }
    }

    /// With one question at a time: the second follows once the first is answered.
    pub(super) fn send_second(&mut self, at: usize, now: Instant) -> Result<(), NoMemory> {
        let Some(flight) = self.flights.get(at).filter(|_| self.one_at_a_time()) else {
            return Ok(());
        };
        let next = self.open().find(|slot| !self.is_held_of(flight.server, *slot));
        let Some(slot) = next else { return Ok(()) };
        if flight.sent(slot).is_some() {
            return Ok(());
        }
        let (server, tcp) = (flight.server, flight.is_tcp());
        let at = if self.terms.options.single_request_reopen {
            self.open_flight(server, tcp, true)?
        } else {
            Some(at)
        };
        match at {
            Some(at) => self.send_on(at, slot, self.wants_edns(server), now),
            None => Ok(()),
        }
    }

    pub(super) fn ask_over_tcp(
        &mut self,
        server: usize,
        slot: Slot,
        now: Instant,
    ) -> Result<(), NoMemory> {
        let Some(at) = self.open_flight(server, true, true)? else { return Ok(()) };
        self.schedule.put_off(server, self.round_trip(server), now);
        self.send_on(at, slot, self.wants_edns(server), now)
    }
}
