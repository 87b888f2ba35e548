//! `rustdns lookup` and `rustdns reverse`.

use super::{assert_refused, json, rustdns, with, zone};
use crate::support::differential::LIMIT;
use crate::support::dns::Server;
use crate::support::process::End;
use crate::support::process::run;
use crate::support::sandbox::Sandbox;
use crate::support::zone::Zone;

#[test]
fn lookup_shows_what_a_program_would_get() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        sandbox.address("192.0.2.9/24");
        sandbox.address("2001:db8::9/64");
        // The order is libc's own: two addresses in the same networks as ours.
        let mut libc = sandbox.command("getent");
        libc.args(["ahosts", "alias.test"]);
        let libc = run(libc, LIMIT).out();
        let order: Vec<_> = libc.lines().filter(|line| line.contains("STREAM")).collect();
        let order: Vec<_> = order.iter().map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(order.len(), 2, "{libc}");
        let output = rustdns(sandbox, &["lookup", "alias.test", "80"]);
        assert!(output.success(), "{output}");
        let text = output.out();
        let (known, time) = text.trim_end().rsplit_once('\n').unwrap();
        let want = format!(
            "name       alias.test\ncanonical  host.test\naddresses  {}\n           {}\n\
             service    80\nports      80 stream\n           80 dgram\n           80 raw",
            order[0], order[1]
        );
        assert_eq!(known, want);
        assert!(time.starts_with("time ") && time.ends_with(" ms"), "{time}");

        let output = rustdns(sandbox, &["lookup", "-6", "--json", "alias.test", "80"]);
        let found = "d['name'], d['canonical'], d['addresses'], d['service'], d['ports'][0], \
                     d['microseconds'] > 0";
        assert_eq!(
            json(sandbox, &output.out(), found),
            "alias.test host.test [{'address': '2001:db8::1', 'family': 'ipv6'}] 80 \
             {'port': 80, 'socket': 'stream', 'protocol': 6} True"
        );
        let output = rustdns(sandbox, &["lookup", "-4", "host.test"]);
        assert!(output.out().contains("192.0.2.1") && !output.out().contains("2001:"), "{output}");
    });
}

#[test]
fn what_is_not_found_has_its_code_on_standard_error_and_in_json() {
    Sandbox::enter(|sandbox| {
        let server = Server::start(sandbox, zone());
        for (words, code) in [
            (&["nosuch.test"][..], "EAI_NONAME"),
            (&["text.test"], "EAI_NODATA"),
            (&["host.test", "nonsense"], "EAI_SERVICE"),
            (&["-6", "192.0.2.1"], "EAI_ADDRFAMILY"),
            (&["a..b"], "EAI_NONAME"),
            (&[""], "EAI_NONAME"),
        ] {
            let output = rustdns(sandbox, &[&["lookup"], words].concat());
            assert_refused(&output, 1, &[&format!(": {code}: ")]);
            let output = rustdns(sandbox, &[&["lookup", "--json"], words].concat());
            assert_eq!(output.end, End::Exit(1), "{output}");
            assert_eq!(
                json(sandbox, &output.out(), "d['error'], d['message'] != ''"),
                format!("{code} True")
            );
        }
        assert_refused(
            &rustdns(sandbox, &["reverse", "192.0.2.2"]),
            1,
            &["192.0.2.2: EAI_NONAME: "],
        );
        drop(server);
        let output =
            with(sandbox, &[("RES_OPTIONS", "timeout:1 attempts:1")], &["lookup", "host.test"]);
        assert_refused(&output, 1, &["EAI_AGAIN", "/etc/resolv.conf"]);
    });
}

#[test]
fn names_beyond_ascii_are_looked_up_in_their_idna_form() {
    Sandbox::enter(|sandbox| {
        // RFC 3492's algorithm gives mnchen-3ya for münchen.
        let _server = Server::start(sandbox, Zone::new().a("xn--mnchen-3ya.test", "192.0.2.8"));
        let output = rustdns(sandbox, &["lookup", "--json", "münchen.test"]);
        let found = "d['name'], d['canonical'], d['addresses'][0]['address']";
        assert_eq!(json(sandbox, &output.out(), found), "münchen.test münchen.test 192.0.2.8");
    });
}

#[test]
fn reverse_shows_the_name() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        let output = rustdns(sandbox, &["reverse", "192.0.2.1"]);
        assert!(output.success(), "{output}");
        assert!(
            output.out().starts_with("address    192.0.2.1\nname       host.test\ntime"),
            "{output}"
        );
        let output = rustdns(sandbox, &["reverse", "--json", "::1"]);
        assert_eq!(json(sandbox, &output.out(), "d['address'], d['name']"), "::1 localhost");
        for wrong in ["host.test", "", "1.2.3.4.5", "fe80::1%nosuch"] {
            let output = rustdns(sandbox, &["reverse", wrong]);
            assert_refused(&output, 2, &["not an address", "rustdns lookup"]);
        }
    });
}
