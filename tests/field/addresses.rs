//! The order of addresses, and what a NULL node and AI_ADDRCONFIG stand for.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, UdpSocket};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::assert_same;
use crate::support::differential::{compare_calls, probe};
use crate::support::dns::{Question, Reply, Server};
use crate::support::peers::{self, RESOLVED, compare_probe};
use crate::support::process::run;
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Record, rtype};
use crate::support::zone::Zone;

/// A host as people have them: an interface with an address of each family, and default routes.
fn furnish(sandbox: &Sandbox) {
    for (address, family) in [("198.51.100.1/24", 4), ("2001:db8:1::1/64", 6)] {
        sandbox.address(address);
        sandbox.default_route(family);
    }
}

// ---- probing -------------------------------------------------------------------------------------

/// An interface that is switched off, one that waits for its address, one that is well. (Number 99 is
/// none.)
const DOWN: u32 = 71;
const TENTATIVE: u32 = 72;
const UP: u32 = 73;
const GONE: u32 = 99;

fn add_interfaces(sandbox: &Sandbox) {
    for (name, number) in [("down0", DOWN), ("wait0", TENTATIVE), ("well0", UP)] {
        sandbox.ip(&format!("link add {name} index {number} type veth peer name {name}-peer"));
        sandbox.ip(&format!("link set {name} addrgenmode none"));
        sandbox.ip(&format!("link set {name}-peer addrgenmode none up"));
    }
    // So many checks for duplicates that the test is over before them.
    fs::write("/proc/sys/net/ipv6/conf/wait0/dad_transmits", "1000").unwrap();
    for name in ["wait0", "well0"] {
        sandbox.ip(&format!("link set {name} up"));
    }
    sandbox.ip("address add fe80::2/64 dev wait0");
    sandbox.ip("address add fe80::3/64 dev well0 nodad");
}

/// Lists of link-local destinations by these interfaces among others, in every order, as
/// systemd-resolved would give them.
fn lists() -> Vec<(String, Vec<String>)> {
    let local = |interface: u32| {
        format!(
            r#"{{"ifindex":{interface},"family":10,"address":[254,128,0,0,0,0,0,0,0,0,0,0,0,0,0,9]}}"#
        )
    };
    let v4 = r#"{"family":2,"address":[192,0,2,1]}"#.to_owned();
    let v6 = r#"{"family":10,"address":[32,1,13,184,0,0,0,0,0,0,0,0,0,0,0,1]}"#.to_owned();
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let mut lists = Vec::new();
    for first in [DOWN, TENTATIVE, UP, GONE, 1] {
        for (number, order) in orders.iter().enumerate() {
            let pick = |at| [local(first), v4.clone(), v6.clone()].into_iter().nth(at);
            let list = order.iter().filter_map(|&at| pick(at)).collect();
            lists.push((format!("l{first}-{number}.test"), list));
        }
        for second in [DOWN, TENTATIVE, UP, GONE] {
            let list = vec![local(first), local(second), v4.clone(), local(first), v6.clone()];
            lists.push((format!("m{first}-{second}.test"), list));
        }
    }
    lists
}

/// Answers every name with its list, as systemd-resolved does; ends with the process.
fn resolved(lists: &[(String, Vec<String>)]) {
    fs::create_dir_all(Path::new(RESOLVED).parent().unwrap()).unwrap();
    let listener = UnixListener::bind(RESOLVED).unwrap();
    let lists = lists.to_vec();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, lists) = (stream.unwrap(), lists.clone());
            thread::spawn(move || {
                let mut request = Vec::new();
                BufReader::new(stream.try_clone().unwrap()).read_until(0, &mut request).unwrap();
                let request = String::from_utf8_lossy(&request).into_owned();
                let found = lists.iter().find(|(name, _)| request.contains(&format!("\"{name}\"")));
                let list = found.map(|(_, list)| list.join(",")).unwrap_or_default();
                let says = format!(r#"{{"parameters":{{"addresses":[{list}],"flags":1}}}}"#);
                // Whoever asked may be gone.
                let _ = stream.write_all(says.as_bytes()).and_then(|()| stream.write_all(b"\0"));
            });
        }
    });
}

