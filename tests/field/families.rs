//! How long one family of addresses is waited for when the other is known.

use crate::support::conversation::Conversation;
use crate::support::differential::{compare_calls, probe};
use crate::support::dns::{Question, Reply, Server, Transport};
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Record, rtype};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

const BOTH: [u16; 2] = [rtype::A, rtype::AAAA];

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn has_both(text: &str) -> bool {
    text.contains("192.0.2.1 ") && text.contains("2001:db8::1 ")
}

/// The addresses that a server gives for `known` alone.
fn only(known: u16) -> impl Fn(&Question) -> Reply {
    move |q: &Question| if q.qtype == known { Reply::address(q) } else { Reply::drop() }
}

fn address_of(family: u16) -> &'static str {
    if family == rtype::A { "192.0.2.1 " } else { "2001:db8::1 " }
}

/// Both are late, one a little later than the other: the second one's time begins with the first.
#[test]
fn the_later_family_gets_its_time() {
    for (options, first, second) in [
        ("timeout:5", 2100, 2150),
        ("timeout:5", 1100, 2600),
        ("timeout:3 use-vc", 2100, 2150),
        ("timeout:3 single-request", 1100, 1100),
    ] {
        for early in BOTH {
            Sandbox::enter(|sandbox| {
                sandbox.name_servers(&[1], options);
                let late = move |q: &Question| {
                    let late = if q.qtype == early { first } else { second };
                    Reply::address(q).after(millis(late))
                };
                let _server = Server::on(sandbox, &["127.0.0.1:53"], late);
                let pair = compare_calls(sandbox, "gai -t stream x.test -\n");
                assert!(has_both(&pair.libc.out()), "{}", pair.libc);
                crate::assert_same!(pair, "{options}, {first} and {second} ms");
            });
        }
    }
}

/// A datagram that is lost on the way costs no family, whichever it was.
#[test]
fn one_loss_costs_no_family() {
    for lost in BOTH {
        Sandbox::enter(|sandbox| {
            sandbox.name_servers(&[1], "timeout:5");
            let seen = Mutex::new(BTreeSet::new());
            let _server = Server::on(sandbox, &["127.0.0.1:53"], move |q: &Question| {
                let is_first = seen.lock().unwrap().insert((q.name.clone(), q.qtype));
                if is_first && q.qtype == lost { Reply::drop() } else { Reply::address(q) }
            });
            let calls: String = (0..5).map(|n| format!("gai -t stream n{n}.test -\n")).collect();
            let got = probe(sandbox, true, &calls).out();
            assert_eq!(got.matches(address_of(lost)).count(), 5, "{got}");
        });
    }
}

/// A server that drops queries for one family costs seconds once, not at each lookup: neither for the same
/// name, whose other family is in the cache, nor for others.
#[test]
fn a_server_that_drops_one_family_costs_seconds_once() {
    for (known, options) in [(rtype::A, ""), (rtype::AAAA, ""), (rtype::A, "single-request")] {
        Sandbox::enter(|sandbox| {
            sandbox.name_servers(&[1], options);
            let server = Server::on(sandbox, &["127.0.0.1:53"], only(known));
            let mut process = Conversation::begin(sandbox, &[]);
            let mut find = |name: &str| {
                let (answer, took) = process.call(&format!("gai -t stream {name} -"));
                assert!(answer.contains(address_of(known)), "{name}: {answer}");
                took
            };
            // libc: 15 s for the first, and 5 s for each further one.
            let took = find("a.test");
            assert!(took < millis(4500), "the first: {took:?}");
            server.clear_log();
            for _ in 0..10 {
                find("a.test");
            }
            assert_eq!(server.asked().len(), 0, "the same name");
            let took: Duration = (0..10).map(|n| find(&format!("n{n}.test"))).sum();
            assert!(took < millis(10 * 900), "ten others: {took:?}");
        });
    }
    Sandbox::enter(|sandbox| {
        sandbox.name_servers(&[1], "timeout:1");
        let _server = Server::on(sandbox, &["127.0.0.1:53"], only(rtype::A));
        let libc = probe(sandbox, false, &"gai -t stream a.test -\n".repeat(3));
        assert!(libc.took >= Duration::from_secs(3), "libc waits each time: {:?}", libc.took);
    });
}

/// Where a family alone is asked for, nothing stands in for its answer.
#[test]
fn silence_is_no_answer_for_one_family_alone() {
    Sandbox::enter(|sandbox| {
        sandbox.name_servers(&[1], "timeout:1 attempts:1");
        let server = Server::on(sandbox, &["127.0.0.1:53"], only(rtype::A));
        let calls = "gai -t stream a.test -\ngai -t stream -f inet6 a.test -\n";
        crate::assert_same!(compare_calls(sandbox, calls));
        server.clear_log();
        probe(sandbox, true, calls);
        let six = server.log().into_iter().filter(|q| q.qtype == rtype::AAAA).count();
        assert!(six > 2, "asked for each time: {six}");
    });
}

/// What is known of one family from the cache bounds the wait for the other.
#[test]
fn a_family_in_the_cache_bounds_the_wait_for_the_other() {
    for short in BOTH {
        Sandbox::enter(|sandbox| {
            sandbox.name_servers(&[1], "timeout:5");
            let seen = Mutex::new(BTreeSet::new());
            let _server = Server::on(sandbox, &["127.0.0.1:53"], move |q: &Question| {
                let is_first = seen.lock().unwrap().insert(q.qtype);
                let reply = Reply::address(q);
                match (q.qtype == short, is_first) {
                    (false, _) => reply,
                    (true, true) => {
                        let address = address_of(q.qtype).trim();
                        Reply::records([Record::address(&q.name, address).ttl(1)])
                    }
                    (true, false) => Reply::drop(),
                }
            });
            let mut process = Conversation::begin(sandbox, &[]);
            let (answer, _) = process.call("gai -t stream a.test -");
            assert!(has_both(&answer), "{answer}");
            std::thread::sleep(millis(1200));
            for at_most in [4500, 900] {
                let (answer, took) = process.call("gai -t stream a.test -");
                assert!(!answer.contains(address_of(short)), "{answer}");
                assert!(answer.starts_with("0 "), "{answer}");
                assert!(took < millis(at_most), "{took:?}");
            }
        });
    }
}

/// A server that was silent about one family is believed again as soon as it answers for it.
#[test]
fn a_server_is_not_taken_for_mute_once_it_has_answered() {
    Sandbox::enter(|sandbox| {
        sandbox.name_servers(&[1], "timeout:5");
        let _server = Server::on(sandbox, &["127.0.0.1:53"], |q: &Question| {
            match (&*q.name, q.qtype, q.transport) {
                ("silent.test", rtype::AAAA, Transport::Udp) => Reply::drop(),
                ("late.test", rtype::AAAA, _) => Reply::address(q).after(millis(900)),
                _ => Reply::address(q),
            }
        });
        let mut process = Conversation::begin(sandbox, &[]);
        process.call("gai -t stream silent.test -");
        process.call("gai -t stream -f inet6 quick.test -");
        let (answer, _) = process.call("gai -t stream late.test -");
        assert!(has_both(&answer), "{answer}");
    });
}
