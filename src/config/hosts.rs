//! hosts(5): the file's text, and two tables that find a name's or an address's lines in it, the second
//! one made when it is first needed.
//!
//! A table holds 32-bit offsets (of names, of lines), put together by hash: entries of one name come
//! out in the order of the file. Text and tables together take less than one and a half times the file.

use super::is_space;
use super::note::Notes;
use crate::base::address::{Address, inet_pton4, inet_pton6};
use crate::sys::lock::Mutex;
use crate::sys::mem::{NoMemory, TryPush, boxed, reserve_to_fill};
use core::net::IpAddr;
use once_cell::race::OnceBox;

/// The indexed file.
pub struct Hosts {
    text: Vec<u8>,
    names: Table,
    addresses: OnceBox<[Table; 1]>,
    /// Where a line begins, and its number.
    counted: Mutex<(usize, u32)>,
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
        Words(self.aliases)
    }
}

/// Indexes the file's text by name. An address is read when its line is looked at.
pub fn index(text: Vec<u8>) -> Result<Hosts, NoMemory> {
    let mut names = Vec::new();
    // A line of a large file has about so many octets; most have one name.
    reserve_to_fill(&mut names, text.len() / 32 + 1)?;
    let mut words = Words(&text);
    while !words.0.is_empty() {
        // The first word of a line is its address.
        let mut is_name = false;
        for word in words.by_ref() {
            if is_name {
                // A word is a part of the text: their addresses tell where.
                let at = word.as_ptr().addr() - text.as_ptr().addr();
                names.try_push((hash_name(word), offset(at)))?;
            }
            is_name = true;
        }
        words.end_line();
    }
    let counted = Mutex::new((0, 1));
    Ok(Hosts { names: Table::new(&names)?, addresses: OnceBox::new(), counted, text })
}

/// Offsets fit: sys::files reads no file of 4 GiB.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
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

    /// The line's number in the file, from 1. Counts them, from the line that was asked for last where this one is
    /// behind it: for the trace.
    #[cold]
    pub fn number(&self, line: &Line<'_>) -> u32 {
        let mut counted = self.counted.lock();
        let last = counted.as_deref().copied().unwrap_or((0, 1));
        let (from, number) = if last.0 <= line.start { last } else { (0, 1) };
        let between = self.text.get(from..line.start).unwrap_or_default();
        // Offsets fit 32 bits.
        let number = number + between.iter().filter(|&&b| b == b'\n').count() as u32;
        if let Some(counted) = &mut counted {
            **counted = (line.start, number);
        }
        number
    }

    fn word_at(&self, at: usize) -> Option<&[u8]> {
        let rest = self.text.get(at..)?;
        rest.get(..rest.iter().position(|&b| ends_word(b)).unwrap_or(rest.len()))
    }

    /// The lines that have `ip`, in file order.
    pub fn by_address(&self, ip: IpAddr) -> Result<impl Iterator<Item = Line<'_>>, NoMemory> {
        let [table] = self.addresses.get_or_try_init(|| {
            let mut addresses = Vec::new();
            for (start, content) in raw_lines(&self.text) {
                if let Some(line) = read_line(content, start) {
                    addresses.try_push((hash_ip(line.address.ip), offset(start)))?;
                }
            }
            boxed(Table::new(&addresses)?)
        })?;
        Ok(table
            .candidates(hash_ip(ip))
            .filter_map(|start| self.line_at(start))
            .filter(move |line| line.address.ip == ip))
    }

    /// The first line at or after the offset, with the offset to go on from: `gethostent(3)`.
    pub fn line_after(&self, offset: usize) -> Option<(Line<'_>, usize)> {
        let rest = self.text.get(offset..)?;
        raw_lines(rest).find_map(|(start, content)| {
            let start = offset + start;
            Some((read_line(content, start)?, start + content.len() + 1))
        })
    }

    /// What is ignored: lines that are no hosts lines.
    pub fn notes(&self) -> Result<Notes, NoMemory> {
        let mut notes = Notes::default();
        for ((start, content), number) in raw_lines(&self.text).zip(1..) {
            if read_line(content, start).is_none() {
                let what = match Words(content).take(2).count() {
                    0 => continue,
                    1 => "an address without a name, line ignored",
                    _ => "no IPv4 or IPv6 address as inet_pton(3) reads them, line ignored",
                };
                notes.add(number, what, content)?;
            }
        }
        Ok(notes)
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

/// The words of a line, up to a `#`; C functions read it, so it ends at a NUL as well. A carriage
/// return is white space: files from other systems work.
struct Words<'a>(&'a [u8]);

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let is_blank = |octet: u8| is_space(octet) && octet != b'\n';
        let begin = self.0.iter().position(|&b| !is_blank(b)).unwrap_or(self.0.len());
        let rest = self.0.get(begin..)?;
        let len = rest.iter().position(|&b| ends_word(b)).unwrap_or(rest.len());
        let (word, after) = rest.split_at_checked(len)?;
        self.0 = after;
        (!word.is_empty()).then_some(word)
    }
}

