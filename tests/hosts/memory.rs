//! Memory that runs out at the n-th allocation, for every n.

use std::time::Duration;

use crate::support::cc;
use crate::support::dns::{Question, Reply, Server};
use crate::support::process::{End, Output, run};
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Record, rtype};

/// `many.test` has 40 addresses of each family, too many for a datagram.
fn answer(question: &Question) -> Reply {
    let name = &*question.name;
    let (records, owner) = match name {
        "one.test" | "short.example.test" | "xn--bcher-kva.test" => (1, name),
        "many.test" => (40, name),
        "alias.test" => (1, "a-rather-long-canonical-name-that-no-short-buffer-holds.example.test"),
        "1.0.0.10.in-addr.arpa" if question.qtype == rtype::PTR => {
            return Reply::records([Record::ptr(name, "one.test")]);
        }
        _ => return Reply::nxdomain().soa("test"),
    };
    let alias = (name != owner).then(|| Record::cname(name, owner));
    let addresses = (1..=records).map(|n| match question.qtype {
        rtype::AAAA => Record::address(owner, &format!("fd00::{n}")),
        _ => Record::address(owner, &format!("10.0.0.{n}")),
    });
    Reply::records(alias.into_iter().chain(addresses))
}

fn runs_out(mode: &str, variables: &[(&str, &str)]) -> Output {
    let mut output = None;
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/resolv.conf", "nameserver 127.0.0.1\nsearch example.test\n");
        // The DNS has no such name: who can't read the file must say so.
        sandbox.append("/etc/hosts", "10.9.9.9 listed.test another.test\n");
        sandbox.address("192.0.2.9/24");
        sandbox.address("2001:db8::9/64");
        let _server = Server::start(sandbox, answer);
        let mut command = sandbox.command(cc::program("host_memory"));
        command.arg(mode).envs(variables.iter().copied());
        let got = run(sandbox.preload(command), Duration::from_secs(100));
        assert_eq!(got.end, End::Exit(0), "{got}");
        assert!(got.out().contains("ok ") && got.err().is_empty(), "{got}");
        output = Some(got);
    });
    output.unwrap()
}

#[test]
fn memory_runs_out_in_a_later_lookup() {
    runs_out("later", &[("RUSTDNS_CACHE", "off")]);
}

#[test]
fn memory_runs_out_with_answers_in_the_cache() {
    runs_out("later", &[]);
}

#[test]
fn memory_runs_out_in_the_first_lookup() {
    runs_out("first", &[]);
}

#[test]
fn memory_runs_out_in_names_of_other_scripts() {
    runs_out("international", &[("RUSTDNS_CACHE", "off")]);
    runs_out("international", &[]);
}
