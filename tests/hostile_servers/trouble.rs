//! Servers that die, come back, fail at times, or were never there.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::support::conversation::Conversation;
use crate::support::differential::{LIMIT, compare_calls, probe, probe_within};
use crate::support::dns::{Question, Reply, Server, Transport};
use crate::support::process::unhurried;
use crate::support::sandbox::Sandbox;
use crate::support::wire::{rcode, rtype};
use crate::{assert_same, right};

#[test]
fn a_server_that_dies_in_mid_lookup() {
    Sandbox::enter(|sandbox| {
        sandbox.write(
            "/etc/resolv.conf",
            "nameserver 127.0.0.1\nnameserver 127.0.0.2\noptions timeout:10 attempts:2\n",
        );
        let (asked, when_asked) = std::sync::mpsc::channel();
        // It answers one query, and not the other.
        let first = Server::on(sandbox, &["127.0.0.1:53"], move |q: &Question| {
            if q.qtype == rtype::AAAA {
                asked.send(()).ok();
                return Reply::drop();
            }
            right(q)
        });
        let second = Server::on(sandbox, &["127.0.0.2:53"], right);
        let dying = std::thread::spawn(move || {
            when_asked.recv().unwrap();
            drop(first);
        });
        let got = probe_within(LIMIT, sandbox, true, "gai -t stream n.test. -\n");
        dying.join().unwrap();
        let out = got.out();
        assert!(out.contains(" 192.0.2.1 ") && out.contains(" 2001:db8::1 "), "{got}");
        assert_eq!(
            second.asked(),
            ["n.test 28 udp"],
            "what the first has answered is not asked again"
        );
        assert!(got.took < Duration::from_secs(8), "{:?}", got.took);
    });
}

#[test]
fn a_server_that_comes_back() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "options timeout:5 attempts:2\n");
        let mut process = Conversation::begin(sandbox, &[]);
        for round in 0..5 {
            // Its port is refused: no need to wait.
            let (answer, took) =
                process.call(&format!("gai -t stream -f inet dead{round}.test. -"));
            assert!(
                answer.contains("EAI_AGAIN") && took < Duration::from_secs(4),
                "{answer} {took:?}"
            );
            let _server = Server::on(sandbox, &["127.0.0.1:53"], right);
            let took = process.finds(&format!("alive{round}.test."), "192.0.2.1");
            assert!(took < Duration::from_secs(4), "{took:?}");
        }
    });
}

#[test]
fn one_that_refuses_over_udp_answers_over_tcp_and_the_other_way_round() {
    for transport in [Transport::Udp, Transport::Tcp] {
        Sandbox::enter(|sandbox| {
            let vc = if transport == Transport::Tcp { "use-vc" } else { "" };
            sandbox.append(
                "/etc/resolv.conf",
                format!("options timeout:1 {vc}\nnameserver 127.0.0.2\n"),
            );
            // The way to it that is asked is refused; the next server has it.
            let other = if transport == Transport::Udp { Transport::Tcp } else { Transport::Udp };
            let _first = Server::with(sandbox, &["127.0.0.1:53"], &[other], right);
            let _second = Server::on(sandbox, &["127.0.0.2:53"], right);
            assert_same!(compare_calls(sandbox, "gai -t stream n.test. -\n"), "{transport:?}");
        });
    }
}

#[test]
fn servfail_half_of_the_time() {
    const LOOKUPS: u32 = 400;
    Sandbox::enter(|sandbox| {
        sandbox.write(
            "/etc/resolv.conf",
            "nameserver 127.0.0.1\nnameserver 127.0.0.2\noptions timeout:1 attempts:2\n",
        );
        // Numbers of a linear congruential generator (Knuth's MMIX), of which the top bit is taken.
        let state = Mutex::new(7_u64);
        let flips = move |q: &Question| {
            let mut state = state.lock().unwrap();
            *state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            if *state >> 63 == 0 { Reply::rcode(rcode::SERVFAIL) } else { right(q) }
        };
        let _servers = Server::on(sandbox, &["127.0.0.1:53", "127.0.0.2:53"], flips);
        let mut calls = String::new();
        (0..LOOKUPS).for_each(|n| writeln!(calls, "gai -t stream -f inet n{n}.test. -").unwrap());
        let got = probe_within(LIMIT, sandbox, true, &calls).out();
        let found = got.matches(" 192.0.2.1 ").count();
        let failed = got.matches("EAI_AGAIN").count();
        assert_eq!(
            found + failed,
            LOOKUPS as usize,
            "an answer, or trouble, and nothing else: {got}"
        );
        // Two servers are asked twice each: a lookup fails by a chance of 1/16. Of 400 that is 25, with a
        // deviation of 4.8; eight of these above it are a chance of 1e-11.
        println!("{failed} of {LOOKUPS} failed");
        assert!(failed < 25 + 39, "{failed} of {LOOKUPS} failed");
    });
}

