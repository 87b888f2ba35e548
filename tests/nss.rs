//! The NSS module: called by dlopen, and through libc, as text compared with libc's own dns.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "what goes wrong in a test's own functions must fail as loudly as in the test"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use support::dns::{Question, Reply, Script, Server};
use support::link::{GNU, Link, dist, program};
use support::module::{self, MODULE};
use support::process::{self, run};
use support::sandbox::{Sandbox, skip};
use support::wire::rcode;
use support::zone::Zone;

const LIMIT: Duration = Duration::from_secs(25);

fn zone() -> Zone {
    Zone::new()
        .addresses("host.test", ["192.0.2.1", "192.0.2.2", "2001:db8::1"])
        .a("four.test", "192.0.2.4")
        .aaaa("six.test", "2001:db8::6")
        .cname("alias.test", "middle.test")
        .cname("middle.test", "host.test")
        .txt("text.test", "no address")
        .ptr("192.0.2.1", "host.test")
        .ptr("192.0.2.1", "other.test")
        .ptr("192.0.2.1", "third.test")
        .ptr("2001:db8::1", "host.test")
        .a("short.example.test", "192.0.2.7")
        .nxdomain_else()
}

/// The zone, where `broken.test` is a name that the server has trouble with.
fn script() -> impl Script {
    let zone = zone();
    move |question: &Question| match question.name.as_str() {
        "broken.test" => Reply::rcode(rcode::SERVFAIL),
        _ => zone.answer(question),
    }
}

/// A sandbox with the server and the module where libc looks for modules.
fn with_module(test: impl FnOnce(&Sandbox, &Server) + Send) {
    Sandbox::enter(|sandbox| {
        module::install(sandbox);
        // Beside loopback: getent asks with AI_ADDRCONFIG.
        sandbox.address("192.0.2.200/24");
        sandbox.address("2001:db8::200/64");
        sandbox.write("/etc/resolv.conf", "nameserver 127.0.0.1\nsearch example.test\n");
        sandbox.append("/etc/hosts", "192.0.2.9 listed.test\n");
        let server = Server::start(sandbox, script());
        test(sandbox, &server);
    });
}

fn hosts(sandbox: &Sandbox, services: &str) {
    sandbox.write(
        "/etc/nsswitch.conf",
        format!(
            "hosts: {services}\npasswd: files\ngroup: files\nservices: files\nprotocols: files\n"
        ),
    );
}

/// What a command prints with these services.
fn text(sandbox: &Sandbox, services: &str, words: &[&str], preload: bool) -> String {
    hosts(sandbox, services);
    let mut command = sandbox.command(words[0]);
    command.args(&words[1..]);
    let command = if preload { sandbox.preload(command) } else { command };
    run(command, LIMIT).to_string()
}

const PYTHON: &str = "
import socket
def show(call, *a):
    try: print(call.__name__, a, call(*a))
    except OSError as e: print(call.__name__, a, type(e).__name__, e)
for name in 'host.test', 'alias.test', 'text.test', 'nobody.test', 'broken.test', 'listed.test', 'short':
    for family in 0, socket.AF_INET, socket.AF_INET6:
        show(socket.getaddrinfo, name, 80, family, socket.SOCK_STREAM, 0, socket.AI_CANONNAME)
    if name != 'broken.test': show(socket.gethostbyname_ex, name)
for address in '192.0.2.1', '2001:db8::1', '192.0.2.99':
    show(socket.gethostbyaddr, address)
    show(socket.getnameinfo, (address, 80), socket.NI_NAMEREQD)
";

/// What is asked of libc, in all the ways that reach each function of a module.
fn questions() -> Vec<Vec<&'static str>> {
    let mut all = vec![vec!["python3", "-c", PYTHON]];
    for name in [
        "host.test",
        "alias.test",
        "four.test",
        "six.test",
        "text.test",
        "nobody.test",
        "short",
        "listed.test",
    ] {
        for database in ["ahosts", "ahostsv4", "ahostsv6", "hosts"] {
            all.push(vec!["getent", database, name]);
        }
    }
    for address in ["192.0.2.1", "2001:db8::1", "192.0.2.99", "192.0.2.9"] {
        all.push(vec!["getent", "hosts", address]);
    }
    all
}

