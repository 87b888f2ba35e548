//! What name servers answer, written as lines:
//!
//! ```text
//! at 127.0.0.2 127.0.0.3 udp      the addresses of the server that follows; udp or tcp: nothing else
//! host.test A 192.0.2.1           a record: A, AAAA, CNAME, DNAME, PTR, NS, MX, TXT, or TYPE99 and hex
//! 192.0.2.1 ptr host.test         a PTR record by its address
//! gone.test nxdomain              this name does not exist
//! else refused                    so is every name that nothing is said of; NXDOMAIN if that isn't said
//! *.slow.test udp A = drop        a scripted answer to some questions: the first that fits is given
//! x.test = zone tc ; close        several messages, one after the other
//! ```
//!
//! A question is chosen by its name (where `*` is any text) and, as far as said, by transport,
//! type, `edns` or `plain`. Words of an answer: `noerror nxdomain servfail refused formerr notimp
//! rcode=N`, `zone` (what the records say), `soa aa tc ad no-ra drop close query opcode=N wrong-id
//! wrong-port wrong-address=A no-question question=NAME,TYPE,CLASS no-edns uncompressed whole cut=N
//! delay=MS segments=N length=N raw=HEX`, and `answer(RECORD) authority(RECORD) additional(RECORD)`
//! with `@` for the name that was asked for, and a class before the type if it isn't IN.

use super::outcome::is_like;
use super::support::dns::{Question, Reply, Script, Transport};
use super::support::wire::{Data, IN, Record, rcode, rtype};
use super::support::zone::Zone;

use std::time::Duration;

/// One server: where it is, and what it says.
#[derive(Debug)]
pub struct Written {
    /// Addresses with port.
    pub addresses: Vec<String>,
    pub transports: Vec<Transport>,
    pub answers: Answers,
}

/// What a server answers.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    zone: Zone,
    refused_else: bool,
    scripted: Vec<Scripted>,
}

#[derive(Clone, Debug)]
struct Scripted {
    name: String,
    transport: Option<Transport>,
    rtype: Option<u16>,
    edns: Option<bool>,
    /// A list of messages, each a list of words.
    steps: Vec<Vec<String>>,
}

/// The servers of a world.
pub fn parse(text: &str) -> Vec<Written> {
    let mut servers: Vec<Written> = Vec::new();
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        if let Some(places) = line.strip_prefix("at ") {
            servers.push(server(places));
            continue;
        }
        if servers.is_empty() {
            servers.push(server("127.0.0.1"));
        }
        servers.last_mut().unwrap().answers.add(line);
    }
    servers
}

fn server(places: &str) -> Written {
    let mut addresses = Vec::new();
    let mut transports = vec![Transport::Udp, Transport::Tcp];
    for word in places.split_whitespace() {
        match transport(word) {
            Some(only) => transports = vec![only],
            None if word.contains(':') => addresses.push(format!("[{word}]:53")),
            None => addresses.push(format!("{word}:53")),
        }
    }
    Written { addresses, transports, answers: Answers::default() }
}

fn transport(word: &str) -> Option<Transport> {
    match word {
        "udp" => Some(Transport::Udp),
        "tcp" => Some(Transport::Tcp),
        _ => None,
    }
}

impl Answers {
    fn add(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let zone = self.zone.clone();
        match words.as_slice() {
            _ if words.contains(&"=") => self.script(line),
            ["else", "refused"] => self.refused_else = true,
            [address, "ptr", name] => self.zone = zone.ptr(address, name),
            [name, "nxdomain"] => self.zone = zone.nxdomain(name),
            _ => self.zone = zone.record(record(&words, "")),
        }
    }

    fn script(&mut self, line: &str) {
        let (question, answer) = line.split_once(" = ").unwrap_or_else(|| panic!("{line}"));
        let mut words = question.split_whitespace();
        let name = words.next().unwrap().to_owned();
        let mut scripted =
            Scripted { name, transport: None, rtype: None, edns: None, steps: Vec::new() };
        for word in words {
            match word {
                "edns" | "plain" => scripted.edns = Some(word == "edns"),
                "udp" | "tcp" => scripted.transport = transport(word),
                _ => scripted.rtype = Some(number(word)),
            }
        }
        scripted.steps = answer.split(" ; ").map(step_words).collect();
        self.scripted.push(scripted);
    }
}

/// Words, where blanks in parentheses do not count.
fn step_words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut inside = false;
    for letter in text.trim().chars() {
        match letter {
            '(' => inside = true,
            ')' => inside = false,
            ' ' if !inside => {
                words.push(String::new());
                continue;
            }
            _ => {}
        }
        words.last_mut().unwrap().push(letter);
    }
    words
}

/// A record type by its name or number.
pub fn number(word: &str) -> u16 {
    TYPES.iter().find(|(name, _)| *name == word).map_or_else(
        || word.trim_start_matches("TYPE").parse().unwrap_or_else(|_| panic!("{word} is no type")),
        |(_, number)| *number,
    )
}

/// The name of a record type, or its number.
pub fn type_name(number: u16) -> String {
    let known = TYPES.iter().find(|(_, known)| *known == number);
    known.map_or_else(|| number.to_string(), |(name, _)| (*name).to_owned())
}

