//! Mixed load for a while, with servers that misbehave and configuration that is rewritten under it.
//!
//! At the end the process has the descriptors, threads and memory that it had early on, and no answer
//! was wrong. Twenty seconds in `make test`; `make soak` sets `RUSTDNS_SOAK_SECONDS`.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use crate::numbered::{number, numbered};
use crate::support::cc;
use crate::support::dns::{Question, Reply, Server, Transport};
use crate::support::process::{End, run};
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Record, rcode, rtype};

/// An answer goes wrong with each of the numbers of [`faulty`] out of this many.
const FAULTS: u32 = 32;

/// Numbers that look random, the same each time.
struct Dice(AtomicU32);

impl Dice {
    fn roll(&self, sides: u32) -> u32 {
        let next = |seed: u32| Some(seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        let seed = self.0.fetch_update(Relaxed, Relaxed, next).unwrap();
        (seed >> 10) % sides
    }
}

/// The right answer: both families, good for one to five seconds.
fn right(question: &Question) -> Reply {
    match (number(&question.name), question.qtype) {
        (Some((false, number)), rtype::AAAA) => {
            let address = Ipv6Addr::from_bits(0xfd << 120 | u128::from(number)).to_string();
            Reply::records([Record::address(&question.name, &address).ttl(1 + number % 5)])
        }
        (Some((false, number)), rtype::A) => {
            let address = Ipv4Addr::from_bits(10 << 24 | number).to_string();
            Reply::records([Record::address(&question.name, &address).ttl(1 + number % 5)])
        }
        _ => numbered(question),
    }
}

fn faulty(question: &Question, dice: &Dice) -> Reply {
    let udp = question.transport == Transport::Udp;
    match dice.roll(FAULTS) {
        0 => Reply::drop(),
        1 => Reply::rcode(rcode::SERVFAIL),
        2 => Reply::rcode(rcode::REFUSED),
        3 if udp => Reply::empty().truncated(),
        4 => right(question).wrong_id().then(right(question)),
        5 => right(question).after(Duration::from_millis(u64::from(dice.roll(60)))),
        6 if udp => Reply::raw(*b"no message").then(right(question)),
        7 if !udp => right(question).cut(7).then(Reply::close()),
        _ => right(question),
    }
}

/// What is written where, in turn: half in place, half by a new file. The DNS stays last: libc's rule is
/// that a service after it which doesn't know the name makes "no such name" of the servers' trouble.
const REWRITTEN: [(&str, &str); 12] = [
    ("/etc/resolv.conf", "nameserver 127.0.0.1\nnameserver 127.0.0.2\noptions timeout:1\n"),
    ("/etc/hosts", "127.0.0.1 localhost\n10.0.0.1 n1.test\nfd00::1 n1.test\n"),
    ("/etc/nsswitch.conf", "hosts: files dns\n"),
    ("/etc/resolv.conf", "nameserver 127.0.0.2\nnameserver 127.0.0.1\noptions timeout:1 rotate\n"),
    ("/etc/hosts", "127.0.0.1 localhost\n10.0.0.2 n2.test\nfd00::2 n2.test\n"),
    ("/etc/nsswitch.conf", "hosts: files nonsense dns\n"),
    ("/etc/resolv.conf", "nameserver 127.0.0.1\nnameserver ::1\noptions edns0 timeout:1\n"),
    ("/etc/hosts", "127.0.0.1 localhost\n"),
    ("/etc/gai.conf", "precedence ::ffff:0:0/96 100\n"),
    (
        "/etc/resolv.conf",
        "search test\nnameserver 127.0.0.1\nnameserver 127.0.0.3\noptions timeout:1\n",
    ),
    ("/etc/gai.conf", "\n"),
    ("/etc/nsswitch.conf", "hosts: files myhostname dns\n"),
];

fn rewrite(sandbox: &Sandbox, turn: usize) {
    let Some(&(path, text)) = REWRITTEN.get(turn % REWRITTEN.len()) else { return };
    if (turn / REWRITTEN.len()).is_multiple_of(2) {
        fs::write(path, text).unwrap();
    } else {
        let fresh = format!("{path}.new");
        sandbox.write(&fresh, text);
        fs::rename(&fresh, path).unwrap();
    }
}

/// The figures of a line `early: fds 4 threads 1 ...`.
fn figures(output: &str, when: &str) -> HashMap<String, u64> {
    let line = output.lines().find_map(|line| line.strip_prefix(when)).unwrap_or_default();
    let words: Vec<&str> = line.split_whitespace().collect();
    words
        .chunks(2)
        .filter_map(|pair| Some(((*pair.first()?).to_owned(), pair.get(1)?.parse().ok()?)))
        .collect()
}

#[test]
fn mixed_load_leaves_nothing_and_no_answer_is_wrong() {
    let seconds: u64 = std::env::var("RUSTDNS_SOAK_SECONDS").map_or(20, |s| s.parse().unwrap());
    Sandbox::enter(|sandbox| {
        sandbox.address("192.0.2.9/24");
        sandbox.address("2001:db8::9/64");
        (0..3).for_each(|turn| rewrite(sandbox, turn));
        let over = AtomicBool::new(false);
        let mut command = sandbox.command(cc::program("host_soak"));
        // The cache is to have taken up all it will when it is first measured.
        let (names, entries) = if seconds < 300 { ("200", "100") } else { ("2000", "1000") };
        command.args([&*seconds.to_string(), names]).env("RUSTDNS_CACHE", entries);
        // What malloc keeps for each thread counts as taken.
        command.env("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0");
        let command = sandbox.preload(command);
        let serve = |address: &'static str| {
            let dice = Dice(AtomicU32::new(address.len() as u32));
            Server::on(sandbox, &[address], move |question: &Question| faulty(question, &dice))
        };
        // 127.0.0.3 never answers.
        let _steady = serve("127.0.0.2:53");
        let got = thread::scope(|scope| {
            let program = scope.spawn(|| {
                let got = run(command, Duration::from_secs(seconds + 120));
                over.store(true, Relaxed);
                got
            });
            // Stopped and started again, in the thread that is in the sandbox.
            for turn in 0.. {
                let _comes_and_goes = [serve("127.0.0.1:53"), serve("[::1]:53")];
                for part in 0..4 {
                    rewrite(sandbox, turn * 4 + part);
                    thread::sleep(Duration::from_millis(400));
                }
                if over.load(Relaxed) {
                    break;
                }
            }
            program.join().unwrap()
        });
        assert_eq!(got.end, End::Exit(0), "{got}");
        let text = got.out();
        let (early, late) = (figures(&text, "early: "), figures(&text, "late: "));
        // Seen by people who run `make soak`.
        std::io::stderr().write_all(text.as_bytes()).unwrap();
        for what in ["fds", "threads"] {
            assert_eq!(early[what], late[what], "{what}: {got}");
        }
        for what in ["resident", "heap"] {
            assert!(late[what] <= early[what] + early[what] / 20, "{what}: {got}");
        }
        let counts = figures(&text, "counts: ");
        assert!(counts["lookups"] > seconds * 50, "{got}");
        assert!(counts["unanswered"] * 5 < counts["lookups"], "{got}");
    });
}
