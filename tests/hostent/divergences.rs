//! Where the library differs from libc on purpose.

use crate::support::dns::Server;
use crate::support::sandbox::Sandbox;
use crate::{HOSTS, answer, compare_calls};

/// What libc and the library make of one call; an aborted process makes nothing.
fn both(sandbox: &Sandbox, call: &str) -> [String; 2] {
    let pair = compare_calls(sandbox, &format!("{call}\n"));
    [pair.libc, pair.rustdns].map(|output| {
        if !output.success() {
            return format!("{:?}", output.end);
        }
        let lines = output.out();
        let words: Vec<&str> = lines.lines().skip(1).flat_map(str::split_whitespace).collect();
        words.join(" ")
    })
}

/// Each row of docs/divergences.md that is about these functions.
#[test]
fn divergences() {
    const NOT_FOUND: &str = "code=0 NULL h_errnop=HOST_NOT_FOUND errno=0";
    const NO_FAMILY: &str = "code=EAFNOSUPPORT NULL h_errnop=NETDB_INTERNAL errno=EAFNOSUPPORT";
    let v4 = |name: &str, aliases: &str, length: u32, address: &str| {
        let aliases = if aliases.is_empty() { String::new() } else { format!(" {aliases}") };
        format!("code=0 found errno=0 name {name} aliases{aliases} inet length {length} {address}")
    };
    let listed = v4("listed.test", "alias", 4, "192.0.2.9");
    Sandbox::enter(|sandbox| {
        sandbox.append("/etc/hosts", HOSTS);
        let _server = Server::start(sandbox, answer);
        for (call, libc, rustdns) in [
            // As both have it for `localhost`, from hosts.
            (
                "name localhost.",
                NOT_FOUND.to_owned(),
                v4("localhost", "ip6-localhost", 4, "127.0.0.1 127.0.0.1"),
            ),
            (
                "addr -f inet -l 16 192.0.2.1",
                v4("host.test", "", 16, "192.0.2.1"),
                v4("host.test", "", 4, "192.0.2.1"),
            ),
            ("addr -f inet -l 16 192.0.2.9", NOT_FOUND.to_owned(), listed.clone()),
            ("addr -f unspec -l 4 192.0.2.9", listed, NO_FAMILY.to_owned()),
            (
                "name2 -f unspec listed.test",
                "Signal(6)".to_owned(),
                "code=EAFNOSUPPORT NULL h_errnop=NO_DATA errno=EAFNOSUPPORT".to_owned(),
            ),
            (
                "name -b 0 nobody.test",
                "code=ERANGE NULL h_errnop=NETDB_INTERNAL errno=ERANGE".to_owned(),
                NOT_FOUND.to_owned(),
            ),
        ] {
            assert_eq!(both(sandbox, call), [libc, rustdns], "{call}: [libc, rustdns]");
        }
        sandbox.write("/etc/host.conf", "multi off\n");
        assert_eq!(
            both(sandbox, "name m1"),
            [
                v4("many.test", "m1 m2", 4, "192.0.2.10"),
                v4("many.test", "m1 m2 m3 m1", 4, "192.0.2.10 192.0.2.11"),
            ]
        );
    });
}
