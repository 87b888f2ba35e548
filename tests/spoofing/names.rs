//! Names that come from servers: a program is told of host names alone, since it may print them, split
//! them or hand them to a shell. Letters, digits, `-` and `_`, as libc has it; no `-` at the beginning.

use std::fmt::Write as _;

use crate::support::differential::{LIMIT, probe_within};
use crate::support::dns::{Question, Reply, Server};
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Record, rtype};

/// `a`, this octet, `b`, as master files write it.
fn with(octet: u8) -> String {
    format!("a\\{octet:03}b.test")
}

fn is_allowed(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_'
}

/// The answers of one batch, without the calls' echo.
fn answers(text: &str) -> Vec<String> {
    text.split("> ").skip(1).map(|one| one.split_once('\n').unwrap().1.to_owned()).collect()
}

#[test]
fn a_canonical_name_of_any_octet() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, |q: &Question| {
            let number: u8 = q.name[1..4].parse().unwrap();
            let target = with(number);
            Reply::records([Record::cname(&q.name, &target), Record::address(&target, "192.0.2.1")])
        });
        let mut calls = String::new();
        for octet in 0..=255 {
            writeln!(calls, "gai -t stream -f inet -F CANONNAME n{octet:03}.test. -").unwrap();
        }
        let got = probe_within(LIMIT, sandbox, true, &calls).out();
        for (octet, answer) in (0..=255).zip(answers(&got)) {
            let canonical = answer.split("canonname=").nth(1).unwrap().trim();
            let asked = format!("n{octet:03}.test");
            let allowed = format!("a{}b.test", char::from(octet));
            let expected = if is_allowed(octet) { &allowed } else { &asked };
            assert_eq!(canonical, expected, "octet {octet}: {answer}");
        }
    });
}

#[test]
fn a_host_of_an_address_of_any_octet() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, |q: &Question| {
            let number: u8 = q.name.split('.').next().unwrap().parse().unwrap();
            Reply::records([Record::ptr(&q.name, &with(number))])
        });
        let mut calls = String::new();
        for octet in 0..=255 {
            writeln!(calls, "gni -F NAMEREQD 192.0.2.{octet} 0").unwrap();
            writeln!(calls, "gni 192.0.2.{octet} 0").unwrap();
        }
        let got = probe_within(LIMIT, sandbox, true, &calls).out();
        let answers = answers(&got);
        assert_eq!(answers.len(), 512);
        for (octet, pair) in (0..=255).zip(answers.chunks(2)) {
            if is_allowed(octet) {
                let host = format!("host=a{}b.test", char::from(octet));
                assert!(pair.iter().all(|answer| answer.contains(&host)), "{octet}: {pair:?}");
            } else {
                assert!(pair[0].starts_with("EAI_NONAME"), "{octet}: {pair:?}");
                assert!(pair[1].contains(&format!("host=192.0.2.{octet}\n")), "{octet}: {pair:?}");
            }
        }
    });
}

#[test]
fn a_name_that_looks_like_an_option() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, |q: &Question| match q.qtype {
            rtype::PTR => Reply::records([Record::ptr(&q.name, "-rf.test")]),
            _ => Reply::records([
                Record::cname(&q.name, "-rf.test"),
                Record::address("-rf.test", "192.0.2.1"),
            ]),
        });
        let calls = "gai -t stream -f inet -F CANONNAME n.test. -\ngni -F NAMEREQD 192.0.2.1 0\n";
        let got = probe_within(LIMIT, sandbox, true, calls).out();
        assert!(got.contains("canonname=n.test") && got.contains("EAI_NONAME"), "{got}");
    });
}
