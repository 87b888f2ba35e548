//! DNS cookies (RFC 7873): with servers that know them, that don't, and that have changed their mind, and
//! with forgers who have the right port and id, and not the cookie.

use std::collections::BTreeSet;

use super::{forged, right};
use crate::support::cc;
use crate::support::conversation::Conversation;
use crate::support::differential::{LIMIT, probe};
use crate::support::dns::{LoggedQuery, Question, Reply, Server, Transport};
use crate::support::process::run;
use crate::support::sandbox::Sandbox;
use crate::support::servers::RealServer;
use crate::support::wire::rcode;

const SERVERS_PART: [u8; 16] = *b"a server's crumb";

/// Our part of a query's cookie.
fn ours(q: &Question) -> &[u8] {
    &q.cookie.as_ref().expect("a cookie")[..8]
}

/// The right answer, with both cookies.
fn with_cookies(q: &Question) -> Reply {
    right(q).cookie([ours(q), &SERVERS_PART].concat())
}

fn wrong(q: &Question) -> Vec<u8> {
    let mut cookie = [ours(q), &SERVERS_PART].concat();
    cookie[3] ^= 1;
    cookie
}

/// Looks up `n0.test`, `n1.test`, … for IPv4 in one process with EDNS; returns what was asked.
fn lookups(
    count: usize,
    options: &str,
    settings: &str,
    script: impl Fn(&Question) -> Reply + Send + Sync + 'static,
) -> Vec<LoggedQuery> {
    let mut log = Vec::new();
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", format!("options timeout:2 attempts:2 {options}\n"));
        sandbox.write("/etc/rustdns.conf", settings);
        let server = Server::start(sandbox, script);
        let mut process = Conversation::begin(sandbox, &[]);
        for n in 0..count {
            process.finds(&format!("n{n}.test."), "192.0.2.1");
        }
        log = server.log();
    });
    log
}

fn cookies(log: &[LoggedQuery]) -> Vec<Option<&[u8]>> {
    log.iter().map(|q| q.cookie.as_deref()).collect()
}

#[test]
fn who_asks_without_edns_or_says_off_sends_none() {
    for (options, settings, edns) in [
        ("", "", false),
        ("", "cookies auto\n", false),
        ("edns0", "cookies off\n", true),
        ("", "cookies off\n", false),
    ] {
        let log = lookups(2, options, settings, right);
        assert!(log.iter().all(|q| q.edns.is_some() == edns), "{options} {settings}");
        assert!(cookies(&log).iter().all(Option::is_none), "{options} {settings}");
        // Without EDNS a query is the one that it always was: header and question.
        let plain = |q: &LoggedQuery| q.raw.len() == 12 + q.question.len();
        assert!(edns || log.iter().all(plain), "{options} {settings}");
    }
}

#[test]
fn a_servers_cookie_is_returned_to_it() {
    for (options, settings) in [("edns0", ""), ("", "cookies on\n"), ("edns0", "cookies auto\n")] {
        let log = lookups(3, options, settings, with_cookies);
        let first = log[0].cookie.clone().unwrap();
        assert_eq!(first.len(), 8);
        let both = [&first[..], &SERVERS_PART].concat();
        let expected = [Some(&first[..]), Some(&both), Some(&both)];
        assert_eq!(cookies(&log), expected, "{options} {settings}");
    }
}

#[test]
fn a_server_without_cookies_is_believed() {
    let log = lookups(3, "edns0", "", right);
    assert!(cookies(&log).iter().all(|cookie| cookie.is_some_and(|c| c.len() == 8)));
    assert!(log.iter().all(|q| q.transport == Transport::Udp));
    // One that only repeats ours, or has options of other kinds, too.
    lookups(2, "edns0", "", |q| right(q).cookie(ours(q)));
}

#[test]
fn an_answer_with_another_cookie_is_waited_past() {
    let log = lookups(3, "edns0", "", |q| match q.transport {
        Transport::Udp => forged(q).cookie(wrong(q)).then(with_cookies(q)),
        Transport::Tcp => forged(q),
    });
    assert_eq!(log.len(), 3, "nothing was asked again");
    for length in [0, 7, 9, 15, 41, 60] {
        lookups(1, "edns0", "", move |q| {
            let mut cookie = [ours(q), &[7; 60]].concat();
            cookie.truncate(length);
            forged(q).cookie(cookie).then(with_cookies(q))
        });
    }
}

#[test]
fn an_answer_without_a_cookie_is_not_believed_of_a_server_that_gives_them() {
    let log = lookups(3, "edns0", "", |q| match (&*q.name, q.transport) {
        ("n0.test", _) | (_, Transport::Tcp) => with_cookies(q),
        // The forger has seen port and id, but not the cookie.
        ("n1.test", Transport::Udp) => forged(q),
        _ => forged(q).without_edns(),
    });
    let transports: Vec<_> = log.iter().map(|q| q.transport).collect();
    use Transport::{Tcp, Udp};
    assert_eq!(transports, [Udp, Udp, Tcp, Udp, Tcp]);
}

