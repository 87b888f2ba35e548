//! The resolver(3) family: return values, `h_errno`, the octets of answers, and what is asked on the
//! wire, each as with libc.

mod support;

use support::cc;
use support::differential::{LIMIT, Pair};
use support::dns::{Question, Reply, Script, Server, Transport};
use support::process::run_with_input;
use support::sandbox::Sandbox;
use support::wire::{Data, Record, rcode, rtype};
use support::zone::Zone;

type Answer = fn(&Question) -> Reply;

/// A query as the server saw it, with what no two runs differ in.
fn wire(question: &Question) -> String {
    let transport = if question.transport == Transport::Udp { "udp" } else { "tcp" };
    let flag = |is_set: bool, name: &'static str| if is_set { name } else { "" };
    format!(
        "{} {} class {} {transport} to {}{}{}{}{}{} {} octets",
        question.name_as_sent,
        question.qtype,
        question.qclass,
        question.server,
        flag(question.rd, " rd"),
        flag(question.ad, " ad"),
        flag(question.cd, " cd"),
        question.edns.map_or(String::new(), |payload| format!(" edns {payload}")),
        flag(question.dnssec_ok, " do"),
        question.raw.len(),
    )
}

/// Makes the calls with libc and with the library; what servers saw is part of the comparison.
fn compare(sandbox: &Sandbox, servers: &[&Server], calls: &str) -> Pair {
    let [libc, rustdns] = [false, true].map(|preload| {
        servers.iter().for_each(|server| server.clear_log());
        let command = sandbox.command(cc::program("resolver"));
        let command = if preload { sandbox.preload(command) } else { command };
        let mut output = run_with_input(command, calls.as_bytes(), LIMIT);
        for server in servers {
            for question in server.log() {
                output.stdout.extend_from_slice(format!("wire: {}\n", wire(&question)).as_bytes());
            }
        }
        output
    });
    Pair { what: "resolver".to_owned(), libc, rustdns }
}

/// The pair without the lines of either run for which `drop` is true.
fn without(mut pair: Pair, drop: impl Fn(&str) -> bool) -> Pair {
    for output in [&mut pair.libc, &mut pair.rustdns] {
        let text = output.out();
        let kept = text.lines().filter(|line| !drop(line)).map(|line| format!("{line}\n"));
        output.stdout = kept.collect::<String>().into_bytes();
    }
    pair
}

/// One server with this script, and resolv.conf's further lines.
fn same(about: &str, lines: &str, script: impl Script, calls: &str) {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", lines);
        let server = Server::start(sandbox, script);
        assert_same!(compare(sandbox, &[&server], calls), "{about}");
    });
}

fn zone() -> Zone {
    Zone::new()
        .a("host.test", "192.0.2.1")
        .a("www.one.test", "192.0.2.2")
        .txt("both.two.test", "second")
        .mx("host.test", 10, "mail.test")
        .txt("host.test", "some text")
        .cname("alias.test", "host.test")
        .a("only.test", "192.0.2.3")
        .nxdomain_else()
}

#[test]
fn records_of_every_type() {
    same(
        "types",
        "",
        zone(),
        "query host.test IN A\nquery host.test IN MX\nquery host.test IN TXT\n\
         query host.test IN ANY\nquery host.test CH TXT\nquery alias.test IN MX\n\
         query host.test IN 65535\nquery host.test IN 65536\nquery host.test -1 A\n\
         query HOST.Test. IN A\nquery host.test IN SRV\nquery none.test IN A\nquery \"\" IN A\n\
         query . IN NS\nquery a..b IN A\nquery a\\x20b.test IN A\nquery .host.test IN A\n\
         query aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test IN A\n\
         nquery host.test IN A\nninit\nnquery host.test IN A\nnquery none.test IN A\n\
         nsearch host.test IN MX\nnquerydomain host test IN TXT\nnclose\nfds\n",
    );
}

