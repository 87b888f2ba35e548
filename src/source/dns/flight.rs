//! One socket on its way to one name server, with the queries that were sent on it.

use super::message::{CLASS_IN, MAX_QUERY, Message, QueryForm, write_query};
use super::slot::{PerQuestion, Questions, Slot};
use super::stream::{SendError, Stream};
use crate::base::name::Name;
use crate::base::rcode::{NOERROR, NXDOMAIN};
use crate::cache::cookie::Cookie;
use crate::sys::Fault;
use crate::sys::mem::append;
use crate::sys::socket::Socket;
use crate::sys::time::{Instant, Interest};
use crate::sys::udp::{Peers, Udp};
use core::net::{IpAddr, SocketAddr};

/// At most two questions are asked at once: A and AAAA of one name.
pub const MAX_QUESTIONS: usize = 2;

/// A question put to the DNS.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The name.
    pub name: Name,
    /// The record type.
    pub qtype: u16,
    /// The class.
    pub class: u16,
    /// The whole message to send, where the caller has written it himself.
    pub written: Option<Written<'a>>,
}

/// A query that a caller has written: it is sent as it is, to every server.
#[derive(Clone, Copy, Debug)]
pub struct Written<'a> {
    octets: &'a [u8],
    id: u16,
    is_update: bool,
    questions: u16,
}

/// The opcode of dynamic updates (RFC 2136).
const UPDATE: u8 = 5;
/// Longer queries go over TCP (RFC 1035 section 4.2.1).
const MAX_WRITTEN_UDP: usize = 512;

impl<'a> Question<'a> {
    /// A question for the Internet class.
    pub fn new(name: Name, qtype: u16) -> Question<'a> {
        Question { name, qtype, class: CLASS_IN, written: None }
    }

    /// The record type asked for.
    pub fn qtype(&self) -> u16 {
        self.qtype
    }

    /// The question in a message that the caller has written; `None` where the message is cut or
    /// malformed, or longer than TCP's length prefix can say.
    pub fn of_written(octets: &'a [u8]) -> Option<Question<'a>> {
        let message = Message::parse(octets).filter(|_| octets.len() <= usize::from(u16::MAX))?;
        let questions = message.question_count();
        let (name, qtype, class) = match questions {
            0 => (Name::ROOT, 0, 0),
            _ => message.question().map(|asked| (asked.name, asked.qtype, asked.class))?,
        };
        let is_update = message.opcode() == UPDATE;
        let written = Written { octets, id: message.id(), is_update, questions };
        Some(Question { name, qtype, class, written: Some(written) })
    }

    /// True where the query is too long for UDP.
    pub(super) fn is_long(&self) -> bool {
        self.written.is_some_and(|written| written.octets.len() > MAX_WRITTEN_UDP)
    }
}

impl<'a> Written<'a> {
    pub(super) fn id(&self) -> u16 {
        self.id
    }

    /// The whole message.
    pub(super) fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// True where `message` has as many questions. The answer to an update need not repeat its zone
    /// (RFC 2136 section 3.8), nor that to a query that can't be read. The opcode is not looked at: some
    /// servers answer NOTIFY as a query.
    fn is_answered_by(&self, message: &Message<'_>) -> bool {
        let count = message.question_count();
        let unread = !matches!(message.rcode(), NOERROR | NXDOMAIN);
        count == self.questions || count == 0 && (self.is_update || unread)
    }
}

/// A query that was sent.
#[derive(Clone, Copy)]
pub(super) struct Sent {
    form: QueryForm,
    /// The name as sent: its letters' case may have been made random.
    name: Name,
    /// When it was first sent. Which sending an answer is for can't be told: measured from a later one, a
    /// slow server would look fast (Karn's algorithm, RFC 6298 section 3).
    pub(super) at: Instant,
    /// It stands in for one with EDNS, which the server has refused.
    pub(super) is_instead_of_edns: bool,
    /// An answer for it has come, good or bad.
    pub(super) done: bool,
}

impl Sent {
    pub(super) fn used_edns(&self) -> bool {
        self.form.edns
    }

    pub(super) fn qtype(&self) -> u16 {
        self.form.qtype
    }

    pub(super) fn cookie(&self) -> Option<&Cookie> {
        self.form.cookie.as_ref()
    }
}

/// A socket and its queries.
pub(super) struct Flight {
    /// Index of the server.
    pub(super) server: usize,
    socket: Socket,
    /// The peers that a socket of datagrams can have.
    peers: Option<Peers>,
    stream: Option<Stream>,
    sent: PerQuestion<Option<Sent>>,
    /// Which of the questions the server has answered with trouble, on this socket or on another one
    /// that has landed.
    failed: PerQuestion<bool>,
    /// Messages that came and answered nothing that was asked here.
    strays: u32,
}

