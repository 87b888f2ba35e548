//! Host names and addresses at and beyond every limit: the library's answer is libc's.

mod support;

use support::differential::compare_calls;
use support::dns::Server;
use support::sandbox::Sandbox;
use support::zone::Zone;

/// Asks for each name, in the probe's spelling, where everything below `wild.test` exists.
fn ask_for(names: &[impl AsRef<str> + Sync]) {
    Sandbox::enter(|sandbox| {
        let zone = Zone::new().a("*.wild.test", "192.0.2.3").nxdomain_else();
        let _server = Server::start(sandbox, zone);
        let mut calls = String::new();
        for name in names.iter().map(AsRef::as_ref) {
            for options in ["-f inet", "", "-F NUMERICHOST"] {
                calls.push_str(&format!("gai -t stream {options} {name} 80\n"));
            }
        }
        assert_same!(compare_calls(sandbox, &calls));
    });
}

/// A name below `wild.test` of so many octets, in labels of at most 50.
fn name_of(octets: usize) -> String {
    let end = ".wild.test";
    let labels = format!("{}.", "l".repeat(49)).repeat(octets / 50 + 1);
    let start = &labels[..octets - end.len()];
    // A dot must not meet the end's dot.
    format!("{}x{end}", &start[..start.len() - 1])
}

#[test]
fn lengths_of_names_and_labels() {
    let mut names: Vec<String> =
        [200, 252, 253, 254, 255, 256, 300, 1000, 5000].map(name_of).into();
    let dotted: Vec<String> = [252, 253, 254, 255].map(|n| name_of(n) + ".").into();
    names.extend(dotted);
    names.extend([62, 63, 64, 65, 255, 256].map(|n| format!("{}.wild.test", "l".repeat(n))));
    names.push("l".repeat(70_000));
    ask_for(&names);
}

#[test]
fn empty_labels_and_dots() {
    ask_for(&[
        "\"\"",
        ".",
        "..",
        "...",
        ".a.wild.test",
        "a..wild.test",
        "a.wild.test.",
        "a.wild.test..",
        "a.wild..test",
        "nodots",
        "nodots.",
    ]);
}

#[test]
fn octets_that_are_no_letters() {
    ask_for(&[
        "\\x2da.wild.test",
        "a-.wild.test",
        "_a._b.wild.test",
        "a_b.wild.test",
        "*.wild.test",
        "a\\x20b.wild.test",
        "\\x20a.wild.test",
        "a.wild.test\\x20",
        "a\\x09.wild.test",
        "a\\x0a.wild.test",
        "a\\x01.wild.test",
        "a\\x7f.wild.test",
        "a\\xff.wild.test",
        "\\xc3\\xa9.wild.test",
        "a\\x5c.b.wild.test",
        "a\\x5c046b.wild.test",
        "a/b.wild.test",
        "a@b.wild.test",
        "a:80.wild.test",
        "<a>.wild.test",
        "a,b.wild.test",
        "UPPER.Wild.TEST",
    ]);
}

#[test]
fn numbers_that_are_no_addresses() {
    ask_for(&[
        "1.2.3.4.5",
        "1.2.3.256",
        "256.1",
        "1.2.65536",
        "1.16777216",
        "4294967296",
        "4294967295",
        "0x",
        "0x7f.1",
        "0177.1",
        "08.1",
        "1e5",
        "1.",
        "1.2.3.4.",
        "1..2",
        "127.0.0.1:80",
        "127.0.0.1%lo",
        "127.0.0.1\\x20",
        "\\x20127.0.0.1",
        "127.0.0.1\\x20x",
        "::1::",
        ":::1",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7",
        "::12345",
        "::1.2.3.256",
        "::ffff:1.2.3.4",
        "[::1]",
        "::1%",
        "::1%lo",
        "::1%nosuch",
        "fe80::1%",
        "fe80::1%lo",
        "fe80::1%1",
        "fe80::1%01",
        "fe80::1%0",
        "fe80::1%4294967295",
        "fe80::1%4294967296",
        "fe80::1%-1",
        "fe80::1%nosuch",
        "ff02::1%lo",
        "2001:db8::1%lo",
        "%lo",
    ]);
}
