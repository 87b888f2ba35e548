//! Threads in network namespaces and roots of their own: what was learned in one is not used in another.

use crate::support::cc;
use crate::support::differential::{LIMIT, compare};
use crate::support::dns::{Question, Reply, Server};
use crate::support::process::{Output, run};
use crate::support::sandbox::{Sandbox, preload_library};
use crate::support::wire::{Record, rtype};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// A host in a network namespace of its own, with an interface, addresses of both families and default
/// routes; its name server is behind a link, in another one. All have the same addresses.
struct Host<'a> {
    name: &'static str,
    sandbox: &'a Sandbox,
}

impl<'a> Host<'a> {
    fn new(sandbox: &'a Sandbox, name: &'static str) -> Host<'a> {
        let server = format!("{name}-server");
        for one in [name, &server] {
            sandbox.ip(&format!("netns add {one}"));
            sandbox.ip(&format!("-n {one} link set lo up"));
        }
        sandbox.ip(&format!("link add eth0 netns {name} type veth peer name eth0 netns {server}"));
        for (one, last) in [(name, "9"), (&server, "1")] {
            sandbox.ip(&format!("-n {one} address add 192.0.2.{last}/24 dev eth0"));
            sandbox.ip(&format!("-n {one} address add 2001:db8::{last}/64 dev eth0 nodad"));
            sandbox.ip(&format!("-n {one} link set eth0 up"));
        }
        sandbox.ip(&format!("-n {server} address add 192.0.2.2/24 dev eth0"));
        sandbox.ip(&format!("-n {name} route add default via 192.0.2.1"));
        sandbox.ip(&format!("-n {name} -6 route add default via 2001:db8::1"));
        Host { name, sandbox }
    }

    /// For setns(2).
    fn file(&self) -> String {
        format!("/run/netns/{}", self.name)
    }

    /// A server behind the link: its answers have this number in them.
    fn serve(&self, addresses: &[&str], number: u8) -> Server {
        self.serve_after(addresses, number, Duration::ZERO)
    }

    fn serve_after(&self, addresses: &[&str], number: u8, delay: Duration) -> Server {
        let file = format!("{}-server", self.file());
        let script = move |q: &Question| answer(q, number).after(delay);
        inside(&file, || Server::on(self.sandbox, addresses, script))
    }
}

/// Two addresses of each family, and a name, with a number in them.
fn answer(q: &Question, number: u8) -> Reply {
    match q.qtype {
        rtype::A => Reply::records([Record::address(&q.name, &format!("198.51.100.{number}"))]),
        rtype::AAAA => Reply::records([Record::address(&q.name, &format!("2001:db8:{number}::1"))]),
        rtype::PTR => Reply::records([Record::ptr(&q.name, &format!("host{number}.test"))]),
        _ => Reply::empty(),
    }
}

/// Does something in another network namespace.
#[allow(unsafe_code, reason = "std has no setns(2)")]
fn inside<T>(file: &str, work: impl FnOnce() -> T) -> T {
    let enter = |file: &File| {
        // SAFETY: the descriptor is open; only the calling thread is moved.
        assert_eq!(unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWNET) }, 0);
    };
    let before = File::open("/proc/thread-self/ns/net").unwrap();
    enter(&File::open(file).unwrap());
    let result = work();
    enter(&before);
    result
}

/// The probe's output, the library before libc.
fn ours(sandbox: &Sandbox, wrapper: &[&str], steps: &str) -> Output {
    let mut words: Vec<&str> = wrapper.to_vec();
    let (library, probe) = (preload_library(), cc::program("namespaced"));
    let library = format!("LD_PRELOAD={}", library.display());
    words.extend(["env", &library, probe.to_str().unwrap()]);
    words.extend(steps.split_whitespace());
    let (program, arguments) = words.split_first().unwrap();
    let mut command = sandbox.command(program);
    command.args(arguments);
    let output = run(command, LIMIT);
    assert!(output.success(), "{steps}: {output}");
    output
}

/// The probe both ways, which must say the same.
fn same(sandbox: &Sandbox, steps: &str) {
    let steps: Vec<&str> = steps.split_whitespace().collect();
    crate::assert_same!(compare(sandbox, cc::program("namespaced"), &steps));
}

