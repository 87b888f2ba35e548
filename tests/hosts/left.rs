//! Lookups that nobody comes back to: a handler jumps out of them, or their thread is cancelled.

use std::path::Path;
use std::time::Duration;

use crate::numbered::{is_ok, left};
use crate::support::dns::Server;
use crate::support::link::{GNU, Link, program};
use crate::support::process::{Output, run};
use crate::support::sandbox::Sandbox;
use crate::support::{cc, module};

const LIMIT: Duration = Duration::from_secs(120);

fn begin(sandbox: &Sandbox) -> Server {
    sandbox.address("192.0.2.9/24");
    Server::start(sandbox, left)
}

#[track_caller]
fn lives(words: &[&str]) {
    Sandbox::enter(|sandbox| {
        let _server = begin(sandbox);
        let mut command = sandbox.command(cc::program("host_left"));
        command.args(words);
        is_ok(&run(sandbox.preload(command), LIMIT));
    });
}

#[test]
fn a_jump_leaves_nothing_that_the_next_call_does_not_put_right() {
    Sandbox::enter(|sandbox| {
        let _server = begin(sandbox);
        for function in FUNCTIONS {
            for mode in ["jump", "jump-shallow"] {
                let command = || {
                    let mut command = sandbox.command(cc::program("host_left"));
                    command.args([mode, function, "16"]);
                    command
                };
                println!("{mode} {function}");
                is_ok(&run(sandbox.preload(command()), LIMIT));
            }
        }
    });
}

const FUNCTIONS: [&str; 7] = [
    "getaddrinfo",
    "gethostbyname_r",
    "gethostbyname",
    "res_query",
    "getnameinfo",
    "getaddrinfo_a",
    "gai_suspend",
];

#[test]
fn nor_with_the_archive() {
    let linked = program(GNU, "host_left.c", Link::Archive);
    Sandbox::enter(|sandbox| {
        let _server = begin(sandbox);
        for function in FUNCTIONS {
            println!("{function}");
            let mut command = sandbox.command(&linked);
            command.args(["jump", function, "16"]);
            is_ok(&run(command, LIMIT));
        }
    });
}

#[test]
fn nor_with_the_module() {
    Sandbox::enter(|sandbox| {
        let _server = begin(sandbox);
        module::install(sandbox);
        sandbox.write("/etc/nsswitch.conf", "hosts: files rustdns\n");
        for function in ["getaddrinfo", "gethostbyname_r", "getnameinfo"] {
            println!("{function}");
            let mut command = sandbox.command(cc::program("host_left"));
            command.args(["jump", function, "16"]);
            is_ok(&run(command, LIMIT));
        }
    });
}

#[test]
fn a_thread_that_has_jumped_can_be_cancelled_as_before() {
    lives(&["jump-thread", "getaddrinfo", "20"]);
}

#[test]
fn jumps_out_of_lookups_that_are_answered() {
    lives(&["jump-fast", "getaddrinfo", "400"]);
}

#[test]
fn what_the_program_has_under_a_number_that_was_ours_stays_open() {
    lives(&["reused", "getaddrinfo", "20"]);
}

#[test]
fn a_lookup_in_a_handler_leaves_the_one_beneath_it_alone() {
    lives(&["nested", "getaddrinfo", "30"]);
}

/// curl since 8.16 cancels and joins.
#[test]
fn a_waiting_lookup_ends_when_its_thread_is_cancelled() {
    for function in ["getaddrinfo", "gethostbyname_r", "gethostbyname", "res_query", "getnameinfo"]
    {
        lives(&["cancel", function, "50"]);
    }
}

/// Where libc's pthread_cancel is not ours, nobody hears of it: row of docs/divergences.md.
#[test]
fn with_archive_and_module_it_ends_when_its_time_is_over() {
    let linked = program(GNU, "host_left.c", Link::Archive);
    Sandbox::enter(|sandbox| {
        let _server = begin(sandbox);
        sandbox.name_servers(&[1], "timeout:3 attempts:1");
        let cancelled = |program: &Path| {
            let mut command = sandbox.command(program);
            command.args(["cancel", "getaddrinfo", "5"]);
            run(command, LIMIT)
        };
        let plain = cc::program("host_left");
        is_ok(&cancelled(&plain));
        let late = |got: Output| assert!(got.err().contains("took milliseconds"), "{got}");
        late(cancelled(&linked));
        module::install(sandbox);
        sandbox.write("/etc/nsswitch.conf", "hosts: files rustdns\n");
        late(cancelled(&plain));
    });
}

#[test]
fn nothing_is_lost_with_a_thread_that_is_cancelled() {
    lives(&["cancel-leaks", "getaddrinfo", "40"]);
}

#[test]
fn others_that_want_the_same_ask_themselves() {
    lives(&["cancel-waiting", "getaddrinfo", "4"]);
}

#[test]
fn who_has_switched_cancellation_off_gets_the_answer() {
    lives(&["cancel-off", "getaddrinfo", "4"]);
}
