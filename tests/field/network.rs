//! The network changes under a configuration that stays as it is: a VPN comes up behind a stub resolver on
//! loopback, a captive portal opens, a laptop is carried to the next site. What the network has said is
//! forgotten within a second; libc has no cache, and so is always right.

use crate::support::cc;
use crate::support::conversation::Conversation;
use crate::support::differential::LIMIT;
use crate::support::dns::{Question, Reply, Server};
use crate::support::process::run;
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Record, rtype};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// What lookups see within, with some room for a busy machine.
const A_SECOND: Duration = Duration::from_millis(1100);

/// A stub resolver that stays where it is while what it says changes: 0 before, 1 afterwards.
struct Stub {
    view: Arc<AtomicU8>,
    server: Server,
}

impl Stub {
    /// Each view has addresses of its own, for a day; `inside.test` is there in the second one alone.
    fn start(sandbox: &Sandbox) -> Stub {
        sandbox.write("/etc/resolv.conf", "nameserver 127.0.0.53\n");
        let view = Arc::new(AtomicU8::new(0));
        let seen = Arc::clone(&view);
        let server = Server::on(sandbox, &["127.0.0.53:53"], move |q: &Question| {
            let view = seen.load(Ordering::SeqCst);
            let record = match (&*q.name, q.qtype) {
                ("inside.test", _) if view == 0 => return Reply::nxdomain().soa("test"),
                (_, rtype::A) => Record::address(&q.name, &format!("192.0.2.{}", 10 + view)),
                (_, rtype::AAAA) => Record::address(&q.name, &format!("2001:db8::1{view}")),
                (_, rtype::PTR) => Record::ptr(&q.name, &format!("view{view}.test")),
                _ => return Reply::nodata().soa("test"),
            };
            Reply::records([record.ttl(86_400)])
        });
        Stub { view, server }
    }

    fn turns(&self) {
        self.view.store(1, Ordering::SeqCst);
    }
}

/// A host as people have them: an interface, addresses of both families, default routes.
fn host(sandbox: &Sandbox) {
    sandbox.address("198.51.100.9/24");
    sandbox.address("2001:db8:1::9/64");
    sandbox.ip("-4 route add default via 198.51.100.1");
    sandbox.ip("-6 route add default via 2001:db8:1::1");
}

/// Another interface, up.
fn link(sandbox: &Sandbox, name: &str) {
    sandbox.ip(&format!("link add {name} type veth peer name {name}p"));
    for side in [name.to_owned(), format!("{name}p")] {
        sandbox.ip(&format!("link set {side} addrgenmode none"));
        sandbox.ip(&format!("link set {side} up"));
    }
}

/// What the lookups find: in the first view, and in the second one.
const LOOKUPS: [(&str, &str, &str); 6] = [
    ("gai -t stream a.test -", "192.0.2.10", "192.0.2.11"),
    ("gai -t stream -F ADDRCONFIG b.test -", "192.0.2.10", "192.0.2.11"),
    ("gai -t stream -f inet a.test -", "192.0.2.10", "192.0.2.11"),
    ("gai -t stream -f inet6 a.test -", "2001:db8::10", "2001:db8::11"),
    ("gai -t stream inside.test -", "EAI_NONAME", "192.0.2.11"),
    ("gni 192.0.2.77 80", "view0.test", "view1.test"),
];

/// Changes of the network, by ip(8): what is done before the first lookup, and the change.
const CHANGES: [(&str, &[&str], &[&str]); 9] = [
    ("a VPN's address", &[], &["address add 10.8.0.2/24 dev vpn0"]),
    ("a VPN's IPv6 address", &[], &["address add 2001:db8:8::2/64 dev vpn0 nodad"]),
    (
        "a VPN that takes both halves of the addresses, by an address that was there",
        &["address add 10.8.0.2/24 dev vpn0"],
        &["-4 route add 0.0.0.0/1 dev vpn0", "-4 route add 128.0.0.0/1 dev vpn0"],
    ),
    (
        "a VPN by a rule and a table of its own, as wg-quick has it",
        &["address add 10.8.0.2/24 dev vpn0", "-4 route add default dev vpn0 table 51820"],
        &["-4 rule add not fwmark 51820 table 51820"],
    ),
    ("another default route", &[], &["-4 route replace default via 198.51.100.2"]),
    ("another IPv6 default route", &[], &["-6 route replace default via 2001:db8:1::2"]),
    ("no default route", &[], &["-4 route del default"]),
    (
        "an address that goes",
        &["address add 10.8.0.2/24 dev vpn0"],
        &["address del 10.8.0.2/24 dev vpn0"],
    ),
    (
        "the way to a name server, though the first one answers",
        &["address add 10.8.0.2/24 dev vpn0"],
        &["-4 route add 203.0.113.53 dev vpn0"],
    ),
];