fn lines(output: &Output) -> Vec<String> {
    output.out().lines().map(str::to_owned).collect()
}

fn two(run: impl FnOnce(&Sandbox, &Host<'_>, &Host<'_>) + Send) {
    two_by("nameserver 192.0.2.1\n", run);
}

fn two_by(resolv_conf: &str, run: impl FnOnce(&Sandbox, &Host<'_>, &Host<'_>) + Send) {
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/resolv.conf", resolv_conf);
        run(sandbox, &Host::new(sandbox, "a"), &Host::new(sandbox, "b"));
    });
}

/// The row of the field: the same server address, another server. Both ways, by every call, and by libc's
/// function and Go's way of setns(2).
#[test]
fn each_network_has_its_own_answers() {
    for servers in [&["192.0.2.1:53"][..], &["[2001:db8::1]:53"]] {
        let line = if servers[0].starts_with('[') { "2001:db8::1" } else { "192.0.2.1" };
        two_by(&format!("nameserver {line}\n"), |sandbox, a, b| {
            let (_first, _second) = (a.serve(servers, 1), b.serve(servers, 2));
            let (a, b) = (a.file(), b.file());
            for setns in ["setns", "rawns"] {
                for call in [
                    "gai x.test",
                    "configured x.test",
                    "host x.test",
                    "name 198.51.100.7",
                    "query x.test",
                ] {
                    same(
                        sandbox,
                        &format!(
                            "{setns} {a} {call} {setns} {b} {call} {setns} {a} {call} {setns} {b} {call}"
                        ),
                    );
                }
            }
        });
    }
}

/// What was learned is kept for who comes back.
#[test]
fn who_comes_back_finds_the_answers_of_before() {
    two(|sandbox, a, b| {
        let (first, second) = (a.serve(&["192.0.2.1:53"], 1), b.serve(&["192.0.2.1:53"], 2));
        let (a, b) = (a.file(), b.file());
        let trip = format!("rawns {a} gai x.test rawns {b} gai x.test ");
        let output = ours(sandbox, &[], &trip.repeat(50));
        let expected = ["2001:db8:1::1 198.51.100.1", "2001:db8:2::1 198.51.100.2"];
        assert_eq!(lines(&output), expected.repeat(50));
        for server in [first, second] {
            let asked = server.asked();
            assert_eq!(asked.len(), 2, "{asked:?}");
        }
    });
}

/// Threads that stay where they are, each in another network, at the same time.
#[test]
fn threads_in_two_networks_ask_both_servers_at_once() {
    two(|sandbox, a, b| {
        let late = Duration::from_millis(150);
        let first = a.serve_after(&["192.0.2.1:53"], 1, late);
        let second = b.serve_after(&["192.0.2.1:53"], 2, late);
        let (a, b) = (a.file(), b.file());
        for name in ["x.test", "y.test"] {
            same(
                sandbox,
                &format!(
                    "setns {a} meet gai {name} gai {name} / rawns {b} meet gai {name} gai {name}"
                ),
            );
        }
        first.clear_log();
        second.clear_log();
        let steps = format!(
            "setns {a} meet gai z.test / setns {a} meet gai z.test / setns {b} meet gai z.test / \
             setns {b} meet gai z.test"
        );
        let found = lines(&ours(sandbox, &[], &steps));
        let (of_a, of_b) = ("2001:db8:1::1 198.51.100.1", "2001:db8:2::1 198.51.100.2");
        assert_eq!(found, [of_a, of_a, of_b, of_b]);
        // Who is in the same network still asks once.
        assert_eq!((first.asked().len(), second.asked().len()), (2, 2));
    });
}

