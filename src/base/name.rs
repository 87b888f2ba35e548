//! Domain names (RFC 1034 section 3.1), in wire form and as text.

use core::fmt;
use core::net::IpAddr;

/// The longest name in wire form, root label included (RFC 1035 section 3.1).
pub const MAX_WIRE: usize = 255;
/// The longest label (RFC 1035 section 2.3.4).
const MAX_LABEL: usize = 63;

/// A domain name in uncompressed wire form: length-prefixed labels up to the root.
#[derive(Clone, Copy)]
pub struct Name {
    len: u8,
    octets: [u8; MAX_WIRE],
}

/// Why text is no domain name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// Longer than [`MAX_WIRE`] octets in wire form, or a label longer than 63.
    TooLong,
    /// An empty label that is not the root, or a broken escape.
    Malformed,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NameError::TooLong => "too long",
            NameError::Malformed => "an empty label, or a broken escape",
        })
    }
}

impl Name {
    /// The root.
    pub const ROOT: Name = Name { len: 1, octets: [0; MAX_WIRE] };

    /// Reads master-file text (RFC 1035 section 5.1): labels with dots between them, with or without
    /// the final dot; `\X` and `\DDD` stand for an octet. `.` and the empty text are the root.
    pub fn from_text(text: &[u8]) -> Result<Name, NameError> {
        let mut builder = Builder::new();
        if !matches!(text, b"." | b"") {
            builder.text(text)?;
        }
        builder.finish()
    }

    /// Reads `name` and appends `domain`: a candidate of the search list.
    pub fn from_parts(name: &[u8], domain: &[u8]) -> Result<Name, NameError> {
        let mut builder = Builder::new();
        builder.text(name)?;
        if !matches!(domain, b"." | b"") {
            builder.text(domain)?;
        }
        builder.finish()
    }

    /// The name under `in-addr.arpa` (RFC 1035 section 3.5) or `ip6.arpa` (RFC 3596 section 2.5)
    /// whose PTR record names the host that has `ip`.
    pub fn reverse(ip: IpAddr) -> Name {
        let mut builder = Builder::new();
        // At most 32 labels of two octets and the suffix's ten: always fits.
        let fits = match ip {
            IpAddr::V4(ip) => {
                let [a, b, c, d] = ip.octets();
                [d, c, b, a].iter().try_for_each(|&octet| {
                    let digits = [b'0' + octet / 100, b'0' + octet / 10 % 10, b'0' + octet % 10];
                    let skip = if octet > 99 {
                        0
                    } else if octet > 9 {
                        1
                    } else {
                        2
                    };
                    builder.label(digits.get(skip..).unwrap_or_default())
                })
            }
            IpAddr::V6(ip) => ip.octets().iter().rev().try_for_each(|&octet| {
                let nibble = |n: u8| [if n < 10 { b'0' + n } else { b'a' + n - 10 }];
                builder.label(&nibble(octet & 0xf))?;
                builder.label(&nibble(octet >> 4))
            }),
        };
        let zone: &[u8] = if ip.is_ipv4() { b"in-addr" } else { b"ip6" };
        fits.and_then(|()| builder.label(zone))
            .and_then(|()| builder.label(b"arpa"))
            .and_then(|()| builder.finish())
            .unwrap_or(Name::ROOT)
    }

    /// The wire form.
    pub fn wire(&self) -> &[u8] {
        self.octets.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// The wire form, to change the case of its letters in place (draft-vixie-dnsext-dns0x20).
    pub(crate) fn wire_mut(&mut self) -> &mut [u8] {
        self.octets.get_mut(..usize::from(self.len)).unwrap_or_default()
    }

    /// The labels, the root's empty one left out.
    pub fn labels(&self) -> Labels<'_> {
        Labels(self.wire())
    }