#[test]
fn every_server_is_dead() {
    let rows = [
        ("refused", "nameserver 127.0.0.1\nnameserver 127.0.0.2\n"),
        ("no route", "nameserver 192.0.2.1\nnameserver 192.0.2.2\n"),
        ("no route, IPv6", "nameserver 2001:db8::1\nnameserver 2001:db8::2\n"),
        ("one of each", "nameserver 127.0.0.1\nnameserver 192.0.2.1\nnameserver 2001:db8::1\n"),
    ];
    for (about, servers) in rows {
        Sandbox::enter(|sandbox| {
            sandbox.write("/etc/resolv.conf", format!("{servers}options timeout:5 attempts:2\n"));
            let calls =
                "gai -t stream n.test. -\ngai -f inet n.test. -\ngni -F NAMEREQD 192.0.2.9 0\n";
            let pair = compare_calls(sandbox, calls);
            assert_same!(pair, "{about}");
            let got = probe(sandbox, true, calls);
            assert!(
                got.out().contains("EAI_AGAIN") && got.took < Duration::from_secs(4),
                "{about}: {got}"
            );
        });
    }
}

#[test]
fn an_ipv6_server_that_can_not_be_reached() {
    Sandbox::enter(|sandbox| {
        sandbox.write(
            "/etc/resolv.conf",
            "nameserver 2001:db8::1\nnameserver fe80::1%lo\nnameserver 127.0.0.1\noptions timeout:5\n",
        );
        let server = Server::on(sandbox, &["127.0.0.1:53"], right);
        assert_same!(compare_calls(sandbox, "gai -t stream -f inet n.test. -\n"));
        server.clear_log();
        let mut process = Conversation::begin(sandbox, &[]);
        for n in 0..3 {
            let took = process.finds(&format!("n{n}.test."), "192.0.2.1");
            assert!(took < Duration::from_secs(4), "{n}: {took:?}");
        }
        assert_eq!(server.log().len(), 3);
    });
    // The same for a process that may have no IPv6 at all.
    Sandbox::enter(|sandbox| {
        sandbox.without_ipv6();
        sandbox
            .write("/etc/resolv.conf", "nameserver ::1\nnameserver 127.0.0.1\noptions timeout:1\n");
        let _server = Server::on(sandbox, &["127.0.0.1:53"], right);
        assert_same!(compare_calls(sandbox, "gai -t stream -f inet n.test. -\n"));
    });
}

#[test]
fn threads_that_ask_the_same_fail_together_in_the_time_of_one() {
    /// What the only server answers, what all threads have to get, and whether it is asked once.
    type Row = (&'static str, fn(&Question) -> Reply, &'static str, bool);
    let rows: [Row; 6] = [
        ("silent", |_| Reply::drop(), "EAI_AGAIN", true),
        ("SERVFAIL", |_| slowly(Reply::rcode(rcode::SERVFAIL)), "EAI_AGAIN", true),
        ("NXDOMAIN that may not be kept", |_| slowly(Reply::nxdomain()), "EAI_NONAME", true),
        ("no data that may not be kept", |_| slowly(Reply::nodata()), "EAI_NODATA", true),
        ("an answer that may be kept", |q| slowly(right(q)), "192.0.2.1", true),
        (
            "an answer that may not be kept",
            |q| slowly(Reply::records([crate::address(&q.name, q.qtype, false).ttl(0)])),
            "192.0.2.1",
            false,
        ),
    ];
    for (about, answer, expected, once) in rows {
        Sandbox::enter(|sandbox| {
            sandbox.append("/etc/resolv.conf", "options timeout:1 attempts:1\n");
            let server = Server::start(sandbox, answer);
            let limit = Duration::from_millis(1_900);
            let got = unhurried(limit, || {
                server.clear_log();
                probe(sandbox, true, "gai -t stream -f inet -n 20 n.test. -\n")
            });
            assert!(got.success() && got.out().contains(expected), "{about}: {got}");
            assert!(got.took < limit, "{about}: {:?}", got.took);
            let asked = server.log().len();
            // One that is silent is asked again in a second, and so is one that has failed.
            assert!(
                if once { asked <= 4 } else { (2..=40).contains(&asked) },
                "{about}: asked {asked} times"
            );
        });
    }
}

/// So that all threads are there before it comes.
fn slowly(reply: Reply) -> Reply {
    reply.after(Duration::from_millis(300))
}

#[test]
fn who_has_waited_for_another_thread_waits_no_longer_in_all() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "options timeout:1 attempts:1\n");
        // An answer that nobody else may use comes late, and then none any more.
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let _server =
            Server::start(sandbox, |q: &Question| match COUNT.fetch_add(1, Ordering::SeqCst) {
                0 => Reply::records([crate::address(&q.name, q.qtype, false).ttl(0)])
                    .after(Duration::from_millis(800)),
                _ => Reply::drop(),
            });
        let limit = Duration::from_millis(1_600);
        let got = unhurried(limit, || {
            COUNT.store(0, Ordering::SeqCst);
            probe(sandbox, true, "gai -t stream -f inet -n 2 n.test. -\n")
        });
        // The probe says so where the threads differ, as they do here.
        assert!(got.took < limit, "{:?}: {got}", got.took);
    });
}
