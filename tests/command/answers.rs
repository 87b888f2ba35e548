//! `rustdns lookup` and `rustdns reverse`.

use super::{assert_refused, json, rustdns, with, zone};
use crate::support::differential::LIMIT;
use crate::support::dns::Server;
use crate::support::process::{End, run};
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
        // Times are whatever they are. Octets by RFC 1035: header 12, question 16, alias 19, address 16 or 28.
        let text = without_times(&output.out());
        let width = order.iter().map(|address| address.len()).max().unwrap();
        let want = format!(
            "name       alias.test\ncanonical  host.test\n\
             addresses  {:<width$}  from 127.0.0.1:53 over udp, T ms, TTL 300\n\
             \x20          {:<width$}  from 127.0.0.1:53 over udp, T ms, TTL 300\n\
             order      {} before {}: its precedence is higher (rule 6)\n\
             service    80\nports      80 stream\n           80 dgram\n           80 raw\n\
             asked      files: NOTFOUND (no such name), continue\n\
             \x20          dns: SUCCESS, return\n\
             queries    alias.test A to 127.0.0.1:53 over udp: NOERROR, 63 octets, T ms\n\
             \x20          alias.test AAAA to 127.0.0.1:53 over udp: NOERROR, 75 octets, T ms\n\
             time       T ms\n",
            order[0], order[1], order[0], order[1]
        );
        assert_eq!(text, want);

        let output = rustdns(sandbox, &["lookup", "-6", "--json", "alias.test", "80"]);
        let found = "d['name'], d['canonical'], [(a['address'], a['family'], a['ttl']) for a in \
                     d['addresses']], d['service'], d['ports'][0], d['microseconds'] > 0";
        assert_eq!(
            json(sandbox, &output.out(), found),
            "alias.test host.test [('2001:db8::1', 'ipv6', 300)] 80 \
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
            assert_eq!((output.end, output.err().lines().count()), (End::Exit(1), 1), "{output}");
            assert!(output.err().contains(&format!(": {code}: ")), "{output}");
            assert!(output.out().starts_with("name  "), "{output}");
            let output = rustdns(sandbox, &[&["lookup", "--json"], words].concat());
            assert_eq!(output.end, End::Exit(1), "{output}");
            assert_eq!(
                json(sandbox, &output.out(), "d['error'], d['message'] != ''"),
                format!("{code} True")
            );
        }
        let output = rustdns(sandbox, &["reverse", "192.0.2.2"]);
        assert_eq!(output.end, End::Exit(1), "{output}");
        assert!(output.err().contains("192.0.2.2: EAI_NONAME: "), "{output}");
        drop(server);
        let output =
            with(sandbox, &[("RES_OPTIONS", "timeout:1 attempts:1")], &["lookup", "host.test"]);
        assert_eq!(output.end, End::Exit(1), "{output}");
        for part in ["EAI_AGAIN", "/etc/resolv.conf"] {
            assert!(output.err().contains(part), "{output}");
        }
        let unanswered = "host.test A to 127.0.0.1:53 over udp: no answer\n";
        assert!(output.out().contains(unanswered), "{output}");
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
        assert_eq!(
            without_times(&output.out()),
            "address    192.0.2.1\nname       host.test\n\
             from       127.0.0.1:53 over udp, T ms, TTL 300\n\
             asked      files: NOTFOUND (no such name), continue\n\
             \x20          dns: SUCCESS, return\n\
             queries    1.2.0.192.in-addr.arpa PTR to 127.0.0.1:53 over udp: NOERROR, 63 octets, T ms\n\
             time       T ms\n"
        );
        let output = rustdns(sandbox, &["reverse", "--json", "::1"]);
        assert_eq!(json(sandbox, &output.out(), "d['address'], d['name']"), "::1 localhost");
        for wrong in ["host.test", "", "1.2.3.4.5", "fe80::1%nosuch"] {
            let output = rustdns(sandbox, &["reverse", wrong]);
            assert_refused(&output, 2, &["not an address", "rustdns lookup"]);
        }
    });
}

