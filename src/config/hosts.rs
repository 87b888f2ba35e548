//! hosts(5): the file's text, and two tables that find a name's or an address's lines in it.
//!
//! A table holds 32-bit offsets (of names, of lines), probed in order from where the hash says: entries of
//! one name come out in the order of the file. Text and tables together take less than one and a
//! half times the file.

use super::note::Notes;
use crate::address::{Address, inet_pton4, inet_pton6};
use crate::mem::NoMemory;
use core::net::IpAddr;

/// The indexed file.
pub struct Hosts {
    text: Vec<u8>,
    names: Table,
    addresses: Table,
    notes: Notes,
}

/// One line that has an address and at least one name.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The line's address.
    pub address: Address,
    /// Its first name.
    pub canonical: &'a [u8],
    aliases: &'a [u8],
    /// Where it begins in the file, in octets.
    pub start: usize,
}

impl<'a> Line<'a> {
    /// The names after the first.
    pub fn aliases(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        words(self.aliases)
    }
}

/// Indexes the file's text. Lines that are no hosts lines are noted.
pub fn index(text: Vec<u8>) -> Result<Hosts, NoMemory> {
    let (mut lines, mut names, mut notes) = (0, 0, Notes::default());
    let mut number = 0;
    for (_, content) in raw_lines(&text) {
        number += 1;
        match read_line(content, 0) {
            Some(line) => {
                lines += 1;
                names += 1 + line.aliases().count();
            }
            None if words(content).next().is_none() => {}
            None => {
                let what = if words(content).nth(1).is_none() {
                    "an address without a name, line ignored"
                } else {
                    "no IPv4 or IPv6 address as inet_pton(3) reads them, line ignored"
                };
                notes.add(number, what, content)?;
            }
        }
    }
    let mut hosts =
        Hosts { names: Table::new(names)?, addresses: Table::new(lines)?, text: Vec::new(), notes };
    for (start, content) in raw_lines(&text) {
        let Some(line) = read_line(content, start) else { continue };
        hosts.addresses.insert(hash_ip(line.address.ip), start);
        for name in core::iter::once(line.canonical).chain(line.aliases()) {
            // A name is a part of the text: their addresses tell where.
            hosts.names.insert(hash_name(name), name.as_ptr().addr() - text.as_ptr().addr());
        }
    }
    hosts.text = text;
    Ok(hosts)
}

impl Hosts {
    /// The lines on which `name` stands, first name or alias, whatever its letters' case; in file
    /// order, each once.
    pub fn by_name<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = Line<'a>> {
        let mut last = None;
        self.names
            .candidates(hash_name(name))
            .filter(move |&at| self.word_at(at).is_some_and(|word| word.eq_ignore_ascii_case(name)))
            .filter_map(|at| {
                let before = self.text.get(..at)?;
                self.line_at(before.iter().rposition(|&b| b == b'\n').map_or(0, |end| end + 1))
            })
            .filter(move |line| last.replace(line.start) != Some(line.start))
    }

    fn word_at(&self, at: usize) -> Option<&[u8]> {
        next_word(self.text.get(at..)?.split(|&b| b == b'#' || b == 0).next()?)
            .map(|(word, _)| word)
    }

    /// The lines that have `ip`, in file order.
    pub fn by_address(&self, ip: IpAddr) -> impl Iterator<Item = Line<'_>> {
        self.addresses
            .candidates(hash_ip(ip))
            .filter_map(|start| self.line_at(start))
            .filter(move |line| line.address.ip == ip)
    }

    /// The first line at or after the offset, with the offset to go on from: `gethostent(3)`.
    pub fn line_after(&self, offset: usize) -> Option<(Line<'_>, usize)> {
        let rest = self.text.get(offset..)?;
        raw_lines(rest).find_map(|(start, content)| {
            let start = offset + start;
            Some((read_line(content, start)?, start + content.len() + 1))
        })
    }

    /// The line's number in the file, from 1.
    pub fn number(&self, line: &Line<'_>) -> usize {
        let before = self.text.get(..line.start).unwrap_or_default();
        1 + before.iter().filter(|&&b| b == b'\n').count()
    }

    /// What was ignored.
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    fn line_at(&self, start: usize) -> Option<Line<'_>> {
        let rest = self.text.get(start..)?;
        read_line(rest.split(|&b| b == b'\n').next()?, start)
    }
}

/// The lines of a text, without their ends, each with its offset.
fn raw_lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut start = 0;
    text.split(|&b| b == b'\n').map(move |content| {
        let at = start;
        start += content.len() + 1;
        (at, content)
    })
}

/// The words before a `#`. A carriage return is white space, so files from other systems work.
fn words(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    let content = content.split(|&b| b == b'#').next().unwrap_or_default();
    content.split(|&b| is_space(b)).filter(|word| !word.is_empty())
}

/// `isspace(3)` of the C locale.
fn is_space(octet: u8) -> bool {
    octet.is_ascii_whitespace() || octet == 0x0b
}

fn read_line(content: &[u8], start: usize) -> Option<Line<'_>> {
    // C functions read the line: it ends at a NUL.
    let content = content.split(|&b| b == 0 || b == b'#').next()?;
    let (address, rest) = next_word(content)?;
    let ip = match inet_pton4(address) {
        Some(ip) => IpAddr::V4(ip),
        None => IpAddr::V6(inet_pton6(address)?),
    };
    let (canonical, aliases) = next_word(rest)?;
    Some(Line { address: Address::new(ip), canonical, aliases, start })
}

fn next_word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let begin = text.iter().position(|&b| !is_space(b))?;
    let text = text.get(begin..)?;
    let end = text.iter().position(|&b| is_space(b)).unwrap_or(text.len());
    text.split_at_checked(end)
}

