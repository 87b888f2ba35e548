//! IP addresses as the pipeline carries them, and the text forms that libc reads.

use crate::sys::mem::{NoMemory, copy};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// An IP address with the zone it belongs to (RFC 4007).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// The address itself. An IPv4-mapped IPv6 address stays IPv6.
    pub ip: IpAddr,
    /// Interface index of a link-local IPv6 address; 0 elsewhere and where unknown.
    pub scope: u32,
}

impl Address {
    /// The address without a zone.
    pub const fn new(ip: IpAddr) -> Address {
        Address { ip, scope: 0 }
    }

    /// True for an IPv4 address (not for an IPv4-mapped IPv6 one).
    pub const fn is_ipv4(&self) -> bool {
        matches!(self.ip, IpAddr::V4(_))
    }
}

/// Turns an interface's name into its index: what `if_nametoindex(3)` does.
/// Parsers take it as a parameter, so that they stay pure.
pub type ZoneNames<'a> = &'a dyn Fn(&[u8]) -> Option<u32>;

/// Reads IPv4 in every form of `inet_aton(3)`: one to four parts, each decimal,
/// octal (`0…`) or hexadecimal (`0x…`), the last one filling the octets that remain.
///
/// The whole of `text` must be the address (libc's `inet_aton` itself stops at white
/// space; resolvers don't). A part that is out of range is refused.
pub fn inet_aton(text: &[u8]) -> Option<Ipv4Addr> {
    let mut parts = [0u32; 4];
    let mut count = 0usize;
    for part in text.split(|&b| b == b'.') {
        *parts.get_mut(count)? = number(part)?;
        count += 1;
    }
    let (&last, leading) = parts.get(..count)?.split_last()?;
    // `leading` has at most three parts, so the shift below is 8, 16 or 24, or none at all.
    let room = 32 - 8 * leading.len() as u32;
    if room < 32 && last >> room != 0 {
        return None;
    }
    let mut value = last;
    for (i, &octet) in leading.iter().enumerate() {
        if octet > 0xff {
            return None;
        }
        value |= octet << (24 - 8 * i as u32);
    }
    Some(Ipv4Addr::from_bits(value))
}

/// One part of `inet_aton`'s notation: decimal, octal or hexadecimal, at most 32 bits.
fn number(part: &[u8]) -> Option<u32> {
    let (digits, radix) = match part {
        [b'0', b'x' | b'X', rest @ ..] => (rest, 16),
        [b'0', rest @ ..] if !rest.is_empty() => (rest, 8),
        _ => (part, 10),
    };
    // from_str_radix would accept a sign.
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u32::from_str_radix(core::str::from_utf8(digits).ok()?, radix).ok()
}

/// Reads IPv4 as `inet_pton(3)` does: four decimal parts without leading zeros.
pub fn inet_pton4(text: &[u8]) -> Option<Ipv4Addr> {
    let (mut bits, mut octet, mut digits, mut dots) = (0u32, 0u32, 0, 0);
    for &character in text {
        match character {
            b'0'..=b'9' if digits == 0 || octet != 0 => {
                octet = 10 * octet + u32::from(character - b'0');
                digits += 1;
                if octet > 255 {
                    return None;
                }
            }
            b'.' if digits > 0 && dots < 3 => {
                bits = bits << 8 | octet;
                (octet, digits) = (0, 0);
                dots += 1;
            }
            _ => return None,
        }
    }
    (digits > 0 && dots == 3).then(|| Ipv4Addr::from_bits(bits << 8 | octet))
}

/// Reads IPv6 as `inet_pton(3)` does (RFC 4291 section 2.2), without a zone.
pub fn inet_pton6(text: &[u8]) -> Option<Ipv6Addr> {
    // Almost every text is a name: std's parser takes its time to find out.
    if !text.contains(&b':') {
        return None;
    }
    core::str::from_utf8(text).ok()?.parse().ok()
}

/// Splits `fe80::1%eth0` into address text and zone text.
pub fn split_zone(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|&b| b == b'%').and_then(|at| text.split_at_checked(at)) {
        Some((address, zone)) => (address, zone.get(1..)),
        None => (text, None),
    }
}

/// The index that a zone's text stands for (RFC 4007 section 11): the name of an interface where
/// the address is link-local (unicast, or multicast of interface or link scope), else a decimal number.
pub fn zone_index(ip: Ipv6Addr, zone: &[u8], names: ZoneNames<'_>) -> Option<u32> {
    if is_link_local(ip)
        && let Some(index) = names(zone)
    {
        return Some(index);
    }
    if zone.is_empty() || !zone.iter().all(u8::is_ascii_digit) {
        return None;
    }
    core::str::from_utf8(zone).ok()?.parse().ok()
}

