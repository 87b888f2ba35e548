//! The module's functions, called by name.

use std::path::Path;
use std::process::Command;

use crate::support::differential::unified_diff;
use crate::support::dns::Server;
use crate::support::link::{GNU, Link, dist, program};
use crate::support::process::{self, run};
use crate::support::sandbox::Sandbox;
use crate::{LIMIT, MODULE, hosts, script, with_module};

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
        let difference = unified_diff(&expected, &output.out());
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