/// A server that is dead in one network is well in another.
#[test]
fn health_is_a_networks_own() {
    let resolv_conf = "nameserver 192.0.2.1\nnameserver 192.0.2.2\noptions timeout:1\n";
    two_by(resolv_conf, |sandbox, a, b| {
        let silent = |_: &Question| Reply::drop();
        let _silent =
            inside("/run/netns/a-server", || Server::on(sandbox, &["192.0.2.1:53"], silent));
        let _only = a.serve(&["192.0.2.2:53"], 1);
        let (right, wrong) = (b.serve(&["192.0.2.1:53"], 2), b.serve(&["192.0.2.2:53"], 3));
        let (a, b) = (a.file(), b.file());
        let output = ours(
            sandbox,
            &[],
            &format!("setns {a} gai v.test gai w.test setns {b} gai x.test gai y.test"),
        );
        let (of_a, of_b) = ("2001:db8:1::1 198.51.100.1", "2001:db8:2::1 198.51.100.2");
        assert_eq!(lines(&output), [of_a, of_a, of_b, of_b]);
        assert_eq!((right.asked().len(), wrong.asked().len()), (4, 0));
    });
}

/// Orders and families are believed for a second where they were found.
#[test]
fn orders_and_families_are_a_networks_own() {
    two(|sandbox, a, b| {
        let (_first, _second) = (a.serve(&["192.0.2.1:53"], 1), b.serve(&["192.0.2.1:53"], 1));
        sandbox.ip("-n a -6 address flush dev eth0");
        let (a, b) = (a.file(), b.file());
        for call in ["configured x.test", "gai x.test"] {
            same(sandbox, &format!("setns {a} {call} setns {b} {call} setns {a} {call}"));
        }
    });
}

/// A folder that can be a root: its own configuration, and what programs need of libc.
fn root(sandbox: &Sandbox, name: &str, number: u8) -> String {
    let root = sandbox.scratch().join(name);
    let etc = root.join("etc");
    std::fs::create_dir_all(&etc).unwrap();
    std::fs::create_dir_all(root.join("proc")).unwrap();
    let write = |file: &str, text: String| std::fs::write(etc.join(file), text).unwrap();
    write("resolv.conf", format!("nameserver 127.0.0.{number}\n"));
    write("hosts", format!("192.0.2.{number} known.test\n"));
    write("nsswitch.conf", "hosts: files dns\nservices: files\n".to_owned());
    write("services", format!("own {number}0/tcp\n"));
    root.display().to_string()
}

/// Every file is the one in the thread's own root.
#[test]
fn each_root_has_its_own_files() {
    Sandbox::enter(|sandbox| {
        let _outside = Server::on(sandbox, &["127.0.0.1:53"], |q: &Question| answer(q, 1));
        let _inside = Server::on(sandbox, &["127.0.0.7:53"], |q: &Question| answer(q, 7));
        let _other = Server::on(sandbox, &["127.0.0.8:53"], |q: &Question| answer(q, 8));
        sandbox.address("192.0.2.9/24");
        sandbox.address("2001:db8::9/64");
        sandbox.default_route(4);
        sandbox.default_route(6);
        sandbox.append("/etc/hosts", "192.0.2.1 known.test\n");
        sandbox.append("/etc/services", "own 10/tcp\n");
        let (seven, eight) = (root(sandbox, "seven", 7), root(sandbox, "eight", 8));
        let calls = "gai known.test gai x.test host x.test name 198.51.100.7 query x.test port own";
        for enter in [
            format!("chroot {seven}"),
            format!("rawroot {seven}"),
            format!("unshare mount pivot {seven}"),
            format!("unshare mount bind {seven}/etc /etc"),
        ] {
            same(sandbox, &format!("{calls} {enter} {calls}"));
        }
        // gai.conf too, which libc reads once in a process: this row puts IPv4 first.
        std::fs::write(format!("{eight}/etc/gai.conf"), "precedence ::ffff:0:0/96 100\n").unwrap();
        let output = ours(sandbox, &[], &format!("gai x.test chroot {eight} gai x.test"));
        let (v4, v6) = ("198.51.100.8", "2001:db8:8::1");
        assert_eq!(lines(&output), ["2001:db8:1::1 198.51.100.1".to_owned(), format!("{v4} {v6}")]);
        std::fs::remove_file(format!("{eight}/etc/gai.conf")).unwrap();
        // Threads with a root each, by different ways.
        let there = format!("meet {calls} meet {calls}");
        same(
            sandbox,
            &format!(
                "{there} / chroot {seven} {there} / unshare mount pivot {eight} {there} / \
                 unshare mount bind {eight}/etc /etc {there}"
            ),
        );
    });
}

