//! The library in portable C: what it does beside what the plain library does. That it does the same
//! is for the other tests to say, which `scripts/portable-c test` runs with it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "what goes wrong in a test's own functions must fail as loudly as in the test"
)]

#[path = "hosts/numbered.rs"]
#[allow(dead_code, reason = "shared with tests/hosts")]
mod numbered;
mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use numbered::{begin, is_ok, left};
use support::cc;
use support::dns::{Question, Reply, Server};
use support::foreign;
use support::process::run;
use support::sandbox::Sandbox;

const LIMIT: Duration = Duration::from_secs(180);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of its build, made if it is not there: `RUSTDNS_PORTABLE_DIST`, if others want another.
fn dist() -> &'static Path {
    static DIST: OnceLock<PathBuf> = OnceLock::new();
    DIST.get_or_init(|| {
        if let Some(made) = std::env::var_os("RUSTDNS_PORTABLE_DIST") {
            return made.into();
        }
        let output = run(Command::new(root().join("scripts/portable-c")), Duration::from_secs(900));
        assert!(output.success(), "scripts/portable-c\n{output}");
        root().join("target/dist/portable")
    })
}

/// tests/c/portable.c with the library inside.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let compiler = foreign::compiler("cc");
        let name = format!("portable-{}", std::process::id());
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let mut command = Command::new(&compiler[0]);
        command.args(&compiler[1..]).args(["-std=gnu99", "-O1", "-Wall", "-Wextra", "-Werror"]);
        command.arg("-I").arg(root().join("target/portable/source")).arg("-o").arg(&program);
        command.arg(root().join("tests/c/portable.c"));
        // In the archive the names that it asks are local.
        for object in std::fs::read_dir(dist().join("obj")).unwrap() {
            let object = object.unwrap().path();
            let name = object.file_name().unwrap().to_string_lossy().into_owned();
            if name.ends_with(".o") && name != "nss.o" && name != "librustdns.o" {
                command.arg(object);
            }
        }
        command.args(["-pthread", "-ldl"]);
        let output = run(command, LIMIT);
        assert!(output.success(), "{output}");
        program
    })
}

fn prints(sandbox: &Sandbox, words: &[&str]) -> String {
    let mut command = sandbox.command(program());
    command.args(words);
    let output = run(command, LIMIT);
    assert!(output.success() && output.err().is_empty(), "{words:?}\n{output}");
    output.out()
}

#[test]
fn a_trap_is_an_error_and_the_next_call_has_another_instance() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/hosts", "192.0.2.9 listed.test\n");
        let want = "at first: 0\na trap: 1\na stray read: 1\ndescriptors: 0\nthen: 0\nruined: \
            EAI_FAIL\nafterwards: 0\n";
        assert_eq!(prints(sandbox, &["traps", "listed.test"]), want);
    });
}

/// The server says nothing before all have asked: who had to wait for another's lookup would wait
/// in vain.
#[test]
fn threads_look_up_side_by_side() {
    Sandbox::enter(|sandbox| {
        sandbox.name_servers(&[1], "timeout:1 attempts:5");
        let asked = Mutex::new(BTreeSet::new());
        let script = move |question: &Question| {
            let mut asked = asked.lock().unwrap();
            asked.insert(question.name.clone());
            if asked.len() < 8 { Reply::drop() } else { Reply::address(question) }
        };
        let _server = Server::start(sandbox, script);
        let names: Vec<String> = (0..8).map(|i| format!("name{i}.test")).collect();
        let words: Vec<&str> =
            ["side-by-side"].into_iter().chain(names.iter().map(|n| &**n)).collect();
        let out = prints(sandbox, &words);
        assert!(out.starts_with("failed: 0\ninstances: 8, of at most "), "{out}");
        assert!(kib(&out) <= 1024, "{out}");
    });
}

#[test]
fn one_thread_has_one_instance() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, |question: &Question| Reply::address(question));
        let names: Vec<String> = (0..300).map(|i| format!("name{i}.test")).collect();
        let words: Vec<&str> =
            ["one-by-one"].into_iter().chain(names.iter().map(|n| &**n)).collect();
        let out = prints(sandbox, &words);
        assert!(out.starts_with("failed: 0\ninstances: 1, of at most "), "{out}");
        assert!(kib(&out) <= 2048, "{out}");
    });
}

