//! What an operator sees of the library in a process that runs: counters, a live view, the trace for
//! programs, static probes. And answers past their time, and test suites on hosts of their own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "what goes wrong in a test's own functions must fail as loudly as in the test"
)]

mod support;

#[path = "observability/json_trace.rs"]
mod json_trace;
#[path = "observability/probes.rs"]
mod probes;
#[path = "observability/stale.rs"]
mod stale;
#[path = "observability/stats.rs"]
mod stats;
#[path = "observability/testing.rs"]
mod testing;
#[path = "observability/top.rs"]
mod top;

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use support::differential::LIMIT;
use support::process::{Output, run, run_with_input};
use support::sandbox::{Sandbox, preload_library};
use support::zone::Zone;

fn zone() -> Zone {
    Zone::new().addresses("host.test", ["192.0.2.1", "2001:db8::1"]).nxdomain_else()
}

/// `rustdns` with these words.
fn rustdns(sandbox: &Sandbox, words: &[&str]) -> Command {
    let mut command = sandbox.command(binary());
    command.args(words);
    command
}

fn binary() -> PathBuf {
    preload_library().with_file_name("rustdns")
}

/// What a Python expression makes of `d`, the JSON that was printed.
#[track_caller]
fn json(sandbox: &Sandbox, text: &str, expression: &str) -> String {
    let mut command = sandbox.command("python3");
    let program = format!("import json, sys; d = json.load(sys.stdin); print({expression})");
    command.arg("-c").arg(program);
    let output = run_with_input(command, text.as_bytes(), LIMIT);
    assert!(output.success(), "{output}\n{text}");
    output.out().trim_end().to_owned()
}

/// Asks until the answer is this one; fails with another after some seconds. The probe is a step
/// behind: it makes one more call when it has been told what the last one gave.
#[track_caller]
fn eventually(want: &str, mut ask: impl FnMut() -> String) {
    for _ in 0..50 {
        if ask() == want {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(ask(), want);
}

#[track_caller]
fn succeed(command: Command) -> Output {
    let output = run(command, LIMIT);
    assert!(output.success(), "{output}");
    output
}

/// The command run by a user without rights.
fn as_nobody(sandbox: &Sandbox, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut setpriv = sandbox.command("setpriv");
    setpriv.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
    setpriv
}
