//! The order of the addresses in an answer: destination address selection (RFC 6724 section 6),
//! rule by rule as glibc reads them.

use core::cmp::Ordering;
use core::net::IpAddr;

use smallvec::SmallVec;

use crate::base::address::Address;
use crate::config::gai::Policy;
use crate::sys::mem::{NoMemory, TryPush};

/// An address of the answer, and where packets to it would come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The address of the answer.
    pub destination: Address,
    /// The source that the kernel chooses for it; `None` where there is no route.
    pub source: Option<Source>,
}

/// A source address and what is known of its interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The address, of its destination's family.
    pub ip: IpAddr,
    /// Length of the prefix that the interface's address has, in bits; 0 where unknown.
    pub prefix_len: u8,
    /// Index of the interface; 0 where unknown.
    pub interface: u32,
    /// The address should not be used for new connections (RFC 4862 section 5.5.4), or is still
    /// being checked for duplicates (`IFA_F_DEPRECATED`, `IFA_F_OPTIMISTIC`).
    pub deprecated: bool,
    /// A mobile node's home address (`IFA_F_HOMEADDRESS`).
    pub home: bool,
    /// The interface is no tunnel (`ARPHRD_TUNNEL`, `ARPHRD_TUNNEL6`, `ARPHRD_SIT`). False where
    /// the interface is unknown.
    pub native: bool,
}

impl Source {
    /// A source of whose interface nothing is known.
    pub const fn new(ip: IpAddr) -> Source {
        Source { ip, prefix_len: 0, interface: 0, deprecated: false, home: false, native: false }
    }
}

/// What put one address before another: the rules of RFC 6724 section 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// 1: avoid unusable destinations.
    Usable,
    /// 2: prefer matching scope.
    MatchingScope,
    /// 3: avoid deprecated addresses.
    NotDeprecated,
    /// 4: prefer home addresses.
    Home,
    /// 5: prefer matching label.
    MatchingLabel,
    /// 6: prefer higher precedence.
    Precedence,
    /// 7: prefer native transport.
    Native,
    /// 8: prefer smaller scope.
    SmallerScope,
    /// 9: use the longest matching prefix.
    LongestPrefix,
    /// 10: otherwise, leave the order unchanged.
    Unchanged,
}

/// Puts `candidates` in the order in which they should be tried.
///
/// # Errors
/// [`NoMemory`], the order being unchanged then. More than eight candidates need heap.
pub fn sort(candidates: &mut [Candidate], policy: &Policy) -> Result<(), NoMemory> {
    let mut ranked: SmallVec<[Ranked; 8]> = SmallVec::new();
    ranked.try_reserve(candidates.len()).map_err(|_| NoMemory)?;
    let mut scratch: SmallVec<[Ranked; 4]> = SmallVec::new();
    scratch.try_reserve(candidates.len() / 2).map_err(|_| NoMemory)?;
    for candidate in candidates.iter() {
        let ranked_candidate = Ranked { candidate: *candidate, rank: Rank::of(candidate, policy) };
        if ranked.len() < candidates.len() / 2 {
            scratch.try_push(ranked_candidate)?;
        }
        ranked.try_push(ranked_candidate)?;
    }
    merge_sort(&mut ranked, &mut scratch);
    for (candidate, ranked) in candidates.iter_mut().zip(&ranked) {
        *candidate = ranked.candidate;
    }
    Ok(())
}

/// Which of `a` and `b` comes first, and by which rule. `Less` is `a`; `Equal` is whichever
/// came first in the answer.
pub fn decided_by(a: &Candidate, b: &Candidate, policy: &Policy) -> (Ordering, Rule) {
    Rank::of(a, policy).compare(&Rank::of(b, policy))
}

