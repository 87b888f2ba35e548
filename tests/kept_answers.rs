//! The cache: what was answered is not asked again while it is true, and no longer.

mod support;

use std::sync::Mutex;
use std::time::Duration;

use support::conversation::Conversation;
use support::dns::{Question, Reply, Server, Transport};
use support::sandbox::Sandbox;
use support::wire::{Record, rcode};
use support::zone::Zone;

#[test]
fn what_was_answered_is_not_asked_again_while_its_ttl_lasts() {
    Sandbox::enter(|sandbox| {
        let zone = Zone::new()
            .a("kept.test", "192.0.2.1")
            .ptr("192.0.2.1", "kept.test")
            .record(Record::address("zero.test", "192.0.2.2").ttl(0))
            .record(Record::address("short.test", "192.0.2.3").ttl(1))
            .nxdomain_else();
        let server = Server::on(sandbox, &["127.0.0.1:53"], zone);
        let mut process = Conversation::begin(sandbox, &[]);
        let mut asked = |calls: &[&str]| {
            server.clear_log();
            calls.iter().for_each(|call| drop(process.call(call)));
            server.asked()
        };
        let twice = |call| [call, call];
        assert_eq!(asked(&twice("gai -f inet kept.test -")), ["kept.test 1 udp"]);
        assert_eq!(asked(&["gai -f inet KEPT.test 80"]), [""; 0], "whatever its letters' case");
        assert_eq!(asked(&["gai -f inet6 kept.test -"]), ["kept.test 28 udp"], "another type");
        assert_eq!(asked(&twice("gni 192.0.2.1 80")), ["1.2.0.192.in-addr.arpa 12 udp"]);
        assert_eq!(asked(&twice("gai -f inet zero.test -")), ["zero.test 1 udp"; 2]);
        assert_eq!(asked(&twice("gai -f inet nobody.test -")), ["nobody.test 1 udp"]);
        assert_eq!(asked(&["gai -f inet short.test -"]), ["short.test 1 udp"]);
        std::thread::sleep(Duration::from_millis(1200));
        assert_eq!(asked(&["gai -f inet short.test -"]), ["short.test 1 udp"], "a second later");
    });
}

#[test]
fn without_an_soa_record_a_no_is_not_kept() {
    Sandbox::enter(|sandbox| {
        let server = Server::on(sandbox, &["127.0.0.1:53"], |q: &Question| match &*q.name {
            "with.test" => Reply::nxdomain().soa("test"),
            "nodata.test" => Reply::nodata().soa("test"),
            "nodata-without.test" => Reply::nodata(),
            _ => Reply::nxdomain(),
        });
        let mut process = Conversation::begin(sandbox, &[]);
        for (name, times) in [("with", 1), ("without", 2), ("nodata", 1), ("nodata-without", 2)] {
            server.clear_log();
            let call = format!("gai -f inet {name}.test -");
            assert_eq!(process.call(&call).0, process.call(&call).0, "{name}");
            assert_eq!(server.log().len(), times, "{name}");
        }
    });
}

#[test]
fn trouble_is_not_taken_for_an_answer() {
    Sandbox::enter(|sandbox| {
        sandbox.name_servers(&[1], "timeout:1 attempts:1");
        let seen = Mutex::new(0);
        let _server = Server::on(sandbox, &["127.0.0.1:53"], move |q: &Question| {
            let mut seen = seen.lock().unwrap();
            *seen += 1;
            if *seen == 1 { Reply::rcode(rcode::SERVFAIL) } else { Reply::address(q) }
        });
        let mut process = Conversation::begin(sandbox, &[]);
        assert_eq!(process.call("gai -f inet host.test -").0, "EAI_AGAIN");
        process.finds("host.test", "192.0.2.1");
    });
}

#[test]
fn the_cache_can_be_switched_off() {
    Sandbox::enter(|sandbox| {
        let server = Server::on(sandbox, &["127.0.0.1:53"], Reply::address);
        let mut process = Conversation::begin(sandbox, &[("RUSTDNS_CACHE", "off")]);
        process.finds("host.test", "192.0.2.1");
        process.finds("host.test", "192.0.2.1");
        assert_eq!(server.log().len(), 2);
    });
}