#[test]
fn a_probe_leaves_nothing_behind() {
    let Some(folder) = peers::folder() else { return };
    for with_ipv6 in [true, false] {
        Sandbox::enter(|sandbox| {
            match with_ipv6 {
                true => furnish(sandbox),
                false => {
                    sandbox.address("198.51.100.1/24");
                    sandbox.default_route(4);
                }
            }
            add_interfaces(sandbox);
            sandbox.write("/etc/nsswitch.conf", "hosts: resolve\n");
            let lists = lists();
            resolved(&lists);
            let mut calls = String::new();
            for (name, _) in &lists {
                // (For IPv6 alone systemd's module loses the zones.)
                writeln!(calls, "gai -t stream {name} -").unwrap();
            }
            assert_same!(compare_probe(sandbox, folder, "gai", &calls), "IPv6: {with_ipv6}");
        });
    }
}

/// Lists of a server's, that is by the socket that has brought them: destinations of every kind that
/// can't be reached, in every place.
#[test]
fn destinations_that_can_not_be_reached_say_nothing_of_the_others() {
    let bad = ["fe80::9", "ff02::9", "2001:db8:2::9", "192.0.2.99", "::ffff:192.0.2.99", "0.0.0.0"];
    let good = ["192.0.2.1", "2001:db8:1::2", "198.51.100.2"];
    let mut zone = Zone::new();
    let mut names = Vec::new();
    for (number, bad) in bad.iter().enumerate() {
        for at in 0..=good.len() {
            let mut list = good.to_vec();
            list.insert(at, bad);
            let name = format!("n{number}-{at}.test");
            zone = zone.addresses(&name, list);
            names.push(name);
        }
    }
    Sandbox::enter(|sandbox| {
        sandbox.address("198.51.100.1/24");
        sandbox.address("2001:db8:1::1/64");
        sandbox.default_route(4);
        sandbox.ip("-6 route add unreachable 2001:db8:2::/48");
        sandbox.ip("route add unreachable 192.0.2.99/32");
        let hosts: String = names.iter().fold(String::new(), |mut text, name| {
            let number: usize = name[1..2].parse().unwrap();
            let at: usize = name[3..4].parse().unwrap();
            let mut list = good.to_vec();
            list.insert(at, bad[number]);
            list.iter().for_each(|ip| writeln!(text, "{ip} f{name}").unwrap());
            text
        });
        sandbox.append("/etc/hosts", hosts);
        let _server = Server::start(sandbox, zone);
        let mut calls = String::new();
        for name in &names {
            for family in ["unspec", "inet", "inet6"] {
                writeln!(calls, "gai -t stream -f {family} {name} -").unwrap();
                writeln!(calls, "gai -t stream -f {family} f{name} -").unwrap();
            }
        }
        assert_same!(compare_calls(sandbox, &calls));
    });
}

// ---- a NULL node -----------------------------------------------------------------------------------

/// What a host has beside loopback.
const HOSTS: &[(&str, &[&str])] = &[
    ("loopback alone", &[]),
    ("both", &["198.51.100.1/24", "2001:db8:1::1/64"]),
    ("IPv4", &["198.51.100.1/24"]),
    ("IPv6", &["2001:db8:1::1/64"]),
    ("link-local", &["fe80::5/64"]),
    ("IPv4 and link-local", &["198.51.100.1/24", "fe80::5/64"]),
    ("IPv6 off", &["off"]),
    ("IPv6 off, IPv4", &["off", "198.51.100.1/24"]),
];

/// Sets up each of them, and tells `test` which families AI_ADDRCONFIG finds: IPv4, IPv6.
fn on_each_host(test: impl Fn(&Sandbox, &str, [bool; 2]) + Sync) {
    for (what, addresses) in HOSTS {
        Sandbox::enter(|sandbox| {
            let (mut v4, mut v6) = (false, false);
            for &address in *addresses {
                if address == "off" {
                    sandbox.without_ipv6();
                    continue;
                }
                sandbox.address(address);
                let is_v6 = address.contains(':');
                (v4, v6) = (v4 || !is_v6, v6 || is_v6);
                if !address.starts_with("fe80") {
                    sandbox.default_route(if is_v6 { 6 } else { 4 });
                }
            }
            test(sandbox, what, [v4, v6]);
        });
    }
}