/// A message's question, and how well it matches.
#[derive(Clone, Copy)]
pub(super) struct Matched {
    /// Which question.
    pub(super) slot: Slot,
    /// The name is repeated letter by letter as it was sent.
    pub(super) letter_by_letter: bool,
}

impl Flight {
    /// Its socket can have peers of `both` families afterwards, where that is wanted and possible.
    pub(super) fn udp(server: usize, peer: &SocketAddr, both: bool) -> Result<Flight, Fault> {
        let udp = if both { Udp::connected_of_both(peer) } else { Udp::connected(peer) }?;
        let Udp { socket, peers, .. } = udp;
        Ok(Flight::of(server, socket, Some(peers), None))
    }

    /// The socket, for other uses; `None` where it is a stream's, or somebody sends to it.
    pub(super) fn into_udp(self) -> Option<Udp> {
        let peers = self.peers.filter(|_| self.strays == 0)?;
        Some(Udp::of_connected(self.socket, peers))
    }

    pub(super) fn tcp(server: usize, peer: &SocketAddr) -> Result<Flight, Fault> {
        Ok(Flight::of(server, Socket::tcp(peer)?, None, Some(Stream::default())))
    }

    fn of(server: usize, socket: Socket, peers: Option<Peers>, stream: Option<Stream>) -> Flight {
        let (sent, failed) = (PerQuestion::default(), PerQuestion::default());
        Flight { server, socket, peers, stream, sent, failed, strays: 0 }
    }

    pub(super) fn is_tcp(&self) -> bool {
        self.stream.is_some()
    }