/// Threads of one process share their root unless they say otherwise: chroot(2) by one moves all, those too
/// that have no rights.
#[test]
fn a_root_that_threads_share_is_followed() {
    Sandbox::enter(|sandbox| {
        let _inside = Server::on(sandbox, &["127.0.0.7:53"], |q: &Question| answer(q, 7));
        sandbox.append("/etc/hosts", "192.0.2.1 known.test\n");
        let seven = root(sandbox, "seven", 7);
        // Followed as files are: within 100 ms.
        same(
            sandbox,
            &format!(
                "share can nothing gai known.test meet meet sleep 200 gai known.test gai x.test / \
                 share gai known.test meet chroot {seven} meet gai known.test gai x.test"
            ),
        );
    });
}

/// What `_res` was filled with in one root is not what is asked in another, though the thread is the same;
/// and gethostent has a place in each root's file.
#[test]
fn the_resolvers_own_configuration_is_that_of_the_root() {
    Sandbox::enter(|sandbox| {
        let _outside = Server::on(sandbox, &["127.0.0.1:53"], |q: &Question| answer(q, 1));
        let _inside = Server::on(sandbox, &["127.0.0.7:53"], |q: &Question| answer(q, 7));
        let seven = root(sandbox, "seven", 7);
        same(
            sandbox,
            &format!(
                "init query x.test gai x.test chroot {seven} query x.test gai x.test init query x.test"
            ),
        );
        let output = ours(sandbox, &[], &format!("entry chroot {seven} entry entry"));
        assert_eq!(lines(&output), ["localhost", "known.test", "(end)"]);
    });
}

/// rustdns.conf too is the root's own, so that no pod says where its node's agent asks; `root` is a folder
/// inside the current root.
#[test]
fn each_root_has_its_own_settings() {
    Sandbox::enter(|sandbox| {
        let _outside = Server::on(sandbox, &["127.0.0.1:53"], |q: &Question| answer(q, 1));
        let _inside = Server::on(sandbox, &["127.0.0.7:53"], |q: &Question| answer(q, 7));
        let _chosen = Server::on(sandbox, &["127.0.0.9:53"], |q: &Question| answer(q, 9));
        let seven = root(sandbox, "seven", 7);
        let conf = format!("{seven}/etc/rustdns.conf");
        let found = |steps: &str| lines(&ours(sandbox, &[], steps));
        let of = |number: u8| format!("198.51.100.{number}");
        let trip = format!(
            "query x.test / sleep 100 chroot {seven} query x.test meet / meet sleep 10 query x.test"
        );
        let trip = trip.replacen("query x.test /", "meet query x.test /", 1);
        std::fs::write(&conf, "upstream 127.0.0.9\n").unwrap();
        assert_eq!(found(&trip), [of(1), of(9), of(1)]);
        // res_init there has no effect elsewhere.
        let trip = format!(
            "query x.test meet meet query x.test / chroot {seven} meet init query x.test meet"
        );
        assert_eq!(found(&trip), [of(1), of(1), of(9)]);
        std::fs::remove_file(&conf).unwrap();
        let deep = root(sandbox, "seven/deep", 9);
        assert!(deep.ends_with("/seven/deep"));
        let library = preload_library();
        let mut command = sandbox.command(cc::program("namespaced"));
        command.env("LD_PRELOAD", library).env("RUSTDNS_ROOT", "/deep");
        command.args(["chroot", &seven, "query", "x.test"]);
        assert_eq!(lines(&run(command, LIMIT)), [of(9)]);
    });
}

/// A process without rights gets all of them in a user namespace of its own, as long as it has one thread.
#[test]
fn an_unprivileged_process_in_namespaces_of_its_own() {
    two(|sandbox, a, _| {
        let _first = a.serve(&["192.0.2.1:53"], 1);
        let nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
        let wrapper = [&["nsenter", "--net=/run/netns/a"], &nobody[..]].concat();
        let output = ours(
            sandbox,
            &wrapper,
            "gai x.test gai x.test unshare user-net sleep 150 gai x.test can nothing sleep 150 gai x.test",
        );
        let found = lines(&output);
        assert_eq!(found[..2], ["2001:db8:1::1 198.51.100.1"; 2]);
        // Its loopback interface is down: there is nobody to ask.
        let again = "Temporary failure in name resolution";
        assert_eq!(found[2..], [again; 2], "{output}");
        // What follows at once is like a file that has just changed: good for 100 ms more at most.
        let output = ours(sandbox, &wrapper, "unshare user-net gai x.test");
        assert_eq!(lines(&output), [again]);
    });
}

