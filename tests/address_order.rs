//! The order in which `getaddrinfo` returns addresses, compared with the libc of this machine:
//! random answers from a hosts file of ours, on a host of ours with several sources, under
//! several gai.conf(5). Where no network namespace can be made, the test says so and skips.
//! Then properties that hold for every answer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing
)]

use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use rustdns::base::address::Address;
use rustdns::config::gai::{self, Policy};
use rustdns::rules::select::{Candidate, Source, needs_interface_facts, sort};

/// The addresses of the host: address, prefix length, interface, deprecated.
const SOURCES: &[(&str, u8, &str, bool)] = &[
    ("127.0.0.1", 8, "lo", false),
    ("192.0.2.5", 24, "a0", false),
    ("10.1.2.3", 8, "b0", false),
    ("169.254.7.7", 16, "b0", false),
    ("::1", 128, "lo", false),
    ("2001:db8:1::5", 64, "a0", false),
    ("2002:c000:205::5", 64, "a0", false),
    ("2001:db8:2::5", 64, "b0", true),
    ("fd00::5", 64, "b0", false),
    ("fec0::5", 64, "b0", false),
];

/// Prefixes from which the answers are drawn. Some have no route.
const PREFIXES: &[&str] = &[
    "127.0.0.",
    "192.0.2.",
    "10.1.2.",
    "10.77.0.",
    "169.254.7.",
    "198.51.100.",
    "192.0.77.",
    "203.0.113.",
    "::",
    "2001:db8:1::",
    "2001:db8:1:0:8000::",
    "2001:db8:2::",
    "2001:db8:3::",
    "2002:c000:205::",
    "fd00::",
    "fec0::",
    "::ffff:192.0.2.",
    "::ffff:10.1.2.",
];

const POLICIES: &[&str] = &[
    "",
    "precedence ::ffff:0:0/96 100\n",
    // Families tie, so that rules 8 and 9 decide, inconsistently.
    "precedence ::/0 1\nlabel ::/0 1\n",
    "label 2001:db8::/32 9\nlabel ::/0 1\nprecedence fd00::/8 45\nscopev4 10.0.0.0/8 5\n\
     scopev4 ::ffff:192.0.2.0/120 2\n",
    // Read by glibc in its own way: a sign; and lines ignored. (What it has read otherwise since 2.41 is in
    // tests/differential.)
    "label fd00::/+8 +1\nLabel ::/0 3\n\
     precedence ::/129 9\nprecedence fec0::/10 -1\nlabel 10.0.0.0/8 6\n",
    "label 2001:db8:1::/48 4 # comment\nlabel 2001:db8:1::/48 1\r\n\tprecedence\t2001:db8:2::/48\t60 x\n",
];

#[test]
fn order_is_that_of_libc() {
    let mut compared = 0;
    for (number, conf) in POLICIES.iter().enumerate() {
        for with_ipv6 in [true, false] {
            let seed = number as u32 * 2 + u32::from(with_ipv6);
            let answers = answers(seed, 60);
            let Some(libc) = ask_libc(&answers, conf, with_ipv6) else { return };
            let policy = gai::parse(Some(conf.as_bytes())).unwrap();
            for (name, answer) in &answers {
                let found: Vec<(IpAddr, Option<IpAddr>)> =
                    libc.lines().filter_map(|line| read(line, name)).collect();
                assert_eq!(found.len(), answer.len(), "{name}: {answer:?} in {libc}");
                let mut ours: Vec<Candidate> = answer
                    .iter()
                    .map(|&ip| {
                        let (_, source) = found.iter().find(|(found, _)| *found == ip).unwrap();
                        Candidate {
                            destination: Address::new(ip),
                            source: source.map(|ip| facts(ip, with_ipv6)),
                        }
                    })
                    .collect();
                sort(&mut ours, &policy).unwrap();
                let ours: Vec<IpAddr> = ours.iter().map(|c| c.destination.ip).collect();
                let theirs: Vec<IpAddr> = found.iter().map(|(ip, _)| *ip).collect();
                assert_eq!(
                    ours, theirs,
                    "ours, libc's; gai.conf {conf:?}, IPv6 {with_ipv6}, {answer:?}, {found:?}"
                );
                compared += 1;
            }
        }
    }
    assert_eq!(compared, POLICIES.len() * 2 * 60);
}

