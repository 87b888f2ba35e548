//! The root zone's anchors that are built in and installed.

use std::collections::BTreeSet;
use std::fs;

use crate::support::sandbox::skip;

/// Debian's, from IANA's own file by way of `dns-root-data`.
const DEBIAN: &str = "/usr/share/dns/root.ds";

#[test]
fn the_root_s_anchors_are_debian_s() {
    let Ok(text) = fs::read_to_string(DEBIAN) else {
        return skip("no dns-root-data (see scripts/packages.test)");
    };
    let digest = |line: &str| line.split_whitespace().skip(3).collect::<Vec<_>>().join(" ");
    let debian: BTreeSet<_> = text.lines().map(|line| digest(line).to_uppercase()).collect();
    let own =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/encrypted/root-anchors.xml"));
    let own = own.unwrap();
    let element = |part: &str, name: &str| {
        let (_, rest) = part.split_once(&format!("<{name}>")).unwrap();
        rest.split_once('<').unwrap().0.to_uppercase()
    };
    let line = |part: &str| {
        ["KeyTag", "Algorithm", "DigestType", "Digest"].map(|name| element(part, name)).join(" ")
    };
    let own: BTreeSet<_> = own.split("<KeyDigest").skip(1).map(line).collect();
    assert!(!debian.is_empty());
    assert_eq!(own, debian);
}
