//! Whose answer counts: the order of resolv.conf, slow servers, dead ones.

use crate::support::cc;
use crate::support::conversation::Conversation;
use crate::support::differential::{LIMIT, compare_batch, compare_calls, probe};
use crate::support::dns::{Question, Reply, Server};
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Record, rcode, rtype};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const NOBODY: [&str; 0] = [];

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn right(q: &Question) -> Reply {
    match q.qtype {
        rtype::PTR => Reply::records([Record::ptr(&q.name, "host.test")]),
        _ => Reply::address(q),
    }
}

/// What a server of another view says: it knows none of the first one's names.
fn unknown(_: &Question) -> Reply {
    Reply::nxdomain().soa("test")
}

/// Addresses that only the second server gives.
fn elsewhere(q: &Question) -> Reply {
    Reply::records([match q.qtype {
        rtype::A => Record::address(&q.name, "198.51.100.99"),
        rtype::AAAA => Record::address(&q.name, "2001:db8:99::1"),
        _ => Record::ptr(&q.name, "elsewhere.test"),
    }])
}

/// Each kind of lookup, with names of its own.
const CALLS: &str = "gai -t stream a.test -\ngai -t stream -f inet b.test -\n\
                     gai -t stream -f inet6 c.test -\ngni 192.0.2.77 0\n";

/// A row of the field: the first server takes its time, the second one is quick and has another view. In a
/// process that has never heard the first one, and in one that has.
#[test]
fn a_slow_first_server_decides() {
    for (late, options) in [(300, ""), (450, "use-vc"), (900, ""), (450, "single-request")] {
        for other in [unknown, elsewhere] {
            Sandbox::enter(|sandbox| {
                sandbox.name_servers(&[1, 2], &format!("timeout:5 {options}"));
                let slow = move |q: &Question| right(q).after(millis(late));
                let _first = Server::on(sandbox, &["127.0.0.1:53"], slow);
                let second = Server::on(sandbox, &["127.0.0.2:53"], other);
                crate::assert_same!(compare_calls(sandbox, CALLS), "{late} ms, {options}");
                assert_eq!(second.asked(), NOBODY, "{late} ms, {options}");
            });
        }
    }
}

/// The same for calls that don't go by way of getaddrinfo.
#[test]
fn a_slow_first_server_decides_for_every_call() {
    for (probe, calls) in [
        ("hostent", "name a.test\nname2 -f inet6 b.test\naddr -f inet 192.0.2.77\n"),
        ("resolver", "query c.test 1 1\nsearch d.test 1 28\n"),
    ] {
        Sandbox::enter(|sandbox| {
            sandbox.name_servers(&[1, 2], "timeout:5");
            let slow = |q: &Question| right(q).after(millis(450));
            let _first = Server::on(sandbox, &["127.0.0.1:53"], slow);
            let second = Server::on(sandbox, &["127.0.0.2:53"], unknown);
            crate::assert_same!(compare_batch(sandbox, probe, calls));
            assert_eq!(second.asked(), NOBODY);
        });
    }
}

/// One name that takes seconds at a server which has just answered for another.
#[test]
fn a_slow_name_at_a_server_that_is_alive_is_waited_for() {
    Sandbox::enter(|sandbox| {
        sandbox.name_servers(&[1, 2], "timeout:5");
        let first = |q: &Question| match &*q.name {
            "cold.test" => Reply::address(q).after(millis(2500)),
            _ => Reply::address(q),
        };
        let _first = Server::on(sandbox, &["127.0.0.1:53"], first);
        let second = Server::on(sandbox, &["127.0.0.2:53"], elsewhere);
        let mut process = Conversation::begin(sandbox, &[]);
        for name in ["warm.test", "cold.test", "other.test"] {
            process.finds(name, "192.0.2.1");
        }
        assert_eq!(second.asked(), NOBODY);
    });
}

/// Nobody has heard the first server yet, and it takes longer than that: the next one's "no" waits for it.
#[test]
fn the_no_of_a_later_server_waits_for_an_earlier_one() {
    for (says_no, options) in [
        (unknown as fn(&Question) -> Reply, ""),
        (|_| Reply::nodata().soa("test"), ""),
        (unknown, "single-request"),
        (unknown, "use-vc"),
        // Behind an alias.
        (|q| Reply::records([Record::cname(&q.name, "nothing.test")]).soa("test"), ""),
    ] {
        Sandbox::enter(|sandbox| {
            sandbox.name_servers(&[1, 2], &format!("timeout:5 {options}"));
            let slow = |q: &Question| Reply::address(q).after(millis(1400));
            let _first = Server::on(sandbox, &["127.0.0.1:53"], slow);
            let second = Server::on(sandbox, &["127.0.0.2:53"], says_no);
            let got = probe(sandbox, true, "gai -t stream x.test -\n").out();
            assert!(got.contains("192.0.2.1") && got.contains("2001:db8::1"), "{options}: {got}");
            // Nobody had heard the first: the second was asked.
            assert!(!second.asked().is_empty(), "{options}");
        });
    }
}

