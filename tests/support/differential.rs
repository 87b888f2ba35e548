//! One program, run with libc's resolver and with the library, compared as text.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::time::Duration;

use super::libcs::{self, Libc};
use super::process::{Output, run, run_with_input};
use super::sandbox::Sandbox;

/// How long either run may take: glibc waits 2 × 5 s for each silent server.
pub const LIMIT: Duration = Duration::from_secs(120);

/// The outputs of the two runs.
#[derive(Debug)]
pub struct Pair {
    /// What the test is about, for the failure message.
    pub what: String,
    pub libc: Output,
    pub rustdns: Output,
}

/// Runs a program both ways.
pub fn compare<S: AsRef<OsStr>>(
    sandbox: &Sandbox,
    program: impl AsRef<OsStr>,
    arguments: impl IntoIterator<Item = S>,
) -> Pair {
    let mut what = program.as_ref().to_string_lossy().into_owned();
    let mut commands = [sandbox.command(&program), sandbox.preload(sandbox.command(&program))];
    for argument in arguments {
        write!(what, " {}", argument.as_ref().to_string_lossy()).unwrap();
        for command in &mut commands {
            command.arg(&argument);
        }
    }
    let [libc, rustdns] = commands.map(|command| run(command, LIMIT));
    Pair { what, libc, rustdns }
}

/// Makes calls in one process of another probe of `tests/c`, which reads them as `--batch`: as
/// [`compare_calls`].
pub fn compare_batch(sandbox: &Sandbox, probe: &str, calls: &str) -> Pair {
    let [libc, rustdns] = [false, true].map(|preload| {
        let mut command = libcs::command(sandbox, Libc::chosen(), probe, preload);
        command.arg("--batch");
        run_with_input(command, calls.as_bytes(), LIMIT)
    });
    Pair { what: format!("{probe} --batch"), libc, rustdns }
}

/// Makes many calls in one process of the probe `gai`, both ways: see `tests/c/gai.c` for what a
/// line of `calls` may be.
pub fn compare_calls(sandbox: &Sandbox, calls: &str) -> Pair {
    let [libc, rustdns] = [false, true].map(|preload| probe(sandbox, preload, calls));
    Pair { what: "gai --batch".to_owned(), libc, rustdns }
}

/// Makes many calls in one process of the probe `gai`.
pub fn probe(sandbox: &Sandbox, preload: bool, calls: &str) -> Output {
    probe_within(LIMIT, sandbox, preload, calls)
}

/// The same with a time limit of its own.
pub fn probe_within(limit: Duration, sandbox: &Sandbox, preload: bool, calls: &str) -> Output {
    probe_with(Libc::chosen(), limit, sandbox, preload, calls)
}

/// The same with this libc.
pub fn probe_with(
    libc: &Libc,
    limit: Duration,
    sandbox: &Sandbox,
    preload: bool,
    calls: &str,
) -> Output {
    let mut command = libcs::command(sandbox, libc, "gai", preload);
    command.arg("--batch");
    run_with_input(command, calls.as_bytes(), limit)
}

impl Pair {
    /// Panics with the difference, unless the runs printed the same and ended the same way.
    #[track_caller]
    pub fn assert_same(&self) {
        let (libc, rustdns) = (self.libc.to_string(), self.rustdns.to_string());
        assert!(
            libc == rustdns,
            "{}\n--- libc\n+++ rustdns\n{}",
            self.what,
            unified_diff(&libc, &rustdns)
        );
    }
}

/// Asserts that a [`Pair`] agrees; what else is given says what about, as for `assert!`.
#[macro_export]
macro_rules! assert_same {
    ($pair:expr $(,)?) => {
        $pair.assert_same()
    };
    ($pair:expr, $($about:tt)+) => {{
        let mut pair = $pair;
        pair.what = format!("{}: {}", format_args!($($about)+), pair.what);
        pair.assert_same();
    }};
}

/// How many lines are shown around a difference.
const CONTEXT: usize = 4;

/// How many lines are compared at most, from the first difference on: the table has as many
/// entries as the square of this.
const COMPARED: usize = 2000;

/// The differences of two texts, line by line, in the style of diff -u without line numbers.
pub fn unified_diff(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    // Equal ends are cut off first, so that the table of the rest stays small.
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let tail = |a: &[&str], b: &[&str]| {
        a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count()
    };
    let tail = tail(&old[head..], &new[head..]);
    let (a, b) = (&old[head..old.len() - tail], &new[head..new.len() - tail]);
    if a.len().max(b.len()) > COMPARED {
        let start = |lines: &[&str]| lines[..lines.len().min(COMPARED)].join("\n");
        return unified_diff(&start(a), &start(b)) + "…\n";
    }
    // longest[i][j]: lines that a[i..] and b[j..] have in common.
    let mut longest = vec![vec![0_usize; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            longest[i][j] = if a[i] == b[j] {
                longest[i + 1][j + 1] + 1
            } else {
                longest[i + 1][j].max(longest[i][j + 1])
            };
        }
    }
    let mut lines: Vec<(char, &str)> = old[..head].iter().map(|l| (' ', *l)).collect();
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            lines.push((' ', a[i]));
            (i, j) = (i + 1, j + 1);
        } else if i < a.len() && (j == b.len() || longest[i + 1][j] >= longest[i][j + 1]) {
            lines.push(('-', a[i]));
            i += 1;
        } else {
            lines.push(('+', b[j]));
            j += 1;
        }
    }
    lines.extend(old[old.len() - tail..].iter().map(|l| (' ', *l)));
    near_changes(&lines)
}

/// The changed lines and those around them; `…` where some were left out.
fn near_changes(lines: &[(char, &str)]) -> String {
    let mut text = String::new();
    let mut left_out = false;
    for (at, (mark, line)) in lines.iter().enumerate() {
        let around = &lines[at.saturating_sub(CONTEXT)..lines.len().min(at + CONTEXT + 1)];
        if around.iter().all(|(mark, _)| *mark == ' ') {
            left_out = true;
            continue;
        }
        if std::mem::take(&mut left_out) {
            text.push_str("…\n");
        }
        writeln!(text, "{mark}{line}").unwrap();
    }
    text
}
