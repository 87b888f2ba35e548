//! A setuid program and an environment that somebody with less rights has made.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use crate::support::cc;
use crate::support::dns::Server;
use crate::support::process::{run, run_with_input};
use crate::support::sandbox::{Sandbox, preload_library, skip};
use crate::support::zone::Zone;

/// Each variable that the library knows, with a value that shows.
const VARIABLES: [(&str, &str); 22] = [
    ("RUSTDNS_UPSTREAM", "127.0.0.2"),
    ("RUSTDNS_UPSTREAM_FALLBACK", "nonsense"),
    ("RUSTDNS_UPSTREAM_CA", "nonsense"),
    ("RUSTDNS_DNSSEC", "validate"),
    ("RUSTDNS_TRUST_ANCHOR", "nonsense"),
    ("RUSTDNS_CACHE", "off"),
    ("RUSTDNS_CACHE_MAX_TTL", "0"),
    ("RUSTDNS_CACHE_NEGATIVE_TTL", "0"),
    ("RUSTDNS_SERVE_STALE", "nonsense"),
    ("RUSTDNS_FOREIGN", "libc"),
    ("RUSTDNS_CASE_RANDOMIZATION", "on"),
    ("RUSTDNS_COOKIES", "on"),
    ("RUSTDNS_HEDGE", "nonsense"),
    ("RUSTDNS_DEBUG", "1"),
    ("RUSTDNS_LOG", "/run/sandbox/scratch/open/trace"),
    ("RUSTDNS_DEBUG_FORMAT", "json"),
    ("RUSTDNS_STATS", "nonsense"),
    ("RUSTDNS_ROOT", "/run/sandbox/scratch/open"),
    ("RUSTDNS_MODE", "test-only"),
    ("LOCALDOMAIN", "evil.test"),
    ("RES_OPTIONS", "use-vc"),
    ("HOSTALIASES", "/run/sandbox/scratch/open/aliases"),
];

const CALLS: &str = "gai -f inet host.test -\ngai -f inet host.test -\n\
                     gai -f inet a-long-name-that-nobody-has.test -\n\
                     gai -f inet a-long-name-that-nobody-has.test -\ngai -f inet short -\n";

#[test]
fn every_variable_of_the_library_is_tried() {
    let settings = include_str!("../../src/config/settings/table.rs");
    for known in settings.split("environment: c\"").skip(1) {
        let name = known.split('"').next().unwrap();
        assert!(VARIABLES.iter().any(|(variable, _)| *variable == name), "{name}");
    }
}

#[test]
fn a_setuid_program_ignores_every_variable() {
    Sandbox::enter(|sandbox| {
        let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        let mut command = sandbox.command("setpriv");
        command.args(nobody).arg("true");
        if !run(command, Duration::from_secs(10)).success() {
            return skip("can't become another user here");
        }
        sandbox.address("192.0.2.9/24");
        sandbox.write("/etc/resolv.conf", "nameserver 192.0.2.9\noptions attempts:1 timeout:1\n");
        sandbox.write("/etc/nsswitch.conf", "hosts: files nonsense dns\n");
        let server = Server::on(
            sandbox,
            &["192.0.2.9:53"],
            Zone::new().a("host.test", "192.0.2.1").nxdomain_else(),
        );
        let _lies =
            Server::on(sandbox, &["127.0.0.2:53"], Zone::new().a("host.test", "192.0.2.66"));
        // What the user may write to.
        let open = sandbox.scratch().join("open");
        fs::create_dir_all(open.join("etc")).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        fs::write(open.join("aliases"), "short host.test\n").unwrap();
        fs::write(open.join("etc/hosts"), "192.0.2.66 host.test\n").unwrap();
        fs::write(open.join("etc/resolv.conf"), "nameserver 127.0.0.2\n").unwrap();

        let library = sandbox.install(&preload_library(), "librustdns.so", "755");
        let plain = sandbox.install(&cc::program("gai"), "plain", "755");
        let setuid = sandbox.install(&cc::program("gai"), "setuid", "4755");
        // All that can be seen: output, trace, what the server was asked, files.
        let seen = |program: &str, variables: &[(&str, &str)]| {
            server.clear_log();
            let mut command = sandbox.command("setpriv");
            command.args(nobody).args([program, "--batch"]).envs(variables.iter().copied());
            // LD_PRELOAD means nothing to a setuid program; this file does.
            sandbox.write("/etc/ld.so.preload", &library);
            let got = run_with_input(command, CALLS.as_bytes(), Duration::from_secs(30));
            sandbox.remove("/etc/ld.so.preload");
            assert!(got.success(), "{variables:?} {got}");
            let asked: Vec<_> = server
                .log()
                .into_iter()
                .map(|q| format!("{} {:?} {:?}", q.name_as_sent, q.transport, q.edns))
                .collect();
            let traced = fs::remove_file(open.join("trace")).is_ok();
            // A trace names the process.
            let said = if got.err().is_empty() { "" } else { "something on standard error" };
            format!("{}{said}\n{asked:#?}\ntrace file: {traced}", got.out())
        };
        let usual = seen(&setuid, &[]);
        assert!(usual.contains("192.0.2.1"), "{usual}");
        assert_eq!(seen(&plain, &[]), usual);
        for variable in VARIABLES {
            // Where the trace goes, and what is wrong with a value, shows only if there is one.
            let variables = match variable {
                ("RUSTDNS_LOG" | "RUSTDNS_DEBUG_FORMAT", _) | (_, "nonsense") => {
                    vec![variable, ("RUSTDNS_DEBUG", "1")]
                }
                _ => vec![variable],
            };
            assert_ne!(seen(&plain, &variables), usual, "{variable:?} shows");
            assert_eq!(seen(&setuid, &variables), usual, "{variable:?} means nothing");
        }
        assert_eq!(seen(&setuid, &VARIABLES), usual, "nor all at once");
    });
}
