//! Zones that knot signs, for the tests of DNSSEC.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::sandbox::Sandbox;
use crate::support::servers::RealServer;

/// What each zone has. Below `wild`, `b` is a name without records of its own.
const RECORDS: &str = "host A 192.0.2.7\nhost AAAA 2001:db8::7\nalias CNAME host\n\
    *.wild A 192.0.2.7\n*.wild AAAA 2001:db8::7\nx.b.wild A 192.0.2.8\nzone-end A 192.0.2.8\n\
    far CNAME zone-end.nsec3.test.\nnear CNAME zone-end\nabroad CNAME zone-end.unsigned.test.\n\
    towild CNAME any.wild\nold DNAME new\nhost.new A 192.0.2.7\nhost.new AAAA 2001:db8::7\n";

/// Where the zones are served.
pub const AT: &str = "127.0.0.4:53";
/// The file with the anchor of `test.`.
pub const ANCHOR: &str = "/etc/anchor";

/// `test.` is signed, and what it says of the others makes them what they are called. Their signatures are
/// good, but those of `expired.test`.
pub fn zones(sandbox: &Sandbox) -> Option<RealServer> {
    let children = [
        ("nsec.test", Some("nsec"), RECORDS),
        ("nsec3.test", Some("nsec3"), RECORDS),
        ("unsigned.test", None, RECORDS),
        ("wrongkey.test", Some("nsec"), RECORDS),
        ("stripped.test", None, RECORDS),
    ];
    // The keys of the children come first: their digests stand in the parent.
    let keys = RealServer::knot_signing(sandbox, "127.0.0.5:53", &children)?;
    // Signatures are valid for two weeks.
    let past = [("expired.test", Some("nsec"), RECORDS)];
    let long_ago = RealServer::knot_signing_at(sandbox, "127.0.0.6:53", &past, Some("-60d"))?;
    let expired = long_ago.signed_zone("expired.test");
    let digest = |server: &RealServer, zone: &str| {
        let all = server.keys(sandbox, zone, "ds");
        all.lines().find(|line| line.contains(" 13 2 ")).unwrap().to_owned()
    };
    let delegated = children.iter().map(|(zone, ..)| *zone).chain(["expired.test"]);
    let mut parent: String =
        delegated.map(|zone| format!("{zone}. NS ns.{zone}.\nns.{zone}. A 127.0.0.4\n")).collect();
    for zone in ["nsec.test", "nsec3.test"] {
        parent += &format!("{}\n", digest(&keys, zone));
    }
    parent += &format!("{}\n", digest(&long_ago, "expired.test"));
    let other = digest(&keys, "nsec.test").replace("nsec.test.", "wrongkey.test.");
    parent += &format!("{other}\n{}\n", other.replace("wrongkey.test.", "stripped.test."));
    drop((keys, long_ago));
    let folder = sandbox.scratch();
    let (from, to) = (folder.join("knotd-127.0.0.5:53"), folder.join("knotd-127.0.0.4:53"));
    // The same keys again.
    copy(&from.join("keys"), &to);
    let mut zones = vec![("test", Some("nsec"), parent.as_str())];
    zones.extend(children);
    zones.push(("expired.test", None, &expired));
    let server = RealServer::knot_signing(sandbox, AT, &zones)?;
    let anchor = server.keys(sandbox, "test", "ds");
    let anchor = anchor.lines().find(|line| line.contains(" 13 2 ")).unwrap();
    sandbox.write(ANCHOR, anchor);
    Some(server)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    assert!(Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap().success());
}

/// The anchor as `delv` and dnsmasq want it: words after the owner's name.
pub fn anchor_words(server: &RealServer, sandbox: &Sandbox, what: &str) -> Vec<String> {
    let all = server.keys(sandbox, "test", what);
    let wanted = |line: &&str| what != "ds" || line.contains(" 13 2 ");
    let line = all.lines().find(wanted).unwrap();
    let words = line.split_whitespace().map(str::to_owned);
    words.skip_while(|word| word.parse::<u16>().is_err()).collect()
}