#[test]
fn what_a_message_is_to_the_caller() {
    let scripts: [(&str, Answer); 10] = [
        ("no data", |_| Reply::nodata().soa("test")),
        ("NXDOMAIN", |_| Reply::nxdomain().soa("test")),
        ("SERVFAIL", |_| Reply::rcode(rcode::SERVFAIL)),
        ("REFUSED", |_| Reply::rcode(rcode::REFUSED)),
        ("NOTIMP", |_| Reply::rcode(rcode::NOTIMP)),
        ("FORMERR", |_| Reply::rcode(rcode::FORMERR)),
        ("rcode 15", |_| Reply::rcode(15)),
        ("lame", |_| Reply::empty().without_recursion()),
        ("authentic", |q| Reply::records([Record::address(&q.name, "192.0.2.1")]).authentic()),
        ("unrelated", |_| Reply::records([Record::address("other.test", "192.0.2.1")])),
    ];
    for (about, script) in scripts {
        let calls = "query x.test IN A\nsearch x.test IN A\nmkquery 0 x.test IN A\nsend\n\
                     set options +TRUSTAD\nquery x.test IN A\nset options +USEVC\nquery x.test IN A\n";
        same(about, "options timeout:1 attempts:1\n", script, calls);
    }
}

fn long(q: &Question, records: u8) -> Reply {
    let text = |i: u8| Record::new(&q.name, Data::Txt(vec![i; 100]));
    Reply::records((0..records).map(text))
}

#[test]
fn buffers_of_every_size() {
    let sizes = [0, 1, 11, 12, 13, 28, 29, 30, 100, 511, 512, 513, 1000, 65536];
    let mut calls = String::new();
    for size in sizes {
        calls += &format!("query x.test IN TXT {size}\nmkquery 0 x.test IN TXT {size}\n");
        calls += "mkquery 0 x.test IN TXT\n";
        calls += &format!("send {size}\n");
    }
    let udp: Answer = |q| long(q, 3);
    let tcp: Answer = |q| long(q, 30);
    for (about, options, script) in
        [("UDP", "", udp), ("TCP", "", tcp), ("TCP only", "use-vc", udp)]
    {
        Sandbox::enter(|sandbox| {
            let options = format!("options timeout:1 attempts:1 {options}\n");
            sandbox.append("/etc/resolv.conf", options);
            let server = Server::start(sandbox, script);
            let mut pair = compare(sandbox, &[&server], &calls);
            // libc clears a bit of the fourth octet in however short a buffer.
            assert!(!pair.rustdns.out().contains("wrote beyond"), "{}", pair.rustdns);
            pair.libc.stdout = pair.libc.out().replace(" wrote beyond the buffer", "").into_bytes();
            assert_same!(pair, "{about}");
        });
    }
}

#[test]
fn search_list() {
    let calls = "search host IN A\nsearch www IN A\nsearch both IN TXT\nsearch host.test IN A\n\
                 search www.one IN A\nsearch host. IN A\nsearch none IN A\nsearch \"\" IN A\n\
                 search . IN NS\nsearch a..b IN A\nsearch both IN A\n\
                 querydomain host test IN A\nquerydomain host test. IN A\nquerydomain host - IN A\n\
                 querydomain host.test \"\" IN A\nquerydomain \"\" test IN A\n\
                 init\nset options -DNSRCH\nsearch www IN A\nsearch both IN TXT\nsearch www.one IN A\n\
                 set options -DEFNAMES\nsearch www IN A\n\
                 set options +DNSRCH +DEFNAMES\nset ndots 3\nsearch www.one.test IN A\n\
                 set dnsrch two.test one.test\nsearch www IN A\nsearch both IN TXT\n\
                 set options +NOTLDQUERY\nsearch none IN A\n";
    for lines in [
        "search one.test two.test\n",
        "search one.test two.test\noptions ndots:2\n",
        "domain test\noptions no-tld-query\n",
        "search a b c d e f g h one.test\n",
    ] {
        same(lines, lines, zone(), calls);
    }
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "search . one.test\n");
        let server = Server::start(sandbox, zone());
        let calls = "search host IN A\nsearch www IN A\nsearch host.test IN A\nsearch none IN A\n";
        // What libc asks twice, as it is and under the root, the library asks once.
        let asked = |line: &str| line.starts_with("wire");
        assert_same!(without(compare(sandbox, &[&server], calls), asked), "root in the list");
    });
    let refusing = |q: &Question| match q.name.as_str() {
        "x.one.test" => Reply::rcode(rcode::SERVFAIL),
        "y.one.test" => Reply::rcode(rcode::REFUSED),
        "z.one.test" => Reply::rcode(rcode::FORMERR),
        "w.one.test" => Reply::nodata().soa("test"),
        _ if q.name.ends_with("two.test") => {
            Reply::records([Record::address(&q.name, "192.0.2.1")])
        }
        _ => Reply::nxdomain().soa("test"),
    };
    let lines = "search one.test two.test\noptions timeout:1 attempts:1\n";
    same(
        "trouble",
        lines,
        refusing,
        "search x IN A\nsearch y IN A\nsearch z IN A\nsearch w IN A\n",
    );
}

