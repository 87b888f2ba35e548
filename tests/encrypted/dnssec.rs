//! Signatures: zones signed by knot, checked here; delv says the same.

use std::time::Duration;

use crate::support::process::run;
use crate::support::sandbox::Sandbox;
use crate::support::servers::RealServer;
use crate::{Bed, is_found, look_up};

const RECORDS: &str = "host A 192.0.2.7\nhost AAAA 2001:db8::7\nalias CNAME host\n\
    *.wild A 192.0.2.7\n*.wild AAAA 2001:db8::7\nzone-end A 192.0.2.8\n";

/// Zones on 127.0.0.4: `test.` is signed, and what it says of the others makes them what they are called.
/// Returns the server, and a file with the anchor of `test.`.
fn zones(sandbox: &Sandbox) -> Option<(RealServer, &'static str)> {
    let children = [
        ("nsec.test", Some("nsec"), RECORDS),
        ("nsec3.test", Some("nsec3"), RECORDS),
        ("unsigned.test", None, RECORDS),
        ("wrongkey.test", Some("nsec"), RECORDS),
        ("stripped.test", None, RECORDS),
    ];
    // The keys of the children come first: their digests stand in the parent.
    let keys = RealServer::knot_signing(sandbox, "127.0.0.5:53", &children)?;
    let digest = |zone: &str| {
        let all = keys.keys(sandbox, zone, "ds");
        all.lines().find(|line| line.contains(" 13 2 ")).unwrap().to_owned()
    };
    let mut parent: String = children
        .iter()
        .map(|(zone, ..)| format!("{zone}. NS ns.{zone}.\nns.{zone}. A 127.0.0.4\n"))
        .collect();
    for zone in ["nsec.test", "nsec3.test"] {
        parent += &format!("{}\n", digest(zone));
    }
    let other = digest("nsec.test").replace("nsec.test.", "wrongkey.test.");
    parent += &format!("{other}\n{}\n", other.replace("wrongkey.test.", "stripped.test."));
    drop(keys);
    let folder = sandbox.scratch();
    let (from, to) = (folder.join("knotd-127.0.0.5:53"), folder.join("knotd-127.0.0.4:53"));
    std::fs::create_dir_all(&to).unwrap();
    // The same keys again.
    let copied =
        std::process::Command::new("cp").arg("-r").arg(from.join("keys")).arg(&to).status();
    assert!(copied.unwrap().success());
    let mut zones = vec![("test", Some("nsec"), parent.as_str())];
    zones.extend(children);
    let server = RealServer::knot_signing(sandbox, "127.0.0.4:53", &zones)?;
    let anchor = server.keys(sandbox, "test", "ds");
    let anchor = anchor.lines().find(|line| line.contains(" 13 2 ")).unwrap();
    sandbox.write("/etc/anchor", anchor);
    Some((server, "/etc/anchor"))
}

#[test]
fn chains_are_checked_over_plain_servers() {
    Sandbox::enter(|sandbox| {
        let _bed = Bed::new(sandbox);
        let Some((server, anchor)) = zones(sandbox) else { return };
        sandbox.name_servers(&[4], "timeout:2 attempts:1");
        sandbox.write("/etc/rustdns.conf", format!("dnssec validate\ntrust-anchor {anchor}\n"));
        for (name, text) in [
            ("host.nsec.test", "A: secure: No Error"),
            ("alias.nsec.test", "A: secure: No Error"),
            ("any.wild.nsec.test", "A: secure: No Error"),
            ("host.nsec3.test", "A: secure: No Error"),
            ("any.wild.nsec3.test", "A: secure: No Error"),
            ("host.unsigned.test", "A: insecure: No Error"),
        ] {
            let got = look_up(sandbox, name);
            is_found(&got);
            assert!(got.err().contains(text), "{name}: {got}");
        }
        for name in ["nothing.nsec.test", "nothing.nsec3.test", "nothing.test"] {
            let got = look_up(sandbox, name);
            assert!(got.out().contains("EAI_NONAME") && got.err().contains("A: secure: "), "{got}");
        }
        let got = look_up(sandbox, "nothing.unsigned.test");
        assert!(got.out().contains("EAI_NONAME") && got.err().contains("A: insecure: "), "{got}");
        for (name, text) in [
            ("host.wrongkey.test", "leads to no trust anchor (DNSSEC Bogus)"),
            ("host.stripped.test", "not signed, in a zone that is (RRSIGs Missing)"),
        ] {
            let got = look_up(sandbox, name);
            assert!(got.out().contains("EAI_FAIL") && got.err().contains(text), "{name}: {got}");
        }

        // delv agrees.
        let key = server.keys(sandbox, "test", "dnskey");
        let words: Vec<&str> = key.split_whitespace().collect();
        let [_, _, flags, protocol, algorithm, octets] = words[..] else { panic!("{key}") };
        let anchors = format!(
            "trust-anchors {{ test. static-key {flags} {protocol} {algorithm} \"{octets}\"; }};\n"
        );
        sandbox.write("/etc/delv.keys", anchors);
        for (name, text) in [
            ("host.nsec.test", "fully validated"),
            ("host.nsec3.test", "fully validated"),
            ("host.unsigned.test", "unsigned answer"),
            ("host.wrongkey.test", "resolution failed"),
            ("host.stripped.test", "resolution failed"),
        ] {
            let mut command = sandbox.command("delv");
            command.args(["@127.0.0.4", "-a", "/etc/delv.keys", "+root=test", name]);
            let got = run(command, Duration::from_secs(30));
            assert!(format!("{got}").contains(text), "{name}, no {text:?}: {got}");
        }
    });
}

#[test]
fn chains_are_checked_over_tls() {
    Sandbox::enter(|sandbox| {
        let bed = Bed::new(sandbox);
        let Some((_server, anchor)) = zones(sandbox) else { return };
        let forward = "\nforward-zone:\n  name: \"test.\"\n  forward-addr: 127.0.0.4\n";
        let server = RealServer::unbound_private(sandbox, "127.0.0.2:853", &bed.good, forward);
        let Some(_unbound) = server else { return };
        bed.configure(
            sandbox,
            "tls://127.0.0.2#dns.test",
            &format!("dnssec validate\ntrust-anchor {anchor}"),
        );
        for (name, text) in
            [("host.nsec.test", "A: secure: "), ("host.unsigned.test", "A: insecure: ")]
        {
            let got = look_up(sandbox, name);
            is_found(&got);
            assert!(got.err().contains(text), "{name}: {got}");
        }
        let got = look_up(sandbox, "host.wrongkey.test");
        assert!(got.out().contains("EAI_FAIL"), "{got}");
    });
}