#[test]
fn a_server_that_has_given_them_up_is_believed_once_it_says_so_over_tcp() {
    let log = lookups(4, "edns0", "", |q| match &*q.name {
        "n0.test" => with_cookies(q),
        _ => right(q),
    });
    let transports: Vec<_> = log.iter().map(|q| q.transport).collect();
    use Transport::{Tcp, Udp};
    assert_eq!(transports, [Udp, Udp, Tcp, Udp, Udp]);
}

#[test]
fn badcookie_is_tried_once_more_and_then_over_tcp() {
    let badcookie =
        |q: &Question| Reply::rcode(rcode::BADCOOKIE).cookie([ours(q), &SERVERS_PART].concat());
    // The server wants its cookie, and takes it.
    let log = lookups(3, "edns0", "", move |q| match q.cookie.as_ref().map(Vec::len) {
        Some(24) => with_cookies(q),
        _ => badcookie(q),
    });
    let lengths: Vec<_> = log.iter().map(|q| q.cookie.as_ref().unwrap().len()).collect();
    assert_eq!(lengths, [8, 24, 24, 24]);
    assert!(log[0].id != log[1].id, "an id of its own");
    // It is never content: TCP needs no cookie.
    let log = lookups(1, "edns0", "", move |q| match q.transport {
        Transport::Udp => badcookie(q),
        Transport::Tcp => right(q),
    });
    let transports: Vec<_> = log.iter().map(|q| q.transport).collect();
    use Transport::{Tcp, Udp};
    assert_eq!(transports, [Udp, Udp, Tcp]);
    // A BADCOOKIE with another's cookie is nobody's.
    lookups(1, "edns0", "", move |q| {
        Reply::rcode(rcode::BADCOOKIE).cookie(wrong(q)).then(with_cookies(q))
    });
}

#[test]
fn edns_that_is_refused_takes_the_cookies_with_it() {
    let log = lookups(2, "edns0", "", |q| match q.edns {
        Some(_) => Reply::rcode(rcode::FORMERR).without_edns(),
        None => right(q),
    });
    let edns: Vec<_> = log.iter().map(|q| q.edns.is_some()).collect();
    assert_eq!(edns, [true, false, false]);
}

#[test]
fn servers_processes_and_children_have_cookies_of_their_own() {
    Sandbox::enter(|sandbox| {
        sandbox.write(
            "/etc/resolv.conf",
            "nameserver 127.0.0.1\nnameserver 127.0.0.2\noptions edns0 rotate\n",
        );
        let servers =
            [1, 2].map(|n| Server::on(sandbox, &[&format!("127.0.0.{n}:53")], with_cookies));
        let mut seen = BTreeSet::new();
        for _ in 0..4 {
            let calls: String = (0..4).map(|n| format!("gai -f inet n{n}.test. -\n")).collect();
            probe(sandbox, true, &calls);
            for server in &servers {
                let log = server.log();
                let of_process: BTreeSet<Vec<u8>> = log.iter().map(|q| ours(q).to_vec()).collect();
                assert_eq!(
                    (log.len(), of_process.len()),
                    (2, 1),
                    "one cookie a server and process"
                );
                seen.extend(of_process);
                server.clear_log();
            }
        }
        assert_eq!(seen.len(), 8);
    });
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "options edns0\n");
        let server = Server::on(sandbox, &["127.0.0.1:53"], with_cookies);
        let output = run(sandbox.preload(sandbox.command(cc::program("forked"))), LIMIT);
        assert!(output.success(), "{output}");
        let log = server.log();
        let of = |letter: char| -> BTreeSet<Vec<u8>> {
            log.iter().filter(|q| q.name.starts_with(letter)).map(|q| ours(q).to_vec()).collect()
        };
        let (parent, child) = (of('p'), of('c'));
        assert!(!parent.is_empty() && !child.is_empty());
        assert!(parent.is_disjoint(&child), "{parent:?} {child:?}");
    });
}

#[test]
fn knot_gives_its_cookie_and_takes_it_back() {
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/resolv.conf", "nameserver 127.0.0.1\noptions edns0 timeout:2\n");
        let records = "n0 A 192.0.2.1\nn1 A 192.0.2.1\n";
        let Some(_server) = RealServer::knot_with_cookies(sandbox, "127.0.0.1:53", "test", records)
        else {
            return;
        };
        sandbox.write("/etc/rustdns.conf", "debug 2\n");
        let calls = "gai -t stream -f inet n0.test. -\ngai -t stream -f inet n1.test. -\n";
        let got = probe(sandbox, true, calls);
        assert_eq!(got.out().matches(" 192.0.2.1 ").count(), 2, "{got}");
        let said = got.err();
        let lines = |what: &str| said.lines().filter(|line| line.contains(what)).count();
        assert_eq!(lines("over udp, id") - lines("answer from"), 3, "{got}");
        assert_eq!((lines("EDNS, cookie"), lines("EDNS, both cookies")), (1, 2), "{got}");
        assert_eq!(lines("over tcp"), 0, "{got}");
    });
}
