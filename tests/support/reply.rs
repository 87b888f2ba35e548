//! What a scripted server answers: right, wrong, late, in pieces, or not at all.

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use super::dns::{Question, Transport};
use super::wire::{COOKIE, Record, Writer, rcode, rtype};

/// The payload of a datagram without EDNS (RFC 1035 section 4.2.1).
const CLASSIC_PAYLOAD: usize = 512;

/// A list of steps, usually one. The methods that change a reply change each step it has so far.
#[derive(Clone, Debug)]
pub struct Reply {
    steps: Vec<Step>,
}

/// One message of a reply, or the end of the connection.
#[derive(Clone, Debug)]
pub struct Step {
    body: Body,
    /// Waited for before this step.
    pub(super) delay: Duration,
    /// Closes the TCP connection instead of sending.
    pub(super) close: bool,
    answers: Vec<Record>,
    authority: Vec<Record>,
    additional: Vec<Record>,
    rcode: u8,
    truncated: bool,
    authentic: bool,
    recursion_available: bool,
    authoritative: bool,
    id_change: u16,
    question: Option<(String, u16, u16)>,
    no_question: bool,
    not_a_response: bool,
    opcode: u8,
    edns: bool,
    options: Vec<(u16, Vec<u8>)>,
    whole: bool,
    compress: bool,
    cut: Option<usize>,
    elsewhere: Option<Elsewhere>,
    /// Where it is sent, if not to who has asked.
    pub(super) to: Option<SocketAddr>,
    segment: Option<usize>,
    length_error: i32,
    /// Over TCP, no more octets than this, length and all.
    cut_stream: Option<usize>,
    unprefixed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Body {
    Message,
    Raw(Vec<u8>),
    Nothing,
}

#[derive(Clone, Copy, Debug)]
enum Elsewhere {
    Port,
    Address(IpAddr),
}

impl Reply {
    /// NOERROR without a record; what the other constructors start from.
    pub fn empty() -> Reply {
        Reply::of(Body::Message)
    }

    /// NOERROR with these records as the answer.
    pub fn records(records: impl IntoIterator<Item = Record>) -> Reply {
        Reply::empty().answers(records)
    }

    /// One address of the family that is asked for: 192.0.2.1 or 2001:db8::1.
    pub fn address(q: &Question) -> Reply {
        let address = if q.qtype == rtype::AAAA { "2001:db8::1" } else { "192.0.2.1" };
        Reply::records([Record::address(&q.name, address)])
    }

    /// NXDOMAIN; with [`Reply::soa`] one that may be cached.
    pub fn nxdomain() -> Reply {
        Reply::rcode(rcode::NXDOMAIN)
    }

    /// The name exists, the type doesn't; with [`Reply::soa`] an answer that may be cached.
    pub fn nodata() -> Reply {
        Reply::empty()
    }

    /// A response code and nothing else; see [`rcode`].
    pub fn rcode(rcode: u8) -> Reply {
        Reply::empty().each(|step| step.rcode = rcode)
    }

    /// Says nothing; over TCP the connection stays open.
    pub fn drop() -> Reply {
        Reply::of(Body::Nothing)
    }

    /// Closes the TCP connection; over UDP says nothing.
    pub fn close() -> Reply {
        Reply::of(Body::Nothing).each(|step| step.close = true)
    }

    /// Exactly these bytes (over TCP behind a length).
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Reply {
        Reply::of(Body::Raw(bytes.into()))
    }

    fn of(body: Body) -> Reply {
        let step = Step {
            body,
            delay: Duration::ZERO,
            close: false,
            answers: Vec::new(),
            authority: Vec::new(),
            additional: Vec::new(),
            rcode: rcode::NOERROR,
            truncated: false,
            authentic: false,
            recursion_available: true,
            authoritative: false,
            id_change: 0,
            question: None,
            no_question: false,
            not_a_response: false,
            opcode: 0,
            edns: true,
            options: Vec::new(),
            whole: false,
            compress: true,
            cut: None,
            elsewhere: None,
            to: None,
            segment: None,
            length_error: 0,
            cut_stream: None,
            unprefixed: false,
        };
        Reply { steps: vec![step] }
    }

