//! EDNS and servers that refuse it.

use crate::support::conversation::Conversation;
use crate::support::dns::{Question, Reply, Server, Transport};
use crate::support::sandbox::Sandbox;
use crate::support::wire::rcode;

/// RFC 6891 section 9: beyond the four bits that the header has; and others.
const BADVERS: u8 = 16;
const EXTENDED: [u8; 4] = [17, 18, 19, 35];

/// What was asked, and whether with EDNS.
fn asked(server: &Server) -> Vec<(String, bool)> {
    server.log().into_iter().map(|q| (q.name, q.edns.is_some())).collect()
}

/// To who looks at the header alone it is NOERROR.
#[test]
fn another_version_of_edns_is_asked_again_without() {
    for (options, transport) in [("edns0", Transport::Udp), ("edns0 use-vc", Transport::Tcp)] {
        Sandbox::enter(|sandbox| {
            sandbox.name_servers(&[1], options);
            let server = Server::on(sandbox, &["127.0.0.1:53"], |q: &Question| match q.edns {
                Some(_) => Reply::rcode(BADVERS),
                None => Reply::address(q),
            });
            let mut process = Conversation::begin(sandbox, &[]);
            process.finds("a.test", "192.0.2.1");
            process.finds("b.test", "192.0.2.1");
            let log = [("a.test", true), ("a.test", false), ("b.test", false)];
            assert_eq!(asked(&server), log.map(|(name, edns)| (name.to_owned(), edns)));
            assert!(server.log().iter().all(|q| q.transport == transport));
        });
    }
}

/// A server that can make nothing of one question is asked the next one with EDNS.
#[test]
fn one_refusal_does_not_switch_edns_off() {
    for code in [rcode::FORMERR, rcode::NOTIMP] {
        Sandbox::enter(|sandbox| {
            sandbox.name_servers(&[1], "edns0 timeout:1 attempts:1");
            let server =
                Server::on(sandbox, &["127.0.0.1:53"], move |q: &Question| match &*q.name {
                    "bad.test" => Reply::rcode(code),
                    _ => Reply::address(q),
                });
            let mut process = Conversation::begin(sandbox, &[]);
            process.call("gai -t stream -f inet bad.test -");
            server.clear_log();
            process.finds("good.test", "192.0.2.1");
            assert_eq!(asked(&server), [("good.test".to_owned(), true)], "rcode {code}");
        });
    }
}

/// The header has the last four bits of a response code: `NXDOMAIN`'s, in one of these.
#[test]
fn an_extended_response_code_is_no_answer() {
    for code in EXTENDED {
        Sandbox::enter(|sandbox| {
            sandbox.name_servers(&[1, 2], "edns0");
            let _first = Server::on(sandbox, &["127.0.0.1:53"], move |q: &Question| match q.edns {
                // Whatever is done about a refusal.
                Some(_) => Reply::rcode(code),
                None => Reply::rcode(rcode::SERVFAIL),
            });
            let _second = Server::on(sandbox, &["127.0.0.2:53"], |q: &Question| Reply::address(q));
            Conversation::begin(sandbox, &[]).finds("a.test", "192.0.2.1");
        });
    }
}
