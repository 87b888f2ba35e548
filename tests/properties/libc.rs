//! Random configuration files, read by libc and by the library in the same program.
//!
//! The files are the same in every run: what differs is a finding, not chance.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};

use rustdns::base::address::inet_aton;

use crate::files::{HOSTS, NAMES, RESOLV, SERVICES, lines};
use crate::support::cc;
use crate::support::differential::{LIMIT, Pair, compare_calls};
use crate::support::process::run_with_input;
use crate::support::sandbox::Sandbox;

/// How many files of each kind.
const FILES: usize = 120;

fn texts(words: &'static [&'static [&'static str]]) -> Vec<Vec<u8>> {
    let mut runner = TestRunner::deterministic_with(words.len());
    let strategy = lines(words);
    (0..FILES).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// A stream of its own for each kind.
trait Deterministic {
    fn deterministic_with(skip: usize) -> TestRunner;
}

impl Deterministic for TestRunner {
    fn deterministic_with(skip: usize) -> TestRunner {
        let mut runner = TestRunner::new_with_rng(
            Config::default(),
            proptest::test_runner::TestRng::deterministic_rng(
                proptest::test_runner::RngAlgorithm::ChaCha,
            ),
        );
        (0..skip).for_each(|_| drop(runner.new_rng()));
        runner
    }
}

/// `res_ninit` leaves the same state: servers, search list, options, sortlist.
///
/// Would find: a keyword, option, address or line end that libc reads in another way.
#[test]
fn resolv_conf() {
    Sandbox::enter(|sandbox| {
        for mut text in texts(RESOLV) {
            // docs/divergences.md has both: lines that end in CR LF, and what libc reads for ever.
            text.retain(|&b| b != b'\r');
            if text.windows(8).any(|word| word == b"sortlist") && hangs_libc(&text) {
                continue;
            }
            sandbox.write("/etc/resolv.conf", &text);
            let [libc, rustdns] = [false, true].map(|preload| {
                let command = sandbox.command(cc::program("resolver"));
                let command = if preload { sandbox.preload(command) } else { command };
                run_with_input(command, b"ninit\n", LIMIT)
            });
            let what = format!("resolv.conf {}", text.escape_ascii());
            Pair { what, libc, rustdns }.assert_same();
        }
    });
}

/// True where a mask stands behind no address, or white space that ends a word without being one of
/// the blanks between them: libc's loop over a sortlist then stays where it is.
fn hangs_libc(text: &[u8]) -> bool {
    let mut words = text.split(|b| matches!(b, b' ' | b'\t' | b'\n'));
    words.any(|word| {
        let mask = word.iter().position(|b| matches!(b, b'/' | b'&'));
        word.iter().any(|b| matches!(b, 11 | 12) || !b.is_ascii())
            || mask.is_some_and(|at| inet_aton(&word[..at]).is_none())
    })
}

/// `getaddrinfo` finds the same addresses and canonical names, `getnameinfo` the same names.
///
/// Would find: a line that libc reads and we don't, or the other way round; another order.
#[test]
fn hosts() {
    let mut calls = String::new();
    for name in NAMES.iter().filter(|name| !name.contains(['#', '"', '\\'])) {
        for family in ["unspec", "inet", "inet6"] {
            calls += &format!("-t stream -F CANONNAME -f {family} {name} -\n");
        }
    }
    for address in ["127.0.0.1", "192.0.2.1", "192.0.2.2", "::1", "2001:db8::1", "::ffff:192.0.2.9"]
    {
        calls += &format!("gni {address} 0\n");
    }
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/nsswitch.conf", "hosts: files\n");
        for text in texts(HOSTS) {
            sandbox.write("/etc/hosts", &text);
            let mut pair = compare_calls(sandbox, &calls);
            pair.what = format!("hosts {}", text.escape_ascii());
            pair.assert_same();
        }
    });
}

/// `getaddrinfo` finds the same ports, `getnameinfo` the same names.
///
/// Would find: a port or protocol that libc reads in another way, and the second line instead of the
/// first.
#[test]
fn services() {
    let mut calls = String::new();
    for name in ["http", "www", "HTTP", "domain", "ntp", "x-y", "host.test", "h"] {
        for hints in ["", "-t stream", "-t dgram", "-t seqpacket"] {
            calls += &format!("{hints} 127.0.0.1 {name}\n");
        }
    }
    for port in [80, 81, 1, 0, 65535] {
        calls += &format!(
            "gni -F NUMERICHOST 127.0.0.1 {port}\ngni -F NUMERICHOST,DGRAM 127.0.0.1 {port}\n"
        );
    }
    Sandbox::enter(|sandbox| {
        for text in texts(SERVICES) {
            // Decimal since glibc 2.43 only: tests/differential.
            let text =
                String::from_utf8_lossy(&text).replace("0x50/", "80/").replace("0120/", "80/");
            let text = text.replace("08/", "8/").into_bytes();
            sandbox.write("/etc/services", &text);
            let mut pair = compare_calls(sandbox, &calls);
            pair.what = format!("services {}", text.escape_ascii());
            pair.assert_same();
        }
    });
}