#[test]
fn programs_print_what_they_print_with_dns() {
    with_module(|sandbox, _server| {
        for words in questions() {
            let with_libc = text(sandbox, "files dns", &words, false);
            for services in ["files rustdns", "files rustdns [!UNAVAIL=return] dns"] {
                assert_eq!(
                    text(sandbox, services, &words, false),
                    with_libc,
                    "{services} {words:?}"
                );
            }
        }
        // So that equal is not equally empty.
        let text = text(sandbox, "files rustdns", &["getent", "ahosts", "host.test"], false);
        assert!(text.contains("192.0.2.1") && text.contains("2001:db8::1"), "{text}");
    });
}

/// `[!UNAVAIL=return]`: the module's word is the last one, and dns behind it isn't asked.
#[test]
fn what_the_module_says_is_final() {
    with_module(|sandbox, server| {
        for name in ["nobody.test.", "text.test.", "broken.test."] {
            server.clear_log();
            text(sandbox, "rustdns [!UNAVAIL=return] dns", &["getent", "ahosts", name], false);
            let alone = server.asked();
            server.clear_log();
            text(sandbox, "rustdns", &["getent", "ahosts", name], false);
            assert_eq!(alone, server.asked(), "{name}");
        }
    });
}

/// Where libc's dns says "unavailable" of servers that have trouble, which then counts for nothing,
/// the module says "try again": a name is not taken for one that doesn't exist.
#[test]
fn trouble_of_the_servers_is_try_again() {
    with_module(|sandbox, _server| {
        let python = "import socket; print(socket.gethostbyname_ex('broken.test'))";
        let words = ["python3", "-c", python];
        let libc = text(sandbox, "files dns", &words, false);
        assert!(libc.contains("Name or service not known"), "{libc}");
        let module = text(sandbox, "files rustdns", &words, false);
        assert!(module.contains("Temporary failure in name resolution"), "{module}");
    });
}

/// Preloaded as well: the library answers, takes `rustdns` for its own dns, and loads no module.
#[test]
fn preload_and_module_together() {
    with_module(|sandbox, _server| {
        for words in questions().iter().filter(|words| words[1].starts_with("ahosts")) {
            let with_libc = text(sandbox, "files dns", words, false);
            assert_eq!(text(sandbox, "files rustdns", words, true), with_libc, "{words:?}");
        }
        hosts(sandbox, "files rustdns");
        let mut strace = sandbox.command("strace");
        strace.args(["-f", "-e", "trace=openat", "-E"]);
        strace.arg(format!("LD_PRELOAD={}", support::sandbox::preload_library().display()));
        strace.args(["getent", "ahosts", "host.test"]);
        let output = run(strace, LIMIT);
        assert!(output.success() && output.out().contains("192.0.2.1"), "{output}");
        assert!(!output.err().contains("libnss"), "{output}");
    });
}

#[test]
fn nscd() {
    with_module(|sandbox, server| {
        hosts(sandbox, "files rustdns");
        let Some(nscd) = Nscd::start(sandbox) else { return };
        for _ in 0..2 {
            let mut getent = sandbox.command("getent");
            getent.args(["ahosts", "host.test"]);
            let output = run(getent, LIMIT);
            assert!(
                output.success() && output.out().contains("192.0.2.2"),
                "{output}\n{}",
                nscd.log()
            );
        }
        assert_eq!(server.asked().len(), 2, "A and AAAA once: nscd has kept them\n{}", nscd.log());
        assert!(nscd.log().contains("GETAI"), "nscd was asked\n{}", nscd.log());
        let maps = fs::read_to_string(format!("/proc/{}/maps", nscd.child.id())).unwrap();
        assert!(maps.contains(MODULE), "nscd has loaded the module\n{maps}");
    });
}

/// nscd in the foreground; ended when dropped.
struct Nscd {
    child: Child,
    log: PathBuf,
}

