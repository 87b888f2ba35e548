//! DNS messages, beside hickory-proto's reading of them.

use std::net::IpAddr;

use hickory_proto::op::Message as TheirMessage;
use hickory_proto::rr::{DNSClass, Name as TheirName, RData, Record as TheirRecord};
use rustdns::base::answer::Answer;
use rustdns::base::name::Name;
use rustdns::base::{rcode, record_type};
use rustdns::source::dns::message::{Message, Record, Records};
use rustdns::source::dns::read::{self};

use super::libc_oracle;

/// The name that answers are looked for, whatever the message's question is.
pub const ASKED: &str = "www.example.test";
/// The types that are asked for.
const TYPES: [u16; 3] = [record_type::A, record_type::AAAA, record_type::PTR];
/// How many aliases are followed.
const MOST_ALIASES: usize = 128;

/// Any octets are read to an end. Where hickory reads them as a message, ours has the same header,
/// question and records, and the same answer; where it does not, ours ends. Names are those that
/// libc's `ns_name_unpack` reads.
///
/// Would find: a count, flag or offset that is read wrongly, a record that is skipped or invented, a
/// pointer that is followed elsewhere, a loop, a read beyond the end.
pub fn check(octets: &[u8]) {
    for qtype in TYPES {
        agree(octets, qtype);
    }
    let Some(message) = Message::parse(octets) else { return };
    for record in message.answers().chain(message.authority()) {
        let at = record_start(octets, &record);
        if let Some(owner) = record.owner() {
            let (wire, _) = libc_oracle::name_in_message(octets, at).expect("libc reads it too");
            assert_eq!(owner.wire(), wire);
        }
    }
    if let Ok(theirs) = TheirMessage::from_vec(octets) {
        whole(&message, &theirs);
    }
}

/// Any beginning of a message is no message, or has the first of its records and no others.
///
/// Would find: a length that is checked against the wrong end, a record of which a part is believed.
pub fn check_cut(octets: &[u8]) {
    let records = |octets: &[u8]| -> Option<Vec<String>> {
        let message = Message::parse(octets)?;
        let mut answers = message.answers();
        let mut all: Vec<String> = answers.by_ref().map(|record| shown(&record)).collect();
        assert!(answers.is_broken() || all.len() == usize::from(message.answer_count()));
        all.extend(message.authority().map(|record| shown(&record)));
        Some(all)
    };
    let all = records(octets);
    for end in 0..octets.len() {
        if let Some(some) = records(&octets[..end]) {
            let all = all.as_ref().expect("more octets make no message of one");
            assert!(all.starts_with(&some), "{end}: {some:?} of {all:?}");
        }
    }
}

fn record_start(octets: &[u8], record: &Record<'_>) -> usize {
    // Ten octets of type, class, TTL and length stand between name and data; the name is found by
    // walking the message once more with libc's functions.
    let data = record.data.as_ptr().addr() - octets.as_ptr().addr();
    let mut at = 12;
    for _ in 0..u16::from_be_bytes([octets[4], octets[5]]) {
        at = skip(octets, at) + 4;
    }
    loop {
        let next = skip(octets, at) + 10;
        if next == data {
            return at;
        }
        at = next + usize::from(u16::from_be_bytes([octets[next - 2], octets[next - 1]]));
    }
}

/// Where a name ends in the message.
fn skip(octets: &[u8], mut at: usize) -> usize {
    loop {
        match octets[at] {
            0 => return at + 1,
            len if len < 64 => at += 1 + usize::from(len),
            _ => return at + 2,
        }
    }
}

fn shown(record: &Record<'_>) -> String {
    let Record { record_type, class, ttl, data, .. } = record;
    format!("{:?} {record_type} {class} {ttl} {data:?}", record.owner())
}

// ---- the whole message ---------------------------------------------------------------------------

