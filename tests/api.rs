//! The library under its own names: rustdns.h and nothing else, from C and C++, shared and static.

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

use support::dns::{Question, Reply, Server};
use support::link::{C99, CPP, Link, dist, program};
use support::process::run;
use support::sandbox::Sandbox;
use support::zone::Zone;

const LIMIT: Duration = Duration::from_secs(120);

fn zone() -> Zone {
    Zone::new()
        .addresses("host.test", ["192.0.2.1", "2001:db8::1"])
        .ptr("192.0.2.1", "host.test")
        .ptr("2001:db8::1", "host.test")
        .nxdomain_else()
}

fn command(sandbox: &Sandbox, program: &Path) -> Command {
    let mut command = sandbox.command(program);
    command.env("LD_LIBRARY_PATH", dist());
    command
}

/// Runs a program that checks everything itself.
fn succeeds(compiler: &[&str], source: &str, link: Link) {
    let program = program(compiler, source, link);
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        let output = run(command(sandbox, &program), LIMIT);
        assert!(output.success() && output.out() == "api: ok\n", "{source} {link:?}\n{output}");
    });
}

#[test]
fn c_shared() {
    succeeds(C99, "api.c", Link::Shared);
}

#[test]
fn c_static() {
    succeeds(C99, "api.c", Link::Static);
}

#[test]
fn cpp_shared() {
    succeeds(CPP, "api.cpp", Link::Shared);
}

#[test]
fn cpp_static() {
    succeeds(CPP, "api.cpp", Link::Static);
}

/// Questions that nobody answers are counted as such.
#[test]
fn timeouts_are_counted() {
    let program = program(C99, "api.c", Link::Shared);
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "options timeout:1 attempts:1\n");
        let _server = Server::start(sandbox, |_: &Question| Reply::drop());
        let mut command = command(sandbox, &program);
        command.arg("silent");
        let output = run(command, LIMIT);
        assert!(output.success(), "{output}");
    });
}

/// The header stands alone in each dialect, twice in a row, and in the strictest of modes.
#[test]
fn the_header_stands_alone() {
    let source = "#include \"rustdns.h\"\n#include \"rustdns.h\"\nint main(void) { return 0; }\n";
    for compiler in [
        &["gcc", "-x", "c", "-std=c99"][..],
        &["gcc", "-x", "c", "-std=c17"],
        &["gcc", "-x", "c", "-std=gnu89"],
        &["g++", "-x", "c++", "-std=c++11"],
        &["g++", "-x", "c++", "-std=c++20"],
    ] {
        let mut command = Command::new(compiler[0]);
        command
            .args(&compiler[1..])
            .args(["-Wall", "-Wextra", "-pedantic", "-Wshadow", "-Wundef", "-Werror"])
            .args(["-fsyntax-only", "-"])
            .arg(format!("-I{}", dist().display()));
        let output = support::process::run_with_input(command, source.as_bytes(), LIMIT);
        assert!(output.success() && output.err().is_empty(), "{compiler:?}\n{output}");
    }
}

/// The header that programs compile with is the one that is committed.
#[test]
fn the_header_is_the_committed_one() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/rustdns.h");
    let shipped = dist().join("rustdns.h");
    assert_eq!(
        std::fs::read_to_string(committed).unwrap(),
        std::fs::read_to_string(shipped).unwrap()
    );
}
