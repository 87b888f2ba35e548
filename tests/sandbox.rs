//! The test bed itself, tried against the libc of this machine alone.

mod support;

use std::time::Duration;

use support::differential::{compare_calls, probe, unified_diff};
use support::dns::{Question, Reply, Server, Transport};
use support::process::{End, run};
use support::sandbox::Sandbox;
use support::servers::RealServer;
use support::wire::{IN, Record, rtype};
use support::zone::Zone;

/// Far more than anything here takes.
const LIMIT: Duration = Duration::from_secs(20);

fn getent(sandbox: &Sandbox, database: &str, key: &str) -> String {
    let mut command = sandbox.command("getent");
    command.args([database, key]);
    run(command, LIMIT).out()
}

/// The addresses of `getent ahosts`, in order, each once.
fn addresses(sandbox: &Sandbox, name: &str) -> Vec<String> {
    let text = getent(sandbox, "ahosts", name);
    let mut all: Vec<String> =
        text.lines().filter_map(|l| l.split_whitespace().next()).map(str::to_owned).collect();
    all.dedup();
    all
}

#[test]
fn getent_prints_what_the_scripted_server_answers() {
    Sandbox::enter(|sandbox| {
        let zone = Zone::new()
            .a("host.test", "192.0.2.1")
            .aaaa("host.test", "2001:db8::1")
            .ptr("192.0.2.1", "host.test")
            .nxdomain_else();
        let server = Server::start(sandbox, zone);
        let mut found = addresses(sandbox, "host.test");
        found.sort();
        assert_eq!(found, ["192.0.2.1", "2001:db8::1"]);
        let mut asked = server.asked();
        asked.sort();
        assert_eq!(asked, ["host.test 1 udp", "host.test 28 udp"]);
        assert!(server.log().iter().all(|q| q.rd && q.qclass == IN && q.edns.is_none()));
        assert_eq!(getent(sandbox, "hosts", "192.0.2.1"), "192.0.2.1       host.test\n");
    });
}

#[test]
fn nxdomain_follows_the_search_list() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "search one.test two.test\n");
        let server = Server::start(sandbox, Zone::new().nxdomain_else());
        let got = probe(sandbox, false, "gai -f inet nobody -\n");
        assert_eq!(got.out(), "> gai -f inet nobody -\nEAI_NONAME\n");
        let expected = ["nobody.one.test 1 udp", "nobody.two.test 1 udp", "nobody 1 udp"];
        assert_eq!(server.asked(), expected);
        server.clear_log();
        assert!(server.log().is_empty());
    });
}

#[test]
fn a_truncated_answer_is_asked_for_over_tcp() {
    Sandbox::enter(|sandbox| {
        let server = Server::start(sandbox, |q: &Question| match q.transport {
            Transport::Udp => Reply::empty().truncated(),
            Transport::Tcp => Reply::records([Record::address(&q.name, "192.0.2.7")]).segments(1),
        });
        let got = probe(sandbox, false, "gai -f inet -t stream long.test 80\n");
        assert!(got.out().contains("192.0.2.7 port 80"), "{got}");
        assert_eq!(server.asked(), ["long.test 1 udp", "long.test 1 tcp"]);
    });
}

#[test]
fn an_answer_too_large_for_a_datagram_is_truncated_by_the_server() {
    Sandbox::enter(|sandbox| {
        let many: Vec<String> = (1..=100).map(|n| format!("192.0.2.{n}")).collect();
        let zone = Zone::new().addresses("many.test", many.iter().map(String::as_str));
        let server = Server::start(sandbox, zone);
        let got = probe(sandbox, false, "gai -f inet -t stream many.test -\n");
        assert_eq!(got.out().matches("192.0.2.").count(), 100, "{got}");
        assert_eq!(server.asked().last().unwrap(), "many.test 1 tcp");
    });
}

