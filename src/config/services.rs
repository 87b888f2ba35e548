//! services(5): ports and their names, indexed once.

use super::is_space;
use super::note::Notes;
use crate::sys::mem::{NoMemory, TryPush};

/// The indexed file.
pub struct Services {
    text: Vec<u8>,
    /// By name, then by place in the file.
    by_name: Vec<Entry>,
    /// By port, then by place in the file.
    by_port: Vec<Entry>,
    notes: Notes,
}

/// A name (or alias) on a line, as offsets into the text.
#[derive(Clone, Copy)]
struct Entry {
    name: Span,
    protocol: Span,
    port: u16,
    /// The line's offset: the order of the file.
    line: u32,
}

#[derive(Clone, Copy)]
struct Span {
    at: u32,
    len: u16,
}

impl Span {
    fn of<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let at = self.at as usize;
        text.get(at..at + usize::from(self.len)).unwrap_or_default()
    }
}

/// Indexes the file's text. Lines that are no services lines are noted.
pub fn index(text: Vec<u8>) -> Result<Services, NoMemory> {
    let mut services = Services {
        text: Vec::new(),
        by_name: Vec::new(),
        by_port: Vec::new(),
        notes: Notes::default(),
    };
    let mut start = 0;
    for (line, number) in text.split(|&b| b == b'\n').zip(1u32..) {
        services.add_line(line, start, number)?;
        start += line.len() + 1;
    }
    services.text = text;
    let text = &services.text;
    services
        .by_name
        .sort_unstable_by(|a, b| a.name.of(text).cmp(b.name.of(text)).then(a.line.cmp(&b.line)));
    services.by_port.sort_unstable_by_key(|entry| (entry.port, entry.line));
    Ok(services)
}

impl Services {
    /// The port of the service called `name` (its first name or an alias; case counts), and its
    /// protocol: the first in the file, among those of `protocol` where one is given.
    pub fn port(&self, name: &[u8], protocol: Option<&[u8]>) -> Option<(u16, &[u8])> {
        let first = self.by_name.partition_point(|entry| entry.name.of(&self.text) < name);
        let same = self.by_name.get(first..)?.iter();
        same.take_while(|entry| entry.name.of(&self.text) == name)
            .map(|entry| (entry.port, entry.protocol.of(&self.text)))
            .find(|(_, found)| protocol.is_none_or(|wanted| *found == wanted))
    }

    /// The first name of the service on this port: the first in the file, likewise.
    pub fn name(&self, port: u16, protocol: Option<&[u8]>) -> Option<&[u8]> {
        let first = self.by_port.partition_point(|entry| entry.port < port);
        let same = self.by_port.get(first..)?.iter();
        same.take_while(|entry| entry.port == port)
            .find(|entry| protocol.is_none_or(|wanted| entry.protocol.of(&self.text) == wanted))
            .map(|entry| entry.name.of(&self.text))
    }

    /// What was ignored.
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    fn add_line(&mut self, line: &[u8], start: usize, number: u32) -> Result<(), NoMemory> {
        let content = line.split(|&b| b == b'#' || b == 0).next().unwrap_or_default();
        let span = |word: &[u8]| {
            // Words are parts of the line, so their addresses tell where.
            let at = start + (word.as_ptr().addr() - line.as_ptr().addr());
            Some(Span { at: u32::try_from(at).ok()?, len: u16::try_from(word.len()).ok()? })
        };
        let mut words = content.split(|&b| is_space(b)).filter(|word| !word.is_empty());
        let Some(name) = words.next() else { return Ok(()) };
        let read = words.next().and_then(|word| {
            let slash = word.iter().position(|&b| b == b'/')?;
            let (port, protocol) = word.split_at_checked(slash)?;
            let port = read_port(port)?;
            let slashes = protocol.iter().take_while(|&&b| b == b'/').count();
            let protocol = protocol.get(slashes..).filter(|protocol| !protocol.is_empty())?;
            Some((port, span(protocol)?, span(name)?, u32::try_from(start).ok()?))
        });
        let Some((port, protocol, name, line)) = read else {
            return self.notes.add(number, "no NAME PORT/PROTOCOL, line ignored", content);
        };
        self.by_port.try_push(Entry { name, protocol, port, line })?;
        self.by_name.try_push(Entry { name, protocol, port, line })?;
        for alias in words {
            if let Some(name) = span(alias) {
                self.by_name.try_push(Entry { name, protocol, port, line })?;
            }
        }
        Ok(())
    }
}

/// `strtoul(3)`, as libc reads this field: the lower 16 bits of a number that has more. It is decimal since
/// glibc 2.43, and was octal with a 0 before it.
fn read_port(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"+").unwrap_or(text);
    // parse would accept a second sign.
    if !digits.first()?.is_ascii_digit() {
        return None;
    }
    let number: u32 = core::str::from_utf8(digits).ok()?.parse().ok()?;
    Some(number as u16) // the lower bits are meant
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "# c\nhttp 80/tcp www # web\nhttp\t80/udp\ndomain 53/udp\ndomain 53/tcp dns\n\
        bad\nbad2 x/tcp\nbad3 0x8/tcp\nbad4 5\nHTTP 81/tcp\nlast 9/sctp";

    #[test]
    fn ports_and_names() {
        let services = index(TEXT.into()).unwrap();
        let port = |name: &str, protocol: Option<&str>| {
            services.port(name.as_bytes(), protocol.map(str::as_bytes)).map(|(port, _)| port)
        };
        assert_eq!(port("http", Some("tcp")), Some(80));
        assert_eq!(port("www", Some("tcp")), Some(80));
        assert_eq!(port("www", Some("udp")), None);
        assert_eq!(port("HTTP", None), Some(81));
        assert_eq!(services.port(b"domain", None), Some((53, &b"udp"[..])));
        assert_eq!(port("last", Some("sctp")), Some(9));
        for bad in ["bad", "bad2", "bad3", "bad4", "c", ""] {
            assert_eq!(port(bad, None), None, "{bad}");
        }
        assert_eq!(services.name(53, Some(b"tcp")), Some(&b"domain"[..]));
        assert_eq!(services.name(80, None), Some(&b"http"[..]));
        assert_eq!(services.name(1, None), None);
        assert_eq!(services.notes().iter().map(|n| n.line).collect::<Vec<_>>(), [6, 7, 8, 9]);
    }

    proptest! {
        #[test]
        fn any_octets_are_indexed(text: Vec<u8>) {
            index(text).unwrap();
        }
    }
}
