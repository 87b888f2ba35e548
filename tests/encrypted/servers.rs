//! Servers that are who they should be.

use std::net::TcpListener;
use std::time::Duration;

use crate::support::authority::Authority;
use crate::support::conversation::Conversation;
use crate::support::dns::Server;
use crate::support::sandbox::Sandbox;
use crate::support::servers::RealServer;
use crate::{Bed, by_libc, is_found, look_up};

#[test]
fn unbound_answers_over_tls_and_https_and_takes_sessions_up_again() {
    Sandbox::enter(|sandbox| {
        let bed = Bed::new(sandbox);
        let Some(server) = RealServer::unbound_private(sandbox, "127.0.0.2:853", &bed.good, "")
        else {
            return;
        };
        for upstream in
            ["tls://127.0.0.2#dns.test", "tls://127.0.0.2", "https://127.0.0.2#dns.test"]
        {
            bed.configure(sandbox, upstream, "");
            is_found(&look_up(sandbox, "host.test"));
        }
        assert_eq!(server.statistic(sandbox, "num.query.https"), 2);
        assert_eq!(server.statistic(sandbox, "num.query.tls.resume"), 0);

        bed.configure(sandbox, "tls://127.0.0.2#dns.test", "");
        let mut process = Conversation::begin(sandbox, &[]);
        for n in 0..4 {
            process.finds(&format!("n{n}.test."), "192.0.2.7");
        }
        // Addresses of one family: a query each. All but the first connection were spared certificates.
        assert_eq!(server.statistic(sandbox, "num.query.tls.resume"), 3);
    });
}

#[test]
fn addresses_of_ipv6_and_other_ports() {
    Sandbox::enter(|sandbox| {
        let bed = Bed::new(sandbox);
        let Some(server) =
            RealServer::unbound_private(sandbox, "[2001:db8::9]:8853", &bed.good, "")
        else {
            return;
        };
        for upstream in ["tls://[2001:db8::9]:8853", "https://2001:db8::9#dns.test/dns-query"] {
            bed.configure(sandbox, upstream, "");
            is_found(&look_up(sandbox, "host.test"));
        }
        assert_eq!(server.statistic(sandbox, "num.query.tls"), 4);
    });
}

#[test]
fn authorities_that_the_system_trusts_are_followed() {
    const SYSTEM: &str = "/etc/ssl/certs/ca-certificates.crt";
    Sandbox::enter(|sandbox| {
        let bed = Bed::new(sandbox);
        let Some(_server) = RealServer::unbound_private(sandbox, "127.0.0.2:853", &bed.good, "")
        else {
            return;
        };
        let system = |authority: &Authority| {
            sandbox.write(SYSTEM, std::fs::read(authority.file()).unwrap());
        };
        sandbox.write("/etc/rustdns.conf", "upstream tls://127.0.0.2#dns.test\n");
        sandbox.remove(SYSTEM);
        let got = look_up(sandbox, "host.test");
        assert!(got.err().contains("the system has no bundle of trusted certificates"), "{got}");
        system(&Authority::new(sandbox, "other"));
        let mut process = Conversation::begin(sandbox, &[]);
        let (answer, _) = process.call("gai host.test -");
        assert!(answer.contains("EAI_AGAIN"), "{answer}");
        // The same process goes by what is installed meanwhile.
        system(&bed.authority);
        process.finds("host.test", "192.0.2.7");
    });
}

#[test]
fn knot_resolver_answers_over_tls_and_https() {
    Sandbox::enter(|sandbox| {
        let bed = Bed::new(sandbox);
        let Some(_server) = RealServer::kresd(sandbox, "127.0.0.2:853", &bed.good) else { return };
        for upstream in ["tls://127.0.0.2#dns.test", "https://127.0.0.2#dns.test/dns-query"] {
            bed.configure(sandbox, upstream, "");
            is_found(&look_up(sandbox, "host.test"));
        }
    });
}

