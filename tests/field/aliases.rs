//! What stands at the end of an alias is kept, "no" as well as "yes", for no longer than the alias (RFC
//! 2308 sections 2.1, 2.2 and 5); each caller is told what libc tells it, by a kept answer as by a new one.

use crate::support::cc;
use crate::support::conversation::Conversation;
use crate::support::differential::{LIMIT, compare_batch, compare_calls};
use crate::support::dns::{Question, Reply, Server, Transport};
use crate::support::process::run_with_input;
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Record, rtype};
use crate::support::zone::Zone;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Names behind aliases, of one family, of none, of nobody; and a reverse zone of less than 256 addresses
/// (RFC 2317).
fn zone() -> Zone {
    Zone::new()
        .cname("four.test", "middle.test")
        .cname("middle.test", "v4.test")
        .a("v4.test", "192.0.2.1")
        .cname("six.test", "v6.test")
        .aaaa("v6.test", "2001:db8::1")
        .cname("both.test", "all.test")
        .addresses("all.test", ["192.0.2.2", "2001:db8::2"])
        .cname("text.test", "words.test")
        .txt("words.test", "no address")
        .cname("bare.test", "nobody.test")
        .cname("1.2.0.192.in-addr.arpa", "1.0-127.2.0.192.in-addr.arpa")
        .ptr("192.0.2.2", "all.test")
        .cname("3.2.0.192.in-addr.arpa", "3.0-127.2.0.192.in-addr.arpa")
        .record(Record::ptr("3.0-127.2.0.192.in-addr.arpa", "v4.test"))
        .txt("1.0-127.2.0.192.in-addr.arpa", "no name")
        .cname("4.2.0.192.in-addr.arpa", "4.0-127.2.0.192.in-addr.arpa")
        .nxdomain_else()
}

/// Calls whose answers end at an alias, with what all of them need of the server.
const CALLS: [(&str, &[&str]); 11] = [
    ("gai -t stream four.test -", &["four.test 1", "four.test 28"]),
    ("gai -t stream -F CANONNAME six.test -", &["six.test 1", "six.test 28"]),
    ("gai -t stream -f inet6 four.test -", &[]),
    ("gai -t stream -f inet six.test -", &[]),
    ("gai -t stream -f inet6 -F V4MAPPED four.test -", &[]),
    ("gai -t stream text.test -", &["text.test 1", "text.test 28"]),
    ("gai -t stream -f inet text.test -", &[]),
    ("gai -t stream bare.test -", &["bare.test 1", "bare.test 28"]),
    ("gni 192.0.2.1 80", &["1.2.0.192.in-addr.arpa 12"]),
    ("gni 192.0.2.3 80", &["3.2.0.192.in-addr.arpa 12"]),
    ("gni -F NAMEREQD 192.0.2.4 80", &["4.2.0.192.in-addr.arpa 12"]),
];

/// A zone over UDP, or by TCP alone.
fn by(transport: Transport) -> impl Fn(&Question) -> Reply {
    let zone = zone();
    move |q: &Question| {
        if q.transport == Transport::Udp && transport == Transport::Tcp {
            Reply::empty().truncated()
        } else {
            zone.answer(q)
        }
    }
}

#[test]
fn what_stands_at_the_end_is_kept() {
    for transport in [Transport::Udp, Transport::Tcp] {
        Sandbox::enter(|sandbox| {
            let server = Server::on(sandbox, &["127.0.0.1:53"], by(transport));
            let mut process = Conversation::begin(sandbox, &[]);
            for (call, wanted) in CALLS {
                server.clear_log();
                let first = process.call(call).0;
                assert_eq!(process.call(call).0, first, "{call}");
                let word = if transport == Transport::Udp { "udp" } else { "tcp" };
                let mut asked: Vec<String> =
                    server.asked().into_iter().filter(|line| line.ends_with(word)).collect();
                asked.sort();
                let wanted: Vec<String> =
                    wanted.iter().map(|question| format!("{question} {word}")).collect();
                assert_eq!(asked, wanted, "{call}");
            }
        });
    }
}

