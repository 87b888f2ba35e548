//! Daemons, and what they look up: sshd its clients, ssh the keys of its servers, exim where mail goes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "what goes wrong in a test's own functions must fail as loudly as in the test"
)]

mod support;

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use support::dns::{Question, Server};
use support::module;
use support::process::{Output, run};
use support::sandbox::Sandbox;
use support::wire::{Data, Record};
use support::zone::Zone;

const LIMIT: Duration = Duration::from_secs(120);
/// The one address beside loopback; clients and servers meet there.
const ADDRESS: &str = "192.0.2.200";
const SSHFP: u16 = 44;

/// Who answers a daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Libc,
    /// The NSS module, through libc.
    Module,
    Preload,
}

impl Way {
    fn command(self, sandbox: &Sandbox, program: &str) -> std::process::Command {
        // Without its module, libc can't ask `rustdns`: so nobody answers for a library that is not there.
        let services = if self == Way::Libc { "files dns" } else { "files rustdns" };
        sandbox.write(
            "/etc/nsswitch.conf",
            format!("hosts: {services}\npasswd: files\ngroup: files\nshadow: files\n"),
        );
        let command = sandbox.command(program);
        if self == Way::Preload { sandbox.preload(command) } else { command }
    }
}

/// A sandbox with an address, keys for host and user, and what sshd wants to find.
fn stage(test: impl FnOnce(&Sandbox) + Send) {
    Sandbox::enter(|sandbox| {
        sandbox.address(&format!("{ADDRESS}/24"));
        sandbox.mkdir("/run/sshd");
        for key in ["host", "user"] {
            let mut keygen = sandbox.command("ssh-keygen");
            keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(sandbox.scratch().join(key));
            succeed(&run(keygen, LIMIT));
        }
        test(sandbox);
    });
}

fn succeed(output: &Output) {
    assert!(output.success(), "{output}");
}

/// A running sshd, and its log.
struct Sshd {
    child: Child,
    log: PathBuf,
}

