//! Behaviour towards name servers over time: which one is asked, how, and when again (when not at
//! all: `kept_answers.rs`). What counts is the order of queries in the servers' logs; the bounds on time are those that
//! tell hedging from libc's timeouts.

#![expect(clippy::unwrap_used, reason = "tests fail so")]

mod support;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use support::cc;
use support::conversation::Conversation;
use support::differential::{LIMIT, compare_calls, probe};
use support::dns::{Question, Reply, Server};
use support::process::run;
use support::sandbox::Sandbox;
use support::wire::{rcode, rtype};
use support::zone::Zone;

/// The names that a server was asked for, each once in a row.
fn names(server: &Server) -> Vec<String> {
    let mut names: Vec<String> = server.log().into_iter().map(|q| q.name).collect();
    names.dedup();
    names
}

// ---- which server ------------------------------------------------------------------------------

#[test]
fn a_silent_server_costs_the_first_lookup_a_moment_and_the_next_ones_nothing() {
    Sandbox::enter(|sandbox| {
        sandbox.name_servers(&[1, 2], "timeout:5");
        let silent = Server::on(sandbox, &["127.0.0.1:53"], |_: &Question| Reply::drop());
        let good = Server::on(sandbox, &["127.0.0.2:53"], Reply::address);
        let mut process = Conversation::begin(sandbox, &[]);
        // libc takes 5 s for each.
        let took = process.finds("n1.test", "192.0.2.1");
        assert!(took < Duration::from_secs(4), "{took:?}");
        process.finds("n2.test", "192.0.2.1");
        process.finds("n3.test", "192.0.2.1");
        assert_eq!(names(&silent), ["n1.test"]);
        assert_eq!(names(&good), ["n1.test", "n2.test", "n3.test"]);
    });
}

#[test]
fn a_server_that_has_recovered_is_the_first_again() {
    Sandbox::enter(|sandbox| {
        sandbox.name_servers(&[1, 2], "timeout:5");
        let first = Server::on(sandbox, &["127.0.0.1:53"], |q: &Question| match &*q.name {
            "n1.test" => Reply::drop(),
            _ => Reply::address(q),
        });
        let second = Server::on(sandbox, &["127.0.0.2:53"], |q: &Question| match &*q.name {
            "n3.test" => Reply::rcode(rcode::SERVFAIL),
            _ => Reply::address(q),
        });
        let mut process = Conversation::begin(sandbox, &[]);
        for name in ["n1.test", "n2.test", "n3.test", "n4.test"] {
            process.finds(name, "192.0.2.1");
        }
        // n2 went past it; n3 had to come back to it; from then on it is well.
        assert_eq!(names(&first), ["n1.test", "n3.test", "n4.test"]);
        assert_eq!(names(&second), ["n1.test", "n2.test", "n3.test"]);
    });
}

#[test]
fn a_refused_port_or_a_failing_server_moves_on_at_once() {
    Sandbox::enter(|sandbox| {
        sandbox.name_servers(&[1, 2, 3], "timeout:5");
        // Nobody at 127.0.0.1.
        let _failing =
            Server::on(sandbox, &["127.0.0.2:53"], |_: &Question| Reply::rcode(rcode::SERVFAIL));
        let third = Server::on(sandbox, &["127.0.0.3:53"], Reply::address);
        let mut process = Conversation::begin(sandbox, &[]);
        let took = process.finds("n1.test", "192.0.2.1");
        assert!(took < Duration::from_secs(4), "{took:?}");
        assert_eq!(third.asked(), ["n1.test 1 udp"]);
    });
}

#[test]
fn when_all_are_dead_the_error_comes_no_later_than_libcs() {
    for (about, silent) in [("silent", true), ("refusing", false)] {
        Sandbox::enter(|sandbox| {
            sandbox.name_servers(&[1, 2], "timeout:1 attempts:2");
            let _servers = silent.then(|| {
                Server::on(sandbox, &["127.0.0.1:53", "127.0.0.2:53"], |_: &Question| Reply::drop())
            });
            let pair = compare_calls(sandbox, "gai n1.test -\n");
            pair.assert_same();
            assert!(pair.rustdns.out().contains("EAI_AGAIN"), "{about}: {}", pair.rustdns);
            let (libc, rustdns) = (pair.libc.took, pair.rustdns.took);
            assert!(rustdns < libc + Duration::from_secs(1), "{about}: {rustdns:?}, libc {libc:?}");
        });
    }
}