#[test]
fn a_silent_server_is_not_missed_while_all_of_it_is_in_its_time() {
    Sandbox::enter(|sandbox| {
        sandbox.address("198.51.100.9/24");
        sandbox.address("2001:db8:1::9/64");
        sandbox.name_servers(&[1], "timeout:1 attempts:1");
        let is_silent = Arc::new(AtomicBool::new(false));
        let (silent, answer) = (Arc::clone(&is_silent), by(Transport::Udp));
        let server = Server::on(sandbox, &["127.0.0.1:53"], move |q: &Question| {
            if silent.load(Ordering::SeqCst) { Reply::drop() } else { answer(q) }
        });
        let mut process = Conversation::begin(sandbox, &[]);
        let first: Vec<String> = CALLS.iter().map(|(call, _)| process.call(call).0).collect();
        is_silent.store(true, Ordering::SeqCst);
        server.clear_log();
        // Longer than an answer of a moment ago is remembered whole.
        std::thread::sleep(Duration::from_millis(1100));
        let again: Vec<String> = CALLS.iter().map(|(call, _)| process.call(call).0).collect();
        assert_eq!(again, first);
        assert_eq!(server.asked(), [""; 0]);
        // Threads that ask at once, too.
        let (answer, _) = process.call("gai -n 8 -t stream four.test -");
        assert!(answer.contains("192.0.2.1"), "{answer}");
        assert_eq!(server.asked(), [""; 0]);
    });
}

/// libc has no cache: it makes each call with new answers, the library the second time with kept ones.
#[test]
fn each_caller_is_told_what_libc_tells_it() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        let mut calls = String::new();
        let mut hosts = String::new();
        for name in ["four.test", "six.test", "both.test", "text.test", "bare.test"] {
            for flags in ["", "-F CANONNAME", "-F V4MAPPED", "-F V4MAPPED,ALL"] {
                for family in ["unspec", "inet", "inet6"] {
                    calls += &format!("gai -t stream -f {family} {flags} {name} -\n");
                }
            }
            for call in ["name", "name -s", "name2 -f inet", "name2 -f inet6"] {
                hosts += &format!("{call} {name}\n");
            }
        }
        for last in 1..=4 {
            calls += &format!("gni 192.0.2.{last} 80\ngni -F NAMEREQD 192.0.2.{last} 80\n");
            // An address that has no name is EAGAIN to libc's gethostbyaddr: docs/divergences.md.
            if last != 1 {
                hosts += &format!("addr -f inet 192.0.2.{last}\n");
            }
        }
        crate::assert_same!(compare_calls(sandbox, &(calls.clone() + &calls)), "twice");
        crate::assert_same!(compare_batch(sandbox, "hostent", &(hosts.clone() + &hosts)), "twice");
    });
}

/// A search goes on behind an alias as libc's does, whoever says what is there.
#[test]
fn a_search_goes_on_as_from_new_answers() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "search sub.test test\noptions ndots:2\n");
        let zone = zone().a("four", "192.0.2.7").cname("four.sub.test", "words.test");
        let _server = Server::start(sandbox, zone);
        let mut calls = String::new();
        for name in ["four", "bare", "text", "six"] {
            for family in ["unspec", "inet", "inet6"] {
                calls += &format!("gai -t stream -f {family} {name} -\n");
            }
        }
        crate::assert_same!(compare_calls(sandbox, &(calls.clone() + &calls)));
        crate::assert_same!(compare_batch(sandbox, "hostent", &"name four\nname bare\n".repeat(2)));
    });
}

/// The answer to a question about a name that is an alias.
fn odd(q: &Question) -> Reply {
    let alias = |target: &str, ttl| Record::cname(&q.name, target).ttl(ttl);
    let short = |mut soa: Record, ttl| {
        soa.ttl = ttl;
        soa
    };
    match &*q.name {
        // The alias outlives nothing, or nothing the alias.
        "alias-short.test" if q.qtype == rtype::AAAA => {
            Reply::records([alias("end.test", 1)]).soa("test")
        }
        "alias-short.test" => {
            Reply::records([alias("end.test", 1), Record::address("end.test", "192.0.2.1")])
        }
        "alias-short-nobody.test" => {
            Reply::nxdomain().soa("test").answers([alias("nobody.test", 1)])
        }
        "soa-short.test" => {
            Reply::records([alias("end.test", 300)]).authority([short(Record::soa("test"), 1)])
        }
        "zero.test" => Reply::records([alias("end.test", 0)]).soa("test"),
        // Nothing is said of the end.
        "cut.test" => Reply::records([alias("elsewhere.example", 300)]),
        "cut-of-this-zone.test" => Reply::records([alias("elsewhere.example", 300)]).soa("test"),
        "cut-nobody.test" => Reply::nxdomain().answers([alias("elsewhere.example", 300)]),
        "loop.test" => {
            Reply::records([alias("pool.test", 300), Record::cname("pool.test", "loop.test")])
                .soa("test")
        }
        // DNAME test → example, and the alias that a server makes of it (RFC 6672 section 3.1).
        "a.tree.test" => Reply::records([dname(), alias("a.example", 300)]).soa("example"),
        "b.tree.test" => {
            Reply::nxdomain().soa("example").answers([dname(), alias("b.example", 300)])
        }
        // At the zone's own name, and by the root.
        "apex.test" => Reply::records([alias("example", 300)]).soa("example"),
        "root.test" => Reply::nxdomain().soa("").answers([alias("nobody.invalid", 300)]),
        _ => Reply::nxdomain(),
    }
}