impl Words<'_> {
    /// Goes on to the next line; to the end where there is none.
    fn end_line(&mut self) {
        let end = self.0.iter().position(|&b| b == b'\n').map_or(self.0.len(), |end| end + 1);
        self.0 = self.0.get(end..).unwrap_or_default();
    }
}

fn ends_word(octet: u8) -> bool {
    octet <= b'#' && (is_space(octet) || octet == b'#' || octet == 0)
}

fn read_line(content: &[u8], start: usize) -> Option<Line<'_>> {
    let mut words = Words(content);
    let address = words.next()?;
    let ip = match inet_pton4(address) {
        Some(ip) => IpAddr::V4(ip),
        None => IpAddr::V6(inet_pton6(address)?),
    };
    let canonical = words.next()?;
    Some(Line { address: Address::new(ip), canonical, aliases: words.0, start })
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
    reserve_to_fill(&mut list, count)?;
    list.resize(count, 0); // within the capacity just reserved
    Ok(list)
}

/// A hash of the letters' lower case, eight at a time. What is no letter may lose a bit with them: a
/// name's hash says only where to look.
fn hash_name(name: &[u8]) -> u32 {
    const LOWER: u64 = 0x2020_2020_2020_2020;
    let (eights, rest) = name.as_chunks::<8>();
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    let whole = eights
        .iter()
        .fold(name.len() as u64, |hash, &eight| mix(hash, u64::from_ne_bytes(eight) | LOWER));
    (mix(whole, u64::from_ne_bytes(last) | LOWER) >> 32) as u32
}

fn hash_ip(ip: IpAddr) -> u32 {
    let bits = match ip {
        IpAddr::V4(ip) => ip.to_bits().into(),
        IpAddr::V6(ip) => ip.to_bits(),
    };
    (mix(mix(0, (bits >> 64) as u64), bits as u64) >> 32) as u32
}

/// Multiplies, so that each bit changes those above it, and brings these back down.
fn mix(hash: u64, value: u64) -> u64 {
    let product = (hash ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ product >> 29
}

/// What `HOSTALIASES` says for a name without dots (hostname(7)): the file's first line that begins
/// with the name has the one to use instead.
pub fn host_alias<'a>(file: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    file.split(|&b| b == b'\n').find_map(|line| {
        let mut words = line.split(|b| b.is_ascii_whitespace());
        // A line that begins with a blank has no name.
        words.next().filter(|alias| !alias.is_empty() && alias.eq_ignore_ascii_case(name))?;
        words.find(|word| !word.is_empty())
    })
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
        let noted: Vec<u32> = hosts.notes().unwrap().iter().map(|note| note.line).collect();
        assert_eq!(noted, [4, 5, 6, 9, 10]);
        let line = hosts.by_address("192.0.2.2".parse().unwrap()).unwrap().next().unwrap();
        // Forwards and backwards.
        for (name, number) in [("www", 7), ("last", 13), ("loopback", 2), ("cut", 11)] {
            let line = hosts.by_name(name.as_bytes()).next().unwrap();
            assert_eq!(hosts.number(&line), number, "{name}");
        }
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
        assert_eq!(hosts.by_name(b"host-99999.example.test").count(), 1);
        let ip = "10.0.0.7".parse().unwrap();
        assert_eq!(hosts.by_address(ip).unwrap().next().unwrap().canonical, b"host-7.example.test");
        let tables = size_of(&hosts.names) + size_of(&hosts.addresses.get().unwrap()[0]);
        assert!(size + tables <= size * 3 / 2, "{size} + {tables}");
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
        assert_eq!(hosts.by_address("0.0.0.0".parse().unwrap()).unwrap().count(), 200_000);
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
                prop_assert!(hosts.by_address(line.address.ip).unwrap().any(|l| l.start == line.start));
                at = next;
            }
        }
    }
}
