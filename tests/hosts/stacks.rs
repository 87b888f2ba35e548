//! The smallest stacks of threads that look names up: docs/reliability.md has the table.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::cc;
use crate::support::dns::{Question, Reply, Server, Transport};
use crate::support::process::run;
use crate::support::sandbox::Sandbox;
use crate::support::wire::Record;

const LIMIT: Duration = Duration::from_secs(120);

const FUNCTIONS: [&str; 9] = [
    "nothing",
    "getaddrinfo",
    "getaddrinfo-file",
    "getaddrinfo-tcp",
    "gethostbyname_r",
    "gethostbyaddr_r",
    "getnameinfo",
    "res_query",
    "res_init",
];

/// How many KiB more than libc a function may need: twelve, and two for what other processors have the kernel and
/// the dynamic linker save there.
const MORE: u32 = 12 + 2;

#[test]
fn no_function_needs_much_more_than_libc_s() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/hosts", "192.0.2.44 own.test\n");
        let _server = Server::start(sandbox, |question: &Question| {
            match (&*question.name, question.qtype, question.transport) {
                (_, 12, _) => Reply::records([Record::ptr(&question.name, "host.test")]),
                ("tcp.test", _, Transport::Udp) => Reply::empty().truncated(),
                (name, 1, _) => Reply::records([Record::address(name, "192.0.2.1")]),
                (name, _, _) => Reply::records([Record::address(name, "2001:db8::1")]),
            }
        });
        let [libc, ours] = [false, true].map(|preloaded| {
            let mut command = sandbox.command(cc::program("stacks"));
            command.args(FUNCTIONS);
            let output = run(if preloaded { sandbox.preload(command) } else { command }, LIMIT);
            let sizes = output.out();
            let sizes = sizes.lines().filter_map(|line| line.split_once(' '));
            let sizes: BTreeMap<_, u32> = sizes
                .filter_map(|(name, size)| Some((name.to_owned(), size.parse().ok()?)))
                .collect();
            assert_eq!(sizes.len(), FUNCTIONS.len(), "{output}");
            sizes
        });
        for name in FUNCTIONS {
            let (libc, ours) = (libc[name], ours[name]);
            println!("| `{name}` | {libc} | {ours} |");
            assert!(ours <= libc + MORE, "{name}: {ours} KiB, with libc {libc}");
        }
    });
}
