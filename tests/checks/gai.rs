//! gai.conf(5).

use std::net::{IpAddr, Ipv6Addr};

use rustdns::config::gai::parse;

/// The tables that hold where the file has none of its own, as Debian's gai.conf describes them.
const DEFAULTS: &str = "label ::1/128 0\nlabel ::/0 1\nlabel 2002::/16 2\nlabel ::/96 3\n\
    label ::ffff:0:0/96 4\nlabel fec0::/10 5\nlabel fc00::/7 6\nlabel 2001:0::/32 7\n\
    precedence ::1/128 50\nprecedence ::/0 40\nprecedence 2002::/16 30\nprecedence ::/96 20\n\
    precedence ::ffff:0:0/96 10\n\
    scopev4 ::ffff:169.254.0.0/112 2\nscopev4 ::ffff:127.0.0.0/104 2\nscopev4 ::ffff:0.0.0.0/96 14\n";

/// Addresses that are asked about besides those of the file.
const ADDRESSES: &[&str] = &[
    "::",
    "::1",
    "::7",
    "2001:db8::1",
    "2001::1",
    "2002::1",
    "fc00::1",
    "fec0::1",
    "fe80::1",
    "0.0.0.0",
    "127.0.0.1",
    "169.254.1.1",
    "10.1.2.3",
    "192.0.2.1",
    "255.255.255.255",
];

/// Label, precedence and scope of an address are those of the longest prefix in a plain list of the
/// file's rows, the first of two that are alike; a table without rows is the documented default.
///
/// Would find: a sort that loses the file's order, a mask of 0 or 128 bits that shifts too far,
/// rows of one table that end up in another, an IPv4 prefix that is taken for an IPv6 one.
pub fn check(text: &[u8]) {
    let policy = parse(Some(text)).unwrap();
    let own = rows(text);
    let defaults = rows(DEFAULTS.as_bytes());
    let in_text = own.iter().map(|row| Ipv6Addr::from_bits(row.prefix)).flat_map(|ip| {
        let last = Ipv6Addr::from_bits(ip.to_bits() ^ 1);
        [ip, last].into_iter().flat_map(|ip| {
            let mapped = ip.to_ipv4_mapped().map(IpAddr::V4);
            [Some(IpAddr::V6(ip)), mapped].into_iter().flatten()
        })
    });
    for ip in ADDRESSES.iter().map(|ip| ip.parse().unwrap()).chain(in_text.take(200)) {
        let value = |keyword, missing| {
            let table = if own.iter().any(|row| row.keyword == keyword) { &own } else { &defaults };
            longest(table, keyword, ip).unwrap_or(missing)
        };
        assert_eq!(policy.label(ip), value("label", 1), "label of {ip}");
        assert_eq!(policy.precedence(ip), value("precedence", 40), "precedence of {ip}");
        if ip.is_ipv4() {
            assert_eq!(policy.scope(ip), value("scopev4", 14), "scope of {ip}");
        }
    }
}

struct Row {
    keyword: &'static str,
    prefix: u128,
    bits: u32,
    value: u32,
}

fn bits_of(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

fn longest(rows: &[Row], keyword: &str, ip: IpAddr) -> Option<u32> {
    let ip = bits_of(ip);
    // Bit by bit, so that no shift can be wrong.
    let fits = |row: &&Row| (0..row.bits).all(|bit| (row.prefix ^ ip) >> (127 - bit) & 1 == 0);
    let mut best: Option<&Row> = None;
    for row in rows.iter().filter(|row| row.keyword == keyword).filter(fits) {
        if best.is_none_or(|best| row.bits > best.bits) {
            best = Some(row);
        }
    }
    best.map(|row| row.value)
}

fn rows(text: &[u8]) -> Vec<Row> {
    let mut rows = Vec::new();
    for line in text.split(|&b| b == b'\n') {
        let words = super::words(line);
        let mut words = words.into_iter().chain([&b""[..]; 3]);
        let keyword = match words.next() {
            Some(b"label") => "label",
            Some(b"precedence") => "precedence",
            Some(b"scopev4") => "scopev4",
            _ => continue,
        };
        let (prefix, value) = (words.next().unwrap(), number(words.next().unwrap()));
        let slash = prefix.iter().position(|&b| b == b'/');
        let text = &prefix[..slash.unwrap_or(prefix.len())];
        let ip = str::from_utf8(text).ok().and_then(|ip| ip.parse::<IpAddr>().ok());
        let (Some(ip), Some(value)) = (ip, value) else { continue };
        let all = if ip.is_ipv4() { 32 } else { 128 };
        let bits = slash.map_or(Some(all), |slash| number(&prefix[slash + 1..]));
        let Some(bits) = bits else { continue };
        let is_mapped = matches!(ip, IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some());
        let bits = match (keyword, ip) {
            ("scopev4", IpAddr::V4(_)) if bits <= 32 => bits + 96,
            ("scopev4", IpAddr::V6(_)) if is_mapped && (96..=128).contains(&bits) => bits,
            ("label" | "precedence", IpAddr::V6(_)) if bits <= 128 => bits,
            _ => continue,
        };
        rows.push(Row { keyword, prefix: bits_of(ip), bits, value });
    }
    rows
}

/// Decimal digits with at most a plus before them, at most `INT_MAX`.
fn number(text: &[u8]) -> Option<u32> {
    let text = str::from_utf8(text).ok()?;
    let number: u64 = text.parse().ok()?;
    u32::try_from(number).ok().filter(|&number| number <= i32::MAX.cast_unsigned())
}
