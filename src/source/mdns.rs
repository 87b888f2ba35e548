//! `mdns` and its variants: hosts of the local network, by multicast DNS (RFC 6762). No daemon and no
//! module is needed for that; which names are asked for is as nss-mdns has it.

mod exchange;
mod names;

use self::exchange::{Heard, exchange};
use crate::base::address::{Address, is_link_local};
use crate::base::answer::{Addresses, Found};
use crate::base::error::Failure;
use crate::base::name::Name;
use crate::base::record_type;
use crate::base::text::{append_text, text_of};
use crate::cache::dns::{Content, Given, Keep, Key};
use crate::config::nsswitch::Mdns;
use crate::context::call::Session;
use crate::observe::counters::Count;
use crate::rules::query::Family;
use crate::source::dns::message::{CLASS_IN, Message, Record};
use crate::sys::mem::{NoMemory, TryPush};
use crate::sys::time::Instant;
use core::net::{IpAddr, Ipv6Addr};

/// What the answers are kept under, apart from the name servers': this bit, and which network and links
/// they are of.
const GENERATION: u32 = 1 << 31;

/// No record of a host is kept longer, in seconds: what it is told to be when the host may move (RFC 6762
/// section 10).
const MAX_TTL: u32 = 120;

/// A record's class without the bit that says that others are out of date (RFC 6762 section 10.2).
const CLASS: u16 = 0x7fff;

/// Aliases that are followed, each a question of its own.
const MAX_ALIASES: usize = 8;

/// The addresses of `node`.
///
/// # Errors
/// [`Failure::Unavailable`] for a name or a family that the service leaves to others, and where no
/// interface takes part; [`Failure::NoName`] where nobody answers.
#[cold]
pub fn addresses(
    session: &Session,
    service: Mdns,
    node: &[u8],
    family: Family,
) -> Result<Found, Failure> {
    let qtypes: &[u16] = match (family, service.v4, service.v6) {
        (Family::Any, true, true) => &[record_type::A, record_type::AAAA],
        (Family::Any | Family::V4, true, _) => &[record_type::A],
        (Family::Any | Family::V6, _, true) => &[record_type::AAAA],
        (Family::V4 | Family::V6, ..) | (Family::Any, false, false) => &[],
    };
    if qtypes.is_empty() || !names::are_taken(session, service, node)? {
        return Err(Failure::Unavailable);
    }
    let mut name = Name::from_text(node).map_err(|_| Failure::NoName)?;
    let mut found = Found::default();
    append_text(&mut found.canonical, node)?;
    for _ in 0..MAX_ALIASES {
        match ask(session, &name, qtypes, &mut found)? {
            Some(target) if found.addresses.is_empty() => name = target,
            _ => break,
        }
    }
    if found.addresses.is_empty() { Err(Failure::NoName) } else { Ok(found) }
}

/// The name of the host that has `ip`.
///
/// # Errors
/// As for [`addresses`].
#[cold]
pub fn by_address(session: &Session, service: Mdns, ip: IpAddr) -> Result<Found, Failure> {
    let is_taken = match ip {
        IpAddr::V4(ip) => service.v4 && (!service.minimal || ip.is_link_local()),
        IpAddr::V6(ip) => service.v6 && (!service.minimal || is_unicast_link_local(ip)),
    };
    if !is_taken {
        return Err(Failure::Unavailable);
    }
    let mut found = Found::default();
    found.addresses.try_push(Address::new(ip))?;
    ask(session, &Name::reverse(ip), &[record_type::PTR], &mut found)?;
    if found.canonical.is_empty() { Err(Failure::NoName) } else { Ok(found) }
}

fn is_unicast_link_local(ip: Ipv6Addr) -> bool {
    is_link_local(ip) && !ip.is_multicast()
}

/// Adds what is known of a name, or what the network says; the name that it is an alias of, if it is one.
fn ask(
    session: &Session,
    name: &Name,
    qtypes: &[u16],
    found: &mut Found,
) -> Result<Option<Name>, Failure> {
    let now = Instant::now();
    let generation = generation(session)?;
    let mut is_known = true;
    for &qtype in qtypes {
        is_known &= recall(session, &Key { name, qtype, generation }, found, now)?;
    }
    if is_known {
        return Ok(None);
    }
    if qtypes != [record_type::PTR] {
        // One family alone may have been known.
        found.addresses.clear();
    }
    let (seen, denied) = ([false; 2], [false; 2]);
    let mut reading = Reading { name, qtypes, found, seen, denied, alias: None, ttl: u32::MAX };
    exchange(session, name, qtypes, &mut |message, interface| reading.read(message, interface))?;
    reading.keep(session, generation);
    Ok(reading.alias)
}

/// What answers of now are kept under: what was heard by a link that is gone says nothing.
fn generation(session: &Session) -> Result<u32, NoMemory> {
    let network = session.current_upstream()?.generation.unwrap_or_default();
    let links = session.recent().links.get(session.now(), exchange::fingerprint);
    Ok(GENERATION | (links ^ network.rotate_left(16)))
}