/// And it counts when the earlier one has had its time, which libc gives it too.
#[test]
fn the_no_of_a_later_server_counts_where_earlier_ones_stay_silent() {
    for first in [
        |_: &Question| Reply::drop(),
        |_: &Question| Reply::rcode(rcode::SERVFAIL).after(millis(1500)),
    ] {
        Sandbox::enter(|sandbox| {
            sandbox.name_servers(&[1, 2], "timeout:2 attempts:1");
            let _first = Server::on(sandbox, &["127.0.0.1:53"], first);
            let _second = Server::on(sandbox, &["127.0.0.2:53"], unknown);
            let pair = compare_calls(sandbox, "gai -t stream x.test -\n");
            assert!(pair.rustdns.out().contains("EAI_NONAME"), "{}", pair.rustdns);
            let (libc, rustdns) = (pair.libc.took, pair.rustdns.took);
            assert!(rustdns < libc + Duration::from_secs(1), "{rustdns:?}, libc {libc:?}");
            crate::assert_same!(pair);
        });
    }
}

/// Two servers' views don't mix: the second one answers for both families, or for none.
#[test]
fn the_families_of_one_answer_come_from_one_server() {
    Sandbox::enter(|sandbox| {
        sandbox.name_servers(&[1, 2], "timeout:5");
        // The first is just about to answer for IPv6 when the second answers for IPv4.
        let first = |q: &Question| match q.qtype {
            rtype::AAAA => Reply::address(q).after(millis(1100)),
            _ => Reply::drop(),
        };
        let second = |q: &Question| match q.qtype {
            rtype::AAAA => elsewhere(q).after(millis(600)),
            _ => elsewhere(q),
        };
        let _first = Server::on(sandbox, &["127.0.0.1:53"], first);
        let _second = Server::on(sandbox, &["127.0.0.2:53"], second);
        let got = probe(sandbox, true, "gai -t stream x.test -\n").out();
        assert!(got.contains("198.51.100.99") && got.contains("2001:db8:99::1"), "{got}");
        assert!(!got.contains("2001:db8::1"), "{got}");
    });
}

/// A row of docs/divergences.md: what a hedge may change, and the setting that doesn't let it.
#[test]
fn a_later_servers_addresses_count_after_a_second() {
    Sandbox::enter(|sandbox| {
        sandbox.name_servers(&[1, 2], "timeout:5");
        let slow = |q: &Question| Reply::address(q).after(millis(2500));
        let _first = Server::on(sandbox, &["127.0.0.1:53"], slow);
        let _second = Server::on(sandbox, &["127.0.0.2:53"], elsewhere);
        let call = "gai -t stream -f inet x.test -\n";
        assert!(probe(sandbox, false, call).out().contains(" 192.0.2.1 "), "libc");
        assert!(probe(sandbox, true, call).out().contains(" 198.51.100.99 "), "rustdns");
        let mut process = Conversation::begin(sandbox, &[("RUSTDNS_HEDGE", "off")]);
        process.finds("y.test", "192.0.2.1");
    });
}

/// A dead first server costs the first lookup of a process a second (libc: five, each time), and later ones
/// nothing. The setting says how long; `off` is libc's way, once.
#[test]
fn a_dead_first_server_costs_one_lookup_what_the_setting_says() {
    for (hedge, least, most) in [
        ("1000", millis(900), millis(2900)),
        ("200", Duration::ZERO, millis(2000)),
        ("off", millis(2900), Duration::from_secs(9)),
    ] {
        Sandbox::enter(|sandbox| {
            sandbox.name_servers(&[1, 2], "timeout:3");
            let silent = Server::on(sandbox, &["127.0.0.1:53"], |_: &Question| Reply::drop());
            let _good = Server::on(sandbox, &["127.0.0.2:53"], Reply::address);
            let mut process = Conversation::begin(sandbox, &[("RUSTDNS_HEDGE", hedge)]);
            let took = process.finds("n1.test", "192.0.2.1");
            assert!((least..most).contains(&took), "hedge {hedge}: {took:?}");
            silent.clear_log();
            for n in 2..20 {
                process.finds(&format!("n{n}.test"), "192.0.2.1");
            }
            assert_eq!(silent.asked(), NOBODY, "hedge {hedge}");
        });
    }
    Sandbox::enter(|sandbox| {
        sandbox.name_servers(&[1, 2], "timeout:1");
        let _silent = Server::on(sandbox, &["127.0.0.1:53"], |_: &Question| Reply::drop());
        let _good = Server::on(sandbox, &["127.0.0.2:53"], Reply::address);
        let libc = probe(sandbox, false, "gai -f inet n1.test -\ngai -f inet n2.test -\n");
        assert!(libc.took >= Duration::from_secs(2), "libc waits each time: {:?}", libc.took);
    });
}

