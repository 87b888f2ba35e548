//! The same over TLS: the object that is loaded for it runs a thread and a runtime within each lookup, of
//! which nothing may be left.

use std::time::Duration;

use crate::numbered::{begin, is_ok};
use crate::support::authority::{Authority, GOOD};
use crate::support::cc;
use crate::support::process::{Output, run};
use crate::support::sandbox::Sandbox;
use crate::support::servers::RealServer;

/// A program of `tests/c` among the same names, which now come over TLS; `None` where unbound is missing.
fn over_tls(program: &str, arguments: &[&str]) -> Option<Output> {
    let mut output = None;
    Sandbox::enter(|sandbox| {
        let _names = begin(sandbox);
        sandbox.name_servers(&[1], "timeout:30 attempts:1");
        let authority = Authority::new(sandbox, "authority");
        let identity = authority.issue(sandbox, GOOD, 30);
        let server = RealServer::unbound_private(sandbox, "127.0.0.2:853", &identity, "");
        let Some(_server) = server else { return };
        let trusted = authority.file();
        let settings = format!("upstream tls://127.0.0.2\nupstream-ca {}\n", trusted.display());
        sandbox.write("/etc/rustdns.conf", settings);
        let mut command = sandbox.command(cc::program(program));
        command.args(arguments);
        output = Some(run(sandbox.preload(command), Duration::from_secs(300)));
    });
    output
}

#[track_caller]
fn lives(program: &str, arguments: &[&str]) {
    over_tls(program, arguments).iter().for_each(is_ok);
}

#[test]
fn children_of_a_threaded_process_resolve_over_tls() {
    lives("host_processes", &["fork-later", "40"]);
}

#[test]
fn a_stack_of_64_kib_is_enough_for_tls() {
    lives("host_threads", &["stack", "65536"]);
}

#[test]
fn threads_can_be_cancelled_over_tls() {
    lives("host_threads", &["cancel", "60"]);
}

#[test]
fn every_descriptor_may_be_closed_between_lookups_over_tls() {
    lives("host_limits", &["close-range"]);
}

#[test]
fn a_daemon_resolves_over_tls() {
    lives("host_processes", &["daemon"]);
}

#[test]
fn names_are_resolved_at_exit_over_tls() {
    let Some(got) = over_tls("host_processes", &["atexit"]) else { return };
    assert_eq!(got.out(), "ok 0\nat exit 6\n", "{got}");
}