#[test]
fn aliases_wildcards_and_empty_names_answer_as_in_a_zone() {
    Sandbox::enter(|sandbox| {
        let zone = Zone::new()
            .cname("www.test", "web.test")
            .cname("web.test", "farm.test")
            .a("farm.test", "192.0.2.3")
            .a("*.wild.test", "192.0.2.4")
            .a("deep.below.wild.test", "192.0.2.5")
            .nxdomain_else();
        let _server = Server::start(sandbox, zone);
        let calls = "gai -f inet -t stream -F CANONNAME www.test -\n\
                     gai -f inet -t stream any.thing.wild.test -\n\
                     gai -f inet below.wild.test -\ngai -f inet other.below.wild.test -\n";
        let expected = "> gai -f inet -t stream -F CANONNAME www.test -\n0\n  \
                        flags=0x2 inet stream tcp 192.0.2.3 port 0 canonname=farm.test\n\
                        > gai -f inet -t stream any.thing.wild.test -\n0\n  \
                        flags=0x0 inet stream tcp 192.0.2.4 port 0\n\
                        > gai -f inet below.wild.test -\nEAI_NODATA\n\
                        > gai -f inet other.below.wild.test -\nEAI_NONAME\n";
        assert_eq!(probe(sandbox, false, calls).out(), expected);
    });
}

#[test]
fn wrong_answers_are_sent_as_scripted_and_libc_waits_for_the_right_one() {
    Sandbox::enter(|sandbox| {
        // Not among them: a message without QR, which glibc 2.36 takes for an answer.
        let wrong: &[fn(Reply) -> Reply] = &[
            Reply::wrong_id,
            Reply::wrong_port,
            |r| r.wrong_address("127.0.0.2"),
            |r| r.wrong_question("other.test", rtype::A, IN),
        ];
        for (row, change) in wrong.iter().copied().enumerate() {
            let _server = Server::start(sandbox, move |q: &Question| {
                change(Reply::records([Record::address(&q.name, "192.0.2.66")]))
                    .then(Reply::records([Record::address(&q.name, "192.0.2.1")]))
            });
            let got = probe(sandbox, false, "gai -f inet -t stream x.test -\n").out();
            assert!(got.contains("192.0.2.1 ") && !got.contains("192.0.2.66"), "{row}: {got}");
        }
    });
}

#[test]
fn a_delayed_answer_holds_up_no_other_and_not_the_end_of_the_server() {
    Sandbox::enter(|sandbox| {
        let server = Server::start(sandbox, |q: &Question| {
            let reply = Reply::records([Record::address(&q.name, "192.0.2.1")]);
            if q.name == "slow.test" { reply.after(LIMIT * 10) } else { reply }
        });
        sandbox.append("/etc/resolv.conf", "options timeout:1 attempts:1\n");
        let got = probe(sandbox, false, "gai -f inet slow.test -\ngai -f inet fast.test -\n");
        assert!(got.out().contains("EAI_AGAIN") && got.out().contains("192.0.2.1"), "{got}");
        drop(server);
    });
}

#[test]
fn sandboxes_see_neither_the_machine_nor_each_other() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/hosts", "192.0.2.9 here.test\n");
        assert_eq!(addresses(sandbox, "here.test"), ["192.0.2.9"]);
        Sandbox::enter(|inner| assert!(addresses(inner, "here.test").is_empty()));
    });
    let machine = std::fs::read_to_string("/etc/hosts").unwrap();
    assert!(!machine.contains("here.test"));
}

#[test]
fn files_of_etc_are_replaced_by_anything() {
    Sandbox::enter(|sandbox| {
        sandbox.remove("/etc/hosts");
        assert!(!std::fs::exists("/etc/hosts").unwrap());
        sandbox.mkdir("/etc/hosts");
        assert!(std::fs::metadata("/etc/hosts").unwrap().is_dir());
        sandbox.symlink("hosts", "/etc/hosts");
        assert!(std::fs::metadata("/etc/hosts").is_err());
        sandbox.fifo("/etc/hosts");
        sandbox.write("/etc/hosts", b"127.0.0.9 nine.test\n");
        assert_eq!(addresses(sandbox, "nine.test"), ["127.0.0.9"]);
    });
}

#[test]
fn addresses_decide_what_ai_addrconfig_returns() {
    let call = "gai -t stream -F ADDRCONFIG both.test -\n";
    let zone = || Zone::new().a("both.test", "192.0.2.1").aaaa("both.test", "2001:db8::1");
    let cases: &[(&[&str], bool, bool)] = &[
        (&["192.0.2.9/24"], true, false),
        (&["2001:db8::9/64"], false, true),
        (&["192.0.2.9/24", "2001:db8::9/64"], true, true),
    ];
    for &(own, v4, v6) in cases {
        Sandbox::enter(|sandbox| {
            own.iter().for_each(|address| sandbox.address(address));
            let _server = Server::start(sandbox, zone());
            let got = probe(sandbox, false, call).out();
            let found = (got.contains("192.0.2.1 "), got.contains("2001:db8::1 "));
            assert_eq!(found, (v4, v6), "{own:?}: {got}");
        });
    }
}

