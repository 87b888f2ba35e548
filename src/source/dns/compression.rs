//! Names in messages, which may be compressed (RFC 1035 section 4.1.4), read in place.

use crate::base::name::{Builder, Name};

/// The most pointers that a name may lead through. Who writes a message needs one for each name that
/// ends as another one does, which ends as another one does: five deep is much.
const MAX_POINTERS: usize = 16;

/// The big-endian number at `at`.
pub(super) fn read_u16(octets: &[u8], at: usize) -> Option<u16> {
    let pair = octets.get(at..at.checked_add(2)?)?;
    Some(u16::from_be_bytes(pair.try_into().ok()?))
}

/// Where the name at `at` ends in the message: behind its root label or its pointer.
pub(super) fn skip_name(octets: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *octets.get(at)? {
            0 => return Some(at + 1),
            len @ 1..=63 => at += 1 + usize::from(len),
            0xc0.. => return octets.get(at + 1).map(|_| at + 2),
            _ => return None,
        }
    }
}

/// Reads the name at `start`, compression undone (RFC 1035 section 4.1.4); with where it ends.
pub(super) fn read_name(octets: &[u8], start: usize) -> Option<(Name, usize)> {
    let (mut builder, mut walk) = (Builder::new(), Walk::new(octets, start));
    while let Some(label) = walk.next_label()? {
        builder.label(label).ok()?;
    }
    Some((builder.finish().ok()?, walk.end?))
}

/// True where the name at `start` is `name`: the same as reading and comparing it, only sooner.
pub(super) fn is_name(octets: &[u8], start: usize, name: &Name) -> bool {
    let (mut labels, mut walk) = (name.labels(), Walk::new(octets, start));
    loop {
        match (walk.next_label(), labels.next()) {
            (Some(Some(label)), Some(wanted)) if label.eq_ignore_ascii_case(wanted) => {}
            (Some(None), None) => return true,
            _ => return false,
        }
    }
}

/// Walks the labels of a name that may be compressed.
///
/// A pointer must lead to before where the part that it ends began: so every jump goes back, and a
/// loop can't be. And there may be few of them: thousands, in each of thousands of names, take seconds.
struct Walk<'a> {
    octets: &'a [u8],
    at: usize,
    part: usize,
    pointers: usize,
    /// Where the name ends in the message, once that is known.
    end: Option<usize>,
}

impl<'a> Walk<'a> {
    fn new(octets: &'a [u8], start: usize) -> Walk<'a> {
        Walk { octets, at: start, part: start, pointers: 0, end: None }
    }

    /// The next label, `None` at the root's; none at all where the name is malformed.
    fn next_label(&mut self) -> Option<Option<&'a [u8]>> {
        loop {
            match *self.octets.get(self.at)? {
                0 => {
                    self.end = self.end.or(Some(self.at + 1));
                    return Some(None);
                }
                len @ 1..=63 => {
                    let start = self.at + 1;
                    self.at = start + usize::from(len);
                    return self.octets.get(start..self.at).map(Some);
                }
                0xc0.. => {
                    self.end = self.end.or(Some(self.at + 2));
                    self.at = usize::from(read_u16(self.octets, self.at)? & 0x3fff);
                    self.pointers += 1;
                    if self.at >= self.part || self.pointers > MAX_POINTERS {
                        return None;
                    }
                    self.part = self.at;
                }
                _ => return None,
            }
        }
    }
}