/// It has neither TLS nor cryptography: what is to be private or checked is not asked otherwise.
#[test]
fn encrypted_servers_are_not_asked_in_plain_text() {
    Sandbox::enter(|sandbox| {
        let server = Server::start(sandbox, |question: &Question| Reply::address(question));
        for (setting, why) in [
            ("upstream tls://127.0.0.1#dns.test", "tls://127.0.0.1#dns.test: not in portable C"),
            ("dnssec validate", "dnssec validate: not in portable C"),
        ] {
            sandbox.write("/etc/rustdns.conf", format!("{setting}\n"));
            let mut command = sandbox.command("getent");
            command.args(["ahosts", "host.test"]).env("RUSTDNS_DEBUG", "1");
            command.env("LD_PRELOAD", dist().join("librustdns.so"));
            let output = run(command, LIMIT);
            assert!(output.out().is_empty() && output.err().contains(why), "{setting}: {output}");
            server.settle();
            assert!(server.asked().is_empty(), "{setting}: {:?}", server.asked());
        }
    });
}

/// No other process sees the counters, and the trace says so.
#[test]
fn the_setting_stats_is_refused() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/hosts", "192.0.2.9 listed.test\n");
        let mut command = sandbox.command(cc::program("gai"));
        command.args(["listed.test", "80"]).env("RUSTDNS_STATS", "on").env("RUSTDNS_DEBUG", "1");
        foreign::preload(&mut command, &dist().join("librustdns.so"));
        let output = run(command, LIMIT);
        assert!(output.out().contains(" 192.0.2.9 "), "{output}");
        assert!(output.err().contains("stats: not shown by portable C\n"), "{output}");
    });
}

#[test]
fn a_child_begins_with_none() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/hosts", "192.0.2.9 listed.test\n");
        let script =
            |question: &Question| Reply::address(question).after(Duration::from_millis(600));
        let _server = Server::start(sandbox, script);
        let out = prints(sandbox, &["child", "listed.test", "slow.test"]);
        let lines: Vec<&str> = out.lines().collect();
        let [parent, before, child, after, status] = lines[..] else { panic!("{out}") };
        assert_eq!([parent, child, status], ["parent: 0", "child: 0", "status: 0"], "{out}");
        assert_eq!(before, "instances: 0, of at most 0 KiB", "{out}");
        assert!(after.starts_with("instances: 1, "), "{out}");
    });
}

/// A program of `tests/hosts`, with its library in front.
#[track_caller]
fn lives(program: &str, words: &[&str]) {
    Sandbox::enter(|sandbox| {
        let _server = begin(sandbox);
        let mut command = sandbox.command(cc::program(program));
        command.args(words);
        foreign::preload(&mut command, &dist().join("librustdns.so"));
        is_ok(&run(command, LIMIT));
    });
}

/// Each leaves an instance behind in the middle of its work: more of them than there may be.
#[test]
fn a_lookup_can_be_jumped_out_of() {
    lives("host_signals", &["longjmp", "200"]);
    lives("host_signals", &["longjmp-threads", "200"]);
}

#[test]
fn a_jump_leaves_nothing_that_the_next_call_does_not_put_right() {
    Sandbox::enter(|sandbox| {
        sandbox.address("192.0.2.9/24");
        let _server = Server::start(sandbox, left);
        let functions = ["getaddrinfo", "gethostbyname_r", "res_query", "getnameinfo"];
        let jumps = functions.map(|function| ["jump", function]);
        for [mode, function] in jumps.into_iter().chain([
            ["jump-thread", "getaddrinfo"],
            ["reused", "getaddrinfo"],
            ["nested", "getaddrinfo"],
        ]) {
            println!("{mode} {function}");
            let mut command = sandbox.command(cc::program("host_left"));
            command.args([mode, function, "16"]);
            foreign::preload(&mut command, &dist().join("librustdns.so"));
            is_ok(&run(command, LIMIT));
        }
    });
}

