//! The C programs that make the calls: one process for each of `tests/c/{gai,hostent,resolver}.c`, out
//! of which each case gets a child of its own (`tests/c/each.h`).

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use super::cases::World;
use super::support::libcs::Libc;
use super::support::sandbox::{Sandbox, preload_library};
use super::support::{cc, foreign};

/// Whose resolver answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Side {
    Libc(Libc),
    Rustdns {
        /// Behind the library.
        libc: Libc,
        library: PathBuf,
        /// The planted bug that is on: see [`super::mutants`].
        planted: Option<String>,
    },
    Musl,
}

impl Side {
    /// The library as it was built.
    pub fn rustdns(libc: &Libc) -> Side {
        Side::Rustdns { libc: libc.clone(), library: preload_library(), planted: None }
    }
}

/// The processes of one side in one world.
pub struct Probe<'a> {
    sandbox: &'a Sandbox,
    world: &'a World,
    side: Side,
    processes: BTreeMap<&'static str, Process>,
}

struct Process {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl<'a> Probe<'a> {
    pub fn new(sandbox: &'a Sandbox, world: &'a World, side: Side) -> Probe<'a> {
        Probe { sandbox, world, side, processes: BTreeMap::new() }
    }

    /// Makes the calls of a case; returns what they printed, and how the process ended.
    pub fn call(&mut self, case: &str) -> String {
        let name = program_of(case);
        if !self.processes.contains_key(name) {
            let process = self.start(name);
            self.processes.insert(name, process);
        }
        let process = self.processes.get_mut(name).unwrap();
        writeln!(process.to, "{case}").unwrap();
        let mut text = String::new();
        loop {
            let mut line = Vec::new();
            let length = process.from.read_until(b'\n', &mut line).unwrap();
            assert_ne!(length, 0, "{}: the probe has ended", self.world.id(case));
            let line = String::from_utf8_lossy(&line);
            match line.strip_prefix("= ") {
                Some("exit 0\n") => return text,
                Some(end) => return text + end,
                None => text.push_str(&line),
            }
        }
    }

    fn start(&self, name: &'static str) -> Process {
        let program = match &self.side {
            Side::Libc(libc) => libc.program(name),
            Side::Rustdns { libc, .. } => libc.program_for_library(name),
            Side::Musl => cc::musl_program(name).unwrap(),
        };
        let mut command = self.sandbox.command(program);
        command.arg("--each").arg(self.world.limit.to_string()).envs(&self.world.env);
        if let Side::Rustdns { library, planted, .. } = &self.side {
            foreign::preload(&mut command, library);
            if let Some(planted) = planted {
                command.env("RUSTDNS_PLANTED", planted);
            }
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (to, from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Process { child, to, from: BufReader::new(from) }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It waits for the next line; what it exits with is nobody's question.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Which probe knows the first call of a case.
fn program_of(case: &str) -> &'static str {
    let is_variable = |word: &&str| {
        word.starts_with(|first: char| first.is_ascii_uppercase()) && word.contains('=')
    };
    match case.split(' ').find(|word| !is_variable(word)) {
        Some("gai" | "gni") => "gai",
        Some("name" | "name2" | "addr" | "ent") => "hostent",
        _ => "resolver",
    }
}
