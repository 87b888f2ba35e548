//! services(5).

use rustdns::config::services::index;

const MOST: usize = 60;

/// What the index finds is what a walk over the file finds: the first line that fits.
///
/// Would find: an unstable sort (the second of two lines for one name or port), an alias that is
/// found under another protocol, a span that points into the next word, a port that is not cut to
/// 16 bits.
pub fn check(text: &[u8]) {
    let lines = walk(text);
    let services = index(text.to_vec()).unwrap();
    let protocols: Vec<&[u8]> = lines.iter().map(|line| line.protocol).take(4).collect();
    let protocols: Vec<Option<&[u8]>> = [None, Some(&b"tcp"[..]), Some(b"nosuch")]
        .into_iter()
        .chain(protocols.into_iter().map(Some))
        .collect();

    let names: Vec<&[u8]> = lines.iter().flat_map(|line| line.names.clone()).take(MOST).collect();
    for name in names.into_iter().chain([&b"http"[..], b"", b"#"]) {
        for &protocol in &protocols {
            let by_walk = lines
                .iter()
                .find(|line| {
                    line.names.contains(&name) && protocol.is_none_or(|p| p == line.protocol)
                })
                .map(|line| (line.port, line.protocol));
            assert_eq!(services.port(name, protocol), by_walk, "{}", name.escape_ascii());
        }
    }
    for port in lines.iter().map(|line| line.port).take(MOST).chain([0, 80]) {
        for &protocol in &protocols {
            let by_walk = lines
                .iter()
                .find(|line| line.port == port && protocol.is_none_or(|p| p == line.protocol))
                .map(|line| line.names[0]);
            assert_eq!(services.name(port, protocol), by_walk, "{port}");
        }
    }
}

struct Line<'a> {
    names: Vec<&'a [u8]>,
    port: u16,
    protocol: &'a [u8],
}

fn walk(text: &[u8]) -> Vec<Line<'_>> {
    let mut found = Vec::new();
    for line in text.split(|&b| b == b'\n') {
        let mut names = super::words(line);
        if names.len() < 2 {
            continue;
        }
        let service = names.remove(1);
        let slash = service.iter().position(|&b| b == b'/');
        let Some((port, protocol)) = slash.map(|at| service.split_at(at)) else { continue };
        let slashes = protocol.iter().take_while(|&&b| b == b'/').count();
        let protocol = &protocol[slashes..];
        // libc knows lines without a protocol, which no look-up that names one finds, and takes `-0`
        // for a number. Of 32 bits the lower half is the port.
        let is_signed = port.starts_with(b"-");
        // Decimal, as in glibc 2.43.
        let port = str::from_utf8(port).ok().and_then(|port| port.parse::<u32>().ok());
        if let (Some(port), false, false) = (port, is_signed, protocol.is_empty()) {
            found.push(Line { names, port: port as u16, protocol });
        }
    }
    found
}
