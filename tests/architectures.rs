//! What has to work on every architecture: the library preloaded, linked, and in a static program, the
//! module, the command, Go. `make cross` runs this under qemu for others; here it is this machine's own.
//!
//! The oracle is the libc of the architecture: the same program prints the same with it.

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
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use support::authority::{Authority, GOOD};
use support::cc;
use support::differential::{LIMIT, compare_calls, probe, unified_diff};
use support::dns::{Question, Reply, Script, Server, Transport};
use support::foreign;
use support::link::{GNU, Link, dist, program};
use support::process::{End, Output, run, run_with_input};
use support::sandbox::{Sandbox, skip};
use support::servers::RealServer;
use support::wire::Record;
use support::zone::Zone;

fn script() -> impl Script {
    let zone = Zone::new()
        .addresses("host.test", ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"])
        .cname("alias.test", "host.test")
        .txt("text.test", "no address")
        .a("xn--bcher-kva.test", "192.0.2.5")
        .ptr("192.0.2.1", "host.test")
        .ptr("2001:db8::1", "host.test")
        .nxdomain_else();
    move |question: &Question| match (question.name.as_str(), question.transport) {
        ("long.test", Transport::Udp) => Reply::empty().truncated(),
        ("long.test", Transport::Tcp) if question.qtype == 1 => {
            let many = (1..=60).map(|i| Record::address("long.test", &format!("192.0.2.{i}")));
            Reply::records(many)
        }
        ("long.test", Transport::Tcp) => Reply::nodata(),
        _ => zone.answer(question),
    }
}

fn with_server(test: impl FnOnce(&Sandbox) + Send) {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/hosts", "192.0.2.9 listed.test other\n2001:db8::9 listed.test\n");
        let _server = Server::start(sandbox, script());
        test(sandbox);
    });
}

fn calls() -> String {
    let mut calls = String::new();
    for node in [
        "host.test",
        "alias.test",
        "text.test",
        "nobody.test",
        "listed.test",
        "long.test",
        "::1",
        "-",
    ] {
        for flags in ["", "-F CANONNAME", "-F V4MAPPED,ALL -f inet6", "-f inet", "-t dgram", "-n 4"]
        {
            for service in ["80", "http", "nosuch"] {
                writeln!(calls, "gai {flags} {node} {service}").unwrap();
            }
        }
    }
    calls += "gai -F IDN,CANONNAME,CANONIDN b\\xc3\\xbccher.test 80\n";
    for address in
        ["192.0.2.1", "2001:db8::1", "192.0.2.9", "192.0.2.77", "127.0.0.1", "fe80::1%lo"]
    {
        for flags in ["0", "NAMEREQD", "NUMERICHOST", "NUMERICSERV", "DGRAM"] {
            writeln!(calls, "gni -F {flags} {address} 80").unwrap();
        }
    }
    calls
}

/// The program, made with the library in some way, prints what it prints with libc.
fn same(linked: &Path) {
    with_server(|sandbox| {
        let batch = |program: &Path| {
            let mut command = sandbox.command(program);
            command.arg("--batch").env("LD_LIBRARY_PATH", dist());
            run_with_input(command, calls().as_bytes(), LIMIT)
        };
        let (libc, ours) = (batch(&cc::program("gai")), batch(linked));
        assert!(libc.success() && libc.out().contains("2001:db8::1"), "{libc}");
        let (libc, ours) = (libc.to_string(), ours.to_string());
        assert!(libc == ours, "--- libc\n+++ rustdns\n{}", unified_diff(&libc, &ours));
    });
}

#[test]
fn preloaded() {
    with_server(|sandbox| assert_same!(compare_calls(sandbox, &calls())));
}

#[test]
fn linked() {
    let linked = program(GNU, "gai.c", Link::Shared);
    let mut readelf = Command::new(foreign::tool("readelf"));
    readelf.arg("-Wd").arg(&linked);
    let needed = run(readelf, LIMIT).out();
    assert!(needed.contains("[librustdns.so.0]"), "{needed}");
    same(&linked);
}

#[test]
fn fully_static() {
    let linked = program(GNU, "gai.c", Link::Static);
    let mut readelf = Command::new(foreign::tool("readelf"));
    readelf.arg("-Wl").arg(&linked);
    let segments = run(readelf, LIMIT).out();
    assert!(segments.contains("LOAD") && !segments.contains("INTERP"), "{segments}");
    same(&linked);
}

/// What unwinding a panic takes is in a static program.
#[test]
fn the_unwinder_works() {
    // Not everywhere do C's functions have tables without being asked; Rust's do.
    let program = program(&[GNU, &["-funwind-tables"]].concat(), "unwind.c", Link::Static);
    let output = run(foreign::command(program.as_os_str()), LIMIT);
    assert!(output.success() && output.out() == "5 frames\n", "{output}");
}

/// Through libc, with the module in place of libc's own `dns`.
#[test]
fn module() {
    with_server(|sandbox| {
        let probe = |service: &str| {
            sandbox
                .write("/etc/nsswitch.conf", format!("hosts: files {service}\nservices: files\n"));
            let mut command = sandbox.command(cc::program("gai"));
            command.arg("--batch").env("LD_LIBRARY_PATH", dist());
            let calls: String = calls()
                .lines()
                .filter(|c| !c.contains("nobody"))
                .map(|c| format!("{c}\n"))
                .collect();
            run_with_input(command, calls.as_bytes(), LIMIT).to_string()
        };
        let (libc, ours, neither) = (probe("dns"), probe("rustdns"), probe("nosuch"));
        let found = "canonname=host.test";
        assert!(libc.contains(found) && !neither.contains(found), "{libc}\n{neither}");
        assert!(libc == ours, "--- dns\n+++ rustdns\n{}", unified_diff(&libc, &ours));
    });
}

