//! hosts(5): the file's text, and two tables that find a name's or an address's lines in it.
//!
//! A table holds 32-bit offsets (of names, of lines), put together by hash: entries of one name come
//! out in the order of the file. Text and tables together take less than one and a half times the file.

use super::is_space;
use super::note::Notes;
use crate::address::{Address, inet_pton4, inet_pton6};
use crate::mem::{NoMemory, TryPush};
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
    let (mut names, mut addresses) = (Vec::new(), Vec::new());
    let mut notes = Notes::default();
    for ((start, content), number) in raw_lines(&text).zip(1..) {
        let Some(line) = read_line(content, start) else {
            note_line(&mut notes, number, content)?;
            continue;
        };
        addresses.try_push((hash_ip(line.address.ip), offset(start)))?;
        for name in core::iter::once(line.canonical).chain(line.aliases()) {
            // A name is a part of the text: their addresses tell where.
            let at = name.as_ptr().addr() - text.as_ptr().addr();
            names.try_push((hash_name(name), offset(at)))?;
        }
    }
    Ok(Hosts { names: Table::new(&names)?, addresses: Table::new(&addresses)?, text, notes })
}

/// Offsets fit: sys::files reads no file of 4 GiB.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Says what is wrong with a line that has something on it.
fn note_line(notes: &mut Notes, number: u32, content: &[u8]) -> Result<(), NoMemory> {
    let what = match words(content).take(2).count() {
        0 => return Ok(()),
        1 => "an address without a name, line ignored",
        _ => "no IPv4 or IPv6 address as inet_pton(3) reads them, line ignored",
    };
    notes.add(number, what, content)
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
        let rest = self.text.get(at..)?;
        let ends = |&b: &u8| is_space(b) || b == b'#' || b == 0;
        rest.get(..rest.iter().position(ends).unwrap_or(rest.len()))
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

/// Offsets by hash: all of one bucket stand together, in the order of the file.
///
/// Made by counting, so that a list that blocks a hundred thousand names with one address takes no
/// longer than any other.
struct Table {
    /// Where each bucket begins in `offsets`, and at the end, where the last one ends.
    starts: Vec<u32>,
    offsets: Vec<u32>,
}

impl Table {
    /// A table of (hash, offset) pairs.
    fn new(entries: &[(u32, u32)]) -> Result<Table, NoMemory> {
        // Four entries a bucket: a quarter more memory than the offsets alone.
        let buckets = entries.len() / 4 + 1;
        let mut table = Table { starts: zeros(buckets + 1)?, offsets: zeros(entries.len())? };
        for &(hash, _) in entries {
            let bucket = table.bucket(hash);
            if let Some(count) = table.starts.get_mut(bucket) {
                *count += 1;
            }
        }
        // From counts to ends; filling from the last entry on then turns ends into starts.
        let mut sum = 0;
        for count in &mut table.starts {
            sum += *count;
            *count = sum;
        }
        for &(hash, offset) in entries.iter().rev() {
            let bucket = table.bucket(hash);
            let Some(start) = table.starts.get_mut(bucket) else { continue };
            *start -= 1;
            if let Some(place) = table.offsets.get_mut(*start as usize) {
                *place = offset;
            }
        }
        Ok(table)
    }

    fn bucket(&self, hash: u32) -> usize {
        // Spreads the hash evenly over any number of buckets.
        ((u64::from(hash) * (self.starts.len() as u64 - 1)) >> 32) as usize
    }

    fn candidates(&self, hash: u32) -> impl Iterator<Item = usize> {
        let bucket = self.bucket(hash);
        let bounds = self.starts.get(bucket).zip(self.starts.get(bucket + 1));
        let range = bounds.map_or(0..0, |(&from, &to)| from as usize..to as usize);
        self.offsets.get(range).unwrap_or_default().iter().map(|&offset| offset as usize)
    }
}

fn zeros(count: usize) -> Result<Vec<u32>, NoMemory> {
    let mut list = Vec::new();
    list.try_reserve_exact(count).map_err(|_| NoMemory)?;
    list.resize(count, 0); // within the capacity just reserved
    Ok(list)
}

/// FNV-1a over the letters' lower case, its bits mixed once more, for the buckets go by the upper ones.
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
        let size_of = |table: &Table| 4 * (table.starts.capacity() + table.offsets.capacity());
        let tables = size_of(&hosts.names) + size_of(&hosts.addresses);
        assert!(size + tables <= size * 3 / 2, "{size} + {tables}");
        assert_eq!(hosts.by_name(b"host-99999.example.test").count(), 1);
        let ip = "10.0.0.7".parse().unwrap();
        assert_eq!(hosts.by_address(ip).next().unwrap().canonical, b"host-7.example.test");
    }

    /// Quadratic work would take minutes here.
    #[test]
    fn lists_that_repeat_themselves_are_no_harder() {
        let mut text = String::new();
        for i in 0..200_000 {
            text += &format!("0.0.0.0 ad-{i}.test same.test\n");
        }
        let hosts = index(text.into()).unwrap();
        assert_eq!(hosts.by_name(b"same.test").count(), 200_000);
        assert_eq!(hosts.by_address("0.0.0.0".parse().unwrap()).count(), 200_000);
        assert_eq!(hosts.by_name(b"ad-199999.test").count(), 1);
        assert_eq!(hosts.by_name(b"nobody.test").count(), 0);
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
