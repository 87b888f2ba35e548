//! The library lives in processes that fork, cancel threads, have small stacks, are hit by signals,
//! change their environment, close what they didn't open, and look names up as they exit.

mod support;

use std::net::Ipv4Addr;
use std::time::Duration;
use support::cc;
use support::dns::{Question, Reply, Server};
use support::process::{End, run};
use support::sandbox::Sandbox;
use support::wire::Record;

/// `nI.test` has the address 10.0.X.Y with X.Y = I, as life.c expects.
fn numbered(question: &Question) -> Reply {
    let number = question.name.strip_prefix('n').and_then(|rest| rest.strip_suffix(".test"));
    match number.and_then(|number| number.parse::<u32>().ok()) {
        Some(number) if question.qtype == 1 => {
            let address = Ipv4Addr::from_bits(10 << 24 | number).to_string();
            Reply::records([Record::address(&question.name, &address)])
        }
        _ => Reply::nodata().soa("test"),
    }
}

/// Runs one mode of life.c with the library; it checks every answer itself.
fn lives(arguments: &[&str]) {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, numbered);
        let mut command = sandbox.command(cc::program("life"));
        command.args(arguments);
        let got = run(sandbox.preload(command), Duration::from_secs(60));
        assert_eq!(got.end, End::Exit(0), "{got}");
        assert!(got.out().starts_with("ok "), "{got}");
        assert!(got.err().is_empty(), "{got}");
    });
}

/// glibc 2.36 hangs a child now and then whose parent was inside getaddrinfo on another thread.
#[test]
fn children_of_a_threaded_process_resolve() {
    lives(&["fork"]);
}

#[test]
fn threads_can_be_cancelled() {
    lives(&["cancel"]);
}

#[test]
fn a_stack_of_64_kib_is_enough() {
    lives(&["stack", "65536"]);
}

#[test]
fn a_stack_of_32_kib_is_enough() {
    lives(&["stack", "32768"]);
}

#[test]
fn a_signal_every_millisecond_harms_nothing() {
    lives(&["signals"]);
}

#[test]
fn another_thread_may_change_the_environment() {
    lives(&["setenv"]);
}

#[test]
fn names_are_resolved_at_exit() {
    lives(&["atexit"]);
}

#[test]
fn descriptors_may_be_closed_and_run_out() {
    lives(&["closed"]);
}
