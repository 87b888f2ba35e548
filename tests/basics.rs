//! The common calls, all combinations of their arguments: the library prints what libc prints.

mod support;

use std::fmt::Write as _;

use support::differential::compare_calls;
use support::dns::Server;
use support::sandbox::Sandbox;
use support::zone::Zone;

const FAMILIES: &[&str] = &["", "-f inet", "-f inet6", "-f unix", "-f 99"];
const INET: &[&str] = &["", "-f inet", "-f inet6"];
const TYPES: &[&str] = &["", "-t stream", "-t dgram", "-t raw", "-t seqpacket", "-t 6", "-t 99"];
const PROTOCOLS: &[&str] =
    &["", "-p tcp", "-p udp", "-p icmp", "-p sctp", "-p dccp", "-p udplite", "-p 255", "-p -1"];

/// Every combination of one word of each list.
fn combine(lists: &[&[&str]]) -> String {
    let mut lines = vec!["gai".to_owned()];
    for list in lists {
        lines = lines.iter().flat_map(|l| list.iter().map(move |w| format!("{l} {w}"))).collect();
    }
    lines.join("\n") + "\n"
}

/// Makes the calls where `host.test` has two addresses of each family, and `listed.test` is in
/// hosts.
fn same(calls: &str) {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/hosts", "192.0.2.9 listed.test alias\n2001:db8::9 listed.test\n");
        let zone = Zone::new()
            .addresses("host.test", ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"])
            .a("four.test", "192.0.2.4")
            .aaaa("six.test", "2001:db8::6")
            .cname("www.test", "host.test")
            .txt("text.test", "no address")
            .ptr("192.0.2.1", "host.test")
            .ptr("2001:db8::1", "host.test")
            .nxdomain_else();
        let _server = Server::start(sandbox, zone);
        assert_same!(compare_calls(sandbox, calls));
    });
}

/// What is in hosts for one family is not looked for in the DNS for the other, unless ALL asks.
#[test]
fn a_mapped_address_comes_from_the_first_service_that_has_one() {
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/hosts", "192.0.2.9 both.test\n2001:db8::9 other.test\n");
        let zone = Zone::new()
            .aaaa("both.test", "2001:db8::1")
            .a("other.test", "192.0.2.1")
            .a("four.test", "192.0.2.4")
            .nxdomain_else();
        let _server = Server::start(sandbox, zone);
        let flags = &["", "-F V4MAPPED", "-F V4MAPPED,ALL", "-F ALL", "-F V4MAPPED,CANONNAME"];
        let nodes = &["both.test 80", "other.test 80", "four.test 80", "nobody.test 80"];
        for line in
            ["files dns", "dns files", "dns [NOTFOUND=return] files", "dns [!UNAVAIL=return] files"]
        {
            sandbox.write("/etc/nsswitch.conf", format!("hosts: {line}\n"));
            assert_same!(compare_calls(sandbox, &combine(&[INET, &["-t stream"], flags, nodes])));
        }
    });
}

#[test]
fn no_node() {
    let flags = &["", "-F PASSIVE", "-F CANONNAME", "-F NUMERICHOST", "-F NUMERICSERV"];
    same(&combine(&[FAMILIES, TYPES, flags, &["- 80", "- http", "- -"]]));
}

#[test]
fn socket_types_and_protocols() {
    let services = &["-", "80", "http", "domain", "tftp", "nosuch"];
    same(&combine(&[INET, TYPES, PROTOCOLS, &["127.0.0.1", "::1"], services]));
}

#[test]
fn families_and_types_with_names() {
    let nodes = &["host.test", "listed.test", "four.test", "six.test", "nobody.test", "text.test"];
    same(&combine(&[FAMILIES, TYPES, nodes, &["-", "80"]]));
}

