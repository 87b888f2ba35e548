//! Forged answers in great number, while the true one is on its way.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{forged, right};
use crate::support::differential::{LIMIT, probe_within};
use crate::support::dns::{Question, Reply, Server, Transport};
use crate::support::sandbox::Sandbox;

/// How the forgers send what they guess.
#[derive(Clone, Copy, Debug)]
enum Guess {
    /// To the right port, with the right id, from an address or a port that was not asked.
    Source,
    /// From the server's own address and port, to the right port: any id but the right one.
    Id,
    /// From the server's own address and port, with the right id: to other ports.
    Port,
}

/// How many forged messages come before each true answer.
const SHOTS: u16 = 2_000;

/// Asks for names while forgers shoot; the true answers come, and none of theirs.
fn under_fire(guess: Guess) {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "options timeout:3 attempts:2\n");
        static SENT: AtomicU64 = AtomicU64::new(0);
        let others: Vec<UdpSocket> = ["127.0.0.1:0", "127.0.0.2:53", "127.0.0.3:0"]
            .map(|address| UdpSocket::bind(address).unwrap())
            .into();
        let others = Mutex::new(others);
        let _server = Server::start(sandbox, move |q: &Question| {
            if q.transport == Transport::Tcp {
                return right(q);
            }
            let mut shot = forged(q).message(q);
            let mut reply = Reply::drop();
            for n in 1..=SHOTS {
                match guess {
                    Guess::Source => {
                        let others = others.lock().unwrap();
                        let socket = &others[usize::from(n) % others.len()];
                        let sent = socket.send_to(&shot, q.source).is_ok();
                        SENT.fetch_add(u64::from(sent), Ordering::Relaxed);
                    }
                    Guess::Id => {
                        let id = (q.id ^ n).to_be_bytes();
                        shot[..2].copy_from_slice(&id);
                        reply = reply.then(Reply::raw(shot.clone()));
                    }
                    Guess::Port => {
                        let port = q.source.port() ^ n;
                        let to = SocketAddr::new(q.source.ip(), port.max(1024));
                        reply = reply.then(Reply::raw(shot.clone()).to(to));
                    }
                }
            }
            reply.then(right(q))
        });
        let calls: String = (0..20).map(|n| format!("gai -t stream n{n}.test. -\n")).collect();
        let got = probe_within(LIMIT, sandbox, true, &calls);
        let text = got.out();
        let good = text.matches(" 192.0.2.1 ").count();
        assert!(got.success() && good == 20, "{guess:?}: {good} of 20 answered\n{got}");
        assert!(!text.contains("192.0.2.66"), "{guess:?}");
        assert!(!text.contains("2001:db8::bad"), "{guess:?}");
    });
}

#[test]
fn right_port_and_id_from_elsewhere() {
    under_fire(Guess::Source);
}

#[test]
fn right_port_and_every_other_id() {
    under_fire(Guess::Id);
}

#[test]
fn right_id_and_other_ports() {
    under_fire(Guess::Port);
}

#[test]
fn who_knows_the_port_has_few_tries() {
    // The forger sends every id, the right one among them, from the server's own address and port: as
    // the seventeenth, or among the first.
    for (before, believed) in [(16, false), (15, true)] {
        Sandbox::enter(|sandbox| {
            sandbox.append("/etc/resolv.conf", "options timeout:2 attempts:1\n");
            let server = Server::start(sandbox, move |q: &Question| match q.transport {
                Transport::Tcp => right(q),
                Transport::Udp => {
                    let wrong = |n: u16| {
                        let mut message = forged(q).message(q);
                        message[..2].copy_from_slice(&(q.id ^ n).to_be_bytes());
                        Reply::raw(message)
                    };
                    (1..=before).fold(Reply::drop(), |r, n| r.then(wrong(n))).then(forged(q))
                }
            });
            let got = probe_within(LIMIT, sandbox, true, "gai -t stream -f inet n.test. -\n");
            let address = if believed { "192.0.2.66 " } else { "192.0.2.1 " };
            assert!(got.out().contains(address), "{before} wrong ones before: {got}");
            let over_tcp = server.log().iter().any(|q| q.transport == Transport::Tcp);
            assert_eq!(over_tcp, !believed, "{before} wrong ones before");
        });
    }
}

#[test]
fn a_server_without_tcp_is_still_asked_when_forgers_are_about() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "options timeout:5 attempts:2\n");
        let first = Mutex::new(true);
        let server =
            Server::with(sandbox, &["127.0.0.1:53"], &[Transport::Udp], move |q: &Question| {
                if !std::mem::replace(&mut first.lock().unwrap(), false) {
                    return right(q);
                }
                (0..100).fold(Reply::drop(), |reply, _| reply.then(forged(q).wrong_id()))
            });
        let got = probe_within(LIMIT, sandbox, true, "gai -t stream -f inet n.test. -\n");
        assert!(got.out().contains("192.0.2.1 "), "{got}");
        let ports: Vec<u16> = server.log().iter().map(|q| q.source.port()).collect();
        assert!(
            ports.len() == 2 && ports[0] != ports[1],
            "asked again from a fresh port: {ports:?}"
        );
        assert!(got.took < Duration::from_secs(4), "and at once: {:?}", got.took);
    });
}
