//! Where the library differs from libc on purpose: what each of the two does, row by row of
//! `docs/divergences.md`. A difference that is gone fails here too, so the table stays true.

mod support;

use std::time::Duration;

use support::differential::{probe, probe_with};
use support::dns::{Question, Reply, Server, Transport};
use support::libcs::{self, Libc, Version};
use support::process::{End, Output, run};
use support::sandbox::Sandbox;
use support::wire::{IN, Record, rcode, rtype};
use support::zone::Zone;

/// The oldest that is here as a machine's own. What Debian 11's 2.31 does otherwise is seen by `make
/// differential-roots`.
const V2_36: Version = Version(2, 36);

/// Where libc waits for ever, it is believed after this long.
const FOR_EVER: Duration = Duration::from_secs(3);

/// What one call came to, in a line: the code, then addresses or names; or how the probe ended.
fn in_short(output: &Output) -> String {
    match output.end {
        End::Exit(0) => {}
        End::Exit(status) => return format!("exit status {status}"),
        End::Signal(signal) => return format!("signal {signal}"),
        End::TimedOut(_) => return "hangs".to_owned(),
    }
    let mut short = String::new();
    for line in output.out().lines().skip(1) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [flags, _, _, _, address, ..] if flags.starts_with("flags=") => {
                short.push(' ');
                short.push_str(address);
            }
            words => {
                short.push(' ');
                short.push_str(&words.join(" "));
            }
        }
    }
    short.trim_start().to_owned()
}

/// Makes one call both ways.
fn both(sandbox: &Sandbox, call: &str) -> [String; 2] {
    both_with(Libc::chosen(), sandbox, call)
}

fn both_with(libc: &Libc, sandbox: &Sandbox, call: &str) -> [String; 2] {
    [false, true].map(|preload| {
        in_short(&probe_with(libc, FOR_EVER, sandbox, preload, &format!("{call}\n")))
    })
}

/// Asserts what libc and what the library make of a call.
#[track_caller]
fn differ(sandbox: &Sandbox, call: &str, libc: &str, rustdns: &str) {
    assert_ne!(libc, rustdns, "{call}: this is no divergence");
    assert_eq!(both(sandbox, call), [libc, rustdns], "{call}: [libc, rustdns]");
}

/// Asserts that both make this of a call.
#[track_caller]
fn agree(sandbox: &Sandbox, call: &str, answer: &str) {
    assert_eq!(both(sandbox, call), [answer, answer], "{call}: [libc, rustdns]");
}

/// Asserts what libcs before a version make of a call and what later ones do, and what the library makes of
/// it with either.
#[track_caller]
fn differ_before(
    sandbox: &Sandbox,
    version: Version,
    call: &str,
    [before, since]: [&str; 2],
    rustdns: &str,
) {
    assert_ne!(before, since, "{call}: libcs do not differ");
    for libc in Libc::several() {
        let got = both_with(libc, sandbox, call);
        let expected = if libc.version < version { before } else { since };
        assert_eq!(got, [expected, rustdns], "{call}: [glibc {}, rustdns]", libc.version);
    }
}

/// `listed.test` in hosts; `host.test` and `short.test` in the DNS.
fn furnish(sandbox: &Sandbox) -> Server {
    sandbox.append("/etc/hosts", "192.0.2.200 listed.test\n");
    let zone = Zone::new().a("host.test", "192.0.2.1").a("short.test", "192.0.2.2");
    Server::start(sandbox, zone.ptr("192.0.2.200", "other.test").nxdomain_else())
}

const LISTED: &str = "gai -t stream listed.test -";
const HOST: &str = "gai -t stream host.test -";
const HOST_INET: &str = "gai -t stream -f inet host.test -";

// ---- configuration files -----------------------------------------------------------------------

#[test]
fn the_last_line_of_nsswitch_conf_counts_without_its_newline() {
    Sandbox::enter(|sandbox| {
        let _server = furnish(sandbox);
        sandbox.write("/etc/nsswitch.conf", "hosts: dns");
        let libc = ["EAI_NONAME", "0 192.0.2.200"];
        differ_before(sandbox, V2_36, LISTED, libc, "EAI_NONAME");
        sandbox.write("/etc/nsswitch.conf", "hosts: dns\n");
        agree(sandbox, LISTED, "EAI_NONAME");
    });
}

