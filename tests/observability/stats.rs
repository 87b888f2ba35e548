//! The setting `stats`, and `rustdns stats`.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use super::{as_nobody, eventually, json, rustdns, zone};
use crate::support::cc;
use crate::support::conversation::Conversation;
use crate::support::differential::LIMIT;
use crate::support::dns::{Question, Reply, Server};
use crate::support::process::{End, Output, run};
use crate::support::sandbox::{Sandbox, preload_library, skip};

const ON: &[(&str, &str)] = &[("RUSTDNS_STATS", "on")];
const CALL: &str = "gai -t stream host.test -";

fn stats(sandbox: &Sandbox, words: &[&str]) -> Output {
    run(rustdns(sandbox, &[&["stats"], words].concat()), LIMIT)
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn the_counters_of_a_process_that_runs() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        let mut process = Conversation::begin(sandbox, ON);
        let calls = [CALL, CALL, "gai -t stream nobody.test -", "gai -t stream host.test -"];
        for call in calls {
            process.call(call);
        }
        let id = process.id().to_string();
        // Between the calls the probe reads an address in digits, which is a lookup as well.
        let numeric = calls.len();
        let expression = "d['pid'], d['program'], d['lookups'], d['failures'], d['cache_hits'], \
            d['cache_misses'], d['cache_entries'], d['queries_udp'], d['answers'], d['negative'], \
            sum(l['lookups'] for l in d['latency']), d['latency'][0]['below_us']";
        let lookups = calls.len() + numeric;
        // A and AAAA each: two names asked for, one of them asked for twice again.
        let want = format!("{id} gai {lookups} 1 4 4 4 4 4 2 {lookups} 4");
        eventually(&want, || {
            let output = stats(sandbox, &["--pid", &id, "--json"]);
            assert!(output.success(), "{output}");
            json(sandbox, &output.out(), expression)
        });
        let text = stats(sandbox, &["--pid", &id]).out();
        for part in [&format!("process {id} (gai)\n"), "hit rate", "50.0 %", "#"] {
            assert!(text.contains(part), "no {part:?}\n{text}");
        }
        let list = stats(sandbox, &[]).out();
        let line = list.lines().find(|line| line.split_whitespace().next() == Some(&*id));
        assert!(
            line.is_some_and(|line| line.contains(" 50.0 % ") && line.ends_with(" gai")),
            "{list}"
        );

        let [file] = &files("/run/rustdns")[..] else { panic!("one file") };
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode(file), mode(Path::new("/run/rustdns"))), (0o600, 0o700));
        for open in fs::read_dir(format!("/proc/{id}/fd")).unwrap() {
            assert_ne!(fs::read_link(open.unwrap().path()).unwrap(), *file, "kept open");
        }
        process.end();
        assert_eq!(files("/run/rustdns"), [""; 0].map(PathBuf::from), "gone with the process");
    });
}

#[test]
fn dead_servers_and_lookups_without_an_answer_are_counted() {
    Sandbox::enter(|sandbox| {
        // Nobody listens on the first.
        sandbox.name_servers(&[9, 1], "timeout:1 attempts:1");
        let _server = Server::on(sandbox, &["127.0.0.1:53"], |q: &Question| match &*q.name {
            "host.test" => Reply::address(q),
            _ => Reply::drop(),
        });
        let mut process = Conversation::begin(sandbox, ON);
        process.call("gai -t stream -f inet host.test -");
        process.call("gai -t stream -f inet silent.test -");
        let id = process.id().to_string();
        eventually("1 1 1", || {
            let output = stats(sandbox, &["--pid", &id, "--json"]);
            json(sandbox, &output.out(), "d['servers_dead'], d['answers'], d['failures']")
        });
    });
}

#[test]
fn lookups_that_wait_for_another_thread_are_counted() {
    Sandbox::enter(|sandbox| {
        // Sooner than it would be asked again.
        let late = |q: &Question| Reply::address(q).after(Duration::from_millis(150));
        let server = Server::on(sandbox, &["127.0.0.1:53"], late);
        let mut process = Conversation::begin(sandbox, ON);
        process.call("gai -n 8 -t stream -f inet host.test -");
        let id = process.id().to_string();
        eventually("7 1 1", || {
            let output = stats(sandbox, &["--pid", &id, "--json"]);
            json(sandbox, &output.out(), "d['coalesced'], d['answers'], d['queries_udp']")
        });
        assert_eq!(server.asked(), ["host.test 1 udp"]);
    });
}

