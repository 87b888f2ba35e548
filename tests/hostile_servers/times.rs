//! No lookup takes longer than libc would by the same resolv.conf.

use std::thread;
use std::time::Duration;

use crate::right;
use crate::support::cc;
use crate::support::differential::{LIMIT, probe};
use crate::support::dns::{Question, Reply, Server, Transport};
use crate::support::process::{run, unhurried};
use crate::support::sandbox::Sandbox;
use crate::support::wire::{rcode, rtype};

/// What libc waits at the most (resolv.conf(5), `timeout` and `attempts`): in each attempt the first
/// server gets the timeout, and each later one the doubled time of the one before, shared among all.
fn most(timeout: u64, attempts: u64, servers: u64) -> Duration {
    let later = (1..servers).map(|n| ((timeout << n) / servers).max(1)).sum::<u64>();
    Duration::from_secs(attempts * (timeout + later))
}

type Way = fn(&Question) -> Reply;

/// What every server does.
const WAYS: [(&str, Way); 9] = [
    ("silent", |_| Reply::drop()),
    ("one family", |q| if q.qtype == rtype::A { right(q) } else { Reply::drop() }),
    ("SERVFAIL, late", |_| Reply::rcode(rcode::SERVFAIL).after(Duration::from_millis(900))),
    ("truncated, and silent over TCP", |q| over_tcp(q, Reply::drop())),
    ("truncated, and a connection that ends", |q| over_tcp(q, Reply::close())),
    ("truncated, and half an answer", |q| over_tcp(q, right(q).length_error(100))),
    ("truncated, and an octet at a time", |q| {
        let octet = || Reply::raw([0]).unprefixed().after(Duration::from_millis(100));
        over_tcp(q, (0..100).fold(Reply::raw([]).length_error(50_000), |r, _| r.then(octet())))
    }),
    ("wrong ids, one after the other", |q| {
        let wrong = || right(q).wrong_id().after(Duration::from_millis(100));
        (0..100).fold(wrong(), |reply, _| reply.then(wrong()))
    }),
    ("trouble of every kind", |q| match q.id % 4 {
        0 => Reply::rcode(rcode::REFUSED),
        1 => Reply::raw([0; 7]),
        2 => Reply::empty().without_recursion(),
        _ => Reply::drop(),
    }),
];

fn over_tcp(q: &Question, tcp: Reply) -> Reply {
    if q.transport == Transport::Udp { Reply::empty().truncated() } else { tcp }
}

/// What the machine may add.
const SLACK: Duration = Duration::from_millis(800);

const SETTINGS: [(&str, u64, u64, u64); 5] = [
    ("timeout:1 attempts:1", 1, 1, 1),
    ("timeout:1 attempts:2", 1, 2, 1),
    ("timeout:1 attempts:2 single-request", 1, 2, 2),
    ("timeout:1 attempts:1 rotate", 1, 1, 3),
    ("timeout:2 attempts:1 use-vc", 2, 1, 2),
];

fn configure(sandbox: &Sandbox, options: &str, servers: u64) -> Vec<String> {
    let lines: String = (1..=servers).map(|n| format!("nameserver 127.0.0.{n}\n")).collect();
    sandbox.write("/etc/resolv.conf", format!("{lines}options {options}\n"));
    (1..=servers).map(|n| format!("127.0.0.{n}:53")).collect()
}

#[test]
fn whatever_servers_do() {
    thread::scope(|scope| {
        for (about, way) in WAYS {
            for (options, timeout, attempts, servers) in SETTINGS {
                let test = move || {
                    Sandbox::enter(|sandbox| {
                        let addresses = configure(sandbox, options, servers);
                        let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
                        let _servers = Server::on(sandbox, &addresses, way);
                        let most = most(timeout, attempts, servers);
                        let got = unhurried(most + SLACK, || {
                            let mut command = sandbox.command(cc::program("gai"));
                            command.args(["-t", "stream", "n.test.", "-"]);
                            run(sandbox.preload(command), LIMIT)
                        });
                        let about = format!("{about}, {options}: {:?} of {most:?}", got.took);
                        println!("{about}");
                        assert!(got.success() && got.took < most + SLACK, "{about}: {got}");
                    });
                };
                let named = thread::Builder::new().name(format!("{about}, {options}"));
                named.spawn_scoped(scope, test).unwrap();
            }
        }
    });
}

#[test]
fn libc_itself_takes_the_time_that_it_is_said_to_take() {
    thread::scope(|scope| {
        for servers in 1..=3 {
            scope.spawn(move || {
                Sandbox::enter(|sandbox| {
                    let addresses = configure(sandbox, "timeout:1 attempts:1", servers);
                    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
                    let _servers = Server::on(sandbox, &addresses, |_: &Question| Reply::drop());
                    let most = most(1, 1, servers);
                    let call = "gai -t stream n.test. -\n";
                    let [libc, rustdns] = [false, true]
                        .map(|preload| unhurried(most + SLACK, || probe(sandbox, preload, call)).took);
                    let said = format!("{servers} servers: libc {libc:?}, rustdns {rustdns:?}, at the most {most:?}");
                    println!("{said}");
                    assert!(most <= libc && libc < most + SLACK, "{said}");
                    assert!(rustdns < most + SLACK, "{said}");
                });
            });
        }
    });
}
