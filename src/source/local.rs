//! Names that need no server: `localhost` (RFC 6761), and names that must never be asked for.

use super::hosts;
use crate::base::address::Address;
use crate::base::answer::Found;
use crate::base::error::Failure;
use crate::base::text::append_text;
use crate::config::nsswitch::Service;
use crate::context::call::Session;
use crate::rules::query::Family;
use crate::sys::Fault;
use crate::sys::mem::{NoMemory, TryPush};
use crate::sys::udp::Udp;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What must be known of a name before it may go to a name server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// It may.
    No,
    /// `localhost` or below it: this host (RFC 6761 section 6.3).
    Localhost,
    /// `.invalid` (RFC 6761), `.onion` (RFC 7686), `.alt` (RFC 9476): the DNS doesn't have it, and
    /// asking would only tell others.
    NeverInDns,
}

/// Sorts `node` by its last label.
pub fn special(node: &[u8]) -> Special {
    let name = node.strip_suffix(b".").unwrap_or(node);
    let last = name.rsplit(|&b| b == b'.').next().unwrap_or_default();
    if last.eq_ignore_ascii_case(b"localhost") {
        Special::Localhost
    } else if [&b"invalid"[..], b"onion", b"alt"].iter().any(|tld| last.eq_ignore_ascii_case(tld)) {
        Special::NeverInDns
    } else {
        Special::No
    }
}

/// The addresses of `localhost` or of a name below it.
///
/// They are the hosts file's where that has the name and nsswitch.conf's line has the file, before this
/// or after it, and for either family: what the administrator has written is not passed over. Else they
/// are the loopback addresses that this host has.
///
/// # Errors
/// [`Failure::NoName`] where hosts has none of the family for the name, [`Failure::NoData`] for IPv6 on a
/// host without it.
pub fn localhost(session: &Session, node: &[u8], family: Family) -> Result<Found, Failure> {
    let has_file = match session.hosts_database() {
        Ok(database) => database.steps.iter().any(|step| step.service == Service::Files),
        Err(Failure::Memory) => return Err(Failure::Memory),
        // Libc could read it, if it has brought us here.
        Err(_) => true,
    };
    if has_file {
        let file = session.hosts()?;
        // A name with its final dot is the same name; in hosts it may stand either way.
        let relative = node.strip_suffix(b".").unwrap_or(node);
        let written = [node, relative].into_iter().find(|name| file.by_name(name).next().is_some());
        if let Some(name) = written {
            return hosts::addresses(&file, name, family, &|line| session.say_line(&file, line));
        }
    }
    #[cfg(feature = "command")]
    crate::observe::witness::tell(|| crate::observe::witness::Statement::Own);
    let mut found = Found::default();
    append_text(&mut found.canonical, b"localhost")?;
    let (v6, v4) = (IpAddr::V6(Ipv6Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::LOCALHOST));
    if family != Family::V4 && is_there(v6) {
        push(&mut found, Address::new(v6), family)?;
    }
    push(&mut found, Address::new(v4), family)?;
    if found.addresses.is_empty() { Err(Failure::NoData) } else { Ok(found) }
}

/// True where a program could send to this address of IPv6; IPv6 may be switched off, or not for us.
fn is_there(ip: IpAddr) -> bool {
    match Udp::unconnected(true) {
        Ok(mut udp) => udp.source(&SocketAddr::new(ip, 1)).is_some(),
        // That says nothing of the address.
        Err(Fault::Exhausted(_)) => true,
        Err(_) => false,
    }
}

fn push(found: &mut Found, address: Address, family: Family) -> Result<(), NoMemory> {
    match (family, address.is_ipv4()) {
        (Family::V4, false) | (Family::V6, true) => Ok(()),
        (Family::Any, _) | (Family::V4, true) | (Family::V6, false) => {
            found.addresses.try_push(address)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_names() {
        for (name, want) in [
            ("localhost", Special::Localhost),
            ("LocalHost.", Special::Localhost),
            ("a.localhost", Special::Localhost),
            ("localhost.a", Special::No),
            ("notlocalhost", Special::No),
            ("x.onion", Special::NeverInDns),
            ("x.invalid.", Special::NeverInDns),
            ("ALT", Special::NeverInDns),
            ("x.local", Special::No),
            ("", Special::No),
        ] {
            assert_eq!(special(name.as_bytes()), want, "{name}");
        }
    }
}