    /// Tells `put` the name's text piece by piece: as [`Name::from_text`] reads it, without the final
    /// dot; the root is `.`.
    pub fn text<E>(&self, put: &mut dyn FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        // Almost every name is plain, and its text the wire form with dots for lengths.
        let mut text = self.octets;
        let mut at = 0;
        let plain = self.labels().all(|label| {
            if let Some(len) = text.get_mut(at) {
                *len = b'.';
            }
            at += 1 + label.len();
            label.iter().all(|&octet| is_plain(octet))
        });
        if plain && at > 0 {
            return put(text.get(1..at).unwrap_or_default());
        }
        let mut dot: &[u8] = b"";
        for label in self.labels() {
            put(dot)?;
            dot = b".";
            let mut rest = label;
            while !rest.is_empty() {
                let plain = rest.iter().take_while(|&&octet| is_plain(octet)).count();
                let (run, after) = rest.split_at_checked(plain).unwrap_or((rest, b""));
                put(run)?;
                let Some((&octet, after)) = after.split_first() else { break };
                rest = after;
                match octet {
                    0x21..=0x7e => put(&[b'\\', octet])?,
                    _ => {
                        put(&[
                            b'\\',
                            b'0' + octet / 100,
                            b'0' + octet / 10 % 10,
                            b'0' + octet % 10,
                        ])?;
                    }
                }
            }
        }
        if dot.is_empty() { put(b".") } else { Ok(()) }
    }

    /// True when the two are one name: letters count without their case (RFC 4343).
    pub fn is(&self, other: &Name) -> bool {
        // Length octets are below 64 and so no letters.
        self.wire().eq_ignore_ascii_case(other.wire())
    }

    /// True when every label could be part of a host's name as libc has it: letters, digits, `-`
    /// and `_`, with no `-` at the very beginning. Only such a name is handed to a program.
    pub fn is_host_name(&self) -> bool {
        !self.labels().next().is_some_and(|first| first.starts_with(b"-"))
            && self.labels().flatten().all(|&b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.is(other)
    }
}

impl Eq for Name {}

/// The text of [`Name::text`].
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nothing but ASCII.
        self.text(&mut |piece| f.write_str(core::str::from_utf8(piece).map_err(|_| fmt::Error)?))
    }
}

/// Octets that stand for themselves in a name's text: printable, and without a meaning there.
fn is_plain(octet: u8) -> bool {
    !matches!(octet, b'"' | b'.' | b';' | b'\\' | b'(' | b')' | b'@' | b'$' | ..=0x20 | 0x7f..)
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

/// The labels of a name, from the left.
pub struct Labels<'a>(&'a [u8]);

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (&len, rest) = self.0.split_first()?;
        if len == 0 {
            return None;
        }
        let (label, rest) = rest.split_at_checked(usize::from(len))?;
        self.0 = rest;
        Some(label)
    }
}

/// Puts a name together, label by label.
pub(crate) struct Builder {
    name: Name,
}

impl Builder {
    pub(crate) fn new() -> Builder {
        Builder { name: Name { len: 0, octets: [0; MAX_WIRE] } }
    }

    /// Appends one label of 1 to 63 octets.
    pub(crate) fn label(&mut self, label: &[u8]) -> Result<(), NameError> {
        if label.is_empty() {
            return Err(NameError::Malformed);
        }
        if label.len() > MAX_LABEL {
            return Err(NameError::TooLong);
        }
        let start = usize::from(self.name.len);
        // One octet is kept for the root's label.
        let end = start + 1 + label.len();
        if end >= MAX_WIRE {
            return Err(NameError::TooLong);
        }
        if let Some((len, room)) =
            self.name.octets.get_mut(start..end).and_then(<[u8]>::split_first_mut)
        {
            *len = label.len() as u8;
            room.copy_from_slice(label);
        }
        self.name.len = end as u8;
        Ok(())
    }

