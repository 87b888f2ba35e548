//! Threads.

use std::time::Duration;

use crate::numbered::{begin, is_ok, lives};
use crate::support::cc;
use crate::support::process::{End, run};
use crate::support::sandbox::{Sandbox, skip};

#[test]
fn a_stack_of_64_kib_is_enough() {
    lives("host_threads", &["stack", "65536"]);
}

/// docs/reliability.md has the smallest that is.
#[test]
fn a_stack_of_32_kib_is_enough() {
    lives("host_threads", &["stack", "32768"]);
}

#[test]
fn threads_can_be_cancelled() {
    lives("host_threads", &["cancel"]);
}

#[test]
fn threads_can_be_cancelled_asynchronously() {
    lives("host_threads", &["cancel-async"]);
}

#[test]
fn threads_look_up_as_they_exit() {
    lives("host_threads", &["exit"]);
}

#[test]
fn five_hundred_threads_look_up_at_once() {
    lives("host_threads", &["many", "500"]);
}

/// Twenty others look names up: whoever finds a lock busy must not read the environment instead.
#[test]
fn another_thread_may_change_the_environment() {
    lives("host_threads", &["setenv"]);
}

#[test]
fn all_signals_may_be_blocked() {
    lives("host_threads", &["blocked"]);
}

/// Rust can't let the unwinding of such a thread pass the frame that catches panics: row of
/// docs/divergences.md. Between lookups, and by cancellation, threads end as with libc.
#[test]
fn a_handler_may_not_end_the_thread_in_the_middle_of_a_lookup() {
    Sandbox::enter(|sandbox| {
        let _server = begin(sandbox);
        let command = || {
            let mut command = sandbox.command(cc::program("host_signals"));
            command.args(["exit", "50"]);
            command
        };
        is_ok(&run(command(), Duration::from_secs(60)));
        let got = run(sandbox.preload(command()), Duration::from_secs(60));
        assert_eq!(got.end, End::Signal(libc::SIGABRT), "{got}");
    });
}

/// The main thread changes servers and says so, the others look names up.
#[test]
fn a_reload_is_not_overtaken_by_who_reads_at_the_same_time() {
    Sandbox::enter(|sandbox| {
        let command = || {
            let mut command = sandbox.command(cc::program("host_reload"));
            command.arg("8000");
            command
        };
        is_ok(&run(command(), Duration::from_secs(120)));
        is_ok(&run(sandbox.preload(command()), Duration::from_secs(120)));
    });
}

/// The ordinary thread holds a lock, and only runs while the other one sleeps.
#[test]
fn a_real_time_thread_waits_for_an_ordinary_one() {
    Sandbox::enter(|sandbox| {
        let lines: String = (1..=200).map(|n| format!("192.0.2.{n} big.test\n")).collect();
        sandbox.append("/etc/hosts", lines);
        let command = || {
            let mut command = sandbox.command(cc::program("host_realtime"));
            command.arg("20000");
            command
        };
        let libc = run(command(), Duration::from_secs(120));
        if libc.end == End::Exit(77) {
            return skip("no real-time threads here");
        }
        is_ok(&libc);
        is_ok(&run(sandbox.preload(command()), Duration::from_secs(120)));
    });
}
