//! Servers that are not who they should be, or don't speak TLS as it is spoken today: each is refused with
//! a line that says why, within the time limit, and not a word in plain text.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::authority::{Authority, GOOD, Identity};
use crate::support::process::run;
use crate::support::sandbox::Sandbox;
use crate::support::servers::RealServer;
use crate::{Bed, PATIENT, look_up};

/// The setting's limit for one that says nothing. The others are given more, so that it is no slow machine
/// that decides.
const STALLED: &str = "timeout:2 attempts:1";
/// What such a lookup may take on a slow machine.
const LIMIT: Duration = Duration::from_secs(20);

/// Asks that server alone; the trace must have this text.
#[track_caller]
fn is_refused(sandbox: &Sandbox, bed: &Bed, upstream: &str, text: &str) {
    is_refused_by(sandbox, bed, upstream, PATIENT, text);
}

#[track_caller]
fn is_refused_by(sandbox: &Sandbox, bed: &Bed, upstream: &str, options: &str, text: &str) {
    sandbox.name_servers(&[1], options);
    bed.configure(sandbox, upstream, "");
    let got = look_up(sandbox, "secret.test");
    assert!(got.out().contains("EAI_AGAIN"), "{upstream}: {got}");
    assert!(got.err().contains(text), "{upstream}, no {text:?}: {got}");
    assert!(got.took < LIMIT, "{upstream}: {:?}", got.took);
    assert_eq!(bed.seen("secret.test"), 0, "{upstream}");
}

#[test]
fn certificates_that_are_not_good() {
    Sandbox::enter(|sandbox| {
        let bed = Bed::new(sandbox);
        let other = Authority::new(sandbox, "other");
        for (identity, name, text) in [
            (
                bed.authority.issue(sandbox, GOOD, -1),
                "#dns.test",
                "invalid peer certificate: Expired",
            ),
            (bed.authority.issue(sandbox, GOOD, 30), "#other.test", "not valid for name"),
            (bed.authority.issue(sandbox, "DNS:dns.test", 30), "", "not valid for name"),
            (other.issue(sandbox, GOOD, 30), "#dns.test", "UnknownIssuer"),
        ] {
            let server = RealServer::unbound_private(sandbox, "127.0.0.2:853", &identity, "");
            let Some(_server) = server else { return };
            for scheme in ["tls", "https"] {
                is_refused(sandbox, &bed, &format!("{scheme}://127.0.0.2{name}"), text);
            }
        }
    });
}

/// A program that is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn a_server_of_tls_1_1() {
    Sandbox::enter(|sandbox| {
        let bed = Bed::new(sandbox);
        let Identity { certificate, key } = &bed.good;
        let mut command = sandbox.command("openssl");
        command
            .args([
                "s_server",
                "-accept",
                "127.0.0.2:853",
                "-quiet",
                "-tls1_1",
                "-cipher",
                "ALL:@SECLEVEL=0",
            ])
            .arg("-cert")
            .arg(certificate)
            .arg("-key")
            .arg(key);
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let _server = Running(child);
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect("127.0.0.2:853").is_err() {
            assert!(Instant::now() < deadline, "openssl s_server does not listen");
            std::thread::sleep(Duration::from_millis(5));
        }
        is_refused(sandbox, &bed, "tls://127.0.0.2#dns.test", "A: not trusted: ");
    });
}

#[test]
fn no_tls_at_all() {
    Sandbox::enter(|sandbox| {
        let bed = Bed::new(sandbox);
        // A handshake that stalls.
        let _mute = TcpListener::bind("127.0.0.2:853").unwrap();
        for scheme in ["tls", "https"] {
            let upstream = format!("{scheme}://127.0.0.2:853#dns.test");
            is_refused_by(sandbox, &bed, &upstream, STALLED, "no answer in time");
        }
        // A plain server at that port; nobody at all.
        is_refused(sandbox, &bed, "tls://127.0.0.1:53#dns.test", "A: ");
        is_refused(sandbox, &bed, "tls://127.0.0.3#dns.test", "Connection refused");
        is_refused(sandbox, &bed, "https://127.0.0.3#dns.test", "Connection refused");
    });
}

#[test]
fn settings_that_are_no_use() {
    Sandbox::enter(|sandbox| {
        let bed = Bed::new(sandbox);
        sandbox.name_servers(&[1], PATIENT);
        for (settings, text) in [
            ("upstream tls://127.0.0.2\nupstream-ca /etc/nothing.pem\n", "/etc/nothing.pem: "),
            (
                "upstream tls://127.0.0.2\nupstream-ca /etc/hosts\n",
                "/etc/hosts: no certificates in it",
            ),
            ("dnssec validate\ntrust-anchor /etc/nothing.xml\n", "/etc/nothing.xml: "),
            (
                "dnssec validate\ntrust-anchor /etc/hosts\n",
                "/etc/hosts: not understood as trust anchors",
            ),
        ] {
            sandbox.write("/etc/rustdns.conf", settings);
            // There must be a server that could be asked.
            let identity = bed.authority.issue(sandbox, GOOD, 30);
            let server = RealServer::unbound_private(sandbox, "127.0.0.2:853", &identity, "");
            let Some(_server) = server else { return };
            let got = look_up(sandbox, "secret.test");
            assert!(got.out().contains("EAI_AGAIN") && got.err().contains(text), "{text}: {got}");
        }
        sandbox.write("/etc/rustdns.conf", "upstream 127.0.0.1\n\nupstream tls://dns.test\n");
        let got = look_up(sandbox, "host.test");
        let text = "/etc/rustdns.conf:3: value not understood, no name server is asked: \
                    upstream tls://dns.test";
        assert!(got.out().contains("EAI_AGAIN") && got.err().contains(text), "{got}");
        assert_eq!(bed.seen("host.test"), 0, "nobody was asked in plain text instead");
    });
}

#[test]
fn an_object_that_is_not_there_or_is_another() {
    Sandbox::enter(|sandbox| {
        let bed = Bed::new(sandbox);
        bed.configure(sandbox, "tls://127.0.0.2#dns.test", "");
        let folder = sandbox.scratch().join("lone");
        std::fs::create_dir_all(&folder).unwrap();
        let library = folder.join("librustdns.so");
        std::fs::copy(crate::support::sandbox::preload_library(), &library).unwrap();
        let refused = |text: &str| {
            let mut command = sandbox.command("getent");
            command
                .args(["ahosts", "secret.test"])
                .env("LD_PRELOAD", &library)
                .env("RUSTDNS_DEBUG", "2");
            let got = run(command, Duration::from_secs(60));
            assert!(!got.success() && got.err().contains(text), "{text}: {got}");
        };
        refused("librustdns-encrypted.so is not beside this library");
        std::fs::copy(&library, folder.join("librustdns-encrypted.so")).unwrap();
        refused("librustdns-encrypted.so does not fit this library");
        assert_eq!(bed.seen("secret.test"), 0);
    });
}
