//! The debug trace: what `RUSTDNS_DEBUG` makes the library say, where it goes, and who can't make
//! it say anything.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use support::cc;
use support::differential::LIMIT;
use support::dns::{Question, Reply, Server, Transport};
use support::process::{Output, run, run_with_input};
use support::sandbox::{Sandbox, preload_library, skip};
use support::wire::Record;
use support::zone::Zone;

/// Runs calls of the probe with the library and these variables.
fn traced(sandbox: &Sandbox, variables: &[(&str, &str)], calls: &str) -> Output {
    let mut command = sandbox.preload(sandbox.command(cc::program("gai")));
    command.arg("--batch").envs(variables.iter().copied());
    let output = run_with_input(command, calls.as_bytes(), LIMIT);
    assert!(output.success(), "{output}");
    output
}

/// The lines of a trace without what differs from run to run: process, ids, times, ports.
fn lines(trace: &str) -> Vec<String> {
    let line = |line: &str| {
        let (process, text) = line.split_once(": ").unwrap_or_default();
        let id = process.strip_prefix("rustdns[").and_then(|rest| rest.strip_suffix(']'));
        assert!(id.is_some_and(|id| id.parse::<u32>().is_ok()), "{line:?}");
        text.to_owned()
    };
    trace.lines().map(line).collect()
}

#[track_caller]
fn assert_says(trace: &str, beginning: &str) {
    let said = lines(trace);
    assert!(said.iter().any(|line| line.starts_with(beginning)), "no {beginning:?} in\n{trace}");
}

fn zone() -> Zone {
    Zone::new().a("host.test", "192.0.2.1").aaaa("host.test", "2001:db8::1").nxdomain_else()
}

/// A call that reads every file: hosts, services, servers, and an order of addresses.
const CALL: &str = "gai -t stream host.test http\n";

#[test]
fn nothing_is_said_unless_it_is_asked_for() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        sandbox.append("/etc/resolv.conf", "nonsense\n");
        for variables in [&[][..], &[("RUSTDNS_DEBUG", "0")], &[("RUSTDNS_DEBUG", "nonsense")]] {
            assert_eq!(traced(sandbox, variables, CALL).err(), "", "{variables:?}");
        }
    });
}

#[test]
fn every_ignored_line_is_named_with_its_file_and_number() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        sandbox.write("/etc/resolv.conf", "nameserver 127.0.0.1\nnonsense a\noptions nonsense:b\n");
        sandbox.append("/etc/hosts", "nonsense c\n192.0.2.99\n");
        sandbox.write("/etc/nsswitch.conf", "# first\nhosts: files nonsense dns\n");
        sandbox.write("/etc/gai.conf", "nonsense d\nlabel ::/x 1\n");
        sandbox.write("/etc/services", "http 80/tcp\nnonsense\n");
        sandbox.write("/etc/rustdns.conf", "cache on\nnonsense e\nmode nonsense\n");
        let variables = [
            ("RUSTDNS_DEBUG", "1"),
            ("RUSTDNS_FOREIGN", "nonsense"),
            ("RES_OPTIONS", "ndots:1 nonsense:f"),
        ];
        let trace = traced(sandbox, &variables, CALL).err();
        for beginning in [
            "/etc/resolv.conf:2: ",
            "/etc/resolv.conf:3: ",
            "/etc/hosts:3: ",
            "/etc/hosts:4: ",
            "/etc/nsswitch.conf:2: ",
            "/etc/gai.conf:1: ",
            "/etc/gai.conf:2: ",
            "/etc/services:2: ",
            "/etc/rustdns.conf:2: ",
            "/etc/rustdns.conf:3: ",
            "environment: value not understood, ignored: foreign nonsense",
            "environment: unknown option, ignored: nonsense:f",
        ] {
            assert_says(&trace, beginning);
        }
        for (number, good) in [("resolv.conf", 1), ("hosts", 1), ("services", 1)] {
            let start = format!("/etc/{number}:{good}: ");
            assert!(!lines(&trace).iter().any(|line| line.starts_with(&start)), "{trace}");
        }
    });
}

#[test]
fn every_file_that_cannot_be_read_is_named() {
    let paths = ["resolv.conf", "hosts", "nsswitch.conf", "gai.conf", "services", "rustdns.conf"];
    for path in paths.map(|name| format!("/etc/{name}")) {
        Sandbox::enter(|sandbox| {
            let _server = Server::start(sandbox, zone());
            let calls = "gai -t stream host.test http\ngai localhost -\n";
            let variables = [("RUSTDNS_DEBUG", "1")];
            let no_content = format!("{path}: no content");
            sandbox.symlink(&path, &path);
            // Without services the first call ends early; the second needs none.
            assert_says(&traced(sandbox, &variables, calls).err(), &no_content);
            sandbox.mkdir(&path);
            assert_says(&traced(sandbox, &variables, calls).err(), &no_content);
        });
    }
}

#[test]
fn level_2_names_server_transport_and_time_of_every_query_and_answer() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, |q: &Question| match q.transport {
            Transport::Udp => Reply::empty().truncated(),
            Transport::Tcp => Reply::records([Record::address(&q.name, "192.0.2.1")]),
        });
        let trace = |level| {
            let call = "gai -t stream -f inet host.test -\n";
            traced(sandbox, &[("RUSTDNS_DEBUG", level)], call).err()
        };
        let two = trace("2");
        for transport in ["udp", "tcp"] {
            assert_says(&two, &format!("query host.test A to 127.0.0.1:53 over {transport}, id "));
            let answer = format!("answer from 127.0.0.1:53 over {transport}, id ");
            assert_says(&two, &answer);
            let line = lines(&two).into_iter().find(|line| line.starts_with(&answer)).unwrap();
            let time = line.rsplit_once(" after ").unwrap_or_else(|| panic!("{line}")).1;
            assert!(
                time.ends_with('s') && time.starts_with(|c: char| c.is_ascii_digit()),
                "{line}"
            );
        }
        let one = trace("1");
        assert_says(&one, "host.test: dns says SUCCESS: return");
        assert!(!lines(&one).iter().any(|line| line.starts_with("query ")), "{one}");
    });
}

