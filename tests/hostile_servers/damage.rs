//! A good answer with every bit flipped, every octet replaced, cut at every length: what the library
//! makes of it is what the message says, or the next answer.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::oracle::{Meaning, meaning};
use crate::support::differential::probe_within;
use crate::support::dns::{Question, Reply, Server, Transport};
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Record, rtype};

/// One way to damage a message.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Flip(usize),
    Set(usize, u8),
    Cut(usize),
}

impl Damage {
    fn apply(self, message: &mut Vec<u8>) {
        match self {
            Damage::Flip(bit) => message[bit / 8] ^= 1 << (bit % 8),
            Damage::Set(at, value) => message[at] = value,
            Damage::Cut(length) => message.truncate(length),
        }
    }

    /// Every one that a message of this length can take.
    fn all(length: usize) -> Vec<Damage> {
        let flips = (0..8 * length).map(Damage::Flip);
        // The ends of ranges, the longest label and the shortest that is too long, a pointer.
        let values = [0, 0xff, 0x3f, 0x40, 0xc0];
        let sets = (0..length).flat_map(|at| values.map(|value| Damage::Set(at, value)));
        flips.chain(sets).chain((0..length).map(Damage::Cut)).collect()
    }
}

/// What tells which answer was believed: the damaged one's records, or one of these.
struct Marks {
    /// Comes right behind the damaged answer.
    next: &'static str,
    /// Comes when the server is asked once more.
    again: &'static str,
    /// Comes over TCP.
    tcp: &'static str,
}

const MARKS: [(u16, Marks); 3] = [
    (rtype::A, Marks { next: "192.0.2.201", again: "192.0.2.202", tcp: "192.0.2.203" }),
    (rtype::AAAA, Marks { next: "2001:db8::a", again: "2001:db8::b", tcp: "2001:db8::c" }),
    (rtype::PTR, Marks { next: "next.test", again: "again.test", tcp: "tcp.test" }),
];

fn marks(qtype: u16) -> &'static Marks {
    &MARKS.iter().find(|(of, _)| *of == qtype).unwrap().1
}

fn mark(q: &Question, value: &str) -> Reply {
    let record = if q.qtype == rtype::PTR { Record::ptr } else { Record::address };
    Reply::records([record(&q.name, value)])
}

/// An alias, two records, and authority with more names: something of everything.
fn good(q: &Question) -> Reply {
    let records = match q.qtype {
        rtype::A => ["192.0.2.1", "192.0.2.2"].map(|a| Record::address("end.test", a)),
        rtype::AAAA => ["2001:db8::1", "2001:db8::2"].map(|a| Record::address("end.test", a)),
        _ => ["one.test", "two.test"].map(|name| Record::ptr("end.test", name)),
    };
    Reply::records([Record::cname(&q.name, "end.test")]).answers(records).soa("test")
}

/// What was asked and what was sent, by name.
type Sent = BTreeMap<String, (Question, Vec<u8>)>;

/// Damages the answer to each question in the way that its name has the number of.
struct Script {
    ways: Vec<Damage>,
    sent: Arc<Mutex<Sent>>,
    /// The transport that is damaged.
    over: Transport,
}

impl crate::support::dns::Script for Script {
    fn reply(&self, q: &Question) -> Reply {
        let marks = marks(q.qtype);
        let mut sent = self.sent.lock().unwrap();
        if q.transport != self.over {
            return mark(q, marks.tcp);
        }
        if sent.contains_key(&q.name) {
            return mark(q, marks.again);
        }
        let mut message = good(q).message(q);
        self.ways[number_in(&q.name)].apply(&mut message);
        sent.insert(q.name.clone(), (q.clone(), message.clone()));
        Reply::raw(message).then(mark(q, marks.next))
    }
}

/// `n0123.test`, or the reverse name of 10.101.112.123: names of one length each.
fn number_in(name: &str) -> usize {
    match name.strip_prefix('n') {
        Some(rest) => rest.split('.').next().unwrap().parse().unwrap(),
        None => {
            let octets: Vec<usize> = name.split('.').take(3).map(|o| o.parse().unwrap()).collect();
            (octets[0] - 100) + 100 * (octets[1] - 100)
        }
    }
}

fn name_of(number: usize, qtype: u16) -> String {
    match qtype {
        rtype::PTR => format!("{}.{}.100.10.in-addr.arpa", 100 + number % 100, 100 + number / 100),
        _ => format!("n{number:05}.test"),
    }
}

fn call(number: usize, qtype: u16) -> String {
    match qtype {
        rtype::A => format!("gai -t stream -f inet -F CANONNAME n{number:05}.test. -"),
        rtype::AAAA => format!("gai -t stream -f inet6 -F CANONNAME n{number:05}.test. -"),
        _ => format!("gni -F NAMEREQD 10.100.{}.{} 0", 100 + number / 100, 100 + number % 100),
    }
}