#[test]
fn host_aliases() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "search test\n");
        let file = sandbox.scratch().join("aliases");
        sandbox.write(&file, "short host.test\nother www.one.test.\n");
        let server = Server::start(sandbox, zone());
        let calls = format!(
            "setenv HOSTALIASES {}\nsearch short IN A\nsearch other IN A\nsearch short. IN A\n\
             query short IN A\nsearch host IN A\nset options +NOALIASES\nsearch short IN A\n",
            file.display()
        );
        assert_same!(compare(sandbox, &[&server], &calls));
    });
}

/// After a lookup without it, and then another file.
#[test]
fn host_aliases_that_come_later() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "search test\n");
        let [one, other] = ["one", "other"].map(|name| sandbox.scratch().join(name));
        sandbox.write(&one, "short host.test\n");
        sandbox.write(&other, "short www.one.test\n");
        let server = Server::start(sandbox, zone());
        let calls = format!(
            "search short IN A\ngai short\nsetenv HOSTALIASES {}\nsearch short IN A\ngai short\n\
             setenv HOSTALIASES {}\nsearch short IN A\nsetenv HOSTALIASES /nowhere\nsearch short IN A\n",
            one.display(),
            other.display()
        );
        assert_same!(compare(sandbox, &[&server], &calls));
    });
}

#[test]
fn queries_as_written() {
    let calls = "mkquery 0 host.test IN A\nsend\nmkquery 4 host.test IN SOA\nsend\n\
                 mkquery 5 host.test IN A\nmkquery 2 host.test IN A\nmkquery 16 host.test IN A\n\
                 mkquery 0 host.test CH ANY\nsend\nmkquery 0 . IN NS\nsend\n\
                 mkquery 0 host.test IN A 26\nmkquery 0 host.test IN A 27\n\
                 init\nset options -RECURSE\nmkquery 0 host.test IN A\nsend\nquery host.test IN A\n\
                 set options +TRUSTAD\nmkquery 0 host.test IN A\nsend\nquery host.test IN A\n\
                 set options +USE_EDNS0\nmkquery 0 host.test IN A\nsend\nquery host.test IN A\n\
                 query host.test IN A 100\nquery host.test IN A 1000\nquery host.test IN A 4000\n\
                 set options +USE_DNSSEC\nquery host.test IN A\nset options -USE_EDNS0\n\
                 query host.test IN A\n\
                 ninit\nnset options -RECURSE\nnmkquery 0 host.test IN A\nnsend\n";
    same("options", "", zone(), calls);
    same("resolv.conf's", "options edns0 trust-ad\n", zone(), calls);
    // Two questions, none at all, more than UDP takes, cut.
    let header = "12340100000100000000000004686f73740474657374000001";
    let long = format!("{header}0001{}", "00".repeat(520));
    let calls = format!(
        "raw {header}0001 65536\nraw {header}0001 12\nraw {long} 65536\n\
         nraw {header}0001 65536\nninit\nnraw {header}0001 65536\n"
    );
    same("raw", "options timeout:1 attempts:1\n", zone(), &calls);
}

#[test]
fn no_aaaa_asks_about_a_and_says_what_that_tells_of_aaaa() {
    let calls = "query host.test IN AAAA\nquery only.test IN AAAA\nquery none.test IN AAAA\n\
                 query alias.test IN AAAA\nquery host.test IN A\nquery host.test CH AAAA\n\
                 search www IN AAAA\nsearch none IN AAAA\nquerydomain host test IN AAAA\n\
                 mkquery 0 host.test IN AAAA\nsend\n\
                 set options +USE_EDNS0\nquery host.test IN AAAA\nquery host.test IN A\n\
                 set options +USEVC\nquery host.test IN AAAA\nquery none.test IN AAAA\n\
                 ninit\nnset options -NOAAAA\nnquery host.test IN AAAA\n";
    same("no-aaaa", "search one.test two.test\noptions no-aaaa\n", zone(), calls);
    for code in [rcode::SERVFAIL, rcode::REFUSED, rcode::FORMERR] {
        let script = move |_: &Question| Reply::rcode(code);
        let lines = "options no-aaaa timeout:1 attempts:1\n";
        let calls = "query host.test IN AAAA\nmkquery 0 host.test IN AAAA\nsend\n";
        same("trouble", lines, script, calls);
    }
}

