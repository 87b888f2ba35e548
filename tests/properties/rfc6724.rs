//! The examples of RFC 6724 section 10 that are about destinations (10.2 to 10.7). Those of 10.1 are
//! about source addresses, which the kernel chooses.

use std::cmp::Ordering;

use rustdns::base::address::Address;
use rustdns::config::gai;
use rustdns::rules::select::Rule::{self, Home, LongestPrefix, MatchingLabel, MatchingScope, NotDeprecated, Precedence, SmallerScope};
use rustdns::rules::select::{Candidate, Source, decided_by, sort};

use crate::checks;

/// Section 2.1's default policy table, in gai.conf(5)'s words: prefix, precedence, label.
const DEFAULT: &[(&str, u32, u32)] = &[
    ("::1/128", 50, 0),
    ("::/0", 40, 1),
    ("::ffff:0:0/96", 35, 4),
    ("2002::/16", 30, 2),
    ("2001::/32", 5, 5),
    ("fc00::/7", 3, 13),
    ("::/96", 1, 3),
    ("fec0::/10", 1, 11),
    ("3ffe::/16", 1, 12),
];

/// What an example changes in the table: rows that are added, or take another's place.
type Changes = &'static [(&'static str, u32, u32)];

/// 10.3: IPv4 is preferred.
const IPV4: Changes = &[("::ffff:0:0/96", 100, 4)];
/// 10.4: global addresses are preferred to link-local ones.
const GLOBAL: Changes = &[("fe80::/10", 33, 1)];
/// 10.5: a provider for what goes from one site to another.
const MULTIHOMED: Changes = &[("2001:db8:1aaa::/48", 43, 6), ("2001:db8:1bbb::/48", 43, 6)];
/// 10.6: the site's own unique local addresses are preferred.
const LOCAL: Changes = &[("fd11:1111:1111::/48", 45, 14)];
/// 10.7: the site's 6to4 addresses are as good as native ones.
const SIX_TO_FOUR: Changes = &[("2002:c633:6401::/48", 30, 1)];

/// Section, changes of the table, what comes first and what second, each with its source (and what is
/// known of it), and the rule that decides.
type Example = (&'static str, Changes, [&'static str; 2], [&'static str; 2], Rule);

const EXAMPLES: &[Example] = &[
    ("10.2", &[], ["2001:db8:1::1", "2001:db8:1::2"], ["198.51.100.121", "169.254.13.78"], MatchingScope),
    ("10.2", &[], ["198.51.100.121", "198.51.100.117"], ["2001:db8:1::1", "fe80::1"], MatchingScope),
    ("10.2", &[], ["2001:db8:1::1", "2001:db8:1::2"], ["10.1.2.3", "10.1.2.4"], Precedence),
    ("10.2", &[], ["fe80::1", "fe80::2"], ["2001:db8:1::1", "2001:db8:1::2"], SmallerScope),
    ("10.2", &[], ["2001:db8:1::1", "2001:db8:3::1 home"], ["fe80::1", "fe80::2"], Home),
    ("10.2", &[], ["2001:db8:1::1", "2001:db8:1::2"], ["fe80::1", "fe80::2 deprecated"], NotDeprecated),
    ("10.2", &[], ["2001:db8:1::1", "2001:db8:1::2"], ["2001:db8:3ffe::1", "2001:db8:3f44::2"], LongestPrefix),
    ("10.2", &[], ["2002:c633:6401::1", "2002:c633:6401::2"], ["2001:db8:1::1", "2002:c633:6401::2"], MatchingLabel),
    ("10.2", &[], ["2001:db8:1::1", "2001:db8:1::2"], ["2002:c633:6401::1", "2002:c633:6401::2"], Precedence),
    ("10.3", IPV4, ["2001:db8::1", "2001:db8::2"], ["198.51.100.121", "169.254.13.78"], MatchingScope),
    ("10.3", IPV4, ["198.51.100.121", "198.51.100.117"], ["2001:db8::1", "fe80::1"], MatchingScope),
    ("10.3", IPV4, ["10.1.2.3", "10.1.2.4"], ["2001:db8::1", "2001:db8::2"], Precedence),
    ("10.4", GLOBAL, ["2001:db8::1", "2001:db8::2"], ["fe80::1", "fe80::2"], Precedence),
    ("10.4", GLOBAL, ["fe80::1", "fe80::2"], ["2001:db8::1", "2001:db8::2 deprecated"], NotDeprecated),
    ("10.5", &[], ["2001:db8:70bb::b", "2001:db8:70aa::a"], ["2001:db8:1bbb::b", "2001:db8:1aaa::a"], LongestPrefix),
    ("10.5", &[], ["2001:db8:1ccc::c", "2001:db8:1aaa::a"], ["2001:db8:6ccc::c", "2001:db8:70aa::a"], LongestPrefix),
    ("10.5", MULTIHOMED, ["2001:db8:1bbb::b", "2001:db8:1aaa::a"], ["2001:db8:70bb::b", "2001:db8:70aa::a"], Precedence),
    ("10.5", MULTIHOMED, ["2001:db8:6ccc::c", "2001:db8:70aa::a"], ["2001:db8:1ccc::c", "2001:db8:70aa::a"], LongestPrefix),
    ("10.6", &[], ["2001:db8:2::2", "2001:db8:1::1"], ["fd22:2222:2222:2::2", "fd11:1111:1111:1::1"], Precedence),
    ("10.6", LOCAL, ["fd11:1111:1111:2::2", "fd11:1111:1111:1::1"], ["2001:db8:2::2", "2001:db8:1::1"], Precedence),
    ("10.7", &[], ["203.0.113.1", "10.1.2.3"], ["2001:db8:1::1", "2002:c633:6401::2"], MatchingLabel),
    ("10.7", SIX_TO_FOUR, ["2001:db8:1::1", "2002:c633:6401::2"], ["203.0.113.1", "10.1.2.3"], Precedence),
];

fn candidate([destination, source]: [&str; 2]) -> Candidate {
    let mut words = source.split(' ');
    let mut source = Source::new(words.next().unwrap().parse().unwrap());
    match words.next() {
        None => {}
        Some("home") => source.home = true,
        Some("deprecated") => source.deprecated = true,
        Some(other) => panic!("{other}"),
    }
    Candidate { destination: Address::new(destination.parse().unwrap()), source: Some(source) }
}

/// Would find: a rule that is missing, turned round or in another place, a table that is not obeyed.
#[test]
fn examples() {
    for &(section, changes, first, second, rule) in EXAMPLES {
        let unchanged = DEFAULT.iter().filter(|(prefix, ..)| !changes.iter().any(|c| c.0 == *prefix));
        let rows = unchanged.chain(changes).map(|(prefix, precedence, label)| {
            format!("precedence {prefix} {precedence}\nlabel {prefix} {label}\n")
        });
        let policy = gai::parse(Some(rows.collect::<String>().as_bytes())).unwrap();
        assert!(policy.notes.is_empty());
        let what = format!("section {section}, {first:?} before {second:?}");
        let (first, second) = (candidate(first), candidate(second));
        assert_eq!(decided_by(&first, &second, &policy), (Ordering::Less, rule), "{what}");
        assert_eq!(checks::select::reference(&first, &second, &policy), Ordering::Less, "{what}");
        for mut list in [[first, second], [second, first]] {
            sort(&mut list, &policy).unwrap();
            assert_eq!(list, [first, second], "{what}");
        }
    }
}