/// Adds what the cache knows; false where that is nothing.
fn recall(
    session: &Session,
    key: &Key<'_>,
    found: &mut Found,
    now: Instant,
) -> Result<bool, NoMemory> {
    let Some(entry) = session.cache().get(key, now) else { return Ok(false) };
    session.counters().one(Count::Hits);
    match entry.content() {
        Content::Addresses(list, _) => {
            for address in list.iter() {
                found.addresses.try_push(address)?;
            }
        }
        Content::Names(text) => append_text(&mut found.canonical, text)?,
        Content::NoData | Content::NoName | Content::Unrelated | Content::Silence => {}
    }
    let ttl = entry.ttl(now);
    found.ttl = Some(found.ttl.map_or(ttl, |other| other.min(ttl)));
    Ok(true)
}

/// What answers have said so far.
struct Reading<'a> {
    name: &'a Name,
    qtypes: &'a [u16],
    found: &'a mut Found,
    /// Which of the types have been seen.
    seen: [bool; 2],
    /// Of which of them the name's host says that it has none.
    denied: [bool; 2],
    alias: Option<Name>,
    ttl: u32,
}

impl Reading<'_> {
    /// Takes over the records that one message has of the name, whatever section they are in.
    fn read(&mut self, message: &Message<'_>, interface: u32) -> Result<Heard, NoMemory> {
        for record in message.answers().chain(message.additional()) {
            let at = self.qtypes.iter().position(|&qtype| qtype == record.record_type);
            let is_other = matches!(record.record_type, record_type::CNAME | record_type::NSEC);
            if (at.is_none() && !is_other)
                || record.class & CLASS != CLASS_IN
                // It is about to go.
                || record.ttl == 0
                || !record.belongs_to(self.name)
            {
                continue;
            }
            let is_read = match record.record_type {
                record_type::A => match <[u8; 4]>::try_from(record.data) {
                    Ok(octets) => self.add(Address::new(octets.into()))?,
                    Err(_) => false,
                },
                record_type::AAAA => match <[u8; 16]>::try_from(record.data) {
                    Ok(octets) => {
                        let ip = Ipv6Addr::from(octets);
                        let scope = if is_unicast_link_local(ip) { interface } else { 0 };
                        self.add(Address { ip: IpAddr::V6(ip), scope })?
                    }
                    Err(_) => false,
                },
                // A name with other characters could do harm where programs print or split it.
                record_type::PTR => match record.target().filter(Name::is_host_name) {
                    Some(target) if self.found.canonical.is_empty() => {
                        self.found.canonical = text_of(&target)?;
                        true
                    }
                    other => other.is_some(),
                },
                record_type::NSEC => {
                    self.note_denied(&record);
                    false
                }
                _ => {
                    self.alias = record.target();
                    false
                }
            };
            if is_read {
                self.ttl = self.ttl.min(record.ttl);
                at.and_then(|at| self.seen.get_mut(at)).into_iter().for_each(|seen| *seen = true);
            }
        }
        let is_any_seen = self.seen.contains(&true);
        let mut settled = self.qtypes.iter().zip(self.seen).zip(self.denied);
        let are_settled = settled.all(|((_, seen), denied)| seen || denied);
        Ok(if are_settled || (!is_any_seen && self.alias.is_some()) {
            Heard::All
        } else if is_any_seen {
            Heard::Some
        } else {
            Heard::Nothing
        })
    }

    /// Takes over what the name's host says that it has not. Under an alias it has that.
    fn note_denied(&mut self, record: &Record<'_>) {
        let denies = |qtype| record.denies(self.name, qtype);
        for (&qtype, denied) in self.qtypes.iter().zip(&mut self.denied) {
            if denies(qtype) && denies(record_type::CNAME) {
                *denied = true;
                self.ttl = self.ttl.min(record.ttl);
            }
        }
    }

    /// Adds an address that is not there yet; several may answer, and one several times.
    fn add(&mut self, address: Address) -> Result<bool, NoMemory> {
        if !self.found.addresses.contains(&address) {
            self.found.addresses.try_push(address)?;
        }
        Ok(true)
    }

    /// Keeps what was found for as long as it said, that a host which has one family lacks the other, and
    /// what it says itself that it lacks.
    fn keep(&mut self, session: &Session, generation: u32) {
        let settings = session.settings();
        let ttl = self.ttl.min(settings.cache_max_ttl).min(MAX_TTL);
        let is_any_seen = self.seen.contains(&true);
        if is_any_seen {
            self.found.ttl = Some(ttl);
        }
        for ((&qtype, seen), denied) in self.qtypes.iter().zip(self.seen).zip(self.denied) {
            if !is_any_seen && !denied {
                continue;
            }
            let key = Key { name: self.name, qtype, generation };
            let mut list = Addresses::new();
            if let Ok(content) = self.content(qtype, seen, &mut list) {
                let keep = Keep { ttl, spare: 0 };
                let change = session.cache().put(&key, content, keep, session.now());
                session.counters().cache_changed(&change);
            }
        }
    }

    /// What is kept for one type; `list` takes the addresses.
    fn content<'a>(
        &'a self,
        qtype: u16,
        seen: bool,
        list: &'a mut Addresses,
    ) -> Result<Given<'a>, NoMemory> {
        if !seen {
            return Ok(Content::NoData);
        }
        if qtype == record_type::PTR {
            return Ok(Content::Names(&self.found.canonical));
        }
        for &address in &self.found.addresses {
            if address.is_ipv4() == (qtype == record_type::A) {
                list.try_push(address)?;
            }
        }
        Ok(Content::Addresses(list, &[]))
    }
}
