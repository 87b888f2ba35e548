//! The buffers of the `_r` forms: every size, every alignment.

use std::fmt::Write as _;

use crate::support::dns::Server;
use crate::support::sandbox::Sandbox;
use crate::{HOSTS, answer, compare_calls, same};

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
