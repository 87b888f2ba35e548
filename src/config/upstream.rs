//! The setting `upstream`: name servers as people write them.

use super::resolv;
use crate::base::address::{ZoneNames, Zoned, split_zone, zoned};
use crate::sys::mem::{NoMemory, TryPush, copy};
use core::net::{IpAddr, SocketAddr};

/// A name server that is asked in private.
#[derive(Debug, PartialEq, Eq)]
pub struct Encrypted {
    /// Its address. No other server of the list has the same one.
    pub address: SocketAddr,
    /// All of it, as it was written.
    pub text: Box<[u8]>,
}

/// Name servers in the order of the list.
#[derive(Debug, Default)]
pub struct Servers {
    /// All of them.
    pub addresses: Vec<SocketAddr>,
    /// Those of them that have a zone.
    pub zoned: Vec<Zoned>,
    /// Those that are asked in private.
    pub encrypted: Vec<Encrypted>,
    /// A list that was meant to be private can't be read: better nobody is asked than somebody else in
    /// plain text.
    pub is_unread: bool,
}

impl Servers {
    /// The server of this address, where it is asked in private. Its zone may have another index by now:
    /// where none is the same with it, one that is the same without counts.
    pub fn encrypted(&self, address: &SocketAddr) -> Option<&Encrypted> {
        let mut all = self.encrypted.iter();
        all.find(|encrypted| encrypted.address == *address).or_else(|| {
            let has_moved = |encrypted: &&Encrypted| {
                zoned(&self.zoned, &encrypted.address).is_some_and(|zoned| {
                    IpAddr::V6(*zoned.server.ip()) == address.ip()
                        && zoned.server.port() == address.port()
                })
            };
            self.encrypted.iter().find(has_moved)
        })
    }
}

/// True where whoever wrote the list meant some server to be asked in private: it has a scheme or a name.
pub fn is_private(value: &[u8]) -> bool {
    value.contains(&b'#') || value.windows(3).any(|octets| octets == b"://")
}

/// Reads a list of servers, separated by blanks; `None` where one of them is not understood.
pub fn list(value: &[u8], zones: ZoneNames<'_>) -> Result<Option<Servers>, NoMemory> {
    let mut servers = Servers::default();
    for word in value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
        let (plain, port) = match scheme(word) {
            Some((rest, port)) => (place(rest, port), port),
            None => (Some(word), 53),
        };
        let Some((address, zone)) = plain.and_then(|plain| server(plain, port, zones)) else {
            return Ok(None);
        };
        let is_private = port != 53;
        // One that is to be asked in private is never to be asked otherwise.
        if servers.encrypted.iter().any(|encrypted| encrypted.address == address)
            || is_private && servers.addresses.contains(&address)
        {
            return Ok(None);
        }
        servers.addresses.try_push(address)?;
        if let (SocketAddr::V6(server), Some(zone)) = (address, zone) {
            servers.zoned.try_push(Zoned::new(server, zone)?)?;
        }
        if is_private {
            servers.encrypted.try_push(Encrypted { address, text: copy(word)? })?;
        }
    }
    Ok((!servers.addresses.is_empty()).then_some(servers))
}

/// What follows a scheme, and its default port: that of DNS over TLS (RFC 7858 section 3.1) or HTTPS.
fn scheme(word: &[u8]) -> Option<(&[u8], u16)> {
    match word.strip_prefix(b"tls://") {
        Some(rest) => Some((rest, 853)),
        None => Some((word.strip_prefix(b"https://")?, 443)),
    }
}

/// The address in `ADDRESS[:PORT][#NAME][/PATH]`, where what follows it is a name and, for HTTPS, a path.
fn place(rest: &[u8], port: u16) -> Option<&[u8]> {
    let slash = rest.iter().position(|&b| b == b'/').unwrap_or(rest.len());
    let (host, path) = rest.split_at_checked(slash)?;
    let mut parts = host.splitn(2, |&b| b == b'#');
    let (address, name) = (parts.next()?, parts.next());
    let is_name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    // A path without what RFC 6570 would fill in.
    let is_path = |b: &u8| b.is_ascii_graphic() && *b != b'{';
    let is_good = name.is_none_or(|name| !name.is_empty() && name.iter().all(is_name))
        && (path.is_empty() || port == 443 && path.iter().all(is_path));
    is_good.then_some(address)
}

