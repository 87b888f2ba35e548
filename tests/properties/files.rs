//! Configuration files: lines put together of what such files have in them and what they should not.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use rustdns::config::nsswitch::Action;

use crate::{cases, checks};

/// What stands between words, and at the beginnings and ends of lines.
const BLANKS: &[&str] =
    &[" ", "\t", "  ", " \t", "\r", "\u{b}", "\u{c}", "", "#", " # ", ";", "\0"];
/// Addresses, and what is nearly one.
pub(crate) const ADDRESSES: &[&str] = &[
    "127.0.0.1",
    "192.0.2.1",
    "192.0.2.2",
    "10.1",
    "0x7f.1",
    "0177.1",
    "256.1.1.1",
    "1.2.3.4.5",
    "::1",
    "2001:db8::1",
    "fe80::1%lo",
    "fe80::1%7",
    "fe80::1%nix",
    "2001:db8::1%3",
    "::ffff:192.0.2.9",
    "::",
    "1::2::3",
    "[::1]",
    "08.1.1.1",
    "2130706433",
    "+1.2.3.4",
    "255.255.240.0",
];

/// Lines of words of these kinds, most of them with blanks between, some octets replaced.
pub(crate) fn lines(words: &'static [&'static [&'static str]]) -> impl Strategy<Value = Vec<u8>> {
    let word = select(words.to_vec()).prop_flat_map(|kind| select(kind.to_vec()));
    let blank = prop_oneof![5 => Just(" "), 2 => select(BLANKS.to_vec())];
    let end = prop_oneof![8 => Just("\n"), 1 => Just("\r\n"), 1 => Just("")];
    let line = (vec((word, blank), 0..7), end).prop_map(|(words, end)| {
        let mut line: String = words.iter().flat_map(|(word, blank)| [*word, *blank]).collect();
        line.push_str(end);
        line
    });
    (vec(line, 0..9), vec((any::<usize>(), any::<u8>()), 0..2)).prop_map(|(lines, changes)| {
        let mut text = lines.concat().into_bytes();
        for (at, octet) in changes {
            let at = at % text.len().max(1);
            if let Some(place) = text.get_mut(at) {
                *place = octet;
            }
        }
        text
    })
}

/// A line begins with a keyword more often than its share of the kinds.
pub(crate) const RESOLV: &[&[&str]] = &[
    RESOLV_KEYS,
    RESOLV_KEYS,
    ADDRESSES,
    &[
        "a.test",
        "b.test",
        ".",
        "a\\.b",
        "search",
        "x",
        "-",
        "1.2.3.4/255.0.0.0",
        "10.0.0.0&0xff",
        "/",
    ],
    &[
        "ndots:2",
        "ndots:",
        "ndots:-3",
        "ndots:99",
        "ndots:+4x",
        "timeout:7",
        "timeout:0",
        "attempts:3",
        "attempts:4294967298",
        "timeout:99",
    ],
    &[
        "rotate",
        "rotated",
        "use-vc",
        "edns0",
        "trust-ad",
        "no-aaaa",
        "no-tld-query",
        "no_tld_query",
        "single-request",
        "single-request-reopen",
        "debug",
        "inet6",
        "nonsense",
    ],
];
const RESOLV_KEYS: &[&str] =
    &["nameserver", "search", "domain", "options", "sortlist", "Nameserver", "\nnameserver"];

pub(crate) const NAMES: &[&str] = &[
    "host.test",
    "HOST.test",
    "Host.Test",
    "h",
    "localhost",
    "a_b",
    "-x",
    "h#x",
    "b\\\"c",
    "é.test",
];

pub(crate) const HOSTS: &[&[&str]] = &[ADDRESSES, NAMES, &["\n127.0.0.1", "\n::1", "\n192.0.2.1"]];

pub(crate) const SERVICES: &[&[&str]] = &[
    &["http", "www", "HTTP", "domain", "ntp", "x-y", "80"],
    &[
        "80/tcp",
        "80/udp",
        "0x50/tcp",
        "0120/tcp",
        "65536/tcp",
        "65616/udp",
        "4294967376/tcp",
        "08/tcp",
        "+80/tcp",
        "-1/tcp",
        "80//tcp",
        "80/",
        "/tcp",
        "80",
        "80/TCP",
        "1/sctp",
        "80x/tcp",
    ],
    NAMES,
];

const NSSWITCH: &[&[&str]] = &[
    &[
        "files",
        "dns",
        "myhostname",
        "resolve",
        "mdns4_minimal",
        "mdns",
        "ldap",
        "FILES",
        "files,dns",
    ],
    &[
        "[NOTFOUND=return]",
        "[!UNAVAIL=return]",
        "[notfound = CONTINUE tryagain=merge]",
        "[SUCCESS=continue]",
    ],
    &[
        "[",
        "]",
        "!",
        "=",
        "NOTFOUND",
        "return",
        "[]",
        "[NOTFOUND=stop]",
        ":",
        "hosts:",
        "\nhosts:",
        "#",
    ],
];

const ACTIONS: &[Action] = &[Action::Return, Action::Continue, Action::Merge];

const GAI: &[&[&str]] = &[
    &["label", "precedence", "scopev4", "reload", "\nlabel", "\nprecedence", "\nscopev4", "Label"],
    &[
        "::1/128",
        "::/0",
        "::ffff:0:0/96",
        "2002::/16",
        "2001:db8::/32",
        "2001:db8:1::/48",
        "fc00::/7",
        "::ffff:10.0.0.0/104",
        "10.0.0.0/8",
        "10.1.0.0/16",
        "0.0.0.0/0",
        "192.0.2.0/24",
        "::1",
        "::1/129",
        "::ffff:1.2.3.4/95",
        "1.2.3.4/33",
        "::/",
        "::/+3",
        "2001:db8::/127",
    ],
    &["0", "1", "2", "5", "14", "40", "100", "+7", "2147483647", "2147483648", "1x", "yes", "no"],
];

const SETTINGS: &[&[&str]] = &[
    &[
        "upstream",
        "cache",
        "cache-max-ttl",
        "cache-negative-ttl",
        "foreign",
        "case-randomization",
        "debug",
        "log",
        "root",
        "mode",
        "\nupstream",
        "\ncache",
        "\nlog",
        "\nroot",
        "\nmode",
    ],
    &[
        "on",
        "off",
        "libc",
        "skip",
        "stderr",
        "syslog",
        "/tmp/x",
        "/",
        "relative",
        "normal",
        "test-only",
    ],
    &["0", "1", "2", "3", "4096", "1048576", "1048577", "4294967295", "4294967296", "-1", "+5"],
    &[
        "[::1]:5353",
        "127.0.0.1:54",
        "127.0.0.1:0",
        "[fe80::1%lo]:53",
        "1.2.3.4:65536",
        "tls://1.2.3.4",
    ],
    ADDRESSES,
];

proptest! {
    #![proptest_config(cases(3000))]

    #[test]
    fn resolv_conf(text in lines(RESOLV)) {
        checks::resolv::check(&text);
    }

    #[test]
    fn hosts(text in lines(HOSTS)) {
        checks::hosts::check(&text);
    }

    #[test]
    fn services(text in lines(SERVICES)) {
        checks::services::check(&text);
    }

    #[test]
    fn nsswitch_conf(text in lines(NSSWITCH)) {
        checks::nsswitch::check(&text);
    }

    #[test]
    fn nsswitch_criteria(criteria in vec((any::<bool>(), 0..4usize, select(ACTIONS.to_vec())), 1..6)) {
        checks::nsswitch::check_criteria(&criteria);
    }

    #[test]
    fn gai_conf(text in lines(GAI)) {
        checks::gai::check(&text);
    }

    /// Few prefixes, so that rows for one prefix, and one in another, meet.
    #[test]
    fn gai_conf_rows_that_meet(rows in vec((
        select(vec!["label", "precedence", "scopev4"]),
        select(vec!["::/0", "::ffff:0:0/96", "::ffff:10.0.0.0/104", "10.0.0.0/8", "10.0.0.0/9"]),
        0..20,
    ), 0..9)) {
        let line = |(keyword, prefix, value)| format!("{keyword} {prefix} {value}\n");
        checks::gai::check(rows.into_iter().map(line).collect::<String>().as_bytes());
    }

    #[test]
    fn rustdns_conf(text in lines(SETTINGS)) {
        checks::settings::check(&text);
    }
}

proptest! {
    #![proptest_config(cases(1000))]

    /// Octets that look like nothing at all.
    #[test]
    fn any_octets(text: Vec<u8>) {
        for check in [
            checks::resolv::check,
            checks::hosts::check,
            checks::services::check,
            checks::nsswitch::check,
            checks::gai::check,
            checks::settings::check,
        ] {
            check(&text);
        }
    }
}
