//! `mdns` against nss-mdns with Avahi, in two networks joined by a cable; and with a neighbour that says
//! whatever a test wants.
#![allow(unsafe_code, reason = "a thread enters a network namespace of its own")]

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use super::support::cc;
use super::support::conversation::Conversation;
use super::support::differential::{LIMIT, probe};
use super::support::dns::Server;
use super::support::peers::{self, Daemon, compare_probe};
use super::support::process::{Output, run, unhurried};
use super::support::sandbox::Sandbox;
use super::support::wire::Record;
use super::support::zone::Zone;
use crate::assert_same;

/// The host at the other end of the cable.
const NEIGHBOUR: [&str; 3] = ["192.0.2.5/24", "2001:db8::5/64", "fe80::5/64"];

/// Ours.
const OWN: [&str; 3] = ["192.0.2.9/24", "2001:db8::9/64", "fe80::9/64"];

/// Runs `body` in a thread at the other end of the cable, which has a network of its own with these
/// addresses; returns what `body` returns, and keeps the thread and with it the network.
fn neighbour<T: Send + 'static>(
    sandbox: &Sandbox,
    own: &[&str],
    addresses: &'static [&'static str],
    body: impl FnOnce() -> T + Send + 'static,
) -> T {
    for address in own {
        sandbox.address(address);
    }
    let (tell_thread, thread_is) = mpsc::channel();
    let (connect, connected) = mpsc::channel();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        // SAFETY: unshare takes flags only, and changes nothing but the calling thread.
        let left = unsafe { libc::unshare(libc::CLONE_NEWNET | libc::CLONE_NEWNS) };
        assert_eq!(left, 0, "unshare");
        // SAFETY: gettid has no preconditions.
        tell_thread.send(unsafe { libc::gettid() }).unwrap();
        connected.recv().unwrap();
        let ip = |words: String| {
            let status = Command::new("ip").args(words.split_whitespace()).status().unwrap();
            assert!(status.success(), "ip {words}");
        };
        ip("link set peer0 addrgenmode none".to_owned());
        ip("link set peer0 up".to_owned());
        for address in addresses {
            let no_dad = if address.contains(':') { " nodad" } else { "" };
            ip(format!("address add {address} dev peer0{no_dad}"));
        }
        tell.send(body()).unwrap();
        loop {
            thread::park();
        }
    });
    let thread = thread_is.recv().unwrap();
    sandbox.ip(&format!("link set peer0 netns {thread}"));
    connect.send(()).unwrap();
    let told = told.recv_timeout(Duration::from_secs(20)).unwrap();
    // The kernel tells of a carrier up to a second later, and what is kept is forgotten then.
    let settled = (0..200).any(|_| {
        let mut show = sandbox.command("ip");
        show.args(["-o", "link", "show", "out0"]);
        run(show, LIMIT).out().contains(" state UP ") || {
            thread::sleep(Duration::from_millis(50));
            false
        }
    });
    assert!(settled, "the link to the neighbour has no carrier");
    told
}

/// What Avahi on the neighbour publishes beside its own name.
const HOSTS: &str = "192.0.2.50 printer.local\n2001:db8::66 six.local\n169.254.7.7 linked.local\n";

/// Both hosts with Avahi, and a DNS that has no zone `local`, unless it is said to have one.
fn with_avahi(line: &str, zone: Zone, test: impl FnOnce(&Sandbox, &Path, &Server) + Send) {
    with_avahi_at(&NEIGHBOUR, line, zone, test);
}

