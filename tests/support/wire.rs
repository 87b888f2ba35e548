//! DNS messages as the test servers read and write them (RFC 1035 section 4, RFC 6891).
//!
//! Written apart from the library's own codec, so that an error in one isn't an error in both.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Record types and their numbers, RFC 1035 section 3.2.2 and later.
pub mod rtype {
    pub const A: u16 = 1;
    pub const NS: u16 = 2;
    pub const CNAME: u16 = 5;
    pub const SOA: u16 = 6;
    pub const PTR: u16 = 12;
    pub const MX: u16 = 15;
    pub const TXT: u16 = 16;
    pub const AAAA: u16 = 28;
    pub const SRV: u16 = 33;
    pub const DNAME: u16 = 39;
    pub const OPT: u16 = 41;
    pub const RRSIG: u16 = 46;
    pub const ANY: u16 = 255;
}

/// Response codes, RFC 1035 section 4.1.1.
pub mod rcode {
    pub const NOERROR: u8 = 0;
    pub const FORMERR: u8 = 1;
    pub const SERVFAIL: u8 = 2;
    pub const NXDOMAIN: u8 = 3;
    pub const NOTIMP: u8 = 4;
    pub const REFUSED: u8 = 5;
    /// RFC 7873 section 8; five bits, of which the header has four.
    pub const BADCOOKIE: u8 = 23;
}

/// The EDNS option that has a cookie (RFC 7873 section 4).
pub const COOKIE: u16 = 10;

/// The class of all that is asked, RFC 1035 section 3.2.4.
pub const IN: u16 = 1;

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    /// CNAME, PTR, NS, DNAME: the type, and a name.
    Name(u16, String),
    Mx(u16, String),
    Txt(Vec<u8>),
    Soa(String),
    /// Any type with any bytes.
    Raw(u16, Vec<u8>),
}

/// One resource record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub owner: String,
    pub class: u16,
    pub ttl: u32,
    pub data: Data,
}

impl Record {
    /// A record of class IN with a TTL of five minutes.
    pub fn new(owner: &str, data: Data) -> Record {
        Record { owner: owner.to_owned(), class: IN, ttl: 300, data }
    }

    /// An A or AAAA record.
    pub fn address(owner: &str, address: &str) -> Record {
        let data = match address.parse().unwrap_or_else(|e| panic!("{address}: {e}")) {
            IpAddr::V4(v4) => Data::A(v4),
            IpAddr::V6(v6) => Data::Aaaa(v6),
        };
        Record::new(owner, data)
    }

    pub fn cname(owner: &str, target: &str) -> Record {
        Record::new(owner, Data::Name(rtype::CNAME, target.to_owned()))
    }

    pub fn ptr(owner: &str, target: &str) -> Record {
        Record::new(owner, Data::Name(rtype::PTR, target.to_owned()))
    }

    /// The SOA that makes a negative answer cacheable for `minimum` = 60 s (RFC 2308 section 3).
    pub fn soa(zone: &str) -> Record {
        Record::new(zone, Data::Soa(zone.to_owned()))
    }

    pub fn ttl(mut self, seconds: u32) -> Record {
        self.ttl = seconds;
        self
    }

    pub fn rtype(&self) -> u16 {
        match &self.data {
            Data::A(_) => rtype::A,
            Data::Aaaa(_) => rtype::AAAA,
            Data::Name(rtype, _) | Data::Raw(rtype, _) => *rtype,
            Data::Mx(..) => rtype::MX,
            Data::Txt(_) => rtype::TXT,
            Data::Soa(_) => rtype::SOA,
        }
    }
}

/// The name under which an address's PTR record is found, without a final dot.
pub fn reverse_name(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(v6) => {
            let nibbles = v6.octets().into_iter().flat_map(|o| [o >> 4, o & 15]);
            let digits: Vec<String> = nibbles.rev().map(|n| format!("{n:x}.")).collect();
            format!("{}ip6.arpa", digits.concat())
        }
    }
}

