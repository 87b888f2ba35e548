//! Services that are locked up: what examples/systemd says is enough, is.

#![allow(
    clippy::unwrap_used,
    reason = "what goes wrong in a test's own functions must fail as loudly as in the test"
)]

mod support;

use std::path::Path;
use std::process::Command;

use support::cc;
use support::differential::LIMIT;
use support::dns::{Question, Reply, Server, Transport};
use support::process::{Output, run};
use support::sandbox::{Sandbox, skip};
use support::wire::{Record, rtype};

/// What the drop-in for locked up services names as system calls.
fn listed() -> Vec<String> {
    let file = "examples/systemd/rustdns-strict.conf";
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("#SystemCallFilter=")).unwrap();
    line.split(' ').map(str::to_owned).collect()
}

/// Other spellings, on other architectures, of calls that are listed too.
const ELSEWHERE: [&str; 1] = ["ppoll"];
/// Made by threads that meet, or where memory is short.
const RARE: [&str; 3] = ["futex", "munmap", "sched_yield"];
/// The probe makes them too.
const OF_THE_PROBE: [&str; 2] = ["brk", "write"];

/// Two addresses; those of long.test come over TCP.
fn script(question: &Question) -> Reply {
    match (question.name.as_str(), question.qtype, question.transport) {
        ("long.test", _, Transport::Udp) => Reply::empty().truncated(),
        (name, rtype::A, _) => Reply::records([Record::address(name, "192.0.2.1")]),
        (name, rtype::AAAA, _) => Reply::records([Record::address(name, "2001:db8::1")]),
        _ => Reply::nxdomain(),
    }
}

/// Lookups that take every kind of way, with these system calls alone.
fn look_up(sandbox: &Sandbox, calls: &[&str]) -> Output {
    let mut command = sandbox.preload(sandbox.command(cc::program("confined")));
    command.arg("calls").arg(calls.join(","));
    command.args(["host.test", "long.test", "localhost", "fe80::1%lo", "192.0.2.9"]);
    run(command, LIMIT)
}

#[test]
fn the_listed_system_calls_are_enough() {
    Sandbox::enter(|sandbox| {
        let server = Server::start(sandbox, script);
        let listed = listed();
        let all: Vec<_> = listed.iter().map(String::as_str).collect();
        let output = look_up(sandbox, &all);
        assert!(output.success(), "{output}");
        for name in ["host.test 0", "long.test 0", "localhost 0", "fe80::1%lo 0", "192.0.2.9 0"] {
            assert_eq!(output.out().matches(name).count(), 2, "{name}: {output}");
        }
        assert!(server.asked().iter().any(|line| line.ends_with(" tcp")), "{:?}", server.asked());

        // None is listed for nothing.
        for left_out in &all {
            if [&ELSEWHERE[..], &RARE, &OF_THE_PROBE].concat().contains(left_out) {
                continue;
            }
            let others: Vec<_> = all.iter().copied().filter(|call| call != left_out).collect();
            let output = look_up(sandbox, &others);
            assert!(!output.success(), "without {left_out}: {output}");
        }
    });
}

/// `MemoryDenyWriteExecute=`: nothing of the library's, nor its loading, wants such memory.
#[test]
fn memory_need_not_become_executable() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, script);
        let mut command = sandbox.command(cc::program("confined"));
        let preload = format!("LD_PRELOAD={}", support::sandbox::preload_library().display());
        command.args([
            "memory",
            "env",
            &preload,
            "RUSTDNS_DEBUG=1",
            "getent",
            "ahosts",
            "host.test",
        ]);
        let output = run(command, LIMIT);
        if !output.success() && output.out().is_empty() && output.err().is_empty() {
            return skip("the kernel has no PR_SET_MDWE (Linux 6.3)");
        }
        assert!(output.success() && output.out().contains("192.0.2.1"), "{output}");
        assert!(output.err().contains("answers for libc in this process"), "{output}");
    });
}

/// The folders that `PrivateTmp=`, `ProtectHome=` and `ProtectSystem=` hide or lock are not looked into.
#[test]
fn no_folder_but_etc_is_looked_into() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, script);
        let trace = sandbox.scratch().join("strace");
        let mut command = sandbox.command("strace");
        command.args(["-f", "-z", "-e", "trace=%file", "-o"]).arg(&trace);
        command
            .arg("-E")
            .arg(format!("LD_PRELOAD={}", support::sandbox::preload_library().display()));
        command.args(["getent", "ahosts", "host.test"]);
        let output = run(command, LIMIT);
        assert!(output.success(), "{output}");
        let text = std::fs::read_to_string(&trace).unwrap();
        let paths: Vec<_> = text.lines().filter_map(|line| line.split('"').nth(1)).collect();
        assert!(paths.contains(&"/etc/resolv.conf"), "{text}");
        // The library itself may lie anywhere.
        let library = support::sandbox::preload_library();
        for path in paths.into_iter().filter(|path| Path::new(path) != library) {
            assert!(
                !["/tmp", "/home", "/root", "/var", "/run"].iter().any(|f| path.starts_with(f)),
                "{path}"
            );
        }
    });
}

/// systemd understands every line of the examples.
#[test]
fn systemd_understands_the_examples() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("units");
    let _ = std::fs::remove_dir_all(&folder);
    let unit = folder.join("confined.service");
    std::fs::create_dir_all(folder.join("confined.service.d")).unwrap();
    std::fs::write(&unit, "[Service]\nExecStart=/bin/true\n").unwrap();
    let verify = |text: &str| {
        std::fs::write(folder.join("confined.service.d/rustdns.conf"), text).unwrap();
        let mut command = Command::new("systemd-analyze");
        command.args(["verify", "--man=no"]).arg(&unit);
        run(command, LIMIT)
    };
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        return skip("no systemd-analyze");
    }
    for file in ["rustdns.conf", "rustdns-strict.conf"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/systemd").join(file);
        // What is commented out for the reader to take is a setting too.
        let text = std::fs::read_to_string(path).unwrap();
        let lines = text.lines().map(|line| match line.strip_prefix('#') {
            Some(setting) if setting.starts_with(|c: char| c.is_ascii_uppercase()) => setting,
            _ => line,
        });
        let text: Vec<_> = lines.collect();
        let output = verify(&text.join("\n"));
        assert!(output.success() && output.err().is_empty(), "{file}: {output}");
    }
    let output = verify("[Service]\nSystemCallFilter=nosuchcall\nNoSuchKey=1\n");
    assert!(output.err().contains("NoSuchKey") && output.err().contains("nosuchcall"), "{output}");
}