#[test]
fn loopback_and_ipv6_can_be_switched_off() {
    Sandbox::enter(|sandbox| {
        let list = |sandbox: &Sandbox| {
            let mut command = sandbox.command("ip");
            command.args(["-brief", "address"]);
            run(command, LIMIT).out()
        };
        assert!(list(sandbox).contains("::1/128"), "{}", list(sandbox));
        sandbox.without_ipv6();
        assert!(!list(sandbox).contains("::1/128"), "{}", list(sandbox));
        sandbox.without_loopback();
        assert!(list(sandbox).contains("DOWN"), "{}", list(sandbox));
    });
}

#[test]
fn a_program_that_hangs_is_killed_with_its_children() {
    Sandbox::enter(|sandbox| {
        let mut command = sandbox.command("sh");
        command.args(["-c", "echo started; sleep 1000 & wait"]);
        let got = run(command, Duration::from_millis(200));
        assert_eq!(got.end, End::TimedOut(Duration::from_millis(200)));
        assert_eq!(got.out(), "started\n");
        let mut command = sandbox.command("sh");
        command.args(["-c", "kill -SEGV $$"]);
        assert_eq!(run(command, LIMIT).end, End::Signal(11));
    });
}

#[test]
fn unbound_answers() {
    Sandbox::enter(|sandbox| {
        let records = ["host.test. 300 IN A 192.0.2.1", "1.2.0.192.in-addr.arpa. PTR host.test."];
        let Some(_server) = RealServer::unbound(sandbox, "127.0.0.1:53", &records) else { return };
        assert_eq!(addresses(sandbox, "host.test"), ["192.0.2.1"]);
        assert!(addresses(sandbox, "other.test").is_empty());
        assert_eq!(getent(sandbox, "hosts", "192.0.2.1"), "192.0.2.1       host.test\n");
    });
}

#[test]
fn knot_answers() {
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/resolv.conf", "nameserver ::1\n");
        let zone = "host A 192.0.2.1\nhost AAAA 2001:db8::1\nwww CNAME host\n";
        let Some(_server) = RealServer::knot(sandbox, "[::1]:53", "test", zone) else { return };
        let got = probe(sandbox, false, "gai -f inet6 -t stream -F CANONNAME www.test -\n").out();
        assert!(got.contains("2001:db8::1 port 0 canonname=host.test"), "{got}");
    });
}

#[test]
fn dnsmasq_forwards() {
    Sandbox::enter(|sandbox| {
        let zone = "host A 192.0.2.1\n";
        let Some(_knot) = RealServer::knot(sandbox, "127.0.0.1:5300", "test", zone) else { return };
        let forwarder = RealServer::dnsmasq(sandbox, "127.0.0.1:53", "127.0.0.1:5300");
        let Some(forwarder) = forwarder else { return };
        assert_eq!(addresses(sandbox, "host.test"), ["192.0.2.1"]);
        assert!(forwarder.log().contains("forwarded host.test"), "{}", forwarder.log());
    });
}

#[test]
fn differences_are_shown_line_by_line() {
    let (old, new) = ("a\nb\nc\nd\ne\nf\ng\n", "a\nb\nc\nd\ne\nx\ng\nh\n");
    assert_eq!(unified_diff(old, new), "…\n b\n c\n d\n e\n-f\n+x\n g\n+h\n");
    assert_eq!(unified_diff(old, old), "");
}

#[test]
fn the_preload_is_in_the_process_and_answers_the_same() {
    Sandbox::enter(|sandbox| {
        let mut command = sandbox.preload(sandbox.command("grep"));
        command.args(["-c", "librustdns.so", "/proc/self/maps"]);
        assert!(run(command, LIMIT).success());
        assert_same!(compare_calls(sandbox, "gai 127.0.0.1 80\n"), "a numeric address");
    });
}
