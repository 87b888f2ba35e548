//! hosts(5).

use std::net::IpAddr;

use rustdns::config::hosts::{Line, index};

/// Names and addresses of which each look-up is compared with a walk over the lines.
const MOST: usize = 60;

/// What the index finds is what a walk over the file finds: by name in any case, by address, and
/// line by line, each with its number.
///
/// Would find: a hash that tells cases apart, an entry in the wrong bucket, a line found twice or
/// out of order, an offset that is off by one behind an empty or last line, a comment read as names.
pub fn check(text: &[u8]) {
    let lines = walk(text);
    let hosts = index(text.to_vec()).unwrap();

    let mut at = 0;
    let mut found = Vec::new();
    while let Some((line, next)) = hosts.line_after(at) {
        assert!(next > at, "gethostent goes on");
        found.push(Plain::of(&line, hosts.number(&line) as usize));
        at = next;
    }
    assert_eq!(found, lines);

    let names: Vec<&[u8]> = lines.iter().flat_map(|line| line.names.clone()).take(MOST).collect();
    let known: &[&[u8]] = &[b"localhost", b"", b"#", b"absent.test"];
    for name in names.iter().chain(known) {
        for name in [name.to_ascii_lowercase(), name.to_ascii_uppercase()] {
            let by_index: Vec<Plain> = hosts
                .by_name(&name)
                .map(|line| Plain::of(&line, hosts.number(&line) as usize))
                .collect();
            let mut by_walk = lines.clone();
            by_walk.retain(|line| line.names.iter().any(|n| n.eq_ignore_ascii_case(&name)));
            assert_eq!(by_index, by_walk, "{}", name.escape_ascii());
        }
    }
    let zero = [IpAddr::from([0; 4]), IpAddr::from([0; 16])];
    for ip in lines.iter().map(|line| line.ip).take(MOST).chain(zero) {
        let by_index: Vec<Plain> = hosts
            .by_address(ip)
            .unwrap()
            .map(|line| Plain::of(&line, hosts.number(&line) as usize))
            .collect();
        let mut by_walk = lines.clone();
        by_walk.retain(|line| line.ip == ip);
        assert_eq!(by_index, by_walk, "{ip}");
    }
}

/// A line in plain terms.
#[derive(Clone, Debug, PartialEq)]
struct Plain<'a> {
    number: usize,
    ip: IpAddr,
    names: Vec<&'a [u8]>,
}

impl<'a> Plain<'a> {
    fn of(line: &Line<'a>, number: usize) -> Plain<'a> {
        assert_eq!(line.address.scope, 0);
        let names = core::iter::once(line.canonical).chain(line.aliases()).collect();
        Plain { number, ip: line.address.ip, names }
    }
}

fn walk(text: &[u8]) -> Vec<Plain<'_>> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.split(|&b| b == b'\n')) {
        let mut names = super::words(line);
        if names.len() < 2 {
            continue;
        }
        let address = names.remove(0);
        // std reads both families as inet_pton(3) does.
        if let Some(ip) = str::from_utf8(address).ok().and_then(|text| text.parse().ok()) {
            found.push(Plain { number, ip, names });
        }
    }
    found
}
