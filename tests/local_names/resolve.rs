//! `resolve` against systemd's module: with systemd-resolved, and with a peer that says whatever a test
//! wants.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::support::cc;
use super::support::differential::{LIMIT, probe};
use super::support::dns::Server;
use super::support::peers::{self, Daemon, RESOLVED, compare_probe};
use super::support::process::{End, run};
use super::support::sandbox::Sandbox;
use super::support::zone::Zone;
use crate::assert_same;

/// What the peer does with a question.
#[derive(Clone, Debug)]
enum Says {
    /// These octets and the NUL behind them.
    Text(String),
    /// The same, an octet at a time.
    Slowly(String),
    /// These octets, and hangs up.
    Broken(Vec<u8>),
}

/// A varlink peer at `path`; notes the questions.
fn peer(
    path: &Path,
    script: impl Fn(&str) -> Says + Send + Sync + 'static,
) -> Arc<Mutex<Vec<String>>> {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let listener = UnixListener::bind(path).unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (log, script) = (asked.clone(), Arc::new(script));
    // Ends with the process; nobody else gets at its socket.
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (log, script) = (log.clone(), script.clone());
            thread::spawn(move || converse(stream.unwrap(), &log, &*script));
        }
    });
    asked
}

fn converse(mut stream: UnixStream, log: &Mutex<Vec<String>>, script: &dyn Fn(&str) -> Says) {
    let mut request = Vec::new();
    BufReader::new(stream.try_clone().unwrap()).read_until(0, &mut request).unwrap();
    assert_eq!(request.pop(), Some(0));
    let request = String::from_utf8(request).unwrap();
    log.lock().unwrap().push(request.clone());
    // Whoever asked may have enough before the end.
    let mut say = |octets: &[u8]| stream.write_all(octets).is_ok();
    match script(&request) {
        Says::Text(text) => {
            say(text.as_bytes());
            say(b"\0");
        }
        Says::Slowly(text) => {
            for octet in text.bytes().chain([0]) {
                thread::sleep(Duration::from_millis(2));
                if !say(&[octet]) {
                    break;
                }
            }
        }
        Says::Broken(octets) => {
            say(&octets);
        }
    }
}