/// What a query message holds.
#[derive(Clone, Debug)]
pub struct Query {
    pub id: u16,
    /// The second 16 bits of the header.
    pub flags: u16,
    /// Escaped as in master files (`\.`, `\\`, `\DDD`), no final dot; the root is `.`.
    pub name: String,
    pub qtype: u16,
    pub qclass: u16,
    /// The question section as it was sent.
    pub question: Vec<u8>,
    /// From the OPT record, if there is one: payload size, and extended flags (DO is 0x8000).
    pub edns: Option<(u16, u16)>,
    /// The data of the OPT record's cookie option (RFC 7873).
    pub cookie: Option<Vec<u8>>,
}

impl Query {
    /// Reads a query with one question; `None` if it isn't one.
    pub fn parse(message: &[u8]) -> Option<Query> {
        let short =
            |at: usize| Some(u16::from_be_bytes([*message.get(at)?, *message.get(at + 1)?]));
        let (id, flags) = (short(0)?, short(2)?);
        if flags & 0x8000 != 0 || short(4)? != 1 {
            return None;
        }
        let (name, end) = parse_name(message, 12)?;
        let question = message.get(12..end + 4)?.to_vec();
        let mut edns = None;
        // A query has nothing in between, so an OPT record comes right after the question.
        if short(10)? > 0 && message.get(end + 4) == Some(&0) && short(end + 5)? == rtype::OPT {
            edns = Some((short(end + 7)?, short(end + 11)?));
        }
        let mut cookie = None;
        let mut at = end + 15;
        while edns.is_some() && at + 4 <= message.len() {
            let length = usize::from(short(at + 2)?);
            let data = message.get(at + 4..at + 4 + length)?;
            if short(at)? == COOKIE {
                cookie = Some(data.to_vec());
            }
            at += 4 + length;
        }
        let (qtype, qclass) = (short(end)?, short(end + 2)?);
        Some(Query { id, flags, name, qtype, qclass, question, edns, cookie })
    }
}

/// The name at `at`, which isn't compressed in a query, and where it ends.
fn parse_name(message: &[u8], mut at: usize) -> Option<(String, usize)> {
    let mut text = String::new();
    loop {
        let length = usize::from(*message.get(at)?);
        let label = message.get(at + 1..at + 1 + length)?;
        at += 1 + length;
        match length {
            0 if text.is_empty() => return Some((".".to_owned(), at)),
            0 => return Some((text, at)),
            1..=63 => {}
            _ => return None,
        }
        if !text.is_empty() {
            text.push('.');
        }
        for &octet in label {
            match octet {
                b'.' | b'\\' => text.extend(['\\', char::from(octet)]),
                b'!'..=b'~' => text.push(char::from(octet)),
                _ => text.push_str(&format!("\\{octet:03}")),
            }
        }
    }
}

/// The labels of a name that is escaped as [`Query::name`] is. Lengths aren't checked: a broken
/// message is a thing to test.
pub fn labels(name: &str) -> Vec<Vec<u8>> {
    let mut labels = vec![Vec::new()];
    let mut bytes = name.trim_end_matches('.').bytes();
    while let Some(byte) = bytes.next() {
        let last = labels.last_mut().unwrap();
        match byte {
            b'.' => labels.push(Vec::new()),
            b'\\' => match bytes.next().unwrap() {
                digit @ b'0'..=b'9' => {
                    let digits = [digit, bytes.next().unwrap(), bytes.next().unwrap()];
                    last.push(std::str::from_utf8(&digits).unwrap().parse().unwrap());
                }
                other => last.push(other),
            },
            _ => last.push(byte),
        }
    }
    labels.retain(|label| !label.is_empty());
    labels
}

/// A message under construction.
#[derive(Debug, Default)]
pub struct Writer {
    pub bytes: Vec<u8>,
    /// Where each name, as lower-cased labels, already stands.
    seen: HashMap<Vec<Vec<u8>>, u16>,
    /// Whether names may point to earlier ones (RFC 1035 section 4.1.4).
    compress: bool,
}

