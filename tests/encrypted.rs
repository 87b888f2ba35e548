//! DNS over TLS and HTTPS, and DNSSEC, with real servers: unbound, knot-resolver, knot.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail so")]
#![allow(clippy::disallowed_methods, reason = "tests bind and connect to numeric addresses")]
#![allow(missing_docs, unreachable_pub, reason = "a test program exports nothing")]

mod support;

#[path = "encrypted/anchors.rs"]
mod anchors;
#[path = "encrypted/command.rs"]
mod command;
#[path = "encrypted/dnssec.rs"]
mod dnssec;
#[path = "encrypted/forged.rs"]
mod forged;
#[path = "encrypted/refusals.rs"]
mod refusals;
#[path = "encrypted/servers.rs"]
mod servers;
#[path = "encrypted/zones.rs"]
mod zones;

use std::time::Duration;

use support::authority::{Authority, GOOD, Identity};
use support::cc;
use support::dns::{Question, Reply, Server};
use support::process::{Output, run};
use support::sandbox::Sandbox;
use support::wire::{Record, rtype};

/// Options of resolv.conf with which no slow machine decides what becomes of a lookup.
pub const PATIENT: &str = "timeout:30 attempts:1";

/// Whatever is asked exists. Names below slow.test take longer than a server that nobody has heard has at first.
fn everything(question: &Question) -> Reply {
    let reply = match question.qtype {
        rtype::A => Reply::records([Record::address(&question.name, "192.0.2.7")]),
        rtype::AAAA => Reply::records([Record::address(&question.name, "2001:db8::7")]),
        rtype::PTR => Reply::records([Record::ptr(&question.name, "host.test")]),
        _ => Reply::nodata().soa("test"),
    };
    let is_slow = question.name.ends_with(".slow.test");
    reply.after(if is_slow { Duration::from_millis(700) } else { Duration::ZERO })
}

/// An authority, a certificate of it, and a plain server behind those that speak TLS.
struct Bed {
    authority: Authority,
    good: Identity,
    behind: Server,
}

impl Bed {
    fn new(sandbox: &Sandbox) -> Bed {
        sandbox.address("192.0.2.9/24");
        sandbox.address("2001:db8::9/64");
        let authority = Authority::new(sandbox, "authority");
        let good = authority.issue(sandbox, GOOD, 30);
        sandbox.name_servers(&[1], PATIENT);
        Bed { authority, good, behind: Server::start(sandbox, everything) }
    }

    /// Sets rustdns.conf to ask these servers, with this authority.
    fn configure(&self, sandbox: &Sandbox, upstream: &str, more: &str) {
        let authority = self.authority.file();
        let settings =
            format!("upstream {upstream}\nupstream-ca {}\n{more}\n", authority.display());
        sandbox.write("/etc/rustdns.conf", settings);
    }

    /// Queries that the plain server has seen for names that end so.
    fn seen(&self, end: &str) -> usize {
        self.behind.log().iter().filter(|query| query.name.ends_with(end)).count()
    }
}

/// The probe's lookup of a name, with the trace on its standard error.
fn look_up(sandbox: &Sandbox, name: &str) -> Output {
    let mut command = sandbox.preload(sandbox.command(cc::program("gai")));
    command.args(["-t", "stream", name, "-"]).env("RUSTDNS_DEBUG", "2");
    run(command, Duration::from_secs(120))
}

/// The same lookup by libc.
fn by_libc(sandbox: &Sandbox, name: &str) -> Output {
    let mut command = sandbox.command(cc::program("gai"));
    command.args(["-t", "stream", name, "-"]);
    run(command, Duration::from_secs(120))
}

/// Both addresses were found.
#[track_caller]
fn is_found(got: &Output) {
    assert!(got.out().contains("192.0.2.7") && got.out().contains("2001:db8::7"), "{got}");
}