#[test]
fn a_malformed_hosts_line_fails_in_one_way() {
    Sandbox::enter(|sandbox| {
        let _server = furnish(sandbox);
        for line in [
            "hosts: files [NOTFOUND=bogus] dns\n",
            "hosts: files [BOGUS=return] dns\n",
            "hosts: files [NOTFOUND] dns\n",
            "hosts: files [NOTFOUND=return dns\n",
            "hosts: files [] dns\n",
        ] {
            sandbox.write("/etc/nsswitch.conf", line);
            let invalid = "EAI_SYSTEM errno=EINVAL";
            differ_before(sandbox, V2_36, HOST, ["0 192.0.2.1", "EAI_NONAME"], invalid);
            differ_before(sandbox, V2_36, HOST_INET, ["0 192.0.2.1", invalid], invalid);
            // The name that the servers have: such a line is as good as none, `dns [!UNAVAIL=return] files`.
            let found = "0 host=other.test service=http";
            differ_before(sandbox, V2_36, "gni 192.0.2.200 80", [found, invalid], invalid);
            // Services have nothing to do with it.
            let (call, found) = ("gai -t stream 127.0.0.1 domain", "0 127.0.0.1");
            differ_before(sandbox, V2_36, call, [found, "EAI_SERVICE"], found);
        }
    });
}

#[test]
fn an_empty_hosts_line_fails_with_an_errno_that_says_so() {
    Sandbox::enter(|sandbox| {
        let _server = furnish(sandbox);
        for line in ["hosts:\n", "hosts\n", "hosts: [NOTFOUND=return] files dns\n"] {
            sandbox.write("/etc/nsswitch.conf", line);
            let (found, invalid) = ("0 192.0.2.1", "EAI_SYSTEM errno=EINVAL");
            let libc = [found, "EAI_SYSTEM errno=EBUSY"];
            differ_before(sandbox, V2_36, HOST, libc, invalid);
            let libc = [found, "EAI_SYSTEM errno=unknown"];
            differ_before(sandbox, V2_36, HOST_INET, libc, invalid);
        }
    });
}

#[test]
fn no_usable_service_fails_with_an_errno_that_says_so() {
    Sandbox::enter(|sandbox| {
        let _server = furnish(sandbox);
        for line in [
            "hosts: nosuch\n",
            "hosts: files,dns\n",
            "hosts: FILES DNS\n",
            "hosts: nosuch [UNAVAIL=return] files dns\n",
        ] {
            sandbox.write("/etc/nsswitch.conf", line);
            differ(sandbox, HOST, "EAI_SYSTEM errno=EBUSY", "EAI_SYSTEM errno=ENOENT");
            differ(sandbox, HOST_INET, "EAI_SYSTEM errno=unknown", "EAI_SYSTEM errno=ENOENT");
        }
    });
}

#[test]
fn success_merge_forgets_the_answer_for_every_call() {
    Sandbox::enter(|sandbox| {
        let _server = furnish(sandbox);
        sandbox.write("/etc/nsswitch.conf", "hosts: files [SUCCESS=merge] dns\n");
        differ_before(sandbox, V2_36, LISTED, ["0 192.0.2.200", "EAI_NONAME"], "EAI_NONAME");
        // Where what follows has no answer. Where it has, glibc 2.36 makes one of the two.
        let call = "gai -t stream -f inet listed.test -";
        differ_before(sandbox, Version(2, 41), call, ["0 192.0.2.200", "EAI_NODATA"], "EAI_NONAME");
        sandbox.write("/etc/nsswitch.conf", "hosts: files [NOTFOUND=merge] dns\n");
        agree(sandbox, HOST_INET, "0 192.0.2.1");
        differ_before(sandbox, V2_36, HOST, ["0 192.0.2.1", "EAI_NONAME"], "0 192.0.2.1");
    });
}

