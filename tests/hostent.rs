//! The `gethostby*` family: results, `h_errno`, return codes and `errno` are libc's.

#![allow(clippy::unwrap_used, reason = "a test that can't be set up must fail loudly")]

mod support;

#[path = "hostent/buffers.rs"]
mod buffers;
#[path = "hostent/configuration.rs"]
mod configuration;
#[path = "hostent/divergences.rs"]
mod divergences;

use std::fmt::Write as _;

use support::differential::{Pair, compare_batch};
use support::dns::{Question, Reply, Server, Transport};
use support::sandbox::Sandbox;
use support::wire::{rcode, rtype};
use support::zone::Zone;

/// Makes the calls in one process of the probe `hostent`, with libc and with the library: see
/// `tests/c/hostent.c` for what a line may be.
fn compare_calls(sandbox: &Sandbox, calls: &str) -> Pair {
    compare_batch(sandbox, "hostent", calls)
}

const HOSTS: &str = "192.0.2.9 listed.test alias\n2001:db8::9 listed.test six\n\
    192.0.2.10 many.test m1 m2\n192.0.2.11 many.test m3 m1\n192.0.2.12 other.test many.test m4\n\
    2001:db8::10 many.test m6\n192.0.2.10 again.test\n::ffff:192.0.2.13 mapped.test\n\
    192.0.2.14 same.test same.test SAME.test\n192.0.2.14 SAME.test\n";

