//! Real DNS servers on loopback addresses of a sandbox: unbound, knot, knot-resolver, dnsmasq.
//!
//! Each is started in the foreground with a configuration of its own, is asked until it answers,
//! and is killed with everything it started when dropped. `scripts/packages.test` names the
//! packages they are in.
#![allow(unsafe_code, reason = "a server must not outlive a test that is killed")]

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::authority::Identity;
use super::process;
use super::sandbox::{Sandbox, skip};
use super::wire::{IN, Writer, rtype};

/// How long a server may take until it answers.
const START: Duration = Duration::from_secs(60);

/// A server that answers.
pub struct RealServer {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl RealServer {
    /// unbound, answering from these records: `"host.test. 300 IN A 192.0.2.1"`. All of `test.`
    /// and the reverse zone of 192.0.2.0/24 are its own; nothing is asked of anyone else.
    pub fn unbound(sandbox: &Sandbox, at: &str, records: &[&str]) -> Option<RealServer> {
        let (address, port) = split(at);
        let folder = folder(sandbox, "unbound", at);
        let data: String = records.iter().map(|r| format!("  local-data: '{r}'\n")).collect();
        let own = folder.display();
        let config = format!(
            "server:\n  interface: {address}\n  port: {port}\n  directory: \"{own}\"\n  \
             username: \"\"\n  chroot: \"\"\n  pidfile: \"{own}/pid\"\n  use-syslog: no\n  \
             do-daemonize: no\n  verbosity: 1\n  module-config: \"iterator\"\n  \
             access-control: 0.0.0.0/0 allow\n  access-control: ::0/0 allow\n  \
             do-not-query-localhost: yes\n  root-hints: \"\"\n  local-zone: \"test.\" static\n  \
             local-zone: \"2.0.192.in-addr.arpa.\" static\n{data}\
             remote-control:\n  control-enable: no\n"
        );
        fs::write(folder.join("unbound.conf"), config).unwrap();
        let mut command = sandbox.command("unbound");
        command.args(["-d", "-p", "-c"]).arg(folder.join("unbound.conf"));
        RealServer::start(command, "unbound", &folder, at)
    }

    /// unbound, which answers over TLS at `at` and over HTTPS at port 443 of the same address, and asks the
    /// server on 127.0.0.1 for all it answers. `more` is configuration of its own.
    pub fn unbound_private(
        sandbox: &Sandbox,
        at: &str,
        identity: &Identity,
        more: &str,
    ) -> Option<RealServer> {
        let (address, port) = split(at);
        let folder = folder(sandbox, "unbound", at);
        let own = folder.display();
        let (certificate, key) = (identity.certificate.display(), identity.key.display());
        // Without an anchor it leaves signatures to others.
        let has_anchor = more.contains("trust-anchor");
        let insecure = if has_anchor { "" } else { "  domain-insecure: \"test.\"\n" };
        let config = format!(
            "server:\n  interface: {address}@{port}\n  interface: {address}@443\n  interface: {address}@53\n  \
             tls-port: {port}\n  https-port: 443\n  tls-service-pem: \"{certificate}\"\n  \
             tls-service-key: \"{key}\"\n  directory: \"{own}\"\n  username: \"\"\n  chroot: \"\"\n  \
             pidfile: \"{own}/pid\"\n  use-syslog: no\n  do-daemonize: no\n  verbosity: 1\n  \
             extended-statistics: yes\n  do-not-query-localhost: no\n  root-hints: \"\"\n  \
             incoming-num-tcp: 1000\n  access-control: 0.0.0.0/0 allow\n  access-control: ::0/0 allow\n  \
             local-zone: \"test.\" nodefault\n  local-zone: \"10.in-addr.arpa.\" nodefault\n\
             {insecure}{more}\nforward-zone:\n  name: \".\"\n  forward-addr: 127.0.0.1\n\
             remote-control:\n  control-enable: yes\n  control-use-cert: no\n  \
             control-interface: {own}/control\n"
        );
        fs::write(folder.join("unbound.conf"), config).unwrap();
        let mut command = sandbox.command("unbound");
        command.args(["-d", "-p", "-c"]).arg(folder.join("unbound.conf"));
        RealServer::start(command, "unbound", &folder, &plain(at))
    }

    /// A number of unbound's statistics.
    pub fn statistic(&self, sandbox: &Sandbox, key: &str) -> u64 {
        let mut command = sandbox.command("unbound-control");
        command.arg("-c").arg(self.log.with_file_name("unbound.conf")).arg("stats_noreset");
        let got = process::run(command, START);
        let text = got.out();
        let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        value.unwrap_or_else(|| panic!("{key}: {got}")).parse().unwrap()
    }