#[test]
fn success_merge_behind_the_last_service_is_an_answer() {
    Sandbox::enter(|sandbox| {
        let _server = furnish(sandbox);
        sandbox.write("/etc/nsswitch.conf", "hosts: files [SUCCESS=merge]\n");
        agree(sandbox, LISTED, "0 192.0.2.200");
        differ(sandbox, "gai -t stream -f inet listed.test -", "EAI_NODATA", "0 192.0.2.200");
        let reverse = "gni -F NAMEREQD 192.0.2.200 9";
        differ(sandbox, reverse, "EAI_NONAME", "0 host=listed.test service=discard");
    });
}

#[test]
fn an_option_may_be_taken_back() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "options no-aaaa -no-aaaa\n");
        let zone = Zone::new().a("two.test", "192.0.2.1").aaaa("two.test", "2001:db8::1");
        let _server = Server::start(sandbox, zone.nxdomain_else());
        let both = "0 2001:db8::1 192.0.2.1";
        // It can't be taken back where it is not known.
        let known = Libc::chosen().version >= V2_36;
        for libc in Libc::several() {
            let takes_back = !known || libc.version >= Version(2, 41);
            let [plain, rustdns] = both_with(libc, sandbox, "gai -t stream two.test -");
            let expected = if takes_back { both } else { "0 192.0.2.1" };
            assert_eq!([&*plain, &*rustdns], [expected, both], "glibc {}", libc.version);
        }
    });
}

#[test]
fn host_aliases_beside_other_threads() {
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/aliases", "short host.test\n");
        let _server = furnish(sandbox);
        for libc in Libc::several() {
            let found = [false, true].map(|preload| {
                let mut command = libcs::command(sandbox, libc, "aliases", preload);
                command.arg("/etc/aliases");
                run(command, FOR_EVER).out()
            });
            let followed = "none\n192.0.2.1\n";
            let ours = if libc.version < Version(2, 41) { "none\nnone\n" } else { followed };
            assert_eq!(found, [followed, ours], "glibc {}", libc.version);
        }
    });
}

#[test]
fn strict_error_is_not_known() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "options strict-error timeout:1 attempts:1\n");
        let _server = Server::start(sandbox, |q: &Question| match q.qtype {
            rtype::A => right(q),
            _ => Reply::rcode(rcode::SERVFAIL),
        });
        differ_before(sandbox, Version(2, 41), HOST, ["0 192.0.2.1", "EAI_AGAIN"], "0 192.0.2.1");
    });
}

#[test]
fn a_mapped_address_has_the_name_that_hosts_says() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/hosts", "192.0.2.200 listed.test\n::ffff:192.0.2.201 mapped.test\n");
        sandbox.write("/etc/nsswitch.conf", "hosts: files\n");
        let call = |address| format!("gni -F NAMEREQD {address} 9");
        let listed = "0 host=listed.test service=discard";
        agree(sandbox, &call("192.0.2.200"), listed);
        let mapped = call("::ffff:192.0.2.200");
        differ_before(sandbox, Version(2, 38), &mapped, ["EAI_NONAME", listed], listed);
        for address in ["192.0.2.201", "::ffff:192.0.2.201"] {
            agree(sandbox, &call(address), "0 host=mapped.test service=discard");
        }
    });
}

#[test]
fn a_prefix_without_its_length_is_one_address() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/hosts", "192.0.2.1 two.test\n2001:db8::9 two.test\n");
        for address in ["198.51.100.1/24", "2001:db8:1::1/64"] {
            sandbox.address(address);
        }
        sandbox.default_route(4);
        sandbox.default_route(6);
        let (v4, v6) = ("0 192.0.2.1 2001:db8::9", "0 2001:db8::9 192.0.2.1");
        let call = "gai -t stream two.test -";
        agree(sandbox, call, v6);
        // Less than IPv4 has.
        sandbox.write("/etc/gai.conf", "precedence 2001:db8::9 1\n");
        // 2.31 reads beyond the line, and may die.
        if Libc::chosen().version >= V2_36 {
            differ_before(sandbox, Version(2, 41), call, [v6, v4], v4);
        }
        // A number that is missing was 0.
        sandbox.write("/etc/gai.conf", "precedence 2001:db8::/32\nprecedence ::ffff:0:0/96 10\n");
        differ_before(sandbox, Version(2, 41), call, [v4, v6], v6);
    });
}

