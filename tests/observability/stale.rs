//! `serve-stale` (RFC 8767).

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::sleep;
use std::time::Duration;

use super::{json, rustdns, succeed};
use crate::support::conversation::Conversation;
use crate::support::dns::{Question, Reply, Server};
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Record, rcode};

const STALE: (&str, &str) = ("RUSTDNS_SERVE_STALE", "3600");
const FORWARD: &str = "gai -t stream -f inet host.test -";
const REVERSE: &str = "gni 192.0.2.1 80";
/// The TTL is a second.
const LATER: Duration = Duration::from_millis(1200);

/// A server that knows host.test for a second, until it is told to do something else.
fn server(sandbox: &Sandbox, is_ill: &'static AtomicBool, ill: fn(&Question) -> Reply) -> Server {
    Server::on(sandbox, &["127.0.0.1:53"], move |q: &Question| {
        match (is_ill.load(SeqCst), q.qtype) {
            (true, _) => ill(q),
            (false, 12) => Reply::records([Record::ptr(&q.name, "host.test").ttl(1)]),
            (false, _) => Reply::records([Record::address(&q.name, "192.0.2.1").ttl(1)]),
        }
    })
}

#[test]
fn an_old_answer_serves_where_no_server_gives_one() {
    static IS_ILL: AtomicBool = AtomicBool::new(false);
    Sandbox::enter(|sandbox| {
        sandbox.name_servers(&[1], "timeout:1 attempts:1");
        let server = server(sandbox, &IS_ILL, |_| Reply::rcode(rcode::SERVFAIL));
        let mut with = Conversation::begin(sandbox, &[STALE, ("RUSTDNS_STATS", "on")]);
        let mut without = Conversation::begin(sandbox, &[]);
        for process in [&mut with, &mut without] {
            assert!(process.call(FORWARD).0.contains(" 192.0.2.1 "));
            assert!(process.call(REVERSE).0.contains("host.test"));
        }
        IS_ILL.store(true, SeqCst);
        sleep(LATER);
        assert_eq!(without.call(FORWARD).0, "EAI_AGAIN");
        server.clear_log();
        assert!(with.call(FORWARD).0.contains(" 192.0.2.1 "), "though its time is over");
        assert!(with.call(REVERSE).0.contains("host.test"));
        assert!(!server.log().is_empty(), "the server was asked first");
        server.clear_log();
        assert!(with.call(FORWARD).0.contains(" 192.0.2.1 "));
        assert_eq!(server.asked(), [""; 0], "and is not asked again for half a minute");
        let id = with.id().to_string();
        let counted = succeed(rustdns(sandbox, &["stats", "--json", "--pid", &id])).out();
        assert_eq!(json(sandbox, &counted, "d['stale'] >= 3"), "True", "{counted}");
        // What was never known can't be served.
        assert_eq!(with.call("gai -t stream -f inet other.test -").0, "EAI_AGAIN");
    });
}

#[test]
fn a_new_answer_counts_whatever_it_says() {
    static IS_ILL: AtomicBool = AtomicBool::new(false);
    Sandbox::enter(|sandbox| {
        let _server = server(sandbox, &IS_ILL, |_| Reply::nxdomain().soa("test"));
        let mut process = Conversation::begin(sandbox, &[STALE]);
        process.finds("host.test", "192.0.2.1");
        IS_ILL.store(true, SeqCst);
        sleep(LATER);
        assert_eq!(process.call(FORWARD).0, "EAI_NONAME", "not the old address");
    });
}

#[test]
fn a_silent_server_is_not_waited_for_as_long_as_without() {
    static IS_ILL: AtomicBool = AtomicBool::new(false);
    Sandbox::enter(|sandbox| {
        sandbox.name_servers(&[1], "timeout:10 attempts:2");
        let _server = server(sandbox, &IS_ILL, |_| Reply::drop());
        let mut process = Conversation::begin(sandbox, &[STALE]);
        process.finds("host.test", "192.0.2.1");
        IS_ILL.store(true, SeqCst);
        sleep(LATER);
        let took = process.finds("host.test", "192.0.2.1");
        // 1.8 seconds of twenty (RFC 8767 section 5).
        assert!(took < Duration::from_secs(8), "{took:?}");
        assert!(took > Duration::from_secs(1), "{took:?}: the server had time to answer");
    });
}
