//! Known traps: what is no mistake in any file, and yet makes lookups slow, wrong or deadly.

use super::{Finding, Level, unheard_of};
use crate::account::millis;
use crate::answer::Shown;
use crate::library::Library;
use crate::lookup::{meaning, usual_hints};
use crate::places;
use rustdns::config::resolv::Options;
use rustdns::context::call::Session;
use rustdns::context::state::{Environment, Upstream};
use rustdns::resolve::forward::resolve;
use rustdns::rules::query::Family;
use rustdns::sys::mem::NoMemory;
use rustdns::sys::process;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Instant;

/// Looks for each. Names are looked up only where servers answer.
pub(super) fn findings(
    session: &Session,
    environment: &Environment,
    is_answered: bool,
) -> Result<Vec<Finding>, NoMemory> {
    let upstream = session.configured_upstream()?;
    let resolv = Shown(environment.paths.resolv.to_bytes()).to_string();
    let text = places::text(&environment.paths.resolv).unwrap_or_default();
    let lines = places::resolv(&text)?;
    let at = |line: Option<u32>| match line {
        Some(line) => format!("{resolv}:{line}"),
        None => resolv.clone(),
    };
    let mut findings = Vec::new();
    findings.extend(ndots(&upstream, at(lines.ndots)));
    findings.extend(patience(&upstream, at(lines.timeout.or(lines.attempts))));
    findings.extend(one_socket(&upstream, at(None)));
    findings.extend(localhost(session, environment)?);
    if is_answered {
        findings.extend(own_name());
        findings.extend(wildcards(&upstream, &at(lines.search)));
    }
    findings.extend(nscd());
    findings.extend(preloaded_everywhere());
    findings.extend(musl());
    findings.extend(no_library());
    if findings.is_empty() {
        findings.push(Finding::ok("this host", "none"));
    }
    Ok(findings)
}

/// Names with fewer dots than `ndots` go through the search list first.
fn ndots(upstream: &Upstream, place: String) -> Option<Finding> {
    let (ndots, domains) = (upstream.conf.options.ndots, upstream.conf.search.len());
    if ndots < 2 || domains == 0 {
        return None;
    }
    let what = format!(
        "ndots:{ndots} with {domains} search domains: a name with fewer dots than that is asked for {} times before it is asked for as it is",
        2 * domains
    );
    let level = if ndots >= 5 { Level::Warning } else { Level::Note };
    Some(Finding::new(level, place, what).fix(
        "end names in a dot (`example.org.`), or set ndots to 1 or 2 (in Kubernetes: dnsConfig.options of the pod); rustdns keeps the answers that say no",
    ))
}

/// Search domains that are looked into: libc takes any number, people write a handful.
const DOMAINS: usize = 16;

/// A search domain with a wildcard has every name there is: those that are misspelt, and with enough
/// `ndots` those that are meant for the whole Internet.
fn wildcards(upstream: &Upstream, place: &str) -> Vec<Finding> {
    let ask = |domain: &str| {
        // The final dot leaves the search list out.
        let name = format!("{}.{domain}.", unheard_of());
        let hints = usual_hints(name.as_bytes(), Family::Any);
        let found = resolve(Some(name.as_bytes()), None, &hints).ok()?;
        let addresses = found.addresses.iter().map(|address| address.ip.to_string());
        let addresses: Vec<_> = addresses.collect();
        let what = format!(
            "every name in the search domain {} is there: {name} has {}",
            Shown(domain.as_bytes()),
            addresses.join(" ")
        );
        Some(Finding::new(Level::Warning, place, what).fix(
            "remove the wildcard or the search domain, or end names in a dot: spelling mistakes lead to that host",
        ))
    };
    let domains = upstream.conf.search.iter().filter_map(|domain| str::from_utf8(domain).ok());
    let domains = domains.filter(|domain| !domain.trim_matches('.').is_empty()).take(DOMAINS);
    // At once: one domain's servers may be slow.
    thread::scope(|scope| {
        let asked: Vec<_> =
            domains.map(|domain| scope.spawn(|| ask(domain.trim_end_matches('.')))).collect();
        asked.into_iter().filter_map(|one| one.join().ok().flatten()).collect()
    })
}

/// How long libc waits where nobody answers.
fn patience(upstream: &Upstream, place: String) -> Option<Finding> {
    let Options { timeout, attempts, .. } = upstream.conf.options;
    let seconds = timeout.max(1) * attempts;
    (seconds > 20).then(|| {
        let what =
            format!("where the first server is silent, a program waits {seconds} s and more");
        Finding::new(Level::Note, place, what).fix("`options timeout:2 attempts:2`")
    })
}