/// Threads that have given up their rights stay where they are then, whatever others do.
#[test]
fn threads_without_rights_stay_in_their_network() {
    two(|sandbox, a, b| {
        let (first, second) = (a.serve(&["192.0.2.1:53"], 1), b.serve(&["192.0.2.1:53"], 2));
        let (a, b) = (a.file(), b.file());
        let there = "meet gai x.test meet gai x.test";
        let steps = format!(
            "setns {a} can nothing {there} / rawns {b} can nothing {there} / setns {b} can chroot {there} / \
             setns {b} gai x.test meet setns {a} gai x.test meet setns {b} gai x.test"
        );
        same(sandbox, &steps);
        first.clear_log();
        second.clear_log();
        ours(sandbox, &[], &steps);
        assert_eq!((first.asked().len(), second.asked().len()), (2, 2));
    });
}

/// An agent that goes through all pods of a node, and many more than are kept.
#[test]
fn hundreds_of_networks_take_bounded_memory() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/hosts", "192.0.2.1 known.test\n");
        let own = |count: u32| {
            let output = ours(sandbox, &[], &format!("many {count} known.test stats"));
            let found = lines(&output);
            let (answered, kib) = found[0].split_once(' ').unwrap();
            assert_eq!(answered, count.to_string());
            assert_eq!(found[1], "0 0", "nothing of the DNS");
            kib.parse::<i64>().unwrap()
        };
        let (few, many) = (own(300), own(1200));
        assert!(many - few < 1536, "{few} KiB after 300 networks, {many} KiB after 1200");
        assert!(many - own(1) < 8 * 1024, "{many} KiB");
    });
}

/// What is kept of networks that nobody comes back to is counted as long as it is there.
#[test]
fn counters_know_what_is_kept_of_every_network() {
    two(|sandbox, a, b| {
        let (_first, _second) = (a.serve(&["192.0.2.1:53"], 1), b.serve(&["192.0.2.1:53"], 2));
        let (a, b) = (a.file(), b.file());
        let found = |steps: &str| {
            let output = ours(sandbox, &[], steps);
            output.out().lines().last().unwrap().split(' ').next().unwrap().parse::<u32>().unwrap()
        };
        // What is known where the process began stays.
        let both = format!("gai localhost setns {a} gai x.test setns {b} gai x.test");
        assert_eq!(found(&format!("{both} stats")), 4);
        // As many others as take the place of both.
        assert_eq!(found(&format!("{both} many 200 localhost stats")), 0);
    });
}

/// Somebody else's runtime: Go locks a goroutine to its thread and makes system calls by number.
#[test]
fn a_go_program_in_two_networks() {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("namespaces");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/namespaces.go");
    let mut build = Command::new("/usr/bin/go");
    build.env("GO111MODULE", "off").env("CGO_ENABLED", "1").env("GOFLAGS", "");
    build.env("GOCACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-cache"));
    build.arg("build").arg("-o").arg(&program).arg(source);
    let built = run(build, LIMIT * 2);
    assert!(built.success(), "{built}");
    two(|sandbox, a, b| {
        let (_first, _second) = (a.serve(&["192.0.2.1:53"], 1), b.serve(&["192.0.2.1:53"], 2));
        for preload in [false, true] {
            let mut command = sandbox.command(&program);
            command.env("GODEBUG", "netdns=cgo").arg(libc::SYS_setns.to_string());
            command.args([a.file(), b.file()]);
            let command = if preload { sandbox.preload(command) } else { command };
            let output = run(command, LIMIT);
            let (of_a, of_b) =
                ("198.51.100.1 2001:db8:1::1<nil>", "198.51.100.2 2001:db8:2::1<nil>");
            assert_eq!(lines(&output), [of_a, of_b, of_a, of_b], "{output}");
        }
    });
}
