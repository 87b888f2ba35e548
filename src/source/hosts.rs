//! `files`: /etc/hosts (hosts(5)), read as libc reads it.

use crate::base::address::Address;
use crate::base::answer::Found;
use crate::base::error::Failure;
use crate::base::text::{append_name, append_text};
use crate::config::hosts::{Hosts, Line};
use crate::rules::query::Family;
use crate::sys::mem::{NoMemory, TryPush};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The addresses of `node` (its text as given: `withdot.` is another name than `withdot`). `each` is
/// told of every line that has the name.
pub fn addresses(
    hosts: &Hosts,
    node: &[u8],
    family: Family,
    each: &dyn Fn(&Line<'_>),
) -> Result<Found, Failure> {
    let mut found = Found::default();
    for line in hosts.by_name(node) {
        each(&line);
        let Some(address) = as_family(line.address, family) else { continue };
        if found.addresses.is_empty() {
            append_text(&mut found.canonical, line.canonical)?;
        }
        for alias in line.aliases() {
            append_name(&mut found.aliases, alias)?;
        }
        if *line.canonical != *found.canonical {
            append_name(&mut found.aliases, line.canonical)?;
        }
        found.addresses.try_push(address)?;
        #[cfg(feature = "command")]
        crate::observe::witness::hosts_line(hosts, &line, address);
    }
    if found.addresses.is_empty() { Err(Failure::NoName) } else { Ok(found) }
}

/// A line's address as one of `family`, where it is one.
///
/// libc's files service turns `::1` into 127.0.0.1, and an IPv4-mapped address into the IPv4
/// one, when IPv4 is asked for.
fn as_family(address: Address, family: Family) -> Option<Address> {
    let v4 = |ip| Some(Address::new(IpAddr::V4(ip)));
    match (family, address.ip) {
        (Family::Any, _) | (Family::V4, IpAddr::V4(_)) | (Family::V6, IpAddr::V6(_)) => {
            Some(address)
        }
        (Family::V6, IpAddr::V4(_)) => None,
        (Family::V4, IpAddr::V6(Ipv6Addr::LOCALHOST)) => v4(Ipv4Addr::LOCALHOST),
        (Family::V4, IpAddr::V6(ip)) => v4(ip.to_ipv4_mapped()?),
    }
}

/// The first line that has `ip`: for an IPv4 address also one that has it IPv4-mapped, for an IPv4-mapped
/// address also one that has the IPv4 address (so glibc since 2.38), and for 127.0.0.1 one that has `::1`.
pub fn by_address(hosts: &Hosts, ip: IpAddr) -> Result<Option<Line<'_>>, NoMemory> {
    let (other, loopback) = match ip {
        IpAddr::V4(v4) => (
            Some(IpAddr::V6(v4.to_ipv6_mapped())),
            (v4 == Ipv4Addr::LOCALHOST).then_some(IpAddr::V6(Ipv6Addr::LOCALHOST)),
        ),
        IpAddr::V6(v6) => (v6.to_ipv4_mapped().map(IpAddr::V4), None),
    };
    let mut first: Option<Line<'_>> = None;
    for ip in [Some(ip), other, loopback].into_iter().flatten() {
        let found = hosts.by_address(ip)?.next();
        first = first.into_iter().chain(found).min_by_key(|line| line.start);
    }
    Ok(first)
}

/// The first line at or after the offset that has an address of libc's `gethostent(3)`, which are
/// IPv4, as a host, with the offset to go on from.
pub fn entry_after(hosts: &Hosts, mut offset: usize) -> Result<Option<(Found, usize)>, NoMemory> {
    while let Some((line, next)) = hosts.line_after(offset) {
        if let Some(address) = as_family(line.address, Family::V4) {
            let mut found = Found::default();
            add_names(&mut found, &line)?;
            found.addresses.try_push(address)?;
            return Ok(Some((found, next)));
        }
        offset = next;
    }
    Ok(None)
}

/// Takes over a line's names.
pub fn add_names(found: &mut Found, line: &Line<'_>) -> Result<(), NoMemory> {
    append_text(&mut found.canonical, line.canonical)?;
    line.aliases().try_for_each(|alias| append_name(&mut found.aliases, alias))
}
