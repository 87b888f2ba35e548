//! What has gone wrong in libc's resolvers before, one test each: what it was, and that it is not here.
//!
//! Those of 2026 as their records describe them (seen on 21 November 2026): advisories GLIBC-SA-2026-0005,
//! -0006 and -0012. Programs run under valgrind where memory was what went wrong.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "what goes wrong in a test's own functions must fail as loudly as in the test"
)]

mod support;

use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

use support::cc;
use support::differential::{LIMIT, compare_calls, probe};
use support::dns::{Question, Reply, Server, Transport};
use support::process::{Output, run, run_with_input};
use support::sandbox::{Sandbox, preload_library, skip};
use support::wire::{Data, Record, rcode, rtype};
use support::zone::Zone;

/// valgrind takes seconds to start.
const SLOW: Duration = Duration::from_secs(60);

/// Makes calls in one process of a probe, with the library, under valgrind, which must have nothing to
/// say; `None`, said loudly, where there is no valgrind.
fn watched(sandbox: &Sandbox, probe: &str, calls: &str) -> Option<Output> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        skip("valgrind is not installed (see scripts/packages.test)");
        return None;
    }
    let mut command = sandbox.command("valgrind");
    command.args(["--quiet", "--error-exitcode=9", "--leak-check=full"]);
    command.arg("--expensive-definedness-checks=yes");
    command
        .args(["--show-leak-kinds=definite,indirect", "--errors-for-leak-kinds=definite,indirect"]);
    command.arg(cc::program(probe)).arg("--batch");
    let output = run_with_input(sandbox.preload(command), calls.as_bytes(), SLOW);
    assert!(output.success() && output.err().is_empty(), "{output}");
    Some(output)
}

/// CVE-2015-7547: answers of more than 2,048 octets to the two queries of one getaddrinfo were written
/// beyond a buffer on the stack. Here: answers of sizes around every buffer that there could be, to
/// either query or to both, over UDP and over TCP.
#[test]
fn cve_2015_7547() {
    const SIZES: [usize; 9] = [512, 2_047, 2_048, 2_049, 4_096, 4_097, 16_384, 40_000, 65_000];
    Sandbox::enter(|sandbox| {
        // n2048-a.test: to A; -b: to AAAA; -c: to both; t…: cut over UDP, so long over TCP.
        let _server = Server::start(sandbox, |q: &Question| {
            let label = q.name.split('.').next().unwrap();
            let (size, whose) = label[1..].split_once('-').unwrap();
            let address = if q.qtype == rtype::A { "192.0.2.1" } else { "2001:db8::1" };
            let right = Reply::records([Record::address(&q.name, address)]);
            if label.starts_with('t') && q.transport == Transport::Udp {
                return Reply::empty().truncated();
            }
            let long = whose == "c" || (whose == "a") == (q.qtype == rtype::A);
            let missing =
                size.parse::<usize>().unwrap().saturating_sub(right.message(q).len() + 12);
            if !long {
                return right;
            }
            let filler = Data::Raw(rtype::TXT, vec![b'x'; missing]);
            right.answers([Record::new(&q.name, filler)]).whole()
        });
        let mut calls = String::new();
        for size in SIZES {
            for whose in ["a", "b", "c"] {
                for how in ["n", "t"] {
                    writeln!(calls, "gai -t stream -F CANONNAME {how}{size}-{whose}.test. -")
                        .unwrap();
                }
            }
        }
        let output = run_batch(sandbox, "gai", &calls);
        for answer in output.split("> ").skip(1) {
            let found = answer.contains(" 192.0.2.1 ") && answer.contains(" 2001:db8::1 ");
            assert!(found && answer.lines().count() == 4, "{answer}");
        }
    });
}

fn run_batch(sandbox: &Sandbox, probe: &str, calls: &str) -> String {
    let mut command = sandbox.command(cc::program(probe));
    command.arg("--batch");
    let output = run_with_input(sandbox.preload(command), calls.as_bytes(), LIMIT);
    assert!(output.success(), "{output}");
    output.out()
}

