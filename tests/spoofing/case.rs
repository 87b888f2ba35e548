//! `case-randomization` (draft-vixie-dnsext-dns0x20): the letters of a query are a part of what a forger
//! has to guess.

use super::{forged, right};
use crate::support::differential::{LIMIT, probe_within};
use crate::support::dns::{Question, Reply, Server, Transport};
use crate::support::process::run_with_input;
use crate::support::sandbox::Sandbox;
use crate::support::{cc, wire};

/// Many letters: 2^40 ways to write it.
const NAME: &str = "abcdefghijklmnopqrst.uvwxyzabcdefghijklm.test";

fn lookup(sandbox: &Sandbox, on: bool) -> String {
    if on {
        sandbox.write("/etc/rustdns.conf", "case-randomization on\n");
    }
    probe_within(LIMIT, sandbox, true, &format!("gai -t stream -f inet -F CANONNAME {NAME}. -\n"))
        .out()
}

/// The same message with its question as the lower-case text has it.
fn lowered(reply: &Reply, q: &Question) -> Reply {
    let mut message = reply.message(q);
    message[12..12 + q.question.len() - 4].make_ascii_lowercase();
    Reply::raw(message)
}

#[test]
fn letters_are_random_and_the_answer_has_them_as_they_were_asked_for() {
    Sandbox::enter(|sandbox| {
        let server = Server::start(sandbox, right);
        let calls: String = (0..20).map(|n| format!("gai -f inet n{n}.{NAME}. -\n")).collect();
        sandbox.write("/etc/rustdns.conf", "case-randomization on\n");
        let got = run_with_input(
            sandbox.preload({
                let mut command = sandbox.command(cc::program("gai"));
                command.arg("--batch");
                command
            }),
            calls.as_bytes(),
            LIMIT,
        );
        assert_eq!(got.out().matches("192.0.2.1 ").count(), 3 * 20, "{got}");
        let capitals = |q: Question| q.name_as_sent.bytes().filter(u8::is_ascii_uppercase).count();
        let letters = |q: &Question| q.name_as_sent.bytes().filter(u8::is_ascii_alphabetic).count();
        let log = server.log();
        let all: usize = log.iter().map(letters).sum();
        let some: usize = log.into_iter().map(capitals).sum();
        // 20 names of 46 letters, half of them capitals: 8 standard deviations around the mean, a
        // chance of 1.3e-15.
        let (mean, deviation) = (all as f64 / 2.0, (all as f64 / 4.0).sqrt());
        assert!((some as f64 - mean).abs() < 8.0 * deviation, "{some} of {all} are capitals");
    });
}

#[test]
fn an_answer_in_other_letters_is_not_believed_over_udp() {
    Sandbox::enter(|sandbox| {
        let server = Server::start(sandbox, |q: &Question| match q.transport {
            Transport::Udp => lowered(&forged(q), q),
            Transport::Tcp => right(q),
        });
        let got = lookup(sandbox, true);
        assert!(got.contains("192.0.2.1 ") && !got.contains("192.0.2.66"), "{got}");
        assert_eq!(server.asked(), [format!("{NAME} 1 udp"), format!("{NAME} 1 tcp")]);
    });
}

#[test]
fn a_server_that_lowers_the_case_is_believed_over_tcp() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, |q: &Question| lowered(&right(q), q));
        let got = lookup(sandbox, true);
        assert!(got.contains("192.0.2.1 "), "{got}");
    });
}

#[test]
fn one_that_has_no_tcp_is_of_no_use() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "options timeout:1 attempts:2\n");
        let _server =
            Server::with(sandbox, &["127.0.0.1:53"], &[Transport::Udp], |q: &Question| {
                lowered(&right(q), q)
            });
        let got = lookup(sandbox, true);
        assert!(got.contains("EAI_AGAIN"), "{got}");
    });
}

#[test]
fn without_the_setting_letters_are_sent_as_they_are_and_may_come_as_they_like() {
    Sandbox::enter(|sandbox| {
        let server = Server::start(sandbox, |q: &Question| {
            let mut message = right(q).message(q);
            message[12..12 + q.question.len() - 4].make_ascii_uppercase();
            Reply::raw(message)
        });
        let got = lookup(sandbox, false);
        assert!(got.contains("192.0.2.1 "), "{got}");
        let sent: Vec<String> = server.log().into_iter().map(|q| q.name_as_sent).collect();
        assert_eq!(sent, [NAME]);
        assert_eq!(wire::labels(NAME).len(), 3);
    });
}
