//! The same programs under tools that watch over memory: valgrind, and gcc's sanitizers.
//!
//! In `make test` the programs are compiled for AddressSanitizer and UndefinedBehaviorSanitizer, with the
//! library as it is shipped. `make sanitize` runs this with a library that is compiled for it too
//! (`RUSTDNS_SANITIZER`: address or thread).

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::numbered::{begin, is_ok};
use crate::support::cc;
use crate::support::process::run;
use crate::support::sandbox::{Sandbox, preload_library};

const LIMIT: Duration = Duration::from_secs(120);

/// Threads, signals, children, every kind of lookup. Left out are those that sanitizers can't follow:
/// cancellation and siglongjmp unwind stacks behind their back, and some replace malloc themselves.
const PROGRAMS: &[&[&str]] = &[
    &["host_threads", "many", "40"],
    &["host_threads", "setenv"],
    &["host_threads", "exit"],
    &["host_signals", "storm", "60"],
    &["host_processes", "daemon"],
    &["host_limits", "streams"],
    &["host_limits", "close-range"],
];

/// gcc's runtime library of this name.
fn runtime(name: &str) -> PathBuf {
    let output = Command::new("cc").arg(format!("-print-file-name={name}")).output().unwrap();
    let path = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
    assert!(path.is_absolute(), "{name} is not installed");
    path
}

#[test]
fn sanitizers_find_nothing() {
    let sanitizer = std::env::var("RUSTDNS_SANITIZER").unwrap_or_else(|_| "address".to_owned());
    let is_thread = sanitizer == "thread";
    let mut preloads = match is_thread {
        // Linked too: libtsan looks away in a function called getaddrinfo (tests/c/host.h).
        true => vec![runtime("libtsan.so"), cc::shared_object("tsan_memory")],
        false => vec![runtime("libasan.so"), runtime("libubsan.so")],
    };
    preloads.push(preload_library());
    let preloads: Vec<String> = preloads.iter().map(|path| path.display().to_string()).collect();
    for &words in PROGRAMS {
        // The library closes no more than it opens; libtsan has descriptors of its own.
        if is_thread && words[0] == "host_limits" {
            continue;
        }
        Sandbox::enter(|sandbox| {
            let _server = begin(sandbox);
            let program = match is_thread {
                true => cc::thread_sanitized(words[0]),
                false => cc::address_sanitized(words[0]),
            };
            let mut command = sandbox.command(program);
            command.args(&words[1..]).env("LD_PRELOAD", preloads.join(":"));
            command.env("ASAN_OPTIONS", "detect_leaks=1");
            // std's own part of a contended lock is not compiled for it.
            sandbox.write("/run/suppressions", "race:abi8requests\n");
            command.env("TSAN_OPTIONS", "suppressions=/run/suppressions print_suppressions=0");
            is_ok(&run(command, LIMIT));
        });
    }
}

#[test]
fn valgrind_finds_nothing() {
    let programs: [(&[&str], &str); 3] = [
        (&["host_threads", "many", "12"], "full"),
        (&["host_threads", "exit"], "full"),
        // What other threads have at hand when a child is forked is nobody's in the child.
        (&["host_processes", "fork", "10"], "no"),
    ];
    for (words, leaks) in programs {
        Sandbox::enter(|sandbox| {
            let _server = begin(sandbox);
            let mut command = sandbox.command("valgrind");
            command.args(["-q", "--error-exitcode=99", "--fair-sched=yes"]);
            command.arg(format!("--leak-check={leaks}")).arg("--errors-for-leak-kinds=definite");
            command.arg(cc::program(words[0])).args(&words[1..]);
            is_ok(&run(sandbox.preload(command), LIMIT));
        });
    }
}
