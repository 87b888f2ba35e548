//! The crash that the project exists for: `hosts: files crash dns`, where the module writes to
//! address 0x46. libc's programs die of it, which is asserted, and ours answer.

use super::build::{Go, Link, go_program};
use super::stage::{Stage, died, repository};
use crate::support::process;
use std::time::Duration;

const EXPECTED: [&str; 2] = ["192.0.2.80", "2001:db8::80"];

#[test]
fn getent() {
    Stage::set(|stage| {
        stage.crash_and_cure(
            || {
                let mut command = stage.command("getent");
                command.args(["ahosts", "www.example.test"]);
                command
            },
            &EXPECTED,
        );
    });
}

#[test]
fn go_debian() {
    dynamic(Go::Debian);
}

#[test]
fn go_newest() {
    dynamic(Go::Newest);
}

#[test]
fn go_debian_static() {
    relinked(Go::Debian);
}

#[test]
fn go_newest_static() {
    relinked(Go::Newest);
}

fn dynamic(go: Go) {
    let program = go_program(&repository().join("demo/lookup.go"), go, Link::Dynamic);
    Stage::set(|stage| {
        stage.crash_and_cure(
            || {
                let mut command = stage.command(program.to_str().unwrap());
                command.arg("www.example.test");
                command
            },
            &EXPECTED,
        );
    });
}

/// A preload can't reach a static program: the cure is to link it again.
fn relinked(go: Go) {
    let source = repository().join("demo/lookup.go");
    let with_libc = go_program(&source, go, Link::Static);
    Stage::set(|stage| {
        stage.nsswitch("files crash dns");
        let run = |program: &std::path::Path| {
            let mut command = stage.command(program.to_str().unwrap());
            command.arg("www.example.test");
            process::run(command, Duration::from_secs(30))
        };
        let output = run(&with_libc);
        assert!(died(&output), "with libc it should have died:\n{output}");
        // No sooner: what libc does is to be known also where the archive is missing.
        let with_rustdns = go_program(&source, go, Link::StaticRustdns);
        let output = run(&with_rustdns);
        assert!(output.success(), "relinked:\n{output}");
        for part in EXPECTED {
            assert!(output.out().contains(part), "no {part:?} in\n{output}");
        }
    });
}