/// The same with other addresses of the neighbour's.
fn with_avahi_at(
    addresses: &'static [&'static str],
    line: &str,
    zone: Zone,
    test: impl FnOnce(&Sandbox, &Path, &Server) + Send,
) {
    let Some(peers) = peers::folder() else { return };
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/nsswitch.conf", format!("hosts: {line}\n"));
        let server = Server::start(sandbox, zone.nxdomain_else());
        let folder = sandbox.scratch();
        let _neighbour = neighbour(sandbox, &OWN, addresses, move || {
            // Its own socket, and its own list of hosts, which the daemon keeps an eye on.
            for own in ["/run/avahi-daemon", "/etc/avahi"] {
                fs::create_dir_all(own).unwrap();
                let mut mount = Command::new("mount");
                mount.args(["-t", "tmpfs", "tmpfs", own]);
                assert!(mount.status().unwrap().success());
            }
            Daemon::avahi(&folder, peers, "remote", HOSTS)
        });
        let _own = Daemon::avahi(&sandbox.scratch(), peers, "own", "");
        test(sandbox, peers, &server);
    });
}

/// Calls of `gai` both ways, each in a process of its own, all at once: some take five seconds.
fn compare_slow(sandbox: &Sandbox, peers: &Path, calls: &[&str]) {
    let commands: Vec<[Command; 2]> = calls
        .iter()
        .map(|call| {
            let command = || {
                let mut command = sandbox.command(cc::program("gai"));
                command.args(call.split_whitespace());
                command
            };
            let mut libc = command();
            libc.env("LD_LIBRARY_PATH", peers.join("lib"));
            [libc, sandbox.preload(command())]
        })
        .collect();
    let outputs = at_once(commands.into_iter().flatten());
    for (call, pair) in calls.iter().zip(outputs.chunks(2)) {
        assert_eq!(pair[0].to_string(), pair[1].to_string(), "{call}: libc, rustdns");
    }
}

