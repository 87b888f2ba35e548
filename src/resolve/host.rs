//! Hosts with all their names and addresses: the pipeline of `gethostbyname`, `gethostbyaddr` and
//! `gethostent` (gethostbyname(3)).

use crate::base::address::{Address, inet_aton, inet_pton6};
use crate::base::answer::{Addresses, Found};
use crate::base::error::Failure;
use crate::base::text::{Text, append_text};
use crate::config::nsswitch::{Action, Service, Status, Step};
use crate::config::resolv::Sort;
use crate::context::call::Session;
use crate::context::worlds::Position;
use crate::resolve::reverse::unmapped;
use crate::resolve::walk::walk;
use crate::resolve::{foreign, forward};
use crate::rules::query::Family;
use crate::source::dns::lookup::Lookup;
use crate::source::{hosts, mdns, myhostname, resolved};
use crate::sys::mem::{NoMemory, TryPush};
use crate::sys::probes;
use core::net::IpAddr;

/// The longest name that is looked up: a domain name of 253 octets and its final dot fit with room.
const MAX_NAME: usize = 1024;

/// The host that has `name` and addresses of `family`, which is IPv4 or IPv6.
///
/// # Errors
/// As the last of nsswitch.conf's services.
pub fn by_name(session: &Session, name: &[u8], family: Family) -> Result<Found, Failure> {
    if name.len() > MAX_NAME {
        return Err(Failure::NoName);
    }
    probes::lookup_start(name);
    let ask = &mut |service: &Service| forward::ask(session, service, name, family);
    let libc = &mut || foreign::look_up(name, family);
    session.counted(walk(session, &Text(name), ask, libc))
}

/// Brings the addresses into the order of resolv.conf's `sortlist`: those of its first network first,
/// those of none last, and else as they were.
pub fn sort(addresses: &mut Addresses, sortlist: &[Sort]) -> Result<(), NoMemory> {
    if sortlist.is_empty() || addresses.len() < 2 {
        return Ok(());
    }
    let rank = |address: &Address| {
        let IpAddr::V4(ip) = address.ip else { return sortlist.len() };
        let is_in = |net: &Sort| ip.to_bits() & net.mask.to_bits() == net.address.to_bits();
        sortlist.iter().position(is_in).unwrap_or(sortlist.len())
    };
    let mut sorted = Addresses::new();
    for wanted in 0..=sortlist.len() {
        for &address in addresses.iter().filter(|address| rank(address) == wanted) {
            sorted.try_push(address)?;
        }
    }
    *addresses = sorted;
    Ok(())
}

/// Reads a name that is an address, or that only looks like one: then it is looked up nowhere.
///
/// Digits and dots are IPv4 in any form of `inet_aton(3)`; letters `a` to `f` count where there is a
/// colon, which makes it IPv6. With another character, or a dot at its end, it is a name (`None`).
///
/// # Errors
/// [`Failure::NoName`] for an address of the other family, or none at all.
pub fn numeric(name: &[u8], family: Family) -> Option<Result<Found, Failure>> {
    let (&first, &last) = (name.first()?, name.last()?);
    let v6 = family == Family::V6;
    let ip = if first.is_ascii_digit()
        && last != b'.'
        && name.iter().all(|&b| b.is_ascii_digit() || b == b'.')
    {
        // Even where IPv6 is asked for: it can only fail then.
        if v6 { None } else { inet_aton(name).map(IpAddr::V4) }
    } else if first == b':' || (first.is_ascii_hexdigit() && name.contains(&b':')) {
        if v6
            && (last == b'.' || !name.iter().all(|&b| b.is_ascii_hexdigit() || b":.".contains(&b)))
        {
            return None;
        }
        if v6 { inet_pton6(name).map(IpAddr::V6) } else { None }
    } else {
        return None;
    };
    Some(ip.ok_or(Failure::NoName).and_then(|ip| {
        let mut found = Found::default();
        append_text(&mut found.canonical, name)?;
        found.addresses.try_push(Address::new(ip))?;
        Ok(found)
    }))
}

/// The host that has `ip`.
///
/// The DNS is asked for the IPv4 address in an IPv4-mapped one, and then that is the host's address.
///
/// # Errors
/// As the last of nsswitch.conf's services.
pub fn by_address(session: &Session, ip: IpAddr) -> Result<Found, Failure> {
    probes::lookup_start_of(ip);
    let ask = &mut |service: &Service| ask_address(session, service, ip);
    let torsocks = &mut || match session.settings().stands_aside {
        true => foreign::look_up_address(ip),
        false => Err(Failure::NoName),
    };
    session.counted(walk(session, &ip, ask, torsocks))
}

/// What one of nsswitch.conf's services knows of an address.
pub fn ask_address(session: &Session, service: &Service, ip: IpAddr) -> Result<Found, Failure> {
    let mut found = Found::default();
    match service {
        Service::Files => {
            let file = session.hosts()?;
            let line = hosts::by_address(&file, ip)?.ok_or(Failure::NoName)?;
            hosts::add_names(&mut found, &line)?;
            found.addresses.try_push(Address::new(ip))?;
        }
        Service::Dns => {
            let ip = unmapped(ip);
            let upstream = session.upstream()?;
            // Of several names libc 2.36 gives the first.
            let ttl = Lookup::of(session, &upstream).names(ip, &mut |name| match found
                .canonical
                .is_empty()
            {
                true => append_text(&mut found.canonical, name),
                false => Ok(()),
            })?;
            found.ttl = Some(ttl);
            found.addresses.try_push(Address::new(ip))?;
        }
        Service::MyHostname => found = myhostname::by_address(ip)?,
        Service::Resolve => found = resolved::by_address(session, ip)?,
        Service::Mdns(mdns) => found = mdns::by_address(session, *mdns, ip)?,
        Service::Other(_) => return Err(Failure::Unavailable),
    }
    Ok(found)
}

/// The process's place in the hosts file, back at its beginning: `sethostent(3)`, `endhostent(3)`.
pub fn rewind(session: &Session) {
    if let Some(mut position) = session.position() {
        *position = Position::default();
    }
}

/// Gives the next host of the hosts file to `take`, and goes on behind it unless `take` refuses.
///
/// # Errors
/// [`Failure::NoName`] at the end and where nsswitch.conf doesn't lead to the file, [`Failure::Again`] where others keep the place busy.
pub fn next_entry<T>(
    session: &Session,
    take: &mut dyn FnMut(&Found) -> Option<T>,
) -> Result<Option<T>, Failure> {
    let database = session.hosts_database()?;
    // No other service has a list: each is one that is not available.
    let way = database.steps.iter().find(|step| {
        step.service == Service::Files || step.action(Status::Unavailable) == Action::Return
    });
    let is_listed = |step: &Step| {
        step.service == Service::Files && step.action(Status::Success) == Action::Return
    };
    if !way.is_some_and(is_listed) {
        return Err(Failure::NoName);
    }
    let mut position = session.position().ok_or(Failure::Again)?;
    let file = match &position.file {
        Some(file) => file.clone(),
        None => session.hosts()?,
    };
    position.file = Some(file.clone());
    let (found, next) = hosts::entry_after(&file, position.offset)?.ok_or(Failure::NoName)?;
    let taken = take(&found);
    if taken.is_some() {
        position.offset = next;
    }
    Ok(taken)
}
