//! The setting `stats`, and `rustdns stats`.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
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

/// Files of statistics: where they would be, if there were any.
fn files() -> Vec<PathBuf> {
    let entries = fs::read_dir("/run/rustdns").into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// How many segments there are that these processes have made.
fn segments(ids: &[u32]) -> usize {
    let list = fs::read_to_string("/proc/sysvipc/shm").unwrap();
    // key, shmid, perms, size, cpid
    let makers = list.lines().filter_map(|line| line.split_whitespace().nth(4)?.parse().ok());
    makers.filter(|maker| ids.contains(maker)).count()
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

        for open in fs::read_dir(format!("/proc/{id}/fd")).unwrap() {
            let open = fs::read_link(open.unwrap().path()).unwrap();
            assert!(!open.to_string_lossy().contains("SYSV"), "kept open");
        }
        let ids = [process.id()];
        assert_eq!(segments(&ids), 1);
        process.end();
        assert_eq!((segments(&ids), files()), (0, vec![]), "gone with the process");
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

/// Children look up and end in ways that leave no time to tidy up.
const ENDS: &str = r"
import os, signal, socket
children = []
for end in range(20):
    child = os.fork()
    if child == 0:
        socket.getaddrinfo('host.test', 80, type=socket.SOCK_STREAM)
        if end % 2:
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(0)
    os.waitpid(child, 0)
    children.append(child)
print(*children)
";

#[test]
fn processes_leave_nothing_however_they_end() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        let mut command = sandbox.preload(sandbox.command("/usr/bin/python3"));
        command.args(["-c", ENDS]).env("RUSTDNS_STATS", "on");
        let output = run(command, LIMIT);
        assert!(output.success(), "{output}");
        let ids: Vec<_> = output.out().split_whitespace().map(|id| id.parse().unwrap()).collect();
        assert_eq!((ids.len(), segments(&ids), files()), (20, 0, vec![]));
    });
}

/// Whoever gets at a file of statistics can make it shorter; that must kill nobody.
#[test]
fn there_is_no_file_to_cut_off() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        let mut process = Conversation::begin(sandbox, ON);
        process.call(CALL);
        for file in files() {
            fs::File::create(file).unwrap();
        }
        process.call("gai -t stream nobody.test -");
        process.end();
    });
}

/// Looks up after what `sys.argv[1]` does, says so, and waits for a line.
const LOOKING: &str = r"
import resource, socket, sys
exec(sys.argv[1])
socket.getaddrinfo('host.test', 80, type=socket.SOCK_STREAM)
print('ready', flush=True)
sys.stdin.readline()
";

fn looking(sandbox: &Sandbox, before: &[&str], does: &str) -> Child {
    let words = [before, &["/usr/bin/python3", "-c", LOOKING, does]].concat();
    let mut command = sandbox.preload(sandbox.command(words[0]));
    command.args(&words[1..]).env("RUSTDNS_STATS", "on");
    let (child, mut line) = begin(command);
    assert_eq!(line(), "ready");
    child
}

fn stop(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[track_caller]
fn assert_shows_one_lookup(sandbox: &Sandbox, id: u32) {
    let output = stats(sandbox, &["--json", "--pid", &id.to_string()]);
    assert!(output.success(), "{output}");
    assert_eq!(json(sandbox, &output.out(), "d['lookups']"), "1");
}

#[test]
fn no_full_disk_and_no_limit_is_in_the_way() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        // Full, and of the kind that kills who writes to what it has mapped.
        sandbox.mkdir("/run/rustdns");
        let mut mount = sandbox.command("mount");
        mount.args(["-t", "tmpfs", "-o", "size=4k,mode=700", "tmpfs", "/run/rustdns"]);
        assert!(run(mount, LIMIT).success());
        fs::write("/run/rustdns/full", [1; 4096]).unwrap();
        let child = looking(sandbox, &[], "");
        assert_shows_one_lookup(sandbox, child.id());
        stop(child);
        let none = "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))";
        let child = looking(sandbox, &[], none);
        assert_shows_one_lookup(sandbox, child.id());
        stop(child);
    });
}

/// As processes of containers are, seen from the host.
#[test]
fn processes_of_other_namespaces_are_seen() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        let unshare = ["unshare", "--ipc", "--mount", "--pid", "--fork", "--kill-child"];
        let outer = looking(sandbox, &unshare, "");
        let children = format!("/proc/{0}/task/{0}/children", outer.id());
        let inner = fs::read_to_string(children).unwrap().trim().parse().unwrap();
        assert_shows_one_lookup(sandbox, inner);
        // Where only tracers may read memory: not across namespaces, but within one.
        let close = |id: u32| {
            let mut mount = sandbox.command("mount");
            mount.args(["--bind", "/dev/null"]).arg(format!("/proc/{id}/mem"));
            assert!(run(mount, LIMIT).success());
        };
        close(inner);
        let output = stats(sandbox, &["--pid", &inner.to_string()]);
        assert_eq!(output.end, End::Exit(2), "{output}");
        assert!(output.err().contains("closed to you: try as root"), "{output}");
        stop(outer);
        let child = looking(sandbox, &[], "");
        close(child.id());
        assert_shows_one_lookup(sandbox, child.id());
        stop(child);
    });
}