#[test]
fn services() {
    let services = &[
        "-",
        "\"\"",
        "0",
        "1",
        "65535",
        "65536",
        "65537",
        "99999999999",
        "-1",
        "+80",
        "080",
        "0x50",
        "\\x2080",
        "80\\x20",
        "8o",
        "http",
        "HTTP",
        "www",
        "domain",
        "ssh",
        "nosuch",
        "http/tcp",
        "\\xff",
        "sunrpc",
        "portmapper",
    ];
    let flags = &["", "-F NUMERICSERV"];
    let services: Vec<String> = services.iter().map(|s| s.replace("-1", "\\x2d1")).collect();
    let services: Vec<&str> = services.iter().map(String::as_str).collect();
    same(&combine(&[&["", "-t stream", "-t dgram", "-t raw"], flags, &["127.0.0.1"], &services]));
}

#[test]
fn numeric_forms() {
    let nodes = &[
        "0",
        "1",
        "127.1",
        "127.0.1",
        "127.0.0.1",
        "0x7f.0.0.1",
        "0X7F000001",
        "0177.0.0.01",
        "2130706433",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:192.0.2.1",
        "::192.0.2.1",
        "2001:db8::1",
        "2001:DB8:0:0:0:0:0:1",
        "fe80::1",
        "fe80::1%lo",
        "fe80::1%1",
        "ff02::1%lo",
    ];
    let flags = &["", "-F NUMERICHOST", "-F CANONNAME", "-F V4MAPPED", "-F V4MAPPED,ALL"];
    same(&combine(&[INET, &["-t stream"], flags, nodes, &["-"]]));
}

#[test]
fn flags_with_names() {
    let flags = &[
        "",
        "-F PASSIVE",
        "-F CANONNAME",
        "-F NUMERICHOST",
        "-F NUMERICSERV",
        "-F V4MAPPED",
        "-F ALL",
        "-F V4MAPPED,ALL",
        "-F V4MAPPED,CANONNAME",
        "-F 0x100",
        "-F 0x200",
        "-F 0x400",
        "-F 0x800",
        "-F 0x1000",
        "-F 0x40000000",
        "-N",
    ];
    let nodes = &["host.test", "www.test", "listed.test", "alias", "four.test", "six.test"];
    same(&combine(&[INET, flags, nodes, &["80"]]));
    // Of names in files AI_ADDRCONFIG takes nothing away: see divergences.rs.
    let flags = &["-F ADDRCONFIG", "-F ADDRCONFIG,V4MAPPED", "-F ADDRCONFIG,V4MAPPED,ALL"];
    same(&combine(&[INET, flags, &["host.test", "www.test", "four.test", "six.test"], &["80"]]));
    same(&combine(&[&["-F CANONNAME"], FAMILIES, &["-"], &["-", "80"]]));
}

#[test]
fn localhost() {
    let nodes = &["localhost", "LOCALHOST", "localhost.localdomain", "ip6-localhost"];
    same(&combine(&[INET, &["-t stream"], &["", "-F CANONNAME"], nodes, &["80"]]));
}

/// Makes the calls with these addresses on an interface beside loopback.
fn same_with_addresses(own: &[&str], calls: &str) {
    Sandbox::enter(|sandbox| {
        own.iter().for_each(|address| sandbox.address(address));
        let zone = Zone::new()
            .addresses("host.test", ["198.51.100.1", "2001:db8:1::1", "192.0.2.7", "2001:db8::7"])
            .addresses("near.test", ["127.0.0.5", "10.1.2.3", "169.254.1.1", "192.0.2.7"])
            .addresses("six.test", ["2002:c000:207::1", "2001::1", "fc00::1", "fec0::1", "::1"])
            .nxdomain_else();
        let _server = Server::start(sandbox, zone);
        assert_same!(compare_calls(sandbox, calls), "{own:?}");
    });
}