/// Runs all, each in a thread that is in the same namespaces.
fn at_once(commands: impl Iterator<Item = Command>) -> Vec<Output> {
    let threads: Vec<_> =
        commands.map(|command| thread::spawn(move || run(command, LIMIT))).collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

#[test]
fn both_families_and_names_that_nobody_has() {
    let line = "mdns_minimal [NOTFOUND=return] dns";
    let zone = Zone::new().a("absent.local", "192.0.2.77");
    with_avahi(line, zone, |sandbox, peers, _| {
        compare_slow(
            sandbox,
            peers,
            &[
                "-t stream -f inet6 -F CANONNAME remote.local 80",
                "-t stream -f inet6 six.local 80",
                "-t stream -f inet printer.local 80",
                "-t stream absent.local 80",
                "-t stream -f inet6 printer.local 80",
                "gni -F NAMEREQD fe80::5%out0 80",
                "gni -F NAMEREQD 169.254.9.9 80",
            ],
        );
    });
}

#[test]
fn a_zone_local_in_the_dns_takes_its_names_back() {
    let zone = Zone::new().record(Record::soa("local")).a("remote.local", "192.0.2.77");
    with_avahi("mdns4_minimal [NOTFOUND=return] dns", zone, |sandbox, peers, _| {
        let pair = compare_probe(sandbox, peers, "gai", "-t stream remote.local 80\n");
        assert!(pair.libc.out().contains("192.0.2.77 port"), "{}", pair.libc);
        assert_same!(pair);
    });
}

#[test]
fn mdns_allow_is_for_the_services_that_are_not_minimal() {
    with_avahi("mdns4 [NOTFOUND=return] dns", Zone::new(), |sandbox, peers, _| {
        sandbox.write("/etc/mdns.allow", ".local\n");
        compare_slow(
            sandbox,
            peers,
            &[
                "-t stream -F CANONNAME remote.local 80",
                "-t stream a.remote.local 80",
                "gni -F NAMEREQD 192.0.2.50 80",
            ],
        );
        sandbox.write("/etc/mdns.allow", "test\n");
        compare_slow(sandbox, peers, &["-t stream remote.local 80"]);
    });
}

/// A neighbour whose answers depend on the first label that it is asked about; returns what it is asked.
fn scripted(sandbox: &Sandbox, own: &[&str]) -> Arc<Mutex<Vec<String>>> {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    neighbour(sandbox, own, &["192.0.2.5/24"], move || {
        let socket = UdpSocket::bind("0.0.0.0:5353".parse::<SocketAddr>().unwrap()).unwrap();
        socket
            .join_multicast_v4(&Ipv4Addr::new(224, 0, 0, 251), &Ipv4Addr::new(192, 0, 2, 5))
            .unwrap();
        let bind = |at: &str| UdpSocket::bind(at.parse::<SocketAddr>().unwrap()).unwrap();
        let other = bind("192.0.2.5:5354");
        thread::spawn(move || {
            let mut buffer = [0; 1500];
            loop {
                let (len, from) = socket.recv_from(&mut buffer).unwrap();
                let query = &buffer[..len];
                let label =
                    String::from_utf8_lossy(&query[13..13 + usize::from(query[12])]).into_owned();
                let qtype = query[len - 3];
                log.lock().unwrap().push(format!("{label} {qtype}"));
                let (socket, message) = match &*label {
                    "port" => (&other, answer(query, &Part::default())),
                    _ => (&socket, script(&label, query)),
                };
                if !message.is_empty() {
                    socket.send_to(&message, from).unwrap();
                }
            }
        });
    });
    asked
}

/// What may be wrong with an answer.
struct Part {
    id: u16,
    flags: u16,
    name: Option<&'static [u8]>,
    qtype: Option<u8>,
    class: u16,
    ttl: u32,
    data: Vec<u8>,
}

impl Default for Part {
    fn default() -> Part {
        Part {
            id: 0,
            flags: 0x8400,
            name: None,
            qtype: None,
            class: 1,
            ttl: 10,
            data: vec![192, 0, 2, 50],
        }
    }
}

/// The answer to a query: its id changed by so much, its question, and one record.
fn answer(query: &[u8], part: &Part) -> Vec<u8> {
    let id = u16::from_be_bytes([query[0], query[1]]) ^ part.id;
    let mut message = id.to_be_bytes().to_vec();
    message.extend(part.flags.to_be_bytes());
    message.extend([0, 1, 0, 1, 0, 0, 0, 0]);
    message.extend(&query[12..]);
    message.extend(part.name.unwrap_or(b"\xc0\x0c"));
    message.extend([0, part.qtype.unwrap_or(query[query.len() - 3])]);
    message.extend(part.class.to_be_bytes());
    message.extend(part.ttl.to_be_bytes());
    message.extend((part.data.len() as u16).to_be_bytes());
    message.extend(&part.data);
    message
}

/// A host's word that its name has these types alone (RFC 6762 section 6.1), behind an answer.
fn alone(mut message: Vec<u8>, data: &[u8]) -> Vec<u8> {
    message[11] += 1;
    message.extend(b"\xc0\x0c\x00\x2f\x80\x01\x00\x00\x00\x0a");
    message.extend((data.len() as u16).to_be_bytes());
    message.extend(data);
    message
}

/// The same without an answer.
fn none_but(query: &[u8], data: &[u8]) -> Vec<u8> {
    let mut message = answer(query, &Part::default());
    message[7] = 0;
    message.truncate(query.len());
    alone(message, data)
}

fn script(label: &str, query: &[u8]) -> Vec<u8> {
    let is_v6 = query[query.len() - 3] == 28;
    let link_local = || "fe80::50".parse::<std::net::Ipv6Addr>().unwrap().octets().to_vec();
    let part = match label {
        "plain" if is_v6 => return Vec::new(),
        "plain" | "cached" => Part::default(),
        "flush" => Part { class: 0x8001, ..Part::default() },
        "linked" => Part { data: link_local(), ..Part::default() },
        "alias" => {
            Part { qtype: Some(5), data: b"\x05plain\x05local\0".to_vec(), ..Part::default() }
        }
        "loop" => Part { qtype: Some(5), data: b"\xc0\x0c".to_vec(), ..Part::default() },
        "id" => Part { id: 1, ..Part::default() },
        "query" => Part { flags: 0, ..Part::default() },
        "opcode" => Part { flags: 0xa400, ..Part::default() },
        "rcode" => Part { flags: 0x8403, ..Part::default() },
        "name" => Part { name: Some(b"\x05other\x05local\0"), ..Part::default() },
        "type" => Part { qtype: Some(16), ..Part::default() },
        "class" => Part { class: 3, ..Part::default() },
        "day" => Part { ttl: 86_400, ..Part::default() },
        "going" => Part { ttl: 0, ..Part::default() },
        "short" => Part { data: vec![192, 0, 2], ..Part::default() },
        "cut" => return answer(query, &Part::default())[..30].to_vec(),
        "single" if is_v6 => return Vec::new(),
        "single" => return alone(answer(query, &Part::default()), b"\xc0\x0c\x00\x01\x40"),
        // TXT alone.
        "neither" => return none_but(query, b"\xc0\x0c\x00\x03\x00\x00\x80"),
        // An alias, A; and what is no such record: of another name, of other types, cut, too long, empty.
        "maybe" => return none_but(query, b"\xc0\x0c\x00\x01\x04"),
        "has" => return none_but(query, b"\xc0\x0c\x00\x01\x40"),
        "foreign" => return none_but(query, b"\x05other\x05local\0\x00\x01\x00"),
        "window" => return none_but(query, b"\xc0\x0c\x01\x01\x00"),
        "less" => return none_but(query, b"\xc0\x0c\x00\x02\x00"),
        "more" => return none_but(query, b"\xc0\x0c\x00\x01\x00\x00"),
        "empty" => return none_but(query, b"\xc0\x0c\x00\x00"),
        "unsaid" => return none_but(query, b"\xc0\x0c"),
        _ => return Vec::new(),
    };
    answer(query, &part)
}

/// What `--leak` has counted before and after a call is the same.
fn leaves_nothing(output: &Output) -> bool {
    let out = output.out();
    let counted: Vec<&str> = out.lines().filter(|line| line.contains(" before ")).collect();
    counted.len() == 2
        && counted.iter().all(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            words[2] == words[4]
        })
}

