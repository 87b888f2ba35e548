//! What servers answer, right and wrong: the library makes of it what libc makes of it. What it makes
//! otherwise is in `divergences.rs`.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use support::differential::{compare_calls, probe, probe_within};
use support::dns::{Question, Reply, Server, Transport};
use support::sandbox::Sandbox;
use support::wire::{Data, IN, Record, rcode, rtype};

type Answer = fn(&Question) -> Reply;

/// Each kind of lookup, for a name that any script knows.
const CALLS: &str = "gai -t stream -F CANONNAME x.test 80\ngai -t stream -f inet y.test -\n\
                     gai -t stream -f inet6 z.test -\n";

/// The record that was asked for, of the name that was asked.
fn right(q: &Question) -> Reply {
    Reply::records([address(q, &q.name)])
}

fn address(q: &Question, owner: &str) -> Record {
    match q.qtype {
        rtype::A => Record::address(owner, "192.0.2.1"),
        rtype::AAAA => Record::address(owner, "2001:db8::1"),
        _ => Record::ptr(owner, "x.test"),
    }
}

/// What no resolver may believe.
fn forged(q: &Question) -> Reply {
    Reply::records([match q.qtype {
        rtype::AAAA => Record::address(&q.name, "2001:db8::bad"),
        _ => Record::address(&q.name, "192.0.2.66"),
    }])
}

fn by_type(q: &Question, a: Reply, aaaa: Reply) -> Reply {
    if q.qtype == rtype::AAAA { aaaa } else { a }
}

fn over_tcp(q: &Question, tcp: Reply) -> Reply {
    if q.transport == Transport::Udp { Reply::empty().truncated() } else { tcp }
}

/// Compares each row in a sandbox whose only server answers so.
fn same(rows: &[(&str, Answer)]) {
    for &(about, answer) in rows {
        Sandbox::enter(|sandbox| {
            sandbox.append("/etc/resolv.conf", "options timeout:1 attempts:2\n");
            let _server = Server::start(sandbox, answer);
            assert_same!(compare_calls(sandbox, CALLS), "{about}");
        });
    }
}

#[test]
fn one_good_family_is_enough() {
    same(&[
        ("AAAA without data", |q| by_type(q, right(q), Reply::nodata().soa("test"))),
        ("AAAA without SOA", |q| by_type(q, right(q), Reply::nodata())),
        ("AAAA does not exist", |q| by_type(q, right(q), Reply::nxdomain().soa("test"))),
        ("AAAA fails", |q| by_type(q, right(q), Reply::rcode(rcode::SERVFAIL))),
        ("AAAA is refused", |q| by_type(q, right(q), Reply::rcode(rcode::REFUSED))),
        ("AAAA is not implemented", |q| by_type(q, right(q), Reply::rcode(rcode::NOTIMP))),
        ("A without data", |q| by_type(q, Reply::nodata().soa("test"), right(q))),
        ("A does not exist", |q| by_type(q, Reply::nxdomain().soa("test"), right(q))),
        ("A fails", |q| by_type(q, Reply::rcode(rcode::SERVFAIL), right(q))),
    ]);
}

#[test]
fn no_address() {
    same(&[
        ("no data", |_| Reply::nodata().soa("test")),
        ("NXDOMAIN", |_| Reply::nxdomain().soa("test")),
        ("NXDOMAIN without SOA", |_| Reply::nxdomain()),
        ("SERVFAIL", |_| Reply::rcode(rcode::SERVFAIL)),
        ("REFUSED", |_| Reply::rcode(rcode::REFUSED)),
        ("NOTIMP", |_| Reply::rcode(rcode::NOTIMP)),
        ("FORMERR", |_| Reply::rcode(rcode::FORMERR)),
        ("rcode 15", |_| Reply::rcode(15)),
        ("lame: no recursion, no records", |_| Reply::empty().without_recursion()),
        ("A does not exist, AAAA fails", |q| {
            by_type(q, Reply::nxdomain().soa("test"), Reply::rcode(rcode::SERVFAIL))
        }),
        ("only a TXT record", |q| {
            Reply::records([Record::new(&q.name, Data::Txt(b"text".to_vec()))])
        }),
    ]);
}

