//! Real DNS servers on loopback addresses of a sandbox: unbound, knot, dnsmasq.
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
        let ((address, port), (to, to_port)) = (split(at), split(upstream));
        let folder = folder(sandbox, "dnsmasq", at);
        let mut command = sandbox.command("dnsmasq");
        command
            .args(["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts"])
            .args(["--bind-interfaces", "--user=", "--group=", "--log-facility=-"])
            .args(["--log-queries", "--cache-size=1000"])
            .arg(format!("--pid-file={}/pid", folder.display()))
            .arg(format!("--listen-address={address}"))
            .arg(format!("--port={port}"))
            .arg(format!("--server={to}#{to_port}"));
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
    let folder = sandbox.scratch().join(format!("{name}-{at}"));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Address and port as the servers' configurations want them: apart, IPv6 without brackets.
fn split(at: &str) -> (String, u16) {
    let at: SocketAddr = at.parse().unwrap_or_else(|e| panic!("{at}: {e}"));
    (at.ip().to_string(), at.port())
}
