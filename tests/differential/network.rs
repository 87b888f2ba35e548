//! Networks that hosts have, by name.

use super::support::sandbox::Sandbox;

/// What there is beside loopback: addresses, with what ip(8) is to say of them.
const NETWORKS: [(&str, &[&str]); 32] = [
    ("none", &[]),
    ("v4", &["198.51.100.1/24"]),
    ("v6", &["2001:db8:1::1/64"]),
    ("both", &["198.51.100.1/24", "2001:db8:1::1/64"]),
    ("v4-no-route", &["198.51.100.1/24", "no-default"]),
    ("v6-no-route", &["198.51.100.1/24", "2001:db8:1::1/64", "no-default"]),
    ("no-ipv6", &["no-ipv6", "198.51.100.1/24"]),
    ("linklocal", &["fe80::5/64"]),
    ("v4-linklocal", &["198.51.100.1/24", "fe80::5/64"]),
    ("linklocal-v4", &["169.254.3.3/16"]),
    ("ula", &["fd00::1/64"]),
    ("v4-ula", &["198.51.100.1/24", "fd00::1/64"]),
    ("v6-ula", &["2001:db8:1::1/64", "fd00::1/64"]),
    ("v4-lan-v6-ula", &["10.0.0.7/8", "fd00::1/64"]),
    ("deprecated", &["198.51.100.1/24", "2001:db8:1::1/64 preferred_lft 0"]),
    (
        "deprecated-both",
        &["2001:db8:1::1/64 preferred_lft 0", "2001:db8:9::9/64", "198.51.100.1/24"],
    ),
    ("temporary", &["2001:db8:1::1/64", "2001:db8:1::abcd/64 valid_lft 1000 preferred_lft 500"]),
    ("optimistic", &["2001:db8:1::1/64", "198.51.100.1/24", "2001:db8:2::1/64 home"]),
    ("sixtofour", &["198.51.100.1/24", "2002:c633:6401::1/48"]),
    ("teredo", &["198.51.100.1/24", "2001:0:c000:201::1/64"]),
    ("two-v6", &["2001:db8:1::1/64", "2001:db8:9::9/64", "198.51.100.1/24"]),
    ("two-v4", &["198.51.100.1/24", "192.0.2.100/25"]),
    ("private-v4", &["10.0.0.7/8"]),
    ("private-v4-v6", &["10.0.0.7/8", "2001:db8:1::1/64"]),
    ("v6-only-prefix", &["2001:db8:1::1/128"]),
    ("loopback-v4", &["127.0.0.77/8"]),
    ("loopback-v6", &["::7/128"]),
    ("mapped", &["198.51.100.1/24", "::ffff:198.51.100.9/128"]),
    ("mixed-lengths", &["198.51.100.1/28", "2001:db8:1::1/48", "10.0.0.7/30"]),
    ("wide", &["198.51.100.1/8", "2001:db8:1::1/32"]),
    ("point", &["198.51.100.1/32", "2001:db8:1::1/128"]),
    (
        "all",
        &[
            "198.51.100.1/24",
            "10.0.0.7/8",
            "2001:db8:1::1/64",
            "fd00::1/64",
            "fe80::5/64",
            "2002:c633:6401::1/48",
        ],
    ),
];

/// Gives the sandbox this network; with an address of a family goes a default route.
pub fn set_up(sandbox: &Sandbox, name: &str) {
    let known = NETWORKS.iter().find(|(known, _)| *known == name);
    let (_, words) = known.unwrap_or_else(|| panic!("no network {name}"));
    let addresses = || words.iter().filter(|word| word.contains('/'));
    if words.contains(&"no-ipv6") {
        sandbox.without_ipv6();
    }
    for words in addresses() {
        let (address, more) = words.split_once(' ').unwrap_or((words, ""));
        match more {
            "" => sandbox.address(address),
            more => {
                // The first address brings the interface up.
                let interface = "dev out0 nodad";
                if addresses().next() == Some(words) {
                    sandbox.address("192.0.2.254/32");
                    sandbox.ip("address del 192.0.2.254/32 dev out0");
                }
                sandbox.ip(&format!("address add {address} {interface} {more}"));
            }
        }
    }
    if words.contains(&"no-default") {
        return;
    }
    for (family, is_v6) in [(4, false), (6, true)] {
        if addresses().any(|address| address.contains(':') == is_v6) {
            sandbox.default_route(family);
        }
    }
}
