//! Signatures: zones signed by knot, checked here; delv and dnsmasq say the same.

use std::time::Duration;

use crate::support::cc;
use crate::support::process::{run, run_with_input};
use crate::support::sandbox::Sandbox;
use crate::support::servers::RealServer;
use crate::zones::{ANCHOR, anchor_words, zones};
use crate::{Bed, PATIENT, by_libc, is_found, look_up};

/// Names, what the probe finds, what the trace says.
const GOOD: &[(&str, &str)] = &[
    ("host.nsec.test", "A: secure: No Error"),
    ("alias.nsec.test", "A: secure: No Error"),
    ("any.wild.nsec.test", "A: secure: No Error"),
    ("towild.nsec.test", "A: secure: No Error"),
    ("host.old.nsec.test", "A: secure: No Error"),
    ("host.nsec3.test", "A: secure: No Error"),
    ("any.wild.nsec3.test", "A: secure: No Error"),
    ("deep.er.wild.nsec3.test", "A: secure: No Error"),
    ("towild.nsec3.test", "A: secure: No Error"),
    ("host.old.nsec3.test", "A: secure: No Error"),
    ("host.unsigned.test", "A: insecure: No Error"),
    ("any.wild.unsigned.test", "A: insecure: No Error"),
];

/// Names without answers, and why.
const BAD: &[(&str, &str)] = &[
    ("host.wrongkey.test", "leads to no trust anchor (DNSSEC Bogus)"),
    ("host.stripped.test", "not signed, in a zone that is (RRSIGs Missing)"),
    ("host.expired.test", "signature expired (Signature Expired)"),
];

fn validate(sandbox: &Sandbox) {
    sandbox.name_servers(&[4], PATIENT);
    sandbox.write("/etc/rustdns.conf", format!("dnssec validate\ntrust-anchor {ANCHOR}\n"));
}

/// An IPv4 address is found, and it is as well proven that there is no IPv6 address.
#[track_caller]
fn has_one_address(sandbox: &Sandbox, name: &str, worth: &str) {
    let got = look_up(sandbox, name);
    assert!(got.out().contains("192.0.2.8"), "{name}: {got}");
    for kind in ["A", "AAAA"] {
        let text = format!("{name} {kind}: {worth}: No Error");
        assert!(got.err().contains(&text), "{name}: {got}");
    }
}

#[test]
fn chains_are_checked_over_plain_servers() {
    Sandbox::enter(|sandbox| {
        let _bed = Bed::new(sandbox);
        let Some(_server) = zones(sandbox) else { return };
        validate(sandbox);
        for (name, text) in GOOD {
            let got = look_up(sandbox, name);
            is_found(&got);
            assert!(got.err().contains(text), "{name}: {got}");
        }
        for (name, worth) in [
            ("near.nsec.test", "secure"),
            ("near.nsec3.test", "secure"),
            ("near.unsigned.test", "insecure"),
        ] {
            has_one_address(sandbox, name, worth);
        }
        for name in ["nothing.nsec.test", "nothing.nsec3.test", "nothing.test"] {
            let got = look_up(sandbox, name);
            assert!(got.out().contains("EAI_NONAME") && got.err().contains("A: secure: "), "{got}");
        }
        let got = look_up(sandbox, "nothing.unsigned.test");
        assert!(got.out().contains("EAI_NONAME") && got.err().contains("A: insecure: "), "{got}");
        for (name, text) in BAD {
            let got = look_up(sandbox, name);
            assert!(got.out().contains("EAI_FAIL") && got.err().contains(text), "{name}: {got}");
            is_found(&by_libc(sandbox, name));
        }
    });
}

/// A file of anchors may have a key, its digest, or IANA's form of that (RFC 7958).
#[test]
fn anchors_in_each_of_their_forms() {
    Sandbox::enter(|sandbox| {
        let Some(server) = zones(sandbox) else { return };
        validate(sandbox);
        let [ds, key] = ["ds", "dnskey"].map(|what| anchor_words(&server, sandbox, what));
        let [tag, algorithm, kind, digest] = &ds[..] else { panic!("{ds:?}") };
        let xml = |until: &str, digest: &str| {
            format!(
                "<?xml version=\"1.0\"?>\n<TrustAnchor><Zone>test.</Zone>\n\
                 <KeyDigest validFrom=\"2017-02-02T00:00:00+00:00\"{until}><KeyTag>{tag}</KeyTag>\
                 <Algorithm>{algorithm}</Algorithm><DigestType>{kind}</DigestType>\
                 <Digest>{digest}</Digest></KeyDigest></TrustAnchor>\n"
            )
        };
        for (anchors, text) in [
            (format!("test. 3600 IN DNSKEY {}\n", key.join(" ")), "A: secure: "),
            (format!("; of test\ntest. DS {}\n", ds.join(" ")), "A: secure: "),
            (xml("", digest), "A: secure: "),
            // One key has gone, the other was never there.
            (xml(" validUntil=\"2019-01-11T00:00:00+00:00\"", digest), "no trust anchor in it"),
            (xml("", &"0".repeat(64)), "A: bogus: "),
        ] {
            sandbox.write(ANCHOR, &anchors);
            let got = look_up(sandbox, "host.nsec.test");
            assert!(got.err().contains(text), "{anchors}: {got}");
            assert_eq!(got.out().contains("192.0.2.7"), text.contains("secure"), "{got}");
        }
    });
}

