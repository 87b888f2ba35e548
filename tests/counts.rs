//! What a lookup costs, as far as it can be counted: system calls, allocations, memory, size. Each
//! bound is a constant here; docs/performance.md has what they are measured to be.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong in a test's own functions must fail as loudly as in the test"
)]

mod support;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use support::cc;
use support::differential::LIMIT;
use support::dns::{Question, Reply, Server};
use support::link::dist;
use support::process::{Output, run};
use support::sandbox::{Sandbox, preload_library};
use support::wire::Record;

/// System calls of an uncached lookup of A and AAAA. libc's makes 33.
const UNCACHED_SYSTEM_CALLS: usize = 18;
/// Heap allocations of the same: the caller's two, and what the cache keeps.
const UNCACHED_ALLOCATIONS: usize = 6;
/// System calls of a lookup that the cache answers.
const CACHED_SYSTEM_CALLS: usize = 0;
/// The same where the process may leave its network namespace or its root: whether it has. (What it may is
/// looked at as often as files are.)
const CACHED_BY_WHO_MAY_LEAVE: usize = 2;
const CACHED_BY_WHO_MAY_LEAVE_ITS_ROOT: usize = 1;
/// Heap allocations of the same: the list that the caller gets, a node for each address.
const CACHED_ALLOCATIONS: usize = 2;
/// Octets of each stripped library. The goal is 700,000, which std alone takes a quarter of
/// (docs/performance.md); this keeps it in sight.
/// The names of the local network and host (docs/local-names.md) are 35,000 of them, what asks encrypted
/// servers through the second object 12,000; the order of servers, worlds, and what is looked at of networks
/// 70,000.
const LIBRARY_OCTETS: u64 = 870_000;
/// KiB of its own that a process has more than with libc after a thousand lookups. How much of a
/// library's file is in memory beside that is the kernel's decision, another one each time, and
/// shared by all processes.
const OWN_AFTER_A_THOUSAND: i64 = 1024;
/// The same, with a cache of default size that is full.
const OWN_WITH_A_FULL_CACHE: i64 = 4096;

/// How often files may be looked at again, and a cached answer put in order anew: both take system
/// calls that are not the single lookup's.
const FILE_CHECKS: Duration = Duration::from_millis(100);
const ORDER_CHECKS: Duration = Duration::from_secs(1);
/// resolv.conf, hosts, nsswitch.conf, gai.conf, services; and where the thread is, which takes five.
const FILES: usize = 10;

/// Who can leave neither network namespace nor root, as most processes; and who can leave its root, as root
/// in a container. Tests run as root.
const BOUND: &[&str] = &["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
const BOUND_BUT_FOR_ROOT: &[&str] =
    &["setpriv", "--bounding-set=-all,+sys_chroot", "--inh-caps=-all"];

/// Every name has an IPv4 and an IPv6 address.
fn two_addresses(question: &Question) -> Reply {
    let address = if question.qtype == 28 { "2001:db8::1" } else { "192.0.2.1" };
    Reply::records([Record::address(&question.name, address)])
}

/// The probe's command in a sandbox that is good for it.
fn counted(sandbox: &Sandbox, arguments: &[&str]) -> Command {
    let mut command = sandbox.command(cc::program("counted"));
    command.args(arguments);
    command
}

fn succeed(command: Command) -> Output {
    let output = run(command, LIMIT);
    assert!(output.success(), "{output}");
    output
}

/// The numbers that the probe printed after a key.
fn numbers(output: &Output, key: &str) -> Vec<i64> {
    let text = output.out();
    let lines = text.lines().filter_map(|line| line.strip_prefix(key)?.trim().parse().ok());
    lines.collect()
}

fn median<T: Ord + Copy>(mut values: Vec<T>) -> T {
    values.sort();
    values[values.len() / 2]
}

/// The system calls of each counted lookup, by strace, and how long all of them took.
fn system_calls(
    sandbox: &Sandbox,
    who: &[&str],
    arguments: &[&str],
) -> (Vec<Vec<String>>, Duration) {
    let trace = sandbox.scratch().join("strace");
    let mut command = sandbox.command("strace");
    command.arg("-ttt").arg("-o").arg(&trace).args(who).arg("env");
    command.arg(format!("LD_PRELOAD={}", preload_library().display()));
    command.arg(cc::program("counted")).args(arguments);
    succeed(command);
    let text = std::fs::read_to_string(&trace).unwrap();
    let (mut lookups, mut inside) = (Vec::new(), None::<Vec<String>>);
    let mut times = Vec::new();
    // 1700000000.000000 getppid() = 1
    for line in text.lines() {
        let Some((time, call)) = line.split_once(' ') else { continue };
        match (call.split_once('('), inside.as_mut()) {
            (Some(("getppid", _)), _) => {
                times.push(time.parse::<f64>().unwrap());
                inside = match inside.take() {
                    None => Some(Vec::new()),
                    Some(calls) => {
                        lookups.push(calls);
                        None
                    }
                };
            }
            (Some((name, _)), Some(calls)) => calls.push(name.to_owned()),
            _ => {}
        }
    }
    let took = times.last().unwrap() - times.first().unwrap();
    (lookups, Duration::from_secs_f64(took))
}

/// How often each is among the calls, for a message.
fn tally(calls: &[Vec<String>]) -> BTreeMap<&str, usize> {
    let mut tally = BTreeMap::new();
    for call in calls.iter().flatten() {
        *tally.entry(call.as_str()).or_default() += 1;
    }
    tally
}

/// No lookup makes more calls than `most`, but what is repeated after a time.
fn assert_system_calls(sandbox: &Sandbox, who: &[&str], arguments: &[&str], most: usize) {
    let (lookups, took) = system_calls(sandbox, who, arguments);
    assert_eq!(lookups.len().to_string(), arguments[1]);
    let usual = median(lookups.iter().map(Vec::len).collect());
    assert!(usual <= most, "{usual} system calls: {:?}", tally(&lookups));
    let times = |every: Duration| 1 + (took.as_millis() / every.as_millis()) as usize;
    let repeated =
        FILES * times(FILE_CHECKS) + (CACHED_ORDER_CALLS + LOOK + 3) * times(ORDER_CHECKS);
    // How often a lookup waits and looks depends on when the answers come, and that on the machine's load.
    let steady = |calls: &Vec<String>| {
        calls.iter().filter(|call| !["poll", "recvmsg"].contains(&call.as_str())).count()
    };
    let usual = median(lookups.iter().map(steady).collect());
    let all: usize = lookups.iter().map(steady).sum();
    assert!(
        all <= usual * lookups.len() + repeated,
        "{all} system calls in {} lookups of {took:?}: {:?}",
        lookups.len(),
        tally(&lookups)
    );
}

/// RFC 6724: a socket for each of two addresses, connected and closed.
const CACHED_ORDER_CALLS: usize = 6;

#[test]
fn system_calls_of_a_lookup() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, two_addresses);
        for (who, cached) in [
            (BOUND, CACHED_SYSTEM_CALLS),
            (BOUND_BUT_FOR_ROOT, CACHED_BY_WHO_MAY_LEAVE_ITS_ROOT),
            (&[], CACHED_BY_WHO_MAY_LEAVE),
        ] {
            let uncached = UNCACHED_SYSTEM_CALLS + cached;
            assert_system_calls(sandbox, who, &["1", "200", "n%d.test"], uncached);
            assert_system_calls(sandbox, who, &["1", "500", "again.test"], cached);
        }
    });
}