#[test]
fn getaddrinfo_asks_for_signatures_where_the_program_wants_them() {
    let calls = "gai a.test\ninit\nset options +USE_DNSSEC\ngai b.test\nset options +USE_EDNS0\n\
                 gai c.test\nset options -USE_DNSSEC\ngai d.test\n";
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "options single-request\n");
        // libc has none, and the length of queries is compared.
        sandbox.write("/etc/rustdns.conf", "cookies off\n");
        let server = Server::start(sandbox, zone());
        assert_same!(compare(sandbox, &[&server], calls), "USE_DNSSEC");
    });
}

#[test]
fn filling_a_state() {
    let calls = "init\nninit\ninit\nset retrans 9\nset retry 4\nset options +IGNTC -DNSRCH\ninit\n\
                 nset options +IGNTC\nninit\nnclose\nnshow\n";
    for lines in [
        "",
        "nameserver ::1\nnameserver fe80::1%lo\nnameserver 127.0.0.3\n",
        "search a.test b.test c d e f g h\noptions ndots:3 timeout:3 attempts:4\n",
        "domain x.test\nsortlist 10.0.0.0/255.0.0.0 192.168.0.0\n",
        "options edns0 trust-ad rotate no-aaaa use-vc single-request single-request-reopen \
         no-tld-query\n",
        "search aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaa \
         bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.bbbbbbbbbbb \
         ccccccccccccccccccccccccccccccccccccccccccccccccccccccc.cccccccccccccccccccccccccccccc\n",
    ] {
        same(lines, lines, zone(), calls);
    }
}

#[test]
fn what_a_program_sets_is_honoured() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "search one.test\noptions timeout:1 attempts:1\n");
        let usual = Server::on(sandbox, &["127.0.0.1:53"], zone());
        let other = Server::on(
            sandbox,
            &["127.0.0.2:5353"],
            Zone::new()
                .a("host.test", "192.0.2.99")
                .a("www.two.test", "192.0.2.98")
                .nxdomain_else(),
        );
        let calls = "gai host.test\nquery host.test IN A\ninit\ngai host.test\n\
                     set nsaddr 0 127.0.0.2 5353\ngai host.test\nquery host.test IN A\n\
                     gai www\nset dnsrch two.test\ngai www\nsearch www IN A\nset ndots 0\ngai www\n\
                     set options +USEVC\ngai host.test\nquery host.test IN A\nset options -USEVC\n\
                     set options +NOAAAA\ngai host.test\nset options -NOAAAA\n\
                     set options -RECURSE\ngai host.test\nset options +RECURSE\n\
                     set nscount 0\nquery host.test IN A\ninit\ngai host.test\nquery host.test IN A\n\
                     ninit\nnset nsaddr 0 127.0.0.2 5353\nnquery host.test IN A\nnsearch www IN A\n\
                     query host.test IN A\n";
        // Repeated lookups come from the cache where the configuration is the file's.
        let cached = |line: &str| line.contains("to 127.0.0.1:53");
        assert_same!(without(compare(sandbox, &[&usual, &other], calls), cached));
    });
}

/// How often a program wants servers asked that say nothing, as mail servers set it. Each server is sent as many queries
/// as by libc.
#[test]
fn a_retry_that_a_program_sets_bounds_what_is_sent() {
    Sandbox::enter(|sandbox| {
        sandbox.name_servers(&[2, 3, 4], "timeout:1 attempts:3");
        let silent = [2, 3, 4].map(|at| {
            Server::on(sandbox, &[&format!("127.0.0.{at}:53")], |_: &Question| Reply::drop())
        });
        for (retry, call) in [
            (1, "query host.test IN A"),
            (2, "query host.test IN A"),
            (1, "gai host.test"),
            (1, "search host IN MX"),
        ] {
            let sent = [false, true].map(|preload| {
                silent.iter().for_each(Server::clear_log);
                let calls = format!("init\nset retrans 1\nset retry {retry}\n{call}\n");
                let command = sandbox.command(cc::program("resolver"));
                let command = if preload { sandbox.preload(command) } else { command };
                let output = run_with_input(command, calls.as_bytes(), LIMIT);
                assert!(output.success(), "{output}");
                silent.each_ref().map(|server| server.log().len())
            });
            assert_eq!(sent[0], sent[1], "retry {retry}: {call}: [libc, rustdns]");
            assert!(sent[0].iter().all(|&count| count > 0), "{sent:?}");
        }
    });
}

