//! Addresses as text.

use std::net::IpAddr;

use rustdns::base::address::{Address, inet_aton, inet_pton4, inet_pton6};
use rustdns::base::error::Error;
use rustdns::rules::numeric::{Numeric, parse};
use rustdns::rules::query::{Family, Flags};

use super::libc_oracle;

/// Text is an address where libc's functions say so, and the same one; what getaddrinfo makes of it
/// for each family follows from that; and an address written out is read back with its zone.
///
/// Would find: a form of `inet_aton(3)` that is missing or too many (`08`, `0x`, a sign), a part
/// that overflows, an IPv6 form on which std and libc differ, a zone that is lost or invented.
pub fn check(text: &[u8]) {
    let (v4, v6) = (inet_aton(text), inet_pton6(text));
    if !text.contains(&0) && !text.iter().any(|&b| super::is_space(b)) {
        let shown = text.escape_ascii();
        assert_eq!(v4, libc_oracle::aton(text), "inet_aton {shown}");
        assert_eq!(inet_pton4(text), libc_oracle::pton4(text), "inet_pton 4 {shown}");
        assert_eq!(v6, libc_oracle::pton6(text), "inet_pton 6 {shown}");
    } else {
        assert_eq!((v4, inet_pton4(text), v6), (None, None, None));
    }
    let percent = text.iter().position(|&b| b == b'%');
    let zoned = percent.and_then(|at| inet_pton6(&text[..at]));
    for (family, v4_mapped, numeric_host) in [
        (Family::Any, false, false),
        (Family::V4, true, false),
        (Family::V6, false, true),
        (Family::V6, true, false),
    ] {
        let flags = Flags { v4_mapped, numeric_host, ..Flags::default() };
        let read = |text: &[u8]| parse(text, family, &flags, &super::zone_names);
        let result = read(text);
        let expected = match (v4, v6.or(zoned), family) {
            (Some(ip), _, Family::Any | Family::V4) => Numeric::Address(Address::new(ip.into())),
            (Some(ip), _, Family::V6) if v4_mapped => {
                Numeric::Address(Address::new(ip.to_ipv6_mapped().into()))
            }
            (Some(_), _, Family::V6) => Numeric::Refused(Error::AddrFamily),
            (None, Some(ip), Family::V4) if ip.to_ipv4_mapped().is_none() => {
                Numeric::Refused(Error::AddrFamily)
            }
            // A zone: what it may be is said in address.rs's own tests; here, what must follow.
            (None, Some(ip), _) if percent.is_some() => match result {
                Numeric::Address(Address { ip: IpAddr::V6(found), .. }) if found == ip => result,
                Numeric::Address(Address { ip: IpAddr::V4(found), scope: 0 })
                    if family == Family::V4 && ip.to_ipv4_mapped() == Some(found) =>
                {
                    result
                }
                _ => Numeric::Refused(Error::NoName),
            },
            (None, Some(ip), Family::V4) => {
                Numeric::Address(Address::new(ip.to_ipv4_mapped().unwrap().into()))
            }
            (None, Some(ip), _) => Numeric::Address(Address::new(ip.into())),
            (None, None, _) if numeric_host => Numeric::Refused(Error::NoName),
            (None, None, _) => Numeric::NotNumeric,
        };
        assert_eq!(result, expected, "{} for {family:?}", text.escape_ascii());
        if let Numeric::Address(address) = result {
            let written = match address.scope {
                0 => address.ip.to_string(),
                scope => format!("{}%{scope}", address.ip),
            };
            assert_eq!(read(written.as_bytes()), Numeric::Address(address), "{written}");
        }
    }
}
