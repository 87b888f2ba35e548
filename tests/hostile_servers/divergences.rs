//! What libc believes or gives up, and the library doesn't: rows of docs/divergences.md, both sides.

use crate::support::differential::compare_calls;
use crate::support::dns::{Question, Reply, Server, Transport};
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Record, Writer};
use crate::{address, right};

const CALL: &str = "gai -t stream -f inet -F CANONNAME n.test. -\n";

/// Asserts what a part of libc's answer is, and of the library's.
fn differ(script: fn(&Question) -> Reply, libc: &str, rustdns: &str) {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "options timeout:1 attempts:1\n");
        let _server = Server::start(sandbox, script);
        let pair = compare_calls(sandbox, CALL);
        assert!(pair.libc.out().contains(libc), "libc: {}", pair.libc);
        assert!(pair.rustdns.out().contains(rustdns), "rustdns: {}", pair.rustdns);
    });
}

#[test]
fn an_answer_that_is_damaged_is_asked_for_again() {
    let script = |q: &Question| match q.transport {
        // Two records are announced, of which one and a half have come.
        Transport::Udp => {
            let other = Record::address(&q.name, "192.0.2.2");
            let whole = right(q).answers([other]).message(q);
            Reply::raw(&whole[..whole.len() - 3])
        }
        Transport::Tcp => right(q),
    };
    differ(script, "EAI_NONAME", " 192.0.2.1 ");
}

#[test]
fn aliases_may_stand_in_any_order() {
    let script = |q: &Question| {
        let address = address("end.test", q.qtype, false);
        Reply::records([
            address,
            Record::cname("mid.test", "end.test"),
            Record::cname(&q.name, "mid.test"),
        ])
    };
    differ(script, "EAI_NONAME", "canonname=end.test");
}

#[test]
fn after_many_messages_that_answer_nothing_tcp_is_asked() {
    let script = |q: &Question| match q.transport {
        Transport::Udp => {
            (0..100).fold(Reply::drop(), |r, _| r.then(right(q).wrong_id())).then(right(q))
        }
        Transport::Tcp => Reply::records([Record::address(&q.name, "192.0.2.2")]),
    };
    differ(script, " 192.0.2.1 ", " 192.0.2.2 ");
}

#[test]
fn names_lead_through_sixteen_pointers_at_the_most() {
    /// A record whose owner is the question's name at the end of so many pointers.
    fn behind(q: &Question, pointers: u16) -> Reply {
        let mut writer = Writer::new(q.id, 0x8180, false);
        writer.question_as_sent(&q.name_as_sent, &q.question);
        let mut message = writer.bytes;
        message[7] = 2;
        // A record of nobody's, with the pointers as its data.
        message.extend([0, 0, 16, 0, 1, 0, 0, 0, 60]);
        message.extend((2 * pointers).to_be_bytes());
        let start = u16::try_from(message.len()).unwrap();
        for n in 0..pointers {
            let to = if n == 0 { 12 } else { start + 2 * (n - 1) };
            message.extend((0xc000 | to).to_be_bytes());
        }
        message.extend((0xc000 | (start + 2 * (pointers - 1))).to_be_bytes());
        message.extend([0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]);
        Reply::raw(message)
    }
    differ(|q| behind(q, 15), " 192.0.2.1 ", " 192.0.2.1 ");
    differ(|q| behind(q, 16), " 192.0.2.1 ", "EAI_AGAIN");
}
