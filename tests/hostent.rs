//! The `gethostby*` family: results, `h_errno`, return codes and `errno` are libc's.

#![allow(clippy::unwrap_used, reason = "a test that can't be set up must fail loudly")]

mod support;

use std::fmt::Write as _;

use support::cc;
use support::differential::{LIMIT, Pair};
use support::dns::{Question, Reply, Server, Transport};
use support::process::run_with_input;
use support::sandbox::Sandbox;
use support::wire::{rcode, rtype};
use support::zone::Zone;

/// Makes the calls in one process of the probe `hostent`, with libc and with the library: see
/// `tests/c/hostent.c` for what a line may be.
fn compare_calls(sandbox: &Sandbox, calls: &str) -> Pair {
    let [libc, rustdns] = [false, true].map(|preload| {
        let mut command = sandbox.command(cc::program("hostent"));
        command.arg("--batch");
        let command = if preload { sandbox.preload(command) } else { command };
        run_with_input(command, calls.as_bytes(), LIMIT)
    });
    Pair { what: "hostent --batch".to_owned(), libc, rustdns }
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
                "::ffff:192.0.2.9",
                "::ffff:192.0.2.13",
                "::1.2.3.4",
                "::ffff:127.0.0.1",
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

/// Calls that fill a buffer, function and the rest apart.
const FILLING: &[(&str, &str)] = &[
    ("name", "localhost"),
    ("name", "many.test"),
    ("name", "host.test"),
    ("name", "chain.test"),
    ("name2", "-f inet6 host.test"),
    ("addr", "-f inet 192.0.2.1"),
    ("addr", "-f inet6 ::ffff:192.0.2.1"),
];

/// Others, for which libc doesn't align what it writes.
const FILLING_UNALIGNED: &[(&str, &str)] =
    &[("name", "127.1"), ("name2", "-f inet6 ::1"), ("addr", "-f inet6 ::1")];

#[test]
fn sizes_and_alignments_of_buffers() {
    let sizes = |calls: &[(&str, &str)], offsets: &[u32]| {
        let mut text = String::new();
        for (function, rest) in calls {
            for offset in offsets {
                for size in ["-b 0", "-b 7", "-b 1024", "-S"] {
                    writeln!(text, "{function} {size} -a {offset} {rest}").unwrap();
                }
            }
        }
        text
    };
    const OFFSETS: &[u32] = &[0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 15];
    same(&(sizes(FILLING, OFFSETS) + &sizes(FILLING_UNALIGNED, &[0])));
    Sandbox::enter(|sandbox| {
        let aligned =
            compare_calls(sandbox, &sizes(FILLING_UNALIGNED, OFFSETS)).rustdns.to_string();
        assert!(aligned.contains("127.1") && !aligned.contains("outside"), "{aligned}");
    });
}

#[test]
fn no_buffer_needs_to_be_larger_than_for_libc() {
    // Programs that don't retry have chosen a size that is enough for libc.
    let mut calls = String::new();
    for (function, rest) in FILLING {
        writeln!(calls, "{function} -L {rest}\n{function} -L -a 7 {rest}").unwrap();
    }
    for (function, rest) in FILLING_UNALIGNED {
        writeln!(calls, "{function} -L {rest}").unwrap();
    }
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/hosts", HOSTS);
        let _server = Server::start(sandbox, answer);
        let pair = compare_calls(sandbox, &calls);
        let [libc, rustdns] = [pair.libc, pair.rustdns].map(|output| -> Vec<(String, usize)> {
            let text = output.to_string();
            let lines = text.lines().filter(|line| line.starts_with("> "));
            let sizes = text.lines().filter_map(|line| line.strip_prefix("  least ")?.parse().ok());
            lines.map(str::to_owned).zip(sizes).collect()
        });
        assert_eq!(libc.len(), calls.lines().count());
        assert_eq!(rustdns.len(), libc.len());
        for ((call, libc), (_, rustdns)) in libc.iter().zip(&rustdns) {
            assert!(rustdns <= libc && *rustdns > 16, "{call}: {rustdns} and {libc}");
        }
    });
}