#[test]
fn what_a_killed_process_leaves_is_removed_and_nothing_else() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        let mut killed = Conversation::begin(sandbox, ON);
        let mut living = Conversation::begin(sandbox, ON);
        killed.call(CALL);
        living.call(CALL);
        let foreign = Path::new("/run/rustdns/notes");
        sandbox.write(foreign, "somebody's");
        drop(killed);
        assert_eq!(files("/run/rustdns").len(), 3);
        sleep(Duration::from_millis(1100));
        let listed = stats(sandbox, &[]).out();
        assert!(listed.contains(&living.id().to_string()), "{listed}");
        assert_eq!(files("/run/rustdns").len(), 2);
        assert!(foreign.exists());
    });
}

/// Looks up, forks, looks up twice in the child; both say so and wait for a line.
const FORKING: &str = r"
import os, socket, sys
def look_up():
    socket.getaddrinfo('host.test', 80, type=socket.SOCK_STREAM)
look_up()
read, write = os.pipe()
child = os.fork()
if child == 0:
    os.close(write)
    print('forked', os.getpid(), flush=True)
    os.read(read, 1)
    look_up()
    look_up()
    print('done', flush=True)
    os.read(read, 1)
    os._exit(0)
sys.stdin.readline()
os.write(write, b'x')
sys.stdin.readline()
";

fn begin(mut command: Command) -> (Child, impl FnMut() -> String) {
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, move || lines.next().unwrap().unwrap())
}

#[test]
fn a_child_has_counters_of_its_own() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        let mut command = sandbox.preload(sandbox.command("/usr/bin/python3"));
        command.args(["-c", FORKING]).env("RUSTDNS_STATS", "on");
        let (mut parent, mut line) = begin(command);
        let forked = line();
        let child = forked.strip_prefix("forked ").unwrap();
        let output = stats(sandbox, &["--pid", child]);
        assert_eq!(output.end, End::Exit(1), "the parent's are not the child's\n{output}");
        writeln!(parent.stdin.as_mut().unwrap()).unwrap();
        assert_eq!(line(), "done");
        let lookups = |id: &str| {
            let output = stats(sandbox, &["--json", "--pid", id]);
            assert!(output.success(), "{output}");
            json(sandbox, &output.out(), "d['lookups']")
        };
        assert_eq!((lookups(&parent.id().to_string()), lookups(child)), ("1".into(), "2".into()));
        parent.kill().unwrap();
        parent.wait().unwrap();
    });
}

/// The library says why there is no file, and resolves all the same.
#[track_caller]
fn assert_has_none(sandbox: &Sandbox, folder: &str, mut command: Command) {
    command.args(["-t", "stream", "-f", "inet", "host.test", "-"]);
    command.env("RUSTDNS_STATS", folder).env("RUSTDNS_DEBUG", "1");
    let output = run(sandbox.preload(command), LIMIT);
    assert!(output.success() && output.out().contains(" 192.0.2.1 "), "{output}");
    assert!(output.err().contains("stats: no file for them: "), "{output}");
}

#[test]
fn where_there_can_be_no_file_there_is_none() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        let probe = || sandbox.command(cc::program("gai"));
        assert_has_none(sandbox, "/nowhere/stats", probe());
        sandbox.write("/run/file", "");
        assert_has_none(sandbox, "/run/file", probe());
        sandbox.mkdir("/run/own");
        sandbox.symlink("/run/own", "/run/link");
        assert_has_none(sandbox, "/run/link", probe());
        sandbox.mkdir("/run/open");
        fs::set_permissions("/run/open", fs::Permissions::from_mode(0o777)).unwrap();
        assert_has_none(sandbox, "/run/open", probe());
        sandbox.mkdir("/run/others");
        std::os::unix::fs::chown("/run/others", Some(65534), None).unwrap();
        assert_has_none(sandbox, "/run/others", probe());
        // Writing past the limit would kill the process (SIGXFSZ).
        let mut limited = sandbox.command("prlimit");
        limited.arg("--fsize=4096").arg(cc::program("gai"));
        assert_has_none(sandbox, "/run/own", limited);
        let all = ["/run/own", "/run/open", "/run/others"].map(files).concat();
        assert_eq!(all, [""; 0].map(PathBuf::from));
        // The same folder is good for who may use it.
        let mut process = Conversation::begin(sandbox, &[("RUSTDNS_STATS", "/run/own")]);
        process.call(CALL);
        assert_eq!(files("/run/own").len(), 1);
    });
}

