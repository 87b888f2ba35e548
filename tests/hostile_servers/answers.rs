//! Answers that are to something else, or say more than was asked.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use crate::support::conversation::Conversation;
use crate::support::differential::{LIMIT, compare_calls, probe, probe_within};
use crate::support::dns::{Question, Reply, Server, Transport};
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Record, rtype};
use crate::{address, assert_same, forged, right};

/// Sends what `confuse` makes of both queries of one lookup once both have come, then the right answers.
fn both_at_once(confuse: fn(&Question, &Question) -> Reply) {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "options timeout:2 attempts:1\n");
        let first: Mutex<Option<Question>> = Mutex::default();
        let _server = Server::start(sandbox, move |q: &Question| {
            let mut first = first.lock().unwrap();
            match first.take() {
                None => {
                    *first = Some(q.clone());
                    Reply::drop()
                }
                Some(other) => {
                    let right_too = Reply::raw(right(&other).message(&other));
                    confuse(q, &other).then(right_too).then(right(q))
                }
            }
        });
        let got = probe(sandbox, true, "gai -t stream n.test. -\n").out();
        assert!(got.contains(" 192.0.2.1 ") && got.contains(" 2001:db8::1 "), "{got}");
        assert!(!got.contains("192.0.2.66") && !got.contains("::bad"), "{got}");
    });
}

/// The message with another id.
fn under(id: u16, reply: &Reply, q: &Question) -> Reply {
    let mut message = reply.message(q);
    message[..2].copy_from_slice(&id.to_be_bytes());
    Reply::raw(message)
}

#[test]
fn under_the_other_querys_id() {
    both_at_once(|q, other| {
        under(other.id, &forged(q), q).then(under(q.id, &forged(other), other))
    });
}

#[test]
fn with_the_other_querys_records() {
    // The question and the id are right; the records are those of the other type, or name another.
    both_at_once(|q, other| {
        let stray = Reply::records([address("other.test", q.qtype, true)]);
        under(q.id, &stray, other).then(under(other.id, &stray, q))
    });
}

#[test]
fn records_of_the_wrong_type_are_no_addresses() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, |q: &Question| {
            let wrong = if q.qtype == rtype::A { rtype::AAAA } else { rtype::A };
            Reply::records([address(&q.name, wrong, true)])
        });
        assert_same!(compare_calls(sandbox, "gai -t stream n.test. -\n"));
        let got = probe(sandbox, true, "gai -t stream n.test. -\n").out();
        assert!(got.contains("EAI_"), "{got}");
    });
}

#[test]
fn what_is_said_of_other_names_is_not_kept() {
    Sandbox::enter(|sandbox| {
        let server = Server::start(sandbox, |q: &Question| {
            let bank = address("bank.test", q.qtype, true);
            match &*q.name {
                "bank.test" => right(q),
                // An alias for it, with its records: true for who has asked for the alias.
                "alias.test" => Reply::records([Record::cname(&q.name, "bank.test"), bank]),
                _ => right(q).answers([bank.clone()]).authority([bank.clone()]).additional([bank]),
            }
        });
        let mut process = Conversation::begin(sandbox, &[]);
        process.finds("some.test", "192.0.2.1");
        process.finds("alias.test", "192.0.2.66");
        process.finds("bank.test", "192.0.2.1");
        let bank = "bank.test 1 udp".to_owned();
        assert!(server.asked().contains(&bank), "it was asked for: {:?}", server.asked());
    });
}

#[test]
fn nxdomain_with_records() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, |q: &Question| {
            let all = right(q);
            Reply::nxdomain().answers([address(&q.name, q.qtype, false)]).soa("test").then(all)
        });
        let calls = "gai -t stream n.test. -\ngai -f inet n.test. -\ngai -f inet6 n.test. -\n";
        assert_same!(compare_calls(sandbox, calls));
        assert_eq!(probe(sandbox, true, calls).out().matches("EAI_NONAME").count(), 3);
    });
}

#[test]
fn many_copies_of_one_answer() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, |q: &Question| match q.transport {
            // A hundred answers to A are there before one to AAAA.
            Transport::Udp if q.qtype == rtype::A => {
                (0..100).fold(right(q), |reply, _| reply.then(right(q)))
            }
            Transport::Udp => Reply::drop(),
            Transport::Tcp => right(q),
        });
        let mut calls = String::new();
        (0..20).for_each(|n| writeln!(calls, "gai -t stream n{n}.test. -").unwrap());
        let got = probe(sandbox, true, &calls).out();
        for address in [" 192.0.2.1 ", " 2001:db8::1 "] {
            assert_eq!(got.matches(address).count(), 20, "{got}");
        }
    });
}

