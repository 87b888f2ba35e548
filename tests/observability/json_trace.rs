//! The debug trace as JSON, in the system's log, and in files that are not what they seem.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use super::{json, succeed, zone};
use crate::support::cc;
use crate::support::differential::LIMIT;
use crate::support::dns::Server;
use crate::support::process::{Output, run_with_input};
use crate::support::sandbox::Sandbox;

const CALL: &str = "gai -t stream host.test http\n";

fn traced(sandbox: &Sandbox, variables: &[(&str, &str)], calls: &str) -> Output {
    let mut command = sandbox.preload(sandbox.command(cc::program("gai")));
    command.arg("--batch").env("RUSTDNS_DEBUG_FORMAT", "json").envs(variables.iter().copied());
    let output = run_with_input(command, calls.as_bytes(), LIMIT);
    assert!(output.success(), "{output}");
    output
}

/// The lines as one list; any that is no JSON fails.
fn list(lines: &str) -> String {
    format!("[{}]", lines.trim_end().replace('\n', ","))
}

#[test]
fn every_line_is_an_object_with_file_and_line_where_one_is_meant() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        sandbox.append("/etc/resolv.conf", "nonsense \"quoted\" \\\n");
        let calls = format!("{CALL}gai -t stream localhost -\n");
        let trace = traced(sandbox, &[("RUSTDNS_DEBUG", "2")], &calls).err();
        let list = list(&trace);
        let said = |expression: &str| json(sandbox, &list, expression);
        assert_eq!(said("sorted({l['level'] for l in d})"), "[1, 2]");
        assert_eq!(said("len({(l['process'], l['thread']) for l in d})"), "1");
        assert_eq!(said("{type(l['time']).__name__ for l in d}"), "{'float'}");
        assert_eq!(
            said("d[0]['time'] > 1.7e9 and d == sorted(d, key=lambda l: l['time'])"),
            "True"
        );
        let noted = said("[(l['file'], l['line'], l['text'][-20:]) for l in d if 'file' in l]");
        assert!(noted.contains("('/etc/resolv.conf', 2, "), "{noted}");
        assert!(noted.contains("('/etc/hosts', 1, 'localhost: 127.0.0.1')"), "{noted}");
        assert!(noted.contains("('/etc/nsswitch.conf', 1, '2 services')"), "{noted}");
        assert!(noted.contains("nonsense \"quoted\" "), "{noted}");
        let queries = said("len([l for l in d if l['text'].startswith('query host.test ')])");
        assert_eq!(queries, "2");
    });
}

#[test]
fn no_name_and_no_path_can_break_the_form() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        let long = "/".to_owned() + &"\"x\\/".repeat(200);
        let root = [("RUSTDNS_DEBUG", "2"), ("RUSTDNS_ROOT", &long)];
        for name in ["\"},{\"", "a\\\\\"b", &"\\\"".repeat(120), "\\x22\\x0a\\xff\\xe2\\x28"] {
            for variables in [&root[..1], &root] {
                let trace = traced(sandbox, variables, &format!("gai -f inet {name} -\n")).err();
                let count = json(sandbox, &list(&trace), "len(d)");
                assert_eq!(count, trace.lines().count().to_string(), "{trace}");
                assert!(trace.lines().all(|line| line.len() < 512 && line.is_ascii()), "{trace}");
            }
        }
    });
}

/// /dev with a log of its own: the socket that the system's log would have.
const OWN_DEV: &str = "mkdir /run/dev && mount -t tmpfs tmpfs /run/dev && cd /run/dev &&
    touch null urandom tty && mount --bind /dev/null null && mount --bind /dev/urandom urandom &&
    mkdir pts shm && ln -s /run/log log && mount --move /run/dev /dev";

#[test]
fn the_systems_log_takes_a_datagram_a_line() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        let log = UnixDatagram::bind("/run/log").unwrap();
        log.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut command = sandbox.command("sh");
        command.args(["-c", OWN_DEV]);
        succeed(command);
        let variables = [("RUSTDNS_DEBUG", "1"), ("RUSTDNS_LOG", "syslog")];
        assert_eq!(traced(sandbox, &variables, CALL).err(), "");
        let mut octets = [0; 2048];
        let count = log.recv(&mut octets).unwrap();
        let line = String::from_utf8(octets[..count].to_vec()).unwrap();
        // Facility user, severity debug (RFC 3164 section 4.1.1).
        let text = line.strip_prefix("<15>rustdns: ").unwrap_or_else(|| panic!("{line:?}"));
        assert!(json(sandbox, text, "d['text']").starts_with("rustdns "), "{line:?}");
    });
}

#[test]
fn what_is_no_plain_file_is_not_waited_for_or_followed() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        sandbox.fifo("/run/pipe");
        sandbox.write("/run/victim", "");
        sandbox.symlink("/run/victim", "/run/link");
        for path in ["/run/pipe", "/run/link"] {
            let variables = [("RUSTDNS_DEBUG", "2"), ("RUSTDNS_LOG", path)];
            let output = traced(sandbox, &variables, CALL);
            assert!(output.out().contains(" 192.0.2.1 ") && output.err().is_empty(), "{output}");
        }
        assert_eq!(fs::read_to_string("/run/victim").unwrap(), "");
    });
}
