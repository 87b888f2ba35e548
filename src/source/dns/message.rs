//! DNS messages (RFC 1035 section 4.1): queries are written, answers are read in place. Nothing here
//! allocates, and nothing that a server sends can make it read outside the message or without end.

use super::compression::{is_name, read_name, read_u16, skip_name};
use super::edns::{MAX_OPT, write_opt};
use crate::base::name::Name;
#[cfg(feature = "command")]
use crate::base::record_type;
use crate::cache::cookie::Cookie;
#[cfg(feature = "command")]
use crate::observe::witness;

/// The Internet class.
pub const CLASS_IN: u16 = 1;

const HEADER: usize = 12;
/// The longest query: header, question, and the OPT record.
pub const MAX_QUERY: usize = HEADER + crate::base::name::MAX_WIRE + 4 + MAX_OPT;

/// What one query asks, and how.
#[derive(Clone, Copy)]
pub struct QueryForm {
    /// The message's id, unpredictable (RFC 5452).
    pub id: u16,
    /// The type asked for.
    pub qtype: u16,
    /// The class asked for.
    pub class: u16,
    /// Sets RD: answer with what others know, too (RFC 1035 section 4.1.1).
    pub recursion: bool,
    /// Sets AD: tell me whether the data is authentic (RFC 6840 section 5.7).
    pub ad: bool,
    /// Adds the OPT record (RFC 6891).
    pub edns: bool,
    /// Sets DO in it.
    pub dnssec: bool,
    /// What the OPT record has of cookies (RFC 7873).
    pub cookie: Option<Cookie>,
}

/// Writes a query for `name`; returns its length.
pub fn write_query(name: &Name, form: QueryForm, out: &mut [u8; MAX_QUERY]) -> usize {
    let [id0, id1] = form.id.to_be_bytes();
    let [t0, t1] = form.qtype.to_be_bytes();
    let [c0, c1] = form.class.to_be_bytes();
    let (rd, ad) = (u8::from(form.recursion), if form.ad { 0x20 } else { 0 });
    let header = [id0, id1, rd, ad, 0, 1, 0, 0, 0, 0, 0, u8::from(form.edns)];
    let question = [t0, t1, c0, c1];
    let mut len = 0;
    // MAX_QUERY is the sum of the parts' greatest lengths, so none is ever cut.
    let mut put = |part: &[u8]| {
        for &octet in part {
            if let Some(place) = out.get_mut(len) {
                *place = octet;
                len += 1;
            }
        }
    };
    for part in [&header[..], name.wire(), &question] {
        put(part);
    }
    if form.edns {
        write_opt(form.dnssec, form.cookie.as_ref(), &mut put);
    }
    len
}

/// An answer whose header and question have been read.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    octets: &'a [u8],
    answers_at: usize,
    over_tcp: bool,
}

/// The question that a message repeats.
pub struct Question {
    /// The name, as spelt in the message.
    pub name: Name,
    /// The type.
    pub qtype: u16,
    /// The class.
    pub class: u16,
}

impl<'a> Message<'a> {
    /// What the command shows of it.
    #[cfg(feature = "command")]
    pub(super) fn as_heard(
        &self,
        worth: Option<witness::Worth>,
        after: core::time::Duration,
    ) -> witness::Answer {
        witness::Answer {
            rcode: self.rcode(),
            octets: self.octets().len(),
            truncated: self.is_truncated(),
            edns: self.additional().any(|record| record.record_type == record_type::OPT),
            worth,
            after,
        }
    }

    /// Reads the header, and skips the questions; `None` where these are cut or malformed. Queries are
    /// read as well.
    pub fn parse(octets: &'a [u8]) -> Option<Message<'a>> {
        let mut message = Message { octets, answers_at: HEADER, over_tcp: false };
        octets.get(..HEADER)?;
        for _ in 0..message.count(4) {
            message.answers_at = skip_name(octets, message.answers_at)?.checked_add(4)?;
        }
        octets.get(..message.answers_at)?;
        Some(message)
    }

    /// The same, noted as to how it came.
    pub(super) fn over_tcp(self, over_tcp: bool) -> Message<'a> {
        Message { over_tcp, ..self }
    }

    /// True where it came over TCP.
    pub fn came_over_tcp(&self) -> bool {
        self.over_tcp
    }

