//! A node that is an address already (`getaddrinfo(3)`, RFC 3493 section 6.1): nothing is looked up.

use core::net::{IpAddr, Ipv4Addr};

use crate::base::address::{Address, ZoneNames, inet_aton, inet_pton6, split_zone, zone_index};
use crate::base::error::Error;
use crate::rules::query::{Family, Flags};

/// What the node's text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numeric {
    /// No address: a name to look up.
    NotNumeric,
    /// An address of the family asked for. The canonical name is the node's text as it was given.
    Address(Address),
    /// An address that can't be had in this way, or no address where only one may stand.
    Refused(Error),
}

/// Reads `node` as an address of `family`.
///
/// IPv4 may have any form of `inet_aton(3)`, IPv6 those of RFC 4291 section 2.2 with a zone after
/// `%` (RFC 4007 section 11), which `names` turns into an index. Text with a dot at its end is no address.
///
/// - IPv4 where IPv6 is asked for: mapped with `AI_V4MAPPED`, else [`Error::AddrFamily`].
/// - IPv6 where IPv4 is asked for: an IPv4-mapped one gives its IPv4 address (its zone, if any, is
///   checked and dropped), all others [`Error::AddrFamily`].
/// - A zone that does not exist: [`Error::NoName`], and nothing is looked up.
/// - No address, with `AI_NUMERICHOST`: [`Error::NoName`].
pub fn parse(node: &[u8], family: Family, flags: &Flags, names: ZoneNames<'_>) -> Numeric {
    if let Some(ip) = inet_aton(node) {
        return ipv4(ip, family, flags);
    }
    let (text, zone) = split_zone(node);
    let Some(ip) = inet_pton6(text) else {
        return if flags.numeric_host {
            Numeric::Refused(Error::NoName)
        } else {
            Numeric::NotNumeric
        };
    };
    // The family is judged before the zone.
    let as_ipv4 = match (family, ip.to_ipv4_mapped()) {
        (Family::Any | Family::V6, _) => None,
        (Family::V4, Some(mapped)) => Some(mapped),
        (Family::V4, None) => return Numeric::Refused(Error::AddrFamily),
    };
    let scope = match zone.map(|zone| zone_index(ip, zone, names)) {
        None => 0,
        Some(Some(index)) => index,
        Some(None) => return Numeric::Refused(Error::NoName),
    };
    Numeric::Address(match as_ipv4 {
        Some(ip) => Address::new(IpAddr::V4(ip)),
        None => Address { ip: IpAddr::V6(ip), scope },
    })
}