/// Names, each with up to a dozen distinct addresses.
fn answers(seed: u32, count: usize) -> Vec<(String, Vec<IpAddr>)> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12345);
    let mut random = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    let one = |random: &mut dyn FnMut(usize) -> usize| -> IpAddr {
        let prefix = PREFIXES[random(PREFIXES.len())];
        format!("{prefix}{}", 1 + random(9)).parse().unwrap()
    };
    (0..count)
        .map(|number| {
            let mut list: Vec<IpAddr> = Vec::new();
            for _ in 0..2 + random(12) {
                let ip = one(&mut random);
                if !list.contains(&ip) {
                    list.push(ip);
                }
            }
            (format!("name{number}.test"), list)
        })
        .collect()
}

fn ask_libc(answers: &[(String, Vec<IpAddr>)], conf: &str, with_ipv6: bool) -> Option<String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("address_order");
    fs::create_dir_all(&folder).unwrap();
    let oracle = folder.join("oracle");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/address_order.c");
    let status = Command::new("cc").arg("-o").arg(&oracle).arg(source).status();
    assert!(status.expect("cc can't be run").success());

    let etc = folder.join("etc");
    fs::create_dir_all(&etc).unwrap();
    let mut hosts = String::new();
    for (name, list) in answers {
        list.iter().for_each(|ip| writeln!(hosts, "{ip} {name}").unwrap());
    }
    fs::write(etc.join("hosts"), hosts).unwrap();
    fs::write(etc.join("host.conf"), "multi on\n").unwrap();
    fs::write(etc.join("nsswitch.conf"), "hosts: files\n").unwrap();
    fs::write(etc.join("gai.conf"), conf).unwrap();

    let mut script = String::from(
        "set -e; ip link set lo up; ip link add a0 type veth peer name a1\n\
         ip link add b0 type veth peer name b1\n\
         for i in a0 a1 b0 b1; do ip link set $i up; done\n",
    );
    for (ip, prefix, interface, deprecated) in SOURCES {
        let lifetime = if *deprecated { "preferred_lft 0" } else { "" };
        match ip.contains(':') {
            _ if *interface == "lo" => {}
            false => writeln!(script, "ip addr add {ip}/{prefix} dev {interface}").unwrap(),
            true if with_ipv6 => {
                writeln!(script, "ip addr add {ip}/{prefix} dev {interface} nodad {lifetime}")
                    .unwrap();
            }
            true => {}
        }
    }
    if !with_ipv6 {
        script.push_str("for i in a0 a1 b0 b1; do ip -6 addr flush dev $i; done\n");
    }
    script.push_str("ip route add default dev a0\nip route add unreachable 203.0.113.0/24\n");
    script.push_str("mount --bind \"$0\" /etc; exec \"$@\"\n");
    let root = std::os::unix::fs::MetadataExt::uid(&fs::metadata("/proc/self").unwrap()) == 0;
    let output = Command::new("unshare")
        .args([if root { "-nm" } else { "-rnm" }, "sh", "-c", &script])
        .arg(&etc)
        .arg(&oracle)
        .args(answers.iter().map(|(name, _)| name))
        .output();
    match output {
        Ok(output) if output.status.success() => Some(String::from_utf8(output.stdout).unwrap()),
        other => {
            println!("SKIPPED: no network namespace with veth interfaces: {other:?}");
            None
        }
    }
}

