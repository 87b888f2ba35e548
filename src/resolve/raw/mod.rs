//! The resolver(3) family: questions of any type, answered with the servers' own messages.

pub mod query;

use crate::base::error::HostError;
use crate::base::error::Trouble;
use crate::base::name::{Name, NameError};
use crate::base::{rcode, record_type};
use crate::config::resolv::Options;
use crate::context::call::Session;
use crate::context::state::Upstream;
use crate::rules::search::{Candidate, Miss, Rules, Search};
use crate::source::dns::exchange::{Progress, Verdict, exchange};
use crate::source::dns::flight::Question;
use crate::source::dns::lookup::Lookup;
use crate::source::dns::message::Message;
use crate::source::dns::slot::{Questions, Slot};
use crate::sys::errno;
use crate::sys::mem::NoMemory;
use core::cell::Cell;
use core::mem::MaybeUninit;
use query::Unwritten;

/// A call that failed.
#[derive(Clone, Copy, Debug)]
pub struct Failure {
    /// `h_errno`; `None` leaves it alone.
    pub host: Option<HostError>,
    /// `errno`; `None` leaves it alone.
    pub errno: Option<i32>,
    /// What the servers said, or why they said nothing.
    miss: Miss,
}

impl Failure {
    /// A call that failed before anybody was asked.
    pub fn without_answer(host: Option<HostError>, errno: Option<i32>) -> Failure {
        Failure { host, errno, miss: Miss::Final }
    }
}

impl Failure {
    fn is_for_want_of_memory(&self) -> bool {
        self.host == Some(HostError::Internal) && self.errno == Some(errno::NO_MEMORY)
    }
}

impl From<NoMemory> for Failure {
    fn from(_: NoMemory) -> Failure {
        Failure {
            host: Some(HostError::Internal),
            errno: Some(errno::NO_MEMORY),
            miss: Miss::Final,
        }
    }
}

/// What a name stands for, and the question about it.
#[derive(Clone, Copy)]
pub struct Asked {
    /// The class; valid ones have 16 bits.
    pub class: i32,
    /// The record type; likewise.
    pub qtype: i32,
}

/// The caller's buffer.
pub type Room<'a> = &'a mut [MaybeUninit<u8>];

/// One call's resolver.
pub struct Resolver<'a> {
    session: &'a Session,
    upstream: &'a Upstream,
    written: Cell<usize>,
}