/// As with plain servers: one that is alive decides, however slow, and a later one's "no" waits for it.
#[test]
fn a_slow_first_server_decides() {
    Sandbox::enter(|sandbox| {
        let bed = Bed::new(sandbox);
        let other_view = "  local-zone: \"slow.test.\" static\n";
        let at = |at, more| RealServer::unbound_private(sandbox, at, &bed.good, more);
        let (Some(_first), Some(second)) =
            (at("127.0.0.2:853", ""), at("127.0.0.3:853", other_view))
        else {
            return;
        };
        bed.configure(sandbox, "tls://127.0.0.2 tls://127.0.0.3", "hedge 150");
        // Nobody has heard the first yet.
        Conversation::begin(sandbox, &[]).finds("a.slow.test.", "192.0.2.7");
        assert_ne!(second.statistic(sandbox, "num.query.tls"), 0);
        let mut process = Conversation::begin(sandbox, &[]);
        process.finds("host.test.", "192.0.2.7");
        let before = second.statistic(sandbox, "num.query.tls");
        process.finds("b.slow.test.", "192.0.2.7");
        assert_eq!(second.statistic(sandbox, "num.query.tls"), before);
    });
}

#[test]
fn servers_are_asked_in_their_order_and_the_next_one_when_one_is_dead() {
    Sandbox::enter(|sandbox| {
        let bed = Bed::new(sandbox);
        let Some(_server) = RealServer::unbound_private(sandbox, "127.0.0.2:853", &bed.good, "")
        else {
            return;
        };
        // Nobody listens at the first; the second accepts and says no word.
        let mute = TcpListener::bind("127.0.0.3:853").unwrap();
        bed.configure(sandbox, "tls://127.0.0.4 tls://127.0.0.3 tls://127.0.0.2", "");
        let mut process = Conversation::begin(sandbox, &[]);
        let first = process.finds("first.test.", "192.0.2.7");
        assert!(first >= Duration::from_secs(2), "the silent one had {first:?}");
        process.finds("next.test.", "192.0.2.7");
        mute.set_nonblocking(true).unwrap();
        let connections = std::iter::from_fn(|| mute.accept().ok()).count();
        assert_eq!(connections, 1, "the silent one was asked again");

        // A plain one between them is asked as ever, and answers.
        let plain = Server::on(sandbox, &["127.0.0.5:53"], crate::everything);
        bed.configure(sandbox, "tls://127.0.0.4 127.0.0.5 tls://127.0.0.2", "");
        is_found(&look_up(sandbox, "mixed.test"));
        assert_eq!(plain.log().len(), 2);
    });
}

#[test]
fn a_server_that_fails_a_question_is_followed_by_the_next() {
    Sandbox::enter(|sandbox| {
        let bed = Bed::new(sandbox);
        let refusing = "  local-zone: \"host.test.\" always_refuse\n";
        let second = RealServer::unbound_private(sandbox, "127.0.0.3:853", &bed.good, "");
        let first = RealServer::unbound_private(sandbox, "127.0.0.2:853", &bed.good, refusing);
        let (Some(_first), Some(second)) = (first, second) else { return };
        bed.configure(sandbox, "tls://127.0.0.2 tls://127.0.0.3", "hedge 150");
        is_found(&look_up(sandbox, "host.test"));
        assert_eq!(second.statistic(sandbox, "num.query.tls"), 2);
    });
}

#[test]
fn nothing_goes_out_in_plain_text_unless_it_may() {
    Sandbox::enter(|sandbox| {
        let bed = Bed::new(sandbox);
        bed.configure(sandbox, "tls://127.0.0.2 https://127.0.0.3", "");
        let got = look_up(sandbox, "secret.test");
        assert!(
            got.out().contains("EAI_AGAIN") && got.err().contains("Connection refused"),
            "{got}"
        );
        assert_eq!(bed.seen("secret.test"), 0);
        is_found(&by_libc(sandbox, "libc.test"));
        assert_eq!(bed.seen("libc.test"), 2);

        bed.configure(sandbox, "tls://127.0.0.2 https://127.0.0.3", "upstream-fallback plain");
        is_found(&look_up(sandbox, "open.test"));
        assert_eq!(bed.seen("open.test"), 2);
    });
}

#[test]
fn addresses_have_names() {
    Sandbox::enter(|sandbox| {
        let bed = Bed::new(sandbox);
        let Some(_server) = RealServer::unbound_private(sandbox, "127.0.0.2:853", &bed.good, "")
        else {
            return;
        };
        bed.configure(sandbox, "tls://127.0.0.2#dns.test", "");
        let mut command = sandbox.preload(sandbox.command("getent"));
        command.args(["hosts", "10.1.2.3"]);
        let got = crate::run(command, Duration::from_secs(120));
        assert!(got.out().contains("host.test"), "{got}");
    });
}
