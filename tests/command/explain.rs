//! `rustdns explain`.

use super::{json, rustdns, with};
use crate::support::differential::LIMIT;
use crate::support::dns::Server;
use crate::support::process::{End, run};
use crate::support::sandbox::Sandbox;
use crate::support::zone::Zone;

const RESOLV: &str = "# by hand\nnameserver 127.0.0.1\nsearch one.test two.test\nnameserver ::1\n\
                      options ndots:2\n";

#[test]
fn the_plan_names_each_file_and_line() {
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/resolv.conf", RESOLV);
        sandbox.address("192.0.2.9/24");
        let nsswitch = "passwd: files\n\nhosts: files mdns4_minimal [NOTFOUND=return] crash dns\n";
        sandbox.write("/etc/nsswitch.conf", nsswitch);
        let output = rustdns(sandbox, &["explain", "--tree", "www.deep"]);
        assert!(output.success(), "{output}");
        // The name is asked for as it is last: it has fewer dots than two.
        let want = "\
www.deep
├─ /etc/nsswitch.conf:3: files mdns4_minimal [NOTFOUND=return] crash dns
│  ├─ files: /etc/hosts doesn't have the name
│  ├─ mdns4_minimal: by multicast DNS, where the name is its to answer (under local)
│  │  └─ then [NOTFOUND=return]
│  ├─ crash: skipped, counts as UNAVAIL
│  │  └─ its module is never loaded; `foreign libc` in /etc/rustdns.conf asks libc for names that \
nobody knows
│  └─ dns: asks until one name has an answer
│     ├─ names; ndots:2 (/etc/resolv.conf:5), search list (/etc/resolv.conf:3)
│     │  ├─ www.deep.one.test (search list)
│     │  ├─ www.deep.two.test (search list)
│     │  └─ www.deep (has fewer dots than ndots says: as it is last)
│     ├─ types: A (AI_ADDRCONFIG: this host has no IPv6 address)
│     ├─ servers; 5 s for the first, 2 attempts
│     │  ├─ 127.0.0.1:53 (/etc/resolv.conf:2)
│     │  └─ [::1]:53 (/etc/resolv.conf:4)
│     └─ cache: 4096 entries, empty in a new process; kept for 86400 s, for 30 s where it says no, \
at the most
└─ order of the addresses: RFC 6724 with glibc's own tables
";
        assert_eq!(output.out(), want);
        let plain = want.replace(['├', '└', '─', '│'], " ").replace("   ", "  ");
        let indented = rustdns(sandbox, &["explain", "www.deep"]).out();
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(&indented), words(&plain));
        // Where the locale has no such characters, none are drawn.
        let ascii = with(sandbox, &[("LC_ALL", "C")], &["explain", "--tree", "www.deep"]);
        assert!(ascii.out().is_ascii() && ascii.out().contains("\n`- order"), "{ascii}");

        let variables = [("RES_OPTIONS", "ndots:1"), ("LOCALDOMAIN", "env.test")];
        let output = with(sandbox, &variables, &["explain", "www.deep"]);
        let names = "names; ndots:1 (RES_OPTIONS), search list (LOCALDOMAIN)\n";
        assert!(output.out().contains(names), "{output}");
        let variables = [("RUSTDNS_UPSTREAM", "192.0.2.1 ::1"), ("RUSTDNS_MODE", "test-only")];
        let output = with(sandbox, &variables, &["explain", "www.deep"]);
        for part in
            ["192.0.2.1:53 (environment): left out, mode test-only", "[::1]:53 (environment)\n"]
        {
            assert!(output.out().contains(part), "{part}\n{output}");
        }
    });
}

/// libc asks for the same names, in the same order; the plan itself sends nothing.
#[test]
fn the_candidates_are_those_that_libc_asks_for() {
    Sandbox::enter(|sandbox| {
        let server = Server::start(sandbox, Zone::new().nxdomain_else());
        // Without an address libc asks for none of its family.
        sandbox.address("192.0.2.9/24");
        for (options, names) in [
            ("ndots:1", ["www", "www.deep", "www.deep."]),
            ("ndots:2", ["www", "www.deep", "a.b.c"]),
            ("ndots:0", ["www", "localhostess", "x."]),
            ("no-tld-query", ["www", "a.b", "b."]),
        ] {
            let conf =
                format!("nameserver 127.0.0.1\nsearch one.test . two.test\noptions {options}\n");
            sandbox.write("/etc/resolv.conf", conf);
            for name in names {
                let output = rustdns(sandbox, &["explain", "--json", name]);
                let list = "*[c['name'] for s in d['services'] if s['service'] == 'dns' \
                            for c in s['candidates']]";
                let planned = json(sandbox, &output.out(), list);
                server.settle();
                assert!(server.asked().is_empty(), "{:?}", server.asked());
                let mut libc = sandbox.command("getent");
                libc.args(["ahostsv4", name]);
                run(libc, LIMIT);
                server.settle();
                let asked: Vec<_> = server.asked();
                let mut names = Vec::new();
                for name in asked.iter().map(|query| query.split(' ').next().unwrap()) {
                    // For the root in the list libc asks a second time for what it has asked for.
                    if !names.contains(&name) {
                        names.push(name);
                    }
                }
                assert_eq!(planned, names.join(" "), "{options} {name}");
                server.clear_log();
            }
        }
    });
}

#[test]
fn what_is_never_looked_up_is_said_so() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/hosts", "192.0.2.7 file.test\n");
        for (name, part) in [
            ("192.0.2.1", "an address, 192.0.2.1: nothing is looked up\n"),
            ("fe80::1%nosuch", "EAI_NONAME"),
            ("x.onion", "never asked for (RFC 6761, 7686, 9476)\n"),
            ("a b", "no host can have this name\n"),
            (
                "file.test",
                "/etc/hosts has the name\n      line 3: 192.0.2.7\n    dns: not reached\n",
            ),
            ("münchen.test", "looked up as xn--mnchen-3ya.test (IDNA)\n"),
        ] {
            let output = rustdns(sandbox, &["explain", name]);
            assert!(output.success() && output.out().contains(part), "{part}\n{output}");
        }
        sandbox.write("/etc/nsswitch.conf", "hosts: files [MAYBE=return] dns\n");
        let output = rustdns(sandbox, &["explain", "file.test"]);
        assert!(output.out().contains("the line can't be read: every lookup fails"), "{output}");
        sandbox.remove("/etc/nsswitch.conf");
        let output = rustdns(sandbox, &["explain", "file.test"]);
        let part = "no hosts line in /etc/nsswitch.conf, so as if it were: files dns\n";
        assert!(output.out().contains(part), "{output}");
        sandbox.write("/etc/gai.conf", "precedence ::/0 40\n");
        let output = rustdns(sandbox, &["explain", "file.test"]);
        assert!(output.out().ends_with("with the tables of gai.conf\n"), "{output}");
        // A name can't move the cursor.
        let output = rustdns(sandbox, &["explain", "a\x1b[2Jb"]);
        assert!(output.out().starts_with("a\\u{1b}[2Jb\n"), "{output}");
        for words in
            [&["explain"][..], &["explain", "--json", "--tree", "a"], &["explain", "a", "b"]]
        {
            let output = rustdns(sandbox, words);
            assert_eq!((output.end, output.out().as_str()), (End::Exit(2), ""), "{output}");
            assert!(output.err().contains("--help"), "{output}");
        }
    });
}