#[test]
fn what_the_network_said_is_forgotten_when_it_changes() {
    for (about, before, change) in CHANGES {
        Sandbox::enter(|sandbox| {
            let stub = Stub::start(sandbox);
            sandbox.append("/etc/resolv.conf", "nameserver 203.0.113.53\n");
            host(sandbox);
            link(sandbox, "vpn0");
            before.iter().for_each(|words| sandbox.ip(words));
            let mut process = Conversation::begin(sandbox, &[]);
            let mut hosts = Conversation::of_hostent(sandbox);
            let mut says = |at: usize, when: &str| {
                for lookup in LOOKUPS {
                    let want = [lookup.1, lookup.2][at];
                    let (said, _) = process.call(lookup.0);
                    assert!(said.contains(want), "{about}, {when}: {}: {said}", lookup.0);
                }
                let want = ["192.0.2.10", "192.0.2.11"][at];
                let (said, _) = hosts.call("name a.test");
                assert!(said.contains(want), "{about}, {when}: gethostbyname: {said}");
            };
            says(0, "at first");
            stub.server.clear_log();
            std::thread::sleep(A_SECOND);
            says(0, "a second later");
            assert_eq!(stub.server.asked(), [""; 0], "{about}: nothing has changed");
            stub.turns();
            change.iter().for_each(|words| sandbox.ip(words));
            std::thread::sleep(A_SECOND);
            says(1, "after the change");
        });
    }
}

/// What comes and goes on a host that stays where it is.
#[test]
fn a_host_that_stays_where_it_is_keeps_what_it_knows() {
    Sandbox::enter(|sandbox| {
        let stub = Stub::start(sandbox);
        host(sandbox);
        let mut process = Conversation::begin(sandbox, &[]);
        let mut all = || LOOKUPS.map(|(call, ..)| process.call(call).0);
        let first = all();
        stub.server.clear_log();
        for words in [
            // A container starts: its interface has an address that reaches no further than the link.
            "link add cont0 type veth peer name cont1",
            "link set cont0 up",
            "address add fe80::c0/64 dev cont0 nodad",
            "address add 169.254.7.7/16 dev cont0 scope link",
            "address add 127.0.0.9/8 dev lo",
            // A route to somewhere, and an address that lasts for another while.
            "-4 route add 203.0.113.0/24 via 198.51.100.7",
            "-6 address change 2001:db8:1::9/64 dev out0 valid_lft 3600 preferred_lft 1800 nodad",
            "link del cont0",
        ] {
            sandbox.ip(words);
            std::thread::sleep(A_SECOND);
            assert_eq!(all(), first, "{words}");
            assert_eq!(stub.server.asked(), [""; 0], "{words}");
        }
    });
}

#[test]
fn what_is_known_of_servers_is_forgotten_too() {
    Sandbox::enter(|sandbox| {
        host(sandbox);
        sandbox.name_servers(&[1, 2], "timeout:1 attempts:1");
        let is_up = Arc::new(AtomicU8::new(0));
        let up = Arc::clone(&is_up);
        let first = Server::on(sandbox, &["127.0.0.1:53"], move |q: &Question| {
            if up.load(Ordering::SeqCst) == 0 { Reply::drop() } else { Reply::address(q) }
        });
        let second = Server::on(sandbox, &["127.0.0.2:53"], Reply::address);
        let mut process = Conversation::begin(sandbox, &[]);
        process.finds("a.test", "192.0.2.1");
        process.finds("b.test", "192.0.2.1");
        is_up.store(1, Ordering::SeqCst);
        sandbox.ip("-4 route replace default via 198.51.100.2");
        std::thread::sleep(A_SECOND);
        first.clear_log();
        second.clear_log();
        process.finds("c.test", "192.0.2.1");
        assert_eq!(first.asked(), ["c.test 1 udp"], "it is asked in its turn");
        assert_eq!(second.asked(), [""; 0]);
    });
}

