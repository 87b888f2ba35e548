//! One process that makes call after call, with time for things to change in between.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use super::cc;
use super::sandbox::Sandbox;

/// One process of the probe, asked call by call.
pub struct Conversation {
    child: Child,
    /// `None` once it was told that there is no more.
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    mark: &'static str,
}

/// Marks the end of an answer: its echo comes when the call before it is done.
const MARK: &str = "gai -F NUMERICHOST 127.0.0.99 -";
/// The same of the probe `hostent`.
const HOSTENT_MARK: &str = "name 127.0.0.99";

impl Conversation {
    pub fn begin(sandbox: &Sandbox, variables: &[(&str, &str)]) -> Conversation {
        let command = sandbox.preload(sandbox.command(cc::program("gai")));
        Conversation::with(command, MARK, variables)
    }

    /// The same with libc alone.
    pub fn of_libc(sandbox: &Sandbox) -> Conversation {
        Conversation::with(sandbox.command(cc::program("gai")), MARK, &[])
    }

    /// The same with the library and the probe `hostent`, for the `gethostby*` family.
    pub fn of_hostent(sandbox: &Sandbox) -> Conversation {
        let command = sandbox.preload(sandbox.command(cc::program("hostent")));
        Conversation::with(command, HOSTENT_MARK, &[])
    }

    fn with(mut command: Command, mark: &'static str, variables: &[(&str, &str)]) -> Conversation {
        command.arg("--batch").envs(variables.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (to, from) = (child.stdin.take(), child.stdout.take().unwrap());
        Conversation { child, to, from: BufReader::new(from), mark }
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Lets the process end by itself.
    pub fn end(mut self) {
        drop(self.to.take());
        assert!(self.child.wait().unwrap().success());
    }

    /// Makes a call; returns what it printed, as one line, and how long it took.
    pub fn call(&mut self, call: &str) -> (String, Duration) {
        let started = Instant::now();
        writeln!(self.to.as_mut().unwrap(), "{call}\n{}", self.mark).unwrap();
        self.until(call);
        let answer = self.until(self.mark);
        (answer, started.elapsed())
    }

    /// Reads up to the echo of a call.
    fn until(&mut self, call: &str) -> String {
        let mut before = Vec::new();
        loop {
            let mut line = String::new();
            assert_ne!(self.from.read_line(&mut line).unwrap(), 0, "the probe has ended");
            if line.trim_end().strip_prefix("> ") == Some(call) {
                return before.join(" ");
            }
            before.push(line.trim().to_owned());
        }
    }

    /// Looks up an IPv4 address, which must be this one.
    #[track_caller]
    pub fn finds(&mut self, name: &str, address: &str) -> Duration {
        let (answer, took) = self.call(&format!("gai -t stream -f inet {name} -"));
        assert!(answer.contains(&format!(" {address} ")), "{name}: {answer}");
        took
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        // It has nothing more to do; what it exits with is nobody's question.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