#[test]
fn where_no_memory_can_be_shared_names_are_resolved_all_the_same() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        let mut command = sandbox.preload(sandbox.command("unshare"));
        let script = "echo 0 >/proc/sys/kernel/shmmni; exec \"$0\" -t stream -f inet host.test -";
        command.args(["--ipc", "sh", "-c", script]).arg(cc::program("gai"));
        command.env("RUSTDNS_STATS", "on").env("RUSTDNS_DEBUG", "1");
        let output = run(command, LIMIT);
        assert!(output.success() && output.out().contains(" 192.0.2.1 "), "{output}");
        assert!(output.err().contains("stats: not shown: errno 28"), "{output}");
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

/// Of the same user, who may write to the segment; others can't even read it.
#[test]
fn a_neighbour_can_spoil_the_numbers_and_nothing_else() {
    const SPOIL: &str = "\
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
found = [line.split() for line in open('/proc/sysvipc/shm').readlines()[1:]]
segment, size = [(int(row[1]), int(row[3])) for row in found if row[4] == sys.argv[1]][0]
place = libc.shmat(segment, None, int(sys.argv[2]))
if place in (None, ctypes.c_void_p(-1).value): sys.exit('refused %d' % ctypes.get_errno())
if sys.argv[2] == '0': ctypes.memset(place, 255, size)
print('attached')
";
    const READ_ONLY: &str = "4096"; // SHM_RDONLY
    Sandbox::enter(|sandbox| {
        let server = Server::start(sandbox, zone());
        let mut process = Conversation::begin(sandbox, ON);
        process.call(CALL);
        let id = process.id().to_string();
        let spoil = |mut command: Command, how: &str| {
            command.args(["-c", SPOIL, &id, how]);
            run(command, LIMIT)
        };
        if run(as_nobody(sandbox, "true"), LIMIT).success() {
            let output = spoil(as_nobody(sandbox, "/usr/bin/python3"), READ_ONLY);
            assert!(output.err().contains("refused 13"), "{output}");
        } else {
            skip("can't become another user here");
        }
        let output = spoil(sandbox.command("/usr/bin/python3"), "0");
        assert_eq!(output.out(), "attached\n", "{output}");
        server.clear_log();
        for call in ["gai -t stream nobody.test -", CALL] {
            process.call(call);
        }
        let (answer, _) = process.call(CALL);
        assert!(answer.contains("192.0.2.1"), "{answer}");
        assert!(!server.asked().is_empty());
        // What it shows is no block of ours any more.
        let output = stats(sandbox, &["--pid", &id]);
        assert!(matches!(output.end, End::Exit(_)), "{output}");
        process.end();
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
        assert!(output.err().contains("stats: not shown: "), "{output}");
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

/// Shares memory that begins as told, and waits.
const IMPOSTOR: &str = r"
import ctypes, sys
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
segment = libc.shmget(0, 9000, 0o1600)
ctypes.memmove(libc.shmat(segment, None, 0), *(lambda octets: (octets, len(octets)))(eval(sys.argv[1])))
libc.shmctl(segment, 0, None)
print('ready', flush=True)
sys.stdin.readline()
";

#[test]
fn memory_that_is_none_of_ours_is_not_believed() {
    Sandbox::enter(|sandbox| {
        for (content, status, said) in [
            ("b'x'", 1, "has no librustdns.so"),
            ("b'rustdns\\x02\\x08\\0\\0\\0\\x01\\0\\0\\0'", 1, "has no librustdns.so"),
            ("b'rustdns\\x01'", 2, "no counters that this version knows"),
            (
                "b'rustdns\\x02\\x07\\0\\0\\0' + __import__('os').getpid().to_bytes(4, sys.byteorder)",
                2,
                "no counters that this version knows",
            ),
        ] {
            let mut command = sandbox.command("/usr/bin/python3");
            command.args(["-c", IMPOSTOR, content]);
            let (process, mut line) = begin(command);
            assert_eq!(line(), "ready");
            let output = stats(sandbox, &["--pid", &process.id().to_string()]);
            assert_eq!(output.end, End::Exit(status), "{output}");
            assert!(output.err().contains(said), "{output}");
            stop(process);
        }
    });
}