#[test]
fn command() {
    with_server(|sandbox| {
        sandbox.address("192.0.2.200/24");
        let mut command = sandbox.command(dist().join("rustdns"));
        command.args(["lookup", "-4", "alias.test", "80"]);
        let output = run(command, LIMIT);
        for part in ["host.test", "192.0.2.1", "192.0.2.2"] {
            assert!(output.success() && output.out().contains(part), "{part}\n{output}");
        }
        let mut command = sandbox.command(dist().join("rustdns"));
        command.args(["lookup", "nobody.test"]);
        let output = run(command, LIMIT);
        assert!(!output.success() && output.err().contains("EAI_NONAME"), "{output}");
    });
}

/// TLS and HTTPS, where their cryptography builds: what unbound passes on is what libc is told in plain.
#[test]
fn encrypted() {
    if !dist().join("librustdns-encrypted.so").exists() {
        return skip("no librustdns-encrypted.so is made for this architecture");
    }
    with_server(|sandbox| {
        sandbox.name_servers(&[1], "timeout:30 attempts:1");
        let authority = Authority::new(sandbox, "authority");
        let identity = authority.issue(sandbox, GOOD, 30);
        let as_asked =
            "  rrset-roundrobin: no\n  local-zone: \"2.0.192.in-addr.arpa.\" nodefault\n";
        let server = RealServer::unbound_private(sandbox, "127.0.0.2:853", &identity, as_asked);
        let Some(server) = server else { return };
        let calls = "gai -t stream -F CANONNAME alias.test 80\ngai -t stream -f inet6 host.test -\n\
                     gai -t stream nobody.test -\ngai -n 4 host.test http\ngni 192.0.2.1 80\n";
        let configure = |upstream: &str| {
            let trusted = authority.file();
            let settings = format!("upstream {upstream}\nupstream-ca {}\n", trusted.display());
            sandbox.write("/etc/rustdns.conf", settings);
        };
        for (upstream, counter) in
            [("tls://127.0.0.2", "num.query.tls"), ("https://127.0.0.2", "num.query.https")]
        {
            configure(upstream);
            assert_same!(compare_calls(sandbox, calls), "{upstream}");
            assert!(server.statistic(sandbox, counter) > 0, "{upstream}");
        }
        // Who it is not signed for is told nothing.
        configure("tls://127.0.0.2#other.test");
        let got = probe(sandbox, true, "gai -t stream host.test -\n");
        assert!(got.out().contains("\nEAI_AGAIN\n"), "{got}");
    });
}

/// Whether it was ended by SIGSEGV, or says so itself as Go's runtime does.
fn died(output: &Output) -> bool {
    output.end == End::Signal(libc::SIGSEGV)
        || output.end == End::Exit(2) && output.err().contains("SIGSEGV: segmentation violation")
}

/// A module that writes to address 0x46 kills who asks libc, and nobody who asks us.
fn crash_and_cure(program: &Path, words: &[&str]) {
    let module = cc::crash_module();
    with_server(|sandbox| {
        sandbox.address("192.0.2.200/24");
        sandbox.address("2001:db8::200/64");
        sandbox.write("/etc/nsswitch.conf", "hosts: files crash dns\nservices: files\n");
        let command = || {
            let mut command = sandbox.command(program);
            command.args(words).env("LD_LIBRARY_PATH", &module);
            command
        };
        let output = run(command(), LIMIT);
        assert!(died(&output), "with libc it should have died:\n{output}");
        let output = run(sandbox.preload(command()), LIMIT);
        assert!(output.success() && output.err().is_empty(), "{output}");
        for part in ["192.0.2.1", "2001:db8::1"] {
            assert!(output.out().contains(part), "{part}\n{output}");
        }
    });
}

#[test]
fn crash() {
    crash_and_cure(&cc::program("gai"), &["alias.test", "80"]);
}

/// The same with a cgo program of the newest Go.
#[test]
fn go() {
    let program = go_program();
    crash_and_cure(&program, &["alias.test"]);
}

/// demo/lookup.go for this architecture: `RUSTDNS_GOARCH`, if it is not the machine's own.
fn go_program() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let go = match std::env::var_os("RUSTDNS_NEWEST_GO") {
        Some(go) => PathBuf::from(go),
        None => {
            let output =
                run(Command::new(root.join("scripts/newest-go")), Duration::from_secs(300));
            assert!(output.success(), "{output}");
            PathBuf::from(output.out().trim())
        }
    };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let arch = std::env::var("RUSTDNS_GOARCH").unwrap_or_default();
    let program = folder.join(format!("lookup-go-{arch}"));
    let mut command = Command::new(go);
    for (name, value) in
        [("GO111MODULE", "off"), ("CGO_ENABLED", "1"), ("GOTOOLCHAIN", "local"), ("GOFLAGS", "")]
    {
        command.env(name, value);
    }
    command
        .env("GOCACHE", folder.join("programs/go-cache"))
        .env("CC", foreign::compiler("cc").join(" "));
    if !arch.is_empty() {
        command.env("GOARCH", arch);
    }
    command.arg("build").arg("-o").arg(&program).arg(root.join("demo/lookup.go"));
    let output = run(command, Duration::from_secs(600));
    assert!(output.success(), "{output}");
    program
}
