//! Names that this host knows itself, and files that have them.

use std::fmt::Write as _;
use std::fs;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::assert_same;
use crate::support::conversation::Conversation;
use crate::support::differential::{LIMIT, Pair, compare_calls, probe};
use crate::support::dns::Server;
use crate::support::process::{Output, run_with_input};
use crate::support::sandbox::Sandbox;
use crate::support::zone::Zone;
use crate::support::{cc, module};

/// What administrators write about `localhost` and names below it.
const HOSTS: &[&str] = &[
    "198.18.0.70 app.localhost\n",
    "2001:db8::70 app.localhost\n",
    "198.18.0.70 app.localhost\n2001:db8::70 app.localhost\n",
    "127.0.0.2 LocalHost app.localhost\n",
    "127.0.0.1 localhost\n",
    "::1 localhost\n",
    "127.0.0.1 me localhost\n::1 me6 localhost\n198.18.0.71 main.localhost app.localhost alias\n",
];

const LINES: &[&str] = &["files dns", "dns files", "files", "dns [NOTFOUND=continue] files"];

/// One process of the probe `hostent`.
fn hostent(sandbox: &Sandbox, preload: bool, calls: &str) -> Output {
    let mut command = sandbox.command(cc::program("hostent"));
    command.arg("--batch");
    let command = if preload { sandbox.preload(command) } else { command };
    run_with_input(command, calls.as_bytes(), LIMIT)
}

/// Every way to look up these names.
fn calls(names: &[&str]) -> [String; 2] {
    let (mut gai, mut host) = (String::new(), String::new());
    for name in names {
        for family in ["unspec", "inet", "inet6"] {
            for flags in ["0", "CANONNAME", "V4MAPPED", "V4MAPPED,ALL"] {
                writeln!(gai, "gai -t stream -f {family} -F {flags} {name} -").unwrap();
            }
        }
        writeln!(host, "name {name}\nname2 -f inet {name}\nname2 -f inet6 {name}").unwrap();
    }
    for address in ["127.0.0.1", "127.0.0.2", "::1", "198.18.0.70", "2001:db8::70"] {
        writeln!(gai, "gni {address} 0\ngni -F NAMEREQD {address} 80").unwrap();
    }
    host += "addr -f inet 127.0.0.1\naddr -f inet6 ::1\naddr -f inet 198.18.0.70\n";
    [gai, host]
}

/// The names that these lines have.
fn names(hosts: &str) -> Vec<&str> {
    let mut names: Vec<&str> = hosts.lines().flat_map(|line| line.split(' ').skip(1)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[test]
fn hosts_wins_for_the_names_that_it_has() {
    for hosts in HOSTS {
        Sandbox::enter(|sandbox| {
            // What RFC 6761 wants of name servers.
            let server = Server::start(sandbox, Zone::new().nxdomain_else());
            sandbox.write("/etc/hosts", hosts);
            let [gai, host] = calls(&names(hosts));
            for line in LINES {
                sandbox.write("/etc/nsswitch.conf", format!("hosts: {line}\n"));
                assert_same!(compare_calls(sandbox, &gai), "{hosts}{line}");
                let [libc, rustdns] = [false, true].map(|ours| hostent(sandbox, ours, &host));
                assert_same!(Pair { what: format!("{hosts}{line}"), libc, rustdns });
            }
            server.clear_log();
            probe(sandbox, true, &gai);
            let asked = server.asked();
            assert!(!asked.iter().any(|asked| asked.contains("localhost")), "{hosts}: {asked:?}");
        });
    }
}

/// In other letters, or with its final dot, it is the same name.
#[test]
fn hosts_wins_however_the_name_is_written() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, Zone::new().nxdomain_else());
        sandbox.write("/etc/hosts", "198.18.0.70 app.localhost\n");
        for line in LINES.iter().filter(|line| **line != "files") {
            sandbox.write("/etc/nsswitch.conf", format!("hosts: {line}\n"));
            for name in ["app.localhost.", "APP.LocalHost.", "App.localhost"] {
                let gai =
                    |family| probe(sandbox, true, &format!("-t stream -f {family} {name} -\n"));
                for family in ["unspec", "inet"] {
                    let said = gai(family).out();
                    assert!(said.contains(" 198.18.0.70 ") && !said.contains("inet6"), "{said}");
                }
                let said = gai("inet6").out();
                assert!(said.contains("EAI_NONAME"), "{line}: {said}");
            }
        }
        // Where the line does not have the file nobody is led to it.
        sandbox.write("/etc/nsswitch.conf", "hosts: dns\n");
        let said = probe(sandbox, true, "-t stream app.localhost -\n").out();
        assert!(said.contains(" 127.0.0.1 ") && !said.contains("198.18.0.70"), "{said}");
    });
}