#[test]
fn a_service_that_is_not_there_does_not_hide_trouble_of_dns() {
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/nsswitch.conf", "hosts: dns nosuch\n");
        // Nobody listens at the name server's address.
        differ(sandbox, HOST, "EAI_SYSTEM errno=EBUSY", "EAI_AGAIN");
    });
}

#[test]
fn services_come_from_their_file_whatever_nsswitch_conf_says() {
    Sandbox::enter(|sandbox| {
        for line in ["services: nosuch\n", "services:\n"] {
            sandbox.write("/etc/nsswitch.conf", line);
            let (call, found) = ("gai -t stream 127.0.0.1 domain", "0 127.0.0.1");
            if line == "services:\n" {
                // 2.31 takes a line that names nobody for none.
                differ_before(sandbox, V2_36, call, [found, "EAI_SERVICE"], found);
            } else {
                differ(sandbox, call, "EAI_SERVICE", found);
            }
        }
    });
}

#[test]
fn attempts_below_one_are_one() {
    for options in ["attempts:0", "attempts:-1", "attempts:x"] {
        Sandbox::enter(|sandbox| {
            sandbox.append("/etc/resolv.conf", format!("options {options}\n"));
            let server = furnish(sandbox);
            assert_eq!(in_short(&probe(sandbox, false, HOST_INET)), "EAI_AGAIN", "{options}");
            assert_eq!(server.asked(), [""; 0], "{options}");
            assert_eq!(in_short(&probe(sandbox, true, HOST_INET)), "0 192.0.2.1", "{options}");
            assert_eq!(server.asked(), ["host.test 1 udp"], "{options}");
        });
    }
}

#[test]
fn resolv_conf_may_have_lines_that_end_in_cr_lf() {
    Sandbox::enter(|sandbox| {
        let _server = furnish(sandbox);
        sandbox.write("/etc/resolv.conf", "nameserver 127.0.0.1\r\nsearch test\r\n");
        differ(sandbox, "gai -t stream -f inet short -", "EAI_NONAME", "0 192.0.2.2");
    });
}

#[test]
fn a_folder_in_place_of_a_file_is_as_good_as_none() {
    Sandbox::enter(|sandbox| {
        let _server = furnish(sandbox);
        sandbox.mkdir("/etc/resolv.conf");
        differ(sandbox, LISTED, "EAI_NONAME", "0 192.0.2.200");
        differ(sandbox, HOST, "EAI_NONAME", "0 192.0.2.1");
        sandbox.write("/etc/resolv.conf", "nameserver 127.0.0.1\n");
        sandbox.mkdir("/etc/nsswitch.conf");
        differ(sandbox, LISTED, "EAI_NONAME", "0 192.0.2.200");
    });
}

#[test]
fn a_fifo_in_place_of_a_file_is_not_waited_for() {
    for path in ["/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/gai.conf"] {
        Sandbox::enter(|sandbox| {
            let _server = furnish(sandbox);
            sandbox.fifo(path);
            differ(sandbox, "gai -t stream localhost -", "hangs", "0 ::1 127.0.0.1");
        });
    }
}

#[test]
fn an_address_without_a_name_in_hosts_is_no_answer() {
    Sandbox::enter(|sandbox| {
        let _server = furnish(sandbox);
        sandbox.write("/etc/hosts", "192.0.2.200\n192.0.2.200 listed.test\n");
        differ(
            sandbox,
            "gni 192.0.2.200 9",
            "0 host= service=discard",
            "0 host=listed.test service=discard",
        );
    });
}

#[test]
fn a_search_domain_beyond_every_limit_aborts_nobody() {
    Sandbox::enter(|sandbox| {
        let _server = furnish(sandbox);
        let domain = "label.".repeat(60);
        sandbox.append("/etc/resolv.conf", format!("search {domain}test test\n"));
        let call = "gai -t stream -f inet short -";
        differ_before(sandbox, Version(2, 41), call, ["signal 6", "EAI_NONAME"], "EAI_NONAME");
    });
}