fn dname() -> Record {
    let target = b"\x07example\0".to_vec();
    Record::new("tree.test", crate::support::wire::Data::Raw(39, target))
}

#[test]
fn no_longer_than_the_alias_and_only_what_is_said_of_its_end() {
    Sandbox::enter(|sandbox| {
        let server = Server::on(sandbox, &["127.0.0.1:53"], odd);
        let mut process = Conversation::begin(sandbox, &[]);
        let mut asked = |family: &str, name: &str| {
            server.clear_log();
            let call = format!("gai -t stream -f {family} {name}.test -");
            let first = process.call(&call).0;
            assert_eq!(process.call(&call).0, first, "{name}");
            server.log().len()
        };
        for (name, kept) in [
            ("cut", false),
            ("cut-of-this-zone", false),
            ("cut-nobody", false),
            ("loop", false),
            ("zero", false),
            ("a.tree", true),
            ("b.tree", true),
            ("apex", true),
            ("root", true),
        ] {
            for family in ["inet", "inet6"] {
                let want = if kept { 1 } else { 2 };
                assert_eq!(asked(family, name), want, "{name} {family}");
            }
        }
        // Each is kept, and a second later no more.
        for (family, name) in [
            ("inet6", "alias-short"),
            ("inet", "alias-short"),
            ("inet6", "alias-short-nobody"),
            ("inet", "soa-short"),
        ] {
            assert_eq!(asked(family, name), 1, "{name} {family}");
        }
        std::thread::sleep(Duration::from_millis(1200));
        for (family, name) in [
            ("inet6", "alias-short"),
            ("inet", "alias-short"),
            ("inet6", "alias-short-nobody"),
            ("inet", "soa-short"),
        ] {
            assert_eq!(asked(family, name), 1, "{name} {family}, a second later");
        }
    });
}

/// RFC 8767: what is past its time serves where no server answers, "no" at the end of an alias too.
#[test]
fn past_its_time_it_serves_where_nobody_answers() {
    Sandbox::enter(|sandbox| {
        sandbox.name_servers(&[1], "timeout:1 attempts:1");
        let is_silent = Arc::new(AtomicBool::new(false));
        let silent = Arc::clone(&is_silent);
        let _server = Server::on(sandbox, &["127.0.0.1:53"], move |q: &Question| {
            if silent.load(Ordering::SeqCst) { Reply::drop() } else { odd(q) }
        });
        let mut process = Conversation::begin(sandbox, &[("RUSTDNS_SERVE_STALE", "60")]);
        let calls =
            ["gai -t stream -f inet6 alias-short.test -", "gai -t stream alias-short.test -"];
        let first = calls.map(|call| process.call(call).0);
        assert!(first[0].starts_with("EAI_"), "{first:?}");
        is_silent.store(true, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(1200));
        assert_eq!(calls.map(|call| process.call(call).0), first);
    });
}

/// What `res_query` gets is the server's own message, each time anew.
#[test]
fn messages_are_not_kept() {
    Sandbox::enter(|sandbox| {
        let server = Server::on(sandbox, &["127.0.0.1:53"], zone());
        let mut command = sandbox.preload(sandbox.command(cc::program("resolver")));
        command.arg("--batch");
        let calls = "query four.test 1 28\n".repeat(3);
        let output = run_with_input(command, calls.as_bytes(), LIMIT);
        assert!(output.success(), "{output}");
        assert_eq!(server.asked(), ["four.test 28 udp"; 3]);
    });
}