/// CVE-2015-0235 (GHOST): gethostbyname of a long name of digits and dots wrote a pointer beyond the
/// caller's buffer. Here: such names of every length around the buffer's, in buffers of every size, with
/// guards before and behind.
#[test]
fn cve_2015_0235() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, Zone::new().nxdomain_else());
        let mut calls = String::new();
        for length in (1..=40).chain(1_000..=1_050).chain([4_000]) {
            let digits = "0".repeat(length);
            for size in [length, length + 1, length + 8, length + 40, 1_024, 8_192] {
                writeln!(calls, "name -b {} {digits}", size.min(8_192)).unwrap();
                writeln!(calls, "name2 -f inet6 -b {} {digits}", size.min(8_192)).unwrap();
            }
            writeln!(calls, "name -s {digits}").unwrap();
        }
        for name in ["0.0.0.0", "127.0.0.1", "0x7f.1", "::", "1.2.3.4.", "00000000000000000000000"]
        {
            writeln!(calls, "name -S {name}\nname -S -a 3 {name}").unwrap();
        }
        let text = run_batch(sandbox, "hostent", &calls);
        assert_eq!(text.matches("> ").count(), calls.lines().count());
        assert!(!text.contains("beyond") && !text.contains("outside"), "{text}");
    });
}

/// CVE-2023-4527: with `no-aaaa`, an answer of more than 2,048 octets over TCP was read from memory that
/// did not hold it. Here: such answers, whose every address has to be the one that was sent.
#[test]
fn cve_2023_4527() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "options no-aaaa\n");
        let count =
            |q: &Question| -> u32 { q.name[1..].split('.').next().unwrap().parse().unwrap() };
        let _server = Server::start(sandbox, move |q: &Question| match (q.qtype, q.transport) {
            (rtype::A, Transport::Udp) => Reply::empty().truncated(),
            (rtype::A, Transport::Tcp) => Reply::records((0..count(q)).map(|n| {
                let [.., high, low] = n.to_be_bytes();
                Record::address(&q.name, &format!("10.9.{high}.{low}"))
            })),
            _ => Reply::rcode(rcode::SERVFAIL),
        });
        for addresses in [1, 120, 130, 1_000, 4_000] {
            let calls = format!("gai -t stream -F CANONNAME n{addresses}.test. -\n");
            let text = probe(sandbox, true, &calls).out();
            let mut found: Vec<(u32, u32)> = text
                .lines()
                .filter_map(|line| line.split(" 10.9.").nth(1))
                .map(|rest| {
                    let (high, low) = rest.split(' ').next().unwrap().split_once('.').unwrap();
                    (high.parse().unwrap(), low.parse().unwrap())
                })
                .collect();
            found.sort_unstable();
            let sent: Vec<(u32, u32)> = (0..addresses).map(|n| (n >> 8, n & 0xff)).collect();
            assert_eq!(found, sent);
            assert!(text.contains(&format!("canonname=n{addresses}.test")));
        }
    });
}

/// CVE-2023-4806: getaddrinfo for AF_INET6 with AI_CANONNAME, AI_ALL and AI_V4MAPPED used a name that was
/// freed already. Here: that call, and its neighbours, for few and for many addresses and aliases.
#[test]
fn cve_2023_4806() {
    canonical_names_under_valgrind();
}

/// CVE-2023-5156: the repair of 4806 leaked the name. Here: the same calls; what is left over is counted.
#[test]
fn cve_2023_5156() {
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/rustdns.conf", "cache off\n");
        let _server = Server::start(sandbox, aliased());
        let mut command = sandbox.command(cc::program("cost"));
        command.args(["alias.test."; 20]);
        let output = run(sandbox.preload(command), LIMIT);
        // The first one reads the configuration.
        assert_eq!(
            output.out().lines().skip(1).filter(|l| l.contains(" left=0 ")).count(),
            19,
            "{output}"
        );
    });
}

fn aliased() -> Zone {
    let many = (0..100).map(|n| format!("192.0.2.{n}"));
    let more = (0..100).map(|n| format!("2001:db8::{n:x}"));
    let all: Vec<String> = many.chain(more).collect();
    Zone::new()
        .cname("alias.test", "other.test")
        .cname("other.test", "many.test")
        .addresses("many.test", all.iter().map(String::as_str))
        .cname("short.test", "one.test")
        .a("one.test", "192.0.2.1")
        .nxdomain_else()
}

