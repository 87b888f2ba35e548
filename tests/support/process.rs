//! Programs run with a time limit.
#![allow(unsafe_code, reason = "std can't wait for a child with a time limit")]

use std::fmt;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::foreign;

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It exited with this status.
    Exit(i32),
    /// A signal ended it.
    Signal(i32),
    /// It was still running when its time was up, and was killed.
    TimedOut(Duration),
}

/// What a program printed, and how it ended.
#[derive(Clone, Debug)]
pub struct Output {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub end: End,
    /// From start to end.
    pub took: Duration,
}

impl Output {
    pub fn success(&self) -> bool {
        self.end == End::Exit(0)
    }

    /// Standard output as text; bytes that aren't UTF-8 are shown as U+FFFD.
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text.
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

/// Everything two runs have to agree on, as text for comparing: how it ended, output, errors.
impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.end {
            End::Exit(status) => writeln!(f, "exit status {status}")?,
            End::Signal(signal) => writeln!(f, "killed by signal {signal}")?,
            End::TimedOut(limit) => writeln!(f, "still running after {limit:?}")?,
        }
        write!(f, "--- stdout\n{}--- stderr\n{}", self.out(), self.err())
    }
}

/// Runs a program with nothing on its standard input, for at most `limit`.
pub fn run(command: Command, limit: Duration) -> Output {
    run_with_input(command, &[], limit)
}

/// Runs a program with `input` on its standard input, for at most `limit`.
///
/// The program leads a process group of its own, which is killed as a whole at the end, so that
/// nothing that it started lives on.
pub fn run_with_input(mut command: Command, input: &[u8], limit: Duration) -> Output {
    let limit = foreign::patience(limit);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let started = Instant::now();
    let mut child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let mut to = child.stdin.take().unwrap();
    let (from_out, from_err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    thread::scope(|scope| {
        // A program may end without reading all; its input is lost then, as in a shell.
        scope.spawn(move || drop(to.write_all(input)));
        let stdout = scope.spawn(|| read_all(from_out));
        let stderr = scope.spawn(|| read_all(from_err));
        let ended = wait_until(&child, started + limit);
        let took = started.elapsed();
        kill_group(&child);
        let status = child.wait().unwrap();
        let end = match (ended, status.signal()) {
            (false, _) => End::TimedOut(limit),
            (true, Some(signal)) => End::Signal(signal),
            (true, None) => End::Exit(status.code().unwrap()),
        };
        Output { stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap(), end, took }
    })
}

fn read_all(mut from: impl Read) -> Vec<u8> {
    let mut all = Vec::new();
    from.read_to_end(&mut all).unwrap();
    all
}

/// Whether `child` has ended by `deadline`. It is not reaped, so its id stays its own.
pub(super) fn wait_until(child: &Child, deadline: Instant) -> bool {
    let pid = libc::c_long::from(i32::try_from(child.id()).unwrap());
    // SAFETY: pidfd_open takes two integers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0 as libc::c_long) };
    assert!(fd >= 0, "pidfd_open: {}", io::Error::last_os_error());
    // SAFETY: the kernel has just made this descriptor for us, nobody else has it.
    let fd = unsafe { OwnedFd::from_raw_fd(i32::try_from(fd).unwrap()) };
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let millis = i32::try_from(left.as_millis().saturating_add(1)).unwrap_or(i32::MAX);
        let mut poll = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: `poll` is one pollfd, and lives through the call.
        match unsafe { libc::poll(&raw mut poll, 1, millis) } {
            1 => return true,
            0 if left.is_zero() => return false,
            _ => {}
        }
    }
}

/// What `run` gets when it takes less than `limit`: the first of three goes that does, else the last. A
/// machine may stop for a moment; what waits for too long does so every time.
pub fn unhurried(limit: Duration, run: impl Fn() -> Output) -> Output {
    let mut got = run();
    for _ in 0..2 {
        if got.took >= limit {
            got = run();
        }
    }
    got
}

/// Asks a child to end (SIGTERM).
pub fn terminate(child: &Child) {
    let id = i32::try_from(child.id()).unwrap();
    // SAFETY: kill takes two integers. The child isn't reaped yet, so the id is still its own.
    unsafe { libc::kill(id, libc::SIGTERM) };
}

/// Kills the group that a child of `process_group(0)` leads, the child with it.
pub(super) fn kill_group(child: &Child) {
    let group = i32::try_from(child.id()).unwrap();
    // SAFETY: kill takes two integers. The child isn't reaped yet, so the id is still its group's.
    unsafe { libc::kill(-group, libc::SIGKILL) };
}
