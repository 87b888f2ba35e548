//! gai.conf(5): the policy by which addresses are put in order (RFC 6724 section 2.1).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::base::address::{inet_pton4, inet_pton6, is_link_local};
use crate::config::is_space;
use crate::config::note::Notes;
use crate::sys::mem::{NoMemory, TryPush};

/// Labels, precedences and scopes of addresses.
///
/// A table that the file does not touch is glibc's own: that of RFC 3484 with labels for
/// site-local, unique local and Teredo addresses, not that of RFC 6724. One line replaces its
/// whole table (gai.conf(5)).
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// `reload yes`. rustdns follows the file in any case; kept for the trace.
    pub reload: bool,
    /// What was ignored.
    pub notes: Notes,
    // Empty where the file says nothing; else most specific first.
    labels: Vec<Row>,
    precedences: Vec<Row>,
    scopes: Vec<Row>,
}

/// Addresses with a common prefix, and what they have in common. IPv4 is written as mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    prefix: u128,
    bits: u8,
    value: u32,
    /// Of two rows for one prefix the first in the file counts.
    line: u32,
}

const fn row(prefix: u128, bits: u8, value: u32) -> Row {
    Row { prefix, bits, value, line: 0 }
}

const MAPPED: u128 = 0xffff_0000_0000;

const LABELS: &[Row] = &[
    row(1, 128, 0),            // ::1
    row(0, 96, 3),             // ::/96
    row(MAPPED, 96, 4),        // ::ffff:0:0/96
    row(0x2001 << 112, 32, 7), // Teredo
    row(0x2002 << 112, 16, 2), // 6to4
    row(0xfec0 << 112, 10, 5), // site-local
    row(0xfc00 << 112, 7, 6),  // unique local
    row(0, 0, DEFAULT_LABEL),
];
const PRECEDENCES: &[Row] = &[
    row(1, 128, 50),
    row(0, 96, 20),
    row(MAPPED, 96, 10),
    row(0x2002 << 112, 16, 30),
    row(0, 0, DEFAULT_PRECEDENCE),
];
const SCOPES: &[Row] = &[
    row(MAPPED | 0xa9fe_0000, 112, 2), // 169.254.0.0/16
    row(MAPPED | 0x7f00_0000, 104, 2), // 127.0.0.0/8
];
const DEFAULT_LABEL: u32 = 1;
const DEFAULT_PRECEDENCE: u32 = 40;
/// Global scope (RFC 4291 section 2.7).
const GLOBAL: u32 = 14;

impl Policy {
    /// The label of `ip`; addresses with the same one go together.
    pub fn label(&self, ip: IpAddr) -> u32 {
        find(&self.labels, LABELS, ip).unwrap_or(DEFAULT_LABEL)
    }

    /// The precedence of `ip`; higher comes first.
    pub fn precedence(&self, ip: IpAddr) -> u32 {
        find(&self.precedences, PRECEDENCES, ip).unwrap_or(DEFAULT_PRECEDENCE)
    }

    /// The scope of `ip` as in multicast addresses (RFC 6724 section 3.1): 2 link, 5 site,
    /// 14 global. As in glibc, an IPv4-mapped address is global, whatever its IPv4 address is.
    pub fn scope(&self, ip: IpAddr) -> u32 {
        match ip {
            IpAddr::V4(_) => find(&self.scopes, SCOPES, ip).unwrap_or(GLOBAL),
            IpAddr::V6(ip) if ip.is_multicast() => u32::from(ip.octets()[1] & 0xf),
            IpAddr::V6(ip) if is_link_local(ip) || ip.is_loopback() => 2,
            IpAddr::V6(ip) if ip.segments()[0] & 0xffc0 == 0xfec0 => 5,
            IpAddr::V6(_) => GLOBAL,
        }
    }
}

fn find(own: &[Row], default: &[Row], ip: IpAddr) -> Option<u32> {
    let ip = match ip {
        IpAddr::V4(ip) => mapped(ip),
        IpAddr::V6(ip) => ip.to_bits(),
    };
    let rows = if own.is_empty() { default } else { own };
    rows.iter().find(|row| (row.prefix ^ ip) & mask(row.bits) == 0).map(|row| row.value)
}

fn mapped(ip: Ipv4Addr) -> u128 {
    MAPPED | u128::from(ip.to_bits())
}

