//! Addresses as text, and what the C functions make of them.

use std::net::{IpAddr, Ipv6Addr};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::{cases, checks};

/// Numbers at the bounds of each part of `inet_aton(3)`, in its three bases.
fn number() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        select(vec![
            0u64,
            7,
            8,
            255,
            256,
            65535,
            65536,
            0xff_ffff,
            0x100_0000,
            0xffff_ffff,
            0x1_0000_0000
        ]),
        any::<u32>().prop_map(u64::from),
    ];
    (value, 0..7).prop_map(|(value, form)| match form {
        0 => format!("0x{value:x}"),
        1 => format!("0X{value:X}"),
        2 => format!("0{value:o}"),
        3 => format!("0{value}"),
        _ => format!("{value}"),
    })
}

proptest! {
    #![proptest_config(cases(4000))]

    #[test]
    fn ipv4(parts in vec(number(), 1..6), tail in select(vec!["", "", "", ".", "x", " ", "+", "\0"])) {
        checks::address::check(format!("{}{tail}", parts.join(".")).as_bytes());
    }

    #[test]
    fn ipv6(
        bits: u128,
        keep: u128,
        form in 0..4,
        zone in select(vec!["", "", "%lo", "%1", "%01", "%4294967296", "%", "%nix", "%1%2"]),
        link_local: bool,
    ) {
        // Groups of zeros, so that there is something to leave out.
        let bits = bits & keep & keep.rotate_left(64);
        let bits = if link_local { bits >> 16 | 0xfe80 << 112 } else { bits };
        let ip = Ipv6Addr::from_bits(bits);
        let text = match form {
            0 => ip.segments().map(|s| format!("{s:x}")).join(":"),
            1 => format!("{ip}").to_uppercase(),
            2 => format!("::{}", std::net::Ipv4Addr::from_bits(bits as u32)),
            _ => ip.to_string(),
        };
        let text = format!("{text}{zone}");
        checks::address::check(text.as_bytes());
        if zone.is_empty() && form != 2 {
            prop_assert_eq!(rustdns::base::address::inet_pton6(text.as_bytes()), Some(ip));
        }
    }

    #[test]
    fn nearly_addresses(text in "[0-9a-fx:.%lo]{0,20}") {
        checks::address::check(text.as_bytes());
    }

    #[test]
    fn every_address_is_its_own_text(ip: IpAddr) {
        checks::address::check(ip.to_string().as_bytes());
    }
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn getaddrinfo(
        numbers: [u8; 6],
        node in select(vec!["host.test", "HOST.TEST", "h", "many.test", "six.test", "mapped.test", "nobody",
            "127.0.0.1", "127.1", "::1", "fe80::1%1", "fe80::1%lo", "", "*", "localhost", "a..b", "\u{e9}"]),
        service in select(vec!["", "80", "http", "www", "ntp", "0", "65616", "-1", "*", " 80", "nosuch", "080"]),
    ) {
        checks::calls::getaddrinfo(&[&numbers, node.as_bytes(), b"\0", service.as_bytes()].concat());
    }

    #[test]
    fn getnameinfo(numbers: [u8; 7], port in select(vec![0u16, 53, 80, 123, 7777]), ip in select(vec![
        "127.0.0.1", "192.0.2.1", "192.0.2.77", "::1", "fe80::7", "fe80::1", "::ffff:192.0.2.9", "2001:db8::6",
    ]), scope in 0u8..4) {
        let mut input = numbers.to_vec();
        input.extend(port.to_be_bytes());
        match ip.parse().unwrap() {
            IpAddr::V4(ip) => input.extend(ip.octets()),
            IpAddr::V6(ip) => {
                input.extend([0; 4]);
                input.extend(ip.octets());
                input.extend([scope, 0, 0, 0]);
            }
        }
        checks::calls::getnameinfo(&input);
    }

    #[test]
    fn gethostbyname_r(
        numbers: [u8; 4],
        size in 0u16..400,
        name in select(vec!["host.test", "many.test", "six.test", "mapped.test", "localhost", "127.1", "::1", "nobody"]),
    ) {
        let [family, _, _, offset] = numbers;
        let [low, high] = size.to_le_bytes();
        checks::calls::gethostbyname_r(&[&[family, low, high, offset], name.as_bytes()].concat());
    }
}