/// A row of docs/divergences.md: libc asks a server, and believes it.
#[test]
fn hosts_wins_over_a_server() {
    Sandbox::enter(|sandbox| {
        let zone =
            Zone::new().a("app.localhost", "192.0.2.66").aaaa("app.localhost", "2001:db8::66");
        let server = Server::start(sandbox, zone.nxdomain_else());
        sandbox.write("/etc/hosts", "198.18.0.70 app.localhost\n");
        for (line, call, libc, rustdns) in [
            ("files dns", "-f inet6 app.localhost", "2001:db8::66", "EAI_NONAME"),
            ("files dns", "-f inet app.localhost.", "192.0.2.66", "198.18.0.70"),
            ("dns files", "-f inet app.localhost", "192.0.2.66", "198.18.0.70"),
        ] {
            sandbox.write("/etc/nsswitch.conf", format!("hosts: {line}\n"));
            for (preload, answer) in [(false, libc), (true, rustdns)] {
                server.clear_log();
                let said = probe(sandbox, preload, &format!("-t stream {call} -\n")).out();
                assert!(said.contains(answer), "{line}: {call}: {said}");
                assert_eq!(server.asked().is_empty(), preload, "{line}: {call}");
            }
        }
    });
}

/// The module, under libc: as libc's own `dns` beside a server that does not have the name.
#[test]
fn hosts_wins_over_the_module_too() {
    for hosts in HOSTS {
        Sandbox::enter(|sandbox| {
            module::install(sandbox);
            let _server = Server::start(sandbox, Zone::new().nxdomain_else());
            sandbox.write("/etc/hosts", hosts);
            let [gai, host] = calls(&names(hosts));
            for line in LINES {
                let [libc, rustdns] = ["dns", "rustdns"].map(|service| {
                    let line = line.replace("dns", service);
                    sandbox.write("/etc/nsswitch.conf", format!("hosts: {line}\n"));
                    [probe(sandbox, false, &gai), hostent(sandbox, false, &host)]
                });
                for (libc, rustdns) in libc.into_iter().zip(rustdns) {
                    assert_same!(Pair { what: format!("{hosts}{line}"), libc, rustdns });
                }
            }
        });
    }
}

#[test]
fn localhost_has_no_ipv6_where_that_is_off() {
    for off in ["all", "lo"] {
        Sandbox::enter(|sandbox| {
            match off {
                "all" => sandbox.without_ipv6(),
                _ => fs::write("/proc/sys/net/ipv6/conf/lo/disable_ipv6", "1").unwrap(),
            }
            module::install(sandbox);
            sandbox.write("/etc/hosts", "");
            sandbox.address("198.51.100.1/24");
            sandbox.default_route(4);
            for (preload, line) in [(true, "files dns"), (true, "dns files"), (false, "rustdns")] {
                sandbox.write("/etc/nsswitch.conf", format!("hosts: {line}\n"));
                for name in ["localhost", "a.localhost", "localhost."] {
                    let gai =
                        |how| probe(sandbox, preload, &format!("-t stream {how} {name} -\n")).out();
                    let any = gai("-f unspec");
                    assert!(any.contains(" 127.0.0.1 ") && !any.contains("inet6"), "{line}: {any}");
                    let v6 = gai("-f inet6");
                    // Who is asked last has the last word.
                    let code = if line == "dns files" { "EAI_NONAME" } else { "EAI_NODATA" };
                    assert!(v6.contains(code), "{line}: {v6}");
                    let mapped = gai("-f inet6 -F V4MAPPED");
                    assert!(mapped.contains(" ::ffff:127.0.0.1 "), "{line}: {mapped}");
                    let host = hostent(sandbox, preload, &format!("name2 -f inet6 {name}\n")).out();
                    let code = if line == "dns files" { "HOST_NOT_FOUND" } else { "NO_DATA" };
                    assert!(host.contains(code), "{line}: {host}");
                }
            }
        });
    }
}

