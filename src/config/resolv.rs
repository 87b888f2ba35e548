//! resolv.conf(5), with `LOCALDOMAIN` and `RES_OPTIONS`, as libc's resolver reads it.

use super::note::Notes;
pub use super::options::Options;
/// Servers that are used; more are ignored.
pub use crate::sys::res_state::MAX_SERVERS;

use crate::base::address::{ZoneNames, Zoned, inet_aton, inet_pton6, split_zone, zone_index};
use crate::sys::mem::{NoMemory, TryPush, copy};
use core::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};

/// Pairs of `sortlist` that are kept (`MAXRESOLVSORT`).
const MAX_SORT: usize = 10;
/// libc sets no limit to the search list; names longer than 255 octets end in no answer anyway, and
/// each domain is a round of queries.
const MAX_SEARCH: usize = 256;

/// The file, read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ResolvConf {
    /// Name servers in order, port 53; 127.0.0.1 where the file names none.
    pub servers: Vec<SocketAddr>,
    /// Those of them that have a zone.
    pub zoned: Vec<Zoned>,
    /// Domains to search, in order.
    pub search: Vec<Box<[u8]>>,
    /// `sortlist`, which `gethostbyname(3)` sorts by.
    pub sortlist: Vec<Sort>,
    /// Options.
    pub options: Options,
    /// What was ignored.
    pub notes: Notes,
}

/// A pair of `sortlist`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// The network.
    pub address: Ipv4Addr,
    /// Its netmask.
    pub mask: Ipv4Addr,
}

/// Reads the file's text; `None` where there is no file, which means 127.0.0.1. Without a domain or
/// search line the domain is what stands behind the first dot of `hostname`.
pub fn parse(
    text: Option<&[u8]>,
    hostname: &[u8],
    zones: ZoneNames<'_>,
) -> Result<ResolvConf, NoMemory> {
    let mut conf = ResolvConf::default();
    for (line, number) in text.unwrap_or_default().split(|&b| b == b'\n').zip(1..) {
        conf.read_line(line, number, zones)?;
    }
    if conf.servers.is_empty() {
        conf.servers.try_push(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 53))?;
    }
    if conf.search.is_empty()
        && let Some(dot) = hostname.iter().position(|&b| b == b'.')
        && let Some(domain) = hostname.get(dot + 1..)
    {
        conf.search.try_push(copy(domain)?)?;
    }
    Ok(conf)
}

impl ResolvConf {
    /// Applies `LOCALDOMAIN`, which replaces the search list, and `RES_OPTIONS`, which comes after
    /// the file's options.
    pub fn apply_environment(
        &mut self,
        local_domain: Option<&[u8]>,
        res_options: Option<&[u8]>,
    ) -> Result<(), NoMemory> {
        if let Some(domains) = local_domain {
            let domains = domains.split(|&b| b == b'\n').next().unwrap_or_default();
            self.set_search(domains, 0)?;
            // Set, and nothing in it: no domain, not even the host's own. What stands before a blank
            // at the beginning is the root.
            if self.search.is_empty() || matches!(domains, [b' ' | b'\t', ..]) {
                self.search.try_push(copy(b"")?)?;
                self.search.rotate_right(1);
            }
        }
        self.options.set(res_options.unwrap_or_default(), 0, &mut self.notes)
    }

    fn read_line(
        &mut self,
        line: &[u8],
        number: u32,
        zones: ZoneNames<'_>,
    ) -> Result<(), NoMemory> {
        // C functions read the line: it ends at a NUL.
        let line = line.split(|&b| b == 0).next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if matches!(line, [] | [b'#' | b';', ..]) {
            return Ok(());
        }
        // The keyword stands at the line's very beginning, and a blank behind it.
        let end = line.iter().position(|&b| b == b' ' || b == b'\t').unwrap_or(line.len());
        let (keyword, rest) = line.split_at_checked(end).unwrap_or_default();
        match (keyword, words(rest).next()) {
            (b"nameserver", Some(word)) => self.add_server(word, number, zones),
            (b"search", Some(_)) => self.set_search(rest, number),
            (b"domain", Some(domain)) => self.set_search(domain, number),
            (b"options", _) => self.options.set(rest, number, &mut self.notes),
            (b"sortlist", _) => self.add_sort(rest, number),
            (b"nameserver" | b"search" | b"domain", None) => {
                self.notes.add(number, "nothing after the keyword, line ignored", line)
            }
            _ if words(line).next().is_none() => Ok(()),
            _ => self.notes.add(number, "no resolv.conf keyword, line ignored", line),
        }
    }