#[test]
fn aliases() {
    same(&[
        ("one", |q| Reply::records([Record::cname(&q.name, "t.test"), address(q, "t.test")])),
        ("uncompressed", |q| {
            Reply::records([Record::cname(&q.name, "t.test"), address(q, "t.test")]).uncompressed()
        }),
        ("three", |q| {
            let (one, two) = (Record::cname(&q.name, "1.test"), Record::cname("1.test", "2.test"));
            Reply::records([one, two, Record::cname("2.test", "3.test"), address(q, "3.test")])
        }),
        ("to nothing", |q| Reply::records([Record::cname(&q.name, "t.test")])),
        ("to itself", |q| Reply::records([Record::cname(&q.name, &q.name)])),
        ("in a circle", |q| {
            Reply::records([Record::cname(&q.name, "t.test"), Record::cname("t.test", &q.name)])
        }),
        ("to a name that doesn't exist", |q| {
            Reply::nxdomain().answers([Record::cname(&q.name, "t.test")]).soa("test")
        }),
        ("in another case", |q| {
            let shouted = q.name.to_ascii_uppercase();
            Reply::records([Record::cname(&shouted, "T.Test"), address(q, "t.tEST")])
        }),
        ("with signatures in between", |q| {
            let signature = Record::new(&q.name, Data::Raw(rtype::RRSIG, vec![0; 40]));
            let alias = Record::cname(&q.name, "t.test");
            Reply::records([alias, signature.clone(), address(q, "t.test"), signature])
        }),
    ]);
}

#[test]
fn what_is_no_answer_to_the_question_is_waited_past() {
    same(&[
        ("wrong id", |q| forged(q).wrong_id().then(right(q))),
        ("wrong port", |q| forged(q).wrong_port().then(right(q))),
        ("wrong address", |q| forged(q).wrong_address("127.0.0.2").then(right(q))),
        ("wrong name", |q| forged(q).wrong_question("other.test", q.qtype, IN).then(right(q))),
        ("wrong type", |q| forged(q).wrong_question(&q.name, rtype::MX, IN).then(right(q))),
        ("wrong class", |q| forged(q).wrong_question(&q.name, q.qtype, 3).then(right(q))),
        ("answered twice", |q| right(q).then(forged(q))),
        ("a hundred of them", |q| match q.transport {
            Transport::Udp => {
                let forged = || forged(q).wrong_id();
                (0..100).fold(forged(), |reply, _| reply.then(forged())).then(right(q))
            }
            Transport::Tcp => right(q),
        }),
    ]);
}

#[test]
fn records_of_other_names_are_left_out() {
    same(&[
        ("behind", |q| Reply::records([address(q, &q.name), foreign(q)])),
        ("before", |q| Reply::records([foreign(q), address(q, &q.name)])),
        ("alone", |q| Reply::records([foreign(q)])),
    ]);
}

fn foreign(q: &Question) -> Record {
    match q.qtype {
        rtype::AAAA => Record::address("other.test", "2001:db8::bad"),
        _ => Record::address("other.test", "192.0.2.66"),
    }
}

#[test]
fn tcp() {
    same(&[
        ("after truncation", |q| over_tcp(q, right(q))),
        ("byte by byte", |q| over_tcp(q, right(q).segments(1))),
        ("truncated with records", |q| match q.transport {
            Transport::Udp => right(q).truncated(),
            Transport::Tcp => right(q),
        }),
        ("NXDOMAIN", |q| over_tcp(q, Reply::nxdomain().soa("test"))),
        ("60 kB", |q| {
            let many = (0..=250).flat_map(|n| (1..=4).map(move |m| format!("192.0.{m}.{n}")));
            let records = many.map(|a| Record::address(&q.name, &a));
            by_type(q, over_tcp(q, Reply::records(records)), Reply::nodata())
        }),
    ]);
}

/// The first of two servers answers so, or doesn't listen at all; the second is right.
fn the_second_answers(about: &str, first: Option<Answer>) {
    Sandbox::enter(|sandbox| {
        let servers = "nameserver 127.0.0.1\nnameserver 127.0.0.2\noptions timeout:1\n";
        sandbox.write("/etc/resolv.conf", servers);
        let _first = first.map(|answer| Server::on(sandbox, &["127.0.0.1:53"], answer));
        let second = Server::on(sandbox, &["127.0.0.2:53"], right);
        assert_same!(compare_calls(sandbox, CALLS), "{about}");
        assert!(!second.log().is_empty(), "{about}");
    });
}

