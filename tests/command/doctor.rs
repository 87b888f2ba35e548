//! `rustdns doctor`.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::{assert_refused, copy_of, json, rustdns, with, zone};
use crate::support::cc;
use crate::support::differential::LIMIT;
use crate::support::dns::{Server, Transport};
use crate::support::process::{End, run};
use crate::support::question::Question;
use crate::support::reply::Reply;
use crate::support::sandbox::{Sandbox, preload_library};
use crate::support::wire::rcode;
use crate::support::zone::Zone;

/// The findings as lines: `level place: what`, and the summary last.
fn findings(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("fix: "));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[track_caller]
fn assert_found(text: &str, wanted: &[&str]) {
    let found = findings(text);
    for line in wanted {
        assert!(found.iter().any(|one| one.starts_with(line)), "no {line:?}\n{text}");
    }
}

/// A cat(1) that runs: what is preloaded into it has been loaded. Killed at the end of the test.
struct Cat(Child);

impl Cat {
    fn start(mut command: Command) -> Cat {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.as_mut().unwrap().write_all(b"here").unwrap();
        let mut echo = [0; 4];
        child.stdout.as_mut().unwrap().read_exact(&mut echo).unwrap();
        Cat(child)
    }

    fn id(&self) -> String {
        self.0.id().to_string()
    }
}