#[test]
fn a_sortlist_without_an_address_is_ignored() {
    Sandbox::enter(|sandbox| {
        let _server = furnish(sandbox);
        for pair in ["/", "x/8"] {
            sandbox.write("/etc/resolv.conf", format!("nameserver 127.0.0.1\nsortlist {pair}\n"));
            differ(sandbox, HOST, "hangs", "0 192.0.2.1");
        }
    });
}

// ---- names -------------------------------------------------------------------------------------

#[test]
fn localhost_is_known_without_asking() {
    Sandbox::enter(|sandbox| {
        let server = furnish(sandbox);
        for name in ["localhost.", "a.localhost", "a.b.LOCALHOST."] {
            differ(sandbox, &format!("gai -t stream {name} -"), "EAI_NONAME", "0 ::1 127.0.0.1");
        }
        server.clear_log();
        probe(sandbox, true, "gai a.localhost -\n");
        assert_eq!(server.asked(), [""; 0]);
    });
}

#[test]
fn names_that_the_dns_never_has_are_not_asked_for() {
    Sandbox::enter(|sandbox| {
        let server = furnish(sandbox);
        for name in ["a.invalid", "secret.onion", "a.ALT", "invalid."] {
            let asked = [false, true].map(|preload| {
                server.clear_log();
                let got = probe(sandbox, preload, &format!("gai -f inet {name} -\n"));
                assert_eq!(in_short(&got), "EAI_NONAME", "{name}");
                server.log().len()
            });
            assert_eq!(asked, [1, 0], "{name}: queries of [libc, rustdns]");
        }
    });
}

// ---- calls -------------------------------------------------------------------------------------

#[test]
fn ai_addrconfig_narrows_what_is_asked_and_nothing_else() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/hosts", "192.0.2.9 listed.test\n2001:db8::9 listed.test\n");
        // Only loopback has addresses: neither family is configured.
        let gai = "gai -t stream -F ADDRCONFIG";
        differ(sandbox, &format!("{gai} -f inet listed.test -"), "EAI_NONAME", "0 192.0.2.9");
        differ(sandbox, &format!("{gai} -f inet6 listed.test -"), "EAI_NONAME", "0 2001:db8::9");
        differ(sandbox, &format!("{gai} -f inet6 localhost -"), "EAI_NONAME", "0 ::1");
        differ(sandbox, &format!("{gai} -f inet 127.0.0.1 -"), "EAI_NONAME", "0 127.0.0.1");
        differ(sandbox, &format!("{gai} -f inet6 ::1 -"), "EAI_NONAME", "0 ::1");
        differ(sandbox, &format!("{gai} -f inet - 80"), "EAI_NONAME", "0 127.0.0.1");
    });
}

#[test]
fn ai_addrconfig_finds_addresses_of_either_family_in_files() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/hosts", "192.0.2.9 listed.test\n2001:db8::9 listed.test\n");
        sandbox.address("198.51.100.1/24");
        let gai = "gai -t stream -F ADDRCONFIG";
        differ(sandbox, &format!("{gai} -f inet6 listed.test -"), "EAI_NONAME", "0 2001:db8::9");
        differ(sandbox, &format!("{gai} -f inet6 ::1 -"), "EAI_NONAME", "0 ::1");
    });
}

#[test]
fn ai_addrconfig_leaves_mapped_addresses_to_a_host_without_ipv6() {
    Sandbox::enter(|sandbox| {
        let _server = furnish(sandbox);
        sandbox.address("198.51.100.1/24");
        let call = "gai -t stream -F ADDRCONFIG,V4MAPPED -f inet6 host.test -";
        differ(sandbox, call, "EAI_NONAME", "0 ::ffff:192.0.2.1");
    });
}

#[test]
fn ni_numericscope_is_accepted() {
    Sandbox::enter(|sandbox| {
        let call = |flags| format!("gni -F {flags} fe80::1%lo 80");
        differ(
            sandbox,
            &call("NUMERICHOST,0x100"),
            "EAI_BADFLAGS",
            "0 host=fe80::1%1 service=http",
        );
        agree(sandbox, &call("NUMERICHOST"), "0 host=fe80::1%lo service=http");
    });
}