fn zone() -> Zone {
    Zone::new()
        .addresses("host.test", ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"])
        .a("four.test", "192.0.2.4")
        .aaaa("six.test", "2001:db8::6")
        .cname("www.test", "host.test")
        .cname("chain.test", "second.test")
        .cname("second.test", "third.test")
        .cname("third.test", "host.test")
        .cname("bare.test", "nobody.test")
        .cname("loop.test", "pool.test")
        .cname("pool.test", "loop.test")
        .cname("under_score.test", "host.test")
        .cname("to-star.test", "*x.test")
        .a("*x.test", "192.0.2.7")
        .a("a_b.test", "192.0.2.6")
        .a("found.search.test", "192.0.2.5")
        .txt("text.test", "no address")
        .ptr("192.0.2.1", "host.test")
        .ptr("192.0.2.4", "four.test")
        .ptr("192.0.2.4", "vier.test")
        .ptr("192.0.2.4", "quatre.test")
        .ptr("2001:db8::1", "host.test")
        .ptr("::1.2.3.4", "compatible.test")
        .ptr("1.2.3.4", "onetwothreefour.test")
        .ptr("0.0.0.0", "unspecified.test")
        .ptr("192.0.2.20", "bad name.test")
        .cname("21.2.0.192.in-addr.arpa", "1.2.0.192.in-addr.arpa")
        .nxdomain_else()
}

fn answer(question: &Question) -> Reply {
    let zone = zone();
    match question.name.split('.').next().unwrap() {
        "servfail" => Reply::rcode(rcode::SERVFAIL),
        "refused" => Reply::rcode(rcode::REFUSED),
        "notimp" => Reply::rcode(rcode::NOTIMP),
        "formerr" => Reply::rcode(rcode::FORMERR),
        "truncated" if question.transport == Transport::Udp => Reply::empty().truncated(),
        "truncated" => Zone::new().a(&question.name, "192.0.2.8").answer(question),
        "half" if question.qtype == rtype::AAAA => Reply::rcode(rcode::SERVFAIL),
        "half" => Zone::new().a(&question.name, "192.0.2.8").answer(question),
        "empty" => Reply::empty(),
        _ => zone.answer(question),
    }
}

fn same_in(sandbox: &Sandbox, calls: &str) {
    sandbox.append("/etc/hosts", HOSTS);
    let _server = Server::start(sandbox, answer);
    assert_same!(compare_calls(sandbox, calls));
}

fn same(calls: &str) {
    Sandbox::enter(|sandbox| same_in(sandbox, calls));
}

/// The name by all four functions.
fn by_name(name: &str) -> String {
    let mut calls = String::new();
    for form in ["", "-s "] {
        writeln!(calls, "name {form}{name}").unwrap();
        for family in ["inet", "inet6"] {
            writeln!(calls, "name2 {form}-f {family} {name}").unwrap();
        }
    }
    calls
}

fn by_names(names: &[&str]) -> String {
    names.iter().map(|name| by_name(name)).collect()
}

#[test]
fn names_in_files() {
    same(&by_names(&[
        "listed.test",
        "LISTED.test",
        "alias",
        "six",
        "many.test",
        "m1",
        "m3",
        "m4",
        "m6",
        "other.test",
        "again.test",
        "mapped.test",
        "same.test",
        "localhost",
        "LOCALHOST",
        "ip6-localhost",
        "listed.test.",
        "nobody",
    ]));
}

#[test]
fn names_in_dns() {
    same(&by_names(&[
        "host.test",
        "HOST.test",
        "host.test.",
        "four.test",
        "six.test",
        "www.test",
        "chain.test",
        "second.test",
        "bare.test",
        "loop.test",
        "under_score.test",
        "to-star.test",
        "a_b.test",
        "text.test",
        "nobody.test",
        "truncated.test",
        "half.test",
        "empty.test",
        "a..b",
        ".",
        "..",
        "\"\"",
        "\\x20",
        "a\\x20b.test",
        "\\x2da.test",
        "caf\\xc3\\xa9.test",
        &format!("{}.test", "a".repeat(64)),
        &"a.".repeat(130),
    ]));
}

#[test]
fn names_in_trouble() {
    same(&by_names(&["servfail.test", "refused.test", "notimp.test", "formerr.test"]));
}

#[test]
fn numeric_names() {
    same(&by_names(&[
        "127.0.0.1",
        "127.1",
        "1",
        "0",
        "1234",
        "4294967295",
        "4294967296",
        "1.2.3.4.5",
        "256.1.1.1",
        "127.0.0.1.",
        "0x7f.1",
        "1.",
        "010.1",
        "08.1",
        "1..2",
        ".1",
        "::1",
        "::",
        "2001:db8::1",
        "::ffff:1.2.3.4",
        "fe80::1%lo",
        "a::",
        "abc:",
        ":1",
        "2001:db8::zz",
        "::1.",
        "1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:8:9",
        "a.b:c",
    ]));
}

#[test]
fn families() {
    let mut calls = String::new();
    for family in ["1", "unix", "99", "-1"] {
        for name in ["host.test", "listed.test", "nobody.test", "text.test"] {
            let family = family.replace("-1", "0xffff");
            for form in ["", "-s "] {
                writeln!(calls, "name2 {form}-f {family} {name}").unwrap();
            }
        }
    }
    same(&calls);
}

/// The address by both functions.
fn by_address(family: &str, options: &str, address: &str) -> String {
    format!("addr -f {family} {options} {address}\naddr -s -f {family} {options} {address}\n")
}

#[test]
fn addresses() {
    let mut calls = String::new();
    for (family, list) in [
        (
            "inet",
            &[
                "127.0.0.1",
                "192.0.2.9",
                "192.0.2.10",
                "192.0.2.13",
                "192.0.2.1",
                "192.0.2.4",
                "192.0.2.20",
                "192.0.2.21",
                "192.0.2.99",
                "0.0.0.0",
            ][..],
        ),
        (
            "inet6",
            &[
                "::1",
                "::",
                "2001:db8::9",
                "2001:db8::1",
                "2001:db8::99",
                "::ffff:192.0.2.1",
                // Not one of hosts: tests/divergences.rs.
                "::ffff:192.0.2.99",
                "::ffff:192.0.2.13",
                "::1.2.3.4",
                "::ffff:127.0.0.9",
            ],
        ),
    ] {
        for address in list {
            calls += &by_address(family, "", address);
        }
    }
    for (family, length, address) in [
        ("inet", 3, "192.0.2.1"),
        ("inet", 0, "192.0.2.1"),
        ("inet", 16, "2001:db8::1"),
        ("inet6", 4, "192.0.2.1"),
        ("inet6", 15, "2001:db8::1"),
        ("inet6", 16, "2001:db8::9"),
        ("inet6", 4, "192.0.2.9"),
        ("unspec", 4, "192.0.2.1"),
        ("99", 4, "192.0.2.9"),
        ("99", 4, "192.0.2.1"),
        ("99", 16, "::"),
        ("inet", 16, "::"),
        ("inet6", 15, "::"),
    ] {
        calls += &by_address(family, &format!("-l {length}"), address);
    }
    same(&calls);
}

#[test]
fn entries() {
    same("ent\nent -s\nent\nent -b 8\n");
}

#[test]
fn servers_in_trouble_for_addresses() {
    for code in [
        rcode::SERVFAIL,
        rcode::REFUSED,
        rcode::NOTIMP,
        rcode::FORMERR,
        rcode::NXDOMAIN,
        rcode::NOERROR,
    ] {
        Sandbox::enter(|sandbox| {
            let _server = Server::start(sandbox, move |_: &Question| Reply::rcode(code));
            let calls =
                by_address("inet", "", "192.0.2.1") + &by_address("inet6", "", "2001:db8::1");
            assert_same!(compare_calls(sandbox, &calls), "rcode {code}");
        });
    }
}

#[test]
fn no_server() {
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/resolv.conf", "nameserver 127.0.0.1\n");
        let calls = by_name("host.test") + &by_address("inet", "", "192.0.2.1");
        assert_same!(compare_calls(sandbox, &calls));
    });
}

#[test]
fn silent_server() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, |_: &Question| Reply::drop());
        sandbox.append("/etc/resolv.conf", "options timeout:1 attempts:1\n");
        let calls = "name host.test\nname2 -s -f inet6 host.test\naddr -f inet 192.0.2.1\n";
        assert_same!(compare_calls(sandbox, calls));
    });
}

#[test]
fn threads() {
    same(
        "name -n 8 host.test\nname -n 8 chain.test\nname2 -n 8 -f inet6 listed.test\nname -n 8 many.test\naddr -n 8 -f inet 192.0.2.1\nname -n 8 nobody.test\n",
    );
}
