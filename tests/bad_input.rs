//! Configuration files and names that nobody should write: the library answers as libc does, and
//! neither crashes nor hangs. Where it answers otherwise on purpose, `divergences.rs` has the row.

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use support::differential::{compare_calls, probe, probe_within, unified_diff};
use support::dns::Server;
use support::process::{End, Output};
use support::sandbox::Sandbox;
use support::zone::Zone;

/// Contents of files that `divergences.rs` is about: libc reads a folder as an error, CR as part of a
/// domain, and nsswitch.conf's last line only with its newline.
const DIVERGENT: [(&str, &str); 4] = [
    ("/etc/resolv.conf", "a directory"),
    ("/etc/nsswitch.conf", "a directory"),
    ("/etc/resolv.conf", "CR LF"),
    ("/etc/nsswitch.conf", "no newline at the end"),
];

/// One call of each kind: from hosts, from DNS, unknown, by address, with a service.
const CALLS: &str = "gai -t stream listed.test 80\ngai -t stream -F CANONNAME host.test http\n\
                     gai -t stream short -\ngai -t stream unknown.test -\ngni 192.0.2.1 80\n\
                     gni 192.0.2.200 7\ngni 192.0.2.99 443\ngai -t stream 127.1 domain\n";

const HOSTS: &str = "127.0.0.1 localhost\n::1 localhost\n192.0.2.200 listed.test listed\n";

/// The files that the library reads, with contents that work.
const FILES: [(&str, &str); 5] = [
    ("/etc/resolv.conf", "nameserver 127.0.0.1\nsearch test\n"),
    ("/etc/hosts", HOSTS),
    ("/etc/nsswitch.conf", "hosts: files dns\nservices: files\n"),
    ("/etc/gai.conf", "precedence ::ffff:0:0/96 100\n"),
    ("/etc/services", "http 80/tcp www\ndomain 53/tcp\ndomain 53/udp\necho 7/tcp\n"),
];

fn zone() -> Zone {
    Zone::new()
        .a("host.test", "192.0.2.1")
        .aaaa("host.test", "2001:db8::1")
        .a("short.test", "192.0.2.2")
        .a("*.wild.test", "192.0.2.3")
        .ptr("192.0.2.1", "host.test")
        .nxdomain_else()
}

/// The usual files and the usual server.
fn furnish(sandbox: &Sandbox) -> Server {
    for (path, text) in FILES {
        sandbox.write(path, text);
    }
    Server::start(sandbox, zone())
}

/// What a probe printed, without what EAI_SYSTEM leaves in errno: glibc's is whatever the last
/// system call left there. `None` if it crashed or hung.
fn codes(output: &Output) -> Option<String> {
    let code = |line: &str| match line.split_once(" errno=") {
        Some((code, _)) if code == "EAI_SYSTEM" => format!("{code}\n"),
        _ => format!("{line}\n"),
    };
    (output.end == End::Exit(0)).then(|| output.out().lines().map(code).collect())
}

/// How the library's answers differ from libc's, if they do. Where libc itself crashes or hangs,
/// any answer will do.
fn difference(about: &str, libc: &Output, rustdns: &Output) -> Option<String> {
    let Some(answers) = codes(rustdns).filter(|_| rustdns.stderr.is_empty()) else {
        return Some(format!("{about:.80}: {rustdns}"));
    };
    let expected = codes(libc)?;
    let diff = || format!("{about:.80}\n{}", unified_diff(&expected, &answers));
    (expected != answers).then(diff)
}

/// Panics with all differences at once.
fn assert_none(differences: &[String]) {
    assert!(differences.is_empty(), "--- libc\n+++ rustdns\n{}", differences.join("\n"));
}

/// Tries contents of one file; all differences are shown at once.
fn try_contents(path: &str, contents: &[(&str, Vec<u8>)], calls: &str) {
    assert_none(&differences_of(path, contents, calls));
}

