//! Servers that are asked in private: rustdns by itself, and glibc by way of stubby or systemd-resolved, all
//! of the same unbound.

use crate::Result;
use crate::bed::{Bed, Etc, PLAIN, Running, wait_for};
use crate::contestant::Contestant;
use crate::looker::{Looker, in_turn};
use crate::report::{Report, Table, number};
use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// unbound, which answers over TLS and HTTPS and asks the responder; and stubby.
const UNBOUND: &str = "127.0.0.60";
const STUBBY: &str = "127.0.0.61";
/// Where systemd-resolved always listens.
const RESOLVED: &str = "127.0.0.53";
/// Runs the program $2 with libraries of the folder $3, where systemd-resolved's own folders, user and
/// configuration $1 are.
const SYSTEMD: &str = "mount -t tmpfs none /run && mkdir -p /run/systemd/resolved.conf.d && \
    cp \"$1\" /run/systemd/resolved.conf.d/bench.conf && \
    { cat /etc/passwd; echo systemd-resolve:x:999:999::/:/usr/sbin/nologin; } >/run/passwd && \
    { cat /etc/group; echo systemd-resolve:x:999:; } >/run/group && \
    mount --bind /run/passwd /etc/passwd && mount --bind /run/group /etc/group && \
    exec env \"LD_LIBRARY_PATH=$3\" \"$2\"";
/// Processes of which the first lookup is measured.
const FIRST: usize = 21;
const ROUNDS: usize = 5;
const LOOKUPS: usize = 200;

pub fn measure(bed: &Bed, report: &mut Report) -> Result<()> {
    let folder = bed.folder.join("private");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    certify(&folder)?;
    let Some(_unbound) = unbound(&folder)? else { return left_out(report, "unbound") };
    let stubby = stubby(&folder)?;
    let _link = Link::up()?;
    let resolved = resolved(bed, &folder)?;

    let plain = Etc::default();
    let by_stubby = Etc { resolv: format!("nameserver {STUBBY}\n"), ..Etc::default() };
    let by_resolved = Etc { resolv: format!("nameserver {RESOLVED}\n"), ..Etc::default() };
    let ca = format!("RUSTDNS_UPSTREAM_CA={}", folder.join("ca.pem").display());
    let private = |name: &str, scheme: &str| {
        let looker = Looker::new(bed, Contestant::Rustdns, name, &plain)?;
        Ok::<_, String>(
            looker.with(&ca).with(&format!("RUSTDNS_UPSTREAM={scheme}://{UNBOUND}#dns.bench.test")),
        )
    };
    let mut names = vec!["glibc, in plain text, the responder itself"];
    let mut lookers = vec![Looker::new(bed, Contestant::Glibc, "private-plain", &plain)?];
    if stubby.is_some() {
        names.push("glibc + stubby, TLS");
        lookers.push(Looker::new(bed, Contestant::Glibc, "private-stubby", &by_stubby)?);
    }
    if resolved.is_some() {
        names.push("glibc + systemd-resolved, TLS");
        lookers.push(Looker::new(bed, Contestant::Glibc, "private-resolved", &by_resolved)?);
    }
    names.extend(["**rustdns**, TLS", "**rustdns**, HTTPS"]);
    lookers.push(private("private-tls", "tls")?);
    lookers.push(private("private-https", "https")?);

    let first = in_turn(&lookers, FIRST, |run| format!("-s {run} 1 first%d.bench.test"))?;
    let next = in_turn(&lookers, ROUNDS, |run| {
        format!("-s {} {LOOKUPS} next%d.bench.test", run * LOOKUPS)
    })?;
    let cached = in_turn(&lookers, ROUNDS, |run| format!("-s {run} -k 1 5000 kept%d.bench.test"))?;
    let mut table = Table::new(
        "Asked in private: A and AAAA of unbound, one thread",
        &["", "first lookup of a process, µs", "next, median µs", "the same name again, median µs"],
    );
    for (((name, (_, first)), (_, next)), (_, cached)) in
        names.iter().zip(&first).zip(&next).zip(&cached)
    {
        let cells = [first, next, cached].map(|figures| figures.micros("median").map(number));
        table.row(name, cells.into_iter().collect::<Result<Vec<_>>>()?);
    }
    table.note(
        "rustdns makes a connection for each lookup, and keeps nothing but a TLS session; stubby and \
         systemd-resolved keep theirs open, and are a process more. systemd-resolved has a cache; neither \
         glibc nor stubby has.",
    );
    report.table(table);
    Ok(())
}

fn left_out(report: &mut Report, what: &str) -> Result<()> {
    let mut table = Table::new("Asked in private", &[""]);
    table.note(&format!("Not measured: there is no {what}."));
    report.table(table);
    Ok(())
}