impl Writer {
    /// Starts with a header (counts zero), to be followed by sections in order.
    pub fn new(id: u16, flags: u16, compress: bool) -> Writer {
        let mut writer = Writer { compress, ..Writer::default() };
        for short in [id, flags, 0, 0, 0, 0] {
            writer.short(short);
        }
        writer
    }

    pub fn short(&mut self, value: u16) {
        self.bytes.extend(value.to_be_bytes());
    }

    fn count(&mut self, section: usize) {
        let at = 4 + 2 * section;
        let count = u16::from_be_bytes([self.bytes[at], self.bytes[at + 1]]) + 1;
        self.bytes[at..at + 2].copy_from_slice(&count.to_be_bytes());
    }

    pub fn name(&mut self, name: &str) {
        let mut labels = labels(name);
        while !labels.is_empty() {
            let lowered: Vec<_> = labels.iter().map(|l| l.to_ascii_lowercase()).collect();
            if let Some(&at) = self.seen.get(&lowered).filter(|_| self.compress) {
                self.short(0xc000 | at);
                return;
            }
            // A pointer has 14 bits.
            let at = u16::try_from(self.bytes.len()).unwrap_or(u16::MAX);
            if at < 0x4000 {
                self.seen.insert(lowered, at);
            }
            let label = labels.remove(0);
            self.bytes.push(u8::try_from(label.len()).unwrap());
            self.bytes.extend(label);
        }
        self.bytes.push(0);
    }

    pub fn question(&mut self, name: &str, qtype: u16, qclass: u16) {
        self.name(name);
        self.short(qtype);
        self.short(qclass);
        self.count(0);
    }

    /// The question exactly as it came; names may point to it.
    pub fn question_as_sent(&mut self, name: &str, question: &[u8]) {
        let start = self.bytes.len();
        self.name(name);
        self.bytes.truncate(start);
        self.bytes.extend(question);
        self.count(0);
    }

    /// Adds a record to section 1 (answer), 2 (authority) or 3 (additional).
    pub fn record(&mut self, section: usize, record: &Record) {
        self.name(&record.owner);
        self.short(record.rtype());
        self.short(record.class);
        self.bytes.extend(record.ttl.to_be_bytes());
        self.short(0);
        let start = self.bytes.len();
        match &record.data {
            Data::A(address) => self.bytes.extend(address.octets()),
            Data::Aaaa(address) => self.bytes.extend(address.octets()),
            Data::Name(_, name) => self.name(name),
            Data::Mx(preference, name) => {
                self.short(*preference);
                self.name(name);
            }
            Data::Txt(text) => {
                for part in text.chunks(255) {
                    self.bytes.push(u8::try_from(part.len()).unwrap());
                    self.bytes.extend(part);
                }
            }
            Data::Soa(zone) => {
                self.name(&format!("ns.{zone}"));
                self.name(&format!("hostmaster.{zone}"));
                for number in [1_u32, 3600, 600, 86400, 60] {
                    self.bytes.extend(number.to_be_bytes());
                }
            }
            Data::Raw(_, bytes) => self.bytes.extend(bytes),
        }
        let length = u16::try_from(self.bytes.len() - start).unwrap();
        self.bytes[start - 2..start].copy_from_slice(&length.to_be_bytes());
        self.count(section);
    }

    /// An OPT record that offers `payload` bytes, with the upper bits of a response code and options.
    pub fn opt(&mut self, payload: u16, rcode: u8, options: &[(u16, Vec<u8>)]) {
        let mut data = Vec::new();
        for (code, value) in options {
            data.extend(code.to_be_bytes());
            data.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
            data.extend(value);
        }
        self.record(
            3,
            &Record {
                owner: ".".to_owned(),
                class: payload,
                ttl: u32::from(rcode) << 24,
                data: Data::Raw(rtype::OPT, data),
            },
        );
    }
}