    pub(super) fn transport(&self) -> &'static str {
        if self.is_tcp() { "tcp" } else { "udp" }
    }

    /// What to wait for on the socket.
    pub(super) fn interest(&self) -> Interest {
        let writing = self.stream.as_ref().is_some_and(|s| !s.connected || !s.unsent.is_empty());
        Interest::new(&self.socket, writing)
    }

    /// The query for a question, if it was sent here.
    pub(super) fn sent(&self, slot: Slot) -> Option<&Sent> {
        self.sent[slot].as_ref()
    }

    pub(super) fn finish(&mut self, slot: Slot) {
        if let Some(sent) = &mut self.sent[slot] {
            sent.done = true;
        }
    }

    /// The server has answered this question's query with trouble.
    pub(super) fn fail(&mut self, slot: Slot) {
        self.finish(slot);
        self.failed[slot] = true;
    }

    pub(super) fn has_failed(&self, slot: Slot) -> bool {
        self.failed[slot]
    }

    /// Which of the questions the server has answered with trouble.
    pub(super) fn failures(&self) -> PerQuestion<bool> {
        self.failed
    }

    /// Takes note of what the server has answered with trouble on another socket.
    pub(super) fn add_failures(&mut self, others: PerQuestion<bool>) {
        for (slot, failed) in self.failed.iter_mut() {
            *failed |= others[slot];
        }
    }

    /// Notes a message that answers nothing that was asked here; how many they are by now.
    pub(super) fn note_stray(&mut self) -> u32 {
        self.strays += 1;
        self.strays
    }

    /// True while an answer may still come.
    pub(super) fn is_waiting(&self) -> bool {
        self.sent.any(|sent| sent.is_some_and(|sent| !sent.done))
    }

    /// True while an answer to this question may still come.
    pub(super) fn awaits(&self, slot: Slot) -> bool {
        self.sent(slot).is_some_and(|sent| !sent.done)
    }

    /// Sends the query for a question; over TCP as soon as the connection takes it. `written` is the
    /// query where the caller has written it; else it is made from `name` and `form`.
    pub(super) fn send(
        &mut self,
        slot: Slot,
        written: Option<Written<'_>>,
        name: Name,
        form: QueryForm,
        now: Instant,
    ) -> Result<(), SendError> {
        let mut room = [0; MAX_QUERY];
        let query = match written {
            Some(written) => written.octets,
            None => {
                let len = write_query(&name, form, &mut room);
                room.get(..len).unwrap_or_default()
            }
        };
        match &mut self.stream {
            Some(stream) => {
                // The length fits: MAX_QUERY is below 2^16, and longer ones are not taken up.
                append(&mut stream.unsent, &(query.len() as u16).to_be_bytes())?;
                append(&mut stream.unsent, query)?;
                if stream.connected {
                    stream.write(&self.socket)?;
                }
            }
            None => match self.socket.send(query) {
                Ok(_) => {}
                // An ICMP error for an earlier datagram is reported on this one, which then was
                // not sent: once more.
                Err(Fault::Refused) => drop(self.socket.send(query)?),
                // No room in the socket's buffer is a datagram lost: a retransmission follows.
                Err(Fault::WouldBlock) => {}
                Err(fault) => return Err(fault.into()),
            },
        }
        let before = self.sent[slot];
        let earlier = before.filter(|sent| !sent.done && sent.form.id == form.id);
        let at = earlier.map_or(now, |sent| sent.at);
        let is_instead_of_edns = earlier.is_some_and(|sent| sent.is_instead_of_edns)
            || before.is_some_and(|sent| sent.done && sent.form.edns && !form.edns);
        self.sent[slot] = Some(Sent { form, name, at, is_instead_of_edns, done: false });
        self.failed[slot] = false;
        Ok(())
    }

    /// Sends a question's query again, the same octets from the same port.
    pub(super) fn send_again(
        &mut self,
        slot: Slot,
        written: Option<Written<'_>>,
        now: Instant,
    ) -> Result<(), SendError> {
        match self.sent(slot).filter(|sent| !sent.done) {
            Some(&Sent { form, name, .. }) => self.send(slot, written, name, form, now),
            None => Ok(()),
        }
    }

    /// The question that a message answers: id, name, type and class must be those of a query sent
    /// from here (RFC 5452 section 9.1); the socket has seen to address and port.
    pub(super) fn question_of(
        &self,
        questions: Questions<'_>,
        message: &Message<'_>,
    ) -> Option<Matched> {
        // Who writes queries asks one at a time.
        let written = questions[Slot::First].written;
        if let Some(written) = written {
            if !written.is_answered_by(message) {
                return None;
            }
        } else if message.opcode() != 0 || message.question_count() > 1 {
            return None;
        }
        let asked = match message.question_count() {
            // A server that can't read a query may leave its question out.
            0 if written.is_some() => None,
            0 if !matches!(message.rcode(), NOERROR | NXDOMAIN) => None,
            0 => return None,
            _ => Some(message.question()?),
        };
        let matches = |sent: &Sent| {
            sent.form.id == message.id()
                && asked.as_ref().is_none_or(|asked| {
                    asked.qtype == sent.form.qtype
                        && asked.class == sent.form.class
                        && asked.name.is(&sent.name)
                })
        };
        let mut sent = self.sent.iter().filter_map(|(slot, sent)| Some((slot, sent.as_ref()?)));
        let (slot, sent) = sent.find(|(_, sent)| matches(sent))?;
        let letter_by_letter = asked.is_some_and(|asked| asked.name.wire() == sent.name.wire());
        Some(Matched { slot, letter_by_letter })
    }

    /// True where a query waits under this id already: the ids of one socket must differ.
    pub(super) fn uses_id(&self, id: u16) -> bool {
        self.sent.any(|sent| sent.is_some_and(|sent| sent.form.id == id))
    }

    /// The address that it is sent from.
    pub(super) fn own_address(&self) -> Option<IpAddr> {
        self.socket.local_address().ok().map(|own| own.to_canonical())
    }

    /// The next datagram, in place of what `room` holds, which does not grow; whether its end was cut off.
    pub(super) fn receive_datagram(&self, room: &mut Vec<u8>) -> Result<bool, Fault> {
        self.socket.receive_into(room)
    }

    /// Takes the stream as far as it goes now: connects, writes, reads. An answer once it is whole.
    pub(super) fn advance_stream(&mut self) -> Result<Option<Vec<u8>>, SendError> {
        let Some(stream) = &mut self.stream else { return Ok(None) };
        if !stream.connected {
            self.socket.connection_error()?;
            stream.connected = true;
        }
        stream.write(&self.socket)?;
        stream.read(&self.socket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;
    use std::net::UdpSocket;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a numeric address")]
    fn a_query_is_as_old_as_its_first_sending() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut flight = Flight::udp(0, &server.local_addr().unwrap(), false).unwrap();
        let name = Name::from_text(b"a.test").unwrap();
        let form = |id, edns| QueryForm {
            id,
            qtype: 1,
            class: CLASS_IN,
            recursion: true,
            ad: false,
            edns,
            dnssec: false,
            cookie: None,
        };
        let start = Instant::now();
        let at = |millis| start.after(Duration::from_millis(millis));
        flight.send(Slot::First, None, name, form(1, true), at(0)).ok().unwrap();
        flight.send_again(Slot::First, None, at(250)).ok().unwrap();
        let sent = |flight: &Flight| {
            let sent = flight.sent(Slot::First).unwrap();
            (sent.at, sent.is_instead_of_edns)
        };
        assert_eq!(sent(&flight), (at(0), false));
        // Refused with EDNS, and asked again without.
        flight.finish(Slot::First);
        flight.send(Slot::First, None, name, form(2, false), at(300)).ok().unwrap();
        flight.send_again(Slot::First, None, at(600)).ok().unwrap();
        assert_eq!(sent(&flight), (at(300), true));
    }
}