fn whole(ours: &Message<'_>, theirs: &TheirMessage) {
    let meta = &theirs.metadata;
    assert_eq!(ours.id(), meta.id);
    assert_eq!(ours.opcode(), u8::from(meta.op_code));
    assert_eq!(ours.is_response(), meta.message_type == hickory_proto::op::MessageType::Response);
    assert_eq!(ours.is_truncated(), meta.truncation);
    assert_eq!(ours.is_authoritative(), meta.authoritative);
    assert_eq!(ours.offers_recursion(), meta.recursion_available);
    assert_eq!(ours.is_authentic(), meta.authentic_data);
    assert_eq!(ours.rcode(), meta.response_code.low() & 0xf);
    assert_eq!(usize::from(ours.question_count()), theirs.queries.len());
    if let Some(query) = theirs.queries.first() {
        let question = ours.question().expect("hickory reads the question");
        assert_eq!(question.name.wire(), wire(&query.name));
        assert_eq!(question.qtype, u16::from(query.query_type));
        assert_eq!(question.class, u16::from(query.query_class));
    }
    same_records(ours.answers(), &theirs.answers);
    same_records(ours.authority(), &theirs.authorities);
}

fn same_records(mut ours: Records<'_>, theirs: &[TheirRecord]) {
    let records: Vec<Record<'_>> = ours.by_ref().collect();
    assert!(!ours.is_broken());
    assert_eq!(records.len(), theirs.len());
    for (ours, theirs) in records.iter().zip(theirs) {
        assert_eq!(ours.owner().expect("hickory reads the owner").wire(), wire(&theirs.name));
        assert_eq!(ours.record_type, u16::from(theirs.record_type()));
        assert_eq!(ours.class, u16::from(theirs.dns_class));
        assert_eq!(ours.ttl, least(theirs.ttl));
        match &theirs.data {
            RData::A(address) => assert_eq!(ours.data, address.0.octets()),
            RData::AAAA(address) => assert_eq!(ours.data, address.0.octets()),
            RData::CNAME(name) => assert_eq!(ours.target().unwrap().wire(), wire(&name.0)),
            RData::PTR(name) => assert_eq!(ours.target().unwrap().wire(), wire(&name.0)),
            _ => {}
        }
    }
}

fn wire(name: &TheirName) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in name.iter() {
        wire.push(label.len() as u8);
        wire.extend(label);
    }
    wire.push(0);
    wire
}

// ---- what it says to a question ------------------------------------------------------------------

/// What a message says to a question, in terms that both decoders' readings can be put in.
#[derive(Debug, PartialEq)]
pub enum Said {
    /// Addresses or names, and the canonical name.
    Found(Vec<String>, String),
    NoData,
    NoName,
    Unrelated,
}

/// Whether hickory reads the message; where it does, both find the same in it.
pub fn agree(octets: &[u8], qtype: u16) -> bool {
    let Ok(message) = TheirMessage::from_vec(octets) else {
        // Nothing to compare with; ours must come to an end all the same.
        ours(octets, qtype);
        return false;
    };
    assert_eq!(ours(octets, qtype), Some(theirs(&message, octets, qtype)));
    true
}

/// Our reading, with the seconds that it may be kept.
pub fn ours(octets: &[u8], qtype: u16) -> Option<(Said, u32)> {
    let message = Message::parse(octets)?;
    let name = Name::from_text(ASKED.as_bytes()).unwrap();
    let said = |content: Answer<Said>| match content {
        Answer::Found(said) => said,
        Answer::NoData => Said::NoData,
        Answer::NoName => Said::NoName,
        Answer::Unrelated => Said::Unrelated,
    };
    if qtype == record_type::PTR {
        let mut names = Vec::new();
        let push = &mut |name: &Name| {
            names.push(name.to_string().to_ascii_lowercase());
            Ok(())
        };
        let (content, ttl) = read::pointers(&message, &name, push).unwrap();
        let content = match content {
            Answer::Found(()) => Answer::Found(Said::Found(names, String::new())),
            Answer::NoData => Answer::NoData,
            Answer::NoName => Answer::NoName,
            Answer::Unrelated => Answer::Unrelated,
        };
        return Some((said(content), ttl));
    }
    let (content, ttl) = read::addresses(&message, &name, qtype).unwrap();
    let content = match content {
        Answer::Found(set) => Answer::Found(Said::Found(
            set.addresses.iter().map(|address| address.ip.to_string()).collect(),
            set.canonical.to_string().to_ascii_lowercase(),
        )),
        Answer::NoData => Answer::NoData,
        Answer::NoName => Answer::NoName,
        Answer::Unrelated => Answer::Unrelated,
    };
    Some((said(content), ttl))
}

