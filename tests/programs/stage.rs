//! A sandbox with what programs talk to, and the comparison of their runs.
//!
//! On stage: knot with the records of `records.zone`; addresses beside loopback; a web server on port 8080 and a git server on port 9418 of all addresses.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use super::servers;
use crate::support::process::{self, End, Output};
use crate::support::sandbox::Sandbox;
use crate::support::servers::RealServer;

/// For one run of a program; the slowest, a Java program compiled from source, takes 3 s alone.
const LIMIT: Duration = Duration::from_secs(60);
/// For a server to answer its first question.
const START_LIMIT: Duration = Duration::from_secs(60);

const RESOLV_CONF: &str = "nameserver 127.0.0.1\nsearch example.test\noptions timeout:3\n";
const HOSTS: &str = "127.0.0.1 localhost\n::1 localhost ip6-localhost\n\
                     192.0.2.90 hosted.example.test hosted\n2001:db8::90 hosted.example.test\n";
const DATABASES: &str = "networks: files\nservices: files\nprotocols: files\npasswd: files\n\
                         group: files\nshadow: files\n";
/// The signal that a write to address 0x46 ends in.
pub const SIGSEGV: i32 = libc::SIGSEGV;

/// The servers, the files and the sandbox around a program.
pub struct Stage<'a> {
    pub sandbox: &'a Sandbox,
    /// Ended with the stage.
    _knot: RealServer,
}

impl Stage<'_> {
    /// Runs `play` on a stage of its own.
    pub fn set<F: FnOnce(&Stage) + Send>(play: F) {
        // What takes a compiler is made before the machine's own /etc is out of sight.
        let _made_once = crash_module();
        Sandbox::enter(|sandbox| {
            for end in [80, 81, 90] {
                sandbox.address(&format!("192.0.2.{end}/24"));
                sandbox.address(&format!("2001:db8::{end}/64"));
            }
            sandbox.write("/etc/resolv.conf", RESOLV_CONF);
            sandbox.write("/etc/hosts", HOSTS);
            servers::web(8080);
            servers::git(9418);
            let records = include_str!("records.zone");
            let Some(knot) = RealServer::knot(sandbox, "127.0.0.1:53", "", records) else { return };
            let stage = Stage { sandbox, _knot: knot };
            stage.nsswitch("files dns");
            play(&stage);
        });
    }

    /// Writes the `hosts:` line of nsswitch.conf.
    pub fn nsswitch(&self, hosts: &str) {
        self.sandbox.write("/etc/nsswitch.conf", format!("hosts: {hosts}\n{DATABASES}"));
    }

    /// A command that finds the crashing module where libc looks for it.
    pub fn command(&self, program: &str) -> Command {
        let mut command = self.sandbox.command(program);
        command.env("LD_LIBRARY_PATH", crash_module());
        command
    }

    /// Runs the program with libc, then preloaded, then preloaded while nsswitch.conf names the
    /// module that kills whoever asks libc: all three print the same.
    ///
    /// `prepare` adds arguments to the command; `stable` takes out of the text what differs from
    /// run to run in libc's own; `expected` are parts that the text has to contain.
    pub fn compare(
        &self,
        program: &str,
        prepare: impl Fn(&mut Command) -> &mut Command,
        stable: impl Fn(&str) -> String,
        expected: &[&str],
    ) {
        let plain = self.compare_preloaded(program, &prepare, &stable, expected);
        let mut command = self.command(program);
        prepare(&mut command);
        let shown = format!("{command:?}");
        self.nsswitch("files crash dns");
        let safe = stable(&process::run(self.sandbox.preload(command), LIMIT).to_string());
        self.nsswitch("files dns");
        assert_same(&shown, "preloaded, `hosts: files crash dns`", &plain, &safe);
    }

    /// The first two runs of [`Stage::compare`] only, for a program that makes calls that are
    /// libc's own (gethostbyname and its relatives): they are not disturbed. Gives the text.
    pub fn compare_preloaded(
        &self,
        program: &str,
        prepare: impl Fn(&mut Command) -> &mut Command,
        stable: impl Fn(&str) -> String,
        expected: &[&str],
    ) -> String {
        let command = || {
            let mut command = self.command(program);
            prepare(&mut command);
            command
        };
        let shown = format!("{:?}", command());
        let plain = stable(&process::run(command(), LIMIT).to_string());
        for part in expected {
            assert!(plain.contains(part), "{shown}: with libc, no {part:?} in\n{plain}");
        }
        let preloaded = stable(&process::run(self.sandbox.preload(command()), LIMIT).to_string());
        assert_same(&shown, "preloaded", &plain, &preloaded);
        plain
    }

    /// The program dies of SIGSEGV with libc, and prints `expected` when preloaded.
    pub fn crash_and_cure(&self, prepare: impl Fn() -> Command, expected: &[&str]) {
        self.nsswitch("files crash dns");
        let output = process::run(prepare(), LIMIT);
        assert!(died(&output), "with libc it should have died:\n{output}");
        let output = process::run(self.sandbox.preload(prepare()), LIMIT);
        assert!(output.success(), "preloaded:\n{output}");
        for part in expected {
            assert!(output.out().contains(part), "no {part:?} in\n{output}");
        }
    }
}

/// Whether a program was ended by SIGSEGV, or says so itself as Go's runtime does.
pub fn died(output: &Output) -> bool {
    output.end == End::Signal(SIGSEGV)
        || output.end == End::Exit(2) && output.err().contains("SIGSEGV: segmentation violation")
}

fn assert_same(command: &str, how: &str, plain: &str, other: &str) {
    if plain == other {
        return;
    }
    let first = plain.lines().zip(other.lines()).find(|(a, b)| a != b);
    panic!(
        "{command}\n{how}, it prints other things.\nfirst difference: {first:#?}\n\
         === with libc\n{plain}\n=== {how}\n{other}"
    );
}

/// A server process, ended when dropped.
pub struct Server(Child);

impl Server {
    /// Starts a server; what it prints is lost.
    pub fn start(mut command: Command) -> Server {
        let (stdin, stdout) = (Stdio::null(), Stdio::null());
        let child = command.stdin(stdin).stdout(stdout).stderr(Stdio::null()).spawn();
        Server(child.unwrap_or_else(|e| panic!("{command:?}: {e}")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _already_gone = self.0.kill();
        let _status = self.0.wait();
    }
}

/// Polls `ready` until it says yes; `what` is for the message when it does not.
pub fn wait_for(what: &str, mut ready: impl FnMut() -> bool) {
    let end = Instant::now() + START_LIMIT;
    while !ready() {
        assert!(Instant::now() < end, "{what} did not come up in {START_LIMIT:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The repository's top.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder for what the tests build from source.
pub fn build_folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("programs");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A program of tests/programs/.
pub fn source(file: &str) -> PathBuf {
    repository().join("tests/programs").join(file)
}

/// The folder with `libnss_crash.so.2`, the module of `make demo`; built once.
pub fn crash_module() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = build_folder();
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-Wl,-soname,libnss_crash.so.2", "-o"])
            .arg(folder.join("libnss_crash.so.2"))
            .arg(repository().join("demo/nss_crash.c"));
        succeed(cc);
        folder
    })
}

/// Runs a build step; the test fails if it does.
pub fn succeed(command: Command) -> Output {
    let shown = format!("{command:?}");
    let output = process::run(command, Duration::from_secs(300));
    assert!(output.success(), "{shown}\n{output}");
    output
}
