//! What an answer says about its question: addresses or names, at the end of a chain of aliases.

use super::message::{CLASS_IN, Message, Record};
use crate::base::address::Address;
use crate::base::answer::{AddressSet, Addresses, Answer};
use crate::base::name::Name;
use crate::base::text::{NameText, append_name, text_of};
use crate::base::{rcode, record_type};
use crate::sys::mem::{NoMemory, TryPush};
use core::net::IpAddr;

/// Aliases that are followed. Recursive servers stop near a dozen; a chain of a hundred is a test's,
/// or an attacker's, and each costs a walk over the answer.
const MAX_ALIASES: usize = 128;

/// Reads the addresses of `qtype` (A or AAAA) that `message` gives for `name`, with the seconds
/// that this may be kept.
#[inline(never)]
pub fn addresses(
    message: &Message<'_>,
    name: &Name,
    qtype: u16,
) -> Result<(Answer<AddressSet>, u32), NoMemory> {
    let mut chain = Chain::follow(message, name)?;
    let mut addresses = Addresses::new();
    for record in chain.records(qtype) {
        let ip: Option<IpAddr> = match qtype {
            record_type::A => <[u8; 4]>::try_from(record.data).ok().map(IpAddr::from),
            _ => <[u8; 16]>::try_from(record.data).ok().map(IpAddr::from),
        };
        if let Some(ip) = ip {
            chain.ttl = chain.ttl.min(record.ttl);
            addresses.try_push(Address::new(ip))?;
        }
    }
    if addresses.is_empty() || message.rcode() != rcode::NOERROR {
        return Ok(chain.nothing(qtype));
    }
    let Chain { host_name: canonical, aliases, ttl, .. } = chain;
    Ok((Answer::Found(AddressSet { addresses, canonical, aliases }), ttl))
}

/// Reads the host names that `message` gives for the PTR question `name`; tells them to `each`.
/// Returns whether there were any, with the seconds that this may be kept.
pub fn pointers(
    message: &Message<'_>,
    name: &Name,
    each: &mut dyn FnMut(&Name) -> Result<(), NoMemory>,
) -> Result<(Answer<()>, u32), NoMemory> {
    let mut chain = Chain::follow(message, name)?;
    let mut found = false;
    for record in chain.records(record_type::PTR) {
        // A name with other characters could do harm where programs print or split it.
        if let Some(target) = record.target().filter(Name::is_host_name) {
            chain.ttl = chain.ttl.min(record.ttl);
            found = true;
            each(&target)?;
        }
    }
    if !found || message.rcode() != rcode::NOERROR {
        return Ok(chain.nothing(record_type::PTR));
    }
    Ok((Answer::Found(()), chain.ttl))
}

/// How long an answer's "no" may be kept: the lesser of the SOA record's TTL and its MINIMUM field
/// (RFC 2308 section 5); without an SOA record it may not be kept at all.
pub(super) fn negative_ttl(message: &Message<'_>) -> u32 {
    soa(message).map_or(0, |soa| soa_ttl(&soa))
}

fn soa<'m>(message: &Message<'m>) -> Option<Record<'m>> {
    message.authority().find(|r| r.record_type == record_type::SOA && r.class == CLASS_IN)
}

fn soa_ttl(soa: &Record<'_>) -> u32 {
    // Two names, then five numbers of which MINIMUM is the last.
    match soa.data.last_chunk::<4>() {
        Some(&minimum) if soa.data.len() >= 22 => soa.ttl.min(u32::from_be_bytes(minimum)),
        _ => 0,
    }
}

/// The aliases from a question's name to the name that has the records.
struct Chain<'m> {
    message: Message<'m>,
    /// The last name; `None` where there is none.
    end: Option<Name>,
    /// The last name of the chain that is a host name, or the question's own.
    host_name: Name,
    /// Host names before it, each ended by NUL.
    aliases: NameText,
    /// The least TTL along the way.
    ttl: u32,
    /// There are no aliases.
    is_direct: bool,
}

impl<'m> Chain<'m> {
    /// Follows CNAME records from `name`, in whatever order they stand (RFC 1034 section 3.6.2).
    fn follow(message: &Message<'m>, name: &Name) -> Result<Chain<'m>, NoMemory> {
        let mut chain = Chain {
            message: *message,
            end: Some(*name),
            host_name: *name,
            aliases: NameText::new(),
            ttl: u32::MAX,
            is_direct: true,
        };
        for _ in 0..MAX_ALIASES {
            let alias = chain.records(record_type::CNAME).next();
            let Some((alias, target)) = alias.and_then(|alias| Some((alias, alias.target()?)))
            else {
                return Ok(chain);
            };
            chain.ttl = chain.ttl.min(alias.ttl);
            chain.is_direct = false;
            chain.end = Some(target);
            if target.is_host_name() {
                append_name(&mut chain.aliases, &text_of(&chain.host_name)?)?;
                chain.host_name = target;
            }
        }
        // A loop, or as good as one: it has no end, and no record belongs to it.
        chain.end = None;
        Ok(chain)
    }

    /// An answer that has nothing of what was asked for.
    ///
    /// Behind aliases it says so of the name at their end, for as long as all of them last (RFC 2308
    /// sections 2.1, 2.2 and 5). A server that knows the aliases' zone alone may send that one's SOA
    /// record, which says nothing about a name elsewhere.
    fn nothing<T>(&self, qtype: u16) -> (Answer<T>, u32) {
        let message = &self.message;
        let content = if message.rcode() == rcode::NXDOMAIN {
            Answer::NoName
        } else if message.answer_count() == 0 {
            Answer::NoData
        } else {
            Answer::Unrelated
        };
        // Records of the type that are broken are no "no", and a loop has no end that could be.
        let is_broken = message.rcode() == rcode::NOERROR && self.records(qtype).next().is_some();
        let says_so = |soa: &Record<'_>| {
            !is_broken && self.end.is_some_and(|end| self.is_direct || soa.is_at_or_above(&end))
        };
        let ttl = soa(message).filter(says_so).map_or(0, |soa| soa_ttl(&soa).min(self.ttl));
        (content, ttl)
    }

    /// The records of the chain's last name that have the type.
    fn records(&self, record_type: u16) -> impl Iterator<Item = Record<'m>> + use<'m> {
        let end = self.end;
        self.message.answers().filter(move |record| {
            record.record_type == record_type
                && record.class == CLASS_IN
                && end.is_some_and(|end| record.belongs_to(&end))
        })
    }
}