#[test]
fn rotate_begins_each_lookup_with_another_server() {
    Sandbox::enter(|sandbox| {
        sandbox.name_servers(&[1, 2, 3], "rotate");
        let servers = [1, 2, 3]
            .map(|n| Server::on(sandbox, &[format!("127.0.0.{n}:53").as_str()], Reply::address));
        let mut process = Conversation::begin(sandbox, &[]);
        for n in 0..9 {
            process.finds(&format!("n{n}.test"), "192.0.2.1");
        }
        assert_eq!(servers.each_ref().map(|server| server.log().len()), [3, 3, 3]);
    });
    Sandbox::enter(|sandbox| {
        sandbox.name_servers(&[1, 2], "");
        let servers = [1, 2]
            .map(|n| Server::on(sandbox, &[format!("127.0.0.{n}:53").as_str()], Reply::address));
        let mut process = Conversation::begin(sandbox, &[]);
        for n in 0..4 {
            process.finds(&format!("n{n}.test"), "192.0.2.1");
        }
        assert_eq!(servers.each_ref().map(|server| server.log().len()), [4, 0]);
    });
}

// ---- how ---------------------------------------------------------------------------------------

/// How long the A answer of [`sockets_and_order`] takes: less than what is waited before a hedge.
const SLOW: Duration = Duration::from_millis(100);

/// Whether A and AAAA came from one port, and whether AAAA came only after the answer to A.
fn sockets_and_order(options: &str, preload: bool) -> (bool, bool) {
    let mut result = None;
    Sandbox::enter(|sandbox| {
        sandbox.name_servers(&[1], options);
        let server = Server::on(sandbox, &["127.0.0.1:53"], |q: &Question| match q.qtype {
            rtype::A => Reply::address(q).after(SLOW),
            _ => Reply::address(q),
        });
        let got = probe(sandbox, preload, "gai -t stream host.test -\n");
        assert!(got.out().contains("192.0.2.1 ") && got.out().contains("2001:db8::1 "), "{got}");
        let log = server.log();
        let of = |qtype| log.iter().find(|q| q.qtype == qtype).unwrap();
        let (a, aaaa) = (of(rtype::A), of(rtype::AAAA));
        let waited = aaaa.arrived.saturating_duration_since(a.arrived);
        result = Some((a.source == aaaa.source, waited >= SLOW));
    });
    // Where no sandbox can be had the test has been skipped.
    result.unwrap_or_default()
}

#[test]
fn single_request_asks_for_one_family_after_the_other_as_libc_does() {
    for (options, expected) in [
        ("timeout:5", (true, false)),
        ("single-request", (true, true)),
        ("single-request-reopen", (false, true)),
    ] {
        assert_eq!(sockets_and_order(options, false), expected, "libc, {options}");
        assert_eq!(sockets_and_order(options, true), expected, "rustdns, {options}");
    }
}

#[test]
fn use_vc_asks_over_tcp_alone_and_no_aaaa_for_a_alone() {
    for (options, expected) in [
        ("use-vc", &["host.test 1 tcp", "host.test 28 tcp"][..]),
        ("no-aaaa", &["host.test 1 udp"]),
        ("use-vc no-aaaa", &["host.test 1 tcp"]),
    ] {
        for preload in [false, true] {
            Sandbox::enter(|sandbox| {
                sandbox.name_servers(&[1], options);
                let server = Server::on(sandbox, &["127.0.0.1:53"], Reply::address);
                probe(sandbox, preload, "gai host.test -\n");
                let mut asked = server.asked();
                asked.sort();
                assert_eq!(asked, expected, "{options}, preloaded: {preload}");
            });
        }
    }
}

#[test]
fn no_aaaa_tells_a_name_without_an_address_from_no_name() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "search one.test two.test\noptions no-aaaa\n");
        let zone = Zone::new()
            .a("host.test", "192.0.2.1")
            .a("here.two.test", "192.0.2.2")
            .txt("text.one.test", "no address")
            .nxdomain_else();
        let _server = Server::start(sandbox, zone);
        let names = ["host.test", "none.test", "here", "text", "none"];
        let calls: String = names.map(|name| format!("gai -f inet6 {name} -\n")).concat();
        assert_same!(compare_calls(sandbox, &calls));
    });
}