impl Sshd {
    /// An sshd that lets the user in from hosts of this pattern.
    fn start(sandbox: &Sandbox, way: Way, from: &str) -> Sshd {
        let scratch = sandbox.scratch();
        let key = fs::read_to_string(scratch.join("user.pub")).unwrap();
        fs::write(scratch.join("authorized"), format!("from=\"{from}\" {key}")).unwrap();
        let log = scratch.join("log");
        let to = File::create(&log).unwrap();
        let scratch = scratch.display();
        let mut command = way.command(sandbox, "/usr/sbin/sshd");
        command.args(["-D", "-e", "-f", "/dev/null", "-p", "2222"]);
        for option in [
            "UseDNS=yes".to_owned(),
            "UsePAM=no".to_owned(),
            "StrictModes=no".to_owned(),
            "PermitRootLogin=yes".to_owned(),
            format!("ListenAddress={ADDRESS}"),
            format!("HostKey={scratch}/host"),
            format!("AuthorizedKeysFile={scratch}/authorized"),
            "PidFile=none".to_owned(),
        ] {
            command.arg("-o").arg(option);
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(to).spawn().unwrap();
        let sshd = Sshd { child, log };
        sshd.wait_for("Server listening on");
        sshd
    }

    /// Waits until the log has this, and gives the line.
    fn wait_for(&self, text: &str) -> String {
        let end = Instant::now() + LIMIT;
        loop {
            let log = fs::read_to_string(&self.log).unwrap();
            if let Some(line) = log.lines().find(|line| line.contains(text)) {
                return line.trim_end().to_owned();
            }
            assert!(Instant::now() < end, "no {text:?} in the log:\n{log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _status = self.child.wait();
    }
}

/// Runs `true` by ssh.
fn ssh(sandbox: &Sandbox, way: Way, host: &str, options: &[&str]) -> Output {
    let mut command = way.command(sandbox, "ssh");
    command.args(["-F", "none", "-p", "2222", "-o", "BatchMode=yes", "-l", "root", "-i"]);
    command.arg(sandbox.scratch().join("user"));
    command.args(["-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes"]);
    command.args(options).args([host, "true"]);
    run(command, LIMIT)
}

#[test]
fn sshd_knows_its_client_by_name() {
    stage(|sandbox| {
        let zone =
            Zone::new().ptr(ADDRESS, "client.test").a("client.test", ADDRESS).nxdomain_else();
        let server = Server::start(sandbox, zone);
        let any_key = ["-o", "StrictHostKeyChecking=no"];
        for way in [Way::Libc, Way::Preload, Way::Module] {
            if way == Way::Module {
                module::install(sandbox);
            }
            {
                let sshd = Sshd::start(sandbox, way, "*.test,!other.test");
                succeed(&ssh(sandbox, way, ADDRESS, &any_key));
                sshd.wait_for("Accepted publickey for root");
            }
            server.clear_log();
            let sshd = Sshd::start(sandbox, way, "other.test");
            assert!(!ssh(sandbox, way, ADDRESS, &any_key).success());
            let line = sshd.wait_for("not from a permitted host");
            let expected = format!("(host=client.test, ip={ADDRESS}, required=other.test)");
            assert!(line.contains(&expected), "{way:?}: {line}");
            assert!(server.asked().contains(&"client.test 1 udp".to_owned()), "{way:?}");
        }
    });
}

/// `VerifyHostKeyDNS` (ssh_config(5)): the key in the DNS counts alone if the answer is authentic, and the
/// server of resolv.conf is trusted to say so (RFC 4255 section 2.4).
#[test]
fn ssh_finds_the_key_of_its_server_in_the_dns() {
    stage(|sandbox| {
        let mut keygen = sandbox.command("ssh-keygen");
        keygen.args(["-r", "host.test", "-f"]).arg(sandbox.scratch().join("host.pub"));
        let output = run(keygen, LIMIT);
        succeed(&output);
        let mut zone = Zone::new().a("host.test", ADDRESS).nxdomain_else();
        for line in output.out().lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let mut octets = vec![words[3].parse().unwrap(), words[4].parse().unwrap()];
            let digits = words[5].as_bytes().chunks(2);
            octets.extend(
                digits
                    .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()),
            );
            zone = zone.record(Record::new("host.test", Data::Raw(SSHFP, octets)));
        }
        let authentic = move |question: &Question| zone.answer(question).authentic();
        let _server = Server::start(sandbox, authentic);
        let _sshd = Sshd::start(sandbox, Way::Libc, "*");
        let options = ["-v", "-o", "VerifyHostKeyDNS=yes", "-o", "StrictHostKeyChecking=yes"];
        for (trust, may_enter, found) in
            [("", false, "insecure fingerprints in DNS"), ("options trust-ad\n", true, " secure ")]
        {
            sandbox.write("/etc/resolv.conf", format!("nameserver 127.0.0.1\n{trust}"));
            let said = [Way::Libc, Way::Preload].map(|way| {
                let output = ssh(sandbox, way, "host.test", &options);
                assert_eq!(output.success(), may_enter, "{way:?}, {trust}: {output}");
                let about = |line: &&str| line.contains("DNS") || line.contains("ingerprint");
                output.err().lines().filter(about).map(str::to_owned).collect::<Vec<_>>()
            });
            assert!(said[0].iter().any(|line| line.contains(found)), "{said:#?}");
            assert_eq!(said[0], said[1], "{trust}: [libc, rustdns]");
        }
    });
}

#[test]
fn exim_finds_where_mail_goes() {
    stage(|sandbox| {
        let zone = Zone::new()
            .mx("mail.test", 20, "second.test")
            .mx("mail.test", 10, "first.test")
            .a("first.test", "192.0.2.11")
            .a("second.test", "192.0.2.12")
            .aaaa("second.test", "2001:db8::12")
            .a("plain.test", "192.0.2.13")
            .mx("dangling.test", 10, "nowhere.test")
            .txt("text.test", "no mail")
            .nxdomain_else();
        let server = Server::start(sandbox, zone);
        let folder = sandbox.scratch().display().to_string();
        let conf = sandbox.scratch().join("exim.conf");
        fs::write(
            &conf,
            format!(
                "primary_hostname = mx.test\nspool_directory = {folder}\nlog_file_path = {folder}/%slog\n\
                 keep_environment =\nbegin routers\ndns:\n  driver = dnslookup\n  transport = remote\n\
                 begin transports\nremote:\n  driver = smtp\n"
            ),
        )
        .unwrap();
        fs::set_permissions(&conf, Permissions::from_mode(0o644)).unwrap();
        for (domain, expected) in [
            ("mail.test", "host first.test  [192.0.2.11]   MX=10"),
            ("plain.test", "host plain.test [192.0.2.13]"),
            ("dangling.test", "undeliverable"),
            ("text.test", "undeliverable"),
            ("absent.test", "undeliverable"),
        ] {
            let said = [Way::Libc, Way::Preload].map(|way| {
                server.clear_log();
                let mut command = way.command(sandbox, "/usr/sbin/exim4");
                command.arg("-C").arg(&conf).arg("-bt").arg(format!("user@{domain}"));
                let output = run(command, LIMIT).to_string();
                assert!(server.asked().contains(&format!("{domain} 15 udp")), "{way:?}: {output}");
                output
            });
            assert!(said[0].contains(expected), "{domain}: no {expected:?} in\n{}", said[0]);
            assert_eq!(said[0], said[1], "{domain}: [libc, rustdns]");
        }
    });
}