/// Every origin that an address may have, each where its oracle is what the test has set up.
#[test]
fn lookup_says_where_each_address_is_from() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        sandbox.address("192.0.2.9/24");
        sandbox.append("/etc/hosts", "# a comment\n192.0.2.50 other\n192.0.2.51 file.test\n");
        sandbox.write("/etc/nsswitch.conf", "hosts: files mdns4 dns myhostname\n");
        let origin = |words: &[&str]| {
            let output = rustdns(sandbox, &[&["lookup", "--json"], words].concat());
            let origin = "sorted((k, v) for k, v in d['addresses'][0]['origin'].items() \
                          if k != 'microseconds')";
            json(sandbox, &output.out(), &format!("{origin}, d['addresses'][0]['ttl']"))
        };
        let hosts = "[('file', '/etc/hosts'), ('kind', 'hosts'), ('line', 5), \
                     ('service', 'files')] None";
        assert_eq!(origin(&["file.test"]), hosts);
        assert_eq!(origin(&["192.0.2.77"]), "[('kind', 'numeric')] None");
        let dns = "[('kind', 'dns'), ('server', '127.0.0.1:53'), ('service', 'dns'), \
                   ('transport', 'udp')] 300";
        assert_eq!(origin(&["-4", "host.test"]), dns);
        // Within the same second, or the next one.
        let again = origin(&["-4", "--again", "host.test"]);
        let cache = "[('kind', 'cache'), ('service', 'dns')] ";
        assert!([299, 300].iter().any(|ttl| again == format!("{cache}{ttl}")), "{again}");
        sandbox.write("/etc/hosts", "");
        assert_eq!(origin(&["a.localhost"]), "[('kind', 'own'), ('service', 'dns')] None");

        let output = rustdns(sandbox, &["lookup", "-4", "host.test"]);
        assert!(output.out().contains("mdns4: UNAVAIL (can't be asked), continue\n"), "{output}");
        let foreign = |name: &str| {
            sandbox.write("/etc/nsswitch.conf", "hosts: nosuch files\n");
            let output = with(sandbox, &[("RUSTDNS_FOREIGN", "libc")], &["lookup", name]);
            sandbox.write("/etc/nsswitch.conf", "hosts: files mdns4 dns myhostname\n");
            output.out()
        };
        assert!(foreign("nosuch.test").contains("libc: NOTFOUND (no such name), return\n"));

        let output = rustdns(sandbox, &["reverse", "--json", "192.0.2.9"]);
        let kind = json(sandbox, &output.out(), "d['origin']['service'], d['asked'][2]['status']");
        assert_eq!(kind, "myhostname NOTFOUND");
    });
}

/// The rules are those by which libc sorts: what is said of neighbours holds for its order too.
#[test]
fn lookup_says_which_rule_put_an_address_before_the_next() {
    Sandbox::enter(|sandbox| {
        let far = Zone::new()
            .addresses("host.test", ["192.0.2.1", "2001:db8::1", "203.0.113.1"])
            .addresses("near.test", ["192.0.2.200", "192.0.2.8"]);
        let _server = Server::start(sandbox, far);
        sandbox.address("192.0.2.9/24");
        sandbox.address("2001:db8::9/64");
        for (name, rules) in [("host.test", "[6, 1, None]"), ("near.test", "[9, None]")] {
            let mut libc = sandbox.command("getent");
            libc.args(["ahosts", name]);
            let libc = run(libc, LIMIT).out();
            let order: Vec<_> = libc.lines().filter(|line| line.contains("STREAM")).collect();
            let order: Vec<_> = order.iter().map(|line| line.split(' ').next().unwrap()).collect();
            let output = rustdns(sandbox, &["lookup", "--json", name]);
            let addresses = json(sandbox, &output.out(), "*[a['address'] for a in d['addresses']]");
            assert_eq!(addresses, order.join(" "));
            let said = "[(a['before_next'] or {}).get('rule') for a in d['addresses']]";
            assert_eq!(json(sandbox, &output.out(), said), rules, "{output}");
        }
        let output = rustdns(sandbox, &["lookup", "--json", "host.test"]);
        let sources = json(sandbox, &output.out(), "[a['source'] for a in d['addresses']]");
        assert_eq!(sources, "['2001:db8::9', '192.0.2.9', None]");
    });
}

/// Times are no two runs' the same.
fn without_times(text: &str) -> String {
    let words = text.split(' ').collect::<Vec<_>>();
    let mut out: Vec<&str> = Vec::new();
    for word in words {
        if word.starts_with("ms")
            && let Some(last) = out.last_mut()
        {
            assert!(last.parse::<f64>().is_ok(), "{text}");
            *last = "T";
        }
        out.push(word);
    }
    out.join(" ")
}