/// Open addressing over offsets; 0 is an empty slot, others are an offset plus one.
struct Table {
    slots: Vec<u32>,
}

impl Table {
    /// Room for `count` entries, a fifth of it free so that probing stays short.
    fn new(count: usize) -> Result<Table, NoMemory> {
        let room = count + count / 4 + 1;
        let mut slots = Vec::new();
        slots.try_reserve_exact(room).map_err(|_| NoMemory)?;
        slots.resize(room, 0);
        Ok(Table { slots })
    }

    fn first(&self, hash: u32) -> usize {
        // Spreads the hash evenly over any number of slots.
        ((u64::from(hash) * self.slots.len() as u64) >> 32) as usize
    }

    fn insert(&mut self, hash: u32, offset: usize) {
        let first = self.first(hash).min(self.slots.len());
        let (before, after) = self.slots.split_at_mut(first);
        // There is always a free slot. Offsets fit: sys::files reads no file of 4 GiB.
        if let Some(free) = after.iter_mut().chain(before).find(|slot| **slot == 0) {
            *free = u32::try_from(offset).map_or(0, |offset| offset.saturating_add(1));
        }
    }

    fn candidates(&self, hash: u32) -> impl Iterator<Item = usize> {
        let (before, after) = self.slots.split_at_checked(self.first(hash)).unwrap_or_default();
        after.iter().chain(before).take_while(|&&slot| slot != 0).map(|&slot| slot as usize - 1)
    }
}

/// FNV-1a over the letters' lower case, its bits mixed once more for the tables' range reduction.
fn hash_name(name: &[u8]) -> u32 {
    hash(name.iter().map(u8::to_ascii_lowercase))
}

fn hash_ip(ip: IpAddr) -> u32 {
    match ip {
        IpAddr::V4(ip) => hash(ip.octets().into_iter()),
        IpAddr::V6(ip) => hash(ip.octets().into_iter()),
    }
}

fn hash(octets: impl Iterator<Item = u8>) -> u32 {
    let hash = octets
        .fold(0x811c_9dc5u32, |hash, octet| (hash ^ u32::from(octet)).wrapping_mul(0x0100_0193));
    (hash ^ hash >> 15).wrapping_mul(0x2c1b_3c6d)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(text: &str, name: &str) -> Vec<String> {
        let hosts = index(text.into()).unwrap();
        hosts.by_name(name.as_bytes()).map(|line| line.address.ip.to_string()).collect()
    }

    #[test]
    fn names_and_aliases_on_every_kind_of_line() {
        let text = "# comment\n127.0.0.1\tlocalhost loopback # local\r\n::1 localhost\n\
            10.1 short\n0x7f.1 hex\nfe80::1%lo zone\n  192.0.2.1   Www.Example  www \n192.0.2.2 www www\n\
            192.0.2.3\n192.0.2.4 #none\n192.0.2.5 cut\0off\n192.0.2.6 a#b c\n192.0.2.9 last";
        for (name, want) in [
            ("localhost", &["127.0.0.1", "::1"][..]),
            ("LOOPBACK", &["127.0.0.1"]),
            ("www.example", &["192.0.2.1"]),
            ("www", &["192.0.2.1", "192.0.2.2"]),
            ("last", &["192.0.2.9"]),
            ("cut", &["192.0.2.5"]),
            ("a", &["192.0.2.6"]),
            ("c", &[]),
            ("short", &[]),
            ("hex", &[]),
            ("zone", &[]),
            ("nobody", &[]),
            ("", &[]),
        ] {
            assert_eq!(found(text, name), want, "{name}");
        }
        let hosts = index(text.into()).unwrap();
        let noted: Vec<u32> = hosts.notes().iter().map(|note| note.line).collect();
        assert_eq!(noted, [4, 5, 6, 9, 10]);
        let line = hosts.by_address("192.0.2.2".parse().unwrap()).next().unwrap();
        assert_eq!((line.canonical, hosts.number(&line)), (&b"www"[..], 8));
        let mut all = Vec::new();
        let mut at = 0;
        while let Some((line, next)) = hosts.line_after(at) {
            all.push(line.address.ip.to_string());
            at = next;
        }
        assert_eq!(all.len(), 7);
    }

    #[test]
    fn a_large_file_takes_less_than_one_and_a_half_times_its_size() {
        let mut text = String::new();
        for i in 0..100_000u32 {
            let [_, a, b, c] = i.to_be_bytes();
            text += &format!("10.{a}.{b}.{c} host-{i}.example.test\n");
        }
        let size = text.len();
        let hosts = index(text.into()).unwrap();
        let tables = 4 * (hosts.names.slots.capacity() + hosts.addresses.slots.capacity());
        assert!(size + tables <= size * 3 / 2, "{size} + {tables}");
        assert_eq!(hosts.by_name(b"host-99999.example.test").count(), 1);
        let ip = "10.0.0.7".parse().unwrap();
        assert_eq!(hosts.by_address(ip).next().unwrap().canonical, b"host-7.example.test");
    }

    proptest! {
        #[test]
        fn any_octets_are_indexed_and_every_line_is_found_again(text: Vec<u8>, lines in "([0-9a-f:. ]{1,20} [a-c# \r]{1,9}\n){0,9}") {
            let hosts = index([lines.as_bytes(), &text[..]].concat()).unwrap();
            let mut at = 0;
            while let Some((line, next)) = hosts.line_after(at) {
                prop_assert!(hosts.by_name(line.canonical).any(|l| l.start == line.start));
                prop_assert!(hosts.by_address(line.address.ip).any(|l| l.start == line.start));
                at = next;
            }
        }
    }
}
