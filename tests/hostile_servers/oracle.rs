//! What a message means to who has asked a question: the rules of the RFCs and of libc, written down a
//! second time and more simply than in the library. Where hickory-proto reads a message, its reading
//! and this one agree.

use hickory_proto::op::Message as TheirMessage;
use hickory_proto::rr::{DNSClass, RData};

use crate::support::dns::{Question, Transport};
use crate::support::wire::{IN, rcode, rtype};

/// A name's labels, lower-cased, without the root's.
pub(crate) type Labels = Vec<Vec<u8>>;

/// What becomes of a question that a message comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// It answers something else: the wait goes on.
    Dropped,
    /// The server has trouble: it, or another one, is asked again.
    Trouble,
    /// It is asked again over TCP: the answer is cut, or damaged.
    Truncated,
    /// These addresses or names, and the name at the end of the aliases.
    Found(Vec<String>, String),
    /// The name does not exist.
    NoName,
    /// It has no such records.
    NoData,
    /// There are records, and none of them belongs to the question.
    Unrelated,
}

/// What these octets mean to who has asked `question`, without EDNS.
pub(crate) fn meaning(octets: &[u8], question: &Question) -> Meaning {
    let Some(message) = Reading::of(octets) else { return Meaning::Dropped };
    if message.flags & 0x8000 == 0 || message.flags & 0x7800 != 0 || message.id != question.id {
        return Meaning::Dropped;
    }
    let code = (message.flags & 0xf) as u8;
    let name = lower(&crate::support::wire::labels(&question.name));
    match &message.questions[..] {
        // Who can't read a question can't repeat it.
        [] if code != rcode::NOERROR && code != rcode::NXDOMAIN => {}
        [asked] if *asked == (Some(name.clone()), question.qtype, question.qclass) => {}
        _ => return Meaning::Dropped,
    }
    if question.transport == Transport::Udp && message.flags & 0x0200 != 0 {
        return Meaning::Truncated;
    }
    if code != rcode::NOERROR && code != rcode::NXDOMAIN {
        return Meaning::Trouble;
    }
    let helps = message.flags & 0x0480 != 0 || message.counts[1] != 0 || message.counts[3] != 0;
    if code == rcode::NOERROR && !helps {
        return Meaning::Trouble;
    }
    if message.is_damaged {
        let over_udp = question.transport == Transport::Udp;
        return if over_udp { Meaning::Truncated } else { Meaning::Trouble };
    }
    let (found, end) = message.follow(&name, question.qtype);
    if let Ok(theirs) = TheirMessage::from_vec(octets) {
        assert_eq!(found, by_hickory(&theirs, &name, question.qtype), "{octets:02x?}");
    }
    if code == rcode::NXDOMAIN {
        Meaning::NoName
    } else if !found.is_empty() {
        Meaning::Found(found, end)
    } else if message.counts[1] == 0 {
        Meaning::NoData
    } else {
        Meaning::Unrelated
    }
}

/// A message taken apart.
struct Reading {
    id: u16,
    flags: u16,
    counts: [u16; 4],
    questions: Vec<(Option<Labels>, u16, u16)>,
    answers: Vec<Entry>,
    /// The answer section ends before its time, or a name in it can't be read.
    is_damaged: bool,
}

/// A record of the answer section.
struct Entry {
    owner: Option<Labels>,
    rtype: u16,
    class: u16,
    data: Vec<u8>,
    /// The name that the data consist of.
    target: Option<Labels>,
}

impl Reading {
    /// `None` where header or questions are cut.
    fn of(octets: &[u8]) -> Option<Reading> {
        let short = |at: usize| Some(u16::from_be_bytes([*octets.get(at)?, *octets.get(at + 1)?]));
        let counts = [short(4)?, short(6)?, short(8)?, short(10)?];
        let mut at = 12;
        let mut questions = Vec::new();
        for _ in 0..counts[0] {
            let end = skip(octets, at)?;
            questions.push((name(octets, at), short(end)?, short(end + 2)?));
            at = end + 4;
        }
        let mut answers = Vec::new();
        for _ in 0..counts[1] {
            let Some((entry, end)) = entry(octets, at) else { break };
            answers.push(entry);
            at = end;
        }
        let is_damaged = answers.len() < usize::from(counts[1])
            || answers.iter().any(|answer: &Entry| answer.owner.is_none());
        Some(Reading { id: short(0)?, flags: short(2)?, counts, questions, answers, is_damaged })
    }

