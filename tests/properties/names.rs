//! Domain names: text, wire form, limits; and queries that are made of them.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use rustdns::base::name::Name;

use crate::{cases, checks};

/// Labels of any octets, some of them at the limits.
fn label() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => vec(any::<u8>(), 1..12),
        2 => "[a-zA-Z0-9_-]{1,9}".prop_map(String::into_bytes),
        2 => vec(select(b".\\\"$@;()\0 a".to_vec()), 1..6),
        1 => (60..66usize).prop_map(|length| vec![b'x'; length]),
        1 => Just(Vec::new()),
    ]
}

/// Text with many dots and escapes in it.
fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        6 => "[a-zA-Z0-9_-]{1,8}",
        4 => Just(".".to_owned()),
        1 => "\\\\[0-9]{1,4}",
        1 => "\\\\[.a\\\\;]",
        1 => select(vec!["\\", "\"", " ", "$", "@", "\t", "\u{7f}", "é", "\\300", "\\000"]).prop_map(str::to_owned),
        1 => "[a-z]{58,66}",
    ];
    vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(cases(4000))]

    #[test]
    fn as_libc_reads_and_writes_them(text in text()) {
        checks::name::check(text.as_bytes());
    }

    #[test]
    fn labels_of_any_octets(labels in vec(label(), 0..6)) {
        checks::name::check_labels(&labels);
    }

    /// Would find: a label or a name that is one octet too long and passes, or just long enough and
    /// does not.
    #[test]
    fn limits(lengths in vec(55..65usize, 3..5), last in 1..64usize) {
        let labels: Vec<Vec<u8>> =
            lengths.into_iter().chain([last]).map(|length| vec![b'a'; length]).collect();
        checks::name::check_labels(&labels);
    }

    /// Would find: an order of comparison in which a name equals another's beginning, or a digit or
    /// bracket counts as a letter's other case.
    #[test]
    fn only_letters_have_case(a in "[@A-Z\\[`a-z{0-9]{1,3}", b in "[@A-Z\\[`a-z{0-9]{1,3}") {
        let read = |text: &str| Name::from_text(text.replace('@', "\\@").as_bytes()).unwrap();
        prop_assert_eq!(read(&a).is(&read(&b)), a.eq_ignore_ascii_case(&b));
    }

    /// Would find: nibbles or octets in the wrong order, or a digit too many.
    #[test]
    fn reverse_names(ip: std::net::IpAddr) {
        let expected = match ip {
            std::net::IpAddr::V4(ip) => {
                let mut octets = ip.octets().map(|octet| octet.to_string());
                octets.reverse();
                format!("{}.in-addr.arpa", octets.join("."))
            }
            std::net::IpAddr::V6(ip) => {
                let digits: Vec<String> =
                    format!("{:032x}", ip.to_bits()).chars().rev().map(String::from).collect();
                format!("{}.ip6.arpa", digits.join("."))
            }
        };
        prop_assert_eq!(Name::reverse(ip).to_string(), expected);
    }

    #[test]
    fn queries(numbers: [u8; 6], text in text()) {
        checks::mkquery::check(&[&numbers, text.as_bytes()].concat());
    }
}