/// The same by hickory's records.
fn theirs(message: &TheirMessage, octets: &[u8], qtype: u16) -> (Said, u32) {
    let (mut end, mut host_name) = (ASKED.to_owned(), ASKED.to_owned());
    let mut ttl = u32::MAX;
    let of = |owner: &str| {
        let owner = owner.to_owned();
        message
            .answers
            .iter()
            .filter(move |r| r.dns_class == DNSClass::IN && label_text(&r.name) == owner)
    };
    let alias = |record: &TheirRecord| match &record.data {
        RData::CNAME(target) => Some((record.ttl, target.0.clone())),
        _ => None,
    };
    let mut ends = false;
    for _ in 0..MOST_ALIASES {
        let Some((seconds, target)) = of(&end).find_map(alias) else {
            ends = true;
            break;
        };
        ttl = ttl.min(least(seconds));
        end = label_text(&target);
        if is_host_name(&target) {
            host_name.clone_from(&end);
        }
    }
    let mut found = Vec::new();
    for record in of(&end).filter(|_| ends) {
        let value = match (&record.data, qtype) {
            (RData::A(address), record_type::A) => Some(IpAddr::from(address.0).to_string()),
            (RData::AAAA(address), record_type::AAAA) => Some(IpAddr::from(address.0).to_string()),
            (RData::PTR(name), record_type::PTR) if is_host_name(&name.0) => {
                Some(label_text(&name.0))
            }
            _ => None,
        };
        if let Some(value) = value {
            ttl = ttl.min(least(record.ttl));
            found.push(value);
        }
    }
    // The header's own four bits: hickory adds EDNS's.
    let code = octets[3] & 0x0f;
    if !found.is_empty() && code == rcode::NOERROR {
        let canonical = if qtype == record_type::PTR { String::new() } else { host_name };
        return (Said::Found(found, canonical), ttl);
    }
    let said = match (code, u16::from_be_bytes([octets[6], octets[7]])) {
        (rcode::NXDOMAIN, _) => Said::NoName,
        (_, 0) => Said::NoData,
        _ => Said::Unrelated,
    };
    // Of the end of a chain, and only what its own zone's SOA record says.
    let is_broken =
        code == rcode::NOERROR && of(&end).any(|record| u16::from(record.record_type()) == qtype);
    let says_so = |zone: &TheirName| {
        end == ASKED.to_ascii_lowercase() || zone.is_root() || {
            let zone = label_text(zone);
            end == zone || end.ends_with(&format!(".{zone}"))
        }
    };
    let kept = if ends && !is_broken { negative_ttl(message, &says_so) } else { 0 };
    (said, kept.min(ttl))
}

/// RFC 2308 section 5.
fn negative_ttl(message: &TheirMessage, says_so: &dyn Fn(&TheirName) -> bool) -> u32 {
    let soa = |r: &TheirRecord| match &r.data {
        RData::SOA(soa) if r.dns_class == DNSClass::IN => {
            Some(if says_so(&r.name) { least(r.ttl).min(soa.minimum) } else { 0 })
        }
        _ => None,
    };
    message.authorities.iter().find_map(soa).unwrap_or(0)
}

/// RFC 2181 section 8: with the top bit set it is zero.
fn least(ttl: u32) -> u32 {
    if ttl >> 31 == 0 { ttl } else { 0 }
}

/// The labels in the spelling that our names print.
fn label_text(name: &TheirName) -> String {
    let mut text: Vec<u8> = Vec::new();
    for label in name.iter() {
        for &octet in label {
            text.extend(format!("\\{octet:03}").into_bytes());
        }
        text.push(b'.');
    }
    Name::from_text(&text)
        .map_or_else(|e| panic!("{name}: {e:?}"), |name| name.to_string())
        .to_ascii_lowercase()
}

fn is_host_name(name: &TheirName) -> bool {
    let fits = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    name.iter().flatten().all(fits) && !name.iter().next().is_some_and(|l| l.starts_with(b"-"))
}
