//! Whose answer counts: the order of resolv.conf, slow servers, dead ones.

use crate::support::differential::compare_calls;
use crate::support::dns::{Question, Reply, Server};
use crate::support::sandbox::Sandbox;
use std::time::Duration;

/// Answers with an address of the family that was asked for.
fn right(q: &Question) -> Reply {
    Reply::address(q)
}

/// What a server of another view says.
fn unknown(_: &Question) -> Reply {
    Reply::nxdomain().soa("test")
}

#[test]
fn a_slow_first_server_decides() {
    for millis in [300, 450, 900] {
        Sandbox::enter(|sandbox| {
            sandbox.name_servers(&[1, 2], "timeout:5");
            let slow = move |q: &Question| right(q).after(Duration::from_millis(millis));
            let _first = Server::on(sandbox, &["127.0.0.1:53"], slow);
            let second = Server::on(sandbox, &["127.0.0.2:53"], unknown);
            let calls = "gai -t stream a.test -\ngai -t stream -f inet b.test -\n";
            crate::assert_same!(compare_calls(sandbox, calls), "{millis} ms");
            assert_eq!(second.asked(), [""; 0], "{millis} ms");
        });
    }
}
