//! After a lookup, whatever came of it, the process has the descriptors and threads that it had.

mod support;

use support::cc;
use support::differential::LIMIT;
use support::dns::{Question, Reply, Server, Transport};
use support::process::{End, run};
use support::sandbox::Sandbox;
use support::wire::{Record, rcode};
use support::zone::Zone;

use Code::{Error, Is};

/// What getaddrinfo must have returned.
#[derive(Clone, Copy)]
enum Code {
    /// This, from both.
    Is(&'static str),
    /// Any error, not the same from both: libc takes a broken connection for a name that doesn't
    /// exist.
    Error,
}

/// Runs one lookup in a process of its own, with libc and with the library: both must end with
/// `code`, and leave nothing.
fn leaves_nothing(sandbox: &Sandbox, lookup: &str, code: Code) {
    run_one(sandbox, lookup, code, false);
    run_one(sandbox, lookup, code, true);
}

fn run_one(sandbox: &Sandbox, lookup: &str, code: Code, preload: bool) {
    let mut command = sandbox.command(cc::program("gai"));
    command.arg("--leak").args(lookup.split_whitespace());
    let command = if preload { sandbox.preload(command) } else { command };
    let got = run(command, LIMIT);
    let about = format!("{lookup} ({}): {got}", if preload { "rustdns" } else { "libc" });
    assert_eq!(got.end, End::Exit(0), "{about}");
    let text = got.out();
    let returned = text.lines().next().unwrap_or_default();
    match code {
        Is(code) => assert_eq!(returned, code, "{about}"),
        Error => assert!(returned.starts_with("EAI_"), "{about}"),
    }
    let (mut fds, mut threads) = (None, None);
    for line in text.lines() {
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            // What is new would follow, and make the line none of these.
            ["fds", "before", before, "after", after] => fds = Some(before == after),
            ["threads", "before", before, "after", after] => threads = Some(before == after),
            _ => {}
        }
    }
    assert_eq!((fds, threads), (Some(true), Some(true)), "{about}");
}

/// The same with a server that answers every question in this way, over either transport.
fn with_answer(lookup: &str, code: Code, script: fn(&Question) -> Reply) {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "options timeout:1 attempts:1\n");
        let _server = Server::start(sandbox, script);
        leaves_nothing(sandbox, lookup, code);
    });
}

#[test]
fn hosts_and_numbers() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/hosts", "192.0.2.1 listed.test\n");
        leaves_nothing(sandbox, "gai listed.test 80", Is("0"));
        leaves_nothing(sandbox, "gai 192.0.2.1 80", Is("0"));
        leaves_nothing(sandbox, "gni 192.0.2.1 80", Is("0"));
        leaves_nothing(sandbox, "gai - http", Is("0"));
        leaves_nothing(sandbox, "gai -f 99 listed.test 80", Is("EAI_FAMILY"));
        leaves_nothing(sandbox, "gai -F 0x4000000 listed.test 80", Is("EAI_BADFLAGS"));
        leaves_nothing(sandbox, "gai 127.0.0.1 nosuch", Is("EAI_SERVICE"));
    });
}

#[test]
fn answers_from_dns() {
    Sandbox::enter(|sandbox| {
        let zone = Zone::new()
            .a("host.test", "192.0.2.1")
            .aaaa("host.test", "2001:db8::1")
            .ptr("192.0.2.1", "host.test")
            .nxdomain_else();
        let _server = Server::start(sandbox, zone);
        leaves_nothing(sandbox, "gai host.test 80", Is("0"));
        leaves_nothing(sandbox, "gai -f inet6 -F CANONNAME host.test 80", Is("0"));
        leaves_nothing(sandbox, "gai nobody.test 80", Is("EAI_NONAME"));
        leaves_nothing(sandbox, "gni 192.0.2.1 80", Is("0"));
        leaves_nothing(sandbox, "gni -F NAMEREQD 192.0.2.77 80", Is("EAI_NONAME"));
        leaves_nothing(sandbox, "gai -r 50 host.test 80", Is("0"));
        leaves_nothing(sandbox, "gai -n 16 -r 4 host.test 80", Is("0"));
    });
}

#[test]
fn no_server_listens() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "options timeout:1 attempts:1\n");
        leaves_nothing(sandbox, "gai host.test 80", Is("EAI_AGAIN"));
        leaves_nothing(sandbox, "gai -n 8 host.test 80", Is("EAI_AGAIN"));
        sandbox.append("/etc/resolv.conf", "options use-vc\n");
        leaves_nothing(sandbox, "gai host.test 80", Is("EAI_AGAIN"));
        sandbox.without_loopback();
        // libc waits for ever here.
        run_one(sandbox, "gai host.test 80", Is("EAI_AGAIN"), true);
    });
}

#[test]
fn a_silent_server() {
    with_answer("gai host.test 80", Is("EAI_AGAIN"), |_| Reply::drop());
    with_answer("gai -n 8 host.test 80", Is("EAI_AGAIN"), |_| Reply::drop());
}

#[test]
fn a_server_that_fails() {
    with_answer("gai host.test 80", Is("EAI_AGAIN"), |_| Reply::rcode(rcode::SERVFAIL));
    with_answer("gai host.test 80", Is("EAI_AGAIN"), |_| Reply::rcode(rcode::REFUSED));
    with_answer("gai host.test 80", Is("EAI_AGAIN"), |_| Reply::raw(*b"no message"));
    with_answer("gai host.test 80", Is("EAI_AGAIN"), |q| {
        Reply::records([Record::address(&q.name, "192.0.2.1")]).wrong_id()
    });
}

#[test]
fn answers_over_tcp() {
    fn over_tcp(q: &Question, tcp: impl FnOnce(Reply) -> Reply) -> Reply {
        match q.transport {
            Transport::Udp => Reply::empty().truncated(),
            Transport::Tcp => tcp(Reply::records([Record::address(&q.name, "192.0.2.1")])),
        }
    }
    with_answer("gai -f inet host.test 80", Is("0"), |q| over_tcp(q, |reply| reply));
    with_answer("gai -f inet host.test 80", Is("0"), |q| over_tcp(q, |reply| reply.segments(1)));
    with_answer("gai -f inet -n 8 host.test 80", Is("0"), |q| over_tcp(q, |reply| reply));
    with_answer("gai -f inet host.test 80", Error, |q| over_tcp(q, |_| Reply::close()));
    with_answer("gai -f inet host.test 80", Error, |q| {
        over_tcp(q, |reply| reply.cut(20).then(Reply::close()))
    });
    with_answer("gai -f inet host.test 80", Error, |q| {
        over_tcp(q, |reply| reply.length_error(5).then(Reply::close()))
    });
}

#[test]
fn errno_is_kept_when_a_lookup_succeeds() {
    Sandbox::enter(|sandbox| {
        let zone = Zone::new().a("host.test", "192.0.2.1").ptr("192.0.2.1", "host.test");
        let _server = Server::start(sandbox, zone);
        let mut command = sandbox.preload(sandbox.command(cc::program("gai")));
        command.args(["--batch", "-e"]);
        let calls = "gai -f inet host.test 80\ngai localhost -\ngai 127.0.0.1 http\n\
                     gni 192.0.2.1 80\ngni 127.0.0.1 80\n";
        let got = support::process::run_with_input(command, calls.as_bytes(), LIMIT);
        assert_eq!(got.out().lines().filter(|line| *line == "0").count(), 5, "{got}");
    });
}