/// Makes calls of every outcome with this `hosts:` line.
fn calls_with(line: &str) -> Pair {
    let mut calls = by_names(&[
        "listed.test",
        "host.test",
        "nobody.test",
        "servfail.test",
        "bare.test",
        "1.2.3.4",
        "1.2.3.4.5",
    ]);
    for address in ["192.0.2.9", "192.0.2.1", "192.0.2.99"] {
        calls += &by_address("inet", "", address);
    }
    if line.split(' ').any(|service| service == "files") {
        calls += "ent\n";
    }
    let mut pair = None;
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/nsswitch.conf", format!("hosts: {line}\n"));
        sandbox.append("/etc/hosts", HOSTS);
        let _server = Server::start(sandbox, answer);
        pair = Some(compare_calls(sandbox, &calls));
    });
    pair.unwrap()
}

#[test]
fn nsswitch_lines() {
    for line in [
        "dns",
        "files",
        "dns files",
        "files nosuch dns",
        "nosuch files",
        "files nosuch",
        "files [NOTFOUND=return] dns",
        "files [SUCCESS=continue] dns",
        "dns [UNAVAIL=return] files",
        "dns [TRYAGAIN=return] files",
        "dns [NOTFOUND=return] files",
    ] {
        assert_same!(calls_with(line), "hosts: {line}");
    }
}

#[test]
fn nsswitch_lines_without_a_service() {
    for line in [
        "nosuch",
        "nosuch [UNAVAIL=return] files",
        "",
        "files,dns",
        "FILES DNS",
        "[NOTFOUND=return] files",
        "files [BOGUS=return] dns",
        "files [NOTFOUND=bogus] dns",
    ] {
        let mut pair = calls_with(line);
        // What libc returns then is whatever errno was.
        for output in [&mut pair.libc, &mut pair.rustdns] {
            output.stdout = String::from_utf8_lossy(&output.stdout)
                .lines()
                .map(|line| {
                    let words = line
                        .split(' ')
                        .filter(|w| !w.starts_with("code=") && !w.starts_with("errno="));
                    words.collect::<Vec<_>>().join(" ") + "\n"
                })
                .collect::<String>()
                .into();
        }
        assert_same!(pair, "hosts: {line}");
    }
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
fn search_list() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, answer);
        sandbox.append("/etc/resolv.conf", "search nosuch.test search.test\n");
        assert_same!(compare_calls(
            sandbox,
            &by_names(&["found", "found.", "FOUND", "nobody", "host.test", "a.b"])
        ));
    });
}

#[test]
fn sortlist() {
    let zone = || {
        Zone::new()
            .addresses(
                "many.test",
                ["192.0.2.1", "198.51.100.1", "10.0.0.1", "198.51.100.2", "192.0.2.2", "10.1.0.1"],
            )
            .nxdomain_else()
    };
    for list in [
        "198.51.100.0/255.255.255.0",
        "10.1.0.0/255.255.0.0 198.51.100.0",
        "10.0.0.0",
        "10.0.0.0 192.0.2.0 198.51.100.0",
        "1.2.3.4",
    ] {
        Sandbox::enter(|sandbox| {
            let _server = Server::start(sandbox, zone());
            sandbox.append("/etc/resolv.conf", format!("sortlist {list}\n"));
            assert_same!(compare_calls(sandbox, &by_name("many.test")), "{list}");
        });
    }
}

#[test]
fn host_aliases() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, answer);
        sandbox.append("/etc/hosts", HOSTS);
        sandbox.write("/etc/aliases", "short host.test\nchained www.test\nfile listed.test\n");
        let [libc, rustdns] = [false, true].map(|preload| {
            let mut command = sandbox.command(cc::program("hostent"));
            command.arg("--batch").env("HOSTALIASES", "/etc/aliases");
            let command = if preload { sandbox.preload(command) } else { command };
            run_with_input(
                command,
                by_names(&["short", "SHORT", "chained", "file", "short.", "other"]).as_bytes(),
                LIMIT,
            )
        });
        Pair { what: "HOSTALIASES".to_owned(), libc, rustdns }.assert_same();
    });
}