    /// This reply and then another one: several datagrams, or several messages on a connection.
    pub fn then(mut self, next: Reply) -> Reply {
        self.steps.extend(next.steps);
        self
    }

    /// Waits before the first step. The server goes on with other questions meanwhile (over TCP:
    /// those of other connections).
    pub fn after(mut self, delay: Duration) -> Reply {
        self.steps[0].delay += delay;
        self
    }

    pub fn answers(self, records: impl IntoIterator<Item = Record>) -> Reply {
        let records: Vec<Record> = records.into_iter().collect();
        self.each(|step| step.answers.extend(records.iter().cloned()))
    }

    pub fn authority(self, records: impl IntoIterator<Item = Record>) -> Reply {
        let records: Vec<Record> = records.into_iter().collect();
        self.each(|step| step.authority.extend(records.iter().cloned()))
    }

    pub fn additional(self, records: impl IntoIterator<Item = Record>) -> Reply {
        let records: Vec<Record> = records.into_iter().collect();
        self.each(|step| step.additional.extend(records.iter().cloned()))
    }

    /// The SOA record of this zone as authority (RFC 2308 section 2).
    pub fn soa(self, zone: &str) -> Reply {
        self.authority([Record::soa(zone)])
    }

    /// Sets TC. The records stay.
    pub fn truncated(self) -> Reply {
        self.each(|step| step.truncated = true)
    }

    /// Sets AD, authentic data.
    pub fn authentic(self) -> Reply {
        self.each(|step| step.authentic = true)
    }

    /// Sets AA: from the zone itself.
    pub fn authoritative(self) -> Reply {
        self.each(|step| step.authoritative = true)
    }

    /// Clears RA: no recursion here. With no record, a lame delegation's answer.
    pub fn without_recursion(self) -> Reply {
        self.each(|step| step.recursion_available = false)
    }

    /// Not the id that was asked with.
    pub fn wrong_id(self) -> Reply {
        self.each(|step| step.id_change = 0x5a5a)
    }

    /// Not the question that was asked.
    pub fn wrong_question(self, name: &str, qtype: u16, qclass: u16) -> Reply {
        self.each(|step| step.question = Some((name.to_owned(), qtype, qclass)))
    }

    /// Leaves out the question section.
    pub fn without_question(self) -> Reply {
        self.each(|step| step.no_question = true)
    }

    /// Clears QR: a query, not a response.
    pub fn not_a_response(self) -> Reply {
        self.each(|step| step.not_a_response = true)
    }

    /// Any opcode but QUERY, 0.
    pub fn opcode(self, opcode: u8) -> Reply {
        self.each(|step| step.opcode = opcode)
    }

    /// No OPT record, though the query had one.
    pub fn without_edns(self) -> Reply {
        self.each(|step| step.edns = false)
    }

    /// Puts a cookie into the OPT record (RFC 7873): the client's part, then the server's.
    pub fn cookie(self, octets: impl Into<Vec<u8>>) -> Reply {
        let octets = octets.into();
        self.each(|step| step.options.push((COOKIE, octets.clone())))
    }

    /// Names in full.
    pub fn uncompressed(self) -> Reply {
        self.each(|step| step.compress = false)
    }

    /// A datagram larger than the client said it takes, rather than a truncated one.
    pub fn whole(self) -> Reply {
        self.each(|step| step.whole = true)
    }

    /// Only the first `length` bytes of the message.
    pub fn cut(self, length: usize) -> Reply {
        self.each(|step| step.cut = Some(length))
    }

    /// From a port that wasn't asked. UDP only.
    pub fn wrong_port(self) -> Reply {
        self.each(|step| step.elsewhere = Some(Elsewhere::Port))
    }

    /// From an address of the sandbox that wasn't asked: `127.0.0.2`. UDP only.
    pub fn wrong_address(self, address: &str) -> Reply {
        let address = address.parse().unwrap();
        self.each(|step| step.elsewhere = Some(Elsewhere::Address(address)))
    }

    /// To somebody who hasn't asked. UDP only.
    pub fn to(self, address: SocketAddr) -> Reply {
        self.each(|step| step.to = Some(address))
    }