/// True where the order of `candidates` could depend on what is known of the interfaces: on
/// anything in [`Source`] but the address. Where it is false, [`Source::new`] does.
///
/// Learning it costs a dump of all addresses from the kernel, so it is worth a question. What
/// glibc learns is nothing at all where the only IPv6 address is loopback's: to order as it does,
/// leave the facts out there too.
pub fn needs_interface_facts(candidates: &[Candidate], policy: &Policy) -> bool {
    // Rules 1 and 2 come before all that need facts, and split the candidates in three.
    [true, false].iter().any(|&matching| {
        let mut group = candidates.iter().filter_map(|candidate| {
            let rank = Rank::of(candidate, policy);
            let source = candidate.source.filter(|_| rank.scope_matches == matching)?;
            Some((source.ip, candidate.destination.ip))
        });
        let Some((first_source, first)) = group.next() else { return false };
        group.any(|(source, ip)| {
            // Rules 3, 4 and 7 compare sources; rule 9 asks for IPv4 whether they share a subnet.
            source != first_source
                || (ip.is_ipv4() && common_prefix(source, ip) != common_prefix(first_source, first))
        })
    })
}

/// A candidate in the terms of the rules.
#[derive(Clone, Copy)]
struct Rank {
    usable: bool,
    scope_matches: bool,
    deprecated: bool,
    home: bool,
    label_matches: bool,
    precedence: u32,
    interface: u32,
    native: bool,
    scope: u32,
    is_ipv4: bool,
    prefix: u32,
}

impl Rank {
    fn of(candidate: &Candidate, policy: &Policy) -> Rank {
        let ip = candidate.destination.ip;
        let scope = policy.scope(ip);
        let source = candidate.source;
        Rank {
            usable: source.is_some(),
            scope_matches: source.is_some_and(|source| policy.scope(source.ip) == scope),
            deprecated: source.is_some_and(|source| source.deprecated),
            home: source.is_some_and(|source| source.home),
            label_matches: source.is_some_and(|source| policy.label(source.ip) == policy.label(ip)),
            precedence: policy.precedence(ip),
            interface: source.map_or(0, |source| source.interface),
            native: source.is_some_and(|source| source.native),
            scope,
            is_ipv4: ip.is_ipv4(),
            prefix: source.map_or(0, |source| matching_prefix(&source, ip)),
        }
    }

    /// `Less` where `self` comes first.
    fn compare(&self, other: &Rank) -> (Ordering, Rule) {
        /// True comes first.
        fn prefer(a: bool, b: bool) -> Ordering {
            b.cmp(&a)
        }
        // Without sources these flags are all false, and 2 to 5, 7 and 9 decide nothing.
        let native = if self.interface == other.interface {
            Ordering::Equal
        } else {
            prefer(self.native, other.native)
        };
        // Prefixes of different families can't be compared.
        let prefix = if self.is_ipv4 == other.is_ipv4 {
            other.prefix.cmp(&self.prefix)
        } else {
            Ordering::Equal
        };
        let rules = [
            (prefer(self.usable, other.usable), Rule::Usable),
            (prefer(self.scope_matches, other.scope_matches), Rule::MatchingScope),
            (prefer(!self.deprecated, !other.deprecated), Rule::NotDeprecated),
            (prefer(self.home, other.home), Rule::Home),
            (prefer(self.label_matches, other.label_matches), Rule::MatchingLabel),
            (other.precedence.cmp(&self.precedence), Rule::Precedence),
            (native, Rule::Native),
            (self.scope.cmp(&other.scope), Rule::SmallerScope),
            (prefix, Rule::LongestPrefix),
        ];
        let decisive = rules.into_iter().find(|(order, _)| order.is_ne());
        decisive.unwrap_or((Ordering::Equal, Rule::Unchanged))
    }
}

/// How many bits destination and source have in common by rule 9. IPv4 addresses have something in
/// common only within a subnet: elsewhere the rule would only undo the servers' round robin. Unlike
/// the RFC's, IPv6 prefixes are not cut to the interface's: so glibc has it.
fn matching_prefix(source: &Source, destination: IpAddr) -> u32 {
    let bits = common_prefix(source.ip, destination);
    match destination {
        IpAddr::V6(_) => bits,
        // An unknown prefix makes a subnet of the one address.
        IpAddr::V4(_) if source.prefix_len == 0 && bits < 32 => 0,
        IpAddr::V4(_) if bits < u32::from(source.prefix_len) => 0,
        IpAddr::V4(_) => bits,
    }
}