#[test]
fn order_and_addrconfig_by_the_addresses_of_the_host() {
    // Of what needs no server AI_ADDRCONFIG takes nothing away, and a host without IPv6 gets mapped
    // addresses: see divergences.rs.
    const WITH: [&str; 3] = ["", "-F ADDRCONFIG", "-F ADDRCONFIG,V4MAPPED"];
    const ASKED: [&str; 3] = ["host.test", "near.test", "six.test"];
    const LOCAL: [&str; 4] = ["localhost", "127.0.0.1", "::1", "-"];
    let calls = |flags: &[_], nodes: &[_]| combine(&[INET, &["-t stream"], flags, nodes, &["80"]]);
    for own in [&[][..], &["192.0.2.9/24"], &["2001:db8::9/64"]] {
        same_with_addresses(own, &calls(&WITH[..2], &ASKED));
        same_with_addresses(own, &calls(&WITH[..1], &LOCAL));
    }
    for own in [
        &["192.0.2.9/24", "2001:db8::9/64"][..],
        &["10.0.0.1/8", "fc00::9/64", "2001:db8::9/64"],
        &["169.254.3.4/16", "fe80::9/64"],
    ] {
        same_with_addresses(own, &calls(&WITH, &ASKED));
        same_with_addresses(own, &calls(&WITH, &LOCAL));
    }
}

#[test]
fn names_of_addresses() {
    let mut calls = String::new();
    let addresses = [
        "127.0.0.1",
        "::1",
        "192.0.2.1",
        "192.0.2.9",
        "2001:db8::1",
        "2001:db8::9",
        "192.0.2.77",
        "fe80::1%lo",
        "fe80::1%99",
        "ff02::1%1",
        "ff12::1%1",
        "ff01::1%1",
        "ff05::1%1",
        "::ffff:192.0.2.1",
        "::",
        "::192.0.2.1",
        "::1:0",
        "::ffff",
        "0.0.0.0",
    ];
    let flags = [
        "0",
        "NUMERICHOST",
        "NUMERICSERV",
        "NUMERICHOST,NUMERICSERV",
        "NAMEREQD",
        "NUMERICHOST,NAMEREQD",
        "NOFQDN",
        "DGRAM",
        "0x20",
        "0x200",
        "0x8000",
    ];
    for address in addresses {
        for flag in flags {
            for port in ["0", "53", "80", "514", "65535"] {
                writeln!(calls, "gni -F {flag} {address} {port}").unwrap();
            }
        }
    }
    same(&calls);
}

#[test]
fn buffers_and_lengths_of_getnameinfo() {
    let mut calls = String::new();
    let hosts = [("127.0.0.1", "localhost"), ("192.0.2.1", "host.test"), ("::1", "localhost")];
    for (address, name) in hosts {
        for flags in ["0", "NUMERICHOST", "NUMERICSERV", "NAMEREQD"] {
            for (host, service) in [(0, 0), (0, 32), (64, 0), (1, 32), (64, 1), (64, 2), (64, 4)] {
                writeln!(calls, "gni -F {flags} -h {host} -s {service} {address} 80").unwrap();
            }
            for host in [name.len() - 1, name.len(), name.len() + 1, address.len() + 1] {
                writeln!(calls, "gni -F {flags} -h {host} {address} 80").unwrap();
            }
        }
        for length in [0, 1, 2, 8, 15, 16, 17, 24, 27, 28, 29, 128] {
            writeln!(calls, "gni -F NUMERICHOST -l {length} {address} 80").unwrap();
        }
        for family in ["99", "unix", "inet", "inet6"] {
            writeln!(calls, "gni -F NUMERICHOST -f {family} {address} 80").unwrap();
        }
    }
    for path in ["unix:/run/socket", "unix:", "unix:relative"] {
        for flags in ["0", "NUMERICHOST", "NUMERICSERV", "NAMEREQD"] {
            writeln!(calls, "gni -F {flags} {path} 0\ngni -F {flags} -s 4 {path} 0").unwrap();
        }
    }
    same(&calls);
}
