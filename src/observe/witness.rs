//! What a lookup does, as data: the command `rustdns` shows it. Compiled for that program alone
//! (feature `command`), so that in the libraries a lookup says nothing and pays nothing; and so it is
//! free to allocate as a program may.

use crate::base::address::Address;
use crate::base::error::Failure;
use crate::base::name::Name;
use crate::cache::dns;
use crate::config::gai::Policy;
use crate::config::hosts::{Hosts, Line};
use crate::config::nsswitch::{Action, Service, Status};
use crate::rules::select::{Candidate, Rule, decided_by};
use crate::sys::time::Instant;
use core::cell::RefCell;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

/// One thing that a lookup did or learned.
#[derive(Clone, Debug)]
pub enum Statement {
    /// A service of nsswitch.conf has been asked. What it did comes before this.
    Service {
        /// Which one.
        service: Service,
        /// Its outcome.
        status: Status,
        /// Why it had no answer.
        failure: Option<Failure>,
        /// What nsswitch.conf wants done about that.
        action: Action,
    },
    /// libc was asked (`foreign libc`); why it had no answer.
    Libc(Option<Failure>),
    /// A line of the hosts file was used.
    HostsLine {
        /// Its number, from 1.
        number: u32,
        /// The address that it gave.
        address: Address,
    },
    /// Known without asking anybody: `localhost`, this host's own name.
    Own,
    /// A query was sent.
    Query(Query),
    /// A message has come that answers a query.
    Answer(Query, Answer),
    /// A query has no answer, and why; said of servers that are asked by way of librustdns-encrypted.so.
    NoAnswer(Query, Reason),
    /// The cache had the answer.
    Cached(Content),
    /// What the message just told of says.
    Content(Content),
    /// Addresses were put in order.
    Order(Vec<Ranked>),
}

/// A query, as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The name asked for.
    pub name: String,
    /// The record type.
    pub qtype: u16,
    /// To whom.
    pub server: SocketAddr,
    /// `udp`, `tcp`, `tls` or `https`.
    pub transport: &'static str,
    /// It had an OPT record (RFC 6891).
    pub edns: bool,
}

/// A message that answers a query.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The response code.
    pub rcode: u8,
    /// Its length in octets.
    pub octets: usize,
    /// It didn't fit.
    pub truncated: bool,
    /// It has an OPT record.
    pub edns: bool,
    /// What its signatures are worth, where they were checked.
    pub worth: Option<Worth>,
    /// From query to answer.
    pub after: Duration,
}

/// What the check of an answer's signatures came to (RFC 4035 section 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Worth {
    /// They lead from a trust anchor to the answer.
    Secure,
    /// The zone provably signs nothing.
    Insecure,
    /// The answer is not what the zone has signed.
    Bogus,
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub struct Reason {
    /// One came, and was not what the zone has signed.
    pub bogus: bool,
    /// In words.
    pub text: String,
}

/// What is known of a name.
#[derive(Clone, Debug)]
pub struct Content {
    /// The record type.
    pub qtype: u16,
    /// There are such records.
    pub found: bool,
    /// For so many seconds.
    pub ttl: u32,
}

/// An address in its place.
#[derive(Clone, Debug)]
pub struct Ranked {
    /// The address.
    pub address: Address,
    /// Where packets to it would come from; `None` where there is no route.
    pub source: Option<IpAddr>,
    /// What put it before the next one; `None` for the last.
    pub before_next: Option<Rule>,
}

thread_local! {
    static HEARD: RefCell<Option<Vec<Statement>>> = const { RefCell::new(None) };
}

/// Runs `work`, and returns with its result what this thread's lookups said meanwhile.
pub fn hear<T>(work: impl FnOnce() -> T) -> (T, Vec<Statement>) {
    HEARD.set(Some(Vec::new()));
    let result = work();
    (result, HEARD.take().unwrap_or_default())
}

/// Says something, where somebody hears.
pub fn tell(statement: impl FnOnce() -> Statement) {
    HEARD.with_borrow_mut(|heard| {
        if let Some(heard) = heard {
            heard.push(statement());
        }
    });
}

/// A service was asked, and this came of it.
pub(crate) fn service(
    service: &Service,
    status: Status,
    failure: Option<&Failure>,
    action: Action,
) {
    let failure = failure.copied();
    tell(|| Statement::Service { service: service.clone(), status, failure, action });
}

/// libc was asked, and this came of it.
pub(crate) fn libc(failure: Option<&Failure>) {
    let failure = failure.copied();
    tell(|| Statement::Libc(failure));
}

/// A line of the hosts file gave `address`, or the name for it.
pub(crate) fn hosts_line(hosts: &Hosts, line: &Line<'_>, address: Address) {
    tell(|| Statement::HostsLine { number: hosts.number(line), address });
}

/// What a message says: whether there are such records, for how many seconds.
pub(crate) fn content(qtype: u16, found: bool, ttl: u32) {
    tell(|| Statement::Content(Content { qtype, found, ttl }));
}

/// What the cache says.
pub(crate) fn cached(qtype: u16, entry: &dns::Entry, now: Instant) {
    let found = match entry.content() {
        dns::Content::Addresses(..) | dns::Content::Names(_) => true,
        dns::Content::NoData
        | dns::Content::NoName
        | dns::Content::Unrelated
        | dns::Content::Silence => false,
    };
    tell(|| Statement::Cached(Content { qtype, found, ttl: entry.ttl(now) }));
}

/// A query goes out.
pub(crate) fn query(asked: (&Name, u16), server: SocketAddr, transport: &'static str, edns: bool) {
    tell(|| Statement::Query(Query::of(asked, server, transport, edns)));
}

/// A message has come for this question, from this server, over this transport.
pub(crate) fn answer(
    (asked, server, transport, edns): ((&Name, u16), SocketAddr, &'static str, bool),
    answer: impl FnOnce() -> Answer,
) {
    tell(|| Statement::Answer(Query::of(asked, server, transport, edns), answer()));
}

/// Nothing came for this question that could be used. `text` is the object's: server, question, reason.
pub(crate) fn no_answer(
    asked: (&Name, u16),
    (server, transport): (SocketAddr, &'static str),
    bogus: bool,
    text: &[u8],
) {
    tell(|| {
        let text = String::from_utf8_lossy(text);
        let text = text.splitn(3, ": ").nth(2).unwrap_or(&text).to_owned();
        Statement::NoAnswer(Query::of(asked, server, transport, true), Reason { bogus, text })
    });
}

/// Addresses have been put in this order.
pub(crate) fn order(candidates: &[Candidate], policy: &Policy) {
    tell(|| {
        let next = candidates.iter().skip(1).map(Some).chain([None]);
        let ranked = candidates.iter().zip(next).map(|(candidate, next)| Ranked {
            address: candidate.destination,
            source: candidate.source.map(|source| source.ip),
            before_next: next.map(|next| decided_by(candidate, next, policy).1),
        });
        Statement::Order(ranked.collect())
    });
}

impl Query {
    fn of(
        (name, qtype): (&Name, u16),
        server: SocketAddr,
        transport: &'static str,
        edns: bool,
    ) -> Query {
        Query { name: name.to_string(), qtype, server, transport, edns }
    }
}
