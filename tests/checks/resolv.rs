//! resolv.conf(5).

use std::fmt::Write as _;
use std::net::SocketAddr;

use rustdns::config::resolv::{MAX_SERVERS, ResolvConf, parse};

/// Any text is read within the bounds that resolver(3) sets; written anew in the plainest form, it
/// is read as the same; and servers do not depend on the lines behind them.
///
/// Would find: numbers outside their range, words that are cut or joined, a line that undoes one above
/// it, a panic. What each word means is compared with libc (`tests/properties/libc.rs`).
pub fn check(text: &[u8]) {
    let conf = read(text);
    assert!((1..=MAX_SERVERS).contains(&conf.servers.len()));
    assert!(conf.servers.iter().all(|server| server.port() == 53));
    assert!(conf.search.len() <= 256 && conf.search.iter().all(|domain| !domain.is_empty()));
    assert!(conf.sortlist.len() <= 10);
    let options = &conf.options;
    assert!(options.ndots <= 15 && options.timeout <= 30);
    assert!((1..=5).contains(&options.attempts));
    let lines = text.iter().filter(|&&b| b == b'\n').count() + 1;
    assert!(conf.notes.iter().all(|note| (1..=lines).contains(&(note.line as usize))));

    let again = read(&rendered(&conf));
    assert!(again.notes.is_empty(), "{:?}", again.notes);
    assert_eq!((&again.servers, &again.search), (&conf.servers, &conf.search));
    assert_eq!((&again.sortlist, &again.options), (&conf.sortlist, &conf.options));

    let half = text.iter().take(text.len() / 2).rposition(|&b| b == b'\n').unwrap_or(0);
    let first = read(&text[..half]);
    let only_default = first.servers == read(b"").servers;
    assert!(only_default || conf.servers.starts_with(&first.servers), "{first:?}");

    environment(text);
}

/// `LOCALDOMAIN` replaces the search list, and never leaves none; `RES_OPTIONS` is an options line.
fn environment(text: &[u8]) {
    let line = text.split(|&b| b == b'\n' || b == 0 || b == b'\r').next().unwrap();
    let mut conf = read(b"search elsewhere\n");
    conf.apply_environment(Some(line), Some(line)).unwrap();
    let domains: Vec<&[u8]> =
        line.split(|&b| b == b' ' || b == b'\t').filter(|word| !word.is_empty()).collect();
    // What stands before a blank at the beginning is the root.
    let has_root = domains.is_empty() || matches!(line, [b' ' | b'\t', ..]);
    let expected = has_root.then_some(&b""[..]).into_iter().chain(domains.into_iter().take(256));
    assert!(conf.search.iter().map(|domain| &**domain).eq(expected));
    assert_eq!(conf.options, read(&[b"options ", line].concat()).options);
}

fn read(text: &[u8]) -> ResolvConf {
    parse(Some(text), b"", &super::zone_names).unwrap()
}

fn rendered(conf: &ResolvConf) -> Vec<u8> {
    let mut text = String::new();
    for server in &conf.servers {
        match server {
            SocketAddr::V6(v6) if v6.scope_id() != 0 => {
                writeln!(text, "nameserver {}%{}", v6.ip(), v6.scope_id()).unwrap();
            }
            _ => writeln!(text, "nameserver {}", server.ip()).unwrap(),
        }
    }
    for sort in &conf.sortlist {
        writeln!(text, "sortlist {}/{}", sort.address, sort.mask).unwrap();
    }
    let o = &conf.options;
    write!(text, "options ndots:{} timeout:{} attempts:{}", o.ndots, o.timeout, o.attempts)
        .unwrap();
    for (is_set, name) in [
        (o.rotate, "rotate"),
        (o.use_vc, "use-vc"),
        (o.edns0, "edns0"),
        (o.trust_ad, "trust-ad"),
        (o.no_aaaa, "no-aaaa"),
        (o.no_tld_query, "no-tld-query"),
        (o.single_request, "single-request"),
        (o.single_request_reopen, "single-request-reopen"),
    ] {
        if is_set {
            text += " ";
            text += name;
        }
    }
    text += "\n";
    let mut text = text.into_bytes();
    if !conf.search.is_empty() {
        // A blank behind the last one: else a carriage return in it would count as the line's end.
        text.extend([b"search ", conf.search.join(&b" "[..]).as_slice(), b" \n"].concat());
    }
    text
}