/// One that dies while it is in use is found out after resolv.conf's `timeout`, once.
#[test]
fn a_server_that_dies_is_found_out_once() {
    Sandbox::enter(|sandbox| {
        sandbox.name_servers(&[1, 2], "timeout:1");
        let first = Server::on(sandbox, &["127.0.0.1:53"], |q: &Question| match &*q.name {
            "before.test" => Reply::address(q),
            _ => Reply::drop(),
        });
        let second = Server::on(sandbox, &["127.0.0.2:53"], Reply::address);
        let mut process = Conversation::begin(sandbox, &[]);
        process.finds("before.test", "192.0.2.1");
        assert_eq!(second.asked(), NOBODY);
        process.finds("after.test", "192.0.2.1");
        first.clear_log();
        process.finds("later.test", "192.0.2.1");
        assert_eq!(first.asked(), NOBODY);
    });
}

/// A refused port costs microseconds to try again: the server is the first one at the next lookup.
#[test]
fn a_server_that_comes_back_is_asked_at_once() {
    Sandbox::enter(|sandbox| {
        sandbox.name_servers(&[1, 2], "timeout:5");
        let second = Server::on(sandbox, &["127.0.0.2:53"], elsewhere);
        let mut process = Conversation::begin(sandbox, &[]);
        // Nobody listens at the first.
        process.finds("n1.test", "198.51.100.99");
        let _first = Server::on(sandbox, &["127.0.0.1:53"], Reply::address);
        second.clear_log();
        process.finds("n2.test", "192.0.2.1");
        assert_eq!(second.asked(), NOBODY);
    });
}

/// The same for one to which there was no route for a while (a VPN).
#[test]
fn a_server_that_is_reachable_again_is_asked_at_once() {
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/resolv.conf", "nameserver 198.51.100.1\nnameserver 127.0.0.2\n");
        let second = Server::on(sandbox, &["127.0.0.2:53"], elsewhere);
        let mut process = Conversation::begin(sandbox, &[]);
        process.finds("n1.test", "198.51.100.99");
        sandbox.ip("address add 198.51.100.1/32 dev lo");
        let _first = Server::on(sandbox, &["198.51.100.1:53"], Reply::address);
        second.clear_log();
        process.finds("n2.test", "192.0.2.1");
        assert_eq!(second.asked(), NOBODY);
    });
}

/// `rotate` begins with another server each time, and that one decides, slow or not.
#[test]
fn with_rotate_the_server_whose_turn_it_is_decides() {
    Sandbox::enter(|sandbox| {
        sandbox.name_servers(&[1, 2], "rotate timeout:5");
        let slow = |q: &Question| Reply::address(q).after(millis(500));
        let _first = Server::on(sandbox, &["127.0.0.1:53"], slow);
        let _second = Server::on(sandbox, &["127.0.0.2:53"], elsewhere);
        let mut process = Conversation::begin(sandbox, &[]);
        let found = ["n1.test", "n2.test", "n3.test", "n4.test"].map(|name| {
            let (answer, _) = process.call(&format!("gai -t stream -f inet {name} -"));
            answer.contains(" 192.0.2.1 ")
        });
        assert_eq!(found.iter().filter(|is_first| **is_first).count(), 2, "{found:?}");
        assert!(found[0] != found[1] && found[1] != found[2], "{found:?}");
    });
}

/// A process that was stopped in the middle of a lookup, for longer than that may take, asks once more when it
/// goes on; so does libc, whose time begins anew.
#[test]
fn a_process_that_was_stopped_asks_once_more() {
    Sandbox::enter(|sandbox| {
        sandbox.name_servers(&[1], "timeout:1 attempts:2");
        static AWAKE: AtomicBool = AtomicBool::new(false);
        let server = Server::on(sandbox, &["127.0.0.1:53"], |q: &Question| {
            if AWAKE.load(Ordering::SeqCst) { Reply::address(q) } else { Reply::drop() }
        });
        let mut command = sandbox.preload(sandbox.command(cc::program("gai")));
        command.args(["-t", "stream", "x.test", "-"]);
        let child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
        let deadline = Instant::now() + LIMIT;
        while server.log().is_empty() {
            assert!(Instant::now() < deadline, "nobody asks");
            std::thread::sleep(millis(1));
        }
        signal(&child, libc::SIGSTOP);
        std::thread::sleep(millis(5500));
        AWAKE.store(true, Ordering::SeqCst);
        signal(&child, libc::SIGCONT);
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("192.0.2.1") && text.contains("2001:db8::1"), "{text}");
    });
}

#[allow(unsafe_code, reason = "std has no way to stop a process")]
fn signal(child: &std::process::Child, signal: libc::c_int) {
    let id = libc::pid_t::try_from(child.id()).unwrap();
    // SAFETY: kill takes plain integers, and the child is ours, not yet waited for.
    assert_eq!(unsafe { libc::kill(id, signal) }, 0);
}