/// The first `bits` bits.
fn mask(bits: u8) -> u128 {
    u128::MAX.checked_shl(128u32.saturating_sub(u32::from(bits))).unwrap_or(0)
}

/// Reads gai.conf's text; `None`, where there is no such file, gives the defaults.
///
/// # Errors
/// [`NoMemory`]; never for what the text says. Lines that are not understood are noted and ignored.
pub fn parse(text: Option<&[u8]>) -> Result<Policy, NoMemory> {
    let mut policy = Policy::default();
    let lines = text.unwrap_or_default().split(|&b| b == b'\n');
    for (number, line) in (1u32..).zip(lines) {
        if let Err(what) = policy.read_line(number, line)? {
            policy.notes.add(number, what, line)?;
        }
    }
    for table in [&mut policy.labels, &mut policy.precedences, &mut policy.scopes] {
        // The most specific first. Keys are distinct, so stability (and memory for it) is not needed.
        table.sort_unstable_by_key(|row| (u8::MAX - row.bits, row.line));
    }
    Ok(policy)
}

/// What a line came to: understood, or why not.
type Reading = Result<(), &'static str>;

impl Policy {
    fn read_line(&mut self, number: u32, line: &[u8]) -> Result<Reading, NoMemory> {
        // A comment, or a NUL, ends the line wherever it stands.
        let line = line.split(|b| matches!(b, b'#' | 0)).next().unwrap_or_default();
        let mut words = line.split(|&b| is_space(b)).filter(|w| !w.is_empty());
        let Some(keyword) = words.next() else { return Ok(Ok(())) };
        let first = words.next().unwrap_or_default();
        let value = words.next().unwrap_or_default();
        let (table, row) = match keyword {
            b"label" => (&mut self.labels, prefix_row(first, value)),
            b"precedence" => (&mut self.precedences, prefix_row(first, value)),
            b"scopev4" => (&mut self.scopes, scope_row(first, value)),
            b"reload" => {
                self.reload = first == b"yes";
                return Ok(match first {
                    b"yes" | b"no" => Ok(()),
                    _ => Err("neither yes nor no; taken for no"),
                });
            }
            _ => return Ok(Err("unknown keyword, ignored")),
        };
        let Some(row) = row else { return Ok(Err("no prefix with a number, ignored")) };
        table.try_push(Row { line: number, ..row })?;
        Ok(Ok(()))
    }
}

/// `2002::/16 30`. Without a length it is one address, since glibc 2.41.
fn prefix_row(prefix: &[u8], value: &[u8]) -> Option<Row> {
    let (ip, bits) = split_length(prefix);
    let bits = bits.map_or(Some(128), number).filter(|&bits| bits <= 128)?;
    Some(row(inet_pton6(ip)?.to_bits(), bits as u8, number(value)?))
}

/// `169.254.0.0/16 2` or `::ffff:169.254.0.0/112 2`.
fn scope_row(prefix: &[u8], value: &[u8]) -> Option<Row> {
    let (ip, bits) = split_length(prefix);
    let (ip, bits) = match inet_pton6(ip).as_ref().map(Ipv6Addr::to_ipv4_mapped) {
        Some(ip) => (ip?, bits.map_or(Some(128), number)?),
        None => (inet_pton4(ip)?, bits.map_or(Some(32), number)?.checked_add(96)?),
    };
    if !(96..=128).contains(&bits) {
        return None;
    }
    Some(row(mapped(ip), bits as u8, number(value)?))
}

/// `address/bits`; `None` for the bits where there is no slash.
fn split_length(prefix: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut parts = prefix.splitn(2, |&b| b == b'/');
    (parts.next().unwrap_or_default(), parts.next())
}