#[test]
fn an_answer_after_the_timeout_is_nobodys() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "options timeout:1 attempts:1\n");
        let server = Server::start(sandbox, |q: &Question| match q.name.starts_with("late") {
            true => forged(q).after(Duration::from_millis(1_300)),
            false => right(q),
        });
        let mut process = Conversation::begin(sandbox, &[]);
        let (answer, took) = process.call("gai -t stream -f inet late.test. -");
        assert!(
            answer.contains("EAI_AGAIN") && took < Duration::from_millis(1_800),
            "{answer} {took:?}"
        );
        // It comes about now.
        for n in 0..50 {
            process.finds(&format!("n{n}.test."), "192.0.2.1");
            std::thread::sleep(Duration::from_millis(10));
        }
        let (answer, _) = process.call("gai -t stream -f inet late.test. -");
        assert!(answer.contains("EAI_AGAIN"), "{answer}");
        assert!(server.asked().iter().filter(|asked| asked.starts_with("late")).count() >= 2);
    });
}

#[test]
fn times_to_live_of_any_value() {
    Sandbox::enter(|sandbox| {
        let server = Server::start(sandbox, |q: &Question| {
            let ttl: u32 = q.name[1..].split('.').next().unwrap().parse().unwrap();
            Reply::records([address(&q.name, q.qtype, false).ttl(ttl)])
        });
        let mut process = Conversation::begin(sandbox, &[]);
        // With the top bit set it is zero (RFC 2181 section 8).
        for (ttl, is_kept) in
            [(0, false), (1 << 31, false), (u32::MAX, false), ((1 << 31) - 1, true), (1, true)]
        {
            server.clear_log();
            let call = format!("gai -t stream -f inet t{ttl}.test. -");
            for _ in 0..2 {
                let (answer, _) = process.call(&call);
                assert!(answer.contains(" 192.0.2.1 "), "{answer}");
            }
            assert_eq!(server.asked().len(), if is_kept { 1 } else { 2 }, "TTL {ttl}");
        }
    });
}

/// `nN.test` is an alias of `nN-1.test`, down to `n0.test`, which has an address; or of `nN.test` again.
fn chain(q: &Question, length: usize, is_loop: bool, is_backward: bool) -> Reply {
    let link = |n: usize| match n {
        0 => q.name.clone(),
        n => format!("x{}.test", n - 1),
    };
    let mut records: Vec<Record> =
        (0..length).map(|n| Record::cname(&link(n), &link(n + 1))).collect();
    records.push(match is_loop {
        true => Record::cname(&link(length), &link(0)),
        false => address(&link(length), q.qtype, false),
    });
    if is_backward {
        records.reverse();
    }
    match q.transport {
        Transport::Udp if length > 10 => Reply::empty().truncated(),
        _ => Reply::records(records),
    }
}

#[test]
fn chains_and_loops_of_aliases() {
    for (length, is_loop) in
        [(1, false), (20, false), (100, false), (1, true), (2, true), (100, true)]
    {
        Sandbox::enter(|sandbox| {
            let _server =
                Server::start(sandbox, move |q: &Question| chain(q, length, is_loop, false));
            let calls = "gai -t stream -f inet -F CANONNAME n.test. -\ngai -t stream n.test. -\n";
            let pair = compare_calls(sandbox, calls);
            assert_same!(pair, "{length} aliases, in a circle: {is_loop}");
            let found = probe(sandbox, true, calls).out().matches(" 192.0.2.1 ").count();
            assert_eq!(found, if is_loop { 0 } else { 2 }, "{length}, {is_loop}");
        });
    }
    // The order of records is nobody's promise (RFC 1034 section 3.6.2); libc wants them in order.
    for length in [2, 100] {
        Sandbox::enter(|sandbox| {
            let _server = Server::start(sandbox, move |q: &Question| chain(q, length, false, true));
            let got = probe(sandbox, true, "gai -t stream -f inet -F CANONNAME n.test. -\n").out();
            let last = format!("canonname=x{}.test", length - 1);
            assert!(got.contains(" 192.0.2.1 ") && got.contains(&last), "{got}");
        });
    }
    // One that nobody would write is followed so far.
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, move |q: &Question| chain(q, 2_000, false, false));
        let got = probe(sandbox, true, "gai -t stream -f inet n.test. -\n").out();
        assert!(got.contains("EAI_"), "{got}");
    });
}

#[test]
fn a_thousand_addresses() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, |q: &Question| match q.transport {
            Transport::Udp => Reply::empty().truncated(),
            Transport::Tcp => Reply::records((0..1_000).map(|n: u32| match q.qtype {
                rtype::AAAA => Record::address(&q.name, &format!("2001:db8::{n:x}")),
                _ => Record::address(&q.name, &format!("10.9.{}.{}", n >> 8, n & 0xff)),
            })),
        });
        let call = "gai -t stream n.test. -\n";
        let sorted = |preload: bool| {
            let text = probe_within(LIMIT, sandbox, preload, call).out();
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let (libc, rustdns) = (sorted(false), sorted(true));
        assert_eq!(libc.len(), 2_002);
        assert_eq!(libc, rustdns);
    });
}