impl Nscd {
    fn start(sandbox: &Sandbox) -> Option<Nscd> {
        for folder in ["/run/nscd", "/var/run/nscd"] {
            fs::create_dir_all(folder).unwrap();
        }
        let log = sandbox.scratch().join("nscd.log");
        sandbox.write(
            "/etc/nscd.conf",
            "debug-level 2\nthreads 2\nenable-cache hosts yes\npositive-time-to-live hosts 600\n\
             negative-time-to-live hosts 20\nsuggested-size hosts 211\ncheck-files hosts no\n\
             persistent hosts no\nshared hosts no\nmax-db-size hosts 33554432\n\
             enable-cache passwd no\nenable-cache group no\nenable-cache services no\n\
             enable-cache netgroup no\n",
        );
        let output = fs::File::create(&log).unwrap();
        let mut command = sandbox.command("nscd");
        command.args(["--debug", "--config-file", "/etc/nscd.conf"]);
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let child = match command.spawn() {
            Ok(child) => child,
            Err(e) => {
                skip(&format!("nscd: {e} (see scripts/packages.test)"));
                return None;
            }
        };
        let mut nscd = Nscd { child, log };
        let deadline = Instant::now() + Duration::from_secs(10);
        while !Path::new("/var/run/nscd/socket").exists() {
            assert!(nscd.child.try_wait().unwrap().is_none(), "nscd ended: {}", nscd.log());
            assert!(Instant::now() < deadline, "no socket of nscd's: {}", nscd.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(nscd)
    }

    fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }
}

impl Drop for Nscd {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Runs the C probe on the module.
fn probe(sandbox: &Sandbox, program: &Path, what: &str) -> process::Output {
    let mut command = sandbox.command(program);
    command.arg(dist().join(MODULE)).arg(what);
    run(command, LIMIT)
}

#[test]
fn every_function_tells_status_errno_and_h_errno() {
    let program = program(GNU, "nss_module.c", Link::Libc);
    Sandbox::enter(|sandbox| {
        // The module reads none of these.
        sandbox.remove("/etc/nsswitch.conf");
        sandbox.write("/etc/hosts", "192.0.2.77 nobody.test host.test\n");
        let _server = Server::start(sandbox, script());
        let output = probe(sandbox, &program, "status");
        assert!(output.success(), "{output}");
        let expected = expected();
        let difference = support::differential::unified_diff(&expected, &output.out());
        assert!(expected == output.out(), "{difference}");
    });
}

/// What the probe has to print: by the manual of the GNU C library for the statuses and errno, by
/// libc's dns for h_errno, by the zone for the rest.
fn expected() -> String {
    const FAMILY: &str = "UNAVAIL NETDB_INTERNAL EAFNOSUPPORT";
    let mut lines = String::new();
    let mut line = |words: &[&str]| lines += &(words.concat() + "\n");
    let mut name = |name: &str, both: &str, inet: &str, inet6: &str, canonical: &str| {
        line(&["gethostbyname4_r ", name, ": ", both]);
        line(&["gethostbyname4_r (own tuple) ", name, ": ", both]);
        for (family, three) in [("inet", inet), ("inet6", inet6), ("other", FAMILY)] {
            line(&["gethostbyname3_r ", name, " ", family, ": ", three]);
            // The older functions have no time to tell.
            let two = three.trim_end_matches(" ttl");
            line(&["gethostbyname2_r ", name, " ", family, ": ", two]);
        }
        line(&["gethostbyname_r ", name, " inet: ", inet.trim_end_matches(" ttl")]);
        line(&["getcanonname_r ", name, ": ", canonical]);
    };
    name(
        "host.test",
        "SUCCESS NETDB_SUCCESS host.test: 192.0.2.1 192.0.2.2 2001:db8::1 ttl",
        "SUCCESS NETDB_SUCCESS host.test: 192.0.2.1 192.0.2.2 ttl",
        "SUCCESS NETDB_SUCCESS host.test: 2001:db8::1 ttl",
        "SUCCESS NETDB_SUCCESS host.test",
    );
    name(
        "alias.test",
        "SUCCESS NETDB_SUCCESS host.test: 192.0.2.1 192.0.2.2 2001:db8::1 ttl",
        "SUCCESS NETDB_SUCCESS host.test: 192.0.2.1 192.0.2.2 alias alias.test alias middle.test ttl",
        "SUCCESS NETDB_SUCCESS host.test: 2001:db8::1 alias alias.test alias middle.test ttl",
        "SUCCESS NETDB_SUCCESS host.test",
    );
    let mut nobody = |node: &str, reply: &str| name(node, reply, reply, reply, reply);
    nobody("text.test", "NOTFOUND NO_DATA ENOENT");
    nobody("nobody.test", "NOTFOUND HOST_NOT_FOUND ENOENT");
    nobody("broken.test", "TRYAGAIN TRY_AGAIN EAGAIN");
    name(
        "localhost",
        "SUCCESS NETDB_SUCCESS localhost: ::1 127.0.0.1",
        "SUCCESS NETDB_SUCCESS localhost: 127.0.0.1",
        "SUCCESS NETDB_SUCCESS localhost: ::1",
        "SUCCESS NETDB_SUCCESS localhost",
    );
    let mut nobody = |node: &str, reply: &str| name(node, reply, reply, reply, reply);
    nobody("secret.onion", "NOTFOUND HOST_NOT_FOUND ENOENT");
    nobody("not a name", "NOTFOUND HOST_NOT_FOUND ENOENT");
    nobody("", "NOTFOUND NO_RECOVERY ENOENT");
    let mut address = |address: &str, family: &str, reply: &str| {
        line(&["gethostbyaddr2_r ", address, " ", family, ": ", reply]);
        line(&["gethostbyaddr2_r ", address, " other: ", FAMILY]);
        line(&["gethostbyaddr_r ", address, " ", family, ": ", reply.trim_end_matches(" ttl")]);
        line(&["gethostbyaddr_r ", address, " other: ", FAMILY]);
    };
    address("192.0.2.1", "inet", "SUCCESS NETDB_SUCCESS host.test: 192.0.2.1 ttl");
    address("2001:db8::1", "inet6", "SUCCESS NETDB_SUCCESS host.test: 2001:db8::1 ttl");
    // The IPv4 address in an IPv6 one comes back as IPv4.
    address("::ffff:192.0.2.1", "inet6", "SUCCESS NETDB_SUCCESS host.test: 192.0.2.1 ttl");
    address("192.0.2.99", "inet", "NOTFOUND HOST_NOT_FOUND ENOENT");
    lines
}

#[test]
fn every_size_and_alignment_of_a_buffer() {
    let program = program(GNU, "nss_module.c", Link::Libc);
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, script());
        let output = probe(sandbox, &program, "buffers");
        assert!(output.success(), "{output}");
        assert_eq!(output.out().matches(": ok\n").count(), 13, "{output}");
    });
}

