//! Languages whose standard libraries ask libc: a program each that makes every call it has.

use super::build::{Go, Link, go_program};
use super::stage::{Stage, source};
use super::text::whole;

#[test]
fn python() {
    interpreter(
        "/usr/bin/python3",
        "lookup.py",
        "getnameinfo(('192.0.2.80', 53), 8): ('www.example.test', 'domain')",
        "gethostbyname('www.example.test'): 192.0.2.80",
    );
}

#[test]
fn perl() {
    interpreter(
        "/usr/bin/perl",
        "lookup.pl",
        "  2001:db8::80 80",
        "gethostbyname alias.example.test: www.example.test",
    );
}

#[test]
fn php() {
    interpreter(
        "/usr/bin/php",
        "lookup.php",
        "2001:db8::80 serves / of www.example.test:8080",
        "www.example.test: 192.0.2.80 [\"192.0.2.80\"]",
    );
}

/// Runs a script that knows both generations of calls, `expected` and `older` being part of what
/// it prints.
fn interpreter(program: &str, script: &str, expected: &str, older: &str) {
    Stage::set(|stage| {
        stage.compare(program, |c| c.arg(source(script)).arg("getaddrinfo"), whole, &[expected]);
        stage.compare_preloaded(
            program,
            |c| c.arg(source(script)).arg("gethostby"),
            whole,
            &[older],
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

/// `dns_get_record`, `checkdnsrr` and `getmxrr` ask by `res_nsearch`.
#[test]
fn php_records() {
    Stage::set(|stage| {
        stage.compare(
            "/usr/bin/php",
            |c| c.arg(source("records.php")),
            whole,
            &[
                "www.example.test A: [{\"host\":\"www.example.test\"",
                "mx true[[\"www.example.test\",\"v4.example.test\"],[10,20]]",
                "absent.example.test A: [] false",
            ],
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
