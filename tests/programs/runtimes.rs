//! Languages whose standard libraries ask libc: a program each that makes every call it has.

use super::build::{Go, Link, go_program};
use super::stage::{Stage, source};
use super::text::whole;

#[test]
fn python() {
    Stage::set(|stage| {
        stage.compare(
            "/usr/bin/python3",
            |c| c.arg(source("lookup.py")),
            whole,
            &["gethostbyname('www.example.test'): 192.0.2.80", "('www.example.test', 'domain')"],
        );
    });
}

#[test]
fn perl() {
    Stage::set(|stage| {
        stage.compare(
            "/usr/bin/perl",
            |c| c.arg(source("lookup.pl")),
            whole,
            &["gethostbyname alias.example.test: www.example.test", "  2001:db8::80 80"],
        );
    });
}

#[test]
fn node() {
    Stage::set(|stage| {
        stage.compare(
            "/usr/bin/node",
            |c| c.arg(source("lookup.js")),
            whole,
            &[
                "lookup www.example.test {}: {\"address\":\"",
                "fetch: 2001:db8::80 serves / of alias",
            ],
        );
    });
}

#[test]
fn php() {
    Stage::set(|stage| {
        stage.compare(
            "/usr/bin/php",
            |c| c.arg(source("lookup.php")),
            whole,
            &["www.example.test: 192.0.2.80 [\"192.0.2.80\"]", "192.0.2.80: www.example.test"],
        );
    });
}

#[test]
fn java() {
    Stage::set(|stage| {
        for preference in
            ["-Djava.net.preferIPv6Addresses=false", "-Djava.net.preferIPv4Stack=true"]
        {
            stage.compare(
                "/usr/bin/java",
                |c| c.args([preference, "-Xshare:auto"]).arg(source("Lookup.java")),
                whole,
                &["v6.example.test: ", "192.0.2.80: www.example.test www.example.test"],
            );
        }
    });
}

#[test]
fn go_debian() {
    cgo(Go::Debian);
}

#[test]
fn go_newest() {
    cgo(Go::Newest);
}

/// Go asks libc when it is told to; with the 1 it says so on standard error.
fn cgo(go: Go) {
    let program = go_program(&source("lookup.go"), go, Link::Dynamic);
    Stage::set(|stage| {
        stage.compare(
            program.to_str().unwrap(),
            |c| c.env("GODEBUG", "netdns=cgo+1"),
            whole,
            &["LookupHost www.example.test [", "LookupAddr 192.0.2.80 [www.example.test.]", "cgo"],
        );
    });
}
