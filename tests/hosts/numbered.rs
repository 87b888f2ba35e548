//! Names whose addresses follow from the name, as `tests/c/host.h` expects them.

use std::net::Ipv4Addr;
use std::time::Duration;

use crate::support::cc;
use crate::support::dns::{Question, Reply, Server};
use crate::support::process::{End, Output, run};
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Record, rtype};

/// How long the answer to a slow name takes.
const SLOW: Duration = Duration::from_millis(3);
/// How long the answer to a late name takes.
const LATE: Duration = Duration::from_millis(400);

/// `nI.test` has the address 10.0.X.Y with X.Y = I, and the other way round; `sI.test` has it too, but
/// slowly and for no time. Nobody answers for silent.test.
pub fn numbered(question: &Question) -> Reply {
    match (question.qtype, number(&question.name), address(&question.name)) {
        (rtype::A, Some((slow, number)), _) => {
            let record = record(&question.name, number);
            match slow {
                true => Reply::records([record.ttl(0)]).after(SLOW),
                false => Reply::records([record]),
            }
        }
        (rtype::PTR, _, Some(number)) => {
            Reply::records([Record::ptr(&question.name, &format!("n{number}.test"))])
        }
        (_, Some(_), _) => Reply::nodata().soa("test"),
        _ if question.name == "silent.test" => Reply::drop(),
        _ => Reply::nxdomain().soa("."),
    }
}

/// The same for `tests/c/host_left.c`; qI.test, and the addresses of 11.0.0.0/8, are asked for in vain; lI.test is
/// nI.test, and late.
pub fn left(question: &Question) -> Reply {
    let name = question.name.as_str();
    match name.as_bytes().first() {
        Some(b'q') => Reply::drop(),
        _ if name.ends_with(".11.in-addr.arpa") => Reply::drop(),
        Some(b'l') => {
            let as_if = Question { name: format!("n{}", &name[1..]), ..question.clone() };
            match (question.qtype, number(&as_if.name)) {
                (rtype::A, Some((_, number))) => Reply::records([record(name, number)]).after(LATE),
                _ => Reply::nodata().soa("test").after(LATE),
            }
        }
        _ => numbered(question),
    }
}

/// What a name of this number has.
fn record(name: &str, number: u32) -> Record {
    Record::address(name, &Ipv4Addr::from_bits(10 << 24 | number).to_string())
}

/// The number in a name, and whether it is a slow one.
pub fn number(name: &str) -> Option<(bool, u32)> {
    let first = name.strip_suffix(".test")?;
    let (slow, digits) = match first.strip_prefix('s') {
        Some(digits) => (true, digits),
        None => (false, first.strip_prefix('n')?),
    };
    Some((slow, digits.parse().ok()?))
}

/// The number that an address of 10.0.0.0/8 stands for, of its name in the reverse tree.
fn address(name: &str) -> Option<u32> {
    let octets: Vec<u32> = name
        .strip_suffix(".10.in-addr.arpa")?
        .split('.')
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    let &[low, middle, high] = octets.as_slice() else { return None };
    Some(high << 16 | middle << 8 | low)
}

/// A program of `tests/c`, with the library, among names that a server of its own has.
pub fn lives(program: &str, arguments: &[&str]) {
    lives_for(Duration::from_secs(60), program, arguments);
}

/// The same for at most this long.
#[track_caller]
pub fn lives_for(limit: Duration, program: &str, arguments: &[&str]) {
    Sandbox::enter(|sandbox| {
        let _server = begin(sandbox);
        let mut command = sandbox.command(cc::program(program));
        command.args(arguments);
        is_ok(&run(sandbox.preload(command), limit));
    });
}

/// The server of these names; and an address beside loopback's, for AI_ADDRCONFIG.
pub fn begin(sandbox: &Sandbox) -> Server {
    sandbox.address("192.0.2.9/24");
    Server::start(sandbox, numbered)
}

/// The program has found nothing wrong.
#[track_caller]
pub fn is_ok(got: &Output) {
    assert_eq!(got.end, End::Exit(0), "{got}");
    assert!(got.out().starts_with("ok "), "{got}");
    assert!(got.err().is_empty(), "{got}");
}