/// The search goes on after SERVFAIL, and ends where nobody could be asked.
#[test]
fn servfail_counts_also_where_a_server_beside_it_is_unreachable() {
    let script = |q: &Question| match q.name.ends_with("one.test") {
        true => Reply::rcode(rcode::SERVFAIL),
        false => Reply::address(q),
    };
    for order in [[1, 2], [2, 1]] {
        Sandbox::enter(|sandbox| {
            // Nobody listens at 127.0.0.1. It is asked last once that is known.
            sandbox.name_servers(&order, "timeout:1 attempts:1");
            sandbox.append("/etc/resolv.conf", "search one.test two.test\n");
            let _server = Server::on(sandbox, &["127.0.0.2:53"], script);
            let calls = "gai -f inet a -\ngai -f inet b -\ngai -f unspec c -\n";
            let pair = compare_calls(sandbox, calls);
            assert!(pair.libc.out().contains("192.0.2.1"), "{}", pair.libc);
            assert_same!(pair, "{order:?}");
        });
    }
}

#[test]
fn edns_is_dropped_for_a_server_that_does_not_know_it_and_that_is_remembered() {
    for code in [rcode::FORMERR, rcode::NOTIMP] {
        Sandbox::enter(|sandbox| {
            sandbox.name_servers(&[1], "edns0");
            let server = Server::on(sandbox, &["127.0.0.1:53"], move |q: &Question| {
                if q.edns.is_some() { Reply::rcode(code) } else { Reply::address(q) }
            });
            let mut process = Conversation::begin(sandbox, &[]);
            process.finds("n1.test", "192.0.2.1");
            process.finds("n2.test", "192.0.2.1");
            let asked: Vec<_> =
                server.log().into_iter().map(|q| (q.name, q.edns.is_some())).collect();
            let expected = [("n1.test", true), ("n1.test", false), ("n2.test", false)];
            assert_eq!(asked, expected.map(|(name, edns)| (name.to_owned(), edns)), "rcode {code}");
        });
    }
}

#[test]
fn trust_ad_asks_for_authentic_data() {
    for (options, expected) in [("timeout:5", false), ("trust-ad", true)] {
        Sandbox::enter(|sandbox| {
            sandbox.name_servers(&[1], options);
            let server = Server::on(sandbox, &["127.0.0.1:53"], Reply::address);
            probe(sandbox, true, "gai host.test -\n");
            assert_eq!(server.log().iter().map(|q| q.ad).collect::<Vec<_>>(), [expected; 2]);
        });
    }
}

#[test]
fn what_is_asked_again_is_asked_from_fresh_sockets() {
    Sandbox::enter(|sandbox| {
        sandbox.name_servers(&[1], "timeout:5");
        let seen: Mutex<BTreeMap<u16, usize>> = Mutex::default();
        let server = Server::on(sandbox, &["127.0.0.1:53"], move |q: &Question| {
            let mut seen = seen.lock().unwrap();
            let times = seen.entry(q.qtype).or_default();
            *times += 1;
            if *times == 1 { Reply::drop() } else { Reply::address(q) }
        });
        let started = Instant::now();
        let got = probe(sandbox, true, "gai -t stream host.test -\n");
        assert!(got.out().contains("192.0.2.1 ") && got.out().contains("2001:db8::1 "), "{got}");
        // libc asks again after 5 s.
        assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
        let ports = |qtype| {
            let log = server.log();
            log.iter().filter(|q| q.qtype == qtype).map(|q| q.source.port()).collect::<Vec<_>>()
        };
        let (a, aaaa) = (ports(rtype::A), ports(rtype::AAAA));
        assert!(a.len() == 2 && aaaa.len() == 2, "A from {a:?}, AAAA from {aaaa:?}");
        assert_eq!(a[0], aaaa[0], "the first round shares a socket");
        let distinct: std::collections::BTreeSet<u16> = [a[0], a[1], aaaa[1]].into();
        assert_eq!(distinct.len(), 3, "A from {a:?}, AAAA from {aaaa:?}");
    });
}

#[test]
fn a_fork_shares_neither_ids_nor_ports() {
    Sandbox::enter(|sandbox| {
        let server = Server::on(sandbox, &["127.0.0.1:53"], Reply::address);
        let output = run(sandbox.preload(sandbox.command(cc::program("forked"))), LIMIT);
        assert!(output.success(), "{output}");
        let log = server.log();
        let of = |letter: char| {
            let own = log.iter().filter(|q| q.name.starts_with(letter));
            own.map(|q| (q.id, q.source.port())).collect::<Vec<_>>()
        };
        let (parent, child) = (of('p'), of('c'));
        assert_eq!((parent.len(), child.len()), (20, 20));
        // Of 20 pairs of random ids two are alike by a chance of one in five million.
        let alike = |n: &usize| parent[*n].0 == child[*n].0;
        assert!((0..20).filter(alike).count() < 2, "{parent:?} {child:?}");
        let same_port = |n: &usize| parent[*n].1 == child[*n].1;
        assert!((0..20).filter(same_port).count() < 3, "{parent:?} {child:?}");
    });
}