/// The number of leading bits that two addresses of one family have in common; 0 for two families.
fn common_prefix(a: IpAddr, b: IpAddr) -> u32 {
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => 0,
    }
}

#[derive(Clone, Copy)]
struct Ranked {
    candidate: Candidate,
    rank: Rank,
}

/// Sorts `items`; `scratch` is at least half as long.
///
/// The rules are no total order: native transport and prefixes are compared between some pairs
/// only, so that a may come before b, b before c and c before a. The standard library's sorts may
/// panic then. This one gives some order, and the one that glibc's qsort(3) of 2.36 gives: split in
/// half, the smaller half first, the left one on a tie.
fn merge_sort(items: &mut [Ranked], scratch: &mut [Ranked]) {
    let half = items.len() / 2;
    let Some((left, right)) = items.split_at_mut_checked(half) else { return };
    if left.is_empty() {
        return;
    }
    merge_sort(left, scratch);
    merge_sort(right, scratch);
    // The left half moves out of the way, and the halves are merged into its place.
    for (to, from) in scratch.iter_mut().zip(left.iter()) {
        *to = *from;
    }
    let mut left = scratch.iter().take(half);
    let (mut next, mut right, mut at) = (left.next(), half, 0);
    while let (Some(a), Some(b)) = (next, items.get(right).copied()) {
        let (order, _) = a.rank.compare(&b.rank);
        let smaller = if order.is_gt() {
            right += 1;
            b
        } else {
            next = left.next();
            *a
        };
        if let Some(slot) = items.get_mut(at) {
            *slot = smaller;
        }
        at += 1;
    }
    // What is left of the right half is in its place already.
    for (slot, rest) in items.iter_mut().skip(at).zip(next.into_iter().chain(left)) {
        *slot = *rest;
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::select::*;

    fn candidate(destination: &str, source: &str) -> Candidate {
        let source = source.parse().ok().map(Source::new);
        Candidate { destination: Address::new(destination.parse().unwrap()), source }
    }

    /// Rules that depend on the interface, and glibc's reading of rule 9. The RFC's examples are in
    /// `tests/properties/rfc6724.rs`.
    #[test]
    fn rules_without_an_example() {
        let policy = Policy::default();
        let plain = candidate("2001:db8::1", "2001:db8::2");
        let with = |change: fn(&mut Source)| {
            let mut changed = plain;
            changed.source.iter_mut().for_each(change);
            changed
        };
        let unusable = Candidate { source: None, ..plain };
        let tunnel = with(|source| source.interface = 1);
        let native = with(|source| (source.interface, source.native) = (2, true));
        for (first, second, rule) in [
            (plain, unusable, Rule::Usable),
            (plain, with(|source| source.deprecated = true), Rule::NotDeprecated),
            (with(|source| source.home = true), plain, Rule::Home),
            (native, tunnel, Rule::Native),
        ] {
            assert_eq!(decided_by(&first, &second, &policy), (Ordering::Less, rule));
            assert_eq!(decided_by(&second, &first, &policy), (Ordering::Greater, rule));
        }

        let subnet = |destination, prefix_len| {
            let mut candidate = candidate(destination, "192.0.2.5");
            candidate.source.iter_mut().for_each(|source| source.prefix_len = prefix_len);
            candidate
        };
        let near = subnet("192.0.2.4", 24);
        let outside = [subnet("192.0.3.1", 24), subnet("10.0.0.1", 24)];
        assert_eq!(decided_by(&near, &outside[0], &policy).1, Rule::LongestPrefix);
        assert_eq!(decided_by(&outside[0], &outside[1], &policy).1, Rule::Unchanged);
        let unknown = [subnet("192.0.2.4", 0), subnet("10.0.0.1", 0)];
        assert_eq!(decided_by(&unknown[0], &unknown[1], &policy).1, Rule::Unchanged);
    }
}