    fn add_server(
        &mut self,
        word: &[u8],
        number: u32,
        zones: ZoneNames<'_>,
    ) -> Result<(), NoMemory> {
        let Some(server) = server(word, zones) else {
            return self.notes.add(number, "no IP address, name server ignored", word);
        };
        if self.servers.len() >= MAX_SERVERS {
            return self.notes.add(number, "more than three, name server ignored", word);
        }
        if let (SocketAddr::V6(server), (_, Some(zone))) = (server, split_zone(word)) {
            self.zoned.try_push(Zoned::new(server, zone)?)?;
        }
        self.servers.try_push(server)
    }

    fn set_search(&mut self, domains: &[u8], number: u32) -> Result<(), NoMemory> {
        self.search.clear();
        for domain in words(domains) {
            if self.search.len() >= MAX_SEARCH {
                return self.notes.add(number, "more than 256, search domains ignored", domain);
            }
            self.search.try_push(copy(domain)?)?;
        }
        Ok(())
    }

    fn add_sort(&mut self, rest: &[u8], number: u32) -> Result<(), NoMemory> {
        // Only here a semicolon ends the line, wherever it stands.
        let rest = rest.split(|&b| b == b';').next().unwrap_or_default();
        for pair in words(rest) {
            let mut parts = pair.split(|&b| b == b'/' || b == b'&');
            let address = parts.next().and_then(inet_aton);
            let mask = parts.next().map(inet_aton);
            match (address, mask) {
                (Some(address), mask) if self.sortlist.len() < MAX_SORT => {
                    let mask = mask.flatten().unwrap_or_else(|| class_mask(address));
                    self.sortlist.try_push(Sort { address, mask })?;
                }
                (Some(_), _) => {
                    self.notes.add(number, "more than ten, sortlist pair ignored", pair)?
                }
                (None, _) => self.notes.add(number, "no address, sortlist pair ignored", pair)?,
            }
        }
        Ok(())
    }
}

/// A server's address: IPv4 in every form of `inet_aton(3)`, or IPv6 with an optional zone. A zone
/// that is not there is dropped, as in libc.
pub fn server(word: &[u8], zones: ZoneNames<'_>) -> Option<SocketAddr> {
    if let Some(ip) = inet_aton(word) {
        return Some(SocketAddr::new(IpAddr::V4(ip), 53));
    }
    let (address, zone) = split_zone(word);
    let ip = inet_pton6(address)?;
    let scope = zone.and_then(|zone| zone_index(ip, zone, zones)).unwrap_or(0);
    Some(SocketAddr::V6(SocketAddrV6::new(ip, 53, 0, scope)))
}

/// The mask that an address's class had before there were masks (RFC 791).
fn class_mask(address: Ipv4Addr) -> Ipv4Addr {
    let bits = match address.octets() {
        [0..=127, ..] => 8,
        [128..=191, ..] => 16,
        _ => 24,
    };
    Ipv4Addr::from_bits(u32::MAX << (32 - bits))
}