/// A and AAAA leave together; connection tracking may drop one of two datagrams from one port.
fn one_socket(upstream: &Upstream, place: String) -> Option<Finding> {
    let options = &upstream.conf.options;
    let is_tracked = Path::new("/proc/sys/net/netfilter/nf_conntrack_max").exists();
    let far = upstream.servers.iter().any(|(server, _)| !server.ip().is_loopback());
    let apart = options.single_request || options.single_request_reopen || options.use_vc;
    (is_tracked && far && !apart).then(|| {
        let what = "this kernel tracks connections, which may drop one of two queries that leave a port together: libc then waits 5 s";
        Finding::new(Level::Note, place, what).fix(
            "rustdns asks again from other ports after 250 ms; for libc, `options single-request-reopen`",
        )
    })
}

/// Without a line for localhost libc asks name servers for it.
fn localhost(session: &Session, environment: &Environment) -> Result<Option<Finding>, NoMemory> {
    let hosts = session.hosts()?;
    let place = Shown(environment.paths.hosts.to_bytes()).to_string();
    let mut lines = hosts.by_name(b"localhost");
    Ok(match lines.find(|line| !line.address.ip.is_loopback()) {
        Some(line) => {
            let place = format!("{place}:{}", hosts.number(&line));
            let what = format!("localhost is {}, which is not this host", line.address.ip);
            Some(Finding::new(Level::Error, place, what).fix("give it 127.0.0.1 and ::1"))
        }
        None if hosts.by_name(b"localhost").next().is_none() => Some(
            Finding::new(Level::Warning, place, "no localhost: libc asks the name servers for it")
                .fix("add `127.0.0.1 localhost` and `::1 localhost`"),
        ),
        None => None,
    })
}

/// sudo, mail servers and databases look their own host's name up at each start.
fn own_name() -> Option<Finding> {
    let mut buffer = [0; 256];
    let name = process::host_name(&mut buffer);
    let start = Instant::now();
    let result = resolve(Some(name), None, &usual_hints(name, Family::Any));
    let error = result.err().filter(|_| !name.is_empty())?;
    let what = format!(
        "this host's own name, {}, is not known ({}, after {}): sudo and others wait for that",
        Shown(name),
        meaning(error).0,
        millis(start.elapsed())
    );
    Some(Finding::new(Level::Warning, "this host", what).fix(format!(
        "add `127.0.1.1 {}` to /etc/hosts, or `myhostname` to nsswitch.conf",
        Shown(name)
    )))
}

fn nscd() -> Option<Finding> {
    let socket = ["/run/nscd/socket", "/var/run/nscd/socket"];
    let socket = socket.into_iter().find(|path| Path::new(path).exists())?;
    let what = "nscd runs: libc asks it, and gets answers as old as its settings allow";
    Some(
        Finding::new(Level::Note, socket, what)
            .fix("rustdns doesn't ask it; `enable-cache hosts no` in /etc/nscd.conf, or stop it"),
    )
}

/// Where the whole system is told to preload something, a path that is gone is said by every program.
fn preloaded_everywhere() -> Vec<Finding> {
    const FILE: &str = "/etc/ld.so.preload";
    let Ok(text) = fs::read_to_string(FILE) else { return Vec::new() };
    let words = text.split(|c: char| c.is_ascii_whitespace() || c == ':');
    let findings = words.filter(|word| !word.is_empty()).filter_map(|word| {
        let is_ours = word.contains("librustdns");
        if word.starts_with('/') && !Path::new(word).exists() {
            let what = format!("{} is not there", Shown(word.as_bytes()));
            Some(Finding::new(Level::Error, FILE, what).fix("correct the path, or remove it"))
        } else if is_ours {
            Some(Finding::new(Level::Note, FILE, "the library is in every program of this system"))
        } else {
            None
        }
    });
    findings.collect()
}

/// Programs of musl load only libraries for musl.
fn musl() -> Option<Finding> {
    let entries = fs::read_dir("/lib").ok()?;
    let is_loader = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with("ld-musl");
    let loader = entries.flatten().map(|entry| entry.file_name()).find(|name| is_loader(name))?;
    (!cfg!(target_env = "musl")).then(|| {
        let place = format!("/lib/{}", loader.to_string_lossy());
        let what = "programs of musl run here too; this rustdns can't be preloaded into them";
        Finding::new(Level::Note, place, what)
            .fix("preload the library that `make musl` leaves into those")
    })
}

fn no_library() -> Option<Finding> {
    let trouble = Library::find(None).err()?;
    let text = trouble.text();
    let (what, fix) = text.split_once(": ").unwrap_or((text, "make install"));
    Some(Finding::new(Level::Warning, "rustdns run", what).fix(fix))
}