/// An authority and a certificate for the server, in the folder.
fn certify(folder: &Path) -> Result<()> {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    let text = format!("subjectAltName=DNS:dns.bench.test,IP:{UNBOUND}\n");
    fs::write(folder.join("names"), text).map_err(|error| error.to_string())?;
    for words in [
        format!("req -x509 {key} -subj /CN=bench -keyout ca.key -out ca.pem -days 30"),
        format!("req {key} -subj /CN=server -keyout server.key -out server.csr"),
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 \
         -extfile names -out server.pem"
            .to_owned(),
    ] {
        let mut command = Command::new("openssl");
        let output = command.args(words.split_whitespace()).current_dir(folder).output();
        let output = output.map_err(|error| format!("openssl: {error}"))?;
        if !output.status.success() {
            return Err(format!("openssl {words}: {}", String::from_utf8_lossy(&output.stderr)));
        }
    }
    Ok(())
}

/// `None` where it isn't installed.
fn start(mut command: Command, name: &str, address: &str) -> Result<Option<Running>> {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut daemon) = Running::start(&mut command) else { return Ok(None) };
    // It has the port while we have not.
    wait_for(name, &mut daemon, || UdpSocket::bind((address, 53)).is_err())?;
    Ok(Some(daemon))
}

fn unbound(folder: &Path) -> Result<Option<Running>> {
    let own = folder.display();
    let config = format!(
        "server:\n  interface: {UNBOUND}@53\n  interface: {UNBOUND}@853\n  interface: {UNBOUND}@443\n  \
         tls-port: 853\n  https-port: 443\n  tls-service-pem: \"{own}/server.pem\"\n  \
         tls-service-key: \"{own}/server.key\"\n  directory: \"{own}\"\n  username: \"\"\n  chroot: \"\"\n  \
         pidfile: \"{own}/pid\"\n  use-syslog: no\n  do-daemonize: no\n  do-not-query-localhost: no\n  \
         module-config: \"iterator\"\n  root-hints: \"\"\n  incoming-num-tcp: 1000\n  \
         access-control: 0.0.0.0/0 allow\n  local-zone: \"test.\" nodefault\n\
         forward-zone:\n  name: \".\"\n  forward-addr: {PLAIN}\n"
    );
    let file = folder.join("unbound.conf");
    fs::write(&file, config).map_err(|error| error.to_string())?;
    let mut command = Command::new("unbound");
    command.args(["-d", "-p", "-c"]).arg(file);
    let daemon = start(command, "unbound", UNBOUND)?;
    // TLS is there as soon as UDP is.
    if daemon.is_some() && TcpListener::bind((UNBOUND, 853)).is_ok() {
        return Err("unbound does not listen for TLS".to_owned());
    }
    Ok(daemon)
}

/// A network beside loopback, where nobody is: systemd-resolved asks no server without one.
struct Link;

impl Link {
    fn up() -> Result<Link> {
        for words in [
            "link add bench0 type veth peer name bench1",
            "link set bench1 up",
            "link set bench0 up",
            "address add 192.0.2.9/24 dev bench0",
        ] {
            let status = Command::new("ip").args(words.split(' ')).status();
            if !status.is_ok_and(|status| status.success()) {
                return Err(format!("ip {words}"));
            }
        }
        Ok(Link)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // Fails only where it is gone.
        Command::new("ip").args(["link", "del", "bench0"]).status().ok();
    }
}

/// systemd-resolved out of its package (scripts/peers), without D-Bus.
fn resolved(bed: &Bed, folder: &Path) -> Result<Option<Running>> {
    let Ok(peers) = Command::new(bed.root.join("scripts/peers")).output() else { return Ok(None) };
    if !peers.status.success() {
        return Ok(None);
    }
    let peers = PathBuf::from(String::from_utf8_lossy(&peers.stdout).trim_end());
    let file = folder.join("resolved.conf");
    let config = format!(
        "[Resolve]\nDNS={UNBOUND}#dns.bench.test\nDomains=~.\nDNSOverTLS=yes\nCache=yes\nLLMNR=no\n\
         MulticastDNS=no\nDNSSEC=no\nCacheFromLocalhost=yes\n"
    );
    fs::write(&file, config).map_err(|error| error.to_string())?;
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", SYSTEMD, "sh"]).arg(&file);
    command.arg(peers.join("bin/systemd-resolved")).arg(peers.join("lib"));
    // Its OpenSSL trusts what is there.
    command.env("SSL_CERT_FILE", folder.join("ca.pem"));
    start(command, "systemd-resolved", RESOLVED)
}

fn stubby(folder: &Path) -> Result<Option<Running>> {
    let config = format!(
        "resolution_type: GETDNS_RESOLUTION_STUB\ndns_transport_list:\n  - GETDNS_TRANSPORT_TLS\n\
         tls_authentication: GETDNS_AUTHENTICATION_REQUIRED\ntls_ca_file: \"{}\"\n\
         idle_timeout: 60000\nlisten_addresses:\n  - {STUBBY}\nupstream_recursive_servers:\n  \
         - address_data: {UNBOUND}\n    tls_port: 853\n    tls_auth_name: \"dns.bench.test\"\n",
        folder.join("ca.pem").display()
    );
    let file = folder.join("stubby.yml");
    fs::write(&file, config).map_err(|error| error.to_string())?;
    let mut command = Command::new("stubby");
    command.arg("-C").arg(file);
    start(command, "stubby", STUBBY)
}
