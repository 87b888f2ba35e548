//! Other people's tests, with libc and with the library in front of it: what `make compatibility`
//! compares, the parts of it that are quick.

mod support;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use support::process::run;
use support::sandbox::{Sandbox, preload_library};

/// Much more than they take, with what is made at the first run.
const LIMIT: Duration = Duration::from_secs(600);

/// Runs a suite on both sides. The command finds tests that pass with libc alone.
fn suite(name: &str) {
    // Says so where no namespaces can be had; the suite makes its own.
    let mut can_run = false;
    Sandbox::enter(|_| can_run = true);
    if !can_run {
        return;
    }
    let library = preload_library();
    let mut command = Command::new("/usr/bin/python3");
    command
        .arg("-B")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compatibility"))
        .arg(name)
        .env("RUSTDNS_DIST", library.parent().unwrap_or(Path::new("/")));
    let output = run(command, LIMIT);
    assert!(output.success(), "{name}: {output}");
}

/// Go's package net with the resolver that calls libc: its lookups, and dialing by name.
#[test]
fn go_lookups() {
    suite("quick-go");
}

/// CPython's event loop: servers and clients by name and by address.
#[test]
fn asyncio() {
    suite("quick-asyncio");
}

/// The comparison itself: what makes it fail, and what doesn't.
#[test]
fn the_comparison_finds_what_is_worse() {
    let mut command = Command::new("/usr/bin/python3");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compatibility");
    command.arg("-B").arg(folder.join("test_judge.py"));
    let output = run(command, LIMIT);
    assert!(output.success(), "{output}");
}