/// A server with a zone as it was written. The interface of that name may get another index, or come
/// later than the server was read (RFC 4007 section 6 has indices chosen anew as interfaces come).
#[derive(Debug, PartialEq, Eq)]
pub struct Zoned {
    /// The server, with the index that the zone had; 0: none yet.
    pub server: SocketAddrV6,
    zone: Box<[u8]>,
}

impl Zoned {
    /// The server and its zone's text.
    pub fn new(server: SocketAddrV6, zone: &[u8]) -> Result<Zoned, NoMemory> {
        Ok(Zoned { server, zone: copy(zone)? })
    }

    /// The server with the index that its zone has now; where that is none, as it was.
    pub fn now(&self, names: ZoneNames<'_>) -> SocketAddrV6 {
        let mut server = self.server;
        if let Some(index) = zone_index(*server.ip(), &self.zone, names) {
            server.set_scope_id(index);
        }
        server
    }

    /// The same server, as it is now.
    pub fn renewed(&self, names: ZoneNames<'_>) -> Result<Zoned, NoMemory> {
        Zoned::new(self.now(names), &self.zone)
    }
}

/// The zoned one that stands for `server` in a list.
pub fn zoned<'a>(list: &'a [Zoned], server: &SocketAddr) -> Option<&'a Zoned> {
    list.iter().find(|zoned| SocketAddr::V6(zoned.server) == *server)
}

/// True where an interface's name may stand as the zone: `fe80::/10`, `ff01::/16`, `ff02::/16`
/// and their like with other flags.
pub fn is_link_local(ip: Ipv6Addr) -> bool {
    let [first, ..] = ip.segments();
    first & 0xffc0 == 0xfe80 || (first & 0xff00 == 0xff00 && matches!(first & 0xf, 1 | 2))
}

#[cfg(test)]
mod tests {
    use crate::base::address::*;

    #[test]
    fn inet_aton_reads_every_form() {
        for (text, want) in [
            ("127.0.0.1", Some([127, 0, 0, 1])),
            ("127.1", Some([127, 0, 0, 1])),
            ("1.2.772", Some([1, 2, 3, 4])),
            ("0x7f.1", Some([127, 0, 0, 1])),
            ("0177.0.0.01", Some([127, 0, 0, 1])),
            ("2130706433", Some([127, 0, 0, 1])),
            ("0x7F000001", Some([127, 0, 0, 1])),
            ("0", Some([0, 0, 0, 0])),
            ("4294967295", Some([255; 4])),
            ("4294967296", None),
            ("1.2.3.256", None),
            ("1.2.65536", None),
            ("1.16777216", None),
            ("256.1", None),
            ("1.2.3.4.5", None),
            ("1.2.3.", None),
            (".1", None),
            ("", None),
            ("08", None),
            ("0x", None),
            ("+1.2.3.4", None),
            ("1.2.3.4 ", None),
        ] {
            assert_eq!(inet_aton(text.as_bytes()), want.map(Ipv4Addr::from), "{text:?}");
        }
    }

    #[test]
    fn zones_are_names_for_link_local_addresses_and_numbers_for_all() {
        let names: ZoneNames<'_> = &|name| (name == b"lo").then_some(1);
        let local: Ipv6Addr = "fe80::1".parse().unwrap();
        let global: Ipv6Addr = "2001:db8::1".parse().unwrap();
        assert_eq!(zone_index(local, b"lo", names), Some(1));
        assert_eq!(zone_index(local, b"7", names), Some(7));
        assert_eq!(zone_index(local, b"nix", names), None);
        assert_eq!(zone_index(local, b"+7", names), None);
        assert_eq!(zone_index(global, b"lo", names), None);
        assert_eq!(zone_index(global, b"01", names), Some(1));
        assert_eq!(zone_index(local, b"", names), None);
    }

    #[test]
    fn a_zone_keeps_its_name() {
        let server = SocketAddrV6::new("fe80::1".parse().unwrap(), 53, 0, 7);
        let zoned = Zoned::new(server, b"eth0").unwrap();
        let is = |index| move |name: &[u8]| (name == b"eth0").then_some(index);
        assert_eq!(zoned.now(&is(7)), server);
        assert_eq!(zoned.now(&is(9)).scope_id(), 9);
        assert_eq!(zoned.now(&|_| None).scope_id(), 7, "gone: as it was");
        assert_eq!(zoned.renewed(&is(9)).unwrap().now(&is(11)).scope_id(), 11);
        let numbered = Zoned::new(server, b"3").unwrap();
        assert_eq!(numbered.now(&is(9)).scope_id(), 3);
    }
}
