//! The command `rustdns`, as `make` leaves it: each subcommand with right and with wrong input, through
//! pipes and on a terminal.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "what goes wrong in a test's own functions must fail as loudly as in the test"
)]

mod support;

#[path = "command/answers.rs"]
mod answers;
#[path = "command/bench.rs"]
mod bench;
#[path = "command/compare.rs"]
mod compare;
#[path = "command/completions.rs"]
mod completions;
#[path = "command/conf.rs"]
mod conf;
#[path = "command/doctor.rs"]
mod doctor;
#[path = "command/elf.rs"]
mod elf;
#[path = "command/explain.rs"]
mod explain;
#[path = "command/refusals.rs"]
mod refusals;
#[path = "command/run.rs"]
mod run;
#[path = "command/terminal.rs"]
mod terminal;

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use support::differential::LIMIT;
use support::process::{self, End, Output, run_with_input};
use support::sandbox::{Sandbox, preload_library};
use support::zone::Zone;

/// A user who owns nothing here.
const NOBODY: u32 = 65534;

fn zone() -> Zone {
    Zone::new()
        .addresses("host.test", ["192.0.2.1", "2001:db8::1"])
        .cname("alias.test", "host.test")
        .txt("text.test", "no address")
        .ptr("192.0.2.1", "host.test")
        .nxdomain_else()
}

fn binary() -> PathBuf {
    let file = preload_library().with_file_name("rustdns");
    assert!(file.is_file(), "{} is missing: run `make` first", file.display());
    file
}

/// `rustdns` with these words.
fn rustdns(sandbox: &Sandbox, words: &[&str]) -> Output {
    with(sandbox, &[], words)
}

/// The same with these variables in the environment.
fn with(sandbox: &Sandbox, variables: &[(&str, &str)], words: &[&str]) -> Output {
    let mut command = sandbox.command(binary());
    command.args(words).envs(variables.iter().copied());
    process::run(command, LIMIT)
}

/// Ends with this status, says this on standard error, and nothing else.
#[track_caller]
fn assert_refused(output: &Output, status: i32, parts: &[&str]) {
    assert_eq!(output.end, End::Exit(status), "{output}");
    for part in parts {
        assert!(output.err().contains(part), "no {part:?}\n{output}");
    }
    assert_eq!((output.out().as_str(), output.err().lines().count()), ("", 1), "{output}");
}

/// An executable file of the test's own.
fn executable(sandbox: &Sandbox, name: &str, content: impl AsRef<[u8]>) -> String {
    let draft = sandbox.scratch().join("draft");
    fs::write(&draft, content).unwrap();
    sandbox.install(&draft, name, "755")
}

fn copy_of(sandbox: &Sandbox, program: &str, name: &str) -> String {
    sandbox.install(Path::new(program), name, "755")
}

/// The members that these Python expressions have in the JSON `text`, which python3 has to read.
#[track_caller]
fn json(sandbox: &Sandbox, text: &str, expressions: &str) -> String {
    let mut command = sandbox.command("python3");
    command.args(["-m", "json.tool"]);
    let output = run_with_input(command, text.as_bytes(), LIMIT);
    assert!(output.success(), "{output}\n{text}");
    let mut command = sandbox.command("python3");
    command
        .arg("-c")
        .arg(format!("import json, sys; d = json.load(sys.stdin); print({expressions})"));
    let output = run_with_input(command, text.as_bytes(), LIMIT);
    assert!(output.success(), "{output}\n{text}");
    output.out().trim_end().to_owned()
}