// ---- a zone on a nameserver line -----------------------------------------------------------------

/// A name server on another host, whose link comes and goes.
struct Far {
    /// The thread in whose namespace it is.
    id: String,
    orders: Sender<&'static str>,
    done: Receiver<()>,
}

impl Far {
    /// Its server ends when it is dropped.
    fn start() -> Far {
        let ((orders, from), (to, done), (tell, id)) = (channel(), channel(), channel());
        thread::spawn(move || {
            Sandbox::enter(move |sandbox| {
                let zone = Zone::new().addresses("a.test", ["192.0.2.1", "2001:db8::1"]);
                let zone = zone.a("b.test", "192.0.2.2").a("c.test", "192.0.2.3");
                let _server = Server::on(sandbox, &["[::]:53"], zone.nxdomain_else());
                let thread = fs::read_link("/proc/thread-self").unwrap();
                tell.send(thread.file_name().unwrap().to_str().unwrap().to_owned()).unwrap();
                while let Ok(order) = from.recv() {
                    sandbox.ip(order);
                    to.send(()).unwrap();
                }
            });
        });
        Far { id: id.recv().unwrap(), orders, done }
    }

    /// Makes the link anew, with this index on our side.
    fn link(&self, sandbox: &Sandbox, index: u32) {
        sandbox.ip(&format!("link add near0 index {index} type veth peer name far0"));
        sandbox.ip("link set near0 addrgenmode none up");
        sandbox.ip("address add fe80::1/64 dev near0 nodad");
        sandbox.ip(&format!("link set far0 netns {}", self.id));
        for order in ["link set far0 addrgenmode none up", "address add fe80::53/64 dev far0 nodad"]
        {
            self.orders.send(order).unwrap();
            self.done.recv().unwrap();
        }
    }
}

/// A row of docs/divergences.md: libc stays with the index that the zone had when resolv.conf was read.
#[test]
fn a_name_server_s_zone_is_an_interface_not_an_index() {
    let find = |name: &str| format!("gai -t stream {name} -");
    // As often as files are looked at.
    let a_while = || thread::sleep(Duration::from_millis(150));
    for setting in [false, true] {
        Sandbox::enter(|sandbox| {
            let far = Far::start();
            let server = match setting {
                true => "",
                false => "nameserver fe80::53%near0\n",
            };
            let conf = format!("{server}options timeout:1 attempts:1\n");
            sandbox.write("/etc/resolv.conf", conf);
            let variables: &[_] =
                if setting { &[("RUSTDNS_UPSTREAM", "fe80::53%near0")] } else { &[] };
            // Before the interface is there.
            let mut early = (!setting).then(|| Conversation::of_libc(sandbox));
            let mut early_ours = Conversation::begin(sandbox, variables);
            for one in early.iter_mut().chain([&mut early_ours]) {
                let (said, _) = one.call(&find("a.test"));
                assert!(said.contains("EAI_AGAIN"), "{said}");
            }
            far.link(sandbox, 71);
            a_while();
            let mut late = (!setting).then(|| Conversation::of_libc(sandbox));
            let mut late_ours = Conversation::begin(sandbox, variables);
            let (order, _) = late_ours.call(&find("a.test"));
            if let (Some(early), Some(late)) = (&mut early, &mut late) {
                assert!(early.call(&find("a.test")).0.contains("EAI_AGAIN"));
                // The socket towards a server with a zone puts the addresses in order like any other.
                assert_eq!(order, late.call(&find("a.test")).0);
            }
            assert!(order.contains(" 2001:db8::1 ") && order.contains(" 192.0.2.1 "), "{order}");
            early_ours.finds("b.test", "192.0.2.2");
            // Made anew, with another index.
            for index in [88, 71, 99] {
                sandbox.ip("link del near0");
                far.link(sandbox, index);
                a_while();
                if let (Some(late), true) = (&mut late, index != 71) {
                    let (said, _) = late.call(&find("b.test"));
                    assert!(said.contains("EAI_AGAIN"), "{said}");
                }
                for ours in [&mut early_ours, &mut late_ours] {
                    ours.finds("c.test", "192.0.2.3");
                }
            }
        });
    }
}