    /// knot-resolver, which answers over TLS at `at` and over HTTPS at port 443 of the same address, and
    /// asks the server on 127.0.0.1.
    pub fn kresd(sandbox: &Sandbox, at: &str, identity: &Identity) -> Option<RealServer> {
        let (address, port) = split(at);
        let folder = folder(sandbox, "kresd", at);
        let (certificate, key) = (identity.certificate.display(), identity.key.display());
        let config = format!(
            "net.listen('{address}', 53, {{ kind = 'dns' }})\n\
             net.listen('{address}', {port}, {{ kind = 'tls' }})\n\
             net.listen('{address}', 443, {{ kind = 'doh2' }})\n\
             net.tls('{certificate}', '{key}')\n\
             trust_anchors.remove('.')\nmodules = {{ 'policy' }}\n\
             policy.add(policy.all(policy.FORWARD('127.0.0.1')))\ncache.size = 1 * MB\n"
        );
        fs::write(folder.join("kresd.conf"), config).unwrap();
        let mut command = sandbox.command("kresd");
        command.args(["-n", "-c"]).arg(folder.join("kresd.conf")).arg(&folder);
        RealServer::start(command, "kresd", &folder, &plain(at))
    }

    /// knot, with these zones, signed as `policy` says where it says anything. Each is the zone's name
    /// (no final dot), its policy and the text of its file below its SOA and NS records.
    pub fn knot_signing(
        sandbox: &Sandbox,
        at: &str,
        zones: &[(&str, Option<&str>, &str)],
    ) -> Option<RealServer> {
        RealServer::knot_signing_at(sandbox, at, zones, None)
    }

    /// The same at another time: so far from now, as faketime(1) has it.
    pub fn knot_signing_at(
        sandbox: &Sandbox,
        at: &str,
        zones: &[(&str, Option<&str>, &str)],
        time: Option<&str>,
    ) -> Option<RealServer> {
        let (address, port) = split(at);
        let folder = folder(sandbox, "knotd", at);
        let own = folder.display();
        let mut config = format!(
            "server:\n  rundir: \"{own}\"\n  listen: {address}@{port}\n  udp-workers: 1\n  \
             tcp-workers: 1\n  background-workers: 1\nlog:\n  - target: stderr\n    any: info\n\
             database:\n  storage: \"{own}\"\npolicy:\n"
        );
        for (id, nsec3) in [("nsec", "off"), ("nsec3", "on")] {
            config += &format!(
                "  - id: {id}\n    algorithm: ecdsap256sha256\n    single-type-signing: on\n    \
                 nsec3: {nsec3}\n    nsec3-iterations: 0\n"
            );
        }
        config += "zone:\n";
        for (zone, policy, records) in zones {
            let file = folder.join(zone);
            let apex = format!(
                "$ORIGIN {zone}.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\n\
                 ns A 127.0.0.1\n"
            );
            // One that is whole has been signed already.
            let is_whole = records.contains("SOA");
            fs::write(&file, if is_whole { (*records).to_owned() } else { apex + records })
                .unwrap();
            let signing = policy.map_or(String::new(), |policy| {
                format!("    dnssec-signing: on\n    dnssec-policy: {policy}\n")
            });
            config += &format!(
                "  - domain: {zone}.\n    file: \"{}\"\n    zonefile-sync: {}\n    \
                 zonefile-load: whole\n    journal-content: none\n{signing}",
                file.display(),
                if time.is_some() { 0 } else { -1 },
            );
        }
        fs::write(folder.join("knot.conf"), config).unwrap();
        let mut command = match time {
            Some(time) => {
                let mut command = sandbox.command("faketime");
                command.args(["-f", time, "knotd"]);
                command
            }
            None => sandbox.command("knotd"),
        };
        command.arg("-c").arg(folder.join("knot.conf"));
        RealServer::start(command, "knotd", &folder, at)
    }