#[test]
fn servers_in_trouble() {
    Sandbox::enter(|sandbox| {
        sandbox.write(
            "/etc/resolv.conf",
            "nameserver 127.0.0.2\nnameserver 127.0.0.3\noptions timeout:1 attempts:1\n",
        );
        let first = Server::on(sandbox, &["127.0.0.2:53"], |q: &Question| {
            Reply::rcode(match q.qtype {
                rtype::A => rcode::SERVFAIL,
                rtype::MX => rcode::REFUSED,
                rtype::TXT => rcode::NXDOMAIN,
                _ => rcode::FORMERR,
            })
        });
        let second = Server::on(sandbox, &["127.0.0.3:53"], zone());
        let calls = "query host.test IN A\nquery host.test IN MX\nquery host.test IN TXT\n\
                     query host.test IN SOA\nmkquery 0 host.test IN A\nsend\n";
        assert_same!(compare(sandbox, &[&first, &second], calls));
    });
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "options timeout:1 attempts:1\n");
        assert_same!(compare(sandbox, &[], "query host.test IN A\nsearch host IN A\n"), "nobody");
    });
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "options timeout:1 attempts:1\n");
        let server = Server::start(sandbox, |_: &Question| Reply::drop());
        let calls = "query host.test IN A\nmkquery 0 host.test IN A\nsend\n";
        // The library asks again early (docs/divergences.md).
        let asked = |line: &str| line.starts_with("wire");
        assert_same!(without(compare(sandbox, &[&server], calls), asked), "silence");
    });
}

#[test]
fn a_file_that_changes_is_followed_by_who_has_not_changed_res() {
    Sandbox::enter(|sandbox| {
        let file = |address: &str, options: &str| {
            let text = format!("nameserver {address}\noptions timeout:1 attempts:1 {options}\n");
            sandbox.write("/etc/resolv.conf", text);
        };
        let first = Server::on(sandbox, &["127.0.0.1:53"], Zone::new().a("host.test", "192.0.2.1"));
        let second =
            Server::on(sandbox, &["127.0.0.2:53"], Zone::new().a("host.test", "192.0.2.2"));
        let rewrite = sandbox.scratch().join("resolv.conf");
        sandbox.write(&rewrite, "nameserver 127.0.0.2\noptions timeout:1 attempts:1 use-vc\n");
        let run = |preload, start: &str| {
            file("127.0.0.1", "");
            second.clear_log();
            let calls = format!(
                "{start}gai host.test\ncopy {} /etc/resolv.conf\ngai host.test\n\
                 query host.test IN A\ngai host.test\n",
                rewrite.display()
            );
            let command = sandbox.command(cc::program("resolver"));
            let command = if preload { sandbox.preload(command) } else { command };
            run_with_input(command, calls.as_bytes(), LIMIT)
        };
        for start in ["", "init\n", "query host.test IN A\n"] {
            let [libc, rustdns] = [false, true].map(|preload| run(preload, start));
            assert!(libc.out().contains("192.0.2.2"), "{libc}");
            assert!(second.asked().iter().all(|question| question.ends_with("tcp")));
            assert_same!(Pair { what: start.to_owned(), libc, rustdns });
        }
        // libc stays with the old servers once a program has set anything at all.
        for start in ["init\nset retrans 7\n", "init\nset options +IGNTC\n"] {
            let libc = run(false, start);
            assert!(!libc.out().contains("192.0.2.2"), "{libc}");
            let rustdns = run(true, start);
            assert!(rustdns.out().contains("192.0.2.2"), "{rustdns}");
            assert!(second.asked().iter().all(|question| question.ends_with("udp")));
        }
        drop(first);
    });
}
