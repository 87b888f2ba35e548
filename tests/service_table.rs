//! The endpoints that `getaddrinfo` returns for a service, compared with the libc of this machine
//! over the whole product of socket types, protocols, services and AI_NUMERICSERV. libc reads a
//! services(5) of ours in a mount namespace; where none can be made, the test says so and skips.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use rustdns::base::error::Error;
use rustdns::rules::query::{Family, Flags, Hints, SockType};
use rustdns::rules::service::endpoints;

/// Name, port, protocol: what both sides know.
const SERVICES: &[(&str, u16, &str)] = &[
    ("http", 80, "tcp"),
    ("www", 80, "tcp"),
    ("domain", 53, "tcp"),
    ("domain", 53, "udp"),
    ("snmp", 161, "udp"),
    ("amqp", 5672, "tcp"),
    ("amqp", 5672, "sctp"),
    ("everywhere", 1001, "tcp"),
    ("everywhere", 1002, "udp"),
    ("everywhere", 1003, "dccp"),
    ("everywhere", 1004, "udplite"),
    ("everywhere", 1005, "sctp"),
    ("uncooked", 1006, "raw"),
    ("lite", 1007, "udplite"),
    ("0x50", 1008, "tcp"),
    ("-1", 1009, "tcp"),
    ("2147483648", 1010, "udp"),
    ("4294967376", 1011, "tcp"),
];

/// What is asked for; "-" stands for no service.
const ASKED: &[&str] = &[
    "-",
    "",
    "*",
    "80",
    "0",
    "65535",
    "65536",
    "65616",
    " 80",
    "80 ",
    "+80",
    "-80",
    "-1",
    "0x50",
    "2147483648",
    "4294967376",
    "http",
    "www",
    "HTTP",
    "domain",
    "snmp",
    "amqp",
    "everywhere",
    "uncooked",
    "lite",
    "nosuch",
];

const PROTOCOLS: [i32; 11] = [0, 6, 17, 33, 132, 136, 1, 47, 255, 256, -1];

#[test]
fn endpoints_are_those_of_libc() {
    let Some(libc) = ask_libc() else { return };
    let ours = ask_us();
    assert!(libc.lines().count() > 7000, "the oracle stopped early: {libc}");
    let differ: Vec<_> =
        libc.lines().zip(ours.lines()).filter(|(libc, ours)| libc != ours).collect();
    assert!(differ.is_empty(), "{} lines differ (libc, ours): {:#?}", differ.len(), differ.first());
    assert_eq!(libc.lines().count(), ours.lines().count());
}

fn ask_libc() -> Option<String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let oracle = folder.join("service_table");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/service_table.c");
    let status = Command::new("cc").arg("-o").arg(&oracle).arg(source).status();
    assert!(status.expect("cc can't be run").success());

    let mut text = String::new();
    for (name, port, protocol) in SERVICES {
        // An alias in the file: `www` is one of http.
        match *name {
            "http" => writeln!(text, "http {port}/{protocol} www").unwrap(),
            "www" => {}
            _ => writeln!(text, "{name} {port}/{protocol}").unwrap(),
        }
    }
    let services = folder.join("services");
    fs::write(&services, text).unwrap();

    let user =
        if fs::metadata("/proc/self").is_ok_and(|me| owner(&me) == 0) { "-m" } else { "-rm" };
    let output = Command::new("unshare")
        .args([user, "sh", "-c", "mount --bind \"$0\" /etc/services && exec \"$@\""])
        .arg(&services)
        .arg(&oracle)
        .args(ASKED)
        .output();
    match output {
        Ok(output) if output.status.success() => Some(String::from_utf8(output.stdout).unwrap()),
        other => {
            println!("SKIPPED: no mount namespace for a services file of our own: {other:?}");
            None
        }
    }
}

fn owner(meta: &fs::Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::uid(meta)
}

fn ask_us() -> String {
    let ports = |name: &[u8], protocol: &[u8]| {
        let found =
            SERVICES.iter().find(|(n, _, p)| n.as_bytes() == name && p.as_bytes() == protocol);
        Ok(found.map(|&(_, port, _)| port))
    };
    let mut text = String::new();
    for socktype in -1..=11 {
        for protocol in PROTOCOLS {
            for (index, service) in ASKED.iter().enumerate() {
                for numeric_serv in [false, true] {
                    let hints = Hints {
                        flags: Flags { numeric_serv, ..Flags::default() },
                        family: Family::V4,
                        socktype: kind(socktype),
                        protocol,
                    };
                    let service = (*service != "-").then_some(service.as_bytes());
                    write!(text, "{socktype} {protocol} {index} {}:", i32::from(numeric_serv))
                        .unwrap();
                    match endpoints(service, &hints, &ports) {
                        Ok(found) => {
                            for e in found {
                                write!(text, " {},{},{}", number(e.socktype), e.protocol, e.port)
                                    .unwrap();
                            }
                        }
                        Err(Error::NoName) => write!(text, " {}", libc::EAI_NONAME).unwrap(),
                        Err(Error::Service) => write!(text, " {}", libc::EAI_SERVICE).unwrap(),
                        Err(Error::SockType) => write!(text, " {}", libc::EAI_SOCKTYPE).unwrap(),
                        Err(other) => write!(text, " {other:?}").unwrap(),
                    }
                    text.push('\n');
                }
            }
        }
    }
    text
}

/// Linux's SOCK_DCCP, on every architecture; the libc crate does not have it for all.
const SOCK_DCCP: i32 = 6;

fn kind(number: i32) -> SockType {
    match number {
        0 => SockType::Any,
        libc::SOCK_STREAM => SockType::Stream,
        libc::SOCK_DGRAM => SockType::Dgram,
        libc::SOCK_RAW => SockType::Raw,
        libc::SOCK_SEQPACKET => SockType::SeqPacket,
        SOCK_DCCP => SockType::Dccp,
        _ => SockType::Other,
    }
}

fn number(kind: SockType) -> i32 {
    match kind {
        SockType::Stream => libc::SOCK_STREAM,
        SockType::Dgram => libc::SOCK_DGRAM,
        SockType::Raw => libc::SOCK_RAW,
        SockType::SeqPacket => libc::SOCK_SEQPACKET,
        SockType::Dccp => SOCK_DCCP,
        SockType::Any | SockType::Other => panic!("returned {kind:?}"),
    }
}