const TYPES: [(&str, u16); 12] = [
    ("A", rtype::A),
    ("NS", rtype::NS),
    ("CNAME", rtype::CNAME),
    ("SOA", rtype::SOA),
    ("PTR", rtype::PTR),
    ("MX", rtype::MX),
    ("TXT", rtype::TXT),
    ("AAAA", rtype::AAAA),
    ("SRV", rtype::SRV),
    ("DNAME", rtype::DNAME),
    ("RRSIG", rtype::RRSIG),
    ("ANY", rtype::ANY),
];

/// OWNER [CLASS] TYPE DATA
fn record(words: &[&str], asked: &str) -> Record {
    let name = |word: &str| if word == "@" { asked.to_owned() } else { word.to_owned() };
    let (owner, class, rest) = match words {
        [owner, "CH", rest @ ..] => (owner, 3, rest),
        [owner, "HS", rest @ ..] => (owner, 4, rest),
        [owner, rest @ ..] => (owner, IN, rest),
        [] => panic!("an empty record"),
    };
    let record = match rest {
        ["A" | "AAAA", address] => Record::address("", address),
        ["SOA", zone] => Record::soa(zone),
        ["MX", preference, target] => {
            Record::new("", Data::Mx(preference.parse().unwrap(), name(target)))
        }
        ["TXT", text @ ..] => Record::new("", Data::Txt(text.join(" ").into_bytes())),
        [kind @ ("CNAME" | "DNAME" | "PTR" | "NS"), target] => {
            Record::new("", Data::Name(number(kind), name(target)))
        }
        [kind] => Record::new("", Data::Raw(number(kind), Vec::new())),
        [kind, bytes] => Record::new("", Data::Raw(number(kind), hex(bytes))),
        _ => panic!("{words:?} is no record"),
    };
    Record { owner: name(owner), class, ..record }
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

impl Script for Answers {
    fn reply(&self, question: &Question) -> Reply {
        match self.scripted.iter().find(|scripted| scripted.fits(question)) {
            Some(scripted) => {
                let steps = scripted.steps.iter().map(|words| self.step(words, question));
                steps.reduce(Reply::then).unwrap()
            }
            None => self.zone_reply(question),
        }
    }
}

impl Scripted {
    fn fits(&self, question: &Question) -> bool {
        let name = is_like(&question.name, &self.name.to_ascii_lowercase());
        name && self.transport.is_none_or(|t| t == question.transport)
            && self.rtype.is_none_or(|t| t == question.qtype)
            && self.edns.is_none_or(|e| e == question.edns.is_some())
    }
}

impl Answers {
    fn zone_reply(&self, question: &Question) -> Reply {
        let zone =
            if self.refused_else { self.zone.clone() } else { self.zone.clone().nxdomain_else() };
        zone.answer(question)
    }

    fn step(&self, words: &[String], question: &Question) -> Reply {
        let (first, rest) = words.split_first().unwrap();
        let begun = match first.as_str() {
            "zone" => self.zone_reply(question),
            "drop" => Reply::drop(),
            "close" => Reply::close(),
            "nxdomain" => Reply::nxdomain(),
            "servfail" => Reply::rcode(rcode::SERVFAIL),
            "refused" => Reply::rcode(rcode::REFUSED),
            "formerr" => Reply::rcode(rcode::FORMERR),
            "notimp" => Reply::rcode(rcode::NOTIMP),
            word => match word.split_once('=') {
                Some(("rcode", code)) => Reply::rcode(code.parse().unwrap()),
                Some(("raw", bytes)) => Reply::raw(hex(bytes)),
                _ if word == "noerror" => Reply::empty(),
                _ => change(Reply::empty(), word, question),
            },
        };
        rest.iter().fold(begun, |reply, word| change(reply, word, question))
    }
}

fn change(reply: Reply, word: &str, question: &Question) -> Reply {
    if let Some((section, text)) = word.strip_suffix(')').and_then(|word| word.split_once('(')) {
        let words: Vec<&str> = text.split_whitespace().collect();
        let records = [record(&words, &question.name_as_sent)];
        return match section {
            "answer" => reply.answers(records),
            "authority" => reply.authority(records),
            "additional" => reply.additional(records),
            _ => panic!("{section} is no section"),
        };
    }
    let (key, value) = word.split_once('=').unwrap_or((word, ""));
    match key {
        "soa" => reply.soa(question.name.rsplit('.').next().unwrap()),
        "aa" => reply.authoritative(),
        "tc" => reply.truncated(),
        "ad" => reply.authentic(),
        "no-ra" => reply.without_recursion(),
        "query" => reply.not_a_response(),
        "opcode" => reply.opcode(value.parse().unwrap()),
        "wrong-id" => reply.wrong_id(),
        "wrong-port" => reply.wrong_port(),
        "wrong-address" => reply.wrong_address(value),
        "no-question" => reply.without_question(),
        "question" => {
            let parts: Vec<&str> = value.split(',').collect();
            let name = if parts[0] == "@" { &question.name } else { parts[0] };
            reply.wrong_question(name, number(parts[1]), parts[2].parse().unwrap())
        }
        "no-edns" => reply.without_edns(),
        "uncompressed" => reply.uncompressed(),
        "whole" => reply.whole(),
        "cut" => reply.cut(value.parse().unwrap()),
        "delay" => reply.after(Duration::from_millis(value.parse().unwrap())),
        "segments" => reply.segments(value.parse().unwrap()),
        "length" => reply.length_error(value.parse().unwrap()),
        _ => panic!("{word}: no word of an answer"),
    }
}