#[test]
fn the_next_server_is_asked() {
    the_second_answers("nobody listens", None);
    the_second_answers("silent", Some(|_| Reply::drop()));
    the_second_answers("SERVFAIL", Some(|_| Reply::rcode(rcode::SERVFAIL)));
    the_second_answers("REFUSED", Some(|_| Reply::rcode(rcode::REFUSED)));
    the_second_answers("NOTIMP", Some(|_| Reply::rcode(rcode::NOTIMP)));
}

#[test]
fn the_next_server_is_not_asked_after_an_answer() {
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/resolv.conf", "nameserver 127.0.0.1\nnameserver 127.0.0.2\n");
        let _first = Server::on(sandbox, &["127.0.0.1:53"], |q: &Question| match q.qtype {
            rtype::A => Reply::nxdomain().soa("test"),
            _ => Reply::nodata().soa("test"),
        });
        let second = Server::on(sandbox, &["127.0.0.2:53"], right);
        assert_same!(compare_calls(sandbox, CALLS));
        assert_eq!(second.asked(), [""; 0]);
    });
}

/// The second time both families are asked for from sockets of their own.
#[test]
fn the_next_server_is_not_asked_while_the_other_family_may_come() {
    Sandbox::enter(|sandbox| {
        let lines = "nameserver 127.0.0.1\nnameserver 127.0.0.2\noptions timeout:1\n";
        sandbox.write("/etc/resolv.conf", lines);
        let times = [AtomicUsize::new(0), AtomicUsize::new(0)];
        let _first = Server::on(sandbox, &["127.0.0.1:53"], move |q: &Question| {
            let time = times[usize::from(q.qtype == rtype::AAAA)].fetch_add(1, Ordering::SeqCst);
            match time % 2 {
                0 => Reply::drop(),
                _ => {
                    let later = right(q).after(Duration::from_millis(100));
                    by_type(q, Reply::rcode(rcode::SERVFAIL), later)
                }
            }
        });
        let second = Server::on(sandbox, &["127.0.0.2:53"], |_: &Question| Reply::drop());
        for preload in [false, true] {
            second.clear_log();
            let output = probe(sandbox, preload, "gai -t stream x.test -\n").out();
            assert!(output.contains("2001:db8::1"), "{output}");
            // libc asks it when the first has had its second.
            let asked: &[&str] = if preload { &[] } else { &["x.test 1 udp", "x.test 28 udp"] };
            assert_eq!(second.asked(), asked, "preloaded: {preload}");
        }
    });
}

/// A row of `docs/divergences.md`, found by glibc's tst-bug18665-tcp.
#[test]
fn an_answer_is_kept_when_the_connection_breaks_off() {
    Sandbox::enter(|sandbox| {
        let lines = "nameserver 127.0.0.1\nnameserver 127.0.0.2\noptions use-vc\n";
        sandbox.write("/etc/resolv.conf", lines);
        let first = |q: &Question| by_type(q, right(q), Reply::close());
        let _first = Server::on(sandbox, &["127.0.0.1:53"], first);
        let second = Server::on(sandbox, &["127.0.0.2:53"], right);
        let asked = [false, true].map(|preload| {
            second.clear_log();
            let output = probe(sandbox, preload, "gai -t stream x.test -\n").out();
            assert!(output.contains("192.0.2.1") && output.contains("2001:db8::1"), "{output}");
            second.asked()
        });
        assert_eq!(asked[0], ["x.test 1 tcp", "x.test 28 tcp"], "libc");
        assert_eq!(asked[1], ["x.test 28 tcp"], "rustdns");
    });
}

#[test]
fn the_query_says_what_resolv_conf_says() {
    for options in ["", "options edns0", "options trust-ad", "options edns0 trust-ad"] {
        Sandbox::enter(|sandbox| {
            sandbox.append("/etc/resolv.conf", format!("{options}\n"));
            let server = Server::start(sandbox, right);
            let [libc, rustdns] = [false, true].map(|preload| {
                server.clear_log();
                probe(sandbox, preload, "gai -f inet x.test -\n");
                let said = |q: Question| (q.rd, q.ad, q.cd, q.edns, q.dnssec_ok);
                server.log().into_iter().map(said).collect::<Vec<_>>()
            });
            assert_eq!(libc, rustdns, "{options}: RD, AD, CD, EDNS, DO");
        });
    }
}

