//! Names that need no server: `localhost` (RFC 6761), names that must never be asked for, and
//! `myhostname`: this host's own (nss-myhostname(8)).

use super::{Failure, Found, append_text};
use crate::address::{Address, is_link_local};
use crate::lookup::query::Family;
use crate::mem::{NoMemory, TryPush};
use crate::sys::{interfaces, process};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

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

/// The loopback addresses, under `canonical`.
pub fn localhost(canonical: &[u8], family: Family) -> Result<Found, Failure> {
    #[cfg(feature = "command")]
    crate::witness::tell(|| crate::witness::Statement::Own);
    let mut found = Found::default();
    append_text(&mut found.canonical, canonical)?;
    for ip in [IpAddr::V6(Ipv6Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::LOCALHOST)] {
        push(&mut found, Address::new(ip), family)?;
    }
    Ok(found)
}

/// `myhostname`: this host's name and `localhost`.
///
/// The host's name gives its addresses, those of interfaces other than loopback; where it has none,
/// 127.0.0.2 and ::1.
pub fn addresses(node: &[u8], family: Family) -> Result<Found, Failure> {
    let mut buffer = [0; 256];
    let host = process::host_name(&mut buffer);
    let name = node.strip_suffix(b".").unwrap_or(node);
    if special(node) == Special::Localhost || is_localdomain(name) {
        return localhost(b"localhost", family);
    }
    if host.is_empty() || !name.eq_ignore_ascii_case(host) {
        return Err(Failure::NoName);
    }
    let mut found = Found::default();
    append_text(&mut found.canonical, host)?;
    #[cfg(feature = "command")]
    crate::witness::tell(|| crate::witness::Statement::Own);
    let own = own_addresses(&mut found, family);
    if own.is_err() || found.addresses.is_empty() {
        found.addresses.clear();
        for ip in [IpAddr::V6(Ipv6Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2))] {
            push(&mut found, Address::new(ip), family)?;
        }
    }
    if found.addresses.is_empty() { Err(Failure::NoData) } else { Ok(found) }
}

/// `localhost.localdomain` and names below it, which older systems have in /etc/hosts.
fn is_localdomain(name: &[u8]) -> bool {
    const NAME: &[u8] = b"localhost.localdomain";
    match name.len().checked_sub(NAME.len()).map(|at| name.split_at(at)) {
        Some((before, end)) => {
            end.eq_ignore_ascii_case(NAME) && (before.is_empty() || before.ends_with(b"."))
        }
        None => false,
    }
}

fn own_addresses(found: &mut Found, family: Family) -> Result<(), NoMemory> {
    let mut result = Ok(());
    let listed = interfaces::addresses(&mut |own| {
        let scope = match own.ip {
            IpAddr::V6(ip) if is_link_local(ip) => own.interface,
            _ => 0,
        };
        if result.is_ok() && !own.ip.is_loopback() && !own.deprecated {
            result = push(found, Address { ip: own.ip, scope }, family);
        }
    });
    listed.map_err(|_| NoMemory)?;
    result
}

fn push(found: &mut Found, address: Address, family: Family) -> Result<(), NoMemory> {
    match (family, address.is_ipv4()) {
        (Family::V4, false) | (Family::V6, true) => Ok(()),
        (Family::Any, _) | (Family::V4, true) | (Family::V6, false) => {
            found.addresses.try_push(address)
        }
    }
}

/// This host's name for one of its own addresses, in `buffer`; `localhost` for the loopback ones.
pub fn name_of(ip: IpAddr, buffer: &mut [u8; 256]) -> Option<&[u8]> {
    if ip == IpAddr::V4(Ipv4Addr::LOCALHOST) || ip == IpAddr::V6(Ipv6Addr::LOCALHOST) {
        return Some(b"localhost");
    }
    let mut own = ip == IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
    if !own {
        // Without the list it is not known to be ours.
        let _ = interfaces::addresses(&mut |address| own |= address.ip == ip);
    }
    let host = process::host_name(buffer);
    (own && !host.is_empty()).then_some(host)
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
        assert!(is_localdomain(b"a.localhost.localdomain"));
        assert!(!is_localdomain(b"alocalhost.localdomain"));
    }
}