fn call(sandbox: &Sandbox, words: &str) -> Command {
    let mut command = sandbox.command(cc::program("gai"));
    command.args(words.split_whitespace());
    sandbox.preload(command)
}

#[test]
fn answers_are_checked() {
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/nsswitch.conf", "hosts: mdns4_minimal [NOTFOUND=return]\n");
        let asked = scripted(sandbox, &["192.0.2.9/24"]);
        for name in ["plain", "flush", "alias"] {
            let output = run(call(sandbox, &format!("--leak -t stream {name}.local 80")), LIMIT);
            assert!(output.out().contains("192.0.2.50 port"), "{name}: {output}");
            assert!(leaves_nothing(&output), "{name}: {output}");
        }
        let wrong = [
            "id", "query", "opcode", "rcode", "name", "type", "class", "going", "short", "cut",
            "port", "loop", "silent",
        ];
        let outputs = at_once(
            wrong.iter().map(|name| call(sandbox, &format!("--leak -t stream {name}.local 80"))),
        );
        for (name, output) in wrong.iter().zip(outputs) {
            assert!(output.out().starts_with("EAI_NONAME\n"), "{name}: {output}");
            assert!(leaves_nothing(&output), "{name}: {output}");
        }
        // Sent three times, and no more.
        let silent = asked.lock().unwrap().iter().filter(|asked| *asked == "silent 1").count();
        assert_eq!(silent, 3);
    });
}

