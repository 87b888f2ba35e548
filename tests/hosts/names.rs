//! Programs with functions of their own that are named as libc's are, and wrappers that put theirs before libc's.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::neighbours::installed;
use crate::numbered::numbered;
use crate::object::World;
use crate::support::dns::{Question, Reply, Server, Transport};
use crate::support::link::{GNU, Link, program};
use crate::support::process::run;
use crate::support::sandbox::{Sandbox, preload_library};
use crate::support::wire::Record;
use crate::support::{cc, module};

const LIMIT: Duration = Duration::from_secs(60);

fn answer(question: &Question) -> Reply {
    let own = || Reply::records([Record::address(&question.name, "192.0.2.5")]);
    match (&*question.name, question.qtype) {
        ("tcp.test", 1) => match question.transport {
            Transport::Tcp => own(),
            _ => Reply::empty().truncated(),
        },
        ("both.test", 28) => Reply::records([Record::address(&question.name, "2001:db8::5")]),
        ("both.test", 1) => own(),
        ("tcp.test", _) => Reply::nodata().soa("test"),
        _ => numbered(question),
    }
}

/// A world in which all that the library can do is done: it writes a trace, and publishes its counters.
fn world(test: impl Fn(&Sandbox) + Sync) {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, answer);
        sandbox.append("/etc/hosts", "192.0.2.44 own.test\n");
        sandbox.write("/etc/rustdns.conf", "debug 2\nlog /run/trace\nstats on\n");
        test(sandbox);
    });
}

fn looks_up(command: Command) {
    let got = run(command, LIMIT);
    assert!(got.success() && got.out().starts_with("ok "), "{got}");
}

/// That the trace was written by the library that is asked for.
fn is_traced() {
    let trace = fs::read_to_string("/run/trace").unwrap();
    assert!(
        trace.contains("over tcp") && trace.contains("getaddrinfo n1.test: 1 addresses"),
        "{trace}"
    );
    fs::remove_file("/run/trace").unwrap();
}

#[test]
fn a_program_s_own_functions_are_not_called() {
    let preloaded = cc::program("host_names");
    let linked = [Link::Archive, Link::Static].map(|link| program(GNU, "host_names.c", link));
    world(|sandbox| {
        // With libc none of them is either.
        looks_up(sandbox.command(&preloaded));
        let command = sandbox.command(&preloaded);
        looks_up(sandbox.preload(command));
        is_traced();
        for program in &linked {
            looks_up(sandbox.command(program));
            is_traced();
        }
    });
}

#[test]
fn nor_by_what_asks_over_tls() {
    let program = cc::program("host_names");
    Sandbox::enter(|sandbox| {
        let Some(_world) = World::new(sandbox) else { return };
        let mut command = sandbox.command(&program);
        command.arg("few");
        looks_up(sandbox.preload(command));
        // Nor does it wait by a clock that stands still.
        if let Some(library) = installed("faketime/libfaketimeMT.so.1") {
            let mut command = sandbox.command("getent");
            command.args(["ahosts", "n5.test"]).env("FAKETIME", "2020-01-01 00:00:00");
            command.env(
                "LD_PRELOAD",
                format!("{}:{}", preload_library().display(), library.display()),
            );
            let got = run(command, LIMIT);
            assert!(got.out().starts_with("10.0.0.5 "), "{got}");
        }
    });
}

#[test]
fn nor_by_the_module() {
    let program = cc::program("host_names");
    world(|sandbox| {
        module::install(sandbox);
        sandbox.write("/etc/nsswitch.conf", "hosts: files rustdns\n");
        looks_up(sandbox.command(&program));
        let trace = fs::read_to_string("/run/trace").unwrap();
        assert!(trace.contains("query n1.test A "), "{trace}");
    });
}

/// Runs getent with another preload before the library, and behind it, in this environment.
fn beside(other: &Path, variables: &[(&str, &str)]) {
    let ours = preload_library();
    for order in [[other, &*ours], [&*ours, other]] {
        world(|sandbox| {
            for name in ["n1.test", "tcp.test", "both.test", "own.test", "localhost"] {
                let look = |preloads: &str| {
                    let mut command = sandbox.command("getent");
                    command.args(["ahosts", name]).env("LD_PRELOAD", preloads);
                    command.envs(variables.iter().copied());
                    run(command, LIMIT)
                };
                let alone = look(&ours.display().to_string());
                let got = look(&order.map(|library| library.display().to_string()).join(":"));
                assert!(
                    got.success() && got.out() == alone.out(),
                    "{order:?} {name}: {got}\n{alone}"
                );
            }
        });
    }
}

/// A clock that stands still makes nobody wait for ever, and one that runs or is years away nothing too early.
#[test]
fn libfaketime_changes_nothing() {
    let Some(library) = installed("faketime/libfaketimeMT.so.1") else { return };
    for time in ["2020-01-01 00:00:00", "-20y", "+10y x100"] {
        beside(&library, &[("FAKETIME", time)]);
    }
}

#[test]
fn socket_wrapper_changes_nothing() {
    let Some(library) = installed("libsocket_wrapper.so") else { return };
    beside(&library, &[("SOCKET_WRAPPER_DIR", "/tmp")]);
}

/// With a clock that stands still: an answer that never comes is given up all the same, and files are followed.
#[test]
fn time_goes_on_where_the_clock_stands_still() {
    const PROGRAM: &str = "\
import socket, subprocess
def look(name):
    try: return socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)[0][4][0]
    except OSError as error: return error.args[0]
print(look('silent.test'), look('own.test'))
open('/etc/hosts', 'a').write('192.0.2.45 new.test\\n')
subprocess.run(['sleep', '0.3'], env={'PATH': '/bin:/usr/bin'})
print(look('new.test'))
";
    let Some(library) = installed("faketime/libfaketimeMT.so.1") else { return };
    world(|sandbox| {
        sandbox.name_servers(&[1], "timeout:1 attempts:1");
        let mut command = sandbox.command("python3");
        command.args(["-c", PROGRAM]).env("FAKETIME", "2020-01-01 00:00:00");
        command.env("LD_PRELOAD", format!("{}:{}", library.display(), preload_library().display()));
        let got = run(command, LIMIT);
        assert_eq!(got.out(), "-3 192.0.2.44\n192.0.2.45\n", "{got}");
    });
}
