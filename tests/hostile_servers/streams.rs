//! TCP servers that send octet by octet, never end, or lie about lengths: the next server is asked, in
//! the time that resolv.conf gives.

use std::time::Duration;

use crate::costs::cost;
use crate::right;
use crate::support::differential::probe_within;
use crate::support::dns::{Question, Reply, Server, Transport};
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Data, Record, rtype};

/// What a server sends over TCP.
type Stream = fn(&Question) -> Reply;

/// The first server answers so over TCP, and the second as it should; the lookup ends with the second's
/// answer.
fn the_second_answers(about: &str, stream: Stream) {
    Sandbox::enter(|sandbox| {
        let servers = "nameserver 127.0.0.1\nnameserver 127.0.0.2\noptions timeout:2 attempts:1\n";
        sandbox.write("/etc/resolv.conf", servers);
        let _first =
            Server::on(sandbox, &["127.0.0.1:53"], move |q: &Question| match q.transport {
                Transport::Udp => Reply::empty().truncated(),
                Transport::Tcp => stream(q),
            });
        let second = Server::on(sandbox, &["127.0.0.2:53"], right);
        let limit = Duration::from_secs(10);
        let got = probe_within(limit, sandbox, true, "gai -t stream n.test. -\n");
        let out = got.out();
        assert!(out.contains(" 192.0.2.1 ") && out.contains(" 2001:db8::1 "), "{about}: {got}");
        assert!(!second.log().is_empty(), "{about}");
    });
}

fn octets(length: usize) -> Reply {
    Reply::raw(vec![0; length])
}

#[test]
fn the_next_server_is_asked() {
    let rows: [(&str, Stream); 12] = [
        ("closed at once", |_| Reply::close()),
        ("silent", |_| Reply::drop()),
        ("half a length", |_| octets(1).cut_stream(1).then(Reply::close())),
        ("half an answer, closed", |q| right(q).cut_stream(20).then(Reply::close())),
        ("half an answer, open", |q| right(q).cut_stream(20)),
        ("a length too large, closed", |q| right(q).length_error(1).then(Reply::close())),
        ("a length too large, open", |q| right(q).length_error(60_000)),
        ("a length too small", |q| right(q).length_error(-1)),
        ("a length of nothing", |q| right(q).length_error(-(right(q).message(q).len() as i32))),
        ("messages without an octet, for ever", |_| {
            (0..20_000).fold(octets(0), |reply, _| reply.then(octets(0)))
        }),
        ("messages that answer nothing", |q| {
            (0..1_000).fold(octets(12), |reply, _| reply.then(right(q).wrong_id()))
        }),
        ("an octet every 50 ms", |q| {
            let octet = || Reply::raw([0]).unprefixed().after(Duration::from_millis(50));
            (0..200).fold(right(q).length_error(60_000), |reply, _| reply.then(octet()))
        }),
    ];
    std::thread::scope(|scope| {
        for (about, stream) in rows {
            let named = std::thread::Builder::new().name(about.to_owned());
            named.spawn_scoped(scope, move || the_second_answers(about, stream)).unwrap();
        }
    });
}

#[test]
fn the_largest_answer_octet_by_octet() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, |q: &Question| match (q.qtype, q.transport) {
            (rtype::A, Transport::Udp) => Reply::empty().truncated(),
            (rtype::A, Transport::Tcp) => {
                let rest = 65_535 - right(q).message(q).len() - 12;
                let filler = Record::new(&q.name, Data::Raw(rtype::TXT, vec![b'x'; rest]));
                right(q).answers([filler]).segments(1)
            }
            _ => Reply::nodata().soa("test"),
        });
        let [cost] = cost(sandbox, true, &["n.test."])[..] else { panic!("one line") };
        println!("{cost:?}");
        assert_eq!((cost.code, cost.addresses), (0, 1), "{cost:?}");
        // A system call or two for each octet, and nothing that grows with the octets before it.
        assert!(cost.cpu < 2_000_000 && cost.peak < 4 << 20, "{cost:?}");
    });
}

#[test]
fn truncated_over_tcp_too() {
    Sandbox::enter(|sandbox| {
        let server = Server::start(sandbox, |q: &Question| right(q).truncated());
        let got = probe_within(
            Duration::from_secs(10),
            sandbox,
            true,
            "gai -t stream -f inet n.test. -\n",
        );
        // What there is: TCP has no room that ends.
        assert!(got.out().contains(" 192.0.2.1 "), "{got}");
        assert_eq!(server.asked(), ["n.test 1 udp", "n.test 1 tcp"]);
    });
}
