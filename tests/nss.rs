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

#[path = "nss/calls.rs"]
mod calls;
#[path = "nss/nscd.rs"]
mod nscd;

use std::time::Duration;

use support::dns::{Question, Reply, Script, Server};
use support::module::{self, MODULE};
use support::process::run;
use support::sandbox::Sandbox;
use support::wire::rcode;
use support::zone::Zone;

const LIMIT: Duration = Duration::from_secs(120);

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