fn ipv4(ip: Ipv4Addr, family: Family, flags: &Flags) -> Numeric {
    match family {
        Family::Any | Family::V4 => Numeric::Address(Address::new(IpAddr::V4(ip))),
        Family::V6 if flags.v4_mapped => {
            Numeric::Address(Address::new(IpAddr::V6(ip.to_ipv6_mapped())))
        }
        Family::V6 => Numeric::Refused(Error::AddrFamily),
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::numeric::*;

    /// The answer as text: the address with its zone, or `-2` for `EAI_NONAME`, `-9` for
    /// `EAI_ADDRFAMILY`.
    fn answer(node: &str, family: Family, v4_mapped: bool) -> String {
        let flags = Flags { numeric_host: true, v4_mapped, ..Flags::default() };
        match parse(node.as_bytes(), family, &flags, &|name| (name == b"lo").then_some(1)) {
            Numeric::Address(Address { ip, scope: 0 }) => ip.to_string(),
            Numeric::Address(Address { ip, scope }) => format!("{ip}%{scope}"),
            Numeric::Refused(Error::NoName) => "-2".into(),
            Numeric::Refused(Error::AddrFamily) => "-9".into(),
            other => panic!("{node}: {other:?}"),
        }
    }

    /// Node, then what glibc 2.36 answered (measured with a C program) with `AI_NUMERICHOST`
    /// for `AF_UNSPEC`, `AF_INET`, `AF_INET6`, and `AF_INET6` with `AI_V4MAPPED`.
    const MEASURED: &[(&str, [&str; 4])] = &[
        ("127.0.0.1", ["127.0.0.1", "127.0.0.1", "-9", "::ffff:127.0.0.1"]),
        ("127.1", ["127.0.0.1", "127.0.0.1", "-9", "::ffff:127.0.0.1"]),
        ("0x7f.1", ["127.0.0.1", "127.0.0.1", "-9", "::ffff:127.0.0.1"]),
        ("0177.0.0.1", ["127.0.0.1", "127.0.0.1", "-9", "::ffff:127.0.0.1"]),
        ("2130706433", ["127.0.0.1", "127.0.0.1", "-9", "::ffff:127.0.0.1"]),
        ("0X1F", ["0.0.0.31", "0.0.0.31", "-9", "::ffff:0.0.0.31"]),
        ("0", ["0.0.0.0", "0.0.0.0", "-9", "::ffff:0.0.0.0"]),
        ("00", ["0.0.0.0", "0.0.0.0", "-9", "::ffff:0.0.0.0"]),
        ("00000000001", ["0.0.0.1", "0.0.0.1", "-9", "::ffff:0.0.0.1"]),
        ("037777777777", ["255.255.255.255", "255.255.255.255", "-9", "::ffff:255.255.255.255"]),
        ("040000000000", ["-2"; 4]),
        ("0x1ffffffff", ["-2"; 4]),
        ("127.0.0.1.", ["-2"; 4]),
        ("1.2.3.4.5", ["-2"; 4]),
        ("256.1", ["-2"; 4]),
        ("08", ["-2"; 4]),
        ("0x", ["-2"; 4]),
        ("", ["-2"; 4]),
        (".", ["-2"; 4]),
        ("1.", ["-2"; 4]),
        (".1", ["-2"; 4]),
        ("1..2", ["-2"; 4]),
        ("-1", ["-2"; 4]),
        ("+1", ["-2"; 4]),
        ("1.2.3.4 ", ["-2"; 4]),
        (" 1.2.3.4", ["-2"; 4]),
        ("1.2.3.4\n", ["-2"; 4]),
        ("1.2.3.4%1", ["-2"; 4]),
        ("%lo", ["-2"; 4]),
        ("%", ["-2"; 4]),
        ("[::1]", ["-2"; 4]),
        ("::1.", ["-2"; 4]),
        ("::1", ["::1", "-9", "::1", "::1"]),
        ("::", ["::", "-9", "::", "::"]),
        ("1:2:3:4:5:6:7::", ["1:2:3:4:5:6:7:0", "-9", "1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7:0"]),
        ("1:2:3:4:5:6:7:1.2.3.4", ["-2"; 4]),
        ("1::2::3", ["-2"; 4]),
        (":::", ["-2"; 4]),
        ("fffff::", ["-2"; 4]),
        ("02001:db8::1", ["-2"; 4]),
        ("::ffff:01.2.3.4", ["-2"; 4]),
        ("::ffff:1.2.3", ["-2"; 4]),
        ("::1%lo", ["-2", "-9", "-2", "-2"]),
        ("::1%0", ["::1", "-9", "::1", "::1"]),
        ("::1%1", ["::1%1", "-9", "::1%1", "::1%1"]),
        ("2001:db8::1%lo", ["-2", "-9", "-2", "-2"]),
        ("2001:db8::1%7", ["2001:db8::1%7", "-9", "2001:db8::1%7", "2001:db8::1%7"]),
        ("fe80::1%lo", ["fe80::1%1", "-9", "fe80::1%1", "fe80::1%1"]),
        ("FE80::1%lo", ["fe80::1%1", "-9", "fe80::1%1", "fe80::1%1"]),
        ("febf::1%lo", ["febf::1%1", "-9", "febf::1%1", "febf::1%1"]),
        ("fec0::1%lo", ["-2", "-9", "-2", "-2"]),
        ("fe80::1%01", ["fe80::1%1", "-9", "fe80::1%1", "fe80::1%1"]),
        ("fe80::1%99", ["fe80::1%99", "-9", "fe80::1%99", "fe80::1%99"]),
        (
            "fe80::1%4294967295",
            ["fe80::1%4294967295", "-9", "fe80::1%4294967295", "fe80::1%4294967295"],
        ),
        ("fe80::1%4294967296", ["-2", "-9", "-2", "-2"]),
        ("fe80::1%18446744073709551617", ["-2", "-9", "-2", "-2"]),
        ("fe80::1%", ["-2", "-9", "-2", "-2"]),
        ("fe80::1%LO", ["-2", "-9", "-2", "-2"]),
        ("fe80::1%lo.", ["-2", "-9", "-2", "-2"]),
        ("fe80::1%-1", ["-2", "-9", "-2", "-2"]),
        ("fe80::1%+1", ["-2", "-9", "-2", "-2"]),
        ("fe80::1% 1", ["-2", "-9", "-2", "-2"]),
        ("fe80::1%1a", ["-2", "-9", "-2", "-2"]),
        ("fe80::1%1%2", ["-2", "-9", "-2", "-2"]),
        ("ff01::1%lo", ["ff01::1%1", "-9", "ff01::1%1", "ff01::1%1"]),
        ("ff12::1%lo", ["ff12::1%1", "-9", "ff12::1%1", "ff12::1%1"]),
        ("ff05::1%lo", ["-2", "-9", "-2", "-2"]),
        ("::ffff:1.2.3.4", ["::ffff:1.2.3.4", "1.2.3.4", "::ffff:1.2.3.4", "::ffff:1.2.3.4"]),
        (
            "::ffff:1.2.3.4%1",
            ["::ffff:1.2.3.4%1", "1.2.3.4", "::ffff:1.2.3.4%1", "::ffff:1.2.3.4%1"],
        ),
        ("::ffff:1.2.3.4%lo", ["-2"; 4]),
        ("::1.2.3.4", ["::1.2.3.4", "-9", "::1.2.3.4", "::1.2.3.4"]),
    ];

    #[test]
    fn answers_as_glibc_does() {
        for &(node, want) in MEASURED {
            let got = [
                answer(node, Family::Any, false),
                answer(node, Family::V4, false),
                answer(node, Family::V6, false),
                answer(node, Family::V6, true),
            ];
            // The text of an address differs between libraries; the address must not.
            for (got, want) in got.iter().zip(want) {
                let same = got == want || {
                    let (a, b) = (split_zone(got.as_bytes()), split_zone(want.as_bytes()));
                    a.1 == b.1 && inet_pton6(a.0).is_some() && inet_pton6(a.0) == inet_pton6(b.0)
                };
                assert!(same, "{node:?}: {got} for glibc's {want}");
            }
        }
    }

    #[test]
    fn without_numerichost_only_what_is_no_address_is_a_name() {
        let read = |node: &str| parse(node.as_bytes(), Family::Any, &Flags::default(), &|_| None);
        assert_eq!(read("127.0.0.1."), Numeric::NotNumeric);
        assert_eq!(read("example"), Numeric::NotNumeric);
        // Measured: glibc asks no server for these.
        assert_eq!(read("fe80::1%nosuch"), Numeric::Refused(Error::NoName));
        assert_eq!(read("fe80::1%"), Numeric::Refused(Error::NoName));
    }
}