/// A number up to `INT_MAX` as `strtoul(3)` reads it. No digits at all are none, since glibc 2.41.
fn number(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"+").unwrap_or(text);
    if !digits.first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let value = core::str::from_utf8(digits).ok()?.parse::<u32>().ok()?;
    (value <= i32::MAX as u32).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// The tables that glibc documents as its defaults in Debian's /etc/gai.conf (comments there).
    #[test]
    fn without_a_file_the_tables_are_those_that_glibc_documents() {
        let policy = parse(None).unwrap();
        for (text, label, precedence) in [
            ("::1", 0, 50),
            ("2001:db8::1", 1, 40),
            ("2002::1", 2, 30),
            ("::7", 3, 20),
            ("192.0.2.1", 4, 10),
            ("::ffff:192.0.2.1", 4, 10),
            ("fec0::1", 5, 40),
            ("feff::1", 5, 40),
            ("fc00::1", 6, 40),
            ("fd12::1", 6, 40),
            ("2001:0:1::1", 7, 40),
        ] {
            assert_eq!((policy.label(ip(text)), policy.precedence(ip(text))), (label, precedence));
        }
    }

    #[test]
    fn scopes() {
        let policy = parse(None).unwrap();
        for (text, scope) in [
            ("127.0.0.1", 2),
            ("169.254.1.1", 2),
            ("10.0.0.1", 14),
            ("192.0.2.1", 14),
            ("::1", 2),
            ("fe80::1", 2),
            ("fec0::1", 5),
            ("fc00::1", 14),
            ("ff02::1", 2),
            ("ff05::1", 5),
            ("ff0e::1", 14),
            ("::ffff:127.0.0.1", 14),
        ] {
            assert_eq!(policy.scope(ip(text)), scope, "{text}");
        }
    }

    #[test]
    fn one_line_replaces_its_table_and_no_other() {
        let policy = parse(Some(b"precedence ::ffff:0:0/96 100\r\n")).unwrap();
        assert_eq!(policy.precedence(ip("192.0.2.1")), 100);
        assert_eq!(policy.precedence(ip("::1")), 40);
        assert_eq!(policy.label(ip("::1")), 0);
        assert!(policy.notes.is_empty());

        let policy = parse(Some(
            b"label 2001:db8::/32 9\nlabel 2001:db8::/32 8\nlabel ::/0 2\nlabel 2001:db8:1::/48 10",
        ))
        .unwrap();
        assert_eq!(policy.label(ip("2001:db8:1::1")), 10);
        assert_eq!(policy.label(ip("2001:db8:2::1")), 9);
        assert_eq!(policy.label(ip("::1")), 2);

        let policy = parse(Some(b"scopev4 10.0.0.0/8 5\nscopev4 ::ffff:10.1.0.0/112 2")).unwrap();
        assert_eq!(policy.scope(ip("10.1.2.3")), 2);
        let policy =
            parse(Some(b"label ::1 7\nscopev4 10.1.2.3 5\nscopev4 ::ffff:10.1.2.4 6")).unwrap();
        assert_eq!((policy.label(ip("::1")), policy.label(ip("::2"))), (7, 1));
        let scopes = ["10.1.2.3", "10.1.2.4", "10.1.2.5"].map(|text| policy.scope(ip(text)));
        assert_eq!(scopes, [5, 6, 14]);

        let policy = parse(Some(b"scopev4 10.0.0.0/8 5\nscopev4 ::ffff:10.1.0.0/112 2")).unwrap();
        assert_eq!(policy.scope(ip("10.2.2.3")), 5);
        assert_eq!(policy.scope(ip("127.0.0.1")), 14);
    }

    #[test]
    fn what_is_not_understood_is_noted() {
        for line in [
            "Label ::1/128 0",
            "label ::1/ 0",
            "label ::1/128",
            "label ::1\u{0}/128 1x 3",
            "label ::1/129 0",
            "label ::1/-1 0",
            "label ::1/x 0",
            "label 1.2.3.4/32 0",
            "label ::1/128 -1",
            "label ::1/128 2147483648",
            "label ::1/128 1x",
            "label",
            "scopev4 2001:db8::/32 1",
            "scopev4 ::ffff:1.2.3.4/95 1",
            "scopev4 1.2.3.4/33 1",
            "scopev4 1.2.3/8 1",
            "scopev4 1.2.3.4/ 1",
            "scopev4 1.2.3.4/8",
            "scopev4 1.2.3.4/4294967295 1",
            "reload maybe",
        ] {
            let policy = parse(Some(line.as_bytes())).unwrap();
            assert_eq!(policy.notes.iter().count(), 1, "{line:?}");
            assert_eq!(policy.scopes.len() + policy.precedences.len(), 0);
        }
        let policy =
            parse(Some(b"# label\n\n  reload yes # no\nlabel ::1/128 7 and more")).unwrap();
        assert!(policy.reload && policy.notes.is_empty());
        assert_eq!(policy.label(ip("::1")), 7);
    }
}