/// As they may with libc, and may not with the plain library (docs/divergences.md).
#[test]
fn threads_can_end_in_the_middle_of_a_lookup() {
    lives("host_signals", &["exit", "50"]);
}

#[test]
fn threads_can_be_cancelled() {
    lives("host_threads", &["cancel"]);
    lives("host_threads", &["cancel-async"]);
}

#[test]
fn a_signal_handler_can_look_names_up() {
    lives("host_signals", &["handler", "150"]);
}

/// Of a process whose threads are in the middle of lookups.
#[test]
fn children_look_up() {
    lives("host_processes", &["fork", "150"]);
}

#[test]
fn five_hundred_threads_look_up() {
    lives("host_threads", &["many", "500"]);
}

/// The KiB at the end of what the program prints.
fn kib(out: &str) -> u32 {
    out.split_whitespace().rev().nth(1).unwrap().parse().unwrap()
}

/// It has the names of the plain library but for `pthread_cancel`: a waiting lookup of its is not ended early
/// (docs/divergences.md).
#[test]
fn the_names_are_the_plain_librarys() {
    for library in ["librustdns.so", "libnss_rustdns.so.2"] {
        let mut nm = Command::new(foreign::tool("nm"));
        nm.args(["-D", "--defined-only", "-f", "posix"]).arg(dist().join(library));
        let output = run(nm, LIMIT);
        assert!(output.success(), "{output}");
        let first = |line: &str| line.split_whitespace().next().map(str::to_owned);
        let names: BTreeSet<String> = output.out().lines().filter_map(first).collect();
        let list = root().join("tests/symbols").join(format!("{library}.txt"));
        let list = std::fs::read_to_string(list).unwrap();
        let plain: BTreeSet<String> = list
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(first)
            .filter(|name| name != "pthread_cancel")
            .collect();
        assert!(plain.len() > 5, "{plain:?}");
        assert_eq!(names, plain, "{library}");
    }
}

/// Nothing that programs could stumble over: no signal handler, no libm, no unwinder.
#[test]
fn what_it_needs_is_libc() {
    let mut readelf = Command::new(foreign::tool("readelf"));
    readelf.arg("-Wd").arg(dist().join("librustdns.so"));
    let output = run(readelf, LIMIT).out();
    let needed: Vec<&str> = output.lines().filter(|line| line.contains("(NEEDED)")).collect();
    assert!(!needed.is_empty());
    for line in needed {
        assert!(line.contains("[libc.so") || line.contains("[ld-linux"), "{line}");
    }
    let mut nm = Command::new(foreign::tool("nm"));
    nm.args(["-D", "--undefined-only"]).arg(dist().join("librustdns.so"));
    let wanted = run(nm, LIMIT).out();
    assert!(wanted.contains(" dlsym") && !wanted.contains("sigaction"), "{wanted}");
    // Names that programs may have functions of; but for what a kernel older than Linux 4.11 takes.
    let source = std::fs::read_to_string(root().join("tests/c/host_names.c")).unwrap();
    let own: BTreeSet<&str> =
        source.split("OWN(").skip(2).filter_map(|rest| rest.split(')').next()).collect();
    assert!(own.contains("poll") && own.contains("socket"), "{own:?}");
    let names = wanted.lines().filter_map(|line| line.split_whitespace().last());
    let taken: Vec<&str> = names
        .map(|name| name.split('@').next().unwrap())
        .filter(|name| own.contains(name) && !["stat64", "fstat64"].contains(name))
        .collect();
    assert!(taken.is_empty(), "{taken:?}");
}

#[test]
fn a_program_s_own_functions_are_not_called() {
    Sandbox::enter(|sandbox| {
        let _server = begin(sandbox);
        sandbox.write("/etc/rustdns.conf", "debug 2\nlog /run/trace\n");
        let mut command = sandbox.command(cc::program("host_names"));
        command.arg("few");
        foreign::preload(&mut command, &dist().join("librustdns.so"));
        is_ok(&run(command, LIMIT));
        let trace = std::fs::read_to_string("/run/trace").unwrap();
        assert!(trace.contains("query n3.test A "), "{trace}");
    });
}