/// What blanks and tabs separate.
pub(super) fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&b| b == b' ' || b == b'\t').filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NO_ZONES: ZoneNames<'_> = &|name| (name == b"lo").then_some(1);

    fn parsed(text: &str) -> ResolvConf {
        parse(Some(text.as_bytes()), b"host.home.test", NO_ZONES).unwrap()
    }

    fn search(conf: &ResolvConf) -> Vec<&str> {
        conf.search.iter().map(|d| str::from_utf8(d).unwrap()).collect()
    }

    #[test]
    fn servers() {
        for (text, want) in [
            ("", &["127.0.0.1:53"][..]),
            ("nameserver 192.0.2.1", &["192.0.2.1:53"]),
            ("nameserver\t192.0.2.1 # x", &["192.0.2.1:53"]),
            // Measured: a comment needs a blank before it.
            ("nameserver 192.0.2.1#x", &["127.0.0.1:53"]),
            ("nameserver 2001:db8::1;", &["127.0.0.1:53"]),
            ("nameserver fe80::1%lo;", &["[fe80::1]:53"]),
            (" nameserver 192.0.2.1", &["127.0.0.1:53"]),
            ("Nameserver 192.0.2.1", &["127.0.0.1:53"]),
            ("nameserver 127.1", &["127.0.0.1:53"]),
            ("nameserver ns.test\nnameserver ::1", &["[::1]:53"]),
            ("nameserver fe80::1%lo", &["[fe80::1%1]:53"]),
            ("nameserver fe80::1%nix", &["[fe80::1]:53"]),
            ("nameserver 1.1.1.1\r\nnameserver 2.2.2.2", &["1.1.1.1:53", "2.2.2.2:53"]),
            (
                "nameserver 1.1.1.1\nnameserver 2.2.2.2\nnameserver 3.3.3.3\nnameserver 4.4.4.4",
                &["1.1.1.1:53", "2.2.2.2:53", "3.3.3.3:53"],
            ),
        ] {
            let servers: Vec<String> =
                parsed(text).servers.iter().map(ToString::to_string).collect();
            assert_eq!(servers, want, "{text:?}");
        }
    }

    #[test]
    fn search_lists() {
        for (text, want) in [
            ("", &["home.test"][..]),
            ("domain a.test", &["a.test"]),
            ("domain a.test b.test", &["a.test"]),
            ("search a.test\tb.test ", &["a.test", "b.test"]),
            ("search a.test\ndomain b.test", &["b.test"]),
            ("domain b.test\nsearch a.test", &["a.test"]),
            ("search a\nsearch", &["a"]),
            ("#search a\n;search b", &["home.test"]),
        ] {
            assert_eq!(search(&parsed(text)), want, "{text:?}");
        }
        let mut conf = parsed("search a");
        conf.apply_environment(Some(b"x y"), None).unwrap();
        assert_eq!(search(&conf), ["x", "y"]);
        conf.apply_environment(Some(b" "), None).unwrap();
        assert_eq!(search(&conf), [""]);
        assert_eq!(search(&parse(None, b"short", NO_ZONES).unwrap()), [""; 0]);
    }

    #[test]
    fn what_is_ignored_is_noted_by_line() {
        let conf = parsed("nameserver x\n\nbogus y\nsortlist /\noptions what");
        let notes: Vec<_> = conf.notes.iter().map(|n| (n.line, n.excerpt())).collect();
        assert_eq!(notes, [(1, &b"x"[..]), (3, b"bogus y"), (4, b"/"), (5, b"what")]);
        let sort = parsed("sortlist 130.155.160.0/255.255.240.0 130.155.0.0;10.0.0.0 x").sortlist;
        assert_eq!(sort.len(), 2);
        assert_eq!(sort[1].mask, Ipv4Addr::new(255, 255, 0, 0));
    }

    proptest! {
        #[test]
        fn any_octets_are_read(text: Vec<u8>, words in "(nameserver|search|options|sortlist|domain) [a-z0-9:/. -]{0,30}\n") {
            let text = [words.as_bytes(), &text[..]].concat();
            let conf = parse(Some(&text), b"", NO_ZONES).unwrap();
            prop_assert!((1..=MAX_SERVERS).contains(&conf.servers.len()));
        }
    }
}