fn differences_of(path: &str, contents: &[(&str, Vec<u8>)], calls: &str) -> Vec<String> {
    let mut differences = Vec::new();
    Sandbox::enter(|sandbox| {
        let _server = furnish(sandbox);
        let differs = |(about, bytes): &(&str, Vec<u8>)| {
            sandbox.write(path, bytes);
            let pair = compare_calls(sandbox, calls);
            difference(&format!("{path}: {about}"), &pair.libc, &pair.rustdns)
        };
        let alike = |content: &&(&str, Vec<u8>)| !DIVERGENT.contains(&(path, content.0));
        differences.extend(contents.iter().filter(alike).filter_map(differs));
    });
    differences
}

/// The lines of a table, each a file's whole content, shown as its own name.
fn lines<'a>(rows: &[&'a str]) -> Vec<(&'a str, Vec<u8>)> {
    before(rows, "")
}

/// Each line of a table in front of a content that works.
fn before<'a>(rows: &[&'a str], rest: &str) -> Vec<(&'a str, Vec<u8>)> {
    rows.iter().map(|row| (*row, format!("{row}\n{rest}").into_bytes())).collect()
}

/// A kind of thing that stands where the file should be, and how it is made.
type Obstacle = (&'static str, fn(&Sandbox, &str));

#[test]
fn what_is_no_file_is_as_good_as_none() {
    let obstacles: [Obstacle; 5] = [
        ("absent", |s, path| s.remove(path)),
        ("a directory", |s, path| s.mkdir(path)),
        ("a symlink loop", |s, path| s.symlink(path, path)),
        ("a link to nowhere", |s, path| s.symlink("/nowhere", path)),
        ("/dev/null", |s, path| s.symlink("/dev/null", path)),
    ];
    let mut differs = Vec::new();
    for (path, _) in FILES {
        for (about, make) in obstacles {
            if DIVERGENT.contains(&(path, about)) {
                continue;
            }
            Sandbox::enter(|sandbox| {
                let _server = furnish(sandbox);
                make(sandbox, path);
                let pair = compare_calls(sandbox, CALLS);
                differs.extend(difference(&format!("{path}: {about}"), &pair.libc, &pair.rustdns));
            });
        }
    }
    assert_none(&differs);
}

#[test]
fn a_fifo_that_nobody_writes_to_is_not_waited_for() {
    let mut differs = Vec::new();
    for (path, _) in FILES {
        Sandbox::enter(|sandbox| {
            let _server = furnish(sandbox);
            // libc waits for ever here, so it is asked without the file.
            sandbox.remove(path);
            let libc = probe(sandbox, false, CALLS);
            sandbox.fifo(path);
            let rustdns = probe_within(Duration::from_secs(5), sandbox, true, CALLS);
            differs.extend(difference(&format!("{path} is a FIFO"), &libc, &rustdns));
        });
    }
    assert_none(&differs);
}

#[test]
fn any_bytes_in_any_file_are_survived() {
    const LONG: usize = 10 << 20;
    let mut differs = Vec::new();
    for (path, good) in FILES {
        let good = good.as_bytes();
        let with = |front: &[u8]| [front, good].concat();
        let contents = [
            ("empty", Vec::new()),
            ("no newline at the end", good[..good.len() - 1].to_vec()),
            ("CR LF", String::from_utf8_lossy(good).replace('\n', "\r\n").into_bytes()),
            ("a byte order mark", with(b"\xef\xbb\xbf")),
            ("a line of NUL", with(b"\0\0\0\n")),
            ("not UTF-8", with(b"\xff\xfe\x80 \xc3\x28 \xa0\xa1\n")),
            ("blank lines", with(b"\n \n\t\n \t \n\x0b\x0c\n")),
            ("every byte", with(&[(0..=255).collect::<Vec<u8>>(), b"\n".to_vec()].concat())),
            ("a comment of 10 MB", with(&[vec![b'#'; LONG], b"\n".to_vec()].concat())),
            ("a line of 10 MB", with(&[vec![b'x'; LONG], b"\n".to_vec()].concat())),
            ("10 MB without a newline", vec![b' '; LONG]),
        ];
        differs.extend(differences_of(path, &contents, CALLS));
    }
    assert_none(&differs);
}

#[test]
fn malformed_resolv_conf() {
    let good = "nameserver 127.0.0.1\n";
    let broken_lines = [
        "nameserver",
        "nameserver ",
        "nameserver 300.1.1.1",
        "nameserver ::g",
        "nameserver 127.0.0.1#53",
        "nameserver 127.0.0.1:53",
        "nameserver [::1]:53",
        "nameserver host.test",
        "nameserver 127.0.0.1 and more",
        "nameserver\t127.0.0.1",
        " nameserver 127.0.0.77",
        "NameServer 127.0.0.77",
        "nameserver127.0.0.77",
        "nameserver ::1%nosuch",
        "options",
        "options ndots",
        "options ndots:",
        "options ndots:x timeout:x",
        "options ndots:-1",
        "options ndots:99999999999999999999",
        "options timeout:0",
        "options timeout:-1",
        "options attempts:99 timeout:99999999999999999999",
        "options nosuch no-such:1 :::: :",
        "search",
        "search .",
        "search ..",
        "search .test",
        "search test.",
        "search test. test test",
        "domain",
        "domain test and more",
        "search test\ndomain other.test",
        "domain other.test\nsearch test",
        "sortlist",
        "sortlist 192.0.2.0/255.255.255.0",
        "sortlist 192.0.2.0/x 1.2.3.4.5",
        "nosuch keyword",
        ";comment\n#comment",
    ];
    let long_label = format!("search {}.test test", "l".repeat(64));
    let long_name = format!("search {}test", "label.".repeat(60));
    let many = format!("search{}", " none.test".repeat(40));
    let mut contents = before(&broken_lines, good);
    contents.extend(before(&[&long_label, &long_name, &many], good));
    let mut differs = Vec::new();
    for (about, bytes) in contents {
        Sandbox::enter(|sandbox| {
            let server = furnish(sandbox);
            sandbox.write("/etc/resolv.conf", &bytes);
            // Apart, so that the names that were asked for can be compared too.
            let [libc, rustdns] = [false, true].map(|preload| {
                server.clear_log();
                let mut output = probe(sandbox, preload, CALLS);
                let asked: BTreeSet<String> = server.asked().into_iter().collect();
                output.stdout.extend(format!("asked {asked:#?}\n").into_bytes());
                output
            });
            differs.extend(difference(about, &libc, &rustdns));
        });
    }
    assert_none(&differs);
}

#[test]
fn malformed_hosts() {
    let rows = [
        "192.0.2.201",
        "listed.test",
        "192.0.2.300 listed.test",
        "192.0.2 listed.test",
        "0xc0.0.2.9 listed.test",
        "2001:db8::g listed.test",
        "2001:db8::1%lo listed.test",
        "2001:db8::9%nosuch listed.test",
        "192.0.2.9listed.test",
        "192.0.2.9\tlisted.test\t# comment listed",
        "  192.0.2.9   listed.test  ",
        "192.0.2.9 LISTED.TEST",
        "192.0.2.9 listed.test.",
        "192.0.2.9 #listed.test",
        "192.0.2.9 listed.test#unknown.test",
        "192.0.2.9 -listed.test unknown.test",
        "192.0.2.9 *.test un_known.test",
        "::ffff:192.0.2.9 listed.test",
        "192.0.2.9 unknown.test\n2001:db8::9 unknown.test",
        "192.0.2.9 unknown.test\r",
    ];
    try_contents("/etc/hosts", &before(&rows, HOSTS), CALLS);
    let long = |name: String| format!("192.0.2.9 {name} unknown.test\n{HOSTS}").into_bytes();
    let contents = [
        ("a label of 64 octets", long("l".repeat(64))),
        ("a name of 300 octets", long("name.".repeat(60))),
        ("a name of 100 kB", long("n".repeat(100_000))),
        ("100,000 aliases", long(" alias".repeat(100_000))),
        ("NUL in a name", b"192.0.2.9 list\0ed.test unknown.test\n".to_vec()),
        ("not UTF-8", b"192.0.2.9 \xff\xfe.test unknown.test\n".to_vec()),
    ];
    try_contents("/etc/hosts", &contents, CALLS);
}

#[test]
fn malformed_nsswitch_conf() {
    let rows = [
        "hosts:",
        "hosts",
        "hosts files dns",
        "hosts:files dns",
        "hosts :files dns",
        "hosts :: files dns",
        "hosts\tfiles dns",
        "hosts: files [NOTFOUND=return] [UNAVAIL=return] dns",
        "hosts: files [NOTFOUND=continue][UNAVAIL=return] dns",
        "hosts: files dns [NOTFOUND=return] [BOGUS",
        "hosts: files [SUCCESS=continue] dns",
        "  hosts: files dns",
        "\thosts:\tfiles\tdns\t",
        "HOSTS: files dns",
        "hosts: FILES DNS",
        "hosts: files,dns",
        "hosts: dns",
        "hosts: files",
        "hosts: dns files",
        "hosts: nosuch",
        "hosts: files nosuch dns",
        "hosts: nosuch dns",
        "hosts: nosuch [UNAVAIL=return] files dns",
        "hosts: files [NOTFOUND=return] dns",
        "hosts: files [notfound=RETURN] dns",
        "hosts: files [ NOTFOUND = return ] dns",
        "hosts: files [!NOTFOUND=return] dns",
        "hosts: files [NOTFOUND=continue SUCCESS=return] dns",
        "hosts: files ] dns",
        "hosts: [NOTFOUND=return] files dns",
        "hosts: files # dns",
        "#hosts: files",
        "hosts: files\nhosts: dns",
        "hosts: dns\nhosts: files",
        "nosuch: files\nhosts: files dns",
    ];
    try_contents("/etc/nsswitch.conf", &lines(&rows), CALLS);
    let long = format!("hosts: {} files dns\n", "n".repeat(300)).into_bytes();
    let many = format!("hosts: {} files dns\n", "nosuch ".repeat(500)).into_bytes();
    let contents = [("a service's name of 300 octets", long), ("501 services", many)];
    try_contents("/etc/nsswitch.conf", &contents, CALLS);
}

#[test]
fn malformed_gai_conf() {
    // What libcs read in different ways stands in tests/differential.
    let rows = [
        "label",
        "label ::/0 x",
        "label ::/129 1",
        "label ::/-1 1",
        "label ::1/128 0 and more",
        "label ::g/0 1",
        "label 192.0.2.0/24 1",
        "precedence",
        "precedence ::/0 x",
        "precedence ::/0 99999999999999999999",
        "precedence ::ffff:0:0/96 100",
        "precedence ::ffff:0:0/96 100 # and more",
        "precedence ::ffff:0:0/200 100",
        "  precedence\t::ffff:0:0/96\t100",
        "PRECEDENCE ::ffff:0:0/96 100",
        "scopev4",
        "scopev4 ::ffff:192.0.2.0/120 14",
        "scopev4 192.0.2.0/24 14",
        "scopev4 192.0.2.0/33 14",
        "scopev4 ::ffff:192.0.2.0/95 14",
        "reload",
        "reload maybe",
        "reload yes",
        "nosuch ::/0 1",
    ];
    try_contents("/etc/gai.conf", &lines(&rows), CALLS);
}

#[test]
fn malformed_services() {
    let rows = [
        "http",
        "http 80",
        "http 80/",
        "http /tcp",
        "http x/tcp",
        "http 81x/tcp",
        "http 99999/tcp",
        "http -1/tcp",
        "http 81/TCP",
        "http 81/nosuch",
        "http 81/udp",
        "  http\t81/tcp  ",
        "http 81/tcp#comment",
        "http 81/tcp # other",
        "http 81 /tcp",
        "HTTP 81/tcp",
        "other 80/tcp http",
        "other 81/tcp # http",
        "http 81,tcp",
        "80 82/tcp",
    ];
    let calls = "gai -t stream 127.0.0.1 http\ngai 127.0.0.1 http\ngai -t dgram - http\n\
                 gai 127.0.0.1 domain\ngai 127.0.0.1 80\ngni 127.0.0.1 80\ngni 127.0.0.1 81\n\
                 gni -F DGRAM 127.0.0.1 81\ngni 127.0.0.1 82\n";
    try_contents("/etc/services", &before(&rows, FILES[4].1), calls);
}
