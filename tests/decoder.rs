//! Our reading of DNS messages against hickory-proto's: where hickory reads a message, we find the
//! same addresses, names and TTLs in it, and whatever the octets are, reading them ends.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail so")]

mod support;

use std::net::IpAddr;

use hickory_proto::op::Message as TheirMessage;
use hickory_proto::rr::{DNSClass, Name as TheirName, RData, Record as TheirRecord};
use proptest::prelude::*;
use rustdns::source::dns::message::Message;
use rustdns::source::dns::name::Name;
use rustdns::source::dns::read::{self, Content};
use support::wire::{Data, Record, Writer, rcode, rtype};

/// Few names, so that aliases meet: the question's is the first.
const NAMES: [&str; 9] = [
    "www.example.test",
    "WWW.Example.TEST",
    "example.test",
    "a.example.test",
    "b.example.test",
    "-dash.example.test",
    "with\\032space.example.test",
    "l23456789-123456789-123456789-123456789-123456789-123456789-123.test",
    ".",
];

/// How many aliases are followed.
const MOST_ALIASES: usize = 128;

/// What a message says to a question, in terms that both decoders' readings can be put in.
#[derive(Debug, PartialEq)]
enum Said {
    /// Addresses or names, and the canonical name.
    Found(Vec<String>, String),
    NoData,
    NoName,
    Unrelated,
}

// ---- our reading -------------------------------------------------------------------------------

fn ours(octets: &[u8], qtype: u16) -> Option<(Said, u32)> {
    let message = Message::parse(octets)?;
    let name = Name::from_text(NAMES[0].as_bytes()).unwrap();
    let said = |content: Content<Said>| match content {
        Content::Found(said) => said,
        Content::NoData => Said::NoData,
        Content::NoName => Said::NoName,
        Content::Unrelated => Said::Unrelated,
    };
    if qtype == rtype::PTR {
        let mut names = Vec::new();
        let push = &mut |name: &Name| {
            names.push(name.to_string().to_ascii_lowercase());
            Ok(())
        };
        let (content, ttl) = read::pointers(&message, &name, push).unwrap();
        let content = match content {
            Content::Found(()) => Content::Found(Said::Found(names, String::new())),
            Content::NoData => Content::NoData,
            Content::NoName => Content::NoName,
            Content::Unrelated => Content::Unrelated,
        };
        return Some((said(content), ttl));
    }
    let (content, ttl) = read::addresses(&message, &name, qtype).unwrap();
    let content = match content {
        Content::Found(set) => Content::Found(Said::Found(
            set.addresses.iter().map(|address| address.ip.to_string()).collect(),
            set.canonical.to_string().to_ascii_lowercase(),
        )),
        Content::NoData => Content::NoData,
        Content::NoName => Content::NoName,
        Content::Unrelated => Content::Unrelated,
    };
    Some((said(content), ttl))
}

// ---- the same by hickory's records -------------------------------------------------------------

fn theirs(message: &TheirMessage, octets: &[u8], qtype: u16) -> (Said, u32) {
    let (mut end, mut host_name) = (text(NAMES[0]), text(NAMES[0]));
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
            (RData::A(address), rtype::A) => Some(IpAddr::from(address.0).to_string()),
            (RData::AAAA(address), rtype::AAAA) => Some(IpAddr::from(address.0).to_string()),
            (RData::PTR(name), rtype::PTR) if is_host_name(&name.0) => Some(label_text(&name.0)),
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
        let canonical = if qtype == rtype::PTR { String::new() } else { host_name };
        return (Said::Found(found, canonical), ttl);
    }
    let said = match (code, u16::from_be_bytes([octets[6], octets[7]])) {
        (rcode::NXDOMAIN, _) => Said::NoName,
        (_, 0) => Said::NoData,
        _ => Said::Unrelated,
    };
    (said, negative_ttl(message))
}

/// RFC 2308 section 5.
fn negative_ttl(message: &TheirMessage) -> u32 {
    let soa = |r: &TheirRecord| match &r.data {
        RData::SOA(soa) if r.dns_class == DNSClass::IN => Some(least(r.ttl).min(soa.minimum)),
        _ => None,
    };
    message.authorities.iter().find_map(soa).unwrap_or(0)
}

/// RFC 2181 section 8: with the top bit set it is zero.
fn least(ttl: u32) -> u32 {
    if ttl >> 31 == 0 { ttl } else { 0 }
}

fn text(name: &str) -> String {
    Name::from_text(name.as_bytes()).unwrap().to_string().to_ascii_lowercase()
}