#[test]
fn what_a_host_says_that_it_has_not_is_not_waited_for() {
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/nsswitch.conf", "hosts: mdns_minimal [NOTFOUND=return]\n");
        let asked = scripted(sandbox, &["192.0.2.9/24"]);
        let asked = |name: &str| {
            let asked = asked.lock().unwrap();
            asked.iter().filter(|asked| asked.starts_with(&format!("{name} "))).count()
        };
        // Less than is waited for the other family.
        let limit = Duration::from_millis(250);
        let output = unhurried(limit, || run(call(sandbox, "-t stream single.local 80"), LIMIT));
        assert!(output.out().contains("192.0.2.50 port") && output.took < limit, "{output}");

        let output = run(call(sandbox, "--leak -t stream neither.local 80"), LIMIT);
        assert!(output.out().starts_with("EAI_NONAME\n") && leaves_nothing(&output), "{output}");
        // Both are asked in one go, and the answer to one of them may be there before the other is read.
        let asked_both = || {
            let mut counts = (0..100).map(|_| {
                thread::sleep(Duration::from_millis(20));
                asked("neither")
            });
            counts.find(|count| count % 2 == 0).unwrap()
        };
        let before = asked_both();
        let mut process = Conversation::begin(sandbox, &[]);
        let mut times = [0; 2];
        for so_far in &mut times {
            let (answer, _) = process.call("gai -t stream neither.local -");
            assert!(answer.starts_with("EAI_NONAME"), "{answer}");
            *so_far = asked_both();
        }
        assert!(times[0] > before && times[1] == times[0], "kept: {before} {times:?}");

        let unsaid = ["maybe", "has", "foreign", "window", "less", "more", "empty", "unsaid"];
        let calls = unsaid.iter();
        let calls = calls.map(|name| call(sandbox, &format!("-t stream -f inet {name}.local 80")));
        for (name, output) in unsaid.iter().zip(at_once(calls)) {
            assert!(output.out().starts_with("EAI_NONAME\n"), "{name}: {output}");
            assert_eq!(asked(name), 3, "{name}");
        }
    });
}

#[test]
fn answers_are_kept_for_their_time() {
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/nsswitch.conf", "hosts: mdns_minimal [NOTFOUND=return]\n");
        let asked = scripted(sandbox, &["192.0.2.9/24"]);
        // Far enough apart that no answer is taken from the last tenth of a second.
        let calls = "-t stream plain.local 80\n-t stream -f inet plain.local 80\n\
                     -t stream -f inet6 plain.local 80\n-t stream -F CANONNAME plain.local 80\n";
        let output = probe(sandbox, true, calls);
        assert_eq!(output.out().matches("192.0.2.50 port").count(), 3, "{output}");
        assert_eq!(*asked.lock().unwrap(), ["plain 1", "plain 28"]);
    });
}

/// A host may have moved after two minutes (RFC 6762 section 10), whatever it says; the machine may have
/// been suspended meanwhile.
#[test]
fn no_host_s_answer_is_kept_for_more_than_two_minutes() {
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/nsswitch.conf", "hosts: mdns4_minimal [NOTFOUND=return]\n");
        let asked = scripted(sandbox, &["192.0.2.9/24"]);
        for (seconds, want) in [("60", 1), ("130", 2)] {
            asked.lock().unwrap().clear();
            let mut command = sandbox.command(cc::program("suspended"));
            command.args(["day.local", seconds]);
            let output = run(sandbox.preload(command), LIMIT);
            assert_eq!(output.out(), "192.0.2.50\n192.0.2.50\n", "{output}");
            assert_eq!(asked.lock().unwrap().len(), want, "{seconds} s");
        }
    });
}

/// What was heard by a link says nothing once that is gone, though all addresses stay.
#[test]
fn an_answer_is_of_its_link() {
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/nsswitch.conf", "hosts: mdns4_minimal [NOTFOUND=return]\n");
        let asked = scripted(sandbox, &["192.0.2.9/24"]);
        let mut process = Conversation::begin(sandbox, &[]);
        process.finds("day.local", "192.0.2.50");
        thread::sleep(Duration::from_millis(1100));
        process.finds("day.local", "192.0.2.50");
        assert_eq!(*asked.lock().unwrap(), ["day 1"]);
        sandbox.ip("link set out0 down");
        sandbox.ip("link set out0 up");
        thread::sleep(Duration::from_millis(1100));
        process.finds("day.local", "192.0.2.50");
        assert_eq!(*asked.lock().unwrap(), ["day 1", "day 1"]);
    });
}