/// Threads that look up all the while: none is told the old answer a second after the change, and no
/// answer that was asked for before it is kept.
#[test]
fn answers_under_way_are_not_kept_for_the_next_network() {
    Sandbox::enter(|sandbox| {
        host(sandbox);
        let stub = Stub::start(sandbox);
        let view = Arc::clone(&stub.view);
        drop(stub);
        let _slow = Server::on(sandbox, &["127.0.0.53:53"], move |q: &Question| {
            let address = format!("192.0.2.{}", 10 + view.swap(1, Ordering::SeqCst));
            Reply::records([Record::address(&q.name, &address).ttl(86_400)])
                .after(Duration::from_millis(1500))
        });
        let mut process = Conversation::begin(sandbox, &[]);
        std::thread::scope(|scope| {
            let changes = scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(300));
                // Not by ip(8) of the sandbox, which stays with its thread: threads share namespaces.
                let words = "-4 route replace default via 198.51.100.2";
                let status = std::process::Command::new("ip").args(words.split(' ')).status();
                assert!(status.unwrap().success());
            });
            process.finds("a.test", "192.0.2.10");
            changes.join().unwrap();
        });
        process.finds("a.test", "192.0.2.11");
    });
}

/// A program of somebody else's, which keeps running while a VPN comes up.
#[test]
fn a_program_that_runs_follows() {
    const PROGRAM: &str = "\
import socket, subprocess, time
def address(): return socket.getaddrinfo('a.test', 80, type=socket.SOCK_STREAM)[0][4][0]
def v4(): return socket.gethostbyname('a.test')
print(address(), v4())
subprocess.run(['ip', 'address', 'add', '10.8.0.2/24', 'dev', 'vpn0'], check=True, env={'PATH': '/usr/sbin:/sbin:/usr/bin:/bin'})
subprocess.run(['ip', 'route', 'replace', 'default', 'dev', 'vpn0'], check=True, env={'PATH': '/usr/sbin:/sbin:/usr/bin:/bin'})
open('/run/turned', 'w').close()
time.sleep(1.1)
print(address(), v4())
";
    Sandbox::enter(|sandbox| {
        host(sandbox);
        link(sandbox, "vpn0");
        let stub = Stub::start(sandbox);
        drop(stub);
        let _stub = Server::on(sandbox, &["127.0.0.53:53"], |q: &Question| {
            let last = 10 + u8::from(std::path::Path::new("/run/turned").exists());
            Reply::records(
                (q.qtype == rtype::A)
                    .then(|| Record::address(&q.name, &format!("192.0.2.{last}")).ttl(3_600)),
            )
            .soa("test")
        });
        let mut command = sandbox.command("python3");
        command.args(["-c", PROGRAM]);
        let output = run(sandbox.preload(command), LIMIT);
        assert_eq!(output.out(), "192.0.2.10 192.0.2.10\n192.0.2.11 192.0.2.11\n", "{output}");
    });
}

/// The way out is known by the kernel's word of now, not by an answer of before.
#[test]
fn the_gateway_is_the_one_of_now() {
    Sandbox::enter(|sandbox| {
        host(sandbox);
        sandbox.write("/etc/nsswitch.conf", "hosts: myhostname dns\n");
        let mut process = Conversation::begin(sandbox, &[]);
        process.finds("_gateway", "198.51.100.1");
        sandbox.ip("-4 route replace default via 198.51.100.2");
        std::thread::sleep(A_SECOND);
        process.finds("_gateway", "198.51.100.2");
    });
}

/// A TTL goes on while the machine is suspended.
#[test]
fn a_suspended_machine_s_answers_grow_old() {
    Sandbox::enter(|sandbox| {
        let server = Server::on(sandbox, &["127.0.0.1:53"], |q: &Question| {
            Reply::records([Record::address(&q.name, "192.0.2.1").ttl(300)])
        });
        for (seconds, want) in [("200", 1), ("400", 2)] {
            server.clear_log();
            let mut command = sandbox.command(cc::program("suspended"));
            command.args(["a.test", seconds]);
            let output = run(sandbox.preload(command), LIMIT);
            assert_eq!(output.out(), "192.0.2.1\n192.0.2.1\n", "{output}");
            assert_eq!(server.asked().len(), want, "{seconds} s");
        }
    });
}