/// `name address source` of the oracle, if it is about `name`.
fn read(line: &str, name: &str) -> Option<(IpAddr, Option<IpAddr>)> {
    let mut words = line.split(' ');
    if words.next()? != name {
        return None;
    }
    Some((words.next()?.parse().unwrap(), words.next()?.parse().ok()))
}

/// What is known of a source; glibc knows nothing on a host without IPv6.
fn facts(ip: IpAddr, with_ipv6: bool) -> Source {
    let text = match ip {
        IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or(ip.to_string(), |ip| ip.to_string()),
        IpAddr::V4(ip) => ip.to_string(),
    };
    let Some(found) = SOURCES.iter().find(|(ip, ..)| *ip == text).filter(|_| with_ipv6) else {
        return Source::new(ip);
    };
    let &(_, prefix_len, interface, deprecated) = found;
    let interface = u32::from(interface.as_bytes()[0]);
    Source { prefix_len, interface, deprecated, native: true, ..Source::new(ip) }
}

fn some_candidate() -> impl Strategy<Value = Candidate> {
    let v4 = prop_oneof![
        Just(0x7f00_0001u32),
        0xa9fe_0000u32..0xa9fe_0004,
        0xc000_0200u32..0xc000_0240,
        any::<u32>()
    ];
    let v6 = (
        prop::sample::select(vec![0u16, 0x2001, 0x2002, 0xfe80, 0xfec0, 0xfd00, 0xff02]),
        0u16..3,
        0u16..8,
    )
        .prop_map(|(a, b, c)| Ipv6Addr::from([a, b, 0, 0, 0, 0, 0, c]));
    let pair = prop_oneof![
        (v4.clone(), v4).prop_map(|(a, b)| (IpAddr::V4(a.into()), IpAddr::V4(Ipv4Addr::from(b)))),
        (v6.clone(), v6).prop_map(|(a, b)| (IpAddr::V6(a), IpAddr::V6(b))),
    ];
    (pair, any::<bool>(), 0u8..33, 0u32..3, any::<[bool; 3]>()).prop_map(
        |((ip, source), usable, prefix_len, interface, [deprecated, home, native])| {
            let source = Source { ip: source, prefix_len, interface, deprecated, home, native };
            Candidate { destination: Address::new(ip), source: usable.then_some(source) }
        },
    )
}

/// A policy in which families tie, so that prefixes make the rules inconsistent.
const LEVEL: &str = "precedence ::/0 1\nlabel ::/0 1";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sorting_only_permutes(
        list in prop::collection::vec(some_candidate(), 0..70),
        level in any::<bool>(),
    ) {
        let policy = gai::parse(level.then_some(LEVEL.as_bytes())).unwrap();
        let mut sorted = list.clone();
        sort(&mut sorted, &policy).unwrap();
        let key = |c: &Candidate| format!("{c:?}");
        let (mut before, mut after): (Vec<_>, Vec<_>) =
            (list.iter().map(key).collect(), sorted.iter().map(key).collect());
        before.sort();
        after.sort();
        prop_assert_eq!(before, after);
    }

    /// Where the facts are said not to matter, leaving them out changes nothing.
    #[test]
    fn facts_are_asked_for_where_they_matter(
        list in prop::collection::vec(some_candidate(), 0..6),
    ) {
        let policy = Policy::default();
        if !needs_interface_facts(&list, &policy) {
            // Facts hang on the source: equal sources have equal facts.
            let facts = |ip: IpAddr| list.iter().filter_map(|c| c.source).find(|s| s.ip == ip);
            let mut with = list.clone();
            let mut without = list.clone();
            for c in &mut with {
                c.source = c.source.and_then(|source| facts(source.ip));
            }
            for c in &mut without {
                c.source = c.source.map(|source| Source::new(source.ip));
            }
            sort(&mut with, &policy).unwrap();
            sort(&mut without, &policy).unwrap();
            let order = |l: &[Candidate]| l.iter().map(|c| c.destination).collect::<Vec<_>>();
            prop_assert_eq!(order(&with), order(&without));
        }
    }
}
