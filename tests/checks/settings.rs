//! rustdns.conf(5).

use std::net::SocketAddr;

use rustdns::config::settings::{Cookies, Dnssec, Settings, Sink, TABLE, parse};

/// Any text is read within the settings' bounds; the settings written anew are read as the same; and
/// a line whose value is not understood changes nothing, but where private servers were meant.
///
/// Would find: a key that sets another's field, a value that is half applied (the good servers of a
/// list with a bad one), a bound that is not kept, a path that loses an octet.
pub fn check(text: &[u8]) {
    let settings = read(text);
    assert!(settings.cache_entries <= 1 << 20 && settings.debug <= 2);
    assert!(settings.upstream.addresses.iter().all(|server| server.port() != 0));
    assert!(settings.root.as_ref().is_none_or(|root| root.starts_with(b"/")));
    for server in &settings.upstream.addresses {
        assert!(settings.may_ask(server) || (settings.test_only && !server.ip().is_loopback()));
    }
    // In either order, so that no line can hide what one before it did to another's setting.
    let mut lines = rendered(&settings);
    for _ in 0..2 {
        let again = read(&lines.concat());
        let notes = usize::from(settings.upstream.is_unread);
        assert_eq!(again.notes.iter().count(), notes, "{:?}", again.notes);
        assert_eq!(shown(&again), shown(&settings));
        lines.reverse();
    }

    let bad: String = TABLE.iter().map(|setting| format!("\n{} \u{1}", setting.key)).collect();
    assert_eq!(shown(&read(&[text, bad.as_bytes()].concat())), shown(&settings));
}

fn read(text: &[u8]) -> Settings {
    parse(text, &super::zone_names).unwrap()
}

/// All but the notes.
fn shown(settings: &Settings) -> Vec<String> {
    let s = settings;
    vec![
        // But for the zones as they were written: said again they are numbers.
        format!("{:?} {:?} {}", s.upstream.addresses, s.upstream.encrypted, s.upstream.is_unread),
        format!("{} {:?} {:?} {:?}", s.fallback_plain, s.authorities, s.dnssec, s.anchors),
        format!("{} {} {}", s.cache_entries, s.cache_max_ttl, s.cache_negative_ttl),
        format!("{:?} {:?}", s.cookies, s.hedge),
        format!("{} {} {} {}", s.foreign_libc, s.random_case, s.debug, s.test_only),
        format!("{:?} {:?} {} {} {:?}", s.log, s.root, s.json, s.serve_stale, s.stats),
    ]
}

fn rendered(s: &Settings) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let mut line = |key: &str, value: &[u8]| {
        lines.push([key.as_bytes(), b"\t", value, b" # said again\n"].concat());
    };
    if s.upstream.is_unread {
        line("upstream", b"tls://");
    }
    if !s.upstream.addresses.is_empty() {
        let server = |address: &SocketAddr| match s.upstream.encrypted(address) {
            Some(encrypted) => encrypted.text.to_vec(),
            None => address.to_string().into_bytes(),
        };
        let servers: Vec<Vec<u8>> = s.upstream.addresses.iter().map(server).collect();
        line("upstream", &servers.join(&b' '));
    }
    line("upstream-fallback", if s.fallback_plain { b"plain" } else { b"off" });
    line("upstream-ca", s.authorities.as_deref().unwrap_or(b"system"));
    line(
        "dnssec",
        match s.dnssec {
            Dnssec::Off => b"off",
            Dnssec::TrustAd => b"trust-ad",
            Dnssec::Validate => b"validate",
        },
    );
    line("trust-anchor", s.anchors.as_deref().unwrap_or(b"installed"));
    line("cache", s.cache_entries.to_string().as_bytes());
    line("cache-max-ttl", s.cache_max_ttl.to_string().as_bytes());
    line("cache-negative-ttl", s.cache_negative_ttl.to_string().as_bytes());
    line("foreign", if s.foreign_libc { b"libc" } else { b"skip" });
    line("case-randomization", if s.random_case { b"on" } else { b"off" });
    line(
        "cookies",
        match s.cookies {
            Cookies::Auto => b"auto",
            Cookies::On => b"on",
            Cookies::Off => b"off",
        },
    );
    let hedge = s.hedge.map(|hedge| hedge.as_millis().to_string());
    line("hedge", hedge.as_deref().unwrap_or("off").as_bytes());
    line("debug", s.debug.to_string().as_bytes());
    match &s.log {
        Sink::Stderr => line("log", b"stderr"),
        Sink::Syslog => line("log", b"syslog"),
        Sink::File(path) => line("log", path.to_bytes()),
        #[allow(unreachable_patterns, reason = "sinks that no setting names")]
        _ => {}
    }
    line("serve-stale", s.serve_stale.to_string().as_bytes());
    line("debug-format", if s.json { b"json" } else { b"text" });
    line("stats", if s.stats { b"on" } else { b"off" });
    if let Some(root) = &s.root {
        line("root", root);
    }
    line("mode", if s.test_only { b"test-only" } else { b"normal" });
    lines
}
