//! The setting `upstream`: name servers as people write them.

use super::resolv;
use crate::address::ZoneNames;
use crate::mem::{NoMemory, TryPush, copy};
use core::fmt;
use core::net::SocketAddr;

/// A name server that is asked in private.
#[derive(Debug, PartialEq, Eq)]
pub struct Encrypted {
    /// Its address. No other server of the list has the same one.
    pub address: SocketAddr,
    /// The name that its certificate is to have; empty: its address.
    pub name: Box<[u8]>,
    /// The path to ask at over HTTPS (RFC 8484); `None`: DNS over TLS (RFC 7858).
    pub path: Option<Box<[u8]>>,
}

/// Reads a list of servers, separated by blanks; `None` where one of them is not understood.
pub fn list(value: &[u8], zones: ZoneNames<'_>) -> Result<Option<Servers>, NoMemory> {
    let mut servers = Servers::default();
    for word in value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
        let (address, encrypted) = match scheme(word) {
            Some((port, has_path, rest)) => match encrypted(rest, port, has_path, zones)? {
                Some(encrypted) => (Some(encrypted.address), Some(encrypted)),
                None => return Ok(None),
            },
            None => (server(word, 53, zones), None),
        };
        let Some(address) = address else { return Ok(None) };
        // One that is to be asked in private is never to be asked otherwise.
        if encrypted.is_some() && servers.addresses.contains(&address) || servers.is_private(&address)
        {
            return Ok(None);
        }
        servers.addresses.try_push(address)?;
        if let Some(encrypted) = encrypted {
            servers.encrypted.try_push(encrypted)?;
        }
    }
    Ok((!servers.addresses.is_empty()).then_some(servers))
}

/// Name servers in the order of the list.
#[derive(Debug, Default)]
pub struct Servers {
    /// All of them.
    pub addresses: Vec<SocketAddr>,
    /// Those that are asked in private.
    pub encrypted: Vec<Encrypted>,
}

impl Servers {
    fn is_private(&self, address: &SocketAddr) -> bool {
        self.encrypted.iter().any(|encrypted| encrypted.address == *address)
    }
}

/// The default port of a server's scheme, whether a path may follow, and the rest of it; `None` for a
/// plain address.
fn scheme(word: &[u8]) -> Option<(u16, bool, &[u8])> {
    match word.strip_prefix(b"tls://") {
        Some(rest) => Some((853, false, rest)),
        None => Some((443, true, word.strip_prefix(b"https://")?)),
    }
}

/// `ADDRESS[:PORT][#NAME]`, and `[/PATH]` for HTTPS.
fn encrypted(
    rest: &[u8],
    port: u16,
    has_path: bool,
    zones: ZoneNames<'_>,
) -> Result<Option<Encrypted>, NoMemory> {
    let (rest, path) = match rest.iter().position(|&b| b == b'/').and_then(|at| rest.split_at_checked(at)) {
        Some((rest, path)) => (rest, Some(path)),
        None => (rest, None),
    };
    let mut parts = rest.splitn(2, |&b| b == b'#');
    let address = parts.next().and_then(|address| server(address, port, zones));
    let name = parts.next();
    let is_good = name.is_none_or(is_name)
        && path.is_none_or(|path| has_path && path.iter().all(|b| b.is_ascii_graphic() && *b != b'{'));
    let Some(address) = address.filter(|_| is_good) else { return Ok(None) };
    let path = if has_path { Some(copy(path.unwrap_or(b"/dns-query"))?) } else { None };
    Ok(Some(Encrypted { address, name: copy(name.unwrap_or_default())?, path }))
}

fn is_name(name: &[u8]) -> bool {
    matches!(name.len(), 1..=253)
        && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

/// `1.2.3.4`, `1.2.3.4:53`, `::1`, `[::1]`, `[::1]:53`, `fe80::1%eth0`.
fn server(word: &[u8], port: u16, zones: ZoneNames<'_>) -> Option<SocketAddr> {
    if let Some(mut plain) = resolv::server(word, zones) {
        plain.set_port(port);
        return Some(plain);
    }
    let (address, port) = match word {
        [b'[', inner @ .., b']'] => (inner, port),
        _ => {
            let (address, given) = word.split_at_checked(word.iter().rposition(|&b| b == b':')?)?;
            let given = core::str::from_utf8(given.get(1..)?).ok()?.parse().ok()?;
            let inner = match address {
                [b'[', inner @ .., b']'] => inner,
                _ => address,
            };
            (inner, given)
        }
    };
    let mut server = resolv::server(address, zones)?;
    server.set_port(Some(port).filter(|port| *port != 0)?);
    Some(server)
}

impl fmt::Display for Encrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.path.is_some() { "https://" } else { "tls://" })?;
        self.address.fmt(f)?;
        // Both are printable ASCII, as they were read.
        let text = |octets| core::str::from_utf8(octets).unwrap_or_default();
        if !self.name.is_empty() {
            write!(f, "#{}", text(&self.name))?;
        }
        f.write_str(text(self.path.as_deref().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Servers> {
        list(text.as_bytes(), &|zone| (zone == b"eth0").then_some(7)).unwrap()
    }

    #[test]
    fn servers_are_read_with_their_defaults() {
        for (text, shown) in [
            ("tls://192.0.2.1", "tls://192.0.2.1:853"),
            ("tls://192.0.2.1:8853#dns.test", "tls://192.0.2.1:8853#dns.test"),
            ("tls://[2001:db8::1]:853#dns.test", "tls://[2001:db8::1]:853#dns.test"),
            ("tls://[2001:db8::1]", "tls://[2001:db8::1]:853"),
            ("tls://2001:db8::1#a", "tls://[2001:db8::1]:853#a"),
            ("tls://fe80::1%eth0#a", "tls://[fe80::1%7]:853#a"),
            ("https://192.0.2.1#dns.test/dns-query", "https://192.0.2.1:443#dns.test/dns-query"),
            ("https://192.0.2.1", "https://192.0.2.1:443/dns-query"),
            ("https://192.0.2.1:8443/x/y", "https://192.0.2.1:8443/x/y"),
            ("https://[::1]:8443#a/", "https://[::1]:8443#a/"),
        ] {
            let servers = read(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(servers.encrypted.first().unwrap().to_string(), shown);
            assert_eq!(read(shown.replace("%7", "%eth0").as_str()).unwrap().encrypted, servers.encrypted);
        }
        let mixed = read("192.0.2.1 tls://192.0.2.1 [::1]:5353").unwrap();
        assert_eq!((mixed.addresses.len(), mixed.encrypted.len()), (3, 1));
    }

    #[test]
    fn what_is_not_a_server_is_refused_and_the_list_with_it() {
        for text in [
            "tls://", "tls://dns.test", "tls://192.0.2.1#", "tls://192.0.2.1#a/b", "tls://192.0.2.1:0",
            "tls://192.0.2.1:65536", "tls://192.0.2.1##a", "https://dns.test/dns-query", "http://192.0.2.1",
            "https://192.0.2.1/dns-query{?dns}", "quic://192.0.2.1", "TLS://192.0.2.1", "tls://1.2.3.4#a#b",
            "192.0.2.1 tls://x", "tls://192.0.2.1 tls://192.0.2.1#a", "192.0.2.1:853 tls://192.0.2.1",
            "tls://192.0.2.1 192.0.2.1:853",
        ] {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
