//! The usual script of a [`Server`](super::dns::Server): records by name.

use std::collections::{BTreeMap, BTreeSet};

use super::dns::{Question, Reply, Script};
use super::wire::{Data, Record, rcode, reverse_name, rtype};

/// How long a chain of aliases the server follows by itself.
const CHAIN: usize = 16;

/// Records, answered as an authoritative server with recursion would: CNAME chains are followed
/// within the zone, wildcards expanded (RFC 4592), negatives carry an SOA (RFC 2308).
///
/// A name that it knows nothing of is REFUSED, or NXDOMAIN after [`Zone::nxdomain_else`].
#[derive(Clone, Debug, Default)]
pub struct Zone {
    records: BTreeMap<String, Vec<Record>>,
    nxdomain: BTreeSet<String>,
    nxdomain_else: bool,
    ttl: Option<u32>,
}

impl Zone {
    pub fn new() -> Zone {
        Zone::default()
    }

    /// The TTL of the records that follow, in seconds. 300 until told.
    pub fn ttl(mut self, seconds: u32) -> Zone {
        self.ttl = Some(seconds);
        self
    }

    /// Adds any record. An owner that starts with `*.` is a wildcard.
    pub fn record(mut self, record: Record) -> Zone {
        let record = Record { ttl: self.ttl.unwrap_or(record.ttl), ..record };
        self.records.entry(key(&record.owner)).or_default().push(record);
        self
    }

    pub fn a(self, owner: &str, address: &str) -> Zone {
        assert!(!address.contains(':'), "{address}");
        self.record(Record::address(owner, address))
    }

    pub fn aaaa(self, owner: &str, address: &str) -> Zone {
        assert!(address.contains(':'), "{address}");
        self.record(Record::address(owner, address))
    }

    /// Adds addresses of either family.
    pub fn addresses<'a>(self, owner: &str, addresses: impl IntoIterator<Item = &'a str>) -> Zone {
        addresses.into_iter().fold(self, |zone, a| zone.record(Record::address(owner, a)))
    }

    pub fn cname(self, owner: &str, target: &str) -> Zone {
        self.record(Record::cname(owner, target))
    }

    /// Says whose name an address is.
    pub fn ptr(self, address: &str, target: &str) -> Zone {
        let owner = reverse_name(address.parse().unwrap());
        self.record(Record::ptr(&owner, target))
    }

    pub fn mx(self, owner: &str, preference: u16, target: &str) -> Zone {
        self.record(Record::new(owner, Data::Mx(preference, target.to_owned())))
    }

    pub fn txt(self, owner: &str, text: &str) -> Zone {
        self.record(Record::new(owner, Data::Txt(text.as_bytes().to_vec())))
    }

    /// Makes this one name nonexistent.
    pub fn nxdomain(mut self, owner: &str) -> Zone {
        self.nxdomain.insert(key(owner));
        self
    }

    /// Makes every name nonexistent that nothing else is said of.
    pub fn nxdomain_else(mut self) -> Zone {
        self.nxdomain_else = true;
        self
    }

    /// The answer to a question; what [`Server::start`](super::dns::Server::start) calls, and a
    /// script that only treats some questions specially.
    pub fn answer(&self, question: &Question) -> Reply {
        let mut answers: Vec<Record> = Vec::new();
        let mut name = question.name.clone();
        for _ in 0..CHAIN {
            let Some(records) = self.find(&name) else {
                return self.missing(&name, answers);
            };
            let wanted = |r: &&Record| question.qtype == rtype::ANY || r.rtype() == question.qtype;
            let matching: Vec<Record> = records.iter().filter(wanted).cloned().collect();
            if !matching.is_empty() {
                answers.extend(matching);
                return Reply::records(answers);
            }
            let Some((alias, target)) = records.iter().find_map(alias) else {
                return Reply::nodata().soa(apex(&name)).answers(answers);
            };
            answers.push(alias.clone());
            name = key(target);
        }
        Reply::records(answers)
    }

    fn missing(&self, name: &str, so_far: Vec<Record>) -> Reply {
        if self.nxdomain_else || self.nxdomain.contains(name) {
            Reply::nxdomain().soa(apex(name)).answers(so_far)
        } else if so_far.is_empty() {
            Reply::rcode(rcode::REFUSED)
        } else {
            Reply::records(so_far)
        }
    }

    /// The records of a name, or `None` if it doesn't exist. Empty for a name that only has names
    /// below it (RFC 8020).
    fn find(&self, name: &str) -> Option<Vec<Record>> {
        if self.nxdomain.contains(name) {
            return None;
        }
        if let Some(records) = self.records.get(name) {
            return Some(records.clone());
        }
        if self.has_below(name) {
            return Some(Vec::new());
        }
        let mut above = name;
        while let Some((_, parent)) = above.split_once('.') {
            if let Some(wild) = self.records.get(&format!("*.{parent}")) {
                let owned = |r: &Record| Record { owner: name.to_owned(), ..r.clone() };
                return Some(wild.iter().map(owned).collect());
            }
            if self.records.contains_key(parent) || self.has_below(parent) {
                return None;
            }
            above = parent;
        }
        None
    }

    fn has_below(&self, name: &str) -> bool {
        let suffix = format!(".{name}");
        self.records.keys().any(|owner| owner.ends_with(&suffix))
    }
}

impl Script for Zone {
    fn reply(&self, question: &Question) -> Reply {
        self.answer(question)
    }
}

fn alias(record: &Record) -> Option<(&Record, &str)> {
    match &record.data {
        Data::Name(rtype::CNAME, target) => Some((record, target)),
        _ => None,
    }
}

/// The top-level domain plays the zone: nothing depends on more.
fn apex(name: &str) -> &str {
    name.rsplit('.').next().unwrap()
}

fn key(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}