/// What the probe prints for a meaning.
fn expected(meaning: &Meaning, question: &Question) -> String {
    let marks = marks(question.qtype);
    let one = |value: &str| (vec![value.to_owned()], question.name.clone());
    let (mut found, canonical) = match meaning {
        Meaning::Dropped => one(marks.next),
        Meaning::Trouble => one(marks.again),
        Meaning::Truncated => one(marks.tcp),
        Meaning::Found(found, canonical) => (found.clone(), canonical.clone()),
        Meaning::NoName => return "EAI_NONAME".to_owned(),
        // As in libc, for whom getnameinfo has one error.
        Meaning::NoData if question.qtype != rtype::PTR => return "EAI_NODATA".to_owned(),
        Meaning::NoData | Meaning::Unrelated => return "EAI_NONAME".to_owned(),
    };
    if question.qtype == rtype::PTR {
        return found.remove(0);
    }
    found.sort_unstable();
    format!("{} {canonical}", found.join(" "))
}

/// What the probe has printed for one call, in the same words.
fn printed(lines: &[&str]) -> String {
    if lines[0] != "0" {
        return lines[0].to_owned();
    }
    if let Some(host) = lines[1].trim().strip_prefix("host=") {
        return host.split(' ').next().unwrap().to_ascii_lowercase();
    }
    let field = |line: &str, after: &str| {
        let at = line.find(after)? + after.len();
        Some(line[at..].split(' ').next().unwrap().to_owned())
    };
    let mut found: Vec<_> = lines[1..].iter().filter_map(|line| field(line, " tcp ")).collect();
    found.sort_unstable();
    let canonical = field(lines[1], "canonname=").unwrap_or_default();
    format!("{} {}", found.join(" "), canonical.to_ascii_lowercase())
}

/// Damages the answers to questions of this type in every way.
fn every_damage(qtype: u16, over: Transport) {
    Sandbox::enter(|sandbox| {
        let vc = if over == Transport::Tcp { " use-vc" } else { "" };
        sandbox.append("/etc/resolv.conf", format!("options timeout:1 attempts:2{vc}\n"));
        // A question as it will come, for the length of its answer.
        let measured = Arc::new(Mutex::new(0));
        let length = Arc::clone(&measured);
        let measuring = Server::start(sandbox, move |q: &Question| {
            *length.lock().unwrap() = good(q).message(q).len();
            good(q)
        });
        probe_within(Duration::from_secs(10), sandbox, true, &call(0, qtype));
        drop(measuring);
        let ways = Damage::all(*measured.lock().unwrap());
        let sent = Arc::new(Mutex::new(Sent::new()));
        let script = Script { ways: ways.clone(), sent: Arc::clone(&sent), over };
        let _server = Server::start(sandbox, script);
        let mut calls = String::new();
        (0..ways.len()).for_each(|number| writeln!(calls, "{}", call(number, qtype)).unwrap());
        let output = probe_within(Duration::from_secs(60), sandbox, true, &calls);
        assert!(output.success(), "{output}");
        let text = output.out();
        let answers: Vec<Vec<&str>> =
            text.split("> ").skip(1).map(|answer| answer.lines().skip(1).collect()).collect();
        assert_eq!(answers.len(), ways.len());
        let sent = sent.lock().unwrap();
        let (mut complaints, mut slow) = (Vec::new(), 0);
        for (number, (way, lines)) in ways.iter().zip(&answers).enumerate() {
            let (question, message) = &sent[&name_of(number, qtype)];
            let meaning = meaning(message, question);
            let (expected, printed) = (expected(&meaning, question), printed(lines));
            // Where an answer takes a quarter of a second to come the server is asked again.
            let waits = matches!(meaning, Meaning::Dropped | Meaning::Truncated);
            if waits && expected != printed && printed.starts_with(marks(qtype).again) {
                slow += 1;
                continue;
            }
            if expected != printed {
                complaints.push(format!("{way:?}: {meaning:?}, so {expected:?}, not {printed:?}"));
            }
        }
        assert!(slow < ways.len() / 50, "{slow} of {} were asked again", ways.len());
        assert!(
            complaints.is_empty(),
            "{} of {}:\n{}",
            complaints.len(),
            ways.len(),
            complaints.iter().take(12).map(String::as_str).collect::<Vec<_>>().join("\n")
        );
    });
}

#[test]
fn an_a_answer_over_udp() {
    every_damage(rtype::A, Transport::Udp);
}

#[test]
fn an_a_answer_over_tcp() {
    every_damage(rtype::A, Transport::Tcp);
}

#[test]
fn an_aaaa_answer_over_udp() {
    every_damage(rtype::AAAA, Transport::Udp);
}

#[test]
fn a_ptr_answer_over_udp() {
    every_damage(rtype::PTR, Transport::Udp);
}