/// `1.2.3.4`, `1.2.3.4:53`, `::1`, `[::1]`, `[::1]:53`, `fe80::1%eth0`; `port` where none is said. With the
/// zone's text.
fn server<'a>(
    word: &'a [u8],
    port: u16,
    zones: ZoneNames<'_>,
) -> Option<(SocketAddr, Option<&'a [u8]>)> {
    let colons = word.iter().filter(|b| **b == b':').count();
    // An address of IPv6 has two colons at least; with a port it stands in brackets.
    let has_port = colons == 1 || word.starts_with(b"[") && !word.ends_with(b"]");
    let (address, port) = match word.iter().rposition(|b| *b == b':').filter(|_| has_port) {
        Some(colon) => {
            let (address, port) = word.split_at_checked(colon)?;
            (address, core::str::from_utf8(port.get(1..)?).ok()?.parse().ok()?)
        }
        None => (word, port),
    };
    let address = match address {
        [b'[', inner @ .., b']'] => inner,
        _ => address,
    };
    let mut server = resolv::server(address, zones).filter(|_| port != 0)?;
    server.set_port(port);
    Some((server, split_zone(address).1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Servers> {
        list(text.as_bytes(), &|zone| (zone == b"eth0").then_some(7)).unwrap()
    }

    #[test]
    fn servers_are_read_with_their_ports() {
        for (text, address) in [
            ("tls://192.0.2.1", "192.0.2.1:853"),
            ("tls://192.0.2.1:8853#dns.test", "192.0.2.1:8853"),
            ("tls://[2001:db8::1]:8853#dns.test", "[2001:db8::1]:8853"),
            ("tls://[2001:db8::1]", "[2001:db8::1]:853"),
            ("tls://2001:db8::1#a", "[2001:db8::1]:853"),
            ("tls://fe80::1%eth0#a", "[fe80::1%7]:853"),
            ("https://192.0.2.1#dns.test/dns-query", "192.0.2.1:443"),
            ("https://192.0.2.1", "192.0.2.1:443"),
            ("https://192.0.2.1:8443/x/y", "192.0.2.1:8443"),
            ("https://[::1]:8443#a/", "[::1]:8443"),
        ] {
            let servers = read(text).unwrap_or_else(|| panic!("{text}"));
            let encrypted = servers.encrypted.first().unwrap();
            assert_eq!(
                (encrypted.address.to_string().as_str(), &*encrypted.text),
                (address, text.as_bytes())
            );
            assert_eq!(servers.addresses, [encrypted.address]);
        }
        let zoned = read("tls://fe80::1%eth0#a fe80::1%eth0 tls://fe80::2%eth0").unwrap();
        let text = |address: &str| {
            let encrypted = zoned.encrypted(&address.parse().unwrap());
            encrypted.map(|encrypted| str::from_utf8(&encrypted.text).unwrap())
        };
        assert_eq!(text("[fe80::1%7]:853"), Some("tls://fe80::1%eth0#a"));
        assert_eq!(text("[fe80::1%9]:853"), Some("tls://fe80::1%eth0#a"), "another index by now");
        assert_eq!(text("[fe80::2%9]:853"), Some("tls://fe80::2%eth0"));
        assert_eq!((text("[fe80::1%7]:53"), text("[fe80::3%7]:853")), (None, None));
        let mixed = read("192.0.2.1 tls://192.0.2.1 [::1]:5353").unwrap();
        assert_eq!((mixed.addresses.len(), mixed.encrypted.len()), (3, 1));
    }

    #[test]
    fn what_is_not_a_server_is_refused_and_the_list_with_it() {
        for text in [
            "tls://",
            "tls://dns.test",
            "tls://192.0.2.1#",
            "tls://192.0.2.1#a/b",
            "tls://192.0.2.1/",
            "tls://192.0.2.1:0",
            "tls://192.0.2.1:65536",
            "tls://192.0.2.1##a",
            "tls://192.0.2.1#a#b",
            "tls://192.0.2.1#a\u{e4}",
            "https://dns.test/dns-query",
            "https://192.0.2.1/dns-query{?dns}",
            "http://192.0.2.1",
            "quic://192.0.2.1",
            "TLS://192.0.2.1",
            "192.0.2.1 tls://x",
            "tls://192.0.2.1 tls://192.0.2.1#a",
            "192.0.2.1:853 tls://192.0.2.1",
            "tls://192.0.2.1 192.0.2.1:853",
        ] {
            assert!(read(text).is_none(), "{text}");
            assert!(is_private(text.as_bytes()), "{text}");
        }
        assert!(is_private(b"192.0.2.1#dns.test") && !is_private(b"2001:db8::1 dns.test"));
    }
}