impl<'a> Resolver<'a> {
    /// A resolver that asks by `upstream`.
    pub fn new(session: &'a Session, upstream: &'a Upstream) -> Resolver<'a> {
        Resolver { session, upstream, written: Cell::new(0) }
    }

    /// How much of the caller's buffer has been written to, by answers that made a call fail too.
    pub fn written(&self) -> usize {
        self.written.get()
    }

    /// The options that it goes by.
    pub fn options(&self) -> &Options {
        &self.upstream.conf.options
    }

    /// Notes that so many octets of it have been.
    pub fn note_written(&self, length: usize) {
        self.written.set(self.written.get().max(length));
    }

    /// Sends a query that the caller has written; the answer goes into `room`, and its length is
    /// returned: over TCP its whole length (with TC set where it was cut), else as much as came.
    pub fn send(&self, octets: &[u8], room: Room<'_>) -> Result<usize, Failure> {
        self.exchange(octets, room).map(|answer| answer.length)
    }

    fn exchange(&self, octets: &[u8], room: Room<'_>) -> Result<Answer, Failure> {
        let failed = |errno, miss| Err(Failure { host: None, errno: Some(errno), miss });
        if self.upstream.servers.is_empty() {
            return failed(errno::NO_SERVER, Miss::Final);
        }
        if room.len() < query::HEADER {
            return failed(errno::INVALID, Miss::Final);
        }
        let Some(question) = Question::of_written(octets) else {
            return failed(errno::INVALID, Miss::Final);
        };
        let mut about_a = [0; query::MAX];
        let replaced = match self.options().no_aaaa {
            true => query::about_a(octets, &mut about_a).and_then(Question::of_written),
            false => None,
        };
        let (question, as_aaaa) = (replaced.unwrap_or(question), replaced.is_some());
        let lookup = Lookup::of(self.session, self.upstream);
        let mut answer = Answer { length: 0, rcode: 0, has_records: false };
        let read = &mut |_: Slot, message: &Message<'_>| {
            let length = deliver(message, self.options().trust_ad, as_aaaa, room);
            self.note_written(length.min(room.len()));
            answer = Answer {
                length,
                rcode: message.rcode(),
                has_records: message.answer_count() != 0 && !as_aaaa,
            };
            Ok(Verdict::Positive)
        };
        match exchange(&lookup.terms, Questions::one(&question), read)?.first {
            Progress::Answered(_) => Ok(answer),
            Progress::Failed(trouble) => {
                let (errno, miss) = meaning(trouble);
                let host = (trouble == Trouble::Bogus).then_some(HostError::NoRecovery);
                Err(Failure { host, errno: Some(errno), miss })
            }
            Progress::Open => failed(errno::TIMED_OUT, Miss::Silent),
        }
    }

    /// Asks for one full name; an answer without records of any kind is a failure.
    pub fn query(&self, name: &[u8], asked: Asked, room: Room<'_>) -> Result<usize, Failure> {
        self.query_name(Name::from_text(name), asked, room)
    }

    /// Asks for `name` with `domain` behind it; without a domain for the name as it is.
    pub fn query_domain(
        &self,
        name: &[u8],
        domain: Option<&[u8]>,
        asked: Asked,
        room: Room<'_>,
    ) -> Result<usize, Failure> {
        let name = match (name, domain) {
            ([], None) => return Err(no_recovery(None)),
            (name, domain) if name.len() + domain.map_or(0, <[u8]>::len) + 1 >= MAX_TEXT => {
                return Err(no_recovery(None));
            }
            (name, None) => Name::from_text(name),
            ([], Some([])) => Ok(Name::ROOT),
            // With the dot between the two there would be an empty label.
            ([] | [b'.'] | [.., b'.'], Some(_)) | (_, Some([b'.'])) => Err(NameError::Malformed),
            (name, Some(domain)) => Name::from_parts(name, domain),
        };
        self.query_name(name, asked, room)
    }

    fn query_name(
        &self,
        name: Result<Name, NameError>,
        asked: Asked,
        room: Room<'_>,
    ) -> Result<usize, Failure> {
        let form = query::Form { op: query::QUERY, class: asked.class, qtype: asked.qtype };
        let mut written = [0; query::MAX];
        let length = match query::write(name, form, self.options(), &mut written) {
            Ok(length) => length,
            Err(Unwritten::NoRoom) => return Err(no_recovery(Some(errno::TOO_LONG))),
            Err(Unwritten::Invalid) => return Err(no_recovery(None)),
        };
        let length = query::add_opt(&mut written, length, room.len(), self.options());
        let written = written.get(..length).unwrap_or_default();
        let answer = self.exchange(written, room).map_err(|failure| Failure {
            host: failure.host.or(Some(HostError::TryAgain)),
            ..failure
        })?;
        let (host, miss) = match answer.rcode {
            rcode::NOERROR if answer.has_records => return Ok(answer.length),
            rcode::NOERROR => (HostError::NoData, Miss::NoData),
            rcode::NXDOMAIN => (HostError::NotFound, Miss::NoName),
            rcode::SERVFAIL => (HostError::TryAgain, Miss::ServFail),
            _ => (HostError::NoRecovery, Miss::Final),
        };
        // libc clears errno when it sends.
        Err(Failure { host: Some(host), errno: Some(0), miss })
    }

    /// Asks for a name by way of `HOSTALIASES` and the search list, until one has records. `tell` is
    /// told why a candidate had none: libc leaves that in `h_errno` even where a later one has.
    pub fn search(
        &self,
        name: &[u8],
        asked: Asked,
        room: Room<'_>,
        tell: &mut dyn FnMut(HostError),
    ) -> Result<usize, Failure> {
        if !self.options().no_aliases
            && let Some(alias) = self.session.host_alias(name)?
        {
            return self.query(&alias, asked, room);
        }
        let rules = Rules::new(self.options(), &self.upstream.conf.search, name);
        let mut search = Search::new(name, rules);
        let mut last =
            Failure { host: Some(HostError::NotFound), errno: Some(0), miss: Miss::NoName };
        while let Some(candidate) = search.next_candidate() {
            let domain = match candidate {
                Candidate::AsIs => None,
                Candidate::Under(domain) => Some(domain),
            };
            match self.query_domain(name, domain, asked, room) {
                Ok(length) => return Ok(length),
                // Another name would be another answer.
                Err(failure) if failure.is_for_want_of_memory() => return Err(failure),
                Err(failure) => {
                    failure.host.into_iter().for_each(&mut *tell);
                    last = Failure { errno: failure.errno.or(last.errno), ..failure };
                }
            }
            search.missed(candidate, last.miss);
        }
        let host = match search.verdict() {
            Miss::NoName => HostError::NotFound,
            Miss::NoData => HostError::NoData,
            Miss::ServFail | Miss::Silent | Miss::Unreachable => HostError::TryAgain,
            Miss::Final | Miss::Unrelated => HostError::NoRecovery,
        };
        Err(Failure { host: Some(host), ..last })
    }
}