#[test]
fn link_local_addresses_have_the_zone_that_they_came_from() {
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/nsswitch.conf", "hosts: mdns6_minimal [NOTFOUND=return]\n");
        scripted(sandbox, &["192.0.2.9/24"]);
        let output = run(call(sandbox, "-t stream linked.local 80"), LIMIT);
        let index = fs::read_to_string("/sys/class/net/out0/ifindex");
        assert!(output.out().contains("fe80::50 port 80 scope "), "{output} {index:?}");
    });
}

/// Without an interface that takes part, for other families, and where nothing may leave the host.
#[test]
fn where_nobody_can_be_asked_the_next_service_is() {
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/hosts", "192.0.2.77 plain.local\n");
        sandbox.write("/etc/nsswitch.conf", "hosts: mdns4_minimal [!UNAVAIL=return] files\n");
        let next = |command: Command| {
            let output = run(command, LIMIT);
            assert!(output.out().contains("192.0.2.77"), "{output}");
        };
        next(call(sandbox, "-t stream plain.local 80"));
        let asked = scripted(sandbox, &["192.0.2.9/24"]);
        let mut test_only = call(sandbox, "-t stream plain.local 80");
        test_only.env("RUSTDNS_MODE", "test-only");
        asked.lock().unwrap().clear();
        next(test_only);
        assert!(asked.lock().unwrap().is_empty());
    });
}

#[test]
fn what_avahi_knows_is_found_without_it() {
    with_avahi(
        "mdns4_minimal [NOTFOUND=return] dns",
        Zone::new().a("a.remote.local", "192.0.2.77"),
        |sandbox, peers, _| {
            let mut calls = Vec::new();
            for name in [
                "remote.local",
                "Remote.LOCAL.",
                "printer.local",
                "own.local",
                "a.remote.local",
                "other.test",
                "local",
            ] {
                for family in ["unspec", "inet"] {
                    calls.push(format!("-t stream -f {family} -F CANONNAME {name} 80"));
                }
            }
            calls.push("gni -F NAMEREQD 169.254.7.7 80".to_owned());
            calls.push("gni -F NAMEREQD 192.0.2.50 80".to_owned());
            compare_slow(sandbox, peers, &calls.iter().map(String::as_str).collect::<Vec<_>>());
            for (name, address) in [("remote", "192.0.2.5"), ("printer", "192.0.2.50")] {
                let found = probe(sandbox, true, &format!("-t stream {name}.local 80\n"));
                assert!(found.out().contains(&format!("{address} port 80")), "{found}");
            }
            let found = probe(sandbox, true, "gni -F NAMEREQD 169.254.7.7 80\n");
            assert!(found.out().contains("host=linked.local"), "{found}");
            let calls = "name2 -f inet printer.local\naddr -f inet 169.254.7.7\n";
            assert_same!(compare_probe(sandbox, peers, "hostent", calls));
        },
    );
}

/// Avahi tells the module one.
#[test]
fn several_addresses_of_one_name() {
    let line = "mdns4_minimal [NOTFOUND=return] dns";
    with_avahi_at(&["192.0.2.5/24", "192.0.2.6/24"], line, Zone::new(), |sandbox, peers, _| {
        let pair = compare_probe(sandbox, peers, "gai", "-t stream remote.local 80\n");
        let count = |output: &Output| output.out().matches(" port 80").count();
        assert_eq!(
            (count(&pair.libc), count(&pair.rustdns)),
            (1, 2),
            "{} {}",
            pair.libc,
            pair.rustdns
        );
    });
}

/// The module gives the interface for every IPv6 address, where both families are asked for.
#[test]
fn addresses_beyond_the_link_have_no_zone() {
    let line = "mdns_minimal [NOTFOUND=return] dns";
    with_avahi(line, Zone::new(), |sandbox, peers, _| {
        let pair = compare_probe(sandbox, peers, "gai", "-t stream remote.local 80\n");
        assert!(pair.libc.out().contains("2001:db8::5 port 80 scope "), "{}", pair.libc);
        assert!(pair.rustdns.out().contains("2001:db8::5 port 80\n"), "{}", pair.rustdns);
        assert!(pair.rustdns.out().contains("192.0.2.5 port 80\n"), "{}", pair.rustdns);
    });
}