#[test]
fn ids_and_ports_differ_from_query_to_query() {
    // Each family has its kind of socket, and both together a third.
    for (family, queries) in [("-f inet ", 1), ("-f inet6 ", 1), ("", 2)] {
        Sandbox::enter(|sandbox| {
            let server = Server::start(sandbox, right);
            let calls: String = (0..50).map(|n| format!("gai {family}n{n}.test -\n")).collect();
            probe(sandbox, true, &calls);
            let log = server.log();
            assert_eq!(log.len(), 50 * queries);
            let distinct = |of: fn(&Question) -> u16| {
                log.iter().map(of).collect::<std::collections::BTreeSet<_>>().len()
            };
            // 50 draws out of 28,000 ports, or 100 out of 65,536 ids: more than 5 pairs are a chance
            // below 1e-9.
            assert!(distinct(|q| q.source.port()) >= 45);
            assert!(distinct(|q| q.id) >= 50 * queries - 5);
        });
    }
}

#[test]
fn a_server_that_never_ends_its_tcp_answer_is_given_up() {
    let silent: [(&str, Answer); 3] = [
        ("no answer", |q| over_tcp(q, Reply::drop())),
        ("half an answer", |q| over_tcp(q, right(q).length_error(10))),
        ("a byte every 100 ms", |q| {
            let slow = || Reply::raw([0; 1]).after(Duration::from_millis(100));
            let start = Reply::raw([0; 1]).length_error(60_000);
            over_tcp(q, (0..1000).fold(start, |r, _| r.then(slow())))
        }),
    ];
    for (about, answer) in silent {
        Sandbox::enter(|sandbox| {
            sandbox.append("/etc/resolv.conf", "options timeout:1 attempts:1\n");
            let _server = Server::start(sandbox, answer);
            let started = Instant::now();
            // libc has no limit here, and the slowest of these answers takes 100 s.
            let limit = Duration::from_secs(30);
            let got = probe_within(limit, sandbox, true, "gai -f inet x.test -\n");
            assert!(got.out().contains("EAI_"), "{about}, {:?}: {got}", started.elapsed());
        });
    }
}

/// Two of these for each name: on a network of the host's, by way of a default route, in no reach, mapped.
const V4: [&str; 3] = ["192.0.2.1", "198.51.100.1", "127.0.0.9"];
const V6: [&str; 4] = ["2001:db8::1", "2001:db8:1::1", "fd00::1", "::ffff:192.0.2.1"];

fn addresses_by_number(q: &Question) -> Reply {
    let number =
        q.name.bytes().find(u8::is_ascii_digit).map_or(0, |digit| usize::from(digit - b'0'));
    let of = |all: &[&str]| -> Vec<Record> {
        let chosen = [number, number / 2 + 1].into_iter().filter_map(|n| all.iter().cycle().nth(n));
        chosen.map(|address| Record::address(&q.name, address)).collect()
    };
    Reply::records(if q.qtype == rtype::AAAA { of(&V6) } else { of(&V4) })
}

/// The socket that has brought the addresses is what finds their sources, where it can be.
#[test]
fn both_families_come_in_libcs_order_whatever_sockets_can_do() {
    let calls: String = (0..8)
        .map(|n| format!("gai -t stream n{n}.test 80\ngai -t stream -f inet6 m{n}.test -\n"))
        .collect();
    for (server, kept_apart) in [("127.0.0.1", "0"), ("::1", "0"), ("127.0.0.1", "1"), ("::1", "1")]
    {
        for routes in [&[][..], &[4], &[6], &[4, 6]] {
            Sandbox::enter(|sandbox| {
                std::fs::write("/proc/sys/net/ipv6/bindv6only", kept_apart).unwrap();
                sandbox.address("192.0.2.9/24");
                sandbox.address("2001:db8::9/64");
                routes.iter().for_each(|&family| sandbox.default_route(family));
                sandbox.write("/etc/resolv.conf", format!("nameserver {server}\n"));
                let _server = Server::start(sandbox, addresses_by_number);
                let pair = compare_calls(sandbox, &calls);
                assert_same!(pair, "{server}, bindv6only {kept_apart}, routes {routes:?}");
            });
        }
    }
}