/// What is kept of an answer beside the caller's copy.
struct Answer {
    length: usize,
    rcode: u8,
    has_records: bool,
}

/// The longest text of a name, and one (`NS_MAXDNAME`).
const MAX_TEXT: usize = 1025;

fn no_recovery(errno: Option<i32>) -> Failure {
    Failure { host: Some(HostError::NoRecovery), errno, miss: Miss::Final }
}

/// Copies an answer into the caller's buffer, AD cleared unless the server is trusted to say it;
/// returns the length that is told. Where the question was about AAAA and `no-aaaa` had A asked, what is
/// left of the answer is its header and that question.
fn deliver(message: &Message<'_>, trusts_ad: bool, as_aaaa: bool, room: Room<'_>) -> usize {
    let octets = if as_aaaa { message.question_part() } else { message.octets() };
    let is_cut = octets.len() > room.len();
    for (at, (place, &octet)) in room.iter_mut().zip(octets).enumerate() {
        place.write(match at {
            2 if is_cut && message.came_over_tcp() => octet | TC,
            3 if !trusts_ad => octet & !AD,
            // No answer, authority or additional records.
            6..query::HEADER if as_aaaa => 0,
            // Last come type and class, of two octets each.
            _ if as_aaaa && at + 3 == octets.len() => record_type::AAAA as u8,
            _ => octet,
        });
    }
    if message.came_over_tcp() { octets.len() } else { octets.len().min(room.len()) }
}

/// Bits of the header's third and fourth octet.
const TC: u8 = 0x02;
const AD: u8 = 0x20;

/// `errno` for a trouble that ended the exchange, and what it means to a search.
fn meaning(trouble: Trouble) -> (i32, Miss) {
    match trouble {
        Trouble::Unreachable => (errno::REFUSED, Miss::Unreachable),
        Trouble::Rcode(rcode::SERVFAIL) => (errno::TIMED_OUT, Miss::ServFail),
        Trouble::Silent | Trouble::Rcode(_) | Trouble::Lame | Trouble::Broken => {
            (errno::TIMED_OUT, Miss::Silent)
        }
        Trouble::Bogus | Trouble::Cancelled => (errno::TIMED_OUT, Miss::Final),
        Trouble::Local(fault) => (fault.errno(), Miss::Silent),
    }
}
