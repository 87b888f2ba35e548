//! `librustdns.a` in static programs: nothing to warn of, nothing loaded at run time, and in an empty
//! chroot too. What pkg-config says is all that they are linked with.
//!
//! C++ is in tests/api.rs, static cgo programs are in tests/programs/crash.rs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "what goes wrong in a test's own functions must fail as loudly as in the test"
)]

#[path = "getaddrinfo_a/background.rs"]
mod background;
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use support::cc;
use support::differential::unified_diff;
use support::dns::Server;
use support::link::{GNU, Link, program, try_program};
use support::process::{run, run_with_input};
use support::sandbox::Sandbox;
use support::zone::Zone;

const LIMIT: Duration = Duration::from_secs(120);

fn zone() -> Zone {
    Zone::new()
        .addresses("host.test", ["192.0.2.1", "192.0.2.2", "2001:db8::1"])
        .cname("alias.test", "host.test")
        .txt("text.test", "no address")
        .ptr("192.0.2.1", "host.test")
        .ptr("2001:db8::1", "host.test")
        .mx("host.test", 10, "mail.test")
        .nxdomain_else()
}

/// Every probe links in silence; with libc alone the linker warns, so silence says something.
#[test]
fn the_linker_has_nothing_to_say() {
    for source in ["gai.c", "hostent.c", "gaia.c", "resolver.c", "static_all.c"] {
        program(GNU, source, Link::Static);
    }
    let (_, said) = try_program(GNU, "gai.c", Link::StaticLibc);
    assert!(said.contains("Using 'getaddrinfo' in statically linked applications"), "{said}");
}

/// A static libc's objects are replaced whole.
#[test]
fn objects_are_replaced_whole() {
    let program = program(GNU, "static_all.c", Link::Static);
    let output = run(std::process::Command::new(program), LIMIT);
    assert!(output.success(), "{output}");
}

/// The static program prints what the dynamic one prints with libc.
fn same(probe: &str, calls: &str) {
    let linked = program(GNU, &format!("{probe}.c"), Link::Static);
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/hosts", "192.0.2.9 listed.test other\n2001:db8::9 listed.test\n");
        let _server = Server::start(sandbox, zone());
        let [libc, rustdns] = [cc::program(probe), linked.clone()].map(|program| {
            let mut command = sandbox.command(program);
            command.arg("--batch");
            let output = run_with_input(command, calls.as_bytes(), LIMIT);
            assert!(output.success() && output.out().contains("host.test"), "{output}");
            output.to_string()
        });
        assert!(
            libc == rustdns,
            "--- libc\n+++ rustdns, static\n{}",
            unified_diff(&libc, &rustdns)
        );
    });
}

#[test]
fn getaddrinfo_and_getnameinfo() {
    let mut calls = String::new();
    for node in ["host.test", "alias.test", "text.test", "nobody.test", "listed.test", "::1", "-"] {
        for flags in ["", "-F CANONNAME", "-F NUMERICHOST", "-f inet", "-f inet6"] {
            for service in ["80", "http", "-", "nosuch"] {
                calls += &format!("gai {flags} {node} {service}\n");
            }
        }
    }
    for address in ["192.0.2.1", "2001:db8::1", "192.0.2.9", "192.0.2.77", "127.0.0.1"] {
        for flags in ["0", "NAMEREQD", "NUMERICHOST", "NUMERICSERV"] {
            calls += &format!("gni -F {flags} {address} 80\n");
        }
    }
    same("gai", &calls);
}

#[test]
fn gethostby() {
    let mut calls = String::new();
    for form in ["", "-s "] {
        for name in ["host.test", "alias.test", "text.test", "nobody.test", "listed.test"] {
            calls += &format!("name {form}{name}\nname2 {form}-f inet6 {name}\n");
        }
        calls +=
            &format!("addr {form}-f inet 192.0.2.1\naddr {form}-f inet6 2001:db8::1\nent {form}\n");
    }
    same("hostent", &calls);
}