    /// What `asked` has of this type, and the host name at the end of its aliases.
    fn follow(&self, asked: &Labels, qtype: u16) -> (Vec<String>, String) {
        let (mut end, mut host) = (asked.clone(), asked.clone());
        let of = |owner: &Labels, rtype: u16| {
            let owner = owner.clone();
            self.answers.iter().filter(move |entry| {
                entry.owner.as_ref() == Some(&owner) && entry.class == IN && entry.rtype == rtype
            })
        };
        for _ in 0..self.answers.len() + 1 {
            let Some(alias) = of(&end, rtype::CNAME).next() else { break };
            let Some(target) = &alias.target else { break };
            end.clone_from(target);
            if is_host_name(target) {
                host.clone_from(target);
            }
        }
        let found = of(&end, qtype).filter_map(|entry| match qtype {
            rtype::A => <[u8; 4]>::try_from(&*entry.data)
                .ok()
                .map(|o| std::net::IpAddr::from(o).to_string()),
            rtype::AAAA => <[u8; 16]>::try_from(&*entry.data)
                .ok()
                .map(|o| std::net::IpAddr::from(o).to_string()),
            _ => entry.target.clone().filter(is_host_name).map(|target| text(&target)),
        });
        (found.collect(), text(&host))
    }
}

fn entry(octets: &[u8], at: usize) -> Option<(Entry, usize)> {
    let short = |at: usize| Some(u16::from_be_bytes([*octets.get(at)?, *octets.get(at + 1)?]));
    let end = skip(octets, at)?;
    let start = end + 10;
    let data = octets.get(start..start + usize::from(short(end + 8)?))?;
    let target = name(octets, start).filter(|_| skip(octets, start) == Some(start + data.len()));
    let entry = Entry {
        owner: name(octets, at),
        rtype: short(end)?,
        class: short(end + 2)?,
        data: data.to_vec(),
        target,
    };
    Some((entry, start + data.len()))
}

/// Where the name at `at` ends.
fn skip(octets: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *octets.get(at)? {
            0 => return Some(at + 1),
            length @ 1..=63 => at += 1 + usize::from(length),
            192.. => return octets.get(at + 1).map(|_| at + 2),
            _ => return None,
        }
    }
}

/// The name at `at`; none that points forward, in a circle, or is too long (RFC 1035 section 4.1.4).
fn name(octets: &[u8], mut at: usize) -> Option<Labels> {
    let (mut labels, mut length, mut part, mut jumps) = (Labels::new(), 1, at, 0);
    loop {
        match *octets.get(at)? {
            0 => return Some(labels),
            count @ 1..=63 => {
                let count = usize::from(count);
                labels.push(octets.get(at + 1..at + 1 + count)?.to_ascii_lowercase());
                length += 1 + count;
                if length > 255 {
                    return None;
                }
                at += 1 + count;
            }
            high @ 192.. => {
                at = usize::from(u16::from_be_bytes([high & 0x3f, *octets.get(at + 1)?]));
                jumps += 1;
                if at >= part || jumps > 16 {
                    return None;
                }
                part = at;
            }
            _ => return None,
        }
    }
}

/// What libc takes for a host's name, of which alone programs are told.
fn is_host_name(name: &Labels) -> bool {
    !name.first().is_some_and(|first| first.starts_with(b"-"))
        && name.iter().flatten().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

fn lower(labels: &Labels) -> Labels {
    labels.iter().map(|label| label.to_ascii_lowercase()).collect()
}

/// A host name's text.
fn text(name: &Labels) -> String {
    let parts: Vec<_> = name.iter().map(|label| String::from_utf8_lossy(label)).collect();
    if parts.is_empty() { ".".to_owned() } else { parts.join(".") }
}

fn by_hickory(message: &TheirMessage, asked: &Labels, qtype: u16) -> Vec<String> {
    let labels = |name: &hickory_proto::rr::Name| -> Labels {
        name.iter().map(<[u8]>::to_ascii_lowercase).collect()
    };
    let mut end = asked.clone();
    let of = |owner: &Labels| {
        let owner = owner.clone();
        let records = message.answers.iter();
        records.filter(move |r| r.dns_class == DNSClass::IN && labels(&r.name) == owner)
    };
    for _ in 0..message.answers.len() + 1 {
        let target = of(&end).find_map(|record| match &record.data {
            RData::CNAME(target) => Some(labels(&target.0)),
            _ => None,
        });
        let Some(target) = target else { break };
        end = target;
    }
    let found = of(&end).filter_map(|record| match (&record.data, qtype) {
        (RData::A(address), rtype::A) => Some(address.0.to_string()),
        (RData::AAAA(address), rtype::AAAA) => Some(address.0.to_string()),
        (RData::PTR(name), rtype::PTR) => {
            Some(labels(&name.0)).filter(is_host_name).map(|name| text(&name))
        }
        _ => None,
    });
    found.collect()
}