#[test]
fn a_null_node_is_narrowed_as_libc_does() {
    on_each_host(|sandbox, what, _| {
        let mut calls = String::new();
        for flags in ["0", "PASSIVE", "ADDRCONFIG", "PASSIVE,ADDRCONFIG", "V4MAPPED,ADDRCONFIG"] {
            for service in ["80", "http", "0"] {
                writeln!(calls, "gai -F {flags} - {service}").unwrap();
                writeln!(calls, "gai -t stream -F {flags},NUMERICSERV - 80").unwrap();
            }
        }
        calls += "gai -N - 80\n";
        for family in ["inet", "inet6"] {
            writeln!(calls, "gai -t stream -f {family} - 80").unwrap();
            writeln!(calls, "gai -t stream -f {family} -F PASSIVE - 80").unwrap();
        }
        assert_same!(compare_calls(sandbox, &calls), "{what}");
    });
}

/// One family that the caller has named is not taken from it, on any host (a row of
/// docs/divergences.md): that it has no other address is no reason why loopback shouldn't be had.
#[test]
fn a_null_node_of_one_family_is_there_though_no_interface_has_an_address() {
    on_each_host(|sandbox, what, has| {
        for (family, has, wildcard) in [("inet", has[0], "0.0.0.0"), ("inet6", has[1], "::")] {
            let call = format!("gai -t stream -f {family} -F PASSIVE,ADDRCONFIG - 80\n");
            let [libc, rustdns] = [false, true].map(|preload| probe(sandbox, preload, &call).out());
            assert_eq!(!libc.contains("EAI_NONAME"), has, "{what}: {libc}");
            assert!(rustdns.contains(&format!(" {wildcard} ")), "{what}: {rustdns}");
        }
    });
}

/// A server as many are: listens at the first address that it is given.
const SERVE: &str = "
import socket, sys
flags = socket.AI_PASSIVE | socket.AI_ADDRCONFIG
listening = []
for family, kind, protocol, _, address in socket.getaddrinfo(None, 8080, 0, socket.SOCK_STREAM, 0, flags):
    server = socket.socket(family, kind, protocol)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6: server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    server.bind(address)
    server.listen()
    listening.append(address[0])
print(*listening)
first = socket.getaddrinfo(None, 8080, 0, socket.SOCK_STREAM, 0, flags)[0]
for own in sys.argv[1:]:
    socket.create_connection((own, 8080), 5).close()
    print('reached', own, 'by', first[4][0])
";

#[test]
fn servers_that_bind_all_or_the_first_start_and_are_reached() {
    for (own, off) in
        [("198.51.100.1/24", true), ("198.51.100.1/24", false), ("2001:db8:1::1/64", false)]
    {
        Sandbox::enter(|sandbox| {
            if off {
                sandbox.without_ipv6();
            }
            sandbox.address(own);
            let address = own.split('/').next().unwrap();
            let [libc, rustdns] = [false, true].map(|preload| {
                let mut command = sandbox.command("/usr/bin/python3");
                command.args(["-c", SERVE, address]);
                run(
                    if preload { sandbox.preload(command) } else { command },
                    Duration::from_secs(60),
                )
            });
            assert!(libc.success() && libc.to_string() == rustdns.to_string(), "{libc}{rustdns}");
        });
    }
}

// ---- AI_ADDRCONFIG ---------------------------------------------------------------------------------

/// The addresses of an answer, in order.
fn addresses(sandbox: &Sandbox, preload: bool, call: &str) -> Vec<IpAddr> {
    let said = probe(sandbox, preload, &format!("{call}\n")).out();
    let words = said.lines().filter(|line| line.trim_start().starts_with("flags="));
    words.filter_map(|line| line.split_whitespace().nth(4)?.parse().ok()).collect()
}

/// Whether a socket can be connected to it, which sends nothing.
fn is_usable(ip: IpAddr) -> bool {
    let any = if ip.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    UdpSocket::bind(any).and_then(|socket| socket.connect((ip, 1))).is_ok()
}

/// Nginx looks up what it listens at with AI_ADDRCONFIG, and does not start where it can't open all of it.
#[test]
fn a_server_at_localhost_starts_where_ipv6_is_off_and_in_hosts() {
    Sandbox::enter(|sandbox| {
        sandbox.without_ipv6();
        sandbox.address("198.51.100.1/24");
        sandbox.default_route(4);
        sandbox.write(
            "/run/nginx.conf",
            "pid /run/nginx.pid; error_log stderr; events {}\n\
             http { access_log off; server { listen localhost:8080; } }\n",
        );
        let [libc, rustdns] = [false, true].map(|preload| {
            let mut command = sandbox.command("/usr/sbin/nginx");
            command.args(["-t", "-c", "/run/nginx.conf"]);
            run(if preload { sandbox.preload(command) } else { command }, Duration::from_secs(60))
        });
        assert!(rustdns.success(), "{rustdns}");
        // To libc `::1` in hosts is 127.0.0.1 once more.
        assert!(libc.err().contains("duplicate listen 127.0.0.1:8080"), "{libc}");
    });
}