fn canonical_names_under_valgrind() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, aliased());
        let mut calls = String::new();
        for name in
            ["alias.test", "short.test", "many.test", "nobody.test", "127.0.0.1", "localhost"]
        {
            for flags in ["CANONNAME,ALL,V4MAPPED", "CANONNAME,V4MAPPED", "CANONNAME"] {
                for family in ["inet6", "inet", "unspec"] {
                    writeln!(calls, "gai -t stream -f {family} -F {flags} {name} -").unwrap();
                }
            }
        }
        let Some(output) = watched(sandbox, "gai", &calls) else { return };
        assert_eq!(output.out().matches("canonname=many.test").count(), 2 * 9, "{output}");
        assert_eq!(output.out().matches("canonname=one.test").count(), 8, "{output}");
    });
}

/// CVE-2023-4813: with `[SUCCESS=continue]` or `[SUCCESS=merge]` in nsswitch.conf, getaddrinfo used memory
/// that was freed already. Here: both, with answers from both sources, from one, and from none.
#[test]
fn cve_2023_4813() {
    for action in ["continue", "merge"] {
        Sandbox::enter(|sandbox| {
            sandbox.write("/etc/nsswitch.conf", format!("hosts: files [SUCCESS={action}] dns\n"));
            let lines: String =
                (0..50).map(|n| format!("10.0.0.{n} both.test listed.test\n")).collect();
            sandbox.append("/etc/hosts", lines);
            let zone = Zone::new().addresses("both.test", ["192.0.2.1", "2001:db8::1"]);
            let _server = Server::start(sandbox, zone.a("asked.test", "192.0.2.2").nxdomain_else());
            let mut calls = String::new();
            for name in ["both.test", "listed.test", "asked.test", "nobody.test"] {
                for flags in ["CANONNAME", "ALL,V4MAPPED"] {
                    for family in ["inet", "inet6", "unspec"] {
                        writeln!(calls, "gai -t stream -f {family} -F {flags} {name}. -").unwrap();
                    }
                }
            }
            let Some(output) = watched(sandbox, "gai", &calls) else { return };
            assert!(output.out().contains(" 192.0.2.2 "), "{action}: {output}");
            if action == "continue" {
                assert_same!(compare_calls(sandbox, "gai -t stream -F CANONNAME both.test. -\n"));
            }
        });
    }
}

/// CVE-2026-4437: gethostbyaddr took a record of another section of a crafted answer for its answer.
/// Here: PTR and address records in the authority and the additional section, behind answer sections
/// that are empty, have an alias alone, or say that they hold more than they do.
#[test]
fn cve_2026_4437() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "options timeout:1 attempts:1\n");
        let _server = Server::start(sandbox, |q: &Question| {
            let way = if q.qtype == rtype::PTR { &q.name[..1] } else { &q.name[1..2] };
            let lie = match q.qtype {
                rtype::PTR => Record::ptr(&q.name, "lie.test"),
                rtype::AAAA => Record::address(&q.name, "2001:db8::bad"),
                _ => Record::address(&q.name, "192.0.2.66"),
            };
            let alias = Record::cname(&q.name, "end.test");
            let of_end = Record { owner: "end.test".to_owned(), ..lie.clone() };
            let text = Record::new(&q.name, Data::Txt(b"text".to_vec()));
            match way {
                "1" => Reply::nodata().authority([lie]),
                "2" => Reply::nodata().additional([lie]),
                "3" => Reply::records([alias]).authority([of_end]),
                "4" => Reply::records([alias]).additional([of_end.clone(), of_end]),
                "5" => Reply::records([text]).authority([lie.clone()]).additional([lie]),
                // One record more is announced for the answer section than stands there.
                _ => {
                    let mut message = Reply::records([text]).authority([lie]).message(q);
                    message[7] += 1;
                    message[9] -= 1;
                    message.truncate(message.len() - 3);
                    Reply::raw(message)
                }
            }
        });
        let (mut names, mut hosts) = (String::new(), String::new());
        for way in 1..=6 {
            writeln!(names, "gni -F NAMEREQD 192.0.2.{way} 0").unwrap();
            writeln!(names, "gai -t stream n{way}.test. -\ngai -f inet n{way}.test. -").unwrap();
            writeln!(hosts, "addr -f inet 192.0.2.{way}\naddr -s -f inet 192.0.2.{way}").unwrap();
            writeln!(hosts, "name n{way}.test.\nname2 -f inet6 n{way}.test.").unwrap();
        }
        for (probe, calls) in [("gai", names), ("hostent", hosts)] {
            let text = run_batch(sandbox, probe, &calls);
            assert_eq!(text.matches("> ").count(), calls.lines().count(), "{text}");
            let lie = text.contains("lie.test") || text.contains(".66") || text.contains("::bad");
            assert!(!lie, "{text}");
        }
    });
}

