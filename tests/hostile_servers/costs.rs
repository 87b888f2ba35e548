//! What the worst answers cost: heap and CPU, measured in the process that looks up.

use std::fmt::Write as _;
use std::time::Duration;

use crate::support::cc;
use crate::support::dns::{Question, Reply, Server, Transport};
use crate::support::process::run;
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Record, Writer, rtype};

/// What one lookup has cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) code: i64,
    pub(crate) addresses: i64,
    /// Octets of heap, at the most and afterwards.
    pub(crate) peak: i64,
    pub(crate) left: i64,
    /// Microseconds.
    pub(crate) cpu: i64,
    /// Milliseconds.
    pub(crate) wall: i64,
}

/// Looks `names` up one after the other in one process.
pub(crate) fn cost(sandbox: &Sandbox, preload: bool, names: &[&str]) -> Vec<Cost> {
    let mut command = sandbox.command(cc::program("cost"));
    command.args(names);
    let command = if preload { sandbox.preload(command) } else { command };
    let output = run(command, Duration::from_secs(60));
    assert!(output.success(), "{output}");
    let text = output.out();
    let number = |line: &str, key: &str| -> i64 {
        line.split(' ').find_map(|word| word.strip_prefix(key)).unwrap().parse().unwrap()
    };
    let costs: Vec<Cost> = text
        .lines()
        .map(|line| Cost {
            code: line.split(' ').nth(1).unwrap().parse().unwrap(),
            addresses: number(line, "addresses="),
            peak: number(line, "peak="),
            left: number(line, "left="),
            cpu: number(line, "cpu="),
            wall: number(line, "wall="),
        })
        .collect();
    assert_eq!(costs.len(), names.len(), "{text}");
    costs
}

/// An answer of nearly 65,535 octets: `count` records of this type, owner and data.
fn filled(q: &Question, count: usize, owner: u16, rtype: u16, data: &[u8], junk: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new(q.id, 0x8180, true);
    writer.question_as_sent(&q.name_as_sent, &q.question);
    // Something to point into: the data of a record that nobody asked for.
    if !junk.is_empty() {
        let data = crate::support::wire::Data::Raw(rtype::TXT, junk.to_vec());
        writer.record(1, &Record::new(".", data));
    }
    let mut message = writer.bytes;
    let mut added = 0_u16;
    while usize::from(added) < count && message.len() + 12 + data.len() <= 65_535 {
        message.extend(owner.to_be_bytes());
        for short in [rtype, 1, 0, 300] {
            message.extend(short.to_be_bytes());
        }
        message.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        message.extend(data);
        added += 1;
    }
    let answers = u16::from_be_bytes([message[6], message[7]]) + added;
    message[6..8].copy_from_slice(&answers.to_be_bytes());
    message
}

/// A name at `start`, and behind it `count` pointers that lead from one to the next back to it.
fn pointers(start: usize, count: usize) -> Vec<u8> {
    let at =
        |n: usize| u16::try_from(if n == 0 { start } else { start + 3 + 2 * (n - 1) }).unwrap();
    let pointers = (0..count).flat_map(|n| (0xc000 | at(n)).to_be_bytes());
    [1, b'z', 0].into_iter().chain(pointers).collect()
}

/// A chain of 126 aliases at the end of a message: to follow it takes as many walks over what is before.
fn with_chain(mut message: Vec<u8>) -> Vec<u8> {
    let mut owner = vec![0xc0, 12];
    for n in 0..126_u8 {
        message.extend(&owner);
        message.extend([0, 5, 0, 1, 0, 0, 0, 60, 0, 5, 3, b'x', n / 16 + b'a', n % 16 + b'a', 0]);
        // Written out: pointers reach no further than 16,383.
        owner = vec![3, b'x', n / 16 + b'a', n % 16 + b'a', 0];
    }
    let count = u16::from_be_bytes([message[6], message[7]]) + 126;
    message[6..8].copy_from_slice(&count.to_be_bytes());
    message
}

fn worst(q: &Question) -> Reply {
    if q.transport == Transport::Udp {
        return Reply::empty().truncated();
    }
    let address: &[u8] = if q.qtype == rtype::A { &[192, 0, 2, 1] } else { &[0x20; 16] };
    let name_ends = 12 + q.question.len() - 4;
    let kind = q.name.split('.').next().unwrap();
    let start = name_ends + 4 + 11;
    // Every owner is at the end of so many pointers, or has 126 labels.
    let owner = |octets: usize| 0xc000 | u16::try_from(start + octets).unwrap();
    let pointers = |count: usize| (owner(3 + 2 * (count - 1)), pointers(start, count));
    let labels = || (owner(0), [1, b'a'].repeat(126).into_iter().chain([0]).collect());
    let of = |(owner, junk): (u16, Vec<u8>), spare: usize| {
        let count = (65_000 - junk.len() - spare) / 14;
        filled(q, count, owner, rtype::CNAME, &[0xc0, 12], &junk)
    };
    Reply::raw(match kind {
        "addresses" => filled(q, usize::MAX, 0xc00c, q.qtype, address, &[]),
        // Every record is an alias of the question's name for itself.
        "loops" => filled(q, usize::MAX, 0xc00c, rtype::CNAME, &[0xc0, 12], &[]),
        "pointers" => of(pointers(8_000), 0),
        "labels" => of(labels(), 0),
        "pointers-and-chain" => with_chain(of(pointers(8_000), 4_000)),
        "some-pointers-and-chain" => with_chain(of(pointers(15), 4_000)),
        "more-pointers-and-chain" => with_chain(of(pointers(1_000), 4_000)),
        "labels-and-chain" => with_chain(of(labels(), 4_000)),
        _ => return Reply::records([Record::address(&q.name, "192.0.2.1")]),
    })
}

/// Many times what is measured: a bound tells what is linear from what is not.
const MOST_CPU: i64 = 1_000_000;
const MOST_HEAP: i64 = 4 << 20;
/// What the cache keeps of one name.
const MOST_LEFT: i64 = 256 << 10;

#[test]
fn the_largest_answers_cost_little() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "options timeout:2 attempts:1\n");
        let _server = Server::start(sandbox, worst);
        let names = [
            "addresses.test.",
            "loops.test.",
            "pointers.test.",
            "labels.test.",
            "pointers-and-chain.test.",
            "some-pointers-and-chain.test.",
            "more-pointers-and-chain.test.",
            "labels-and-chain.test.",
        ];
        let costs = cost(sandbox, true, &names);
        let mut table = String::new();
        for (name, cost) in names.iter().zip(&costs) {
            writeln!(table, "{name} {cost:?}").unwrap();
        }
        println!("{table}");
        for cost in &costs {
            assert!(cost.cpu < MOST_CPU && cost.peak < MOST_HEAP, "{table}");
            assert!(cost.left < MOST_LEFT, "{table}");
        }
    });
}