/// The same, for each name its own: an order that is remembered is no other list's.
fn own_addresses(question: &Question) -> Reply {
    let number: String = question.name.chars().filter(char::is_ascii_digit).collect();
    let address = if question.qtype == 28 { "2001:db8::1:" } else { "192.0.2." };
    Reply::records([Record::address(&question.name, &format!("{address}{number}"))])
}

/// A host as people have them: an interface, addresses of both families, default routes. What the kernel
/// says of them is asked once a second, and not for each lookup.
#[test]
fn system_calls_of_a_lookup_on_a_host() {
    Sandbox::enter(|sandbox| {
        sandbox.address("198.51.100.9/24");
        sandbox.address("2001:db8:1::9/64");
        sandbox.default_route(4);
        sandbox.default_route(6);
        let _server = Server::start(sandbox, own_addresses);
        for (name, most) in [("n%d.test", UNCACHED_SYSTEM_CALLS), ("n1.test", CACHED_SYSTEM_CALLS)]
        {
            let (lookups, took) = system_calls(sandbox, BOUND, &["0", "200", name]);
            let usual = median(lookups.iter().map(Vec::len).collect());
            assert!(usual <= most, "{usual} system calls: {:?}", tally(&lookups));
            let looks = lookups.iter().flatten().filter(|call| *call == "recvfrom").count();
            let times = 1 + took.as_secs() as usize;
            assert!(looks <= LOOK * times, "{looks} in {took:?}: {:?}", tally(&lookups));
        }
    });
}

/// What a look at addresses and routes receives, once a second, on a socket of its own: addresses of each
/// family, the end of the list, the ways to two far hosts and to each server.
const LOOK: usize = 7;

#[test]
fn allocations_of_a_lookup() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, two_addresses);
        for (name, most) in [("n%d.test", UNCACHED_ALLOCATIONS), ("again.test", CACHED_ALLOCATIONS)]
        {
            let mut command = counted(sandbox, &["1", "200", name]);
            let counter = cc::shared_object("allocations");
            let (library, counter) = (preload_library(), counter.display().to_string());
            command.env("LD_PRELOAD", format!("{} {counter}", library.display()));
            let counts = numbers(&succeed(command), "allocations");
            assert_eq!(counts.len(), 200);
            // The counter counts: a list of two addresses is two allocations at least.
            let usual = median(counts);
            assert!(2 <= usual && usual <= most as i64, "{name}: {usual} allocations");
        }
    });
}

#[test]
fn memory_of_a_process() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, two_addresses);
        // A name is two entries: 20,000 names fill the cache of 4,096 many times over.
        for (lookups, most) in [("1000", OWN_AFTER_A_THOUSAND), ("20000", OWN_WITH_A_FULL_CACHE)] {
            let own = |command| numbers(&succeed(command), "own")[0];
            let arguments = [lookups, "0", "n%d.test"];
            let libc = own(counted(sandbox, &["1000", "0", "n%d.test"]));
            let ours = own(sandbox.preload(counted(sandbox, &arguments)));
            let more = ours - libc;
            assert!(more <= most, "{more} KiB more than with libc after {lookups} lookups");
        }
    });
}

#[test]
fn size_of_the_libraries() {
    for library in ["librustdns.so", "libnss_rustdns.so.2"] {
        let octets = std::fs::metadata(dist().join(library)).unwrap().len();
        assert!(octets <= LIBRARY_OCTETS, "{library}: {octets} octets");
    }
}
