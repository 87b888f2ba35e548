//! The order of addresses: RFC 6724 section 6 once more, slowly and word by word, with glibc's
//! readings where they differ from the RFC's.

use std::cmp::Ordering;
use std::net::IpAddr;

use rustdns::config::gai::Policy;
use rustdns::rules::select::{Candidate, Source, decided_by, sort};

/// Which of the two comes first: `Less` is `a`.
///
/// Scopes, labels and precedences are the policy's: they are compared with gai.conf elsewhere.
pub fn reference(a: &Candidate, b: &Candidate, policy: &Policy) -> Ordering {
    let (da, db) = (a.destination.ip, b.destination.ip);
    // Rule 1: Avoid unusable destinations.
    let (sa, sb) = match (a.source, b.source) {
        (Some(_), None) => return Ordering::Less,
        (None, Some(_)) => return Ordering::Greater,
        // Neither has a source: what follows about sources can decide nothing.
        (None, None) => {
            return reversed(policy.precedence(da), policy.precedence(db))
                .then(policy.scope(da).cmp(&policy.scope(db)));
        }
        (Some(sa), Some(sb)) => (sa, sb),
    };
    let prefer = |a: bool, b: bool| match (a, b) {
        (true, false) => Some(Ordering::Less),
        (false, true) => Some(Ordering::Greater),
        (true, true) | (false, false) => None,
    };
    // Rule 2: Prefer matching scope.
    let scope_matches = |d, s: Source| policy.scope(d) == policy.scope(s.ip);
    if let Some(order) = prefer(scope_matches(da, sa), scope_matches(db, sb)) {
        return order;
    }
    // Rule 3: Avoid deprecated addresses.
    if let Some(order) = prefer(!sa.deprecated, !sb.deprecated) {
        return order;
    }
    // Rule 4: Prefer home addresses.
    if let Some(order) = prefer(sa.home, sb.home) {
        return order;
    }
    // Rule 5: Prefer matching label.
    let label_matches = |d, s: Source| policy.label(s.ip) == policy.label(d);
    if let Some(order) = prefer(label_matches(da, sa), label_matches(db, sb)) {
        return order;
    }
    // Rule 6: Prefer higher precedence.
    let order = reversed(policy.precedence(da), policy.precedence(db));
    if order.is_ne() {
        return order;
    }
    // Rule 7: Prefer native transport. glibc asks only where the interfaces differ.
    if sa.interface != sb.interface
        && let Some(order) = prefer(sa.native, sb.native)
    {
        return order;
    }
    // Rule 8: Prefer smaller scope.
    let order = policy.scope(da).cmp(&policy.scope(db));
    if order.is_ne() {
        return order;
    }
    // Rule 9: Use longest matching prefix, "when DA and DB belong to the same address family". For
    // IPv4 glibc counts it only where destination and source are in one subnet.
    if da.is_ipv4() == db.is_ipv4() {
        return reversed(common(&sa, da), common(&sb, db));
    }
    // Rule 10: Otherwise, leave the order unchanged.
    Ordering::Equal
}

fn reversed(a: u32, b: u32) -> Ordering {
    b.cmp(&a)
}

/// CommonPrefixLen(Source(D), D), counted bit by bit.
fn common(source: &Source, destination: IpAddr) -> u32 {
    let bits = |ip: IpAddr| -> Vec<bool> {
        let octets = match ip {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        octets.iter().flat_map(|octet| (0..8).map(move |bit| octet << bit & 0x80 != 0)).collect()
    };
    let (a, b) = (bits(source.ip), bits(destination));
    let same = a.iter().zip(&b).take_while(|(a, b)| a == b).count() as u32;
    let whole = if source.prefix_len == 0 { 32 } else { u32::from(source.prefix_len) };
    if destination.is_ipv4() && same < whole { 0 } else { same }
}

/// Each two are decided as the reference decides them, both ways round. Sorting is a permutation,
/// and the same each time; and where the rules put the candidates in one order at all (they need
/// not: rules 7 and 9 look at some pairs only), it gives that order, ties in the answer's order.
///
/// Returns whether there was such an order. Would find: a rule that is left out, turned round or in
/// another place, and a sort that is unstable or depends on where a candidate stood.
pub fn check(candidates: &[Candidate], policy: &Policy) -> bool {
    for a in candidates {
        for b in candidates {
            let expected = reference(a, b, policy);
            assert_eq!(decided_by(a, b, policy).0, expected, "{a:?} {b:?}");
            assert_eq!(expected.reverse(), reference(b, a, policy));
        }
    }
    let sorted = |list: &[Candidate]| {
        let mut list = list.to_vec();
        sort(&mut list, policy).unwrap();
        list
    };
    let result = sorted(candidates);
    assert_eq!(result, sorted(candidates));
    let count = |list: &[Candidate], one: &Candidate| list.iter().filter(|c| *c == one).count();
    assert_eq!(result.len(), candidates.len());
    assert!(candidates.iter().all(|c| count(&result, c) == count(candidates, c)));

    let not_after: Vec<Vec<bool>> = candidates
        .iter()
        .map(|a| candidates.iter().map(|b| reference(a, b, policy).is_le()).collect())
        .collect();
    let every = |test: &dyn Fn(usize) -> bool| (0..candidates.len()).all(test);
    let is_ordered =
        every(&|a| every(&|b| !not_after[a][b] || every(&|c| !not_after[b][c] || not_after[a][c])));
    if is_ordered {
        let mut reversed = candidates.to_vec();
        reversed.reverse();
        for list in [candidates, &reversed] {
            assert_eq!(sorted(list), inserted(list, policy));
        }
        let ranks = |list: &[Candidate]| -> Vec<usize> {
            let before = |c| move |other: &&Candidate| reference(other, c, policy).is_lt();
            list.iter().map(|c| list.iter().filter(before(c)).count()).collect()
        };
        assert!(ranks(&sorted(&reversed)).is_sorted() && ranks(&result).is_sorted());
    }
    is_ordered
}

/// Each in front of the first that it comes before.
fn inserted(candidates: &[Candidate], policy: &Policy) -> Vec<Candidate> {
    let mut list: Vec<Candidate> = Vec::new();
    for one in candidates {
        let behind = list.iter().rposition(|other| reference(one, other, policy).is_ge());
        list.insert(behind.map_or(0, |at| at + 1), *one);
    }
    list
}