#[test]
fn a_log_file_takes_the_trace_and_stderr_stays_empty() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        let log = sandbox.scratch().join("trace.log");
        let variables = [("RUSTDNS_DEBUG", "1"), ("RUSTDNS_LOG", log.to_str().unwrap())];
        assert_eq!(traced(sandbox, &variables, CALL).err(), "");
        let first = fs::read_to_string(&log).unwrap();
        assert_says(&first, "getaddrinfo host.test: 2 addresses");
        // Names are nobody else's business.
        assert_eq!(fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o600);
        traced(sandbox, &variables, CALL);
        let both = fs::read_to_string(&log).unwrap();
        assert!(both.starts_with(&first) && both.len() > first.len(), "{both}");
        // What can't be written is lost, and nothing else.
        let nowhere = [("RUSTDNS_DEBUG", "1"), ("RUSTDNS_LOG", "/nowhere/trace.log")];
        assert_eq!(traced(sandbox, &nowhere, CALL).err(), "");
    });
}

#[test]
fn no_name_can_forge_a_line_or_reach_the_terminal() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, |q: &Question| {
            Reply::records([
                Record::cname(&q.name, "a\\010rustdns[1]:\\027[2J.test"),
                Record::address("a\\010rustdns[1]:\\027[2J.test", "192.0.2.1"),
            ])
        });
        sandbox.append("/etc/resolv.conf", "nonsense\x1b[2J\rforged\n");
        let variables = [("RUSTDNS_DEBUG", "2"), ("RES_OPTIONS", "a\nrustdns[1]: forged")];
        let name = "x\\x0arustdns[1]:\\x20forged\\x1b[2J\\x7f\\xff.test";
        let calls = format!("gai -f inet {name} -\ngai -f inet y.test {name}\n");
        let trace = traced(sandbox, &variables, &calls).err();
        for line in lines(&trace) {
            assert!(!line.starts_with("forged") && line.is_ascii(), "{trace}");
            assert!(!line.contains(|c: char| c.is_control()), "{trace:?}");
        }
        assert_says(&trace, "getaddrinfo x\\x0arustdns[1]: forged\\x1b[2J\\x7f\\xff.test: ");
    });
}

/// The command run by a user without rights.
fn as_nobody(sandbox: &Sandbox, command: &[&str]) -> Command {
    let mut setpriv = sandbox.command("setpriv");
    setpriv.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).args(command);
    setpriv
}

#[test]
fn a_setuid_program_ignores_the_environment() {
    Sandbox::enter(|sandbox| {
        if !run(as_nobody(sandbox, &["true"]), LIMIT).success() {
            return skip("can't become another user here");
        }
        let _server = Server::on(sandbox, &["127.0.0.1:53"], zone());
        let lies = Zone::new().a("host.test", "192.0.2.66");
        let _lies = Server::on(sandbox, &["127.0.0.2:53"], lies);
        // LD_PRELOAD means nothing to a setuid program; this file does.
        let library = sandbox.install(&preload_library(), "librustdns.so", "755");
        let plain = sandbox.install(&cc::program("gai"), "plain", "755");
        let setuid = sandbox.install(&cc::program("gai"), "setuid", "4755");
        sandbox.write("/etc/ld.so.preload", &library);
        let answers = [plain, setuid].map(|program| {
            let mut command = as_nobody(sandbox, &[&program]);
            command.args(["-t", "stream", "-f", "inet", "host.test", "-"]);
            command.env("RUSTDNS_DEBUG", "1").env("RUSTDNS_UPSTREAM", "127.0.0.2");
            run(command, LIMIT)
        });
        sandbox.remove("/etc/ld.so.preload");
        let [plain, setuid] = answers;
        // The same, where nobody's rights grow: the environment counts.
        assert!(plain.out().contains(" 192.0.2.66 "), "{plain}");
        assert_says(&plain.err(), "getaddrinfo host.test: ");
        assert!(setuid.out().contains(" 192.0.2.1 "), "{setuid}");
        assert_eq!(setuid.err(), "", "{setuid}");
    });
}

#[test]
fn a_setuid_program_obeys_the_file_that_root_wrote() {
    Sandbox::enter(|sandbox| {
        if !run(as_nobody(sandbox, &["true"]), LIMIT).success() {
            return skip("can't become another user here");
        }
        let _server = Server::on(sandbox, &["127.0.0.1:53"], zone());
        let library = sandbox.install(&preload_library(), "librustdns.so", "755");
        let setuid = sandbox.install(&cc::program("gai"), "setuid", "4755");
        sandbox.write("/etc/rustdns.conf", "debug 1\n");
        sandbox.write("/etc/ld.so.preload", &library);
        let mut command = as_nobody(sandbox, &[&setuid]);
        command.args(["-t", "stream", "-f", "inet", "host.test", "-"]);
        let answer = run(command, LIMIT);
        sandbox.remove("/etc/ld.so.preload");
        // This is also the proof that the library is in a setuid program at all.
        assert_says(&answer.err(), "getaddrinfo host.test: 1 addresses");
    });
}