#[test]
fn a_change_of_resolv_conf_is_followed_and_forgets_what_the_old_servers_said() {
    Sandbox::enter(|sandbox| {
        let _old = Server::on(sandbox, &["127.0.0.1:53"], Reply::address);
        let new = Server::on(sandbox, &["127.0.0.2:53"], |q: &Question| {
            Reply::records([Record::address(&q.name, "192.0.2.2")])
        });
        let mut process = Conversation::begin(sandbox, &[]);
        process.finds("host.test", "192.0.2.1");
        sandbox.name_servers(&[2], "timeout:5");
        // Files are looked at every 100 ms.
        std::thread::sleep(Duration::from_millis(150));
        process.finds("host.test", "192.0.2.2");
        assert_eq!(new.asked(), ["host.test 1 udp"]);
        sandbox.append("/etc/hosts", "192.0.2.3 host.test\n");
        std::thread::sleep(Duration::from_millis(150));
        process.finds("host.test", "192.0.2.3");
    });
}

#[test]
fn a_tcp_answer_is_kept_like_any_other() {
    Sandbox::enter(|sandbox| {
        let server = Server::on(sandbox, &["127.0.0.1:53"], |q: &Question| match q.transport {
            Transport::Udp => Reply::empty().truncated(),
            Transport::Tcp => Reply::address(q),
        });
        let mut process = Conversation::begin(sandbox, &[]);
        process.finds("host.test", "192.0.2.1");
        process.finds("host.test", "192.0.2.1");
        assert_eq!(server.asked(), ["host.test 1 udp", "host.test 1 tcp"]);
    });
}

#[test]
fn threads_that_ask_the_same_at_once_ask_the_server_once() {
    Sandbox::enter(|sandbox| {
        sandbox.name_servers(&[1], "timeout:2 attempts:1");
        let late = Duration::from_millis(150);
        let server = Server::on(sandbox, &["127.0.0.1:53"], move |q: &Question| {
            let reply = match &*q.name {
                "failing.test" => Reply::rcode(rcode::SERVFAIL),
                "nobody.test" => Reply::nxdomain(),
                "zero.test" => Reply::records([Record::address("zero.test", "192.0.2.9").ttl(0)]),
                "1.2.0.192.in-addr.arpa" => Reply::records([Record::ptr(&q.name, "host.test")]),
                _ => Reply::address(q),
            };
            reply.after(late)
        });
        // What eight threads are told that make the call at once, and what reaches the server.
        let told = |call: &str| {
            server.clear_log();
            let mut process = Conversation::begin(sandbox, &[]);
            let (answer, _) = process.call(call);
            (server.asked(), answer)
        };
        let both = |name: &str| [format!("{name} 1 udp"), format!("{name} 28 udp")];
        let (asked, answer) = told("gai -n 8 host.test -");
        assert_eq!(asked, both("host.test"));
        assert!(answer.contains("192.0.2.1") && answer.contains("2001:db8::1"), "{answer}");
        let (asked, answer) = told("gni -n 8 192.0.2.1 80");
        assert_eq!(asked, ["1.2.0.192.in-addr.arpa 12 udp"]);
        assert!(answer.contains("host.test"), "{answer}");
        let (asked, answer) = told("gai -n 8 failing.test -");
        assert_eq!(asked, both("failing.test"));
        assert!(answer.starts_with("EAI_AGAIN"), "{answer}");
        let (asked, answer) = told("gai -n 8 nobody.test -");
        assert_eq!(
            asked,
            both("nobody.test"),
            "a no without an SOA record is not kept, but shared"
        );
        assert!(answer.starts_with("EAI_NONAME"), "{answer}");
        // A TTL of zero is for the transaction in progress (RFC 1035 section 3.2.1): for all that wait for
        // it, which would else have eight queries outstanding (RFC 5452 section 5). It is not kept.
        server.clear_log();
        let mut process = Conversation::begin(sandbox, &[]);
        for times in [1, 2] {
            let (answer, _) = process.call("gai -n 8 -f inet zero.test -");
            assert!(answer.contains("192.0.2.9"), "{answer}");
            assert_eq!(server.asked(), vec!["zero.test 1 udp"; times]);
        }
    });
}
