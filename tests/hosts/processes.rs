//! Processes.

use std::time::Duration;

use crate::numbered::{begin, is_ok, lives, lives_for};
use crate::support::cc;
use crate::support::process::{End, run};
use crate::support::sandbox::{Sandbox, preload_library};

/// As many as an environment variable asks for, in `make soak`.
fn children() -> String {
    std::env::var("RUSTDNS_SOAK_FORKS").unwrap_or_else(|_| "500".to_owned())
}

#[test]
fn children_of_a_threaded_process_resolve() {
    lives_for(Duration::from_secs(600), "host_processes", &["fork", &children()]);
}

/// Otherwise the test above says nothing.
#[test]
fn with_libc_such_a_child_hangs() {
    Sandbox::enter(|sandbox| {
        let _server = begin(sandbox);
        let mut command = sandbox.command(cc::program("host_processes"));
        command.args(["fork-until-hang", "3000"]);
        let got = run(command, Duration::from_secs(100));
        assert_eq!(got.end, End::Exit(1), "{got}");
        assert!(got.err().contains("a child hangs"), "{got}");
    });
}

#[test]
fn programs_are_executed_in_the_middle_of_lookups() {
    lives("host_processes", &["vfork", "100"]);
}

#[test]
fn a_daemon_resolves() {
    lives("host_processes", &["daemon"]);
}

#[test]
fn names_are_resolved_at_exit() {
    Sandbox::enter(|sandbox| {
        let _server = begin(sandbox);
        let mut command = sandbox.command(cc::program("host_processes"));
        command.arg("atexit");
        let got = run(sandbox.preload(command), Duration::from_secs(20));
        assert_eq!((got.out(), got.end), ("ok 0\nat exit 6\n".to_owned(), End::Exit(0)), "{got}");
    });
}

/// And in destructors, after all that atexit has.
#[test]
fn names_are_resolved_before_main_and_after_exit() {
    Sandbox::enter(|sandbox| {
        let _server = begin(sandbox);
        let mut command = sandbox.command(cc::program("host_processes"));
        command.arg("constructor").env("LOOK_UP_EARLY", "1");
        is_ok(&run(sandbox.preload(command), Duration::from_secs(20)));
    });
}

#[test]
fn the_library_is_opened_and_closed_a_thousand_times() {
    Sandbox::enter(|sandbox| {
        let _server = begin(sandbox);
        let mut command = sandbox.command(cc::program("host_processes"));
        command.arg("dlopen").arg(preload_library());
        is_ok(&run(command, Duration::from_secs(60)));
    });
}