fn error(name: &str) -> Says {
    Says::Text(format!(r#"{{"error":"{name}","parameters":{{"rcode":2}}}}"#))
}

fn addresses(list: &str) -> Says {
    Says::Text(format!(r#"{{"parameters":{{"addresses":[{list}],"flags":1}}}}"#))
}

fn names(list: &str) -> Says {
    Says::Text(format!(r#"{{"parameters":{{"names":[{list}],"flags":1}}}}"#))
}

const V4: &str = r#"{"ifindex":2,"family":2,"address":[192,0,2,1]}"#;
const V6: &str = r#"{"family":10,"address":[32,1,13,184,0,0,0,0,0,0,0,0,0,0,0,1]}"#;
const LINK_LOCAL: &str =
    r#"{"ifindex":1,"family":10,"address":[254,128,0,0,0,0,0,0,0,0,0,0,0,0,0,1]}"#;

/// One name each, or one address: what the peer says about it.
fn script() -> Vec<(&'static str, Says)> {
    let text = |text: &str| Says::Text(text.to_owned());
    let mut rows: Vec<(&str, Says)> = vec![
        ("v4.test", addresses(V4)),
        ("both.test", addresses(&format!("{V4},{V6}"))),
        ("v6.test", addresses(V6)),
        ("zone.test", addresses(LINK_LOCAL)),
        ("many.test", addresses(&vec![V4; 1000].join(","))),
        ("slow.test", Says::Slowly(format!(r#"{{"parameters":{{"addresses":[{V4}]}}}}"#))),
        ("blanks.test", text(&format!(" {{ \"parameters\" :\n {{\"addresses\": [ {V4} ] }}\t}} "))),
        (
            "alias.test",
            text(&format!(r#"{{"parameters":{{"addresses":[{V4}],"name":"canon.test"}}}}"#)),
        ),
        (
            "escaped.test",
            text(&format!(r#"{{"parameters":{{"addresses":[{V4}],"name":"a\"\\\u0062\/c"}}}}"#)),
        ),
        (
            "flags.test",
            text(&format!(
                r#"{{"parameters":{{"flags":18446744073709551615,"addresses":[{V4}]}}}}"#
            )),
        ),
        // Nothing that can be made sense of.
        ("empty.test", text("")),
        ("open.test", text("{")),
        ("list.test", text("[]")),
        ("null.test", text("null")),
        ("nothing.test", text("{}")),
        ("none-either.test", text(r#"{"parameters":{}}"#)),
        ("no-list.test", text(r#"{"parameters":{"addresses":7}}"#)),
        ("no-object.test", addresses("7")),
        ("no-family.test", addresses(r#"{"address":[192,0,2,1]}"#)),
        ("no-address.test", addresses(r#"{"family":2}"#)),
        ("short.test", addresses(r#"{"family":2,"address":[192,0,2]}"#)),
        ("long.test", addresses(r#"{"family":2,"address":[192,0,2,1,1]}"#)),
        (
            "longer.test",
            addresses(r#"{"family":10,"address":[1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7]}"#),
        ),
        ("other.test", addresses(r#"{"family":10,"address":[192,0,2,1]}"#)),
        ("octet.test", addresses(r#"{"family":2,"address":[192,0,2,256]}"#)),
        ("below.test", addresses(r#"{"family":2,"address":[192,0,2,-1]}"#)),
        ("fraction.test", addresses(r#"{"family":2,"address":[192,0,2,1.5]}"#)),
        ("quoted.test", addresses(r#"{"family":"2","address":[192,0,2,1]}"#)),
        ("cut.test", Says::Broken(br#"{"parameters":{"addresses":["#.to_vec())),
        ("silent.test", Says::Broken(Vec::new())),
        (
            "not-text.test",
            Says::Broken(b"{\"parameters\":{\"addresses\":[],\"name\":\"\xff\"}}\0".to_vec()),
        ),
        ("deep.test", text(&"[".repeat(10_000))),
        // Addresses.
        ("192.0.2.1", names(r#"{"ifindex":1,"name":"one.test"}"#)),
        ("192.0.2.2", names(r#"{"name":"two.test"},{"name":"second.test"},{"name":"third.test"}"#)),
        ("192.0.2.4", names("{}")),
        ("192.0.2.5", error("io.systemd.Resolve.NoNameServers")),
        ("192.0.2.6", error("io.systemd.Resolve.DNSError")),
        ("192.0.2.7", error("io.systemd.Disconnected")),
        ("192.0.2.8", text(r#"{"parameters":{}}"#)),
        ("2001:db8::1", names(r#"{"name":"six.test"}"#)),
        ("::ffff:192.0.2.1", names(r#"{"name":"mapped.test"}"#)),
    ];
    rows.extend(ERRORS.iter().map(|&(name, text)| (name, error(text))));
    rows
}

/// All that the daemon and varlink know, and two that nobody knows.
const ERRORS: &[(&str, &str)] = &[
    ("e1.test", "io.systemd.Resolve.NoNameServers"),
    ("e2.test", "io.systemd.Resolve.QueryTimedOut"),
    ("e3.test", "io.systemd.Resolve.MaxAttemptsReached"),
    ("e4.test", "io.systemd.Resolve.NetworkDown"),
    ("e5.test", "io.systemd.Resolve.NoSuchResourceRecord"),
    ("e6.test", "io.systemd.Resolve.InvalidReply"),
    ("e7.test", "io.systemd.Resolve.QueryAborted"),
    ("e8.test", "io.systemd.Resolve.DNSSECValidationFailed"),
    ("e9.test", "io.systemd.Resolve.NoTrustAnchor"),
    ("e10.test", "io.systemd.Resolve.ResourceRecordTypeUnsupported"),
    ("e11.test", "io.systemd.Resolve.NoSource"),
    ("e12.test", "io.systemd.Resolve.StubLoop"),
    ("e13.test", "io.systemd.Resolve.DNSError"),
    ("e14.test", "io.systemd.Resolve.CNAMELoop"),
    ("e15.test", "io.systemd.Resolve.BadAddressSize"),
    ("e16.test", "io.systemd.Resolve.ServiceNotProvided"),
    ("e17.test", "io.systemd.Disconnected"),
    ("e18.test", "io.systemd.TimedOut"),
    ("e19.test", "io.systemd.Protocol"),
    ("e20.test", "org.varlink.service.InterfaceNotFound"),
    ("e21.test", "org.varlink.service.MethodNotFound"),
    ("e22.test", "org.varlink.service.MethodNotImplemented"),
    ("e23.test", "org.varlink.service.InvalidParameter"),
    ("e24.test", "org.varlink.service.PermissionDenied"),
    ("e25.test", "org.example.Other"),
    ("e26.test", "x"),
];

/// For which families libc can ask about a row: the module aborts the process where the daemon's answer
/// has others than were asked for, and loses the zone where one was.
fn families(name: &str) -> &'static [&'static str] {
    match name {
        "both.test" | "zone.test" => &["unspec"],
        "v6.test" => &["unspec", "inet6"],
        "v4.test" | "many.test" | "slow.test" | "blanks.test" | "alias.test" | "escaped.test"
        | "flags.test" => &["unspec", "inet"],
        _ => &["unspec", "inet", "inet6"],
    }
}

/// What the peer is asked about: a name, or an address as text.
fn subject(request: &str) -> String {
    if let Some((_, rest)) = request.split_once(r#""name":""#) {
        return rest.split('"').next().unwrap().to_owned();
    }
    let (_, rest) = request.split_once(r#""address":["#).unwrap();
    let octets: Vec<u8> =
        rest.split(']').next().unwrap().split(',').map(|n| n.parse().unwrap()).collect();
    match <[u8; 4]>::try_from(&octets[..]) {
        Ok(v4) => std::net::Ipv4Addr::from(v4).to_string(),
        Err(_) => std::net::Ipv6Addr::from(<[u8; 16]>::try_from(&octets[..]).unwrap()).to_string(),
    }
}

/// The members of a question in the order of their names; numbers stand for themselves.
fn members(request: &str) -> Vec<String> {
    let inner = request.replace("\"parameters\":{", "").replace(['{', '}'], "");
    let mut members: Vec<String> =
        inner.split(",\"").map(|m| m.trim_start_matches('"').to_owned()).collect();
    members.sort_unstable();
    members
}

/// Each row is asked of the module and of the library; behind it stands a hosts file, which is only
/// asked where the daemon counts as unavailable.
#[test]
fn every_answer_means_what_it_means_to_the_module() {
    let Some(peers) = peers::folder() else { return };
    Sandbox::enter(|sandbox| {
        let rows = script();
        let known = rows.clone();
        peer(Path::new(RESOLVED), move |request| {
            let subject = subject(request);
            let row = known.iter().find(|(name, _)| *name == subject);
            row.unwrap_or_else(|| panic!("asked about {subject}")).1.clone()
        });
        let (mut hosts, mut calls, mut host_calls) = (String::new(), String::new(), String::new());
        for (name, _) in &rows {
            if name.parse::<std::net::IpAddr>().is_ok() {
                hosts += &format!("{name} unavailable.test\n");
                calls += &format!("gni -F NAMEREQD {name} 80\n");
                let family = if name.contains(':') { "inet6" } else { "inet" };
                host_calls += &format!("addr -f {family} {name}\n");
            } else {
                hosts += &format!("192.0.2.77 {name}\n2001:db8::77 {name}\n");
                for family in families(name) {
                    calls += &format!("-t stream -f {family} -F CANONNAME {name} 80\n");
                    if *family != "unspec" {
                        host_calls += &format!("name2 -b 65536 -f {family} {name}\n");
                    }
                }
            }
        }
        sandbox.write("/etc/hosts", hosts);
        for line in ["resolve [!UNAVAIL=return] files", "resolve files", "files resolve"] {
            sandbox.write("/etc/nsswitch.conf", format!("hosts: {line}\n"));
            let gai = compare_probe(sandbox, peers, "gai", &calls);
            assert!(gai.libc.success(), "{}", gai.libc);
            assert_same!(gai, "{line}");
            assert_same!(compare_probe(sandbox, peers, "hostent", &host_calls), "{line}");
        }
    });
}

/// The module ends the process where the list is empty, or has another family than was asked for.
#[test]
fn an_answer_that_fits_nothing_ends_no_process() {
    let Some(peers) = peers::folder() else { return };
    Sandbox::enter(|sandbox| {
        peer(Path::new(RESOLVED), |request| match &*subject(request) {
            "none.test" => addresses(""),
            "192.0.2.3" => names(""),
            _ => addresses(V4),
        });
        sandbox.write("/etc/nsswitch.conf", "hosts: resolve [!UNAVAIL=return] files\n");
        for call in ["none.test", "-f inet6 v4.test"] {
            let pair = compare_probe(sandbox, peers, "gai", &format!("-t stream {call} 80\n"));
            assert_eq!(pair.libc.end, End::Signal(libc::SIGABRT), "no divergence: {}", pair.libc);
            assert!(pair.rustdns.out().ends_with("\nEAI_NONAME\n"), "{call}: {}", pair.rustdns);
        }
        // Here it gives whatever stands behind its buffer.
        let output = probe(sandbox, true, "gni -F NAMEREQD 192.0.2.3 80\n");
        assert!(output.out().ends_with("\nEAI_NONAME\n"), "{output}");
    });
}

/// As for `myhostname`: libc has no place for the zone where one family is asked for.
#[test]
fn link_local_addresses_keep_their_zone() {
    let Some(peers) = peers::folder() else { return };
    Sandbox::enter(|sandbox| {
        peer(Path::new(RESOLVED), |_| addresses(LINK_LOCAL));
        sandbox.write("/etc/nsswitch.conf", "hosts: resolve\n");
        let pair = compare_probe(sandbox, peers, "gai", "-t stream -f inet6 zone.test 80\n");
        assert!(pair.libc.out().contains("fe80::1 port 80\n"), "no divergence: {}", pair.libc);
        assert!(pair.rustdns.out().contains("fe80::1 port 80 scope 1\n"), "{}", pair.rustdns);
    });
}

/// systemd 252 takes no answer that has more than it knows of.
#[test]
fn members_that_are_not_known_are_skipped() {
    let Some(peers) = peers::folder() else { return };
    Sandbox::enter(|sandbox| {
        peer(Path::new(RESOLVED), |_| {
            Says::Text(format!(
                r#"{{"x":[{{"y":"}}"}}],"parameters":{{"new":null,"addresses":[{V4}]}},"z":1e9}}"#
            ))
        });
        sandbox.write("/etc/hosts", "192.0.2.77 host.test\n");
        sandbox.write("/etc/nsswitch.conf", "hosts: resolve [!UNAVAIL=return] files\n");
        let pair = compare_probe(sandbox, peers, "gai", "-t stream host.test 80\n");
        assert!(pair.libc.out().contains("192.0.2.77"), "no divergence: {}", pair.libc);
        assert!(pair.rustdns.out().contains("192.0.2.1 port"), "{}", pair.rustdns);
    });
}

/// More than a megabyte is not read.
#[test]
fn an_answer_without_end_is_not_waited_for() {
    Sandbox::enter(|sandbox| {
        peer(Path::new(RESOLVED), |_| Says::Broken(vec![b' '; 8 << 20]));
        sandbox.write("/etc/hosts", "192.0.2.77 host.test\n");
        sandbox.write("/etc/nsswitch.conf", "hosts: resolve [!UNAVAIL=return] files\n");
        let mut command = sandbox.command(cc::program("gai"));
        command.args(["--leak", "-t", "stream", "host.test", "80"]);
        let output = run(sandbox.preload(command), LIMIT);
        assert!(output.success() && output.out().contains("192.0.2.77"), "{output}");
    });
}

/// What is sent, and how often: a name goes as it was given, with one connection a call.
#[test]
fn the_question_is_what_was_asked() {
    let Some(peers) = peers::folder() else { return };
    Sandbox::enter(|sandbox| {
        let asked = peer(Path::new(RESOLVED), |_| error("io.systemd.Resolve.DNSError"));
        sandbox.write("/etc/nsswitch.conf", "hosts: resolve [!UNAVAIL=return] files\n");
        let calls = "-t stream Host.Test. 80\n-t stream -f inet a\\x22\\x5c\\x01é 80\n\
                     -t stream -f inet6 short 80\n-t stream \\xff.test 80\n\
                     gni -F NAMEREQD 192.0.2.1 80\ngni -F NAMEREQD 2001:db8::1 80\n";
        assert_same!(compare_probe(sandbox, peers, "gai", calls));
        let mut asked: Vec<Vec<String>> =
            asked.lock().unwrap().iter().map(|request| members(request)).collect();
        // The one that is no UTF-8 is not sent.
        assert_eq!(asked.len(), 10, "{asked:?}");
        let ours = asked.split_off(5);
        assert_eq!(ours, asked);
    });
}

/// The socket is not asked where nothing may leave the host, and is looked for below `root`.
#[test]
fn root_and_test_only_are_kept() {
    Sandbox::enter(|sandbox| {
        let folder = sandbox.scratch();
        let real = peer(Path::new(RESOLVED), |_| addresses(V4));
        let other = peer(&folder.join(&RESOLVED[1..]), |_| addresses(V4));
        let count = |asked: &Mutex<Vec<String>>| asked.lock().unwrap().len();
        let run = |variable: &str, value: &str| {
            let mut command = sandbox.command(cc::program("gai"));
            command.arg("-t").arg("stream").arg("host.test").arg("80").env(variable, value);
            run(sandbox.preload(command), LIMIT)
        };
        sandbox.write("/etc/nsswitch.conf", "hosts: resolve\n");
        let output = run("RUSTDNS_MODE", "test-only");
        assert!(!output.out().contains("192.0.2.1"), "{output}");
        assert_eq!((count(&real), count(&other)), (0, 0));
        fs::create_dir_all(folder.join("etc")).unwrap();
        fs::write(folder.join("etc/nsswitch.conf"), "hosts: resolve\n").unwrap();
        let output = run("RUSTDNS_ROOT", folder.to_str().unwrap());
        assert!(output.out().contains("192.0.2.1"), "{output}");
        assert_eq!((count(&real), count(&other)), (0, 1));
    });
}

/// Without the daemon the services behind it are asked, and a stale socket is as good as none.
#[test]
fn without_the_daemon_the_next_service_is_asked() {
    let Some(peers) = peers::folder() else { return };
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/hosts", "192.0.2.77 host.test\n");
        sandbox.write("/etc/nsswitch.conf", "hosts: resolve [!UNAVAIL=return] files\n");
        let calls = "-t stream host.test 80\n-t stream absent.test 80\n\
                     gni -F NAMEREQD 192.0.2.77 80\n";
        for _ in 0..2 {
            let pair = compare_probe(sandbox, peers, "gai", calls);
            assert!(pair.libc.out().contains("192.0.2.77"), "{}", pair.libc);
            assert_same!(pair);
            if !Path::new(RESOLVED).exists() {
                fs::create_dir_all(Path::new(RESOLVED).parent().unwrap()).unwrap();
                drop(UnixListener::bind(RESOLVED).unwrap());
            }
        }
    });
}

/// systemd-resolved itself, with a name server behind it.
#[test]
fn systemd_resolved_answers_as_through_its_module() {
    let Some(peers) = peers::folder() else { return };
    Sandbox::enter(|sandbox| {
        sandbox.host_name("daemons.host");
        sandbox.address("192.0.2.9/24");
        let zone = Zone::new()
            .a("host.test", "192.0.2.1")
            .aaaa("host.test", "2001:db8::1")
            .a("four.test", "192.0.2.4")
            .cname("alias.test", "four.test")
            .ptr("192.0.2.1", "host.test");
        let server = Server::start(sandbox, zone.nxdomain_else());
        let _daemon = Daemon::resolved(
            sandbox,
            peers,
            "DNS=127.0.0.1\nDNSStubListener=no\nLLMNR=no\nMulticastDNS=no\nDNSSEC=no\nCache=no\n",
        );
        sandbox.write("/etc/nsswitch.conf", "hosts: resolve [!UNAVAIL=return] files\n");
        let mut calls = String::new();
        for name in [
            "host.test",
            "four.test",
            "alias.test",
            "absent.test",
            "localhost",
            "_gateway",
            "daemons.host",
            "a..b",
            "short",
            "host.test.",
        ] {
            for family in ["unspec", "inet", "inet6"] {
                calls += &format!("-t stream -f {family} -F CANONNAME {name} 80\n");
            }
        }
        for address in ["192.0.2.1", "192.0.2.2", "127.0.0.1", "::1", "192.0.2.9"] {
            calls += &format!("gni -F NAMEREQD {address} 80\n");
        }
        let pair = compare_probe(sandbox, peers, "gai", &calls);
        assert!(
            pair.libc.out().contains("2001:db8::1 port 80 canonname=host.test"),
            "{}",
            pair.libc
        );
        assert!(pair.libc.out().contains("192.0.2.4 port 80 canonname=four.test"), "{}", pair.libc);
        assert_same!(pair);
        assert!(!server.asked().is_empty());
    });
}
