//! The static probes that the libraries have: what readelf(1) lists, and docs/observability.md.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::succeed;
use crate::support::foreign;
use crate::support::link::dist;

/// Each with how many arguments it has.
const PROBES: [(&str, usize); 7] = [
    ("answered__again", 2),
    ("cache__hit", 3),
    ("lookup__end", 1),
    ("lookup__start", 2),
    ("query__answered", 4),
    ("query__sent", 6),
    ("server__dead", 1),
];

fn of(library: &str) -> BTreeSet<(String, usize)> {
    let mut command = Command::new(foreign::tool("readelf"));
    command.env("LC_ALL", "C").args(["-W", "-n"]).arg(dist().join(library));
    let text = succeed(command).out();
    let mut probes = BTreeSet::new();
    for note in text.split("Provider: ").skip(1) {
        let mut lines = note.lines().map(str::trim);
        assert_eq!(lines.next(), Some("rustdns"), "{text}");
        let after = |start: &str| {
            let line = note.lines().find_map(|line| line.trim().strip_prefix(start));
            line.unwrap_or_else(|| panic!("no {start} in {note}")).trim().to_owned()
        };
        probes.insert((after("Name:"), after("Arguments:").split_whitespace().count()));
    }
    probes
}

#[test]
fn both_libraries_have_them() {
    let all = PROBES.map(|(name, arguments)| (name.to_owned(), arguments));
    assert_eq!(of("librustdns.so"), BTreeSet::from(all.clone()));
    // The module does not keep what was answered a moment ago: libc calls it for the DNS alone.
    let module = all.into_iter().filter(|(name, _)| name != "answered__again");
    assert_eq!(of("libnss_rustdns.so.2"), module.collect());
}

#[test]
fn the_documentation_has_each_and_no_other() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/observability.md");
    let page = fs::read_to_string(page).unwrap();
    let rows = page.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("| `")?.split_once("` |")?;
        name.contains("__").then(|| (name.to_owned(), rest.matches("arg").count()))
    });
    let all = PROBES.map(|(name, arguments)| (name.to_owned(), arguments));
    assert_eq!(rows.collect::<BTreeSet<_>>(), BTreeSet::from(all));
}
