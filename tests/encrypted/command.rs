//! `rustdns lookup`, `doctor` and `explain` of encrypted servers and of signatures.

use std::fs;
use std::time::Duration;

use crate::support::process::{End, Output, run};
use crate::support::sandbox::{Sandbox, preload_library};
use crate::support::servers::RealServer;
use crate::zones::{ANCHOR, zones};
use crate::{Bed, PATIENT, look_up};

/// The command as it is installed: apart from the libraries.
fn installed(sandbox: &Sandbox) -> String {
    let prefix = sandbox.scratch().join("prefix");
    for folder in ["bin", "lib"] {
        fs::create_dir_all(prefix.join(folder)).unwrap();
    }
    let dist = preload_library();
    for name in ["librustdns.so", "librustdns-encrypted.so"] {
        sandbox.install(&dist.with_file_name(name), &format!("prefix/lib/{name}"), "644");
    }
    sandbox.install(&dist.with_file_name("rustdns"), "prefix/bin/rustdns", "755")
}

fn rustdns(sandbox: &Sandbox, command: &str, words: &[&str]) -> Output {
    let mut command = sandbox.command(command);
    command.args(words);
    run(command, Duration::from_secs(120))
}

#[test]
fn lookup_shows_what_signatures_are_worth() {
    Sandbox::enter(|sandbox| {
        let _bed = Bed::new(sandbox);
        let Some(_server) = zones(sandbox) else { return };
        let command = installed(sandbox);
        sandbox.name_servers(&[4], PATIENT);
        sandbox.write("/etc/rustdns.conf", format!("dnssec validate\ntrust-anchor {ANCHOR}\n"));
        for (name, worth) in [("host.nsec.test", "secure"), ("host.unsigned.test", "insecure")] {
            let got = rustdns(sandbox, &command, &["lookup", name]);
            assert!(got.success(), "{got}");
            let text = got.out();
            assert!(text.contains(&format!("\ndnssec     {worth}\n")), "{got}");
            let query = format!("{name} A to 127.0.0.4:53 over tcp: NOERROR, {worth}, ");
            assert!(text.contains(&query), "{got}");
            let got = rustdns(sandbox, &command, &["lookup", "--json", name]);
            // Of each query, and of the whole.
            let member = format!("\"dnssec\":\"{worth}\"");
            assert_eq!(got.out().replace(' ', "").matches(&member).count(), 3, "{got}");
        }
        let got = rustdns(sandbox, &command, &["lookup", "host.expired.test"]);
        assert_eq!(got.end, End::Exit(1), "{got}");
        assert!(got.out().contains("\ndnssec     bogus\n"), "{got}");
        assert!(
            got.out().contains("over tcp: bogus: host.expired.test. A: signature exp"),
            "{got}"
        );
        assert!(got.err().contains("EAI_FAIL"), "{got}");
        // Where nobody has looked there is nothing to say.
        sandbox.write("/etc/rustdns.conf", "");
        let got = rustdns(sandbox, &command, &["lookup", "host.nsec.test"]);
        assert!(got.success() && !got.out().contains("dnssec"), "{got}");
    });
}

#[test]
fn doctor_and_explain_know_encrypted_servers() {
    Sandbox::enter(|sandbox| {
        let bed = Bed::new(sandbox);
        let Some(_server) = RealServer::unbound_private(sandbox, "127.0.0.2:853", &bed.good, "")
        else {
            return;
        };
        let command = installed(sandbox);
        let good = "tls://127.0.0.2#dns.test";
        bed.configure(sandbox, &format!("{good} tls://127.0.0.3#dns.test"), "");
        let got = rustdns(sandbox, &command, &["explain", "host.test"]);
        assert!(got.out().contains(&format!("{good} (/etc/rustdns.conf:1)")), "{got}");
        assert!(!got.out().contains("127.0.0.1:53"), "{got}");
        let got = rustdns(sandbox, &command, &["doctor"]);
        let of = |server: &str| {
            let text = got.out();
            text.lines().find(|line| line.contains(server)).unwrap_or(&text).to_owned()
        };
        assert!(of(good).contains("for the first answer"), "{got}");
        assert!(of("tls://127.0.0.3").contains("refused"), "{got}");
        assert_eq!(bed.seen(".com"), 0, "it asks in plain text: {got}");

        let got = rustdns(sandbox, &command, &["lookup", "host.test"]);
        assert!(got.out().contains("from 127.0.0.2:853 over tls, "), "{got}");
        bed.configure(
            sandbox,
            &format!("https://127.0.0.2#dns.test {good}"),
            "upstream-fallback plain",
        );
        let got = rustdns(sandbox, &command, &["explain", "host.test"]);
        for part in ["https://127.0.0.2#dns.test (/etc", "127.0.0.1:53 (/etc/resolv.conf:1)"] {
            assert!(got.out().contains(part), "no {part}: {got}");
        }
        assert!(look_up(sandbox, "host.test").out().contains("192.0.2.7"));
    });
}