#[test]
fn delv_and_dnsmasq_agree() {
    Sandbox::enter(|sandbox| {
        let Some(server) = zones(sandbox) else { return };
        let key = anchor_words(&server, sandbox, "dnskey");
        let [flags, protocol, algorithm, octets] = &key[..] else { panic!("{key:?}") };
        let anchors = format!(
            "trust-anchors {{ test. static-key {flags} {protocol} {algorithm} \"{octets}\"; }};\n"
        );
        sandbox.write("/etc/delv.keys", anchors);
        let delv = |name: &str| {
            let mut command = sandbox.command("delv");
            command.args(["@127.0.0.4", "-a", "/etc/delv.keys", "+root=test", name]);
            format!("{}", run(command, Duration::from_secs(120)))
        };
        let digest = anchor_words(&server, sandbox, "ds").join(",");
        let anchor = format!("--trust-anchor=test,{digest}");
        // It won't start without an anchor of the root.
        let root = format!("--trust-anchor=.,1,13,2,{}", "0".repeat(64));
        let options = ["--dnssec", &anchor, &root, "--server=127.0.0.4", "--dnssec-check-unsigned"];
        let dnsmasq = RealServer::dnsmasq_with(sandbox, "127.0.0.7:53", &options);
        let flags = |name: &str| {
            let mut command = sandbox.command("dig");
            command.args(["@127.0.0.7", "+dnssec", "+tries=3", name]);
            let got = run(command, Duration::from_secs(120)).out();
            got.lines().find(|line| line.starts_with(";; flags:")).unwrap_or(&got).to_owned()
                + got.lines().find(|line| line.contains("status:")).unwrap_or("")
        };
        for (name, text) in GOOD {
            let is_secure = text.contains(": secure");
            let want = if is_secure { "fully validated" } else { "unsigned answer" };
            let got = delv(name);
            assert!(got.contains(want), "{name}, no {want:?}: {got}");
            // It makes nothing of a DNAME record's aliases, of which delv makes what we do.
            if dnsmasq.is_some() && !name.contains(".old.") {
                let got = flags(name);
                let has_ad = got.contains(" ad");
                assert!(got.contains("NOERROR") && has_ad == is_secure, "dnsmasq, {name}: {got}");
            }
        }
        for (name, _) in BAD {
            let got = delv(name);
            assert!(got.contains("resolution failed"), "{name}: {got}");
            if dnsmasq.is_some() {
                let got = flags(name);
                assert!(got.contains("SERVFAIL"), "dnsmasq, {name}: {got}");
            }
        }
    });
}

#[test]
fn chains_are_checked_over_tls() {
    Sandbox::enter(|sandbox| {
        let bed = Bed::new(sandbox);
        let Some(_server) = zones(sandbox) else { return };
        let forward = "\nforward-zone:\n  name: \"test.\"\n  forward-addr: 127.0.0.4\n";
        let server = RealServer::unbound_private(sandbox, "127.0.0.2:853", &bed.good, forward);
        let Some(_unbound) = server else { return };
        bed.configure(
            sandbox,
            "tls://127.0.0.2#dns.test",
            &format!("dnssec validate\ntrust-anchor {ANCHOR}"),
        );
        for (name, text) in
            [("host.nsec.test", "A: secure: "), ("host.unsigned.test", "A: insecure: ")]
        {
            let got = look_up(sandbox, name);
            is_found(&got);
            assert!(got.err().contains(text), "{name}: {got}");
        }
        // Aliases into other zones.
        for (name, worth) in [
            ("far.nsec.test", "secure"),
            ("far.unsigned.test", "insecure"),
            ("abroad.nsec.test", "insecure"),
        ] {
            has_one_address(sandbox, name, worth);
        }
        let got = look_up(sandbox, "host.wrongkey.test");
        assert!(got.out().contains("EAI_FAIL"), "{got}");
    });
}

/// A server that checks signatures itself says why it gives no answer (RFC 8914), and sets AD where
/// they hold. With `trust-ad` that is taken on trust; without, nobody looks.
#[test]
fn a_validating_server_s_words_are_shown_and_believed_where_they_are_to_be() {
    Sandbox::enter(|sandbox| {
        let bed = Bed::new(sandbox);
        let Some(_server) = zones(sandbox) else { return };
        let forward = format!(
            "  ede: yes\n  trust-anchor-file: \"{ANCHOR}\"\nforward-zone:\n  name: \"test.\"\n  \
             forward-addr: 127.0.0.4\n"
        );
        let server = RealServer::unbound_private(sandbox, "127.0.0.2:853", &bed.good, &forward);
        let Some(_unbound) = server else { return };
        bed.configure(sandbox, "tls://127.0.0.2#dns.test", "");
        let got = look_up(sandbox, "host.expired.test");
        assert!(got.out().contains("EAI_AGAIN"), "{got}");
        // Which of RFC 8914's codes it is depends on where in the chain unbound has given up.
        let extended = got.err().lines().any(|line| {
            let code = line.split(", EDE ").nth(1).and_then(|code| code.split(' ').next());
            code.is_some_and(|code| ["6", "7", "9", "10"].contains(&code))
        });
        assert!(extended, "{got}");

        for (setting, trusted) in [("off", false), ("trust-ad", true)] {
            bed.configure(sandbox, "tls://127.0.0.2#dns.test", &format!("dnssec {setting}"));
            for (name, is_secure) in [("host.nsec.test", true), ("host.unsigned.test", false)] {
                let command = sandbox.preload(sandbox.command(cc::program("resolver")));
                let calls = format!("query {name} IN A\n");
                let got = run_with_input(command, calls.as_bytes(), Duration::from_secs(120));
                // QR RD RA, and AD or not (RFC 4035 section 3.2.3).
                let flags = if trusted && is_secure { "flags=81a0" } else { "flags=8180" };
                assert!(got.out().contains(flags), "{setting}, {name}, no {flags}: {got}");
            }
        }
    });
}