    /// Over TCP, `size` bytes in each segment.
    pub fn segments(self, size: usize) -> Reply {
        self.each(|step| step.segment = Some(size))
    }

    /// Over TCP, a length that is this much too large, or, negative, too small.
    pub fn length_error(self, by: i32) -> Reply {
        self.each(|step| step.length_error = by)
    }

    /// Over TCP, the first `length` octets alone, those of the length included.
    pub fn cut_stream(self, length: usize) -> Reply {
        self.each(|step| step.cut_stream = Some(length))
    }

    /// Over TCP, without a length before it.
    pub fn unprefixed(self) -> Reply {
        self.each(|step| step.unprefixed = true)
    }

    fn each(mut self, change: impl Fn(&mut Step)) -> Reply {
        self.steps.iter_mut().for_each(change);
        self
    }

    /// The message of the first step, as it would be sent: for scripts that damage it.
    pub fn message(&self, asked: &Question) -> Vec<u8> {
        self.steps[0].message(asked).unwrap_or_default()
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(super) fn waits(&self) -> bool {
        self.steps.iter().any(|step| !step.delay.is_zero())
    }
}

impl Step {
    /// The bytes of this step, if it sends any.
    pub(super) fn message(&self, asked: &Question) -> Option<Vec<u8>> {
        let mut bytes = match &self.body {
            Body::Nothing => return None,
            Body::Raw(bytes) => bytes.clone(),
            Body::Message => {
                let whole = self.encode(asked, self.truncated, true);
                let room = asked.edns.map_or(CLASSIC_PAYLOAD, |p| usize::from(p).max(512));
                let fits = self.whole || asked.transport == Transport::Tcp || whole.len() <= room;
                if fits { whole } else { self.encode(asked, true, false) }
            }
        };
        bytes.truncate(self.cut.unwrap_or(usize::MAX));
        Some(bytes)
    }

    fn encode(&self, asked: &Question, truncated: bool, records: bool) -> Vec<u8> {
        let bit = |set: bool, place: u16| u16::from(set) << place;
        let flags = bit(!self.not_a_response, 15)
            | u16::from(self.opcode) << 11
            | bit(self.authoritative, 10)
            | bit(truncated, 9)
            | bit(asked.rd, 8)
            | bit(self.recursion_available, 7)
            | bit(self.authentic, 5)
            | bit(asked.cd, 4)
            | u16::from(self.rcode & 0xf);
        let mut writer = Writer::new(asked.id ^ self.id_change, flags, self.compress);
        match &self.question {
            _ if self.no_question => {}
            Some((name, qtype, qclass)) => writer.question(name, *qtype, *qclass),
            None => writer.question_as_sent(&asked.name_as_sent, &asked.question),
        }
        if records {
            let sections = [&self.answers, &self.authority, &self.additional];
            for (section, records) in (1..).zip(sections) {
                records.iter().for_each(|record| writer.record(section, record));
            }
        }
        if self.edns && asked.edns.is_some() {
            writer.opt(1232, self.rcode >> 4, &self.options);
        }
        writer.bytes
    }

    /// The address to send from, if not the one that was asked.
    pub(super) fn source(&self, asked: SocketAddr) -> Option<SocketAddr> {
        self.elsewhere.map(|elsewhere| match elsewhere {
            Elsewhere::Port => SocketAddr::new(asked.ip(), 0),
            Elsewhere::Address(address) => SocketAddr::new(address, asked.port()),
        })
    }

    pub(super) fn send_over(&self, mut stream: &TcpStream, message: &[u8]) -> io::Result<()> {
        let mut bytes = Vec::new();
        if !self.unprefixed {
            let length = i32::try_from(message.len()).unwrap() + self.length_error;
            bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        bytes.extend(message);
        bytes.truncate(self.cut_stream.unwrap_or(usize::MAX));
        // TCP_NODELAY is set: each write leaves on its own.
        bytes
            .chunks(self.segment.unwrap_or(bytes.len().max(1)))
            .try_for_each(|part| stream.write_all(part))
    }
}
