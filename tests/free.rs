//! `freeaddrinfo` crosswise: our lists freed by libc's, libc's by ours, in parts too, under valgrind
//! and AddressSanitizer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "what goes wrong in a test's own functions must fail as loudly as in the test"
)]

mod support;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use support::dns::Server;
use support::link::{GNU, Link, dist, program};
use support::process::{Output, run};
use support::sandbox::Sandbox;
use support::zone::Zone;

/// valgrind takes seconds to start.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs the program with the words before it.
fn play(words: &[&str], program: &Path) -> Option<Output> {
    let mut result = None;
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/hosts", "192.0.2.9 listed.test\n");
        let zone = Zone::new()
            .addresses("host.test", ["192.0.2.1", "192.0.2.2", "2001:db8::1"])
            .nxdomain_else();
        let _server = Server::start(sandbox, zone);
        let mut all: Vec<&str> = words.to_vec();
        all.push(program.to_str().unwrap());
        let mut command: Command = sandbox.command(all[0]);
        command.args(&all[1..]).env("LD_LIBRARY_PATH", dist());
        command.env("ASAN_OPTIONS", "detect_leaks=1:exitcode=9");
        result = Some(run(command, LIMIT));
    });
    result
}

#[test]
fn plain() {
    let program = program(GNU, "free.c", Link::Shared);
    let Some(output) = play(&[], &program) else { return };
    assert!(output.success() && output.out() == "free: ok\n", "{output}");
}

#[test]
fn valgrind() {
    let program = program(GNU, "free.c", Link::Shared);
    let options = ["--quiet", "--leak-check=full", "--show-leak-kinds=definite,indirect,possible"];
    let errors = ["--errors-for-leak-kinds=definite,indirect,possible", "--error-exitcode=9"];
    let words = [&["valgrind"], &options[..], &errors[..]].concat();
    let Some(output) = play(&words, &program) else { return };
    assert!(
        output.success() && output.out() == "free: ok\n" && output.err().is_empty(),
        "{output}"
    );
}

#[test]
fn address_sanitizer() {
    let compiler = [GNU, &["-fsanitize=address", "-fno-omit-frame-pointer"]].concat();
    let program = program(&compiler, "free.c", Link::Shared);
    let Some(output) = play(&[], &program) else { return };
    assert!(
        output.success() && output.out() == "free: ok\n" && output.err().is_empty(),
        "{output}"
    );
}

/// The two judges see what they are to see: a node freed twice.
#[test]
fn the_judges_judge() {
    let compiler = [GNU, &["-fsanitize=address", "-DFREE_TWICE"]].concat();
    let sanitized = program(&compiler, "free.c", Link::Shared);
    let Some(output) = play(&[], &sanitized) else { return };
    assert!(!output.success() && output.err().contains("AddressSanitizer"), "{output}");
    let plain = program(&[GNU, &["-DFREE_TWICE"]].concat(), "free.c", Link::Shared);
    let Some(output) = play(&["valgrind", "--quiet", "--error-exitcode=9"], &plain) else { return };
    assert!(output.err().contains("Invalid free"), "{output}");
}