#[test]
fn the_configured_family_comes_first() {
    on_each_host(|sandbox, what, [v4, v6]| {
        sandbox.append(
            "/etc/hosts",
            "::1 db.test\n127.0.0.1 db.test\n::1 own.test\n198.51.100.1 own.test\n",
        );
        for name in ["localhost", "db.test", "own.test", "a.localhost"] {
            let plain = addresses(sandbox, true, &format!("gai -t stream {name} -"));
            let found = addresses(sandbox, true, &format!("gai -t stream -F ADDRCONFIG {name} -"));
            let mut libc =
                addresses(sandbox, false, &format!("gai -t stream -F ADDRCONFIG {name} -"));
            // Where libc asks for IPv4 alone, `::1` in hosts is 127.0.0.1 to it, once more.
            libc.dedup();
            libc.retain(|ip| plain.contains(ip));
            // Nothing is lost that can be used, and what libc has comes first, in libc's order.
            let sorted = |list: &[IpAddr]| {
                let mut list = list.to_vec();
                list.sort_unstable();
                list
            };
            let mut usable = plain.clone();
            if v4 != v6 {
                usable.retain(|ip| ip.is_ipv4() == v4 || is_usable(*ip));
            }
            assert_eq!(sorted(&found), sorted(&usable), "{what}: {name}");
            assert_eq!(found.get(..libc.len()), Some(&libc[..]), "{what}: {name}");
            if v4 != v6 && found.len() > 1 {
                let first = found.first().map(IpAddr::is_ipv4);
                assert_eq!(first, Some(v4), "{what}: {name}: {found:?}");
            } else {
                assert_eq!(found, usable, "{what}: {name}");
            }
        }
    });
}

/// What Docker's default looks like: a container without IPv6 that has `::1` all the same.
#[test]
fn a_program_that_takes_the_first_reaches_a_server_on_localhost() {
    const CONNECT: &str = "
const net = require('net'), dns = require('dns');
const server = net.createServer(socket => socket.end()).listen(8080, '127.0.0.1', () => {
  dns.lookup('localhost', { verbatim: true, hints: dns.ADDRCONFIG }, (error, first) => {
    if (error) throw error;
    const socket = net.connect(8080, first, () => { console.log('reached by', first); server.close(); });
    socket.on('error', error => { console.log(String(error)); server.close(); });
  });
});";
    Sandbox::enter(|sandbox| {
        sandbox.address("172.17.0.2/16");
        sandbox.default_route(4);
        let [libc, rustdns] = [false, true].map(|preload| {
            let mut command = sandbox.command("/usr/bin/node");
            command.args(["-e", CONNECT]);
            run(if preload { sandbox.preload(command) } else { command }, Duration::from_secs(60))
        });
        assert_eq!(libc.out(), "reached by 127.0.0.1\n", "{libc}");
        assert_eq!(libc.to_string(), rustdns.to_string());
    });
}

// ---- orders that are remembered ----------------------------------------------------------------------

/// `0.0.0.0` and `::` are the same number; so are other pairs. What was found about one list says
/// nothing of the other.
#[test]
fn an_order_is_remembered_for_its_own_list() {
    fn both(q: &Question) -> Reply {
        let [v4, v6] = match q.name.as_str() {
            "any.test" => ["0.0.0.0", "::"],
            _ => ["127.0.0.1", "::7f00:1"],
        };
        Reply::records([Record::address(&q.name, if q.qtype == rtype::A { v4 } else { v6 })])
    }
    on_each_host(|sandbox, what, _| {
        let _server = Server::on(sandbox, &["127.0.0.1:53"], both);
        // One process: each list in both orders, one after the other within a second.
        sandbox
            .append("/etc/hosts", "0.0.0.0 up.test\n:: up.test\n:: down.test\n0.0.0.0 down.test\n");
        let names = ["any.test", "up.test", "down.test", "loop.test", "-"];
        let mut calls = String::new();
        for first in names {
            for second in names {
                for name in [first, second] {
                    writeln!(calls, "gai -t stream -F PASSIVE {name} 80").unwrap();
                }
            }
        }
        assert_same!(compare_calls(sandbox, &calls), "{what}");
    });
}