// ---- answers of servers ------------------------------------------------------------------------

/// What no resolver may believe.
fn forged(q: &Question) -> Reply {
    Reply::records([Record::address(&q.name, "192.0.2.66")])
}

fn right(q: &Question) -> Reply {
    Reply::records([Record::address(&q.name, "192.0.2.1")])
}

/// A server that answers so; the call asks it for one IPv4 address.
fn differ_on(answer: fn(&Question) -> Reply, libc: &str, rustdns: &str) {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "options timeout:1 attempts:1\n");
        let _server = Server::start(sandbox, answer);
        differ(sandbox, HOST_INET, libc, rustdns);
    });
}

#[test]
fn a_query_in_place_of_a_response_is_waited_past() {
    differ_on(|q| forged(q).not_a_response().then(right(q)), "0 192.0.2.66", "0 192.0.2.1");
}

#[test]
fn a_response_of_another_opcode_is_waited_past() {
    differ_on(|q| forged(q).opcode(4).then(right(q)), "0 192.0.2.66", "0 192.0.2.1");
}

#[test]
fn a_datagram_too_short_for_a_header_is_waited_past() {
    differ_on(|q| forged(q).cut(11).then(right(q)), "EAI_AGAIN", "0 192.0.2.1");
    differ_on(|q| Reply::raw([]).then(right(q)), "EAI_AGAIN", "0 192.0.2.1");
}

#[test]
fn an_error_without_its_question_is_believed() {
    for code in [rcode::SERVFAIL, rcode::REFUSED, rcode::NOTIMP] {
        Sandbox::enter(|sandbox| {
            sandbox.name_servers(&[1, 2], "timeout:2 attempts:1");
            let error = move |_: &Question| Reply::rcode(code).without_question().without_edns();
            let _first = Server::on(sandbox, &["127.0.0.1:53"], error);
            let _second = Server::on(sandbox, &["127.0.0.2:53"], |q: &Question| right(q));
            for libc in Libc::several() {
                for preload in [false, true] {
                    let call = format!("{HOST_INET}\n");
                    let got = probe_with(libc, FOR_EVER * 2, sandbox, preload, &call);
                    assert_eq!(in_short(&got), "0 192.0.2.1", "{code}");
                    let waited = got.took >= Duration::from_millis(1900);
                    // 2.41 was the first; Debian's 2.36 has it too.
                    let waits = !preload && libc.version < V2_36;
                    assert_eq!(waited, waits, "{code}: glibc {} {:?}", libc.version, got.took);
                }
            }
        });
    }
}

#[test]
fn addresses_of_another_class_are_left_out() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, |q: &Question| match q.qtype {
            rtype::A => {
                let chaos = Record { class: 3, ..Record::address(&q.name, "192.0.2.66") };
                right(q).answers([chaos])
            }
            _ => Reply::nodata().soa("test"),
        });
        let (left_out, both) = ("0 192.0.2.1", "0 192.0.2.1 192.0.2.66");
        differ_before(sandbox, V2_36, HOST, [left_out, both], left_out);
    });
}

#[test]
fn a_server_that_is_silent_over_tcp_is_given_up() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/resolv.conf", "options timeout:1 attempts:1\n");
        let _server = Server::start(sandbox, |q: &Question| match q.transport {
            Transport::Udp => Reply::empty().truncated(),
            Transport::Tcp => Reply::drop(),
        });
        differ(sandbox, HOST_INET, "hangs", "EAI_AGAIN");
    });
}

#[test]
fn the_query_of_this_file_is_the_usual_one() {
    // What the rows above rest on: a plain query for an address is seen, and believed, by both.
    Sandbox::enter(|sandbox| {
        let server = furnish(sandbox);
        agree(sandbox, HOST_INET, "0 192.0.2.1");
        assert!(server.log().iter().all(|q| q.qclass == IN && q.qtype == rtype::A));
    });
}
