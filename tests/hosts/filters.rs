//! System calls that a seccomp filter forbids: the lookup fails as if the network were down, and what
//! needs no such call goes on being answered. Nothing hangs, nothing aborts.

use std::time::Duration;

use crate::numbered::numbered;
use crate::support::cc;
use crate::support::dns::{Question, Reply, Server};
use crate::support::process::{End, run};
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Record, rtype};

/// The lookups of `tests/c/host_filters.c`, in its order; `again` only where one was made before.
const LOOKUPS: [&str; 7] =
    ["number", "file", "name", "address", "again", "two addresses", "asynchronous"];

/// What is forbidden; what comes of the lookups when it is from the start, and when it is after the
/// first. What stands in neither list succeeds. `{}` is the filter's errno.
struct Row {
    call: &'static str,
    first: &'static [(&'static str, &'static str)],
    later: &'static [(&'static str, &'static str)],
}

/// As with libc, but for EAI_AGAIN where libc says that there is no such name.
const NO_NETWORK: &[(&str, &str)] = &[
    ("name", "EAI_AGAIN"),
    ("address", "EAI_AGAIN"),
    ("two addresses", "EAI_AGAIN"),
    ("asynchronous", "EAI_AGAIN"),
];
const NO_POLL: &[(&str, &str)] = &[
    ("name", "EAI_SYSTEM {}"),
    ("address", "EAI_SYSTEM {}"),
    ("two addresses", "EAI_SYSTEM {}"),
    ("asynchronous", "EAI_SYSTEM {}"),
];
const NO_THREAD: &[(&str, &str)] = &[("asynchronous", "EAI_SYSTEM EAGAIN")];
/// Without hosts the name goes to a server, which knows no address of it.
const NO_HOSTS: &[(&str, &str)] = &[("file", "EAI_NODATA")];
/// The page that a fork wipes can't be had; libc dies here.
const NO_PAGE: &[(&str, &str)] = &[
    ("number", "EAI_MEMORY"),
    ("file", "EAI_MEMORY"),
    ("name", "EAI_MEMORY"),
    ("address", "EAI_MEMORY"),
    ("two addresses", "EAI_MEMORY"),
    ("asynchronous", "EAI_AGAIN"),
];

const ROWS: [Row; 14] = [
    Row { call: "socket", first: NO_NETWORK, later: NO_NETWORK },
    Row { call: "connect", first: NO_NETWORK, later: NO_NETWORK },
    Row { call: "send", first: NO_NETWORK, later: NO_NETWORK },
    Row { call: "receive", first: NO_NETWORK, later: NO_NETWORK },
    Row { call: "poll", first: NO_POLL, later: NO_POLL },
    Row { call: "clone", first: NO_THREAD, later: NO_THREAD },
    Row { call: "open", first: NO_HOSTS, later: &[] },
    Row { call: "stat", first: NO_HOSTS, later: &[] },
    Row { call: "memory", first: NO_PAGE, later: &[("asynchronous", "EAI_AGAIN")] },
    // Where this host stands in the network is then not known, and nothing is forgotten for it.
    Row { call: "netlink", first: &[], later: &[] },
    // /dev/urandom stands in.
    Row { call: "random", first: &[], later: &[] },
    // libc dies here.
    Row { call: "futex", first: &[], later: &[] },
    Row { call: "madvise", first: &[], later: &[] },
    Row { call: "sched_yield", first: &[], later: &[] },
];

fn answer(question: &Question) -> Reply {
    match &*question.name {
        "two.test" if question.qtype == rtype::A => Reply::records(
            ["192.0.2.1", "192.0.2.2"].map(|address| Record::address("two.test", address)),
        ),
        "two.test" | "listed.test" => Reply::nodata().soa("test"),
        _ => numbered(question),
    }
}

#[test]
fn system_calls_may_be_forbidden() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/hosts", "10.9.9.9 listed.test\n");
        sandbox.address("192.0.2.9/24");
        let _server = Server::start(sandbox, answer);
        for Row { call, first, later } in ROWS {
            for (errno, when, failures) in [
                ("EPERM", "first", first),
                ("EPERM", "later", later),
                ("ENOSYS", "first", first),
                ("ENOSYS", "later", later),
            ] {
                let mut command = sandbox.command(cc::program("host_filters"));
                command.args([call, errno, when]);
                let got = run(sandbox.preload(command), Duration::from_secs(40));
                let lookups = LOOKUPS.iter().filter(|name| **name != "again" || when == "later");
                let line = |name: &&str| {
                    let failure = failures.iter().find(|(failing, _)| failing == name);
                    let code =
                        failure.map_or("0".to_owned(), |(_, code)| code.replace("{}", errno));
                    format!("{name} {code}\n")
                };
                let want: String = lookups.map(line).collect();
                assert_eq!(
                    (got.out(), got.end),
                    (want, End::Exit(0)),
                    "{call} {errno} {when} {got}"
                );
            }
        }
    });
}