/// The labels in the spelling that our names print.
fn label_text(name: &TheirName) -> String {
    let mut wire: Vec<u8> = Vec::new();
    for label in name.iter() {
        for &octet in label {
            wire.extend(format!("\\{octet:03}").into_bytes());
        }
        wire.push(b'.');
    }
    Name::from_text(&wire)
        .map_or_else(|e| panic!("{name}: {e:?}"), |name| name.to_string())
        .to_ascii_lowercase()
}

fn is_host_name(name: &TheirName) -> bool {
    let fits = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    name.iter().flatten().all(fits) && !name.iter().next().is_some_and(|l| l.starts_with(b"-"))
}

// ---- messages ----------------------------------------------------------------------------------

fn a_name() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(NAMES.to_vec())
}

fn some_data() -> impl Strategy<Value = Data> {
    prop_oneof![
        3 => any::<[u8; 4]>().prop_map(|octets| Data::A(octets.into())),
        3 => any::<[u8; 16]>().prop_map(|octets| Data::Aaaa(octets.into())),
        4 => a_name().prop_map(|name| Data::Name(rtype::CNAME, name.to_owned())),
        3 => a_name().prop_map(|name| Data::Name(rtype::PTR, name.to_owned())),
        1 => a_name().prop_map(|name| Data::Mx(10, name.to_owned())),
        1 => a_name().prop_map(|name| Data::Soa(name.trim_end_matches('.').to_owned())),
        1 => any::<[u8; 12]>().prop_map(|octets| Data::Txt(octets.to_vec())),
    ]
}

prop_compose! {
    fn a_record()(
        owner in a_name(),
        class in prop_oneof![9 => Just(1_u16), 1 => Just(3)],
        ttl in any::<u32>(),
        data in some_data(),
    ) -> Record {
        Record { owner: owner.to_owned(), class, ttl, data }
    }
}

prop_compose! {
    fn a_message()(
        code in prop_oneof![6 => Just(0_u16), 2 => Just(3), 1 => 0..16_u16],
        qtype in proptest::sample::select(vec![rtype::A, rtype::AAAA, rtype::PTR]),
        compress in any::<bool>(),
        answers in proptest::collection::vec(a_record(), 0..8),
        authority in proptest::collection::vec(a_record(), 0..3),
    ) -> (Vec<u8>, u16) {
        let mut writer = Writer::new(7, 0x8180 | code, compress);
        writer.question(NAMES[0], qtype, 1);
        answers.iter().for_each(|record| writer.record(1, record));
        authority.iter().for_each(|record| writer.record(2, record));
        (writer.bytes, qtype)
    }
}

/// Some octets replaced, and perhaps the end cut off.
fn damaged(message: &[u8], changes: &[(usize, u8)], keep: usize) -> Vec<u8> {
    let mut octets = message.to_vec();
    for &(at, value) in changes {
        let at = at % octets.len();
        octets[at] = value;
    }
    octets.truncate(12.max(keep % (octets.len() * 4)));
    octets
}

fn agree(octets: &[u8], qtype: u16) -> Result<bool, TestCaseError> {
    let Ok(message) = TheirMessage::from_vec(octets) else {
        // Nothing to compare with; ours must come to an end all the same.
        ours(octets, qtype);
        return Ok(false);
    };
    prop_assert_eq!(ours(octets, qtype), Some(theirs(&message, octets, qtype)));
    Ok(true)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn well_formed_messages_say_the_same_to_both((octets, qtype) in a_message()) {
        prop_assert!(agree(&octets, qtype)?, "hickory does not read it");
    }

    #[test]
    fn damaged_messages_say_the_same_where_hickory_reads_them(
        (octets, qtype) in a_message(),
        changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..4),
        keep in any::<usize>(),
    ) {
        agree(&damaged(&octets, &changes, keep), qtype)?;
    }

    #[test]
    fn any_octets_are_survived(
        octets in proptest::collection::vec(any::<u8>(), 0..600),
        pointers in any::<bool>(),
    ) {
        // Half of the time mostly pointers and short labels, to be led astray by.
        let octets: Vec<u8> = if pointers {
            octets.iter().enumerate().map(|(i, b)| if i > 12 && b % 3 == 0 { 0xc0 } else { b % 64 }).collect()
        } else {
            octets
        };
        for qtype in [rtype::A, rtype::AAAA, rtype::PTR] {
            agree(&octets, qtype)?;
        }
    }
}

#[test]
fn a_circle_of_aliases_leads_nowhere_not_to_the_root() {
    let mut writer = Writer::new(7, 0x8180, true);
    writer.question(NAMES[0], rtype::A, 1);
    writer.record(1, &Record::cname(NAMES[0], "example.test"));
    writer.record(1, &Record::cname("example.test", NAMES[0]));
    writer.record(1, &Record::address(".", "192.0.2.66"));
    assert_eq!(ours(&writer.bytes, rtype::A), Some((Said::Unrelated, 0)));
}
