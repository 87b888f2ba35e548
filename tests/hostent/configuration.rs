//! What nsswitch.conf, resolv.conf, host.conf and `HOSTALIASES` change.

use crate::support::cc;
use crate::support::differential::{LIMIT, Pair};
use crate::support::dns::Server;
use crate::support::process::run_with_input;
use crate::support::sandbox::Sandbox;
use crate::support::zone::Zone;
use crate::{HOSTS, answer, assert_same, by_address, by_name, by_names, compare_calls};

/// Makes calls of every outcome with this `hosts:` line.
fn calls_with(line: &str) -> Pair {
    let mut calls = by_names(&[
        "listed.test",
        "host.test",
        "nobody.test",
        "servfail.test",
        "bare.test",
        "1.2.3.4",
        "1.2.3.4.5",
    ]);
    for address in ["192.0.2.9", "192.0.2.1", "192.0.2.99"] {
        calls += &by_address("inet", "", address);
    }
    if line.split(' ').any(|service| service == "files") {
        calls += "ent\n";
    }
    let mut pair = None;
    Sandbox::enter(|sandbox| {
        sandbox.write("/etc/nsswitch.conf", format!("hosts: {line}\n"));
        sandbox.append("/etc/hosts", HOSTS);
        let _server = Server::start(sandbox, answer);
        pair = Some(compare_calls(sandbox, &calls));
    });
    pair.unwrap()
}

#[test]
fn nsswitch_lines() {
    for line in [
        "dns",
        "files",
        "dns files",
        "files nosuch dns",
        "nosuch files",
        "files nosuch",
        "files [NOTFOUND=return] dns",
        "files [SUCCESS=continue] dns",
        "dns [UNAVAIL=return] files",
        "dns [TRYAGAIN=return] files",
        "dns [NOTFOUND=return] files",
    ] {
        assert_same!(calls_with(line), "hosts: {line}");
    }
}

#[test]
fn nsswitch_lines_without_a_service() {
    for line in [
        "nosuch",
        "nosuch [UNAVAIL=return] files",
        "",
        "files,dns",
        "FILES DNS",
        "[NOTFOUND=return] files",
        "files [BOGUS=return] dns",
        "files [NOTFOUND=bogus] dns",
    ] {
        let mut pair = calls_with(line);
        // What libc returns then is whatever errno was.
        for output in [&mut pair.libc, &mut pair.rustdns] {
            output.stdout = String::from_utf8_lossy(&output.stdout)
                .lines()
                .map(|line| {
                    let words = line
                        .split(' ')
                        .filter(|w| !w.starts_with("code=") && !w.starts_with("errno="));
                    words.collect::<Vec<_>>().join(" ") + "\n"
                })
                .collect::<String>()
                .into();
        }
        assert_same!(pair, "hosts: {line}");
    }
}

#[test]
fn search_list() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, answer);
        sandbox.append("/etc/resolv.conf", "search nosuch.test search.test\n");
        assert_same!(compare_calls(
            sandbox,
            &by_names(&["found", "found.", "FOUND", "nobody", "host.test", "a.b"])
        ));
    });
}

#[test]
fn sortlist() {
    let zone = || {
        Zone::new()
            .addresses(
                "many.test",
                ["192.0.2.1", "198.51.100.1", "10.0.0.1", "198.51.100.2", "192.0.2.2", "10.1.0.1"],
            )
            .nxdomain_else()
    };
    for list in [
        "198.51.100.0/255.255.255.0",
        "10.1.0.0/255.255.0.0 198.51.100.0",
        "10.0.0.0",
        "10.0.0.0 192.0.2.0 198.51.100.0",
        "1.2.3.4",
    ] {
        Sandbox::enter(|sandbox| {
            let _server = Server::start(sandbox, zone());
            sandbox.append("/etc/resolv.conf", format!("sortlist {list}\n"));
            assert_same!(compare_calls(sandbox, &by_name("many.test")), "{list}");
        });
    }
}

#[test]
fn host_aliases() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, answer);
        sandbox.append("/etc/hosts", HOSTS);
        sandbox.write("/etc/aliases", "short host.test\nchained www.test\nfile listed.test\n");
        let [libc, rustdns] = [false, true].map(|preload| {
            let mut command = sandbox.command(cc::program("hostent"));
            command.arg("--batch").env("HOSTALIASES", "/etc/aliases");
            let command = if preload { sandbox.preload(command) } else { command };
            run_with_input(
                command,
                by_names(&["short", "SHORT", "chained", "file", "short.", "other"]).as_bytes(),
                LIMIT,
            )
        });
        Pair { what: "HOSTALIASES".to_owned(), libc, rustdns }.assert_same();
    });
}

#[test]
fn host_conf_is_not_read() {
    // What each changes for libc.
    for (text, effect) in [
        ("", true),
        ("multi off\n", true),
        ("multi on\nreorder on\n", true),
        ("multi on\ntrim .test\n", true),
        ("multi on\nnospoof on\n", true),
        ("multi on\norder bind,hosts\n", false),
    ] {
        let calls = by_names(&["many.test", "near.test", "localhost", "host.test", "m1"])
            + &by_address("inet", "", "192.0.2.10");
        let run = |text: &str| {
            let mut pair = None;
            Sandbox::enter(|sandbox| {
                // A network of its own, for `reorder`.
                sandbox.address("198.51.100.1/24");
                sandbox.write("/etc/host.conf", text);
                sandbox.append("/etc/hosts", HOSTS);
                sandbox.append("/etc/hosts", "192.0.2.77 near.test\n198.51.100.77 near.test\n");
                let _server = Server::start(sandbox, answer);
                pair = Some(compare_calls(sandbox, &calls));
            });
            pair.unwrap()
        };
        let mut pair = run(text);
        // As with the file that distributions have.
        let usual = run("multi on\n").libc;
        assert_eq!(pair.libc.to_string() != usual.to_string(), effect, "{text}: {}", pair.libc);
        pair.libc = usual;
        assert_same!(pair, "{text}");
    }
}
