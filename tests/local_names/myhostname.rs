//! `myhostname` against systemd's module.

use super::support::peers::{self, compare_probe};
use super::support::sandbox::Sandbox;
use crate::assert_same;

/// What is asked in every world: through getaddrinfo and getnameinfo.
fn calls(host: &str) -> String {
    let mut calls = String::new();
    let names = [
        host,
        &format!("{host}."),
        &format!("x{host}"),
        &format!("x.{host}"),
        "localhost",
        "LocalHost.",
        "a.localhost",
        "a.localhost.",
        "localhost.localdomain",
        "a.b.localhost.localdomain.",
        "notlocalhost",
        "localdomain",
        "_gateway",
        "_GATEWAY.",
        "gateway",
        "_outbound",
        "_Outbound.",
        "a._gateway",
        "absent.test",
    ];
    for name in names {
        for family in ["unspec", "inet", "inet6"] {
            calls += &format!("-t stream -f {family} -F CANONNAME {name} 80\n");
        }
        calls += &format!("-t stream -f inet6 -F V4MAPPED,ALL {name} 80\n");
    }
    calls
}

const ADDRESSES: &[&str] = &[
    "127.0.0.1",
    "127.0.0.2",
    "127.0.0.3",
    "::1",
    "::ffff:127.0.0.2",
    "192.0.2.9",
    "192.0.2.10",
    "192.0.2.1",
    "198.51.100.9",
    "198.51.100.1",
    "2001:db8::9",
    "2001:db8::1",
    "fe80::9",
    "fe80::1",
    "203.0.113.1",
];

fn host_calls(host: &str) -> String {
    let mut calls = String::new();
    for name in [host, "localhost", "_gateway", "_outbound", "absent.test"] {
        for family in ["inet", "inet6"] {
            calls += &format!("name2 -f {family} {name}\n");
        }
    }
    for address in ADDRESSES {
        let family = if address.contains(':') { "inet6" } else { "inet" };
        calls += &format!("addr -f {family} {address}\n");
    }
    calls
}

/// A host called `host`, with hosts and DNS out of the way.
fn compare(host: &str, furnish: fn(&Sandbox)) {
    let Some(peers) = peers::folder() else { return };
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/nsswitch.conf", "hosts: myhostname\n");
        sandbox.write("/etc/hosts", "");
        sandbox.host_name(host);
        furnish(sandbox);
        let mut gai = calls(if host.is_empty() { "localhost" } else { host });
        for address in ADDRESSES {
            gai += &format!("gni -F NAMEREQD {address} 80\n");
        }
        let world = format!("{host:?}");
        let of_gai = compare_probe(sandbox, peers, "gai", &gai);
        assert!(of_gai.libc.out().contains("canonname=localhost"), "{}", of_gai.libc);
        assert_same!(of_gai, "{world}");
        assert_same!(compare_probe(sandbox, peers, "hostent", &host_calls(host)), "{world}");
    });
}

#[test]
fn a_host_without_a_network() {
    compare("alone", |_| {});
}

#[test]
fn a_host_without_a_name() {
    compare("", |sandbox| sandbox.address("192.0.2.9/24"));
}

#[test]
fn a_host_without_ipv6() {
    compare("four.example", |sandbox| {
        sandbox.without_ipv6();
        sandbox.address("192.0.2.9/24");
        sandbox.ip("route add default via 192.0.2.1");
    });
}

#[test]
fn addresses_and_gateways_of_both_families() {
    compare("both.example", |sandbox| {
        sandbox.address("192.0.2.10/24");
        sandbox.address("192.0.2.9/24");
        sandbox.address("2001:db8::9/64");
        sandbox.ip("-4 route add default via 192.0.2.1 metric 100");
        sandbox.ip("-4 route add default via 192.0.2.254 metric 50");
        sandbox.ip("-4 route add 203.0.113.0/24 via 192.0.2.77");
        sandbox.ip("-6 route add default via 2001:db8::fe metric 20");
        sandbox.ip("-6 route add default via 2001:db8::1 metric 10");
    });
}

#[test]
fn several_next_hops_and_interfaces() {
    compare("several", |sandbox| {
        sandbox.address("192.0.2.9/24");
        sandbox.ip("link add second type veth peer name third");
        for side in ["second", "third"] {
            sandbox.ip(&format!("link set {side} addrgenmode none"));
            sandbox.ip(&format!("link set {side} up"));
        }
        sandbox.ip("address add 198.51.100.9/24 dev second");
        // Of the host alone, of the link alone, and no longer preferred.
        sandbox.ip("address add 198.51.100.10/32 dev lo scope host");
        sandbox.ip("address add 198.51.100.11/32 dev second scope link");
        sandbox.ip("-6 address add 2001:db8:2::9/64 dev second nodad");
        sandbox.ip("-6 address add 2001:db8:2::a/64 dev second nodad preferred_lft 0");
        sandbox.ip(
            "route add default nexthop via 192.0.2.1 weight 1 nexthop via 198.51.100.1 weight 9",
        );
        sandbox.ip("route add default via inet6 2001:db8:2::1 dev second metric 7");
    });
}

#[test]
fn a_default_route_without_a_gateway() {
    compare("routed", |sandbox| {
        sandbox.address("192.0.2.9/24");
        sandbox.default_route(4);
        sandbox.ip("route add default via 192.0.2.1 table 7");
        sandbox.ip("route add blackhole default metric 900");
    });
}

/// The zone is lost on libc's way for one family: the address can't be connected to.
#[test]
fn link_local_addresses_keep_their_zone() {
    let Some(peers) = peers::folder() else { return };
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/nsswitch.conf", "hosts: myhostname\n");
        sandbox.write("/etc/hosts", "");
        sandbox.host_name("linked");
        sandbox.address("fe80::9/64");
        sandbox.ip("-6 route add default via fe80::1 dev out0");
        let call = |family: &str, name: &str| format!("-t stream -f {family} {name} 80\n");
        for (name, address) in
            [("linked", "fe80::9"), ("_gateway", "fe80::1"), ("_outbound", "fe80::9")]
        {
            let both = compare_probe(sandbox, peers, "gai", &call("unspec", name));
            let zone = format!("{address} port 80 scope ");
            assert!(both.libc.out().contains(&zone), "{}", both.libc);
            assert_same!(both);
            let one = compare_probe(sandbox, peers, "gai", &call("inet6", name));
            assert!(one.rustdns.out().contains(&zone), "{}", one.rustdns);
            let lost = format!("{address} port 80\n");
            assert!(one.libc.out().contains(&lost), "no divergence: {}", one.libc);
        }
        let reverse = "gni -F NAMEREQD fe80::9%out0 80\ngni -F NAMEREQD fe80::1%out0 80\n";
        let pair = compare_probe(sandbox, peers, "gai", reverse);
        assert!(pair.libc.out().contains("host=_gateway"), "{}", pair.libc);
        assert_same!(pair);
    });
}

/// systemd compares a host's name letter by letter.
#[test]
fn a_host_name_has_no_case() {
    let Some(peers) = peers::folder() else { return };
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/nsswitch.conf", "hosts: myhostname\n");
        sandbox.write("/etc/hosts", "");
        sandbox.host_name("Alone");
        let pair =
            compare_probe(sandbox, peers, "gai", "-t stream -f inet -F CANONNAME aLONE 80\n");
        assert!(pair.libc.out().contains("EAI_NONAME"), "no divergence: {}", pair.libc);
        assert!(
            pair.rustdns.out().contains("127.0.0.2 port 80 canonname=Alone"),
            "{}",
            pair.rustdns
        );
    });
}
