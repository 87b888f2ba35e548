//! The order of addresses, beside a second reading of RFC 6724.

use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use rustdns::base::address::Address;
use rustdns::config::gai::{self, Policy};
use rustdns::rules::select::{Candidate, Source};

use crate::{cases, checks};

const POLICIES: &[&str] = &[
    "",
    "precedence ::ffff:0:0/96 100\n",
    "precedence ::/0 1\nlabel ::/0 1\n",
    "label 2001::/16 9\nlabel ::/0 1\nscopev4 192.0.2.0/24 5\nscopev4 10.0.0.0/8 2\n",
];

fn ip() -> impl Strategy<Value = IpAddr> {
    let v4 = select(vec![
        "127.0.0.1",
        "169.254.1.1",
        "10.1.2.3",
        "192.0.2.5",
        "192.0.2.7",
        "198.51.100.1",
    ]);
    let v6 = (select(vec![0u16, 0x2001, 0x2002, 0xfe80, 0xfec0, 0xfd00, 0xff02]), 0u16..2, 0u16..4)
        .prop_map(|(a, b, c)| Ipv6Addr::from([a, b, 0, 0, 0, 0, 0, c]));
    prop_oneof![v4.prop_map(|ip| IpAddr::V4(ip.parse().unwrap())), v6.prop_map(IpAddr::V6)]
}

prop_compose! {
    fn candidate()(
        ip in ip(),
        other in ip(),
        usable in prop::bool::weighted(0.8),
        prefix_len in select(vec![0u8, 8, 24, 30, 32]),
        interface in 0u32..3,
        [deprecated, home, native] in [prop::bool::weighted(0.2), prop::bool::weighted(0.1), prop::bool::weighted(0.7)],
    ) -> Candidate {
        // A source is of its destination's family.
        let source = match (ip, other) {
            (IpAddr::V4(_), IpAddr::V6(_)) => IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9)),
            (IpAddr::V6(_), IpAddr::V4(_)) => IpAddr::V6(Ipv6Addr::from([0x2001, 0, 0, 0, 0, 0, 0, 9])),
            (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => other,
        };
        let source = Source { ip: source, prefix_len, interface, deprecated, home, native };
        Candidate { destination: Address::new(ip), source: usable.then_some(source) }
    }
}

fn policy() -> impl Strategy<Value = Policy> {
    select(POLICIES.to_vec()).prop_map(|text| gai::parse(Some(text.as_bytes())).unwrap())
}

/// Every list is checked; in most of them the rules agree on one order, else the test would say
/// little of sorting.
#[test]
fn as_the_rfc_says() {
    let (lists, ordered) = (Cell::new(0), Cell::new(0));
    let strategy = (vec(candidate(), 0..9), policy());
    TestRunner::new(cases(4000))
        .run(&strategy, |(list, policy)| {
            lists.set(lists.get() + 1);
            ordered.set(ordered.get() + u32::from(checks::select::check(&list, &policy)));
            Ok(())
        })
        .unwrap();
    assert!(ordered.get() * 2 > lists.get(), "{} of {}", ordered.get(), lists.get());
}

proptest! {
    #![proptest_config(cases(60))]

    /// Longer than what is kept on the stack.
    #[test]
    fn long_lists(list in vec(candidate(), 9..40), policy in policy()) {
        checks::select::check(&list, &policy);
    }
}
