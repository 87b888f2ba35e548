//! Datagrams in thousands while an answer is waited for.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::costs::cost;
use crate::right;
use crate::support::dns::{Question, Reply, Server, Transport};
use crate::support::sandbox::Sandbox;

/// What the datagrams are.
#[derive(Clone, Copy, Debug)]
enum Junk {
    Empty,
    Noise,
    WrongId,
    Huge,
}

fn junk(q: &Question, kind: Junk) -> Vec<u8> {
    match kind {
        Junk::Empty => Vec::new(),
        Junk::Noise => vec![0xa5; 512],
        Junk::WrongId => right(q).wrong_id().message(q),
        Junk::Huge => {
            let mut message = right(q).wrong_id().message(q);
            message.resize(60_000, 0);
            message
        }
    }
}

/// Sends from a socket of the server's address and port, as fast as it can, until told to stop.
///
/// A socket that shares the server's port has to be the server's own: a clone of it.
fn flood(
    socket: UdpSocket,
    to: SocketAddr,
    message: Vec<u8>,
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
) {
    while !stop.load(Ordering::Relaxed) {
        // Refused once the client's socket is closed.
        sent.fetch_add(u64::from(socket.send_to(&message, to).is_ok()), Ordering::Relaxed);
    }
}

/// A server of one thread whose answer to each query is a flood for a second; then it answers, or not.
/// Over TCP it answers, if it listens there.
fn under_flood(kind: Junk, answers: bool, tcp: bool) {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "options timeout:2 attempts:1\n");
        let stop = Arc::new(AtomicBool::new(false));
        let sent = Arc::new(AtomicU64::new(0));
        let socket = UdpSocket::bind("127.0.0.1:53").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let tcp = tcp.then(|| Server::with(sandbox, &["127.0.0.1:53"], &[Transport::Tcp], right));
        let flooding = {
            let (stop, sent) = (Arc::clone(&stop), Arc::clone(&sent));
            thread::spawn(move || {
                let mut floods = Vec::new();
                let mut buffer = [0; 512];
                while !stop.load(Ordering::Relaxed) {
                    let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
                    let Some(q) = Question::read(&buffer[..length], from) else { continue };
                    let message = junk(&q, kind);
                    // A burst that is there before anything else.
                    for _ in 0..2_000 {
                        sent.fetch_add(
                            u64::from(socket.send_to(&message, from).is_ok()),
                            Ordering::Relaxed,
                        );
                    }
                    if answers {
                        socket.send_to(&right(&q).message(&q), from).ok();
                        continue;
                    }
                    let socket = socket.try_clone().unwrap();
                    let (stop, sent) = (Arc::clone(&stop), Arc::clone(&sent));
                    if floods.len() < 2 {
                        floods
                            .push(thread::spawn(move || flood(socket, from, message, stop, sent)));
                    }
                }
                floods.into_iter().for_each(|flood| flood.join().unwrap());
            })
        };
        let [cost] = cost(sandbox, true, &["n.test."])[..] else { panic!("one line") };
        stop.store(true, Ordering::Relaxed);
        flooding.join().unwrap();
        let sent = sent.load(Ordering::Relaxed);
        let about = format!(
            "{kind:?}, then an answer: {answers}, TCP: {}, {sent} sent: {cost:?}",
            tcp.is_some()
        );
        println!("{about}");
        assert!(sent >= 2_000, "{about}");
        // The time of resolv.conf, and no more; sixteen messages a socket are read, so that the CPU is
        // not the flood's to spend.
        assert!(cost.wall < 2_700 && cost.cpu < 200_000 && cost.peak < 1 << 20, "{about}");
        if tcp.is_some() {
            assert_eq!((cost.code, cost.addresses), (0, 2), "{about}");
        }
    });
}

#[test]
fn of_junk_before_an_answer() {
    for kind in [Junk::Empty, Junk::Noise, Junk::WrongId, Junk::Huge] {
        under_flood(kind, true, true);
    }
}

#[test]
fn of_junk_that_does_not_end() {
    for kind in [Junk::Noise, Junk::WrongId] {
        under_flood(kind, false, true);
        under_flood(kind, false, false);
    }
}

#[test]
fn of_copies_of_a_good_answer_while_the_other_query_is_not_answered() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "options timeout:2 attempts:1\n");
        let _server =
            Server::with(sandbox, &["127.0.0.1:53"], &[Transport::Udp], |q: &Question| {
                match q.qtype {
                    crate::rtype::A => (0..3_000).fold(right(q), |reply, _| reply.then(right(q))),
                    _ => Reply::drop(),
                }
            });
        let [cost] = cost(sandbox, true, &["n.test."])[..] else { panic!("one line") };
        assert!(cost.code == 0 && cost.addresses == 1, "{cost:?}");
        assert!(cost.wall < 2_700 && cost.cpu < 200_000, "{cost:?}");
    });
}