    /// The header and the questions.
    pub fn question_part(&self) -> &'a [u8] {
        self.octets.get(..self.answers_at).unwrap_or_default()
    }

    /// The whole message.
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// A big-endian number of the header.
    fn count(&self, at: usize) -> u16 {
        read_u16(self.octets, at).unwrap_or(0)
    }

    fn flags(&self, at: usize) -> u8 {
        self.octets.get(at).copied().unwrap_or(0)
    }

    /// The id.
    pub fn id(&self) -> u16 {
        self.count(0)
    }

    /// QR is set: an answer.
    pub fn is_response(&self) -> bool {
        self.flags(2) & 0x80 != 0
    }

    /// OPCODE: 0 is "query" (RFC 1035 section 4.1.1), 4 "notify", 5 "update".
    pub fn opcode(&self) -> u8 {
        self.flags(2) >> 3 & 0xf
    }

    /// TC: the answer didn't fit.
    pub fn is_truncated(&self) -> bool {
        self.flags(2) & 0x02 != 0
    }

    /// AA: from the zone's own server.
    pub fn is_authoritative(&self) -> bool {
        self.flags(2) & 0x04 != 0
    }

    /// RA: the server resolves for others.
    pub fn offers_recursion(&self) -> bool {
        self.flags(3) & 0x80 != 0
    }

    /// AD: the server says that it has validated the data.
    pub fn is_authentic(&self) -> bool {
        self.flags(3) & 0x20 != 0
    }

    /// The response code's four bits of the header.
    pub fn rcode(&self) -> u8 {
        self.flags(3) & 0x0f
    }

    /// How many questions it repeats.
    pub fn question_count(&self) -> u16 {
        self.count(4)
    }

    /// How many answer records it says it has.
    pub fn answer_count(&self) -> u16 {
        self.count(6)
    }

    /// How many additional records it says it has.
    pub fn additional_count(&self) -> u16 {
        self.count(10)
    }

    /// Its first question.
    pub fn question(&self) -> Option<Question> {
        let (name, at) = read_name(self.octets, HEADER)?;
        Some(Question {
            name,
            qtype: read_u16(self.octets, at)?,
            class: read_u16(self.octets, at + 2)?,
        })
    }

    /// The records of the answer section; ends at the first that is cut or malformed.
    pub fn answers(&self) -> Records<'a> {
        Records {
            octets: self.octets,
            at: self.answers_at,
            left: self.answer_count(),
            broken: false,
        }
    }

    /// True where the answer section has all the records that the header says, each with a name that can
    /// be read. Of a message that is damaged no part is believed.
    pub fn is_whole(&self) -> bool {
        let mut answers = self.answers();
        answers.all(|record| record.owner().is_some()) && !answers.broken
    }

    /// The records of the authority section; empty where the answer section is malformed.
    pub fn authority(&self) -> Records<'a> {
        let mut answers = self.answers();
        answers.by_ref().for_each(drop);
        let left = if answers.broken { 0 } else { self.count(8) };
        Records { left, ..answers }
    }

    /// The records of the additional section; empty where one before it is malformed.
    pub fn additional(&self) -> Records<'a> {
        let mut authority = self.authority();
        authority.by_ref().for_each(drop);
        let left = if authority.broken { 0 } else { self.additional_count() };
        Records { left, ..authority }
    }
}

/// A resource record (RFC 1035 section 4.1.3), read in place.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    octets: &'a [u8],
    owner_at: usize,
    data_at: usize,
    /// TYPE.
    pub record_type: u16,
    /// CLASS.
    pub class: u16,
    /// TTL in seconds; values with the top bit set mean zero (RFC 2181 section 8).
    pub ttl: u32,
    /// The same as it was sent; in an OPT record it says something else (RFC 6891 section 6.1.3).
    pub ttl_as_sent: u32,
    /// RDATA, compressed names and all.
    pub data: &'a [u8],
}

impl Record<'_> {
    /// The name that the record belongs to.
    pub fn owner(&self) -> Option<Name> {
        read_name(self.octets, self.owner_at).map(|(name, _)| name)
    }

    /// True where that is `name`.
    pub fn belongs_to(&self, name: &Name) -> bool {
        is_name(self.octets, self.owner_at, name)
    }

    /// True where `name` is the record's owner, or below it.
    pub fn is_at_or_above(&self, name: &Name) -> bool {
        let Some(owner) = self.owner() else { return false };
        let above = name.labels().count().checked_sub(owner.labels().count());
        above.is_some_and(|above| {
            let mut labels = name.labels().skip(above).zip(owner.labels());
            labels.all(|(label, other)| label.eq_ignore_ascii_case(other))
        })
    }

    /// The name that the data consists of (CNAME, PTR); `None` where it is malformed, or where the
    /// data has something behind it.
    pub fn target(&self) -> Option<Name> {
        let (name, end) = read_name(self.octets, self.data_at)?;
        (end == self.data_at + self.data.len()).then_some(name)
    }

    /// True where an NSEC record says that `name`, which it belongs to, has no records of this type: in the
    /// one form that multicast DNS knows, with types below 256 (RFC 6762 section 6.1).
    pub fn denies(&self, name: &Name, qtype: u16) -> bool {
        let end = skip_name(self.octets, self.data_at)
            .filter(|_| is_name(self.octets, self.data_at, name));
        let bitmap = end.and_then(|end| self.data.get(end - self.data_at..));
        let Some([0, len @ 1..=32, bits @ ..]) = bitmap else { return false };
        let [high, low] = qtype.to_be_bytes();
        let octet = bits.get(usize::from(low / 8)).copied().unwrap_or(0);
        high == 0 && bits.len() == usize::from(*len) && octet & (0x80 >> (low % 8)) == 0
    }
}

/// Walks a section.
#[derive(Clone)]
pub struct Records<'a> {
    octets: &'a [u8],
    at: usize,
    left: u16,
    broken: bool,
}

impl Records<'_> {
    /// True when the walk ended early, at a record that is cut or malformed.
    pub fn is_broken(&self) -> bool {
        self.broken
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        self.left = self.left.checked_sub(1)?;
        let record = read_record(self.octets, self.at);
        match record {
            Some(record) => self.at = record.data_at + record.data.len(),
            None => (self.left, self.broken) = (0, true),
        }
        record
    }
}

fn read_record(octets: &[u8], owner_at: usize) -> Option<Record<'_>> {
    let at = skip_name(octets, owner_at)?;
    let ttl = u32::from(read_u16(octets, at + 4)?) << 16 | u32::from(read_u16(octets, at + 6)?);
    let data_at = at + 10;
    let data = octets.get(data_at..data_at + usize::from(read_u16(octets, at + 8)?))?;
    Some(Record {
        octets,
        owner_at,
        data_at,
        record_type: read_u16(octets, at)?,
        class: read_u16(octets, at + 2)?,
        ttl: if ttl > i32::MAX as u32 { 0 } else { ttl },
        ttl_as_sent: ttl,
        data,
    })
}