    /// Appends the labels of master-file text.
    fn text(&mut self, text: &[u8]) -> Result<(), NameError> {
        let mut label = [0u8; MAX_LABEL];
        let mut len = 0usize;
        let mut rest = text;
        while let Some((&octet, after)) = rest.split_first() {
            rest = after;
            let octet = match octet {
                b'.' => {
                    self.label(label.get(..len).unwrap_or_default())?;
                    len = 0;
                    continue;
                }
                b'\\' => unescape(&mut rest)?,
                _ => octet,
            };
            *label.get_mut(len).ok_or(NameError::TooLong)? = octet;
            len += 1;
        }
        match label.get(..len) {
            Some([]) | None => Ok(()), // the text ended in a dot
            Some(last) => self.label(last),
        }
    }

    /// Ends the name at the root.
    pub(crate) fn finish(mut self) -> Result<Name, NameError> {
        if let Some(end) = self.name.octets.get_mut(usize::from(self.name.len)) {
            *end = 0;
        }
        self.name.len = self.name.len.checked_add(1).ok_or(NameError::TooLong)?;
        Ok(self.name)
    }
}

/// What stands behind a backslash: three decimal digits, or any one octet.
fn unescape(rest: &mut &[u8]) -> Result<u8, NameError> {
    match **rest {
        [a @ b'0'..=b'9', ref after @ ..] => {
            let &[b @ b'0'..=b'9', c @ b'0'..=b'9', ref after @ ..] = after else {
                return Err(NameError::Malformed);
            };
            let value = [a, b, c].iter().fold(0u16, |n, digit| n * 10 + u16::from(digit - b'0'));
            *rest = after;
            u8::try_from(value).map_err(|_| NameError::Malformed)
        }
        [octet, ref after @ ..] => {
            *rest = after;
            Ok(octet)
        }
        [] => Err(NameError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use crate::base::name::*;

    #[test]
    fn text_and_wire_form() {
        for (text, wire, back) in [
            ("www.example", &b"\x03www\x07example\0"[..], "www.example"),
            ("www.example.", b"\x03www\x07example\0", "www.example"),
            (".", b"\0", "."),
            ("", b"\0", "."),
            (r"a\.b.c", b"\x03a.b\x01c\0", r"a\.b.c"),
            (r"a\032b", b"\x03a b\0", r"a\032b"),
            (r"\255", b"\x01\xff\0", r"\255"),
            ("a b", b"\x03a b\0", r"a\032b"),
        ] {
            let name = Name::from_text(text.as_bytes()).unwrap();
            assert_eq!(name.wire(), wire, "{text}");
            assert_eq!(name.to_string(), back, "{text}");
        }
    }

    #[test]
    fn what_is_no_name() {
        use NameError::{Malformed, TooLong};
        let long_label = "a".repeat(64);
        let longest = format!("{0}.{0}.{0}.{1}", "a".repeat(63), "a".repeat(61));
        let too_long = format!("{0}.{0}.{0}.{1}", "a".repeat(63), "a".repeat(62));
        for (text, want) in [
            ("a..b", Some(Malformed)),
            (".a", Some(Malformed)),
            ("a\\", Some(Malformed)),
            (r"a\25", Some(Malformed)),
            (r"a\256", Some(Malformed)),
            (&long_label, Some(TooLong)),
            (&longest, None),
            (&too_long, Some(TooLong)),
        ] {
            assert_eq!(Name::from_text(text.as_bytes()).err(), want, "{text}");
        }
        assert_eq!(Name::from_text(longest.as_bytes()).unwrap().wire().len(), MAX_WIRE);
    }

    #[test]
    fn reverse_names() {
        let name = |ip: &str| Name::reverse(ip.parse().unwrap()).to_string();
        assert_eq!(name("192.0.2.123"), "123.2.0.192.in-addr.arpa");
        assert_eq!(name("10.0.99.100"), "100.99.0.10.in-addr.arpa");
        assert_eq!(
            name("2001:db8::1"),
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
        );
    }

    #[test]
    fn host_names() {
        for (text, want) in
            [("a_b.test", true), ("-a.test", false), ("a.-b", true), ("a b", false), ("*.t", false)]
        {
            assert_eq!(Name::from_text(text.as_bytes()).unwrap().is_host_name(), want, "{text}");
        }
    }
}
