//! Names that need no server: `localhost` (RFC 6761), and names that must never be asked for.

use super::{Failure, Found, append_text};
use crate::address::Address;
use crate::lookup::query::Family;
use crate::mem::{NoMemory, TryPush};
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