    /// A zone's file as knot has signed it: of those that it signs at another time.
    pub fn signed_zone(&self, zone: &str) -> String {
        let deadline = Instant::now() + START;
        loop {
            let text = fs::read_to_string(self.log.with_file_name(zone)).unwrap();
            // Its own signatures come last into the file.
            if text.contains("RRSIG") && text.contains("Written") {
                return text;
            }
            assert!(Instant::now() < deadline, "not signed: {text}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The records that knot's key manager prints of a zone: `dnskey` or `ds`.
    pub fn keys(&self, sandbox: &Sandbox, zone: &str, what: &str) -> String {
        let mut command = sandbox.command("keymgr");
        command.arg("-c").arg(self.log.with_file_name("knot.conf")).args([zone, what]);
        let got = process::run(command, START);
        assert!(got.success(), "{got}");
        got.out()
    }

    /// knot, with authority for `zone` (no final dot); `records` is the zone file's text below
    /// its SOA and NS records.
    pub fn knot(sandbox: &Sandbox, at: &str, zone: &str, records: &str) -> Option<RealServer> {
        RealServer::knot_with(sandbox, at, zone, records, "", "")
    }

    /// The same, which answers over UDP to those alone who return the cookie that it has given them
    /// (RFC 7873).
    pub fn knot_with_cookies(
        sandbox: &Sandbox,
        at: &str,
        zone: &str,
        records: &str,
    ) -> Option<RealServer> {
        let module = "mod-cookies:\n  - id: all\n    badcookie-slip: 1\n";
        let template = "template:\n  - id: default\n    global-module: mod-cookies/all\n";
        RealServer::knot_with(sandbox, at, zone, records, module, template)
    }

    fn knot_with(
        sandbox: &Sandbox,
        at: &str,
        zone: &str,
        records: &str,
        modules: &str,
        templates: &str,
    ) -> Option<RealServer> {
        let (address, port) = split(at);
        let folder = folder(sandbox, "knotd", at);
        let own = folder.display();
        let apex = format!(
            "$ORIGIN {zone}.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\n\
             ns A 127.0.0.1\n"
        );
        fs::write(folder.join("zone"), apex + records).unwrap();
        let config = format!(
            "server:\n  rundir: \"{own}\"\n  listen: {address}@{port}\n  udp-workers: 1\n  \
             tcp-workers: 1\n  background-workers: 1\nlog:\n  - target: stderr\n    any: info\n\
             {modules}database:\n  storage: \"{own}\"\n{templates}zone:\n  - domain: {zone}.\n    \
             file: \"{own}/zone\"\n    zonefile-sync: -1\n    journal-content: none\n"
        );
        fs::write(folder.join("knot.conf"), config).unwrap();
        let mut command = sandbox.command("knotd");
        command.arg("-c").arg(folder.join("knot.conf"));
        RealServer::start(command, "knotd", &folder, at)
    }

    /// dnsmasq, forwarding what it doesn't know to `upstream`.
    pub fn dnsmasq(sandbox: &Sandbox, at: &str, upstream: &str) -> Option<RealServer> {
        let (to, port) = split(upstream);
        let server = format!("--server={to}#{port}");
        RealServer::dnsmasq_with(sandbox, at, &["--log-queries", "--cache-size=1000", &server])
    }

    /// dnsmasq, with these options and no others that matter.
    pub fn dnsmasq_with(sandbox: &Sandbox, at: &str, options: &[&str]) -> Option<RealServer> {
        let (address, port) = split(at);
        let folder = folder(sandbox, "dnsmasq", at);
        let mut command = sandbox.command("dnsmasq");
        command
            .args(["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts"])
            .args(["--bind-interfaces", "--user=", "--group=", "--log-facility=-"])
            .args(options)
            .arg(format!("--pid-file={}/pid", folder.display()))
            .arg(format!("--listen-address={address}"))
            .arg(format!("--port={port}"));
        RealServer::start(command, "dnsmasq", &folder, at)
    }

    /// `None`, after a loud skip, if the program isn't installed.
    fn start(
        mut command: Command,
        name: &'static str,
        folder: &Path,
        at: &str,
    ) -> Option<RealServer> {
        let log = folder.join("log");
        let output = fs::File::create(&log).unwrap();
        command.stdin(Stdio::null()).stderr(output.try_clone().unwrap()).stdout(output);
        command.process_group(0);
        // SAFETY: prctl is one system call with integer arguments: fine between fork and exec.
        unsafe {
            command.pre_exec(|| {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                Ok(())
            });
        }
        let child = match command.spawn() {
            Ok(child) => child,
            Err(e) => {
                skip(&format!("{name}: {e} (see scripts/packages.test)"));
                return None;
            }
        };
        let mut server = RealServer { name, child, log };
        server.wait_until_it_answers(at.parse().unwrap());
        Some(server)
    }

    fn wait_until_it_answers(&mut self, at: SocketAddr) {
        let own = SocketAddr::new(at.ip(), 0);
        let socket = UdpSocket::bind(own).unwrap();
        socket.connect(at).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let mut query = Writer::new(0x1234, 0x0100, false);
        query.question("up.test", rtype::A, IN);
        let deadline = Instant::now() + START;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("{} ended at once: {status}\n{}", self.name, self.log());
            }
            let mut reply = [0; 512];
            // Refused as long as nobody listens; that comes at once, so the pace is set here.
            match socket.send(&query.bytes).and_then(|_| socket.recv(&mut reply)) {
                Ok(_) => return,
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        panic!("{} doesn't answer at {at}\n{}", self.name, self.log());
    }

    /// What the server has logged.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }

    /// The server's process, for signals and looks into /proc.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for RealServer {
    fn drop(&mut self) {
        process::kill_group(&self.child);
        self.child.wait().ok();
    }
}

/// A folder of the sandbox for one server's files.
fn folder(sandbox: &Sandbox, name: &str, at: &str) -> PathBuf {
    // unbound takes brackets in the name of a file for a pattern.
    let folder = sandbox.scratch().join(format!("{name}-{at}").replace(['[', ']'], ""));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The same address, and the port of plain DNS.
fn plain(at: &str) -> String {
    let at: SocketAddr = at.parse().unwrap();
    SocketAddr::new(at.ip(), 53).to_string()
}

/// Address and port as the servers' configurations want them: apart, IPv6 without brackets.
fn split(at: &str) -> (String, u16) {
    let at: SocketAddr = at.parse().unwrap_or_else(|e| panic!("{at}: {e}"));
    (at.ip().to_string(), at.port())
}
