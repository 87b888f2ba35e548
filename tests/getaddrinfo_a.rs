//! getaddrinfo_a, gai_suspend, gai_error and gai_cancel: with libc and with the library, as text.

mod support;

use std::time::Duration;
use support::cc;
use support::differential::{LIMIT, compare};
use support::dns::{Question, Reply, Server};
use support::process::{End, Output, run};
use support::sandbox::Sandbox;
use support::wire::{Record, rtype};

/// `fast*` at once, `slow*` after 300 ms, `late*` after 600: their A record, never kept.
fn script(q: &Question) -> Reply {
    let delay = match q.name.get(..4) {
        Some("fast") => 0,
        Some("slow") => 300,
        Some("late") => 600,
        _ => return Reply::nxdomain(),
    };
    let reply = if q.qtype == rtype::A {
        Reply::records([Record { ttl: 0, ..Record::address(&q.name, "192.0.2.1") }])
    } else {
        Reply::nodata()
    };
    reply.after(Duration::from_millis(delay))
}

/// A sandbox with that server.
fn with_server(test: impl FnOnce(&Sandbox) + Send) {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, script);
        test(sandbox);
    });
}

fn same(scenario: &str) {
    with_server(|sandbox| assert_same!(compare(sandbox, cc::program("gaia"), [scenario])));
}

fn with_library(sandbox: &Sandbox, scenario: &str) -> Output {
    let mut command = sandbox.preload(sandbox.command(cc::program("gaia")));
    command.arg(scenario);
    run(command, LIMIT)
}

fn with_libc(sandbox: &Sandbox, scenario: &str) -> Output {
    let mut command = sandbox.command(cc::program("gaia"));
    command.arg(scenario);
    run(command, LIMIT)
}

#[test]
fn wait() {
    same("wait");
}

#[test]
fn nowait() {
    same("nowait");
}

#[test]
fn arguments() {
    same("arguments");
}

#[test]
fn a_signal() {
    same("signal");
}

#[test]
fn a_function_on_a_thread() {
    same("thread");
}

#[test]
fn suspend() {
    same("suspend");
}

#[test]
fn interrupted() {
    same("interrupt");
}

#[test]
fn cancel() {
    same("cancel");
}

#[test]
fn many() {
    same("many");
}

#[test]
fn the_process_ends_meanwhile() {
    same("exit");
}

#[test]
fn leaves_no_descriptor_and_after_a_while_no_thread() {
    same("leak");
}