impl Drop for Cat {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// A host that is well: its own name is known, and its server does all that a server should.
fn healthy(sandbox: &Sandbox) -> Server {
    let mut name = sandbox.command("uname");
    name.arg("-n");
    let name = run(name, LIMIT);
    sandbox.append("/etc/hosts", format!("127.0.1.1 {}", name.out()));
    Server::start(sandbox, zone())
}

#[test]
fn a_host_that_is_well() {
    Sandbox::enter(|sandbox| {
        let server = healthy(sandbox);
        let output = rustdns(sandbox, &["doctor"]);
        assert_eq!(output.end, End::Exit(0), "{output}");
        assert_found(
            &output.out(),
            &[
                "ok /etc/resolv.conf: every line is understood",
                "ok /etc/nsswitch.conf:1: libc loads no module for them",
                "ok 127.0.0.1:53 (/etc/resolv.conf:1): UDP ",
                "0 errors, 0 warnings, ",
            ],
        );
        server.settle();
        let asked = server.asked();
        for transport in ["udp", "tcp"] {
            assert!(asked.iter().any(|q| *q == format!(". 2 {transport}")), "{asked:?}");
        }
        assert!(asked.iter().any(|q| q.starts_with("www.rustdns-") && q.ends_with(".com 1 udp")));
        server.clear_log();
        let output = rustdns(sandbox, &["doctor", "--offline", "--json"]);
        assert_eq!(output.end, End::Exit(0), "{output}");
        let found = "d['errors'], d['warnings'], {f['section'] for f in d['findings']} >= \
                     {'files', 'services', 'traps'}, [f for f in d['findings'] if f['section'] == 'servers']";
        assert_eq!(json(sandbox, &output.out(), found), "0 0 True []");
        server.settle();
        assert!(server.asked().is_empty(), "{:?}", server.asked());
    });
}

#[test]
fn lines_that_are_ignored_are_named_with_a_fix() {
    Sandbox::enter(|sandbox| {
        sandbox.write(
            "/etc/resolv.conf",
            "nameserver ns.test\nnameserver 127.0.0.1\nsearch a.test b.test\noptions ndots:5 nonsense debug\n",
        );
        sandbox.write("/etc/hosts", "127.0.0.1 localhost\n10.1 short\n192.0.2.1\n");
        sandbox.write("/etc/gai.conf", "precedence nonsense 1\n");
        sandbox.write("/etc/rustdns.conf", "cache many\n");
        let output = with(sandbox, &[("RUSTDNS_UPSTEAM", "::1")], &["doctor", "--offline"]);
        assert_eq!(output.end, End::Exit(1), "{output}");
        assert_found(
            &output.out(),
            &[
                "warning /etc/resolv.conf:1: no IP address, name server ignored: ns.test",
                "warning /etc/resolv.conf:4: unknown option, ignored: nonsense",
                "note /etc/resolv.conf:4: option without effect: debug",
                "warning /etc/resolv.conf:4: ndots:5 with 2 search domains: ",
                "warning /etc/hosts:2: no IPv4 or IPv6 address",
                "warning /etc/hosts:3: an address without a name",
                "warning /etc/gai.conf:1: ",
                "warning /etc/rustdns.conf:1: value not understood, ignored: cache many",
                "warning environment: environment: unknown setting, ignored: RUSTDNS_UPSTEAM",
            ],
        );
        let output = rustdns(sandbox, &["doctor", "--offline", "--json"]);
        let fixes = "all(f['fix'] for f in d['findings'] if f['level'] in ('warning', 'error')), \
                     d['warnings'] == sum(f['level'] == 'warning' for f in d['findings']) > 5";
        assert_eq!(json(sandbox, &output.out(), fixes), "True True");

        sandbox.write("/etc/nsswitch.conf", "hosts: files [MAYBE=return]\n");
        sandbox.mkdir("/etc/hosts");
        sandbox.remove("/etc/resolv.conf");
        let output = rustdns(sandbox, &["doctor", "--offline"]);
        assert_found(
            &output.out(),
            &[
                "error /etc/nsswitch.conf:1: unknown status, every lookup fails",
                "error /etc/hosts: not a file",
                "warning /etc/resolv.conf: not there: the name server 127.0.0.1 is asked",
                "warning /etc/hosts: no localhost",
            ],
        );
        sandbox.write("/etc/hosts", "192.0.2.1 localhost\n");
        let output = rustdns(sandbox, &["doctor", "--offline"]);
        assert_found(&output.out(), &["error /etc/hosts:1: localhost is 192.0.2.1"]);
    });
}

#[test]
fn each_service_is_looked_for_where_libc_finds_its_module() {
    Sandbox::enter(|sandbox| {
        // compat is part of Debian's libc package, nosuch is of none.
        sandbox.write("/etc/nsswitch.conf", "hosts: files compat nosuch dns rustdns\n");
        let output = rustdns(sandbox, &["doctor", "--offline"]);
        assert_eq!(output.end, End::Exit(1), "{output}");
        let place = "/etc/nsswitch.conf:1";
        assert_found(
            &output.out(),
            &[
                &format!("note {place}: `compat`: libc loads /"),
                &format!("warning {place}: `nosuch`: there is no libnss_nosuch.so.2"),
            ],
        );
        assert!(output.out().contains(&format!("{place}: `rustdns`")), "{output}");
    });
}

/// Each fault in a sandbox of its own, all at once: silence takes its time.
#[test]
fn name_servers_and_their_faults() {
    type Answers = fn(&Question) -> Reply;
    fn good(q: &Question) -> Reply {
        zone().answer(q)
    }
    let faults: [(Answers, &str); 10] = [
        (good, "ok: UDP "),
        (|_| Reply::drop(), "error: no answer within 2 s"),
        (
            |q| if q.transport == Transport::Udp { Reply::drop() } else { good(q) },
            "error: answers over TCP only",
        ),
        (
            |q| if q.transport == Transport::Tcp { Reply::close() } else { good(q) },
            "warning: doesn't answer over TCP",
        ),
        (|_| Reply::rcode(rcode::REFUSED), "error: answers REFUSED for the root"),
        (
            |q| match q.edns {
                Some(_) => Reply::rcode(rcode::FORMERR).without_edns(),
                None => good(q),
            },
            "note: refuses EDNS",
        ),
        (
            |q| if q.edns.is_some() { Reply::drop() } else { good(q) },
            "warning: doesn't answer queries with EDNS",
        ),
        (|q| good(q).without_edns(), "note: ignores EDNS"),
        (
            |q| Zone::new().a("*.com", "203.0.113.1").nxdomain_else().answer(q),
            "warning: invents addresses: 203.0.113.1 for www.",
        ),
        (|q| good(q).after(Duration::from_millis(210)), "warning: takes 2"),
    ];
    thread::scope(|scope| {
        for (script, wanted) in faults {
            scope.spawn(move || {
                Sandbox::enter(|sandbox| {
                    sandbox.write("/etc/resolv.conf", "# one\nnameserver 127.0.0.2\n");
                    let _server = Server::on(sandbox, &["127.0.0.2:53"], script);
                    let output = rustdns(sandbox, &["doctor"]);
                    let place = " 127.0.0.2:53 (/etc/resolv.conf:2)";
                    let found = findings(&output.out());
                    let found = found.iter().filter(|one| one.contains(place));
                    let found: Vec<_> = found.map(|one| one.replacen(place, "", 1)).collect();
                    assert!(found.iter().any(|one| one.starts_with(wanted)), "{wanted}\n{output}");
                    // Well is only who has no worse than a note.
                    let well = wanted.starts_with("ok") || wanted.starts_with("note");
                    assert_eq!(found.iter().any(|one| one.starts_with("ok: ")), well, "{output}");
                    let alone = wanted.starts_with("ok") || wanted.starts_with("error");
                    assert!(!alone || found.len() == 1 || wanted.contains("REFUSED"), "{output}");
                });
            });
        }
    });
    Sandbox::enter(|sandbox| {
        let output = rustdns(sandbox, &["doctor"]);
        assert_found(&output.out(), &["error 127.0.0.1:53 (/etc/resolv.conf:1): can't be reached"]);
        let variables = [("RUSTDNS_MODE", "test-only"), ("RUSTDNS_UPSTREAM", "192.0.2.1")];
        let output = with(sandbox, &variables, &["doctor"]);
        assert_found(&output.out(), &["error name servers: none is left to be asked"]);
    });
}

#[test]
fn a_wildcard_in_the_search_list_is_found() {
    Sandbox::enter(|sandbox| {
        let lines = "nameserver 127.0.0.1\nsearch good.test wild.test. .\n";
        sandbox.write("/etc/resolv.conf", lines);
        let zone = Zone::new().a("host.good.test", "192.0.2.1").a("*.wild.test", "203.0.113.1");
        let server = Server::start(sandbox, zone.nxdomain_else());
        let output = rustdns(sandbox, &["doctor"]);
        assert_eq!(output.end, End::Exit(1), "{output}");
        let what = "warning /etc/resolv.conf:2: every name in the search domain wild.test is there: rustdns-";
        assert_found(&output.out(), &[what]);
        assert!(output.out().contains(".wild.test. has 203.0.113.1\n"), "{output}");
        assert!(!output.out().contains("search domain good.test"), "{output}");
        // Nothing is asked where that is not wanted.
        server.clear_log();
        rustdns(sandbox, &["doctor", "--offline"]);
        server.settle();
        assert!(server.asked().is_empty(), "{:?}", server.asked());
    });
}

#[test]
fn a_process_has_the_library_or_it_is_said_why_not() {
    Sandbox::enter(|sandbox| {
        let says = |id: &str, what: &str| {
            let output = rustdns(sandbox, &["doctor", "--offline", "--pid", id]);
            assert_found(&output.out(), &[&what.replace("PID", id)]);
        };
        let active = Cat::start(sandbox.preload(sandbox.command("cat")));
        let without = Cat::start(sandbox.command("cat"));
        let mut missing = sandbox.command("cat");
        missing.env("LD_PRELOAD", "/nonexistent/librustdns.so").stderr(Stdio::null());
        let missing = Cat::start(missing);
        says(&active.id(), "ok process PID: the library answers in it: /");
        says(&without.id(), "warning process PID: not active: it was started without the library");
        says(
            &missing.id(),
            "warning process PID: not active, though it was started with LD_PRELOAD=/nonexistent",
        );
        let file = cc::static_program("gai.c");
        let output =
            rustdns(sandbox, &["doctor", "--offline", "--program", file.to_str().unwrap()]);
        assert_eq!(output.end, End::Exit(1), "{output}");
        let what = format!("error {}: is statically linked", file.display());
        assert_found(&output.out(), &[&what]);
        let output = rustdns(sandbox, &["doctor", "--offline", "--program", "cat"]);
        assert!(output.out().contains("can be preloaded into /"), "{output}");
        // Its file is replaced while it runs.
        let library = copy_of(sandbox, preload_library().to_str().unwrap(), "librustdns.so.0");
        let mut command = sandbox.command("cat");
        command.env("LD_PRELOAD", &library);
        let replaced = Cat::start(command);
        sandbox.remove(&library);
        says(
            &replaced.id(),
            "warning process PID: the library answers in it, from a file that was replaced",
        );
    });
}

#[test]
fn wrong_input() {
    Sandbox::enter(|sandbox| {
        // Above the kernel's greatest (PID_MAX_LIMIT).
        let output = rustdns(sandbox, &["doctor", "--pid", "4194305"]);
        assert_refused(&output, 2, &["--pid 4194305: no such process", "ps(1)"]);
        let output = rustdns(sandbox, &["doctor", "--offline", "--program", "nosuchprogram"]);
        assert_eq!(output.end, End::Exit(1), "{output}");
        assert_found(&output.out(), &["error nosuchprogram: no such program in PATH"]);
        for words in [
            &["doctor", "--pid", "0"][..],
            &["doctor", "--pid", "-1"],
            &["doctor", "--pid", "init"],
            &["doctor", "--pid", "99999999999"],
            &["doctor", "now"],
        ] {
            let output = rustdns(sandbox, words);
            assert_eq!((output.end, output.out().as_str()), (End::Exit(2), ""), "{output}");
            assert!(output.err().contains("--help"), "{output}");
        }
    });
}