#[test]
fn threads() {
    same(
        "name -n 8 host.test\nname -n 8 chain.test\nname2 -n 8 -f inet6 listed.test\nname -n 8 many.test\naddr -n 8 -f inet 192.0.2.1\nname -n 8 nobody.test\n",
    );
}

#[test]
fn host_conf_is_not_read() {
    for text in ["", "multi off\n", "multi on\nreorder on\n", "order bind,hosts\n", "trim .test\n"]
    {
        let calls = by_names(&["many.test", "localhost", "host.test", "m1"])
            + &by_address("inet", "", "192.0.2.10");
        let run = |text: &str| {
            let mut pair = None;
            Sandbox::enter(|sandbox| {
                sandbox.write("/etc/host.conf", text);
                sandbox.append("/etc/hosts", HOSTS);
                let _server = Server::start(sandbox, answer);
                pair = Some(compare_calls(sandbox, &calls));
            });
            pair.unwrap()
        };
        let mut pair = run(text);
        // As with the file that distributions have.
        pair.libc = run("multi on\n").libc;
        assert_same!(pair, "{text}");
    }
}

/// What libc and the library make of one call; an aborted process makes nothing.
fn both(sandbox: &Sandbox, call: &str) -> [String; 2] {
    let pair = compare_calls(sandbox, &format!("{call}\n"));
    [pair.libc, pair.rustdns].map(|output| {
        if !output.success() {
            return format!("{:?}", output.end);
        }
        let lines = output.out();
        let words: Vec<&str> = lines.lines().skip(1).flat_map(str::split_whitespace).collect();
        words.join(" ")
    })
}

/// Each row of docs/divergences.md that is about these functions.
#[test]
fn divergences() {
    const NOT_FOUND: &str = "code=0 NULL h_errnop=HOST_NOT_FOUND errno=0";
    const NO_FAMILY: &str = "code=EAFNOSUPPORT NULL h_errnop=NETDB_INTERNAL errno=EAFNOSUPPORT";
    let v4 = |name: &str, aliases: &str, length: u32, address: &str| {
        let aliases = if aliases.is_empty() { String::new() } else { format!(" {aliases}") };
        format!("code=0 found errno=0 name {name} aliases{aliases} inet length {length} {address}")
    };
    let listed = v4("listed.test", "alias", 4, "192.0.2.9");
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/hosts", HOSTS);
        let _server = Server::start(sandbox, answer);
        for (call, libc, rustdns) in [
            ("name localhost.", NOT_FOUND.to_owned(), v4("localhost", "", 4, "127.0.0.1")),
            (
                "addr -f inet -l 16 192.0.2.1",
                v4("host.test", "", 16, "192.0.2.1"),
                v4("host.test", "", 4, "192.0.2.1"),
            ),
            ("addr -f inet -l 16 192.0.2.9", NOT_FOUND.to_owned(), listed.clone()),
            ("addr -f unspec -l 4 192.0.2.9", listed, NO_FAMILY.to_owned()),
            (
                "name2 -f unspec listed.test",
                "Signal(6)".to_owned(),
                "code=EAFNOSUPPORT NULL h_errnop=NO_DATA errno=EAFNOSUPPORT".to_owned(),
            ),
            (
                "name -b 0 nobody.test",
                "code=ERANGE NULL h_errnop=NETDB_INTERNAL errno=ERANGE".to_owned(),
                NOT_FOUND.to_owned(),
            ),
        ] {
            assert_eq!(both(sandbox, call), [libc, rustdns], "{call}: [libc, rustdns]");
        }
        sandbox.write("/etc/host.conf", "multi off\n");
        assert_eq!(
            both(sandbox, "name m1"),
            [
                v4("many.test", "m1 m2", 4, "192.0.2.10"),
                v4("many.test", "m1 m2 m3 m1", 4, "192.0.2.10 192.0.2.11"),
            ]
        );
    });
}