/// CVE-2026-4438: gethostbyaddr returned names that no host can have, among them some with characters
/// that a shell or a terminal obeys. Here: such names from PTR records, alone and beside a good one.
#[test]
fn cve_2026_4438() {
    const BAD: [&str; 8] = [
        "$\\(id\\).test",
        "a\\010b.test",
        "\\027[2J.test",
        "a\\032b.test",
        "-oProxyCommand.test",
        "a\\/..\\/b.test",
        "\\.\\..test",
        "\\255\\254.test",
    ];
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, |q: &Question| {
            let number: usize = q.name.split('.').next().unwrap().parse().unwrap();
            let bad = Record::ptr(&q.name, BAD[number % 10]);
            if number < 10 {
                Reply::records([bad])
            } else {
                Reply::records([bad, Record::ptr(&q.name, "good.test")])
            }
        });
        let (mut hosts, mut names) = (String::new(), String::new());
        for number in 0..BAD.len() {
            for number in [number, number + 10] {
                writeln!(hosts, "addr -f inet 192.0.2.{number}\naddr -s -f inet 192.0.2.{number}")
                    .unwrap();
                writeln!(names, "gni -F NAMEREQD 192.0.2.{number} 0").unwrap();
            }
        }
        let text = run_batch(sandbox, "hostent", &hosts);
        assert_eq!(text.matches("name good.test").count(), 2 * BAD.len(), "{text}");
        assert_eq!(text.matches("  name ").count(), 2 * BAD.len(), "{text}");
        let text = run_batch(sandbox, "gai", &names);
        assert_eq!(text.matches("host=good.test\n").count(), BAD.len(), "{text}");
        assert_eq!(text.matches("host=").count(), BAD.len(), "{text}");
        assert_eq!(text.matches("EAI_NONAME\n").count(), BAD.len(), "{text}");
    });
}

/// CVE-2026-6238 (and CVE-2026-5435): functions of libc that print messages (ns_printrr, ns_printrrf,
/// fp_nquery) read beyond the data of A6, CERT, LOC, TKEY and TSIG records that are too short, or wrote
/// beyond the caller's buffer. Here: the library has none of these functions, and what prints messages,
/// the debug trace, prints such records' answers as plain text.
#[test]
fn cve_2026_6238() {
    const TYPES: [u16; 5] = [38, 37, 29, 249, 250];
    let mut nm = Command::new("nm");
    nm.args(["-D", "--defined-only"]).arg(preload_library());
    let symbols = run(nm, LIMIT);
    assert!(symbols.success() && symbols.out().contains(" getaddrinfo\n"), "{symbols}");
    for name in ["ns_sprintrr", "ns_sprintrrf", "ns_printrr", "fp_nquery", "fp_query", "p_query"] {
        assert!(!symbols.out().contains(name), "{name}");
    }
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/rustdns.conf", "debug 2\n");
        let _server = Server::start(sandbox, |q: &Question| {
            let short = TYPES.iter().flat_map(|rtype| {
                (0..6).map(|length| Record::new(&q.name, Data::Raw(*rtype, vec![0xff; length])))
            });
            Reply::records(short.collect::<Vec<_>>())
                .answers([Record::address(&q.name, "192.0.2.1")])
                .whole()
        });
        let output = probe(sandbox, true, "gai -t stream -f inet -F CANONNAME n.test. -\n");
        assert!(output.success() && output.out().contains(" 192.0.2.1 "), "{output}");
        assert!(output.err().contains("answer from"), "{output}");
        // The time that it took may be in microseconds, which have a letter of their own.
        let mut characters = output.err().replace('µ', "u").into_bytes().into_iter();
        assert!(characters.all(|c| c == b'\n' || (b' '..=b'~').contains(&c)), "{output}");
    });
}