#[test]
fn a_setuid_program_shows_nothing() {
    Sandbox::enter(|sandbox| {
        if !run(as_nobody(sandbox, "true"), LIMIT).success() {
            return skip("can't become another user here");
        }
        let _server = Server::start(sandbox, zone());
        let library = sandbox.install(&preload_library(), "librustdns.so", "755");
        let setuid = sandbox.install(&cc::program("gai"), "setuid", "4755");
        sandbox.write("/etc/rustdns.conf", "stats on\ndebug 1\n");
        sandbox.write("/etc/ld.so.preload", &library);
        let mut command = as_nobody(sandbox, &setuid);
        command.args(["-t", "stream", "host.test", "-"]);
        let output = run(command, LIMIT);
        sandbox.remove("/etc/ld.so.preload");
        assert!(output.err().contains("stats: no file for them: "), "{output}");
        assert!(!Path::new("/run/rustdns").exists());
    });
}

#[test]
fn processes_that_show_nothing_are_told_apart() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        let refused = |words: &[&str], status, part: &str| {
            let output = stats(sandbox, words);
            assert_eq!(output.end, End::Exit(status), "{words:?}\n{output}");
            assert!(output.err().contains(part) && output.out().is_empty(), "{part}\n{output}");
        };
        refused(&["--pid", "4000000000"], 1, "there is no process 4000000000");
        refused(&["--pid", "0"], 2, "0 is not in 1..");
        refused(&["--pid", "many"], 2, "invalid value 'many'");
        refused(&["--pid", "-1"], 2, "unexpected argument");
        let mut silent = Conversation::begin(sandbox, &[]);
        silent.call(CALL);
        refused(&["--pid", &silent.id().to_string()], 1, "start it with RUSTDNS_STATS=on");
        let own = std::process::id().to_string();
        refused(&["--pid", &own], 1, "has no librustdns.so");
        // Where there are no other processes.
        let mut alone = sandbox.command("unshare");
        alone.args(["--pid", "--fork", "--mount-proc"]).arg(super::binary()).arg("stats");
        let output = run(alone, LIMIT);
        assert!(output.err().contains("no process that you may look into"), "{output}");
        assert_eq!(output.end, End::Exit(1), "{output}");
        if run(as_nobody(sandbox, "true"), LIMIT).success() {
            let mut command = as_nobody(sandbox, super::binary());
            command.args(["stats", "--pid", "1"]);
            let output = run(command, LIMIT);
            // A folder on the way may be closed to that user.
            let denied = output.err().contains("belongs to somebody else");
            assert!(
                denied || output.end == End::Exit(126) || output.err().contains("setpriv"),
                "{output}"
            );
        }
    });
}

/// Maps a file of the right name and the wrong content, and waits.
const IMPOSTOR: &str = r"
import mmap, os, sys
path = '/run/rustdns-stats.%d.0' % os.getpid()
with open(path, 'wb') as file:
    file.write(eval(sys.argv[1]))
with open(path, 'r+b') as file:
    mapping = mmap.mmap(file.fileno(), 0)
print('ready', flush=True)
sys.stdin.readline()
";

#[test]
fn files_that_are_none_of_ours_are_not_believed() {
    Sandbox::enter(|sandbox| {
        for content in ["b'x'", "b'rustdns' + bytes(9000)", "b'rustdns\\x01\\x08' + bytes(100)"] {
            let mut command = sandbox.command("/usr/bin/python3");
            command.args(["-c", IMPOSTOR, content]);
            let (mut process, mut line) = begin(command);
            assert_eq!(line(), "ready");
            let output = stats(sandbox, &["--pid", &process.id().to_string()]);
            assert_eq!(output.end, End::Exit(2), "{output}");
            assert!(output.err().contains("no counters that this version knows"), "{output}");
            process.kill().unwrap();
            process.wait().unwrap();
        }
        assert_eq!(fs::metadata("/run").unwrap().uid(), 0);
    });
}
