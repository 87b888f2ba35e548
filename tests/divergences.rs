//! Where the library differs from libc on purpose: what each of the two does, row by row of
//! `docs/divergences.md`. A difference that is gone fails here too, so the table stays true.

mod support;

use std::time::Duration;

use support::differential::{probe, probe_within};
use support::dns::{Question, Reply, Server, Transport};
use support::process::{End, Output};
use support::sandbox::Sandbox;
use support::wire::{IN, Record, rtype};
use support::zone::Zone;

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
    [false, true]
        .map(|preload| in_short(&probe_within(FOR_EVER, sandbox, preload, &format!("{call}\n"))))
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
        differ(sandbox, LISTED, "0 192.0.2.200", "EAI_NONAME");
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
            differ(sandbox, HOST, "EAI_NONAME", "EAI_SYSTEM errno=EINVAL");
            agree(sandbox, HOST_INET, "EAI_SYSTEM errno=EINVAL");
            agree(sandbox, "gni 192.0.2.200 80", "EAI_SYSTEM errno=EINVAL");
            // Services have nothing to do with it.
            differ(sandbox, "gai -t stream 127.0.0.1 domain", "EAI_SERVICE", "0 127.0.0.1");
        }
    });
}

#[test]
fn an_empty_hosts_line_fails_with_an_errno_that_says_so() {
    Sandbox::enter(|sandbox| {
        let _server = furnish(sandbox);
        for line in ["hosts:\n", "hosts\n", "hosts: [NOTFOUND=return] files dns\n"] {
            sandbox.write("/etc/nsswitch.conf", line);
            differ(sandbox, HOST, "EAI_SYSTEM errno=EBUSY", "EAI_SYSTEM errno=EINVAL");
            differ(sandbox, HOST_INET, "EAI_SYSTEM errno=unknown", "EAI_SYSTEM errno=EINVAL");
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
        agree(sandbox, LISTED, "EAI_NONAME");
        differ(sandbox, "gai -t stream -f inet listed.test -", "0 192.0.2.200", "EAI_NONAME");
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
            differ(sandbox, "gai -t stream 127.0.0.1 domain", "EAI_SERVICE", "0 127.0.0.1");
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
        differ(sandbox, "gai -t stream -f inet short -", "signal 6", "EAI_NONAME");
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
fn addresses_of_another_class_are_left_out() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, |q: &Question| match q.qtype {
            rtype::A => {
                let chaos = Record { class: 3, ..Record::address(&q.name, "192.0.2.66") };
                right(q).answers([chaos])
            }
            _ => Reply::nodata().soa("test"),
        });
        differ(sandbox, HOST, "0 192.0.2.1 192.0.2.66", "0 192.0.2.1");
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
