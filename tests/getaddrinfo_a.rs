//! getaddrinfo_a, gai_suspend, gai_error and gai_cancel: with libc and with the library, as text.

#[path = "getaddrinfo_a/background.rs"]
mod background;
mod support;

use support::cc;
use support::differential::{LIMIT, compare};
use support::dns::Server;
use support::link::{self, Link};
use support::process::{End, Output, run};
use support::sandbox::Sandbox;

/// A sandbox with that server.
fn with_server(test: impl FnOnce(&Sandbox) + Send) {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, background::script);
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

/// One test a scenario, so that they run side by side.
macro_rules! same {
    ($($test:ident: $scenario:literal),* $(,)?) => {
        $(#[test]
        fn $test() {
            same($scenario);
        })*
    };
}

same! {
    wait: "wait",
    nowait: "nowait",
    arguments: "arguments",
    a_signal: "signal",
    a_function_on_a_thread: "thread",
    suspend: "suspend",
    interrupted: "interrupt",
    cancel: "cancel",
    many: "many",
    the_process_ends_meanwhile: "exit",
    leaves_no_descriptor_and_after_a_while_no_thread: "leak",
}

/// Where we differ on purpose (docs/divergences.md): what libc prints, and what we do.
#[track_caller]
fn differs(scenario: &str, libc: &str, rustdns: &str) {
    with_server(|sandbox| {
        let (theirs, ours) = (with_libc(sandbox, scenario), with_library(sandbox, scenario));
        assert_eq!(theirs.out(), libc, "libc: {theirs}");
        assert_eq!((ours.end, ours.out().as_str()), (End::Exit(0), rustdns), "rustdns: {ours}");
    });
}

/// The header and the manual say EAI_AGAIN.
#[test]
fn the_time_is_over() {
    differs(
        "timeouts",
        "ask: 0\n\
         short: EAI_SYSTEM\n\
         zero: EAI_SYSTEM\n\
         negative seconds: EAI_SYSTEM\n\
         state: EAI_INPROGRESS\n",
        "ask: 0\n\
         short: EAI_AGAIN\n\
         zero: EAI_AGAIN\n\
         negative seconds: EAI_AGAIN\n\
         state: EAI_INPROGRESS\n",
    );
}

/// The manual has the state, and null for all; that a running one can be given up is our own.
#[test]
fn cancelled_at_any_time() {
    differs(
        "cancel_differences",
        "ask: 0\n\
         waiting one: EAI_CANCELED\n\
         its state: EAI_INPROGRESS\n\
         running one: EAI_NOTCANCELED\n\
         its state: EAI_INPROGRESS\n\
         the others done: 0 signals\n\
         all: EAI_ALLDONE\n\
         state: EAI_INPROGRESS\n\
         state: EAI_INPROGRESS\n\
         all cancelled: 0 signals\n",
        "ask: 0\n\
         waiting one: EAI_CANCELED\n\
         its state: EAI_CANCELED\n\
         running one: EAI_CANCELED\n\
         its state: EAI_CANCELED\n\
         the others done: 1 signals, code -60 value list pid own uid own errno 0\n\
         all: EAI_CANCELED\n\
         state: EAI_CANCELED\n\
         state: EAI_CANCELED\n\
         all cancelled: 0 signals\n",
    );
}

/// The calling thread can wait, so it can work.
#[test]
fn no_thread_can_be_had() {
    let nowait = "pthread_create: EAGAIN\n\
         nowait: EAI_SYSTEM, errno EAGAIN\n\
         cancel: EAI_ALLDONE\n\
         suspend: EAI_ALLDONE\n\
         nowait: 1 signals, code -60 value list pid own uid own errno 0\n";
    differs(
        "no_threads",
        &format!(
            "{nowait}state: EAI_INPROGRESS\n\
             wait: EAI_SYSTEM, errno EAGAIN\n\
             fast0.test: EAI_INPROGRESS\n\
             fast1.test: EAI_INPROGRESS\n\
             fast2.test: EAI_INPROGRESS\n"
        ),
        &format!(
            "{nowait}state: EAI_AGAIN\n\
             wait: 0, errno 0\n\
             fast0.test: 0 192.0.2.1:80/1\n\
             fast1.test: 0 192.0.2.1:80/1\n\
             fast2.test: 0 192.0.2.1:80/1\n"
        ),
    );
}

/// With the library; libc's child hangs, or its process dies, in each of these.
fn prints(scenario: &str, expected: &str) {
    with_server(|sandbox| {
        let ours = with_library(sandbox, scenario);
        assert_eq!((ours.end, ours.out().as_str()), (End::Exit(0), expected), "{ours}");
    });
}

/// libc's dies of it now and then: what each request learns is written to a frame that has been left.
#[test]
fn many_suspended() {
    let answers = (0..200).map(|i| format!("fast{i}.test: 0 192.0.2.1:80/1\n"));
    prints("suspend_many", &format!("ask: 0\n{}", answers.collect::<String>()));
}

/// ruby#2827
#[test]
fn a_child_forked_meanwhile_starts_afresh() {
    prints(
        "fork",
        "ask: 0\n\
         child, parent's: EAI_CANCELED\n\
         child, parent's: EAI_ALLDONE\n\
         child, parent's: EAI_ALLDONE\n\
         child, wait: 0\n\
         fast41.test: 0 192.0.2.1:80/1\n\
         child, nowait: 0\n\
         fast42.test: 0 192.0.2.1:80/1\n\
         child: 0\n\
         late0.test: 0 192.0.2.1:80/1\n\
         late29.test: 0 192.0.2.1:80/1\n",
    );
}

#[test]
fn many_children_forked_meanwhile() {
    prints("fork_storm", "failed: 0\n");
}

#[test]
fn a_handler_that_calls_in_the_middle_of_a_call() {
    prints("storm", "wrong: 0, signals: many\n");
}

/// cpp-httplib#2431: what was cancelled or is done is the program's again, to overwrite and free.
#[test]
fn cancelled_and_freed_at_once() {
    prints("race", "300\n300\n300\n300\n");
}

#[test]
fn a_cancel_wakes_who_waits() {
    prints(
        "wake",
        "cancel: EAI_CANCELED\n\
         cancel: EAI_CANCELED\n\
         waited: 0\n\
         its state: EAI_CANCELED\n\
         suspend: 0\n\
         cancel: EAI_CANCELED\n\
         its neighbour: EAI_INPROGRESS\n",
    );
}

/// Thread-local storage lies on the threads' stacks.
#[test]
fn much_thread_local_storage() {
    prints("tls", "ask: 0\nfast0.test: 0 192.0.2.1:80/1\n");
}

/// A static program with threads; compiler and linker have nothing to say.
#[test]
fn linked_statically() {
    with_server(|sandbox| {
        let program = link::program(link::GNU, "gaia.c", Link::Static);
        for scenario in ["wait", "nowait", "thread", "suspend", "cancel"] {
            let mut command = sandbox.command(&program);
            command.arg(scenario);
            let (linked, libc) = (run(command, LIMIT), with_libc(sandbox, scenario));
            assert_eq!(linked.to_string(), libc.to_string(), "{scenario}");
        }
        // What no libc does: it is ours.
        let mut command = sandbox.command(&program);
        command.arg("storm");
        assert_eq!(run(command, LIMIT).out(), "wrong: 0, signals: many\n");
    });
}
