//! Our reading of DNS messages against hickory-proto's: where hickory reads a message, we find the
//! same header, records, addresses, names and TTLs in it, and whatever the octets are, reading ends.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests fail so")]

#[path = "checks/mod.rs"]
mod checks;
mod support;

use checks::message::{Said, agree, check, check_cut, ours};
use proptest::prelude::*;
use rustdns::base::name::Name;
use rustdns::source::dns::message::Message;
use support::wire::{Data, Record, Writer, rtype};

/// Few names, so that aliases meet: the question's is the first.
const NAMES: [&str; 9] = [
    checks::message::ASKED,
    "WWW.Example.TEST",
    "example.test",
    "a.example.test",
    "b.example.test",
    "-dash.example.test",
    "with\\032space.example.test",
    "l23456789-123456789-123456789-123456789-123456789-123456789-123.test",
    ".",
];

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

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn well_formed_messages_say_the_same_to_both((octets, qtype) in a_message()) {
        prop_assert!(agree(&octets, qtype), "hickory does not read it");
        check(&octets);
    }

    #[test]
    fn damaged_messages_say_the_same_where_hickory_reads_them(
        (octets, qtype) in a_message(),
        changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..4),
        keep in any::<usize>(),
    ) {
        let octets = damaged(&octets, &changes, keep);
        agree(&octets, qtype);
        check(&octets);
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
        check(&octets);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_beginning_of_a_message_has_the_first_of_its_records(
        (octets, _) in a_message(),
        changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..2),
    ) {
        check_cut(&damaged(&octets, &changes, usize::MAX));
    }
}

/// A response whose only record is an NSEC one of `host.local` with these octets behind its name.
fn nsec(bitmap: &[u8]) -> Vec<u8> {
    let mut octets =
        b"\0\0\x84\0\0\0\0\x01\0\0\0\0\x04host\x05local\0\0\x2f\x80\x01\0\0\0\x78".to_vec();
    octets.extend(u16::try_from(bitmap.len() + 2).unwrap().to_be_bytes());
    octets.extend(b"\xc0\x0c");
    octets.extend(bitmap);
    octets
}

proptest! {
    #[test]
    fn an_nsec_record_denies_the_types_that_are_not_in_its_bitmap(
        types in proptest::collection::btree_set(0..=255_u16, 0..12),
        longer in 0..3_usize,
    ) {
        let last = types.last().map_or(0, |last| usize::from(last / 8));
        let mut bits = vec![0_u8; (last + 1 + longer).min(32)];
        types.iter().for_each(|qtype| bits[usize::from(qtype / 8)] |= 0x80 >> (qtype % 8));
        let octets = nsec(&[&[0, u8::try_from(bits.len()).unwrap()], &*bits].concat());
        let name = Name::from_text(b"HOST.local").unwrap();
        let record = Message::parse(&octets).unwrap().answers().next().unwrap();
        for qtype in 0..=255 {
            prop_assert_eq!(record.denies(&name, qtype), !types.contains(&qtype));
        }
        prop_assert!(!record.denies(&name, 256) && !record.denies(&Name::ROOT, 99));
    }

    #[test]
    fn an_nsec_record_of_any_octets_is_survived(
        bitmap in proptest::collection::vec(any::<u8>(), 0..40),
        qtype in any::<u16>(),
    ) {
        let octets = nsec(&bitmap);
        let name = Name::from_text(b"host.local").unwrap();
        let record = Message::parse(&octets).unwrap().answers().next().unwrap();
        let is_form = bitmap.first() == Some(&0)
            && bitmap.get(1).is_some_and(|&len| len > 0 && usize::from(len) == bitmap.len() - 2);
        prop_assert!(is_form || !record.denies(&name, qtype));
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