/// The time to live is what is left of it, not what the server said once.
#[test]
fn ttl_runs_down_in_the_cache() {
    with_module(|sandbox, _server| {
        hosts(sandbox, "rustdns");
        let python = "
import ctypes, sys, time
m = ctypes.CDLL('libnss_rustdns.so.2')
def ttl():
    t, e, h = ctypes.c_int32(-1), ctypes.c_int(), ctypes.c_int()
    p, b = ctypes.c_void_p(), ctypes.create_string_buffer(1024)
    s = m._nss_rustdns_gethostbyname4_r(b'host.test', ctypes.byref(p), b, ctypes.c_size_t(1024),
        ctypes.byref(e), ctypes.byref(h), ctypes.byref(t))
    return s, t.value
print(ttl()); time.sleep(1.1); print(ttl())
";
        let mut command = sandbox.command("python3");
        command.args(["-c", python]);
        let output = run(command, LIMIT);
        let text = output.out();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.first(), Some(&"(1, 300)"), "{output}");
        // 1.1 s later, or more on a busy machine.
        let later =
            lines.get(1).and_then(|l| l.strip_prefix("(1, ")?.strip_suffix(')')?.parse().ok());
        assert!(later.is_some_and(|ttl: u32| (200..299).contains(&ttl)), "{output}");
    });
}

/// The module exports its functions, and none of libc's: a program must not be interposed by it.
#[test]
fn a_module_in_the_process_interposes_nothing() {
    let mut nm = Command::new("nm");
    nm.args(["-D", "--defined-only"]).arg(dist().join(MODULE));
    let output = run(nm, LIMIT);
    let text = output.out();
    let names = text.lines().filter_map(|line| line.split_whitespace().nth(2));
    let foreign: Vec<&str> = names.filter(|name| !name.starts_with("_nss_rustdns_")).collect();
    assert!(output.success() && foreign.is_empty(), "{foreign:?}\n{output}");
}