/// The resolver(3) family. `res_init` and `res_ninit` are libc's here (docs/abi.md): what they fill is
/// followed all the same, by all forms.
#[test]
fn resolver_family() {
    let mut calls = String::new();
    for form in ["", "n"] {
        if form == "n" {
            calls += "ninit\n";
        }
        for name in ["host.test", "alias.test", "text.test", "nobody.test", "a..b", "host"] {
            for kind in ["A", "TXT", "MX"] {
                calls += &format!("{form}query {name} IN {kind}\n{form}search {name} IN {kind}\n");
            }
            calls += &format!("{form}querydomain {name} test IN A\n");
        }
        for options in ["+TRUSTAD", "-RECURSE", "+USE_EDNS0", "+USEVC", "-DNSRCH"] {
            calls += &format!(
                "{form}set options {options}\n{form}mkquery 0 host.test IN A\n{form}send\n\
                 {form}query host.test IN A\n{form}search host IN A\n"
            );
        }
        for size in [11, 12, 28, 29, 512] {
            calls += &format!(
                "{form}query host.test IN A {size}\n{form}mkquery 0 host.test IN A {size}\n"
            );
        }
    }
    calls += "init\ngai host.test\nset nscount 0\nquery host.test IN A\nninit\nnclose\nfds\n";
    same("resolver", &calls);
}

#[test]
fn lookups_in_the_background() {
    let linked = program(GNU, "gaia.c", Link::Static);
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, background::script);
        for scenario in ["wait", "nowait", "arguments", "signal", "thread", "cancel", "leak"] {
            let [libc, rustdns] = [cc::program("gaia"), linked.clone()].map(|program| {
                let mut command = sandbox.command(program);
                command.arg(scenario);
                run(command, LIMIT)
            });
            let what = format!("{scenario}, linked statically");
            support::differential::Pair { what, libc, rustdns }.assert_same();
        }
    });
}

#[test]
fn nothing_is_loaded_at_run_time() {
    let linked = program(GNU, "gai.c", Link::Static);
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/nsswitch.conf", "hosts: files crash dns\n");
        let _server = Server::start(sandbox, zone());
        let mut strace = sandbox.command("strace");
        strace.args(["-f", "-e", "trace=open,openat,openat2,mmap"]).arg(&linked);
        strace.args(["host.test", "http"]);
        let output = run(strace, LIMIT);
        assert!(output.success() && output.out().contains("192.0.2.1"), "{output}");
        let trace = output.err();
        assert!(trace.contains("/etc/resolv.conf"), "the trace shows what is opened\n{trace}");
        for sign in [".so", "libnss", "ld.so.cache", "gconv", "PROT_EXEC"] {
            assert!(!trace.contains(sign), "{sign}\n{trace}");
        }
    });
}

/// A folder with the program and etc/resolv.conf, and nothing else at all.
fn jail(sandbox: &Sandbox, program: &Path) -> PathBuf {
    let jail = sandbox.scratch().join("jail");
    fs::create_dir_all(jail.join("etc")).unwrap();
    fs::write(jail.join("etc/resolv.conf"), "nameserver 127.0.0.1\n").unwrap();
    sandbox.install(program, "jail/program", "755");
    jail
}

#[test]
fn in_an_empty_chroot() {
    let linked = program(GNU, "gai.c", Link::Static);
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        let jail = jail(sandbox, &linked);
        for (words, expected) in [
            (&["alias.test", "80"][..], "192.0.2.2"),
            (&["gni", "192.0.2.1", "80"], "host.test"),
            (&["nobody.test", "80"], "EAI_NONAME"),
            (&["localhost", "80"], "127.0.0.1"),
        ] {
            let mut command = sandbox.command("chroot");
            command.arg(&jail).arg("/program").args(words);
            let output = run(command, LIMIT);
            assert!(
                output.out().contains(expected) && output.err().is_empty(),
                "{words:?}\n{output}"
            );
        }
    });
}

/// A static-pie program is one too.
#[test]
fn static_pie() {
    let linked = program(&[GNU, &["-static-pie", "-fPIE"]].concat(), "gai.c", Link::StaticPie);
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        let mut command = sandbox.command(&linked);
        command.args(["host.test", "80"]);
        let output = run(command, LIMIT);
        assert!(output.success() && output.out().contains("2001:db8::1"), "{output}");
    });
}
